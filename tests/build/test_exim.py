"""build/exim.sh: what it takes, what it refuses, and what it leaves.

What needs a built Exim takes the one that is there; `make exim` makes one. The Debian
mirror is asked through a proxy that refuses what a test wants refused.
"""

import difflib
import http.server
import os
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / os.environ.get("OUT", "build/out")
SCRIPT = ROOT / "build/exim.sh"
RELEASES = re.findall(r"^(\d\S+)", (ROOT / "build/exim/releases").read_text(), re.MULTILINE)
PATCHED = "src/blob.h"


def run(*command, **env):
    """Run it to its end; never raises."""
    return subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          env={**os.environ, **{k: str(v) for k, v in env.items()}},
                          stdin=subprocess.DEVNULL, check=False)


def built(version, name):
    """A directory of a built release; skips the test where it is not built."""
    for path in (OUT / f"exim-{version}" / name, OUT / f"exim-{version}-plain" / name):
        if path.exists():
            return path
    pytest.skip(f"Exim {version} is not built here")
    return None


# --- patches ---------------------------------------------------------------------


@pytest.fixture
def out(tmp_path):
    """An OUT of the test's own with the real one's downloads."""
    if not (OUT / "exim-src/4.96.source").exists():
        pytest.skip("the source of Exim 4.96 is not here")
    mine = tmp_path / "out"
    mine.mkdir()
    (mine / "exim-src").symlink_to(OUT / "exim-src")
    return mine


@pytest.fixture
def tree(out):
    """Debian's source of 4.96 without patches of ours."""
    result = run(ROOT / "build/exim/tree.sh", "4.96", out / "tree", OUT=out)
    assert result.returncode == 0, result.stdout
    return out / "tree"


def make_patch(tree, change_context=False):
    """A patch to PATCHED, as text."""
    old = (tree / PATCHED).read_text().splitlines(keepends=True)
    new = old[:12] + ["/* changed by a test */\n"] + old[12:]
    text = "".join(difflib.unified_diff(old, new, f"a/{PATCHED}", f"b/{PATCHED}"))
    if change_context:
        text = text.replace("\n " + old[9], "\n something else\n", 1)
    return text


def write_series(folder, **patches):
    """The patches of 4.96."""
    folder = folder / "patches" / "exim-4.96"
    folder.mkdir(parents=True)
    for name, text in patches.items():
        (folder / f"{name}.patch").write_text(text)
    (folder / "series").write_text("# one per line\n" + "".join(f"{n}.patch\n" for n in patches))
    return folder.parent


def test_a_patch_that_needs_fuzz_is_refused(out, tree):
    """And named; what was built before no longer counts as built."""
    patches = write_series(out, good=make_patch(tree),
                           stale=make_patch(tree, change_context=True).replace("by a", "by no"))
    old_stamp = out / "exim-4.96-plain" / "stamp"
    old_stamp.parent.mkdir()
    old_stamp.write_text("of another time\n")
    result = run(SCRIPT, "--variant", "plain", "4.96", OUT=out, PATCHES=patches)
    assert result.returncode == 1
    assert "exim-4.96/stale.patch does not apply to Exim 4.96 without fuzz" in result.stderr
    assert not old_stamp.exists()
    assert run(SCRIPT, "--path", "--variant", "plain", "4.96", OUT=out).returncode == 1


def test_a_left_out_patch_takes_those_with_it_that_need_it(out, tree):
    """For the variants without-NNNN."""
    first = make_patch(tree)
    second = first.replace("+/* changed by a test */", " /* changed by a test */\n+/* again */")
    second = re.sub(r"@@ .* @@", "@@ -10,7 +10,8 @@", second)
    patches = [out / "0001-a.patch", out / "0002-b.patch"]
    for path, text in zip(patches, (first, second)):
        path.write_text(text)
    both = run(ROOT / "build/exim/tree.sh", "4.96", out / "both", *patches, OUT=out)
    assert both.returncode == 0, both.stdout
    assert "/* again */" in (out / "both" / PATCHED).read_text()
    alone = out / "0002-b.patch"
    alone.write_text(second.replace(" /* changed by a test */", " /* changed\n  by\n  a\n  test */"))
    result = run(ROOT / "build/exim/tree.sh", "4.96", out / "one", alone, OUT=out, FUZZ=0)
    assert result.returncode == 1
    result = run(ROOT / "build/exim/tree.sh", "4.96", out / "left", alone, OUT=out, FUZZ=2)
    assert result.returncode == 0
    assert result.stderr == "leaving out 0002-b.patch: it does not apply without the others\n"


def test_dpkg_sees_the_patches_as_applied(out, tree):
    """dpkg-buildpackage must neither apply nor unapply anything."""
    patch = out / "0001-a.patch"
    patch.write_text(make_patch(tree))
    assert run(ROOT / "build/exim/tree.sh", "4.96", out / "patched", patch,
               OUT=out).returncode == 0
    for action in ("--before-build", "--after-build"):
        result = run("dpkg-source", action, out / "patched")
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "changed by a test" in (out / "patched" / PATCHED).read_text()
    series = (out / "patched/debian/patches/series").read_text().splitlines()
    assert series[-1] == "requiretls/0001-a.patch"
    assert (out / "patched/.pc/applied-patches").read_text().splitlines()[-1] == series[-1]


# --- downloads -------------------------------------------------------------------


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on, but for what is refused."""

    refused = "nothing"

    def do_GET(self):  # pylint: disable=invalid-name
        """One request."""
        if re.search(self.refused, self.path):
            self.send_error(404)
            return
        try:
            with urllib.request.urlopen(self.path, timeout=60) as answer:
                self.send_response(200)
                self.send_header("Content-Length", answer.headers["Content-Length"])
                self.end_headers()
                shutil.copyfileobj(answer, self.wfile)
        except urllib.error.URLError as error:
            self.send_error(getattr(error, "code", 502))

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""


@pytest.fixture
def fetch(tmp_path):
    """fetch(VERSION, REFUSED): fetch.sh with nothing fetched yet."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    conf = tmp_path / "apt.conf"
    conf.write_text(f'Acquire::http::Proxy "http://127.0.0.1:{server.server_port}";\n')

    def start(version, refused):
        Proxy.refused = refused
        return run(ROOT / "build/exim/fetch.sh", version, OUT=tmp_path / "out",
                   APT_CONFIG=conf, EXIM_FETCH_TRIES=2, EXIM_FETCH_PAUSE=0)

    yield start
    server.shutdown()
    server.server_close()


def test_a_refused_tarball_is_a_temporary_failure(fetch, tmp_path):
    """Status 75, the reason in one line, and nothing left that looks fetched."""
    result = fetch("4.100.1", r"\.orig\.tar")
    assert result.returncode == 75
    assert re.fullmatch(r"source of Exim 4\.100\.1 cannot be had now: Failed to fetch "
                        r"\S+/exim4_4\.100\.1\.orig\.tar\.xz\s+404 .*\n", result.stderr)
    assert not (tmp_path / "out/exim-src/4.100.1.source").exists()


def test_no_index_is_a_temporary_failure(fetch):
    """Nothing at all can be had."""
    result = fetch("4.96", ".")
    assert result.returncode == 75
    assert re.fullmatch(r"source of Exim 4\.96 cannot be had now: no such source in bookworm; "
                        r".+\n", result.stderr)


def test_a_refused_revision_is_replaced_by_an_older_one(fetch, tmp_path):
    """Security updates come first, and are refused now and then."""
    record = tmp_path / "out/exim-src/4.98.2.source"
    if fetch("4.98.2", "nothing").returncode == 75:
        pytest.skip("the Debian mirror cannot be asked")
    newest = record.read_text().splitlines()
    record.unlink()
    tarball = newest[2].split()[1]
    (record.parent / tarball).unlink()
    # In addresses "+" may be written otherwise.
    result = fetch("4.98.2", re.escape(tarball.rpartition("+")[2]))
    if result.returncode == 75:
        pytest.skip("the mirror has one revision of 4.98.2 only")
    assert result.returncode == 0
    assert f"{newest[0]} is refused" in result.stderr
    older = record.read_text().splitlines()
    assert older[0] != newest[0] and older[0].startswith("4.98.2-")
    assert older[1] == newest[1]


# --- results ---------------------------------------------------------------------


def test_a_second_run_does_nothing(out):
    """Same source, same patches, same script."""
    here = [v for v in RELEASES if (OUT / f"exim-{v}-plain/stamp").exists()]
    if not here:
        pytest.skip("no plain variant of an Exim is built here")
    # Copies: somebody may be at work on the patches.
    target = out / f"exim-{here[0]}-plain"
    shutil.copytree(OUT / target.name, target)
    if (ROOT / "patches").exists():
        shutil.copytree(ROOT / "patches", out / "patches")
    command = [SCRIPT, "--variant", "plain", here[0]]
    run(*command, OUT=out, PATCHES=out / "patches")

    def times():
        return {path: path.stat().st_mtime_ns for path in target.rglob("*")
                if path.name != "lock"}

    before = times()
    result = run(*command, OUT=out, PATCHES=out / "patches")
    assert result.returncode == 0
    assert "up to date" in result.stdout
    assert before == times()


@pytest.mark.parametrize("version", RELEASES)
def test_the_result_runs(version):
    """It is the release it says, and the module's needs are in it."""
    daemon = built(version, "root") / "usr/sbin/exim4"
    assert run(SCRIPT, "--path", version).stdout.rstrip("\n").endswith("/root/usr/sbin/exim4")
    result = run(daemon, "-C", "/dev/null", "-bV")
    assert result.returncode == 0
    assert result.stdout.startswith(f"Exim version {version} ")
    for feature in ("Expand_dlfunc", "GnuTLS", "DANE", "DNSSEC", "Event", "I18N"):
        assert f" {feature}" in result.stdout
    headers = daemon.parents[1] / "include/exim4"
    assert {path.name for path in headers.iterdir()} >= {
        "config.h", "local_scan.h", "mytypes.h", "store.h"}


# `make check` makes packages for the installed release; `make exim-all` for all.
PACKAGED = [v for v in RELEASES if (OUT / f"exim-{v}/debs").exists()] or RELEASES[:1]


@pytest.mark.parametrize("version", PACKAGED)
def test_the_packages_replace_debians(version):
    """Newer than Debian's packages of that source, older than its next update."""
    debs = list(built(version, "debs").glob("*.deb"))
    source = (OUT / f"exim-{version}/version").read_text().strip()
    assert {"exim4-base", "exim4-config", "exim4-daemon-heavy", "exim4-daemon-light",
            "exim4-dev"} <= {path.name.split("_")[0] for path in debs}
    for path in debs:
        mine = run("dpkg-deb", "-f", path, "Version").stdout.strip()
        assert mine == f"{source}+requiretls1"
    revision = re.sub(r"(\d+)$", lambda match: str(int(match[1]) + 1), source)
    for older, newer in ((source, mine), (mine, revision)):
        assert run("dpkg", "--compare-versions", older, "lt", newer).returncode == 0


def test_unknown_releases_and_variants():
    """Wrong usage is told apart from failure."""
    for args in (["4.1"], ["--variant", "fast", "4.96"], ["--variant"], ["--help"]):
        assert run(SCRIPT, *args).returncode == 64
    assert "4.98.2" in run(SCRIPT, "--list").stdout
