"""What a site's own files say of domains: exemptions, which lift a demand until a day, and
demands, which no sender can get round. Days are relative to today."""

import pytest

from dates import day
from mail import (ALICE, GOOD, arrived, assert_bounced, assert_delivered, assert_waiting,
                  deliver)
from sender import new_marker, world

EXEMPT = "/etc/exim4/requiretls.exempt"
NO = {"TLS-Required": "No"}


def exempt(site, *lines):
    """The list of exemptions."""
    site.lab.write_etc("requiretls.exempt", "".join(f"{line}\n" for line in lines))


@pytest.fixture(autouse=True)
def with_exemptions(site):
    """A site that has such a list; there is nothing in it."""
    site.configure(exempt=EXEMPT)
    exempt(site)


def forget(site, domain):
    """So that the next delivery looks it up."""
    site.program("cache", "flush", domain)


def report_lines(site, words):
    """Our lines in Exim's log with these words."""
    return [line for line in site.log().splitlines() if words in line]


def waiting(site, marker):
    """Who has not got it; nobody has seen a byte."""
    assert site.lab.body_seen(marker) == [], site.lab.mainlog()
    return sorted(name for queued in site.lab.queue() for name in queued.recipients)


# --- exemptions ---------------------------------------------------------------------

@pytest.mark.parametrize("kind,rule,recipient,result", [
    ("sts", "", "bob@enforce-selfsigned.example", ("sts", "certificate-not-trusted")),
    ("sts", "", "bob@enforce-allmismatch.example", ("sts", "validation-failure")),
    ("sts", "require *-mismatch.example sts", "bob@testing-mismatch.example",
     ("sts", "validation-failure")),
    ("verified", "require *.example verified", "bob@nopolicy-selfsigned.example",
     ("no-policy-found", "success")),
])
def test_over_and_then_on_its_last_day(site, kind, rule, recipient, result):
    """An exemption that ended yesterday lifts nothing; one that ends today does, and what
    happened is counted as it was."""
    domain = recipient.partition("@")[2]
    site.rules(rule + "\n")
    exempt(site, f'{domain} {kind} until={day(-1)} "ticket 4711"')
    marker = deliver(site, recipient)
    assert_waiting(site, marker)
    assert report_lines(site, f"the exemption of {domain} ran out on {day(-1)}")
    assert " exempt=" not in site.log()
    exempt(site, f'{domain} {kind} until={day(0)} "ticket 4711"')
    site.lab.run_queue()
    assert_delivered(site, marker)
    assert f"{domain} class=observe exempt={kind} until={day(0)}" in site.log()
    assert site.results(domain)[-1] == result


def test_sts_without_tls(site):
    """Even in clear, as in mode testing, and the log says what keeps it from being refused."""
    exempt(site, f'enforce-notls.* sts,dnssec until={day(30)} "their new host"')
    marker = deliver(site, "bob@enforce-notls.example")
    assert_delivered(site, marker, tls=False)
    assert site.results("enforce-notls.example") == [("sts", "starttls-not-supported")]
    assert ("host notls.mail.example would be refused, were enforce-notls.example not exempt "
            "from its MTA-STS policy: STARTTLS is not offered") in site.log()
    assert (f"class=observe exempt=sts until={day(30)} sts=testing id={world.POLICY_ID}"
            in site.log())


@pytest.mark.parametrize("rule", ["dnssec To * SECURE", "require *policy.example dnssec"])
def test_dnssec(site, rule):
    """SECURE rules and demands, on the last day, and the day after."""
    site.rules(rule + "\n")
    exempt(site, f'nopolicy.example dnssec until={day(0)} "they move"')
    assert_delivered(site, deliver(site, "bob@nopolicy.example"), GOOD)
    assert f" exempt=dnssec until={day(0)}" in site.log()
    exempt(site, f'nopolicy.example dnssec until={day(-1)} "they move"')
    assert_bounced(site, deliver(site, "bob@nopolicy.example"), "5.7.10", with_body=True)


def test_requiretls(site):
    """Flagged mail asks there: on the last day, and the day after."""
    exempt(site, f'nopolicy.example requiretls until={day(0)} "they lack it"')
    marker = deliver(site, "bob+requiretls@nopolicy.example")
    assert_delivered(site, marker, GOOD)
    assert f"class=observe by=tag exempt=requiretls until={day(0)}" in site.log()
    exempt(site, f'nopolicy.example requiretls until={day(-1)} "they lack it"')
    marker = deliver(site, "bob+requiretls@nopolicy.example")
    assert_bounced(site, marker, "5.7.10")


def test_nothing_else_is_lifted(site):
    """Another kind, another domain: all is as without the exemption, and nothing is told."""
    exempt(site, f'enforce-selfsigned.example dnssec,requiretls,verified until={day(9)} "x"',
           f'enforce.example sts until={day(9)} "x"',
           f'*.enforce-selfsigned.example sts until={day(9)} "x"')
    assert_waiting(site, deliver(site, "bob@enforce-selfsigned.example"))
    assert " exempt=" not in site.log()


def test_over_is_logged_once_a_day_and_shown_by_config(site):
    """Not with each message, and not kept from the log by what others start."""
    exempt(site, "# theirs", f'nopolicy.example sts until={day(-40)} "gr\u00fc\u00dfe, 4711"',
           f'*.example verified until={day(-1)} "all"',
           f'other.example verified until={day(-1)} "not mail for it"')
    site.program("cache", "refresh", "nopolicy.example")
    for _ in range(3):
        forget(site, "nopolicy.example")
        assert_delivered(site, deliver(site, "bob@nopolicy.example"), GOOD)
    assert_delivered(site, deliver(site, "bob@secure.example"), GOOD)
    assert [line.partition("requiretls: ")[2] for line in report_lines(site, "ran out")] == [
        f"nopolicy.example: the exemption of nopolicy.example ran out on {day(-40)} and has no "
        f"effect, see line 2 of {EXEMPT}: gr\\xc3\\xbc\\xc3\\x9fe, 4711",
        f"nopolicy.example: the exemption of *.example ran out on {day(-1)} and has no effect, "
        f"see line 3 of {EXEMPT}: all"]
    shown = site.program("config").stdout
    for number, domain in ((2, "nopolicy.example"), (3, "*.example"), (4, "other.example")):
        assert f"# warning: {EXEMPT}: line {number}: the exemption of {domain} " in shown


@pytest.mark.parametrize("spoil", ["mistake", "mode", "missing"])
def test_a_file_that_does_not_count_holds_mail_up(site, spoil):
    """Fail closed: mail is taken in, and waits; the program says where the mistake is."""
    if spoil == "mistake":
        exempt(site, "#", f'enforce.example sts until={day(9)} "x"', "enforce.example sts")
    elif spoil == "mode":
        site.lab.exec(["chmod", "666", EXEMPT])
    else:
        site.lab.exec(["rm", EXEMPT])
    marker = deliver(site, "bob@nopolicy.example")
    assert_waiting(site, marker)
    words = "requiretls.exempt: line 3: expected until" if spoil == "mistake" else EXEMPT
    assert report_lines(site, "configuration error: ")[0].count(words) == 1
    told = site.program("config", check=False)
    assert told.returncode == 78 and words in told.stderr
    exempt(site)
    site.lab.exec(["chmod", "644", EXEMPT])
    site.lab.run_queue()
    assert_delivered(site, marker, GOOD)


# --- demands ------------------------------------------------------------------------

def test_demands_that_are_met(site):
    """Each goes over verified TLS to its host, or by DANE."""
    site.rules("require nopolicy.example verified\nrequire dane-*.example verified\n"
               "require enforce.example sts\nrequire testing.example sts\n"
               "require secure.example dnssec\nrequire secure.example verified\n")
    domains = ["nopolicy", "dane-good", "enforce", "testing", "secure"]
    marker = deliver(site, *(f"bob@{domain}.example" for domain in domains))
    found = arrived(site, marker)
    assert len(found) == 5 and all(m.tls for m in found), site.lab.mainlog()
    log = site.lab.mainlog()
    assert log.count("T=requiretls_enforce") == 5 and log.count(" CV=dane ") == 1
    assert "nopolicy.example class=enforce rule=require-verified mx=good" in log
    assert f"testing.example class=enforce rule=require-sts sts=enforce id={world.POLICY_ID} " \
        in log
    assert "secure.example class=enforce rule=require-dnssec rule=require-verified mx=" in log


BAD = {
    "nopolicy-selfsigned.example": "verified",
    "nopolicy-notls.example": "verified",
    "dane-bad.example": "verified",
    "testing-selfsigned.example": "sts",  # in mode testing, and enforced
    "testing-mismatch.example": "sts",
    "none.example": "sts",
    "nopolicy.example": "sts",
    "policydown.example": "sts",
    "secure.example": "sts",  # DNSSEC is not what was asked for
    "bogus.example": "dnssec",
}


@pytest.mark.parametrize("how", [{}, {"headers": NO}, {"sender": ""}], ids=[
    "plain", "tls-required-no", "bounce"])
def test_demands_that_are_not_met(site, how):
    """Nothing is sent, whatever the sender says of it."""
    site.rules("".join(f"require {domain} {what}\n" for domain, what in BAD.items()))
    marker = deliver(site, *(f"bob@{domain}" for domain in BAD), **how)
    assert waiting(site, marker) == sorted(f"bob@{domain}" for domain in BAD)
    for domain in ("none", "nopolicy", "policydown", "secure"):
        assert (f"{domain}.example put off: 4.7.0 a rule of this site requires an MTA-STS "
                f"policy of {domain}.example, and none is known") in site.log()
    assert "put off: 4.7.0 the MX answer for bogus.example failed DNSSEC" in site.log()
    for host in ("selfsigned.mail.example certificate refused: self-signed",
                 "notls.mail.example refused: STARTTLS is not offered",
                 "good.mail.example refused: not in the MTA-STS policy of testing-mismatch"):
        assert f"host {host}" in site.log()


@pytest.mark.parametrize("headers", [{}, NO], ids=["plain", "tls-required-no"])
def test_dnssec_that_is_missing_bounces(site, headers):
    """As for a SECURE rule; a policy does not make up for it."""
    site.rules("require *enforce.example dnssec\n")
    marker = deliver(site, "bob@enforce.example", headers=headers)
    assert_bounced(site, marker, "5.7.10", with_body=True)


def test_a_policy_that_comes_lets_the_mail_go(site):
    """A fresh look at each attempt, and never the policy of before when there is none."""
    site.rules("require rotate.example sts\n")
    site.lab.remove_sts_txt("rotate.example")
    site.lab.dns_flush()
    marker = deliver(site, "bob@rotate.example")
    assert_waiting(site, marker)
    site.lab.set_policy("rotate.example",
                        world.policy_text("testing", ("good.mail.example",)), id="new1")
    site.lab.dns_flush()
    forget(site, "rotate.example")
    site.lab.run_queue()
    assert_delivered(site, marker, GOOD)
    assert "class=enforce rule=require-sts sts=enforce id=new1" in site.log()


def test_a_policy_that_may_not_be_looked_at(site):
    """mta_sts = no: the two cannot go together, and nothing is sent."""
    site.rules("require enforce.example sts\n")
    site.configure(exempt=EXEMPT, mta_sts="no")
    assert_waiting(site, deliver(site, "bob@enforce.example"))
    assert ("put off: 4.7.0 a rule of this site requires an MTA-STS policy of enforce.example, "
            "and mta_sts = no keeps it from having one") in site.log()
    assert "# warning: /etc/exim4/requiretls.rules: line 1: " in site.program("config").stdout


def test_flagged_mail_demands_both(site):
    """A rule adds to the flag and takes nothing from it."""
    site.rules("require *.example verified\nlevel secure.example opportunistic\n")
    assert_bounced(site, deliver(site, "bob+requiretls@nopolicy.example"), "5.7.10")
    marker = deliver(site, "bob+requiretls@secure.example")
    assert_delivered(site, marker, GOOD)
    assert "secure.example class=enforce by=tag rule=require-verified" in site.log()


def test_rules_with_a_mistake_hold_up_what_waits(site):
    """What was received before the mistake was made is not sent as if nothing were demanded."""
    marker = new_marker()
    site.lab.send(ALICE, ["bob@nopolicy.example"], body=marker, queue_only=True)
    site.rules("require nopolicy.example tls\n")
    site.lab.run_queue()
    assert_waiting(site, marker)
    assert "requiretls.rules: line 1: expected verified, sts or dnssec" in site.log()
