"""What sends the reports by itself: a systemd timer, or cron where systemd does not run."""

import re

import pytest

from signing import Signing
from test_refresh import EXIM_USER

UNITS = "/usr/lib/systemd/system/exim-requiretls-report"
# systemd.exec(5): with User= each of these implies NoNewPrivileges, and Exim is setuid.
IMPLY = {"SystemCallFilter", "SystemCallLog", "SystemCallArchitectures",
         "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime",
         "RestrictSUIDSGID", "PrivateDevices", "ProtectKernelTunables",
         "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock", "ProtectHostname",
         "MemoryDenyWriteExecute", "LockPersonality", "DynamicUser"}


@pytest.fixture(name="reports")
def fixture_reports(site):
    """A report that is due whatever time of day it is: of the day before yesterday."""
    reports = Signing(site)
    reports.journal(("enforce.example", "no-policy-found", "-", "success"), days_ago=2)
    return reports


def unit(reports) -> dict:
    """The settings of the service."""
    text = reports.lab.exec(["cat", f"{UNITS}.service"]).stdout
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def test_units_are_understood(reports):
    """By systemd itself."""
    done = reports.lab.exec(["systemd-analyze", "verify", f"{UNITS}.service", f"{UNITS}.timer"],
                            check=False)
    assert "exim-requiretls" not in done.stdout + done.stderr and done.returncode == 0
    timer = reports.lab.exec(["cat", f"{UNITS}.timer"]).stdout
    for line in ("OnCalendar=*:0/15", "RandomizedDelaySec=10min", "Persistent=yes"):
        assert line in timer.splitlines()


def test_service_lets_exim_work(reports):
    """The command, as its user and with the capabilities that are left: Exim takes the report and
    delivers it, elsewhere and to users of this machine."""
    settings = unit(reports)
    assert not IMPLY & set(settings) and settings["NoNewPrivileges"] == "no"
    assert settings["User"] == EXIM_USER and settings["KillMode"] == "process"
    reports.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example,"
                                              "mailto:alice@lab.example")
    dropped = settings["CapabilityBoundingSet"].removeprefix("~").lower().split()
    bound = ",".join(f"-{name.removeprefix('cap_')}" for name in dropped)
    told = reports.lab.exec(["setpriv", f"--bounding-set={bound}", f"--reuid={EXIM_USER}",
                             f"--regid={EXIM_USER}", "--init-groups",
                             *settings["ExecStart"].split()]).stdout
    assert "2 sent" in told
    assert len(reports.mails()) == 1 and len(reports.lab.bounces("alice")) == 1


def test_cron(reports):
    """Where systemd does not run, cron does the same, and where it runs nothing."""
    text = reports.lab.exec(["cat", "/etc/cron.d/exim-requiretls"]).stdout
    (line,) = [line for line in text.splitlines() if "report run" in line]
    entry = line.split(" ", 6)
    assert entry[:6] == ["7,22,37,52", "*", "*", "*", "*", EXIM_USER]
    command = entry[6].replace("| logger -t exim-requiretls", "")
    here = command.replace("/run/systemd/system", "/run/lab")
    assert reports.lab.exec(["sh", "-c", here], user=EXIM_USER).stdout == ""
    away = command.replace("/run/systemd/system", "/run/lab/no-systemd")
    assert "1 sent" in reports.lab.exec(["sh", "-c", away], user=EXIM_USER).stdout


def test_timer_and_cron_at_once(reports):
    """Both are harmless: one run works, the other says so or has nothing to do."""
    command = unit(reports)["ExecStart"]
    reports.lab.exec(["sh", "-c", f"{command} & {command} & {command} & wait"], user=EXIM_USER)
    assert len(reports.mails()) == 1


def test_nothing_to_do(reports):
    """No words every quarter of an hour; but of what went wrong, or was done."""
    command = unit(reports)["ExecStart"].split()
    reports.lab.set_report_status(500)
    reports.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=https://reports.example/tlsrpt")
    for words in ("0 sent, 1 deferred", "", ""):
        told = reports.lab.exec(command, user=EXIM_USER)
        assert words in told.stdout and bool(words) == bool(told.stdout) and told.stderr == ""
    reports.hurry()
    reports.lab.set_report_status(200)
    assert "1 sent" in reports.lab.exec(command, user=EXIM_USER).stdout


def test_off(reports):
    """tlsrpt = no: a timer may stay on. Nobody is asked anything."""
    reports.site.configure(tlsrpt="no")
    told = reports.lab.exec(unit(reports)["ExecStart"].split(), user=EXIM_USER)
    assert told.stdout + told.stderr == ""
    assert reports.lab.dns_queries("_smtp._tls.enforce.example") == 0
    assert reports.lab.received() == []
