"""A package's life on a fresh Debian: installed, set up, upgraded, removed, purged.

The tests of one configuration share a machine, and go on where the one before has stopped.
"""

import re
import time

import pytest

import machine

CONF = "/etc/exim4/requiretls.conf"
SPOOL = "/var/spool/exim4/requiretls"
EXIM = ("/etc/exim4", "/var/lib/exim4")
# What dpkg, Exim and debconf write for themselves.
NOT_OURS = re.compile(r"(var/(log|mail|cache|lib/(apt|dpkg))|var/spool/exim4/(db|input|msglog)|tmp)(/|$)")
QUESTIONS = re.compile(r"\[[YyNn]/|\?\s*$|Configuration file", re.MULTILINE)
TAGGED = "bob+requiretls@remote.example"


@pytest.fixture(scope="module", params=["one file", "split"], name="box")
def machine_of_module(base, request, tmp_path_factory):
    """Debian's two kinds of configuration."""
    box = machine.Machine(base, tmp_path_factory.mktemp("root"))
    if request.param == "split":
        box.sh("sed -i \"s/^dc_use_split_config=.*/dc_use_split_config='true'/\" "
               "/etc/exim4/update-exim4.conf.conf && update-exim4.conf")
    works(box)
    box.before = box.contents(*EXIM)
    box.names_before = box.names()
    yield box
    box.close()


def deliver(box):
    """A message to a user of the machine arrives, and nothing is to complain about."""
    word = f"word{time.monotonic_ns()}"
    box.sh(f"printf 'Subject: {word}\\n\\n' | exim4 -odf -f carol@remote.example alice@site.example")
    assert word in box.path("/var/mail/alice").read_text(errors="replace")


def works(box):
    """Exim takes its configuration, routes and delivers; no panic."""
    box.sh("exim4 -bV >/dev/null")
    assert "transport = mail_spool" in box.sh("exim4 -bt alice@site.example")
    deliver(box)
    panic = box.path("/var/log/exim4/paniclog")
    assert not panic.exists() or panic.read_text() == ""


def is_set_up(box):
    """Are our routers there, and does the module answer them? No resolver does, here."""
    routers = box.sh("exim4 -bP router_list")
    told = box.run("exim4", "-bt", TAGGED)
    assert ("requiretls_decide" in routers) == (" by=tag" in told.stdout), told.stdout
    return "requiretls_decide" in routers


def exim_files(box):
    """Exim's configuration, but for our own file."""
    files = box.contents(*EXIM)
    files.pop(CONF.lstrip("/"), None)
    return files


def test_installing_changes_nothing(box, deb):
    """No question, and Exim is as it was, byte by byte."""
    box.path("/tmp/first.deb").write_bytes(deb.read_bytes())
    told = box.sh("apt-get install /tmp/first.deb")
    assert "Setting up exim4-requiretls" in told and not QUESTIONS.search(told), told
    works(box)
    box.sh("update-exim4.conf")
    assert exim_files(box) == box.before
    assert not is_set_up(box)
    assert box.sh(f"stat -c '%U %G %a' {SPOOL} {CONF}").split() == [
        "Debian-exim", "Debian-exim", "750", "root", "root", "644"]
    assert "requiretls = enforce" in box.sh("exim-requiretls config")
    wanted = box.sh("cd /etc/systemd/system/timers.target.wants && ls -d exim-requiretls-*").split()
    assert wanted == ["exim-requiretls-refresh.timer", "exim-requiretls-report.timer"]


def test_setup(box):
    """One command, and mail goes through the module."""
    box.sh("exim-requiretls setup --apply")
    works(box)
    assert is_set_up(box)


def test_upgrading_keeps_state(box, newer):
    """What was edited, set up and learnt; and still no question."""
    box.sh(f"""
        echo 'requiretls_tag = +secret' >>{CONF}
        cd {SPOOL} && mkdir -p cache/ab tlsrpt
        echo kept >cache/ab/kept.example
        echo kept >tlsrpt/2026-01-02
        chown -R Debian-exim: .""")
    before = box.contents(*EXIM, SPOOL)
    told = box.install(newer)
    assert not QUESTIONS.search(told), told
    assert "# of a later version" in box.path("/usr/share/exim-requiretls/main.conf").read_text()
    assert box.contents(*EXIM, SPOOL) == before
    works(box)
    told = box.run("exim4", "-bt", "bob+secret@remote.example").stdout
    assert " by=tag" in told, told


def test_removing_takes_it_out(box):
    """Exim is as before; state and configuration stay, and cron is silent."""
    box.dpkg("--remove", "exim4-requiretls")
    works(box)
    assert not is_set_up(box)
    assert exim_files(box) == box.before
    assert box.path(f"{SPOOL}/cache/ab/kept.example").read_text() == "kept\n"
    assert "+secret" in box.path(CONF).read_text()
    for line in box.path("/etc/cron.d/exim-requiretls").read_text().splitlines():
        if line[0].isdigit():
            command = line.split(None, 6)[6].replace("| logger -t exim-requiretls", "")
            assert box.sh(command) == ""


def test_purging_leaves_nothing(box, deb):
    """Installed again, set up, and purged: no file more or less than before."""
    told = box.install(deb)
    assert not QUESTIONS.search(told), told
    assert "+secret" in box.path(CONF).read_text()
    box.sh("exim-requiretls setup --apply")
    box.dpkg("--purge", "exim4-requiretls")
    works(box)
    assert box.contents(*EXIM) == box.before
    changed = box.names_before ^ box.names()
    assert {name for name in changed if not NOT_OURS.match(name)} == set()
    assert "requiretls" not in box.sh("ls /var/lib/dpkg/info /var/lib/systemd/* /var/spool/exim4")
