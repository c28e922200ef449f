"""Let the tests import what is beside them, and keep the tree free of byte code."""

import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine


@pytest.fixture(scope="session")
def deb():
    """What `make deb` has built."""
    done = machine.run(machine.ROOT / "build/deb.sh", "--path")
    assert done.returncode == 0, "run make deb first"
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def base(deb):
    """See machine.make_base()."""
    machine.leave_mounts()
    try:
        return machine.make_base(deb)
    except machine.Refused as why:
        pytest.skip(f"no fresh Debian to be had now: {why}")


@pytest.fixture(scope="session")
def newer(deb, tmp_path_factory):
    """The same as a later version, in which each kind of file has changed."""
    folder = tmp_path_factory.mktemp("newer")
    tree = folder / "tree"
    assert machine.run("dpkg-deb", "-R", deb, tree).returncode == 0
    control = tree / "DEBIAN/control"
    version = machine.run("dpkg-deb", "-f", deb, "Version").stdout.strip()
    control.write_text(control.read_text().replace(f"\nVersion: {version}\n",
                                                   f"\nVersion: {version}.1\n"))
    for name in ("etc/cron.d/exim-requiretls", "usr/share/exim-requiretls/main.conf",
                 "usr/share/exim-requiretls/requiretls.conf"):
        with (tree / name).open("a") as file:
            file.write("# of a later version\n")
    built = folder / deb.name.replace(version, f"{version}.1")
    done = machine.run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, built)
    assert done.returncode == 0, done.stdout
    return built


@pytest.fixture
def fresh(base, tmp_path):
    """A Debian of the test's own."""
    box = machine.Machine(base, tmp_path)
    yield box
    box.close()
