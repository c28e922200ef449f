"""Mail that is not flagged is the same with and without the patches, byte for byte.

Two labs, one with the stock Exim on both sides and one with the patched one, get the same
configurations, go through the same deliveries and must leave the same behind: what was on the
wire (both directions, at scripted hosts and between Exims), log lines of both sides, DSNs and
mailboxes, what a client is told, and spool files. Only what differs in any two runs is put
aside: times, ids, ports, process numbers, random boundaries and session keys.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import patched
import raw
import stock
from inject import dialogue
from mail import ALICE
from raw import BOB, Client

SCRIPTED = "192.0.2.36"         # s6.smtp.example: nopolicy-scripted, secure-scripted
BODY = "Subject: same\nMessage-ID: <same@lab.example>\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n"


@pytest.fixture(scope="module")
def two_labs():
    """(stock, patched). The patched one offers REQUIRETLS nowhere."""
    stock_exim, patched_exim = str(stock.stock_path()), str(patched.exim_path())
    with (patched.lab_in("lab-stock", exim=stock_exim, mx_exim=stock_exim) as first,
          patched.lab_in("lab-patched", exim=patched_exim, mx_exim=patched_exim) as second):
        yield [first, second]


@pytest.fixture(name="labs")
def clean_labs(two_labs):
    """Both, reset."""
    for lab in two_labs:
        lab.reset()
        lab.write_sender_conf(lab.sender_conf())
    return two_labs


# --- what a run leaves behind -----------------------------------------------------------

# Ids: tttttt-pppppp-ss, or tttttt-ppppppppppp-ssss since 4.97.
ID = (r"(?<![0-9A-DF-Za-z])1[0-9A-Za-z]{5}-"
      r"(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})\b")
CHANGING = [
    (ID, "ID"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4})?", "TIME"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "DATE"),
    (r"\b\d{10}-eximdsn-\d+", "BOUNDARY"),
    (r"(?<=\]:)\d{5}\b", "PORT"), (r"\bport=\d{5}\b", "port=PORT"),
    (r"\bpid=\d+", "pid=N"), (r"(?<=SESSIONPID )\d+", "N"),
    (r"\b(QT|DT|RT|D|ct)=\d*\.?\d+m?s", r"\1=T"), (r"\b(QT|DT|RT|D)=\S+s\b", r"\1=T"),
    (r"(?m)^From (\S+) .*$", r"From \1"),
    (r"\b\d{10}(\.\d+)?\b", "EPOCH"), (r"(?m)^-received_time\S* .*$", "-received_time"),
    (r"(?m)^-tls_ourcert .*$", "-tls_ourcert"), (r"(?m)^-tls_peercert .*$", "-tls_peercert"),
    # How a broken handshake shows depends on what came first.
    (r"\(gnutls_handshake\): [^:]*", "(gnutls_handshake): WHY"),
    (r"lab-(stock|patched)", "lab"), (r"connection count = \d+", "connection count = N"),
    # The boundary has one digit more or less; mailboxes are compared whole.
    (r"(?m)(?<= )S=\d+", "S=N"),
]


def normal(text):
    """Without what differs in any two runs."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


def sorted_log(text):
    """Processes that work side by side write in any order."""
    lines = [line for line in normal(text).splitlines() if "daemon started" not in line]
    return sorted(lines)


def left_behind(lab):
    """All of it, by name."""
    lab.settle(60)
    state = lab.state
    sessions = {}
    for event in lab.hung_up():
        sessions.setdefault(event["session"], []).append(
            (event["server"], event["dir"], normal(event["line"]), event["tls"]))
    return {
        "wire": sorted(sessions.values()),
        "mx log": sorted_log(lab.mx_log()),
        "received": sorted((m.ip, m.tls, m.mail_command, normal(m.message.decode("latin-1")))
                           for m in lab.received()),
        "log": sorted_log(lab.mainlog()),
        "reject log": sorted_log(read(state / "sender/log/rejectlog")),
        "panic log": sorted_log(lab.paniclog()),
        "mailboxes": {path.name: normal(read(path))
                      for path in sorted((state / "sender/mail").glob("*"))},
        "queue": sorted((q.sender, q.recipients, q.frozen) for q in lab.queue()),
        "spool": sorted(normal(read(path))
                        for path in (state / "sender/spool/input").glob("*-H")),
    }


def read(path):
    """A file, or nothing."""
    return path.read_text(encoding="latin-1") if path.exists() else ""


def assert_same(labs, run):
    """The same run in both labs leaves the same; returns what the patched one left."""
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(run, labs))
    found = [left_behind(lab) for lab in labs]
    assert said[0] == said[1]
    for part in found[0]:
        assert found[0][part] == found[1][part], part
    return found[1]


# --- what is sent ------------------------------------------------------------------------

SELECTOR = "+all -pid -arguments"


def conf(lab, *changes):
    """Change the plain configuration."""
    text = lab.sender_conf().replace("log_selector = ", f"log_selector = {SELECTOR} ")
    text = text.replace("never_users = root\n", "never_users = root\nqueue_run_in_order\n")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    lab.write_sender_conf(text)


def send(lab, *recipients, sender=ALICE, mail_params="", rcpt_params="", body="x\n", args=(),
         via="bs"):
    """The same message each time."""
    message = f"{BODY}From: {sender or ALICE}\nTo: {recipients[0]}\n\n{body}"
    if via == "bs":
        return normal(lab.smtp(dialogue(sender, recipients, message, mail_params, rcpt_params),
                               ["-odf", *args]))
    return lab.exec(["exim4", "-odf", "-oi", *args, "-f", sender, *recipients],
                    input=message).stdout


IN_CONF = ("  hosts_try_dane = *\n", "  hosts_try_dane = *\n  OPTION\n")
PLAIN = [
    "bob@nopolicy.example",                 # TLS, verified
    "bob@nopolicy-notls.example",           # in clear
    "bob@nopolicy-selfsigned.example",      # certificate is bad, tried only
    "bob@enforce-expired.example", "bob@enforce-wrongname.example",
    "bob@enforce-cnonly.example",
    "bob@dane-good.example", "bob@dane-bad.example", "bob@dane-notlsa.example",
    "bob@tlsafail.example",
    "bob@secure.example", "bob@implicit.example", "bob@ipv6.example",
    "bob@nullmx.example", "bob@secure-nullmx.example",
    "bob@enforce-down.example",             # connection refused
    "bob@enforce-plain.example", "bob@enforce-close.example", "bob@enforce-garbage.example",
    "bob@enforce-4xx.example", "bob@nopolicy-scripted.example",
    "bob@enforce-requiretls.example",       # the host tells REQUIRETLS
    "bob@enforce-fallback.example", "bob@enforce-badfirst.example",
    "bob@nosuch.example", "nobody@lab.example", BOB,
]


@pytest.mark.parametrize("recipient", PLAIN)
def test_one_recipient(labs, recipient):
    """Each kind of domain and host; then what has to wait is tried again."""
    def run(lab):
        conf(lab)
        said = send(lab, recipient)
        lab.run_queue()
        return said
    assert_same(labs, run)


SCRIPTS = ["good", "plain", "starttls-close", "starttls-garbage", "starttls-abort",
           "starttls-4xx", "starttls-5xx", "tls12", "banner-421", "banner-554",
           "reject-mail-4xx", "reject-mail-5xx", "reject-rcpt-4xx", "reject-rcpt-5xx",
           "reject-data-4xx", "reject-data-5xx", "close-at-dot", "requiretls",
           "requiretls-outside", "requiretls-4xx", "requiretls-5xx"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripted_host(labs, script):
    """Everything a host can do; on the wire each byte in both directions."""
    def run(lab):
        conf(lab, ("acl_smtp_rcpt", "dsn_advertise_hosts = *\nacl_smtp_rcpt"))
        lab.set_behaviour(SCRIPTED, script)
        return [send(lab, f"bob@{domain}", mail_params=mail, rcpt_params=rcpt, body="body\n" * 3)
                for domain, mail, rcpt in (
                    ("nopolicy-scripted.example", "", ""),
                    ("secure-scripted.example", "RET=FULL ENVID=a", "NOTIFY=SUCCESS,FAILURE"))]
    left = assert_same(labs, run)
    assert left["wire"]


OPTIONS = ["hosts_require_tls = *", "tls_verify_hosts = *", "hosts_avoid_tls = *",
           "hosts_avoid_esmtp = *", "tls_verify_cert_hostnames =", "tls_try_verify_hosts =",
           "tls_tempfail_tryclear = false", "hosts_require_dane = *", "hosts_try_chunking =",
           "hosts_pipe_connect = *", "tls_resumption_hosts = *", "protocol = lmtp",
           "protocol = smtps\\n  port = 465", "max_rcpt = 1",
           "hosts_avoid_pipelining = *", "hosts_request_ocsp =", "hosts_noproxy_tls = *",
           "fallback_hosts = good.mail.example", "hosts_max_try = 1"]


@pytest.mark.parametrize("option", OPTIONS)
def test_transport_options(labs, option):
    """Options that touch what the patches touch."""
    option = option.replace("\\n", "\n")

    def run(lab):
        conf(lab, (IN_CONF[0], IN_CONF[1].replace("OPTION", option)))
        return [send(lab, recipient) for recipient in (
            "bob@nopolicy-scripted.example", "bob@nopolicy-notls.example",
            "bob@dane-bad.example", "bob@nopolicy-selfsigned.example",
            "bob@enforce-4xx.example", "bob@enforce-close.example")]
    assert_same(labs, run)


def test_arguments_of_child_processes(labs):
    """Exim starts itself for a bounce with the same arguments (log_selector = +arguments)."""
    def run(lab):
        conf(lab, (SELECTOR, "+all -pid"))
        return send(lab, "nobody@lab.example")
    assert "args: /usr/sbin/exim4 -odi -t" in str(assert_same(labs, run)["log"])


def test_many_recipients(labs):
    """Several domains and hosts in one message; one fails, one waits."""
    def run(lab):
        conf(lab, ("never_users = root\n", "never_users = root\nremote_max_parallel = 1\n"))
        return send(lab, "a@nopolicy.example", "b@nopolicy.example", "c@shared-b.example",
                    "d@nopolicy-notls.example", "e@enforce-down.example", "nobody@lab.example",
                    BOB, "f@nopolicy-scripted.example", "g@nopolicy-scripted.example")
    assert_same(labs, run)


def test_continued_connections(labs):
    """Messages that wait for a host go over one connection after it came back."""
    def run(lab):
        conf(lab, ("never_users = root\n", "never_users = root\nremote_max_parallel = 1\n"))
        for host in ("down.smtp.example", "s6.smtp.example"):
            lab.set_mx("nopolicy-scripted.example", [f"10 {host}"])
            if host == "down.smtp.example":
                for name in "abc":
                    send(lab, f"{name}@nopolicy-scripted.example")
        lab.exec(["exim4", "-qqff"])
    left = assert_same(labs, run)
    assert len(left["wire"]) == 1 and left["queue"] == []


@pytest.mark.parametrize("notify", ["", "NOTIFY=FAILURE", "NOTIFY=SUCCESS", "NOTIFY=NEVER",
                                    "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;x@y.example"])
def test_dsn(labs, notify):
    """Success, failure, relayed: the DSN in full."""
    def run(lab):
        conf(lab, ("acl_smtp_rcpt", "dsn_advertise_hosts = *\nacl_smtp_rcpt"))
        lab.set_behaviour(SCRIPTED, "reject-rcpt-5xx", rcpt="550 5.7.1 no")
        return [send(lab, recipient, mail_params=params, rcpt_params=notify)
                for params in ("", "RET=HDRS", "RET=FULL ENVID=a+20b")
                for recipient in (BOB, "nobody@lab.example", "bob@nopolicy-notls.example",
                                  "bob@nopolicy-scripted.example")]
    assert_same(labs, run)


def test_delay_warning(labs):
    """The warning about a message that waits."""
    def run(lab):
        conf(lab, ("acl_smtp_rcpt", "delay_warning = 1s\ndelay_warning_condition = yes\n"
                   "acl_smtp_rcpt"))
        send(lab, "bob@enforce-down.example")
        time.sleep(2)
        lab.run_queue()
    left = assert_same(labs, run)
    assert "Warning" in left["mailboxes"]["alice"]


def test_redirection_and_autoreply(labs):
    """Aliases, an autoreply, a filter that sends mail, a pipe with output."""
    routers = ("begin routers\n", """begin routers

alias:
  driver = redirect
  data = ${if eq{$local_part@$domain}{carol@lab.example}{bob@nopolicy.example, dave@lab.example}}

vacation:
  driver = accept
  domains = lab.example
  local_parts = dave
  transport = vacation
  unseen

""")
    transports = ("begin transports\n", """begin transports

vacation:
  driver = autoreply
  user = Debian-exim
  to = $sender_address
  from = dave@lab.example
  subject = Re: $h_subject:
  text = away
  return_message
  headers = Auto-Submitted: auto-replied

""")

    def run(lab):
        conf(lab, routers, transports)
        return send(lab, "carol@lab.example"), send(lab, "dave@lab.example", via="args")
    assert_same(labs, run)


@pytest.mark.parametrize("acl", [
    "require verify = recipient/callout=5s,use_postmaster",
    "require verify = recipient/callout=5s,hold",
    "require verify = sender/callout=5s",
    "warn control = cutthrough_delivery\n  require verify = recipient",
    "warn control = cutthrough_delivery/defer=pass\n  require verify = recipient/callout",
])
@pytest.mark.parametrize("recipient", ["bob@nopolicy.example", "bob@nopolicy-scripted.example",
                                       "bob@nopolicy-notls.example"])
def test_callouts_and_cutthrough(labs, acl, recipient):
    """Connections that are opened while the message comes in."""
    def run(lab):
        conf(lab, ("acl_check_rcpt:\n", f"acl_check_rcpt:\n  {acl}\n"))
        return send(lab, recipient)
    assert_same(labs, run)


# --- what a client is told ------------------------------------------------------------------

SERVER = raw.MAIN.replace("tls_advertise_requiretls = *\n", "")
TALK = [
    "MAIL FROM:<alice@lab.example>", "RSET", "MAIL FROM:<alice@lab.example> SIZE=10", "RSET",
    "MAIL FROM:<alice@lab.example> XFOO", "MAIL FROM:<alice@lab.example> SIZE=x", "RSET",
    "MAIL FROM:<alice@lab.example> RET=HDRS RET=HDRS", "MAIL FROM:<alice@lab.example> BODY=x",
    "MAIL FROM:<alice@lab.example> SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=a", "RSET",
    "HELP", "VRFY bob", "EXPN bob", "ETRN x", "NOOP", "XFOO", "RCPT TO:<bob@lab.example>", "DATA",
    "HELO client.lab.example", "MAIL FROM:<alice@lab.example> SIZE=10",
    "EHLO client.lab.example", "MAIL FROM:<a@b>X", "MAIL FROM:<a@b", "QUIT",
]


def server_conf(lab, changes=()):
    """A server with the plain configuration of this file."""
    acl = raw.ACL.replace("flag=$requiretls", "welcome")
    conf(lab, ("begin acl\n", SERVER + "\nbegin acl\n" + acl), *changes)
    text = (lab.state / "etc/exim4/exim4.conf").read_text()
    lab.write_sender_conf(text + raw.AUTHENTICATORS)
    lab.start_daemon()


@pytest.mark.parametrize("tls", [True, False])
def test_replies_to_a_client(labs, tls):
    """EHLO in clear and in TLS, good and bad commands, submission, DATA and BDAT."""
    def run(lab):
        server_conf(lab)
        with Client(lab) as client:
            said = [client.banner, client.ask("EHLO client.lab.example")]
            if tls:
                client.starttls()
                said.append(client.ask("EHLO client.lab.example"))
            said.append(client.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA=="))
            text = "Subject: x\r\n\r\nx\r\n"
            for last in ("DATA", f"BDAT {len(text)} LAST"):
                said.append(client.ask("MAIL FROM:<alice@lab.example> BODY=8BITMIME"))
                said.append(client.ask("RCPT TO:<bob@lab.example>"))
                said.append(client.ask(last + ("\r\n" + text[:-2] if last != "DATA" else "")))
                if last == "DATA":
                    said.append(client.ask(text + "."))
            said += [client.ask(line) for line in TALK]
        lab.run_queue()
        return [(answer.code, normal(answer.text)) for answer in said]
    assert_same(labs, run)


def test_options_and_macros(labs):
    """-bP shows the options of the stock Exim and three more; nothing else is new."""
    shown = [lab.exec(["exim4", "-bP"]).stdout.splitlines() for lab in labs]
    names = [{line.split(" =")[0] for line in lines} for lines in shown]
    more = names[1] - names[0]
    assert names[0] - names[1] == set()
    assert all("requiretls" in name for name in more) and len(more) in (2, 3), more


@pytest.mark.parametrize("line", ["250-REQUIRETLS", "x"])
def test_a_difference_would_be_seen(labs, line):
    """One more line in the EHLO reply of one lab, or one more header, fails such a test."""
    def run(lab):
        extra = lab is labs[1]
        if line == "x":
            old = "acl_check_data:\n  accept"
            conf(lab, *([(old, f"{old} add_header = X: y")] if extra else []))
            return send(lab, BOB)
        server_conf(lab, [("tls_advertise_hosts = *\n",
                           "tls_advertise_hosts = *\ntls_advertise_requiretls = *\n")]
                    if extra else [])
        with Client(lab).secure() as client:
            return client.keywords
    with pytest.raises(AssertionError):
        assert_same(labs, run)
