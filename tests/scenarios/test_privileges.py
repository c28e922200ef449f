"""What talks to the network is never root, and what is root hardly does anything."""

import re
from dataclasses import dataclass

import pytest

from mail import deliver

SO = "/usr/lib/exim4/requiretls/requiretls.so"
SPOOL = "/var/spool/exim4/requiretls"
# All that opens, makes, changes or sends; "?": not on every machine.
CALLS = ",".join((
    "execve,?setuid,?seteuid,?setreuid,?setresuid,setgroups,setresgid,prctl,close_range",
    "?clone,?clone3,?fork,?vfork,socket,connect,bind,sendto,sendmsg,sendmmsg",
    "?open,openat,?openat2,?creat,truncate,ftruncate,?unlink,unlinkat,?rename,renameat,renameat2",
    "?mkdir,mkdirat,?rmdir,?mknod,mknodat,?link,linkat,?symlink,symlinkat",
    "?chmod,fchmod,fchmodat,?chown,fchown,fchownat,?lchown,utimensat"))
HARMLESS = ("execve", "set", "prctl", "close_range", "clone", "fork", "vfork")

# What runs as root may read on behalf of the module: the list in ARCHITECTURE.md.
MODULE_READS = re.compile("|".join((
    "/etc/exim4/?", r"/etc/exim4/requiretls\.(conf|rules|exempt)",
    SPOOL, f"{SPOOL}/cache", f"{SPOOL}/cache/[0-9a-f]{{2}}",
    f"{SPOOL}/cache/[0-9a-f]{{2}}/[a-z0-9._-]+", f"{SPOOL}/refused",
    f"{SPOOL}/refused/[0-9A-Za-z-]+", "/etc/localtime")))
# What Exim's own routers, spool and log need besides.
EXIM_READS = re.compile("|".join((
    "/etc/(host.conf|hosts|resolv.conf|nsswitch.conf|passwd|group|services|exim4/lab-users)",
    "/sys/devices/system/cpu/online", "/dev/null", "/var/spool/exim4/+(input|msglog|db)/.*",
    "/proc/.*", "/run/lab/sender/mail/.*", r"/usr/lib/[^/]*-linux-gnu[^/]*/.*\.so.*",
    "/etc/ld.so.cache")))
EXIM_WRITES = re.compile("/var/spool/exim4/+(input|msglog|db)/.*|/var/log/exim4/(main|reject)log")


@dataclass
class Call:
    """One system call of a trace, and as whom it was made."""

    pid: str
    euid: int
    loaded: bool        # the module is in this process
    text: str

    @property
    def name(self):
        """Of the system call."""
        return self.text.split("(")[0]

    @property
    def path(self):
        """What openat() opened, from the root on."""
        found = re.match(r'\w+\((?:AT_FDCWD(?:<[^>]*>)?|\d+<([^>]*)>), "([^"]*)"', self.text)
        return f"{found[1]}/{found[2]}" if found[1] else found[2]


def parse_trace(text):
    """The calls in order. Who is who follows from forks, execs and set*uid()."""
    parent = {child: pid for pid, child in re.findall(
        r"^(\d+) .*(?:clone3?|v?fork)\b.* = (\d+)$", text, re.MULTILINE)}
    euid, loaded, begun, calls = {}, {}, {}, []
    for line in text.splitlines():
        pid, call = line.split(maxsplit=1)
        if pid not in euid:
            euid[pid] = euid.get(parent.get(pid), 0)
            loaded[pid] = loaded.get(parent.get(pid), False)
        if call.endswith("<unfinished ...>"):
            begun[pid] = call.removesuffix("<unfinished ...>")
            continue
        if call.startswith("<... "):
            call = begun.pop(pid) + call.split("resumed>")[1]
        if call[0] in "+-":
            continue
        calls.append(Call(pid, euid[pid], loaded[pid], call))
        new = re.match(r"set(?:res|e|re)?uid\((?:-?\d+, )?(\d+)\b.*\) += 0", call)
        if new:
            euid[pid] = int(new[1])
        if call.startswith("execve(") and call.endswith(" = 0"):
            loaded[pid] = False
            if 'execve("/usr/sbin/exim4"' in call:
                euid[pid] = 0           # setuid
        if SO in call and " = -1" not in call:
            loaded[pid] = True
    return calls


def watch(site, *argv):
    """strace of a command in the lab, all that matters here."""
    # Not with --seccomp-bpf, which takes the power from setuid programs.
    site.lab.exec(["strace", "-f", "-y", "-o", "/run/trace", "-e",
                   f"trace={CALLS}", *argv], check=False)
    site.lab.settle()
    return parse_trace(site.lab.exec(["cat", "/run/trace"]).stdout)


def by_root(calls):
    """What the module may have done as root: all since it was loaded."""
    found = [call for call in calls if call.loaded and call.euid == 0
             and not call.name.startswith(HARMLESS)]
    assert found, "the module was not loaded by root"
    return found


def assert_reads_only(calls, reads=MODULE_READS, writes=None, dns=False):
    """No call of these but opens for reading what is in the list; with writes and dns
    what Exim does by itself too."""
    for call in calls:
        is_open = call.name.startswith("open")
        if is_open and writes is not None and writes.fullmatch(call.path):
            continue
        if is_open:
            assert not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", call.text) or \
                call.path == "/dev/null", call
            assert MODULE_READS.fullmatch(call.path) or reads.fullmatch(call.path), call
        elif dns and re.match(r"socket\(AF_INET6?, SOCK_DGRAM|socket\(AF_UNIX", call.text):
            continue
        elif dns and call.name in ("connect", "sendto", "sendmsg", "sendmmsg"):
            assert "htons(53)" in call.text or "/nscd/socket" in call.text or \
                re.match(r"send\w+\(\d+<(UDP|socket|TCP)", call.text), call
        elif writes is not None:
            assert writes.search(call.text) or "retry.lockfile" in call.text, call
        else:
            raise AssertionError(call)
    assert_opened_with_care(calls)


def assert_opened_with_care(calls):
    """The spool belongs to the Exim user: no link is followed, no pipe waited for, nothing
    is handed down."""
    for call in calls:
        if call.name.startswith("open") and call.path.startswith(SPOOL):
            wanted = "O_PATH|O_DIRECTORY" if "O_DIRECTORY" in call.text else "O_NONBLOCK"
            for flag in (wanted, "O_NOFOLLOW", "O_CLOEXEC"):
                assert flag in call.text, call


def trace(site, *argv):
    """strace of a command in the lab: (pid, call) in order."""
    site.lab.exec(["strace", "-f", "-o", "/run/trace", "-e",
                   "trace=execve,setresuid,setuid,setgroups,setresgid,prctl,socket,connect", *argv])
    lines = site.lab.exec(["cat", "/run/trace"]).stdout.splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def calls_of(calls, pid):
    """The calls of one process."""
    return [call for who, call in calls if who == pid]


def index_of(calls, pattern):
    """Where the first call that matches stands."""
    for number, call in enumerate(calls):
        if re.search(pattern, call):
            return number
    raise AssertionError(f"no {pattern} in\n" + "\n".join(calls))


def exim_uid(site):
    """The number of the Exim user."""
    return site.lab.exec(["id", "-u", "Debian-exim"]).stdout.strip()


def test_helper_drops_root_before_it_becomes_the_program(site):
    """The child of the routing process gives up groups, gid and uid, then calls exec: no
    line of the program, no constructor of its libraries runs as root."""
    uid = exim_uid(site)
    calls = trace(site, "exim4", "-odf", "-oi", "-f", "alice@lab.example",
                  "bob@enforce.example")
    pids = [pid for pid, call in calls
            if call.startswith('execve("/usr/sbin/exim-requiretls"')]
    assert len(pids) == 1
    own = calls_of(calls, pids[0])
    start = index_of(own, r'execve\("/usr/sbin/exim-requiretls"')
    assert index_of(own, r"setgroups\(0, ") < start
    assert index_of(own, rf"setresgid\(\d+, \d+, \d+\) += 0") < start
    assert index_of(own, rf"setresuid\({uid}, {uid}, {uid}\) += 0") < start
    assert index_of(own, r"setuid\(0\) += -1 EPERM") < start
    assert index_of(own, r"socket\(AF_INET") > start
    assert index_of(own, r"prctl\(PR_SET_NO_NEW_PRIVS, 1") < start
    assert '["PATH=' in own[start] or re.search(r"/\* \d vars? \*/", own[start])


def test_program_started_by_root_drops_first(site):
    """By hand or by cron as root: the user is given up before the first socket, for good."""
    uid = exim_uid(site)
    calls = [call for _, call in trace(site, "/usr/sbin/exim-requiretls", "resolve",
                                       "enforce.example")]
    dropped = index_of(calls, rf"setresuid\({uid}, {uid}, {uid}\) += 0")
    assert index_of(calls, r"setuid\(0\) += -1 EPERM") > dropped
    assert index_of(calls, r"socket\(AF_INET") > dropped
    record = site.cache_file("enforce.example")
    assert str(record.stat().st_uid) == uid
    assert record.stat().st_mode & 0o777 == 0o640


def test_delivery_touches_nothing_as_root(site):
    """After a delivery everything below the spool belongs to the Exim user."""
    uid = int(exim_uid(site))
    site.lab.send("alice@lab.example", ["bob@enforce.example", "bob@nopolicy.example"])
    site.lab.settle()
    spool = site.lab.state / "sender/spool/requiretls"
    found = list(spool.rglob("*"))
    assert found and {path.stat().st_uid for path in found} == {uid}


# --- the routing process -------------------------------------------------------------

def cache_record(site, change):
    """A command for the record of enforce.example, which is known then."""
    site.program("resolve", "enforce.example")
    name = site.cache_file("enforce.example").relative_to(
        site.lab.state / "sender/spool/requiretls")
    site.lab.exec(["/bin/sh", "-c", f"cd {SPOOL} && f={name} && {change}"])


def script(site, text):
    """Another program in place of exim-requiretls."""
    site.lab.exec(["/bin/sh", "-c", "cat >/run/program && chmod 755 /run/program"], input=text)
    site.configure(program="/run/program", resolve_timeout="1s")


ROUTED = {
    "cold": ("enforce.example", lambda site: None),
    "warm": ("enforce.example", lambda site: cache_record(site, "true")),
    "no policy": ("nopolicy.example", lambda site: None),
    "an address": ("[192.0.2.11]", lambda site: None),
    "no spool": ("enforce.example", lambda site: site.lab.exec(["rm", "-rf", SPOOL])),
    "broken record": ("enforce.example", lambda site: cache_record(site, "echo x >$f")),
    "record that is a link": ("enforce.example",
                              lambda site: cache_record(site, "ln -sf /etc/shadow $f")),
    "directory that is a link": ("enforce.example", lambda site: cache_record(
        site, "mv cache c && ln -s /etc cache")),
    "record that is a pipe": ("enforce.example",
                              lambda site: cache_record(site, "rm $f && mkfifo $f")),
    "program missing": ("enforce.example", lambda site: site.configure(program="/run/none")),
    "program hangs": ("enforce.example", lambda site: script(site, "#!/bin/sh\nsleep 99\n")),
    "program talks": ("enforce.example", lambda site: script(
        site, "#!/bin/sh\necho requiretls-record 1\necho domain ../../etc/passwd\n")),
    "configuration broken": ("enforce.example", lambda site: site.configure(mta_sts="what")),
}


@pytest.mark.parametrize("case", ROUTED)
def test_routing_only_reads(site, case):
    """The function that routes, called by root where Exim has no network of its own: no
    socket, nothing written, nothing read but the files of the list."""
    domain, prepare = ROUTED[case]
    prepare(site)
    calls = watch(site, "exim4", "-be", f"${{dlfunc{{{SO}}}{{requiretls_route}}{{{domain}}}}}")
    found = [call for call in by_root(calls)
             # The child that becomes the program, before it gives up root.
             if not (call.text.startswith('openat(AT_FDCWD') and call.path == "/dev/null")]
    assert_reads_only(found)
    if case == "warm":
        assert [call.path for call in found if call.path.endswith("enforce.example")]
    if case.endswith("link") or case.endswith("pipe"):
        site.lab.exec(["rm", "-rf", SPOOL])


def routed_as_root(site, *argv):
    """All calls by root of a whole Exim that routes, judged."""
    found = by_root(watch(site, *argv))
    assert_reads_only(found, EXIM_READS, EXIM_WRITES, dns=True)
    return [call.path for call in found if call.name.startswith("open")]


def test_deliveries_as_root(site):
    """Whole deliveries, all classes, cold and warm, with rules and exemptions: besides its own
    spool, log and DNS lookups Exim as root does nothing more."""
    site.rules("dnssec Subject *secure* SECURE\nflag Subject *[secure]*\n")
    site.lab.write_etc("requiretls.exempt", 'x.example sts until=2100-01-01 "x"\n')
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    read = set()
    for _ in range(2):
        for recipient in ("bob@nopolicy.example", "bob@enforce.example",
                          "bob+requiretls@secure.example", "bob@enforce-selfsigned.example",
                          "bob+requiretls@nopolicy.example", "bob@testing.example"):
            read |= set(routed_as_root(site, "exim4", "-odf", "-oi", "-f", "alice@lab.example",
                                       recipient))
    assert {"/etc/exim4/requiretls.rules", "/etc/exim4/requiretls.exempt"} <= read
    assert [path for path in read if path.endswith("/enforce.example")]


def test_queue_run_and_address_test_as_root(site):
    """Also where a note of the attempt before makes a flagged message bounce, and where
    addresses are only tested."""
    deliver(site, "bob+requiretls@secure-selfsigned.example")
    deliver(site, "bob@enforce-selfsigned.example", headers={"TLS-Required": "No"})
    site.lab.send("alice@lab.example", ["bob@enforce.example"], queue_only=True)
    read = routed_as_root(site, "exim4", "-qff")
    assert [path for path in read if path.startswith(f"{SPOOL}/refused/")]
    assert site.lab.bounces("alice")
    routed_as_root(site, "exim4", "-bt", "bob@nopolicy.example", "bob@enforce.example",
                   "bob@secure.example", "bob@bogus.example")


# --- the program, started by root ------------------------------------------------------

# As root it reads what makes it a program, and who the user is.
PROGRAM_READS = re.compile(
    r"/etc/ld\.so\.\w+|(/usr)?/lib/[^/]*-linux-gnu[^/]*/.*|/etc/exim4/?|/etc/exim4/requiretls\.\w+|"
    "/etc/(nsswitch.conf|passwd|group)|/proc/sys/kernel/ngroups_max|/dev/null|"
    r"(/usr/lib/ssl|/etc/ssl)/openssl\.cnf|/etc/gnutls/config|/proc/sys/crypto/fips_enabled")


@pytest.mark.parametrize("argv", [("resolve", "enforce.example"), ("cache", "refresh"),
                                  ("report", "run"), ("cache", "show", "enforce.example"),
                                  ("metrics",)])
def test_program_is_nobody_before_it_reads_what_strangers_wrote(site, argv):
    """Nothing of the network and nothing in the spool is looked at by root; descriptors,
    environment and the way back are gone by then."""
    deliver(site, "bob@enforce.example", "bob@testing.example")
    uid = int(exim_uid(site))
    calls = watch(site, "/usr/sbin/exim-requiretls", *argv)
    for call in calls:
        if call.euid != 0:
            continue
        if call.name.startswith("open"):
            assert PROGRAM_READS.fullmatch(call.path), call
            assert "O_CREAT" not in call.text and "O_WRONLY" not in call.text, call
        elif call.name in ("socket", "connect"):
            assert "AF_UNIX" in call.text, call     # the name service cache
        else:
            assert call.name.startswith(HARMLESS), call
    texts = [call.text for call in calls]
    dropped = index_of(texts, rf"setresuid\({uid}, {uid}, {uid}\) += 0")
    looked = min(number for number, call in enumerate(calls)
                 if "AF_INET" in call.text
                 or call.name.startswith("open") and call.path.startswith(SPOOL))
    assert index_of(texts, r"close_range\(3, ") < dropped < looked
    assert dropped < index_of(texts, r"setuid\(0\) += -1 EPERM") < looked
    again = [number for number, text in enumerate(texts) if "/proc/self/exe" in text]
    assert again and dropped < again[0] < looked and "/* 1 var */" in texts[again[0]]
    # Reports leave by sendmail, which is setuid.
    if argv[0] != "report":
        assert dropped < index_of(texts, r"prctl\(PR_SET_NO_NEW_PRIVS, 1.*= 0") < looked
