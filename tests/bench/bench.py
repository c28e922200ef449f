"""make bench: measure in the lab, each row beside its reference of the same run.

Prints the table docs/PERFORMANCE.md keeps. Nothing here passes or fails.
"""

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

# pylint: disable=wrong-import-position
from sender import ROOT, SENDER_CONF, SPOOL, Lab, Site  # noqa: E402

DATE = "2026-11-20"
ROUNDS = int(os.environ.get("ROUNDS", "40"))
SEND = "/usr/sbin/exim4 -C /etc/exim4/{} -odf -oi -f alice@lab.example bob@{}"

# The same Exim, the same verification, without us.
REFERENCE_TRANSPORT = """
remote_smtp:
  driver = smtp
  hosts_require_tls = *
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *
  tls_sni = $host
  hosts_try_dane = *
  dnssec_request_domains = *
"""


def reference_conf(text: str) -> str:
    """The sender's configuration without anything of ours."""
    text = "".join(line for line in text.splitlines(True) if ".include" not in line)
    text = text.replace("  event_action = REQUIRETLS_EVENT\n  multi_domain = false\n", "")
    head, tail = text.split("\nremote_smtp:\n")
    return head + REFERENCE_TRANSPORT + tail[tail.index("\nlocal_delivery:"):]


def in_turns(site: Site, *commands: str, rounds: int = ROUNDS) -> list[float]:
    """Median CPU in ms of each command line, run in turns inside the lab."""
    result = site.lab.exec(["/usr/bin/python3", "-B", str(HERE / "deliveries.py"),
                            str(rounds), *commands], timeout=600)
    return [float(line) for line in result.stdout.split()]


def row(name: str, value: str, reference: str, wanted: str) -> None:
    """One line of the table."""
    print(f"| {name:<44} | {value:>22} | {reference:<38} | {wanted:<12} |")


def bench_route(site: Site) -> None:
    """Routing in-process, against a real cache."""
    site.program("resolve", "enforce.example", user="Debian-exim")
    program = ROOT / os.environ.get("OUT", "build/out") / "route-bench"
    # Records of the lab live for seconds; here it is reading them that counts.
    record = site.cache_file("enforce.example")
    text = record.read_text()
    for key in ("mx-until", "txt-until"):
        text = "".join(f"{key} {long_from_now()}\n" if line.startswith(key + " ") else line
                       for line in text.splitlines(True))
    record.write_text(text)
    site.lab.install(program, "/usr/lib/route-bench")
    row("warm route call", route_call(site, "enforce.example", "20000"),
        "in one process, cache on disk", "< 8 µs (40)")


def route_call(site: Site, *arguments: str) -> str:
    """Median and 99th percentile of one call."""
    median, p99, answer = site.lab.exec(
        ["/usr/lib/route-bench", *arguments]).stdout.split(" ", 2)
    assert "class=enforce" in answer, answer
    return f"{float(median) / 1000:.1f} µs (p99 {float(p99) / 1000:.1f})"


def bench_many(site: Site) -> None:
    """The same among many domains, each call about another one."""
    program = ROOT / os.environ.get("OUT", "build/out") / "records-bench"
    spool = site.lab.state / "sender/spool/requiretls"
    few = ""
    for count in (1000, 100000, int(os.environ.get("DOMAINS", "1000000"))):
        subprocess.run([program, spool, "enforce.example", str(count)], check=True)
        site.lab.exec(["chown", "-R", "Debian-exim:", f"{SPOOL}/cache"])
        route_call(site, "example", "100000", str(count))   # the kernel's own caches
        call = route_call(site, "example", "100000", str(count))
        row(f"  one of {count:,} domains", call, few and f"of 1,000: {few}", "<= 1.3")
        few = few or call
    size = sum(len(path.read_bytes()) for path in (spool / "cache").glob("00/*"))
    files = len(list((spool / "cache").glob("00/*")))
    row("  on disk, a domain", f"{size // files} bytes", "one inode, one block", "< 1 KB")
    subprocess.run(["rm", "-rf", spool / "cache"], check=True)


def long_from_now() -> str:
    """Twelve hours ahead, in the cache's form."""
    import datetime     # pylint: disable=import-outside-toplevel
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)
    return later.strftime("%Y-%m-%dT%H:%M:%SZ")


def bench_delivery(site: Site) -> None:
    """A whole delivery under enforce, against the same Exim without the module."""
    site.lab.write_etc("plain.conf", reference_conf(SENDER_CONF))
    # The lab's answers live for two seconds; warm means that they are still good.
    site.lab.set_rrset("enforce.example", "MX", ["10 good.mail.example."], ttl_s=3600)
    site.program("resolve", "--fresh", "enforce.example")
    ours, plain = in_turns(site, SEND.format("exim4.conf", "enforce.example"),
                           SEND.format("plain.conf", "enforce.example"))
    row("delivery, class enforce, warm", f"{ours:.1f} ms CPU",
        f"same Exim, equal checks: {plain:.1f} ms", "<= 1.05")
    row("  ratio", f"{ours / plain:.3f}", "", "")
    log = site.lab.mainlog()
    assert "T=requiretls_enforce" in log and "T=remote_smtp" in log, log


def bench_cold(site: Site) -> None:
    """One cold domain, the network waits not counted."""
    # As the module starts it: the Exim user, and nothing in the environment but PATH.
    start = ("rm -rf /var/spool/exim4/requiretls/cache; "
             "setpriv --reuid=Debian-exim --regid=Debian-exim --clear-groups "
             "env -i PATH=/usr/bin:/bin ")
    resolve = start + "/usr/sbin/exim-requiretls resolve --record"
    nothing = start + "/bin/true"
    policy, none, reference = in_turns(site, f"{resolve} enforce.example",
                                       f"{resolve} nopolicy.example", nothing)
    row("cold domain with a policy", f"{policy - reference:.1f} ms CPU",
        f"less /bin/true started so: {reference:.1f} ms", "< 15 ms")
    row("cold domain without", f"{none - reference:.1f} ms CPU",
        f"less /bin/true started so: {reference:.1f} ms", "")


def child_seconds(*command: str, stdin: Path | None = None) -> tuple[float, str]:
    """CPU of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(stdin or "/dev/null", "rb") as source:
        printed = subprocess.run(command, stdin=source, check=True, text=True,
                                 capture_output=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, printed


def bench_sums(spool: str, lines: int, rounds: int) -> None:
    """A day's journal to its reports; and the same counting by awk."""
    program = str(ROOT / os.environ.get("OUT", "build/out") / "journal-bench")
    journal = Path(spool) / "tlsrpt" / DATE
    subprocess.run([program, "make", spool, DATE, str(lines), "10000"], check=True)
    distinct = ["mawk", "{ n[substr($0, 14)]++ } END { print length(n) }"]
    ours, awk, count = [], [], []
    for _ in range(rounds):
        took_ms, memory_kib, sessions = child_seconds(program, "sum", spool, DATE)[1].split()
        assert int(sessions) == lines
        ours.append(float(took_ms) / 1000)
        awk.append(child_seconds(*distinct, stdin=journal)[0])
        count.append(child_seconds("wc", "-l", stdin=journal)[0])
    seconds = statistics.median(ours)
    row(f"{lines:,} sessions to reports", f"{seconds:.2f} s, {int(memory_kib) / 1024:.0f} MiB",
        f"counted by mawk: {statistics.median(awk):.2f} s", "< 5 s, 100 MB")
    row("  a session", f"{seconds / lines * 1e9:.0f} ns",
        f"wc -l: {statistics.median(count) / lines * 1e9:.0f} ns", "< 150 ns")


def bench_writers(spool: str, rounds: int) -> None:
    """Sixteen processes append to one journal; and write the same bytes and nothing else."""
    program = str(ROOT / os.environ.get("OUT", "build/out") / "journal-bench")
    ours, bare = [], []
    for number in range(rounds):
        took, found, torn = subprocess.run(
            [program, "append", spool, "16", "10000"], check=True, text=True,
            capture_output=True).stdout.split()
        assert int(found) == 160000 * (number + 1) and torn == "0"
        ours.append(float(took))
        bare.append(float(subprocess.run(
            [program, "write", f"{spool}/bare", "16", "10000"], check=True, text=True,
            capture_output=True).stdout))
    row("16 processes append, a line", f"{statistics.median(ours):.1f} µs",
        f"open, write, close: {statistics.median(bare):.1f} µs", "none lost")


def bench_journal() -> None:
    """The rows that need no lab."""
    rounds = max(ROUNDS // 10, 3)
    with tempfile.TemporaryDirectory() as spool:
        bench_sums(spool, int(os.environ.get("SESSIONS", "10000000")), rounds)
    with tempfile.TemporaryDirectory() as spool:
        bench_writers(spool, rounds)


def main() -> None:
    """All rows."""
    lab = Lab(ROOT / os.environ.get("OUT", "build/out") / "lab-bench")
    lab.down()
    lab.up()
    try:
        site = Site(lab)
        site.install()
        print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; "
              f"medians of {ROUNDS} rounds in turns\n")
        row("what", "measured", "reference in the same run", "wanted")
        print(f"|{'-' * 46}|{'-' * 24}|{'-' * 40}|{'-' * 14}|")
        bench_route(site)
        bench_many(site)
        bench_delivery(site)
        bench_cold(site)
        bench_journal()
    finally:
        lab.down()


if __name__ == "__main__":
    main()
