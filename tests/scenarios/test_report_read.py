"""`exim-requiretls report read`: TLS reports that others sent, in the shapes that large senders
give them, and in none. Only the reports of our own need the lab."""

import base64
import gzip
import json
import os
import quopri
import signal
import subprocess
import threading
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import dkim
import pytest

import raw
from failing import KINDS, PROGRAM as FAILING_PROGRAM
from test_inject import fixture_failing  # noqa: F401  pylint: disable=unused-import
from test_report import SPOOL, date_of, full_journal
from test_report import fixture_reporter  # noqa: F401  pylint: disable=unused-import
from test_tool import PROGRAM, ROOT, numbered, run

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")

ESC = "\x1b[31m"
STS = {"policy-type": "sts",
       "policy-string": ["version: STSv1", "mode: enforce", "mx: mx.bank.example",
                         "max_age: 604800"],
       "policy-domain": "bank.example", "mx-host": ["mx.bank.example"]}
START, END = "2026-11-20T00:00:00Z", "2026-11-20T23:59:59Z"


def policy(policy=None, good=7, failed=0, *details):
    """One element of policies."""
    element = {"policy": policy or STS,
               "summary": {"total-successful-session-count": good,
                           "total-failure-session-count": failed}}
    if details:
        element["failure-details"] = list(details)
    return element


def report(name, *policies, start=START, end=END, **changes):
    """A report."""
    whole = {"organization-name": name,
             "date-range": {"start-datetime": start, "end-datetime": end},
             "contact-info": "tls@sender.example", "report-id": f"id-of-{name}",
             "policies": list(policies)}
    whole.update({key.replace("_", "-"): value for key, value in changes.items()})
    return whole


def detail(result, count, **more):
    """One element of failure-details."""
    return {"result-type": result, "failed-session-count": count,
            **{key.replace("_", "-"): value for key, value in more.items()}}


def no_policy(domain="bank.example"):
    """The policy of a domain that has none."""
    return {"policy-type": "no-policy-found", "policy-domain": domain}


# --- shapes of senders ----------------------------------------------------------------

# Name: (the report, what is to be noted).
SENDERS = {
    # No failure-details without failures.
    "google": (report("Mountain Inc.", policy(), report_id="2026-11-20T00:00:00Z_bank.example"),
               []),
    # Times without a zone, no policy-string, fetch errors without hosts.
    "microsoft": (report(
        "Redmond Corp.",
        policy({"policy-type": "sts", "policy-domain": "bank.example"}, 11, 2,
               detail("certificate-host-mismatch", 1, sending_mta_ip="2001:db8::5",
                      receiving_mx_hostname="mx.bank.example", receiving_ip=""),
               detail("sts-policy-fetch-error", 1)),
        start="2026-11-20T00:00:00", end="2026-11-20T23:59:59"),
        ["date-range: a time without a zone, taken as UTC (2 times)",
         "policies[0].failure-details[0]: receiving-ip: empty instead of left out",
         "policies[0]: policy-string: left out"]),
    # A policy that could not be fetched has no text.
    "mail.ru": (report(
        "Post",
        policy({"policy-type": "sts", "policy-domain": "bank.example"}, 0, 3,
               detail("sts-policy-fetch-error", 3, failure_reason_code="http status 404")),
        policy(no_policy(), 5, 0)), []),
    # mx-host as one text, as in RFC 8460 itself (EID 6241); the old name of the reason.
    "comcast": (report(
        "Cable",
        policy({**STS, "mx-host": "mx.bank.example"}, 1, 1,
               detail("validation-failure", 1, failure_error_code="handshake"))),
        ["policies[0]: mx-host: one text instead of an array",
         "policies[0].failure-details[0]: failure-error-code instead of failure-reason-code"]),
    "dane": (report(
        "Sovereign",
        policy({"policy-type": "tlsa", "policy-string": ["3 1 1 " + 64 * "AB"],
                "policy-domain": "mx.bank.example"}, 9, 1,
               detail("tlsa-invalid", 1, receiving_mx_hostname="mx.bank.example"))), []),
}


def message(whole, *, kind="application/tlsrpt+gzip", encoding="base64", outer="report",
            name="s!bank.example!1795132800!1795219199!001.json.gz", fields=True,
            packed=True):
    """A report in a message, as bytes."""
    data = json.dumps(whole).encode()
    data = gzip.compress(data) if packed else data
    body = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring,
            "8bit": bytes, "binary": bytes}[encoding](data)
    tls = ("TLS-Report-Domain: bank.example\nTLS-Report-Submitter: sender.example\n"
           if fields else "")
    outer_type = {"report": 'multipart/report; report-type="tlsrpt"',
                  "mixed": "multipart/mixed"}[outer]
    return f"""Return-path: <noreply@sender.example>
From: Sender <noreply@sender.example>
To: tlsrpt@bank.example
Subject: Report Domain: bank.example Submitter: sender.example
 Report-ID: <2026.11.20T00.00.00Z+bank.example@sender.example>
{tls}MIME-Version: 1.0
Content-Type: {outer_type};
\tboundary="0000000000009ab2c5061e13"

--0000000000009ab2c5061e13
Content-Type: text/plain; charset="UTF-8"

This is an aggregate TLS report.

--0000000000009ab2c5061e13
Content-Type: {kind};
\tname="{name}"
Content-Disposition: attachment; filename="{name}"
Content-Transfer-Encoding: {encoding}

""".encode() + body + b"\n--0000000000009ab2c5061e13--\n"


def read(*args, status=0, stdin=b""):
    """The entries of --json."""
    done = run("report", "read", "--json", *map(str, args), stdin=stdin)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def text(*args, status=0, stdin=b""):
    """What people read: printable, whatever was in it."""
    done = run("report", "read", *map(str, args), stdin=stdin)
    assert done.returncode == status, done.stderr
    for words in (done.stdout, done.stderr):
        assert all(" " <= c <= "~" or c == "\n" for c in words)
    assert all(len(line) <= 300 for line in done.stdout.splitlines())
    return done.stdout


def normal(whole):
    """A report as it is to come out, if nothing had to be understood."""
    whole = json.loads(json.dumps(whole))
    for element in whole["policies"]:
        element.setdefault("failure-details", [])
        element["policy"].setdefault("policy-string", [])
        element["policy"].setdefault("mx-host", [])
    return whole


@pytest.mark.parametrize("sender", SENDERS)
def test_senders(sender):
    """In each way it may come: the same report, and what was odd about it."""
    whole, notes = SENDERS[sender]
    data = json.dumps(whole).encode()
    ways = [data, gzip.compress(data), b"\n" + data, message(whole),
            message(whole).replace(b"\n", b"\r\n"),
            b"From a@b.example Sat Nov 21 00:00:00 2026\n" + message(whole),
            message(whole, encoding="quoted-printable", packed=False,
                    kind="application/tlsrpt+json"),
            message(whole, encoding="8bit", packed=False, kind="application/tlsrpt+json"),
            message(whole, encoding="binary")]
    entries = [read("-", stdin=way) for way in ways]
    first = entries[0][0]
    assert first["notes"] == notes
    if not notes:
        assert first["report"] == normal(whole)
    for (entry,) in entries:
        assert entry["report"] == first["report"] and entry["notes"] == notes
    # And what came out needs no more understanding.
    ((again,),) = [read("-", stdin=json.dumps(first["report"]))]
    assert again["report"] == first["report"]
    assert [note for note in again["notes"] if "left out" not in note] == []


def test_what_is_understood():
    """The odd ones in full."""
    (entry,) = read("-", stdin=json.dumps(SENDERS["microsoft"][0]))
    assert entry["report"]["date-range"] == {"start-datetime": START, "end-datetime": END}
    assert entry["report"]["policies"][0]["policy"]["policy-string"] == []
    assert entry["report"]["policies"][0]["failure-details"] == [
        detail("certificate-host-mismatch", 1, sending_mta_ip="2001:db8::5",
               receiving_mx_hostname="mx.bank.example"),
        detail("sts-policy-fetch-error", 1)]
    (entry,) = read("-", stdin=json.dumps(SENDERS["comcast"][0]))
    assert entry["report"]["policies"][0]["policy"]["mx-host"] == ["mx.bank.example"]
    assert entry["report"]["policies"][0]["failure-details"] == [
        detail("validation-failure", 1, failure_reason_code="handshake")]


@pytest.mark.parametrize("changes, notes", [
    ({"outer": "mixed"}, ["message: not a multipart/report with report-type=tlsrpt"]),
    ({"outer": "mixed", "kind": "application/gzip"},
     ["message: a part of type application/gzip instead of application/tlsrpt+gzip",
      "message: not a multipart/report with report-type=tlsrpt"]),
    ({"kind": "application/octet-stream", "name": "report"},
     ["message: a part of type application/octet-stream instead of application/tlsrpt+gzip"]),
    ({"name": "=?UTF-8?B?cmVwb3J0Lmpzb24uZ3o=?="}, []),
    ({"packed": False},
     ["message: a part of type application/tlsrpt+gzip instead of application/tlsrpt+json"]),
    ({"fields": False}, ["message: no field TLS-Report-Domain",
                         "message: no field TLS-Report-Submitter"]),
], ids=numbered)
def test_odd_messages(changes, notes):
    (entry,) = read("-", stdin=message(SENDERS["google"][0], **changes))
    assert entry["report"] == normal(SENDERS["google"][0]) and entry["notes"] == notes
    assert entry["message"]["from"] == "Sender <noreply@sender.example>"
    assert entry["message"]["subject"].startswith("Report Domain: bank.example Submitter: ")
    assert entry["message"]["domain"] == ("bank.example" if changes.get("fields", True) else "")


def test_header_disagrees():
    """The JSON counts (RFC 8460, section 5.6), and it is said."""
    raw = message(SENDERS["google"][0]).replace(
        b"TLS-Report-Domain: bank", b"TLS-Report-Domain: shop").replace(
        b"Submitter: sender.example\nMIME", b"Submitter: other.example\nMIME")
    (entry,) = read("-", stdin=raw)
    assert entry["notes"] == ["message: TLS-Report-Domain is another domain",
                              "message: TLS-Report-Submitter is not the domain of contact-info"]
    assert entry["message"]["domain"] == "shop.example"
    assert entry["report"]["policies"][0]["policy"]["policy-domain"] == "bank.example"
    # The domain of a TLSA record is that of the host.
    (entry,) = read("-", stdin=message(SENDERS["dane"][0]))
    assert entry["notes"] == []
    # Nor does a report about nothing disagree.
    (entry,) = read("-", stdin=message(report("X")))
    assert entry["notes"] == []


# --- for people -----------------------------------------------------------------------

def test_words():
    """Who, about whom, when, how many, what failed and what to do."""
    whole = report("Mountain Inc.", policy(
        None, 7, 3,
        detail("certificate-expired", 2, sending_mta_ip="192.0.2.1",
               receiving_mx_hostname="mx.bank.example", receiving_ip="2001:db8::25",
               receiving_mx_helo="mx.bank.example", failure_reason_code="expired yesterday",
               additional_information="https://mountain.example/1"),
        detail("validation-failure", 1, receiving_mx_hostname="evil.example",
               failure_reason_code="sts-mx-mismatch")))
    assert text("-", stdin=json.dumps(whole)) == """\
Mountain Inc., tls@sender.example
  on 2026-11-20 (UTC)
  report id-of-Mountain Inc.
  in -
  MTA-STS policy of bank.example, mode enforce: 7 good, 3 failed (30.0 %)
         2  certificate-expired: the certificate expired
            from 192.0.2.1
            to mx.bank.example [2001:db8::25]
            which calls itself mx.bank.example
            reason: expired yesterday
            more: https://mountain.example/1
         1  validation-failure: TLS failed or the policy was not met
            to evil.example
            reason: sts-mx-mismatch
  What to do:
    certificate-expired: renew the certificate of the MX host, and see that
      the mail server loads the new one
    sts-mx-mismatch: the MX host is not in the MTA-STS policy: add it there
      and publish a new id

"""


@pytest.mark.parametrize("result, words", [
    ("starttls-not-supported", "firewalls"), ("certificate-host-mismatch", "MX record"),
    ("certificate-not-trusted", "intermediate"), ("tlsa-invalid", "before the certificate"),
    ("dnssec-invalid", "DS record"), ("dane-required", "TLSA"),
    ("sts-policy-fetch-error", "well-known"), ("sts-policy-invalid", "parse sts-policy"),
    ("sts-webpki-invalid", "web server"), ("validation-failure", "s_client"),
])
def test_advice(result, words):
    whole = report("X", policy(None, 1, 1, detail(result, 1)))
    said = text("-", stdin=json.dumps(whole))
    assert words in " ".join(said.partition("What to do:")[2].split())


def test_shares():
    """Percentages are of all sessions; few are not none."""
    for good, failed, words in ((0, 0, "0 good, 0 failed\n"), (5, 0, "5 good, 0 failed\n"),
                                (0, 5, "0 good, 5 failed (100.0 %)\n"),
                                (99999, 1, "1 failed (less than 0.1 %)\n")):
        whole = report("X", policy(None, good, failed))
        assert words in text("-", stdin=json.dumps(whole))


def test_terminal_is_safe(tmp_path):
    """No byte of a stranger's steers it, wherever it stands."""
    evil = f"{ESC}\u202e\x9b\x7f\r\nexim-requiretls: good \"x\" \\"
    whole = report(evil, policy({**STS, "policy-type": evil, "policy-domain": evil,
                                 "policy-string": [evil], "mx-host": [evil]}, 1, 1, detail(
        evil, 1, **{key: evil for key in (
            "sending_mta_ip", "receiving_mx_hostname", "receiving_mx_helo", "receiving_ip",
            "additional_information", "failure_reason_code")})),
        contact_info=evil, report_id=evil, **{evil: 1})
    raw = message(whole).replace(b"Sender <", ESC.encode() + b"\xff\x00 <")
    path = tmp_path / f"a{ESC}\nb"
    path.write_bytes(raw)
    said = text(path)
    assert "mail from \\xef\\xbf\\xbd[31m" in said and "\\x0ab" in said
    for entry in read(path):
        assert any("unknown member" in note for note in entry["notes"])
        for c in json.dumps(entry["report"], ensure_ascii=False):
            assert c >= " " and not "\x7f" <= c <= "\x9f"
    # JSON is ASCII, so that it can be looked at.
    assert run("report", "read", "--json", str(path)).stdout.isascii()
    path.write_bytes(b"{" + evil.encode())
    text(path, status=65)


def test_much_is_cut_short():
    """Of very long reports the beginning is shown; JSON has it all."""
    many = [policy(None, 1, 60, *[detail("certificate-expired", 1, failure_reason_code=str(i))
                                  for i in range(60)]) for _ in range(30)]
    data = json.dumps(report("X" * 5000, *many))
    said = text("-", stdin=data)
    assert "and 10 more kinds of failure" in said and "and 10 more policies" in said
    assert said.count("certificate-expired: the") == 20 * 50
    (entry,) = read("-", stdin=data)
    assert len(entry["report"]["policies"]) == 30
    assert len(entry["report"]["policies"][0]["failure-details"]) == 60


# --- directories ----------------------------------------------------------------------

@pytest.fixture(name="maildir")
def fixture_maildir(tmp_path):
    """Three reports, two other messages; tmp/ and folders do not count."""
    for name in ("new", "cur", "tmp", ".Junk"):
        (tmp_path / name).mkdir()
    (tmp_path / "new/1.host").write_bytes(message(SENDERS["google"][0]))
    (tmp_path / "new/2.host").write_bytes(message(SENDERS["microsoft"][0]))
    (tmp_path / "cur/3.host:2,S").write_bytes(message(SENDERS["dane"][0]))
    (tmp_path / "cur/4.host:2,S").write_bytes(b"Subject: hello\n\nHow are you?\n")
    (tmp_path / "cur/5.host:2,S").write_bytes(b"")
    (tmp_path / "tmp/6.host").write_bytes(b"{")
    (tmp_path / ".Junk/7").write_bytes(b"{")
    (tmp_path / "dovecot-uidlist").write_bytes(b"{")
    (tmp_path / "cur/.nfs0007").write_bytes(b"{")
    return tmp_path


def test_maildir(maildir):
    said = text(maildir)
    assert "2 files are no TLS reports\n" in said
    assert said.endswith("""
domain                                   reports       good     failed
bank.example                                   2         18          2 (10.0 %)
mx.bank.example                                1          9          1 (10.0 %)

reported by                              reports       good     failed
Mountain Inc.                                  1          7          0
Redmond Corp.                                  1         11          2 (15.4 %)
Sovereign                                      1          9          1 (10.0 %)
2 files are no TLS reports
""")
    assert said.endswith(text(maildir, "--summary"))
    assert [Path(entry["source"]).name for entry in read(maildir)] == [
        "1.host", "2.host", "3.host:2,S"]


def test_bad_files(maildir):
    """Each is told with its reason, and the rest goes on."""
    (maildir / "new/0.host").write_bytes(message(SENDERS["google"][0])[:-400])
    (maildir / "new/9.host").write_bytes(b"TLS-Report-Domain: bank.example\n\nlost\n")
    done = run("report", "read", "--json", str(maildir))
    assert done.returncode == 65 and len(json.loads(done.stdout)) == 3
    told = done.stderr.splitlines()
    assert len(told) == 2
    assert told[0].startswith(f"exim-requiretls: {maildir}/new/0.host: ")
    assert told[1] == (f"exim-requiretls: {maildir}/new/9.host: a message about a TLS report, "
                       "but without one")


def test_several_arguments(maildir, tmp_path_factory):
    """Files, directories and standard input, in that order; a plain directory."""
    plain = tmp_path_factory.mktemp("plain")
    (plain / "a.json.gz").write_bytes(gzip.compress(json.dumps(SENDERS["mail.ru"][0]).encode()))
    (plain / "b.txt").write_text("notes of mine\n")
    (plain / "sub").mkdir()
    (plain / "sub/c.json").write_text("{")
    (plain / "link").symlink_to(plain / "sub/c.json")
    os.mkfifo(plain / "fifo")
    entries = read(plain / "a.json.gz", "-", plain, maildir / "cur",
                   stdin=json.dumps(SENDERS["comcast"][0]))
    # The one of the directory was there already.
    assert [entry["report"]["organization-name"] for entry in entries] == [
        "Post", "Cable", "Sovereign"]
    said = text(plain, plain / "a.json.gz")
    assert "1 report was there more than once, counted once\n" in said
    assert "1 file is no TLS report\n" in said


def test_missing_and_named_files(tmp_path):
    """What was named has to be there, and has to be a report."""
    assert run("report", "read", str(tmp_path / "none")).returncode == 66
    good = tmp_path / "good"
    good.write_text(json.dumps(SENDERS["google"][0]))
    other = tmp_path / "other"
    other.write_text("Subject: hello\n\n")
    done = run("report", "read", "--summary", str(other), str(tmp_path / "none"), str(good))
    assert done.returncode == 65 and "bank.example" in done.stdout
    assert done.stderr.splitlines() == [
        f"exim-requiretls: {other}: no TLS report in it",
        f"exim-requiretls: {tmp_path}/none: No such file or directory"]
    other.unlink()
    good.unlink()
    assert text(tmp_path) == "no TLS reports\n"
    assert read(tmp_path) == []


def test_filters(maildir):
    def names(*args):
        return [entry["report"]["organization-name"] for entry in read(*args, maildir)]
    assert names("--failures") == ["Redmond Corp.", "Sovereign"]
    assert names("--domain", "BANK.example.") == ["Mountain Inc.", "Redmond Corp."]
    assert names("--failures", "--domain", "bank.example") == ["Redmond Corp."]
    assert names("--domain", "nobody.example") == []


@pytest.mark.parametrize("args", [[], ["--frob", "-"], ["--domain"], ["--json"]], ids=numbered)
def test_wrong_use(args):
    assert run("report", "read", *args).returncode == 64
    assert run("report", "read", "--domain", "a b", "-").returncode == 65


def test_sums_do_not_overflow():
    """Of the largest counts there are."""
    most = 2 ** 53 - 1
    whole = report("X", *[policy(None, most, most) for _ in range(2000)])
    done = run("report", "read", "--summary", "-", stdin=json.dumps(whole))
    assert str(2 ** 63 - 1) in done.stdout and "(50.0 %)" in done.stdout
    # That many policies are one report all the same.
    for line in (line for line in done.stdout.splitlines() if "%" in line):
        assert line.split()[1] == "1"


# --- power ----------------------------------------------------------------------------

def test_needs_no_configuration():
    """A broken one is not even looked at."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c",
         'mount -t tmpfs none /etc/exim4 && echo broken >/etc/exim4/requiretls.conf && '
         '! "$0" report status 2>/dev/null && exec "$0" report read --summary -', PROGRAM],
        input=json.dumps(SENDERS["google"][0]).encode(), capture_output=True, check=False)
    assert done.returncode == 0 and b"bank.example" in done.stdout, done.stderr


def test_reads_as_nobody(tmp_path):
    """Who parses is not root, and still reads what only root may open."""
    if os.geteuid() != 0:
        pytest.skip("not root")
    path = tmp_path / "report"
    path.write_text(json.dumps(SENDERS["google"][0]))
    path.chmod(0o600)
    tmp_path.chmod(0o700)
    with subprocess.Popen([PROGRAM, "report", "read", "--summary", "-", str(path)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        ids = set()
        for _ in range(500):
            status = Path(f"/proc/{child.pid}/status").read_text()
            ids = {line for line in status.splitlines() if line.startswith(("Uid:", "Gid:"))}
            if "Uid:\t65534\t65534\t65534\t65534" in ids:
                break
            time.sleep(0.01)
        assert ids == {"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534"}
        out, _ = child.communicate(json.dumps(SENDERS["comcast"][0]).encode())
    assert child.returncode == 0 and b"Mountain Inc." in out and b"Cable" in out


# --- hostile --------------------------------------------------------------------------

def peak_kib(*args, feed=()):
    """(exit status, memory the program took at most in KiB, what it said on stderr)."""
    errors_in, errors_out = os.pipe()
    stdin_in, stdin_out = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(stdin_in, 0)
            os.close(stdin_out)
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
            os.dup2(errors_out, 2)
            os.execv(PROGRAM, [str(PROGRAM), "report", "read", *map(str, args)])
        finally:
            os._exit(99)
    os.close(stdin_in)
    os.close(errors_out)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def write():
        try:
            with os.fdopen(stdin_out, "wb") as pipe:
                for piece in feed:
                    pipe.write(piece)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(errors_in) as pipe:
        said = pipe.read()
    writer.join()
    _, status, usage = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss, said


def gzip_of(size):
    """Zeros as gzip, without having them all at once."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join(pieces) + packer.flush()


@pytest.fixture(name="bomb", scope="module")
def fixture_bomb():
    """Few megabytes that are a gigabyte."""
    return gzip_of(1 << 30)


LIMIT_KIB = 400 << 10


def test_bombs(bomb, tmp_path):
    """Refused by what it is, in every way it may come."""
    message_of = message(SENDERS["google"][0]).partition(b"base64\n\n")
    ways = {"plain": bomb, "mail": message_of[0] + b"base64\n\n" + base64.encodebytes(bomb),
            "tail": gzip.compress(json.dumps(SENDERS["google"][0]).encode()) + bomb}
    for name, data in ways.items():
        (tmp_path / name).write_bytes(data)
        status, peak, said = peak_kib(tmp_path / name)
        assert (status, said) == (65, f"exim-requiretls: {tmp_path / name}: the gzip data "
                                      "expands to more than 52428800 bytes\n")
        assert peak < LIMIT_KIB
    (tmp_path / "twice").write_bytes(gzip.compress(bomb))
    status, _, said = peak_kib(tmp_path / "twice")
    assert status == 65 and "gzip data inside of gzip data" in said
    # None of them keeps the others from being read.
    (tmp_path / "zgood").write_text(json.dumps(SENDERS["google"][0]))
    done = run("report", "read", "--json", str(tmp_path))
    assert done.returncode == 65 and len(json.loads(done.stdout)) == 1


# What each of them is made of, when it is needed: together they are large.
HOSTILE = {
    "large": (lambda: [bytes(1 << 20)] * 26, "larger than 26214400 bytes"),
    "deep arrays": (lambda: [b"[" * 1000000], "nested deeper than 32"),
    "deep objects": (lambda: [b'{"a":' * 1000000], "nested deeper than 32"),
    "many values": (lambda: [b"[", b"[]," * 8000000], "more than 500000 values"),
    "many members": (
        lambda: [b"{", b",".join(b'"%d":0' % n for n in range(1000000)), b"}"],
        "more than 500000 values"),
    "many policies": (
        lambda: [json.dumps(report("X")).encode()[:-2], b"{}" + b",{}" * 11000 + b"]}"],
        "more than 10000 policies"),
    "one text": (lambda: [b'{"organization-name":"', b"x" * 24000000, b'"}'], "date-range"),
    "a text without end": (lambda: [b'{"', b"x" * 24000000], "not JSON"),
    "many parts": (
        lambda: [b"TLS-Report-Domain: a.example\nContent-Type: multipart/mixed; boundary=b\n\n",
                 b"--b\n\n" * 1000000], "more than 256 parts"),
    "many candidates": (
        lambda: [b"Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n",
                 b"--b\nContent-Type: application/tlsrpt+json\n\n{\n" * 200], "not JSON"),
    "deep parts": (
        lambda: [b"TLS-Report-Domain: a.example\n",
                 b"Content-Type: message/rfc822\n\n" * 100000], "nested deeper than 8"),
    "a boundary without end": (
        lambda: [b"TLS-Report-Domain: a.example\n"
                 b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n",
                 b"-\n" * 12000000], "without one"),
    "a huge header": (
        lambda: [b"TLS-Report-Domain: a.example\nX: ", b"x" * 24000000],
        "a header of more than 262144 bytes"),
    "a folded header": (
        lambda: [b"TLS-Report-Domain: a.example\nSubject: x", b"\n x" * 8000000],
        "a header of more than 262144 bytes"),
    "parameters": (
        lambda: [b"TLS-Report-Domain: a.example\nContent-Type: multipart/mixed",
                 b"; a*0*=''%41" * 20000, b"\n\n"], "without one"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input(name):
    """It ends by itself, says why, and takes no more memory than it is given."""
    pieces, words = HOSTILE[name]
    status, peak, said = peak_kib("-", feed=pieces())
    assert status == 65 and words in said, said
    assert peak < LIMIT_KIB


def test_much_is_kept_bounded(tmp_path):
    """Many reports that are large, together: what goes too far is told."""
    big = report("X", policy(None, 1, 1, *[detail("certificate-expired", 1)
                                           for _ in range(49000)]))
    for i in range(18):
        big["report-id"] = f"id-{i:02d}"
        (tmp_path / f"{i:02d}").write_bytes(gzip.compress(json.dumps(big).encode(), 1))
    status, peak, said = peak_kib(tmp_path)
    assert status == 65
    assert "too many reports for one time, left out" in said
    assert peak < 2 * LIMIT_KIB


@pytest.mark.parametrize("data", [message(SENDERS["google"][0]),
                                  gzip.compress(json.dumps(SENDERS["google"][0]).encode())],
                         ids=["message", "gzip"])
def test_cut_anywhere(data, tmp_path):
    """Each beginning of it is a file of its own: nothing dies, and no part is a report."""
    sizes = range(0, len(data), 13)
    for size in sizes:
        (tmp_path / f"{size:05d}").write_bytes(data[:size])
    done = run("report", "read", "--json", str(tmp_path))
    assert done.returncode == 65
    whole = [entry["source"] for entry in json.loads(done.stdout)]
    assert len(whole) <= 3 and all(int(Path(name).name) > len(data) - 45 for name in whole)


# --- the manual -----------------------------------------------------------------------

def shown(start):
    """The lines of REPORTS.md that are indented, from this one on."""
    lines = (ROOT / "docs/REPORTS.md").read_text().partition(f"\n    {start}\n")[2]
    block = lines.splitlines()
    end = next(i for i, line in enumerate(block) if line and not line.startswith("    "))
    return start + "\n" + "\n".join(line[4:] for line in block[:end])


def test_documented_example(tmp_path):
    """What REPORTS.md shows is what is printed."""
    whole = report("Mountain Inc.", policy(
        None, 97, 3,
        detail("certificate-expired", 2, sending_mta_ip="192.0.2.1",
               receiving_mx_hostname="mx2.bank.example", receiving_ip="2001:db8::25"),
        detail("validation-failure", 1, sending_mta_ip="192.0.2.1",
               receiving_mx_hostname="old.bank.example",
               failure_reason_code="sts-mx-mismatch")),
        contact_info="tls@mountain.example", report_id="2026-11-20T00:00:00Z_bank.example")
    raw = message(whole).replace(b"Submitter: sender.", b"Submitter: mountain.").replace(
        b"From: Sender <noreply@sender.example>", b"From: noreply@mountain.example")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/1795219800.M1P2.mx").write_bytes(raw)
    said = text(tmp_path).replace(str(tmp_path), "/var/mail/tlsrpt")
    assert shown("# exim-requiretls report read /var/mail/tlsrpt").partition("\n")[2].strip() \
        == said.strip()


class Key(NamedTuple):
    """A DKIM key and its TXT record."""

    private: bytes
    record: str


def dkim_key(directory):
    """A new one, for any service."""
    path = directory / "key"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True,
                   capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "DER"],
                            check=True, capture_output=True).stdout
    record = "v=DKIM1; p=" + base64.b64encode(public).decode()
    return Key(path.read_bytes(), " ".join(f'"{record[i:i + 200]}"'
                                           for i in range(0, len(record), 200)))


def sign(whole, key):
    """A message with a signature of enforce.example."""
    field = dkim.sign(whole.replace("\n", "\r\n").encode(), b"s", b"enforce.example",
                      key.private,
                      include_headers=[b"from", b"subject", b"tls-report-domain"])
    return field.decode().replace("\r\n", "\n") + whole


def receive(lab, whole, recipient):
    """Hand it to Exim by SMTP; the code of the answer."""
    with raw.Client(lab) as client:
        client.ehlo()
        for line in ("MAIL FROM:<noreply@enforce.example>", f"RCPT TO:<{recipient}>"):
            assert client.ask(line).code == 250
        assert client.ask("DATA").code == 354
        answer = client.ask(whole.replace("\n", "\r\n") + ".")
    assert ("must be signed" in answer.text) == (answer.code == 550), answer
    return answer.code


def test_documented_exim(lab, tmp_path):
    """The stanzas of REPORTS.md: reports go to the Maildir, unsigned ones are refused, other
    mail goes on."""
    conf = lab.sender_conf()
    user = shown("tls_reports:\n      driver = appendfile")
    for old, new in (
            ("acl_smtp_data =", shown("acl_smtp_dkim = acl_check_dkim") + "\nacl_smtp_data ="),
            ("begin acl\n", "begin acl\n\n" + shown("acl_check_dkim:") + "\n"),
            ("acl_check_data:\n", "acl_check_data:\n" + shown(
                r"  deny condition = ${if forany{<, $recipients}{match{$item}{\N^tlsrpt@\N}}}")
             + "\n"),
            ("localuser:\n", shown("tls_reports:\n      driver = accept") + "\nlocaluser:\n"),
            ("local_delivery:\n", user.replace("user = mail", "user = Debian-exim").replace(
                "group = mail", "group = Debian-exim").replace(
                    "/var/mail/tlsrpt", "/run/lab/sender/mail/tlsrpt") + "\nlocal_delivery:\n")):
        assert conf.count(old) == 1, old
        conf = conf.replace(old, new)
    lab.write_sender_conf(conf)
    # What comes by a pipe has no signature, and needs none.
    whole = message(SENDERS["google"][0]).decode().replace("noreply@sender", "noreply@enforce")
    lab.exec(["exim4", "-odf", "-oi", "tlsrpt@lab.example"], input=whole)
    lab.start_daemon("-odf")
    key = dkim_key(tmp_path)
    signed = sign(whole, key)
    other = sign(whole.replace("noreply@enforce", "noreply@shop"), key)
    lab.set_rrset("s._domainkey.enforce.example", "TXT", [key.record])
    assert [receive(lab, text, recipient) for text, recipient in (
        (whole, "tlsrpt@lab.example"), (whole, "alice@lab.example"),
        (signed, "tlsrpt@lab.example"), (signed.replace("aggregate", ""), "tlsrpt@lab.example"),
        # By the domain of the signature, another sender's mail is unsigned.
        (other, "tlsrpt@lab.example"))] == [
            550, 250, 250, 550, 550]
    entries = read(lab.state / "sender/mail/tlsrpt")
    assert lab.queue() == []
    assert len(list((lab.state / "sender/mail/tlsrpt/new").iterdir())) == 2
    assert len(entries) == 1 and entries[0]["notes"] == []
    # This Exim knows no services but these, so of others it cannot read the key.
    for services, code in (("*", 250), ("email", 250), ("tlsrpt", 550), ("email:tlsrpt", 550)):
        lab.set_rrset("s._domainkey.enforce.example", "TXT",
                      [key.record.replace("p=", f"s={services}; p=", 1)])
        assert receive(lab, signed, "tlsrpt@lab.example") == code, services
    assert lab.mainlog().count("[failed key import]") == 2


# --- calls that fail ------------------------------------------------------------------

@pytest.mark.parametrize("origin, kinds, step", [
    (FAILING_PROGRAM, KINDS, 1), ("", ("MEMORY",), 7)], ids=["of the program", "memory"])
def test_calls_fail(site, failing, origin, kinds, step):
    """Call 1, 2, 3 ... fails: what is printed as good is all there is, and what is printed
    besides is true."""
    directory = site.lab.state / "read"
    directory.mkdir(exist_ok=True)
    (directory / "a.eml").write_bytes(message(SENDERS["microsoft"][0]))
    (directory / "b.json").write_text(json.dumps(SENDERS["comcast"][0]))

    def ask():
        return site.lab.exec(["/usr/bin/env", "-i", "/usr/sbin/exim-requiretls", "report",
                              "read", "--json", "/run/lab/read"], check=False)

    wanted = ask()
    reports = [entry["report"] for entry in json.loads(wanted.stdout)]
    assert wanted.returncode == 0 and len(reports) == 2
    calls = 0
    for when, kind, done in failing.sweep(ask, program=FAILING_PROGRAM, object=origin,
                                          kinds=kinds, step=step):
        told = f"{kind} {when}: {done}"
        calls += 1
        assert done.returncode in (0, 65, 66, 71, 74, 75, 127), told
        if done.returncode == 0:
            assert done.stdout == wanted.stdout, told
        elif done.stdout.strip().startswith("["):
            try:
                entries = json.loads(done.stdout)
            except json.JSONDecodeError:
                assert done.returncode == 74, told      # printing failed
                continue
            assert all(entry["report"] in reports for entry in entries), told
    assert calls > 20
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()


# --- ours -----------------------------------------------------------------------------

def test_our_own_reports(reporter):
    """What we send gives a receiver like us nothing to note: preview, files and message."""
    full_journal(reporter)
    reporter.run("--dry-run", f"{SPOOL}/dry")
    directory = reporter.spool / "dry"
    entries = [read(path) for path in sorted(directory.iterdir())]
    assert len(entries) == 9         # the message, and two files for each of three domains and a host
    for (entry,) in entries:
        assert entry["notes"] == [], entry
        if entry["source"].endswith(".eml"):
            assert entry["message"]["domain"] == "enforce.example"
            assert entry["message"]["submitter"] == "lab.example"
    ours = json.loads((directory / "enforce.example.json").read_text())
    assert entries[0][0]["report"] == entries[1][0]["report"] == normal(ours)
    # Three times the same report is one.
    said = text(directory)
    assert "5 reports were there more than once, counted once\n" in said
    preview = json.dumps(reporter.preview(date_of(), "secure-sts.example"))
    ((entry,),) = [read("-", stdin=preview)]
    assert entry["notes"] == []
    for path in directory.iterdir():
        path.unlink()
