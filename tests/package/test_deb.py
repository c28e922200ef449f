"""The package as it was built: nothing is installed here."""

import re
import subprocess

import pytest

import machine

BINARIES = ("usr/sbin/exim-requiretls", "usr/lib/exim4/requiretls/requiretls.so")


@pytest.fixture(scope="module", name="tree")
def unpacked(deb, tmp_path_factory):
    """Its files."""
    tree = tmp_path_factory.mktemp("deb")
    assert machine.run("dpkg-deb", "-x", deb, tree).returncode == 0
    return tree


def field(deb, name):
    """Of its control file."""
    return machine.run("dpkg-deb", "-f", deb, name).stdout.strip()


def test_version(deb, tree):
    """The changelog and the program name the same, and the package is built of them."""
    changelog = (machine.ROOT / "build/debian/changelog").read_text()
    version = re.match(r"exim4-requiretls \((\S+)\)", changelog)[1]
    assert field(deb, "Version") == version
    told = machine.run(tree / BINARIES[0], "--version").stdout
    assert told == f"exim-requiretls {version}\n"


@pytest.mark.parametrize("name", BINARIES)
def test_hardening(tree, name):
    """What dpkg-buildflags asks for has reached the binary."""
    told = machine.run("readelf", "-Whdls", "--dyn-syms", tree / name).stdout
    assert re.search(r"Type: +DYN", told)
    assert re.search(r"FLAGS.*BIND_NOW", told) and "GNU_RELRO" in told
    assert re.search(r"GNU_STACK .* RW ", told)
    assert "__stack_chk_fail@" in told and re.search(r"__\w+_chk@", told.replace(
        "__stack_chk", ""))


@pytest.mark.parametrize("version, good", [
    ("4.96-15", True), ("4.96-15+deb12u10", True), ("4.96-15+deb12u10+requiretls1", True),
    ("4.96+dfsg-1", True), ("4.96-99", True),
    ("4.96~RC2-1", False), ("4.95-1", False), ("4.96.1-1", False), ("4.96.0-1", False),
    ("4.97~RC0-1", False), ("4.97-1", False), ("4.100.1-1", False)])
def test_release_of_exim(deb, version, good):
    """The bounds let in each revision of the release it was built for, and no other."""
    bounds = re.findall(r"exim4-daemon-heavy \((\S+) (\S+)\)", field(deb, "Depends"))
    release = next(bound for relation, bound in bounds if relation == ">=")
    version = version.replace("4.96", release)
    if release != "4.96" and "4.96" not in version:
        pytest.skip("of another release than 4.96")
    held = all(subprocess.run(["dpkg", "--compare-versions", version, relation, bound],
                              check=False).returncode == 0 for relation, bound in bounds)
    assert held is good and len(bounds) == 2


def test_conffiles(deb, tree):
    """dpkg may ask about nothing but the file for cron, and setup alone touches conf.d."""
    done = machine.run("dpkg-deb", "-I", deb, "conffiles").stdout.split()
    assert done == ["/etc/cron.d/exim-requiretls"]
    assert [path.name for path in (tree / "etc").iterdir()] == ["cron.d"]
