"""The examples of the documents: every block of code or output in README.md, docs/*.md,
tests/*/README.md and the manuals, each named by its file and its first line.

A test that runs some takes them by `shows` (conftest.py calls it for each), never from a copy.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from sender import ROOT

MARKDOWN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
            *sorted((ROOT / "tests").glob("*/README.md"))]
MANUALS = sorted((ROOT / "docs").glob("*.[1-9]"))
PROMPT = re.compile(r"[#$] ((?:exim-requiretls|exim4|awk|dig|gnutls-cli|openssl|printf) .*)")
# What differs from run to run, and what it is compared as.
MASKS = [(re.compile(pattern), mask) for pattern, mask in (
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?Z?", "TIME"), (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\b[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}\b", "ID"), (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b(?:in )?\d+ (?:second|minute|hour|day)s?\b(?: ago)?", "AGE"), (r"\b\d+ bytes\b", "N bytes"),
    (r"\bS=\d+", "S=N"),
    (r"\bid=\S+@", "id=MESSAGE@"), (r"[ \t]+", " "))]


@dataclass(frozen=True)
class Block:
    """One example, without the indentation of all its lines."""

    file: str       # relative to the root
    text: str
    heading: str    # the last one before it

    @property
    def first(self) -> str:
        """Its first line."""
        return self.text.partition("\n")[0]

    @property
    def commands(self) -> list[str]:
        """The lines behind a prompt; a # before anything but a program of ours is a comment."""
        return [match[1] for line in self.text.splitlines() if (match := PROMPT.match(line))]

    def output(self, command: str) -> list[str]:
        """The lines below a command, up to the next prompt."""
        lines = self.text.splitlines()
        at = next(i for i, line in enumerate(lines) if line[2:] == command) + 1
        end = next((i for i in range(at, len(lines)) if PROMPT.match(lines[i])), len(lines))
        return lines[at:end]


def _cut(lines: list[str]) -> str:
    """Without the indentation that all have, and no empty line at the end."""
    width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[width:] for line in lines).rstrip()


def in_markdown(path: Path) -> list[Block]:
    """Fenced blocks, and lines indented by four or more behind an empty line."""
    found: list[list[str]] = []
    current: list[str] | None = None
    headings: list[str] = []
    fence = before = heading = ""
    for line in path.read_text().splitlines():
        if fence:
            if line.strip() == fence:
                fence, current = "", None
            else:
                current.append(line)
        elif line.strip().startswith("```"):
            fence, current = "```", []
            found.append(current)
        elif line.startswith("    ") and (current is not None or not before.strip()):
            if current is None:
                current = []
                found.append(current)
            current.append(line)
        elif not line.strip() and current is not None:
            current.append(line)
        else:
            current = None
            heading = line if line.startswith("#") else heading
        headings += [heading] * (len(found) - len(headings))
        before = line
    return [Block(str(path.relative_to(ROOT)), _cut(lines), above)
            for lines, above in zip(found, headings)]


def _plain(line: str) -> str:
    """A line of roff as it is printed."""
    return line.replace(r"\e", "\\").removeprefix(r"\&")


def in_manual(path: Path) -> list[Block]:
    """Literal displays and .Dl lines."""
    text = path.read_text()
    found = [(m.start(), m[1] if m[1] is not None else m[2]) for m in re.finditer(
        r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$|^\.Dl (.*)$", text, re.MULTILINE)]
    return [Block(str(path.relative_to(ROOT)), "\n".join(map(_plain, part.splitlines())),
                  re.findall(r"^\.Sh (.*)$", text[:start], re.MULTILINE)[-1])
            for start, part in found]


def blocks() -> list[Block]:
    """All of them."""
    return [block for path in MARKDOWN for block in in_markdown(path)] + [
        block for path in MANUALS for block in in_manual(path)]


def block(file: str, first: str) -> Block:
    """The one of that file, which may be named without its directory, that begins so."""
    found = [one for one in blocks() if one.file in (file, f"docs/{file}")
             and one.text.startswith(first)]
    found = [one for one in found if one.text == first] or found
    assert len(found) == 1, f"{file}: {len(found)} examples begin with {first!r}"
    return found[0]


def masked(line: str) -> str:
    """Without what differs from run to run."""
    for pattern, mask in MASKS:
        line = pattern.sub(mask, line)
    return line.strip()


def assert_like(shown: list[str], printed: list[str]) -> None:
    """What is printed is what is shown; three dots there stand for anything, on a line of their
    own for any lines. Empty lines do not count."""
    shown = [masked(line) for line in shown if line.strip()]
    printed = [masked(line) for line in printed if line.strip()]
    pattern = "".join(r"(?:.*\n)*" if line == "..."
                      else re.escape(line).replace(re.escape("..."), ".*") + r"\n" for line in shown)
    if not re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)):
        raise AssertionError("\n".join(difflib.unified_diff(
            shown, printed, "shown", "printed", lineterm="", n=0)))


# --- for the tests ------------------------------------------------------------------------

RUN: set[tuple[str, str]] = set()


def shows(file: str, *firsts: str):
    """The test gets these blocks, one after the other, as its argument `shown`."""
    RUN.update((file, first) for first in firsts)

    def mark(function):
        function.examples = [*getattr(function, "examples", []),
                             *((file, first) for first in firsts)]
        return function
    return mark


def inside(site, script: str, status: int = 0) -> list[str]:
    """The lines that a shell in the lab prints."""
    done = site.lab.exec(["/bin/sh", "-ec", script], check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.splitlines()


def run(site, example: Block, **statuses: int) -> None:
    """All commands of a block, as they stand, and what is said to come of them. Statuses are by
    verb, where it is not 0."""
    assert example.commands
    for command in example.commands:
        status = statuses.get(re.sub(r"^\S+ ", "", command).split()[0].strip("-"), 0)
        assert_like(example.output(command), inside(site, command, status))


def log_lines(site) -> list[str]:
    """Lines of ours, deliveries, and what TLS failed of, without their front."""
    return [re.sub(r"^\S+ \S+ \S+ ", "", line) for line in site.lab.mainlog().splitlines()
            if re.search(r" requiretls: | => \S+@\S+ R=| TLS session: ", line)]
