"""Where things are in the state directory of one lab, and the marks that make it ours.

Inside the lab's mount namespace the state directory is also /run/lab, so no
configuration of a server depends on where the operator put it.
"""

import fcntl
import os
import pwd
import shutil
from pathlib import Path

INSIDE = "/run/lab"
MARKER = ".exim-requiretls-lab"
EXIM_USER = "Debian-exim"
LAB_DIR = Path(__file__).resolve().parent
DEFAULT_STATE = LAB_DIR.parent.parent / "build" / "out" / "lab"


class LabError(Exception):
    """Something the person in front of the lab has to know; its text says what."""


def exim_ids() -> tuple[int, int]:
    """uid and gid Exim runs with."""
    entry = pwd.getpwnam(EXIM_USER)
    return entry.pw_uid, entry.pw_gid


def certificate_name(ip: str) -> str:
    """File name of an MX host's certificate; Exim takes a colon for a separator."""
    return ip.replace(":", "_") + ".pem"


def make_dir(path: Path, mode: int = 0o755, owner: tuple[int, int] | None = None) -> Path:
    """Make a directory (and its parents) with exactly this mode and owner."""
    path.mkdir(parents=True, exist_ok=True)
    if owner is not None:
        os.chown(path, *owner)
    os.chmod(path, mode)
    return path


def write_file(path: Path, data: str | bytes, mode: int = 0o644,
               owner: tuple[int, int] | None = None) -> None:
    """Write a file by rename, so that a server never reads half of it."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data.encode() if isinstance(data, str) else data)
    os.chmod(temporary, mode)
    if owner is not None:
        os.chown(temporary, *owner)
    temporary.rename(path)


class StateLock:
    """A lock on the state directory itself: no file of its own to leave behind.

    `up` takes it and hands the descriptor to the holder; the kernel gives it back
    when the holder dies, however it dies.
    """

    def __init__(self, state: Path) -> None:
        self.fd = os.open(state, os.O_RDONLY | os.O_DIRECTORY)

    def take(self) -> bool:
        """True when nobody else had it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Close our descriptor; the lock lives on in whoever inherited it."""
        os.close(self.fd)


def is_locked(state: Path) -> bool:
    """Whether a lab runs on this state directory (or is being set up)."""
    if not state.is_dir():
        return False
    lock = StateLock(state)
    try:
        return not lock.take()
    finally:
        lock.close()


def claim(state: Path) -> None:
    """Make sure that the directory is ours to fill and to remove later."""
    if state.exists() and any(state.iterdir()) and not (state / MARKER).exists():
        raise LabError(f"{state} is not empty and not a lab's state directory")
    make_dir(state)
    (state / MARKER).touch()


def wipe(state: Path, keep_top: bool = False) -> None:
    """Remove a lab's state directory, or with keep_top all that is in it."""
    if not (state / MARKER).exists():
        return
    for child in state.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        elif child.name != MARKER:
            child.unlink()
    if not keep_top:
        (state / MARKER).unlink()
        state.rmdir()
