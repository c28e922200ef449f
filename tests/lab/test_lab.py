"""The lab tests itself: /usr/bin/python3 -B -m pytest -p no:cacheprovider tests/lab"""

import os
import signal
import smtplib
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import inside
import layout
import world
import zones
from labkit import Lab, LabError

LAB = str(layout.LAB_DIR / "lab")


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    """One lab for the module, in a directory that only root may enter."""
    with tempfile.TemporaryDirectory() as top:
        lab = Lab(Path(top) / "state")
        lab.up()
        yield lab
        lab.down()


@pytest.fixture(name="lab")
def fixture_lab(shared):
    """The same, reset before each test."""
    shared.reset()
    return shared


def ask(lab, name, rdtype, server=world.RESOLVER):
    """One DNS query from inside."""
    query = dns.message.make_query(name, rdtype, want_dnssec=True)
    return lab.in_network(lambda: dns.query.udp(query, server, timeout=8))


def wait_for(condition, timeout=5):
    """Whether a condition becomes true soon."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def has_ad(message):
    """Whether the resolver says it has validated."""
    return bool(message.flags & dns.flags.AD)


# -- DNS --------------------------------------------------------------------------

@pytest.mark.parametrize("domain", [d for d in world.DOMAINS if d.dnssec != "silent"],
                         ids=lambda d: d.name)
def test_dns_of_each_domain(lab, domain):
    """Signed domains have AD, unsigned ones answer without, broken ones fail."""
    answer = ask(lab, domain.name, "MX")
    broken = domain.dnssec in ("bogus", "expired", "servfail")
    assert answer.rcode() == (dns.rcode.SERVFAIL if broken else dns.rcode.NOERROR)
    assert has_ad(answer) == (domain.dnssec == "signed")
    if not broken:
        found = {r.to_text() for s in answer.answer if s.rdtype == 15 for r in s}
        assert found == {f"{e.split()[0]} {e.split()[1].rstrip('.')}." for e in domain.mx}


def test_dns_denial_and_alias(lab):
    """Denial of existence is proved in signed zones; CNAMEs work, in the top zone too."""
    assert has_ad(ask(lab, "nosuch.secure.example", "A"))
    assert has_ad(ask(lab, "secure.example", "TLSA"))
    assert has_ad(ask(lab, "nosuch.example", "MX"))
    assert has_ad(ask(lab, "alias.secure.example", "MX"))
    assert has_ad(ask(lab, "alias-secure.example", "MX"))
    assert not has_ad(ask(lab, "alias-insecure.example", "MX"))


def test_dns_tlsa(lab):
    """TLSA: there and secure, denied, or failing."""
    assert has_ad(ask(lab, "_25._tcp.good.dane.example", "TLSA"))
    denied = ask(lab, "_25._tcp.notlsa.dane.example", "TLSA")
    assert has_ad(denied) and denied.rcode() == dns.rcode.NXDOMAIN
    assert ask(lab, "_25._tcp.tlsafail.dane.example", "TLSA").rcode() == dns.rcode.SERVFAIL
    assert has_ad(ask(lab, "tlsafail.dane.example", "A"))


def test_resolver_without_dnssec(lab):
    """It answers, also for bogus data, but never with AD or signatures."""
    for name in ("secure.example", "bogus.example"):
        answer = ask(lab, name, "MX", world.RESOLVER_NO_DNSSEC)
        assert not has_ad(answer) and answer.edns == -1
        assert [rrset.rdtype for rrset in answer.answer] == [15]


def test_dns_changes(lab):
    """Records change at once, signatures included, and come back with reset()."""
    lab.set_mx("secure.example", ["5 good2.mail.example"])
    answer = ask(lab, "secure.example", "MX")
    assert "5 good2.mail.example." in answer.to_text() and has_ad(answer)
    lab.set_txt("enforce.example", "v=STSv1; id=1;", '"v=STSv1; " "id=2;"')
    assert len(ask(lab, "_mta-sts.enforce.example", "TXT").answer[0]) == 2
    lab.remove_sts_txt("enforce.example")
    assert not ask(lab, "_mta-sts.enforce.example", "TXT").answer
    lab.set_rrset("tlsafail.dane.example", "A", ["192.0.2.11"], ttl_s=300)
    assert ask(lab, "tlsafail.dane.example", "A").answer[0].ttl > world.TTL_S
    lab.set_signing("secure.example", "expired")
    assert ask(lab, "secure.example", "MX").rcode() == dns.rcode.SERVFAIL
    assert lab.dns_queries("secure.example", "MX") == 2
    lab.reset()
    answer = ask(lab, "secure.example", "MX")
    assert "10 good.mail.example." in answer.to_text() and has_ad(answer)
    assert "20261101a" in ask(lab, "_mta-sts.enforce.example", "TXT").to_text()


# -- policy hosts -----------------------------------------------------------------

def fetch(lab, domain, timeout=30):
    """What Python's HTTPS client makes of a policy host: (status and type, body)."""
    code = ("import sys, urllib.request as u, urllib.error as e\n"
            "class No(u.HTTPRedirectHandler):\n"
            "    def redirect_request(self, *a): return None\n"
            "try: r = u.build_opener(No).open(sys.argv[1], timeout=2)\n"
            "except e.HTTPError as error: r = error\n"
            "except Exception as error: print('failed', error); sys.exit()\n"
            "print(r.status, r.headers.get('Content-Type'))\n"
            "print(r.read().decode(), end='')\n")
    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    out = lab.exec(["/usr/bin/python3", "-c", code, url], timeout=timeout).stdout
    head, _, body = out.partition("\n")
    return head, body


@pytest.mark.parametrize("domain", [d for d in world.DOMAINS if d.sts and not d.fault],
                         ids=lambda d: d.name)
def test_policy_is_served(lab, domain):
    """Each policy, over HTTPS with a certificate the system's bundle trusts."""
    assert fetch(lab, domain.name) == ("200 text/plain", world.domain_policy(domain))
    assert lab.policy_fetches(domain.name) == 1


@pytest.mark.parametrize("domain, head", [
    ("policydown.example", "failed <urlopen error [Errno 111]"),
    ("policystall.example", "failed "),
    ("policy404.example", "404 "),
    ("policy500.example", "500 "),
    ("policyredirect.example", "302 "),
    ("policyhtml.example", "200 text/html"),
    ("policynotype.example", "200 None"),
    ("policyloopback.example", "200 text/plain"),
    ("policycert.example", "failed <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]"),
    ("policyselfsigned.example", "failed <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]"),
    ("policywrongname.example", "failed <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]"),
    ("nopolicy.example", "failed <urlopen error [Errno -"),
])
def test_policy_faults(lab, domain, head):
    """Each broken policy host breaks in its own way."""
    assert fetch(lab, domain)[0].startswith(head)


def test_policy_big_and_trickle(lab):
    """One body is larger than any client should read, one never ends."""
    head, body = fetch(lab, "policybig.example")
    assert head == "200 text/plain" and len(body) > 500_000
    with pytest.raises(subprocess.TimeoutExpired):
        fetch(lab, "policytrickle.example", timeout=4)


def test_policy_changes(lab):
    """set_policy, faults and hosts going down take effect and are undone by reset()."""
    text = world.policy_text("testing", ["a.example"])
    lab.set_policy("rotate.example", text, id="20261102b")
    assert fetch(lab, "rotate.example")[1] == text
    assert "20261102b" in ask(lab, "_mta-sts.rotate.example", "TXT").to_text()
    lab.set_policy("shared-b.example", text)
    assert fetch(lab, "shared-b.example")[1] == text
    lab.set_policy_fault("rotate.example", "500")
    assert fetch(lab, "rotate.example")[0].startswith("500")
    lab.policy_host_down("enforce.example")
    assert fetch(lab, "enforce.example")[0].startswith("failed")
    lab.policy_host_up("enforce.example")
    assert fetch(lab, "enforce.example")[0].startswith("200")
    lab.reset()
    assert "mode: enforce" in fetch(lab, "rotate.example")[1]
    assert fetch(lab, "shared-b.example")[0].startswith("failed")


def test_report_endpoint(lab):
    """What is posted is kept with its headers; the answer can be changed."""
    code = ("import sys, urllib.request as u, urllib.error as e\n"
            "r = u.Request('https://reports.example/tlsrpt', b'BODY', {'Content-Type': 'a/b'})\n"
            "try: print(u.urlopen(r).status)\n"
            "except e.HTTPError as error: print(error.code)\n")
    assert lab.exec(["/usr/bin/python3", "-c", code]).stdout == "201\n"
    lab.set_report_status(503)
    assert lab.exec(["/usr/bin/python3", "-c", code]).stdout == "503\n"
    first = lab.posted_reports()[0]
    assert (first["path"], first["body"]) == ("/tlsrpt", b"BODY")
    assert first["headers"]["content-type"] == "a/b"
    assert lab.body_seen("BODY")


# -- MX hosts ---------------------------------------------------------------------

def presented(lab, host, verify):
    """The certificate (PEM) a host presents, and why it was refused, "" when it wasn't."""
    context = ssl.create_default_context(cafile=lab.ca_bundle)
    context.hostname_checks_common_name = False
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def look():
        with smtplib.SMTP(host.ip, timeout=5) as smtp:
            smtp._host = host.name      # the name smtplib uses for SNI and the check
            smtp.starttls(context=context)
            return ssl.DER_cert_to_PEM_cert(smtp.sock.getpeercert(True)).strip()

    try:
        return lab.in_network(look), ""
    except (OSError, smtplib.SMTPException) as error:
        return "", str(error)


def is_alike(host):
    """Those of the matrix differ by TLSA as well, and here that does not matter."""
    return host.name.endswith(world.MATRIX_HOSTS) and host.tlsa


@pytest.mark.parametrize("host", [
    h for h in world.HOSTS if h.cert != "none" and h.server != "none"
    and h.behaviour in ("good", "requiretls") and not is_alike(h)], ids=lambda h: h.name)
def test_certificates(lab, host):
    """Each host presents its own certificate, and it fails in its own way."""
    pem, _ = presented(lab, host, verify=False)
    leaf = (lab.state / "certs" / "mx" / layout.certificate_name(host.ip)).read_text()
    assert pem and pem in leaf
    error = presented(lab, host, verify=True)[1]
    wanted = {"lab": "", "expired": "certificate has expired", "notyet": "not yet valid",
              "selfsigned": "self-signed certificate",
              "wildcard": "", "partial": "Hostname mismatch", "extra": "",
              "privateca": "unable to get local issuer",
              "unknownca": "unable to get local issuer", "wrongname": "Hostname mismatch",
              "cnonly": "certificate is not valid for"}[host.cert]
    assert wanted in error and bool(wanted) == bool(error)


def test_host_without_tls(lab):
    """notls.mail.example is a real Exim that offers no STARTTLS."""
    assert "STARTTLS" in presented(lab, world.host_named("notls.mail.example"), verify=False)[1]


# -- delivery by stock Exim -------------------------------------------------------

def test_delivery_over_tls(lab):
    """A message arrives at the stock Exim, with its envelope, over TLS."""
    ids = lab.send("alice@lab.example", ["bob@nopolicy.example", "eve@nopolicy.example"],
                   {"Subject": "greetings"}, body="MARKER-A\n.dot\n")
    assert len(ids) == 1 and f"{ids[0]} Completed" in lab.mainlog()
    [message] = lab.received()
    assert (message.ip, message.mail_from) == ("192.0.2.11", "alice@lab.example")
    assert message.rcpts == ["bob@nopolicy.example", "eve@nopolicy.example"]
    assert message.tls.startswith("TLS1.") and message.by == "exim"
    assert message.parsed()["Subject"] == "greetings"
    assert message.message.endswith(b"\n\nMARKER-A\n.dot\n")
    assert {place.ip for place in lab.body_seen("MARKER-A")} == {"192.0.2.11"}
    assert lab.body_seen("MARKER-A", "192.0.2.12") == []
    assert "data tls=TLS1" in lab.mx_log("192.0.2.11") and not lab.mx_log("192.0.2.12")
    assert lab.queue() == [] and lab.paniclog() == ""


def test_delivery_dane(lab):
    """Stock Exim uses DANE here, and refuses a host whose TLSA does not match."""
    lab.send("alice@lab.example", ["bob@dane-good.example"])
    assert " CV=dane " in lab.mainlog()
    assert lab.received()[0].sni == "good.dane.example"
    lab.send("alice@lab.example", ["bob@dane-bad.example"], body="MARKER-B")
    assert [q.recipients for q in lab.queue()] == [["bob@dane-bad.example"]]
    assert lab.body_seen("MARKER-B") == []
    assert " mail " not in lab.mx_log("192.0.2.22")


@pytest.mark.parametrize("domain, ip, tls", [
    ("nopolicy-notls.example", "192.0.2.17", ""),
    ("nopolicy-selfsigned.example", "192.0.2.14", "TLS1.3"),
    ("nopolicy-scripted.example", "192.0.2.36", "TLS1.3"),
    ("enforce-plain.example", "192.0.2.31", ""),
    ("enforce-close.example", "192.0.2.32", ""),
    ("enforce-garbage.example", "192.0.2.33", ""),
    ("enforce-4xx.example", "192.0.2.34", ""),
    ("enforce-fallback.example", "192.0.2.11", "TLS1.3"),
    ("implicit.example", "192.0.2.41", "TLS1.3"),
    ("ipv6.example", "2001:db8::11", "TLS1.3"),
])
def test_delivery_opportunistic(lab, domain, ip, tls):
    """Plain Exim delivers to all of these, in clear text where TLS does not work."""
    lab.send("alice@lab.example", [f"bob@{domain}"], body="MARKER-C")
    [message] = lab.received()
    assert (message.ip, message.tls) == (ip, tls)
    assert b"MARKER-C" in message.message and lab.body_seen("MARKER-C", ip)


def test_bounce_and_via_t(lab):
    """Bounces reach the sender's mailbox; -t works as well as -bs."""
    assert len(lab.send("alice@lab.example", ["bob@nullmx.example"], via="t")) == 1
    [bounce] = lab.bounces("alice")
    assert bounce.sender == "" and "no SMTP service" in bounce.text
    assert lab.queue() == []


def test_queue_and_queue_run(lab):
    """A deferred message stays, and goes when its host is up again."""
    lab.set_behaviour("192.0.2.36", "reject-mail-4xx")
    [queue_id] = lab.send("alice@lab.example", ["bob@nopolicy-scripted.example"])
    assert [q.id for q in lab.queue()] == [queue_id]
    lab.set_behaviour("192.0.2.36", "good")
    lab.run_queue()
    assert lab.queue() == [] and len(lab.received("192.0.2.36")) == 1
    lab.send("alice@lab.example", ["bob@nopolicy.example"], queue_only=True)
    assert len(lab.queue()) == 1 and not lab.received("192.0.2.11")


@pytest.mark.parametrize("behaviour, inside_tls, outside_tls", [
    ("requiretls", True, False), ("requiretls-outside", False, True), ("good", False, False)])
def test_scripted_requiretls(lab, behaviour, inside_tls, outside_tls):
    """Where a scripted host offers REQUIRETLS."""
    lab.set_behaviour("192.0.2.36", behaviour)
    lab.send("alice@lab.example", ["bob@nopolicy-scripted.example"])
    offers = {bool(e["tls"]) for e in lab.transcript("192.0.2.36")
              if e["dir"] == "out" and e["line"].endswith("REQUIRETLS")}
    assert (True in offers, False in offers) == (inside_tls, outside_tls)


def test_scripted_single_field(lab):
    """A behaviour can be changed in one point."""
    lab.set_behaviour("192.0.2.36", "good", rcpt="550 5.1.1 not MARKER-D")
    lab.send("alice@lab.example", ["bob@nopolicy-scripted.example"])
    assert "not MARKER-D" in lab.bounces("alice")[0].text


# -- the lab itself ---------------------------------------------------------------

def test_exec(lab):
    """Status, input, output, user and time-out of commands."""
    assert lab.exec(["sh", "-c", "exit 7"], check=False).returncode == 7
    assert lab.exec(["cat"], input="x").stdout == "x"
    assert lab.exec(["id", "-un"], user="Debian-exim").stdout == "Debian-exim\n"
    assert lab.exec(["hostname"]).stdout == world.SENDER_NAME + "\n"
    before = set(inside.processes(lab.state))
    with pytest.raises(subprocess.TimeoutExpired):
        lab.exec(["sh", "-c", "sleep 30; true"], timeout=0.2)
    assert wait_for(lambda: set(inside.processes(lab.state)) <= before)
    command = [LAB, "--state", str(lab.state), "exec", "--", "sh", "-c", "exit 9"]
    assert subprocess.run(command, check=False).returncode == 9
    with pytest.raises(LabError, match="status 1"):
        lab.exec(["false"])


def test_system_files_are_safe(lab):
    """What the module must trust is owned by root and not writable by others."""
    for path in ("/etc/exim4", "/etc/exim4/exim4.conf", "/etc/exim4/trusted_configs"):
        mode, uid = lab.exec(["stat", "-c", "%a %u", path]).stdout.split()
        assert int(mode, 8) & 0o022 == 0 and uid == "0"
    assert lab.exec(["stat", "-c", "%U", "/var/spool/exim4"]).stdout == "Debian-exim\n"


def test_state_is_not_writable_by_others(lab):
    """Nor is any file of the state directory."""
    lab.send("alice@lab.example", ["bob@nopolicy.example", "bob@nopolicy-scripted.example"])
    lab.settle()
    for path in lab.state.rglob("*"):
        if path.is_file() or path.is_dir():
            assert path.stat().st_mode & 0o022 == 0, path


def test_install_stays_inside(lab):
    """/usr and /etc can be written to in the lab; the host sees nothing of it."""
    lab.install(LAB, "/usr/lib/exim4/lab-test/file")
    lab.exec(["test", "-x", "/usr/lib/exim4/lab-test/file"])
    assert not Path("/usr/lib/exim4/lab-test").exists()
    lab.exec(["rm", "-r", "/usr/lib/exim4/lab-test"])


def test_pause_and_restart(lab):
    """A resolver that hangs makes mail wait; a server that dies comes back."""
    lab.pause("mx")
    lab.resume("mx")
    lab.restart("mx")
    lab.restart("unbound")
    lab.send("alice@lab.example", ["bob@nopolicy.example"])
    assert len(lab.received("192.0.2.11")) == 1


def test_sender_daemon(lab):
    """The sending Exim can be a daemon too, with TLS; it is not mistaken for a delivery."""
    cert = f"/run/lab/certs/mx/{world.SENDER}.pem"
    lab.write_sender_conf(lab.sender_conf().replace(
        "never_users", f"tls_advertise_hosts = *\ntls_certificate = {cert}\nnever_users", 1))
    lab.start_daemon()
    lab.settle(1)
    host = world.host_named(world.SENDER_NAME)
    assert presented(lab, host, verify=True)[1] == ""
    lab.stop_daemon()
    assert "refused" in presented(lab, host, verify=False)[1]
    lab.write_sender_conf(lab.sender_conf())


def test_reset(lab):
    """Nothing is left of the test before."""
    lab.send("alice@lab.example", ["bob@dane-bad.example"])
    lab.send("alice@lab.example", ["bob@nopolicy.example"])
    lab.reset()
    assert lab.queue() == [] and lab.received() == [] and lab.mainlog() == ""
    assert not list((lab.state / "sender" / "spool" / "db").iterdir())


def mounts_and_processes(state):
    """What the host could still have of a lab."""
    mounts = Path("/proc/self/mounts").read_text()
    mine = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if str(state).encode() in command and pid != str(os.getpid()):
            mine.append(pid)
    return str(state) in mounts, mine


def test_two_labs_and_down():
    """A second lab at the same time; down leaves no process, no mount, no file."""
    with tempfile.TemporaryDirectory() as top:
        state = Path(top) / "second"
        mounts_before = Path("/proc/self/mounts").read_text()
        subprocess.run([LAB, "--state", str(state), "up"], check=True)
        subprocess.run([LAB, "--state", str(state), "status"], check=True)
        second = Lab.ensure(state)
        members = set(inside.processes(state))
        assert len(members) >= 8
        with pytest.raises(LabError, match="already up"):
            Lab(state).up()
        second.send("alice@lab.example", ["bob@secure.example"])
        assert len(second.received()) == 1
        subprocess.run([LAB, "--state", str(state), "down"], check=True)
        assert not state.exists() and not os.listdir(top)
        assert mounts_and_processes(state) == (False, [])
        assert not any(inside.lives(pid) for pid in members)
        assert Path("/proc/self/mounts").read_text() == mounts_before
        subprocess.run([LAB, "--state", str(state), "down"], check=True)


def test_up_after_crash():
    """Killing the first process ends all; the next `up` clears what is left."""
    with tempfile.TemporaryDirectory() as top:
        lab = Lab(Path(top) / "crash").up()
        members = set(inside.processes(lab.state))
        os.kill(inside.holder_pid(lab.state), signal.SIGKILL)
        assert wait_for(lambda: not any(inside.lives(pid) for pid in members))
        assert not lab.is_up()
        with pytest.raises(LabError, match="no lab is up"):
            Lab.attach(lab.state)
        (lab.state / "sender" / "mail" / "remains").touch()
        lab.up()
        assert not (lab.state / "sender" / "mail" / "remains").exists()
        lab.down()


def test_up_says_what_is_wrong():
    """A server that does not come up is named, with the end of its log."""
    with tempfile.TemporaryDirectory() as top:
        lab = Lab(Path(top) / "broken", mx_exim="/bin/false")
        with pytest.raises(LabError, match="mx ended with status 1; mx/log/mainlog ends"):
            lab.up()
        assert not lab.is_up()
        lab.down()
        stranger = Path(top) / "stranger"
        stranger.mkdir()
        (stranger / "file").touch()
        with pytest.raises(LabError, match="not a lab's state directory"):
            Lab(stranger).up()
        assert (stranger / "file").exists()


def test_world_is_consistent():
    """Every MX of the world is one of its hosts; names and addresses are unique."""
    names = [host.name for host in world.HOSTS]
    assert len(set(names)) == len(names) == len({host.ip for host in world.HOSTS})
    for domain in world.DOMAINS:
        for entry in domain.mx:
            assert entry.split()[1] in [*names, ".", world.SENDER_NAME]
    assert zones.txt('a"b') == '"a\\"b"'
