"""A raw SMTP client for scenarios of the server side, and what it left in the spool.

    with raw.Client(lab).secure() as client:
        assert "REQUIRETLS" in client.keywords
        queued = client.message("REQUIRETLS")
    assert raw.flagged(lab, queued)
"""

import re
import socket
import ssl
from typing import NamedTuple

from mail import ALICE
from sender import Lab, world

BOB = "bob@lab.example"
# Everything a server can offer, nothing is delivered, and MAIL is answered with the flag.
MAIN = """
tls_advertise_hosts = *
tls_certificate = /run/lab/certs/mx/203.0.113.1.pem
tls_privatekey = /run/lab/certs/mx/203.0.113.1.pem
tls_advertise_requiretls = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_mail = acl_check_mail
queue_only
smtp_accept_max_per_connection = 0
smtp_accept_max_nonmail = 1000000
smtp_max_synprot_errors = 1000000
smtp_max_unknown_commands = 1000000
rfc1413_query_timeout = 0s
"""
ACL = """
acl_check_mail:
  accept message = flag=$requiretls
"""
AUTHENTICATORS = """
begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{alice}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
"""


class Reply(NamedTuple):
    """One reply: its code and the texts of its lines."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        """All of it, for a look."""
        return "\n".join(self.lines)


class Client:
    """One connection; sockets belong to the lab's network, whoever uses them."""

    def __init__(self, lab: Lab, ip: str = world.SENDER, port: int = 25, *,
                 source: str = world.SENDER, on_connect: bool = False) -> None:
        self.sock = lab.in_network(lambda: socket.create_connection(
            (ip, port), timeout=30, source_address=(source, 0)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.keywords: list[str] = []
        self.buffer = b""
        if on_connect:
            self.handshake()
        self.banner = self.reply()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def handshake(self) -> None:
        """TLS, without looking at the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock)

    def send(self, data: str | bytes) -> None:
        """Bytes as they are."""
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def _line(self) -> str:
        while b"\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError(f"closed after {self.buffer!r}")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("latin-1").rstrip("\r")

    def reply(self) -> Reply:
        """The next reply; a line that is none is an error."""
        lines = []
        while True:
            line = self._line()
            assert re.match(r"[2-5]\d\d[ -]", line), f"no SMTP reply: {line!r}"
            lines.append(line[4:])
            if line[3] == " ":
                return Reply(int(line[:3]), lines)

    def ask(self, line: str | bytes) -> Reply:
        """One command, with a line end, and its reply."""
        data = line.encode("latin-1") if isinstance(line, str) else line
        self.send(data + b"\r\n")
        return self.reply()

    def ask_all(self, lines: list[str | bytes]) -> list[Reply]:
        """Pipelined commands."""
        self.send(b"".join((line.encode("latin-1") if isinstance(line, str) else line)
                           + b"\r\n" for line in lines))
        return [self.reply() for _ in lines]

    def ehlo(self) -> list[str]:
        """EHLO; returns the keywords with their parameters."""
        answer = self.ask("EHLO client.lab.example")
        assert answer.code == 250, answer
        self.keywords = answer.lines[1:]
        return self.keywords

    def starttls(self) -> "Client":
        """STARTTLS, without a new EHLO."""
        assert self.ask("STARTTLS").code == 220
        assert self.buffer == b""
        self.handshake()
        return self

    def secure(self) -> "Client":
        """EHLO, STARTTLS, EHLO."""
        self.ehlo()
        self.starttls()
        self.ehlo()
        return self

    def mail(self, params: str = "", sender: str = ALICE) -> Reply:
        """MAIL."""
        return self.ask(f"MAIL FROM:<{sender}> {params}".rstrip())

    def good_mail(self, params: str = "", sender: str = ALICE) -> bool:
        """MAIL that must be accepted; returns whether $requiretls was set in its ACL."""
        answer = self.mail(params, sender)
        assert answer.code == 250, answer
        return answer.text == "flag=yes"

    def rest(self, recipients: tuple[str, ...] = (BOB,), text: str = "Subject: x\r\n\r\nx") -> str:
        """RCPT and DATA; returns the queue id."""
        for recipient in recipients:
            assert self.ask(f"RCPT TO:<{recipient}>").code == 250
        assert self.ask("DATA").code == 354
        return queue_id(self.ask(text + "\r\n."))

    def message(self, params: str = "", sender: str = ALICE) -> str:
        """A whole message; returns the queue id."""
        self.good_mail(params, sender)
        return self.rest()


def queue_id(answer: Reply) -> str:
    """The id in the reply to a message."""
    found = re.fullmatch(r"OK id=(\S+)", answer.text)
    assert answer.code == 250 and found, answer
    return found[1]


def server(lab: Lab, main: str = "", acl: str = ACL, *, replace: dict[str, str] | None = None,
           args: tuple[str, ...] = (), more: str = AUTHENTICATORS) -> None:
    """Configure the sender as a server and start its daemon. `main` comes after MAIN, and
    an option it repeats replaces that of MAIN; `replace` changes the rest."""
    configure(lab, main, acl, replace=replace, more=more)
    lab.start_daemon(*args)


def configure(lab: Lab, main: str = "", acl: str = ACL, *,
              replace: dict[str, str] | None = None, more: str = AUTHENTICATORS) -> None:
    """The configuration of server(), without a daemon."""
    again = {line.split("=")[0].strip() for line in main.splitlines()}
    first = "".join(line + "\n" for line in MAIN.splitlines()
                    if line.split("=")[0].strip() not in again or not line)
    text = lab.sender_conf()
    for old, new in (replace or {}).items():
        assert old in text
        text = text.replace(old, new)
    text = text.replace("begin acl\n", first + main + "\nbegin acl\n" + acl, 1)
    lab.write_sender_conf(text + "\n" + more)


def spool_header(lab: Lab, message_id: str) -> str:
    """The -H file of a message on the sender's queue."""
    # Exim answers when the file and the log line are written; the session may go on.
    path = lab.state / "sender/spool/input" / f"{message_id}-H"
    return path.read_text(encoding="latin-1")


def envelope_lines(lab: Lab, message_id: str) -> list[str]:
    """Its lines up to the number of recipients."""
    return re.split(r"(?m)^XX$|^[YN]{2} ", spool_header(lab, message_id))[0].splitlines()


def arrival_line(lab: Lab, message_id: str) -> str:
    """The "<=" line of the log."""
    log = (lab.state / "sender/log/mainlog").read_text(encoding="latin-1")
    found = re.findall(rf"^\S+ \S+ {message_id} <= .*$", log, re.MULTILINE)
    assert len(found) == 1, log
    return found[0]


def flagged(lab: Lab, message_id: str) -> bool:
    """Is this message flagged? Spool, log and Received: must agree on it."""
    header = spool_header(lab, message_id)
    received = re.search(r"^\d+P Received: (?:.*\n)(?:\t.*\n)*", header, re.MULTILINE)
    assert received, header
    signs = {"spool": "-requiretls" in envelope_lines(lab, message_id),
             "log": " REQUIRETLS" in arrival_line(lab, message_id),
             "Received": "(REQUIRETLS)" in received[0]}
    assert len(set(signs.values())) == 1, (signs, header)
    return signs["spool"]
