"""A scripted SMTP server for what real ones don't do; it writes down all it sees.

    smtpd.py LAB_DIR

It listens on every address in LAB_DIR/smtpd/behaviour.json, which it reads again at
each connection, so a scenario changes behaviours while it runs. An address has a
behaviour by name (see BEHAVIOURS) or an object: {"name": "good", "rcpt": "550 no"}.
The transcript, LAB_DIR/smtpd/transcript.jsonl, has one JSON object per line.
"""

import contextlib
import json
import selectors
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

TIMEOUT_S = 60
SMTPS_PORT = 465


@dataclass(frozen=True)
class Behaviour:
    """What one address does. Replies are sent as they are.

    starttls    ok, absent, a reply such as "454 later", or after 220:
                close, garbage, stall (says nothing), plain (goes on in clear text),
                abort (fails the handshake), wants-cert (a certificate of the client, which is
                told so by TLS 1.3 after it believes the handshake done), leave (hangs up right
                behind the handshake), inject (sends a reply to EHLO in clear
                together with the 220, then TLS)
    requiretls  "", inside (only in the EHLO within TLS), outside (only in clear), both
    keyword     what is told as REQUIRETLS
    ehlo_inside reply to EHLO within TLS in place of the keywords, such as "502 no"; or close
    cert        kind of its certificate, see world.Host; "" as in the world
    later       recipients with this word in them get 450
    mail        reply to MAIL; "close" hangs up instead
    data_end    reply after the message; "close" hangs up instead
    ehlo        more EHLO keywords
    helo        what it calls itself in the reply to EHLO
    """

    banner: str = "220 {ip} ESMTP scripted"
    starttls: str = "ok"
    requiretls: str = ""
    keyword: str = "REQUIRETLS"
    ehlo_inside: str = ""
    cert: str = ""
    mail: str = "250 2.1.0 sender ok"
    rcpt: str = "250 2.1.5 recipient ok"
    later: str = ""
    data: str = "354 go ahead"
    data_end: str = "250 2.0.0 accepted"
    ehlo: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 50000000", "ENHANCEDSTATUSCODES",
                             "DSN")
    helo: str = "{ip}"
    max_tls: str = ""               # "1.2": no newer TLS; "1.1": that and nothing else


BEHAVIOURS = {
    "good": Behaviour(),
    "plain": Behaviour(starttls="absent"),
    "starttls-close": Behaviour(starttls="close"),
    "starttls-garbage": Behaviour(starttls="garbage"),
    "starttls-abort": Behaviour(starttls="abort"),
    "starttls-wants-cert": Behaviour(starttls="wants-cert"),
    "starttls-leave": Behaviour(starttls="leave"),
    "starttls-4xx": Behaviour(starttls="454 4.7.0 TLS not available now"),
    "starttls-5xx": Behaviour(starttls="502 5.5.1 no such command"),
    "starttls-inject": Behaviour(starttls="inject", requiretls="outside"),
    "stall-after-starttls": Behaviour(starttls="stall"),
    "tls11": Behaviour(max_tls="1.1"),
    "tls12": Behaviour(max_tls="1.2"),
    "banner-421": Behaviour(banner="421 4.3.2 {ip} not now"),
    "banner-554": Behaviour(banner="554 5.3.2 {ip} no mail here"),
    "reject-mail-4xx": Behaviour(mail="451 4.3.0 later"),
    "close-at-mail": Behaviour(mail="close"),
    "reject-mail-5xx": Behaviour(mail="550 5.7.1 no"),
    "reject-rcpt-4xx": Behaviour(rcpt="450 4.2.1 later"),
    "reject-rcpt-5xx": Behaviour(rcpt="550 5.1.1 no such user"),
    "reject-data-4xx": Behaviour(data_end="451 4.3.0 later"),
    "reject-data-5xx": Behaviour(data_end="554 5.6.0 no"),
    "close-at-dot": Behaviour(data_end="close"),
    "requiretls": Behaviour(requiretls="inside"),
    "requiretls-outside": Behaviour(requiretls="outside"),
    "requiretls-4xx": Behaviour(requiretls="inside", mail="451 4.3.0 later"),
    "requiretls-5xx": Behaviour(requiretls="inside", mail="550 5.7.1 no"),
}


class Transcript:
    """The file all sessions write to; one line is one write."""

    def __init__(self, path: Path) -> None:
        self.file = open(path, "ab", buffering=0)
        self.lock = threading.Lock()

    def write(self, **event: object) -> None:
        """Append one event."""
        event = {"t": round(time.time(), 3), **event}
        with self.lock:
            self.file.write((json.dumps(event) + "\n").encode())


class Hangup(Exception):
    """The session is over."""


class Session:
    """One connection."""

    def __init__(self, lab: Path, transcript: Transcript, sock: socket.socket,
                 number: int) -> None:
        self.is_lmtp = False
        self.lab, self.transcript, self.sock, self.number = lab, transcript, sock, number
        self.ip, self.peer = sock.getsockname()[0], sock.getpeername()[0]
        self.behaviour = current_behaviour(lab, self.ip)
        self.buffer = b""
        self.sni = ""
        self.reset()

    def reset(self) -> None:
        """Forget the transaction."""
        self.mail_from, self.mail_command = "", ""
        self.rcpts: list[str] = []

    @property
    def tls(self) -> str:
        """TLS version, or "" in clear text."""
        return (self.sock.version() or "") if isinstance(self.sock, ssl.SSLSocket) else ""

    def note(self, direction: str, line: str, **more: object) -> None:
        """Write to the transcript."""
        self.transcript.write(server=self.ip, peer=self.peer, session=self.number,
                              dir=direction, line=line, tls=self.tls, **more)

    def send(self, *lines: str) -> None:
        """Send reply lines."""
        for line in lines:
            self.note("out", line)
        self.sock.sendall("".join(line + "\r\n" for line in lines).encode("latin-1"))

    def line(self, data: bool = False) -> str:
        """One line from the client, without its end."""
        while b"\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                if self.buffer:
                    self.note("in", self.buffer.decode("latin-1"), data=data, cut=True)
                raise Hangup("client closed")
            self.buffer += more
        raw, self.buffer = self.buffer.split(b"\n", 1)
        text = raw.removesuffix(b"\r").decode("latin-1")
        self.note("in", text, data=data)
        return text

    def run(self) -> None:
        """The whole session."""
        self.sock.settimeout(TIMEOUT_S)
        # Small replies one by one: without this each waits for an acknowledgement.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.note("event", "connect")
        try:
            if self.sock.getsockname()[1] == SMTPS_PORT:
                self.handshake("ok")
            self.send(self.behaviour.banner.format(ip=self.ip))
            while self.behaviour.banner.startswith("220"):
                self.command(self.line())
            raise Hangup("no service")
        except (Hangup, OSError) as error:
            self.note("event", f"end: {error}")     # each session has one: see Lab.hung_up()
        finally:
            self.sock.close()

    def say_goodbye(self) -> None:
        """Close TLS properly; Exim logs an error about a server that doesn't."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(1)
            with contextlib.suppress(OSError):
                self.sock = self.sock.unwrap()

    def command(self, line: str) -> None:
        """Answer one command."""
        verb = line.split(" ", 1)[0].upper()
        handler = getattr(self, f"do_{verb.lower()}", None)
        if handler is None:
            self.send("500 5.5.1 what?")
        else:
            handler(line)

    def do_helo(self, _line: str) -> None:
        """HELO."""
        self.send(f"250 {self.ip} hello")

    def do_ehlo(self, _line: str) -> None:
        """EHLO, with the keywords that fit the state of TLS."""
        if self.tls and self.behaviour.ehlo_inside == "close":
            raise Hangup("closed after EHLO")
        if self.tls and self.behaviour.ehlo_inside:
            return self.send(self.behaviour.ehlo_inside)
        words = [self.behaviour.helo.format(ip=self.ip) + " hello", *self.behaviour.ehlo]
        if not self.tls and self.behaviour.starttls != "absent":
            words.append("STARTTLS")
        if self.behaviour.requiretls in ("both", "inside" if self.tls else "outside"):
            words.append(self.behaviour.keyword)
        return self.send(*[f"250-{word}" for word in words[:-1]], f"250 {words[-1]}")

    def do_lhlo(self, line: str) -> None:
        """LHLO (RFC 2033)."""
        self.is_lmtp = True
        self.do_ehlo(line)

    def do_starttls(self, _line: str) -> None:
        """STARTTLS in one of its ways."""
        how = self.behaviour.starttls
        if how == "absent" or self.tls:
            return self.send("503 5.5.1 not here")
        if how[0].isdigit():
            return self.send(how)
        if how == "inject":
            self.send("220 2.0.0 ready", f"250-{self.ip} hello", f"250 {self.behaviour.keyword}")
        else:
            self.send("220 2.0.0 ready")
        if how == "close":
            raise Hangup("closed after STARTTLS")
        if how == "garbage":
            self.sock.sendall(b"this is not TLS at all\r\n" * 20)
            time.sleep(0.2)         # let the client read it before the reset
            raise Hangup("sent garbage after STARTTLS")
        if how == "stall":
            while self.sock.recv(65536):
                pass
            raise Hangup("client gave up waiting for TLS")
        if how != "plain":
            self.handshake(how)
        if how == "leave":
            raise Hangup("left after the handshake")
        self.reset()

    def handshake(self, how: str) -> None:
        """Become a TLS connection with the certificate of this address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.behaviour.max_tls == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        elif self.behaviour.max_tls == "1.1":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        if how != "abort":          # without a certificate no handshake succeeds
            context.load_cert_chain(self.certificate())
        if how == "wants-cert":
            context.verify_mode = ssl.CERT_REQUIRED
        context.sni_callback = self.on_sni
        try:
            # Cutting off: bytes sent in clear before the handshake are not commands.
            self.buffer = b""
            self.sock = context.wrap_socket(self.sock, server_side=True,
                                            do_handshake_on_connect=False)
            self.sock.do_handshake()
        except (ssl.SSLError, OSError) as error:
            if how == "wants-cert":
                self.drain()
            raise Hangup(f"TLS failed: {error}") from error
        self.note("event", "tls", sni=self.sni)

    def drain(self) -> None:
        """Let the client read what it was told: a close before all is read resets."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(65536):
                pass

    def certificate(self) -> Path:
        """The file of this address, or the one with the kind it shows now."""
        kind = f"-{self.behaviour.cert}" if self.behaviour.cert else ""
        return self.lab / "certs" / "mx" / f"{self.ip}{kind}.pem"

    def on_sni(self, _sock: ssl.SSLObject, name: str | None, _context: object) -> None:
        """Remember which name the client asked for."""
        self.sni = name or ""

    def do_mail(self, line: str) -> None:
        """MAIL FROM."""
        self.mail_command = line
        self.mail_from = _path(line)
        if self.behaviour.mail == "close":
            raise Hangup("closed at MAIL")
        self.send(self.behaviour.mail)

    def do_rcpt(self, line: str) -> None:
        """RCPT TO."""
        if self.behaviour.later and self.behaviour.later in _path(line):
            return self.send("450 4.2.1 later")
        if self.behaviour.rcpt.startswith("2"):
            self.rcpts.append(_path(line))
        return self.send(self.behaviour.rcpt)

    def do_data(self, _line: str) -> None:
        """DATA and the message."""
        if not self.rcpts:
            return self.send("503 5.5.1 no recipient")
        self.send(self.behaviour.data)
        if not self.behaviour.data.startswith("354"):
            return None
        lines = []
        while (line := self.line(data=True)) != ".":
            lines.append(line.removeprefix("."))
        if self.behaviour.data_end == "close":
            raise Hangup("closed at the end of DATA")
        if self.behaviour.data_end.startswith("2"):
            self.note("event", "message", sni=self.sni, mail_from=self.mail_from,
                      mail_command=self.mail_command, rcpts=self.rcpts,
                      message="\n".join(lines) + "\n")
        # LMTP has a reply for each recipient.
        for _ in self.rcpts if self.is_lmtp else [""]:
            self.send(self.behaviour.data_end)
        return self.reset()

    def do_rset(self, _line: str) -> None:
        """RSET."""
        self.reset()
        self.send("250 2.0.0 ok")

    def do_noop(self, _line: str) -> None:
        """NOOP."""
        self.send("250 2.0.0 ok")

    def do_quit(self, _line: str) -> None:
        """QUIT."""
        self.send("221 2.0.0 bye")
        self.say_goodbye()
        raise Hangup("quit")


def _path(line: str) -> str:
    """The address between the angle brackets."""
    return line.partition("<")[2].partition(">")[0]


def current_behaviour(lab: Path, ip: str) -> Behaviour:
    """The behaviour an address has now."""
    entry = json.loads((lab / "smtpd" / "behaviour.json").read_text())[ip]
    if isinstance(entry, str):
        return BEHAVIOURS[entry]
    changes = dict(entry)
    if "ehlo" in changes:
        changes["ehlo"] = tuple(changes["ehlo"])
    return replace(BEHAVIOURS[changes.pop("name", "good")], **changes)


def main() -> None:
    """Accept for ever, one thread per session."""
    lab = Path(sys.argv[1])
    transcript = Transcript(lab / "smtpd" / "transcript.jsonl")
    addresses = json.loads((lab / "smtpd" / "behaviour.json").read_text())
    selector = selectors.DefaultSelector()
    for ip in addresses:
        for port in (25, SMTPS_PORT):
            listener = socket.create_server((ip, port), backlog=100)
            selector.register(listener, selectors.EVENT_READ)
    number = 0
    while True:
        for key, _ in selector.select():
            sock, _ = key.fileobj.accept()
            number += 1
            session = Session(lab, transcript, sock, number)
            threading.Thread(target=session.run, daemon=True).start()


if __name__ == "__main__":
    main()
