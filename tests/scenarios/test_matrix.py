"""Cells of the matrix as real deliveries by stock Exim, compared with the RFCs' oracle.

tests/matrix/selection.py says which. All are queued first, each to a domain of its own; then one
attempt at each, and one more at the flagged mail that is left (stock Exim bounces at the next
routing).
"""

import datetime
import re
import sys

import pytest

import sender
from sender import Site, bounce_status, world

sys.path.insert(0, str(sender.ROOT / "tests" / "matrix"))

# pylint: disable=wrong-import-position
import oracle  # noqa: E402
from compare import counts_agree, in_words, line_of, report  # noqa: E402
from inject import compose  # noqa: E402
from oracle import Cell, Fate  # noqa: E402
from selection import selected  # noqa: E402

HIDDEN = ("bogus", "servfail")      # no policy can be found there either
AT_A_TIME = 2                       # processes that deliver
ELSEWHERE = "mx.elsewhere.example"


class Mail:
    """One cell, its domain and message."""

    def __init__(self, cell: Cell, number: int) -> None:
        self.cell = cell
        self.domain = world.matrix_domain(cell.mx, number)
        self.host = world.matrix_host(cell.certificate, cell.starttls, cell.tlsa)
        self.marker = f"MATRIX{number:03}X"
        self.id = ""

    @property
    def is_announced(self) -> bool:
        """Has the domain a TXT record?"""
        return self.cell.policy not in ("absent", "expired") and self.cell.mx not in HIDDEN

    def policy(self) -> str:
        """The text its policy host serves; broken has a mode that is none."""
        mode = "enforce" if self.cell.policy in ("expired", "unfetchable") else self.cell.policy
        return world.policy_text(mode, (self.host if self.cell.listed == "in" else ELSEWHERE,))

    def records(self) -> dict[tuple[str, str], list[str]]:
        """Its RRsets."""
        sets = {(self.domain, "MX"): [f"10 {self.host}."]}
        if self.is_announced:
            down = self.cell.policy == "unfetchable"
            sets[f"_mta-sts.{self.domain}", "TXT"] = ['"v=STSv1; id=1;"']
            sets[f"mta-sts.{self.domain}", "A"] = [
                world.NOTHING_LISTENS if down else world.WEB]
        return sets

    def dialogue(self) -> str:
        """Its part of an SMTP session; sent all at once, so it must not need an answer."""
        flagged, relaxed = self.cell.message == "flagged", self.cell.message == "relaxed"
        recipient = f"bob{'+requiretls' if flagged else ''}@{self.domain}"
        headers = {"Subject": self.marker} | ({"TLS-Required": "No"} if relaxed else {})
        message = compose("alice@lab.example", [recipient], headers, self.marker)
        return "".join(line + "\r\n" for line in (
            "MAIL FROM:<alice@lab.example>", f"RCPT TO:<{recipient}>", "DATA",
            *message.splitlines(), "."))


class Seen:
    """What became of all of them, read once."""

    def __init__(self, site: Site) -> None:
        lab = site.lab
        lab.settle()
        self.tls = {mark: message.tls for message in lab.received()
                    if (mark := _marker_in(message.message))}
        self.queue = {queued.id for queued in lab.queue()}
        self.bounces = {mark: bounce.text for bounce in lab.bounces("alice")
                        if (mark := _marker_in(bounce.message))}
        self.log = lab.mainlog()
        # The whole of the receiving side: mail, spool, logs, what a scripted host was told.
        paths = [*(lab.state / "mx").rglob("*"), *(lab.state / "smtpd").glob("*.jsonl")]
        told = b"".join(path.read_bytes() for path in paths if path.is_file())
        self.touched = {mark.decode() for mark in re.findall(rb"MATRIX\d+X", told)}

    def fate_of(self, mail: Mail) -> tuple[str, str]:
        """In the oracle's words; what it has none for in others."""
        if mail.marker in self.tls:
            left = re.search(rf" {mail.id} => .*", self.log)
            insisted = left and re.search("T=requiretls_(strict|enforce)|CV=dane", left[0])
            verified = left and re.search("CV=(yes|dane)", left[0])
            what = oracle.TLS if self.tls[mail.marker] else oracle.CLEAR
            return (oracle.VERIFIED if insisted and verified else what), ""
        if mail.marker in self.touched:
            return "told to a host that did not take it", ""
        if mail.marker in self.bounces:
            status = bounce_status(self.bounces[mail.marker])
            return oracle.BOUNCED, status[0] if status else "without a status"
        return (oracle.DEFERRED if mail.id in self.queue else "lost"), ""


def _marker_in(message: bytes) -> str:
    found = re.search(rb"MATRIX\d+X", message)
    return found[0].decode() if found else ""


# --- the one run ---------------------------------------------------------------------

def publish(site: Site, mails: list[Mail]) -> None:
    """DNS data, policy files, and the cached policies that ran out."""
    sets: dict[tuple[str, str], list[str]] = {}
    for mail in mails:
        if mail.cell.mx != "servfail":      # that zone's server knows nothing at all
            sets |= mail.records()
        if mail.is_announced:
            site.lab.write_policy(mail.domain, mail.policy())
    site.lab.set_rrsets(sets)
    for mail in mails:
        if mail.cell.policy == "expired" and mail.cell.mx not in HIDDEN:
            cache_expired_policy(site, mail)


def cache_expired_policy(site: Site, mail: Mail) -> None:
    """The record as it was when the policy was fetched, a month ago for a week."""
    site.program("resolve", mail.domain)
    path = site.cache_file(mail.domain)
    now = datetime.datetime.now(datetime.timezone.utc)
    fetched, until = (f"{now - datetime.timedelta(days=d):%Y-%m-%dT%H:%M:%SZ}" for d in (30, 23))
    text = re.sub(r"^(mx|txt)-until .*$", rf"\1-until {until}", path.read_text(),
                  flags=re.MULTILINE)
    path.write_text(f"{text}policy-id 1\npolicy-fetched {fetched}\npolicy-until {until}\n"
                    f"policy-digest {'0' * 64}\npolicy-text\n{mail.policy()}")


def queue_all(site: Site, mails: list[Mail]) -> None:
    """Receive them, deliver none."""
    dialogue = "".join(mail.dialogue() for mail in mails)
    reply = site.lab.smtp(f"EHLO client.lab.example\r\n{dialogue}QUIT\r\n", ["-odq"])
    ids = re.findall(r"^250 OK id=(\S+)", reply, re.MULTILINE)
    assert len(ids) == len(mails), reply
    for mail, queue_id in zip(mails, ids):
        mail.id = queue_id


def attempt(site: Site, mails: list[Mail]) -> None:
    """Each once. As a queue run does it, but two of those could try one message twice."""
    shares = [[mail.id for mail in mails[n::AT_A_TIME]] for n in range(AT_A_TIME)]
    commands = [f"{site.lab.exim} -M {' '.join(share)} &" for share in shares if share]
    site.lab.exec(["sh", "-c", "\n".join([*commands, "wait"])], timeout=300)
    site.lab.settle(timeout=120)


@pytest.fixture(scope="module")
def run(whole_site):
    """(mails, journal after the first attempt, what became of them)."""
    site = whole_site
    site.reset()
    mails = [Mail(cell, number) for number, cell in enumerate(selected())]
    assert 150 <= len(mails) <= world.MATRIX_DOMAINS
    publish(site, mails)
    queue_all(site, mails)
    attempt(site, mails)
    journal = site.journal()
    left = {queued.id for queued in site.lab.queue()}
    attempt(site, [mail for mail in mails
                   if mail.cell.message == "flagged" and mail.id in left])
    seen = Seen(site)
    assert site.lab.paniclog() == ""
    yield mails, journal, seen
    site.reset()


# --- compared ------------------------------------------------------------------------

@pytest.mark.parametrize("message", oracle.AXES["message"])
def test_fates(run, message):
    """Over TLS or not, to whom, bounced with which status, or waiting."""
    mails, _, seen = run
    group = [mail for mail in mails if mail.cell.message == message]
    wrong = []
    for mail in group:
        wanted, got = oracle.fate(mail.cell), seen.fate_of(mail)
        if (wanted.what, wanted.status) != got:
            wrong.append((mail.cell, wanted, f"{' '.join(got)} ({mail.domain}, {mail.id})"))
    assert not wrong, report(wrong, len(group))


def test_counts_for_the_domain(run):
    """What is counted for TLS reports, all of it under the recipient's domain."""
    mails, journal, _ = run
    wrong = []
    for mail in mails:
        counts = list(oracle.fate(mail.cell).counts)
        found = oracle.discovery(mail.cell)
        if found and mail.is_announced:
            counts.append(found)
        lines = [line_of(line) for line in journal if line["domain"] == mail.domain]
        if not counts_agree(counts, lines):
            wrong.append((mail.cell, Fate("", counts=tuple(counts)), in_words(lines)))
    assert not wrong, report(wrong, len(mails))


def test_counts_for_the_host(run):
    """A line about TLSA names the host that has the records; nobody is told but recipients."""
    mails, journal, _ = run
    hosts = {mail.domain: mail.host for mail in mails}
    wrong = [line for line in journal
             if line["domain"] not in hosts
             or (line["type"] == "tlsa" and line["mx"] != hosts[line["domain"]])]
    assert journal and not wrong


def test_protected_mail_never_left_unprotected(run, capsys):
    """As tests/matrix has it, on the wire."""
    mails, _, seen = run
    protected = [mail for mail in mails if oracle.is_protected(mail.cell)]
    wrong = [(mail.cell, "not to leave so", seen.fate_of(mail)) for mail in protected
             if mail.marker in seen.touched
             and not (seen.fate_of(mail)[0] == oracle.VERIFIED
                      and oracle.host_is_authentic(mail.cell))]
    assert not wrong, report(wrong, len(protected))
    with capsys.disabled():
        print(f"\nmatrix: {len(mails)} cells delivered, {len(protected)} protected", end=" ")
