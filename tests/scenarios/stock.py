"""The Exim without our patches, of the release that is tested.

RTLS_STOCK_EXIM names it; else it is the system's when that is of this release, else the
variant `stock` of build/exim.sh (which has the patch that loads local_scan() where the
release has none).
"""

import os
import shutil
import subprocess
from pathlib import Path

import patched
from sender import ROOT, Lab

SYSTEM = "/usr/sbin/exim4"


def system_release() -> str:
    """Of the installed Exim."""
    shown = subprocess.run([SYSTEM, "-C", "/dev/null", "-bV"], capture_output=True, text=True,
                           check=False).stdout
    return shown.split()[2] if shown.startswith("Exim version") else ""


def stock_path() -> Path:
    """A copy of the daemon, under a name that is not hidden inside a lab."""
    if "RTLS_STOCK_EXIM" in os.environ:
        found = Path(os.environ["RTLS_STOCK_EXIM"])
    elif system_release() == patched.VERSION:
        found = Path(SYSTEM)
    else:
        found = _built()
    copy = ROOT / patched.OUT / "stock-exim4"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(found, copy)
    return copy


def _built() -> Path:
    """As patched.exim_path(), whatever RTLS_EXIM says."""
    given = os.environ.pop("RTLS_EXIM", None)
    try:
        return patched.exim_path(patched.VERSION, "stock")
    finally:
        if given is not None:
            os.environ["RTLS_EXIM"] = given


def put(lab: Lab, exim: Path) -> None:
    """From now on this is /usr/sbin/exim4 in the lab; daemons have to be started anew."""
    lab.install(exim, SYSTEM, mode=0o4755)
