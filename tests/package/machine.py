"""A fresh Debian of this machine's release, in a directory: made once, and never changed."""

import ctypes
import os
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / os.environ.get("OUT", "build/out")
ENTER = Path(__file__).resolve().parent / "enter"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BASE_MAX_AGE_S = 24 * 3600
CLONE_NEWNS = 0x00020000
# Debian's other Exim, which has no dlfunc; not installed.
OTHER_EXIM, SPARE = "exim4-daemon-light", "/opt"

# What apt says when a server refuses, or is not to be reached.
REFUSED = re.compile(
    r"Failed to fetch|Could not (resolve|connect)|Temporary failure|Unable to (connect|locate)"
    r"|Connection (refused|timed out|failed)|does not have a Release file|no installation candidate")

# What an administrator would do first: mail for the internet, one user.
PREPARE = r"""
set -e
sed -i "s/^\(dc_eximconfig_configtype=\).*/\1'internet'/
        s/^\(dc_other_hostnames=\).*/\1'site.example'/" /etc/exim4/update-exim4.conf.conf
echo site.example >/etc/mailname
echo nameserver 127.0.0.1 >/etc/resolv.conf
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
useradd -m alice
update-exim4.conf
"""


class Refused(Exception):
    """The packages cannot be had now."""


def run(*command, **options):
    """Run it to its end; stdout and stderr as one text."""
    return subprocess.run([str(word) for word in command], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **options)


def release_name():
    """Of this machine, for which the package was built."""
    return re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(),
                     re.MULTILINE)[1]


def sources(codename):
    """This machine's sources of Debian's own packages, for sources.list."""
    known = run("apt-get", "indextargets", "--format", "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)",
                "Created-By: Packages").stdout.splitlines()
    found = [line.split("|") for line in sorted(set(known))]
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    return [f"deb {signed}{uri} {release} main" for origin, release, component, uri in found
            if component == "main" and release.startswith(codename)
            and origin in ("Debian", "$(ORIGIN)")]


def apt_options(folder):
    """What this machine has set for its downloads, say a proxy."""
    lines = run("apt-config", "dump").stdout.splitlines()
    conf = folder / "apt.conf"
    conf.write_text("".join(f"{line}\n" for line in lines if re.match(r'Acquire::[^"]* ".+";', line)))
    return conf


def make_base(deb):
    """A directory with a Debian that has Exim and what the package depends on; or Refused."""
    folder = OUT / "package"
    folder.mkdir(parents=True, exist_ok=True)
    base, new = folder / "base", folder / "base-new"
    depends = run("dpkg-deb", "-f", deb, "Depends").stdout
    packages = sorted({re.split(r"[ |]", word.strip())[0] for word in depends.split(",")})
    made_of = folder / "base.packages"
    if (base.exists() and made_of.exists() and time.time() - base.stat().st_ctime < BASE_MAX_AGE_S
            and made_of.read_text() == " ".join(packages)):
        return base
    lines = sources(release_name())
    if not lines:
        raise Refused("apt on this machine knows no Debian mirror")
    for old in (base, new):
        run("rm", "-rf", "--one-file-system", old)
    done = run("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory",
               f"--customize-hook=chroot \"$1\" sh -c 'cd {SPARE} && apt-get download {OTHER_EXIM}'",
               f"--aptopt={apt_options(folder)}", f"--include={','.join(packages)},exim4-config",
               release_name(), new, *lines)
    (folder / "base.log").write_text(done.stdout)
    if done.returncode != 0:
        run("rm", "-rf", "--one-file-system", new)
        reason = [line.strip() for line in done.stdout.splitlines() if REFUSED.search(line)]
        if reason:
            raise Refused(reason[0])
        raise AssertionError(done.stdout[-3000:])
    prepared = run(ENTER, new, "sh", "-c", PREPARE)
    assert prepared.returncode == 0, prepared.stdout
    made_of.write_text(" ".join(packages))
    new.rename(base)
    return base


def leave_mounts():
    """What this process mounts from here on is its own, and ends with it."""
    assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) == 0, "root must run this"
    mount("--make-rprivate", "/")


def mount(*arguments):
    """mount(8)."""
    done = run("mount", *arguments)
    assert done.returncode == 0, done.stdout


class Machine:
    """One such Debian: the base, and what is changed kept apart in folder, on a tmpfs."""

    def __init__(self, base, folder):
        mount("-t", "tmpfs", "tmpfs", folder)
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        self.root = folder / "root"
        mount("-t", "overlay", "overlay", "-o",
              f"lowerdir={base},upperdir={folder}/upper,workdir={folder}/work", self.root)

    def close(self):
        """No more of it."""
        assert run("umount", self.root, self.root.parent).returncode == 0

    def path(self, name):
        """A file in there, from outside."""
        return self.root / name.lstrip("/")

    def run(self, *command):
        """Run a command in there; its status and its words."""
        return run(ENTER, self.root, *command)

    def sh(self, script):
        """The words of a script that must not fail."""
        done = self.run("sh", "-c", script)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def dpkg(self, *arguments):
        """Install or remove; what it says."""
        done = self.run("dpkg", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def install(self, *debs):
        """dpkg -i of files of outside."""
        for deb in debs:
            self.path("/tmp").joinpath(deb.name).write_bytes(deb.read_bytes())
        return self.dpkg("-i", *[f"/tmp/{deb.name}" for deb in debs])

    def contents(self, *folders):
        """Every file below these: what it is, whose, and what is in it."""
        found = {}
        for path in sorted(path for folder in folders for path in self.path(folder).rglob("*")):
            state = path.lstat()
            what = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path.relative_to(self.root))] = (
                state.st_mode, state.st_uid, state.st_gid, what,
                os.readlink(path) if path.is_symlink() else "")
        return found

    def names(self):
        """Every path there is."""
        return {str(Path(folder, name).relative_to(self.root))
                for folder, folders, files in os.walk(self.root) for name in folders + files}
