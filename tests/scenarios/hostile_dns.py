"""A resolver that lies, stalls and stammers, for exim-requiretls to ask.

    with HostileResolver(site) as resolver:
        resolver.behave(lambda talk: talk.send(talk.honest()[:20]))
        site.configure(resolver=ADDRESS)

It listens on two loopback addresses: answers can come from the wrong one.
"""

import contextlib
import socket
import threading
from collections.abc import Callable

import dns.message
import dns.name

from sender import Site, world

ADDRESS, ELSEWHERE = "127.0.0.9", "127.0.0.10"


class Talk:
    """One query and the ways to answer it."""

    def __init__(self, resolver: "HostileResolver", wire: bytes, is_tcp: bool,
                 send: Callable[[bytes], object],
                 send_elsewhere: Callable[[bytes], object]) -> None:
        self.resolver, self.wire, self.is_tcp = resolver, wire, is_tcp
        self.query = dns.message.from_wire(wire)
        self.question = self.query.question[0]
        self.send, self.send_elsewhere = send, send_elsewhere
        self.raw: Callable[[bytes], object] = send      # without the length, by TCP
        self.is_over = resolver.is_over                 # set when the test goes on

    def honest(self) -> bytes:
        """What Unbound says, whole."""
        upstream = self.resolver.site.lab.in_network(
            lambda: socket.create_connection((world.RESOLVER, 53), 5))
        with upstream, upstream.makefile("rb") as file:
            upstream.sendall(len(self.wire).to_bytes(2, "big") + self.wire)
            return file.read(int.from_bytes(file.read(2), "big"))

    def answer(self) -> dns.message.Message:
        """The same to be changed."""
        return dns.message.from_wire(self.honest(), one_rr_per_rrset=False)

    def is_about(self, domain: str) -> bool:
        """The MX and TXT questions, not those of the chain of trust."""
        return (self.question.rdtype in (dns.rdatatype.MX, dns.rdatatype.TXT)
                and self.question.name.is_subdomain(dns.name.from_text(domain)))


class HostileResolver:
    """Honest until told otherwise."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_over = threading.Event()
        self.behaviour: Callable[[Talk], object] = lambda talk: talk.send(talk.honest())
        self.has_tcp = True

    def __enter__(self) -> "HostileResolver":
        def bind() -> tuple[socket.socket, socket.socket, socket.socket]:
            pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            pair[0].bind((ADDRESS, 53))
            pair[1].bind((ELSEWHERE, 53))
            return pair[0], pair[1], socket.create_server((ADDRESS, 53), backlog=64)
        self.udp, self.other, self.tcp = self.site.lab.in_network(bind)
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.is_over.set()
        for sock in (self.udp, self.other, self.tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def behave(self, behaviour: Callable[[Talk], object], has_tcp: bool = True) -> None:
        """From now on; who still is at it from before can stop waiting."""
        self.is_over.set()
        self.is_over = threading.Event()
        self.behaviour, self.has_tcp = behaviour, has_tcp

    def talk(self, wire: bytes, is_tcp: bool, send: Callable[[bytes], object],
             elsewhere: Callable[[bytes], object], raw: Callable[[bytes], object]) -> None:
        """One query."""
        with contextlib.suppress(OSError):
            talk = Talk(self, wire, is_tcp, send, elsewhere)
            talk.raw = raw
            self.behaviour(talk)

    def serve_udp(self) -> None:
        """Every query in a thread."""
        while True:
            try:
                wire, client = self.udp.recvfrom(65536)
            except OSError:
                return
            if not wire:
                return
            send = lambda data, to=client: self.udp.sendto(data, to)      # noqa: E731
            other = lambda data, to=client: self.other.sendto(data, to)   # noqa: E731
            threading.Thread(target=self.talk, args=(wire, False, send, other, send),
                             daemon=True).start()

    def serve_tcp(self) -> None:
        """Every connection in a thread."""
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            if not self.has_tcp:
                # RST instead of an end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      b"\1\0\0\0\0\0\0\0")
                connection.close()
                continue
            threading.Thread(target=self.serve_connection, args=(connection,),
                             daemon=True).start()

    def serve_connection(self, connection: socket.socket) -> None:
        """Queries one after the other."""
        def send(data: bytes) -> None:
            connection.sendall(len(data).to_bytes(2, "big") + data)
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            while len(head := file.read(2)) == 2:
                wire = file.read(int.from_bytes(head, "big"))
                self.talk(wire, True, send, send, connection.sendall)
