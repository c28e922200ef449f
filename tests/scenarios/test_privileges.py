"""What talks to the network is never root."""

import re


def trace(site, *argv):
    """strace of a command in the lab: (pid, call) in order."""
    site.lab.exec(["strace", "-f", "-o", "/run/trace", "-e",
                   "trace=execve,setresuid,setuid,setgroups,setresgid,socket,connect", *argv])
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
