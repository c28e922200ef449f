"""What a determined reviewer found once: each of these leaked, bounced or waited wrongly."""

import time

import pytest

from mail import ALICE, GOOD, arrived, assert_delivered, assert_waiting, deliver
from sender import SPOOL, new_marker, world

ALICE_LINE = 'set acl_m_requiretls = yes\n  accept'


def replace_conf(site, old, new):
    """Change the sender's configuration in one place."""
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    assert old in conf
    site.lab.write_sender_conf(conf.replace(old, new))


# --- Exim's memory of hosts ---------------------------------------------------------

def test_dead_address_of_a_host_does_not_block_the_other(site):
    """A host with an unreachable AAAA and a good A: every message gets there."""
    site.lab.set_rrset("good.mail.example", "AAAA", ["2001:db8:dead::1"])
    for _ in range(3):
        assert_delivered(site, deliver(site, "bob@enforce.example"), GOOD)
        assert_delivered(site, deliver(site, "bob+requiretls@secure.example"), GOOD)


def test_enforced_delivery_over_ipv6(site):
    """The interface that keeps retry records apart serves both families."""
    site.lab.set_policy("ipv6.example", world.policy_text("enforce", ("v6.mail.example",)),
                        id="six")
    found = assert_delivered(site, deliver(site, "bob@ipv6.example"), "2001:db8::11")
    assert found.sni == "v6.mail.example"
    assert "T=requiretls_enforce" in site.lab.mainlog()


@pytest.mark.parametrize("bad,plain", [
    ("enforce-notls.example", "nopolicy-notls.example"),
    ("shared-c.example", "shared-b.example"),
])
def test_refused_host_is_open_to_the_other_recipient(site, bad, plain):
    """One message, two domains with the same host, one of them refuses it: the other's
    recipient gets it at once."""
    replace_conf(site, "never_users = root\n", "never_users = root\nremote_max_parallel = 1\n")
    marker = deliver(site, f"a@{bad}", f"b@{plain}")
    assert [m.rcpts for m in arrived(site, marker)] == [[f"b@{plain}"]]
    assert [q.recipients for q in site.lab.queue()] == [[f"a@{bad}"]]


def test_refusals_of_two_domains_have_retry_records_of_their_own(site):
    """The first refusal of a domain is its own, not a record that another domain made."""
    deliver(site, "c@shared-c.example")
    before = site.results("enforce-allmismatch.example")
    deliver(site, "c@enforce-allmismatch.example")
    assert before == []
    assert len(site.results("enforce-allmismatch.example")) == 2


def test_flagged_defer_does_not_delay_ordinary_mail_of_the_domain(site):
    """A flagged message that has to wait at routing leaves no record for the domain."""
    deliver(site, "bob+requiretls@policydown.example")
    marker = new_marker()
    site.lab.send(ALICE, ["carol@policydown.example"], body=marker, queue_only=True)
    site.lab.run_queue(force=False)
    assert_delivered(site, marker, GOOD)


# --- bounces that would be premature -------------------------------------------------

def test_flagged_waits_while_a_host_was_passed_over(site):
    """A host whose retry time has not come was not asked: no bounce."""
    site.lab.set_mx("secure.example", ["10 down.smtp.example"])
    deliver(site, "bob+requiretls@secure.example")
    site.lab.set_mx("secure-selfsigned.example",
                    ["10 down.smtp.example", "20 selfsigned.mail.example"])
    marker = deliver(site, "bob+requiretls@secure-selfsigned.example")
    site.lab.run_queue()
    assert site.lab.body_seen(marker) == []
    assert site.lab.bounces("alice") == [] and len(site.lab.queue()) == 2


@pytest.mark.parametrize("host", ["close.smtp.example", "garbage.smtp.example"])
def test_flagged_waits_after_a_broken_handshake(site, host):
    """What broke off says nothing about the certificate."""
    site.lab.set_mx("secure.example", [f"10 {host}"])
    marker = deliver(site, "bob+requiretls@secure.example")
    site.lab.run_queue()
    assert_waiting(site, marker)


def test_flagged_waits_while_our_ca_bundle_is_empty(site):
    """Our own trouble is nobody's refusal, and no local path reaches the sender."""
    site.lab.write_etc("empty.pem", "")
    site.configure(ca_file="/etc/exim4/empty.pem")
    marker = deliver(site, "bob+requiretls@secure-selfsigned.example")
    site.lab.run_queue()
    assert_waiting(site, marker)
    assert "no certificate in it" in site.log()


# --- flags that would be lost --------------------------------------------------------

@pytest.mark.parametrize("recipient,sender", [
    ("bob+requiretls@nopolicy-notls.example", "alice@lab.example"),
    ("bob@nopolicy-notls.example", "ceo@board.lab.example"),
])
def test_cutthrough_of_flagged_mail(site, recipient, sender):
    """Cut-through delivery comes before local_scan(): tag and ACL variable count already."""
    replace_conf(site, ALICE_LINE, "set acl_m_requiretls = yes\n"
                 "  warn control = cutthrough_delivery\n       verify = recipient\n  accept")
    marker = deliver(site, recipient, sender=sender)
    assert site.lab.body_seen(marker) == [], site.lab.mainlog()


def test_alias_to_a_tagged_address(site):
    """A tag that appears after reception protects too."""
    replace_conf(site, "begin routers\n", "begin routers\n\nalias:\n  driver = redirect\n"
                 "  domains = lab.example\n  local_parts = carol\n"
                 "  data = bob+requiretls@nopolicy-notls.example\n")
    marker = deliver(site, "carol@lab.example")
    assert site.lab.body_seen(marker) == []
    assert "5.7.10" in site.lab.bounces("alice")[0].text


def test_flagged_by_the_site_with_an_empty_sender(site):
    """Only reports are lenient; a receipt that a rule flags does not go in clear, and it
    is not lost."""
    site.rules("flag Subject *[secure]*\n")
    marker = deliver(site, "bob@nopolicy-notls.example", sender="",
                     headers={"Subject": "read: [secure]"})
    assert site.lab.body_seen(marker) == []
    assert [q.frozen for q in site.lab.queue()] == [True]


def test_rule_on_a_very_long_header(site):
    """No header is too long for a rule."""
    site.rules("flag To *@nopolicy-notls.example\n")
    many = ",\n ".join(f"user{n}@elsewhere.example" for n in range(3000))
    marker = deliver(site, "bob@nopolicy-notls.example",
                     headers={"To": f"{many},\n bob@nopolicy-notls.example"})
    assert site.lab.body_seen(marker) == []


def test_any_word_but_no_flags(site):
    """acl_m_requiretls = required is no typing mistake to send mail in clear by."""
    replace_conf(site, "set acl_m_requiretls = yes", "set acl_m_requiretls = required")
    marker = deliver(site, "bob@nopolicy-notls.example", sender="alice@board.lab.example")
    assert site.lab.body_seen(marker) == []


# --- bodies in reports ---------------------------------------------------------------

def test_bounce_of_an_internationalized_message_has_no_body(site):
    """SMTPUTF8: the returned message is of another type."""
    replace_conf(site, "never_users = root\n",
                 "never_users = root\nsmtputf8_advertise_hosts = *\n")
    marker = deliver(site, "bob+requiretls@nopolicy.example", mail_params="SMTPUTF8",
                     headers={"Subject": "Grüße"})
    bounces = site.lab.bounces("alice")
    assert len(bounces) == 1, site.lab.mainlog()
    assert marker not in bounces[0].text


def test_bounce_from_a_named_queue_has_no_body(site):
    """The spool file of a message in a named queue stands elsewhere."""
    replace_conf(site, ALICE_LINE, "set acl_m_requiretls = yes\n  warn queue = slow\n  accept")
    marker = new_marker()
    site.lab.send(ALICE, ["bob+requiretls@nopolicy.example"], body=marker, queue_only=True)
    site.lab.exec(["exim4", "-qGslow"])
    site.lab.run_queue()
    bounces = site.lab.bounces("alice")
    assert len(bounces) == 1, site.lab.mainlog()
    assert marker not in bounces[0].text


# --- time ----------------------------------------------------------------------------

def test_many_recipients_ask_dns_once(site):
    """The look at DNS before a bounce is one for all recipients of the domain."""
    deliver(site, "bob@nopolicy.example")
    asked = site.lab.dns_queries("nopolicy.example", "MX")
    deliver(site, *[f"u{n}+requiretls@nopolicy.example" for n in range(40)])
    assert site.lab.dns_queries("nopolicy.example", "MX") - asked <= 4


def test_silent_name_servers_of_a_policy_host(site):
    """They hold nobody up beyond the fetch's own limit, and what DNS said is kept."""
    site.lab.set_rrset("mta-sts.policycert.example", "A", [])
    site.lab.set_rrset("mta-sts.policycert.example", "CNAME", ["x.silent.example."])
    site.lab.dns_flush()
    marker = deliver(site, "bob@policycert.example")
    assert_delivered(site, marker, GOOD)
    assert "time budget" not in site.log()
    assert "fetch failed" in site.cache_file("policycert.example").read_text()


def test_back_off_is_on_disk_before_the_fetch(site):
    """Killed in the middle of a fetch, the program leaves its back-off behind."""
    site.configure(resolve_timeout="30s", fetch_timeout="20s")
    site.lab.exec(["/bin/sh", "-c",
                   "setpriv --reuid=Debian-exim --regid=Debian-exim --clear-groups "
                   "exim-requiretls resolve policystall.example & "
                   "for i in $(seq 200); do "
                   f"grep -qs '^fetch running' {SPOOL}/cache/*/policystall.example && break; "
                   "sleep 0.05; done; kill -KILL $!"])
    text = site.cache_file("policystall.example").read_text()
    assert "mx 10 good.mail.example" in text and "fetch running" in text
    assert "\nfetch-retry 20" in text


def test_refresh_says_what_changed(site):
    """The nightly refresh is the first to see a weakened policy: it says so."""
    deliver(site, "bob@rotate.example")
    site.lab.set_policy("rotate.example", world.policy_text("none", ()), id="weaker")
    site.lab.dns_flush()
    assert "got weaker: none, was enforce" in site.program("cache", "refresh", "--all").stdout


def test_policy_that_ran_out_is_told_of(site):
    """Protection does not end without a word."""
    deliver(site, "bob@rotate.example")
    site.lab.policy_host_down("rotate.example")
    site.lab.dns_flush()
    record = site.cache_file("rotate.example")
    text = record.read_text()
    lines = [("policy-fetched 2026-01-01T00:00:00Z" if line.startswith("policy-fetched") else
              "policy-until 2026-01-02T00:00:00Z" if line.startswith("policy-until") else line)
             for line in text.splitlines()]
    record.write_text("\n".join(lines) + "\n")
    time.sleep(2.1)
    deliver(site, "bob@rotate.example")
    assert "MTA-STS policy of rotate.example (enforce) ran out" in site.log()


def test_configuration_exim_cannot_read(site):
    """Root can read everything; config tells whether the Exim user can."""
    site.lab.exec(["chmod", "600", "/etc/exim4/requiretls.conf"])
    told = site.program("config", check=False)
    assert told.returncode == 78 and "cannot read it" in told.stderr
