"""A site that signs its reports with DKIM, and a stranger's program that verifies them."""

import os
import re

import dkim
import dns.message
import dns.query
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from sender import SENDER_CONF, world
from test_report import Reporter, read_mail

SELECTOR = "reports"
KEY = "/etc/exim4/report.key"
SIGNING = f"REQUIRETLS_REPORT_KEY = {KEY}\nREQUIRETLS_REPORT_SELECTOR = {SELECTOR}\n"


def pem(key) -> str:
    """A private key as Exim reads it."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


KEYS = {"rsa": pem(rsa.generate_private_key(65537, 2048)),
        "ed25519": pem(ed25519.Ed25519PrivateKey.generate())}


class Signing(Reporter):
    """A site that signs its reports, and the domain its key is published in."""

    def put_key(self, text: str, mode: int = 0o640) -> None:
        """A key that the Exim user can read."""
        self.lab.write_etc("report.key", text, mode=mode)
        self.lab.exec(["chgrp", "Debian-exim", KEY])

    def sign(self, kind: str = "rsa", macros: str = SIGNING) -> None:
        """Key and record, as docs/REPORTS.md has it."""
        self.put_key(KEYS[kind])
        self.lab.write_sender_conf(macros + SENDER_CONF)
        shown = self.site.program("report", "key", "--selector", SELECTOR, KEY).stdout
        name, record = re.match(r"(\S+)\. IN TXT (.*)\n", shown).groups()
        self.lab.set_rrset(name, "TXT", [record])

    def send(self, rua: str = "tlsrpt@reports.example") -> str:
        """One report to an address, and what the run said."""
        self.lab.set_tlsrpt("enforce.example", f"v=TLSRPTv1; rua=mailto:{rua}")
        self.journal(("enforce.example", "no-policy-found", "-", "success"))
        return self.run()

    def arrived(self, rua: str = "tlsrpt@reports.example"):
        """The one report that came there."""
        (mail,) = self.mails(rua)
        read_mail(mail.message, "enforce.example")
        return mail

    def verifies(self, message: bytes) -> bool:
        """By the lab's DNS, as a TLS report: the key must be one for reports."""
        def txt(name, timeout=5):
            query = dns.message.make_query(name.decode().rstrip("."), "TXT")
            answer = self.lab.in_network(
                lambda: dns.query.udp(query, world.RESOLVER, timeout=timeout))
            return b"".join(part for rrset in answer.answer for part in rrset[0].strings)
        return dkim.verify(message, dnsfunc=txt, tlsrpt="strict")

    def forget_panic(self) -> str:
        """What the panic log said."""
        said = self.lab.paniclog()
        os.truncate(self.lab.state / "sender/log/paniclog", 0)
        return said

    def make_old(self, seconds: int) -> None:
        """As if the messages of the queue had come so long ago."""
        for path in (self.lab.state / "sender/spool/input").rglob("*-H"):
            lines = path.read_text().split("\n")
            came, warned = lines[3].split()
            lines[3] = f"{int(came) - seconds} {warned}"
            path.write_text("\n".join(lines))


def signature(message: bytes) -> dict:
    """The tags of its one DKIM signature."""
    (value,) = [header for name, header in dkim.rfc822_parse(message)[0]
                if name.lower() == b"dkim-signature"]
    text = re.sub(rb"\s", b"", value).decode()
    return dict(tag.split("=", 1) for tag in text.split(";") if tag)
