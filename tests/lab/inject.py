"""Messages as the lab's client writes them, and the sender's queue as Exim shows it."""

import email.utils
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Queued:
    """One message on the sender's queue; recipients are those still to be delivered."""

    id: str
    sender: str
    recipients: list[str]
    frozen: bool = False


def compose(sender: str, recipients: Sequence[str], headers: dict[str, str], body: str) -> str:
    """A message with the usual headers, those in `headers` first."""
    usual = {"From": sender or "postmaster@lab.example", "To": ", ".join(recipients),
             "Subject": "lab", "Message-ID": email.utils.make_msgid(domain="lab.example"),
             "Date": email.utils.formatdate()}
    given = {name.lower() for name in headers}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"{name}: {value}" for name, value in usual.items() if name.lower() not in given]
    return "\n".join(lines) + "\n\n" + body + ("" if body.endswith("\n") else "\n")


def dialogue(sender: str, recipients: Sequence[str], message: str, mail_params: str = "",
             rcpt_params: str = "") -> str:
    """An SMTP session for `exim -bs`, all commands in advance."""
    lines = ["EHLO client.lab.example", f"MAIL FROM:<{sender}> {mail_params}".rstrip()]
    lines += [f"RCPT TO:<{recipient}> {rcpt_params}".rstrip() for recipient in recipients]
    lines.append("DATA")
    lines += ["." + line if line.startswith(".") else line for line in message.splitlines()]
    lines += [".", "QUIT"]
    return "".join(line + "\r\n" for line in lines)


def parse_queue(text: str) -> list[Queued]:
    """The output of `exim -bp`. Lines of delivered recipients start with D."""
    entries: list[Queued] = []
    for line in text.splitlines():
        head = re.match(r"\s*\S+\s+\S+\s+(\S+-\S+-\S+) <([^>]*)>(.*)", line)
        if head:
            entries.append(Queued(head[1], head[2], [], "frozen" in head[3]))
        elif re.match(r"\s{10}\S", line) and entries:
            entries[-1].recipients.append(line.strip())
    return entries
