"""What was counted and what became of a message, held against the oracle's words."""

from collections.abc import Iterable, Sequence

from oracle import AXES, NO_LINE, Cell, Count

SHOWN = 5

# One line of the journal: policy type, result, reason.
Line = tuple[str, str, str]


def line_of(fields: dict[str, str]) -> Line:
    """Of a line of the journal by its fields' names."""
    return fields["type"], fields["result"], fields["reason"]


def agrees_with(count: Count, line: Line) -> bool:
    """Is this line one of those the oracle has in mind?"""
    policy_type, result, reason = line
    return (policy_type == count.policy_type and result in count.results
            and count.reason in ("", reason))


def counts_agree(counts: Iterable[Count], lines: Sequence[Line]) -> bool:
    """Each is counted once, those that may be left out perhaps not, and nothing else is."""
    left = list(lines)
    # Who has the least choice chooses first.
    for count in sorted(counts, key=lambda c: (NO_LINE in c.results, len(c.results))):
        found = next((line for line in left if agrees_with(count, line)), None)
        if found:
            left.remove(found)
        elif NO_LINE not in count.results:
            return False
    return not left


def in_words(lines: Iterable[Line]) -> str:
    """The lines of a journal."""
    return "; ".join(" ".join(line) for line in lines) or "nothing"


def report(differences: Sequence[tuple[Cell, object, object]], total: int) -> str:
    """The first few, in words."""
    text = [f"{len(differences)} of {total} cells differ"]
    for cell, wanted, got in differences[:SHOWN]:
        facts = ", ".join(f"{axis} {getattr(cell, axis)}" for axis in AXES)
        text.append(f"  {facts}\n    wanted: {wanted}\n    got:    {got}")
    return "\n".join(text)
