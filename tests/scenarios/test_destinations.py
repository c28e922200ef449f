"""Where mail goes: odd domains, odd MX lists, and this machine among the hosts."""

import json

import pytest

from mail import (GOOD, GOOD2, arrived, assert_bounced, assert_delivered, assert_waiting,
                  deliver)
from sender import world

HERE = "sender.lab.example"
IDN, IDN_U = "xn--bcher-kva.example", "bücher.example"


def publish(site, domain, *mx, policy=("*.mail.example", "*.smtp.example", HERE),
            mode="enforce"):
    """The domain's MX list, and a policy with these patterns."""
    site.lab.set_mx(domain, mx)
    site.lab.set_policy(domain, world.policy_text(mode, policy), id="destinations")


def hosts_of(site, address):
    """The hosts `exim -bt` shows for an address, in order; [] when it is not routed."""
    shown = site.lab.exec(["exim4", "-bt", address], check=False).stdout
    return [line.split()[1].lower() for line in shown.splitlines() if line.startswith("  host ")]


# --- the domain ----------------------------------------------------------------------

def test_subdomain_does_not_inherit(site):
    """A4.4, EDGE-CASES 19: no policy of the parent, which is not even asked for."""
    site.lab.set_mx("sub.enforce.example", ["10 selfsigned.mail.example"])
    assert_delivered(site, deliver(site, "bob@sub.enforce.example"))
    assert site.results("sub.enforce.example") == [("no-policy-found", "success")]
    assert site.lab.dns_queries("_mta-sts.sub.enforce.example") > 0
    assert site.lab.dns_queries("_mta-sts.enforce.example") == 0
    assert site.lab.policy_fetches("enforce.example") == 0


def test_domain_that_is_a_cname(site):
    """A4.6, EDGE-CASES 17: the policy domain is the name as written, not what it leads to."""
    site.lab.set_rrset("alias.rotate.example", "CNAME", ["enforce-selfsigned.example."])
    assert_delivered(site, deliver(site, "bob@alias.rotate.example"))
    assert site.results("alias.rotate.example") == [("no-policy-found", "success")]
    assert site.lab.dns_queries("_mta-sts.alias.rotate.example") > 0
    assert site.lab.dns_queries("_mta-sts.enforce-selfsigned.example") == 0


def test_idn_is_looked_up_as_a_label(site):
    """EDGE-CASES 15: DNS, URL, cache and journal know the A-label only, whichever way the
    domain was written."""
    site.lab.set_tlsrpt(IDN, "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example")
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    site.lab.write_sender_conf(conf.replace("never_users = root\n", "never_users = root\n"
                                            "smtputf8_advertise_hosts = *\n"))
    for domain in (IDN_U, IDN, IDN_U.upper(), IDN.upper()):
        marker = deliver(site, f"bob@{domain}", mail_params="SMTPUTF8")
        assert_delivered(site, marker, GOOD)
    assert site.results(IDN) == [("sts", "success")] * 4
    assert len(site.journal()) == 4
    assert site.lab.policy_fetches(IDN) == 1
    assert site.cache_file(IDN)
    assert len(list((site.lab.state / "sender/spool/requiretls/cache").glob("*/*"))) == 1


def test_case_and_final_dot_share_one_record(site):
    """EDGE-CASES 13: one domain, one lookup, one policy."""
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    site.lab.write_sender_conf(conf.replace("never_users = root\n", "never_users = root\n"
                                            "strip_trailing_dot\n"))
    for domain in ("enforce.example", "ENFORCE.example", "Enforce.Example."):
        assert_delivered(site, deliver(site, f"bob@{domain}"), GOOD)
        assert site.program("resolve", domain, user="Debian-exim").stdout.startswith(
            "enforce.example\n")
    assert site.results("enforce.example") == [("sts", "success")] * 3
    assert site.lab.policy_fetches("enforce.example") == 1
    assert len(list((site.lab.state / "sender/spool/requiretls/cache").glob("*/*"))) == 1


def test_address_literal_has_no_policy(site):
    """A4.3: the site's own way, and nothing is looked up. (Not ipliteral: on a stock 4.96
    that router's transport process dies in TLS, with this module or without.)"""
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    site.lab.write_sender_conf(conf.replace("\ndnslookup:\n", """
literal:
  driver = manualroute
  condition = ${if eq{${substr_0_1:$domain}}{[}}
  route_data = ${sg{$domain}{\\N[][]\\N}{}}
  transport = remote_smtp

dnslookup:
"""))
    assert_delivered(site, deliver(site, f"bob@[{GOOD}]"), GOOD)
    assert site.log() == "" and site.journal() == []
    assert "_mta-sts" not in (site.lab.state / "log/unbound.log").read_text()


@pytest.mark.parametrize("user,domain,status", [
    ("bob+requiretls", "secure-nullmx.example", "5.1.10"),
    ("bob", "nullmx.example", "5.1.10"),
    ("bob+requiretls", "rotate.example", "5.1.2"),
    ("bob", "rotate.example", "5.1.2"),
    ("bob+requiretls", "nosuch.example", "5.1.2"),
])
def test_no_host_for_mail(site, user, domain, status):
    """D13: null MX is one thing, no MX and no address, and no such domain, another; said by
    us where a policy or a flag makes it our business."""
    site.lab.set_policy("nullmx.example", world.policy_text("enforce", ("x.example",)))
    site.lab.set_mx("rotate.example", [])
    marker = deliver(site, f"{user}@{domain}")
    assert_bounced(site, marker, status, with_body="+" not in user)


@pytest.mark.parametrize("domain", ["nullmx.example", "nosuch.example"])
def test_no_host_for_plain_mail(site, domain):
    """Where nothing is protected the site's own router says no."""
    deliver(site, f"bob@{domain}")
    assert len(site.lab.bounces("alice")) == 1
    assert site.log() == ""


def test_no_answer_is_not_no_domain(site):
    """D13: SERVFAIL is temporary, flagged or not."""
    for user in ("bob", "bob+requiretls"):
        deliver(site, f"{user}@servfail.example")
    assert len(site.lab.queue()) == 2 and site.lab.bounces("alice") == []


@pytest.mark.parametrize("policy,delivered", [
    (("implicit.example",), True), (("*.implicit.example",), False),
    (("mail.implicit.example",), False),
])
def test_implicit_mx_and_policy(site, policy, delivered):
    """A6.3: without MX the domain itself is the host, and what the policy has to name."""
    publish(site, "implicit.example", policy=policy)
    marker = deliver(site, "bob@implicit.example")
    if delivered:
        assert assert_delivered(site, marker, "192.0.2.41").sni == "implicit.example"
    else:
        assert_waiting(site, marker)


def test_flagged_implicit_mx(site):
    """C2.2: nobody has to vouch for the name of the domain itself."""
    assert_delivered(site, deliver(site, "bob+requiretls@implicit.example"), "192.0.2.41")


# --- the MX list ---------------------------------------------------------------------

def test_mx_name_with_underscore(site):
    """EDGE-CASES 83: no host name by the book, and met: matched, sent as SNI, verified. (Of
    the TLS libraries only GnuTLS, as a server, refuses that SNI; that is a failed handshake.)
    """
    publish(site, "rotate.example", "10 under_score.mail.example")
    found = assert_delivered(site, deliver(site, "bob@rotate.example"), "192.0.2.66")
    assert found.sni == "under_score.mail.example"


@pytest.mark.parametrize("user", ["bob", "bob+requiretls"])
def test_mx_name_that_is_a_cname(site, user):
    """A6.2, EDGE-CASES 83: policy, certificate and SNI are about the name in the MX record,
    though Exim goes on with the name it leads to."""
    site.lab.set_rrsets({("aka.mail.example", "A"): [],
                         ("aka.mail.example", "CNAME"): ["one.smtp.example."],
                         ("one.smtp.example", "CNAME"): ["two.mail.example."],
                         ("two.mail.example", "A"): ["192.0.2.67"]})
    publish(site, "rotate.example", "10 down.smtp.example", "20 aka.mail.example",
            "30 good.mail.example", policy=("aka.mail.example",))
    found = assert_delivered(site, deliver(site, f"{user}@rotate.example"), "192.0.2.67")
    assert found.sni == "aka.mail.example"
    assert site.results("rotate.example")[-1] == ("sts", "success")
    assert site.journal()[-1]["mx"] == "aka.mail.example"


def test_fifty_hosts_and_only_the_last_is_good(site):
    """A6.9, EDGE-CASES 84: unreachable, outside the policy, with a bad certificate: 49 of
    them do not keep the 50th from its turn, in one attempt."""
    bad = []
    for number in range(49):
        zone = "smtp" if number % 3 == 0 else "mail"
        bad.append(f"{number + 1} m{number}.{zone}.example")
    names = {name.split()[1]: "192.0.2.99" if number % 3 == 1 else "192.0.2.14"
             for number, name in enumerate(bad)}
    site.lab.set_rrsets({(name, "A"): [ip] for name, ip in names.items()})
    publish(site, "rotate.example", *bad, "60 good.mail.example", policy=("*.mail.example",))
    marker = deliver(site, "bob@rotate.example")
    assert_delivered(site, marker, GOOD)
    results = site.results("rotate.example")
    assert results.count(("sts", "validation-failure")) == 17
    assert results.count(("sts", "certificate-not-trusted")) == 16
    assert results[-1] == ("sts", "success")


def test_equal_preferences_are_randomised(site):
    """F1: load is shared, and the order of preference is kept."""
    publish(site, "rotate.example", "10 good.mail.example", "10 good2.mail.example",
            "20 down.smtp.example")
    orders = [hosts_of(site, "bob@rotate.example") for _ in range(20)]
    assert {order[0] for order in orders} == {"good.mail.example", "good2.mail.example"}
    assert {order[2] for order in orders} == {"down.smtp.example"}


@pytest.mark.parametrize("user", ["bob", "bob+requiretls"])
@pytest.mark.parametrize("bad", ["mx.servfail.example", "nohost.mail.example"])
def test_one_name_without_address(site, bad, user):
    """EDGE-CASES 82: a host whose lookup fails, or that does not exist, does not keep the
    others from being tried."""
    for mx in ((f"10 {bad}", "20 good.mail.example"), (f"10 {bad}", "10 good.mail.example"),
               ("10 down.smtp.example", f"20 {bad}", "30 good.mail.example")):
        publish(site, "secure-sts.example", *mx,
                policy=("*.mail.example", "*.smtp.example", "mx.servfail.example"))
        site.lab.dns_flush()
        site.program("resolve", "--fresh", "secure-sts.example", user="Debian-exim")
        assert_delivered(site, deliver(site, f"{user}@secure-sts.example"), GOOD)
        site.forget_retries()


def test_no_name_with_address(site):
    """Nothing but failing lookups: temporary, flagged too."""
    publish(site, "secure-sts.example", "10 mx.servfail.example", "20 nohost.mail.example",
            policy=("*.servfail.example", "*.mail.example"))
    for user in ("bob", "bob+requiretls"):
        deliver(site, f"{user}@secure-sts.example")
        site.lab.run_queue()
    assert len(site.lab.queue()) == 2 and site.lab.bounces("alice") == []


# --- this machine in the MX list -----------------------------------------------------

LOOPS = {
    "second": ("10 good.mail.example", f"20 {HERE}", "30 good2.mail.example"),
    "equal": ("10 good.mail.example", f"20 {HERE}", "20 good2.mail.example",
              "20 selfsigned.mail.example", "20 expired.mail.example"),
    "better fails": ("10 mx.servfail.example", f"20 {HERE}", "30 good2.mail.example"),
    "one better fails": ("5 mx.servfail.example", "10 good.mail.example", f"20 {HERE}",
                         "20 good2.mail.example"),
    "two names of ours": ("10 good.mail.example", f"20 {HERE}", "30 also.mail.example"),
    "ignored address": ("10 loop.mail.example", "20 good.mail.example"),
}


@pytest.mark.parametrize("case", LOOPS)
def test_loop_as_dnslookup_sees_it(site, case):
    """F1, A6.9: hosts at or below our own preference get nothing; the same hosts remain as
    with Exim's own dnslookup router."""
    site.lab.set_rrsets({("also.mail.example", "A"): [world.SENDER],
                         ("loop.mail.example", "A"): ["127.0.0.1"]})
    publish(site, "rotate.example", *LOOPS[case],
            policy=("*.mail.example", "*.servfail.example"))
    site.lab.set_mx("nopolicy.example", LOOPS[case])
    for _ in range(6):
        ours = hosts_of(site, "bob@rotate.example")
        theirs = hosts_of(site, "bob@nopolicy.example")
        # Whose addresses cannot be had has a dummy address with us, and is refused; dnslookup
        # says "later" when there is no other.
        wanted = [host.replace("mx.servfail.example", "192.0.0.8") for host in theirs]
        assert ours == (["192.0.0.8"] if case == "better fails" else wanted), case
        assert HERE not in ours and "good2.mail.example" not in ours


def test_loop_is_cut_for_real_mail(site):
    """The better host is down: the message waits, and goes nowhere else."""
    publish(site, "rotate.example", "10 down.smtp.example", f"20 {HERE}",
            "20 good.mail.example", "20 good2.mail.example")
    for _ in range(3):
        assert site.lab.body_seen(deliver(site, "bob@rotate.example")) == []
        site.forget_retries()
    assert site.lab.mx_log(GOOD) == "" and site.lab.mx_log(GOOD2) == ""
    assert f"[{world.SENDER}]" not in site.lab.mainlog()
    assert site.lab.bounces("alice") == [] and "frozen" not in site.lab.mainlog()


@pytest.mark.parametrize("domain", ["rotate.example", "nopolicy.example"])
def test_we_are_the_best_host(site, domain):
    """A configuration error, and Exim's answer to it in both ways: frozen for a look by the
    postmaster; not sent to the others."""
    mx = (f"10 {HERE}", "10 good2.mail.example", "20 good.mail.example")
    publish(site, "rotate.example", *mx)
    site.lab.set_mx("nopolicy.example", mx)
    marker = deliver(site, f"bob@{domain}")
    assert arrived(site, marker) == []
    assert "Frozen" in site.lab.mainlog()


@pytest.mark.parametrize("better", ["mx.servfail.example", "nohost.mail.example"])
def test_better_host_cannot_be_looked_up(site, better):
    """Where the hosts before us cannot be found now it is no loop: the message waits, not
    frozen."""
    publish(site, "rotate.example", f"10 {better}", f"20 {HERE}", "20 good.mail.example",
            policy=("*.mail.example", "*.servfail.example", HERE))
    for _ in range(3):
        deliver(site, "bob@rotate.example")
    assert site.lab.mx_log(GOOD) == "" and len(site.lab.queue()) == 3
    assert "rozen" not in site.lab.mainlog()


# --- smart hosts ---------------------------------------------------------------------

# As Debian's "smarthost" has it: the site's own router and transport, and ours before them.
SMART_CONF = (
    (".include /usr/share/exim-requiretls/main.conf", """REQUIRETLS_VIA = THERE
REQUIRETLS_LOGIN_HOSTS = *
.include /usr/share/exim-requiretls/main.conf"""),
    ("""dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8
  dnssec_request_domains = *
""", """smarthost:
  driver = manualroute
  domains = ! +local_domains
  transport = remote_smtp_smarthost
  route_list = * THERE byname
  host_find_failed = ignore
"""),
    ("""remote_smtp:
  driver = smtp
  hosts_try_dane = *
  dnssec_request_domains = *
  event_action = REQUIRETLS_EVENT
  multi_domain = false
""", """remote_smtp_smarthost:
  driver = smtp
  multi_domain
  hosts_try_auth = *
  event_action = REQUIRETLS_EVENT
"""),
    ("begin retry\n", """begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^lab^secret

begin retry
"""),
)
RELAY, RELAY_DANE, RELAY_PLAIN = "192.0.2.61", "192.0.2.64", "192.0.2.65"


def behind(site, hosts, *changes):
    """The site sends all its mail to these smart hosts."""
    site.reset()
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    for old, new in (*SMART_CONF, *changes):
        assert old in conf, old
        conf = conf.replace(old, new)
    site.lab.write_sender_conf(f"THERE = {hosts}\n{conf}")


@pytest.mark.parametrize("hosts", ["relay.example", "relay.example::587",
                                   "relay.example : good2.mail.example",
                                   "down.wire.example:relay.example::587"])
def test_smart_host_with_policy(site, hosts):
    """A4.2: the smart host's policy is the one that is looked up and applied, and what is
    counted is counted for it; the recipient's domain is the smart host's business. Login and
    port are as without us."""
    behind(site, hosts)
    marker = deliver(site, "bob@nosuch.example", "carol@enforce-expired.example")
    found = assert_delivered(site, marker, RELAY)
    assert found.sni == "relay.example"
    assert sorted(found.rcpts) == ["bob@nosuch.example", "carol@enforce-expired.example"]
    assert "T=requiretls_enforce" in site.lab.mainlog()
    assert (" A=plain" in site.lab.mainlog()) == ("587" in hosts)
    assert site.results("relay.example") == [("sts", "success")]
    assert site.lab.dns_queries("_mta-sts.relay.example") > 0
    for domain in ("nosuch.example", "enforce-expired.example"):
        assert site.lab.dns_queries(f"_mta-sts.{domain}") == 0
        assert site.lab.dns_queries(domain, "MX") == 0


@pytest.mark.parametrize("hosts,result", [
    ("relay-expired.example", "certificate-expired"),
    ("relay-expired.example::587", "certificate-expired"),
    ("relay-outside.example", "validation-failure"),
])
def test_smart_host_against_its_policy(site, hosts, result):
    """A4.2, A6.7: no way around the smart host's own policy."""
    behind(site, hosts)
    for user in ("bob", "bob+requiretls"):
        assert site.lab.body_seen(deliver(site, f"{user}@nopolicy.example")) == []
        site.forget_retries()
    assert len(site.lab.queue()) == 2 and site.lab.bounces("alice") == []
    assert set(site.results(hosts.partition(":")[0])) == {("sts", result)}


def test_smart_host_by_tls_on_connect(site):
    """Port 465, where TLS comes first: verified and counted like any other. Nor does it
    matter whether MX hosts may have such an address."""
    smtps = ("REQUIRETLS_LOGIN_HOSTS = *\n", "REQUIRETLS_LOGIN_HOSTS = *\n"
             "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\n"
             "REQUIRETLS_IGNORE_TARGET_HOSTS = 192.0.2.0/24\n")
    behind(site, "relay.example", smtps)
    assert_delivered(site, deliver(site, "bob@nopolicy.example"), RELAY)
    assert site.results("relay.example") == [("sts", "success")]
    behind(site, "relay-expired.example", smtps)
    assert_waiting(site, deliver(site, "bob@nopolicy.example"))
    assert site.results("relay-expired.example") == [("sts", "certificate-expired")]


@pytest.mark.parametrize("port", ["", "::587"])
def test_smart_host_with_dane(site, port):
    """DANE for the smart host, which the site's own router, by name, would not see: its
    certificate is good by TLSA only."""
    behind(site, f"relay-dane.example{port}")
    if port:
        digests = json.loads((site.lab.state / "knot/digests.json").read_text())
        site.lab.set_rrsets({
            ("_25._tcp.relay-dane.example", "TLSA"): [],
            ("_587._tcp.relay-dane.example", "TLSA"):
                [f"3 1 1 {digests['relay-dane.example']}"]})
    for user in ("bob", "bob+requiretls"):
        assert_delivered(site, deliver(site, f"{user}@nopolicy.example"), RELAY_DANE)
    assert site.lab.mainlog().count("CV=dane") == 2
    assert site.results("relay-dane.example") == [("tlsa", "success")] * 2
    site.lab.set_rrset(f"_{port[2:] or 25}._tcp.relay-dane.example", "TLSA",
                       ["3 1 1 " + "00" * 32])
    assert_waiting(site, deliver(site, "bob@nopolicy.example"))


def test_smart_host_without_policy(site):
    """Neither policy nor DANE: the site's own way, counted for the smart host; a flagged
    message wants its certificate verified."""
    behind(site, "relay-plain.example")
    assert_delivered(site, deliver(site, "bob@enforce-expired.example"), RELAY_PLAIN)
    assert "T=remote_smtp_smarthost" in site.lab.mainlog()
    assert site.results("relay-plain.example") == [("no-policy-found", "success")]
    assert site.log() == ""
    marker = deliver(site, "bob+requiretls@secure.example")
    assert_waiting(site, marker)
    site.lab.run_queue()
    assert "no host of relay-plain.example qualifies" in assert_bounced(
        site, marker, "5.7.10")


@pytest.mark.parametrize("hosts", ["good.mail.example", "relay.example::587",
                                   "relay-plain.example:good.mail.example"])
def test_flagged_by_smart_host(site, hosts):
    """C2.2: the configuration names the host, so nothing else has to; the certificate is
    verified, whether a policy asks for it or not."""
    behind(site, hosts)
    found = assert_delivered(site, deliver(site, "bob+requiretls@nopolicy-notls.example"))
    assert found.sni in hosts and found.rcpts == ["bob@nopolicy-notls.example"]
    assert "nopolicy-notls.example via=" in site.log() and "class=strict" in site.log()


def test_flagged_by_several_smart_hosts(site):
    """All refused: it comes back, and names the first."""
    behind(site, "relay-plain.example : selfsigned.mail.example")
    marker = deliver(site, "bob+requiretls@secure.example")
    assert_waiting(site, marker)
    site.lab.run_queue()
    assert "no host of relay-plain.example qualifies" in assert_bounced(
        site, marker, "5.7.10")


@pytest.mark.parametrize("hosts", [RELAY_PLAIN, f"[{RELAY_PLAIN}]::587"])
def test_smart_host_by_address(site, hosts):
    """A4.3, EDGE-CASES 81: an address has no policy, and nothing to verify."""
    behind(site, hosts)
    for headers in ({}, {"TLS-Required": "No"}):
        marker = deliver(site, "bob@enforce-expired.example", headers=headers)
        assert_delivered(site, marker, RELAY_PLAIN)
    assert "_mta-sts" not in (site.lab.state / "log/unbound.log").read_text()
    assert site.journal() == []
    assert_bounced(site, deliver(site, "bob+requiretls@secure.example"), "5.7.10")


def test_smart_host_relaxed(site):
    """TLS-Required: No goes by the site's own way, past the smart host's policy, and never
    past the smart host."""
    behind(site, "relay-expired.example")
    marker = deliver(site, "bob@enforce-expired.example", headers={"TLS-Required": "No"})
    assert_delivered(site, marker, "192.0.2.62")
    assert "T=remote_smtp_smarthost" in site.lab.mainlog() and site.journal() == []


def test_smart_host_by_mx(site):
    """With /mx the MX hosts of a domain are meant: its policy counts, and for a flagged
    message somebody has to vouch for their names."""
    behind(site, "enforce.example/mx")
    for user in ("bob", "bob+requiretls"):
        marker = deliver(site, f"{user}@nopolicy-notls.example")
        assert_delivered(site, marker, GOOD)
    assert site.results("enforce.example") == [("sts", "success")] * 2
    behind(site, "nopolicy.example/mx")
    assert_bounced(site, deliver(site, "bob+requiretls@secure.example"), "5.7.10")


def test_smart_host_in_testing(site):
    """A6.8: judged by its name, delivered all the same."""
    behind(site, "relay-plain.example")
    site.lab.set_policy("relay-plain.example",
                        world.policy_text("testing", ("relay-plain.example",)), id="t1")
    assert_delivered(site, deliver(site, "bob@secure.example"), RELAY_PLAIN)
    assert site.results("relay-plain.example") == [("sts", "certificate-not-trusted")]


def test_smart_host_that_only_hosts_knows(site):
    """/etc/hosts, which DNS does not know: found as the site finds it, without a policy, and
    good for a flagged message when its certificate is."""
    behind(site, "relay.internal : relay.example")
    hosts = site.lab.state / "etc/hosts"
    before = hosts.read_text()
    hosts.write_text(before + f"{RELAY} relay.internal\n")
    try:
        assert_delivered(site, deliver(site, "bob+requiretls@secure.example"), RELAY)
    finally:
        hosts.write_text(before)
    assert "host relay.internal certificate refused" in site.log()


def test_smart_host_that_dns_cannot_find_now(site):
    """Not sent by the address in /etc/hosts while nobody can say whether DANE applies."""
    behind(site, "relay.servfail.example")
    hosts = site.lab.state / "etc/hosts"
    before = hosts.read_text()
    hosts.write_text(before + f"{RELAY_PLAIN} relay.servfail.example\n")
    try:
        assert_waiting(site, deliver(site, "bob@secure.example"))
    finally:
        hosts.write_text(before)


def test_no_smart_host_for_some(site):
    """The list is expanded, for each recipient; where it is empty MX records count."""
    behind(site, "${if eq{$domain}{secure.example}{}{relay.example}}")
    marker = deliver(site, "bob+requiretls@secure.example", "carol@nopolicy.example")
    assert sorted(m.ip for m in arrived(site, marker)) == [GOOD, RELAY]


def test_smart_hosts_that_cannot_be_understood(site):
    """Exim's business; said, and no way around for what is flagged."""
    behind(site, "nopolicy.example/mx:relay.example")
    assert_delivered(site, deliver(site, "bob@secure.example"), GOOD)
    assert "smart hosts not understood" in site.log()
    assert_bounced(site, deliver(site, "bob+requiretls@secure.example"), "5.7.10")
