"""What is counted for TLS reports: every result type provoked by a real delivery, the journal
compared as a whole, and what the report makes of it (RFC 8460 sections 4.2 to 4.4)."""

import datetime
import json
import re
from dataclasses import dataclass, field

import pytest

from mail import GOOD, arrived, assert_delivered, assert_waiting, deliver
from sender import SENDER_CONF, SPOOL, world
from test_destinations import behind

OUR_IP = world.SENDER
EXIM_HELO = "mx.mail.example"           # what all hosts on the receiving Exim call themselves
NOWHERE = "-"
MX = "secure.example"                   # signed, without a policy
REQUIRE_DANE = SENDER_CONF.replace("  hosts_try_dane = *\n  dnssec_request",
                                   "  hosts_require_dane = *\n  dnssec_request")


@dataclass(frozen=True)
class Line:
    """One line of the journal, but for its time; whether a policy is named, not which."""

    domain: str
    type: str
    result: str = "success"
    reason: str = NOWHERE
    mx: str = NOWHERE
    ip: str = NOWHERE
    helo: str = NOWHERE
    sending_ip: str = NOWHERE
    has_policy: bool = True

    def detail(self) -> dict[str, object]:
        """What it becomes in failure-details: the keys that are known, in one entry."""
        known = {"result-type": self.result, "sending-mta-ip": self.sending_ip,
                 "receiving-mx-hostname": self.mx, "receiving-mx-helo": self.helo,
                 "receiving-ip": self.ip, "failure-reason-code": self.reason}
        return {key: value for key, value in known.items() if value != NOWHERE} | {
            "failed-session-count": 1}


def at(host: str, **more: object) -> dict[str, object]:
    """The fields of a session with a host of the world."""
    found = world.host_named(host)
    helo = EXIM_HELO if found.server == "exim" else found.ip
    return {"mx": host, "ip": found.ip, "helo": helo, "sending_ip": OUR_IP, **more}


def journal(site) -> list[Line]:
    """All lines. Those about a domain without any policy name none."""
    return [Line(line["domain"], line["type"], line["result"], line["reason"], line["mx"],
                 line["receiving_ip"], line["helo"], line["sending_ip"],
                 line["digest"] != NOWHERE) for line in site.journal()]


def none(domain: str, **more: object) -> Line:
    """A line that says there is no policy."""
    return Line(domain, "no-policy-found", has_policy=False, **more)


def day_before() -> str:
    """Yesterday's date, as in file names."""
    return (datetime.datetime.now(datetime.timezone.utc)
            - datetime.timedelta(1)).strftime("%Y-%m-%d")


def preview(site, domain: str) -> dict:
    """The report about a domain, were today over."""
    journals = site.lab.state / "sender/spool/requiretls/tlsrpt"
    for path in sorted(journals.iterdir()):
        path.rename(journals / day_before())
    return json.loads(site.program("report", "preview", day_before(), domain).stdout)


# --- one of each ---------------------------------------------------------------------

@dataclass(frozen=True)
class Case:
    """One delivery, and all that is counted for it."""

    to: str
    lines: list[Line]
    mx: str = ""                        # the only MX host, where it is not the world's
    sets: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    conf: str = SENDER_CONF
    policy: str = ""                    # what the policy host serves, where it is not the world's

    @property
    def domain(self) -> str:
        """Of the recipient."""
        return self.to.partition("@")[2]


def sts(domain: str, result: str, host: str, reason: str = NOWHERE, **more: object) -> Case:
    """One line about the policy of a domain."""
    return Case(f"bob@{domain}", [Line(domain, "sts", result, reason, **at(host, **more))])


BROKEN_POLICY = "version: STSv1\r\nmode: enforced\r\nmx: good.mail.example\r\nmax_age: 1\r\n"
BOGUS_TLSA = {("x.dane.example", "A"): ["192.0.2.11"],
              ("_25._tcp.x.dane.example", "CNAME"): ["_25._tcp.x.bogus.example."],
              ("_25._tcp.x.bogus.example", "TLSA"): ["3 1 1 " + "00" * 32]}
BOGUS_ADDRESS = {("x.bogus.example", "A"): ["192.0.2.11"]}
INVALID = "DNSSEC validation failed"
UNPROVEN = "no TLSA records proven by DNSSEC"
NO_TLS = "STARTTLS offered, but no TLS session came about"


def fetch(domain: str, result: str, reason: str, has_policy: bool = False) -> Case:
    """A policy that does not come: a line without a session, and one about the session without
    a policy."""
    return Case(f"bob@{domain}",
                [Line(domain, "sts", result, reason, has_policy=has_policy),
                 none(domain, **at("good.mail.example"))])


def dane(domain: str, result: str, host: str, reason: str, **more: object) -> Line:
    """A line about the TLSA records of a host."""
    return Line(domain, "tlsa", result, reason, **at(host, **more))


CASES = {
    "sts: success": Case("bob@enforce.example", [
        Line("enforce.example", "sts", **at("good.mail.example"))]),
    "tlsa: success": Case("bob@dane-good.example", [
        Line("dane-good.example", "tlsa", **at("good.dane.example"))]),
    "no-policy-found: success": Case("bob@nopolicy.example", [
        none("nopolicy.example", **at("good.mail.example"))]),
    "sts and tlsa: success": Case("bob@dane-sts.example", [
        Line("dane-sts.example", "tlsa", **at("good.dane.example"))]),

    "starttls-not-supported": sts(
        "enforce-notls.example", "starttls-not-supported", "notls.mail.example"),
    "starttls-not-supported, tlsa": Case(
        f"bob@{MX}", [dane(MX, "starttls-not-supported", "h-no-good.mx-matrix.example",
                           NOWHERE)], mx="h-no-good.mx-matrix.example"),
    "starttls-not-supported, no policy": Case("bob@nopolicy-notls.example", [
        none("nopolicy-notls.example", result="starttls-not-supported",
             **at("notls.mail.example"))]),
    "certificate-host-mismatch": sts(
        "enforce-wrongname.example", "certificate-host-mismatch", "wrongname.mail.example",
        "is for other.mail.example, not for wrongname.mail.example"),
    "certificate-expired": sts(
        "enforce-expired.example", "certificate-expired", "expired.mail.example",
        "expired DATE"),
    "certificate-expired, not yet valid": sts(
        "enforce-notyet.example", "certificate-expired", "notyet.mail.example",
        "not valid before DATE"),
    "certificate-not-trusted": sts(
        "enforce-unknownca.example", "certificate-not-trusted", "unknownca.mail.example",
        "not signed by a trusted CA"),
    "certificate-not-trusted, self-signed": sts(
        "enforce-selfsigned.example", "certificate-not-trusted", "selfsigned.mail.example",
        "self-signed"),

    "validation-failure: sts-mx-mismatch": Case("bob@enforce-mismatch.example", [
        Line("enforce-mismatch.example", "sts", "validation-failure", "sts-mx-mismatch",
             "good2.mail.example", "192.0.2.12"),
        Line("enforce-mismatch.example", "sts", **at("good.mail.example"))]),
    "validation-failure: sts-mx-mismatch, testing": sts(
        "testing-mismatch.example", "validation-failure", "good.mail.example",
        "sts-mx-mismatch"),
    "validation-failure: no handshake": sts(
        "enforce-close.example", "validation-failure", "close.smtp.example", NO_TLS),
    "validation-failure: STARTTLS answered with an error": sts(
        "enforce-4xx.example", "validation-failure", "4xx.smtp.example", NO_TLS),
    "validation-failure: not the certificate of the TLSA record": Case(
        "bob@dane-bad.example", [dane("dane-bad.example", "validation-failure",
                                      "bad.dane.example", "DANE validation failed")]),

    "tlsa-invalid": Case(
        f"bob@{MX}", [dane(MX, "tlsa-invalid", "h-good-unusable.mx-matrix.example",
                           "no usable TLSA record")],
        mx="h-good-unusable.mx-matrix.example"),
    "dnssec-invalid: TLSA": Case(
        f"bob@{MX}", [Line(MX, "tlsa", "dnssec-invalid", INVALID, "x.dane.example",
                           "192.0.2.11", has_policy=False)], "x.dane.example", BOGUS_TLSA),
    "dnssec-invalid: TLSA, flagged": Case(
        f"bob+requiretls@{MX}", [Line(MX, "tlsa", "dnssec-invalid", INVALID, "x.dane.example",
                                      "192.0.2.11", has_policy=False)],
        "x.dane.example", BOGUS_TLSA),
    "dnssec-invalid: addresses, flagged": Case(
        f"bob+requiretls@{MX}", [Line(MX, "tlsa", "dnssec-invalid", INVALID, "x.bogus.example",
                                      has_policy=False)], "x.bogus.example", BOGUS_ADDRESS),
    "dane-required: no TLSA": Case(
        f"bob@{MX}", [Line(MX, "tlsa", "dane-required", UNPROVEN, "notlsa.dane.example",
                           "192.0.2.23", has_policy=False)],
        "notlsa.dane.example", conf=REQUIRE_DANE),
    "dane-required: no DNSSEC": Case(
        f"bob@{MX}", [Line(MX, "tlsa", "dane-required", UNPROVEN, "good.mail.example",
                           "192.0.2.11", has_policy=False)],
        "good.mail.example", conf=REQUIRE_DANE),
    "dane-required, but bogus": Case(
        f"bob@{MX}", [Line(MX, "tlsa", "dnssec-invalid", INVALID, "x.dane.example",
                           "192.0.2.11", has_policy=False)],
        "x.dane.example", BOGUS_TLSA, conf=REQUIRE_DANE),

    "sts-policy-fetch-error: unreachable": fetch(
        "policydown.example", "sts-policy-fetch-error",
        "could not connect to mta-sts.policydown.example"),
    "sts-policy-fetch-error: no address": Case(
        "bob@enforce.example", [
            Line("enforce.example", "sts", "sts-policy-fetch-error",
                 "could not resolve mta-sts.enforce.example", has_policy=False),
            none("enforce.example", **at("good.mail.example"))],
        sets={("mta-sts.enforce.example", "A"): []}),
    "sts-policy-fetch-error: time-out": fetch(
        "policystall.example", "sts-policy-fetch-error", "connection timed out"),
    "sts-policy-fetch-error: media type": fetch(
        "policyhtml.example", "sts-policy-fetch-error", "media type is not text/plain"),
    "sts-policy-fetch-error: status": fetch(
        "policy404.example", "sts-policy-fetch-error", "http status 404"),
    "sts-webpki-invalid: expired": fetch(
        "policycert.example", "sts-webpki-invalid", "certificate expired DATE"),
    "sts-webpki-invalid: self-signed": fetch(
        "policyselfsigned.example", "sts-webpki-invalid", "certificate self-signed"),
    "sts-webpki-invalid: wrong name": fetch(
        "policywrongname.example", "sts-webpki-invalid",
        "certificate is for other.policywrongname.example, "
        "not for mta-sts.policywrongname.example"),
    "sts-policy-invalid": Case(
        "bob@enforce.example",
        [Line("enforce.example", "sts", "sts-policy-invalid", "line 2: mode must be enforce, "
              "testing or none (found \\x22mode: enforced\\x22)"),
         none("enforce.example", **at("good.mail.example"))], policy=BROKEN_POLICY),
}

# No line: nobody's fault but ours, or not known whose.
SILENT = {
    "TLSA lookup: SERVFAIL": Case(f"bob@{MX}", [], "tlsafail.dane.example"),
    "the same, flagged": Case(f"bob+requiretls@{MX}", [], "tlsafail.dane.example"),
    "the same, DANE required": Case(f"bob@{MX}", [], "tlsafail.dane.example",
                                    conf=REQUIRE_DANE),
    "the MX answer is bogus": Case("bob@bogus.example", []),
    "a bogus address behind an insecure MX answer": Case(
        "bob@enforce.example", [], "x.bogus.example", BOGUS_ADDRESS),
}


def without_dates(line: Line) -> Line:
    """Certificates are made anew for each lab."""
    fields = {**line.__dict__, "reason": re.sub(r"\d{4}-\d\d-\d\d", "DATE", line.reason)}
    return Line(**fields)


def prepare(site, case: Case) -> None:
    """The world as the case wants it."""
    if case.conf != SENDER_CONF:
        site.lab.write_sender_conf(case.conf)
    if case.sets:
        site.lab.set_rrsets(case.sets)
    if case.policy:
        site.lab.set_policy(case.domain, case.policy)
    if case.mx:
        site.lab.set_mx(case.domain, [f"10 {case.mx}"])


@pytest.mark.parametrize("name", [*CASES, *SILENT])
def test_one_delivery(site, name):
    """Exactly these lines, exactly these fields; and in the report the keys that are known,
    no others. Also: lookups of ours that fail are held against nobody."""
    case = CASES.get(name) or SILENT[name]
    prepare(site, case)
    deliver(site, case.to)
    found = journal(site)
    assert [without_dates(line) for line in found] == case.lines, site.lab.mainlog()
    if not found:
        return
    entries = preview(site, case.domain)["policies"]
    assert in_order(detail for entry in entries for detail in entry["failure-details"]) == (
        in_order(line.detail() for line in found if line.result != "success"))
    assert sum(entry["summary"]["total-successful-session-count"] for entry in entries) == sum(
        line.result == "success" for line in found)
    # Section 1.1: the policy domain of DANE is the host that has the records.
    assert {(entry["policy"]["policy-type"], entry["policy"]["policy-domain"])
            for entry in entries} == {
                (line.type, line.mx if line.type == "tlsa" else case.domain) for line in found}


def in_order(details) -> list[str]:
    """To be compared: sorted, as text."""
    return sorted(json.dumps(detail, sort_keys=True) for detail in details)


def test_every_result_type_was_there():
    """RFC 8460 section 4.3: the table above leaves none out."""
    found = {line.result for case in CASES.values() for line in case.lines}
    assert found == {
        "success", "starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
        "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
        "dane-required", "sts-policy-fetch-error", "sts-policy-invalid",
        "sts-webpki-invalid"}
    assert {line.type for case in CASES.values() for line in case.lines} == {
        "sts", "tlsa", "no-policy-found"}


def test_invalid_policy_is_shown_as_it_came(site):
    """Section 4.5: what the policy host served, errors and all, line by line."""
    prepare(site, CASES["sts-policy-invalid"])
    deliver(site, "bob@enforce.example")
    entry, = (entry for entry in preview(site, "enforce.example")["policies"]
              if entry["policy"]["policy-type"] == "sts")
    assert entry["policy"]["policy-string"] == BROKEN_POLICY.splitlines()


# --- sessions that break off ----------------------------------------------------------

SCRIPTED = "s6.smtp.example"
SCRIPTED_IP = world.host_named(SCRIPTED).ip
BREAKS = ("starttls-wants-cert", "starttls-leave", "starttls-close", "starttls-garbage",
          "starttls-abort")
CLASSES = {         # what applies to the host, and how its lines begin
    "enforce-scripted.example": "sts",
    "rotate.example": "sts",            # in testing
    "nopolicy-scripted.example": "no-policy-found",
    "dane-scripted.example": "tlsa",
}


def scripted(site, domain: str, behaviour: str, **more: object) -> str:
    """The only MX host of a domain is told what to do; its name."""
    host = "scripted.dane.example" if domain.startswith("dane") else SCRIPTED
    site.lab.set_behaviour(world.host_named(host).ip, behaviour, **more)
    if domain == "rotate.example":
        site.lab.set_mx(domain, [f"10 {host}"])
        site.lab.set_policy(domain, world.policy_text("testing", (host,)), id="testing")
    return host


def outcome(domain: str, host: str, result: str, reason: str = NOWHERE, **more: object) -> Line:
    """The line that is to be there."""
    policy_type = CLASSES[domain]
    return Line(domain, policy_type, result, reason, **at(host, **more),
                has_policy=policy_type != "no-policy-found")


@pytest.mark.parametrize("behaviour", BREAKS)
@pytest.mark.parametrize("domain", CLASSES)
def test_broken_handshake_counts_once(site, domain, behaviour):
    """B2.2, B2.6: also where TLS 1.3 lets the client believe the handshake done, and the server
    rejects it behind that; there is no success beside it. Where Exim tries again in clear it
    is the same session."""
    host = scripted(site, domain, behaviour)
    marker = deliver(site, f"bob@{domain}")
    found = [message.tls for message in arrived(site, marker)]
    if CLASSES[domain] == "tlsa" or domain.startswith("enforce"):
        assert found == []
    elif behaviour != "starttls-leave":     # where a reset may overtake the end of the stream
        assert found == [""], site.lab.mainlog()
    reason = ("DANE validation failed" if domain.startswith("dane") else
              "TLS handshake failed" if behaviour in BREAKS[:2] else NO_TLS)
    assert journal(site) == [outcome(domain, host, "validation-failure", reason)]


def test_broken_handshake_of_a_flagged_message(site):
    """Without a policy a certificate that only the sender wants good fails none; a handshake that
    the host breaks off is a failure all the same."""
    site.lab.set_behaviour(SCRIPTED_IP, "starttls-wants-cert")
    deliver(site, "bob+requiretls@secure-scripted.example")
    deliver(site, "bob+requiretls@secure-selfsigned.example")
    assert journal(site) == [none("secure-scripted.example", result="validation-failure",
                                  reason="TLS handshake failed", **at(SCRIPTED))]


@pytest.mark.parametrize("reply", ["454 4.7.0 TLS not available now", "502 5.5.1 no such command"])
@pytest.mark.parametrize("domain", CLASSES)
def test_error_reply_to_starttls(site, domain, reply):
    """It was offered, so it is supported: a failure of the session, and not a silent one: mail
    servers whose certificate cannot be read answer so. RFC 8460 section 4.3.4 would let
    a 4xx be left out."""
    host = scripted(site, domain, "good", starttls=reply)
    deliver(site, f"bob@{domain}")
    reason = "DANE validation failed" if domain.startswith("dane") else NO_TLS
    assert journal(site) == [outcome(domain, host, "validation-failure", reason)]


@pytest.mark.parametrize("behaviour", ["close-at-mail", "reject-mail-5xx", "reject-rcpt-4xx",
                                       "close-at-dot"])
@pytest.mark.parametrize("domain", CLASSES)
def test_what_comes_after_tls_does_not_count(site, domain, behaviour):
    """A session whose EHLO was answered inside TLS was a good one, whatever becomes of the
    message."""
    host = scripted(site, domain, behaviour)
    marker = deliver(site, f"bob@{domain}")
    assert arrived(site, marker) == []
    assert journal(site) == [outcome(domain, host, "success")]


@pytest.mark.parametrize("behaviour", ["banner-421", "banner-554"])
@pytest.mark.parametrize("domain", CLASSES)
def test_no_session(site, domain, behaviour):
    """B2.3: what ends before TLS could have a part in it is not counted."""
    scripted(site, domain, behaviour)
    deliver(site, f"bob@{domain}")
    assert journal(site) == []


# --- trouble of ours -----------------------------------------------------------------

NO_KEY = ("tls_certificate = /etc/exim4/none.pem\n  tls_privatekey = /etc/exim4/none.key\n")
NO_TRUST = "tls_verify_certificates = /etc/exim4/none.pem\n"


def with_option(text: str) -> str:
    """The site's own transport with something more, and ours by their macros."""
    return SENDER_CONF.replace("  event_action = REQUIRETLS_EVENT\n",
                               f"  event_action = REQUIRETLS_EVENT\n  {text}", 1)


@pytest.mark.parametrize("option", [NO_KEY, NO_TRUST])
@pytest.mark.parametrize("domain", ["nopolicy.example", "testing.example", "dane-good.example"])
def test_our_own_transport_is_broken(site, domain, option):
    """A client key that is missing, a trust store that is: TLS fails with every host there is,
    and none of them is to blame. Exim's second try in clear is no session of its own."""
    site.lab.write_sender_conf(with_option(option))
    marker = deliver(site, f"bob@{domain}")
    assert bool(arrived(site, marker)) == (domain != "dane-good.example"), site.lab.mainlog()
    assert journal(site) == []
    (site.lab.state / "sender/log/paniclog").unlink(missing_ok=True)


@pytest.mark.parametrize("macros", [
    "REMOTE_SMTP_TLS_CERTIFICATE = /etc/exim4/none.pem\n"
    "REMOTE_SMTP_PRIVATEKEY = /etc/exim4/none.key\n",
    "REQUIRETLS_CIPHERS = NO-SUCH-CIPHER\n"])
@pytest.mark.parametrize("recipient", ["bob@enforce.example", "bob+requiretls@secure.example",
                                       "bob@dane-good.example"])
def test_protected_transports_are_broken(site, recipient, macros):
    """The same where nothing goes in clear."""
    conf = macros + SENDER_CONF
    if "dane" in recipient:
        conf = macros + with_option("tls_require_ciphers = NO-SUCH-CIPHER\n")
    site.lab.write_sender_conf(conf)
    assert_waiting(site, deliver(site, recipient))
    assert journal(site) == []


def test_exim_trusts_other_certificates_than_we_do(site):
    """ca_file finds the chain good, Exim does not: one of the two is misconfigured, the host is
    not."""
    ca = site.lab.state / "ca"
    site.lab.write_etc("both.pem", site.lab.ca_bundle.read_text()
                       + (ca / "unknown.pem").read_text())
    site.configure(ca_file="/etc/exim4/both.pem")
    assert_waiting(site, deliver(site, "bob@enforce-unknownca.example"))
    assert "(certificate verification failed)" in site.lab.mainlog()
    assert journal(site) == []


OUR_DNS = {
    "our resolver is down": {"resolver": world.NOTHING_LISTENS, "dns_timeout": "300ms",
                             "resolve_timeout": "3s"},
    "our trust anchor is missing": {"trust_anchor": "/etc/exim4/none"},
    "our program is missing": {"program": "/usr/sbin/none"},
}


@pytest.mark.parametrize("what", OUR_DNS)
@pytest.mark.parametrize("domain", ["enforce.example", "enforce-notls.example",
                                    "nopolicy-notls.example", "dane-bad.example"])
def test_what_we_could_not_look_up(site, domain, what):
    """Nobody is told that there is no policy, because we could not ask for it. Exim does DANE
    by a resolver of its own, and what comes of that is the host's doing."""
    site.configure(**OUR_DNS[what])
    deliver(site, f"bob@{domain}")
    assert [(line.type, line.result) for line in journal(site)] == (
        [("tlsa", "validation-failure")] if "dane" in domain else [])


def test_policy_record_that_cannot_be_had(site):
    """The same where it is the domain's name server that fails on this one question."""
    site.lab.set_rrset("_mta-sts.nopolicy.example", "NS", ["servfail.nic.example."])
    assert_delivered(site, deliver(site, "bob@nopolicy.example"))
    assert journal(site) == []


def test_broken_configuration(site):
    """Mail waits, and nobody is blamed."""
    site.lab.send("alice@lab.example", ["bob@enforce-notls.example"], body="x", queue_only=True)
    site.configure(mta_sts="perhaps")
    site.lab.run_queue()
    assert len(site.lab.queue()) == 1 and journal(site) == []


def test_journal_that_cannot_be_written(site):
    """Mail goes on; one line says what is missing."""
    site.lab.exec(["/bin/sh", "-c", f"mkdir -p {SPOOL} && "
                                    f"rm -rf {SPOOL}/tlsrpt && touch {SPOOL}/tlsrpt"],
                  user="Debian-exim")
    assert_delivered(site, deliver(site, "bob@enforce.example"))
    assert site.log().count("TLS-RPT journal not written: ") == 1


def test_no_ca_file(site):
    """Neither hosts nor policy hosts are blamed for a ca_file that cannot be read."""
    site.configure(ca_file="/etc/exim4/none.pem")
    for domain in ("enforce-selfsigned.example", "testing-selfsigned.example",
                   "nopolicy-selfsigned.example"):
        deliver(site, f"bob@{domain}")
    assert [line.type for line in journal(site) if line.result != "success"] == []
    assert "a reason of ours" in site.log()


@pytest.mark.parametrize("resolver", [world.NOTHING_LISTENS, world.NS_SILENT])
def test_system_resolver_is_down(site, resolver):
    """It is what libcurl asks for the policy host's address. Our own resolver knows better."""
    site.configure(resolver=world.RESOLVER)
    site.lab.set_resolver(resolver)
    site.program("resolve", "enforce.example", user="Debian-exim")
    assert "fetch failed" in site.cache_file("enforce.example").read_text()
    assert journal(site) == []


def test_policy_host_whose_name_server_fails(site):
    """RFC 8460 section 4.3.4: whose trouble that is, is not known."""
    site.lab.set_rrset("mta-sts.enforce.example", "A", [])
    site.lab.set_rrset("mta-sts.enforce.example", "NS", ["servfail.nic.example."])
    deliver(site, "bob@enforce.example")
    assert [line.type for line in journal(site)] == ["no-policy-found"]


# --- what strangers say --------------------------------------------------------------

@pytest.mark.parametrize("helo, known", [
    ("mx\\.\t\x01\x7f", "mx\\x5c.\\x09\\x01\\x7f"),
    ("\x1b[2Jmx", "\\x1b[2Jmx"),
    ("a\xe9\"<script>", "a\\xe9\\x22<script>"),
    ("A" * 1000, "A" * 124 + "..."),
])
def test_name_of_the_host_is_quoted(site, helo, known):
    """B4.8: the HELO name up to its first blank: printable ASCII, and not more than 128 bytes;
    the report is JSON with it."""
    host = scripted(site, "enforce-scripted.example", "plain", helo=helo)
    deliver(site, "bob@enforce-scripted.example")
    line, = journal(site)
    assert line == outcome("enforce-scripted.example", host, "starttls-not-supported",
                           helo=known)
    detail, = preview(site, "enforce-scripted.example")["policies"][0]["failure-details"]
    assert detail["receiving-mx-helo"] == known


# --- sessions, not messages ------------------------------------------------------------

def test_one_line_per_failed_fetch(site):
    """Not one per message: what is known to have failed is not asked again, nor counted."""
    for _ in range(3):
        deliver(site, "bob@policydown.example")
    assert [line.type for line in journal(site)] == ["sts"] + ["no-policy-found"] * 3


def test_many_messages_over_one_connection(site):
    """B2.6: a queue run; what Exim sends over a connection that is there is no session."""
    for number in range(4):
        site.lab.send("alice@lab.example", [f"u{number}@nopolicy.example"], body="x",
                      queue_only=True)
    site.lab.exec(["/usr/sbin/exim4", "-qqff"])
    site.lab.settle()
    delivered = [line for line in site.lab.mainlog().splitlines() if " => u" in line]
    reused = [line for line in delivered if f"[{GOOD}]* " in line]
    assert len(delivered) == 4 and reused
    assert journal(site) == [none("nopolicy.example", **at("good.mail.example"))] * (
        len(delivered) - len(reused))


RESUMED = {
    "nopolicy.example": ("success", "success"),
    "testing.example": ("success", "success"),
    "testing-selfsigned.example": ("certificate-not-trusted", "validation-failure"),
    "dane-good.example": ("success", "success"),
}


@pytest.mark.parametrize("domain", RESUMED)
def test_resumed_session_counts(site, domain):
    """A session resumed by a ticket is a session. No certificate is shown in it: what Exim found
    when it began is all there is, and a bad one does not become good."""
    site.lab.write_sender_conf(with_option("tls_resumption_hosts = *\n").replace(
        "log_selector =", "log_selector = +tls_resumption"))
    for _ in range(2):
        deliver(site, f"bob@{domain}")
    assert (":256* " in site.lab.mainlog()) == (domain != "dane-good.example")
    assert tuple(line.result for line in journal(site)) == RESUMED[domain]


def test_ipv6(site):
    """RFC 5952 for the address."""
    deliver(site, "bob@ipv6.example")
    assert journal(site) == [none("ipv6.example", **{
        **at("v6.mail.example"), "sending_ip": site.journal()[0]["sending_ip"]})]
    assert ":" in journal(site)[0].sending_ip and journal(site)[0].ip == "2001:db8::11"


@pytest.mark.parametrize("domain", ["enforce-down.example", "nopolicy.example"])
def test_nobody_answers(site, domain):
    """B2.3: refused connections."""
    site.lab.set_mx("nopolicy.example", ["10 down.smtp.example"])
    deliver(site, f"bob@{domain}")
    assert journal(site) == []


def test_relaxed_mail_is_not_counted(site):
    """B2.4: neither sessions nor policies; nor is a domain asked about that has had none."""
    for domain in ("enforce-notls.example", "nopolicy.example", "dane-bad.example",
                   "policydown.example"):
        deliver(site, f"bob@{domain}", headers={"TLS-Required": "No"})
    assert len(site.lab.received()) == 4 and journal(site) == []


@pytest.mark.parametrize("hosts", ["relay.example", "relay.example::587"])
def test_smart_host(site, hosts):
    """What is counted is about the smart host, whoever the recipients are."""
    behind(site, hosts)
    deliver(site, "bob@nosuch.example", "carol@enforce-expired.example")
    assert journal(site) == [Line("relay.example", "sts", **at("relay.example"))]


def test_cname(site):
    """The MX host is the name in the MX record; only DANE is about where it leads to."""
    site.lab.set_rrset("alias.mail.example", "CNAME", ["good.mail.example."])
    site.lab.set_mx("enforce.example", ["10 alias.mail.example"])
    site.lab.set_policy("enforce.example",
                        world.policy_text("enforce", ("alias.mail.example",)), id="alias")
    deliver(site, "bob@enforce.example")
    assert journal(site) == [Line(
        "enforce.example", "sts", "certificate-host-mismatch",
        "is for good.mail.example, not for alias.mail.example",
        **at("good.mail.example") | {"mx": "alias.mail.example"})]
