"""Where mail goes: odd domains, odd MX lists, and this machine among the hosts."""

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
        assert ours == [host for host in theirs if host != "mx.servfail.example"], case
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
