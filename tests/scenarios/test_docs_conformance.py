"""docs/CONFORMANCE.md against the tests it names: every requirement is there once, and every
test exists. It fails when a test is renamed or removed. No lab is needed.

When tables have got more rows, run this file: it puts the numbers right.
"""

import ast
import re
from functools import cache

import pytest

from sender import ROOT

DOCUMENT = ROOT / "docs/CONFORMANCE.md"

# How many requirements each group has: A1.1 to A1.14 and so on; D1 to D15.
GROUPS = {"A1": 14, "A2": 13, "A3": 11, "A4": 6, "A5": 11, "A6": 11, "A7": 1,
          "B1": 9, "B2": 7, "B3": 4, "B4": 8, "B5": 2, "B6": 7, "B7": 5, "B8": 4, "B9": 1,
          "C1": 8, "C2": 9, "C3": 4, "C4": 5, "C5": 3, "C6": 2,
          "D": 15, "E": 4, "F": 4}
IDS = [f"{group}.{n}" if len(group) == 2 else f"{group}{n}"
       for group, count in GROUPS.items() for n in range(1, count + 1)]
LEVELS = {"M", "MN", "S", "SN", "m", "g", "i", "-"}
STATES = {"yes", "in part", "no"}

ID = r"(?:[ABC]\d+\.\d+|[DEF]\d+)"
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = rf"{LITERAL}(?:\s*{LITERAL})*"
# `test_x.c::name`, with the number of rows behind it when the name is the id of all of them.
REFERENCE = re.compile(r"`((?:test|fuzz)_\w+\.(?:c|py))(?:::([^`]+))?`(?: ×(\d+))?")


# --- what tests there are -------------------------------------------------------------

def names_in_c(text: str) -> list[str]:
    """Rows of tables by what they prove, and test functions."""
    text = re.sub(rf"({LITERAL})|/\*.*?\*/", lambda m: m[1] or " ", text, flags=re.DOTALL)
    rows = re.findall(rf"(?:\{{|\bROW\(|\bcheck_add\(\s*&?\w+,)\s*({LITERALS})\s*,", text)
    found = ["".join(part[1:-1] for part in re.findall(LITERAL, row)) for row in rows]
    return found + re.findall(r"\b(?:CASE|TEST|cmocka_unit_test\w*)\(\s*([a-z]\w+)\s*[,)]", text)


def names_in_python(text: str) -> list[str]:
    """Functions that pytest collects."""
    return [node.name for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@cache
def existing() -> dict[str, list[str]]:
    """The names of all tests, by file; the name of a file tells where it is."""
    found: dict[str, list[str]] = {}
    for pattern in ("unit/test_*.c", "exim/test_*.c", "fuzz/fuzz_*.c",
                    "matrix/test_*.py", "scenarios/test_*.py", "lab/test_*.py", "build/test_*.py"):
        for path in sorted((ROOT / "tests").glob(pattern)):
            assert path.name not in found, f"two files are called {path.name}"
            names = names_in_python if path.suffix == ".py" else names_in_c
            found[path.name] = names(path.read_text())
    return found


def ids_of(name: str) -> list[str]:
    """The requirements a row says it proves: the words it begins with."""
    return re.match(rf"(?:{ID} )*", name + " ")[0].split()


# --- what the document says -----------------------------------------------------------

@cache
def lines() -> list[list[str]]:
    """The cells of all table rows but headings."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    return [row for row in rows if re.fullmatch(rf"{ID}|\d+", row[0].strip())]


def items() -> list[list[str]]:
    """id, level, section, state, reading, tests."""
    return [row for row in lines() if not row[0].isdigit()]


def cases() -> list[list[str]]:
    """number, what was seen and is right, tests."""
    return [row for row in lines() if row[0].isdigit()]


def rows_of(file: str, name: str) -> int:
    """How many rows of a file say that they prove this."""
    return sum(name in ids_of(other) for other in existing().get(file, []))


def count_anew() -> None:
    """Write the numbers of rows into the document."""
    def counted(match: re.Match) -> str:
        if not match[3]:
            return match[0]
        return match[0].removesuffix(match[3]) + str(rows_of(match[1], match[2]))

    DOCUMENT.write_text(REFERENCE.sub(counted, DOCUMENT.read_text()))


# --- drift ----------------------------------------------------------------------------

def test_every_requirement_is_there_once():
    """In order; nothing else is."""
    assert len(IDS) == 168
    assert [row[0] for row in items()] == IDS


def test_rows_are_complete():
    """Six cells of the known words. What is done has a test; what is not has a reason."""
    for row in items():
        assert len(row) == 6, row
        name, level, section, state, reading, proof = row
        assert level in LEVELS and state in STATES, name
        assert re.match(r"RFC \d{4} ", section), name
        assert reading, name
        assert bool(REFERENCE.search(proof)) == (state != "no"), name
    numbers = [int(row[0]) for row in cases()]
    assert len(numbers) >= 64 and sorted(set(numbers)) == numbers
    for row in cases():
        assert len(row) == 3 and row[1] and row[2], row


@pytest.mark.parametrize("row", lines(), ids=lambda row: row[0])
def test_named_tests_exist(row):
    """A name is a test's; an id stands for all rows that begin with it, and their number is
    right: a row that lost its id, or is gone, is missed."""
    wrong = []
    for file, name, count in REFERENCE.findall(row[-1]):
        names = existing().get(file)
        if names is None:
            wrong.append(f"no such file: {file}")
        elif count:
            if rows_of(file, name) != int(count):
                wrong.append(f"{file} has {rows_of(file, name)} rows of {name}, "
                             f"the document says {count}")
        elif name and name not in names:
            wrong.append(f"no such test: {file}::{name}")
    left = REFERENCE.sub("", row[-1]) if len(row) == 6 else ""
    if re.search(r"[^\s,;]", left) and row[3] != "no":
        wrong.append(f"not understood: {left}")
    assert not wrong, "\n".join(wrong)


def test_tests_name_requirements_that_exist():
    """An id at the beginning of a row is one of the list."""
    unknown = {(file, name) for file, names in existing().items() for name in names
               for asked in ids_of(name) if asked not in IDS and file.endswith(".c")}
    assert unknown == set()


def test_names_are_found():
    """What the functions above look for is still what tests look like."""
    assert len(existing()) > 60
    assert sum(len(names) for names in existing().values()) > 2000
    for file, names in existing().items():
        assert names or file.startswith("fuzz_"), f"no test found in {file}"


if __name__ == "__main__":
    count_anew()
