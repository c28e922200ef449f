"""What `exim-requiretls check` finds: each domain of the lab has one thing that is wrong with it,
and the check names that and what to do, and ends with what mail there would come to."""

import json
from dataclasses import dataclass

import pytest

from sender import SPOOL

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


def test_verdict_knows_rules_and_exemptions(site):
    site.rules("require nopolicy.example verified\nlevel enforce.example disable\n")
    line = check(site, "nopolicy.example").answer["verdict"]["ordinary"]["line"]
    assert line.startswith("nopolicy.example class=enforce rule=require-verified")
    assert check(site, "enforce.example").answer["verdict"]["flagged"]["class"] == "enforce"


def test_rules_with_a_mistake(site):
    site.rules("nonsense\n")
    found = check(site, "enforce.example")
    assert found.status == BAD and "line 1" in found.of("site", "bad")[0]


# --- the program ------------------------------------------------------------------

def test_for_people(site):
    done = site.program("check", "bob@enforce-mismatch.example", check=False)
    assert done.returncode == BAD and done.stderr == "" and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    at = lines.index("bad      sts-policy  MX host good2.mail.example matches no mx line of the "
                     "policy")
    assert lines[at + 1].strip().startswith("-> add it to the policy")


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


@pytest.mark.parametrize("args", [[], ["a.example", "b.example"], ["--timeout", "0", "a.example"],
                                  ["--timeout", "x", "a.example"], ["--nonsense", "a.example"]])
def test_misuse(site, args):
    assert site.program("check", *args, check=False).returncode == 64


@pytest.mark.parametrize("name", ["[192.0.2.1]", "a..example", "x@", "-"])
def test_no_domain(site, name):
    assert site.program("check", name, check=False).returncode == 65
