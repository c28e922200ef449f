"""The main job: real mail through stock Exim, and what arrived.

Every failing case is checked at the receiving side: no byte of the body may have reached
a host that should not have it.
"""

import pytest

from mail import (ALICE, GOOD, GOOD2, arrived, assert_bounced, assert_delivered,
                  assert_waiting, deliver)
from sender import new_marker, world


# --- how a message is flagged -------------------------------------------------------

def test_tag_flags_and_comes_off(site):
    """C1.4: bob+requiretls@ is flagged, and bob gets it."""
    marker = deliver(site, "bob+requiretls@secure.example")
    assert assert_delivered(site, marker, GOOD).rcpts == ["bob@secure.example"]
    assert "class=strict by=tag" in site.log()


def test_tag_off(site):
    """requiretls_tag = off leaves the address as it is."""
    site.configure(requiretls_tag="off")
    marker = deliver(site, "bob+requiretls@secure.example")
    assert assert_delivered(site, marker).rcpts == ["bob+requiretls@secure.example"]
    assert "class=strict" not in site.log()


def test_acl_variable_flags(site):
    """acl_m_requiretls = yes, set by the site's ACL for one sender domain."""
    marker = deliver(site, "bob@secure.example", sender="ceo@board.lab.example")
    assert_delivered(site, marker, GOOD)
    assert "class=strict by=acl" in site.log()


@pytest.mark.parametrize("subject,flagged", [
    ("Offer [SECURE] for you", True),
    ("=?utf-8?q?Angebot_=5Bsecure=5D_f=C3=BCr_Sie?=", True),
    ("secure", False),
])
def test_rule_flags(site, subject, flagged):
    """flag Subject *[secure]*: brackets are themselves, case does not count, encoded
    words are decoded."""
    site.rules("# the board's rule\nflag Subject *[secure]*\n")
    marker = deliver(site, "bob@secure.example", headers={"Subject": subject})
    assert_delivered(site, marker, GOOD)
    assert ("class=strict by=rule" in site.log()) == flagged


def test_one_tagged_recipient_flags_the_whole_message(site):
    """A message is flagged as a whole."""
    marker = deliver(site, "bob+requiretls@secure.example", "carol@secure.example")
    found = arrived(site, marker)
    assert sorted(r for m in found for r in m.rcpts) == ["bob@secure.example",
                                                         "carol@secure.example"]
    assert all(m.tls for m in found)
    assert site.lab.mainlog().count("T=requiretls_strict") == 2
    assert "T=remote_smtp" not in site.lab.mainlog()


def test_rules_that_do_not_parse_refuse_mail_for_now(site):
    """Never mail sent as if there were no rules; the program says where the mistake is."""
    site.rules("flag Subject *[secure]*\nflog Subject x\n")
    reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                          "RCPT TO:<bob@nopolicy.example>\r\nDATA\r\nSubject: x\r\n\r\n"
                          "BODY\r\n.\r\nQUIT\r\n")
    assert "\n451 " in reply
    assert site.lab.queue() == [] and site.lab.received() == []
    told = site.program("config", check=False)
    assert told.returncode == 78
    assert "requiretls.rules" in told.stdout + told.stderr
    assert "line 2" in told.stdout + told.stderr


def test_configuration_that_does_not_parse_defers(site):
    """What was received before the mistake waits; nothing goes out unprotected."""
    marker = new_marker()
    site.lab.send(ALICE, ["bob@nopolicy.example"], body=marker, queue_only=True)
    site.configure(mta_sts="perhaps")
    site.lab.run_queue()
    assert_waiting(site, marker)
    assert "requiretls.conf: line" in site.log()
    site.configure()
    site.lab.run_queue()
    assert_delivered(site, marker)


def test_configuration_of_another_user_does_not_count(site):
    """A file that others can write has no power: fail closed."""
    site.lab.exec(["chmod", "666", "/etc/exim4/requiretls.conf"])
    reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                          "RCPT TO:<bob@nopolicy.example>\r\nDATA\r\nSubject: x\r\n\r\n"
                          "BODY\r\n.\r\nQUIT\r\n")
    assert "\n451 " in reply
    assert site.lab.received() == []


# --- flagged messages ---------------------------------------------------------------

def test_flagged_secure_mx_good_certificate(site):
    """C2.1-C2.3: MX by DNSSEC, certificate verified, SNI sent."""
    marker = deliver(site, "bob+requiretls@secure.example")
    found = assert_delivered(site, marker, GOOD)
    assert found.sni == "good.mail.example"
    assert "mx=good.mail.example (DNSSEC)" in site.log()


def test_flagged_insecure_mx_no_policy_bounces_at_once(site):
    """C2.2, C2.7: nothing vouches for the MX name: 5.7.10, nothing sent."""
    marker = deliver(site, "bob+requiretls@nopolicy.example")
    assert_bounced(site, marker, "5.7.10")
    assert site.lab.mx_log(GOOD) == ""


def test_flagged_insecure_mx_with_matching_policy(site):
    """C2.2: the MTA-STS policy vouches for the MX name."""
    marker = deliver(site, "bob+requiretls@enforce.example")
    assert_delivered(site, marker, GOOD)
    assert "class=strict by=tag sts=enforce" in site.log()


def test_flagged_insecure_mx_with_testing_policy(site):
    """Our reading of C2.2: a policy in mode testing vouches for names too."""
    marker = deliver(site, "bob+requiretls@testing.example")
    assert_delivered(site, marker, GOOD)


def test_flagged_testing_policy_that_does_not_match_bounces(site):
    """C2.2: it vouches for other names."""
    marker = deliver(site, "bob+requiretls@testing-mismatch.example")
    assert_bounced(site, marker, "5.7.10")


def test_flagged_looks_at_dns_again_before_a_bounce(site):
    """A5.8, C2.9: what the cache says is too old to bounce by."""
    site.lab.set_rrset("nopolicy.example", "MX", ["10 good.mail.example."], ttl_s=300)
    deliver(site, "bob@nopolicy.example")
    site.lab.set_policy("nopolicy.example",
                        world.policy_text("enforce", ("good.mail.example",)), id="new1")
    site.lab.dns_flush()
    marker = deliver(site, "bob+requiretls@nopolicy.example")
    assert_delivered(site, marker, GOOD)
    assert "class=strict by=tag sts=enforce id=new1" in site.log()


@pytest.mark.parametrize("changed", [False, True])
def test_flagged_looks_at_dns_again_before_it_bounces_under_a_policy(site, changed):
    """A5.8: all hosts were refused while a policy was enforced. Its TXT record is looked up once
    more; under a new one the hosts are tried once more, else the message comes back."""
    domain, txt = "enforce-selfsigned.example", "_mta-sts.enforce-selfsigned.example"
    site.lab.set_rrset(domain, "MX", ["10 selfsigned.mail.example."], ttl_s=300)
    marker = deliver(site, f"bob+requiretls@{domain}")
    assert_waiting(site, marker)
    asked = site.lab.dns_queries(txt)
    if changed:
        site.lab.set_mx(domain, ["10 good.mail.example"])
        site.lab.set_policy(domain, world.policy_text("enforce", ("good.mail.example",)),
                            id="new1")
    site.lab.run_queue()
    assert site.lab.dns_queries(txt) > asked
    if changed:
        assert_delivered(site, marker, GOOD)
    else:
        assert_bounced(site, marker, "5.7.10")


def test_flagged_policy_host_down_waits(site):
    """C2.8: a policy is announced, its host is down: not the domain's last word."""
    marker = deliver(site, "bob+requiretls@policydown.example")
    assert_waiting(site, marker)
    site.lab.run_queue()
    assert_waiting(site, marker)


def test_flagged_policy_none_bounces(site):
    """C2.2: a policy of mode none vouches for nothing."""
    marker = deliver(site, "bob+requiretls@none.example")
    assert_bounced(site, marker, "5.7.10")


def test_flagged_on_stock_exim_level_enforce(site):
    """The default level: without the patches the bounce says what is missing."""
    site.configure(requiretls=None)
    marker = deliver(site, "bob+requiretls@secure.example")
    text = assert_bounced(site, marker, "5.7.30")
    assert "patches" in text
    assert site.lab.mx_log(GOOD) == ""


@pytest.mark.parametrize("domain", ["secure-selfsigned.example", "secure-notls.example"])
def test_flagged_bad_certificate_bounces(site, domain):
    """C2.6, C2.7: no host qualifies. Stock Exim cannot bounce from a transport: the next
    queue run does."""
    marker = deliver(site, f"bob+requiretls@{domain}")
    assert_waiting(site, marker)
    site.lab.run_queue()
    text = assert_bounced(site, marker, "5.7.10")
    assert world.domain_named(domain).mx[0].split()[1] in text


def test_flagged_host_down_waits(site):
    """C2.8: what is only down now is no reason to bounce."""
    site.lab.set_mx("secure.example", ["10 down.smtp.example", "20 selfsigned.mail.example"])
    marker = deliver(site, "bob+requiretls@secure.example")
    site.lab.run_queue()
    assert_waiting(site, marker)


def test_flagged_starttls_4xx_waits(site):
    """A temporary answer to STARTTLS is temporary."""
    site.lab.set_mx("secure.example", ["10 4xx.smtp.example"])
    marker = deliver(site, "bob+requiretls@secure.example")
    site.lab.run_queue()
    assert_waiting(site, marker)


def test_flagged_address_literal_bounces(site):
    """A4.3: an address has no name that could be verified."""
    marker = deliver(site, f"bob+requiretls@[{GOOD}]")
    assert_bounced(site, marker, "5.7.10")


def test_bounce_of_a_flagged_message_is_flagged_and_headers_only(site):
    """C3.1, C3.2, C3.3: the report asks, but is not dropped for lack of REQUIRETLS."""
    marker = deliver(site, "bob+requiretls@nopolicy.example",
                     sender="eve@nopolicy.example")
    assert site.lab.body_seen(marker) == []
    reports = [m for m in site.lab.received() if m.mail_from == ""]
    assert len(reports) == 1
    parts = list(reports[0].parsed().iter_parts())
    assert parts[-1].get_content_type() == "text/rfc822-headers"
    assert "Subject: lab" in parts[-1].get_content()
    assert "5.7.10" in parts[0].get_content()
    flags = [line for line in site.lab.mainlog().splitlines() if "<= <>" in line]
    assert len(flags) == 1


def test_level_disable_ignores_flags(site):
    """requiretls = disable: the tag comes off, nothing else happens."""
    site.configure(requiretls="disable")
    marker = deliver(site, "bob+requiretls@nopolicy.example")
    assert_delivered(site, marker, GOOD)


# --- MTA-STS ------------------------------------------------------------------------

def test_enforce_good(site):
    """A6.1, A6.6: delivered over verified TLS with SNI, and counted."""
    marker = deliver(site, "bob@enforce.example")
    found = assert_delivered(site, marker, GOOD)
    assert found.sni == "good.mail.example"
    assert site.results("enforce.example") == [("sts", "success")]


@pytest.mark.parametrize("domain,result", [
    ("enforce-expired.example", "certificate-expired"),
    ("enforce-notyet.example", "certificate-expired"),
    ("enforce-selfsigned.example", "certificate-not-trusted"),
    ("enforce-unknownca.example", "certificate-not-trusted"),
    ("enforce-wrongname.example", "certificate-host-mismatch"),
    ("enforce-cnonly.example", "certificate-host-mismatch"),
    ("enforce-notls.example", "starttls-not-supported"),
    ("enforce-plain.example", "starttls-not-supported"),
    ("enforce-close.example", "validation-failure"),
    ("enforce-garbage.example", "validation-failure"),
])
def test_enforce_bad_host_waits(site, domain, result):
    """A6.4, A6.7, B3.1: no body leaves, the message waits, the right result is counted
    once."""
    marker = deliver(site, f"bob@{domain}")
    assert_waiting(site, marker)
    assert site.results(domain) == [("sts", result)]
    assert f"({result})" in site.log()


def test_enforce_starttls_4xx_waits(site):
    """An error reply to STARTTLS is not followed by clear text."""
    marker = deliver(site, "bob@enforce-4xx.example")
    assert_waiting(site, marker)


def test_enforce_skips_host_outside_policy(site):
    """A6.9: refused like an unreachable one, the next is tried, both are counted."""
    marker = deliver(site, "bob@enforce-mismatch.example")
    assert_delivered(site, marker, GOOD)
    assert site.lab.mx_log(GOOD2) == ""
    assert site.results("enforce-mismatch.example") == [
        ("sts", "validation-failure"), ("sts", "success")]
    assert site.journal()[0]["reason"] == "sts-mx-mismatch"
    assert ("host good2.mail.example refused: not in the MTA-STS policy of "
            "enforce-mismatch.example") in site.log()


def test_enforce_no_host_in_policy_waits(site):
    """A5.8: a failure of policy is temporary."""
    marker = deliver(site, "bob@enforce-allmismatch.example")
    assert_waiting(site, marker)
    assert site.lab.mx_log(GOOD) == "" and site.lab.mx_log(GOOD2) == ""
    assert site.results("enforce-allmismatch.example") == [
        ("sts", "validation-failure")] * 2


def test_enforce_bad_first_host_good_second(site):
    """A6.9: a failing candidate is left for the next one."""
    marker = deliver(site, "bob@enforce-badfirst.example")
    assert_delivered(site, marker, GOOD)
    assert site.lab.body_seen(marker, "192.0.2.13") == []
    assert site.results("enforce-badfirst.example") == [
        ("sts", "certificate-expired"), ("sts", "success")]


def test_enforce_two_names_of_one_address(site):
    """A6.4: the second name of an address that failed just now is checked as strictly."""
    site.lab.set_rrset("twin.mail.example", "A", ["192.0.2.16"])
    site.lab.set_mx("rotate.example", ["10 twin.mail.example", "20 cnonly.mail.example"])
    site.lab.set_policy("rotate.example",
                        world.policy_text("enforce", ("*.mail.example",)), id="twins")
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    assert "host twin.mail.example certificate refused" in site.log()
    assert "host cnonly.mail.example certificate refused" in site.log()


@pytest.mark.parametrize("user", ["bob", "bob+requiretls"])
def test_mx_name_that_is_a_cname(site, user):
    """A6.2, D5: the certificate must name the MX host as the MX record has it. What an
    unsigned CNAME leads to proves nothing."""
    site.lab.set_rrset("alias.mail.example", "CNAME", ["good.mail.example."])
    site.lab.set_mx("secure-sts.example", ["10 alias.mail.example"])
    site.lab.set_policy("secure-sts.example",
                        world.policy_text("enforce", ("alias.mail.example",)), id="alias")
    marker = deliver(site, f"{user}@secure-sts.example")
    assert_waiting(site, marker)
    site.lab.set_mx("secure.example", ["10 alias.mail.example"])
    assert site.lab.body_seen(deliver(site, "bob+requiretls@secure.example")) == []


def test_enforce_unreachable_first_host(site):
    """B2.3: a host that does not answer is no TLS failure."""
    marker = deliver(site, "bob@enforce-fallback.example")
    assert_delivered(site, marker, GOOD)
    assert site.results("enforce-fallback.example") == [("sts", "success")]


def test_enforce_wildcard(site):
    """A6.2: *.mail.example names good.mail.example."""
    marker = deliver(site, "bob@enforce-wildcard.example")
    assert_delivered(site, marker, GOOD)
    assert site.results("enforce-wildcard.example") == [("sts", "success")]


@pytest.mark.parametrize("domain,result,tls", [
    ("testing-selfsigned.example", "certificate-not-trusted", True),
    ("testing-notls.example", "starttls-not-supported", False),
    ("testing-mismatch.example", "validation-failure", True),
])
def test_testing_delivers_and_reports(site, domain, result, tls):
    """A6.8, B2.7: delivered all the same, counted as a failure."""
    marker = deliver(site, f"bob@{domain}")
    assert_delivered(site, marker, tls=tls)
    assert site.results(domain) == [("sts", result)]


def test_testing_good(site):
    """A6.8: nothing to complain about."""
    marker = deliver(site, "bob@testing.example")
    assert_delivered(site, marker, GOOD)
    assert site.results("testing.example") == [("sts", "success")]


def test_mode_none_is_no_policy(site):
    """A5.10: delivered as ever; no sts result."""
    marker = deliver(site, "bob@none.example")
    assert_delivered(site, marker)
    assert site.results("none.example") == [("no-policy-found", "success")]


def test_no_policy_leaves_no_line(site):
    """A plain message to a domain without any policy leaves no log line."""
    marker = deliver(site, "bob@nopolicy.example")
    assert_delivered(site, marker, GOOD)
    assert site.log() == ""
    assert site.results("nopolicy.example") == [("no-policy-found", "success")]


def test_clear_text_after_failed_tls_counts_once(site):
    """B2.6: Exim's second attempt in clear is the same session to a reader."""
    site.lab.set_mx("nopolicy.example", ["10 close.smtp.example"])
    marker = deliver(site, "bob@nopolicy.example")
    assert_delivered(site, marker, tls=False)
    assert site.results("nopolicy.example") == [("no-policy-found", "validation-failure")]


def test_no_policy_clear_text(site):
    """Opportunistic as before."""
    marker = deliver(site, "bob@nopolicy-notls.example")
    assert_delivered(site, marker, tls=False)


def test_mta_sts_off(site):
    """mta_sts = no: no policy is looked up."""
    site.configure(mta_sts="no")
    marker = deliver(site, "bob@enforce-selfsigned.example")
    assert_delivered(site, marker)
    assert site.lab.dns_queries("_mta-sts.enforce-selfsigned.example") == 0


# --- the life of a policy -----------------------------------------------------------

@pytest.mark.parametrize("domain,result", [
    ("policydown.example", "sts-policy-fetch-error"),
    ("policy404.example", "sts-policy-fetch-error"),
    ("policycert.example", "sts-webpki-invalid"),
])
def test_policy_host_fails_without_cached_policy(site, domain, result):
    """A5.2: delivered as without a policy; the failure is counted."""
    marker = deliver(site, f"bob@{domain}")
    assert_delivered(site, marker, GOOD)
    assert ("sts", result) in site.results(domain)


def test_policy_host_fails_with_cached_policy(site):
    """A5.3, A5.4: the id changed, the policy cannot be had: the cached one applies."""
    deliver(site, "bob@rotate.example")
    site.lab.policy_host_down("rotate.example")
    site.lab.set_txt("rotate.example", "v=STSv1; id=20261201b;")
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.dns_flush()
    site.program("cache", "refresh", "rotate.example", check=False)
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    assert "class=enforce sts=enforce id=20261101a" in site.log()


def test_cached_policy_applies_when_txt_is_gone(site):
    """A5.3: a record that vanished does not take the policy with it."""
    deliver(site, "bob@rotate.example")
    site.lab.remove_sts_txt("rotate.example")
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.dns_flush()
    site.program("resolve", "--fresh", "rotate.example", user="Debian-exim")
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)


def test_new_id_brings_the_new_policy(site):
    """A5.4, A5.10: mode none replaces an enforcing policy once it is fetched."""
    deliver(site, "bob@rotate.example")
    site.lab.set_policy("rotate.example", world.policy_text("none", ()), id="2026none")
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.dns_flush()
    site.program("resolve", "--fresh", "rotate.example", user="Debian-exim")
    marker = deliver(site, "bob@rotate.example")
    assert_delivered(site, marker)
    assert site.lab.policy_fetches("rotate.example") == 2


def test_one_fetch_for_many_messages(site):
    """A5.1: the policy is cached."""
    for _ in range(3):
        deliver(site, "bob@enforce.example")
    assert site.lab.policy_fetches("enforce.example") == 1


def test_refresh_fetches_policies_whatever_dns_says(site):
    """A5.5: the live policy is fetched in the background, TXT record or not; a domain
    without a policy hears nothing of us."""
    deliver(site, "bob@rotate.example", "bob@nopolicy.example")
    site.lab.remove_sts_txt("rotate.example")
    site.lab.dns_flush()
    told = site.program("cache", "refresh", "--all").stdout
    assert "MTA-STS record of rotate.example is gone" in told and "nopolicy" not in told
    assert site.lab.policy_fetches("rotate.example") == 2
    assert site.lab.dns_queries("_mta-sts.nopolicy.example") == 1


# --- relaxed ------------------------------------------------------------------------

@pytest.mark.parametrize("domain,tls", [
    ("enforce-selfsigned.example", True),
    ("enforce-notls.example", False),
    ("dane-bad.example", True),
    ("enforce-close.example", False),
])
def test_tls_required_no(site, domain, tls):
    """C4.1, C4.2, A6.11: delivered whatever the policy says, TLS where it works, and
    not counted."""
    marker = deliver(site, f"bob@{domain}", headers={"TLS-Required": "No"})
    assert_delivered(site, marker, tls=tls)
    assert "class=relaxed by=header" in site.log()
    assert site.journal() == []


@pytest.mark.parametrize("value", ["Yes", "No, thanks", ""])
def test_tls_required_other_values_are_ignored(site, value):
    """C1.7: anything but No is as if it were not there."""
    marker = deliver(site, "bob@enforce-selfsigned.example",
                     headers={"TLS-Required": value})
    assert_waiting(site, marker)


def test_flag_beats_tls_required_no(site):
    """C4.4: REQUIRETLS wins."""
    marker = deliver(site, "bob+requiretls@nopolicy.example",
                     headers={"TLS-Required": "No"})
    assert_bounced(site, marker, "5.7.10")


def test_secure_rule_beats_tls_required_no(site):
    """The site's rule is not undone by what a user writes."""
    site.rules("dnssec To *@nopolicy.example SECURE\n")
    marker = deliver(site, "bob@nopolicy.example", headers={"TLS-Required": "No"})
    assert_bounced(site, marker, "5.7.10", with_body=True)
    assert "TLS-Required header ignored: a rule demands DNSSEC" in site.log()


def test_tls_required_no_can_be_turned_off(site):
    """tls_required_no = no: the header has no power."""
    site.configure(tls_required_no="no")
    marker = deliver(site, "bob@enforce-selfsigned.example",
                     headers={"TLS-Required": "No"})
    assert_waiting(site, marker)


# --- DNSSEC and DANE ----------------------------------------------------------------

def test_dane_good(site):
    """D6: a self-signed certificate with the right TLSA record; the recipient's domain is told."""
    marker = deliver(site, "bob@dane-good.example")
    assert_delivered(site, marker, "192.0.2.21")
    assert "CV=dane" in site.lab.mainlog()
    assert site.results("dane-good.example") == [("tlsa", "success")]


def test_dane_bad_waits(site):
    """D6: a certificate that PKIX likes does not help where TLSA says no."""
    marker = deliver(site, "bob@dane-bad.example")
    assert_waiting(site, marker)
    assert site.results("dane-bad.example") == [("tlsa", "validation-failure")]


def test_dane_bad_is_not_overridden_by_policy(site):
    """A6.10: MTA-STS never overrides a DANE failure."""
    marker = deliver(site, "bob@dane-bad-sts.example")
    assert_waiting(site, marker)


def test_dane_host_is_not_subject_to_policy(site):
    """DANE first: the certificate that no CA knows is good by TLSA."""
    marker = deliver(site, "bob@dane-sts.example")
    assert_delivered(site, marker, "192.0.2.21")
    assert site.results("dane-sts.example") == [("tlsa", "success")]


def test_flagged_dane(site):
    """C2.3: DANE verifies instead of a CA."""
    marker = deliver(site, "bob+requiretls@dane-good.example")
    assert_delivered(site, marker, "192.0.2.21")
    marker = deliver(site, "bob+requiretls@dane-bad.example")
    assert site.lab.body_seen(marker) == []


def test_tlsa_lookup_failure_skips_host(site):
    """D4: the host must not be used while its TLSA lookup fails."""
    marker = deliver(site, "bob@tlsafail.example")
    assert_waiting(site, marker)


def test_bogus_mx_waits(site):
    """D3: a bogus MX answer delays the message."""
    marker = deliver(site, "bob@bogus.example")
    assert_waiting(site, marker)


@pytest.mark.parametrize("rule,domain,outcome", [
    ("dnssec To *@secure.example SECURE", "secure.example", "delivered"),
    ("dnssec To *@nopolicy.example SECURE", "nopolicy.example", "5.7.10"),
    ("dnssec To *@bogus.example SECURE", "bogus.example", "waiting"),
    ("dnssec To *@servfail.example SECURE", "servfail.example", "waiting"),
    ("dnssec To *@nopolicy.example", "nopolicy.example", "delivered"),
])
def test_dnssec_rule(site, rule, domain, outcome):
    """SECURE: insecure bounces, bogus or failing waits; without it, only asked and
    logged."""
    site.rules(rule + "\n")
    marker = deliver(site, f"bob@{domain}", headers={"To": f"Bob <bob@{domain}>, x@y.example"})
    if outcome == "delivered":
        assert_delivered(site, marker, GOOD)
        assert "rule=dnssec" in site.log()
    elif outcome == "waiting":
        assert_waiting(site, marker)
    else:
        # The rule protects the way there; it is no demand for REQUIRETLS.
        assert_bounced(site, marker, outcome, with_body=True)


# --- several recipients, several messages -------------------------------------------

def test_two_domains_same_host_different_policies(site):
    """A4.5, the batching trap: each recipient by the policy of its own domain."""
    marker = deliver(site, "a@shared-a.example", "b@shared-b.example", "c@shared-c.example")
    found = arrived(site, marker)
    assert sorted(r for m in found for r in m.rcpts) == ["a@shared-a.example",
                                                         "b@shared-b.example"]
    assert [m.sni for m in found if "a@shared-a.example" in m.rcpts] == ["good.mail.example"]
    queue = site.lab.queue()
    assert [q.recipients for q in queue] == [["c@shared-c.example"]]
    assert site.results("shared-a.example") == [("sts", "success")]
    assert site.results("shared-b.example") == [("no-policy-found", "success")]
    assert site.results("shared-c.example")[0] == ("sts", "validation-failure")


def test_failing_policy_does_not_block_other_domains(site):
    """EDGE-CASES 80: one domain's policy failure leaves no retry record that delays mail
    of others to the same host, protected or not."""
    deliver(site, "c@enforce-allmismatch.example")
    for recipient in ("a@shared-a.example", "b@shared-b.example",
                      "d+requiretls@secure.example"):
        marker = deliver(site, recipient)
        assert_delivered(site, marker, GOOD)


def test_queue_run_over_one_connection(site):
    """Messages that wait go over one connection where nothing is enforced, and each over
    its own where something is; a session counts once."""
    markers = []
    for number in range(3):
        for domain in ("shared-a.example", "shared-b.example"):
            markers.append(new_marker())
            site.lab.send(ALICE, [f"u{number}@{domain}"], body=markers[-1],
                          queue_only=True)
    site.lab.exec(["/usr/sbin/exim4", "-qqff"])
    for marker in markers:
        assert_delivered(site, marker, GOOD)
    assert site.results("shared-a.example") == [("sts", "success")] * 3
    plain = [line for line in site.lab.mainlog().splitlines()
             if "@shared-b.example R=" in line]
    reused = [line for line in plain if f"[{GOOD}]* " in line]
    assert reused and len(plain) == 3
    assert site.results("shared-b.example") == [
        ("no-policy-found", "success")] * (len(plain) - len(reused))
    assert not [line for line in site.lab.mainlog().splitlines()
                if "T=requiretls_enforce" in line and f"[{GOOD}]* " in line]


def test_message_waiting_survives_until_the_host_is_repaired(site):
    """Nothing is lost: what waited goes out when the certificate is good."""
    site.lab.set_mx("rotate.example", ["10 selfsigned.mail.example"])
    site.lab.set_policy("rotate.example", world.policy_text(
        "enforce", ("*.mail.example",)))
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    site.lab.set_mx("rotate.example", ["10 good.mail.example"])
    site.lab.dns_flush()
    site.program("resolve", "--fresh", "rotate.example", user="Debian-exim")
    site.lab.run_queue()
    assert_delivered(site, marker, GOOD)
