"""What must break neither Exim nor the package operation."""

import pytest

import machine
from test_life import CONF, EXIM, SPOOL, is_set_up, works

PROGRAM = "/usr/sbin/exim-requiretls"
EXIM_PACKAGES = ("exim4-base", "exim4-config", "exim4-daemon-heavy")

# Prints how often the daemon has begun anew; $1 is what to wait for.
RESTARTS = """
restarts() {
    for try in $(seq 300); do
        [ "$(grep -c 'SIGHUP received' /var/log/exim4/mainlog)" -lt "$1" ] || break
        sleep 0.1
    done
    grep -c 'SIGHUP received' /var/log/exim4/mainlog
}
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
/etc/init.d/exim4 start
"""


def set_up(box, deb):
    """Installed and switched on."""
    box.install(deb)
    box.sh("exim-requiretls setup --apply")
    assert is_set_up(box)


def test_a_running_daemon_is_told(fresh, deb, newer):
    """Of an upgrade and of a removal: it has stanzas and module in its memory."""
    set_up(fresh, deb)
    fresh.path("/tmp/newer.deb").write_bytes(newer.read_bytes())
    told = fresh.sh(RESTARTS + f"""
        dpkg -i /tmp/newer.deb; restarts 1
        printf '#!/bin/sh\\nexit 1\\n' >{PROGRAM}
        dpkg --remove exim4-requiretls; restarts 2
        printf 'Subject: x\\n\\n' | exim4 -odf alice@site.example
        /etc/init.d/exim4 stop""")
    assert "\n1\n" in told and "\n2\n" in told, told
    works(fresh)


def test_exim_that_does_not_reload(fresh, deb, newer):
    """A mistake of somebody else's in Exim's configuration: upgrade, remove and purge go on."""
    set_up(fresh, deb)
    template = fresh.path("/etc/exim4/exim4.conf.template")
    mistake = "no_such_option = true\n"
    template.write_text(mistake + template.read_text())
    fresh.path("/tmp/newer.deb").write_bytes(newer.read_bytes())
    fresh.sh("printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; dpkg -i /tmp/newer.deb"
             " && dpkg --remove exim4-requiretls")
    template.write_text(template.read_text().replace(mistake, ""))
    fresh.sh("update-exim4.conf")
    works(fresh)
    assert not is_set_up(fresh)
    fresh.dpkg("--purge", "exim4-requiretls")


@pytest.mark.parametrize("trouble, words", [
    (f"printf '#!/bin/sh\\nexit 1\\n' >{PROGRAM}", "does nothing"),
    (f"rm {PROGRAM}", "does nothing"),
    ("rm /var/lib/dpkg/info/exim4-requiretls.prerm", "")], ids=["fails", "is gone", "not asked"])
def test_setup_cannot_be_taken_out(fresh, deb, trouble, words):
    """Then what it has written looks for the stanzas, and Exim works without."""
    set_up(fresh, deb)
    before = fresh.contents(*EXIM)
    fresh.sh(trouble)
    assert words in fresh.dpkg("--remove", "exim4-requiretls")
    assert fresh.contents(*EXIM) == before
    works(fresh)
    assert not is_set_up(fresh)
    fresh.sh("update-exim4.conf")
    works(fresh)
    fresh.install(deb)
    works(fresh)
    assert is_set_up(fresh)
    fresh.sh("exim-requiretls setup --remove")
    assert not is_set_up(fresh)


def test_another_build_of_exim(fresh, deb):
    """The one without dlfunc takes the place of ours: this package goes before, mail flows."""
    set_up(fresh, deb)
    told = fresh.sh(f"apt-get -y -q install {machine.SPARE}/{machine.OTHER_EXIM}_*.deb")
    assert "Removing exim4-requiretls" in told
    assert "Expand_dlfunc" not in fresh.sh("exim4 -bV")
    works(fresh)
    assert not is_set_up(fresh)


def test_exim_is_purged_too(fresh, deb):
    """All at once."""
    set_up(fresh, deb)
    fresh.dpkg("--purge", "exim4-requiretls", *EXIM_PACKAGES)
    left = fresh.names()
    assert not any("requiretls" in name for name in left if not name.startswith(("tmp", "var/log")))


@pytest.mark.parametrize("target", ["/etc", "/nowhere"])
def test_the_exim_user_cannot_lead_root_astray(fresh, deb, target):
    """The directory above the state is the Exim user's: a link there is not followed."""
    fresh.sh(f"ln -s {target} {SPOOL} && chown -h Debian-exim: {SPOOL}")
    fresh.install(deb)
    assert fresh.sh("stat -c %U:%a /etc").strip() == "root:755"
    fresh.dpkg("--purge", "exim4-requiretls")
    assert fresh.path("/etc/passwd").exists() and not fresh.path(SPOOL).is_symlink()


def test_removed_configuration_stays_removed(fresh, deb, newer):
    """An upgrade does not bring back what somebody has deleted."""
    fresh.install(deb)
    fresh.sh(f"rm {CONF}")
    fresh.install(newer)
    assert not fresh.path(CONF).exists()
    works(fresh)


def test_with_the_patched_packages(fresh, deb):
    """What `make exim` builds is of the right release; both together speak REQUIRETLS."""
    release = machine.run("dpkg-deb", "-f", deb, "Depends").stdout.split(
        "exim4-daemon-heavy (>= ")[1].split(")")[0]
    folder = machine.OUT / f"exim-{release}/debs"
    debs = [path for name in EXIM_PACKAGES for path in folder.glob(f"{name}_*.deb")]
    if len(debs) != len(EXIM_PACKAGES):
        pytest.skip(f"the packages of Exim {release} are not built here")
    fresh.install(*debs)
    works(fresh)
    set_up(fresh, deb)
    works(fresh)
    assert "tls_advertise_requiretls = *" in fresh.sh("exim4 -bP tls_advertise_requiretls")
    fresh.dpkg("--purge", "exim4-requiretls")
    works(fresh)
    assert not is_set_up(fresh)
