"""`report key`: the DNS record of the key that signs reports."""

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sender import ROOT, SENDER_CONF
from signing import KEY, KEYS, Signing, pem


@pytest.fixture(name="reports")
def fixture_reports(site):
    """The site."""
    return Signing(site)


def public_text(kind: str) -> str:
    """What p= has to be, by another way than ours: RFC 6376 section 3.6.1, RFC 8463 section 4."""
    public = serialization.load_pem_private_key(KEYS[kind].encode(), None).public_key()
    data = (public.public_bytes(serialization.Encoding.DER,
                                serialization.PublicFormat.SubjectPublicKeyInfo)
            if kind == "rsa" else
            public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("args,name,service", [
    ((), "tlsrpt._domainkey.lab.example", "s=tlsrpt; "),
    (("--selector", "A.b"), "a.b._domainkey.lab.example", "s=tlsrpt; "),
    (("--domain", "Bücher.example"), "tlsrpt._domainkey.xn--bcher-kva.example", "s=tlsrpt; "),
    (("--all-services",), "tlsrpt._domainkey.lab.example", ""),
])
@pytest.mark.parametrize("kind", KEYS)
def test_key_record(reports, kind, args, name, service):
    """B7.2: the record of the key, as a line of a zone, as plain text, and as JSON."""
    reports.put_key(KEYS[kind])
    text = f"v=DKIM1; k={kind}; {service}p={public_text(kind)}"
    shown = reports.site.program("report", "key", *args, KEY)
    zone, _, plain = shown.stdout.partition("\n\n")
    strings = re.findall('"([^"]*)"', zone)
    assert zone.startswith(f'{name}. IN TXT "') and "".join(strings) == text
    assert all(len(string) <= 255 for string in strings)
    assert plain == f"name  {name}\ntext  {text}\n"
    answer = json.loads(reports.site.program("report", "key", "--json", *args, KEY).stdout)
    assert answer["name"] == name and answer["text"] == text and answer["type"] == kind
    assert answer["strings"] == zone.partition(" IN TXT ")[2]
    assert answer["bits"] == {"rsa": 2048, "ed25519": 256}[kind]


@pytest.mark.parametrize("make,mode,warnings", [
    (lambda: KEYS["rsa"], 0o640, []),
    (lambda: KEYS["rsa"], 0o644, ["every user of this machine can read the key"]),
    (lambda: pem(rsa.generate_private_key(65537, 1024)), 0o640, ["less than 2048 bits"]),
    (lambda: KEYS["ed25519"], 0o646, ["every user", "many receivers verify RSA only"]),
], ids=["good", "mode", "bits", "ed25519"])
def test_key_warnings(reports, make, mode, warnings):
    """What is not wrong, and not good."""
    reports.put_key(make(), mode)
    said = json.loads(reports.site.program("report", "key", "--json", KEY).stdout)["warnings"]
    assert len(said) == len(warnings)
    for line, words in zip(said, warnings):
        assert words in line
    shown = reports.site.program("report", "key", KEY).stderr
    assert shown.count("exim-requiretls: warning: ") == len(warnings)


@pytest.mark.parametrize("args,status", [
    ((), 64), (("report.key",), 64), ((KEY, KEY), 64), (("--selector", KEY), 64),
    (("--frobnicate", KEY), 64), (("--selector", "a b", KEY), 65), (("--domain", "", KEY), 65),
    (("--selector", "x" * 63, "--domain", ".".join(["y" * 60] * 3), KEY), 65),
    (("/nonexistent",), 66), (("/etc/exim4/requiretls.conf",), 65), (("/etc/shadow",), 66),
])
def test_key_wrong_use(reports, args, status):
    """Exit statuses of sysexits.h; a key that the Exim user cannot read is one of them."""
    reports.put_key(KEYS["rsa"])
    result = reports.site.program("report", "key", *args, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    assert result.stderr != "" and result.stdout == ""


def test_key_of_no_domain(reports):
    """Without a contact the domain has to be said."""
    reports.put_key(KEYS["rsa"])
    reports.site.configure(tlsrpt="no", tlsrpt_organization=None, tlsrpt_contact=None)
    result = reports.site.program("report", "key", KEY, check=False)
    assert result.returncode == 78 and "--domain" in result.stderr
    assert "x.example" in reports.site.program("report", "key", "--domain", "x.example",
                                               KEY).stdout


def test_as_documented(reports):
    """The commands of docs/REPORTS.md make a key that Exim can sign with; its defaults fit ours."""
    part = (ROOT / "docs/REPORTS.md").read_text().partition("## Signing them")[2]
    commands = re.search(r"(?:^    .*\n)+", part, re.MULTILINE)[0]
    macro = re.search(r"^    (REQUIRETLS_REPORT_KEY = .*)$", part, re.MULTILINE)[1]
    shown = reports.lab.exec(["sh", "-ec", commands])
    assert "warning" not in shown.stderr
    name, record = re.match(r"(\S+)\. IN TXT (.*)\n", shown.stdout).groups()
    reports.lab.set_rrset(name, "TXT", [record])
    reports.lab.write_sender_conf(f"{macro}\n{SENDER_CONF}")
    reports.send()
    assert reports.verifies(reports.arrived().message)
