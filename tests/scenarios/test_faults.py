"""Bad input and faults: protection fails closed, mail flow fails soft, nobody crashes."""

import json
import os
import time

import pytest

from mail import (GOOD, assert_delivered, assert_waiting, deliver, empty_queue,
                  let_answers_expire)
from sender import SENDER_CONF, SPOOL, new_marker

PROGRAM = "/usr/sbin/exim-requiretls"
SO = "/usr/lib/exim4/requiretls/requiretls.so"


@pytest.fixture
def program(site):
    """Replace the program by a script; the real one is back after the test."""
    site.lab.exec(["cp", "-p", PROGRAM, f"{PROGRAM}.real"])

    def replace(script):
        site.lab.exec(["rm", "-f", PROGRAM])
        if script is not None:
            site.lab.exec(["/bin/sh", "-c", f"cat >{PROGRAM} && chmod 755 {PROGRAM}"],
                          input=script)
    yield replace
    site.lab.exec(["mv", "-f", f"{PROGRAM}.real", PROGRAM])


def forget_panic(site):
    """A panic log was wanted."""
    assert site.lab.paniclog()
    os.truncate(site.lab.state / "sender/log/paniclog", 0)


# --- the program --------------------------------------------------------------------

BROKEN = {
    "missing": None,
    "crashes": "#!/bin/sh\nkill -SEGV $$\n",
    "fails": "#!/bin/sh\nexit 75\n",
    "talks nonsense": "#!/bin/sh\necho requiretls-record 99\n",
    "talks without end": "#!/bin/sh\nexec yes requiretls-record 1\n",
    "says nothing": "#!/bin/sh\nexit 0\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_program_broken(site, program, how):
    """An unresolved domain: flagged mail and SECURE rules wait, other mail goes as without
    a policy; one log line says why."""
    site.rules("dnssec Subject *secure* SECURE\n")
    program(BROKEN[how])
    marker = deliver(site, "bob@enforce.example")
    assert_delivered(site, marker, GOOD)
    assert site.log().count("could not resolve it") == 1
    assert_waiting(site, deliver(site, "bob+requiretls@secure.example"))
    site.lab.exec(["/bin/sh", "-c", "exim4 -bpru | awk '{ print $3 }' | xargs exim4 -Mrm"])
    assert_waiting(site, deliver(site, "bob@secure.example", headers={"Subject": "secure"}))


def test_program_broken_cached_policy_applies(site, program):
    """An unexpired policy is never forgotten."""
    assert_delivered(site, deliver(site, "bob@rotate.example"), GOOD)
    record = site.cache_file("rotate.example")
    record.write_text(record.read_text().replace("good.mail.example address",
                                                 "selfsigned.mail.example address"))
    time.sleep(2.1)     # the lab's TTL: the answers are stale, the policy is not
    program(None)
    assert_waiting(site, deliver(site, "bob@rotate.example"))
    assert "class=enforce sts=enforce" in site.log()


def test_program_hangs(site, program):
    """After the time budget it is killed with all it started, and mail goes on."""
    site.configure(resolve_timeout="1s")
    program("#!/bin/sh\nsleep 1000 & sleep 1000\n")
    marker = deliver(site, "bob@enforce.example")
    assert_delivered(site, marker, GOOD)
    assert "no answer within the time budget" in site.log()
    left = site.lab.exec(["pgrep", "-a", "sleep"], check=False).stdout
    assert left == ""


# What it does, and whether it leaves a process that no longer is of its group.
MISBEHAVING = {
    "says half a record": ("printf 'requiretls-record 1\\ndomain secure.example\\nmx-answer ho'",
                           False),
    "says the record of another domain": (
        "printf 'requiretls-record 1\\ndomain x.example\\nmx-answer nxdomain\\n'", False),
    "says zeros": ("head -c 5000 /dev/zero", False),
    "says a record and fails": (
        f"{PROGRAM}.real resolve --record nopolicy.example; exit 75", False),
    "closes its output": ("exec >&- 2>&-; sleep 1000", False),
    "ignores signals": ("trap '' TERM INT HUP PIPE ALRM; while :; do sleep 1; done", False),
    "stops itself": ("kill -STOP $$", False),
    "drips": ("while :; do printf x; sleep 0.05; done", False),
    "leaves a child with the pipe": ("sleep 1000 & exit 0", False),
    "leaves many": ("for i in 1 2 3 4 5 6 7 8; do (sleep 1000 & sleep 1000) & done; wait",
                    False),
    "leaves a daemon with the pipe": ("setsid sleep 1000 & exit 0", True),
}


def test_program_misbehaves(site, program):
    """Whatever it does: a policy that is known is enforced, flagged mail waits, and of what
    it started nothing is left but what left its process group."""
    domain = "enforce-selfsigned.example"
    assert site.program("resolve", domain, user="Debian-exim").returncode == 0
    site.configure(resolve_timeout="500ms")
    for name, (script, leaves) in MISBEHAVING.items():
        program(f"#!/bin/sh\n{script}\n")
        let_answers_expire(site, domain)
        for recipient in (f"bob@{domain}", "bob+requiretls@secure.example"):
            start = time.monotonic()
            assert_waiting(site, deliver(site, recipient))
            assert time.monotonic() - start < 10, name
            empty_queue(site)
        left = [line.split() for line in
                site.lab.exec(["ps", "-eo", "pid=,stat=,comm="]).stdout.splitlines()]
        assert not [line for line in left if line[1].startswith("Z")], (name, left)
        sleepers = [line[0] for line in left if line[2] in ("sleep", "exim-requiretls")]
        assert len(sleepers) == (2 if leaves else 0), (name, left)
        if sleepers:
            site.lab.exec(["kill", *sleepers])


def test_program_gets_nothing_of_exims(site, program):
    """It runs as the Exim user, with no descriptor and no environment of Exim's."""
    conf = (site.lab.state / "etc/exim4/exim4.conf").read_text()
    site.lab.write_sender_conf(conf.replace("keep_environment =",
                                            "keep_environment = SECRET : LD_LIBRARY_PATH"))
    program("#!/bin/sh\n{ id -u; id -G; env; ls -l /proc/$$/fd; } >/tmp/seen\n")
    site.lab.exec(["/bin/sh", "-c", "rm -f /tmp/seen; exim4 -odf -oi -f alice@lab.example "
                   "bob@nopolicy.example </dev/null 9</etc/passwd"],
                  env={"SECRET": "x", "LD_LIBRARY_PATH": "/run"})
    seen = site.lab.exec(["cat", "/tmp/seen"]).stdout
    site.lab.exec(["rm", "-f", "/tmp/seen"])
    ids = seen.split("\n")[:2]
    assert ids[0] == site.lab.exec(["id", "-u", "Debian-exim"]).stdout.strip()
    assert ids[1] == site.lab.exec(["id", "-g", "Debian-exim"]).stdout.strip()
    assert "SECRET" not in seen and "LD_LIBRARY_PATH" not in seen
    targets = {line.split(" -> ")[1] for line in seen.split("\n") if " -> " in line}
    mine = {"/dev/null", "/tmp/seen", "/usr/sbin/exim-requiretls"}
    assert {target for target in targets if not target.startswith("pipe:")} <= mine


# --- the cache ----------------------------------------------------------------------

def test_cache_directory_missing(site):
    """The first delivery makes it; nothing is said."""
    site.lab.exec(["rm", "-rf", SPOOL])
    assert_delivered(site, deliver(site, "bob@enforce.example"), GOOD)
    assert "class=enforce" in site.log()


def test_cache_not_writable(site):
    """The answer still gets to the module, and so the policy is still enforced."""
    site.lab.exec(["/bin/sh", "-c", f"rm -rf {SPOOL} && mkdir {SPOOL} && chmod 755 {SPOOL}"])
    try:
        assert_waiting(site, deliver(site, "bob@enforce-selfsigned.example"))
        assert "class=enforce" in site.log()
    finally:
        site.lab.exec(["chown", "Debian-exim:", SPOOL])


def test_disk_full(site):
    """As above: mail goes by what is known."""
    site.lab.exec(["/bin/sh", "-c",
                   f"rm -rf {SPOOL} && mkdir {SPOOL} && mount -t tmpfs -o size=4k,mode=777 "
                   f"none {SPOOL} && head -c 4096 /dev/zero >{SPOOL}/filler; true"])
    try:
        assert_waiting(site, deliver(site, "bob@enforce-selfsigned.example"))
        assert "class=enforce" in site.log()
    finally:
        site.lab.exec(["/bin/sh", "-c", f"umount {SPOOL} && chown Debian-exim: {SPOOL}"])


JOURNAL_LINE = "1\t1795140000\tfill.example\tno-policy-found\t-\tsuccess" + "\t-" * 5 + "\n"


def test_disk_full_journal(site):
    """A result that does not fit is cut; the mail goes, and the next result is whole."""
    today = site.lab.exec(["date", "-u", "+%F"]).stdout.strip()
    lines = 4000 // len(JOURNAL_LINE)       # some 100 bytes are left of the only page there is
    site.lab.exec(["/bin/sh", "-c",
                   f"install -d -o Debian-exim -g Debian-exim {SPOOL} {SPOOL}/tlsrpt && "
                   f"mount -t tmpfs -o size=8k,mode=777 none "
                   f"{SPOOL}/tlsrpt && cat >{SPOOL}/tlsrpt/{today} && chown Debian-exim: "
                   f"{SPOOL}/tlsrpt/{today} && head -c 4096 /dev/zero >{SPOOL}/tlsrpt/.filler"],
                  input=JOURNAL_LINE * lines)
    journal = f"{SPOOL}/tlsrpt/{today}"
    try:
        assert_delivered(site, deliver(site, "bob@enforce.example"), GOOD)
        assert "TLS-RPT journal not written" in site.log()
        cut = site.lab.exec(["cat", journal]).stdout
        assert len(cut) == 4096 and not cut.endswith("\n")
        site.lab.exec(["rm", f"{SPOOL}/tlsrpt/.filler"])
        assert_delivered(site, deliver(site, "bob@enforce.example"), GOOD)
        *whole, torn, last = site.lab.exec(["cat", journal]).stdout.splitlines(True)
        assert "".join([*whole, torn]) == cut + "\n" and whole == [JOURNAL_LINE] * lines
        assert "\tenforce.example\tsts\t" in last and last.count("\t") == 10
        (day,) = json.loads(site.program("report", "status", "--json").stdout)["days"]
        assert (day["sessions"], day["skipped"]) == (lines + 1, 1)
    finally:
        site.lab.exec(["/bin/sh", "-c", f"umount {SPOOL}/tlsrpt"])


HOSTILE = {
    "truncated": lambda text: text[:text.index("policy-until") + 20],
    "empty": lambda text: "",
    "binary": lambda text: "\0\xff" * 1000,
    "of another domain": lambda text: text.replace("domain enforce-", "domain x-"),
    "without end": lambda text: text + "mx 10 a.example address=secure tlsa=secure\n" * 10000,
}


@pytest.mark.parametrize("how", HOSTILE)
def test_cache_file_hostile(site, how):
    """A record that does not parse is a miss and a log line, never an error."""
    deliver(site, "bob@enforce-selfsigned.example")
    record = site.cache_file("enforce-selfsigned.example")
    record.write_text(HOSTILE[how](record.read_text()), encoding="latin-1")
    site.lab.exec(["/bin/sh", "-c", "exim4 -bpru | awk '{ print $3 }' | xargs exim4 -Mrm"])
    site.forget_retries()
    assert_waiting(site, deliver(site, "bob@enforce-selfsigned.example"))
    assert site.log().count("cache record ignored") == 1


@pytest.mark.parametrize("what", ["ln -s /etc/shadow", "mkfifo", "mkdir"])
def test_cache_file_is_no_file(site, what):
    """The root process follows no link and waits for no pipe."""
    deliver(site, "bob@enforce.example")
    name = site.cache_file("enforce.example").relative_to(
        site.lab.state / "sender/spool/requiretls")
    site.lab.exec(["/bin/sh", "-c", f"cd {SPOOL} && rm {name} && {what} {name}"])
    deliver(site, "bob@enforce.example")
    assert "cache record ignored" in site.log()
    assert "class=enforce" in site.log().splitlines()[-1]
    site.lab.exec(["rm", "-rf", f"{SPOOL}/{name}"])


# --- the host -----------------------------------------------------------------------

def test_daemon_lives_through_it_all(site, program):
    """Whatever happens in the processes of single messages, the daemon goes on."""
    site.configure(resolve_timeout="1s")
    site.lab.start_daemon()
    try:
        daemon = site.lab.exec(["pgrep", "-o", "-f", "exim4 .*-bd"]).stdout
        for script in (BROKEN["crashes"], BROKEN["talks without end"], None):
            program(script)
            deliver(site, "bob@nopolicy.example", "bob+requiretls@secure.example")
        site.rules("nonsense\n")
        deliver(site, "bob@nopolicy.example")
        assert site.lab.exec(["pgrep", "-o", "-f", "exim4 .*-bd"]).stdout == daemon
    finally:
        site.lab.stop_daemon()


def test_module_of_another_exim_is_refused(site):
    """${dlfunc} checks nothing, so the module does: wait, and say why."""
    site.lab.exec(["/bin/sh", "-c", "cp /usr/lib/exim4/requiretls/requiretls.so /run/so && "
                   "sed -i 's/4[.]96\\x00/4.95\\x00/' "
                   "/usr/lib/exim4/requiretls/requiretls.so"])
    try:
        reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                              "RCPT TO:<bob@nopolicy.example>\r\nDATA\r\nSubject: x\r\n\r\n"
                              "BODY\r\n.\r\nQUIT\r\n")
        assert "\n451 " in reply
        assert "built for Exim 4.95, this is Exim 4.96" in site.log()
    finally:
        site.lab.exec(["cp", "/run/so", "/usr/lib/exim4/requiretls/requiretls.so"])


@pytest.mark.parametrize("address", ["bob@enforce.example", "bob@nopolicy.example"])
def test_module_that_went_away(site, address):
    """Mail that was taken before is not lost: it waits, and goes when the module is back. In an
    Exim without dlfunc the same expansion fails in the same way."""
    marker = new_marker()
    site.lab.exec(["exim4", "-odq", "-oi", address], input=f"\n{marker}\n")
    site.lab.exec(["mv", SO, f"{SO}.away"])
    try:
        site.lab.run_queue()
        assert len(site.lab.queue()) == 1, site.lab.mainlog()
        assert site.lab.body_seen(marker) == [] and " failed: " in site.lab.mainlog()
    finally:
        site.lab.exec(["mv", f"{SO}.away", SO])
        forget_panic(site)
    site.lab.run_queue()
    assert_delivered(site, marker)


def test_lookup_of_smart_hosts_that_fails(site):
    """The same with what REQUIRETLS_VIA is: mail waits until that can be expanded."""
    site.lab.write_sender_conf(
        f"REQUIRETLS_VIA = ${{lookup{{$domain}}lsearch{{/etc/exim4/smart-hosts}}}}\n{SENDER_CONF}")
    marker = deliver(site, "bob@nopolicy.example")
    assert len(site.lab.queue()) == 1, site.lab.mainlog()
    site.lab.write_etc("smart-hosts", "")
    site.lab.run_queue()
    assert_delivered(site, marker)


def test_exim_that_cannot_see_dnssec_is_told_of(site):
    """Without trust-ad Exim uses no TLSA record: said once, and nothing is held against
    the host; what depends on DANE waits."""
    resolv = site.lab.exec(["cat", "/etc/resolv.conf"]).stdout
    site.lab.exec(["/bin/sh", "-c", "sed 's/trust-ad//' /etc/resolv.conf >/run/resolv && "
                   "cat /run/resolv >/etc/resolv.conf"])
    try:
        marker = deliver(site, "bob+requiretls@dane-good.example")
        site.lab.run_queue()
        assert_waiting(site, marker)
        assert "options trust-ad" in site.log()
        assert site.journal() == []
    finally:
        site.lab.exec(["/bin/sh", "-c", "cat >/etc/resolv.conf"], input=resolv)


def test_program_that_fails_says_why_in_the_log(site):
    """What the program has to say reaches Exim's log."""
    site.configure(trust_anchor="/etc/exim4/none")
    assert_delivered(site, deliver(site, "bob@nopolicy.example"), GOOD)
    assert "exit status" in site.log() and "/etc/exim4/none" in site.log()


def test_ca_bundle_missing_is_held_against_nobody(site):
    """Our own trouble is logged, and reported to no domain."""
    deliver(site, "bob@enforce-selfsigned.example")
    site.lab.exec(["/bin/sh", "-c", "exim4 -bpru | awk '{ print $3 }' | xargs exim4 -Mrm"])
    before = len(site.journal())
    site.configure(ca_file="/etc/exim4/none.pem")
    site.forget_retries()
    assert_waiting(site, deliver(site, "bob@enforce-selfsigned.example"))
    assert_delivered(site, deliver(site, "bob@enforce.example"), GOOD)
    assert "not judged: /etc/exim4/none.pem: no such file" in site.log()
    assert "not fetched for a reason of ours" in site.log()
    assert [line["domain"] for line in site.journal()[before:]
            if line["result"] != "success"] == []


def test_silent_resolver_is_told_of_once(site):
    """Nobody answers: ordinary mail goes by the site's own resolver, one line says so."""
    site.configure(resolver="192.0.2.99", dns_timeout="300ms", resolve_timeout="3s")
    for domain in ("nopolicy.example", "shared-b.example"):
        assert_delivered(site, deliver(site, f"bob@{domain}"), GOOD)
    assert site.log().count("is it alive?") == 1
