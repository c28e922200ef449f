"""Scripted HTTPS: the endpoint for reports, and policy hosts that never finish.

    httpsd.py LAB_DIR

reports.example: a POST is kept as LAB_DIR/https/reports/NNNN.body with its headers in
NNNN.json; the status to answer is in LAB_DIR/https/status. The stalling address accepts
and says nothing, not even TLS. The trickling one does TLS and sends a byte per second.
"""

import http.server
import itertools
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from pathlib import Path

import world

LAB = Path(sys.argv[1])
counter = itertools.count(1)


def certificate(name: str) -> ssl.SSLContext:
    """A server context with the certificate of a web host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LAB / "certs" / "web" / f"{name}.pem")
    return context


class Reports(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    timeout = 20

    def do_POST(self) -> None:
        """Store body and headers, answer with the status a scenario wants."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        number = f"{next(counter):04}"
        directory = LAB / "https" / "reports"
        (directory / f"{number}.body").write_bytes(body)
        temporary = directory / f"{number}.new"
        temporary.write_text(json.dumps({
            "time": time.time(), "path": self.path, "headers": self.headers.items()}))
        temporary.rename(directory / f"{number}.json")
        self.send_response(int((LAB / "https" / "status").read_text()))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """To standard error, which is the server's log."""
        print(self.client_address[0], format % args, file=sys.stderr, flush=True)


class ReportServer(http.server.ThreadingHTTPServer):
    """TLS is set up in the connection's own thread: a client that dallies blocks nobody."""

    context = certificate("reports.example")
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind only: the library's own would ask DNS for a name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "reports.example", 443

    def finish_request(self, request, client_address) -> None:
        """Handshake, then the ordinary handling."""
        request.settimeout(20)
        try:
            request = self.context.wrap_socket(request, server_side=True)
        except OSError as error:
            print(client_address[0], "TLS failed:", error, file=sys.stderr, flush=True)
            return
        super().finish_request(request, client_address)
        request.close()

    def handle_error(self, request, client_address) -> None:
        """A broken connection is not worth a traceback."""
        print(client_address[0], sys.exc_info()[1], file=sys.stderr, flush=True)


def stall(sock: socket.socket) -> None:
    """Hold the connection until the client gives up."""
    while sock.recv(65536):
        pass


def trickle(sock: socket.socket) -> None:
    """A policy at one byte per second, for as long as the client bears it."""
    name = "mta-sts.policytrickle.example"
    text = world.domain_policy(world.domain_named("policytrickle.example"))
    with certificate(name).wrap_socket(sock, server_side=True) as tls:
        tls.recv(65536)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
        tls.sendall(head.encode())
        for byte in text.encode():
            tls.sendall(bytes([byte]))
            time.sleep(1)


def serve(ip: str, handler) -> None:
    """Accept on ip:443 for ever, a thread per connection."""
    def run(sock: socket.socket) -> None:
        try:
            handler(sock)
        except OSError as error:
            print(ip, error, file=sys.stderr, flush=True)
        finally:
            sock.close()

    listener = socket.create_server((ip, 443), backlog=20)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=run, args=(sock,), daemon=True).start()


def main() -> None:
    """Start all three."""
    for ip, handler in ((world.WEB_STALL, stall), (world.WEB_TRICKLE, trickle)):
        threading.Thread(target=serve, args=(ip, handler), daemon=True).start()
    ReportServer((world.REPORTS, 443), Reports).serve_forever()


if __name__ == "__main__":
    main()
