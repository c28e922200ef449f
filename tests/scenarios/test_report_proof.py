"""From deliveries to the readers of reports, the day in between by a false clock: Exim delivers
today, and `report run` runs on another day. The product has no switch for that: inside the lab
libfaketime is loaded into whatever starts, by /etc/ld.so.preload."""

import contextlib
import glob
from collections import Counter
from dataclasses import dataclass, field

import pytest

from mail import deliver, empty_queue
from sender import world
from signing import Signing
from test_report import date_of, read_gzip, read_mail

PRELOAD, CLOCK = "/etc/ld.so.preload", "/etc/faketimerc"


@dataclass
class Sent:
    """What goes to a domain today, and what the day after is said about it."""

    domain: str
    messages: int
    type: str
    good: int = 0
    failed: dict = field(default_factory=dict)      # result type: sessions
    about: str = ""         # the policy domain, where that is another


TODAY = [
    Sent("enforce.example", 3, "sts", good=3),
    Sent("secure-sts.example", 1, "sts", good=1),
    Sent("testing-selfsigned.example", 2, "sts", failed={"certificate-not-trusted": 2}),
    Sent("enforce-expired.example", 1, "sts", failed={"certificate-expired": 1}),
    Sent("enforce-wrongname.example", 1, "sts", failed={"certificate-host-mismatch": 1}),
    Sent("enforce-badfirst.example", 2, "sts", good=2, failed={"certificate-expired": 2}),
    Sent("dane-good.example", 2, "tlsa", good=2, about="good.dane.example"),
    Sent("dane-bad.example", 1, "tlsa", failed={"validation-failure": 1},
         about="bad.dane.example"),
    Sent("nopolicy.example", 1, "no-policy-found", good=1),
    Sent("nopolicy-notls.example", 1, "no-policy-found", failed={"starttls-not-supported": 1}),
    Sent("ipv6.example", 1, "no-policy-found", good=1),
]
BY_HTTPS = {"secure-sts.example"}
WANTS_NONE = {"ipv6.example"}


class Day(Signing):
    """A site that signs its reports, one day of its mail, and its clock."""

    def deliver_all(self) -> Counter:
        """The messages of TODAY; {domain: how many arrived}."""
        self.sign()
        for sent in TODAY:
            records = ["v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"]
            if sent.about:      # who is reported about here is the host
                self.lab.set_tlsrpt(sent.domain)
                self.lab.set_tlsrpt(sent.about, *records)
            elif sent.domain in WANTS_NONE:
                self.lab.set_tlsrpt(sent.domain)
            elif sent.domain not in BY_HTTPS:
                self.lab.set_tlsrpt(sent.domain, *records)
            for number in range(sent.messages):
                deliver(self.site, f"bob@{sent.domain}", sender=f"alice{number}@lab.example")
                self.site.forget_retries()
        found = Counter(rcpt.partition("@")[2] for mail in self.lab.received()
                        for rcpt in mail.rcpts)
        empty_queue(self.site)
        return found

    @contextlib.contextmanager
    def days_ahead(self, days: int):
        """Whatever starts now lives so many days later."""
        (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        self.lab.exec(["sh", "-c", f"echo +{days}d >{CLOCK}; echo {library} >{PRELOAD}"])
        try:
            assert self.lab.exec(["date", "-u", "+%F"]).stdout.strip() == date_of(-days)
            yield
            self.lab.settle()
        finally:
            self.lab.exec(["rm", "-f", PRELOAD, CLOCK])

    def run_later(self, days: int) -> str:
        """`report run`, so many days later."""
        with self.days_ahead(days):
            return self.run()

    def reports(self, days: int = 1) -> dict:
        """{domain: report} of all that arrived, each read, each signature verified; none came
        twice. days: when they were sent."""
        found = {}
        for mail in self.mails():
            domain = mail.parsed()["TLS-Report-Domain"]
            assert domain not in found and self.verifies(mail.message)
            found[domain] = read_mail(mail.message, domain, days_ahead=days)[1]
        for posted in self.lab.posted_reports():
            report = read_gzip(posted["body"])
            (domain,) = {entry["policy"]["policy-domain"] for entry in report["policies"]}
            assert domain not in found
            found[domain] = report
        return found


@pytest.fixture(name="day")
def fixture_day(site):
    """The site, before its day."""
    return Day(site)


EXPECTED = {sent.about or sent.domain: sent for sent in TODAY if sent.domain not in WANTS_NONE}


def check_report(report: dict, sent: Sent) -> None:
    """It says what happened, and of what day."""
    assert report["date-range"] == {"start-datetime": f"{date_of(0)}T00:00:00Z",
                                    "end-datetime": f"{date_of(0)}T23:59:59Z"}
    (entry,) = report["policies"]
    policy, summary = entry["policy"], entry["summary"]
    assert policy["policy-type"] == sent.type
    assert policy["policy-domain"] == (sent.about or sent.domain)
    assert summary == {"total-successful-session-count": sent.good,
                       "total-failure-session-count": sum(sent.failed.values())}
    assert {detail["result-type"]: detail["failed-session-count"]
            for detail in entry["failure-details"]} == sent.failed
    if sent.type == "sts":
        text = world.domain_policy(world.domain_named(sent.domain))
        assert policy["policy-string"] == text.splitlines()
    for detail in entry["failure-details"]:
        assert detail["sending-mta-ip"] == world.SENDER
        host = world.host_named(detail["receiving-mx-hostname"])
        assert detail["receiving-ip"] == host.ip


def test_a_day(day):
    """B2.1 B4.1 B5.1 B6.4 B7.1 B8.1: what was delivered today is reported tomorrow, by mail and by
    HTTPS, to whoever asks for it; and once."""
    arrived = day.deliver_all()
    assert "0 sent" in day.run()                # today is not over
    said = day.run_later(1)
    assert f"{len(EXPECTED)} sent, 0 deferred" in said
    reports = day.reports()
    assert reports.keys() == EXPECTED.keys()
    for domain, sent in EXPECTED.items():
        check_report(reports[domain], sent)
        # The other side counted too: each message that arrived came in one session.
        in_testing = sum(sent.failed.values()) if arrived[sent.domain] > sent.good else 0
        assert arrived[sent.domain] == sent.good + in_testing
    assert [p["path"] for p in day.lab.posted_reports()] == ["/tlsrpt"]
    for days in (1, 2, 3):
        assert "0 sent, 0 deferred, 0 waiting, 0 dropped" in day.run_later(days)
    assert day.reports().keys() == EXPECTED.keys()
    assert day.lab.queue() == []


@pytest.mark.parametrize("days,sent", [(3, len(EXPECTED)), (7, len(EXPECTED)), (8, 0)])
def test_missed_days(day, days, sent):
    """B5.1: a machine that was off says it when it is back, up to a week later, of the right day."""
    day.deliver_all()
    assert f"{sent} sent, 0 deferred" in day.run_later(days)
    reports = day.reports(days)
    assert len(reports) == sent
    for domain, report in reports.items():
        check_report(report, EXPECTED[domain])


def test_killed(day):
    """B8.4: a run that is killed while it sends: what it was sending may be lost, all else comes,
    and nothing comes twice."""
    day.deliver_all()
    with day.days_ahead(2):
        day.lab.pause("httpsd")
        try:
            day.lab.exec(["sh", "-c", "/usr/sbin/exim-requiretls report run & "
                          "while ! grep -q 'to sending.*https' /var/spool/exim4/requiretls/outbox/"
                          f"{date_of(0)}/*; do sleep 0.05; done; kill -9 $!"])
        finally:
            day.lab.resume("httpsd")
        day.run()
        day.run()
    assert day.reports(2).keys() >= EXPECTED.keys() - BY_HTTPS


def test_two_runs_at_once(day):
    """B8.4: a timer and a cron job, say."""
    day.deliver_all()
    run = "/usr/sbin/exim-requiretls report run"
    with day.days_ahead(2):
        day.lab.exec(["sh", "-c", f"{run} & {run} & {run} & wait"])
    assert day.reports(2).keys() == EXPECTED.keys()


@pytest.mark.parametrize("rua,rcpts,paths", [
    ("mailto:a@reports.example,mailto:b@reports.example,https://reports.example/x,"
     "https://reports.example/y", ["a@reports.example", "b@reports.example"], ["/x", "/y"]),
    ("https://reports.example/x,HTTPS://Reports.Example/x", [], ["/x"]),
    ("https://reports.example/X,https://reports.example/x", [], ["/X", "/x"]),
    ("https://reports.example/a%2Cb%3Bc%21d?e=%20f", [], ["/a%2Cb%3Bc%21d?e=%20f"]),
    ("mailto:a%2Bb%21c@reports.example", ["a+b!c@reports.example"], []),
    ("mailto:,mailto:x,ftp://reports.example/,https://,https://a:b@reports.example/,"
     "mailto:tlsrpt@reports.example,gopher:x", ["tlsrpt@reports.example"], []),
], ids=["several", "one place", "two places", "encoded path", "encoded address", "unusable ones"])
def test_places(day, rua, rcpts, paths):
    """B1.3 B1.7 B1.8: each place that can be used has the report, once, as it is written there."""
    day.lab.set_tlsrpt("enforce.example", f"v=TLSRPTv1; rua={rua}")
    day.journal(("enforce.example", "no-policy-found", "-", "success"))
    assert f"{len(rcpts) + len(paths)} sent" in day.run()
    assert sorted(rcpt for mail in day.lab.received() for rcpt in mail.rcpts) == rcpts
    assert sorted(posted["path"] for posted in day.lab.posted_reports()) == paths
    assert len({posted["body"] for posted in day.lab.posted_reports()}) <= 1
