"""Which cells are tried as real deliveries; the same at each run.

First one cell for each fate there is (with what is counted, and the state of the MX answer and
of TLSA it came from): so each rule of the oracle is seen on the wire. Then cells until each
pair of values of two axes occurs; then the same among the dangerous cells alone, where
protected mail meets a host that must not have it.
"""

import itertools
from collections.abc import Iterable

import oracle
from oracle import AXES, Cell

CANDIDATES = 60         # how many cells are weighed against each other for one pair

Pair = tuple[str, str, str, str]


def pairs(cell: Cell) -> list[Pair]:
    """Every two axes with their values."""
    return [(a, getattr(cell, a), b, getattr(cell, b))
            for a, b in itertools.combinations(AXES, 2)]


def is_dangerous(cell: Cell) -> bool:
    """Hosts can be known, the mail is protected, and the host is not what it should be."""
    return (cell.mx in ("secure", "insecure") and oracle.is_protected(cell)
            and not (cell.starttls == "yes" and oracle.host_is_authentic(cell)))


def one_of_each_fate(cells: Iterable[Cell]) -> list[Cell]:
    """The middle one of those alike, so that not all are of the axes' first values."""
    alike: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        if cell.mx in ("secure", "insecure"):
            alike.setdefault((cell.message, cell.mx, str(oracle.fate(cell))), []).append(cell)
    return [group[len(group) // 2] for group in alike.values()]


def cover_pairs(cells: Iterable[Cell], chosen: list[Cell]) -> None:
    """Add to chosen what it takes to have each pair of these cells in it."""
    by_pair: dict[Pair, list[Cell]] = {}
    for cell in cells:
        for pair in pairs(cell):
            by_pair.setdefault(pair, []).append(cell)
    missing = dict.fromkeys(by_pair)
    for cell in chosen:
        for pair in pairs(cell):
            missing.pop(pair, None)
    while missing:
        having = by_pair[next(iter(missing))]
        candidates = having[::max(1, len(having) // CANDIDATES)]
        best = max(candidates, key=lambda cell: sum(p in missing for p in pairs(cell)))
        chosen.append(best)
        for pair in pairs(best):
            missing.pop(pair, None)


def selected() -> list[Cell]:
    """Each once."""
    cells = list(oracle.all_cells())
    chosen = one_of_each_fate(cells)
    cover_pairs(cells, chosen)
    dangerous = [cell for cell in cells if is_dangerous(cell)]
    seen = [cell for cell in chosen if is_dangerous(cell)]
    cover_pairs(dangerous, seen)
    return list(dict.fromkeys(chosen + seen))
