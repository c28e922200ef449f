"""What a person reads: how a misused command line is told, the help, and colours."""

import os
import re
import subprocess

import pytest

from test_tool import ESC, PROGRAM, ROOT, run, site  # noqa: F401, pylint: disable=unused-import

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built")

NO_VERB = 'there is no verb '
SUBVERBS = "list, show, edit, flush, refresh or size"
ACTIONS = "key, preview, read, run, show or status"
KINDS = "sts-record, sts-policy, tlsrpt-record or tlsrpt-report"

# The command line, and what is said of it behind "exim-requiretls: ".
MISUSES = [
    ("chek", NO_VERB + '"chek"; did you mean "check"?'),
    ("reslove", NO_VERB + '"reslove"; did you mean "resolve"?'),
    ("frobnicate", NO_VERB + '"frobnicate"'),
    ("--verison", NO_VERB + '"--verison"'),
    ("help cahce", NO_VERB + '"cahce"; did you mean "cache"?'),
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
