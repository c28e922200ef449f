"""The lines of the log, as mdoc: docs/TROUBLESHOOTING.md has the one list of them, and
docs/requiretls.7 shows it to whoever has only the manuals.

Run this file when the list has changed: it writes the part of the manual between its marks. A test
(test_docs.py) says when that was forgotten.
"""

import re
import textwrap
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SOURCE, MANUAL = DOCS / "TROUBLESHOOTING.md", DOCS / "requiretls.7"
BEGIN, END = '.\\" begin of the log lines\n', '.\\" end of the log lines\n'


def plain(text: str) -> str:
    """Markdown of a cell as text."""
    text = re.sub(r"\[([^]]*)\]\((\w+\.md)[^)]*\)", r"\1 in \2", text)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`([^`]*)`", lambda match: match[1].strip(), text)
    return text.replace(r"\|", "|").strip()


def roff(text: str) -> str:
    """Text as roff, of which no character has a meaning there."""
    text = text.replace("\\", r"\e").replace('"', r"\(dq").replace("'", r"\(aq")
    return "\\&" + text if text.startswith((".", "'")) else text


def paragraph(text: str) -> list[str]:
    """Text as lines, a sentence on lines of its own."""
    return [roff(line) for sentence in re.split(r"(?<=[.?]) (?=[A-Z\[])", text)
            for line in textwrap.wrap(sentence, 90, break_long_words=False,
                                      break_on_hyphens=False)]


def entry(cells: list[str]) -> list[str]:
    """A row of a table as an item."""
    meaning = plain(cells[1])
    if not cells[1].startswith("`"):
        meaning = meaning[0].upper() + meaning[1:]
    if not meaning.endswith((".", "?")):
        meaning += "."
    return [f'.It Li "{roff(plain(cells[0]))}"', *paragraph(meaning)]


def tables_of(text: str) -> list[list[list[str]]]:
    """The rows of each table, the heading among them."""
    return [[re.split(r"(?<!\\) \| ", line[2:].removesuffix(" |")) for line in table.splitlines()
             if not line.startswith("| ---")]
            for table in text.split("\n\n") if table.startswith("| ")]


def of_reports() -> list[str]:
    """What the runs say, and Exim of what they send."""
    lines = [".Ss Reports", "What", ".Ic exim-requiretls report run",
             "prints, and the main log about reports:", ".Bl -tag -width Ds"]
    for rows in tables_of((DOCS / "REPORTS.md").read_text()):
        if rows[0][0].startswith("line "):
            lines += [line for row in rows[1:] for line in entry(row)]
    return [*lines, ".El"]


def section() -> str:
    """All tables, under the headings that they have there."""
    part = SOURCE.read_text().partition("## What the log says\n")[2].partition("\n## ")[0]
    lines = []
    for piece in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
        heading, _, rest = piece.partition("\n")
        lines.append(f".Ss {heading}")
        for part in rest.strip("\n").split("\n\n"):
            for rows in tables_of(part):
                lines += [".Bl -tag -width Ds", *(line for row in rows[1:] for line in entry(row)),
                          ".El"]
            if part.strip() and not part.startswith(("    ", "| ")):
                lines += [".Pp", *paragraph(plain(" ".join(part.split())))]
    text = "\n".join([*lines, *of_reports()]) + "\n"
    # A paragraph after a heading needs no mark, and one that leads to an example has lost it.
    return re.sub(r"(\.Ss .*\n)\.Pp\n", r"\1", text)


def manual() -> str:
    """The whole manual with that part in it."""
    text = MANUAL.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    return text.partition(BEGIN)[0] + BEGIN + section() + END + text.partition(END)[2]


if __name__ == "__main__":
    MANUAL.write_text(manual())
