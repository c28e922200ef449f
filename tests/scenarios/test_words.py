"""What a person reads: how a misused command line is told, the help, and colours."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

import pytest

from test_tool import ESC, PROGRAM, ROOT, run, site  # noqa: F401, pylint: disable=unused-import

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")

NO_VERB = 'there is no verb '
SUBVERBS = "list, show, edit, flush, refresh or size"
ACTIONS = "key, preview, read, run, show or status"
KINDS = "sts-record, sts-policy, tlsrpt-record or tlsrpt-report"

# The command line, and what is said of it behind "exim-requiretls: ".
MISUSES = [
    ("checck", NO_VERB + '"checck"; did you mean "check"?'),
    ("resolbe", NO_VERB + '"resolbe"; did you mean "resolve"?'),
    ("frobnicate", NO_VERB + '"frobnicate"'),
    ("--verison", NO_VERB + '"--verison"'),
    ("help cachee", NO_VERB + '"cachee"; did you mean "cache"?'),
    ("resolve", "resolve: expected a domain"),
    ("resolve a.example b.example", 'resolve: an argument too many: "b.example"'),
    ("resolve --jsn a.example", 'resolve: there is no option "--jsn"; did you mean "--json"?'),
    ("resolve --frobnicate", 'resolve: there is no option "--frobnicate"'),
    ("resolve --json=1 a.example", 'resolve: no value goes with that option: "--json=1"'),
    ("resolve --json --json a.example", 'resolve: given twice: "--json"'),
    ("resolve -j a.example", 'resolve: there is no option "-j"'),
    ("resolve --json -jx", 'resolve: there is no option "-j"'),
    ("resolve a.example -x", 'resolve: there is no option "-x"'),
    ("check", "check: expected a domain or an address"),
    ("check bob@", 'check: expected a domain or an address, not "bob@"'),
    ("check --timeout", 'check: a value must follow "--timeout"'),
    ("check -t 1 a.example", 'check: there is no option "-t"'),
    ("check --timeout 0 a.example", 'check: --timeout "0": expected 1 to 3600 seconds'),
    ("check --timeout 5s a.example", 'check: --timeout "5s": expected 1 to 3600 seconds'),
    ("check --self a.example", 'check: an argument too many: "a.example"'),
    ("check --self --own", "check: --own looks at a domain and --self at none"),
    ("check --good a.example", "check: --good and --broken go with --self"),
    ("check --selector x a.example", "check: --selector goes with --own"),
    ("check --own" + 9 * " --selector x" + " a.example", "check: at most 8 selectors"),
    ("parse", "parse: expected a kind and a file"),
    ("parse sts-record", "parse: expected a kind and a file"),
    ("parse sts-recrd -", f'parse: expected {KINDS}, not "sts-recrd"'),
    ("parse sts-record - -", 'parse: an argument too many: "-"'),
    ("cache", f"cache: expected {SUBVERBS}"),
    ("cache lst", f'cache: expected {SUBVERBS}, not "lst"'),
    ("cache list a.example", 'cache list: an argument too many: "a.example"'),
    ("cache list --all", 'cache list: there is no option "--all"'),
    ("cache show", "cache show: expected a domain"),
    ("cache show --jason a.example",
     'cache show: there is no option "--jason"; did you mean "--json"?'),
    ("cache flush", "cache flush: expected a domain or --all"),
    ("cache flush --all a.example", "cache flush: expected a domain or --all, not both"),
    ("cache refresh --all a.example", "cache refresh: expected a domain or --all, not both"),
    ("report", f"report: expected {ACTIONS}"),
    ("report send", f'report: expected {ACTIONS}, not "send"'),
    ("report preview", "report preview: expected a date"),
    ("report preview --json", 'report preview: there is no option "--json"'),
    ("report preview 2026-11-21 a b", 'report preview: an argument too many: "b"'),
    ("report run 2026-11-21", 'report run: an argument too many: "2026-11-21"'),
    ("report run --dry-run", 'report run: a value must follow "--dry-run"'),
    ("report run --dryrun /tmp",
     'report run: there is no option "--dryrun"; did you mean "--dry-run"?'),
    ("report show 2026-11-21 2026-11-20",
     "report show: expected the first day and then the last, at most 366 days"),
    ("report status x", 'report status: an argument too many: "x"'),
    ("report key", "report key: expected the file of a key"),
    ("report key k.pem",
     'report key: expected the whole path of the file, from / on, not "k.pem"'),
    ("report read", 'report read: expected files, directories or "-"'),
    ("report read --sumary -",
     'report read: there is no option "--sumary"; did you mean "--summary"?'),
    ("explain", "explain: expected an address with its domain"),
    ("explain bob", 'explain: expected an address with its domain, not "bob"'),
    ("explain --log", 'explain: a value must follow "--log"'),
    ("explain --log /x", "explain: expected a message id"),
    ("explain --log /x --flagged y", "explain: with --log there is only --json"),
    ("publish", "publish: expected a domain"),
    ("publish a.example", "publish: expected --mx, once for each MX host"),
    ("publish a.example --mx 192.0.2.1",
     'publish: --mx "192.0.2.1" is an address: a policy has names'),
    ("publish a.example --mx a_b",
     'publish: --mx "a_b" is neither a host name nor "*." and one'),
    ("publish a.example" + 65 * " --mx a.example", "publish: --mx may stand there 64 times"),
    ("publish a.example" + 5 * " --rua mailto:a@b.example", "publish: --rua may stand there 4 times"),
    ("publish a.example --verify --mx b.example",
     "publish: --verify looks at what is there: no --mx"),
    ("publish a.example --mode enfroce",
     'publish: --mode "enfroce": expected testing, enforce or none'),
    ("publish a.example --max-age 1y", 'publish: --max-age "1y": expected seconds, or a number '
     "with m, h, d or w; at most 31557600 seconds"),
    ("publish a.example --rua ftp://x",
     'publish: --rua "ftp://x": expected mailto:ADDRESS, or https: and a place there'),
    ("publish a.example --directory x",
     'publish: --directory "x": expected an absolute path of letters, digits and "._-"'),
    ("config x", 'config: an argument too many: "x"'),
    ("config --file", 'config: a value must follow "--file"'),
    ("config --fiel x", 'config: there is no option "--fiel"; did you mean "--file"?'),
]


@pytest.mark.parametrize("line, words", MISUSES, ids=[line for line, _ in MISUSES])
def test_misuse(line, words):
    done = run(*line.split())
    assert (done.returncode, done.stdout) == (64, "")
    first, *rest = done.stderr.splitlines()
    assert first == f"exim-requiretls: {words}"
    verb = words.split(":")[0]
    known = "" if words.startswith(NO_VERB) else verb + " "
    assert rest == [f'Try "exim-requiretls {known}--help".']
    if known:
        assert run(*verb.split(), "--help").stdout.startswith("Usage: exim-requiretls ")


def test_misuse_is_quoted():
    for args in ([f"x{ESC}"], ["check", f"--{ESC}\n"], ["check", "--timeout", ESC, "a.example"],
                 ["cache", ESC], ["parse", ESC, "-"], ["config", ESC], ["report", "read", f"-{ESC}"]):
        done = run(*args)
        assert done.returncode == 64 and ESC not in done.stderr
        assert len(done.stderr.splitlines()) == 2


# --- a terminal ---------------------------------------------------------------

class Terminal:
    """A program with a terminal of its own."""

    def __init__(self, command, cwd="/", env=None):
        self.end_of, side = pty.openpty()
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            command, stdin=side, stdout=side, stderr=side, cwd=cwd, env=env, start_new_session=True)
        os.close(side)

    def read(self, wanted=None):
        """What it prints until the words are there, or until it ends."""
        seen, give_up = "", time.monotonic() + 30
        while wanted is None or wanted not in seen:
            assert time.monotonic() < give_up, f"no {wanted!r} in {seen!r}"
            if not select.select([self.end_of], [], [], 1)[0]:
                continue
            try:
                data = os.read(self.end_of, 4096)
            except OSError:  # the other side is closed
                data = b""
            if not data:
                assert wanted is None, f"no {wanted!r} in {seen!r}"
                break
            seen += data.decode().replace("\r\n", "\n")
        return seen

    def type(self, keys, wanted):
        os.write(self.end_of, keys.encode())
        return self.read(wanted)

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.end_of)


# --- completion ---------------------------------------------------------------

COMPLETION = ROOT / "module/conf/completion/exim-requiretls"
COMPLETE = """
source "$1" && program=$2 && shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_exim_requiretls "$program"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, shell=("bash", "--norc", "-c"), program=PROGRAM, **kwargs):
    """What bash offers for the last of the words, as bash cut them apart."""
    done = subprocess.run([*shell, COMPLETE, "bash", COMPLETION, program, "exim-requiretls", *words],
                          capture_output=True, text=True, timeout=30, check=True, **kwargs)
    assert done.stderr == ""
    return set(done.stdout.split())


def verbs():
    return re.findall(r"^  (\w+) ", run("--help").stdout, re.M)


def forms(verb):
    """The usage of a verb: by the words behind it (none or a subverb) the options."""
    usage = run(verb, "--help").stdout.split("\n\n")[0]
    usage = re.sub(r"\n {8,}", " ", usage)
    found = {}
    for line in usage.splitlines():
        match = re.fullmatch(rf"(?:Usage:|      ) exim-requiretls {verb}((?: [a-z]+(?= |$))?)(.*)", line)
        assert match, f"{verb}: not a form of the usage: {line}"
        found.setdefault((verb, *match[1].split()), set()).update(
            re.findall(r"--[a-z-]+", match[2]))
    return found


ALL_FORMS = [(words, options) for verb in (verbs() if PROGRAM.exists() else [])
             for words, options in forms(verb).items()]


def test_completion_of_verbs():
    assert complete("") == {*verbs(), "help", "--help", "--version"}
    assert complete("re") == {verb for verb in verbs() if verb.startswith("re")}
    assert complete("help", "") == set(verbs())
    assert complete("frobnicate", "") == complete("help", "check", "") == set()


@pytest.mark.parametrize("words, options", ALL_FORMS, ids=[" ".join(words) for words, _ in ALL_FORMS])
def test_completion_of_options(words, options):
    """The help, the completion and the program know the same options."""
    assert complete(*words, "-") == options | {"--help"}
    if len(words) == 2:
        assert words[1] in complete(words[0], "")
    known = {option for _, others in ALL_FORMS for option in others}
    for option in known:
        # What follows is a value at most once, and then a mistake: nothing is done.
        done = run(*words, option, "-\n", "-\n")
        assert done.returncode in (64, 65)
        refused = f'there is no option "{option}"' in done.stderr
        # The beginning of an option's name stands for it.
        assert refused == (not any(name.startswith(option) for name in options)), option


def test_options_are_in_the_help():
    """An option that stands in no help would escape the test above."""
    written = set()
    for path in (ROOT / "module/tool").glob("*.c"):
        written |= set(re.findall(r'\{ "([a-z-]+)",\s+(?:no|required)_argument', path.read_text()))
    assert {"--" + name for name in written} == {
        option for _, options in ALL_FORMS for option in options}


@pytest.mark.parametrize("line, offered", [
    ("publish a.example --mode ", "testing enforce none"),
    ("publish a.example --mode e", "enforce"),
    ("publish a.example --mode = ", "testing enforce none"),
    ("publish a.example --mode =", "testing enforce none"),
    ("publish a.example --mode = t", "testing"),
    ("publish a.example --mx ", ""),
    ("publish a.example --max-age ", ""),
    ("publish a.example ", "--mx --mode --max-age --rua --directory --json --verify --help"),
    ("parse ", "sts-record sts-policy tlsrpt-record tlsrpt-report"),
    ("parse --json tlsrpt-r", "tlsrpt-record tlsrpt-report"),
    ("parse sts-policy ", "one.json two.eml folder"),
    ("parse sts-policy o", "one.json"),
    ("parse sts-policy one.json ", "--json --help"),
    ("publish a.example --directory ", "folder"),
    ("report re", "read"),
    ("report run --dry-run ", "folder"),
    ("report read ", "one.json two.eml folder"),
    ("report read --html one.json two.eml f", "folder"),
    ("report key --selector x ", "one.json two.eml folder"),
    ("report key k ", "--selector --domain --all-services --json --help"),
    ("config --file two", "two.eml"),
    ("config ", "--file --json --help"),
    ("check --timeout ", ""),
    ("cache size x ", "--json --help"),
    ("cache nonsense ", "--help"),
])
def test_completion_of_values(tmp_path, line, offered):
    (tmp_path / "folder").mkdir()
    for name in ("one.json", "two.eml"):
        (tmp_path / name).touch()
    assert complete(*line.split(" "), cwd=tmp_path) == set(offered.split())


@pytest.fixture
def keeper(tmp_path):
    """A program that knows a spool of ours, with names in it that are not to be believed."""
    for name in ("cache/0a/bank.example", "cache/0b/shop.example", "cache/0c/$(touch x).example",
                 "cache/0c/a b", "cache/0d/;id", "cache/0d/UP.example",
                 "tlsrpt/2026-11-21", "tlsrpt/2026-11-22",
                 "tlsrpt/2026-11-22.tmp", "tlsrpt/$(id)"):
        path = tmp_path / "the spool" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    program = tmp_path / "exim-requiretls"
    program.write_text(f"""#!/bin/sh
test "$1" != config || test "$2" = --help || exec printf '# x\\nspool = {tmp_path}/the spool\\n'
exec {PROGRAM} "$@"
""")
    program.chmod(0o755)
    return program


DAYS = "2026-11-21 2026-11-22"


@pytest.mark.parametrize("line, offered", [
    ("check ", "bank.example shop.example"),
    ("check --own --timeout 5 b", "bank.example"),
    ("cache show ", "bank.example shop.example"),
    ("cache flush sh", "shop.example"),
    ("cache edit B", ""),
    ("cache show *", ""),
    ("report preview ", DAYS),
    ("report preview 2026-11-22", "2026-11-22"),
    ("report preview 2026-11-22 ", "bank.example shop.example"),
    ("report run --date ", DAYS),
    ("report show --html ", DAYS),
    ("report show --html 2026-11-21 ", DAYS),
    ("report show --html --domain b", "bank.example"),
    ("report read --domain ", "bank.example shop.example"),
    ("explain b", ""),
    ("explain bob @ b", "bank.example"),                # as bash cuts it apart
    ("explain bob@b", "bob@bank.example"),              # without @ in COMP_WORDBREAKS
    ("explain bob@", "bob@bank.example bob@shop.example"),
    ("explain --sender a @ b.example bob @ ", "bank.example shop.example"),
])
def test_completion_from_the_spool(keeper, line, offered):
    for options in ((), ("-O", "nullglob"), ("-O", "failglob"), ("-f",), ("-u",),
                    ("-O", "extglob", "-O", "nocasematch")):
        assert complete(*line.split(" "), program=keeper, cwd=keeper.parent,
                        shell=("bash", "--norc", *options, "-c")) == set(offered.split())


def test_completion_without_rights(site):  # noqa: F811
    """Who may not look into the spool is offered no names, and told nothing."""
    site.put("bank.example")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)      # the clone may be where nobody may look
        files = [shutil.copy(path, directory + "/" + name)
                 for path, name in ((COMPLETION, "completion"), (PROGRAM, "program"))]
        for user, offered in ((None, "bank.example\n"), ("nobody", "\n")):
            done = site.start("bash", "--norc", "-c", COMPLETE, "bash", *files,
                              "exim-requiretls", "check", "", user=user)
            assert (done.stdout, done.stderr) == (offered, "")
            done = site.start("bash", "--norc", "-c", COMPLETE, "bash", *files,
                              "exim-requiretls", "check", "--se", user=user)
            assert (done.stdout, done.stderr) == ("--self\n--selector\n", "")


def test_completion_in_a_shell(tmp_path, keeper):
    """A real bash at a real terminal, with the keys somebody presses."""
    (tmp_path / "a file").touch()
    child = Terminal(["bash", "--norc", "--noprofile", "-i"], cwd=tmp_path,
                     env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ ",
                          "HOME": str(tmp_path)})
    child.type(f"source {COMPLETION}; echo is-'read'y\n", "is-ready")
    child.type("exim-requiretls par\t", "exim-requiretls parse ")
    child.type("tlsrpt-rep\t", "tlsrpt-report ")
    child.type("a\t", "a\\ file ")
    child.type("\x15exim-requiretls explain bob@ba\t", "bank.example ")
    child.type("--fl\t", "--flagged ")
    child.type("\x15exim-requiretls publish a.example --mode=t\t", "--mode=testing ")
    child.end()


# --- mistakes in files --------------------------------------------------------

DOMAIN = "expected a domain, which may have * and ? in it"
KIND = "expected sts, dnssec, requiretls or verified behind the domain, each once, with commas between"
REASON = "expected a reason in double quotes, of at most 200 bytes of UTF-8, and nothing behind it"
PATH = "expected an absolute path of at most 255 bytes"

# The file (the configuration, or the one a key of it names), its text, and what is said behind its name.
MISTAKES = [
    ("conf", "mta-sts = no", 'line 1: unknown key "mta-sts"; did you mean "mta_sts"?'),
    ("conf", "# x\n\ntlsrpt_contakt = a@b", 'line 3: unknown key "tlsrpt_contakt"; '
     'did you mean "tlsrpt_contact"?'),
    ("conf", "frobnicate = yes", 'line 1: unknown key "frobnicate"'),
    ("conf", "= yes", 'line 1: unknown key ""'),
    ("conf", "mta_sts", 'line 1: expected "key = value", not "mta_sts"'),
    ("conf", "mta_sts: yes", 'line 1: expected "key = value", not "mta_sts: yes"'),
    ("conf", "mta_sts = no\nmta_sts = no", "line 2: mta_sts: already set in line 1"),
    ("conf", "mta_sts = perhaps", 'line 1: mta_sts: expected yes or no, not "perhaps"'),
    ("conf", "mta_sts =", 'line 1: mta_sts: expected yes or no, not ""'),
    ("conf", "mta_sts = no # because", 'line 1: mta_sts: expected yes or no, not "no # because"'),
    ("conf", "requiretls = enforced", "line 1: requiretls: expected enforce, verified, opportunistic "
     'or disable, not "enforced"'),
    ("conf", "requiretls_tag = requiretls", "line 1: requiretls_tag: expected a separator and a word "
     'such as +requiretls, or off, not "requiretls"'),
    ("conf", "sts_dns_error = fail",
     'line 1: sts_dns_error: expected proceed or defer, not "fail"'),
    ("conf", "spool = spool", f'line 1: spool: {PATH}, not "spool"'),
    ("conf", "rules = ~/rules", f'line 1: rules: {PATH}, or nothing, not "~/rules"'),
    ("conf", "cache_max = 10", "line 1: cache_max: expected a number from 1000 to 100000000, "
     'not "10"'),
    ("conf", "cache_keep = 4w", 'line 1: cache_keep: expected days, from 1d to 3650d, not "4w"'),
    ("conf", "user = a b", 'line 1: user: expected a user name, not "a b"'),
    ("conf", "dns_timeout = 0", "line 1: dns_timeout: expected a time like 20, 20s, 1500ms or "
     '2m, from 1ms to 60m, not "0"'),
    ("conf", "dnssec = yes", 'line 1: dnssec: expected validate or ad, not "yes"'),
    ("conf", "resolver = localhost",
     'line 1: resolver: expected up to 4 IP addresses separated by blanks, not "localhost"'),
    ("conf", "tlsrpt = yes", "line 1: tlsrpt: yes needs tlsrpt_organization and tlsrpt_contact"),
    ("conf", "tlsrpt_contact = me", "line 1: tlsrpt_contact: expected a mail address such as "
     'postmaster@example.org, not "me"'),
    ("conf", "tlsrpt_spread = 1d", "line 1: tlsrpt_spread: expected a time like 90s, 10m or 4h, at "
     'most 20h, not "1d"'),
    ("conf", "tlsrpt_max_size = 1G", "line 1: tlsrpt_max_size: expected a size like 512K or 5M, from "
     '64K to 1024M, not "1G"'),
    ("conf", "tlsrpt_rua = me@example.org", "line 1: tlsrpt_rua: expected a URI like "
     "mailto:postmaster@example.org or https://example.org/path, or nothing, "
     'not "me@example.org"'),
    ("rules", "flags Subject x",
     'line 1: expected "flag", "dnssec", "level" or "require", not "flags"'),
    ("rules", "\nflag Subject: x",
     'line 2: expected the name of a header field, without colon, not "Subject:"'),
    ("rules", "flag", "line 1: expected the name of a header field, without colon, "
     "but the line ends"),
    ("rules", "flag Subject", "line 1: expected a wildcard, its quotes in pairs, but the line ends"),
    ("rules", 'flag Subject "x', 'line 1: expected a wildcard, its quotes in pairs, not "\\x22x"'),
    ("rules", "level bank.example strict", "line 1: expected enforce, verified, opportunistic or "
     'disable behind the domain, not "strict"'),
    ("rules", "level bank.example enforce now", "line 1: expected enforce, verified, opportunistic "
     'or disable behind the domain, not "enforce now"'),
    ("rules", "require bob@bank.example sts", f'line 1: {DOMAIN}, not "bob@bank.example"'),
    ("rules", "require", f"line 1: {DOMAIN}, but the line ends"),
    ("rules", "require bank.example mta-sts",
     'line 1: expected verified, sts or dnssec behind the domain, not "mta-sts"'),
    ("exempt", "bank.example.", f'line 1: {DOMAIN}, not "bank.example."'),
    ("exempt", "bank.example", f"line 1: {KIND}, but the line ends"),
    ("exempt", "bank.example sts,tls until=2027-01-31 \"x\"", f'line 1: {KIND}, not "sts,tls"'),
    ("exempt", "# why\nbank.example sts",
     "line 2: expected until=YYYY-MM-DD, the last day, but the line ends"),
    ("exempt", "bank.example sts until=31.1.2027 \"x\"",
     'line 1: expected until=YYYY-MM-DD, the last day, not "until=31.1.2027"'),
    ("exempt", "bank.example sts until=2027-02-30 \"x\"",
     'line 1: expected until=YYYY-MM-DD, the last day, not "until=2027-02-30"'),
    ("exempt", "bank.example sts until=2027-01-31", f"line 1: {REASON}, but the line ends"),
    ("exempt", "bank.example sts until=2027-01-31 asked for", f'line 1: {REASON}, not "asked for"'),
    ("tlsrpt_domains", "bank.example", 'line 1: expected report or silent, not "bank.example"'),
    ("tlsrpt_domains", "silent", f"line 1: {DOMAIN}, but the line ends"),
    ("tlsrpt_domains", "silent a.example b.example",
     'line 1: expected nothing behind the domain, not "b.example"'),
]


@pytest.mark.parametrize("file, text, words", MISTAKES, ids=[text for _, text, _ in MISTAKES])
def test_mistakes(tmp_path, file, text, words):
    """File, line, what was expected and what is there."""
    if os.geteuid() != 0:
        pytest.skip("needs root, whose files count")
    conf = tmp_path / "conf"
    (tmp_path / file).write_text(text)
    if file != "conf":
        conf.write_text(f"{file} = {tmp_path}/{file}\n")
    done = run("config", "--file", conf)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == f"exim-requiretls: {tmp_path}/{file}: {words}\n"


# --- colours and lost output --------------------------------------------------

@pytest.mark.parametrize("env, coloured", [
    ({}, True), ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False),
    ({"NO_COLOR": "", "TERM": "xterm"}, True), ({"NO_COLOR": "0", "TERM": "xterm"}, False),
])
def test_colours_on_a_terminal(env, coloured):
    child = Terminal([PROGRAM, "check", "--self", "--timeout", "1"],
                     env={"PATH": os.environ["PATH"], **env})
    seen = child.read()
    child.end()
    assert "spool" in seen and ("\x1b[" in seen) == coloured


def test_no_colours_elsewhere():
    """Into a file or a pipe, whatever the environment says."""
    done = run("check", "--self", "--timeout", "1", env={**os.environ, "TERM": "xterm"})
    assert "spool" in done.stdout and "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["config"], ["config", "--json"],
                                  ["check", "--self", "--timeout", "1"], ["cache", "list"],
                                  ["cache", "size"], ["cache", "size", "--json"],
                                  ["report", "status"], ["explain", "bob@[192.0.2.1]"],
                                  ["publish", "a.example", "--mx", "mx.a.example"],
                                  *([verb, "--help"] for verb in ("check", "report"))], ids=" ".join)
def test_lost_output_is_told(site, args):  # noqa: F811
    """A full disk is no success, and says so."""
    site.configure("resolver = 127.0.0.9\ndns_timeout = 100ms\n")
    done = site.start("sh", "-c", 'exec "$0" "$@" >/dev/full', str(PROGRAM), *args)
    assert done.returncode in ((74, 1, 75) if "check" in args else (74,))
    assert done.stderr.endswith(
        "exim-requiretls: the output could not be written: No space left on device\n")
