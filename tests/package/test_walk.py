"""A newcomer's walk: the commands of "Using it" in README.md as they stand there, in that order,
on a fresh Debian in the lab's internet. Protected in the end, and then as before."""

import re
import shutil
import sys

import pytest

import machine
from test_life import CONF, EXIM

sys.path.insert(0, str(machine.ROOT / "tests/lab"))
# pylint: disable=wrong-import-position
from labkit import Lab

# Its only host has a certificate that has expired.
BAD_HOST, GOOD_HOST = "enforce-expired.example", "enforce.example"
# The README's example, as the lab has it; and signed names, which the lab's internet has others of.
DOMAIN = "example.org"
KNOWN = " --good secure.example --broken bogus.example"
MAINLOG = "/var/log/exim4/mainlog"


def blocks():
    """The indented blocks of the section, each a list of lines without comments."""
    section = re.search(r"^## Using it\n(.*?)^## ", (machine.ROOT / "README.md").read_text(),
                        re.MULTILINE | re.DOTALL)[1]
    return [[line.partition("#")[0].strip() for line in block.splitlines()]
            for block in re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)]


@pytest.fixture(scope="module", name="lab")
def lab_of_module(tmp_path_factory):
    """One of our own: the scenarios may be using theirs."""
    lab = Lab(tmp_path_factory.mktemp("lab") / "lab").up()
    yield lab
    lab.down()


@pytest.fixture(name="user", params=["one file", "split"])
def machine_in_the_lab(fresh, lab, deb, request, monkeypatch):
    """It has the lab's network, root key and authority, and a clone with the package."""
    monkeypatch.setenv("NETWORK", f"/proc/{(lab.state / 'holder.pid').read_text().strip()}/ns/net")
    shutil.copy(lab.ca_bundle, fresh.path("/etc/ssl/certs/ca-certificates.crt"))
    shutil.copy(lab.state / "etc/root.key", fresh.path("/usr/share/dns/root.key"))
    folder = fresh.path("/root/build/out/deb")
    folder.mkdir(parents=True)
    shutil.copy(deb, folder)
    if request.param == "split":
        fresh.sh("sed -i \"s/^dc_use_split_config=.*/dc_use_split_config='true'/\" "
                 "/etc/exim4/update-exim4.conf.conf && update-exim4.conf")
    return fresh


def deliver(user, domain):
    """Send a message; its id, and what the log says of it."""
    word = user.sh(f"printf 'Subject: x\\n\\n' | exim4 -odf -f alice@site.example bob@{domain}; "
                   f"grep '<= alice@' {MAINLOG} | tail -n1").split()[2]
    return word, user.sh(f"grep {word} {MAINLOG}")


def test_readme(user):
    """Every command ends well, and says what the README promises."""
    before = user.contents(*EXIM)
    install, resolver, switch, see, why, away = blocks()
    make, _, apt = install[0].partition(" && ")
    assert make == "make deb" and len(install) == 1  # a fixture has done it
    user.sh(f"cd /root && {apt}")
    files = user.contents(*EXIM)
    del files[CONF.lstrip("/")]
    assert files == before

    user.path("/etc/resolv.conf").write_text("".join(f"{line}\n" for line in resolver))
    look, apply = switch
    assert "Nothing was changed" in user.sh(look)
    said = user.sh(apply)
    assert "\nbad " not in said and "\nDone: " in said, said

    myself, check, explain, cache, config = [line.replace(DOMAIN, GOOD_HOST) for line in see]
    assert not re.search(r"^(bad|unknown) ", user.sh(myself + KNOWN), re.MULTILINE)
    assert "good     ordinary    delivered to good.mail.example" in user.sh(check)
    assert "deliver: by the transport requiretls_enforce" in user.sh(explain)
    assert re.search(rf"^{GOOD_HOST} .* enforce ", user.sh(cache), re.MULTILINE)
    assert "mta_sts = yes" in user.sh(config)

    _, log = deliver(user, GOOD_HOST)
    assert "T=requiretls_enforce" in log and " CV=yes " in log and "Completed" in log, log
    message, log = deliver(user, BAD_HOST)
    assert " == bob@" in log and "=> bob@" not in log and message in user.sh("exim4 -bp"), log
    said = user.sh(why[0].replace("MESSAGE-ID", message))
    assert "certificate refused: expired" in said and "put off: " in said

    # A person answers yes.
    user.sh(away[0].replace("purge", "purge -y"))
    assert user.contents(*EXIM) == before
    # Nothing holds the message back any more.
    user.sh(f"exim4 -odf -M {message}")
    assert "T=requiretls" not in user.sh(f"grep {message} {MAINLOG} | grep '=> bob@'")
