"""Bad input to the patched Exim, built with AddressSanitizer and UBSan: commands of a hostile
client, EHLO replies and refusals of a hostile server.

Every answer is a clear SMTP reply, nothing is flagged that did not ask for it, nothing that
asked for it is taken without the flag, the daemon goes on, and no sanitizer says a word.
"""

import random
import re

import pytest

import patched
import raw
from mail import ALICE
from raw import Client
from sender import new_marker

LINE_MAX = 16384                # Exim's buffer for a command, with its CR
SCRIPTED = "192.0.2.38"
REMOTE = "bob@enforce-requiretls.example"


@pytest.fixture(scope="module")
def sanitized_lab():
    """A lab whose sender has the sanitizers; the receiving side is the scripted server."""
    exim = str(patched.exim_path(variant="asan"))
    with patched.lab_in("lab-asan", exim=exim) as lab:
        yield lab


@pytest.fixture(name="hard")
def hard_lab(sanitized_lab):
    """The same, reset. Afterwards: no sanitizer's report, no crash, an empty panic log."""
    lab = sanitized_lab
    lab.reset()
    # A reply that never ends is not waited for five minutes.
    lab.write_sender_conf(lab.sender_conf().replace(
        "  hosts_try_dane = *\n", "  hosts_try_dane = *\n  command_timeout = 1s\n"
        "  data_timeout = 1s\n  final_timeout = 1s\n"))
    yield lab
    lab.stop_daemon()
    reports = sorted((lab.state / "sender/log").glob("sanitizer*"))
    texts = [path.read_text(errors="replace")[:3000] for path in reports]
    for path in reports:
        path.unlink()
    assert texts == []
    assert lab.paniclog() == ""
    assert "signal" not in lab.mainlog()


def test_sanitizers_are_in(hard):
    """A finding would be seen: the binary has both, and their reports go where we look."""
    found = hard.exec(["/bin/sh", "-c", "grep -c __asan_report_load /usr/sbin/exim4; "
                       "grep -ac __ubsan_handle /usr/sbin/exim4; "
                       "grep -ac log_path=/var/log/exim4/sanitizer /usr/sbin/exim4"])
    assert "0" not in found.stdout.split(), found.stdout


def forget(lab, expected):
    """The panic log has one line, which the test provoked."""
    lines = lab.paniclog().splitlines()
    assert len(lines) == 1 and lines[0].endswith(expected), lines
    (lab.state / "sender/log/paniclog").unlink()


# --- commands ------------------------------------------------------------------------------

def provoke(client, data):
    """Send bytes; returns the codes of all replies to them. What is too long for one command
    is taken for several: a NOOP marks the end. 0: closed."""
    codes = []
    try:
        client.send(data)
        codes.append(client.reply().code)
        if codes == [421]:
            return [421, 0]
        client.send("NOOP\r\n")
        while (answer := client.reply()).text != "OK":
            codes.append(answer.code)
    except (ConnectionError, OSError):
        codes.append(0)
    return codes


def begin(size, filler=b"X"):
    """A MAIL command with one parameter after REQUIRETLS that makes it so long."""
    head = b"MAIL FROM:<alice@lab.example> REQUIRETLS "
    return head + filler * (size - len(head))


WORD = b" REQUIRETLS"
M = b"MAIL FROM:<alice@lab.example>"
HOSTILE = {
    "1000 unknown parameters": (M + b"".join(b" X%d=y" % n for n in range(1000)), {501}),
    "1000 empty values": (M + b" X=" * 1000, {501}),
    "1000 times": (M + WORD * 1000, {501}),
    "1000 times with a value": (M + b" REQUIRETLS=" * 1000, {501}),
    "3000 times": (M + WORD * 3000, {500, 501}),
    "only spaces": (M + b" " * 5000 + b"REQUIRETLS", {250}),
    "spaces around": (M + b" " * 5000 + b"REQUIRETLS" + b" " * 5000, {250}),
    "many tabs": (M + b"\t" * 5000 + b"REQUIRETLS", {250}),
    "vertical tab": (M + b"\vREQUIRETLS", {250, 501}),
    "form feed": (M + b"\fREQUIRETLS", {250, 501}),
    "value of 10000": (M + b" REQUIRETLS=" + b"x" * 10000, {501}),
    "name of 10000": (M + b" " + b"REQUIRETLS" * 1000, {501}),
    "name of 10000 with value": (M + b" " + b"R" * 10000 + b"=x", {501}),
    "equals signs": (M + b" REQUIRETLS" + b"=" * 1000, {501}),
    "equals signs before": (M + b" " + b"=" * 1000 + b"REQUIRETLS", {501}),
    "equals alone": (M + b" = REQUIRETLS", {501}),
    "equals apart": (M + b" REQUIRETLS =", {501}),
    "equals value apart": (M + b" REQUIRETLS = x", {501}),
    "quote": (M + b' REQUIRETLS"', {501}),
    "quotes": (M + b' "REQUIRETLS"', {501}),
    "open quote": (M + b' "REQUIRETLS', {501}),
    "open quote before": (M + b' x=" REQUIRETLS', {501}),
    "quotes in pairs": (M + b' "" REQUIRETLS', {501}),
    "quote at the start": (b'MAIL FROM:"' + b" REQUIRETLS" * 10, {501}),
    "1000 quotes": (M + b' "' * 1000 + b" REQUIRETLS", {501}),
    "nul in it": (M + b" REQUIRE\0TLS", {501}),
    "nul behind": (M + b" REQUIRETLS\0", {501}),
    "nul for the space": (M + b"\0REQUIRETLS", {501}),
    "nul in the address": (b"MAIL FROM:<a\0b@lab.example> REQUIRETLS", {501}),
    "1000 nuls": (M + b"\0" * 1000 + b" REQUIRETLS", {501}),
    "8-bit behind": (M + b" REQUIRETLS\xff", {501}),
    "8-bit parameter": (M + b" \xff\xfe REQUIRETLS", {501}),
    "8-bit space": (M + b"\xa0REQUIRETLS", {501}),
    "8-bit in the address": (b"MAIL FROM:<\xe4@lab.example> REQUIRETLS", {250, 501, 553}),
    "dotless i": (M + " REQUıRETLS".encode(), {501}),
    "long s": (M + " REQUIRETLſ".encode(), {501}),
    "fullwidth": (M + " ＲEQUIRETLS".encode(), {501}),
    "control characters": (M + b" REQUIRETLS" + bytes(range(1, 9)), {501}),
    "escape": (M + b" \x1b[2JREQUIRETLS", {501}),
    "delete": (M + b" REQUIRETLS\x7f", {501}),
    "cr in it": (M + b" REQUIRE\rTLS", {501}),
    "cr before": (M + b" \rREQUIRETLS", {250, 501}),
    "two cr": (M + b" REQUIRETLS\r", {250, 501}),
    "no space": (M + b"REQUIRETLS", {501}),
    "no bracket": (b"MAIL FROM:<alice@lab.example REQUIRETLS", {501}),
    "no brackets at all": (b"MAIL FROM: REQUIRETLS REQUIRETLS", {501}),
    "bracket behind": (b"MAIL FROM:<alice@lab.example REQUIRETLS>", {501}),
    "two addresses": (M + b" <x@y> REQUIRETLS", {501}),
    "comma": (M + b",REQUIRETLS", {501}),
    "semicolon": (M + b" REQUIRETLS;", {501}),
    "comment": (M + b" (REQUIRETLS)", {250, 501}),
    "comment behind": (M + b" REQUIRETLS (x)", {501}),
    "comment before": (M + b" (x) REQUIRETLS", {250, 501}),
    "open comment": (M + b" (REQUIRETLS", {250, 501}),
    "1000 open comments": (M + b" (" * 1000 + b"REQUIRETLS", {250, 501}),
    "format": (M + b" REQUIRETLS%n%n%s", {501}),
    "expansion": (M + b" ${run{/bin/true}}REQUIRETLS", {501}),
    "variable": (M + b" $requiretls REQUIRETLS", {501}),
    "unknown beside": (M + b" REQUIRETLS XFOO=1", {501}),
    "unknown before": (M + b" XFOO REQUIRETLS", {501}),
    "size overflow": (M + b" SIZE=" + b"9" * 1000 + b" REQUIRETLS", {250, 501, 552}),
    "bad auth": (M + b" AUTH=+zz REQUIRETLS", {501}),
    "long auth": (M + b" AUTH=" + b"+41" * 4000 + b" REQUIRETLS", {250, 501}),
    "source route": (b"MAIL FROM:<@a,@b:alice@lab.example> REQUIRETLS", {250, 501}),
    "long local part": (b"MAIL FROM:<" + b"a" * 10000 + b"@lab.example> REQUIRETLS", {501, 553}),
    # Exim, also the stock one, cannot quote an address of this size in its answer.
    "line limit": (begin(LINE_MAX - 1), {421}),
    "one more": (begin(LINE_MAX), {500, 501}),
    "two more": (begin(LINE_MAX + 1), {500, 501}),
    "twice the limit": (begin(2 * LINE_MAX), {500, 501}),
    "100000": (begin(100000), {500, 501}),
    "100000 spaces": (begin(100000, b" "), {500, 501}),
    "cut at the limit": (M.ljust(LINE_MAX - 5) + b" REQUIRETLS", {500, 501}),
    "bytes of all values": (M + b" " + bytes(n for n in range(256) if n != 10) * 20, {501}),
}


class Hostile:
    """A session that goes on as long as the server lets it."""

    def __init__(self, lab, tls):
        self.lab, self.tls, self.client = lab, tls, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.client:
            self.client.sock.close()

    def codes(self, line):
        """The codes of all replies to a line. A message that follows is not flagged."""
        if self.client is None:
            self.client = Client(self.lab)
            (self.client.secure if self.tls else self.client.ehlo)()
        found = provoke(self.client, line + b"\r\n")
        if 0 in found:
            self.__exit__()
            self.client = None
        else:
            assert self.client.ask("RSET").code == 250
            assert self.client.good_mail() is False, line
            assert self.client.ask("RSET").code == 250
        return found


@pytest.mark.parametrize("tls", [True, False], ids=["in TLS", "in clear"])
def test_hostile_commands(hard, tls):
    """One after the other; in clear what would be taken is refused by 555, comments apart."""
    raw.server(hard)
    wrong = {}
    with Hostile(hard, tls) as session:
        for name, (line, codes) in HOSTILE.items():
            if not tls:
                codes = codes | {555} if "comment" in name else (codes - {250}) | {555}
            found = session.codes(line)
            if found[0] not in codes or not set(found) <= codes | {0, 500, 554}:
                wrong[name] = found
    assert wrong == {}
    forget(hard, "string too large in smtp_printf()")


# The word stands in a comment, which goes on to the end of the line where it is not closed.
NO_PARAMETER = ("comment", "open comment", "1000 open comments")


@pytest.mark.parametrize("name", [name for name, (_, codes) in HOSTILE.items() if 250 in codes])
def test_accepted_means_flagged(hard, name):
    """What is not refused has the flag (a comment never has)."""
    raw.server(hard)
    with Client(hard).secure() as client:
        answer = client.ask(HOSTILE[name][0])
        assert answer.code != 250 or answer.text == (
            "flag=no" if name in NO_PARAMETER else "flag=yes")


def test_daemon_goes_on(hard):
    """After all of it a new session works as before."""
    raw.server(hard)
    for line, _ in list(HOSTILE.values())[::7]:
        with Client(hard).secure() as client:
            provoke(client, line + b"\r\n")
    with Client(hard).secure() as client:
        queued = client.message("REQUIRETLS")
    assert raw.flagged(hard, queued)


@pytest.mark.parametrize("lines", [
    [b"REQUIRETLS"], [M + WORD], [b"EHLO x", b"REQUIRETLS"], [b"EHLO REQUIRETLS", M + WORD],
    [b"EHLO x", b"STARTTLS REQUIRETLS"], [b"EHLO x REQUIRETLS", M + WORD],
    [b"EHLO x", b"RCPT TO:<bob@lab.example>" + WORD], [b"EHLO x", b"AUTH REQUIRETLS"],
    [b"EHLO x", b"RSET REQUIRETLS"], [b"EHLO x", b"MAIL" + WORD],
], ids=repr)
def test_out_of_place(hard, lines):
    """Before EHLO, in clear, at other commands: refused, never taken."""
    raw.server(hard)
    with Client(hard) as client:
        codes = [client.ask(line).code for line in lines]
        assert codes[-1] in (500, 501, 503, 504, 555), codes
        client.ehlo()
        assert client.good_mail() is False


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_in_pieces(hard, size):
    """The command comes in packets (and TLS records) of so many bytes."""
    raw.server(hard)
    line = M + WORD + b" SIZE=1\r\n"
    with Client(hard).secure() as client:
        for start in range(0, len(line), size):
            client.send(line[start:start + size])
        assert client.reply().text == "flag=yes"


def test_cut_off(hard):
    """A client that goes away in the middle of the word, or behind it."""
    raw.server(hard)
    for end in range(len(M), len(M + WORD) + 1):
        with Client(hard).secure() as client:
            client.send((M + WORD)[:end])
    with Client(hard).secure() as client:
        assert client.good_mail() is False
    hard.settle()
    assert hard.queue() == []


def test_injection_before_tls(hard):
    """What comes in clear behind STARTTLS is not taken as said inside TLS."""
    raw.server(hard)
    with Client(hard) as client:
        client.ehlo()
        client.send(b"STARTTLS\r\n" + M + WORD + b"\r\n")
        answer = client.reply()
        assert answer.code in (220, 554)
        if answer.code == 220:
            client.handshake()
            client.ehlo()
            assert client.good_mail() is False


# --- random commands, and a model of what is right ---------------------------------------

ADDRESSES = ["<alice@lab.example>", "<>", '<"a b"@lab.example>', '<"x REQUIRETLS"@lab.example>',
             "<requiretls@lab.example>"]
GOOD_WORDS = ["SIZE=10", "BODY=8BITMIME", "BODY=7BIT", "AUTH=<>", "SMTPUTF8"]
# Exim reads from the end and stops at a size that is none: what stood before is not an address
# then, or there is nothing before.
LOOSE_WORDS = ["SIZE=x", "SIZE="]
ONCE_WORDS = ["RET=FULL", "RET=hdrs", "ENVID=abc"]
BAD_WORDS = ["REQUIRETLS=", "REQUIRETLS=x", "BODY=x", "RET=x", "XFOO", "XFOO=1",
             "REQUIRETLSX", "XREQUIRETLS", "-REQUIRETLS", "REQUIRE", "TLS"]


def random_case(rng, word):
    """With each letter in one case or the other."""
    return "".join(rng.choice((c.upper(), c.lower())) for c in word)


def random_words(rng):
    """Parameters, mostly good."""
    words = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 5))):
        kind = rng.random()
        words.append("REQUIRETLS" if kind < 0.35 else rng.choice(GOOD_WORDS) if kind < 0.7
                     else rng.choice(ONCE_WORDS) if kind < 0.88
                     else rng.choice(LOOSE_WORDS) if kind < 0.91 else rng.choice(BAD_WORDS))
    return words


def right_answers(words, offered):
    """The codes that are right for these parameters, and whether a 250 is a flagged one."""
    names = [word.split("=")[0] for word in words]
    wanted = names.count("REQUIRETLS")
    codes = {250, 501} if any(word in LOOSE_WORDS for word in words) else set()
    if any(word in BAD_WORDS for word in words) or wanted > 1 \
            or names.count("RET") > 1 or names.count("ENVID") > 1:
        codes = {501}
    if wanted and not offered:
        codes = (codes - {250}) | {555}
    return codes or {250}, wanted == 1


@pytest.mark.parametrize("offered", [True, False])
def test_random_parameters(hard, offered):
    """4000 commands, each with the answer that a model made without Exim's code wants."""
    rng = random.Random(8689)
    raw.server(hard, "" if offered else "tls_advertise_requiretls =\n")
    with Client(hard).secure() as client:
        for _ in range(80):
            wanted, lines = [], []
            for _ in range(50):
                words = random_words(rng)
                text = "".join(rng.choice((" ", " ", "  ", "\t")) + random_case(rng, word)
                               for word in words)
                wanted.append(right_answers(words, offered))
                lines += [f"MAIL FROM:{rng.choice(ADDRESSES)}{text}", "RSET"]
            for line, (codes, flag), answer in zip(lines[::2], wanted,
                                                   client.ask_all(lines)[::2]):
                assert answer.code in codes, (line, answer)
                if answer.code == 250:
                    assert answer.text == ("flag=yes" if flag else "flag=no"), line


NOISE = [b"REQUIRETLS", b" ", b"\t", b"=", b'"', b"<", b">", b"(", b")", b"\\", b"\0", b"\xff",
         b"\r", b",", b"@", b":", b"A" * 300, b" REQUIRETLS"]


def mutated(rng):
    """A good command with some bytes changed."""
    line = bytearray(M + b" " + " ".join(random_words(rng)).encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(len(b"MAIL FROM:"), len(line))
        line[at:at + rng.choice((0, 0, 1, 2))] = rng.choice(NOISE)
    return bytes(line)


def plain_words(line):
    """What stands between blanks, quoted strings and comments apart."""
    bare = re.sub(rb'"(\\.|[^"\\])*"|\([^()]*\)', b"", line)
    return [word.upper() for word in re.split(rb"[ \t\r\v\f]+", bare)[1:]]


def test_random_noise(hard):
    """4000 commands with odd bytes: a reply of SMTP to each, flagged only with the word, and
    not accepted with the word but without the flag."""
    rng = random.Random(4954)
    raw.server(hard)
    with Client(hard).secure() as client:
        for _ in range(80):
            lines = [mutated(rng) for _ in range(50)]
            answers = client.ask_all([part for line in lines for part in (line, b"RSET")])[::2]
            for line, answer in zip(lines, answers):
                assert answer.code in (250, 500, 501, 550, 552, 553), (line, answer)
                if answer.code == 250:
                    words = [word for word in plain_words(line)[1:] if b"=" not in word]
                    # What stands before an address in brackets is a phrase.
                    wanted = b"REQUIRETLS" in words and not words[-1].endswith(b">")
                    assert (answer.text == "flag=yes") == wanted, (line, answer)
        assert client.good_mail() is False


# --- EHLO replies to the client --------------------------------------------------------------

def lines_of(*words):
    """The raw text of an EHLO reply, without its last line end."""
    return "\r\n".join([f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"])


def keyword_at(offset):
    """A reply in which REQUIRETLS ends at this byte."""
    first = "250-" + "x" * 60 + "\r\n"
    text = first * (offset // len(first) - 1)
    text += "250-" + "y" * (offset - len(text) - len("250-\r\n250-REQUIRETLS")) + "\r\n"
    return text + "250-REQUIRETLS\r\n250 HELP"


# name: (reply to EHLO inside TLS, is REQUIRETLS told in it)
EHLO_REPLIES = {
    "64 KiB of lines": (lines_of(*["x" * 60] * 1000, "REQUIRETLS"), None),
    "3 KiB of lines": (lines_of(*["x" * 60] * 45, "REQUIRETLS", "HELP"), True),
    "one line of 64 KiB": ("250 " + "x" * 65536, None),
    "one line of 4096": ("250 " + "x" * 4090, None),
    "1000 REQUIRETLS": (lines_of("hello", *["REQUIRETLS"] * 1000), None),
    "200 REQUIRETLS": (lines_of("hello", *["REQUIRETLS"] * 200), True),
    "only REQUIRETLS": ("250 REQUIRETLS", False),
    "nul in the word": (lines_of("hello", "REQUIRE\0TLS", "HELP"), False),
    "nul behind": (lines_of("hello", "REQUIRETLS\0", "HELP"), None),
    "nul line before": (lines_of("hello", "\0", "REQUIRETLS", "HELP"), None),
    "parameter": (lines_of("hello", "REQUIRETLS x", "HELP"), True),
    "longer word": (lines_of("hello", "REQUIRETLSX", "XREQUIRETLS", "HELP"), False),
    "in a text": (lines_of("hello", "X REQUIRETLS", "HELP"), False),
    "in the greeting": (lines_of("REQUIRETLS", "HELP"), False),
    "lower case": (lines_of("hello", "requiretls"), True),
    "bare line feeds": ("250-hello\n250-REQUIRETLS\n250 HELP", True),
    "8-bit": (lines_of("h\xff\xfe", "REQUIRETLS\xff", "HELP"), False),
    "controls": (lines_of("\x01\x02\x1b[2J", "REQUIRETLS"), True),
    "wrong code": ("250-hello\r\n550-REQUIRETLS\r\n250 HELP", None),
    "other code": ("250-hello\r\n251-REQUIRETLS\r\n250 HELP", None),
    "no code": ("250-hello\r\nREQUIRETLS\r\n250 HELP", None),
    "no space": ("250-hello\r\n250REQUIRETLS\r\n250 HELP", None),
    "tab": ("250-hello\r\n250\tREQUIRETLS\r\n250 HELP", None),
    "double dash": (lines_of("hello", "-REQUIRETLS", "HELP"), False),
    "space before": (lines_of("hello", " REQUIRETLS", "HELP"), False),
    "two replies": ("250 hello\r\n250 REQUIRETLS", None),
    "empty lines": ("250-\r\n250-\r\n250 REQUIRETLS", True),
    **{f"ends at {n}": (keyword_at(n), True) for n in (2048, 3000, 4000)},
    **{f"ends at {n}": (keyword_at(n), None) for n in range(4070, 4120, 4)},
    **{f"ends at {n}": (keyword_at(n), None) for n in (8191, 8192, 8193, 16384)},
}


@pytest.mark.parametrize("name", EHLO_REPLIES)
def test_hostile_ehlo_replies(hard, name):
    """The parameter is sent where the word is a keyword of its own line, and the message is
    bounced or kept where it is not; no body goes there without it."""
    reply, told = EHLO_REPLIES[name]
    hard.set_behaviour(SCRIPTED, "good", ehlo_inside=reply)
    marker = new_marker()
    hard.send(ALICE, [REMOTE], body=marker, extra_args=["-oR"])
    hard.settle()
    commands = [m.mail_command for m in hard.received(SCRIPTED)]
    assert all(command.split()[-1] == "REQUIRETLS" or " REQUIRETLS" in command
               for command in commands)
    assert len(commands) == 1 or hard.body_seen(marker) == []
    if told is not None:
        assert bool(commands) == told, hard.mainlog()


@pytest.mark.parametrize("name", EHLO_REPLIES)
def test_same_replies_and_ordinary_mail(hard, name):
    """Mail that is not flagged: the word makes no difference, there is no crash."""
    hard.set_behaviour(SCRIPTED, "good", ehlo_inside=EHLO_REPLIES[name][0])
    hard.send(ALICE, [REMOTE])
    hard.settle()
    assert all("REQUIRETLS" not in m.mail_command for m in hard.received(SCRIPTED))


# --- refusals and their codes --------------------------------------------------------------

REFUSALS = {
    "550 5.7.30 no": "5.7.30",
    "550 5.7.30": "5.7.30",
    "550 5.7.1 no": "5.7.1",
    "550-5.7.1 multi\r\n550 5.7.1 line": "5.7.1",
    "550-5.7.1 multi\r\n550 5.1.1 other": "5.7.1",
    "550 5.1.1  two spaces": "5.1.1",
    "550 5.123.123 long": "5.123.123",
    "550 5.7.999": "5.7.999",
    "550  5.7.1 space before": "5.0.0",
    "550 5.7.": "5.0.0",
    "550 5.7": "5.0.0",
    "550 5.": "5.0.0",
    "550 5": "5.0.0",
    "550": "5.0.0",
    "550 ": "5.0.0",
    "550-": "5.0.0",
    "550 5..1 x": "5.0.0",
    "550 5.7..1 x": "5.0.0",
    "550 .5.7.1 x": "5.0.0",
    "550 5.7.1.2 x": "5.0.0",
    "550 5.7.1x": "5.0.0",
    "550 5.7.1: x": "5.0.0",
    "550 5.7.300000000000": "5.0.0",
    "550 5.7.1111 x": "5.0.0",
    "550 5.1111.1 x": "5.0.0",
    "550 5.00000000000000000000000.1": "5.0.0",
    "550 5." + "7" * 500 + ".1": "5.0.0",
    "550 4.7.1 other class": "5.0.0",
    "550 2.0.0 other class": "5.0.0",
    "550 55.7.1 x": "5.0.0",
    "550 -5.7.1 x": "5.0.0",
    "550 5.7.\xb2 x": "5.0.0",
    "550 5.\xff.1 x": "5.0.0",
    "550 \xff\xfe\xe4": "5.0.0",
    "550 5.7.\0001 x": "5.0.0",
    "550 5.7.1\0 x": None,
    "550 #5.7.1 x": "5.0.0",
    "550 %s%n%d": "5.0.0",
    "550 5.7.1\tx": "5.7.1",
    "550 : 550 5.7.99 x": "5.0.0",
    "550 x: 550 5.7.99 x": "5.0.0",
    "554 5.7.1 " + "x" * 400: "5.7.1",
    "550-5.7.1 " + "x" * 200 + "\r\n550 5.7.1 y": "5.7.1",
}


@pytest.mark.parametrize("field", ["rcpt", "mail", "data_end"])
def test_status_of_refusals(hard, field):
    """Each refusal of a flagged message in turn: the Status field of the DSN is a code of
    RFC 3463 (three numbers, of one to three digits), that of the reply where it has one of
    class 5 and else 5.0.0."""
    wrong = {}
    # At RCPT all of them, else some.
    for reply, wanted in list(REFUSALS.items())[::1 if field == "rcpt" else 9]:
        hard.reset()
        hard.set_behaviour(SCRIPTED, "requiretls", **{field: reply})
        hard.send(ALICE, [REMOTE], extra_args=["-oR"])
        found = status_of_bounce(hard)
        if found != wanted and not (wanted is None and re.fullmatch(r"5(\.\d{1,3}){2}", found)):
            wrong[reply] = (found, wanted)
    assert wrong == {}


def status_of_bounce(lab):
    """The Status field of the one bounce."""
    bounces = lab.bounces("alice")
    assert len(bounces) == 1, lab.mainlog()
    found = re.findall(r"^Status: (.*)$", bounces[0].text, re.MULTILINE)
    assert len(found) == 1, bounces[0].text
    return found[0]


def test_recipient_that_looks_like_a_reply(hard):
    """The code is that of the reply, whatever the address before it in the text is."""
    hard.set_behaviour(SCRIPTED, "requiretls", rcpt="550 5.1.1 no")
    hard.send(ALICE, ['"x: 550 5.9.9 y"@enforce-requiretls.example'], extra_args=["-oR"])
    assert status_of_bounce(hard) == "5.1.1"


@pytest.mark.parametrize("text,status", [
    ("5.7.30 x", "5.7.30"), ("5.1.1", "5.1.1"), ("5.7. x", "5.0.0"), ("5.7.3000000 x", "5.0.0"),
    ("4.7.1 x", "5.0.0"), ("x 5.7.1", "5.0.0"), ("550 5.7.1 x", "5.0.0")])
def test_status_of_a_router(hard, text, status):
    """The same for what a router of ours says, which is no reply."""
    conf = (hard.state / "etc/exim4/exim4.conf").read_text()
    hard.write_sender_conf(conf.replace(
        "begin routers\n", "begin routers\n\nsays_no:\n  driver = redirect\n  allow_fail\n"
        f"  domains = nopolicy.example\n  data = :fail: {text}\n"))
    hard.send(ALICE, ["bob@nopolicy.example"], extra_args=["-oR"])
    assert status_of_bounce(hard) == status
