"""Call number 1, 2, 3 ... fails, or the process is killed there, until none is left.

`make faults` goes through all of them (some ten minutes); an ordinary run takes every one
of the short sweeps and a sample of the long ones.
"""

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mailside
from failing import KINDS, MODULE, PROGRAM, Failing
from mail import arrived, assert_nothing_left, deliver, let_answers_expire
from policyhost import EXIM_USER, Record, parse
from sender import Site, bounce_status, world

ALL = bool(os.environ.get("RTLS_FAULTS"))
BINARY = "/usr/sbin/exim-requiretls"
BUT_MEMORY = tuple(kind for kind in KINDS if kind != "MEMORY")
# OSERR, IOERR, TEMPFAIL, CONFIG: what our own trouble may end in.
SANE = {0, 71, 74, 75, 78}
KILLED, CRASHED = -9, {-6, -7, -11}


def step(sample: int) -> int:
    """Every one, or every so manieth."""
    return 1 if ALL else sample


@pytest.fixture(name="failing")
def fixture_failing(site: Site) -> Iterator[Failing]:
    """Nothing fails yet. No zombie and no helper is left behind."""
    with Failing(site) as found:
        yield found
    assert_nothing_left(site)


# --- the program ----------------------------------------------------------------

class Program:
    """exim-requiretls in a spool that each run finds as it was when keep() was called."""

    def __init__(self, site: Site, domain: str, *command: str) -> None:
        self.site, self.domain = site, domain
        self.command = command or ("resolve", "--record", domain)
        self.spool = site.lab.state / "sender/spool/requiretls"
        self.kept = site.lab.state / "kept-spool"
        self.keep()

    def keep(self) -> None:
        """From now on every run begins here."""
        shutil.rmtree(self.kept, ignore_errors=True)
        self.copy(self.spool, self.kept)

    @staticmethod
    def copy(source: Path, target: Path) -> None:
        """With owners."""
        if source.exists():
            subprocess.run(["cp", "-a", source, target], check=True)

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Once, as the module starts it: no second start of itself is needed."""
        return self.site.lab.exec(
            ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", BINARY, *command],
            user=EXIM_USER, check=False, timeout=30)

    def __call__(self) -> subprocess.CompletedProcess:
        """A run from the beginning."""
        shutil.rmtree(self.spool, ignore_errors=True)
        self.copy(self.kept, self.spool)
        return self.run(*self.command)

    def after(self) -> Record:
        """What the next process finds: a whole cache, no lock, an answer at once."""
        listed = self.run("cache", "list")
        assert listed.returncode == 0 and "unreadable" not in listed.stdout, listed
        done = self.run("resolve", "--record", self.domain)
        assert done.returncode == 0, done
        record = parse(done.stdout)
        if record["mx-answer"] == "failed":     # remembered for a minute
            done = self.run("resolve", "--fresh", "--record", self.domain)
            record = parse(done.stdout)
        assert record["mx-answer"] == "hosts", done
        assert not [note for note in record.note if "ignored" in note or "held" in note]
        assert self.torn_journals() == []
        return record

    def temporaries(self) -> list[Path]:
        """Files that a writer did not finish."""
        return [path for path in self.spool.rglob(".*") if path.is_file()]

    def torn_journals(self) -> list[str]:
        """Days whose journal cannot be read any more."""
        days = [path.name for path in (self.spool / "tlsrpt").glob("*")]
        return [day for day in days if self.run("report", "preview", day).returncode != 0]


def assert_truth(record: Record) -> None:
    """dane-sts.example: a fault may leave things unknown, but makes nothing weaker."""
    assert record["mx-answer"] in ("hosts", "failed")
    if record["mx-answer"] == "hosts":
        assert record["mx-dnssec"] == "secure"
        assert len(record.mx) == 1
        assert record.mx[0].split(" ", 2)[2] in (
            "address=secure tlsa=secure", "address=secure tlsa=failed",
            "address=bogus tlsa=failed", "address=unknown tlsa=failed",
            "address=unknown tlsa=unknown")
    assert record["txt"] in ("valid", "failed")
    assert (record["txt"], record["fetch"]) in (
        ("valid", "ok"), ("valid", "failed"), ("failed", ""))
    assert bool(record.policy) == (record["fetch"] == "ok")


COLD = "dane-sts.example"
# object, kinds, mode, sample
SWEEPS = {
    "each call of ours": (PROGRAM, KINDS, "FAIL", 4),
    "each call of all libraries": ("", BUT_MEMORY, "FAIL", 11),
    "no memory from the libraries' allocators": ("", ("MEMORY",), "FAIL", 509),
    "everything from a call of ours on": (PROGRAM, KINDS, "EVER", 7),
    "everything from some call on": ("", BUT_MEMORY, "EVER", 29),
}


@pytest.mark.parametrize("sweep", SWEEPS)
def test_program_cold(site: Site, failing: Failing, sweep: str) -> None:
    """DANE, MTA-STS, nothing in the cache."""
    caller, kinds, mode, sample = SWEEPS[sweep]
    program = Program(site, COLD)
    # Libraries that do not check what malloc() gives them die: the module knows how to
    # live with that. What counts is what they leave behind.
    may_crash = CRASHED if kinds == ("MEMORY",) and not caller else set()
    # With ten thousand of them even `make faults` takes only some.
    skip = 31 if may_crash and ALL else step(sample)
    runs = 0
    for when, kind, done in failing.sweep(program, program=PROGRAM, object=caller, kinds=kinds,
                                          mode=mode, step=skip):
        runs += 1
        told = f"{kind} {when}: {done}"
        assert done.returncode in SANE | may_crash, told
        if done.returncode == 0:
            assert_truth(parse(done.stdout))
        elif done.returncode > 0:
            assert done.stderr, told
        if mode == "FAIL" and done.returncode >= 0:
            assert program.temporaries() == [], told
        after = program.after()
        assert_truth(after)
        # What came is not forgotten, whatever could not be written.
        if done.returncode == 0 and parse(done.stdout).policy and mode == "FAIL":
            assert after.policy, told
    assert runs > 5


def test_program_killed(site: Site, failing: Failing) -> None:
    """kill -9 before each call: whole records, and temporaries that go in time."""
    program = Program(site, COLD)
    left = 0
    for when, kind, done in failing.sweep(program, program=PROGRAM, object=PROGRAM,
                                          mode="KILL", step=step(4)):
        assert done.returncode == KILLED, f"{kind} {when}: {done}"
        found = program.temporaries()
        left += len(found)
        assert len(found) <= 1
        assert_truth(program.after())
        for path in found:
            assert path.exists()
            os.utime(path, (time.time() - 7200,) * 2)
        program.run("cache", "refresh")
        assert program.temporaries() == []
    assert left > 0


@pytest.mark.parametrize("mode", ["FAIL", "KILL", "TEAR", "CUT"])
def test_program_refetch(site: Site, failing: Failing, mode: str) -> None:
    """A policy that is known stays in force, or the new one does: never none."""
    domain = "rotate.example"
    program = Program(site, domain, "resolve", "--fresh", "--record", domain)
    assert program.run("resolve", domain).returncode == 0
    program.keep()
    site.lab.set_policy(domain, world.policy_text("testing", ["good.mail.example"]), id="2")
    kinds = ("WRITE",) if mode in ("TEAR", "CUT") else KINDS
    for when, kind, done in failing.sweep(program, program=PROGRAM, object=PROGRAM,
                                          kinds=kinds, mode=mode,
                                          step=1 if len(kinds) == 1 else step(9)):
        told = f"{kind} {when}: {done}"
        assert done.returncode in (SANE if mode in ("FAIL", "CUT") else {KILLED}), told
        if done.returncode == 0:
            assert parse(done.stdout).policy, told
        after = program.after()
        assert (after["policy-id"], after.policy.split()[3]) in (
            ("2", "testing"), (world.POLICY_ID, "enforce")), told


WRITING = ("OPEN", "WRITE", "SYNC", "RENAME", "CLOSE", "FILES")


@pytest.mark.parametrize("mode, error", [
    ("FAIL", 0), ("FAIL", errno.EDQUOT), ("FAIL", errno.EROFS), ("EVER", errno.ENOSPC),
    ("KILL", 0), ("TEAR", 0), ("CUT", 0)])
def test_program_failing_fetch(site: Site, failing: Failing, mode: str, error: int) -> None:
    """An invalid policy goes to journal, policy directory and cache."""
    domain = "enforce.example"
    site.lab.set_policy(domain, "version: STSv1\nmode: enforce\n", id="2")
    program = Program(site, domain)
    kinds = ("WRITE",) if mode in ("TEAR", "CUT") or error == errno.EDQUOT else WRITING
    for when, kind, done in failing.sweep(program, program=PROGRAM, object=PROGRAM,
                                          kinds=kinds, mode=mode, error=error,
                                          step=1 if len(kinds) == 1 else step(9)):
        told = f"{kind} {when}: {done}"
        assert done.returncode in ({KILLED} if mode in ("KILL", "TEAR") else SANE), told
        if done.returncode == 0:
            assert parse(done.stdout)["fetch-error"].startswith("sts-p"), told
        assert program.after()["fetch"] == "failed", told


@pytest.mark.parametrize("command, sample", [
    (("resolve", "--record", "secure-sts.example"), 2),
    (("cache", "refresh", "secure-sts.example"), 7),
    (("cache", "refresh"), 61),
    (("cache", "list", "--json"), 61),
    (("cache", "show", "secure-sts.example"), 3),
    (("cache", "flush", "secure-sts.example"), 3)])
def test_program_warm(site: Site, failing: Failing, command: tuple[str, ...],
                      sample: int) -> None:
    """What is known already is never lost by a command that fails, but by `flush`."""
    domain = "secure-sts.example"
    site.lab.set_rrset(domain, "MX", ["10 good.mail.example."], ttl_s=600)
    program = Program(site, domain, *command)
    assert program.run("resolve", domain).returncode == 0
    program.keep()
    for when, kind, done in failing.sweep(program, program=PROGRAM, object=PROGRAM,
                                          step=step(sample)):
        assert done.returncode in SANE, f"{kind} {when}: {done}"
        assert program.temporaries() == []
        assert program.after().policy or command[1] == "flush"


# --- the module -----------------------------------------------------------------

def assert_safe(site: Site, marker: str, allowed: tuple[str, ...], told: str) -> str:
    """Where the message is: at one place, and not where it must not be."""
    queued, there = site.lab.queue(), arrived(site, marker)
    bounces = site.lab.bounces("alice")
    where = {"refused": not queued and not there and not bounces, "waits": len(queued) == 1,
             "delivered": len(there) == 1, "bounced": len(bounces) == 1}
    found = [name for name, is_it in where.items() if is_it]
    assert len(found) == 1 and found[0] in allowed, (told, found, site.lab.mainlog())
    if found == ["delivered"]:
        assert there[0].tls and " CV=yes " in site.lab.mainlog(), told
    else:
        assert site.lab.body_seen(marker) == [], told
    if found == ["bounced"]:
        assert "5.7.10" in bounce_status(bounces[0].text)
    return found[0]


# name: (recipient, known before, where the message may be in the end)
MAIL = {
    "enforced": ("bob@enforce-selfsigned.example", True, ("refused", "waits")),
    "flagged": ("bob+requiretls@enforce.example", False, ("refused", "waits", "delivered")),
    "flagged, known": ("bob+requiretls@enforce.example", True,
                       ("refused", "waits", "delivered")),
    "flagged, refused": ("bob+requiretls@enforce-selfsigned.example", True,
                         ("refused", "waits", "bounced")),
}


class Mail:
    """One message after the other to the same recipient."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.recipient, known, self.allowed = MAIL[name]
        domain = self.recipient.split("@")[1]
        # Answers that stay fresh, so that every run takes the same way.
        host = world.domain_named(domain).mx[0]
        site.lab.set_rrset(domain, "MX", [f"{host}."], ttl_s=600)
        site.lab.set_rrset(f"_mta-sts.{domain}", "TXT",
                           [f'"v=STSv1; id={world.POLICY_ID}"'], ttl_s=600)
        site.configure(resolve_timeout="3s")
        self.program = Program(site, domain)
        if known:
            assert self.program.run("resolve", domain).returncode == 0
            self.program.keep()

    def __call__(self) -> str:
        """Send one; returns its marker."""
        state = self.site.lab.state
        for name in ("sender/spool/input", "sender/spool/msglog", "sender/spool/db",
                     "sender/mail", "sender/log", "mx/mail"):
            mailside.clear(state / name)
        shutil.rmtree(self.program.spool, ignore_errors=True)
        self.program.copy(self.program.kept, self.program.spool)
        return deliver(self.site, self.recipient)


@pytest.mark.parametrize("mode, sample", [("FAIL", 6), ("EVER", 13), ("KILL", 10)])
@pytest.mark.parametrize("name", MAIL)
def test_module(site: Site, failing: Failing, name: str, mode: str, sample: int) -> None:
    """Reception, routing and session in a real Exim, a call of the module failing."""
    mail = Mail(site, name)
    found = set()
    for when, kind, marker in failing.sweep(mail, object=MODULE, mode=mode, step=step(sample)):
        told = f"{kind} {when}"
        log = site.lab.paniclog()
        assert log == "" or mode == "KILL", (told, log)
        found.add(assert_safe(site, marker, mail.allowed, told))
        mail.program.after()
    assert found - {"refused"}, "nothing but reception was reached"


@pytest.mark.parametrize("kinds, mode", [
    (("WRITE",), "TEAR"), (("WRITE",), "CUT"), (("WRITE", "OPEN", "FILES", "SYNC"), "EVER")])
def test_module_disk_full(site: Site, failing: Failing, kinds: tuple[str, ...],
                          mode: str) -> None:
    """The journal and the note on a refusal: lost at worst, and harmful to nobody."""
    mail = Mail(site, "flagged, refused")
    for when, kind, marker in failing.sweep(mail, object=MODULE, mode=mode, kinds=kinds,
                                            error=errno.ENOSPC,
                                            step=step(5) if mode == "EVER" else 1):
        assert_safe(site, marker, mail.allowed, f"{kind} {when}")
        mail.program.after()
        # With room again the message finds its end.
        site.lab.run_queue()
        site.lab.run_queue()
        assert_safe(site, marker, ("refused", "bounced"), f"{kind} {when}, later")


@pytest.mark.parametrize("mode, sample", [("FAIL", 11), ("EVER", 19), ("KILL", 17)])
def test_program_fails_while_exim_routes(site: Site, failing: Failing, mode: str,
                                         sample: int) -> None:
    """A policy is known, DNS answers are stale: whatever befalls the program, the policy
    is enforced."""
    mail = Mail(site, "enforced")
    let_answers_expire(site, "enforce-selfsigned.example")
    mail.program.keep()
    for when, kind, marker in failing.sweep(mail, object=PROGRAM, mode=mode,
                                            step=step(sample)):
        assert assert_safe(site, marker, mail.allowed, f"{kind} {when}") == "waits"
        mail.program.after()
