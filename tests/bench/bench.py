"""make bench: measure in the lab, each row beside its reference of the same run.

Prints the table docs/PERFORMANCE.md keeps. Nothing here passes or fails.
"""

import os
import platform
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenarios"))

# pylint: disable=wrong-import-position
from sender import ROOT, SENDER_CONF, Lab, Site  # noqa: E402

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
    median, p99, answer = site.lab.exec(
        ["/usr/lib/route-bench", "enforce.example", "20000"]).stdout.split(" ", 2)
    assert "class=enforce" in answer, answer
    row("warm route call", f"{float(median) / 1000:.1f} µs (p99 {float(p99) / 1000:.1f})",
        "in one process, cache on disk", "< 50 µs")


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
        bench_delivery(site)
        bench_cold(site)
    finally:
        lab.down()


if __name__ == "__main__":
    main()
