"""What `exim-requiretls resolve` finds out, in the lab's DNS and at its policy hosts."""

import gzip
import threading
import time

import pytest
from policyhost import (EXIM_USER, POLICY, POLICY_HOST, RawHost, Record, chunked, forget, http,
                        padded, policy_requests, resolve)
from sender import SPOOL, world

# pylint: disable=wrong-import-order
import certs


def let_expire() -> None:
    """The lab's answers live for two seconds."""
    time.sleep(2.1)


# --- DNS ----------------------------------------------------------------------

@pytest.mark.parametrize("domain, answer, dnssec, mx", [
    ("nopolicy", "hosts", "insecure", ["10 good.mail.example address=insecure tlsa=unknown"]),
    ("secure", "hosts", "secure", ["10 good.mail.example address=insecure tlsa=unknown"]),
    ("enforce-fallback", "hosts", "insecure",
     ["10 down.smtp.example address=insecure tlsa=unknown",
      "20 good.mail.example address=insecure tlsa=unknown"]),
    ("dane-good", "hosts", "secure", ["10 good.dane.example address=secure tlsa=secure"]),
    ("dane-notlsa", "hosts", "secure", ["10 notlsa.dane.example address=secure tlsa=none"]),
    ("tlsafail", "hosts", "secure", ["10 tlsafail.dane.example address=secure tlsa=failed"]),
    ("ipv6", "hosts", "insecure", ["10 v6.mail.example address=insecure tlsa=unknown"]),
    ("nullmx", "null", "insecure", []),
    ("secure-nullmx", "null", "secure", []),
    ("implicit", "implicit", "insecure", ["0 implicit.example address=insecure tlsa=unknown"]),
    ("no-such", "nxdomain", "secure", []),
    ("x.nopolicy", "nxdomain", "insecure", []),
    ("alias.secure", "hosts", "secure", ["10 good.mail.example address=insecure tlsa=unknown"]),
    ("bogus", "failed", "bogus", []),
    ("expiredsig", "failed", "bogus", []),
    ("servfail", "failed", "", []),
])
def test_mx(site, domain, answer, dnssec, mx):
    record = resolve(site, f"{domain}.example")
    assert (record["mx-answer"], record["mx-dnssec"], record.mx) == (answer, dnssec, mx)
    assert record.note == []


def test_tlsa_text(site):
    record = resolve(site, "dane-good.example")
    assert len(record.tlsa) == 1
    assert record.tlsa[0].startswith("good.dane.example 3 1 1 ")


def test_alias_in_a_top_level_zone(site):
    """What getdns 1.6.0 takes for bogus and Unbound does not: a CNAME directly in a signed
    top-level zone, and one that leads to a name which no top-level zone has. Mail waits
    where it could go or bounce: the safe side, and rare."""
    site.lab.set_rrset("to-nothing.secure.example", "CNAME", ["no-such.example."])
    for name in ("alias-secure.example", "alias-insecure.example",
                 "to-nothing.secure.example"):
        assert resolve(site, name)["mx-dnssec"] == "bogus"


def test_trusted_resolver_is_asked_about_bogus_answers(site):
    """What getdns calls bogus wrongly a resolver trusted to validate puts right; what is
    bogus stays so, and a resolver that does not validate is not believed."""
    site.configure(resolver_trusted="yes")
    assert resolve(site, "alias-secure.example")["mx-dnssec"] == "secure"
    assert resolve(site, "alias-insecure.example")["mx-dnssec"] == "insecure"
    for name in ("bogus.example", "expiredsig.example"):
        assert resolve(site, name)["mx-answer"] == "failed"
        assert resolve(site, name)["mx-dnssec"] == "bogus"


def test_cname_chain_is_as_secure_as_its_weakest_link(site):
    lab = site.lab
    for owner, target in (("to-secure", "secure.example."), ("to-insecure", "nopolicy.example."),
                          ("to-bogus", "bogus.example."), ("to-nothing", "no-such.dane.example."),
                          ("twice", "to-insecure.secure.example.")):
        lab.set_rrset(f"{owner}.secure.example", "CNAME", [target])
    lab.set_rrset("to-secure.nopolicy.example", "CNAME", ["secure.example."])
    lab.set_rrset("sub.secure.example", "DNAME", ["secure.example."])
    found = {name: resolve(site, name) for name in (
        "to-secure.secure.example", "to-insecure.secure.example", "to-bogus.secure.example",
        "to-nothing.secure.example", "twice.secure.example", "to-secure.nopolicy.example",
        "alias.sub.secure.example")}
    states = {name: (record["mx-answer"], record["mx-dnssec"])
              for name, record in found.items()}
    assert states == {
        "to-secure.secure.example": ("hosts", "secure"),
        "to-insecure.secure.example": ("hosts", "insecure"),
        "to-bogus.secure.example": ("failed", "bogus"),
        "to-nothing.secure.example": ("nxdomain", "secure"),
        "twice.secure.example": ("hosts", "insecure"),
        "to-secure.nopolicy.example": ("hosts", "insecure"),
        "alias.sub.secure.example": ("hosts", "secure"),
    }


def test_record_behind_a_cname(site):
    """A1.2: hosted policies are delegated by CNAME; the policy host is still our own."""
    site.lab.set_policy("nopolicy.example", world.policy_text("testing", ["good.mail.example"]))
    site.lab.set_rrset("_mta-sts.nopolicy.example", "TXT", [])
    site.lab.set_rrset("_mta-sts.nopolicy.example", "CNAME", ["_mta-sts.enforce.example."])
    record = resolve(site, "nopolicy.example")
    assert (record["txt"], record["txt-id"]) == ("valid", world.POLICY_ID)
    assert "mode: testing" in record.policy
    assert len(policy_requests(site, "nopolicy.example")) == 1


def test_large_answers_come_by_tcp(site):
    texts = [f"filler {i} " + "x" * 200 for i in range(20)] + ["v=STSv1; id=tcp;"]
    site.lab.set_txt("enforce.example", *texts)
    record = resolve(site, "enforce.example")
    assert (record["txt"], record["txt-id"], record["fetch"]) == ("valid", "tcp", "ok")


def test_several_records_are_none(site):
    site.lab.set_txt("enforce.example", "v=STSv1; id=1;", "v=STSv1; id=2;")
    record = resolve(site, "enforce.example")
    assert (record["txt"], record["fetch"], record.policy) == ("invalid", "", "")


def test_silent_servers_do_not_hold_us_for_long(site):
    start = time.monotonic()
    record = resolve(site, "silent.example")
    assert (record["mx-answer"], record["txt"]) == ("failed", "failed")
    # dns_timeout is two seconds in the scenarios.
    assert time.monotonic() - start < 8
    resolve(site, "silent.example")
    assert time.monotonic() - start < 8, "a failure is remembered"


def test_lost_packets_are_made_up_for(site):
    """getdns does not ask again; we do."""
    site.lab.pause("unbound")
    timer = threading.Timer(1.3, site.lab.resume, ["unbound"])
    timer.start()
    try:
        record = resolve(site, "secure-sts.example")
    finally:
        timer.join()
    assert (record["mx-answer"], record["mx-dnssec"], record["fetch"]) == (
        "hosts", "secure", "ok")


# --- resolvers ------------------------------------------------------------------

def test_resolver_without_dnssec(site):
    site.lab.set_resolver(world.RESOLVER_NO_DNSSEC)
    record = resolve(site, "secure.example")
    assert (record["mx-answer"], record["mx-dnssec"]) == ("hosts", "insecure")
    assert len(record.note) == 1 and "cannot do DNSSEC" in record.note[0]
    record = resolve(site, "dane-good.example")
    assert record["mx-dnssec"] == "insecure"
    assert record.note == [], "once a day, not once a message"
    assert resolve(site, "servfail.example")["mx-answer"] == "failed"
    assert resolve(site, "enforce.example")["fetch"] == "ok"


def test_ad_bit_of_a_local_resolver(site):
    site.configure(dnssec="ad")
    assert resolve(site, "secure.example")["mx-dnssec"] == "secure"
    assert resolve(site, "nopolicy.example")["mx-dnssec"] == "insecure"
    assert resolve(site, "no-such.example")["mx-dnssec"] == "secure"
    assert resolve(site, "bogus.example")["mx-answer"] == "failed"
    assert resolve(site, "dane-good.example").mx == [
        "10 good.dane.example address=secure tlsa=secure"]


def test_ad_bit_of_a_resolver_without_dnssec(site):
    site.configure(dnssec="ad", resolver=world.RESOLVER_NO_DNSSEC)
    record = resolve(site, "secure.example")
    assert record["mx-dnssec"] == "insecure"
    assert "cannot do DNSSEC" in record.note[0]


def test_ad_bit_from_afar_is_refused(site):
    site.configure(dnssec="ad", resolver=world.NS)
    done = site.program("resolve", "secure.example", user=EXIM_USER, check=False)
    assert done.returncode != 0 and "resolver_trusted" in done.stderr


def test_next_resolver_when_the_first_is_dead(site):
    for first in ("127.0.0.9", world.NS_SILENT):
        site.configure(resolver=f"{first} {world.RESOLVER}")
        record = resolve(site, "secure.example", "--fresh")
        assert (record["mx-answer"], record["mx-dnssec"], record["txt"]) == (
            "hosts", "secure", "none")


def test_wrong_anchor_fails_closed(site):
    key = (site.lab.state / "etc/root.key").read_text()
    head, material = key.split(" 13 ")
    site.lab.write_etc("wrong.key", f"{head} 13 AAAA{material[4:]}")
    site.configure(trust_anchor="/etc/exim4/wrong.key")
    record = resolve(site, "nopolicy.example")
    assert (record["mx-answer"], record["mx-dnssec"]) == ("failed", "bogus")
    assert record.note == []
    home = site.lab.exec(["ls", "-A", "/var/spool/exim4"]).stdout.split()
    assert ".getdns" not in home


@pytest.mark.parametrize("text", [None, "", "rubbish\n", "example. IN DNSKEY 257 3 13 AAAA\n"])
def test_without_anchor_nothing_is_answered(site, text):
    if text is not None:
        site.lab.write_etc("other.key", text)
    site.configure(trust_anchor="/etc/exim4/other.key" if text is not None else "/nonexistent")
    done = site.program("resolve", "nopolicy.example", user=EXIM_USER, check=False)
    assert done.returncode == 75
    assert "nonexistent" in done.stderr or "DNSKEY of the root zone" in done.stderr


# --- policies -------------------------------------------------------------------

def test_policy(site):
    record = resolve(site, "enforce.example")
    assert (record["txt"], record["txt-id"], record["fetch"]) == (
        "valid", world.POLICY_ID, "ok")
    assert record.policy == world.domain_policy(world.domain_named("enforce.example"))
    lines = policy_requests(site, "enforce.example")
    assert len(lines) == 1
    assert f"sni={POLICY_HOST}" in lines[0] and '"exim-requiretls"' in lines[0]
    stored = site.lab.exec(["cat", f"{SPOOL}/policy/{record['policy-digest']}"]).stdout
    assert stored == record.policy


@pytest.mark.parametrize("domain, error", [
    ("policydown", "sts-policy-fetch-error could not connect to mta-sts.policydown.example"),
    ("policystall", "sts-policy-fetch-error connection timed out"),
    ("policytrickle", "sts-policy-fetch-error answer timed out"),
    ("policyloopback",
     "sts-policy-fetch-error the address of mta-sts.policyloopback.example is not a public one"),
    ("policy404", "sts-policy-fetch-error http status 404"),
    ("policy500", "sts-policy-fetch-error http status 500"),
    ("policyredirect", "sts-policy-fetch-error http status 302"),
    ("policyhtml", "sts-policy-fetch-error media type is not text/plain"),
    ("policynotype", "sts-policy-fetch-error media type is not text/plain"),
    ("policybig", "sts-policy-fetch-error policy larger than 65536 bytes"),
    ("policycert", "sts-webpki-invalid certificate expired 20"),
    ("policyselfsigned", "sts-webpki-invalid certificate self-signed"),
    ("policywrongname",
     "sts-webpki-invalid certificate is for other.policywrongname.example"),
])
def test_policy_fault(site, domain, error):
    start = time.monotonic()
    record = resolve(site, f"{domain}.example")
    assert record["fetch"] == "failed"
    assert record["fetch-error"].startswith(error)
    assert record.policy == "" and record.note == []
    # fetch_timeout is three seconds in the scenarios.
    assert time.monotonic() - start < 12
    assert site.results(f"{domain}.example") == [("sts", error.split()[0])]
    requests = policy_requests(site, f"{domain}.example")
    assert not any("elsewhere" in line for line in requests)
    if "webpki" in error:
        assert requests == [], "no request before the certificate is judged"


def test_back_off_outlives_the_module(site):
    """The module ends the program after resolve_timeout: what a stalling policy host
    means must be on disk by then, or each message would wait for it again."""
    site.configure(resolve_timeout="2s", fetch_timeout="30s", connect_timeout="30s")
    start = time.monotonic()
    assert resolve(site, "policystall.example")["fetch"] == "failed"
    assert time.monotonic() - start < 10
    assert "fetch-retry" in site.cache_file("policystall.example").read_text()
    start = time.monotonic()
    assert resolve(site, "silent.example")["mx-answer"] == "failed"
    assert time.monotonic() - start < 10


def test_policy_host_without_address(site):
    site.lab.set_rrset("mta-sts.enforce.example", "A", [])
    record = resolve(site, "enforce.example")
    assert record["fetch-error"] == (
        "sts-policy-fetch-error could not resolve mta-sts.enforce.example")


def test_private_policy_host_when_allowed(site):
    site.configure(fetch_private="yes")
    assert resolve(site, "policyloopback.example")["fetch"] == "ok"


def test_invalid_policy(site):
    site.lab.set_policy("enforce.example", "version: STSv1\nmode: enforce\n", id="2")
    record = resolve(site, "enforce.example")
    assert record["fetch-error"].startswith("sts-policy-invalid ")
    journal = [line for line in site.journal() if line["domain"] == "enforce.example"]
    assert [line["result"] for line in journal] == ["sts-policy-invalid"]
    stored = site.lab.exec(["cat", f"{SPOOL}/policy/{journal[0]['digest']}"]).stdout
    assert stored == "version: STSv1\nmode: enforce\n"


# --- certificates of policy hosts ------------------------------------------------

@pytest.fixture(name="shows")
def fixture_shows(site):
    """Give the policy host of enforce.example another certificate, of another CA."""
    authority = certs.Authority()
    path = site.lab.state / f"certs/web/{POLICY_HOST}.pem"
    original = path.read_bytes()
    site.lab.write_etc("other-ca.pem", b"# comment\n" + certs.cert_pem(authority.root.cert))

    def show(name: str, kind: str = "lab", ca_file: str = "/etc/exim4/other-ca.pem",
             chain: bool = True) -> Record:
        pem = authority.leaf(name, kind).pem
        if not chain:
            mark = b"-----BEGIN CERTIFICATE-----"
            pem = mark.join(pem.split(mark)[:2])
        path.write_bytes(pem)
        site.configure(ca_file=ca_file)
        forget(site)
        return resolve(site, "enforce.example")

    yield show
    path.write_bytes(original)


def test_certificate_by_dns_id_only(shows):
    assert shows(POLICY_HOST)["fetch"] == "ok"
    assert shows(POLICY_HOST, "cnonly")["fetch-error"] == (
        "sts-webpki-invalid certificate has no DNS name")
    assert shows(POLICY_HOST.upper())["fetch"] == "ok"


def test_certificate_wildcards(shows):
    assert shows("*.enforce.example")["fetch"] == "ok"
    for name in ("*.example", "mta-*.enforce.example", "*-sts.enforce.example", "*",
                 "mta-sts.*.example", "enforce.example"):
        assert shows(name)["fetch-error"].startswith(
            "sts-webpki-invalid certificate is for "), name


def test_certificate_trust(shows):
    assert shows(POLICY_HOST, "unknownca")["fetch-error"] == (
        "sts-webpki-invalid certificate not signed by a trusted CA")
    assert shows(POLICY_HOST, chain=False)["fetch-error"] == (
        "sts-webpki-invalid certificate not signed by a trusted CA")
    assert shows(POLICY_HOST, "notyet")["fetch-error"].startswith(
        "sts-webpki-invalid certificate not valid before 20")
    # The system's bundle does not know this CA.
    assert shows(POLICY_HOST, ca_file="/etc/ssl/certs/ca-certificates.crt")["fetch"] == "failed"
    # Our own trouble is not the other side's.
    assert shows(POLICY_HOST, ca_file="/nonexistent")["fetch-error"].startswith(
        "sts-policy-fetch-error certificate not judged: /nonexistent: ")


# --- answers of policy hosts, byte by byte -----------------------------------------

@pytest.fixture(name="raw")
def fixture_raw(site):
    """Resolve enforce.example against raw answers; returns the record."""
    host = RawHost(site)

    def answer(data: bytes) -> Record:
        host.answer = data
        forget(site)
        return resolve(site, "enforce.example")

    answer.host = host
    yield answer
    host.close()


def test_raw_good_answers(raw):
    for answer in (http(), chunked(POLICY[:10], POLICY[10:]), http(padded(65536)),
                   http(kind=b"Text/PLAIN;charset=nonsense"), http(kind=b" text/plain ; x"),
                   http(more=b"Location: https://elsewhere.example/\r\n"),
                   http(more=b"Cache-Control: no-store\r\nSet-Cookie: a=b\r\n"),
                   b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + http()):
        record = raw(answer)
        assert record["fetch"] == "ok", answer[:200]
    # A2.8: each request is as the first; nothing of the host's is said.
    requests = raw.host.requests
    assert len(set(requests)) == 1
    assert requests[0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: "
                                  b"mta-sts.enforce.example\r\n")
    for header in (b"cookie", b"if-", b"accept-encoding", b"authorization", b"sender"):
        assert header not in requests[0].lower()


def test_raw_bad_answers(raw):
    for answer, error in (
            (b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/plain\r\n\r\n"
             + http(kind=b""), "media type is not text/plain"),
            (http(status="204 No Content"), "http status 204"),
            (http(status="203 Other"), "http status 203"),
            (http(status="206 Partial"), "http status 206"),
            (http(status="304 Not Modified"), "http status 304"),
            (http(status="307 Go", more=b"Location: https://mta-sts.testing.example/\r\n"),
             "http status 307"),
            (http(status="401 No", more=b"WWW-Authenticate: Basic realm=x\r\n"),
             "http status 401"),
            (http(b"x" * 100000, status="500 Large"), "http status 500"),
            (http(kind=b"text/plainer"), "media type is not text/plain"),
            (http(kind=b"text"), "media type is not text/plain"),
            (http(kind=b""), "media type is not text/plain"),
            (http(padded(65537)), "policy larger than 65536 bytes"),
            (chunked(*[b"x" * 1000] * 70), "policy larger than 65536 bytes"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 12000 + b"\r\n",
             "header larger than 65536 bytes"),
            (http(length=5000), ""),
            (POLICY, ""),
            (b"", "")):
        record = raw(answer)
        assert record["fetch"] == "failed", answer[:200]
        assert record["fetch-error"].startswith("sts-policy-fetch-error " + error), answer[:200]
        assert len(record["fetch-error"]) > len("sts-policy-fetch-error ")
        assert record.policy == ""


def test_raw_compressed_answers(raw):
    """Nobody asked for gzip: what comes that way is not unpacked."""
    packed = gzip.compress(POLICY)
    record = raw(http(packed, more=b"Content-Encoding: gzip\r\n"))
    assert record["fetch-error"].startswith("sts-policy-invalid ")


# --- over time --------------------------------------------------------------------

def test_nobody_is_asked_while_the_record_is_fresh(site):
    site.lab.set_rrset("enforce.example", "MX", ["10 good.mail.example."], ttl_s=60)
    first = resolve(site, "enforce.example")
    before = site.lab.dns_queries("enforce.example", "MX")
    assert resolve(site, "enforce.example").value == first.value
    assert site.lab.dns_queries("enforce.example", "MX") == before
    resolve(site, "enforce.example", "--fresh")
    assert site.lab.dns_queries("enforce.example", "MX") == before + 1
    assert site.lab.policy_fetches("enforce.example") == 1


def test_new_id_replaces_the_policy(site):
    resolve(site, "rotate.example")
    let_expire()
    resolve(site, "rotate.example")
    assert site.lab.policy_fetches("rotate.example") == 1
    site.lab.set_policy("rotate.example", world.policy_text("none", []), id="2")
    let_expire()
    record = resolve(site, "rotate.example")
    assert record["policy-id"] == "2" and "mode: none" in record.policy
    assert record.note == [
        "possible downgrade: MTA-STS policy of rotate.example got weaker: none, was enforce"]
    assert site.lab.policy_fetches("rotate.example") == 2


def test_failure_keeps_the_policy_and_backs_off(site):
    good = resolve(site, "rotate.example")
    site.lab.set_policy_fault("rotate.example", "404")
    site.lab.set_txt("rotate.example", "v=STSv1; id=2;")
    let_expire()
    record = resolve(site, "rotate.example")
    assert record.policy == good.policy and record["policy-until"] == good["policy-until"]
    assert (record["fetch"], record["fetch-id"]) == ("failed", "2")
    assert record.note == [
        "MTA-STS policy of rotate.example not fetched (sts-policy-fetch-error http status "
        "404); the cached one (enforce) stays in force"]
    # A2.11: not again for this id, by no process, fresh or not.
    let_expire()
    resolve(site, "rotate.example")
    resolve(site, "rotate.example", "--fresh")
    assert site.lab.policy_fetches("rotate.example") == 2
    # Another id is another matter.
    site.lab.set_policy_fault("rotate.example", "")
    site.lab.set_txt("rotate.example", "v=STSv1; id=3;")
    let_expire()
    assert resolve(site, "rotate.example")["policy-id"] == "3"


def test_vanished_record(site):
    resolve(site, "enforce.example")
    site.lab.remove_sts_txt("enforce.example")
    let_expire()
    record = resolve(site, "enforce.example")
    assert record["txt"] == "none" and "mode: enforce" in record.policy
    assert len(record.note) == 1 and "is gone" in record.note[0]
    let_expire()
    assert resolve(site, "enforce.example").note == []


def test_max_age_0(site):
    site.lab.set_policy("enforce.example",
                        world.policy_text("enforce", ["good.mail.example"], 0), id="2")
    record = resolve(site, "enforce.example")
    assert "mode: enforce" in record.policy
    assert "policy-text" not in site.cache_file("enforce.example").read_text()
    resolve(site, "enforce.example")
    assert site.lab.policy_fetches("enforce.example") == 2


def test_single_flight(site):
    """A hundred deliveries to a cold domain: one lookup, one fetch."""
    answers = []

    def one() -> None:
        answers.append(resolve(site, "enforce.example"))

    site.lab.set_rrset("enforce.example", "MX", ["10 good.mail.example."], ttl_s=60)
    before = site.lab.dns_queries("enforce.example", "MX")
    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert all("mode: enforce" in answer.policy for answer in answers)
    assert site.lab.dns_queries("enforce.example", "MX") == before + 1
    assert site.lab.policy_fetches("enforce.example") == 1


def test_killed_on_the_way(site):
    """The lock goes with the process that held it, and what it wrote is whole."""
    site.lab.exec(["timeout", "-s", "KILL", "1", "/usr/sbin/exim-requiretls", "resolve",
                   "policystall.example"], user=EXIM_USER, check=False)
    start = time.monotonic()
    assert resolve(site, "policystall.example")["fetch"] == "failed"
    assert time.monotonic() - start < 12
