"""The policy host stalls, lies or breaks off in every phase: the time budget is kept, the
back-off is on disk, and a policy that is known stays in force."""

import contextlib
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

import certs
from mail import assert_nothing_left, assert_waiting, deliver, empty_queue, let_answers_expire
from policyhost import EXIM_USER, POLICY, RAW_HOST, chunked, http, parse
from sender import Site, world

DOMAIN = "enforce-selfsigned.example"
POLICY_HOST = f"mta-sts.{DOMAIN}"
TIMEOUT_S = 3
SLACK = 5       # a loaded machine; what hangs is late by much more


class Visit:
    """One connection to the policy host."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext,
                 is_over: threading.Event) -> None:
        self.plain, self.context, self.is_over = plain, context, is_over
        self.tls: ssl.SSLSocket | None = None

    def handshake(self) -> "Visit":
        """As it should be."""
        self.tls = self.context.wrap_socket(self.plain, server_side=True)
        return self

    def request(self) -> "Visit":
        """The same, and read what is asked for."""
        self.handshake()
        assert self.tls is not None
        self.tls.recv(65536)
        return self

    def send(self, data: bytes) -> "Visit":
        """Inside TLS."""
        assert self.tls is not None
        self.tls.sendall(data)
        return self

    def stall(self) -> None:
        """Until nobody waits any more."""
        self.is_over.wait(60)

    def for_ever(self, data: bytes) -> None:
        """As fast as it is taken."""
        while not self.is_over.is_set():
            self.send(data)

    def drip(self, data: bytes) -> None:
        """A byte now and then."""
        for byte in data:
            if self.is_over.wait(0.2):
                return
            self.send(bytes([byte]))

    def reset(self) -> None:
        """RST."""
        sock = self.tls or self.plain
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def half_a_hello(self) -> "Visit":
        """The beginning of what a server says in a handshake."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        handshake = self.context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(self.plain.recv(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            handshake.do_handshake()
        hello = outgoing.read()
        self.plain.sendall(hello[:len(hello) // 2])
        return self

    def cut_record(self, data: bytes) -> None:
        """The end of the connection amid a TLS record, without close_notify."""
        assert self.tls is not None
        self.tls.sendall(data)
        fd = self.tls.detach()
        os.write(fd, b"\x17\x03\x03\x10\x00" + b"x" * 20)
        os.close(fd)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"         # fatal, handshake_failure

# What it does, and the words with which the failure is explained.
FAILURES: dict[str, tuple[Callable[[Visit], object], str]] = {
    "silent": (lambda v: v.stall(), "connection timed out"),
    "stalls in its hello": (lambda v: v.half_a_hello().stall(), "connection timed out"),
    "stalls before the answer": (lambda v: v.request().stall(), "answer timed out"),
    "stalls in the status line": (lambda v: v.request().send(b"HTTP/1").stall(),
                                  "answer timed out"),
    "stalls in the headers": (lambda v: v.request().send(HEAD).stall(), "answer timed out"),
    "stalls before the body": (lambda v: v.request().send(
        HEAD + b"Content-Length: 90\r\n\r\n").stall(), "answer timed out"),
    "stalls in the body": (lambda v: v.request().send(http()[:-10]).stall(),
                           "answer timed out"),
    "stalls before the end": (lambda v: v.request().send(HEAD + b"\r\n" + POLICY).stall(),
                              "answer timed out"),
    "stalls in a chunk": (lambda v: v.request().send(CHUNKED + b"fff\r\nx").stall(),
                          "answer timed out"),
    "drips headers": (lambda v: v.request().drip(http()), "answer timed out"),
    "drips chunks": (lambda v: v.request().send(CHUNKED).drip(b"1\r\nx\r\n" * 100),
                     "answer timed out"),
    "chunks without end": (lambda v: v.request().send(CHUNKED).for_ever(
        b"400\r\n" + b"x" * 1024 + b"\r\n"), "policy larger than 65536 bytes"),
    "body without end": (lambda v: v.request().send(HEAD + b"\r\n").for_ever(b"x" * 1024),
                         "policy larger than 65536 bytes"),
    "chunk extensions without end": (lambda v: v.request().send(CHUNKED + b"1;").for_ever(
        b"x" * 1024), ""),
    "trailers without end": (lambda v: v.request().send(CHUNKED + b"0\r\n").for_ever(
        b"X: y\r\n" * 100), ""),
    "headers without end": (lambda v: v.request().send(HEAD).for_ever(b"X: y\r\n" * 100),
                            "header larger than 65536 bytes"),
    "one header without end": (lambda v: v.request().send(HEAD + b"X: ").for_ever(b"y" * 1024),
                               ""),
    "1xx without end": (lambda v: v.request().for_ever(
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), "http status 103"),
    "100 and nothing": (lambda v: v.request().send(b"HTTP/1.1 100 Continue\r\n\r\n").stall(),
                        ""),
    "more than it announced to have": (lambda v: v.request().cut_record(http(length=5000)), ""),
    "a length without end": (lambda v: v.request().send(http(length=2**62)).stall(), ""),
    "a negative length": (lambda v: v.request().send(
        HEAD + b"Content-Length: -1\r\n\r\n" + POLICY).stall(), ""),
    "64 KiB and one byte": (lambda v: v.request().send(
        HEAD + b"\r\n" + POLICY + b"x" * (65537 - len(POLICY))),
        "policy larger than 65536 bytes"),
    "a chunk size that overflows": (lambda v: v.request().send(
        CHUNKED + b"fffffffffffffffff\r\n" + POLICY).stall(), ""),
    "not HTTP": (lambda v: v.request().send(b"220 mx.example ESMTP\r\n"), ""),
    "HTTP/2 that nobody asked for": (lambda v: v.request().send(b"\0\0\x12\x04" + bytes(40)), ""),
    "an alert": (lambda v: (v.plain.recv(65536), v.plain.sendall(ALERT)), ""),
    "an alert, and it stays": (lambda v: (v.plain.recv(65536), v.plain.sendall(ALERT), v.stall()),
                               ""),
    "no TLS": (lambda v: (v.plain.recv(65536), v.plain.sendall(http())), ""),
    "garbage": (lambda v: (v.plain.recv(65536), v.plain.sendall(b"\x16\x03\x03\xff\xff" * 99)), ""),
    "closes at once": (lambda v: v.plain.close(), ""),
    "reset at once": (lambda v: v.reset(), ""),
    "reset in the handshake": (lambda v: v.half_a_hello().reset(), ""),
    "reset after the handshake": (lambda v: v.handshake().reset(), ""),
    "reset after the request": (lambda v: v.request().reset(), ""),
    "reset in the headers": (lambda v: v.request().send(HEAD).reset(), ""),
    "reset in the body": (lambda v: v.request().send(http()[:-10]).reset(), ""),
    "cut in the body": (lambda v: v.request().cut_record(http()[:-10]), ""),
    "cut where the end is the end": (lambda v: v.request().cut_record(HEAD + b"\r\n" + POLICY),
                                     ""),
}


class HostileHost:
    """An HTTPS server, by default the policy host of DOMAIN."""

    def __init__(self, site: Site, name: str = POLICY_HOST) -> None:
        authority = certs.Authority()
        path = site.lab.state / "hostile-host.pem"
        path.write_bytes(authority.leaf(name).pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)
        path.unlink()
        self.behaviour: Callable[[Visit], object] = lambda visit: visit.request().send(http())
        self.is_over = threading.Event()
        self.visits = 0
        self.socket = site.lab.in_network(lambda: socket.create_server((RAW_HOST, 443)))
        threading.Thread(target=self.serve, daemon=True).start()
        # The CA of both sides: mail hosts keep their own.
        bundle = site.lab.ca_bundle.read_bytes() + certs.cert_pem(authority.root.cert)
        site.lab.write_etc("hostile-ca.pem", bundle)
        site.lab.set_rrset(name, "A", [RAW_HOST])

    def behave(self, behaviour: Callable[[Visit], object]) -> None:
        """From now on; visits that still last come to their end."""
        self.is_over.set()
        self.is_over = threading.Event()
        self.behaviour = behaviour

    def serve(self) -> None:
        """Each connection in a thread."""
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self.visit, args=(plain,), daemon=True).start()

    def visit(self, plain: socket.socket) -> None:
        """One."""
        plain.settimeout(20)
        visit = Visit(plain, self.context, self.is_over)
        with contextlib.suppress(OSError, ValueError):
            self.behaviour(visit)
        for sock in (visit.tls, plain):
            with contextlib.suppress(OSError):
                if sock is not None:
                    sock.close()

    def close(self) -> None:
        """No more."""
        self.is_over.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture(name="host")
def fixture_host(site: Site) -> Iterator[HostileHost]:
    """It behaves well until told otherwise; waiting for it is short. Nothing is left behind."""
    found = HostileHost(site)
    site.configure(ca_file="/etc/exim4/hostile-ca.pem", resolve_timeout=f"{TIMEOUT_S}s",
                   fetch_timeout="700ms", connect_timeout="500ms")
    yield found
    assert_nothing_left(site)
    found.close()


def fetched(site: Site, host: HostileHost) -> dict[str, str]:
    """Resolve; the time is kept, the answer is in the cache, and nobody asks again."""
    start = time.monotonic()
    done = site.program("resolve", "--record", DOMAIN, user=EXIM_USER, check=False)
    assert time.monotonic() - start < TIMEOUT_S * SLACK
    assert done.returncode == 0, done
    host.is_over.set()
    listed = site.program("cache", "list", user=EXIM_USER)
    assert "unreadable" not in listed.stdout, listed
    record = parse(done.stdout)
    if record["fetch"] == "failed":
        assert "fetch-retry" in site.cache_file(DOMAIN).read_text()
        visits = host.visits
        site.program("resolve", "--fresh", DOMAIN, user=EXIM_USER)
        assert host.visits == visits, "not again within the back-off"
    return {**record.value, "text": record.policy, "note": "\n".join(record.note)}


def test_failures(site: Site, host: HostileHost) -> None:
    """Nothing is known of the domain: no policy, a reason, a back-off."""
    for name, (behaviour, reason) in FAILURES.items():
        site.lab.exec(["rm", "-rf", "/var/spool/exim4/requiretls/cache"])
        host.behave(behaviour)
        record = fetched(site, host)
        assert (record["fetch"], record["text"]) == ("failed", ""), name
        assert record["fetch-error"].startswith("sts-policy-fetch-error " + reason), (
            name, record["fetch-error"])
        assert len(record["fetch-error"]) > len("sts-policy-fetch-error "), name


def test_failures_with_a_policy(site: Site, host: HostileHost) -> None:
    """The one that is known stays in force, mail is enforced by it."""
    assert fetched(site, host)["fetch"] == "ok"
    kept = site.cache_file(DOMAIN).read_text()
    for said, name in enumerate(("silent", "stalls in the body", "reset in the handshake",
                                 "1xx without end",
                                 "body without end")):
        host.behave(FAILURES[name][0])
        site.cache_file(DOMAIN).write_text(kept)
        site.lab.set_txt(DOMAIN, f"v=STSv1; id=n{said};")
        let_answers_expire(site, DOMAIN)
        assert_waiting(site, deliver(site, f"bob@{DOMAIN}"))
        assert site.log().count("the cached one (enforce) stays in force") == said + 1, name
        empty_queue(site)
        site.forget_retries()


def test_odd_but_good(site: Site, host: HostileHost) -> None:
    """What looks like the above and is right."""
    good = {
        "the end is the end": lambda v: (v.request().send(HEAD + b"\r\n" + POLICY),
                                         v.tls.unwrap()),
        "byte by byte": lambda v: [v.send(bytes([byte])) for byte in http()]
                                  if v.request() else None,
        "some 1xx": lambda v: v.request().send(
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 20 + http()),
        "chunks with extensions": lambda v: v.request().send(
            chunked(POLICY).replace(b"\r\n" + POLICY, b";x=y\r\n" + POLICY)),
        "trailers": lambda v: v.request().send(
            chunked(POLICY)[:-2] + b"Content-Type: text/html\r\n\r\n"),
        "HTTP/1.0": lambda v: v.request().send(http().replace(b"HTTP/1.1", b"HTTP/1.0")),
    }
    for name, behaviour in good.items():
        site.lab.exec(["rm", "-rf", "/var/spool/exim4/requiretls/cache"])
        site.configure(ca_file="/etc/exim4/hostile-ca.pem", resolve_timeout="40s",
                       fetch_timeout="20s")
        host.behave(behaviour)
        done = site.program("resolve", "--record", DOMAIN, user=EXIM_USER)
        assert parse(done.stdout)["fetch"] == "ok", (name, done.stdout)
        assert parse(done.stdout).policy == POLICY.decode(), name
    assert world.domain_named(DOMAIN).sts == "enforce"
