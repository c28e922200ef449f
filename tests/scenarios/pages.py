"""What the tests of `report show` and of its page share: a site with journals."""

import calendar
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = (ROOT / os.environ.get("OUT", "build/out") / "exim-requiretls").resolve()
CONFIG_DIR = Path("/etc/exim4")
EXIM_USER = "Debian-exim"
CONFIG = "tlsrpt = yes\ntlsrpt_organization = Lab\ntlsrpt_contact = postmaster@lab.example\n"


class Journals:
    """A spool with journals, and the program that reads it; /etc/exim4 is a directory of the
    test, in a mount namespace of its own."""

    def __init__(self, top: Path) -> None:
        self.top, self.etc, self.spool = top, top / "etc", top / "spool"
        for path in (self.etc, self.spool, self.spool / "tlsrpt", self.spool / "policy"):
            path.mkdir(mode=0o755)
            shutil.chown(path, EXIM_USER, EXIM_USER)
        shutil.chown(self.etc, "root", "root")
        self.spool.chmod(0o750)
        self.configure(CONFIG)

    def configure(self, text: str) -> None:
        """requiretls.conf."""
        path = self.etc / "requiretls.conf"
        path.write_text(f"spool = {self.spool}\n{text}")
        path.chmod(0o644)

    def policy(self, text: str) -> str:
        """Keep the text of a policy; its digest."""
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest()
        path = self.spool / "policy" / digest
        path.write_bytes(data)
        shutil.chown(path, EXIM_USER, EXIM_USER)
        return digest

    def write(self, date: str, sessions: list[tuple]) -> None:
        """The journal of a day: (count, domain, result, and by name what else differs)."""
        noon_s = calendar.timegm(time.strptime(date, "%Y-%m-%d")) + 43200
        lines = []
        for count, domain, result, *more in sessions:
            field = {"type": "sts", "digest": "-", "sending": "203.0.113.1", "mx": f"mx.{domain}",
                     "helo": "-", "receiving": "192.0.2.7", "reason": "-", **(more or [{}])[0]}
            line = "\t".join(["1", str(noon_s), domain, field["type"], field["digest"], result,
                              *(field[key] for key in ("sending", "mx", "helo", "receiving",
                                                       "reason"))])
            lines += [line + "\n"] * count
        path = self.spool / "tlsrpt" / date
        path.write_text("".join(lines))
        shutil.chown(path, EXIM_USER, EXIM_USER)

    def show(self, *args: str, user: str | None = None,
             **kwargs) -> subprocess.CompletedProcess:
        """`report show`, as root or as a user."""
        become = []
        if user:
            entry = pwd.getpwnam(user)
            become = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}",
                      "--clear-groups", "--"]
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
             str(self.etc), str(CONFIG_DIR), *become, str(PROGRAM), "report", "show", *args],
            text=True, timeout=60, check=False, cwd="/", env={"PATH": os.environ["PATH"]},
            **({"capture_output": True} | kwargs))

    def page(self, *args: str) -> str:
        """The page of all journals."""
        done = self.show("--html", *args)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


def make_journals():
    """For a fixture."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    top = Path(tempfile.mkdtemp(prefix="rtls-page."))
    top.chmod(0o755)
    try:
        yield Journals(top)
    finally:
        shutil.rmtree(top)
