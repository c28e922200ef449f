"""What a person reads: how a misused command line is told, the help, and colours."""

import os
import pty
import re
import select
import subprocess
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
    ("report read --domain ", ""),
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
    words = ("bash", "--norc", "-c", COMPLETE, "bash", str(COMPLETION), str(PROGRAM),
             "exim-requiretls", "check", "")
    for user, offered in ((None, "bank.example\n"), ("nobody", "\n")):
        done = site.start(*words, user=user)
        assert (done.stdout, done.stderr) == (offered, "")


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
