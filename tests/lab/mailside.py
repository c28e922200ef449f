"""What arrived where: messages, logs and transcripts of the receiving side."""

import email
import email.message
import email.policy
import json
import mailbox
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Received:
    """One message that a receiving host has accepted.

    tls is "" for clear text, else a version such as TLS1.3; message is what came over the
    wire with the headers the stock Exim adds, but without the lab's own X-Lab-* lines.
    """

    ip: str
    tls: str
    sni: str
    mail_from: str
    rcpts: list[str]
    message: bytes
    mail_command: str = ""
    by: str = "exim"

    def parsed(self) -> email.message.EmailMessage:
        """The message as Python's email package sees it."""
        return email.message_from_bytes(self.message, policy=email.policy.default)


@dataclass
class Place:
    """Where on the receiving side a marker was seen."""

    file: str
    ip: str


@dataclass
class Bounce:
    """A message delivered to a user of the sender's own domain."""

    sender: str
    message: bytes
    text: str = field(repr=False)

    def parsed(self) -> email.message.EmailMessage:
        """The message as Python's email package sees it."""
        return email.message_from_bytes(self.message, policy=email.policy.default)


def transcript(state: Path) -> list[dict]:
    """Events of the scripted SMTP server, oldest first."""
    path = state / "smtpd" / "transcript.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _exim_message(path: Path) -> Received:
    head, separator, body = path.read_bytes().partition(b"\n\n")
    lab: dict[str, str] = {}
    kept: list[bytes] = []
    in_lab = False
    for line in head.split(b"\n"):
        if line.startswith((b" ", b"\t")) and in_lab:
            continue
        in_lab = line.startswith(b"X-Lab-")
        if in_lab:
            name, _, value = line.decode(errors="replace").partition(":")
            lab[name.removeprefix("X-Lab-")] = value.strip()
        else:
            kept.append(line)
    tls = lab["TLS"].split(" ")[0]
    return Received(ip=lab["Host"], tls="" if tls == "clear" else tls, sni=lab["SNI"],
                    mail_from=lab["Mail-From"].strip("<>"),
                    rcpts=[rcpt.strip() for rcpt in lab["Rcpt"].split(",")],
                    message=b"\n".join(kept) + separator + body,
                    mail_command=lab["Mail-Command"])


def received(state: Path) -> list[Received]:
    """Messages accepted by the stock Exim and by the scripted server."""
    # Temporary names of Exim's appendfile start otherwise: q is a finished message.
    paths = sorted((state / "mx" / "mail").glob("*/q*"))
    found = [_exim_message(path) for path in paths]
    for event in transcript(state):
        if event["line"] == "message":
            # Python says TLSv1.3 where Exim says TLS1.3.
            found.append(Received(
                ip=event["server"], tls=event["tls"].replace("TLSv", "TLS"),
                sni=event["sni"], mail_from=event["mail_from"], rcpts=event["rcpts"],
                message=event["message"].encode("latin-1"),
                mail_command=event["mail_command"], by="scripted"))
    return found


def body_seen(state: Path, marker: str) -> list[Place]:
    """Every place on the receiving side with this marker: mail, spool, log, transcript.

    A spool file or log line does not always say the address; then ip is "".
    """
    wanted, places = marker.encode(), []
    for path in sorted((state / "mx").rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if wanted in data:
            name = str(path.relative_to(state))
            in_mail = path.parent.parent.name == "mail"
            places.append(Place(name, path.parent.name if in_mail else ""))
    for event in transcript(state):
        if marker in event["line"]:
            places.append(Place("smtpd/transcript.jsonl", event["server"]))
    for path in sorted((state / "https" / "reports").glob("*")):
        if wanted in path.read_bytes():
            places.append(Place(str(path.relative_to(state)), ""))
    return places


def bounces(state: Path, user: str) -> list[Bounce]:
    """Messages in the mailbox of a local user of the sending side."""
    path = state / "sender" / "mail" / user
    if not path.exists():
        return []
    box = mailbox.mbox(path, create=False)
    found = []
    for message in box:
        raw = message.as_bytes()
        found.append(Bounce(message.get("Return-path", "").strip("<>"), raw,
                            raw.decode(errors="replace")))
    box.close()
    return found


def posted_reports(state: Path) -> list[dict]:
    """What was posted to https://reports.example: time, path, headers, body (bytes)."""
    found = []
    for path in sorted((state / "https" / "reports").glob("*.json")):
        entry = json.loads(path.read_text())
        entry["headers"] = {name.lower(): value for name, value in entry["headers"]}
        entry["body"] = path.with_suffix(".body").read_bytes()
        found.append(entry)
    return found


def clear(directory: Path) -> None:
    """Remove all files below a directory, keep the directories."""
    for top, _, files in os.walk(directory):
        for name in files:
            os.unlink(os.path.join(top, name))


def truncate(path: Path) -> None:
    """Empty a log that a running server holds open for appending."""
    if path.exists():
        os.truncate(path, 0)
