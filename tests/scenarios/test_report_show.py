"""`report show`: what the journals hold, as text and as JSON. The page it writes is in
test_report_page.py."""

import json

import pytest

from dates import day
from pages import EXIM_USER, ROOT, make_journals

EXPIRED = {"reason": "certificate has expired"}


@pytest.fixture(name="journals")
def fixture_journals():
    """A site of its own for each test."""
    yield from make_journals()


def fill(journals):
    """Three days, one of them without a session."""
    journals.write(day(-3), [(2, "a.example", "success"), (1, "b.example", "success")])
    journals.write(day(-1), [(3, "a.example", "success"),
                             (1, "a.example", "certificate-expired", EXPIRED),
                             (2, "b.example", "starttls-not-supported"),
                             (1, "b.example", "tlsa-invalid", {"type": "tlsa"})])


def test_text(journals):
    """A line a day, the newest first; below it what failed, the worst first."""
    fill(journals)
    done = journals.show()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{day(-1)}  7 sessions, 4 failed (57.1%); 2 domains\n"
        "  b.example  3 sessions, 3 failed (100.0%): starttls-not-supported, tlsa-invalid\n"
        "  a.example  4 sessions, 1 failed (25.0%): certificate-expired\n"
        f"{day(-3)}  3 sessions, 0 failed; 2 domains\n")


@pytest.mark.parametrize("args, wanted", [
    ([day(-3)], 1), ([day(-1)], 1), ([day(-2)], 0), ([day(-3), day(-1)], 2),
    ([day(-3), day(-2)], 1), ([day(-366), day(-1)], 2), (["--domain", "B.example"], 2),
    (["--domain", "c.example"], 0), (["--domain", "a.example", day(-1)], 1),
])
def test_choice(journals, args, wanted):
    """A day, a time, a domain."""
    fill(journals)
    done = journals.show(*args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(" sessions, ") - done.stdout.count("\n  ") == wanted
    assert (done.stdout == "no sessions were judged\n") == (wanted == 0)


def test_json(journals):
    """All that is known; a TLSA policy is one of the domain, whatever the MX host."""
    fill(journals)
    done = journals.show("--json")
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert (found["successful"], found["failed"]) == (6, 4)
    assert [(one["date"], one["successful"], one["failed"]) for one in found["days"]] == [
        (day(-3), 3, 0), (day(-2), 0, 0), (day(-1), 3, 4)]
    assert [one["domain"] for one in found["domains"]] == ["b.example", "a.example"]
    other = found["domains"][1]
    assert other["days"] == [
        {"date": day(-3), "successful": 2, "failed": 0, "results": []},
        {"date": day(-1), "successful": 3, "failed": 1, "results": ["certificate-expired"]}]
    assert other["failures"] == [{
        "result-type": "certificate-expired", "failed": 1, "first": day(-1), "last": day(-1),
        "receiving-mx-hostname": "mx.a.example", "receiving-mx-helo": None,
        "receiving-ip": "192.0.2.7", "sending-mta-ip": "203.0.113.1",
        "failure-reason-code": "certificate has expired"}]


def test_nothing(journals):
    """No journal is no error."""
    assert journals.show().stdout == "no sessions were judged\n"
    assert json.loads(journals.show("--json").stdout) == {
        "successful": 0, "failed": 0, "days": [], "domains": []}
    assert "There are no sessions to show." in journals.page()


def test_reporting_is_off(journals):
    """There may be journals of before; no contact is needed to read them."""
    journals.configure("tlsrpt = no\n")
    assert journals.show().stdout == "no sessions were judged: TLS-RPT is off (tlsrpt = no)\n"
    fill(journals)
    assert journals.show().stdout.count(" domains\n") == 2


def test_users(journals):
    """The Exim user reads them, others are told who may."""
    fill(journals)
    assert journals.show(user=EXIM_USER).stdout == journals.show().stdout
    done = journals.show(user="nobody")
    assert (done.returncode, done.stdout) == (77, "")
    assert f"run me as root or as {EXIM_USER}" in done.stderr


@pytest.mark.parametrize("args, status", [
    (["yesterday"], 65), (["2026-02-30"], 65), ([day(-1), "x\x1b"], 65), ([day(-1), day(-3)], 64),
    ([day(-366), day(0)], 64), ([day(-1), day(-1), day(-1)], 64), (["--frob"], 64),
    (["--domain", "a b"], 65),
])
def test_wrong_use(journals, args, status):
    """Said in one line, without control characters."""
    done = journals.show(*args)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr != "" and "\x1b" not in done.stderr


def test_torn_lines_are_counted(journals):
    """And the others count."""
    fill(journals)
    with open(journals.spool / "tlsrpt" / day(-1), "a", encoding="ascii") as journal:
        journal.write("1\tnonsense\n2\n")
    done = journals.show(day(-1))
    assert done.returncode == 0 and "7 sessions" in done.stdout
    assert done.stderr == "exim-requiretls: 2 lines of the journals do not parse\n"


def test_lost_output_is_an_error(journals):
    """A page that is cut off is none."""
    fill(journals)
    with open("/dev/full", "wb") as full:
        for form in ([], ["--html"], ["--json"]):
            assert journals.show(*form, capture_output=False, stdout=full).returncode != 0


def test_many_domains(journals):
    """Ten thousand in a day: the text and the page stay small."""
    journals.write(day(-1), [(1, f"d{i}.example", "success" if i % 100 else "dnssec-invalid")
                             for i in range(10000)])
    done = journals.show()
    assert "10000 sessions, 100 failed (1.0%); 10000 domains\n" in done.stdout
    assert done.stdout.endswith("  and 80 more domains with failures\n")
    page = journals.page()
    assert len(page) < 1000000
    assert page.count('class="domain"') == 40 and "And 9,500 more domains: " in page


def test_documented_example(journals):
    """What REPORTS.md shows is what is printed, but for the day."""
    shown = (ROOT / "docs/REPORTS.md").read_text().partition("# exim-requiretls report show\n")[2]
    lines = [line.strip() for line in shown.splitlines()[:3]]
    journals.write(day(-1), [
        (3, "enforce-expired.example", "certificate-expired"),
        (2, "enforce-mismatch.example", "certificate-host-mismatch"),
        *((1, f"other{i}.example", "dnssec-invalid") for i in range(4)),
        (8, "good0.example", "success"), *((1, f"good{i}.example", "success") for i in range(1, 8))])
    printed = [line.strip() for line in journals.show().stdout.splitlines()]
    assert printed[0] == lines[0].replace("2026-11-20", day(-1))
    assert printed[1:3] == lines[1:]
