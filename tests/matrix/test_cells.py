"""Every cell of the matrix through the whole module, compared with the RFCs' oracle.

    OUT=build/out python3 -B -m pytest -p no:cacheprovider tests/matrix

build/out/module/matrix (tests/exim/matrix.c) does the work; only Exim itself and the network are
simulated, in tests/exim/delivery.c. The cells are compared in groups, one test each.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT / "tests" / "lab")]

# pylint: disable=wrong-import-position
import certs  # noqa: E402
import oracle  # noqa: E402
from compare import Line, counts_agree, in_words, report  # noqa: E402
from oracle import AXES, Cell, Fate  # noqa: E402

HOST = "mx.matrix.example"
SECOND = "second.matrix.example"

class Outcome:
    """What the module made of one cell."""

    def __init__(self, text: str) -> None:
        self.what, self.status, journal = text.split("\t")
        self.about: list[tuple[str, str]] = []          # domain, MX host
        self.lines: list[Line] = []
        for line in filter(None, journal.split("|")):
            fields = line.split("^")
            self.about.append((fields[2], fields[7]))
            self.lines.append((fields[3], fields[5], fields[10]))

    def __str__(self) -> str:
        return f"{self.what} {self.status}".strip() + f", counted {in_words(self.lines)}"


def agree(wanted: Fate, got: Outcome) -> bool:
    """Fate, status and journal."""
    return ((wanted.what, wanted.status) == (got.what, got.status)
            and counts_agree(wanted.counts, got.lines))


def write_certificates(directory: Path) -> None:
    """One file per kind, and the CA."""
    authority = certs.Authority()
    for kind in AXES["certificate"]:
        leaf = authority.leaf(HOST, "lab" if kind == "good" else kind)
        (directory / f"{kind}.pem").write_bytes(leaf.pem)
    (directory / "second.pem").write_bytes(authority.leaf(SECOND).pem)
    (directory / "root.pem").write_bytes(certs.cert_pem(authority.root.cert))


def prepare(directory: Path) -> None:
    """What tests/exim/matrix.c wants to find."""
    directory.chmod(0o755)
    for name in ("spool", "records"):
        (directory / name).mkdir()
    write_certificates(directory)
    # In place of the program: the answer the test has put there. Runs as nobody.
    program = directory / "resolve"
    program.write_text("#!/bin/sh\nfor domain; do :; done\n"
                       "while IFS= read -r line; do echo \"$line\"; done "
                       f"<{directory}/records/$domain\n")
    program.chmod(0o755)


def run(cells: list[Cell], *how: str) -> dict[Cell, Outcome]:
    """What the module makes of them."""
    out = os.environ.get("OUT", "build/out")
    # Not pytest's directory, which the stand-in's user may not enter.
    with tempfile.TemporaryDirectory(prefix="rtls-matrix.") as name:
        prepare(Path(name))
        ran = subprocess.run([ROOT / out / "module" / "matrix", name, *how], text=True,
                             input="".join(f"{cell}\n" for cell in cells),
                             capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == len(cells)
    return {cell: Outcome(line) for cell, line in zip(cells, lines)}


@pytest.fixture(scope="session")
def outcomes() -> dict[Cell, Outcome]:
    """Of every cell."""
    return run(list(oracle.all_cells()))


@pytest.fixture(scope="session")
def outcomes_of_two() -> dict[Cell, Outcome]:
    """Of every cell whose hosts can be known, with a good host behind that of the cell."""
    return run([cell for cell in oracle.all_cells() if cell.mx in ("secure", "insecure")],
               "second")


@pytest.mark.parametrize("message", AXES["message"])
@pytest.mark.parametrize("policy", AXES["policy"])
def test_cells(outcomes, policy, message):
    """1600 cells: fate, status and what is counted are as the RFCs want them."""
    group = [cell for cell in outcomes if (cell.policy, cell.message) == (policy, message)]
    assert len(group) == 1600
    wrong = [(cell, wanted, outcomes[cell]) for cell in group
             if not agree(wanted := oracle.fate(cell), outcomes[cell])]
    assert not wrong, report(wrong, len(group))


@pytest.mark.parametrize("policy", AXES["policy"])
def test_a_host_that_does_not_qualify_is_skipped(outcomes_of_two, policy):
    """2400 cells with two hosts: the message goes to the first one that qualifies, and to none that
    does not; both are counted."""
    group = [cell for cell in outcomes_of_two if cell.policy == policy]
    assert len(group) == 2400
    wrong = [(cell, wanted, outcomes_of_two[cell]) for cell in group
             if not agree(wanted := oracle.fate_with_second(cell), outcomes_of_two[cell])]
    assert not wrong, report(wrong, len(group))
    skipped = [cell for cell in group if outcomes_of_two[cell].what.startswith(oracle.SKIPPED)]
    assert 200 < len(skipped) < 2000, len(skipped)


def test_protected_mail_never_leaves_unprotected(outcomes):
    """In no cell: flagged mail, mail under an enforcing policy, or mail to a host with TLSA
    in clear or to a host that is not proven to be the right one."""
    left = ("verified", "tls", "clear")
    protected = [cell for cell in outcomes if oracle.is_protected(cell)]
    wrong = [(cell, "not to leave so", outcomes[cell]) for cell in protected
             if outcomes[cell].what in left
             and not (outcomes[cell].what == "verified" and oracle.host_is_authentic(cell))]
    assert not wrong, report(wrong, len(protected))


def test_all_cells_were_there(outcomes, capsys):
    """7 policies x 4 MX answers x 2 x 5 TLSA x 3 kinds of mail x 10 certificates x 4."""
    assert len(outcomes) == 7 * 4 * 2 * 5 * 3 * 10 * 4
    with capsys.disabled():
        print(f"\nmatrix: {len(outcomes)} cells compared", end=" ")


def test_who_is_told(outcomes):
    """RFC 8460, section 4: the recipient's domain, of TLSA too; section 1.1: about the host."""
    for cell, got in outcomes.items():
        for domain, host in got.about:
            assert domain.startswith("d") and host == HOST, report([(cell, "", got)], 1)
