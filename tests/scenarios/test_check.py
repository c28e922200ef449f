"""What `exim-requiretls check` finds: each domain of the lab has one thing that is wrong with it,
and the check names that and what to do, and ends with what mail there would come to."""

import base64
import contextlib
import datetime
import json
import os
import re
import socket
import threading
import time
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)

from failing import PROGRAM, Failing
from policyhost import RAW_HOST
from sender import SENDER_CONF, SPOOL, world
from test_dane import PRIVATE, add_host, tlsa
from test_destinations import behind
from test_privileges import exim_uid, index_of, trace

# pylint: disable=wrong-import-order
import certs

GOOD, BAD, UNKNOWN = 0, 1, 75


@dataclass
class Checked:
    """One run with --json."""

    status: int
    answer: dict

    def of(self, topic, level=None):
        """The texts of a topic."""
        return [found["text"] for found in self.answer["findings"]
                if found["topic"] == topic and level in (None, found["level"])]

    def all(self, level):
        """(topic, text) of all that is so."""
        return [(found["topic"], found["text"]) for found in self.answer["findings"]
                if found["level"] == level]


def check(site, *args):
    """Run it, and read what it printed."""
    done = site.program("check", "--json", *args, check=False)
    assert done.stderr == ""
    return Checked(done.returncode, json.loads(done.stdout))


# --- DNS, the policy, the records ---------------------------------------------

@pytest.mark.parametrize("domain, status, topic, level, text", [
    ("secure", GOOD, "dnssec", "good", "the MX answer is signed and holds (secure)"),
    ("enforce", GOOD, "dnssec", "warning", "the MX answer is not signed (insecure)"),
    ("bogus", BAD, "dnssec", "bad",
     "the MX answer for bogus.example failed DNSSEC validation (bogus)"),
    ("servfail", UNKNOWN, "mx", "unknown", "the MX lookup for servfail.example failed"),
    ("nullmx", GOOD, "mx", "good", "domain nullmx.example accepts no mail (null MX)"),
    ("no-such", BAD, "mx", "bad", "domain no-such.example does not exist or has no mail host"),
    ("implicit", GOOD, "mx", "warning",
     "implicit.example has no MX record, its own address counts"),
    ("dane-good", GOOD, "tlsa", "good", "good.dane.example: 1 TLSA record, 1 usable"),
    ("dane-notlsa", GOOD, "tlsa", "warning", "notlsa.dane.example: no TLSA records"),
    ("tlsafail", BAD, "tlsa", "bad", "tlsafail.dane.example: its TLSA lookup failed"),
    ("enforce", GOOD, "sts-record", "good", "_mta-sts.enforce.example: id=20261101a"),
    ("nopolicy", GOOD, "sts-record", "warning",
     "no MTA-STS record at _mta-sts.nopolicy.example"),
    ("enforce", GOOD, "sts-policy", "good", "mode enforce"),
    ("testing", GOOD, "sts-policy", "warning",
     "mode testing: failures are reported, mail is sent all the same"),
    ("none", GOOD, "sts-policy", "warning", "mode none: as without a policy"),
    ("enforce-mismatch", BAD, "sts-policy", "bad",
     "MX host good2.mail.example matches no mx line of the policy"),
    ("testing-mismatch", GOOD, "sts-policy", "warning",
     "MX host good.mail.example matches no mx line of the policy"),
    ("enforce-allmismatch", BAD, "sts-policy", "warning",
     '"mx: mx.elsewhere.example" matches no MX host'),
    ("policy404", BAD, "sts-policy", "bad",
     "https://mta-sts.policy404.example/.well-known/mta-sts.txt: "
     "sts-policy-fetch-error http status 404"),
    ("enforce", GOOD, "tlsrpt", "good", "rua mailto:tlsrpt@reports.example"),
    ("nopolicy-notls", GOOD, "tlsrpt", "warning",
     "no TLS-RPT record at _smtp._tls.nopolicy-notls.example"),
])
def test_finding(site, domain, status, topic, level, text):
    found = check(site, f"{domain}.example")
    assert text in found.of(topic, level)
    assert found.status == status


def test_certificate_of_the_policy_host(site):
    found = check(site, "policycert.example")
    assert found.status == BAD
    assert "sts-webpki-invalid certificate expired " in found.of("sts-policy", "bad")[0]


def test_the_line_of_the_policy_that_is_wrong(site):
    site.lab.set_policy("enforce.example",
                        "version: STSv1\nmode: enforcing\nmx: a.example\nmax_age: 1\n", "b2")
    found = check(site, "enforce.example")
    assert found.status == BAD
    assert found.of("sts-policy", "bad") == [
        "https://mta-sts.enforce.example/.well-known/mta-sts.txt: sts-policy-invalid "
        "line 2: mode must be enforce, testing or none (found \\x22mode: enforcing\\x22)"]


def test_the_policy_is_fetched_although_its_id_is_known(site):
    """It may have changed, which the record should have said."""
    check(site, "enforce.example")
    before = site.lab.policy_fetches("enforce.example")
    check(site, "enforce.example")
    assert site.lab.policy_fetches("enforce.example") == before + 1


def test_what_is_cached_stays_in_force(site):
    check(site, "enforce.example")
    site.lab.policy_host_down("enforce.example")
    found = check(site, "enforce.example")
    assert found.status == BAD and len(found.of("sts-policy", "bad")) == 1
    assert any("stays in force here" in text for text in found.of("sts-policy", "warning"))
    assert found.answer["verdict"]["ordinary"]["class"] == "enforce"


@pytest.mark.parametrize("max_age, level", [("3600", "warning"), ("172800", "warning"),
                                            ("99999999", "warning"), ("2592000", "good")])
def test_max_age(site, max_age, level):
    site.lab.set_policy("enforce.example", "version: STSv1\nmode: enforce\n"
                        f"mx: good.mail.example\nmax_age: {max_age}\n", "b2")
    found = check(site, "enforce.example")
    assert len([text for text in found.of("sts-policy", level) if "max_age" in text]) == 1


@pytest.mark.parametrize("texts, said", [
    (["v=STSv1; id=1;", "v=STSv1; id=2;"], "expected one record with v=STSv1, found 2 (found "),
    (["v=STSv1; id=a-b;"], "id must be 1 to 32 letters and digits"),
    (["v=STSv1; id=\x1b[31m;"], "\\x1b[31m"),
])
def test_broken_sts_record(site, texts, said):
    site.lab.set_txt("enforce.example", *texts)
    found = check(site, "enforce.example")
    assert found.status == BAD
    assert said in found.of("sts-record", "bad")[0]


@pytest.mark.parametrize("texts, said", [
    (["v=TLSRPTv1; rua=mailto:nobody"], "rua"),
    (["v=TLSRPTv1; rua=ftp://reports.example/"], "no rua that reports can go to"),
    (["v=TLSRPTv1; rua=mailto:a@x.example", "v=TLSRPTv1; rua=mailto:b@x.example"], "found"),
])
def test_broken_tlsrpt_record(site, texts, said):
    site.lab.set_tlsrpt("enforce.example", *texts)
    found = check(site, "enforce.example")
    assert found.status == BAD
    assert said in found.of("tlsrpt", "bad")[0]


def test_tlsa_behind_what_is_not_signed(site):
    site.lab.set_mx("nopolicy.example", ["10 good.dane.example"])
    assert check(site, "nopolicy.example").of("tlsa", "warning") == [
        "good.dane.example: TLSA records, which nobody uses: the MX answer is not signed"]


# --- the hosts --------------------------------------------------------------------

@pytest.mark.parametrize("domain, status, topic, level, text", [
    ("enforce", GOOD, "host", "good", 'good.mail.example [192.0.2.11]: "192.0.2.11 ESMTP lab"'),
    ("ipv6", GOOD, "host", "good", 'v6.mail.example [2001:db8::11]: "2001:db8::11 ESMTP lab"'),
    ("enforce-down", BAD, "host", "bad",
     "down.smtp.example [192.0.2.40]: cannot be reached: Connection refused"),
    ("nopolicy-notls", GOOD, "starttls", "warning",
     "notls.mail.example [192.0.2.17]: STARTTLS is not offered"),
    ("enforce-notls", BAD, "starttls", "bad",
     "notls.mail.example [192.0.2.17]: STARTTLS is not offered"),
    ("enforce-4xx", BAD, "starttls", "bad", "4xx.smtp.example [192.0.2.34]: STARTTLS is answered "
     'by "454 4.7.0 TLS not available now"'),
    ("enforce-requiretls", GOOD, "requiretls", "good",
     "requiretls.smtp.example [192.0.2.38]: offered inside TLS"),
    ("enforce", GOOD, "requiretls", "warning", "good.mail.example [192.0.2.11]: not offered"),
    ("dane-good", GOOD, "dane", "good",
     "good.dane.example [192.0.2.21]: the certificate fits a TLSA record"),
    ("dane-bad", BAD, "dane", "bad", "bad.dane.example [192.0.2.22]: the certificate fits no TLSA "
     "record: DANE validation failed"),
    ("policyloopback", BAD, "policy-host", "bad", "mta-sts.policyloopback.example [127.0.0.80]: "
     "a private or reserved address, not looked at"),
])
def test_host(site, domain, status, topic, level, text):
    found = check(site, f"{domain}.example")
    assert text in found.of(topic, level)
    assert found.status == status


@pytest.mark.parametrize("domain, level, text", [
    ("enforce", "good", "good: for good.mail.example, issued by CN=Lab Issuing CA, expires "),
    ("enforce-expired", "bad", "certificate expired "),
    ("enforce-notyet", "bad", "certificate not valid before "),
    ("enforce-selfsigned", "bad", "certificate self-signed (certificate-not-trusted): "),
    ("enforce-unknownca", "bad", "certificate not signed by a trusted CA "),
    ("enforce-wrongname", "bad", "certificate is for other.mail.example, not for "
     "wrongname.mail.example (certificate-host-mismatch): "),
    ("enforce-cnonly", "bad", "certificate has no DNS name (certificate-host-mismatch): "),
    ("nopolicy-selfsigned", "warning", "certificate self-signed (certificate-not-trusted): "),
    ("dane-good", "good", "certificate self-signed (certificate-not-trusted), which DANE makes up "
     "for: "),
    ("dane-sts", "bad", "certificate self-signed (certificate-not-trusted): "),
])
def test_certificate(site, domain, level, text):
    found = check(site, f"{domain}.example")
    assert len(found.of("certificate")) == 1
    assert found.of("certificate", level)[0].split("]: ", 1)[1].startswith(text)


def test_anchor_in_the_chain(site):
    """DANE-TA, of a CA that nobody else knows."""
    site.lab.set_mx("dane-good.example", ["10 ta.dane.example"])
    for parameters, level in (("2 0 1", "good"), ("2 1 1", "good"), ("1 1 1", None)):
        add_host(site, "ta.dane.example", PRIVATE, tlsa(site, parameters, PRIVATE, 1))
        found = check(site, "dane-good.example")
        assert len(found.of("dane", level)) == (1 if level else 0)
    add_host(site, "ta.dane.example", PRIVATE, "2 0 1 " + "0" * 64)
    assert len(check(site, "dane-good.example").of("dane", "bad")) == 1


@pytest.mark.parametrize("parameters", ["2 0 0", "2 1 0", "2 0 1"])
def test_anchor_that_is_not_sent(site, parameters):
    """Nothing stands in for it, not even all of it in the record: Exim says the same."""
    site.lab.set_mx("secure.example", ["10 ta.dane.example"])
    add_host(site, "ta.dane.example", PRIVATE, tlsa(site, parameters, PRIVATE, 1))
    assert len(check(site, "secure.example").of("dane", "good")) == 1
    path = site.lab.state / f"certs/mx/{PRIVATE}.pem"
    kept = path.read_bytes()
    begin = b"-----BEGIN CERTIFICATE"
    try:
        path.write_bytes(begin.join(kept.split(begin)[:2]))
        found = check(site, "secure.example")
        site.lab.send("alice@lab.example", ["bob@secure.example"], body="MARK-x-")
        site.lab.settle()
    finally:
        path.write_bytes(kept)
    assert "DANE-TA record is not sent along" in found.of("dane", "bad")[0]
    assert ("take it from the record" in found.of("dane", "bad")[0]) == parameters.endswith(" 0")
    assert found.answer["verdict"]["ordinary"]["outcome"] == "put off"
    assert site.lab.body_seen("MARK-x-") == [] and len(site.lab.queue()) == 1


def test_old_tls_and_requiretls_in_clear(site):
    site.lab.set_behaviour("192.0.2.36", "good", requiretls="both", max_tls="1.2")
    found = check(site, "enforce-scripted.example")
    assert found.answer["hosts"][-1]["tls"] == "TLS1.2"
    assert found.of("requiretls") == ["s6.smtp.example [192.0.2.36]: offered inside TLS",
                                      "s6.smtp.example [192.0.2.36]: offered in clear"]
    assert found.status == BAD


@pytest.mark.parametrize("behaviour, changes, topic, text", [
    ("banner-554", {}, "host", 'the connection is answered by "554 5.3.2 192.0.2.36 no mail here"'),
    ("good", {"banner": "SSH-2.0-x"}, "host", 'not an SMTP reply (found "SSH-2.0-x\\x0d\\x0a")'),
    ("good", {"banner": "220 \x1b[31m"}, "host", '"\\x1b[31m"'),
    ("starttls-close", {}, "starttls", "TLS"),
    ("starttls-garbage", {}, "starttls", ""),  # behind the answer, or read as TLS
    ("starttls-abort", {}, "starttls", "TLS alert: "),
    ("starttls-inject", {}, "starttls", "data in clear behind the answer to STARTTLS"),
    ("good", {"ehlo_inside": "502 no"}, "tls", 'inside TLS: EHLO is answered by "502 no"'),
    ("good", {"ehlo_inside": "close"}, "tls", "inside TLS: the connection was closed"),
])
def test_odd_host(site, behaviour, changes, topic, text):
    site.lab.set_behaviour("192.0.2.36", behaviour, **changes)
    found = check(site, "enforce-scripted.example").of(topic)
    assert any(line.startswith("s6.smtp.example [192.0.2.36]: ") and text in line
               for line in found), found


def test_stall(site):
    """A host that says nothing takes its time, and no other's."""
    site.lab.set_behaviour("192.0.2.36", "stall-after-starttls")
    found = check(site, "--timeout", "3", "enforce-scripted.example")
    assert found.status == BAD
    assert found.of("starttls", "bad") == ["s6.smtp.example [192.0.2.36]: no answer in time"]
    assert found.answer["verdict"]["ordinary"]["outcome"] == "put off"


def test_silent_dns(site):
    found = check(site, "--timeout", "8", "silent.example")
    assert found.status == UNKNOWN


def test_private_hosts_are_not_looked_at(site):
    site.lab.set_rrset("good.mail.example", "A", ["127.0.0.1", "192.0.2.11"])
    found = check(site, "nopolicy.example")
    assert found.of("host", "bad") == [
        "good.mail.example [127.0.0.1]: a private or reserved address, not looked at"]
    assert [host["address"] for host in found.answer["hosts"]] == ["192.0.2.11"]


def test_one_address_of_two(site):
    """Mail gets there, and slowly."""
    site.lab.set_rrset("good.mail.example", "A", ["192.0.2.99", "192.0.2.11"])
    found = check(site, "nopolicy.example")
    assert found.of("host", "warning") == [
        "good.mail.example [192.0.2.99]: cannot be reached: Connection refused"]
    assert found.answer["verdict"]["ordinary"]["outcome"] == "delivered"


def test_host_without_address(site):
    site.lab.set_mx("nopolicy.example", ["10 no-such.mail.example"])
    found = check(site, "nopolicy.example")
    assert found.of("host", "bad") == ["no-such.mail.example: no address"]
    assert found.answer["verdict"]["ordinary"]["outcome"] == "put off"


def test_trust_store_that_is_not_there(site):
    """Ours, and nobody is accused of it."""
    site.configure(ca_file="/nonexistent")
    found = check(site, "nopolicy.example")
    assert found.status == UNKNOWN
    assert "/nonexistent: no such file" in found.of("certificate", "unknown")[0]


class RawSmtp:
    """A host that says these bytes when somebody comes, over and over when asked to, whatever
    it is told; at an address that has no server else."""

    def __init__(self, site, says, endless=False):
        self.says, self.endless = says, endless
        self.socket = site.lab.in_network(lambda: socket.create_server((RAW_HOST, 25)))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        site.lab.set_rrset("s6.smtp.example", "A", [RAW_HOST])

    def serve(self):
        """One after the other, until the socket is shut down."""
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                peer.settimeout(20)
                peer.sendall(self.says)
                while self.endless:
                    peer.sendall(self.says)
                    time.sleep(0.001)
                peer.recv(65536)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


@pytest.mark.parametrize("says, endless, text", [
    (b"", False, "no answer in time"),
    (b"x" * 5000, True, "not an SMTP reply"),
    (b"220 " + b"x" * 5000, True, "an endless line"),
    (b"220-x\r\n", True, "an endless reply"),
    (b"220-x\r\n" * 500, False, "an endless reply"),
    (b"220-a\r\n250 b\r\n", False, "a reply of two codes"),
    (b"220 \0\xff\r\n", False, "the connection was closed"),
    (b"2", True, "not an SMTP reply"),
    (b"220 hello\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n\x16\x03", False,
     "data in clear behind the answer to STARTTLS"),
], ids=range(9))
def test_hostile_host(site, says, endless, text):
    """It is read no further than it makes sense, and quoted."""
    with RawSmtp(site, says, endless):
        found = check(site, "--timeout", "5", "nopolicy-scripted.example")
    host = [answer for answer in found.answer["hosts"] if answer["address"] == RAW_HOST][0]
    assert host["step"] != "done" and text in host["why"]
    assert found.status == BAD
    assert all(" " <= byte <= "~" for byte in json.dumps(found.answer))


def test_many_silent_hosts(site):
    """Sixteen at a time, until the time is over; the rest is not known."""
    site.lab.set_behaviour("192.0.2.36", "stall-after-starttls")
    for number in range(20):
        site.lab.set_rrset(f"m{number}.smtp.example", "A", ["192.0.2.36"])
    site.lab.set_mx("nopolicy.example", [f"{number} m{number}.smtp.example"
                                         for number in range(20)])
    found = check(site, "--timeout", "6", "nopolicy.example")
    why = [host["why"] for host in found.answer["hosts"]]
    assert why.count("no answer in time") == 16 and why.count("no time was left for it") == 4


# --- the verdict ----------------------------------------------------------------

@pytest.mark.parametrize("domain, ordinary, flagged", [
    ("enforce", "enforce.example class=enforce sts=enforce id=20261101a mx=good.mail.example",
     "enforce.example class=strict by=esmtp sts=enforce id=20261101a mx=good.mail.example"),
    ("secure", "secure.example class=observe mx=good.mail.example (DNSSEC)",
     "secure.example class=strict by=esmtp mx=good.mail.example (DNSSEC)"),
    ("nopolicy", "nopolicy.example class=observe mx=good.mail.example",
     "nopolicy.example refused: 5.7.10 REQUIRETLS: nothing vouches for the MX hosts of "
     "nopolicy.example: no DNSSEC and no MTA-STS policy by=esmtp"),
    ("bogus", "bogus.example put off: 4.7.0 the MX answer for bogus.example failed DNSSEC "
     "validation",
     "bogus.example put off: 4.7.0 the MX answer for bogus.example failed DNSSEC validation "
     "by=esmtp"),
])
def test_verdict(site, domain, ordinary, flagged):
    verdict = check(site, f"{domain}.example").answer["verdict"]
    assert verdict["ordinary"]["line"] == ordinary
    assert verdict["flagged"]["line"] == flagged


def test_verdict_is_what_the_log_says(site):
    """Word for word."""
    line = check(site, "enforce.example").answer["verdict"]["ordinary"]["line"]
    site.lab.send("alice@lab.example", ["bob@enforce.example"])
    assert f" requiretls: {line}\n" in site.log()


# Every way of being good or bad that a delivery depends on.
DOMAINS = [
    "nopolicy", "nopolicy-selfsigned", "nopolicy-notls", "ipv6", "implicit", "nullmx", "no-such",
    "enforce", "enforce-expired", "enforce-notyet", "enforce-selfsigned", "enforce-wrongname",
    "enforce-cnonly", "enforce-unknownca", "enforce-notls", "enforce-close", "enforce-garbage",
    "enforce-4xx", "enforce-down", "enforce-mismatch", "enforce-allmismatch", "enforce-fallback",
    "enforce-badfirst", "testing", "testing-selfsigned", "none", "policy404", "policycert",
    "secure", "secure-selfsigned", "dane-good", "dane-bad", "dane-notlsa", "dane-sts",
    "dane-bad-sts", "tlsafail", "bogus"]


def said_and_happened(site, kind, domains):
    """What the check says of mail to each of them, and what becomes of it."""
    tag = "+requiretls" if kind == "flagged" else ""
    said = {name: check(site, f"{name}.example").answer["verdict"][kind]["outcome"]
            for name in domains}
    for name in domains:
        site.lab.send("alice@lab.example", [f"bob{tag}@{name}.example"], body=f"MARK-{name}-")
        site.lab.settle()
        site.forget_retries()  # of a host that several of them have
    # What is to come back comes back with the second run at the latest, on an Exim without patches.
    site.lab.run_queue()
    waits = {address.split("@")[1].removesuffix(".example")
             for queued in site.lab.queue() for address in queued.recipients}
    return said, {name: "delivered" if site.lab.body_seen(f"MARK-{name}-")
                  else "put off" if name in waits else "returned" for name in domains}


@pytest.mark.parametrize("kind", ["ordinary", "flagged"])
def test_verdict_is_what_happens(site, kind):
    """Mail to each of them goes as the check has said."""
    said, happened = said_and_happened(site, kind, DOMAINS)
    assert happened == said
    assert len(set(said.values())) == 3


def test_verdict_is_what_happens_on_a_patched_exim(wire_site):
    """There the extension counts as well."""
    wire_site.lab.set_mx_requiretls("192.0.2.11")
    said, happened = said_and_happened(wire_site, "flagged", [
        *DOMAINS, "secure-requiretls", "enforce-requiretls", "secure-scripted"])
    assert happened == said
    assert said["secure-requiretls"] == said["secure"] == "delivered"
    assert said["secure-scripted"] == "returned"


def test_verdict_knows_rules_and_exemptions(site):
    site.rules("require nopolicy.example verified\nlevel enforce.example disable\n")
    line = check(site, "nopolicy.example").answer["verdict"]["ordinary"]["line"]
    assert line.startswith("nopolicy.example class=enforce rule=require-verified")
    assert check(site, "enforce.example").answer["verdict"]["flagged"]["class"] == "enforce"


def test_rules_with_a_mistake(site):
    site.rules("nonsense\n")
    found = check(site, "enforce.example")
    assert found.status == BAD and "line 1" in found.of("site", "bad")[0]


# --- smart hosts -------------------------------------------------------------------

@pytest.mark.parametrize("hosts, ordinary, flagged", [
    ("relay.example::587", "delivered", "delivered"),
    ("relay.example:good2.mail.example", "delivered", "delivered"),
    ("relay-expired.example", "put off", "returned"),
    ("relay-outside.example", "put off", "returned"),
    ("relay-plain.example:selfsigned.mail.example", "delivered", "returned"),
    ("relay-dane.example", "delivered", "delivered"),
    ("[192.0.2.65]::587", "not known", "returned"),
    ("enforce.example/mx", "delivered", "delivered"),
    ("nopolicy.example/mx", "delivered", "returned"),
    ("relay.servfail.example", "put off", "put off"),
    ("nopolicy.example/mx:relay.example", "not known", "returned"),
])
def test_smart_hosts(site, hosts, ordinary, flagged):
    """Found out from Exim; the words are those of the log, and mail goes as was said."""
    behind(site, hosts)
    found = check(site, "secure.example")
    verdict = found.answer["verdict"]
    assert f"from here all mail goes to smart hosts (the macro REQUIRETLS_VIA of Exim's " \
           f"configuration): {hosts}" in found.of("via")
    assert found.answer["via"] == ([] if "x:r" in hosts else re.split(r"(?<!:):(?!:)", hosts))
    for kind, wanted in (("ordinary", ordinary), ("flagged", flagged)):
        assert verdict[kind]["outcome"] == wanted, found.answer["findings"]
        marker = f"MARK-{kind}-"
        site.lab.send("alice@lab.example", [f"bob{'+requiretls' * (kind == 'flagged')}"
                                            "@secure.example"], body=marker)
        site.lab.settle()
        site.forget_retries()
        lines = [line.partition(" requiretls: ")[2].replace("by=tag", "by=esmtp")
                 for line in site.log().splitlines() if " requiretls: secure.example " in line]
        if verdict[kind]["class"] != "observe" or wanted == "returned":
            assert lines[-1] == verdict[kind]["line"]
        if wanted != "returned":
            assert (site.lab.body_seen(marker) != []) == (wanted != "put off")
    site.lab.run_queue()
    assert (site.lab.bounces("alice") != []) == (flagged == "returned")


def test_smart_hosts_are_looked_at(site):
    """At their port, beside the hosts that others send to; or other ones, or none."""
    behind(site, "relay-dane.example::587")
    site.lab.set_rrset("_587._tcp.relay-dane.example", "TLSA", ["3 1 1 " + "00" * 32])
    found = check(site, "enforce.example")
    assert found.status == BAD
    assert [(host["host"], host["port"]) for host in found.answer["via_hosts"]] == [
        ("relay-dane.example", 587)]
    assert found.answer["hosts"][-1]["host"] == "good.mail.example"
    assert len(found.of("dane", "bad")) == 1
    assert found.answer["verdict"]["ordinary"]["class"] == "enforce"
    found = check(site, "--via", "", "enforce.example")
    assert found.status == GOOD and found.answer["via"] is None
    assert found.answer["via_hosts"] == [] and found.of("via") == []
    line = check(site, "--via", "relay.example", "enforce.example").answer["verdict"]["ordinary"]
    assert line["line"] == ("enforce.example via=relay.example class=enforce sts=enforce "
                            "id=20261101a")
    behind(site, "${if eq{$domain}{secure.example}{}{relay.example}}")
    found = check(site, "enforce.example")
    assert "depends on the message" in found.of("via", "warning")[0]
    assert site.program("check", "--self", "--via", "", check=False).returncode == 64
    assert check(site, "--self", "--good", "secure.example", "--broken", "bogus.example").of(
        "transports") == ["the transport remote_smtp_smarthost reports"]


# --- this installation --------------------------------------------------------------

CRON = "/etc/cron.d/exim-requiretls"
SELF = ("--self", "--good", "secure.example", "--broken", "bogus.example")


def test_self(site):
    """The lab's site is in order, with no more than a warning of its clock."""
    site.program("resolve", "enforce.example")
    found = check(site, *SELF)
    assert found.status == GOOD, found.answer
    topics = ["config", "rules", "spool", "trust-store", "clock", "resolver", "libc", "exim",
              "module", "routers", "transports", "timer"]
    assert {finding["topic"] for finding in found.answer["findings"]} == set(topics)
    assert {topic for topic, _ in found.all("warning")} <= {"clock"}
    assert found.of("spool") == [f"{SPOOL} belongs to Debian-exim, mode 0750"]
    assert found.of("resolver", "good") == [
        "secure.example is signed, and that is seen (secure)",
        "bogus.example has broken signatures, and is refused"]


@pytest.mark.parametrize("good, broken, level, text", [
    ("nopolicy.example", "bogus.example", "bad",
     "nopolicy.example is signed, and counts as insecure"),
    ("bogus.example", "bogus.example", "bad", "bogus.example is signed, and counts as bogus"),
    ("secure.example", "secure.example", "bad",
     "secure.example has broken signatures, and is taken for good"),
    ("no-such.example", "bogus.example", "unknown", "no-such.example does not exist"),
    ("secure.example", "no-such.example", "unknown", "no-such.example does not exist"),
    ("servfail.example", "bogus.example", "unknown",
     "servfail.example could not be looked up: upstream says SERVFAIL"),
])
def test_self_resolver(site, good, broken, level, text):
    found = check(site, "--self", "--good", good, "--broken", broken)
    assert text in found.of("resolver", level)
    assert found.status != GOOD


def test_self_resolver_without_dnssec(site):
    site.lab.set_resolver(world.RESOLVER_NO_DNSSEC)
    found = check(site, *SELF)
    assert found.status == BAD
    assert "it cannot do DNSSEC: every answer counts as insecure" in found.of("resolver", "bad")
    assert found.of("libc", "bad") == ["Exim does not see that secure.example is signed"]


@pytest.mark.parametrize("command, topic, level, text", [
    (["chown", "daemon", SPOOL], "spool", "bad", " belongs to user 1, not to Debian-exim"),
    (["chmod", "0755", SPOOL], "spool", "bad", " has mode 0755: others may read or write it"),
    (["rm", "-rf", SPOOL], "spool", "warning", " is not there yet"),
    (["mv", CRON, f"{CRON}.away"], "timer", "bad", f"no {CRON}"),
    (["chmod", "0600", "/etc/exim4/requiretls.rules"], "rules", "bad", "Permission denied"),
])
def test_self_files(site, command, topic, level, text):
    site.program("resolve", "enforce.example")
    site.lab.exec(command)
    try:
        found = check(site, *SELF)
    finally:
        site.lab.exec(["rm", "-rf", SPOOL])
        if topic == "timer":
            site.lab.exec(["mv", f"{CRON}.away", CRON])
    assert text in found.of(topic, level)[0]
    if topic == "timer":
        assert "install the package again" in str(found.answer)


@pytest.mark.parametrize("keys, topic, level, text", [
    ({"ca_file": "/nonexistent"}, "trust-store", "bad", "/nonexistent: "),
    ({"ca_file": "/etc/passwd"}, "trust-store", "bad", "/etc/passwd: no certificate in it"),
    ({"trust_anchor": "/nonexistent"}, "resolver", "bad", "/nonexistent"),
    ({"sendmail": "/bin/true"}, "exim", "unknown", "/bin/true -bV gave no version"),
    ({"exempt": "/nonexistent"}, "exempt", "bad", "/nonexistent"),
])
def test_self_configuration(site, keys, topic, level, text):
    site.configure(**keys)
    found = check(site, *SELF)
    assert text in found.of(topic, level)[0]
    assert found.status != GOOD


def test_self_stock_exim(site):
    """What it cannot do is said, as setup says it, and is no reason for an alarm."""
    site.program("resolve", "enforce.example")
    site.configure(requiretls="enforce")
    found = check(site, *SELF)
    assert found.of("exim", "warning") == ["it lacks the REQUIRETLS patches: flagged mail is returned"]
    assert found.status == GOOD


@pytest.mark.parametrize("line, topic, level, text", [
    ("local_scan_path = /nonexistent", "module", "bad", "/nonexistent: No such file or directory"),
    ("local_scan_path = /etc/exim4/other.so", "module", "bad", "somebody else than root may"),
    ("REQUIRETLS_BY_ACL = yes", "module", "warning", "local_scan_path is not set"),
    ("dns_again_means_nonexist = *", "exim", "warning", "dns_again_means_nonexist = *"),
])
def test_self_configuration_of_exim(site, line, topic, level, text):
    site.lab.write_etc("other.so", "", 0o666)
    conf = site.lab.sender_conf()
    if line.startswith("local_scan_path"):
        conf = conf.replace("\nbegin acl", f"\nREQUIRETLS_BY_ACL = yes\n{line}\nbegin acl", 1)
        conf = f"REQUIRETLS_BY_ACL = yes\n{conf.replace('REQUIRETLS_BY_ACL = yes', '', 1)}"
    else:
        conf = f"{line}\n{conf}"
    site.lab.write_sender_conf(conf)
    assert text in check(site, *SELF).of(topic, level)[0]


@pytest.mark.parametrize("old, new, topic, level, text", [
    (".include /usr/share/exim-requiretls/routers.conf", "", "routers", "bad",
     "Exim has no router requiretls_decide: no mail is protected"),
    ("\nbegin routers\n", "\nbegin routers\nfirst:\n  driver = dnslookup\n"
     "  transport = remote_smtp\n", "routers", "warning", "the router first comes before ours: "
     "what it takes is not protected"),
    ("  event_action = REQUIRETLS_EVENT\n", "", "transports", "warning", "the transport "
     "remote_smtp does not report: mail that nothing protects is in no TLS report"),
    ("  multi_domain = false\n", "", "transports", "warning", "the transport remote_smtp reports "
     "what is for several domains under one of them"),
    ("  event_action = REQUIRETLS_EVENT\n", "  hosts = 127.0.0.1\n", "transports", None, None),
    ("never_users = root\n", "never_users = root\nexim_user = daemon\nexim_group = daemon\n",
     "exim", "bad", "Exim runs as daemon, and the key user is Debian-exim"),
])
def test_self_use_of_the_module(site, old, new, topic, level, text):
    """Does mail come to our routers, and what does the site's own transport?"""
    assert old in SENDER_CONF
    site.lab.write_sender_conf(SENDER_CONF.replace(old, new, 1))
    found = check(site, *SELF)
    assert found.of(topic, level) == [text] if text else found.of(topic) == []


@pytest.mark.parametrize("answer, level, text", [
    ("active", "good", "exim-requiretls-refresh.timer is switched on"),
    ("inactive", "bad", "exim-requiretls-refresh.timer is switched on and not active"),
    ("System has not been booted", "good", "exim-requiretls-refresh.timer is switched on"),
])
def test_self_timer_of_systemd(site, answer, level, text):
    """Switched on is not yet active."""
    wants = "/etc/systemd/system/timers.target.wants"
    site.lab.exec(["/bin/sh", "-c", f"test ! -e /run/systemd/system && mkdir -p {wants} "
                   "/run/systemd/system && "
                   f"ln -s /x {wants}/exim-requiretls-refresh.timer && "
                   "test ! -e /usr/bin/systemctl.kept && if test -e /usr/bin/systemctl; then "
                   "mv /usr/bin/systemctl /usr/bin/systemctl.kept; fi; "
                   f"printf '#!/bin/sh\necho {answer}\n' >/usr/bin/systemctl && "
                   "chmod 755 /usr/bin/systemctl"])
    try:
        assert text in check(site, *SELF).of("timer", level)
    finally:
        site.lab.exec(["/bin/sh", "-c", f"rm -rf {wants} /run/systemd/system /usr/bin/systemctl; "
                       "test ! -e /usr/bin/systemctl.kept || "
                       "mv /usr/bin/systemctl.kept /usr/bin/systemctl"])


@pytest.mark.parametrize("mark, level, text", [
    (b"4.97\n", "bad", "is built for Exim 4.97, and this is Exim 4.96"),
    (b"4.96\nexim-requiretls: module for Exim 4.97\n", "unknown", "says different things"),
    (None, "unknown", "does not say for which Exim it was built"),
])
def test_self_module_for_another_exim(site, mark, level, text):
    """Read off its bytes; nobody loads it for that."""
    content = b"" if mark is None else b"\x7fELF\0exim-requiretls: module for Exim " + mark
    site.lab.write_etc("other.so", content, 0o644)
    conf = site.lab.sender_conf()
    site.lab.write_sender_conf("REQUIRETLS_BY_ACL = yes\nlocal_scan_path = /etc/exim4/other.so\n"
                               + conf)
    assert text in check(site, *SELF).of("module", level)[0]


def test_self_without_a_configuration_that_counts(site):
    """Its mistake is said as always; there is no user to become."""
    site.lab.write_etc("requiretls.conf", "nonsense = 1\n")
    done = site.program("check", *SELF, check=False)
    assert done.returncode == 78 and "line 1" in done.stderr


# --- the program ------------------------------------------------------------------

def test_for_people(site):
    done = site.program("check", "bob@enforce-mismatch.example", check=False)
    assert done.returncode == BAD and done.stderr == "" and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    at = lines.index("bad      sts-policy  MX host good2.mail.example matches no mx line of the "
                     "policy")
    assert lines[at + 1].strip().startswith("-> add it to the policy")


def test_json_is_as_documented(site):
    """Its members, and those of one host."""
    answer = check(site, "dane-sts.example").answer
    assert set(answer) == {"domain", "status", "findings", "hosts", "via", "via_hosts", "verdict"}
    assert answer["status"] == "bad" and answer["domain"] == "dane-sts.example"
    assert set(answer["findings"][0]) == {"level", "topic", "text", "advice"}
    assert set(answer["verdict"]["flagged"]) == {"outcome", "class", "line", "host", "text", "tls",
                                                 "refused"}
    host = {host["host"]: host for host in answer["hosts"]}["good.dane.example"]
    assert (host["step"], host["port"], host["starttls"], host["tls"]) == (
        "done", 25, True, "TLS1.3")
    certificate = host["certificate"]
    assert certificate["names"] == "good.dane.example"
    assert certificate["dane"] == {"result": "success", "text": "good"}
    assert certificate["pkix"] == {"result": "certificate-not-trusted", "text": "self-signed"}
    assert check(site, "nopolicy.example").answer["status"] == "warning"
    assert check(site, "servfail.example").answer["status"] == "unknown"


@pytest.mark.parametrize("args, status, first", [
    (["nullmx.example", "--ignore", "ordinary", "--ignore", "flagged"], 0,
     "OK - nullmx.example: 1 good | bad=0 unknown=0 warning=0 good=1"),
    (["enforce.example", "--ignore", "dnssec", "--ignore", "requiretls"], 0,
     "OK - enforce.example: "),
    (["enforce.example"], 1, "WARNING - enforce.example: dnssec: the MX answer is not signed"),
    (["servfail.example"], 3, "UNKNOWN - servfail.example: mx: the MX lookup for "),
    (["enforce-down.example"], 2, "CRITICAL - enforce-down.example: host: down.smtp.example "),
    (["--self", "--good", "no-such.example", "--broken", "bogus.example"], 3,
     "UNKNOWN - this installation: resolver: no-such.example does not exist | bad=0 unknown="),
    (["a..b"], 3, "UNKNOWN - the check could not be made"),
])
def test_for_monitoring(site, args, status, first):
    """One line, and the exit status of plug-ins; below it what is not good."""
    done = site.program("check", "--plugin", *args, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0].startswith(f"REQUIRETLS {first}")) == (status, True), lines
    assert all(line.split()[0] in ("bad", "warning", "unknown") for line in lines[1:])
    assert len(lines[0].split(" | ")) == (1 if args == ["a..b"] else 2)


def test_nothing_is_counted(site):
    """It is nobody's mail."""
    site.configure(tlsrpt="yes", tlsrpt_organization="Lab", tlsrpt_contact="tlsrpt@lab.example")
    check(site, "policy404.example")
    assert site.journal() == []


def test_without_a_spool(site):
    """Whoever may not write there still gets an answer."""
    site.lab.exec(["rm", "-rf", SPOOL])
    done = site.program("check", "enforce.example", user="daemon", check=False)
    assert done.returncode == GOOD, done.stdout + done.stderr


def test_rules_that_only_others_may_read(site):
    """Bad as the Exim user, who needs them; as somebody else it is not known."""
    site.lab.exec(["chmod", "0600", "/etc/exim4/requiretls.rules"])
    assert check(site, "enforce.example").status == BAD
    done = site.program("check", "--json", "enforce.example", user="daemon", check=False)
    found = Checked(done.returncode, json.loads(done.stdout))
    assert found.status == UNKNOWN
    assert "Permission denied" in found.of("site", "unknown")[0]


@pytest.mark.parametrize("args", [[], ["a.example", "b.example"], ["--timeout", "0", "a.example"],
                                  ["--timeout", "x", "a.example"], ["--nonsense", "a.example"],
                                  ["--self", "a.example"], ["--good", "a.example", "b.example"], ["x@"]])
def test_misuse(site, args):
    assert site.program("check", *args, check=False).returncode == 64


@pytest.mark.parametrize("name", ["[192.0.2.1]", "a..example", "-"])
def test_no_domain(site, name):
    assert site.program("check", name, check=False).returncode == 65


# --- a domain of one's own ----------------------------------------------------------

def set_txt(site, owner, *texts):
    """TXT records, each of strings that are not too long."""
    site.lab.set_rrset(owner, "TXT", [
        " ".join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250)) for text in texts])


def key_record(bits, extra=""):
    """A DKIM key made now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; {extra}p={base64.b64encode(der).decode()}"


def test_own_good(site):
    """All is there: nothing but good, but for what the lab's domain lacks."""
    set_txt(site, "enforce.example", "other=x", "v=spf1 mx -all")
    set_txt(site, "_dmarc.enforce.example",
            "v=DMARC1; p=reject; rua=mailto:dmarc@enforce.example")
    set_txt(site, "a._domainkey.enforce.example", key_record(2048))
    found = check(site, "--own", "--selector", "a", "enforce.example")
    assert found.status == GOOD
    assert found.of("spf") == ["enforce.example: other senders fail (-all)",
                                "enforce.example: 1 of 10 lookups: mx 1"]
    assert found.of("dmarc") == ["p=reject"]
    assert found.of("dkim") == ["a._domainkey.enforce.example: an RSA key of 2048 bits"]
    assert {topic for topic, _ in found.all("warning")} == {"dnssec", "requiretls"}


@pytest.mark.parametrize("owner, texts, topic, level, text", [
    ("", [], "spf", "warning", "no such record at enforce.example"),
    ("", ["v=spf1 mx -all", "v=spf1 -all"], "spf", "bad", "2 records at enforce.example"),
    ("", ["v=spf1 mx +all"], "spf", "bad",
     "enforce.example: lets everybody send as the domain (+all)"),
    ("", ["v=spf1 mx"], "spf", "warning", "enforce.example: says nothing of all other senders"),
    ("", ["v=spf1 ptr -all"], "spf", "warning", "enforce.example: has ptr"),
    ("", ["v=spf1 ip4:192.0.2 -all"], "spf", "bad",
     'enforce.example: not a term of SPF: "ip4:192.0.2"'),
    ("", ["v=spf1 " + "mx " * 11 + "-all"], "spf", "bad",
     "enforce.example: 11 of 10 lookups: " + ", ".join(["mx 1"] * 11)),
    ("", ["v=spf1 -all mx"], "spf", "warning",
     "enforce.example: nobody looks at what is behind all, or at redirect beside it"),
    ("_dmarc.", [], "dmarc", "warning", "no such record at _dmarc.enforce.example"),
    ("_dmarc.", ["v=DMARC1; p=none; rua=mailto:a@x.example"], "dmarc", "warning", "p=none"),
    ("_dmarc.", ["v=DMARC1; p=reject"], "dmarc", "warning", "no rua"),
    ("_dmarc.", ["v=DMARC1; p=reject; pct=10"], "dmarc", "warning", "only for 10 % of mail"),
    ("_dmarc.", ["v=DMARC1; q=none"], "dmarc", "bad", "_dmarc.enforce.example: p is missing"),
    ("a._domainkey.", [], "dkim", "bad", "no such record at a._domainkey.enforce.example"),
    ("a._domainkey.", ["v=DKIM1; p="], "dkim", "bad",
     "a._domainkey.enforce.example: the key is revoked"),
    ("a._domainkey.", ["v=DKIM1; p=AAAA"], "dkim", "bad",
     "a._domainkey.enforce.example: p is no RSA key"),
    ("a._domainkey.", ["v=DKIM1; p=A"], "dkim", "bad",
     "a._domainkey.enforce.example: p is no base64"),
    ("a._domainkey.", ["v=DKIM1; k=ed25519; p=" + "A" * 43 + "="], "dkim", "good",
     "a._domainkey.enforce.example: an Ed25519 key"),
    ("a._domainkey.", ["v=DKIM1; k=ed25519; p=AAAA"], "dkim", "bad",
     "a._domainkey.enforce.example: p is no Ed25519 key"),
    ("a._domainkey.", [key_record(1024)], "dkim", "warning",
     "a._domainkey.enforce.example: an RSA key of 1024 bits"),
    ("a._domainkey.", [key_record(1024, "t=y; ")], "dkim", "warning",
     "a._domainkey.enforce.example: in testing, signatures count for nothing"),
    ("a._domainkey.", [key_record(1024, "s=email; ")], "dkim", "warning",
     "a._domainkey.enforce.example: not for TLS reports (RFC 8460 section 3)"),
    ("a._domainkey.", ["k=rsa"], "dkim", "bad", "a._domainkey.enforce.example: p is missing"),
])
def test_own_record(site, owner, texts, topic, level, text):
    if texts:
        set_txt(site, f"{owner}enforce.example", *texts)
    found = check(site, "--own", "--selector", "a", "enforce.example")
    assert text in found.of(topic, level), found.of(topic)


@pytest.mark.parametrize("records, findings", [
    ({"": "v=spf1 mx include:_a.enforce.example -all",
      "_a.": "v=spf1 a:good.mail.example ip4:192.0.2.0/24 include:_b.enforce.example ?all",
      "_b.": "v=spf1 exists:%{ir}.enforce.example -all"},
     [("good", "enforce.example: 5 of 10 lookups: mx 1, include:_a.enforce.example 4"),
      ("good", "enforce.example: other senders fail (-all)"),
      ("good", "enforce.example: terms with macros depend on the message; they were counted, and "
               "not looked at")]),
    ({"": "v=spf1 " + "include:_a.enforce.example " * 3 + "-all",
      "_a.": "v=spf1 mx:enforce.example a:good.mail.example -all"},
     [("warning", "enforce.example: 9 of 10 lookups: " + ", ".join(
         ["include:_a.enforce.example 3"] * 3))]),
    ({"": "v=spf1 redirect=_a.enforce.example", "_a.": "v=spf1 ptr ~all"},
     [("good", "_a.enforce.example: other senders fail softly (~all)"),
      ("warning", "_a.enforce.example: has ptr"),
      ("good", "enforce.example: 2 of 10 lookups: redirect=_a.enforce.example 2")]),
    ({"": "v=spf1 redirect=_a.enforce.example", "_a.": "v=spf1 +all"},
     [("bad", "_a.enforce.example: lets everybody send as the domain (+all)")]),
    ({"": "v=spf1 include:_a.enforce.example -all", "_a.": "v=spf1 +all"},
     [("bad", "enforce.example, include:_a.enforce.example: lets everybody send as the domain "
              "(+all)")]),
    ({"": "v=spf1 include:_a.enforce.example -all"},
     [("bad", "enforce.example, include:_a.enforce.example: no SPF record there"),
      ("warning", "enforce.example: terms that find nothing (1): include:_a.enforce.example")]),
    ({"": "v=spf1 include:_a.enforce.example -all", "_a.": "v=spf1 include:_b.enforce.example",
      "_b.": "v=spf1 include:_A.enforce.example"},
     [("bad", "_b.enforce.example, include:_A.enforce.example: it includes itself")]),
    ({"": "v=spf1 include:_a.enforce.example -all", "_a.": "v=spf1 ip4:x -all"},
     [("bad", 'enforce.example, include:_a.enforce.example: not a term of SPF: "ip4:x"')]),
    ({"": "v=spf1 a:no1.enforce.example mx:no2.enforce.example a:no3.enforce.example/24 -all"},
     [("bad", "enforce.example: terms that find nothing (3): a:no1.enforce.example, "
              "mx:no2.enforce.example, a:no3.enforce.example/24")]),
    ({"": "v=spf1 a:mx.servfail.example -all"},
     [("good", "enforce.example: at least 1 of 10 lookups: a:mx.servfail.example 1")]),
    ({"": "v=spf1 include:a..b -all"},
     [("bad", 'enforce.example: no domain name: "include:a..b"')]),
    ({"": "v=spf1 -all include:_a.enforce.example"},
     [("good", "enforce.example: other senders fail (-all)")]),
])
def test_own_spf_and_what_it_includes(site, records, findings):
    for owner, text in records.items():
        set_txt(site, f"{owner}enforce.example", text)
    found = check(site, "--own", "enforce.example")
    for level, text in findings:
        assert text in found.of("spf", level), found.of("spf")
    if all(level == "good" for level, _ in findings):
        assert found.of("spf", "bad") == found.of("spf", "warning") == [] or "servfail" in str(
            records) or "-all include" in str(records)


def test_own_spf_has_an_end(site):
    """Whoever includes the same over and over costs us no more than so many queries."""
    for number, owner in enumerate(["", *(f"_{n}." for n in range(1, 9))]):
        set_txt(site, f"{owner}enforce.example", "v=spf1 " + (
            f"include:_{number + 1}.enforce.example " * 9) + "-all")
    set_txt(site, "_9.enforce.example", "v=spf1 a:good.mail.example -all")
    found = check(site, "--own", "enforce.example")
    assert "enforce.example: at least " in found.of("spf", "bad")[0]
    assert "more" not in found.of("spf", "bad")[0]
    asked = sum(site.lab.dns_queries(f"_{n}.enforce.example") for n in range(1, 10))
    assert asked <= 60


def test_own_without_selector(site):
    assert check(site, "--own", "enforce.example").of("dkim", "warning") == ["not checked"]
    assert check(site, "--own", "--selector", "a..b", "enforce.example").of("dkim", "bad") == [
        '"a..b" is no selector']


def test_own_policy_changed_and_its_id_did_not(site):
    check(site, "enforce.example")
    assert any("fetched before" in text for text in
               check(site, "--own", "enforce.example").of("sts-policy", "good"))
    site.lab.write_policy("enforce.example",
                          world.policy_text("enforce", ["*.mail.example"]))
    found = check(site, "--own", "enforce.example")
    assert found.of("sts-policy", "bad") == [
        "it has changed since it was fetched last, and its id=20261101a has not"]
    site.lab.set_policy("enforce.example", world.policy_text("enforce", ["good.mail.example"]),
                        "b2")
    assert check(site, "--own", "enforce.example").of("sts-policy", "bad") == []


def test_own_long_max_age(site):
    site.lab.set_policy("enforce.example", world.policy_text(
        "enforce", ["good.mail.example"], 31557600), "b2")
    assert "max_age of 365 days: a mistake in it lives as long" in check(
        site, "--own", "enforce.example").of("sts-policy", "warning")


def test_own_tlsa(site):
    found = check(site, "--own", "dane-good.example")
    assert found.of("tlsa", "warning") == ["good.dane.example: one record only"]


@pytest.mark.parametrize("days, own, level", [(30, True, "good"), (18, True, "warning"),
                                              (18, False, "good"), (12, False, "warning"),
                                              (5, True, "bad"), (5, False, "warning")])
def test_end_of_a_certificate(site, days, own, level):
    """Sooner is worse for its owner, who should have renewed it."""
    authority, now = certs.Authority(), datetime.datetime.utcnow()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.SubjectAlternativeName([x509.DNSName("s6.smtp.example")])
    leaf = certs._build(  # pylint: disable=protected-access
        "s6.smtp.example", key, authority.issuing, now - certs.DAY,
        now + days * certs.DAY + datetime.timedelta(hours=1), [(name, False)])
    site.lab.write_etc("other-ca.pem", certs.cert_pem(authority.root.cert))
    site.configure(ca_file="/etc/exim4/other-ca.pem")
    path = site.lab.state / "certs/mx/192.0.2.36.pem"
    kept = path.read_bytes()
    try:
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) +
            certs.cert_pem(leaf) + authority.issuing.chain)
        found = check(site, *(["--own"] if own else []), "nopolicy-scripted.example")
    finally:
        path.write_bytes(kept)
    assert len(found.of("certificate", level)) == 1, found.of("certificate")
    assert f"({days} days)" in found.of("certificate")[0]


# --- power and looks -----------------------------------------------------------------

@pytest.mark.parametrize("args", [("enforce.example",), SELF, ("--own", "enforce.example")])
def test_root_is_given_up_before_the_first_socket(site, args):
    """In each process of it."""
    uid = exim_uid(site)
    calls = [call for _, call in trace(site, "/usr/sbin/exim-requiretls", "check", *args)]
    dropped = index_of(calls, rf"setresuid\({uid}, {uid}, {uid}\) += 0")
    assert index_of(calls, r"setuid\(0\) += -1 EPERM") > dropped
    assert index_of(calls, r"socket\(AF_INET") > dropped
    assert index_of(calls, r"prctl\(PR_SET_NO_NEW_PRIVS, 1") > dropped


def on_terminal(site, *environment):
    """What it prints on a terminal."""
    return site.lab.exec(["env", *environment, "script", "-qec",
                          "exim-requiretls check nullmx.example", "/dev/null"]).stdout


def test_colour_and_progress_on_a_terminal_only(site):
    assert "\x1b[32mgood   \x1b[0m  mx" in on_terminal(site)
    assert "... asking DNS" in on_terminal(site)
    plain = on_terminal(site, "NO_COLOR=1")
    assert "good     mx" in plain and "\x1b" not in plain
    assert "\x1b" in on_terminal(site, "NO_COLOR=")


# --- with calls that fail ----------------------------------------------------------------

# OSERR, IOERR, TEMPFAIL, CONFIG: what our own trouble may end in.
SANE = {GOOD, BAD, 71, 74, UNKNOWN, 78}


@pytest.mark.parametrize("args, sample", [
    (("--own", "--selector", "a", "secure-sts.example"), 9), (SELF, 5)])
def test_calls_that_fail(site, args, sample):
    """Call 1, 2, 3 ... of the program and its children: an answer, or a reason; never the end
    of it by a signal, and nothing that stays behind."""
    step = 1 if os.environ.get("RTLS_FAULTS") else sample
    runs = 0
    with Failing(site) as failing:
        for when, kind, done in failing.sweep(
                lambda: site.program("check", "--json", *args, check=False),
                program=PROGRAM, object=PROGRAM, step=step):
            runs += 1
            told = f"{kind} {when}: {done}"
            assert done.returncode in SANE, told
            if done.returncode in (GOOD, BAD):
                assert json.loads(done.stdout)["findings"], told
            else:
                assert done.stdout or done.stderr, told
        left = site.lab.exec(["ps", "-eo", "comm="]).stdout
    assert runs > 5 and "exim-requiretl" not in left
