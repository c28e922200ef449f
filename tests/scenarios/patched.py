"""Scenarios over the real wire: a lab in which sender and receiver are patched Exims.

    RTLS_EXIM          the daemon to test
    RTLS_EXIM_VERSION  else the one build/exim.sh makes of that release ("4.96")
    RTLS_EXIM_VARIANT  and of that variant ("plain")

A release that cannot be had now is no failure: the tests are skipped, with the reason.
"""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from mail import ALICE
from sender import ROOT, Lab, Site, new_marker

OUT = os.environ.get("OUT", "build/out")
VERSION = os.environ.get("RTLS_EXIM_VERSION", "4.96")
VARIANT = os.environ.get("RTLS_EXIM_VARIANT", "plain")
NOT_NOW = 75


def exim_path(version: str = VERSION, variant: str = VARIANT) -> Path:
    """Where the patched daemon is; it is built when the patches are newer."""
    if "RTLS_EXIM" in os.environ and (version, variant) == (VERSION, VARIANT):
        return Path(os.environ["RTLS_EXIM"]).resolve()
    command = [str(ROOT / "build/exim.sh"), "--variant", variant, version]
    built = _run(command)           # nothing to do when it is up to date
    if built.returncode == NOT_NOW:
        pytest.skip(_last_line(built.stderr) or _last_line(built.stdout))
    assert built.returncode == 0, built.stdout + built.stderr
    return Path(_run([*command, "--path"]).stdout.strip())


def _run(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT,
                          env={**os.environ, "OUT": OUT})


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


@contextmanager
def lab_in(name: str, **options):
    """A lab of its own, up; down again at the end. What a killed run left is put away."""
    lab = Lab(ROOT / OUT / name, **options)
    lab.down()
    lab.up()
    try:
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="session")
def patched_lab():
    """One lab for the whole run; both sides are the patched Exim."""
    exim = str(exim_path())
    with lab_in("lab-wire", exim=exim, mx_exim=exim) as lab:
        yield lab


def _module_for(exim: Path, version: str) -> list[str]:
    """make's variables for a module that fits this daemon. Without headers beside the
    daemon it is the one for the installed Exim."""
    include = exim.parent.parent / "include" / "exim4"
    if not include.is_dir():
        return [f"OUT={OUT}"]
    return [f"OUT={OUT}/for-{version}", f"EXIM_VERSION={version}",
            f"EXIM_INCLUDE={include}"]


@pytest.fixture(scope="session")
def module_lab(patched_lab):
    """The same with the module installed as `make install` does it."""
    patched_lab.exec(["make", "--no-print-directory", "-s", "-C", str(ROOT), "install",
                      *_module_for(exim_path(), VERSION)], timeout=300)
    return patched_lab


@pytest.fixture
def wire(patched_lab):
    """The lab, reset, with the lab's plain configuration (tests/lab/sender.conf): the
    module is not in use. A good run leaves the panic log empty."""
    patched_lab.reset()
    patched_lab.write_sender_conf(patched_lab.sender_conf().replace(*SUFFIX))
    yield patched_lab
    assert patched_lab.paniclog() == ""


@pytest.fixture
def wire_site(module_lab):
    """The lab, reset, with the module in use at its highest level."""
    site = Site(module_lab)
    site.reset()
    site.configure(requiretls="enforce")
    change(module_lab, SUFFIX)
    yield site
    assert module_lab.paniclog() == ""


# --- sending and looking -------------------------------------------------------------

def tag(address: str, marker: str) -> str:
    """bob@x.example as bob+MARKER@x.example; the lab delivers such names to bob."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part}+{marker}{at}{domain}" if at else ""


def send(lab: Lab, *recipients: str, sender: str = ALICE, flagged: bool = True,
         **more) -> str:
    """Send one message and wait; its marker is in sender, recipients, subject and body."""
    marker = new_marker()
    args = [*more.pop("extra_args", []), *(["-oR"] if flagged else [])]
    lab.send(tag(sender, marker), [tag(r, marker) for r in recipients], body=f"{marker}\n",
             headers={"Subject": marker, **more.pop("headers", {})}, extra_args=args, **more)
    lab.settle()
    return marker


class Seen:
    """All that the receiving side knows, read once."""

    def __init__(self, lab: Lab) -> None:
        lab.settle()
        self.messages = lab.received()
        self.events = lab.hung_up()
        self._log = lab.mx_log().splitlines()
        self._files = [path.read_bytes() for path in sorted((lab.state / "mx").rglob("*"))
                       if path.is_file() and path.name != "mainlog"]

    def accepted(self, marker: str) -> list:
        """The messages with that marker which some host has accepted."""
        return [m for m in self.messages if marker.encode() in m.message]

    def touched(self, marker: str) -> set[str]:
        """The hosts that saw anything of a message, be it a name in its envelope."""
        found = {event["server"] for event in self.events
                 if marker in json.dumps(event)}
        lines = [line for line in self._log if marker in line]
        found |= {match[1] for line in lines if (match := re.search(r" LAB (\S+) ", line))}
        if any(marker.encode() in data for data in self._files) or lines:
            found |= {m.ip for m in self.accepted(marker)} or {"somewhere"}
        return found


class Session:
    """One connection to a scripted host."""

    def __init__(self, events: list[dict]) -> None:
        self.ip = events[0]["server"]
        self.commands = [e["line"] for e in events if e["dir"] == "in" and not e["data"]]
        self.in_tls = [e["line"] for e in events
                       if e["dir"] == "in" and not e["data"] and e["tls"]]
        self.data = [e["line"] for e in events if e["dir"] == "in" and e["data"]]
        self.end = events[-1]["line"]
        self.tls = any(e["line"] == "tls" for e in events)

    @property
    def mails(self) -> list[str]:
        """The MAIL commands."""
        return [c for c in self.commands if c.upper().startswith("MAIL")]

    @property
    def refused(self) -> bool:
        """The client left before it told anything of a message, and said so; or ended the
        handshake, after which nothing can be said."""
        return (not self.mails and not self.data
                and self.commands[-1:] in (["QUIT"], ["STARTTLS"]))


def sessions(lab: Lab, ip: str | None = None) -> list[Session]:
    """All sessions with scripted hosts, in the order of their connects."""
    lab.settle()
    by_number: dict[int, list[dict]] = {}
    for event in (e for e in lab.hung_up() if ip in (None, e["server"])):
        by_number.setdefault(event["session"], []).append(event)
    return [Session(events) for _, events in sorted(by_number.items())]


def bounces_of(lab: Lab, marker: str, user: str = "alice") -> list:
    """Reports about that message in the mailbox of a local user."""
    return [b for b in lab.bounces(user) if marker in b.text]


def statuses(text: str) -> list[str]:
    """The Status fields of a report."""
    return re.findall(r"^Status: (\S+)$", text, re.MULTILINE)


def queued(lab: Lab, marker: str) -> list[str]:
    """The recipients of that message which are still on the queue."""
    return [r for q in lab.queue() for r in q.recipients if marker in r]


def retry_records(lab: Lab) -> str:
    """Exim's retry database as text."""
    return lab.exec(["/usr/sbin/exim_dumpdb", "/var/spool/exim4", "retry"],
                    check=False).stdout


# --- the sender's configuration ------------------------------------------------------

def change(lab: Lab, *pairs: tuple[str, str]) -> None:
    """Replace texts in the sender's configuration; each must be there."""
    conf = (lab.state / "etc/exim4/exim4.conf").read_text()
    for old, new in pairs:
        assert old in conf, old
        conf = conf.replace(old, new)
    lab.write_sender_conf(conf)


# Mailboxes of the lab take alice+anything.
SUFFIX = ("  local_parts = lsearch;/etc/exim4/lab-users\n",
          "  local_parts = lsearch;/etc/exim4/lab-users\n"
          "  local_part_suffix = +*\n  local_part_suffix_optional\n")
