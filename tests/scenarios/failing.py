"""Make one chosen call of one program fail, everywhere in the lab: the other half of failing.c.

    with Failing(site) as failing:
        failing.arm(object="requiretls.so", kinds=["OPEN"], when=3)
        ...                             # the third file the module opens cannot be opened
        assert failing.hit() == "OPEN"
"""

import itertools
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from sender import ROOT, Site

SOURCE = Path(__file__).with_suffix(".c")
INSIDE = "/usr/lib/requiretls-failing.so"
PRELOAD = "/etc/ld.so.preload"

# Both in the order of failing.c.
KINDS = ("MEMORY", "OPEN", "READ", "WRITE", "SYNC", "RENAME", "CLOSE", "LOCK", "PROCESS",
         "NETWORK", "FILES")
MODES = ("FAIL", "KILL", "TEAR", "CUT", "EVER")
CONTROL = struct.Struct("=32s32sIIiIII")

PROGRAM, MODULE = "exim-requiretls", "requiretls.so"


def build() -> Path:
    """Compile the library."""
    library = ROOT / os.environ.get("OUT", "build/out") / "failing.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    # Calls must not become jumps, nor malloc() a call of itself.
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC",
                    "-shared", "-fno-builtin", "-fno-optimize-sibling-calls", "-o", library,
                    SOURCE, "-ldl"], check=True)
    return library


class Failing:
    """The library, loaded into every program that starts in the lab from now on."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.path = site.lab.state / "failing"

    def __enter__(self) -> "Failing":
        self.path.write_bytes(bytes(4096))
        self.path.chmod(0o666)      # root and the Exim user both count in it
        self.disarm()
        self.site.lab.install(build(), INSIDE)
        self.site.lab.exec(["/bin/sh", "-c", f"echo {INSIDE} >{PRELOAD}"])
        return self

    def __exit__(self, *problem: object) -> None:
        self.site.lab.exec(["rm", "-f", PRELOAD])
        self.path.unlink()

    def arm(self, when: int, *, program: str = "", object: str = "",
            kinds: tuple[str, ...] = KINDS, mode: str = "FAIL", error: int = 0) -> None:
        """Choose the call: number `when` of those of these kinds, by that program, made from
        that object file (program or library). error 0 is what is usual for the kind."""
        bits = sum(1 << KINDS.index(kind) for kind in kinds)
        control = CONTROL.pack(program.encode(), object.encode(), bits, MODES.index(mode),
                               error, when, 0, 0)
        # Written into, not replaced: running programs share the page.
        with open(self.path, "r+b") as file:
            file.write(control)

    def disarm(self) -> None:
        """No call fails."""
        self.arm(0, kinds=())

    def count(self) -> int:
        """How many calls there were."""
        return CONTROL.unpack(self.path.read_bytes()[:CONTROL.size])[6]

    def hit(self) -> str:
        """The kind of the chosen call; "" when it did not come."""
        kind = CONTROL.unpack(self.path.read_bytes()[:CONTROL.size])[7]
        return KINDS[kind - 1] if kind else ""

    def sweep(self, run: Callable[[], object], *, step: int = 1, first: int = 1,
              **chosen: object) -> Iterator[tuple[int, str, object]]:
        """Run with call 1, 2, 3 ... failing, until none does. Yields which call it was, its
        kind, and what run() returned; nothing fails while the caller looks at that."""
        for when in itertools.count(first, step):
            self.arm(when, **chosen)
            result = run()
            kind = self.hit()
            self.disarm()
            if not kind:
                return
            yield when, kind, result
