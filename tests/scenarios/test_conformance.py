"""RFC 8461 requirement by requirement, where only the wire can tell: what a policy host
sees and may answer, what becomes of a cached policy, what an enforcing delivery does not do.
docs/CONFORMANCE.md says which test stands for which requirement."""

import socket
import ssl
import time

import pytest
from mail import assert_bounced, assert_delivered, assert_waiting, deliver
from policyhost import (POLICY_HOST, RAW_HOST, RawHost, chunked, forget, http, padded,
                        policy_requests, resolve)
from sender import SENDER_CONF, world

DOMAIN = "enforce.example"
SERVFAIL_NS = "servfail.nic.example."
# The commands of a mail transaction.
TRANSACTION = ("MAIL", "RCPT", "DATA", "BDAT")


@pytest.fixture(name="raw")
def fixture_raw(site):
    """The policy host of enforce.example, told what to answer."""
    host = RawHost(site)
    yield host
    host.close()


def fetch(site, raw, answer):
    """The record when the policy host gives this answer to a first fetch."""
    forget(site)
    raw.answer = answer
    return resolve(site, DOMAIN)


# --- A1: discovery --------------------------------------------------------------------

def test_chain_of_cnames_to_the_record(site):
    """A1.2: over several links, out of the zone and over a signed one; the policy is asked of
    the domain's own policy host."""
    lab = site.lab
    lab.set_policy("nopolicy.example", world.policy_text("testing", ["good.mail.example"]))
    lab.set_rrset("_mta-sts.nopolicy.example", "TXT", [])
    lab.set_rrset("_mta-sts.nopolicy.example", "CNAME", ["one.nopolicy.example."])
    lab.set_rrset("one.nopolicy.example", "CNAME", ["two.secure.example."])
    lab.set_rrset("two.secure.example", "CNAME", ["three.testing.example."])
    lab.set_rrset("three.testing.example", "TXT", ['"v=STSv1; id=hosted;"'])
    record = resolve(site, "nopolicy.example")
    assert (record["txt"], record["txt-id"], record["fetch"]) == ("valid", "hosted", "ok")
    assert "mode: testing" in record.policy
    assert len(policy_requests(site, "nopolicy.example")) == 1


def test_texts_of_a_record_in_dns(site):
    """A1.3, A1.4, A1.7, A1.9: as they come through DNS."""
    for texts, state in (
            (['"v=ST" "Sv1; i" "d=a1" ";"'], "valid a1"),
            (['"v=STSv1;" " id=a2"', "inbound", "v=spf1 -all"], "valid a2"),
            (["v=STSv1 ;id=a3"], "valid a3"),
            (["v=STSv1; id=a4;", "v=STSv10; id=b;", "V=STSv1; id=c;"], "valid a4"),
            (['"v=STSv1; id=a" " 5"'], "invalid "),
            (["v=STSv1; id=a6;", "v=STSv1; id=a6"], "invalid "),
            (["v=STSv1"], "invalid "),
            (["id=a7; v=STSv1;"], "none "),
            (['"v=STSv1; id=a8; x=\\195\\164"'], "invalid ")):
        site.lab.set_txt(DOMAIN, *texts)
        forget(site)
        record = resolve(site, DOMAIN)
        assert f"{record['txt']} {record['txt-id']}" == state, texts
        assert record["fetch"] == ("ok" if state.startswith("valid") else ""), texts


def test_parent_is_not_asked(site):
    """A4.4: a subdomain has the policy it publishes itself, or none."""
    site.lab.set_mx(f"sub.{DOMAIN}", ["10 selfsigned.mail.example"])
    marker = deliver(site, f"bob@sub.{DOMAIN}")
    assert_delivered(site, marker, "192.0.2.14")
    assert site.lab.dns_queries(f"_mta-sts.sub.{DOMAIN}") > 0
    assert site.lab.dns_queries(f"_mta-sts.{DOMAIN}") == 0
    assert policy_requests(site, DOMAIN) == []


def test_alias_domain_has_its_own_policy(site):
    """A4.6, A4.1: MX hosts may be those of the alias's target, its policy is not."""
    site.lab.set_rrset("alias.secure.example", "CNAME", ["secure-sts.example."])
    record = resolve(site, "alias.secure.example")
    assert record.mx == ["10 good.mail.example address=insecure tlsa=unknown"]
    assert (record["domain"], record["txt"], record.policy) == (
        "alias.secure.example", "none", "")
    assert site.lab.dns_queries("_mta-sts.alias.secure.example") > 0
    assert site.lab.dns_queries("_mta-sts.secure-sts.example") == 0


# --- A2: the policy host --------------------------------------------------------------

@pytest.mark.parametrize("asked,domain", [
    ("ENFORCE.Example.", "enforce.example"),
    ("b\u00fccher.example", "xn--bcher-kva.example"),
])
def test_what_the_policy_host_is_asked(site, asked, domain):
    """A2.1, A2.5: path, Host and SNI are what the RFC writes, in A-labels, lower case, without
    a trailing dot; nothing else is sent that would tell who asks."""
    host = RawHost(site, f"mta-sts.{domain}")
    try:
        site.lab.set_rrset(domain, "MX", ["10 good.mail.example."])
        site.lab.set_rrset(f"_mta-sts.{domain}", "TXT", ['"v=STSv1; id=1;"'])
        host.answer = http()
        assert resolve(site, asked)["fetch"] == "ok"
    finally:
        host.close()
    assert host.names == [f"mta-sts.{domain}"]
    assert host.requests == [(f"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
                              f"Host: mta-sts.{domain}\r\n"
                              "User-Agent: exim-requiretls\r\n"
                              "Accept: */*\r\n\r\n").encode()]
    assert [path.name for path in site.cache_file(domain).parent.iterdir()] == [domain]


def test_policy_host_that_is_a_cname(site):
    """A2.2: the name in the certificate is the Policy Host's, not the one its alias leads
    to."""
    lab = site.lab
    lab.set_rrset(POLICY_HOST, "A", [])
    lab.set_rrset(POLICY_HOST, "CNAME", ["mta-sts.testing.example."])
    assert resolve(site, DOMAIN)["fetch"] == "ok"
    assert f"sni={POLICY_HOST}" in policy_requests(site, DOMAIN)[0]
    lab.set_rrset("mta-sts.policywrongname.example", "A", [])
    lab.set_rrset("mta-sts.policywrongname.example", "CNAME",
                  ["other.policywrongname.example."])
    lab.set_rrset("other.policywrongname.example", "A", [world.WEB])
    assert resolve(site, "policywrongname.example")["fetch-error"] == (
        "sts-webpki-invalid certificate is for other.policywrongname.example, "
        "not for mta-sts.policywrongname.example")


def test_only_status_200(site, raw):
    """A2.6: each other final status is a failure, however good the body."""
    for status in (201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 304, 305, 400, 401, 403,
                   404, 406, 410, 416, 418, 429, 500, 501, 502, 503, 504, 599):
        record = fetch(site, raw, http(status=f"{status} X"))
        assert record["fetch-error"] == f"sts-policy-fetch-error http status {status}"
        assert record.policy == ""


def test_redirects_are_not_followed(site, raw):
    """A2.7: not even to the same host, or to one that has a good policy."""
    for status in (301, 302, 303, 307, 308):
        for target in (f"https://{POLICY_HOST}/elsewhere/mta-sts.txt", "mta-sts.txt",
                       "https://mta-sts.testing.example/.well-known/mta-sts.txt"):
            asked = len(raw.requests)
            record = fetch(site, raw, http(status=f"{status} Go",
                                           more=f"Location: {target}\r\n".encode()))
            assert record["fetch-error"] == f"sts-policy-fetch-error http status {status}"
            assert len(raw.requests) == asked + 1
    assert policy_requests(site, "testing.example") == []


def test_no_http_caching(site, raw):
    """A2.8: what HTTP says about the age of an answer changes nothing; the next request is
    not a conditional one; "not modified" is no answer."""
    record = fetch(site, raw, http(
        more=b'ETag: "v1"\r\nLast-Modified: Sun, 01 Nov 2026 00:00:00 GMT\r\n'
             b"Cache-Control: max-age=1, must-revalidate\r\nAge: 604700\r\n"
             b"Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"))
    assert seconds(record, "policy-fetched", "policy-until") == 604800
    raw.answer = http(status="304 Not Modified", more=b'ETag: "v1"\r\n')
    told = site.program("cache", "refresh", DOMAIN, check=False)
    assert "http status 304" in told.stdout + told.stderr
    kept = resolve(site, DOMAIN)
    assert (kept.policy, kept["policy-until"]) == (record.policy, record["policy-until"])
    raw.answer = http(more=b"Cache-Control: immutable, max-age=31536000\r\n")
    site.program("cache", "refresh", DOMAIN)
    assert len(raw.requests) == 3 and len(set(raw.requests)) == 1


def seconds(record, start, end):
    """Between two times of a record."""
    first, last = (time.mktime(time.strptime(record[key], "%Y-%m-%dT%H:%M:%SZ"))
                   for key in (start, end))
    return last - first


def test_media_types(site, raw):
    """A2.9: text/plain in any case, whatever its parameters; nothing else, and not nothing."""
    for kind in (b"text/plain; charset=utf-8", b"TEXT/Plain; Charset=US-ASCII",
                 b"text/plain;charset=utf-16;x=y", b"text/plain;", b"text/plain ;format=flowed",
                 b"\ttext/plain"):
        assert fetch(site, raw, http(kind=kind))["fetch"] == "ok", kind
    for kind in (b"text/html", b"text/html; text/plain", b"text/*", b"*/*", b"text/plain2",
                 b"application/octet-stream", b"text", b"plain", b";", b" ", b"text /plain",
                 b"x=text/plain", b"text/plain, text/html"):
        record = fetch(site, raw, http(kind=kind))
        assert record["fetch-error"] == (
            "sts-policy-fetch-error media type is not text/plain"), kind


def test_size_of_chunked_bodies(site, raw):
    """A2.10: 64 KB hold without a Content-Length too, in chunks of any size; a length that
    is announced is not believed."""
    whole = padded(65536)
    for size in (100, 8192, 65536):
        chunks = [whole[i:i + size] for i in range(0, len(whole), size)]
        assert fetch(site, raw, chunked(*chunks))["fetch"] == "ok", size
        record = fetch(site, raw, chunked(*chunks, b"\n"))
        assert record["fetch-error"] == (
            "sts-policy-fetch-error policy larger than 65536 bytes"), size
    record = fetch(site, raw, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                              b"Connection: close\r\n\r\n" + whole + b"\n")
    assert record["fetch-error"] == "sts-policy-fetch-error policy larger than 65536 bytes"
    assert fetch(site, raw, http(length=1))["fetch"] == "failed"


def speaks(version):
    """Whether the raw policy host takes a client of just this TLS version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    with socket.create_connection((RAW_HOST, 443)) as plain:
        with context.wrap_socket(plain) as tls:
            version_in_use = tls.version()
            tls.sendall(b"x")
            while tls.recv(65536):      # until the host has done with us
                pass
            return version_in_use


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_versions_of_the_policy_host(site, raw):
    """A2.13: 1.2 and 1.3; over the older ones, which the host does speak, nothing is even
    asked for."""
    for version, name, good in (
            (ssl.TLSVersion.TLSv1, "TLSv1", False), (ssl.TLSVersion.TLSv1_1, "TLSv1.1", False),
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2", True), (ssl.TLSVersion.TLSv1_3, "TLSv1.3", True)):
        raw.only_tls(version)
        # pylint: disable-next=cell-var-from-loop
        assert site.lab.in_network(lambda: speaks(version)) == name
        asked = len(raw.requests)
        record = fetch(site, raw, http())
        assert record["fetch"] == ("ok" if good else "failed"), name
        assert len(raw.requests) == asked + good, name
        if not good:
            assert record["fetch-error"].startswith("sts-policy-fetch-error "), name


def test_http_2(site):
    """A2.1, A2.6, A2.9: the policy hosts of the lab speak HTTP/2, as most do that are hosted;
    what is fetched, and what is refused, is the same."""
    assert resolve(site, DOMAIN)["fetch"] == "ok"
    for domain in ("policy404.example", "policyredirect.example", "policyhtml.example",
                   "policynotype.example", "policybig.example"):
        assert resolve(site, domain)["fetch"] == "failed"
        assert [line.rsplit(" ", 1)[1] for line in policy_requests(site, domain)] == ["HTTP/2.0"]
    assert policy_requests(site, DOMAIN)[0].endswith(" HTTP/2.0")


@pytest.mark.parametrize("v4,v6", [
    ([world.NOTHING_LISTENS, world.WEB], []), ([world.WEB], ["2001:db8::99"]),
    ([], [world.WEB_IPV6]), ([world.NOTHING_LISTENS], [world.WEB_IPV6]),
])
def test_addresses_of_the_policy_host(site, v4, v6):
    """A2.1: one address that answers is enough, of whichever family."""
    site.lab.set_rrset(POLICY_HOST, "A", v4)
    site.lab.set_rrset(POLICY_HOST, "AAAA", v6)
    assert resolve(site, DOMAIN)["fetch"] == "ok"


def test_environment_steers_no_fetch(site):
    """No proxy, no other CA bundle, no credentials of whoever starts the program."""
    home = "/run/lab/home"
    site.lab.exec(["mkdir", "-p", home])
    site.lab.exec(["tee", f"{home}/.netrc"], input=f"machine {POLICY_HOST} login a password b\n")
    site.lab.exec(["chmod", "-R", "a+rX", home])
    env = {"https_proxy": "http://192.0.2.99:1", "ALL_PROXY": "socks5://192.0.2.99:1",
           "SSL_CERT_FILE": "/nonexistent", "CURL_CA_BUNDLE": "/nonexistent", "HOME": home}
    done = site.lab.exec(["/usr/sbin/exim-requiretls", "resolve", "--record", DOMAIN],
                         user="Debian-exim", env=env)
    assert "\nfetch ok" in done.stdout
    assert len(policy_requests(site, DOMAIN)) == 1


# --- A5: the life of a policy ---------------------------------------------------------

def txt_gone(site):
    """NODATA: the name exists, the record does not."""
    site.lab.set_txt("rotate.example")
    site.lab.set_rrset("_mta-sts.rotate.example", "A", ["192.0.2.99"])


def txt_name_gone(site):
    """NXDOMAIN."""
    site.lab.remove_sts_txt("rotate.example")


def txt_doubled(site):
    """Two records are none."""
    site.lab.set_txt("rotate.example", "v=STSv1; id=2;", "v=STSv1; id=3;")


def txt_malformed(site):
    """One record that is none."""
    site.lab.set_txt("rotate.example", "v=STSv1; id=2026-11-02;")


def txt_fails(site):
    """SERVFAIL, for this name alone."""
    site.lab.set_txt("rotate.example")
    site.lab.set_rrset("_mta-sts.rotate.example", "NS", [SERVFAIL_NS])


def host_is_down(site):
    """A new id, and nobody to ask."""
    site.lab.set_txt("rotate.example", "v=STSv1; id=2;")
    site.lab.policy_host_down("rotate.example")


def host_says_404(site):
    """A new id, and no policy."""
    site.lab.set_policy("rotate.example", None, id="2")


def host_has_rubbish(site):
    """A new id, and a policy that is none."""
    site.lab.set_policy("rotate.example", "version: STSv1\nmode: none\n", id="2")


@pytest.mark.parametrize("event,txt,fetched", [
    (txt_gone, "none", "ok"), (txt_name_gone, "none", "ok"), (txt_doubled, "invalid", "ok"),
    (txt_malformed, "invalid", "ok"), (txt_fails, "failed", "ok"),
    (host_is_down, "valid", "failed"), (host_says_404, "valid", "failed"),
    (host_has_rubbish, "valid", "failed"),
])
def test_cached_policy_holds(site, event, txt, fetched):
    """A5.3: whatever becomes of the live policy, the cached one applies to the next message,
    and lasts as long as before."""
    before = resolve(site, "rotate.example")
    assert "mode: enforce" in before.policy
    event(site)
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    time.sleep(2.1)     # the TTL of the lab: what was known ran out
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    after = resolve(site, "rotate.example")
    assert (after["txt"], after["fetch"]) == (txt, fetched)
    assert (after.policy, after["policy-until"]) == (before.policy, before["policy-until"])


def test_without_policy_a_failing_record_lets_mail_pass_or_wait(site):
    """A5.7, A1.14: first contact while the TXT lookup fails: the site decides."""
    txt_fails(site)
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    marker = deliver(site, "bob@rotate.example")
    assert_delivered(site, marker)
    site.configure(sts_dns_error="defer")
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    assert "the MTA-STS lookup for domain rotate.example failed" in site.log()


def test_bad_policy_hosts_hold_nothing_up(site, raw):
    """A5.2, A2.6-A2.13: without a cached policy mail goes as if there was none."""
    site.lab.set_mx(DOMAIN, ["10 selfsigned.mail.example"])
    for answer in (http(status="500 X"), http(kind=b"text/html"), http(b"mode: enforce\n"),
                   chunked(padded(65536), b"x"), b"rubbish"):
        forget(site)
        raw.answer = answer
        assert_delivered(site, deliver(site, f"bob@{DOMAIN}"))


def without_patience(site):
    """Exim gives up at the second attempt."""
    head, _, _ = SENDER_CONF.partition("begin retry")
    site.lab.write_sender_conf(head + "begin retry\n\n* * F,1s,1s\n")


def test_new_policy_is_seen_before_the_last_bounce(site):
    """A5.8: a message that an enforcing policy kept back is not given up before DNS was
    asked for a newer one."""
    without_patience(site)
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.set_policy("rotate.example",
                        world.policy_text("enforce", ["*.mail.example"]), id="strict")
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    site.lab.set_policy("rotate.example", world.policy_text("none", []), id="relaxed")
    time.sleep(2.1)
    site.lab.run_queue()
    assert_delivered(site, marker, "192.0.2.14")


def test_last_bounce_comes_after_a_last_look(site):
    """A5.8, F2: without a newer one it comes back in the end. Exim's report names the host;
    why it was refused, and by whose policy, is in the log."""
    without_patience(site)
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.set_policy("rotate.example",
                        world.policy_text("enforce", ["*.mail.example"]), id="strict")
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    time.sleep(2.1)
    asked = site.lab.dns_queries("_mta-sts.rotate.example", "TXT")
    site.lab.run_queue()
    assert site.lab.dns_queries("_mta-sts.rotate.example", "TXT") == asked + 1
    assert site.lab.body_seen(marker) == []
    assert "host Selfsigned.mail.example" in site.lab.bounces("alice")[0].text
    assert site.log().count("rotate.example class=enforce sts=enforce id=strict") == 2
    assert site.log().count("certificate refused: self-signed") == 2


@pytest.mark.parametrize("ttl_s", [2, 300])
@pytest.mark.parametrize("changed", [True, False])
def test_refused_message_gets_another_try_when_dns_changed(site, ttl_s, changed):
    """A5.8, C2.9: all hosts were refused for a flagged message; it does not come back before
    DNS was asked anew, and not when there is another policy and another host by then."""
    lab = site.lab
    lab.set_rrset("rotate.example", "MX", ["10 selfsigned.mail.example."], ttl_s=ttl_s)
    lab.set_policy("rotate.example", world.policy_text("enforce", ["*.mail.example"]), id="one")
    marker = deliver(site, "bob+requiretls@rotate.example")
    assert_waiting(site, marker)
    if changed:
        lab.set_mx("rotate.example", ["10 good.mail.example"])
        lab.set_txt("rotate.example", "v=STSv1; id=two;")
    lab.dns_flush()
    asked = lab.dns_queries("_mta-sts.rotate.example", "TXT")
    lab.run_queue()
    if changed:
        assert_delivered(site, marker, "192.0.2.11")
    else:
        assert_bounced(site, marker, "5.7.10")
    assert lab.dns_queries("_mta-sts.rotate.example", "TXT") > asked


def test_mode_none_ends_enforcement_and_alerts(site):
    """A5.10, A5.6, A7.1: once fetched it counts at once; then a policy host that fails is
    worth neither a line nor a report."""
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    assert_waiting(site, deliver(site, "bob@rotate.example"))
    site.lab.set_policy("rotate.example", world.policy_text("none", [], 86400), id="2")
    time.sleep(2.1)
    site.lab.run_queue()
    assert site.lab.queue() == []
    site.lab.set_policy_fault("rotate.example", "500")
    before, said = site.journal(), site.log()
    told = site.program("cache", "refresh", "rotate.example", check=False)
    assert "stays in force" not in told.stdout + told.stderr
    assert (site.journal(), site.log()) == (before, said)


# --- A6: delivery ---------------------------------------------------------------------

def test_wildcard_is_one_label(site):
    """A6.2: *.example does not name good.mail.example; a name is not its own wildcard."""
    for number, pattern in enumerate(("*.example", "*.good.mail.example", "mail.example")):
        site.lab.set_policy("rotate.example", world.policy_text("enforce", [pattern]),
                            id=f"wild{number}")
        forget(site)
        marker = deliver(site, "bob@rotate.example")
        assert site.lab.body_seen(marker) == [], pattern
        assert "not in the MTA-STS policy of rotate.example" in site.log()
    assert len(site.lab.queue()) == 3
    site.lab.set_policy("rotate.example", world.policy_text("enforce", ["*.MAIL.example"]),
                        id="wild")
    forget(site)
    assert_arrived_besides_waiting(site, deliver(site, "bob@rotate.example"))


def assert_arrived_besides_waiting(site, marker):
    """Delivered over TLS, whatever else is on the queue."""
    assert [m.tls for m in site.lab.received() if marker.encode() in m.message] != [""]
    assert site.lab.body_seen(marker) != []


@pytest.mark.parametrize("domains,tag", [
    (("enforce.example", "enforce-wildcard.example", "rotate.example"), ""),
    (("secure.example", "secure-sts.example"), "+requiretls"),
])
def test_domains_of_one_host_are_apart(site, domains, tag):
    """A4.5: one message to several domains that enforce, all with the same host: each goes in
    a session of its own, by its own policy, and is counted for its own domain."""
    deliver(site, *[f"bob{tag}@{domain}" for domain in domains])
    found = site.lab.received(world.host_named("good.mail.example").ip)
    assert sorted(m.rcpts for m in found) == sorted([f"bob@{domain}"] for domain in domains)
    counted = [line["domain"] for line in site.journal() if line["result"] == "success"]
    assert sorted(counted) == sorted(domains)


@pytest.mark.parametrize("how", ["absent", "close", "garbage", "abort", "plain", "inject",
                                 "454 4.7.0 later", "502 5.5.1 no", "501 5.5.4 no"])
def test_no_second_try_in_clear(site, how):
    """A6.7, F4: whatever goes wrong with STARTTLS, no command of a mail transaction is sent
    outside TLS, in this attempt or in the next, and what was known in clear is not used."""
    ip = world.host_named("s6.smtp.example").ip
    site.lab.set_behaviour(ip, "good", starttls=how)
    marker = deliver(site, "bob@enforce-scripted.example")
    site.lab.run_queue()
    said = [event["line"] for event in site.lab.transcript(ip)
            if event["dir"] == "in" and not event["tls"]]
    assert "STARTTLS" in said or how == "absent"
    assert any(line.startswith("EHLO ") for line in said)
    assert not [line for line in said if line.upper().startswith(TRANSACTION)]
    if site.lab.body_seen(marker):
        assert how == "inject", "only then TLS came about"
    else:
        assert_waiting(site, marker)


def test_no_second_try_without_trust(site):
    """A6.7: a host whose certificate is bad gets no transaction inside TLS either; one that
    is good for the second attempt gets the message."""
    ip = world.host_named("k.wire.example").ip
    site.lab.set_mx("rotate.example", ["10 k.wire.example"])
    site.lab.set_policy("rotate.example", world.policy_text("enforce", ["k.wire.example"]),
                        id="wire")
    markers = []
    for kind in world.WRONG_CERTS:
        site.lab.set_behaviour(ip, "good", cert=kind)
        markers.append(deliver(site, "bob@rotate.example"))
        site.forget_retries()
        site.lab.run_queue()
        said = [event["line"] for event in site.lab.transcript(ip) if event["dir"] == "in"]
        assert not [line for line in said if line.upper().startswith(TRANSACTION)], kind
    site.lab.set_behaviour(ip, "good")
    site.forget_retries()
    site.lab.run_queue()
    assert site.lab.queue() == []
    found = [event for event in site.lab.transcript(ip) if event["line"] == "message"]
    assert {event["sni"] for event in found} == {"k.wire.example"}, "A6.6"
    assert all(event["tls"] for event in found)
    assert len(found) == len(markers)


def test_good_host_behind_many_refused_ones(site):
    """A6.9: hosts outside the policy are like unreachable ones, and do not use up the number
    of hosts that Exim tries."""
    names = [f"r{number}.mail.example" for number in range(60)]
    site.lab.set_rrset("*.mail.example", "A", ["192.0.2.12"])
    site.lab.set_mx("rotate.example", [f"{10 + n} {name}" for n, name in enumerate(names)]
                    + ["99 good.mail.example"])
    site.lab.set_policy("rotate.example",
                        world.policy_text("enforce", ["good.mail.example"]), id="many")
    marker = deliver(site, "bob@rotate.example")
    assert_delivered(site, marker, "192.0.2.11")
    assert site.log().count("not in the MTA-STS policy of rotate.example") == len(names)


def test_server_that_insists_on_tls(site):
    """C4.3: "TLS-Required: No" helps nobody where the server itself wants STARTTLS and does
    not do it: the sender is told."""
    ip = world.host_named("s6.smtp.example").ip
    site.lab.set_behaviour(ip, "good", starttls="absent",
                           mail="530 5.7.0 Must issue a STARTTLS command first")
    marker = deliver(site, "bob@nopolicy-scripted.example", headers={"TLS-Required": "No"})
    assert_bounced(site, marker, "5.7.0", with_body=True)
    assert "class=relaxed by=header" in site.log()


# --- DNS ------------------------------------------------------------------------------

def test_search_list_is_not_used(site):
    """D1: names are absolute: no search list of the resolver's makes one recipient domain
    of another."""
    (site.lab.state / "etc/resolv.conf").write_text(
        f"nameserver {world.RESOLVER}\noptions edns0 trust-ad ndots:3\nsearch example\n")
    record = resolve(site, "dane-good")
    assert (record["mx-answer"], record["txt"]) == ("nxdomain", "none")
    assert site.lab.dns_queries("dane-good") > 0
    assert site.lab.dns_queries("dane-good.example") == 0
    assert resolve(site, "secure.example")["mx-answer"] == "hosts"


def test_hosts_file_is_not_used(site):
    """D1: /etc/hosts knows nothing about MX hosts that DNSSEC would prove."""
    hosts = site.lab.state / "etc/hosts"
    before = hosts.read_text()
    hosts.write_text(before + "192.0.2.99 implicit2.secure.example\n")
    try:
        assert resolve(site, "implicit2.secure.example")["mx-answer"] == "nxdomain"
    finally:
        hosts.write_text(before)


def test_insecure_answer_is_not_logged_as_secure(site):
    """D8: "(DNSSEC)" is for names that were validated, and only while they are."""
    deliver(site, "bob@secure-sts.example")
    assert "mx=good.mail.example (DNSSEC)" in site.log()
    deliver(site, "bob@enforce.example")
    assert "mx=good.mail.example\n" in site.log()
    # The answer is out of its time and no new one comes: it proves nothing any more.
    site.configure(program="/nonexistent/exim-requiretls")
    time.sleep(2.1)
    marks = site.log().count("(DNSSEC)")
    deliver(site, "bob@secure-sts.example")
    assert site.log().count("class=enforce") == 3
    assert site.log().count("(DNSSEC)") == marks
