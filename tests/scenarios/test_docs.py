"""The documentation says what the program does: these fail when one changes and the other
does not. No lab is needed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import log_manual
from sender import ROOT

PROGRAM = ROOT / os.environ.get("OUT", "build/out") / "exim-requiretls"
DOCS = ROOT / "docs"
OPERATING = DOCS / "OPERATING.md"
TROUBLESHOOTING = DOCS / "TROUBLESHOOTING.md"
REPORTS = DOCS / "REPORTS.md"
PROGRAM_8 = DOCS / "exim-requiretls.8"
CONF_5 = DOCS / "requiretls.conf.5"
CONCEPT_7 = DOCS / "requiretls.7"
SHIPPED_CONF = ROOT / "module/conf/requiretls.conf"
TEXTS = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def run(*args, status=0):
    """The standard output of the program."""
    found = subprocess.run([PROGRAM, *args], capture_output=True, text=True, check=False)
    assert found.returncode == status, found.stderr
    return found.stdout


def check_config(tmp_path, text):
    """`config --file` on a text, as JSON."""
    path = tmp_path / "requiretls.conf"
    path.write_text(text)
    return json.loads(run("config", "--json", "--file", str(path)))


def short(path):
    """A name for a parametrized test."""
    return str(path.relative_to(ROOT))


# --- requiretls.conf(5) ---------------------------------------------------------------

def documented_keys():
    """Key: (what its .It line says of values, the text below it)."""
    part = CONF_5.read_text().partition(".Sh RULES FILE")[0]
    pieces = re.split(r"^\.It Cm (\w+) = (.*)\n", part, flags=re.MULTILINE)
    return {pieces[i]: (pieces[i + 1], pieces[i + 2]) for i in range(1, len(pieces), 3)}


def example_after(words):
    """The literal display behind these words of requiretls.conf(5)."""
    text = CONF_5.read_text()
    at = text.index(words)
    return re.search(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", text[at:], re.MULTILINE)[1]


def test_every_key_is_documented(tmp_path):
    """And no other."""
    printed = check_config(tmp_path, "")["keys"]
    assert sorted(documented_keys()) == sorted(printed)


def test_defaults_are_documented(tmp_path):
    """What the manual calls the default is what an empty file gives."""
    printed = check_config(tmp_path, "")["keys"]
    wrong = {}
    for key, (_, text) in documented_keys().items():
        found = re.search(r"^Default:(?: nothing\.|\n\.(?:Li|Pa) (\S+) \.)$", text,
                          re.MULTILINE)
        said = found and (found[1] or "")
        if said != printed[key]["value"]:
            wrong[key] = (said, printed[key]["value"])
    assert wrong == {}


def test_documented_words_are_taken(tmp_path):
    """Each alternative in the heading of a key is a value of it."""
    count = 0
    for key, (values, _) in documented_keys().items():
        if not values.startswith("Li "):
            continue
        for word in values[3:].split(" | "):
            more = "tlsrpt_organization = x\ntlsrpt_contact = x@example.org\n"
            answer = check_config(tmp_path, f"{key} = {word}\n{more}")
            assert answer["keys"][key] == {"value": word, "origin": "set"}
            count += 1
    assert count >= 10


def test_example_configuration_is_valid(tmp_path):
    """As it stands, but for the place of rules and exemptions; and these too."""
    text = example_after("A stock Exim that uses flags")
    for name in ("rules", "exempt"):
        path = tmp_path / f"requiretls.{name}"
        words = "Its rules:" if name == "rules" else "Its exemptions:"
        path.write_text(example_after(words))
        assert f"/etc/exim4/{path.name}" in text
        text = text.replace(f"/etc/exim4/{path.name}", str(path))
    answer = check_config(tmp_path, text)
    rules = (tmp_path / "requiretls.rules").read_text()
    lines = re.findall(r"^(?:flag|dnssec) ", rules, re.MULTILINE)
    assert answer["rules"]["count"] == len(lines) == 3
    assert answer["rules"]["demands"] == 2 and answer["exempt"]["count"] == 2
    assert "set" in {key["origin"] for key in answer["keys"].values()}


def test_shipped_configuration_lists_every_key(tmp_path):
    """Commented, in any order, and each once. What it shows is a default, or an example
    where the default is nothing."""
    keys = check_config(tmp_path, "")["keys"]
    shown = re.findall(r"^#(\w+) =[ ]?(.*)$", SHIPPED_CONF.read_text(), re.MULTILINE)
    assert sorted(key for key, _ in shown) == sorted(keys)
    wrong = {key: value for key, value in shown
             if keys[key]["value"] not in ("", value)}
    assert wrong == {}


def test_shipped_configuration_is_valid(tmp_path):
    """As installed, and with all of its lines but those of other files made to count."""
    text = SHIPPED_CONF.read_text()
    assert check_config(tmp_path, text)["keys"]["requiretls"]["origin"] == "default"
    text = re.sub(r"^#(\w+ =)", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"^(rules|exempt|tlsrpt_domains) =.*$", "", text, flags=re.MULTILINE)
    assert check_config(tmp_path, text)["keys"]["requiretls"]["origin"] == "set"


def table_of_keys():
    """Key: (name of its type, what that expects), from the table of module/policy/config.c."""
    source = without_comments((ROOT / "module/policy/config.c").read_text())
    types = {match[1]: "".join(part[1:-1] for part in re.findall(LITERAL, match[2]))
             for match in re.finditer(
                 rf"value_type (type_\w+) = \{{\s*({LITERAL}(?:\s*{LITERAL})*),", source)}
    return {key: (name, types[name])
            for key, name in re.findall(r'\{ "(\w+)", &(type_\w+),', source)}


# How the heading of a key calls the value of each type.
VALUES = {"type_bool": "Li yes | no", "type_timeout": "Ar time",
          "type_timeout_or_none": "Ar time", "type_min_age": "Ar time",
          "type_spread": "Ar time", "type_domains": "Ar number", "type_days": "Ar N Ns Li d",
          "type_size": "Ar size", "type_path": "Ar path", "type_path_or_none": "Ar path",
          "type_user": "Ar name", "type_host": "Ar name", "type_rua": "Ar URI",
          "type_tag": "Ar tag", "type_organization": "Ar text", "type_address": "Ar address",
          "type_resolvers": "Ar address ...",
          "type_level": "Li enforce | verified | opportunistic | disable",
          "type_on_dns_error": "Li proceed | defer", "type_dns_mode": "Li validate | ad"}


def test_types_and_ranges_are_documented():
    """The heading says of what kind the value is; the least and the most stand below it, or of
    times of the network above all of these."""
    table, manual = table_of_keys(), documented_keys()
    assert len(table) >= 30 and set(table) == set(manual)
    wrong = []
    for key, (name, expected) in table.items():
        values, text = manual[key]
        if values != VALUES[name]:
            wrong.append((key, values, VALUES[name]))
        whole = CONF_5.read_text() if name in (
            "type_timeout", "type_timeout_or_none", "type_path", "type_path_or_none") else text
        for limit in re.findall(r"\b(?:at most|from|to|up to) (\d+\w*)", expected):
            if not re.search(rf"\b{limit}\b", whole):
                wrong.append((key, limit))
    assert wrong == []


# --- exim-requiretls(8) ---------------------------------------------------------------

def verbs():
    """The verbs that --help lists."""
    found = re.findall(r"^  (\w+) {2,}\S", run("--help"), re.MULTILINE)
    assert len(found) >= 5
    return found


def test_every_verb_is_documented():
    """In the synopsis and below; so are the words that follow a verb."""
    text = PROGRAM_8.read_text()
    for verb in verbs():
        assert re.search(rf"^\.Nm exim-requiretls\n\.Cm {verb}$", text, re.MULTILINE), verb
        for word in re.findall(rf"(?:exim-requiretls )?{verb} ([a-z]+)\b",
                               run(verb, "--help")):
            assert re.search(rf"^\.It Cm {verb} {word}$", text, re.MULTILINE), (verb, word)


def test_no_other_verb_is_documented():
    """Nothing is left of a verb that went."""
    text = PROGRAM_8.read_text().partition(".Sh DESCRIPTION")[0]
    assert set(re.findall(r"^\.Nm exim-requiretls\n\.Cm (\S+)$", text,
                          re.MULTILINE)) == set(verbs())


def test_options_are_documented():
    """Each --option of any verb, and no other."""
    asked = {"--help", "--version"}
    for verb in verbs():
        asked |= set(re.findall(r"--[a-z][a-z-]*", run(verb, "--help")))
    said = set(re.findall(r"\bFl (-[a-z][a-z-]*)", PROGRAM_8.read_text()))
    assert {f"-{option}" for option in said} == asked


def part_of(verb):
    """What exim-requiretls(8) says of a verb, with the words that follow it."""
    text = PROGRAM_8.read_text().partition(".Sh DESCRIPTION")[2].partition("\n.Sh ")[0]
    other = rf"\.It Cm (?:{'|'.join(verbs())})\b"
    return "".join(re.findall(rf"^\.It Cm {verb}(?: \w+)?\n(?:(?!{other}).*\n)*", text,
                              re.MULTILINE))


@pytest.mark.parametrize("verb", ["resolve", "check", "parse", "cache", "report", "explain",
                                  "publish", "metrics", "setup", "config"])
def test_options_of_a_verb_are_documented(verb):
    """Those that its --help shows, where the verb is described and in the synopsis; no other."""
    asked = set(re.findall(r"--[a-z][a-z-]*", run(verb, "--help")))
    described = {f"-{name}" for name in re.findall(r"\bFl (-[a-z][a-z-]*)", part_of(verb))}
    synopsis = PROGRAM_8.read_text().partition(".Sh DESCRIPTION")[0]
    lines = re.findall(rf"^\.Nm exim-requiretls\n\.Cm {verb}\n((?:(?!\.Nm).*\n)*)", synopsis,
                       re.MULTILINE)
    shown = {f"-{name}" for name in re.findall(r"\bFl (-[a-z][a-z-]*)", "".join(lines))}
    assert shown == asked
    assert described - {"--help", "--version"} == asked


def test_this_knows_every_verb():
    """The list above is complete."""
    marks = test_options_of_a_verb_are_documented.pytestmark
    assert sorted(marks[0].args[1]) == sorted(verbs())


EXIT_STATUSES = {"EX_OK": 0, "EX_USAGE": 64, "EX_DATAERR": 65, "EX_NOINPUT": 66, "EX_NOUSER": 67,
                 "EX_UNAVAILABLE": 69, "EX_SOFTWARE": 70, "EX_OSERR": 71, "EX_OSFILE": 72,
                 "EX_CANTCREAT": 73, "EX_IOERR": 74, "EX_TEMPFAIL": 75, "EX_NOPERM": 77,
                 "EX_CONFIG": 78}


def test_exit_statuses_are_those_of_the_sources():
    """Each that the program ends with, and no other; 1 is that of `check`."""
    used = {EXIT_STATUSES[name] for path in (ROOT / "module").glob("*/*.c")
            for name in re.findall(r"\bEX_[A-Z]+\b", without_comments(path.read_text()))}
    text = PROGRAM_8.read_text().partition(".Sh EXIT STATUS")[2]
    assert {int(name) for name in re.findall(r"^\.It (\d+)$", text, re.MULTILINE)} == used | {1}


def test_kinds_are_documented():
    """The kinds of `parse`."""
    kinds = re.findall(r"\b((?:sts|tlsrpt)-[a-z]+) {2,}", run("parse", "--help"))
    assert len(kinds) == 4
    for kind in kinds:
        assert f".It Cm {kind}\n" in PROGRAM_8.read_text()


def test_exit_statuses_are_documented():
    """Those that --help names."""
    text = PROGRAM_8.read_text().partition(".Sh EXIT STATUS")[2]
    said = re.search(r"Exit status: (.*)", run("--help"), re.DOTALL)[1]
    named = set(re.findall(r"\b\d+\b", said))
    assert {"0", "64", "65"} <= named
    assert named <= set(re.findall(r"^\.It (\d+)$", text, re.MULTILINE))


# --- what the log says ----------------------------------------------------------------

LITERAL = r'"(?:[^"\\\n]|\\.)*"'


def without_comments(text):
    """C without comments and preprocessor lines."""
    text = re.sub(rf"({LITERAL})|/\*.*?\*/", lambda m: m[1] or " ", text, flags=re.DOTALL)
    return re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.MULTILINE)


def literals(text):
    """All string literals, adjacent ones joined."""
    return ["".join(part[1:-1] for part in re.findall(LITERAL, group))
            for group in re.findall(rf"{LITERAL}(?:\s*{LITERAL})*", text)]


def calls(text, name):
    """The arguments of each call of a function; not of its definition."""
    found = []
    for match in re.finditer(rf"\b{name}\(", text):
        depth, end = 1, match.end()
        while depth:
            step = re.compile(rf"{LITERAL}|'(?:\\.|[^'])'|[()]").search(text, end)
            depth += {"(": 1, ")": -1}.get(step[0], 0)
            end = step.end()
        found.append(text[match.end():end - 1])
    return found


def fixed_words(literal):
    """What of a format does not change, piece by piece; nothing of an Exim variable."""
    if literal.startswith("$"):
        return []
    text = literal.replace(r"\"", '"').replace(r"\n", " ").replace(r"\t", " ")
    pieces = re.split(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z]", text)
    pieces = [" ".join(piece.split()).strip(' ,;:()"') for piece in pieces]
    return [piece for piece in pieces if re.search(r"[A-Za-z]{2}", piece)]


# Where texts for the log, and for the sender, come from: files, and the functions they
# are given to; None for all literals of the file.
SOURCES = [
    ("module/exim/*.c", ("rtls_exim_log", "refuse", "rtls_exim_return")),
    ("module/exim/route.c", ("snprintf",)),
    ("module/exim/request.c", ("snprintf",)),
    ("module/exim/preflight.c", ("complain",)),
    ("module/policy/decision.c", ("log_action", "log_flags", "log_hosts", "log_site", "log_via",
                                  "rtls_text_printf")),
    ("module/exim/session.c", ("refuse_unplanned", "refuse_unknown_tlsa", "refuse_foreign")),
    ("module/exim/attempt.c", ("rtls_text_printf",)),
    ("module/exim/attempt.c", ("rtls_text_printf", "snprintf")),
    ("module/exim/helper.c", ("rtls_err_set",)),
    ("module/exim/api.c", ("rtls_err_set",)),
    ("module/exim/judge.c", None),
    ("module/tls/chain.c", None),
    ("module/tls/leaf.c", None),
    ("module/policy/verdict.c", ("refuse",)),
    ("module/resolve/*.c", ("rtls_resolving_note",)),
    ("module/report/ask.c", ("rtls_job_log",)),
    ("module/report/deliver.c", ("rtls_job_log", "log_delivery")),
]
# A word of no message, or one that no message is seen with.
NOT_SHOWN = {"good"}


def body_of(text, name):
    """The body of a function."""
    match = re.search(rf"\b{name}\([^;{{]*\)\n\{{\n(.*?)\n\}}", text, re.DOTALL)
    return match[1] if match else ""


def messages(pattern, names):
    """(file, literal) of all texts of these sources."""
    found = []
    for path in sorted(ROOT.glob(pattern)):
        text = without_comments(path.read_text())
        parts = [text] if names is None else []
        for name in names or ():
            parts += calls(text, name)
            if name.startswith(("log_", "refuse_")):
                parts.append(body_of(text, name))
        found += [(path.name, literal) for part in parts for literal in literals(part)]
    return found


@pytest.mark.parametrize("pattern,names", SOURCES, ids=[source[0] for source in SOURCES])
def test_messages_are_documented(pattern, names):
    """The fixed words of each stand in one of the texts for operators."""
    text = " ".join((TROUBLESHOOTING.read_text() + OPERATING.read_text()
                     + REPORTS.read_text()).split())
    found = messages(pattern, names)
    assert found, "no message was found: the sources look different now"
    missing = sorted({(file, piece) for file, literal in found
                      for piece in fixed_words(literal.removeprefix("defer=\\\"")
                                               .removeprefix(":defer: "))
                      if piece not in NOT_SHOWN and piece not in text})
    assert missing == []


def test_lines_of_the_log_in_the_manual():
    """requiretls(7) has what TROUBLESHOOTING.md has; else run log_manual.py."""
    assert log_manual.manual() == CONCEPT_7.read_text()
    assert CONCEPT_7.read_text().partition(".Sh DIAGNOSTICS")[2].count("\n.It Li ") >= 90


def test_documented_lines_are_explained(tmp_path):
    """`explain --log` knows each line of the module that TROUBLESHOOTING.md shows."""
    message_id = "1tABCD-000abc-12"
    part = TROUBLESHOOTING.read_text().partition("## What the log says")[2].partition("\n## ")[0]
    lines = re.findall(r"^    (requiretls: .*)$", part, re.MULTILINE)
    # The tables, in the form in which they come.
    for text in re.findall(r"^\| `([45]\.[^`]*)`", part, re.MULTILINE):
        lines.append(f"requiretls: DOMAIN {'refused' if text[0] == '5' else 'put off'}: {text}")
    for text in re.findall(r"^\| `((?:certificate )?refused: [^`]*)`", part, re.MULTILINE):
        if text != "refused: ":
            lines.append(f"requiretls: host HOST {text}")
    assert len(lines) >= 40
    log = tmp_path / "mainlog"
    log.write_text("".join(f"2026-11-25 07:15:47 {message_id} {line}\n" for line in lines))
    said = json.loads(run("explain", "--log", str(log), message_id, "--json"))
    unknown = [line["text"] for line in said if "does not know" in line["meaning"]]
    assert len(said) == len(lines) and unknown == []


def test_messages_of_the_routers_are_documented():
    """The same for what routers.conf itself says."""
    stanzas = (ROOT / "module/conf/routers.conf").read_text()
    text = TROUBLESHOOTING.read_text()
    said = re.findall(r":(?:fail|defer): (\d[^}\n]*?)\}*(?: \})*$", stanzas, re.MULTILINE)
    assert len(said) == 1
    for message in said:
        assert message in text, message


def test_words_of_local_scan_data_are_documented():
    """The words of $local_scan_data, in requiretls(7)."""
    text = CONCEPT_7.read_text()
    source = without_comments((ROOT / "module/policy/flags.c").read_text())
    tables = re.findall(r"_names\[\] = \{(.*?)\};", source, re.DOTALL)
    words = {word for table in tables for word in literals(table)} - {"nothing"}
    assert len(words) >= 10
    for word in words:
        assert re.search(rf"^\.(?:It|Li) {word}\b", text, re.MULTILINE), word


def test_kinds_of_protection_are_documented():
    """What rules require and exemptions lift, in requiretls.conf(5) and OPERATING.md."""
    source = without_comments((ROOT / "module/policy/protection.c").read_text())
    kinds = re.findall(r'RTLS_PROTECT_\w+, "(\w+)"', source)
    assert len(kinds) == 4
    rules, _, exemptions = CONF_5.read_text().partition(".Sh EXEMPTIONS FILE")
    for kind in kinds:
        assert f".It Li {kind}\n" in exemptions
        assert (f".It Li {kind}\n" in rules.partition(".It Ic require")[2]) \
            == (kind != "requiretls")
        assert f"`{kind}`" in OPERATING.read_text()


# --- what Exim is given -----------------------------------------------------------------

STANZAS = sorted((ROOT / "module/conf").glob("*.conf"))


def test_macros_are_documented():
    """Each of the stanzas, in requiretls(7), and no other anywhere."""
    used = {name for path in STANZAS for name in re.findall(r"\bREQUIRETLS_[A-Z_]+\b",
                                                            path.read_text())}
    assert len(used) >= 10
    part = CONCEPT_7.read_text().partition(".Ss Macros")[2].partition("\n.Ss ")[0]
    assert set(re.findall(r"\bREQUIRETLS_[A-Z_]+\b", part)) == used
    for path in [*TEXTS, CONF_5, PROGRAM_8]:
        named = set(re.findall(r"\bREQUIRETLS_[A-Z_]+\b", path.read_text()))
        # The README of Postfix, and the option that Exim's build calls so.
        named -= {"REQUIRETLS_README"}
        assert named <= used, path.name


def test_routers_transports_and_functions_are_documented():
    """By name, in requiretls(7)."""
    part = CONCEPT_7.read_text().partition(".Ss Routers and transports")[2].partition(
        "\n.Ss Macros")[0]
    named = set(re.findall(r"\brequiretls_[a-z_]+\b", part))
    used = {name for path in STANZAS
            for name in re.findall(r"^(requiretls_[a-z_]+):", path.read_text(), re.MULTILINE)}
    functions = set(re.findall(r"^\t\t(requiretls_\w+);",
                               (ROOT / "module/exim/export.map").read_text(), re.MULTILINE))
    assert len(functions) >= 5 and named == used | functions


def test_words_of_rules_are_documented():
    """Of the rules file, the exemptions and the file of tlsrpt_domains."""
    text = CONF_5.read_text()
    words = set()
    for name in ("rules.c", "reported.c"):
        source = without_comments((ROOT / "module/policy" / name).read_text())
        words |= set(re.findall(r'rtls_slice_is(?:_nocase)?\(\w+, "(\w+)"\)', source))
    assert {"flag", "level", "require", "dnssec", "report", "silent"} <= words
    for word in words:
        assert re.search(rf"^\.(?:It )?(?:Ic|Li) {word}\b", text, re.MULTILINE), word


def test_texts_of_the_patches_are_documented():
    """What a patched Exim says to clients, senders and the log."""
    text = " ".join((OPERATING.read_text() + CONCEPT_7.read_text()).split())
    found = set()
    for path in sorted(ROOT.glob("patches/exim-*/*.patch")):
        for line in re.findall(r"^\+(.*)$", path.read_text(), re.MULTILINE):
            if "DEBUG(" not in line and "debug_printf" not in line:
                found |= set(re.findall(r'"([^"\\]*(?:5\.7\.\d+|REQUIRETLS|requiretls:|offer TLS|'
                                        r'start TLS)[^"\\]*)"', line))
    # Names of macros and of what is matched in an answer, and what is seen in debugging only.
    found = {one for one in found if " " in one.strip() and "by ACL" not in one
             and "by local_scan" not in one and "${if" not in one
             and "(RFC 8689), otherwise" not in one}
    assert len(found) >= 8
    missing = {piece for one in found for piece in fixed_words(one)
               if len(piece) > 3 and piece not in text}
    assert missing == set()


def test_files_in_the_spool_are_documented():
    """Each that the sources make, in OPERATING.md and exim-requiretls(8)."""
    table = OPERATING.read_text().partition("## Files in the spool")[2].partition("\n## ")[0]
    manual = PROGRAM_8.read_text().partition(".Sh FILES")[2].partition("\n.Sh ")[0]
    made = set()
    for path in (ROOT / "module").glob("*/*.c"):
        source = without_comments(path.read_text())
        made |= set(re.findall(r'"%s/(cache|tlsrpt|policy|outbox|refused|warned|lock)\b', source))
        made |= set(re.findall(r'^#define \w+ +"(policies-tidied|\.done)"', path.read_text(),
                               re.MULTILINE))
    assert len(made) == 9
    for name in made:
        assert re.search(rf"`[\w/-]*{re.escape(name)}[`/]", table), name
        assert re.search(rf"requiretls/[\w/]*{re.escape(name)}", manual), name
    # Whatever a run leaves there is one of them: see test_examples.py.


# --- files, links, commands -----------------------------------------------------------

def test_mandoc_is_content():
    """No warning in any manual."""
    manuals = sorted(DOCS.glob("*.[1-9]"))
    assert len(manuals) >= 3
    found = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *manuals],
                           capture_output=True, text=True, check=False)
    assert found.stdout + found.stderr == ""
    assert found.returncode == 0


def test_lint_minds_a_warning(tmp_path):
    """The command of build/lint.sh ends with an error then."""
    assert 'run "mandoc" mandoc -T lint -W warning' in (ROOT / "build/lint.sh").read_text()
    path = tmp_path / "x.8"
    path.write_text(PROGRAM_8.read_text().replace(".Sh NAME\n", ".Sh NAME\n.Xx\n"))
    found = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True,
                           text=True, check=False)
    assert found.returncode != 0 and "unknown" in found.stdout


# Manuals of others that ours name: all in packages of Debian.
OTHERS = {("bash", "1"), ("cron", "8"), ("dig", "1"), ("exim", "8"), ("vi", "1")}


def test_references_to_manuals():
    """Each .Xr is a manual of ours, or one of these; the headings are those of the files."""
    manuals = sorted(DOCS.glob("*.[1-9]"))
    ours = {tuple(path.name.rsplit(".", 1)) for path in manuals}
    for path in manuals:
        text = path.read_text()
        named = set(re.findall(r"^\.Xr (\S+) (\d)", text, re.MULTILINE))
        assert named <= ours | OTHERS, path.name
        name, section = path.name.rsplit(".", 1)
        assert f"\n.Dt {name.upper()} {section}\n" in text and f"\n.Nm {name}\n" in text
        also = text.partition(".Sh SEE ALSO\n")[2].partition("\n.Sh ")[0]
        assert all(f".Xr {other} {number}" in also for other, number in ours - {(name, section)})


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", TEXTS, ids=short)
def test_links_resolve(path):
    """Relative links, and the headings behind a #."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert heading in map(anchor, headings), target


@pytest.mark.parametrize("path", [*TEXTS, PROGRAM_8, CONF_5, CONCEPT_7, ROOT / "Makefile"],
                         ids=short)
def test_files_of_the_tree_exist(path):
    """Each module/..., tests/..., docs/... that is mentioned, wildcards too."""
    text = path.read_text()
    names = re.findall(r"(?<![\w./-])((?:module|tests|docs)/[\w./*+-]*[\w*/])", text)
    missing = [name for name in names if not any(ROOT.glob(name.rstrip("/")))]
    assert missing == []


def test_installed_stanzas_exist():
    """What the documents call /usr/share/exim-requiretls/X is module/conf/X."""
    for path in [*TEXTS, PROGRAM_8, CONF_5, CONCEPT_7]:
        for name in re.findall(r"/usr/share/exim-requiretls/(\w+\.conf)", path.read_text()):
            assert (ROOT / "module/conf" / name).exists(), (path.name, name)


@pytest.mark.parametrize("path", TEXTS, ids=short)
def test_make_targets_exist(path):
    """Each `make X` of a code block."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))
    for line in re.findall(r"^ {4,}(make\b.*)$", path.read_text(), re.MULTILINE):
        for command in line.partition("#")[0].split("&&"):
            words = command.split()
            if words and words[0] == "make":
                named = {word for word in words[1:] if "=" not in word and word[0] != "-"}
                assert named <= targets, line


@pytest.mark.parametrize("path", TEXTS, ids=short)
def keys_of(value):
    """All keys in a JSON value, but for a record, which other verbs have too."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    if isinstance(value, dict):
        return set(value).union(*(keys_of(inner) for key, inner in value.items()
                                  if key != "record"))
    return set()


def test_json_keys_are_in_the_manual(site):
    """Each that check, explain and publish print, in the section JSON."""
    manual = (DOCS / "exim-requiretls.8").read_text().partition(".Sh JSON")[2].partition(".Sh")[0]
    words = set(re.findall(r"\w+", manual))
    site.program("resolve", "enforce.example")
    site.lab.write_etc("log", "2026-11-25 07:15:47 1tABCD-000abc-12 Completed\n")
    for args in (["check", "dane-sts.example"],
                 ["check", "--self", "--good", "secure.example", "--broken", "bogus.example"],
                 ["explain", "bob@enforce.example", "--via", "relay.example"],
                 ["explain", "bob@enforce.example"],
                 ["explain", "--log", "/etc/exim4/log", "1tABCD-000abc-12"],
                 ["publish", "nopolicy.example", "--mx", "good.mail.example"],
                 ["publish", "--verify", "enforce.example"]):
        done = site.program(*args, "--json", check=False)
        keys = keys_of(json.loads(done.stdout))
        assert keys and keys <= words, (args, keys - words)


@pytest.mark.parametrize("path", [OPERATING, ROOT / "README.md"], ids=short)
def test_commands_use_verbs_that_exist(path):
    """Each `exim-requiretls VERB` in code, and its options."""
    text = path.read_text()
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4,}(.*)$", text, re.MULTILINE)
    known = {verb: run(verb, "--help") for verb in verbs()}
    count = 0
    for line in code:
        for verb, rest in re.findall(r"(?:^|[ /])exim-requiretls ([a-z]+)([^|>]*)", line):
            assert verb in known, line
            for option in re.findall(r"--[a-z][a-z-]*", rest):
                assert option in known[verb] or option == "--help", line
            count += 1
    assert count >= 2 or path.name not in ("README.md", "OPERATING.md", "COMING-FROM.md")


def test_settings_in_sentences_are_valid(tmp_path):
    """Each `key = value` of a key of ours; words in capitals stand for something else."""
    keys = check_config(tmp_path, "")["keys"]
    path = tmp_path / "file"
    path.write_text("")
    count = 0
    for text in TEXTS:
        for key, value in re.findall(r"`(\w+) = ([^`\n]*)`", text.read_text()):
            if key not in keys or re.fullmatch(r"[A-Z]+", value):
                continue
            if value.startswith("/") and key in ("rules", "exempt", "tlsrpt_domains"):
                value = str(path)
            more = "tlsrpt_organization = x\ntlsrpt_contact = x@example.org\n"
            more = more if not key.startswith("tlsrpt_") else ""
            answer = check_config(tmp_path, f"{key} = {value}\n{more}")
            assert answer["keys"][key]["origin"] == "set", (text.name, key, value)
            count += 1
    assert count >= 20


def test_sources_of_this_test_exist():
    """So that a file that was renamed is missed here and not silently."""
    for pattern, _ in SOURCES:
        assert list(ROOT.glob(pattern)), pattern
    assert Path(PROGRAM).exists()
