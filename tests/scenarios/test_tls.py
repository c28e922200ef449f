"""docs/TLS.md: what it shows is what comes of it, at hosts of the lab and at this Exim."""

import pytest

from examples import assert_like, inside, log_lines, run, shows
from mail import deliver, empty_queue
from sender import SENDER_CONF, ROOT
from test_stanzas import debian, generate  # noqa: F401  pylint: disable=unused-import

OLD = "192.0.2.36"      # s6.smtp.example
CIPHERS = "  tls_require_ciphers = REQUIRETLS_CIPHERS\n"
CERTIFICATE = """
    cd /etc/exim4; openssl req -x509 -newkey rsa:2048 -nodes -keyout privkey.pem -out fullchain.pem
    -subj /CN=sender.lab.example -addext subjectAltName=DNS:sender.lab.example 2>/dev/null
""".strip().replace("\n   ", "")


@pytest.fixture(name="old")
def fixture_old(site):
    """A host that has TLS 1.1 and nothing else."""
    site.lab.set_behaviour(OLD, "tls11")


def serve(site, lines):
    """The sender as a server, with a certificate and these lines in its main section."""
    inside(site, f"{CERTIFICATE}; chgrp Debian-exim privkey.pem; chmod 640 privkey.pem; "
           "cp privkey.pem exim.key; cp fullchain.pem exim.crt; chgrp Debian-exim exim.key; "
           "chmod 640 exim.key")
    site.lab.write_sender_conf(SENDER_CONF.replace("\nbegin acl", f"\n{lines}\n\nbegin acl", 1))
    site.lab.start_daemon()


def lines_of_the_main_section():
    """Those of the document."""
    text = (ROOT / "docs/TLS.md").read_text()
    return [line.strip() for line in text.partition("Elsewhere, in the main section:\n\n")[2]
            .partition("\n\n")[0].splitlines()]


@shows("TLS.md", "$ gnutls-cli --list", "$ gnutls-cli --starttls-proto=smtp --port 25 good",
       "$ openssl s_client", "$ gnutls-cli --starttls-proto=smtp --port 25 --priority "
       "'NORMAL:-VERS-ALL:+VERS-TLS1.3", "$ printf")
def test_by_hand(site, old, shown):
    """At hosts that are good, bad and old."""
    del old
    run(site, shown)


@shows("TLS.md", "tls_certificate = /etc/exim4/exim.crt",
       "$ gnutls-cli --starttls-proto=smtp --port 25 --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.1",
       "$ exim4 -bP tls_require_ciphers")
def test_own_server(site, shown):
    """With the lines of the document it refuses TLS 1.1, which it takes without the last."""
    lines = lines_of_the_main_section()
    serve(site, "\n".join(lines))
    if shown.commands:
        run(site, shown)
        return
    assert shown.text.splitlines() == lines
    script = ("gnutls-cli --starttls-proto=smtp --no-ca-verification --port 25 --priority "
              "NORMAL:-VERS-ALL:+VERS-{} sender.lab.example </dev/null 2>&1")
    inside(site, script.format("TLS1.1"), 1)
    inside(site, script.format("TLS1.2"))
    site.lab.stop_daemon()
    serve(site, "\n".join(lines[:-1]))
    inside(site, script.format("TLS1.1"))


@pytest.mark.parametrize("line, group", [("", "FFDHE2048"),
                                         ("tls_dhparam = ffdhe3072", "FFDHE3072")])
def test_diffie_hellman(site, line, group):
    """What a client without elliptic curves gets."""
    serve(site, "\n".join([*lines_of_the_main_section(), line]))
    said = inside(site, "gnutls-cli --starttls-proto=smtp --no-ca-verification --port 25 "
                  "--priority NORMAL:-KX-ALL:+DHE-RSA:-VERS-ALL:+VERS-TLS1.2 sender.lab.example </dev/null")
    assert any(f"(DHE-{group})" in text for text in said)


def test_forward_secrecy(site):
    """With what the document adds, a client without it is refused; else it is not."""
    text = (ROOT / "docs/TLS.md").read_text()
    assert "add `:-RSA:-SHA1`" in text
    lines = lines_of_the_main_section()
    script = ("gnutls-cli --starttls-proto=smtp --no-ca-verification --port 25 --priority "
              "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA sender.lab.example </dev/null 2>&1")
    for more, status in (("", 0), (":-RSA:-SHA1", 1)):
        serve(site, "\n".join(lines) + more)
        inside(site, script, status)
        site.lab.stop_daemon()


@shows("TLS.md", "install -o root -g Debian-exim -m 640")
def test_files(site, shown):
    inside(site, f"{CERTIFICATE}; {shown.text}")
    assert inside(site, "stat -c '%U %G %a' /etc/exim4/exim.key /etc/exim4/exim.crt") == [
        "root Debian-exim 640", "root root 644"]


@shows("TLS.md", "MAIN_TLS_ENABLE = yes")
def test_debian(site, debian, shown):   # noqa: F811  pylint: disable=redefined-outer-name
    """Debian's configuration takes the lines, and looks for the files where they are put."""
    generate(site, debian, "internet", f"{shown.text}\n")
    said = inside(site, "exim4 -C /run/generated.conf -bP tls_require_ciphers tls_certificate "
                  "tls_privatekey")
    assert said[0] in shown.text
    assert [line.rpartition("/")[2] for line in said[1:]] == ["exim.crt", "exim.key"]


@shows("TLS.md", "TLS session: (gnutls_handshake)", "=> bob@nopolicy-scripted.example",
       "requiretls: host s6.smtp.example refused: STARTTLS offered")
def test_an_old_host(site, old, shown):
    """Strict, ordinary mail goes in clear; not strict, by TLS 1.1; by a rule, not at all."""
    del old
    conf = SENDER_CONF.replace("remote_smtp:\n  driver = smtp\n",
                               "remote_smtp:\n  driver = smtp\n" + CIPHERS)
    assert conf != SENDER_CONF
    if shown.text.startswith("TLS session"):
        site.lab.write_sender_conf(conf)
    elif shown.text.startswith("requiretls"):
        site.rules("require nopolicy-scripted.example verified\n")
    deliver(site, "bob@nopolicy-scripted.example")
    said = log_lines(site)
    if shown.text.startswith("requiretls"):
        assert shown.text in said and not any("=>" in line for line in said)
        site.rules("")
        empty_queue(site)
    else:
        assert_like(shown.text.splitlines(), said)
