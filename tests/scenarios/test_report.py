"""TLS-RPT from the journal to the receiver: what arrives is read by a reader of its own,
written from RFC 8460 (and RFC 7493, 5322, 2045), not from our program."""

import datetime
import email
import email.policy
import gzip
import hashlib
import ipaddress
import json
import os
import re

import pytest

import report_schema
from sender import SPOOL, world

UTC = datetime.timezone.utc
DAY_S = 86400

# --- the reader ----------------------------------------------------------------------

LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(rf"{LABEL}(\.{LABEL})*\Z")
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
DOT_ATOM = rf"{ATEXT}+(\.{ATEXT}+)*"
ADDR_SPEC = re.compile(rf"{DOT_ATOM}@{DOT_ATOM}\Z")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
TLSA = re.compile(r"[0-3] [01] [0-2] ([0-9A-Fa-f]{2})+\Z")
RESULT_TYPES = {                                                    # section 6.6
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
    "tlsa-invalid", "dnssec-invalid", "dane-required", "certificate-not-trusted",
    "sts-policy-invalid", "sts-webpki-invalid", "validation-failure",
    "sts-policy-fetch-error"}
DETAIL_KEYS = {
    "result-type", "sending-mta-ip", "receiving-mx-hostname", "receiving-mx-helo",
    "receiving-ip", "failed-session-count", "additional-information", "failure-reason-code"}


def no_duplicates(pairs):
    """I-JSON: RFC 7493 section 2.3."""
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def is_text(value):
    """A non-empty string without control characters, surrogates or noncharacters."""
    return (isinstance(value, str) and value != "" and all(
        ord(c) >= 0x20 and not 0x7f <= ord(c) < 0xa0 and not 0xd800 <= ord(c) <= 0xdfff
        and not 0xfdd0 <= ord(c) <= 0xfdef and ord(c) & 0xfffe != 0xfffe for c in value))


def check_count(value):
    """An integer encoded as a JSON number; I-JSON bounds it."""
    assert type(value) is int and 0 <= value < 2**53


def check_detail(detail):
    """One element of failure-details."""
    assert detail.keys() <= DETAIL_KEYS
    assert detail["result-type"] in RESULT_TYPES
    check_count(detail["failed-session-count"])
    assert detail["failed-session-count"] > 0
    assert all(is_text(value) for key, value in detail.items() if key != "failed-session-count")
    for key in ("sending-mta-ip", "receiving-ip"):
        if key in detail:       # RFC 5952: the one text form of an address
            assert str(ipaddress.ip_address(detail[key])) == detail[key]


def check_policy(policy):
    """What was applied."""
    assert policy.keys() <= {"policy-type", "policy-string", "policy-domain", "mx-host"}
    assert policy["policy-type"] in ("tlsa", "sts", "no-policy-found")
    assert DOMAIN.match(policy["policy-domain"])
    for key in ("policy-string", "mx-host"):
        if key in policy:
            assert isinstance(policy[key], list) and policy[key]
            assert all(isinstance(line, str) for line in policy[key])
    if policy["policy-type"] == "tlsa":
        assert all(TLSA.match(line) for line in policy.get("policy-string", []))
    if policy["policy-type"] != "sts":
        assert "mx-host" not in policy
    else:
        for pattern in policy.get("mx-host", []):
            assert DOMAIN.match(pattern.removeprefix("*."))
    if policy["policy-type"] == "no-policy-found":
        assert "policy-string" not in policy


def read_json(data: bytes) -> dict:
    """A report, its structure checked."""
    report = json.loads(data.decode("utf-8"), object_pairs_hook=no_duplicates)
    assert report_schema.errors(report) == []
    assert report.keys() == {"organization-name", "date-range", "contact-info", "report-id",
                             "policies"}
    assert is_text(report["organization-name"])
    assert ADDR_SPEC.match(report["contact-info"])
    assert ADDR_SPEC.match(report["report-id"])     # so that it can be a msg-id
    assert report["date-range"].keys() == {"start-datetime", "end-datetime"}
    assert all(DATE_TIME.match(text) for text in report["date-range"].values())
    start, end = span(report)
    assert start % DAY_S == 0 and end == start + DAY_S - 1
    assert isinstance(report["policies"], list) and report["policies"]
    for entry in report["policies"]:
        assert entry.keys() == {"policy", "summary", "failure-details"}
        check_policy(entry["policy"])
        summary = entry["summary"]
        assert summary.keys() == {"total-successful-session-count",
                                  "total-failure-session-count"}
        for count in summary.values():
            check_count(count)
        for detail in entry["failure-details"]:
            check_detail(detail)
        # each failed session has a reason, and may have more than one
        assert (sum(d["failed-session-count"] for d in entry["failure-details"])
                >= summary["total-failure-session-count"])
    return report


def span(report) -> tuple[int, int]:
    """First and last second of the day."""
    return tuple(int(datetime.datetime.strptime(
        report["date-range"][key], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
        for key in ("start-datetime", "end-datetime"))


def read_gzip(data: bytes) -> dict:
    """RFC 1952, without a time that would make the bytes differ from run to run."""
    assert data[:3] == b"\x1f\x8b\x08" and data[4:8] == bytes(4)
    return read_json(gzip.decompress(data))


def read_mail(raw: bytes, domain: str,
              days_ahead: int = 0) -> tuple[email.message.EmailMessage, dict]:
    """A report message (section 5.3): its headers, and the report in it. days_ahead: of the
    clock that it was sent by."""
    assert all(len(line) <= 998 for line in raw.splitlines())
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "tlsrpt"
    words, attachment = message.iter_parts()
    assert words.get_content_type() == "text/plain" and domain in words.get_content()
    assert attachment.get_content_type() == "application/tlsrpt+gzip"
    assert attachment["Content-Transfer-Encoding"] == "base64"
    assert not words.defects and not attachment.defects
    report = read_gzip(attachment.get_content())
    # 5.1: sender!domain!begin!end[!unique].json.gz
    submitter = report["contact-info"].rpartition("@")[2]
    name, _, unique = attachment.get_filename().removesuffix(".json.gz").rpartition("!")
    assert name.split("!") == [submitter, domain, *map(str, span(report))]
    # of this machine; in the id too
    assert re.fullmatch("[0-9a-f]{8}", unique)
    assert report["report-id"].partition("@")[0].endswith("+" + unique)
    # 5.3
    assert message.get_all("TLS-Report-Domain") == [domain]
    assert message.get_all("TLS-Report-Submitter") == [submitter]
    subject = re.fullmatch(r"Report Domain:\s+(\S+)\s+Submitter:\s+(\S+)\s+Report-ID:\s+<(\S+)>",
                           message["Subject"])
    assert subject.groups() == (domain, submitter, report["report-id"])
    assert message["Message-ID"].strip("<>") == report["report-id"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"
    assert message.get_all("TLS-Required") == ["No"]            # RFC 8689 section 3
    age = datetime.datetime.now(UTC) - message["Date"].datetime
    assert abs(age.total_seconds() + days_ahead * DAY_S) < 60
    return message, report


# --- journals ------------------------------------------------------------------------

POLICY = world.policy_text("enforce", ("good.mail.example", "*.mail.example"))
POLICY_LINES = ["version: STSv1", "mode: enforce", "mx: good.mail.example",
                "mx: *.mail.example", "max_age: 604800"]
TLSA_TEXT = "3 1 1 " + "ab" * 32 + "\n2 0 1 " + "cd" * 32 + "\n"
MX = "good.mail.example"


def date_of(days_ago: int = 1) -> str:
    """A UTC date as in file names."""
    return (datetime.datetime.now(UTC) - datetime.timedelta(days_ago)).strftime("%Y-%m-%d")


class Reporter:
    """The site, its journal and what came of it."""

    def __init__(self, site):
        self.site, self.lab = site, site.lab
        self.spool = site.lab.state / "sender" / "spool" / "requiretls"

    def write(self, path: str, text: str) -> None:
        """A file in the spool, which belongs to the Exim user."""
        self.lab.exec(["/bin/sh", "-c", f"umask 027; mkdir -p {SPOOL}/$(dirname {path}) && "
                                        f"cat >{SPOOL}/{path}"], input=text, user="Debian-exim")

    def keep_policy(self, text: str) -> str:
        """A policy text in the store; its digest."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.write(f"policy/{digest}", text)
        return digest

    def journal(self, *lines: tuple, days_ago: int = 1) -> None:
        """Sessions of a day: (domain, type, digest, result, sending ip, mx, helo, ip, reason),
        what is missing at the end is unknown."""
        text = ""
        for line in lines:
            fields = [*line, *("-" for _ in range(9 - len(line)))]
            text += "\t".join(["1", "1795140000", *fields]) + "\n"
        self.write(f"tlsrpt/{date_of(days_ago)}", text)

    def run(self, *args: str) -> str:
        """`report run` without waiting for the schedule; it must not fail."""
        if not {"--now", "--date", "--dry-run"} & set(args):
            args = ("--now", *args)
        result = self.site.program("report", "run", *args)
        assert result.stderr == ""
        self.lab.settle()
        return result.stdout

    def preview(self, *args: str) -> object:
        """`report preview`."""
        return json.loads(self.site.program("report", "preview", *args).stdout)

    def mails(self, recipient: str = "tlsrpt@reports.example") -> list:
        """Messages that arrived for an address."""
        return [m for m in self.lab.received() if recipient in m.rcpts]

    def hurry(self) -> None:
        """Let the next tries be due."""
        for path in self.spool.glob("outbox/*/*"):
            path.write_text(re.sub(r"^((?:to|record) pending \S+) \S+", r"\1 -",
                                   path.read_text(), flags=re.MULTILINE))

    def outbox(self, domain: str, days_ago: int = 1) -> str:
        """The outbox file of a report."""
        return (self.spool / "outbox" / date_of(days_ago) / domain).read_text()


@pytest.fixture(name="reporter")
def fixture_reporter(site):
    """A site with an empty journal."""
    return Reporter(site)


def full_journal(reporter) -> None:
    """A day with every kind of policy."""
    sts, tlsa = reporter.keep_policy(POLICY), reporter.keep_policy(TLSA_TEXT)
    here, there = "203.0.113.1", "192.0.2.11"
    reporter.journal(
        ("enforce.example", "sts", sts, "success", here, MX, MX, there),
        ("enforce.example", "sts", sts, "success", here, MX, MX, there),
        ("enforce.example", "sts", sts, "certificate-expired", here, MX, MX, there,
         "expired 2026-11-01"),
        ("enforce.example", "sts", sts, "validation-failure", here, "evil.mail.example",
         r"helo\x0d\x0aX: \"quoted\"", "2001:db8::1", "sts-mx-mismatch"),
        ("enforce.example", "tlsa", tlsa, "success", here, "good.dane.example"),
        ("enforce.example", "no-policy-found", "-", "sts-policy-fetch-error"),
        ("secure-sts.example", "sts", sts, "success", here, MX, MX, there),
        ("nopolicy-notls.example", "no-policy-found", "-", "starttls-not-supported", here,
         "notls.mail.example"),
    )


def check_full_report(report: dict) -> None:
    """What full_journal() says about enforce.example."""
    tlsa, sts, none = report["policies"]
    assert report["organization-name"] == "Lab Sender"
    assert report["contact-info"] == "postmaster@lab.example"
    assert re.fullmatch(re.escape(date_of().replace("-", ".") + "T00.00.00Z+enforce.example+")
                        + "[0-9a-f]{8}@lab[.]example", report["report-id"])
    assert report["date-range"]["start-datetime"] == date_of() + "T00:00:00Z"
    assert sts["policy"] == {"policy-type": "sts", "policy-string": POLICY_LINES,
                             "policy-domain": "enforce.example",
                             "mx-host": ["good.mail.example", "*.mail.example"]}
    assert sts["summary"] == {"total-successful-session-count": 2,
                              "total-failure-session-count": 2}
    assert sts["failure-details"] == [
        {"result-type": "certificate-expired", "sending-mta-ip": "203.0.113.1",
         "receiving-mx-hostname": MX, "receiving-mx-helo": MX, "receiving-ip": "192.0.2.11",
         "failed-session-count": 1, "failure-reason-code": "expired 2026-11-01"},
        {"result-type": "validation-failure", "sending-mta-ip": "203.0.113.1",
         "receiving-mx-hostname": "evil.mail.example",
         "receiving-mx-helo": r"helo\x0d\x0aX: \"quoted\"", "receiving-ip": "2001:db8::1",
         "failed-session-count": 1, "failure-reason-code": "sts-mx-mismatch"}]
    assert tlsa["policy"] == {"policy-type": "tlsa", "policy-string": TLSA_TEXT.splitlines(),
                              "policy-domain": "good.dane.example"}
    assert tlsa["failure-details"] == []
    assert none["policy"] == {"policy-type": "no-policy-found",
                              "policy-domain": "enforce.example"}
    assert none["failure-details"] == [{"result-type": "sts-policy-fetch-error",
                                        "failed-session-count": 1}]


# --- delivery ------------------------------------------------------------------------

def test_by_mail_and_https(reporter):
    """B6 B7 B8: one report by Exim, one by POST, none to whom wants none."""
    full_journal(reporter)
    said = reporter.run()
    assert "2 sent, 0 deferred, 0 waiting, 0 dropped; 2 domains want none" in said
    (mail,) = reporter.mails()
    assert mail.mail_from in ("", "<>") and mail.ip == "192.0.2.11"
    message, report = read_mail(mail.message, "enforce.example")
    check_full_report(report)
    assert message["From"] == "postmaster@lab.example"
    assert message["To"] == "tlsrpt@reports.example"
    words = next(message.iter_parts()).get_content()
    assert "3 sessions good, 3 failed" in words and "certificate-expired" in words
    (posted,) = reporter.lab.posted_reports()
    assert posted["path"] == "/tlsrpt"
    assert posted["headers"]["content-type"] == "application/tlsrpt+gzip"
    report = read_gzip(posted["body"])
    assert [entry["policy"]["policy-domain"] for entry in report["policies"]] == [
        "secure-sts.example"]


def test_once(reporter):
    """B8.4: the second run of a day sends nothing and asks nobody."""
    full_journal(reporter)
    reporter.run()
    asked = reporter.lab.dns_queries("_smtp._tls.enforce.example")
    assert asked > 0
    assert reporter.run().startswith("reports: 0 sent, 0 deferred, 0 waiting, 0 dropped; ")
    assert len(reporter.mails()) == 1 and len(reporter.lab.posted_reports()) == 1
    assert reporter.lab.dns_queries("_smtp._tls.enforce.example") == asked


def test_schedule(reporter):
    """B5.2: nothing before its moment, which comes within the span; then all of it, once."""
    full_journal(reporter)
    reporter.site.configure(tlsrpt_spread="20h", tlsrpt_min_age="4h")
    for days_ago in (0, 1):
        reporter.journal(*[(f"d{n}.example", "no-policy-found", "-", "success")
                           for n in range(40)], days_ago=days_ago)
    def run():
        return reporter.site.program("report", "run").stdout
    sums = re.compile("reports: 0 sent, 0 deferred, ([0-9]+) waiting, 0 dropped; "
                      "([0-9]+) domains want none\n")
    waiting, unwanted = map(int, sums.fullmatch(run()).groups())
    # By the hour of the test: all, none or some of them were due.
    assert waiting + unwanted in (0, 40)
    waiting_then, asked = map(int, sums.fullmatch(run()).groups())
    assert waiting_then <= waiting and asked in (0, 40 - waiting_then)
    reporter.site.configure(tlsrpt_spread="0", tlsrpt_min_age="0")
    waiting, _ = map(int, sums.fullmatch(run()).groups())
    assert waiting == 0
    assert len(list(reporter.spool.glob("outbox/*/d*.example"))) == 40


def test_endpoint_fails_then_works(reporter):
    """B8.3 B7.4: 500 is no success; the retry brings the same bytes."""
    reporter.journal(("secure-sts.example", "no-policy-found", "-", "success"))
    reporter.lab.set_report_status(500)
    said = reporter.run()
    assert "deferred" in said and "next try" in said
    assert "1 waiting" in reporter.run()
    status = reporter.site.program("report", "status").stdout
    assert "0 sent, 1 pending" in status and "https://reports.example/tlsrpt" in status
    reporter.hurry()
    reporter.lab.set_report_status(201)
    assert "1 sent" in reporter.run()
    first, second = reporter.lab.posted_reports()
    assert first["body"] == second["body"]
    assert "to sent " in reporter.outbox("secure-sts.example")
    reporter.lab.set_report_status(200)


def test_interrupted(reporter):
    """B8.4: what was being sent when a run died is not sent again."""
    full_journal(reporter)
    reporter.lab.pause("httpsd")
    try:
        reporter.lab.exec(["/bin/sh", "-c", "/usr/sbin/exim-requiretls report run --now & "
                           "while ! grep -q 'to sending.*https' "
                           f"{SPOOL}/outbox/*/secure-sts.example; do sleep 0.05; done; "
                           "kill -9 $!"])
    finally:
        reporter.lab.resume("httpsd")
    said = reporter.run()
    assert "interrupted while sending; it may have arrived" in said
    assert "0 sent, 0 deferred, 0 waiting, 1 dropped" in said
    assert "0 sent, 0 deferred, 0 waiting, 0 dropped" in reporter.run()
    assert len(reporter.mails()) == 1


def test_missed_days(reporter):
    """B5: a week is caught up, each day with its own report; older ones are not."""
    for days_ago in (1, 3, 7, 8):
        reporter.journal(("enforce.example", "no-policy-found", "-", "success"),
                         days_ago=days_ago)
    assert "3 sent" in reporter.run()
    days = [read_mail(mail.message, "enforce.example")[1]["date-range"]["start-datetime"]
            for mail in reporter.mails()]
    assert sorted(days) == [f"{date_of(ago)}T00:00:00Z" for ago in (7, 3, 1)]


def test_report_ignores_tls_trouble(reporter):
    """B7.3: a report goes out though the receiver's policy and certificate do not fit."""
    reporter.lab.set_tlsrpt("enforce.example",
                            "v=TLSRPTv1; rua=mailto:tlsrpt@enforce-selfsigned.example")
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"))
    reporter.run()
    (mail,) = reporter.mails("tlsrpt@enforce-selfsigned.example")
    read_mail(mail.message, "enforce.example")


def test_report_is_not_reported(reporter):
    """B2.4: its own session is not counted."""
    full_journal(reporter)
    reporter.run()
    assert len(reporter.mails()) == 1
    assert not [line for line in reporter.site.journal()
                if line["domain"] == "reports.example"]


@pytest.mark.parametrize("record, mails, posts", [
    ("v=TLSRPTv1; rua=mailto:tlsrpt@reports.example%0ABcc:%20victim@good.mail.example", 0, 0),
    ("v=TLSRPTv1; rua=mailto:tlsrpt@reports.example%2Cvictim@nopolicy.example", 0, 0),
    ("v=TLSRPTv1; rua=tlsrpt@reports.example", 0, 0),
    ("v=TLSRPTv1; rua=http://reports.example/tlsrpt,ftp://reports.example/", 0, 0),
    ("v=TLSRPTv1; rua=mailto:%74lsrpt@Reports.Example?subject=x&bcc=victim@nopolicy.example",
     1, 0),
    ("v=TLSRPTv1; x=y; rua=mailto:tlsrpt@reports.example , https://reports.example/tlsrpt", 1, 1),
    ("v=TLSRPTv1; rua=mailto:tlsrpt@reports.example,mailto:%74lsrpt@reports.EXAMPLE", 1, 0),
], ids=["newline", "comma", "no-scheme", "other-schemes", "hfields", "two", "same-twice"])
def test_rua(reporter, record, mails, posts):
    """B1.3 B1.6 B1.7 B1.8: what a record makes us do, and what not."""
    reporter.lab.set_tlsrpt("enforce.example", record)
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"))
    reporter.run()
    assert len(reporter.mails()) == mails == len(reporter.lab.received())
    assert len(reporter.lab.posted_reports()) == posts
    for mail in reporter.mails():
        message, _ = read_mail(mail.message, "enforce.example")
        assert mail.rcpts == ["tlsrpt@reports.example"]
        assert message["To"] == "tlsrpt@reports.example" and message["Bcc"] is None


def test_two_records_are_none(reporter):
    """B1.4: exactly one record, else none."""
    reporter.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example",
                            "v=TLSRPTv1; rua=mailto:b@reports.example")
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"))
    assert "0 sent" in reporter.run()
    assert reporter.lab.received() == []


def test_report_on_host(reporter):
    """B1.1: with DANE the MX host is a policy domain, too; each record hears of a session once."""
    reporter.lab.set_tlsrpt("good.dane.example", "v=TLSRPTv1; rua=mailto:mx@reports.example")
    reporter.lab.set_tlsrpt("dane-good.example", "v=TLSRPTv1; rua=mailto:mx@reports.example")
    tlsa = reporter.keep_policy(TLSA_TEXT)
    reporter.journal(
        ("enforce.example", "tlsa", tlsa, "success", "203.0.113.1", "good.dane.example"),
        ("enforce.example", "sts", "-", "success"),
        ("nopolicy-notls.example", "tlsa", tlsa, "validation-failure", "203.0.113.1",
         "good.dane.example"),
        ("dane-good.example", "tlsa", tlsa, "success", "203.0.113.1", "good.dane.example"))
    assert "3 sent, 0 deferred, 0 waiting, 0 dropped; 1 domains want none" in reporter.run()
    (mail,) = reporter.mails()
    _, report = read_mail(mail.message, "enforce.example")
    assert [p["policy"]["policy-type"] for p in report["policies"]] == ["tlsa", "sts"]
    on_host = {re.search(rb"(?m)^TLS-Report-Domain: (\S+)", mail.message).group(1).decode(): mail
               for mail in reporter.mails("mx@reports.example")}
    assert on_host.keys() == {"good.dane.example", "dane-good.example"}
    _, report = read_mail(on_host["good.dane.example"].message, "good.dane.example")
    (policy,) = report["policies"]
    assert policy["policy"]["policy-domain"] == "good.dane.example"
    assert list(policy["summary"].values()) == [1, 1]
    _, report = read_mail(on_host["dane-good.example"].message, "dane-good.example")
    assert list(report["policies"][0]["summary"].values()) == [1, 0]


def test_silent_domains(reporter):
    """B9.1: no report on a silent domain; one that cannot be known to be none stops all."""
    reporter.lab.write_etc("requiretls.domains", "silent enforce.*\n")
    reporter.site.configure(tlsrpt_domains="/etc/exim4/requiretls.domains")
    full_journal(reporter)
    assert "1 sent, 0 deferred" in reporter.run()
    assert reporter.mails() == []
    assert reporter.lab.dns_queries("_smtp._tls.enforce.example") == 0
    assert "silent" not in reporter.site.program("config").stderr
    reporter.lab.write_etc("requiretls.domains", "\nquiet enforce.*\n")
    full_journal(reporter)
    result = reporter.site.program("report", "run", "--date", date_of(), check=False)
    assert result.returncode == 75 and "domains: line 2: expected report" in result.stderr
    result = reporter.site.program("config", check=False)
    assert result.returncode == 78 and "domains: line 2: expected report" in result.stderr


def test_lookup_fails(reporter):
    """B1.9: a name server that fails is asked again later."""
    reporter.journal(("servfail.example", "no-policy-found", "-", "success"))
    assert "deferred: no answer for _smtp._tls.servfail.example" in reporter.run()
    assert "record pending" in reporter.outbox("servfail.example")


def test_exim_refuses(reporter):
    """B7.4: what Exim does not take is tried again."""
    reporter.site.configure(sendmail="/bin/false")
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"))
    assert "deferred: sendmail ended with status 1" in reporter.run()
    reporter.site.configure()
    reporter.hurry()
    assert "1 sent" in reporter.run()
    assert len(reporter.mails()) == 1


# --- looking at reports ---------------------------------------------------------------

def test_preview(reporter):
    """The very reports that would be sent, for people to read."""
    full_journal(reporter)
    reports = reporter.preview(date_of())
    assert [r["policies"][0]["policy"]["policy-domain"] for r in reports] == [
        "good.dane.example", "good.dane.example", "nopolicy-notls.example", "secure-sts.example"]
    for report in reports:
        read_json(json.dumps(report).encode())
    check_full_report(reports[0])
    assert reporter.preview(date_of(), "Enforce.EXAMPLE.") == reports[0]
    assert reporter.preview(date_of(), "good.dane.example") == reports[1]
    assert reporter.preview(date_of(), "nobody.example") == []
    assert reporter.preview("1999-01-01") == []
    assert reporter.lab.received() == []


def test_torn_lines(reporter):
    """A journal with half a line in it is still a journal."""
    full_journal(reporter)
    path = reporter.spool / "tlsrpt" / date_of()
    path.write_text("1\t17951\n" + path.read_text() + "1\t1795140000\tenforce.exam")
    result = reporter.site.program("report", "preview", date_of(), "enforce.example")
    check_full_report(json.loads(result.stdout))
    assert "2 lines of the journal do not parse" in result.stderr


def test_dry_run(reporter):
    """Files to look at; nothing leaves, nothing is remembered."""
    full_journal(reporter)
    directory = f"{SPOOL}/dry"
    said = reporter.run("--dry-run", directory)
    assert "would go to mailto:tlsrpt@reports.example" in said
    files = {path.name: path.read_bytes() for path in (reporter.spool / "dry").iterdir()}
    assert sorted(files) == [
        "enforce.example.eml", "enforce.example.json", "enforce.example.json.gz",
        "good.dane.example.json", "good.dane.example.json.gz",
        "nopolicy-notls.example.json", "nopolicy-notls.example.json.gz",
        "secure-sts.example.json", "secure-sts.example.json.gz"]
    check_full_report(read_json(files["enforce.example.json"]))
    assert read_gzip(files["enforce.example.json.gz"]) == read_mail(
        files["enforce.example.eml"], "enforce.example")[1]
    assert reporter.lab.received() == [] and reporter.lab.posted_reports() == []
    assert not list(reporter.spool.glob("outbox/*/*"))
    for path in (reporter.spool / "dry").iterdir():
        path.unlink()


def test_same_bytes(reporter):
    """The same journal gives the same bytes, in whatever order it was written."""
    full_journal(reporter)
    path = reporter.spool / "tlsrpt" / date_of()
    first = reporter.site.program("report", "preview", date_of()).stdout
    lines = path.read_text().splitlines(True)
    path.write_text("".join(reversed(lines)))
    assert reporter.site.program("report", "preview", date_of()).stdout == first


def test_status(reporter):
    """What there is and how far it got, for people and as JSON."""
    full_journal(reporter)
    text = reporter.site.program("report", "status").stdout
    assert f"{date_of()}  8 sessions" in text and "to 3 domains" in text
    assert "4 not asked yet" in text      # one of them an MX host
    reporter.run()
    (day,) = json.loads(reporter.site.program("report", "status", "--json").stdout)["days"]
    size = os.path.getsize(reporter.spool / "tlsrpt" / date_of())
    assert day == {"date": date_of(), "sessions": 8, "skipped": 0, "added_up": 0, "bytes": size,
                   "domains": 3, "sent": 2, "pending": 0, "dropped": 0, "unwanted": 2,
                   "untouched": 0, "open": []}


def test_too_many_different_failures(reporter):
    """What is kept without its details is counted all the same, and said."""
    stamp = int(datetime.datetime.strptime(date_of(), "%Y-%m-%d").replace(
        tzinfo=datetime.timezone.utc).timestamp())
    reporter.write(f"tlsrpt/{date_of()}", "".join(
        f"1\t{stamp}\tenforce.example\tno-policy-found\t-\tcertificate-expired\t-\tmx.example"
        f"\thelo{number}\t-\t-\n" for number in range(1234)))
    result = reporter.site.program("report", "preview", date_of(), "enforce.example")
    (policy,) = json.loads(result.stdout)["policies"]
    assert policy["summary"]["total-failure-session-count"] == 1234
    details = policy["failure-details"]
    assert sum(detail["failed-session-count"] for detail in details) == 1234
    assert (len(details), details[0]["failed-session-count"]) == (1001, 234)
    assert details[0]["failure-reason-code"].startswith("several reasons")
    words = "failures are without their details, too many different ones"
    assert result.stderr == f"exim-requiretls: 234 {words}\n"
    text = reporter.site.program("report", "status").stdout
    assert "  234 failures are reported without their details" in text
    (day,) = json.loads(reporter.site.program("report", "status", "--json").stdout)["days"]
    assert day["added_up"] == 234


def test_status_of_all_days(reporter):
    """Every day that is kept, the newest first, and how much it is in all."""
    for days_ago in (0, 29, 8):
        reporter.journal(("enforce.example", "no-policy-found", "-", "success"),
                         days_ago=days_ago)
    reporter.keep_policy(POLICY)
    reporter.write(f"outbox/{date_of(8)}/enforce.example", "12345")
    reporter.write("tlsrpt/notes", "no journal")
    status = json.loads(reporter.site.program("report", "status", "--json", check=False).stdout)
    assert [day["date"] for day in status["days"]] == [date_of(0), date_of(29)]
    line_bytes = (reporter.spool / "tlsrpt" / date_of(0)).stat().st_size
    kept = status["kept"]
    assert {key: kept[key] for key in kept if not key.startswith(("domains", "cache"))} == {
        "days": 3, "oldest": date_of(29), "journal_bytes": 3 * line_bytes, "outbox_bytes": 5,
        "policies": 1, "policy_bytes": len(POLICY)}
    text = reporter.site.program("report", "status", check=False).stdout
    assert text.splitlines()[-1] == (
        f"kept: journals of 3 days since {date_of(29)}, {3 * line_bytes} bytes; "
        f"outbox 5 bytes; 1 policy texts, {len(POLICY)} bytes")
    assert json.loads(reporter.site.program("cache", "size", "--json").stdout) == kept
    cache, same = reporter.site.program("cache", "size").stdout.splitlines()
    assert cache == f"cache: {kept['domains']} domains, {kept['cache_bytes']} bytes"
    assert same == text.splitlines()[-1]


# --- the life of a journal ---------------------------------------------------------------

def test_ages_and_shrinks(reporter):
    """A day that is over and done becomes a line per result, with the same reports; after
    tlsrpt_keep it goes."""
    reporter.site.configure(tlsrpt_keep="10d")
    full_journal(reporter)
    (reporter.spool / "tlsrpt" / date_of()).rename(reporter.spool / "tlsrpt" / date_of(9))
    for days_ago in (10, 11, 12):
        reporter.journal(("enforce.example", "no-policy-found", "-", "success"),
                         days_ago=days_ago)
        reporter.write(f"outbox/{date_of(days_ago)}/enforce.example", "12345")
    unused = reporter.keep_policy(world.policy_text("none", ()))
    reporter.lab.exec(["touch", "-d", "2 days ago", f"{SPOOL}/policy/{unused}"])
    before = reporter.preview(date_of(9))
    path = reporter.spool / "tlsrpt" / date_of(9)
    assert len(path.read_text().splitlines()) == 8
    assert reporter.run() == ("reports: 0 sent, 0 deferred, 0 waiting, 0 dropped; "
                              "0 domains want none\n")
    assert reporter.preview(date_of(9)) == before
    lines = path.read_text().splitlines()
    assert len(lines) == 7 and lines == sorted(lines, key=lambda line: line.split("\t")[2:])
    assert [line.split("\t")[6] for line in lines if line.startswith("2")] == ["2"]
    stays = {date_of(9), date_of(10)}
    assert {p.name for p in (reporter.spool / "tlsrpt").iterdir()} == stays
    assert {p.parent.name for p in reporter.spool.glob("outbox/*/*")} == {date_of(10)}
    assert not (reporter.spool / "outbox" / date_of(11)).exists()
    assert unused not in {p.name for p in (reporter.spool / "policy").iterdir()}
    assert len(list((reporter.spool / "policy").iterdir())) == 2
    owner = path.stat()
    assert (owner.st_uid, owner.st_mode & 0o7777) == (reporter.spool.stat().st_uid, 0o640)


def test_ages_when_off(reporter):
    """tlsrpt = no: what was kept before still goes."""
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"), days_ago=32)
    reporter.site.configure(tlsrpt="no", tlsrpt_organization=None, tlsrpt_contact=None)
    reporter.run("--dry-run", f"{SPOOL}/dry")
    assert list((reporter.spool / "tlsrpt").iterdir())
    reporter.run()
    assert not list((reporter.spool / "tlsrpt").iterdir())


def test_says_what_cannot_be_removed(reporter):
    """A line, and the run goes on."""
    reporter.journal(("enforce.example", "no-policy-found", "-", "success"), days_ago=1)
    reporter.write(f"outbox/{date_of(40)}/sub/file", "")
    said = reporter.run()
    assert f"remove {SPOOL}/outbox/{date_of(40)}: Directory not empty" in said
    assert "1 sent" in said
    assert (reporter.spool / "outbox" / date_of(40) / "sub" / "file").exists()


def test_off(reporter):
    """tlsrpt = no: it says so, and nothing happens."""
    full_journal(reporter)
    reporter.site.configure(tlsrpt="no", tlsrpt_organization=None, tlsrpt_contact=None)
    assert "TLS-RPT is off" in reporter.run()
    assert "no results are kept" in reporter.site.program("report", "status").stdout
    assert reporter.lab.received() == []
    result = reporter.site.program("report", "preview", date_of(), check=False)
    assert result.returncode == 78
    assert "tlsrpt_contact in /etc/exim4/requiretls.conf" in result.stderr


@pytest.mark.parametrize("args, status", [
    ((), 64), (("send",), 64), (("preview",), 64), (("preview", "--json"), 64),
    (("run", "now"), 64), (("run", "--date"), 64), (("run", "--spread", "1"), 64),
    (("run", "--frobnicate"), 64), (("status", "x"), 64),
    (("preview", "yesterday"), 65), (("preview", "2026-02-30"), 65),
    (("preview", "2026-11-20", "not a domain"), 65), (("run", "--date", "2026-13-01"), 65),
    (("run", "--date", date_of(0)), 65),
    (("run", "--dry-run", "/nonexistent/directory"), 73),
])
def test_wrong_use(reporter, args, status):
    """Exit statuses of sysexits.h, with a word on standard error."""
    full_journal(reporter)
    result = reporter.site.program("report", *args, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    assert result.stderr != "" and reporter.lab.received() == []
