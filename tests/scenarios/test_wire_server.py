"""The patched Exim as a server: who is offered REQUIRETLS, what the parameter of MAIL is
answered with, which messages are flagged by it, and where that can be seen.

Raw clients speak to its daemon; nothing is delivered unless a test says so.
"""

import base64
import itertools
import re

import pytest

import raw
from mail import ALICE
from raw import BOB, Client

pytestmark = pytest.mark.usefixtures("wire")

ELSEWHERE = "192.0.2.77"
OTHERS = ("SMTPUTF8", "BODY=8BITMIME", "SIZE=1000", "RET=HDRS", "ENVID=QQ314159", "AUTH=<>")
LOGIN = base64.b64encode(b"\0alice\0secret").decode()
GIVEN_ACLS = {"acl_smtp_rcpt": "acl_check_rcpt", "acl_smtp_data": "acl_check_data"}
MIME_TEXT = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nSubject: x\r\n\r\nx"


def forget_panic(lab, expected):
    """The panic log has this, as the test wants it, and nothing else."""
    path = lab.state / "sender/log/paniclog"
    lines = path.read_text().splitlines() if path.exists() else []
    assert lines and all(re.search(expected, line) for line in lines), lines
    path.unlink()


# --- who is offered it ----------------------------------------------------------------

def test_offered_inside_tls_only(wire):
    """RFC 8689 section 2: once, without parameters, and not in clear; anew at each EHLO."""
    raw.server(wire)
    with Client(wire) as client:
        assert "REQUIRETLS" not in " ".join(client.ehlo())
        client.starttls()
        for _ in range(2):
            client.ehlo()
            assert [word for word in client.keywords if "REQUIRETLS" in word] == ["REQUIRETLS"]


def test_not_in_the_answer_to_helo(wire):
    """HELO is answered by one line."""
    raw.server(wire)
    with Client(wire).secure() as client:
        assert len(client.ask("HELO client.lab.example").lines) == 1


@pytest.mark.parametrize("hosts,offered", [
    (None, ()),
    ("", ()),
    ("*", ("203.0.113.1", ELSEWHERE)),
    (":", ()),
    ("192.0.2.0/24", (ELSEWHERE,)),
    ("! 192.0.2.0/24 : *", ("203.0.113.1",)),
    ("!*", ()),
    ("203.0.113.1 : ! 192.0.2.77", ("203.0.113.1",)),
    ("${if eq{$tls_in_ver}{TLS1.3}{*}}", ("203.0.113.1", ELSEWHERE)),
    ("${if eq{$sender_helo_name}{client.lab.example}{192.0.2.77}}", (ELSEWHERE,)),
    ("+relays", (ELSEWHERE,)),
])
def test_host_list(wire, hosts, offered):
    """tls_advertise_requiretls is a host list as any other, unset by default."""
    option = "" if hosts is None else f"tls_advertise_requiretls = {hosts}\n"
    raw.server(wire, f"hostlist relays = 192.0.2.0/24\n{option}",
               replace={"domainlist": "domainlist"})
    if hosts is None:
        text = (wire.state / "etc/exim4/exim4.conf").read_text()
        wire.stop_daemon()
        wire.write_sender_conf(text.replace("tls_advertise_requiretls = *\n", ""))
        wire.start_daemon()
    for source in ("203.0.113.1", ELSEWHERE):
        with Client(wire, source=source).secure() as client:
            found = "REQUIRETLS" in client.keywords
            assert found == (source in offered), source
            assert client.mail("REQUIRETLS").code == (250 if found else 555)


@pytest.mark.parametrize("hosts", ["servfail.example", "${lookup dnsdb{a=servfail.example}}",
                                   "${lookup{x}lsearch{/nonexistent}}", "${if bad{"])
def test_failing_host_list(wire, hosts):
    """When the list cannot be had nobody is offered it, and the session goes on."""
    raw.server(wire, f"tls_advertise_requiretls = {hosts}\n")
    with Client(wire).secure() as client:
        assert "REQUIRETLS" not in client.keywords and "PIPELINING" in client.keywords
        assert client.mail("REQUIRETLS").code == 555
        assert client.good_mail() is False
    path = wire.state / "sender/log/paniclog"
    if path.exists():
        forget_panic(wire, "failed to open|failed to expand|expansion|lookup")


PORTS = "daemon_smtp_ports = 25 : 465 : 587\ntls_on_connect_ports = 465\n"


def test_tls_on_connect(wire):
    """Port 465: the first EHLO is inside TLS already."""
    raw.server(wire, PORTS)
    with Client(wire, port=465, on_connect=True) as client:
        assert "REQUIRETLS" in client.ehlo()
        assert raw.flagged(wire, client.message("requiretls"))
        assert not raw.flagged(wire, client.message())


@pytest.mark.parametrize("port", [465, 587])
def test_submission(wire, port):
    """RFC 8689 section 4.3: an authenticated user asks for it."""
    raw.server(wire, PORTS)
    with Client(wire, port=port, on_connect=port == 465) as client:
        if port == 587:
            client.secure()
        client.ehlo()
        assert client.ask(f"AUTH PLAIN {LOGIN}").code == 235
        queued = client.message("REQUIRETLS AUTH=<>")
    assert raw.flagged(wire, queued)
    assert " P=esmtpsa " in raw.arrival_line(wire, queued)


def test_offer_goes_with_the_session(wire):
    """What was offered to one host inside TLS is nothing for its next connection."""
    raw.server(wire)
    with Client(wire).secure() as client:
        assert client.good_mail("REQUIRETLS")
    with Client(wire) as client:
        client.ehlo()
        assert client.mail("REQUIRETLS").code == 555


# --- the parameter --------------------------------------------------------------------

def test_every_order_beside_all_others(wire):
    """5040 orders of REQUIRETLS and six other parameters, in changing case."""
    raw.server(wire)
    cases = itertools.cycle(["REQUIRETLS", "requiretls", "ReQuIrEtLs", "rEQUIREtls"])
    with Client(wire).secure() as client:
        lines = []
        for order in itertools.permutations(["REQUIRETLS", *OTHERS]):
            words = " ".join(next(cases) if word == "REQUIRETLS" else word for word in order)
            lines += [f"MAIL FROM:<{ALICE}> {words}", "RSET"]
        for start in range(0, len(lines), 400):
            chunk = lines[start:start + 400]
            for line, answer in zip(chunk[::2], client.ask_all(chunk)[::2]):
                assert (answer.code, answer.text) == (250, "flag=yes"), line


def test_others_beside_it_keep_their_meaning(shared_server):
    """Each subset with and without it: the spool has the same envelope but for its line."""
    lab, client = shared_server
    for size in range(len(OTHERS) + 1):
        for others in itertools.combinations(OTHERS, size):
            spools = []
            for words in (["REQUIRETLS", *others], [*others, "REQUIRETLS"], others):
                queued = client.message(" ".join(words))
                assert raw.flagged(lab, queued) == ("REQUIRETLS" in words)
                spools.append([line for line in raw.envelope_lines(lab, queued)[3:]
                               if not re.match(r"\d+ \d+$|-received_time|-requiretls$", line)])
            assert spools[0] == spools[1] == spools[2], others


@pytest.fixture
def shared_server(wire):
    """A daemon and a session with it, in TLS."""
    raw.server(wire)
    with Client(wire).secure() as client:
        yield wire, client


@pytest.mark.parametrize("params,code", [
    ("REQUIRETLS REQUIRETLS", 501), ("REQUIRETLS SIZE=1 requiretls", 501),
    ("REQUIRETLS SMTPUTF8 BODY=7BIT REQUIRETLS AUTH=<>", 501),
    ("REQUIRETLS=", 501), ("REQUIRETLS=x", 501), ("REQUIRETLS=yes SIZE=1", 501),
    ("SIZE=1 requiretls=", 501), ("REQUIRETLS REQUIRETLS=", 501), ("REQUIRETLS= REQUIRETLS", 501),
    ("REQUIRETLS=no", 501), ("REQUIRETLSX", 501), ("XREQUIRETLS", 501), ("REQUIRE TLS", 501),
    ("REQUIRETLS SIZE=x", 501), ("REQUIRETLS BODY=x", 501), ("REQUIRETLS RET=x", 501),
    ("REQUIRETLS FOO", 501), ("FOO REQUIRETLS", 501), ("REQUIRETLS FOO=bar", 501),
])
def test_bad_parameters(shared_server, params, code):
    """Refused with a clear code; the session goes on, and nothing of the flag stays."""
    lab, client = shared_server
    assert client.mail(params).code == code
    assert client.good_mail() is False
    queued = client.rest()
    assert not raw.flagged(lab, queued)
    assert raw.flagged(lab, client.message("REQUIRETLS"))


def test_refusals_say_why(wire):
    """The texts, for the person at the other end; the log has the same."""
    raw.server(wire, replace={"log_selector = ": "log_selector = +smtp_syntax_error "})
    with Client(wire).secure() as client:
        assert client.mail("REQUIRETLS=1").text == "REQUIRETLS takes no value"
        assert client.mail("REQUIRETLS REQUIRETLS").text == "REQUIRETLS can be specified once only"
        client.ask("QUIT")
    log = wire.mainlog()
    assert re.search(r'SMTP syntax error in "MAIL FROM:<alice@lab\.example> REQUIRETLS=1" '
                     r".*REQUIRETLS takes no value$", log, re.MULTILINE)
    assert re.search(r"REQUIRETLS can be specified once only$", log, re.MULTILINE)


@pytest.mark.parametrize("params", ["REQUIRETLS", "SIZE=1 REQUIRETLS", "REQUIRETLS BODY=7BIT"])
def test_in_clear(wire, params):
    """555: a client must not have it ignored."""
    raw.server(wire)
    with Client(wire) as client:
        client.ehlo()
        answer = client.mail(params)
        assert (answer.code, answer.text) == (555, "REQUIRETLS used when not advertised")
        assert not raw.flagged(wire, client.message())


@pytest.mark.parametrize("params,code", [
    ("REQUIRETLS", 555), ("REQUIRETLS REQUIRETLS", 555), ("REQUIRETLS=", 501)])
def test_not_offered_in_tls(wire, params, code):
    """Inside TLS to a host that is not in the list."""
    raw.server(wire, "tls_advertise_requiretls = 192.0.2.1\n")
    with Client(wire).secure() as client:
        assert client.mail(params).code == code
        assert client.good_mail() is False


@pytest.mark.parametrize("tls", [True, False])
def test_after_helo(wire, tls):
    """HELO: no parameters at all, also when EHLO was there before."""
    raw.server(wire)
    with Client(wire) as client:
        if tls:
            client.secure()
        client.ask("HELO client.lab.example")
        assert client.mail("REQUIRETLS").code == 501
        assert client.good_mail() is False
        assert not raw.flagged(wire, client.rest())
        if tls:
            client.ehlo()
            assert client.good_mail("REQUIRETLS")


def test_after_starttls_without_ehlo(wire):
    """RFC 3207: what EHLO said before is void; the parameter is not silently taken."""
    raw.server(wire)
    with Client(wire) as client:
        client.ehlo()
        client.starttls()
        assert client.mail("REQUIRETLS").code == 503
        client.ehlo()
        assert client.good_mail("REQUIRETLS")


def test_ehlo_that_was_refused(wire):
    """A refused EHLO offers nothing."""
    raw.server(wire, "acl_smtp_helo = acl_helo\n", raw.ACL + "\nacl_helo:\n"
               "  deny condition = ${if eq{$sender_helo_name}{bad.example}}\n  accept\n")
    with Client(wire).secure() as client:
        assert client.good_mail("REQUIRETLS")
        assert client.ask("EHLO bad.example").code == 550
        assert client.mail("REQUIRETLS").code in (501, 503, 555)


@pytest.mark.parametrize("line,code,flag", [
    ("mail from:<alice@lab.example> requiretls", 250, True),
    ("MAIL FROM: <alice@lab.example> REQUIRETLS", 250, True),
    ("MAIL FROM:<alice@lab.example>  REQUIRETLS  ", 250, True),
    ("MAIL FROM:<alice@lab.example>\tREQUIRETLS", 250, True),
    ("MAIL FROM:<> REQUIRETLS", 250, True),
    ("MAIL FROM:alice@lab.example REQUIRETLS", 250, True),
    ('MAIL FROM:<"a b"@lab.example> REQUIRETLS', 250, True),
    ('MAIL FROM:<"a REQUIRETLS"@lab.example>', 250, False),
    ('MAIL FROM:<"a REQUIRETLS b"@lab.example> REQUIRETLS', 250, True),
    ("MAIL FROM:<REQUIRETLS@lab.example>", 250, False),
    ("MAIL FROM:<alice@lab.example>REQUIRETLS", 501, None),
    ("MAIL FROM:<alice@lab.example REQUIRETLS", 501, None),
    ("MAIL FROM:<alice@lab.example REQUIRETLS>", 501, None),
    ("MAIL FROM: REQUIRETLS", 501, None),
    ("MAIL FROM:REQUIRETLS", 501, None),
    ("MAIL REQUIRETLS", 500, None),
])
def test_shapes_of_the_command(shared_server, line, code, flag):
    """Where the parameter begins and what is none."""
    _, client = shared_server
    answer = client.ask(line)
    assert answer.code == code
    if flag is not None:
        assert answer.text == ("flag=yes" if flag else "flag=no")


def test_rcpt_does_not_know_it(shared_server):
    """It is a parameter of MAIL."""
    lab, client = shared_server
    client.good_mail()
    assert client.ask(f"RCPT TO:<{BOB}> REQUIRETLS").code in (501, 555)
    assert not raw.flagged(lab, client.rest())


# --- the flag and its end --------------------------------------------------------------

SEEN = """
acl_check_mail:
  accept message = flag=$requiretls
         logwrite = WIRE mail $requiretls

acl_check_rcpt_seen:
  accept logwrite = WIRE rcpt $requiretls

acl_check_predata_seen:
  accept logwrite = WIRE predata $requiretls

acl_check_data_seen:
  accept logwrite = WIRE data $requiretls

acl_check_helo_seen:
  accept logwrite = WIRE helo $requiretls

acl_check_quit_seen:
  accept logwrite = WIRE quit $requiretls
"""
SEEN_MAIN = """
acl_smtp_rcpt = acl_check_rcpt_seen
acl_smtp_predata = acl_check_predata_seen
acl_smtp_data = acl_check_data_seen
acl_smtp_helo = acl_check_helo_seen
acl_smtp_quit = acl_check_quit_seen
"""


def test_variable_in_acls(wire):
    """$requiretls from MAIL to the end of DATA, and not beyond."""
    raw.server(wire, SEEN_MAIN, SEEN, replace={
        "acl_smtp_rcpt = acl_check_rcpt\n": "", "acl_smtp_data = acl_check_data\n": ""})
    with Client(wire).secure() as client:
        client.message("REQUIRETLS")
        client.message()
        client.ask("QUIT")
    seen = re.findall(r"WIRE (\w+) (\w+)", wire.mainlog())
    assert seen == [("helo", "no"), ("helo", "no"),
                    ("mail", "yes"), ("rcpt", "yes"), ("predata", "yes"), ("data", "yes"),
                    ("mail", "no"), ("rcpt", "no"), ("predata", "no"), ("data", "no"),
                    ("quit", "no")]


@pytest.mark.parametrize("flag", [True, False])
def test_variable_at_delivery(wire, flag):
    """Routers and transports see it, in the delivery processes of the queue run."""
    raw.server(wire, replace={
        "  transport = local_delivery\n":
            "  transport = local_delivery\n  headers_add = X-Router: $requiretls\n"
            "  condition = ${if or{{bool{$requiretls}}{!bool{$requiretls}}}}\n",
        "  envelope_to_add\n": "  envelope_to_add\n  headers_add = X-Transport: $requiretls\n"})
    with Client(wire).secure() as client:
        client.message("REQUIRETLS" if flag else "")
    wire.run_queue()
    message = wire.bounces("bob")[0].parsed()
    word = "yes" if flag else "no"
    assert (message["X-Router"], message["X-Transport"]) == (word, word)
    assert ("(REQUIRETLS)" in message["Received"]) == flag


@pytest.mark.parametrize("lines", [
    ["RSET"], ["EHLO client.lab.example"], ["HELO client.lab.example"],
    [f"RCPT TO:<{BOB}>", "RSET"], ["RSET", "EHLO client.lab.example"], ["VRFY x", "RSET"],
    ["MAIL FROM:<x@y>", "RSET"], ["NOOP", "HELP", "RSET"],
], ids=str)
def test_ends_with_the_transaction(shared_server, lines):
    """RSET, EHLO and HELO end it."""
    lab, client = shared_server
    assert client.good_mail("REQUIRETLS")
    for line in lines:
        client.ask(line)
    assert client.good_mail() is False
    assert not raw.flagged(lab, client.rest())


def test_second_mail_changes_nothing(shared_server):
    """A second MAIL in a transaction is refused, with or without it; the first counts."""
    lab, client = shared_server
    client.good_mail()
    assert client.mail("REQUIRETLS").code == 503
    assert not raw.flagged(lab, client.rest())
    client.good_mail("REQUIRETLS")
    assert client.mail().code == 503
    assert raw.flagged(lab, client.rest())


@pytest.mark.parametrize("wishes", list(itertools.product([True, False], repeat=3)), ids=str)
def test_messages_of_one_session(shared_server, wishes):
    """Each message of a session is its own."""
    lab, client = shared_server
    queued = [client.message("REQUIRETLS" if wish else "") for wish in wishes]
    assert [raw.flagged(lab, message) for message in queued] == list(wishes)


@pytest.mark.parametrize("how", ["mail", "rcpt", "data"])
def test_after_a_refused_message(wire, how):
    """A flagged message that an ACL refuses leaves nothing to the next one."""
    bad = "  deny senders = bad@lab.example\n  accept\n"
    raw.server(wire, acl="acl_check_mail:\n" + (bad if how == "mail" else "  accept\n"),
               replace={"acl_check_rcpt:\n  accept\n":
                        "acl_check_rcpt:\n" + (bad if how == "rcpt" else "  accept\n"),
                        "acl_check_data:\n  accept\n":
                        "acl_check_data:\n" + (bad if how == "data" else "  accept\n")})
    with Client(wire).secure() as client:
        codes = [client.mail("REQUIRETLS", "bad@lab.example").code]
        if how != "mail":
            codes.append(client.ask(f"RCPT TO:<{BOB}>").code)
        if how == "data":
            assert client.ask("DATA").code == 354
            codes.append(client.ask("Subject: x\r\n\r\nx\r\n.").code)
        assert codes[-1] == 550
        if how == "rcpt":
            client.ask("RSET")
        assert client.mail().code == 250
        assert not raw.flagged(wire, client.rest())


def test_starttls_resets_it(wire):
    """What an ACL flagged in clear is gone inside TLS."""
    raw.server(wire, acl="acl_check_mail:\n  warn !encrypted = *\n       control = requiretls\n"
               "  accept message = flag=$requiretls\n")
    with Client(wire) as client:
        client.ehlo()
        assert client.good_mail()
        client.starttls()
        client.ehlo()
        assert client.good_mail() is False
        assert not raw.flagged(wire, client.rest())


def test_pipelined(shared_server):
    """MAIL, RCPT and DATA in one write, and the parameter split over packets."""
    lab, client = shared_server
    answers = client.ask_all([f"MAIL FROM:<{ALICE}> REQUIRETLS", f"RCPT TO:<{BOB}>", "DATA"])
    assert [answer.code for answer in answers] == [250, 250, 354]
    assert raw.flagged(lab, raw.queue_id(client.ask("Subject: x\r\n\r\nx\r\n.")))
    for part in (f"MAIL FROM:<{ALICE}> REQ", "UIRE", "TLS", "\r", "\n"):
        client.send(part)
    assert client.reply().text == "flag=yes"


def test_bdat(shared_server):
    """Three messages by BDAT in one write; only that in the middle is flagged."""
    lab, client = shared_server
    text = "Subject: x\r\n\r\nx\r\n"
    lines = []
    for words in ("", " REQUIRETLS BODY=8BITMIME", ""):
        lines += [f"MAIL FROM:<{ALICE}>{words}", f"RCPT TO:<{BOB}>", f"BDAT {len(text)} LAST"]
    client.send("".join(line + "\r\n" + (text if line.startswith("BDAT") else "")
                        for line in lines))
    answers = [client.reply() for _ in lines]
    queued = [re.search(r"id=(\S+)", answer.text)[1] for answer in answers[2::3]]
    assert [raw.flagged(lab, message) for message in queued] == [False, True, False]


def test_log_and_received_of_a_flagged_message(shared_server):
    """The exact words: in the "<=" line behind the protocol, in Received: as a comment."""
    lab, client = shared_server
    queued = client.message("REQUIRETLS")
    assert re.search(r" P=esmtps .*\bX=\S+ .*REQUIRETLS", raw.arrival_line(lab, queued))
    assert "\n\t(REQUIRETLS) (Exim " in raw.spool_header(lab, queued)
    assert raw.envelope_lines(lab, queued).count("-requiretls") == 1


def test_empty_sender(shared_server):
    """A bounce that comes with the parameter is flagged as any other message."""
    lab, client = shared_server
    assert client.ask("MAIL FROM:<> REQUIRETLS").code == 250
    assert raw.flagged(lab, client.rest())


# --- control = requiretls ---------------------------------------------------------------

@pytest.mark.parametrize("option", ["mail", "rcpt", "predata", "data", "mime"])
def test_control(wire, option):
    """In each ACL of a message: flagged in spool, log and Received."""
    acl = ("acl_flag:\n  warn senders = board@lab.example\n       control = requiretls\n"
           "  accept\nacl_any:\n  accept\n")
    options = {"acl_smtp_mail": "acl_any", f"acl_smtp_{option}": "acl_flag"}
    given = {f"{name} = {old}\n": "" for name, old in GIVEN_ACLS.items() if name in options}
    raw.server(wire, "".join(f"{name} = {value}\n" for name, value in options.items()), acl,
               replace=given)
    with Client(wire) as client:
        client.ehlo()
        for sender, flag in (("board@lab.example", True), (ALICE, False)) * 2:
            assert client.mail(sender=sender).code == 250
            assert raw.flagged(wire, client.rest(text=MIME_TEXT)) == flag


@pytest.mark.parametrize("option", ["not_smtp", "not_smtp_start"])
def test_control_for_local_mail(wire, option):
    """The ACLs of mail that comes on standard input."""
    raw.configure(wire, f"acl_{option} = acl_local\n",
                  raw.ACL + "\nacl_local:\n  accept control = requiretls\n")
    assert raw.flagged(wire, wire.send(ALICE, [BOB], via="t", queue_only=True)[0])


def test_control_takes_no_value_off(wire):
    """There is no way back: an option on it is a configuration error."""
    raw.server(wire, acl="acl_check_mail:\n  accept control = requiretls/no\n")
    with Client(wire).secure() as client:
        assert client.mail().code == 451
    wire.settle()
    forget_panic(wire, "control") if wire.paniclog() else None


FORBIDDEN = {
    "connect": [], "helo": ["EHLO x"], "starttls": ["EHLO x", "STARTTLS"],
    "vrfy": ["EHLO x", f"VRFY {BOB}"], "expn": ["EHLO x", "EXPN x"], "etrn": ["EHLO x", "ETRN #x"],
    "auth": ["EHLO x", f"AUTH PLAIN {LOGIN}"],
    "mailauth": ["EHLO x", f"AUTH PLAIN {LOGIN}", f"MAIL FROM:<{ALICE}> AUTH=x"],
    "quit": ["QUIT"],
}


@pytest.mark.parametrize("option", FORBIDDEN)
def test_control_where_no_message_is(wire, option):
    """Anywhere else it is a configuration error, which is told in the log."""
    raw.server(wire, f"acl_smtp_{option} = acl_wrong\n",
               raw.ACL + "\nacl_wrong:\n  accept control = requiretls\n")
    try:
        with Client(wire) as client:
            codes = [client.banner.code] + [client.ask(line).code for line in FORBIDDEN[option]]
    except ConnectionError:
        codes = [451]
    assert option == "quit" or codes[-1] // 100 in (4, 5), codes
    wire.settle()
    log = (wire.state / "sender/log/mainlog").read_text()
    assert re.search(r'cannot use "control=requiretls" in .+ ACL', log)
    if wire.paniclog():
        forget_panic(wire, "control=requiretls")


# --- the module's local_scan() ------------------------------------------------------------

@pytest.mark.parametrize("tag,flag", [("+requiretls", True), ("", False)])
def test_local_scan_flags(wire_site, tag, flag):
    """The tag of the recipient's address sets Exim's own flag: also in log and Received."""
    queued = wire_site.lab.send(ALICE, [f"bob{tag}@enforce.example"], queue_only=True)[0]
    assert raw.flagged(wire_site.lab, queued) == flag


# --- command line -------------------------------------------------------------------------

def test_version_tells_of_it(wire):
    """exim -bV names it among what is supported."""
    shown = wire.exec(["exim4", "-bV"]).stdout
    assert re.search(r"^Support for:.* REQUIRETLS\b", shown, re.MULTILINE)


def test_variable_without_a_message(wire):
    """exim -be: it is no."""
    assert wire.exec(["exim4", "-be", "$requiretls ${if bool{$requiretls}{x}{y}}"]
                     ).stdout.strip() == "no y"


TEXT = f"From: {ALICE}\nTo: {BOB}\nSubject: x\n\nx\n"


def queued_ids(lab):
    """Ids of all messages on the queue."""
    return sorted(path.name.removesuffix("-H")
                  for path in (lab.state / "sender/spool/input").glob("*-H"))


@pytest.mark.parametrize("how", [["-t"], ["-bm", BOB], ["-oi", BOB], ["-oRR", "-t"]], ids=str)
@pytest.mark.parametrize("flag", [True, False])
def test_option_of_anybody(wire, how, flag):
    """-oR by a user without rights; a word that only begins like it is an error."""
    raw.configure(wire)
    bad = how[0] == "-oRR"
    done = wire.exec(["exim4", "-odq", *(["-oR"] if flag else []), *how], input=TEXT,
                     user="daemon", check=False)
    assert (done.returncode == 0) == (not bad), done.stderr
    assert [raw.flagged(wire, message) for message in queued_ids(wire)] == (
        [] if bad else [flag])


def session(*messages):
    """An SMTP session on standard input, without waiting for replies."""
    lines = ["EHLO x"]
    for params in messages:
        lines += [f"MAIL FROM:<{ALICE}> {params}".rstrip(), f"RCPT TO:<{BOB}>", "DATA",
                  "Subject: x", "", "x", "."]
    return "".join(line + "\r\n" for line in [*lines, "QUIT"])


@pytest.mark.parametrize("flag", [True, False])
def test_option_with_bs(wire, flag):
    """All messages of the session, also after RSET."""
    raw.configure(wire)
    dialogue = session("", "").replace("QUIT", f"MAIL FROM:<{ALICE}>\r\nRSET\r\nQUIT")
    wire.exec(["exim4", "-odq", *(["-oR"] if flag else []), "-bs"], user="daemon",
              input=dialogue + session("")[8:])
    assert [raw.flagged(wire, message) for message in queued_ids(wire)] == [flag] * 2


@pytest.mark.parametrize("flag", [True, False])
def test_option_with_batch(wire, flag):
    """-bS: all messages of the batch."""
    raw.configure(wire)
    wire.exec(["exim4", "-odq", *(["-oR"] if flag else []), "-bS"],
              input=session("", ""))
    assert [raw.flagged(wire, message) for message in queued_ids(wire)] == [flag] * 2


@pytest.mark.parametrize("mode", ["-bs", "-bS"])
@pytest.mark.parametrize("params", ["REQUIRETLS", "REQUIRETLS=", "SIZE=1 REQUIRETLS"])
def test_parameter_on_standard_input(wire, mode, params):
    """There is no TLS: the parameter is refused, and such a message is not accepted."""
    raw.configure(wire)
    done = wire.exec(["exim4", "-odq", mode], input=session(params), check=False)
    assert queued_ids(wire) == []
    if mode == "-bs":
        assert re.search(r"^5(55|01) ", done.stdout, re.MULTILINE)
    else:
        assert done.returncode != 0 and re.search(r"\b5(55|01)\b", done.stdout + done.stderr)
