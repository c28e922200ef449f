"""The patch series as files: the same for all releases, complete, and each patch with the
test that fails without it (tests/patches-necessary runs those)."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from necessary import NECESSARY
from sender import ROOT

PATCHES = Path(os.environ.get("PATCHES", ROOT / "patches")).resolve()
OUT = ROOT / os.environ.get("OUT", "build/out")
RELEASES = re.findall(r"^(\d\S+)", (ROOT / "build/exim/releases").read_text(), re.MULTILINE)
# A release has one more where the others have that in Debian's own patches.
EXTRA = {"local_scan-loaded-at-run-time"}


def series(release):
    """The file names of a series, in order."""
    lines = (PATCHES / f"exim-{release}" / "series").read_text().splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def name(file_name):
    """Without its number and ending."""
    return re.fullmatch(r"\d{4}-(.+)\.patch", file_name)[1]


def names(release):
    """Of a series, but for the extra ones."""
    return [n for n in map(name, series(release)) if n not in EXTRA]


ALL = [(release, file_name) for release in RELEASES for file_name in series(release)]


def headers(text):
    """The DEP-3 header fields of a patch, continuation lines joined."""
    head = re.split(r"(?m)^---( |$)", text, maxsplit=1)[0]
    return dict(re.findall(r"(?m)^([A-Z][\w-]*): *(.*(?:\n .*)*)", head))


def test_series_have_the_same_patches():
    """In the same order, numbered without gaps, and no file is left over."""
    for release in RELEASES:
        assert names(release) == names(RELEASES[0])
        assert [file_name[:4] for file_name in series(release)] == [
            f"{number:04}" for number in range(1, len(series(release)) + 1)]
        files = {path.name for path in (PATCHES / f"exim-{release}").iterdir()}
        assert files == {*series(release), "series"}


@pytest.mark.parametrize("release,file_name", ALL)
def test_headers(release, file_name):
    """DEP-3: what it is, by whom, whether upstream has it, and of when."""
    found = headers((PATCHES / f"exim-{release}" / file_name).read_text())
    assert {"Description", "Author", "Forwarded", "Last-Update"} <= set(found)
    assert all(found.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["Last-Update"])
    assert re.fullmatch(r"no|not-needed|https://\S+", found["Forwarded"])


def test_descriptions_are_the_same():
    """A patch says the same of itself for each release."""
    for patch in names(RELEASES[0]):
        texts = {headers((PATCHES / f"exim-{release}" / file_name).read_text())["Description"]
                 for release, file_name in ALL if name(file_name) == patch}
        assert len(texts) == 1, patch


def test_each_patch_has_its_test():
    """Every patch is in the table, nothing else is, and the tests exist."""
    assert {name(file_name) for _, file_name in ALL} == set(NECESSARY)
    for test in NECESSARY.values():
        file_name, function = test.split("::")
        text = (ROOT / "tests/scenarios" / file_name).read_text()
        assert f"\ndef {function}(" in text, test


@pytest.mark.parametrize("release", RELEASES)
def test_applies_without_fuzz(release, tmp_path):
    """To the newest source that was fetched, with no offset's guess: fuzz 0."""
    if not (OUT / f"exim-src/{release}.source").exists():
        pytest.skip(f"the source of Exim {release} is not here")
    files = [str(PATCHES / f"exim-{release}" / file_name) for file_name in series(release)]
    done = subprocess.run([ROOT / "build/exim/tree.sh", release, tmp_path / "tree", *files],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "OUT": str(OUT), "FUZZ": "0"})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "fuzz" not in done.stdout
    assert not list((tmp_path / "tree").rglob("*.rej"))


def added(release):
    """Patch name -> the lines it adds."""
    return {name(file_name): "".join(re.findall(
        r"(?m)^\+(?!\+\+).*\n", (PATCHES / f"exim-{release}" / file_name).read_text()))
            for file_name in series(release)}


@pytest.mark.parametrize("release", RELEASES)
def test_documentation(release):
    """The specification names every option, variable and control that the others add."""
    lines = added(release)
    doc = lines.pop("doc", "")
    code = "".join(lines.values())
    words = set(re.findall(r'\{ "(\w+)", +opt_', code))
    words |= {"$" + word for word in re.findall(r'\{ "(\w+)", +vtype_', code)}
    words |= {f"control = {word}" for word in re.findall(r'\{ US"(\w+)",\s+FALSE,\n', code)}
    words |= {"-oR"}
    words -= {"local_scan_path", "local_scan_timeout"}
    assert {"tls_advertise_requiretls", "$requiretls", "requiretls_redact_dsn"} <= words
    assert [word for word in sorted(words) if word not in re.sub(r"\s+", " ", doc)] == []


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_but_what_it_is_for(release):
    """No patch touches Debian's packaging or adds blanks at line ends."""
    for file_name in series(release):
        text = (PATCHES / f"exim-{release}" / file_name).read_text()
        files = re.findall(r"(?m)^\+\+\+ b/(\S+)", text)
        assert files and all(path.startswith(("src/", "doc/", "README", "OS/", "scripts/"))
                             for path in files), files
        assert not re.search(r"(?m)^\+.*[ \t]$", text.replace("+++ ", "")), file_name
