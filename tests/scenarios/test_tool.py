"""The program on the command line: verbs that need no network, exit statuses.

Everything runs the built program. What depends on the configuration runs in a mount
namespace of its own, where a directory of the test lies over /etc/exim4: that takes
root, as the lab does.
"""

import gzip
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dates import day

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = (ROOT / os.environ.get("OUT", "build/out") / "exim-requiretls").resolve()
CONFIG_DIR = Path("/etc/exim4")
EXIM_USER = "Debian-exim"
ESC = "\x1b[31m"


def numbered(_):
    """A name for rows that make no readable one; pytest appends their number."""
    return "row"


pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")


def run(*args, stdin=b"", **kwargs):
    """Run the program; bytes in, text out. A program that hangs or dies fails the test."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([PROGRAM, *args], input=data, capture_output=True,
                          timeout=30, check=False, **kwargs)
    assert done.returncode >= 0, f"died of signal {-done.returncode}"
    done.stdout = done.stdout.decode()
    done.stderr = done.stderr.decode()
    return done


def parse(kind, text):
    """Exit status and the JSON printed."""
    done = run("parse", kind, "-", stdin=text)
    return done.returncode, json.loads(done.stdout)


# --- the program itself -------------------------------------------------------

def test_help():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    verbs = re.findall(r"^  (\w+) ", done.stdout, re.M)
    assert {"resolve", "parse", "cache", "report", "config"} <= set(verbs)
    for verb in verbs:
        for args in ([verb, "--help"], [verb, "-h"], ["help", verb]):
            usage = run(*args)
            assert usage.returncode == 0
            assert usage.stdout.startswith(f"Usage: exim-requiretls {verb} ")
            assert max(map(len, usage.stdout.splitlines())) <= 80
    assert run("-h").stdout == run("help").stdout == done.stdout


def test_version():
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"exim-requiretls \d[\w.~+-]*\n", done.stdout)


@pytest.mark.parametrize("args", [
    [], ["frobnicate"], ["--frobnicate"], [""], ["help", "frobnicate"],
    ["parse"], ["parse", "sts-record"], ["parse", "frob", "-"], ["parse", "sts-record", "-", "-"],
    ["parse", "--frob", "sts-record", "-"], ["config", "x"], ["config", "--file"],
])
def test_wrong_use(args):
    done = run(*args)
    assert done.returncode == 64
    assert done.stdout == "" and "exim-requiretls" in done.stderr


def test_foreign_bytes_are_quoted():
    done = run(f"x{ESC}\ny")
    assert "x\\x1b[31m\\x0ay" in done.stderr and ESC not in done.stderr


def test_lost_output_is_an_error():
    with open("/dev/full", "wb") as full:
        for args in (["--help"], ["--version"], ["parse", "--help"]):
            done = subprocess.run([PROGRAM, *args], stdout=full, check=False)
            assert done.returncode == 74
        done = subprocess.run([PROGRAM, "parse", "sts-record", "-"], stdout=full,
                              input=b"v=STSv1; id=1;", check=False)
        assert done.returncode == 74


def test_closed_descriptors():
    done = subprocess.run(["sh", "-c", 'exec "$0" parse sts-record - <&- >&- 2>&-', PROGRAM],
                          check=False, timeout=30)
    assert done.returncode == 65


# --- parse: TXT records -------------------------------------------------------

@pytest.mark.parametrize("text, wanted", [
    ("v=STSv1; id=x1;", "x1"),
    ("v=STSv1; id=x1;\n", "x1"),
    ("v=STSv1; id=x1;\r\n", "x1"),
    ("\n\n  \nv=STSv1; id=x1;\n\n", "x1"),
    ('"v=STSv1; id=x1;"', "x1"),
    ('"v=STSv1; id=" "x1"', "x1"),
    ('"v=STSv1; i" "d=" "x1;"\n', "x1"),
    ('"v=STSv1\\059 id=x1"', "x1"),
    ("inbound\nv=STSv1; id=x1;\n", "x1"),                  # EDGE-CASES 1
    ('"google-site-verification=x"\n"v=STSv1; id=x1;"', "x1"),
    ('"an open quote\nv=STSv1; id=x1;', "x1"),             # another record, not ours
    ("v=STSv1 \t; \tid=x1 \t;", "x1"),                     # EDGE-CASES 5
    ("v=STSv1; id=a; id=b;", "a"),                         # EDGE-CASES 9
])
def test_sts_record(text, wanted):
    assert parse("sts-record", text) == (0, {"id": wanted})


@pytest.mark.parametrize("text", [
    "", "\n", "inbound", "v=STSv1;", "v=STSv1; id=;", "id=x; v=STSv1;", "v=STSv2; id=x;",
    "v=STSv1; id=x1;\nv=STSv1; id=x2;", "v=STSv1; id=x1;\nv=STSv1; id=x1;",
    "v=STSv1; id=x1;\nv=STSv1;", '"v=STSv1; id=x1;', '"v=STSv1; id=x1;" junk',
    'v=STSv1; id=x1;\n"v=STSv1; id=x1;" junk', "v=STSv1; id=x\x001;", "v=STSv1; id=\u00fc;",
    b"\xff\xfe", b"\0", "v=STSv1; id=" + 33 * "x",
], ids=numbered)
def test_no_sts_record(text):
    status, answer = parse("sts-record", text)
    assert status == 65
    assert list(answer) == ["error"] and answer["error"]


@pytest.mark.parametrize("text, wanted", [
    ("v=TLSRPTv1; rua=mailto:a@b.example", ["mailto:a@b.example"]),
    ("v=TLSRPTv1;rua=mailto:a@b.example , https://r.example/x;",
     ["mailto:a@b.example", "https://r.example/x"]),
    ('"v=TLSRPTv1; rua=mailto:" "a@b.example"', ["mailto:a@b.example"]),
    ("spf\nv=TLSRPTv1; rua=mailto:a@b.example\n", ["mailto:a@b.example"]),
    ("v=TLSRPTv1; rua=ftp://b.example/x", []),
])
def test_tlsrpt_record(text, wanted):
    assert parse("tlsrpt-record", text) == (0, {"rua": wanted})


@pytest.mark.parametrize("text", [
    "", "v=TLSRPTv1;", "v=TLSRPTv2; rua=mailto:a@b.example", "v=TLSRPTv1; rua=!!",
    "v=TLSRPTv1; rua=mailto:a@b.example\nv=TLSRPTv1; rua=mailto:a@b.example",
    '"v=TLSRPTv1; rua=mailto:a@b.example',
])
def test_no_tlsrpt_record(text):
    status, answer = parse("tlsrpt-record", text)
    assert status == 65 and list(answer) == ["error"]


def test_many_records():
    status, answer = parse("sts-record", 50000 * "x\n" + "v=STSv1; id=x1;\n")
    assert (status, answer) == (0, {"id": "x1"})
    assert parse("sts-record", "x" * (1048576 + 1))[0] == 65


# --- parse: policies ----------------------------------------------------------

def test_sts_policy():
    status, answer = parse("sts-policy", "version: STSv1\r\nmode: enforce\r\nmx: MX1.Example\r\n"
                                         "mx: *.Backup.Example\r\nmax_age: 604800\r\n")
    assert status == 0
    assert answer == {"mode": "enforce", "max_age": 604800,
                      "mx": ["mx1.example", "*.backup.example"]}
    assert parse("sts-policy", "version: STSv1\nmode: none\nmax_age: 0")[1] == {
        "mode": "none", "max_age": 0, "mx": []}


@pytest.mark.parametrize("text", [
    b"", b"\n", b"version: STSv1\nmode: enforce\nmax_age: 1\n", b"\xef\xbb\xbfversion: STSv1\n",
    b"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: x\n",
    b"<html>", b"\xff\n\x1b[31m",
], ids=numbered)
def test_no_sts_policy(text):
    status, answer = parse("sts-policy", text)
    assert status == 65 and list(answer) == ["error"]
    assert "\x1b" not in answer["error"]


def test_large_policies():
    for text in (b"\0" * 65536, b"x" * 65537, b"version: STSv1\n" + b"mx: a.example\n" * 4000):
        assert parse("sts-policy", text)[0] == 65


# --- parse: reports -----------------------------------------------------------

def report(**changes):
    """A report like the one of RFC 8460, Appendix B."""
    whole = {
        "organization-name": "Company-X",
        "date-range": {"start-datetime": "2026-04-01T00:00:00Z",
                       "end-datetime": "2026-04-01T23:59:59Z"},
        "contact-info": "sts-reporting@company-x.example",
        "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
        "policies": [{
            "policy": {"policy-type": "sts", "policy-domain": "company-y.example",
                       "policy-string": ["version: STSv1", "mode: testing"],
                       "mx-host": ["*.mail.company-y.example"]},
            "summary": {"total-successful-session-count": 5326,
                        "total-failure-session-count": 303},
            "failure-details": [{
                "result-type": "certificate-expired", "sending-mta-ip": "2001:db8::1",
                "receiving-mx-hostname": "mx1.mail.company-y.example",
                "failed-session-count": 100}],
        }],
    }
    whole.update(changes)
    return whole


def policy_report(**changes):
    """The report with members of its one policy changed; None removes one."""
    whole = report()
    element = whole["policies"][0]
    for name, value in changes.items():
        name = name.replace("_", "-")
        where = element["policy"] if name.startswith(("policy-", "mx-")) else \
            element["summary"] if name.startswith("total-") else element
        where[name] = value
        if value is None:
            del where[name]
    return whole


SUMMARY = {
    "organization-name": "Company-X", "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "start": "2026-04-01T00:00:00Z", "end": "2026-04-01T23:59:59Z",
    "policies": [{"domain": "company-y.example", "type": "sts", "success": 5326,
                  "failure": 303}],
}


def test_report():
    text = json.dumps(report()).encode()
    assert parse("tlsrpt-report", text) == (0, SUMMARY)
    assert parse("tlsrpt-report", gzip.compress(text)) == (0, SUMMARY)
    # Several members, as RFC 1952 allows.
    halves = gzip.compress(text[:100]) + gzip.compress(b"") + gzip.compress(text[100:])
    assert parse("tlsrpt-report", halves) == (0, SUMMARY)


def times(start, end="2026-04-02T23:59:59Z"):
    return report(**{"date-range": {"start-datetime": start, "end-datetime": end}})


@pytest.mark.parametrize("text, start", [
    ("2026-04-01T00:00:00", "2026-04-01T00:00:00Z"),          # EDGE-CASES 147
    ("2026-04-01T02:00:00+02:00", "2026-04-01T00:00:00Z"),
    ("2026-03-31T18:30:00-05:30", "2026-04-01T00:00:00Z"),
    ("2026-04-01T00:00:00.123456Z", "2026-04-01T00:00:00Z"),
    ("2026-04-01t00:00:00z", "2026-04-01T00:00:00Z"),
    ("2026-04-01 00:00:00+0000", "2026-04-01T00:00:00Z"),
])
def test_report_times(text, start):
    status, answer = parse("tlsrpt-report", json.dumps(times(text)))
    assert status == 0 and answer["start"] == start


@pytest.mark.parametrize("whole", [
    report(**{"contact-info": None}),
    policy_report(mx_host="*.mail.company-y.example"),        # EID 6241
    policy_report(mx_host=None), policy_report(policy_string="version: STSv1"),
    policy_report(policy_string=None), policy_report(failure_details=None),
    policy_report(failure_details=[]), policy_report(policy_domain="Company-Y.Example."),
    report(unknown={"x": [1, None, True, 1.5]}),
    policy_report(failure_details=[{"result-type": "of-the-future", "failed-session-count": 0,
                                    "failure-error-code": "x"}]),
], ids=numbered)
def test_report_as_seen_in_the_wild(whole):
    assert parse("tlsrpt-report", json.dumps(whole)) == (0, SUMMARY)


def test_report_without_policy():
    status, answer = parse("tlsrpt-report", json.dumps(
        policy_report(policy_type="no-policy-found", policy_domain=None)))
    assert status == 0
    assert answer["policies"][0] == {"domain": "", "type": "no-policy-found", "success": 5326,
                                     "failure": 303}
    assert parse("tlsrpt-report", json.dumps(report(policies=[])))[1]["policies"] == []
    status, answer = parse("tlsrpt-report", json.dumps(
        policy_report(policy_domain="b\u00fccher.example")))
    assert answer["policies"][0]["domain"] == "xn--bcher-kva.example"


GOOD = json.dumps(report())


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "1", '"x"', "{}", GOOD + "x", GOOD[:-1], GOOD + GOOD,
    GOOD.replace('"report-id"', '"report-id": "x", "report-id"', 1),   # duplicate key
    GOOD.encode("utf-16"), b"\xff" + GOOD.encode(), GOOD.replace("Company-X", "\\u0000"),
    json.dumps(report(policies=None)), json.dumps(report(policies={})),
    json.dumps(report(policies=[1])), json.dumps(report(policies=[{}])),
    json.dumps(report(**{"date-range": None})), json.dumps(report(**{"report-id": 7})),
    json.dumps(report(**{"organization-name": None})),
    json.dumps(times("2026-04-01")), json.dumps(times("yesterday")), json.dumps(times("")),
    json.dumps(times("2026-02-30T00:00:00Z")), json.dumps(times("2026-04-01T00:00:00+2")),
    json.dumps(times("2026-04-01T00:00:00Zx")), json.dumps(times(1775001600)),
    json.dumps(times("2026-04-03T00:00:00Z", "2026-04-01T00:00:00Z")),
    json.dumps(policy_report(total_failure_session_count=-1)),
    json.dumps(policy_report(total_failure_session_count=1.0)),
    json.dumps(policy_report(total_failure_session_count="1")),
    json.dumps(policy_report(total_failure_session_count=None)),
    GOOD.replace("5326", "9" * 30),
    json.dumps(policy_report(policy_type="dmarc")), json.dumps(policy_report(policy_type=None)),
    json.dumps(policy_report(policy_domain=None)),
    json.dumps(policy_report(policy_domain="a b")), json.dumps(policy_report(mx_host=[1])),
    json.dumps(policy_report(failure_details={})),
    json.dumps(policy_report(failure_details=[{"result-type": "x"}])),
    json.dumps(policy_report(failure_details=[{"failed-session-count": 1}])),
    gzip.compress(GOOD.encode())[:-1], gzip.compress(GOOD.encode()) + b"x", b"\x1f\x8b",
    b"\x1f\x8b\x08" + 100 * b"\xff", gzip.compress(b""),
    gzip.compress(gzip.compress(GOOD.encode())),
], ids=numbered)
def test_no_report(text):
    status, answer = parse("tlsrpt-report", text)
    assert status == 65 and list(answer) == ["error"] and answer["error"]


def test_deep_reports():
    for text in (200000 * "[", 200000 * '{"a":'):
        assert parse("tlsrpt-report", text)[0] == 65


def test_report_cut_anywhere():
    packed = gzip.compress(GOOD.encode())
    for text in (GOOD.encode(), packed):
        for size in range(0, len(text), 7):
            assert parse("tlsrpt-report", text[:size])[0] == 65


def test_report_bombs():
    def peak_kib(text):
        """Memory the program took at most; it must end by itself."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(read, 0)
                os.close(write)
                os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
                signal.alarm(30)
                os.execv(PROGRAM, [PROGRAM, "parse", "tlsrpt-report", "-"])
            finally:
                os._exit(99)
        os.close(read)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        with os.fdopen(write, "wb") as pipe:
            try:
                pipe.write(text)
            except BrokenPipeError:
                pass
        _, status, usage = os.wait4(child, 0)
        assert os.waitstatus_to_exitcode(status) == 65
        return usage.ru_maxrss

    limit = 400 << 10
    assert peak_kib(gzip.compress(b" " * (200 << 20), 6)) < limit
    assert peak_kib(gzip.compress(b"[" + 8000000 * b"[],")) < limit
    assert peak_kib(gzip.compress(b"{" + b",".join(b'"%d":0' % n for n in range(1500000))
                                  + b"}")) < limit
    assert peak_kib(b" " * (11 << 20)) < limit


def test_files(tmp_path):
    path = tmp_path / "record"
    path.write_text("v=STSv1; id=x1;\n")
    assert json.loads(run("parse", "sts-record", str(path)).stdout) == {"id": "x1"}
    assert json.loads(run("parse", "--json", "sts-record", str(path)).stdout) == {"id": "x1"}
    for missing in (tmp_path / "none", tmp_path):
        done = run("parse", "sts-record", str(missing))
        assert done.returncode == 66 and "error" in json.loads(done.stdout)


# --- config -------------------------------------------------------------------

def test_config_draft(tmp_path):
    path = tmp_path / "draft.conf"
    path.write_text("# mine\nmta_sts = no\n requiretls=verified \nspool = /no/such\n")
    done = run("config", "--file", str(path))
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(r"\(set\)\nmta_sts = no$", done.stdout, re.M)
    assert re.search(r"\(set\)\nrequiretls = verified$", done.stdout, re.M)
    assert re.search(r"\(default\)\ntlsrpt = no$", done.stdout, re.M)
    answer = json.loads(run("config", "--json", "--file", str(path)).stdout)
    assert answer["keys"]["mta_sts"] == {"value": "no", "origin": "set"}
    assert answer["keys"]["tlsrpt"] == {"value": "no", "origin": "default"}
    assert answer["rules"] == {"file": "", "count": 0, "levels": 0, "demands": 0}
    assert answer["exempt"] == {"file": "", "count": 0, "exemptions": []}
    assert answer["warnings"] == []
    # What was printed is a configuration, and the same one.
    again = tmp_path / "again.conf"
    again.write_text(done.stdout)
    reread = json.loads(run("config", "--json", "--file", str(again)).stdout)
    assert {name: key["value"] for name, key in reread["keys"].items()} == \
        {name: key["value"] for name, key in answer["keys"].items()}


@pytest.mark.parametrize("text, words", [
    ("mta-sts = no", "line 1: unknown key"),
    ("\n\nmta_sts = perhaps", "line 3: "),
    ("mta_sts = no\nmta_sts = no", "line 2: "),
    (f"mta_sts = {ESC}", "\\x1b"),
    ("rules = /no/such/rules", "/no/such/rules"),
    ("exempt = /no/such/exempt", "/no/such/exempt"),
    ("tlsrpt = yes", "tlsrpt"),
])
def test_config_mistakes(tmp_path, text, words):
    path = tmp_path / "draft.conf"
    path.write_text(text)
    done = run("config", "--file", str(path))
    assert done.returncode == 78 and done.stdout == ""
    assert words in done.stderr and ESC not in done.stderr
    done = run("config", "--json", "--file", str(path))
    assert done.returncode == 78 and words in json.loads(done.stdout)["error"]


def test_config_draft_missing(tmp_path):
    assert run("config", "--file", str(tmp_path / "none")).returncode == 78


# --- with a configuration of ours ---------------------------------------------

class Site:
    """A configuration in force and a spool, as `run` sees them."""

    def __init__(self, top):
        self.top = top
        self.etc = top / "etc"
        self.spool = top / "spool"
        self.etc.mkdir(mode=0o755)
        self.spool.mkdir()
        shutil.chown(self.spool, EXIM_USER, EXIM_USER)
        self.spool.chmod(0o750)
        self.configure()

    def configure(self, text=""):
        path = self.etc / "requiretls.conf"
        path.write_text(f"spool = {self.spool}\n{text}")
        path.chmod(0o644)
        return path

    def run(self, *args, user=None, env=None):
        """Run with self.etc over /etc/exim4, as root or as another user."""
        return self.start(str(PROGRAM), *args, user=user, env=env)

    def start(self, *command, user=None, env=None):
        """The same of any command."""
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        become = []
        if user:
            entry = pwd.getpwnam(user)
            become = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}",
                      "--clear-groups", "--"]
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
                   str(self.etc), str(CONFIG_DIR), *become, *command]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": os.environ["PATH"], **(env or {})}, cwd="/")

    def bucket(self, domain):
        """The directory of a domain's record: FNV-1a, the last byte."""
        number = 0xcbf29ce484222325
        for byte in domain.encode():
            number = (number ^ byte) * 0x100000001b3 % (1 << 64)
        return self.spool / "cache" / f"{number % 256:02x}"

    def put(self, domain, text=None):
        """A record as if the program had written it."""
        path = self.bucket(domain) / domain
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text is not None else record(domain))
        for part in (path, path.parent, path.parent.parent):
            shutil.chown(part, EXIM_USER, EXIM_USER)
        return path


POLICY = "version: STSv1\nmode: enforce\nmx: mx1.bank.example\nmax_age: 604800\n"


def record(domain):
    return (f"requiretls-record 1\ndomain {domain}\nmx-answer hosts\nmx-dnssec secure\n"
            "mx-until 2026-11-21T20:45:20Z\n"
            "mx 10 mx1.bank.example address=secure tlsa=none\n"
            "txt none\ntxt-until 2026-11-21T20:45:20Z\n")


def policy_record(domain):
    return record(domain).replace("txt none\n", "txt valid\ntxt-id 1\n") + (
        "fetch failed\nfetch-id 2\nfetch-error sts-policy-fetch-error http status 404\n"
        "policy-id 1\npolicy-fetched 2026-11-20T20:45:20Z\n"
        f"policy-until 2027-11-20T20:45:20Z\npolicy-digest {64 * '0'}\npolicy-text\n{POLICY}")


@pytest.fixture
def site():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not CONFIG_DIR.is_dir():
        pytest.skip(f"{CONFIG_DIR} is missing")
    pwd.getpwnam(EXIM_USER)
    # Not tmp_path: the Exim user must get there.
    top = Path(tempfile.mkdtemp(prefix="rtls-site."))
    top.chmod(0o755)
    yield Site(top)
    shutil.rmtree(top)


def test_config_in_force(site):
    rules = site.etc / "rules"
    rules.write_text("flag Subject *[secure]*\ndnssec To *@bank.example SECURE\n")
    site.configure(f"rules = {CONFIG_DIR}/rules\n")
    done = site.run("config")
    assert done.returncode == 0
    assert "/etc/exim4/requiretls.conf: counts\n" in done.stdout
    assert "/etc/exim4/rules: 2 rules, 0 levels, 0 demands\n" in done.stdout
    answer = json.loads(site.run("config", "--json").stdout)
    assert answer["counts"] is True and answer["rules"]["count"] == 2
    rules.write_text("flag Subject *\nfrob\n")
    done = site.run("config")
    assert done.returncode == 78 and "rules: line 2" in done.stderr


def test_config_exemptions(site):
    """All are listed with what is left of them; one that is over is warned of."""
    (site.etc / "exempt").write_text(
        f'# x\na.example sts until={day(40)} "ticket 4711"\n'
        f'*.b.example requiretls,sts until={day(1)} "gr\u00fc\u00dfe"\n'
        f'c.example verified until={day(0)} "c"\n'
        f'd.example dnssec until={day(-1)} "was \\ late"\n')
    site.configure(f"exempt = {CONFIG_DIR}/exempt\n")
    done = site.run("config")
    assert done.returncode == 0
    begin = done.stdout.index("# /etc/exim4/exempt: ")
    assert done.stdout[begin:].partition("\n\n")[0].splitlines() == [
        "# /etc/exim4/exempt: 4 exemptions",
        f'#   line 2: a.example sts until={day(40)} (40 days left) "ticket 4711"',
        f'#   line 3: *.b.example sts,requiretls until={day(1)} (1 day left) '
        '"gr\\xc3\\xbc\\xc3\\x9fe"',
        f'#   line 4: c.example verified until={day(0)} (the last day) "c"',
        f'#   line 5: d.example dnssec until={day(-1)} (over) "was \\x5c late"',
        "# warning: /etc/exim4/exempt: line 5: the exemption of d.example from dnssec ran out "
        f"on {day(-1)} and has no effect: was \\x5c late"]
    answer = json.loads(site.run("config", "--json").stdout)
    assert answer["exempt"]["file"] == "/etc/exim4/exempt" and answer["exempt"]["count"] == 4
    assert answer["exempt"]["exemptions"][1] == {
        "line": 3, "domain": "*.b.example", "lifts": ["sts", "requiretls"], "until": day(1),
        "in_force": True, "days_left": 1, "reason": "gr\u00fc\u00dfe"}
    assert [one["in_force"] for one in answer["exempt"]["exemptions"]] == [True] * 3 + [False]
    assert len(answer["warnings"]) == 1
    assert answer["warnings"][0].startswith("/etc/exim4/exempt: line 5: the exemption of d.ex")


@pytest.mark.parametrize("text, words", [
    ('a.example sts until=2027-02-29 "x"', "exempt: line 1: expected until=YYYY-MM-DD"),
    ('\na.example until=2027-02-28 "x"', "exempt: line 2: expected sts, dnssec"),
    ("a.example sts until=2027-02-28 x", "exempt: line 1: expected a reason in double"),
    (f"{ESC} sts", "exempt: line 1: expected a domain"),
])
def test_config_exemption_mistakes(site, text, words):
    (site.etc / "exempt").write_text(text)
    site.configure(f"exempt = {CONFIG_DIR}/exempt\n")
    done = site.run("config")
    assert done.returncode == 78 and done.stdout == ""
    assert words in done.stderr and ESC not in done.stderr
    done = site.run("config", "--json")
    assert done.returncode == 78 and words in json.loads(done.stdout)["error"]


def test_config_exemptions_must_be_roots(site):
    path = site.etc / "exempt"
    path.write_text("")
    site.configure(f"exempt = {CONFIG_DIR}/exempt\n")
    assert site.run("config").returncode == 0
    path.chmod(0o600)
    done = site.run("config")
    assert done.returncode == 78 and "exempt: the user" in done.stderr
    path.chmod(0o666)
    done = site.run("config")
    assert done.returncode == 78 and "does not count" in done.stderr


def test_config_demand_that_nothing_can_meet(site):
    (site.etc / "rules").write_text("require a.example verified\nrequire b.example sts\n")
    for switch, count in (("yes", 0), ("no", 1)):
        site.configure(f"rules = {CONFIG_DIR}/rules\nmta_sts = {switch}\n")
        done = site.run("config")
        assert done.returncode == 0
        assert "/etc/exim4/rules: 0 rules, 0 levels, 2 demands\n" in done.stdout
        assert done.stdout.count("# warning: /etc/exim4/rules: line 2: b.example is req") == count
        assert done.stdout.count("# warning: ") == count
        assert len(json.loads(site.run("config", "--json").stdout)["warnings"]) == count


def test_config_missing(site):
    (site.etc / "requiretls.conf").unlink()
    done = site.run("config")
    assert done.returncode == 0 and "all defaults" in done.stdout
    assert json.loads(site.run("config", "--json").stdout)["exists"] is False


def test_config_must_be_roots(site):
    path = site.configure()
    for spoil, restore in ((lambda: path.chmod(0o664), lambda: path.chmod(0o644)),
                           (lambda: os.chown(path, 65534, 0), lambda: os.chown(path, 0, 0)),
                           (lambda: site.etc.chmod(0o777), lambda: site.etc.chmod(0o755))):
        spoil()
        for args in (["config"], ["cache", "list"], ["resolve", "bank.example"]):
            done = site.run(*args)
            assert done.returncode == 78 and "does not count" in done.stderr
        draft = site.run("config", "--file", str(path))
        assert draft.returncode == 0 and "does not count" in draft.stdout
        restore()
    assert site.run("config").returncode == 0


def test_config_user(site):
    for user in ("no-such-user", "root"):
        site.configure(f"user = {user}\n")
        assert site.run("cache", "list").returncode == 78


def test_cache_list(site):
    assert site.run("cache", "list", "--json").stdout == "[]\n"
    site.put("bank.example")
    site.put("a.example", policy_record("a.example"))
    site.put("broken.example", "garbage\n")
    done = site.run("cache", "list")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["DOMAIN", "a.example", "bank.example",
                                                  "broken.example"]
    assert "1 host (DNSSEC)" in lines[1] and "http status 404" in lines[1]
    assert "unreadable" in lines[3]
    answer = json.loads(site.run("cache", "list", "--json").stdout)
    assert [entry["domain"] for entry in answer] == ["a.example", "bank.example",
                                                     "broken.example"]
    assert answer[0]["sts"]["policy"]["mode"] == "enforce" and "error" in answer[2]


def test_cache_show(site):
    site.put("bank.example")
    assert site.run("cache", "show", "Bank.Example.").stdout == record("bank.example")
    answer = json.loads(site.run("cache", "show", "--json", "bank.example").stdout)
    assert answer["mx"]["hosts"][0]["host"] == "mx1.bank.example"
    assert site.run("cache", "show", "other.example").returncode == 66
    assert site.run("cache", "show", "[192.0.2.1]").returncode == 65
    site.put("bank.example", "garbage\n")
    assert site.run("cache", "show", "bank.example").returncode == 65


def test_cache_show_quotes(site):
    text = policy_record("a.example").replace("mx: mx1", f"x: {ESC}\u00fc\nmx: mx1")
    site.put("a.example", text)
    done = site.run("cache", "show", "a.example")
    assert done.returncode == 0
    assert ESC not in done.stdout and "x: \\x1b[31m" in done.stdout


def test_cache_flush(site):
    one, two = site.put("bank.example"), site.put("a.example")
    assert site.run("cache", "flush").returncode == 64
    assert site.run("cache", "flush", "--all", "a.example").returncode == 64
    assert one.exists() and two.exists()
    assert site.run("cache", "flush", "bank.example").returncode == 0
    assert not one.exists() and two.exists()
    assert site.run("cache", "flush", "bank.example").returncode == 0
    site.put("broken.example", "garbage\n")
    assert site.run("cache", "flush", "--all").returncode == 0
    assert not list(site.spool.glob("cache/*/*"))


@pytest.mark.parametrize("args", [
    [], ["frob"], ["list", "x"], ["list", "--all"], ["size", "x"], ["show"], ["show", "a", "b"],
    ["edit"], ["flush", "--json"], ["refresh", "--frob"],
])
def test_cache_wrong_use(site, args):
    assert site.run("cache", *args).returncode == 64


def test_root_is_dropped(site):
    """What only root could remove stays: the program is not root when it works."""
    path = site.put("bank.example")
    os.chown(path.parent, 0, 0)
    path.parent.chmod(0o755)
    done = site.run("cache", "flush", "bank.example")
    assert done.returncode == 75 and "Permission denied" in done.stderr
    assert path.exists()


def test_environment_does_not_steer(site, tmp_path):
    """Libraries read it before main(), so the program starts anew without it."""
    site.put("bank.example")
    trace = tmp_path / "trace"
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    env = {"GNUTLS_SYSTEM_PRIORITY_FILE": "/evil", "RES_OPTIONS": "evil", "CURL_CA_BUNDLE": "/evil"}
    script = f'mount --bind {site.etc} {CONFIG_DIR} && exec strace -f -v -e trace=execve ' \
             f'-o {trace} -s 200 {PROGRAM} cache list'
    subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                   env={"PATH": os.environ["PATH"], **env}, check=True, capture_output=True)
    starts = [line for line in trace.read_text().splitlines() if "execve(" in line]
    assert len(starts) == 2 and "/evil" in starts[0]
    assert re.search(r'"/proc/self/exe".*\["PATH=[^"]*"\]', starts[1])


def test_other_users_are_told(site):
    site.put("bank.example")
    for args in (["cache", "list"], ["cache", "show", "bank.example"],
                 ["cache", "edit", "bank.example"], ["cache", "flush", "--all"],
                 ["cache", "refresh"]):
        done = site.run(*args, user="nobody")
        assert done.returncode == 77 and str(site.spool) in done.stderr
    done = site.run("cache", "list", user=EXIM_USER)
    assert done.returncode == 0 and "bank.example" in done.stdout


def test_resolve_wrong_use(site):
    assert site.run("resolve").returncode == 64
    assert site.run("resolve", "a.example", "b.example").returncode == 64
    for domain in ("[192.0.2.1]", "192.0.2.1", "a..b", "", "a b", f"a{ESC}"):
        done = site.run("resolve", domain)
        assert done.returncode == 65 and ESC not in done.stderr


def test_refresh_of_an_empty_cache_removes_old_notes(site):
    refused = site.spool / "refused"
    refused.mkdir()
    shutil.chown(refused, EXIM_USER, EXIM_USER)
    old, new = refused / "1sXyZa-000123-AB", refused / "1sXyZa-000124-AB"
    for path in (old, new):
        path.write_text("bank.example\tx\n")
    os.utime(old, (1000, 1000))
    ahead = refused / "1sXyZa-000125-AB"      # of a wrong clock: else it would stay for ever
    ahead.write_text("bank.example\tx\n")
    os.utime(ahead, (4e9, 4e9))
    done = site.run("cache", "refresh")
    assert done.returncode == 0 and done.stdout.startswith("0 domains: ")
    assert not old.exists() and not ahead.exists() and new.exists()


class Editor:
    """An $EDITOR that is one line of sh on "$1", and notes where it ran."""

    def __init__(self, top):
        self.path = top / "editor"
        self.seen = top / "seen"

    def does(self, line):
        self.path.write_text(f'#!/bin/sh\n[ "$1" = -x ] && shift\n'
                             f'{{ id -u; stat -c "%u %a" "$(dirname "$1")"; echo "$1"; }} '
                             f'>{self.seen}\n{line}\n')
        self.path.chmod(0o755)
        return {"EDITOR": f"{self.path} -x"}


@pytest.fixture
def editor(site):
    copies = set(Path("/tmp").glob("exim-requiretls.*"))
    yield Editor(site.top)
    for left in set(Path("/tmp").glob("exim-requiretls.*")) - copies:
        shutil.rmtree(left)


def test_cache_edit(site, editor):
    path = site.put("a.example", policy_record("a.example"))
    done = site.run("cache", "edit", "a.example",
                    env=editor.does('sed -i s/enforce/testing/ "$1"'))
    assert done.returncode == 0, done.stderr
    # The editor is the caller's, in a place of the caller's.
    uid, directory, copy = editor.seen.read_text().splitlines()
    assert (uid, directory) == ("0", "0 700")
    assert not copy.startswith(str(site.spool)) and not Path(copy).exists()
    # The record is the Exim user's, with a digest that is right.
    assert path.owner() == EXIM_USER and path.stat().st_mode & 0o777 == 0o640
    text = path.read_text()
    assert "mode: testing" in text
    assert "policy-digest 0000" not in text
    assert not list(site.spool.glob("cache/*/.tmp*"))


def test_cache_edit_nothing(site, editor):
    path = site.put("bank.example")
    before = path.stat()
    done = site.run("cache", "edit", "bank.example", env=editor.does("true"))
    assert done.returncode == 0 and "nothing changed" in done.stdout
    assert path.stat().st_ino == before.st_ino
    assert site.run("cache", "edit", "none.example", env=editor.does("true")).returncode == 66


@pytest.mark.parametrize("line, words", [
    ('echo frob >>"$1"', "line 9"),
    ('sed -i "s/^domain .*/domain evil.example/" "$1"', "another domain"),
    (': >"$1"', "line 1"),
    ('ln -sf /etc/passwd "$1"', "symbolic link"),
    ('rm "$1"', ""),
])
def test_cache_edit_refused(site, editor, line, words):
    path = site.put("bank.example")
    done = site.run("cache", "edit", "bank.example", env=editor.does(line))
    assert done.returncode == 65 and words in done.stderr
    assert "kept as" in done.stderr
    assert path.read_text() == record("bank.example")


def test_cache_edit_bad_policy(site, editor):
    path = site.put("a.example", policy_record("a.example"))
    done = site.run("cache", "edit", "a.example",
                    env=editor.does('sed -i "s/^mode: .*/mode: perhaps/" "$1"'))
    assert done.returncode == 65 and "line 2" in done.stderr
    copy = re.search(r"kept as (\S+)", done.stderr)[1]
    assert "mode: perhaps" in Path(copy).read_text()
    assert path.read_text() == policy_record("a.example")


def test_cache_edit_editor_fails(site, editor):
    path = site.put("bank.example")
    done = site.run("cache", "edit", "bank.example",
                    env=editor.does('echo frob >>"$1"; exit 3'))
    assert done.returncode == 69 and path.read_text() == record("bank.example")


def test_cache_edit_repairs(site, editor):
    path = site.put("bank.example", "garbage\n")
    good = site.top / "good"
    good.write_text(record("bank.example"))
    done = site.run("cache", "edit", "bank.example", env=editor.does(f'cat {good} >"$1"'))
    assert done.returncode == 0 and path.read_text() == record("bank.example")


def test_resolver_without_keys(site):
    """One that answers, but nothing about DNSKEY and DS: getdns must not give up within its own
    loop, where it frees what it still uses."""
    site.configure("resolver = 127.9.9.9\ndns_timeout = 1s\n")

    def serve(server):
        while True:
            query, client = server.recvfrom(4096)
            end = 12
            while end < len(query) and query[end]:
                end += query[end] + 1
            if query[end + 1:end + 3] == b"\0\0":  # said by the test: enough
                return
            if query[end + 2] not in (43, 48):
                server.sendto(query[:2] + b"\x81\x83\0\1\0\0\0\0\0\1" + query[12:], client)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, ThreadPoolExecutor(5) as pool:
        server.bind(("127.9.9.9", 53))
        pool.submit(serve, server)
        runs = pool.map(lambda _: site.run("publish", "bank.example", "--mx", "mx1.bank.example",
                                           "--mx", "mx2.bank.example"), range(12))
        results = [done.returncode for done in runs]
        server.sendto(bytes(17), ("127.9.9.9", 53))
    assert results == 12 * [0]
