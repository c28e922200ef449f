"""What the scenarios about policies have in common: the record that `exim-requiretls
resolve` prints, and a policy host that answers byte by byte as it is told."""

import socket
import ssl
import threading
from dataclasses import dataclass, field

from sender import SPOOL, Site, world

# pylint: disable=wrong-import-order
import certs

EXIM_USER = "Debian-exim"
POLICY_HOST = "mta-sts.enforce.example"
RAW_HOST = "192.0.2.90"  # an address of the lab that has no server


@dataclass
class Record:
    """The text form of a record, taken apart."""

    value: dict[str, str] = field(default_factory=dict)
    mx: list[str] = field(default_factory=list)
    tlsa: list[str] = field(default_factory=list)
    note: list[str] = field(default_factory=list)
    policy: str = ""

    def __getitem__(self, key: str) -> str:
        return self.value.get(key, "")


def parse(text: str) -> Record:
    """Read what --record printed."""
    record = Record()
    head, _, record.policy = text.partition("\npolicy-text\n")
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        if key in ("mx", "tlsa", "note"):
            getattr(record, key).append(value)
        else:
            record.value[key] = value
    return record


def resolve(site: Site, domain: str, *options: str) -> Record:
    """Resolve as the module has it done: by the Exim user."""
    done = site.program("resolve", "--record", *options, domain, user=EXIM_USER)
    assert done.stderr == ""
    return parse(done.stdout)


def forget(site: Site) -> None:
    """No cache record of any domain."""
    site.lab.exec(["rm", "-rf", f"{SPOOL}/cache"])


def policy_requests(site: Site, domain: str) -> list[str]:
    """nginx's lines about a policy host."""
    log = (site.lab.state / "log/policy-access.log").read_text()
    return [line for line in log.splitlines() if f" mta-sts.{domain} " in line]


class RawHost:
    """An HTTPS server, by default for enforce.example, that says exactly what it is told,
    and keeps what it is asked: the requests, and the names in SNI."""

    def __init__(self, site: Site, name: str = POLICY_HOST) -> None:
        authority = certs.Authority()
        path = site.lab.state / "raw-host.pem"
        path.write_bytes(authority.leaf(name).pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)
        self.context.sni_callback = self.on_sni
        path.unlink()
        self.answer = b""
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.socket = site.lab.in_network(lambda: socket.create_server((RAW_HOST, 443)))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        site.lab.write_etc("raw-ca.pem", certs.cert_pem(authority.root.cert))
        site.lab.set_rrset(name, "A", [RAW_HOST])
        site.configure(ca_file="/etc/exim4/raw-ca.pem")

    def on_sni(self, _socket: object, name: str | None, _context: object) -> None:
        """Keep the name."""
        self.names.append(name)

    def only_tls(self, version: ssl.TLSVersion) -> None:
        """Speak this version and no other. Those before 1.2 are signed with SHA-1, which
        OpenSSL does at its lowest level only."""
        self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        self.context.maximum_version = version
        self.context.minimum_version = version

    def serve(self) -> None:
        """One connection after the other, until the socket is shut down."""
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            plain.settimeout(5)
            try:
                with self.context.wrap_socket(plain, server_side=True) as tls:
                    self.requests.append(tls.recv(65536))
                    tls.sendall(self.answer)
            except OSError:
                pass

    def close(self) -> None:
        """End the thread."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


POLICY = world.policy_text("enforce", ["good.mail.example"]).encode()


def http(body: bytes = POLICY, status: str = "200 OK", kind: bytes = b"text/plain",
         more: bytes = b"", length: int | None = None) -> bytes:
    """An answer as HTTP/1.1."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n".encode()
    if kind:
        head += b"Content-Type: " + kind + b"\r\n"
    return head + more + b"\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """The same without a length."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
            b"\r\n" + body + b"0\r\n\r\n")


def padded(size: int) -> bytes:
    """A valid policy of just that size."""
    filler = size - len(POLICY)
    lines, rest = divmod(filler, 1024)
    body = POLICY + (b"x: " + b"y" * 1020 + b"\n") * lines
    return body + (b"x: " + b"y" * (rest - 4) + b"\n" if rest else b"")
