"""Certificates of the lab: a CA with an intermediate, and every way of being wrong.

ECDSA keys, because a hundred of them are made at each `up`.
"""

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass
class Issuer:
    """A certificate authority: its key, its certificate, and what a server sends along."""

    key: ec.EllipticCurvePrivateKey
    cert: x509.Certificate
    chain: bytes = b""


@dataclass
class Leaf:
    """A host's key and certificate. `pem` is what servers load: key, leaf, chain."""

    cert: x509.Certificate
    pem: bytes

    def spki_sha256(self) -> str:
        """Hex SHA-256 of the public key: the data of a TLSA 3 1 1 record."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.cert.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
        return digest.finalize().hex()


def cert_pem(cert: x509.Certificate) -> bytes:
    """PEM of one certificate."""
    return cert.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _build(subject: str, key: ec.EllipticCurvePrivateKey, issuer: Issuer | None,
           start: datetime.datetime, end: datetime.datetime,
           extensions: list[tuple[x509.ExtensionType, bool]]) -> x509.Certificate:
    builder = (x509.CertificateBuilder()
               .subject_name(_name(subject))
               .issuer_name(issuer.cert.subject if issuer else _name(subject))
               .public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(end))
    signer = issuer.key if issuer else key
    extensions = extensions + [
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)]
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


CA_EXTENSIONS: list[tuple[x509.ExtensionType, bool]] = [
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False,
                   data_encipherment=False, key_agreement=False, key_cert_sign=True,
                   crl_sign=True, encipher_only=False, decipher_only=False), True)]


def make_ca(name: str, issuer: Issuer | None = None) -> Issuer:
    """A root, or with an issuer an intermediate that is sent along with its leaves."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    # Older than any leaf, also than the expired ones: else those would have two faults.
    cert = _build(name, key, issuer, now - 800 * DAY, now + 3650 * DAY, CA_EXTENSIONS)
    return Issuer(key, cert, cert_pem(cert) if issuer else b"")


class Authority:
    """The lab's CA and one that nobody trusts."""

    def __init__(self) -> None:
        self.root = make_ca("Lab Root CA")
        self.issuing = make_ca("Lab Issuing CA", self.root)
        self.stranger = make_ca("Unknown Root CA")
        self.private = make_ca("Private Issuing CA", self.stranger)

    @functools.cached_property
    def expired_cross(self) -> bytes:
        """The root once more, as an older root had signed it, expired: what servers sent along
        for years after the ends of AddTrust and of DST X3, and no path needs."""
        now = datetime.datetime.utcnow()
        old = make_ca("Old Root CA")
        return cert_pem(_build("Lab Root CA", self.root.key, old, now - 800 * DAY,
                               now - 20 * DAY, CA_EXTENSIONS))

    def leaf(self, host: str, kind: str = "lab", also: Sequence[str] = ()) -> Leaf:
        """A certificate for host, and for the other names; kind as in world.Host.cert."""
        now = datetime.datetime.utcnow()
        start, end = now - DAY, now + 365 * DAY
        issuer: Issuer | None = self.issuing
        sans, subject, extra = [host, *also], host, b""
        label, _, parent = host.partition(".")
        if kind == "expired":
            start, end = now - 400 * DAY, now - 20 * DAY
        elif kind == "notyet":
            start, end = now + 365 * DAY, now + 730 * DAY
        elif kind == "selfsigned":
            issuer = None
        elif kind == "unknownca":
            issuer = self.stranger
        elif kind == "privateca":
            issuer = self.private
        elif kind == "wrongname":
            subject = "other." + parent
            sans = [subject]
        elif kind == "cnonly":
            sans = []
        elif kind == "wildcard":
            sans = ["*." + parent]
        elif kind == "partial":
            sans = [f"{label[0]}*.{parent}"]
        elif kind == "extra":
            extra = self.expired_cross
        elif kind != "lab":
            raise ValueError(f"no such kind of certificate: {kind}")
        key = ec.generate_private_key(ec.SECP256R1())
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]
        if sans:
            names = x509.SubjectAlternativeName([x509.DNSName(san) for san in sans])
            extensions.append((names, False))
        cert = _build(subject, key, issuer, start, end, extensions)
        chain = (issuer.chain if issuer else b"") + extra
        return Leaf(cert, _key_pem(key) + cert_pem(cert) + chain)
