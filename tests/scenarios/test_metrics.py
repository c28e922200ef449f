"""`exim-requiretls metrics`: what was counted is what happened, and whatever the spool holds, what
is printed is what Prometheus reads."""

import os
import re
import subprocess
import time

import pytest

from dates import day
from mail import deliver
from patched import send
from sender import ROOT
from test_privileges import SPOOL, by_root, watch
from test_refresh import EXIM_USER, age, edit, give_policy, refresh, resolve, stamp
from test_report import Reporter

PROGRAM = ROOT / os.environ.get("OUT", "build/out") / "exim-requiretls"
RULES = ROOT / "module/conf/prometheus/exim-requiretls.rules.yml"
ALERT_TESTS = ROOT / "tests/prometheus/alerts.yml"
OPERATING = ROOT / "docs/OPERATING.md"
UNITS = "/usr/lib/systemd/system/exim-requiretls-metrics"
PREFIX = "exim_requiretls_"
SAMPLE = re.compile(rf'{PREFIX}([a-z_]+)(?:\{{((?:[a-z]+="[ -!#-\[\]-~]*",?)+)\}})? (\d+)')


def families(text):
    """{name: (type, label names, {labels: value})}; each family once, in one piece."""
    assert text.endswith("\n")
    found, name = {}, None
    for line in text.splitlines():
        said = re.fullmatch(rf"# (HELP|TYPE) {PREFIX}([a-z_]+) (.+)", line)
        if said and said[1] == "HELP":
            name = said[2]
            assert name not in found
            found[name] = [None, (), {}]
        elif said:
            assert said[2] == name and found[name][0] is None
            found[name][0] = said[3]
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample and sample[1] == name, line
            labels = re.findall(r'([a-z]+)="(.*?)"', sample[2] or "")
            found[name][1] = tuple(key for key, _ in labels)
            values = " ".join(value for _, value in labels)
            assert values not in found[name][2]
            found[name][2][values] = int(sample[3])
    assert all((kind == "counter") == name.endswith("_total")
               for name, (kind, _, _) in found.items())
    return found


def numbers(text):
    """{family: {labels: value}} of a text that promtool has nothing to say about."""
    told = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=False,
                          capture_output=True)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    return {name: values for name, (_, _, values) in families(text).items()}


def metrics(site, errors=""):
    """What is printed now, as root calls it; errors: what the standard error has to match."""
    site.lab.settle()
    told = site.program("metrics", check=False)
    assert told.returncode == 0, told.stderr
    assert re.fullmatch(errors, told.stderr, re.DOTALL), told.stderr
    return numbers(told.stdout)


def counted(found, *names):
    """What is not 0 of some families, "name labels"."""
    return {f"{name} {labels}": value for name in names
            for labels, value in found[name].items() if value}


DELIVERIES = ("sessions_total", "hosts_refused_total", "bounces_total", "put_off_total")


# --- what happened ----------------------------------------------------------------------

@pytest.mark.parametrize("tlsrpt", ["yes", "no"])
def test_deliveries(site, tlsrpt):
    """Each class and result, refused hosts and bounces, once per session and recipient; with and
    without a journal."""
    site.configure(tlsrpt=tlsrpt)
    for recipient in ("bob@enforce.example", "bob@enforce-expired.example",
                      "bob@enforce-allmismatch.example", "bob@testing-selfsigned.example",
                      "bob@nopolicy.example", "bob@nopolicy-notls.example",
                      "bob+requiretls@secure.example", "bob+requiretls@nopolicy.example",
                      "bob+requiretls@bogus.example", "bob+requiretls@secure-nullmx.example",
                      "bob@dane-good.example"):
        deliver(site, recipient)
    deliver(site, "bob@enforce.example", "carol@enforce.example")
    deliver(site, "bob@enforce-selfsigned.example", headers={"TLS-Required": "No"})
    assert counted(metrics(site), *DELIVERIES) == {
        "sessions_total enforce success": 2,
        "sessions_total enforce certificate-expired": 1,
        "sessions_total enforce validation-failure": 2,
        "sessions_total observe certificate-not-trusted": 1,
        "sessions_total observe success": 2,
        "sessions_total observe starttls-not-supported": 1,
        "sessions_total strict success": 1,
        "hosts_refused_total enforce certificate-expired": 1,
        "hosts_refused_total enforce not-in-policy": 2,
        "bounces_total strict 5.7.10": 1,
        "bounces_total strict 5.1.10": 1,
        "put_off_total strict 4.7.0": 1,
    }


def test_attempts_add_up(site):
    """A flagged message whose host is refused comes back with the next attempt; mail that waits
    counts once per attempt."""
    deliver(site, "bob+requiretls@secure-selfsigned.example")
    deliver(site, "bob@bogus.example")
    first = counted(metrics(site), *DELIVERIES)
    assert first == {
        "sessions_total strict certificate-not-trusted": 1,
        "hosts_refused_total strict certificate-not-trusted": 1,
        "put_off_total observe 4.7.0": 1,
    }
    site.lab.run_queue()
    assert counted(metrics(site), *DELIVERIES) == {
        **first, "bounces_total strict 5.7.10": 1, "put_off_total observe 4.7.0": 2}


def test_addresses_that_are_tested_do_not_count(site):
    """Nothing was sent and nothing came back."""
    site.lab.exec(["exim4", "-bt", "bob@bogus.example", "bob@nullmx.example"], check=False)
    site.lab.exec(["exim4", "-bv", "bob@bogus.example"], check=False)
    site.program("explain", "bob@nopolicy.example", "--flagged")
    assert counted(metrics(site), *DELIVERIES) == {}


def test_trouble_of_this_site(site):
    """Files of the site that do not count: mail waits, and that can be seen."""
    site.rules("what is this\n")
    site.lab.send("alice@lab.example", ["bob@enforce.example"])
    found = metrics(site, errors=".*requiretls.rules: line 1: .*")
    assert found["config_valid"] == {"": 0}
    site.rules("")
    site.lab.send("alice@lab.example", ["bob@enforce.example"], queue_only=True)
    site.rules("what is this\n")
    site.lab.run_queue()
    found = metrics(site, errors=".*requiretls.rules: line 1: .*")
    assert counted(found, *DELIVERIES) == {"put_off_total unknown 4.3.5": 1}
    site.lab.write_etc("requiretls.conf", "mta_sts = perhaps\n")
    assert metrics(site, errors=".*line 1: .*")["config_valid"] == {"": 0}


def test_refused_by_exim_itself(wire_site):
    """A patched Exim refuses and bounces without asking routing again: that counts too, once."""
    for domain in ("secure-scripted.example", "secure-notls.example"):
        send(wire_site.lab, f"bob@{domain}")
    found = counted(metrics(wire_site), "hosts_refused_total", "bounces_total")
    assert found == {
        "hosts_refused_total strict requiretls-not-offered": 1,
        "hosts_refused_total strict starttls-not-supported": 1,
        "bounces_total strict 5.7.30": 1,
        "bounces_total strict 5.7.10": 1,
    }


# --- what there is -----------------------------------------------------------------------

def test_empty(site):
    """Before the first message: the counters are there, so that the first event is an increase."""
    site.lab.exec(["rm", "-rf", SPOOL])
    found = metrics(site)
    assert found["sessions_total"]["strict success"] == 0
    assert {sum(found[name].values()) for name in found if name.endswith("_total")} == {0}
    assert found["cache_domains"] == {"": 0} and found["spool_errors"] == {"": 0}
    for name in found:
        if name.endswith("_timestamp_seconds") and not name.startswith("metrics"):
            assert found[name] == {}, name
    assert abs(found["metrics_timestamp_seconds"][""] - time.time()) < 60
    assert list(found["build_info"]) == ["0.1 4.96"] and found["config_valid"] == {"": 1}


def test_cache_and_refresh(site):
    """Policies by mode, those that end, those that cannot be fetched, and the run that tried."""
    resolve(site, "enforce.example", "rotate.example", "testing.example", "none.example",
            "nopolicy.example", "policy404.example")
    give_policy(site, "policydown.example")
    age(site, "enforce.example")
    edit(site, "rotate.example", policy_until=stamp(1))
    edit(site, "policydown.example", policy_fetched=stamp(-6), policy_until=stamp(1))
    before = metrics(site)
    assert before["refresh_last_run_timestamp_seconds"] == {}
    assert refresh(site).returncode == 75
    found = metrics(site)
    assert found["cache_domains"] == {"": 7} and found["cache_max_domains"] == {"": 100000}
    files = list((site.lab.state / "sender/spool/requiretls/cache").glob("*/*"))
    assert found["cache_bytes"] == {"": sum(path.stat().st_size for path in files)}
    times = [int(path.stat().st_mtime) for path in files]
    assert found["cache_oldest_record_timestamp_seconds"] == {"": min(times)}
    assert found["cache_newest_record_timestamp_seconds"] == {"": max(times)}
    assert found["policies"] == {"enforce": 3, "testing": 1, "none": 1}
    assert found["policies_ending"] == {"ok": 1, "failing": 1}
    assert found["fetch_failing_domains"] == {"kept": 1, "none": 1}
    since = time.time() - found["fetch_failing_oldest_timestamp_seconds"][""]
    assert abs(since - 6 * 86400) < 300
    assert found["refresh_policies_total"] == {"fetched": 1, "failed": 1}
    assert found["refresh_last_run_policies"] == {"fetched": 1, "failed": 1}
    assert found["refresh_last_run_complete"] == {"": 1}
    assert abs(found["refresh_last_run_timestamp_seconds"][""] - time.time()) < 60
    age(site, "testing.example")
    refresh(site)
    found = metrics(site)
    assert found["refresh_policies_total"]["fetched"] == 2
    assert found["refresh_last_run_policies"]["fetched"] == 1


def test_reports(site):
    """A day that waits, one that was reported, one that was given up."""
    reports = Reporter(site)
    reports.journal(("enforce.example", "no-policy-found", "-", "success"), days_ago=2)
    began = int(time.time()) // 86400 * 86400 - 2 * 86400
    found = metrics(site)
    assert (found["journals"], found["journals_unreported"]) == ({"": 1}, {"": 1})
    assert found["journals_unreported_oldest_timestamp_seconds"] == {"": began}
    assert found["reports_last_day_timestamp_seconds"] == {}
    site.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=https://nobody.example/x,"
                                           "mailto:tlsrpt@reports.example")
    site.program("report", "run", check=False)
    found = metrics(site)
    assert found["reports_total"] == {"sent": 1, "dropped": 0}
    assert found["reports_pending"] == {"": 1} and found["report_last_run_complete"] == {"": 1}
    assert abs(found["reports_oldest_pending_timestamp_seconds"][""] - time.time()) < 60
    (outbox,) = (site.lab.state / "sender/spool/requiretls/outbox").glob("*/enforce.example")
    outbox.write_text(re.sub(r"^to pending \S+ \S+", f"to pending {stamp(-2)} {stamp(-0.1)}",
                             outbox.read_text(), flags=re.MULTILINE))
    site.program("report", "run", check=False)
    found = metrics(site)
    assert found["reports_total"] == {"sent": 1, "dropped": 1}
    assert found["reports_pending"] == {"": 0} and found["journals_unreported"] == {"": 0}
    assert found["reports_last_day_timestamp_seconds"] == {"": began}
    site.configure(tlsrpt="no")
    assert metrics(site)["tlsrpt_enabled"] == {"": 0}


def test_exemptions(site):
    """In force, ending, over."""
    lines = "".join(f'd{ahead}.example sts until={day(ahead)} "x"\n'
                    for ahead in (-9, -1, 0, 13, 14, 400))
    site.lab.write_etc("requiretls.exempt", lines)
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    assert metrics(site)["exemptions"] == {"in-force": 2, "ending": 2, "over": 2}


# --- a spool that is broken ---------------------------------------------------------------

HOSTILE = b'1 x"} 1\n# TYPE exim_requiretls_x counter\nexim_requiretls_x{a="\\"} 1 2\n\xff\xfe\0\n' * 40

BROKEN = {
    "garbage in all files": (
        "for f in counters tlsrpt/$y outbox/$y/a.example cache/*/enforce.example; do "
        "cat /run/hostile >$f; done", {"spool_errors", "cache_unreadable_records"}),
    "links": ("rm -r cache counters tlsrpt; ln -s /etc/passwd counters; ln -s /etc cache; "
              "ln -s /etc tlsrpt", {"spool_errors"}),
    "pipes": ("rm -r cache counters tlsrpt; mkfifo counters cache tlsrpt", {"spool_errors"}),
    "directories": ("rm counters; mkdir counters cache/00x; f=$(ls cache/*/enforce.example); "
                    "rm $f; mkdir $f", {"spool_errors"}),
    "names": ("mkdir -p cache/zz 'outbox/x\"}' && touch 'tlsrpt/a\"} 1' "
              "'tlsrpt/2026-99-99' cache/00/'x\" 1' 'outbox/2026-11-20'", set()),
    "counters cut short": ("truncate -s 100 counters", {"spool_errors"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_spool(site, case):
    """What is printed is what Prometheus reads; the numbers say that something is wrong, and
    nothing that stands in a file becomes a name or a label."""
    script, complaints = BROKEN[case]
    deliver(site, "bob@enforce.example")
    deliver(site, "bob+requiretls@nopolicy.example")
    whole = site.program("metrics").stdout
    (site.lab.state / "sender/spool/requiretls/hostile").write_bytes(HOSTILE)
    site.lab.exec(["sh", "-c", f"mv {SPOOL}/hostile /run/hostile && cd {SPOOL} && "
                   f"y={day(-1)} && mkdir -p outbox/$y cache/00 && touch tlsrpt/$y && {script}"])
    told = site.program("metrics", check=False)
    assert told.returncode == 0
    found = numbers(told.stdout)
    assert {name for name in ("spool_errors", "cache_unreadable_records")
            if found[name] != {"": 0}} == complaints
    assert (told.stderr != "") == ("spool_errors" in complaints)
    assert not re.search(r"[^\n -~]", told.stderr)
    kinds = families(whole)
    for name, (kind, labels, values) in families(told.stdout).items():
        assert kinds[name][0] == kind and set(values) <= set(kinds[name][2]) | {""}, (name, labels)
    site.lab.exec(["rm", "-rf", SPOOL])


def test_counting_goes_on_beside_garbage(site):
    """A file of counters that somebody wrote into still counts, and no mail waits for it."""
    deliver(site, "bob@enforce.example")
    site.lab.exec(["sh", "-c", f"echo what >>{SPOOL}/counters"])
    deliver(site, "bob@enforce.example")
    assert metrics(site, errors=".* 1 lines of counters do not parse\n")[
        "sessions_total"]["enforce success"] == 2
    site.lab.exec(["sh", "-c", f"rm {SPOOL}/counters && mkdir {SPOOL}/counters"])
    deliver(site, "bob@enforce.example")
    assert site.waiting() == [] and len(site.lab.received()) == 3
    site.lab.exec(["rmdir", f"{SPOOL}/counters"])


# --- into a file --------------------------------------------------------------------------

def test_output_is_whole_at_any_time(site):
    """Whoever reads it while it is replaced sees one of its texts from end to end; it is readable
    by everybody, and nothing else is left there."""
    deliver(site, "bob@enforce.example")
    script = """
        set -e
        mkdir -p /run/out && cd /run/out
        write() { for i in $(seq 20); do
            (umask 077; exim-requiretls metrics --output /run/out/x.prom); done; }
        exim-requiretls metrics --output x.prom
        write & first=$!
        write & second=$!
        n=0
        while kill -0 $first 2>/dev/null; do
            cat x.prom >copy; tail -n1 copy | grep -qE '^exim_requiretls_metrics_timestamp_seconds [0-9]+$'
            head -n1 copy | grep -q '^# HELP exim_requiretls_build_info '
            n=$((n + 1))
        done
        wait $first; wait $second; rm copy
        [ $n -gt 3 ] && ls -A && stat -c '%a %U' x.prom && cat x.prom
    """
    told = site.lab.exec(["sh", "-c", script]).stdout
    head, mode, text = told.split("\n", 2)
    assert (head, mode) == ("x.prom", "644 root")
    assert numbers(text)["sessions_total"]["enforce success"] == 1


def test_output_that_cannot_be(site):
    """No such directory; no such power; and the file that was there stays."""
    assert site.program("metrics", "--output", "/run/none/x.prom", check=False).returncode == 73
    site.lab.exec(["sh", "-c", "mkdir -p /run/out2 && echo old >/run/out2/x.prom"])
    told = site.lab.exec(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                          "/usr/sbin/exim-requiretls", "metrics", "--output", "/run/out2/x.prom"],
                         check=False)
    assert told.returncode == 77
    told = site.program("metrics", "--output", "/run/out2/x.prom", check=False, user=EXIM_USER)
    assert told.returncode == 73
    assert site.lab.exec(["sh", "-c", "cd /run/out2 && ls -A && cat x.prom"]).stdout == \
        "x.prom\nold\n"
    assert site.program("metrics", "x", check=False).returncode == 64
    assert site.program("metrics", "--output", check=False).returncode == 64


def test_root_does_not_read_the_spool(site):
    """With --output too: of the two processes one is root and writes the file, the other reads."""
    deliver(site, "bob@enforce.example")
    site.lab.exec(["mkdir", "-p", "/run/out3"])
    calls = watch(site, "/usr/sbin/exim-requiretls", "metrics", "--output", "/run/out3/x.prom")
    opens = [call for call in calls if call.name.startswith("open")]
    assert [call for call in opens if call.path.startswith(SPOOL)]
    assert {call.euid == 0 for call in opens if call.path.startswith(SPOOL)} == {False}
    written = [call for call in opens if "/run/out3" in call.text and "O_CREAT" in call.text]
    assert {call.euid for call in written} == {0}
    assert [call for call in calls if call.text.startswith("renameat(") and call.euid == 0]


def test_what_counts_as_root(site):
    """A bounce that routing decides: root writes nothing of it."""
    calls = watch(site, "exim4", "-odf", "-oi", "-f", "alice@lab.example",
                  "bob+requiretls@nopolicy.example")
    opens = [call for call in calls if call.name.startswith("open")
             and call.path.endswith("/counters") and "O_CREAT" in call.text]
    assert opens and all(call.euid != 0 for call in opens)
    assert not [call for call in by_root(calls) if call.name.startswith("open")
                and call.path.endswith("/counters")]
    assert metrics(site)["bounces_total"]["strict 5.7.10"] == 1


# --- what comes along ---------------------------------------------------------------------

def test_timer(site):
    """The units are what systemd understands; what they run, with the capabilities that are left,
    writes the file."""
    done = site.lab.exec(["systemd-analyze", "verify", f"{UNITS}.service", f"{UNITS}.timer"],
                         check=False)
    assert "exim-requiretls" not in done.stdout + done.stderr and done.returncode == 0
    text = site.lab.exec(["cat", f"{UNITS}.service"]).stdout
    settings = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert "User" not in settings
    kept = "".join(f",+{name.removeprefix('CAP_').lower()}"
                   for name in settings["CapabilityBoundingSet"].split())
    target = settings["ExecStart"].split()[-1]
    command = settings["ExecStart"].replace(target, "/run/out4/x.prom")
    site.lab.exec(["mkdir", "-p", "/run/out4"])
    site.lab.exec(["setpriv", f"--bounding-set=-all{kept}", f"--inh-caps=-all{kept}",
                   "--no-new-privs", *command.split()])
    assert numbers(site.lab.exec(["cat", "/run/out4/x.prom"]).stdout)["config_valid"] == {"": 1}
    cron = site.lab.exec(["cat", "/etc/cron.d/exim-requiretls"]).stdout
    assert f"#*/5 * * * * root {settings['ExecStart']}\n" in cron


def test_every_metric_is_documented():
    """Name, type and labels in the table of OPERATING, in the order they are printed; and no other."""
    part = OPERATING.read_text().partition("\n## Watching it\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.*?) ?\| \S.* \|$", part, re.MULTILINE)
    said = [(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows]
    text = subprocess.run([PROGRAM, "metrics"], capture_output=True, text=True,
                          check=True).stdout
    assert said == [(name, kind, labels) for name, (kind, labels, _) in families(text).items()]


def test_alerts():
    """They are what Prometheus understands, about metrics there are, and each one comes at numbers
    that call for it and not at others (tests/prometheus)."""
    for command in (["check", "rules", RULES], ["test", "rules", ALERT_TESTS]):
        told = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
    rules = RULES.read_text()
    alerts = re.findall(r"^ +- alert: (\w+)$", rules, re.MULTILINE)
    tested = re.findall(r'alertname="(\w+)"', ALERT_TESTS.read_text())
    assert len(alerts) == len(set(alerts)) and set(alerts) == set(tested)
    text = subprocess.run([PROGRAM, "metrics"], capture_output=True, text=True,
                          check=True).stdout
    used = set(re.findall(rf"\b{PREFIX}([a-z_]+)", rules))
    assert used <= set(families(text)) and len(used) > 10
