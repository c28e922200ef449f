"""Our reports on their way through Exim: the router and the transport requiretls_report.
What signs and what verifies are strangers to each other: Exim, and dkimpy."""

import re

import pytest

from mail import ALICE, deliver
from sender import SENDER_CONF, SPOOL, STANZAS, new_marker
from signing import KEY, KEYS, SELECTOR, SIGNING, Signing, signature
from test_stanzas import debian, generate      # noqa: F401  pylint: disable=unused-import

SCRIPTED = "192.0.2.36"                 # the one MX host of enforce-scripted.example
HEADERS = ("TLS-Report-Domain: enforce.example\nTLS-Report-Submitter: lab.example\n"
           "TLS-Required: No\n")


@pytest.fixture(name="reports")
def fixture_reports(site):
    """The site; its journal is empty."""
    return Signing(site)


# --- signed --------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KEYS)
def test_signed(reports, kind):
    """B7.1 B6.4: by the submitter, both headers of section 5.3 signed, without a length; and
    what is changed on the way does not verify."""
    reports.sign(kind)
    reports.send()
    message = reports.arrived().message
    assert reports.verifies(message)
    tags = signature(message)
    assert tags["d"] == "lab.example" and tags["s"] == SELECTOR
    assert tags["a"] == f"{kind}-sha256" and "l" not in tags
    signed = tags["h"].lower().split(":")
    assert {"tls-report-domain", "tls-report-submitter", "from", "subject", "date",
            "message-id", "content-type", "auto-submitted"} <= set(signed)
    for old, new in ((b"TLS-Report-Domain: enforce", b"TLS-Report-Domain: enforcf"),
                     (b"TLS-Report-Submitter: lab.", b"TLS-Report-Submitter: bad."),
                     (b"\nTLS-Report-Submitter:", b"\nTLS-Report-Submitter: x\n"
                                                  b"TLS-Report-Submitter:"),
                     (b"1 sessions good", b"2 sessions good"), (b"\nH4sI", b"\nH4sJ"),
                     (b"gzip", b"GZIP")):
        assert message.count(old) >= 1
        assert not reports.verifies(message.replace(old, new, 1)), new


def test_signed_by_debian_macros(reports):
    """A site that signs its mail by Debian's macros need not define others. Whatever DKIM_DOMAIN
    is, the submitter signs, and both headers whatever DKIM_SIGN_HEADERS is."""
    reports.sign(macros=f"DKIM_PRIVATE_KEY = {KEY}\nDKIM_SELECTOR = {SELECTOR}\n"
                 "DKIM_DOMAIN = other.example\nDKIM_SIGN_HEADERS = From\n")
    reports.send()
    message = reports.arrived().message
    assert reports.verifies(message) and signature(message)["d"] == "lab.example"
    assert "TLS-Report-Submitter" in signature(message)["h"]


def test_own_key_before_that_of_debian(reports):
    """Both are set."""
    reports.sign(macros="DKIM_PRIVATE_KEY = /nonexistent\nDKIM_SELECTOR = other\n" + SIGNING)
    reports.send()
    assert signature(reports.arrived().message)["s"] == SELECTOR


def test_no_key_no_report(reports):
    """What cannot be signed waits: nobody would believe it."""
    reports.sign()
    reports.lab.write_etc("report.key", KEYS["rsa"], mode=0o600)
    reports.send()
    assert reports.lab.received() == [] and len(reports.lab.queue()) == 1
    said = reports.forget_panic()
    assert "unable to open file" in said and KEY in said
    reports.lab.write_etc("report.key", KEYS["rsa"])
    reports.lab.run_queue()
    assert reports.verifies(reports.arrived().message)


def test_unsigned_without_a_key(reports):
    """A site without DKIM reports all the same."""
    reports.send()
    assert b"DKIM-Signature" not in reports.arrived().message
    assert "R=requiretls_report T=requiretls_report" in reports.lab.mainlog()


# --- whatever TLS is like ------------------------------------------------------------

# A report goes there; by what, and whether inside TLS.
TROUBLE = {
    "policy and certificate": ("enforce-selfsigned.example", True),
    "host not in the policy": ("enforce-allmismatch.example", True),
    "no STARTTLS": ("enforce-plain.example", False),
    "STARTTLS breaks": ("enforce-close.example", False),
    "STARTTLS is garbage": ("enforce-garbage.example", False),
    "STARTTLS fails for now": ("enforce-4xx.example", False),
    "TLSA of another certificate": ("dane-bad.example", True),
    "TLSA and a policy": ("dane-bad-sts.example", True),
    "no TLSA lookup": ("tlsafail.example", True),
}


@pytest.mark.parametrize("honoured", ["yes", "no"])
@pytest.mark.parametrize("domain,tls", TROUBLE.values(), ids=TROUBLE)
def test_whatever_tls_is_like(reports, domain, tls, honoured):
    """B7.3: neither policy nor DANE nor broken TLS keeps a report; tls_required_no = no takes
    the power of the header, not that of our reports."""
    reports.site.configure(tls_required_no=honoured)
    reports.send(f"tlsrpt@{domain}")
    assert bool(reports.arrived(f"tlsrpt@{domain}").tls) == tls
    assert reports.site.log() == ""             # nothing was decided
    assert reports.site.journal()[0]["domain"] == "enforce.example"
    assert len(reports.site.journal()) == 1     # B2.4: nor judged


@pytest.mark.parametrize("rules", ["require *.example verified\n", "dnssec To * SECURE\n",
                                   "flag Subject *Report*\n"])
def test_whatever_rules_demand(reports, rules):
    """B7.3: what a site demands of its mail, it does not of the reports about it."""
    reports.site.rules(rules)
    reports.send("tlsrpt@enforce-selfsigned.example")
    reports.arrived("tlsrpt@enforce-selfsigned.example")


def without_the_router(text: str) -> str:
    """routers.conf as it would be without the routers for reports."""
    return text.replace("REQUIRETLS_IS_OWN_REPORT", "UNKNOWN_MACRO")


def test_without_the_router(reports):
    """A site with stanzas of its own: reports are relaxed by their header, as other mail is; and
    not where the site does not honour that. So the router is what makes the tests above pass."""
    path = f"{STANZAS}/routers.conf"
    kept = reports.lab.exec(["cat", path]).stdout
    reports.lab.exec(["tee", path], input=without_the_router(kept))
    try:
        reports.send("tlsrpt@enforce-selfsigned.example")
        reports.arrived("tlsrpt@enforce-selfsigned.example")
        assert "T=requiretls_relaxed" in reports.lab.mainlog()
        reports.site.configure(tls_required_no="no")
        reports.lab.exec(["rm", "-r", f"{SPOOL}/outbox"])
        reports.send("tlsrpt@enforce-expired.example")
        assert reports.mails("tlsrpt@enforce-expired.example") == []
        assert len(reports.lab.queue()) == 1
    finally:
        reports.lab.exec(["tee", path], input=kept)


# --- only ours -----------------------------------------------------------------------

def routers_used(reports, marker: str) -> list:
    """The routers of the messages with that marker in their Message-ID."""
    log = reports.lab.mainlog()
    ids = re.findall(rf" (\S+) <= .* id={marker}@", log)
    assert ids
    return re.findall(rf" (?:{'|'.join(ids)}) .* R=(\S+)", log)


@pytest.mark.parametrize("user,args", [
    ("www-data", ["-oMr", "tlsrpt", "-f", "<>"]),             # who may not say so
    ("www-data", ["-oMr", "tlsrpt", "-oMa", "127.0.0.1", "-f", "<>"]),
    ("Debian-exim", ["-f", "<>"]),                          # a bounce, an answer
    ("Debian-exim", ["-oMr", "tlsrpt", "-f", ALICE]),       # has a sender
    ("root", ["-oMr", "tlsrpt", "-f", "<>"]),
], ids=["other user", "made up host", "no protocol", "sender", "root"])
def test_local_mail_is_no_report(reports, user, args):
    """The headers alone make no report of it: its policies hold."""
    reports.sign()
    marker = new_marker()
    reports.lab.exec(["exim4", "-odf", "-oi", *args, "bob@enforce-selfsigned.example"],
                     user=user, input=f"Message-ID: <{marker}@x.example>\n{HEADERS}\n{marker}\n")
    used = routers_used(reports, marker)
    assert used and "requiretls_report" not in used
    for message in reports.lab.received():
        assert b"DKIM-Signature" not in message.message


def test_mail_from_outside_is_no_report(reports):
    """Nor by SMTP, whatever host and protocol say."""
    reports.sign()
    marker = new_marker()
    reports.lab.send("", ["bob@nopolicy.example"], body=f"{marker}\n", extra_args=[
        "-oMa", "192.0.2.1", "-oMr", "tlsrpt"], headers={
            "Message-ID": f"<{marker}@x.example>", "TLS-Report-Domain": "enforce.example",
            "TLS-Report-Submitter": "lab.example"})
    assert routers_used(reports, marker) == ["dnslookup"]


def test_one_header_is_no_report(reports):
    """Both have to be there."""
    marker = new_marker()
    reports.lab.exec(["exim4", "-odf", "-oi", "-oMr", "tlsrpt", "-f", "<>",
                      "bob@nopolicy.example"], user="Debian-exim",
                     input=f"Message-ID: <{marker}@x.example>\n"
                           f"TLS-Report-Domain: x.example\n\n{marker}\n")
    assert routers_used(reports, marker) == ["dnslookup"]


def test_other_mail_is_not_signed(reports):
    """The key of the reports signs nothing else."""
    reports.sign()
    deliver(reports.site, "bob@nopolicy.example", "carol@enforce.example")
    messages = reports.lab.received()
    assert len(messages) == 2
    assert not [m for m in messages if b"DKIM-Signature" in m.message]


# --- what becomes of those that do not get through -----------------------------------

def test_waits_a_day_and_is_dropped(reports):
    """B7.4: tried again for 24 hours, then dropped with a line in the log; nothing bounces, nothing
    is frozen."""
    reports.send("tlsrpt@enforce-down.example")
    (queued,) = reports.lab.queue()
    reports.make_old(23 * 3600)
    reports.lab.run_queue()
    assert [message.id for message in reports.lab.queue()] == [queued.id]
    reports.make_old(3600)
    reports.lab.run_queue()
    assert reports.lab.queue() == []
    log = reports.lab.mainlog()
    assert ("=> :blackhole: <tlsrpt@enforce-down.example> R=requiretls_report_drop") in log
    assert f"{queued.id} Completed" in log and "rozen" not in log


@pytest.mark.parametrize("behaviour", ["reject-rcpt-5xx", "reject-data-5xx"])
def test_refused(reports, behaviour):
    """B7.5: a report that its receiver refuses is gone."""
    reports.lab.set_behaviour(SCRIPTED, behaviour)
    reports.send("tlsrpt@enforce-scripted.example")
    log = reports.lab.mainlog()
    assert "** tlsrpt@enforce-scripted.example" in log and "rozen" not in log
    assert reports.lab.queue() == []
    assert reports.lab.received() == [] and reports.lab.bounces("postmaster") == []


@pytest.mark.parametrize("domain", ["nullmx.example", "nosuch.example"])
def test_no_host(reports, domain):
    """B7.5: where nobody takes mail, nothing waits."""
    reports.send(f"tlsrpt@{domain}")
    assert reports.lab.queue() == [] and "rozen" not in reports.lab.mainlog()
    assert "R=requiretls_report_drop" in reports.lab.mainlog()


def test_to_ourselves(reports):
    """A report to a domain of this machine goes by the site's own routers."""
    reports.send("alice@lab.example")
    (mail,) = reports.lab.bounces("alice")
    assert mail.parsed()["TLS-Report-Domain"] == "enforce.example"


# --- smart hosts ---------------------------------------------------------------------

def relayed(reports, via: str, more: str = "") -> None:
    """A site whose mail goes to a smart host."""
    reports.sign(macros=f"REQUIRETLS_VIA = {via}\n{more}{SIGNING}")


@pytest.mark.parametrize("via,ip", [
    ("relay.example", "192.0.2.61"),
    ("relay-expired.example", "192.0.2.62"),            # its policy says no
    ("relay-dane.example", "192.0.2.64"),
    ("192.0.2.65", "192.0.2.65"),
    ("nosuch.example : relay-plain.example::25", "192.0.2.65"),
    ("${if eq{$domain}{reports.example}{relay.example}{}}", "192.0.2.61"),
    ("${if eq{$domain}{other.example}{relay.example}{}}", "192.0.2.11"),
    ("enforce-expired.example/mx", "192.0.2.13"),
])
def test_smart_host(reports, via, ip):
    """A report takes the way of all mail, and is signed on it."""
    relayed(reports, via)
    reports.site.configure(tls_required_no="no")
    reports.send()
    mail = reports.arrived()
    assert mail.ip == ip and reports.verifies(mail.message)
    assert reports.site.log() == ""


def test_smart_host_wants_a_login(reports):
    """It is given inside TLS only, to those hosts where the site logs in."""
    conf = SENDER_CONF + """
begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^lab^secret
"""
    reports.lab.write_sender_conf("REQUIRETLS_VIA = relay.example::587\n"
                                  "REQUIRETLS_LOGIN_HOSTS = *\n" + conf)
    reports.send()
    mail = reports.arrived()
    assert mail.ip == "192.0.2.61" and mail.tls and " A=plain" in reports.lab.mainlog()


def test_password_stays_inside_tls(reports):
    """Where the smart host has no TLS any more the report waits, with its password."""
    relayed(reports, "plain.smtp.example", "REQUIRETLS_LOGIN_HOSTS = *\n")
    reports.lab.set_behaviour("192.0.2.31", "plain", ehlo=["AUTH PLAIN"])
    reports.send()
    assert reports.lab.received() == [] and len(reports.lab.queue()) == 1
    assert not [e for e in reports.lab.transcript() if "AUTH PLAIN " in e["line"]]


# --- Debian's configuration ----------------------------------------------------------

def shown_transport(site) -> str:
    """requiretls_report as Exim understands it."""
    return site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "transport",
                          "requiretls_report"]).stdout


def test_debian_internet(site, debian):                 # noqa: F811
    """Opportunistic TLS, no DANE, never judged; Debian's macros count."""
    generate(site, debian, "internet", "REMOTE_SMTP_HELO_DATA = helo.lab.example\n"
             "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n"
             "DKIM_DOMAIN = a.example\n" + SIGNING)
    shown = shown_transport(site).splitlines()
    assert {"hosts_require_tls = ", "hosts_try_dane = ", "hosts_require_dane = ",
            "tls_tempfail_tryclear", "event_action = ", "dkim_strict = true",
            "helo_data = helo.lab.example", f"dkim_private_key = {KEY}",
            f"dkim_selector = {SELECTOR}", "dkim_domain = ${lc:$h_TLS-Report-Submitter:}",
            "no_multi_domain"} <= {line.rstrip("\n") for line in shown} | {"no_multi_domain"}
    assert "passwd.client" not in shown_transport(site)


@pytest.mark.parametrize("macros,wanted", [
    ("", "nwildlsearch"),
    ("AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = yes\n", None),
    ("REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n", "= *"),
    ("REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = *\n", None),
])
def test_debian_smart_host(site, debian, macros, wanted):   # noqa: F811
    """With the login and the wishes of Debian's own transport."""
    generate(site, debian, "smarthost", macros, "mail.isp.example::587")
    shown = shown_transport(site)
    assert "passwd.client" in re.search(r"hosts_try_auth = .*", shown)[0]
    required = re.search(r"hosts_require_tls =\s?(.*)", shown)[0]
    if wanted:
        assert wanted in required
    else:
        assert required.strip() == "hosts_require_tls ="
    router = site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "router",
                            "requiretls_report_via"]).stdout
    assert r'\"mail.isp.example::587\" byname' in router
