"""Every example of the documents is run. A block that is in none of the tables here makes
test_every_example_is_run fail: give it a test below, or name the one that has it.

Those of docs/TLS.md are in test_tls.py.
"""

import ast
import fnmatch
import glob
import re
import subprocess

import pytest

import examples
import test_preflight
import test_tls  # noqa: F401  pylint: disable=unused-import
from dates import day
from examples import RUN, assert_like, block, inside, log_lines, run, shows
from mail import deliver, empty_queue
from sender import ROOT, SENDER_CONF, SPOOL
from signing import KEY, Signing
from test_report import Reporter
from test_refresh import age, give_policy

# Blocks that other tests read from the document and run: the test, by its file.
ELSEWHERE = {
    ("OPERATING.md", "# exim-requiretls explain bob@enforce-mismatch.example"):
        "test_explain.py::test_the_example_of_the_manual",
    ("OPERATING.md", "# exim-requiretls publish nopolicy.example --mx"):
        "test_publish.py::test_the_example_of_the_manual",
    ("OPERATING.md", "# exim-requiretls publish --verify enforce-mismatch.example"):
        "test_publish.py::test_the_example_of_the_manual",
    ("REPORTS.md", "openssl genrsa"): "test_report_key.py::test_as_documented",
    ("REPORTS.md", "REQUIRETLS_REPORT_KEY ="): "test_report_key.py::test_as_documented",
    ("REPORTS.md", "# exim-requiretls report show\n"):
        "test_report_show.py::test_documented_example",
    ("REPORTS.md", "# exim-requiretls report read /var/mail/tlsrpt\n"):
        "test_report_read.py::test_documented_example",
    ("REPORTS.md", "tls_reports:\n  driver = accept"): "test_report_read.py::test_documented_exim",
    ("REPORTS.md", "tls_reports:\n  driver = appendfile"):
        "test_report_read.py::test_documented_exim",
    ("REPORTS.md", "acl_smtp_dkim ="): "test_report_read.py::test_documented_exim",
    ("REPORTS.md", "acl_check_dkim:"): "test_report_read.py::test_documented_exim",
    ("REPORTS.md", "deny condition ="): "test_report_read.py::test_documented_exim",
    ("requiretls.conf.5", "# /etc/exim4/requiretls.conf"):
        "test_docs.py::test_example_configuration_is_valid",
    ("requiretls.conf.5", "# /etc/exim4/requiretls.rules"):
        "test_docs.py::test_example_configuration_is_valid",
    ("requiretls.conf.5", "# /etc/exim4/requiretls.exempt"):
        "test_docs.py::test_example_configuration_is_valid",
}

PREFLIGHT = "test_preflight.py::test_insecure_domain_is_refused"
ELSEWHERE |= {
    ("OPERATING.md", ".include /usr/share/exim-requiretls/acl.conf"): PREFLIGHT,
    ("OPERATING.md", "require acl = requiretls_preflight"): PREFLIGHT,
    ("OPERATING.md", ".include_if_exists /usr/share/exim-requiretls/preflight.conf"): PREFLIGHT,
}

WALK = "../package/test_walk.py::test_readme"
ELSEWHERE |= {
    ("README.md", "nameserver 127.0.0.1"): WALK,
    ("README.md", "exim-requiretls check --self"): WALK,
    ("README.md", "exim-requiretls explain --log"): WALK,
    ("README.md", "apt purge exim4-requiretls"): WALK,
}

# Blocks that nothing can run, and why. What a stand-in can do has a test below.
NOT_RUN = {
    ("ARCHITECTURE.md", "message in"): "a drawing",
    ("README.md", "make demo"): "make check is what runs this; each target exists, see test_docs.py",
    ("tests/lab/README.md", "/usr/bin/python3 -B -m pytest"): "make check runs it",
    ("tests/fuzz/README.md", "mkdir new"): "takes libFuzzer's builds, minutes of them",
}

# --- nothing is left out ----------------------------------------------------------------

def function_of(name: str) -> str:
    """The whole source of a test's file, in which the test must be."""
    file, _, function = name.partition("::")
    text = (ROOT / "tests/scenarios" / file).read_text()
    assert function in {node.name for node in ast.parse(text).body
                        if isinstance(node, ast.FunctionDef)}, name
    return text


def test_every_example_is_run():
    """And no table speaks of one that is gone."""
    keys = [*RUN, *ELSEWHERE, *NOT_RUN]
    for key in keys:
        block(*key)
    left = [(one.file, one.first) for one in examples.blocks()
            if not any(one.file in (file, f"docs/{file}") and one.text.startswith(first)
                       for file, first in keys)]
    assert left == []


@pytest.mark.parametrize("key", ELSEWHERE, ids=lambda key: f"{key[0]}-{key[1]}"[:50])
def test_tests_elsewhere_read_the_document(key):
    """The test exists, and its file opens the document and names a part of the block, or the
    heading above it."""
    source = function_of(ELSEWHERE[key])
    named = [node.value.strip() for node in ast.walk(ast.parse(source))
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    words = [block(*key).heading, *map(str.strip, block(*key).text.splitlines())]
    words += [word.removeprefix("# exim-requiretls ") for word in words]
    assert key[0] in source or "CONF_5" in source
    assert any(len(name) > 6 and word and (name in word or word in name)
               for name in named for word in words)


# --- the configuration ------------------------------------------------------------------

def accepted(site, conf: str) -> None:
    """Exim takes this configuration."""
    site.lab.write_sender_conf(conf)
    assert "Configuration file is" in "\n".join(inside(site, "exim4 -bV"))


def into(part: str, text: str) -> str:
    """The configuration of the scenarios with these lines at the head of a section or an ACL."""
    assert SENDER_CONF.count(part) == 1
    return SENDER_CONF.replace(part, f"{part}{text}\n")


@shows("OPERATING.md", "REQUIRETLS_VIA = mail.isp.example::587")
def test_macros(site, shown):
    """Before main.conf they have their effect."""
    accepted(site, f"{shown.text}\n{SENDER_CONF}")
    value = shown.text.partition(" = ")[2]
    assert value in "\n".join(inside(site, "exim4 -bP router requiretls_decide"))


@shows("OPERATING.md", "requiretls = verified", "exempt = /etc/exim4/requiretls.exempt")
@shows("REPORTS.md", "tlsrpt = yes")
@shows("requiretls.7", "requiretls = verified")
def test_keys(site, shown):
    """They count together."""
    site.lab.write_etc("requiretls.conf", f"{shown.text}\n")
    site.lab.write_etc("requiretls.exempt", "")
    assert set(shown.text.splitlines()) <= set(inside(site, "exim-requiretls config"))


@shows("requiretls.7", "warn sender_domains = board.example.org", "warn authenticated = *")
def test_acls_that_flag(site, shown):
    """The first flags; for the second nobody can log in here, so Exim only takes it."""
    accepted(site, into("acl_check_rcpt:\n", shown.text))
    if "sender_domains" in shown.text:
        deliver(site, "bob@secure.example", sender="ann@board.example.org")
        assert " class=strict by=acl " in site.log()


@shows("requiretls.7", "localuser:")
def test_suffix_of_local_users(site, shown):
    """With it the address with the tag can be verified."""
    lines = [line for line in shown.text.splitlines() if line.strip() != "..."]
    conf = SENDER_CONF.replace("localuser:\n  driver = accept\n  domains = +local_domains",
                               "\n".join(lines))
    assert conf != SENDER_CONF
    accepted(site, conf)
    assert "verified" in "\n".join(inside(site, "exim4 -bv alice+requiretls@lab.example"))


@shows("requiretls.7", "${if match{$local_scan_data}")
def test_condition_on_a_flag(site, shown):
    """A router of the site's own sees what flags a message."""
    router = ("ours:\n  driver = redirect\n  domains = ! +local_domains\n  allow_fail\n"
              f"  condition = {shown.text}\n  data = :fail: it is flagged\n")
    accepted(site, into("begin routers\n", router))
    deliver(site, "bob+requiretls@secure.example", "bob@nopolicy.example")
    assert site.lab.mainlog().count(": it is flagged") == 2
    deliver(site, "bob@nopolicy.example")
    assert site.lab.mainlog().count(": it is flagged") == 2


@shows("OPERATING.md", "require partner.example verified",
       'enforce-expired.example sts until=2027-01-31 "their')
def test_lines_of_rules_and_exemptions(site, shown):
    """They parse."""
    name = "rules" if shown.text.startswith("require") else "exempt"
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    site.lab.write_etc("requiretls.exempt", "")
    site.lab.write_etc(f"requiretls.{name}", f"{shown.text}\n")
    count = len(shown.text.splitlines())
    assert f"{count} {'demand' if name == 'rules' else 'exemption'}" in "\n".join(
        inside(site, "exim-requiretls config"))


@shows("OPERATING.md", "nameserver 127.0.0.1")
def test_resolver(site, shown):
    """With these lines Exim and the program see what is signed."""
    inside(site, f"cat >/etc/resolv.conf <<'END'\n{shown.text}\nEND")
    said = "\n".join(inside(site, "exim-requiretls check --self --good secure.example "
                            "--broken bogus.example"))
    assert "libc        Exim sees that secure.example is signed" in said


@shows("exim-requiretls.8", "7,22,37,52 * * * *")
def test_cron(shown):
    """As in the file that is installed, which has more around the commands."""
    installed = (ROOT / "module/conf/cron.d/exim-requiretls").read_text().splitlines()
    for line in shown.text.splitlines():
        when, command = line.split(" Debian-exim ")
        assert any(one.startswith(f"{when} Debian-exim ") and command in one
                   for one in installed), line


# --- the program ------------------------------------------------------------------------

@shows("OPERATING.md", "# exim-requiretls config | head -6")
def test_config(site, shown):
    site.lab.write_etc("requiretls.conf", "requiretls = verified\n")
    run(site, shown)


@shows("OPERATING.md", "# exim-requiretls resolve enforce.example",
       "# exim-requiretls resolve dane-good.example", "# exim4 -bt bob@enforce.example",
       "# exim4 -bt bob@enforce-mismatch.example", "# exim4 -bt bob+requiretls@secure.example",
       "# exim-requiretls check bob@enforce-mismatch.example",
       "# exim-requiretls check --self --good secure.example")
@shows("TROUBLESHOOTING.md", "# exim-requiretls resolve bogus.example")
@shows("exim-requiretls.8", "# exim-requiretls resolve enforce.example")
def test_looks(site, shown):
    """What looks at a domain, an address or the site. A policy host is bad in one of them."""
    site.program("resolve", "example")      # makes the spool
    run(site, shown, check=1 if "  bad " in shown.text or "\nbad " in shown.text else 0)


@shows("OPERATING.md", "# exim-requiretls check --own --selector 2026 --selector reports")
def test_check_own(site, shown):
    """Of a domain that the lab has, which lacks all of it."""
    (command,) = shown.commands
    said = "\n".join(inside(site, command.replace("example.com", "enforce.example"), 1))
    for topic in ("spf", "dkim", "dmarc"):
        assert re.search(rf"^\w+ +{topic} ", said, re.MULTILINE), topic
    assert "2026._domainkey" in said and "reports._domainkey" in said


@shows("OPERATING.md", "# exim-requiretls check --plugin")
def test_check_plugin(site, shown):
    """Of a domain that the lab has, whose owner publishes no SPF, DKIM or DMARC."""
    (command,) = shown.commands
    done = site.lab.exec(["/bin/sh", "-c", command.replace("example.com", "enforce.example")],
                         check=False)
    first, (wanted,) = done.stdout.partition("\n")[0], shown.output(command)
    assert done.returncode in (1, 2)
    forms = [re.sub(r"\b(?:OK|WARNING|CRITICAL)\b", "WORD", re.sub(r"\d+", "N", line))
             for line in (first, wanted.replace("example.com", "enforce.example"))]
    assert forms[0].partition(" | ")[2] == forms[1].partition(" | ")[2]
    assert forms[0].startswith("REQUIRETLS WORD - enforce.example: ")
    assert forms[1].startswith("REQUIRETLS WORD - enforce.example: ")


@shows("OPERATING.md", "# exim-requiretls cache list")
def test_cache_list(site, shown):
    for line in shown.text.splitlines()[2:]:
        site.program("resolve", line.split()[0])
    run(site, shown)


@shows("OPERATING.md", "# exim-requiretls cache size", "requiretls-record 1",
       "# exim-requiretls cache flush enforce.example")
def test_cache(site, shown):
    """Numbers differ; of the record the order and the words are the same."""
    site.program("resolve", "enforce.example")
    deliver(site, "bob@enforce.example")
    if shown.text.startswith("requiretls-record"):
        assert_like(shown.text.splitlines(),
                    inside(site, "exim-requiretls cache show enforce.example"))
    elif "size" in shown.text:
        printed, wanted = ([re.sub(r"\d+", "N", line).replace("days", "day") for line in lines]
                           for lines in (inside(site, shown.commands[0]),
                                         shown.output(shown.commands[0])))
        assert printed == wanted
    else:
        run(site, shown)


@shows("OPERATING.md", "# exim-requiretls cache refresh\n",
       "# exim-requiretls cache refresh rotate.example")
def test_refresh(site, shown):
    """Two policies that are served, one that is not any more."""
    for domain in ("enforce.example", "testing.example", "rotate.example"):
        if (domain == "rotate.example") == ("rotate" in shown.text):
            site.program("resolve", domain)
            age(site, domain)
    if "rotate" in shown.text:
        site.lab.policy_host_down("rotate.example")
    else:
        give_policy(site, "policy404.example")
        age(site, "enforce.example")
    run(site, shown, cache=75)


@shows("OPERATING.md", "# exim-requiretls config | sed")
def test_days_left(site, shown):
    """On the day the example is of."""
    lines = ["# exemptions"] + re.findall(
        r'line \d: (\S+ \S+ until=\S+) \([^)]*\) (".*")', shown.text)
    text = "".join(f"{line if isinstance(line, str) else ' '.join(line)}\n" for line in lines)
    site.lab.write_etc("requiretls.exempt", text)
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    (command,) = shown.commands
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    clock = f"export LD_PRELOAD={library} FAKETIME='@2026-11-25 12:00:00'"
    printed = inside(site, f"{clock}; {command}")
    assert [line for line in printed if line] == shown.output(command)


@shows("OPERATING.md", "exim-requiretls publish --verify DOMAIN --directory")
def test_verify_what_was_written(site, shown):
    """Of a domain whose policy another host serves: seen, and said."""
    directory = "/var/www/mta-sts.enforce.example"
    inside(site, f"install -d -o Debian-exim {directory}")
    inside(site, f"exim-requiretls publish enforce.example --mx good.mail.example "
           f"--mode enforce --directory {directory} 2>&1")
    said = inside(site, shown.text.replace("DOMAIN", "enforce.example"), 65)
    assert any(line.startswith("WRONG ") for line in said)


@shows("exim-requiretls.8", "$ dig +short _mta-sts.example.org TXT",
       "$ exim-requiretls config --file requiretls.conf.new")
@shows("requiretls.conf.5", "exim-requiretls config")
def test_commands_of_the_manuals(site, shown):
    """dig of another package, a domain of the lab, a file that is there."""
    site.lab.set_txt("enforce.example", "v=STSv1; id=20261101;")
    site.lab.dns_flush()
    command = shown.commands[0] if shown.commands else shown.text
    wanted = shown.output(command) if shown.commands else []
    script = command.replace("dig +short", "kdig +short").replace("example.org", "enforce.example")
    printed = inside(site, f"cd /etc/exim4; cp requiretls.conf requiretls.conf.new; {script}")
    if wanted:
        assert_like(wanted, printed)
    else:
        assert "requiretls = verified" in printed


# --- mail and what the log says ----------------------------------------------------------

@shows("OPERATING.md", "requiretls: secure.example class=strict by=tag")
def test_first_message(site, shown):
    deliver(site, "bob+requiretls@secure.example")
    assert_like([line.replace("CV=yes", "CV=yes...") for line in shown.text.splitlines()],
                log_lines(site))


@shows("TROUBLESHOOTING.md", "requiretls: enforce.example class=enforce",
       "requiretls: host good2.mail.example refused")
def test_lines_of_the_log(site, shown):
    """Mail for each makes Exim write them all, but for the days."""
    site.rules("dnssec Subject wish\nrequire testing.example sts\n")
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    site.lab.write_etc("requiretls.exempt", f'enforce-expired.example sts until={day(30)} "x"\n'
                       if "exempt=" in shown.text else "")
    for domain in ("enforce.example", "bogus.example", "testing.example", "enforce-expired.example",
                   "enforce-mismatch.example", "enforce-wrongname.example"):
        deliver(site, f"bob@{domain}")
    deliver(site, "bob+requiretls@secure.example")
    deliver(site, "bob@enforce-notls.example", headers={"TLS-Required": "No"})
    deliver(site, "bob@enforce-notls.example")
    deliver(site, "bob@nopolicy.example", headers={"Subject": "wish"})
    site.rules("")
    printed = {examples.masked(line) for line in log_lines(site)}
    missing = [line for line in shown.text.splitlines() if examples.masked(line) not in printed]
    assert missing == [], "\n".join(sorted(printed))
    empty_queue(site)


@shows("OPERATING.md", "requiretls: enforce-expired.example class=observe exempt=sts",
       "requiretls: enforce-notls.example: the exemption of enforce-notls.example ran out")
def test_lines_about_exemptions(site, shown):
    """With the days of today."""
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    site.lab.write_etc("requiretls.exempt", f"""# exemptions
enforce-expired.example sts until={day(30)} "their certificate, ticket 4711"
secure-*.example requiretls until={day(0)} "they set up a new host"
enforce-notls.example sts until={day(-2)} "was to be mended in autumn"
""")
    deliver(site, "bob@enforce-expired.example")
    deliver(site, "bob@enforce-notls.example")
    printed = {examples.masked(line) for line in log_lines(site)}
    missing = [line for line in shown.text.splitlines() if examples.masked(line) not in printed]
    assert missing == [], "\n".join(sorted(printed))
    empty_queue(site)


@shows("OPERATING.md", "# exim-requiretls explain --log /var/log/exim4/mainlog")
@shows("requiretls.7", "exim-requiretls explain --log FILE MESSAGE-ID")
def test_explain_log(site, shown):
    """A real message of the lab, and the real log."""
    (message,) = site.lab.send("alice@lab.example", ["bob@enforce-expired.example"], body="x\n")
    site.lab.settle()
    log = f"{site.lab.state}/sender/log/mainlog"
    command = shown.commands[0] if shown.commands else shown.text
    words = command.split()
    printed = inside(site, " ".join([*words[:-2], log, message]))
    if shown.commands:
        assert words[-2] == "/var/log/exim4/mainlog"
        assert_like(shown.output(command), printed)
    assert len(printed) > 4
    empty_queue(site)


@shows("OPERATING.md", "# exim-requiretls resolve --fresh DOMAIN-WITH-DANE")
def test_dane_by_hand(site, shown):
    look, send = shown.commands
    look, send = (command.replace("POSTMASTER", "bob").replace("DOMAIN-WITH-DANE",
                                                               "dane-good.example")
                  for command in (look, send))
    said = "\n".join(inside(site, look))
    assert "(DNSSEC) DANE" in said
    inside(site, f"echo | {send}")
    assert " CV=dane " in site.lab.mainlog()


# --- reports -----------------------------------------------------------------------------

# As many domains as the example has: one that fails often, one that is failing for another
# reason, some that are good, and two that want no report.
SESSIONS = [("enforce-expired.example", "certificate-expired", 3),
            ("enforce-mismatch.example", "certificate-host-mismatch", 2),
            ("nopolicy-notls.example", "starttls-not-supported", 1),
            ("wantsnone.example", "success", 1),
            *((f"good{number}.example", "success", 2 if number < 7 else 1) for number in range(10))]


def write_journal(site) -> None:
    """The journal of yesterday."""
    Reporter(site).journal(*((domain, "no-policy-found", "-", result)
                             for domain, result, count in SESSIONS for _ in range(count)))


@shows("REPORTS.md", "# exim-requiretls report status")
def test_a_run(site, shown):
    """24 sessions with 14 domains, 12 of which ask for a report."""
    assert len(SESSIONS) == 14 and sum(count for *_, count in SESSIONS) == 24
    site.lab.set_rrsets({(f"_smtp._tls.good{number}.example", "TXT"):
                         ['"v=TLSRPTv1; rua=mailto:tlsrpt@reports.example"']
                         for number in range(10)})
    write_journal(site)
    for number in range(5):
        Reporter(site).keep_policy(f"version: STSv1\nmode: none\nmax_age: {number}\n")
    run(site, shown)


@shows("REPORTS.md", "# exim-requiretls report show --json | jq",
       "# exim-requiretls report read --html /var/mail/tlsrpt", "# awk")
def test_what_is_made_of_journals(site, shown):
    """Names of those that failed; a page; the same sums of a journal and of what it is
    compacted to."""
    write_journal(site)
    (command,) = shown.commands
    if "jq" in command:
        assert set(inside(site, command)) == {f'"{domain}"' for domain, result, _ in SESSIONS
                                              if result != "success"}
    elif "html" in command:
        inside(site, f"mkdir -p /var/mail/tlsrpt/new; {command}")
        assert "<!DOCTYPE html>" in "\n".join(inside(site, "cat /root/tls-reports.html"))
        inside(site, "rm -r /root/tls-reports.html /var/mail/tlsrpt")
    else:
        command = command.replace("2026-11-20", day(-1))
        sums = sorted(inside(site, command))
        assert sums == sorted(f"{count} {domain} {result}" for domain, result, count in SESSIONS)
        Reporter(site).run()
        assert inside(site, f"cut -f 1 {SPOOL}/tlsrpt/{day(-1)} | sort -u") == ["1", "2"]
        assert sorted(inside(site, command)) == sums


@shows("REPORTS.md", "dig +short TXT tlsrpt._domainkey.example.com")
def test_a_signed_report(site, shown):
    """dig of another package, and the domain of the lab."""
    signing = Signing(site)
    signing.sign(macros=f"REQUIRETLS_REPORT_KEY = {KEY}\n")
    record = site.program("report", "key", "--selector", "tlsrpt", KEY).stdout
    name, text = re.match(r"(\S+)\. IN TXT (.*)\n", record).groups()
    site.lab.set_rrset(name, "TXT", [text])
    site.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=mailto:tlsrpt@reports.example")
    signing.journal(("enforce.example", "no-policy-found", "-", "success"))
    commands, _, lines = shown.text.partition("\n\n")
    look, show, send = commands.splitlines()
    answer = inside(site, look.replace("dig ", "kdig ").replace("example.com", "lab.example"))
    assert len(answer) == 1 and answer[0].replace('" "', "") == text.replace('" "', "")
    assert f"dkim_private_key = {KEY}" in inside(site, show)
    assert inside(site, send)[-1].startswith("reports: 1 sent, ")
    site.lab.settle()
    log = [re.sub(r"^\S+ \S+ \S+ ", "", line) for line in site.lab.mainlog().splitlines()]
    log = [line for line in log if line.startswith(("<= <>", "=> tlsrpt@"))]
    assert_like(lines.splitlines(), log)


# --- setup, preflight --------------------------------------------------------------------

@shows("README.md", "exim-requiretls setup ")
@shows("OPERATING.md", "exim-requiretls setup", "exim-requiretls setup --apply")
def test_setup(site, shown):
    """On a configuration that knows nothing of us; afterwards it does, and not once more."""
    site.lab.write_sender_conf(site.lab.sender_conf())
    before = inside(site, "cat /etc/exim4/exim4.conf")
    for line in shown.text.splitlines():
        inside(site, line.partition("#")[0])
    applied = "--apply" in shown.text
    assert (inside(site, "cat /etc/exim4/exim4.conf") != before) == applied
    assert ("requiretls_decide" in inside(site, "exim4 -bP router_list")) == applied
    if applied:
        inside(site, "exim-requiretls setup --remove")
        assert inside(site, "cat /etc/exim4/exim4.conf") == before


@shows("OPERATING.md", "RCPT TO:<bob+requiretls@nopolicy.example>")
def test_refused_ahead(site, shown):
    """With the lines of the document in the ACLs."""
    site.lab.write_sender_conf(test_preflight.CONF)
    rcpt, *answer = shown.text.splitlines()
    reply = site.lab.smtp(f"EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n{rcpt}\r\nQUIT\r\n")
    assert "\n".join(answer) in reply.replace("\r", "")


@shows("OPERATING.md", "REQUIRETLS_ROUTED_BEFORE =")
@shows("requiretls.7", "require acl = requiretls_preflight")
def test_lines_for_preflight(site, shown):
    """Exim takes them; the second is that of OPERATING.md."""
    if shown.text.startswith("require"):
        assert f"{shown.text}\n" == test_preflight.REQUIRE
        return
    site.lab.write_etc("routes", "other.example: x\n")
    site.lab.write_sender_conf(f"{shown.text}\n{test_preflight.CONF}")
    for domain, accepted in (("partner.example", True), ("other.example", True),
                             ("nopolicy.example", False)):
        reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                              f"RCPT TO:<bob+requiretls@{domain}>\r\nQUIT\r\n")
        assert ("\n550" not in reply) == accepted, (domain, reply)


# --- Exim, Debian ------------------------------------------------------------------------

@shows("OPERATING.md", "exim4 -bV | grep -o REQUIRETLS")
def test_what_a_patched_exim_has(wire_site, shown):
    printed = inside(wire_site, shown.text)
    assert printed[0] == "REQUIRETLS" and "tls_advertise_requiretls = *" in printed
    assert any(line.startswith("requiretls_level = ${dlfunc{") for line in printed)


@shows("OPERATING.md", "grep -ls '^-requiretls'", "apt install unbound dns-root-data")
def test_apt(site, shown):
    """Only said, not done (-s), with the version that is installed. Nothing is in the queue."""
    script = re.sub(r"(\S+)=VERSION", r"\1=$(dpkg-query -W -f '${Version}' \1)", shown.text)
    script = re.sub(r"(?m)^(grep .*?)( +#.*)?$", r"\1 || test $? -le 2", script)
    script = script.replace("apt install", "apt-get install -s")
    assert "apt-get install -s" in script
    said = "\n".join(inside(site, script))
    assert not re.search(r"^Remv ", said, re.MULTILINE)


@shows("OPERATING.md", "systemctl daemon-reload",
       "systemctl enable --now exim-requiretls-metrics.timer")
def test_systemctl(site, shown):
    """Without a running systemd: are there such units, and can they be enabled?"""
    *reload, enable = shown.text.splitlines()
    assert reload in ([], ["systemctl daemon-reload"])
    inside(site, enable.replace("enable --now", "--root=/ enable"))
    for name in re.findall(r"\S+\.timer", enable):
        inside(site, f"test -L /etc/systemd/system/timers.target.wants/{name}")


@shows("README.md", "make deb && apt install")
@shows("OPERATING.md", "make deb && apt install", "make exim")
@shows("tests/fuzz/README.md", "make fuzz SECONDS=60", "make fuzz TARGET=NAME",
       "make fuzz TARGET=page")
def test_make(shown):
    """The lab of the scenarios was made by `make install`; here make only says what it would
    do. Of `make fuzz`, which is slow in saying so, there are target and variables."""
    makefile = (ROOT / "Makefile").read_text()
    for line in shown.text.splitlines():
        for command in line.partition("#")[0].split("&&"):
            words = command.replace("NAME", "rua").split()
            if words[:2] == ["apt", "install"]:  # tests/package does that
                where = re.search(r"^deb=(.*)$", (ROOT / "build/deb.sh").read_text(), re.MULTILINE)
                made = where[1].replace("$OUT", "./build/out").replace("${version}_$arch", "1_all")
                assert fnmatch.fnmatch(made, words[2])
                continue
            assert words[0] == "make"
            if "fuzz" in words:
                assert "\nfuzz:\n" in makefile
                assert all(f"$({word.partition('=')[0]})" in makefile for word in words[2:])
                continue
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True,
                                  text=True, check=False)
            assert done.returncode == 0 and done.stdout, done.stderr


# --- the lab ----------------------------------------------------------------------------

@shows("tests/lab/README.md", "tests/lab/lab up")
def test_lab_by_hand(tmp_path, shown):
    """In a lab of its own."""
    script = shown.text.replace("tests/lab/lab ", f"tests/lab/lab --state {tmp_path}/lab ")
    done = subprocess.run(["/bin/sh", "-ec", script], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 good.mail.example" in done.stdout and "bob@dane-good.example" in done.stdout


@shows("tests/lab/README.md", "from labkit import Lab, world")
def test_lab_in_python(lab, shown):
    """In this one, with something in place of the dots."""
    source = shown.text.replace("Lab.ensure()", "lab_of_this_test").replace(
        "lab.sender_conf().replace(...)", "conf").replace('"..."', '""')
    # pylint: disable-next=exec-used
    exec(source, {"lab_of_this_test": lab, "conf": SENDER_CONF})
