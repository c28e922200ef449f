"""Three odd name servers.

127.0.0.2   a resolver that knows no DNSSEC: forwards to Unbound, strips all of it
192.0.2.54  an authoritative server that answers SERVFAIL to everything
192.0.2.55  one that never answers
"""

import socket
import socketserver
import threading

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import world

DNSSEC_TYPES = {dns.rdatatype.RRSIG, dns.rdatatype.DNSKEY, dns.rdatatype.DS,
                dns.rdatatype.NSEC, dns.rdatatype.NSEC3}


def strip(wire: bytes) -> bytes:
    """Answer a query by way of Unbound, as an old forwarder would."""
    query = dns.message.from_wire(wire)
    question = query.question[0]
    upstream = dns.message.make_query(question.name, question.rdtype)
    # CD: a resolver without DNSSEC hands out bogus data too.
    upstream.flags |= dns.flags.CD
    answer = dns.query.tcp(upstream, world.RESOLVER, timeout=8)
    reply = dns.message.make_response(query, recursion_available=True)
    reply.use_edns(-1)
    reply.set_rcode(answer.rcode())
    for section, kept in ((answer.answer, reply.answer), (answer.authority, reply.authority)):
        kept.extend(rrset for rrset in section if rrset.rdtype not in DNSSEC_TYPES)
    return reply.to_wire()


def servfail(wire: bytes) -> bytes:
    """SERVFAIL to whatever was asked."""
    reply = dns.message.make_response(dns.message.from_wire(wire))
    reply.set_rcode(dns.rcode.SERVFAIL)
    return reply.to_wire()


def start(ip: str, answer) -> None:
    """Serve ip:53, UDP and TCP, each query in a thread."""
    class Datagram(socketserver.BaseRequestHandler):
        """One query by UDP."""

        def handle(self) -> None:
            wire, sock = self.request
            sock.sendto(answer(wire), self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        """Queries by TCP."""

        def handle(self) -> None:
            while head := self.rfile.read(2):
                reply = answer(self.rfile.read(int.from_bytes(head, "big")))
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)

    for kind, handler in ((socketserver.ThreadingUDPServer, Datagram),
                          (socketserver.ThreadingTCPServer, Stream)):
        kind.allow_reuse_address = True
        server = kind((ip, 53), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> None:
    """Start all three; the silent one is a socket that is only emptied."""
    start(world.RESOLVER_NO_DNSSEC, strip)
    start(world.NS_SERVFAIL, servfail)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind((world.NS_SILENT, 53))
    while True:
        silent.recv(65536)


if __name__ == "__main__":
    main()
