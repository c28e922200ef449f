"""Our reports through a patched Exim of any release: the stanzas that test_report_exim.py proves
with the system's Exim, and REQUIRETLS asks for nothing."""

import pytest

import test_report_exim as stock
from signing import KEYS, Signing


@pytest.fixture(name="reports")
def fixture_reports(wire_site):
    """The site; its journal is empty."""
    return Signing(wire_site)


@pytest.mark.parametrize("domain,tls", stock.TROUBLE.values(), ids=stock.TROUBLE)
def test_flagged_report(reports, domain, tls):
    """B7.3: of a report that a rule flags nothing is demanded."""
    reports.site.rules("flag Subject *Report*\n")
    reports.send(f"tlsrpt@{domain}")
    (mail,) = reports.mails(f"tlsrpt@{domain}")
    assert bool(mail.tls) == tls and "REQUIRETLS" not in mail.mail_command


@pytest.mark.parametrize("kind", KEYS)
def test_signed(reports, kind):
    """B7.1."""
    stock.test_signed(reports, kind)


def test_no_key_no_report(reports):
    """B7.1."""
    stock.test_no_key_no_report(reports)


def test_waits_a_day_and_is_dropped(reports):
    """B7.4."""
    stock.test_waits_a_day_and_is_dropped(reports)


def test_refused(reports):
    """B7.5."""
    stock.test_refused(reports, "reject-rcpt-5xx")


@pytest.mark.parametrize("via,ip", [("relay-expired.example", "192.0.2.62"),
                                    ("nosuch.example : relay-plain.example::25", "192.0.2.65")])
def test_smart_host(reports, via, ip):
    """All mail goes there, this too."""
    stock.test_smart_host(reports, via, ip)


@pytest.mark.parametrize("args", [[], ["-oMa", "127.0.0.1"]], ids=str)
def test_nobody_else(reports, args):
    """Another user cannot make one."""
    stock.test_local_mail_is_no_report(reports, "www-data", ["-oMr", "tlsrpt", *args, "-f", "<>"])
