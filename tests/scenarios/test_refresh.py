"""`exim-requiretls cache refresh`: policies stay alive, the cache stays small, and mail does not
wait for it (A5.5, A5.6; EDGE-CASES 53 to 65)."""

import datetime
import re
import subprocess

import pytest
from sender import Site, world

EXIM_USER = "Debian-exim"
# Domains whose policies the lab serves well.
GOOD = [domain.name for domain in world.DOMAINS if domain.sts and not domain.fault]

# Wait until somebody is connected to the policy host that stalls.
UNTIL_STALLED = """
    stalled() { ss -Htn state established dst 192.0.2.82 | grep -q .; }
    for i in $(seq 250); do stalled && break; sleep 0.02; done
    stalled || echo not connected
"""


def stamp(days: float = 0) -> str:
    """A time of the record, so many days from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def resolve(site: Site, *domains: str) -> None:
    """Fill the cache, as deliveries would."""
    script = "for d; do /usr/sbin/exim-requiretls resolve --record $d >/dev/null & done; wait"
    site.lab.exec(["sh", "-c", script, "sh", *domains], user=EXIM_USER)


def lines_of(site: Site, domain: str) -> dict[str, str]:
    """The record's lines up to the policy."""
    text = site.cache_file(domain).read_text().split("\npolicy-text\n")[0]
    return dict(line.split(" ", 1) for line in text.splitlines())


def edit(site: Site, domain: str, **changes: str | None) -> None:
    """Change lines of a record; None takes a line away. Underscores stand for hyphens."""
    path = site.cache_file(domain)
    head, mark, policy = path.read_text().partition("\npolicy-text\n")
    lines = head.splitlines()
    for key, value in changes.items():
        name = key.replace("_", "-")
        lines = [line for line in lines if line.split(" ")[0] != name]
        if value is not None:
            lines.append(f"{name} {value}")
    path.write_text("\n".join(lines) + (mark or "\n") + policy)


def age(site: Site, *domains: str, days: float = 1) -> None:
    """Make the last fetch that old."""
    for domain in domains:
        edit(site, domain, policy_fetched=stamp(-days))


def has_record(site: Site, domain: str) -> bool:
    """Whether the cache knows the domain."""
    return list((site.lab.state / "sender/spool/requiretls/cache").glob(f"*/{domain}")) != []


def give_policy(site: Site, domain: str, like: str = "enforce.example") -> None:
    """A record of domain with a day-old policy, although its host never gave one out."""
    resolve(site, like)
    source = site.cache_file(like)
    text = source.read_text().replace(f"domain {like}\n", f"domain {domain}\n")
    site.configure(mta_sts="no")    # nobody asks the policy host
    resolve(site, domain)           # makes the file, where it belongs
    site.configure()
    site.cache_file(domain).write_text(text)
    age(site, domain)


def refresh(site: Site, *args: str) -> subprocess.CompletedProcess:
    """Run it as root does, from cron or a timer."""
    return site.program("cache", "refresh", *args, check=False)


def test_what_is_due(site):
    """A5.5: once a day, counted from the last fetch; not what was fetched an hour ago; the rest of
    the record stays, and a refresh is no use of the domain."""
    resolve(site, "enforce.example", "rotate.example", "nopolicy.example")
    age(site, "rotate.example")
    edit(site, "rotate.example", used=stamp(-3), mx_until=stamp(-0.1))
    before = lines_of(site, "rotate.example")
    told = refresh(site)
    assert (told.returncode, told.stdout) == (
        0, "3 domains: 1 policies fetched, 0 failed, 0 in the hands of others, "
           "0 records dropped\n")
    assert site.lab.policy_fetches("rotate.example") == 2
    assert site.lab.policy_fetches("enforce.example") == 1
    after = lines_of(site, "rotate.example")
    assert after["policy-fetched"] > before["policy-fetched"]
    for key in ("used", "mx", "mx-until", "policy-id"):
        assert after[key] == before[key]
    assert refresh(site).stdout.startswith("3 domains: 0 policies fetched")


def test_all_and_many_at_once(site):
    """--all does not ask what is due; many are under way at a time, each once."""
    resolve(site, *GOOD)
    told = refresh(site, "--all")
    assert told.returncode == 0
    assert f"{len(GOOD)} policies fetched, 0 failed" in told.stdout
    assert {site.lab.policy_fetches(domain) for domain in GOOD} == {2}
    assert refresh(site, "--all", "enforce.example").returncode == 64


def test_failures_are_told_and_weaken_nothing(site):
    """A5.6, EDGE 53: each run says which policies could not be fetched, but not of mode none;
    one bad host does not keep the others back."""
    resolve(site, "enforce.example", "rotate.example", "none.example", "testing.example")
    for domain in ("policystall.example", "policydown.example", "policy404.example"):
        give_policy(site, domain)
    age(site, "enforce.example", "rotate.example", "none.example", "testing.example")
    site.lab.policy_host_down("none.example")
    site.lab.set_policy("testing.example", "version: STSv1\nmode: enforce\n")
    told = refresh(site)
    assert told.returncode == 75
    failed = set(re.findall(r"^(\S+): FAILED", told.stdout, re.M))
    assert failed == {"policystall.example", "policydown.example", "policy404.example",
                      "testing.example"}
    assert "policy404.example: FAILED mx=1 host sts=enforce" in told.stdout
    assert "fetch failed: sts-policy-fetch-error http status 404" in told.stdout
    # none.example failed too; nobody needs to hear of it.
    assert "3 policies fetched, 4 failed" in told.stdout
    for domain in failed:
        assert lines_of(site, domain)["fetch"] == "failed"
        assert "mode: " in site.cache_file(domain).read_text()
    # Within five minutes nobody asks again.
    assert "0 policies fetched, 0 failed" in refresh(site).stdout


def test_mail_does_not_wait_for_it(site):
    """A refresh that hangs at a policy host holds no lock: a message is routed meanwhile, by a new
    look at DNS."""
    give_policy(site, "policystall.example")
    site.configure(fetch_timeout="30s", connect_timeout="30s", resolve_timeout="40s")
    edit(site, "policystall.example", mx_until=stamp(-0.1))
    done = site.lab.exec(["sh", "-c", "/usr/sbin/exim-requiretls cache refresh & run=$!\n"
                          + UNTIL_STALLED + """
        timeout 20 /usr/sbin/exim-requiretls resolve policystall.example
        kill -0 $run && echo still refreshing
        kill -KILL $run"""])
    assert "not connected" not in done.stdout
    assert "expires in" in done.stdout and "enforce, id" in done.stdout
    assert "still refreshing" in done.stdout


def test_what_is_forgotten(site):
    """Negative entries go a day after all in them ran out, policies when no mail went there for
    cache_keep; what a wrong clock left is not immortal, and what cannot be read is kept for a
    person."""
    resolve(site, "nopolicy.example", "secure.example", "enforce.example", "rotate.example",
            "testing.example", "implicit.example", "nullmx.example")
    past = {"mx_until": stamp(-1.1), "txt_until": stamp(-1.1)}
    future = {"mx_until": stamp(400), "txt_until": stamp(400)}
    edit(site, "nopolicy.example", **past)
    edit(site, "secure.example", mx_until=stamp(-0.9), txt_until=stamp(-0.9))
    edit(site, "implicit.example", **future)
    site.configure(cache_keep="30d")
    edit(site, "enforce.example", used=stamp(-29), **past)
    edit(site, "rotate.example", used=stamp(-31))
    edit(site, "testing.example", used=stamp(400), policy_fetched=stamp(-1))
    site.cache_file("nullmx.example").write_text("rubbish\n")
    told = refresh(site)
    assert "3 records dropped" in told.stdout
    kept = {"secure.example", "enforce.example", "testing.example", "nullmx.example"}
    gone = {"nopolicy.example", "implicit.example", "rotate.example"}
    assert {name for name in kept | gone if has_record(site, name)} == kept
    # It was used in no future: the days count from now.
    assert lines_of(site, "testing.example")["used"] <= stamp()


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_interrupted(site, name):
    """A signal lets end what is under way and begins nothing more; the cache is whole, and the
    next run does the rest."""
    resolve(site, *GOOD)
    give_policy(site, "policystall.example")
    site.configure(fetch_timeout="2s", connect_timeout="2s")
    age(site, *GOOD)
    done = site.lab.exec(["sh", "-c", "/usr/sbin/exim-requiretls cache refresh & run=$!\n"
                          + UNTIL_STALLED + f"""
        kill -{name} $run; wait $run; echo "status $?" """])
    assert "status 75" in done.stdout and "; interrupted" in done.stdout
    assert "unreadable" not in site.program("cache", "list").stdout
    edit(site, "policystall.example", used=stamp(-400))
    rest = refresh(site)
    assert rest.returncode == 0
    fetched = [int(n) for n in re.findall(r"(\d+) policies fetched", done.stdout + rest.stdout)]
    assert sum(fetched) == len(GOOD)


# The last digits of the signals that are still caught.
@pytest.mark.parametrize("name, number, left", [("TERM", 15, "0002"), ("INT", 2, "4000")])
def test_interrupted_twice(site, name, number, left):
    """Who does not want to wait for what is under way sends the signal again: it ends at once,
    the policy that could not be fetched is still there, and nothing is left of the fetch."""
    give_policy(site, "policystall.example")
    site.configure(fetch_timeout="30s", connect_timeout="30s", resolve_timeout="40s")
    before = site.cache_file("policystall.example").read_text()
    done = site.lab.exec(["sh", "-c", "/usr/sbin/exim-requiretls cache refresh & run=$!\n"
                          + UNTIL_STALLED + f"""
        kill -{name} $run
        until grep -q '^SigCgt:.*{left}$' /proc/$run/status; do sleep 0.02; done
        kill -{name} $run; wait $run; echo "status $?" """], timeout=20)
    assert f"status {128 + number}" in done.stdout
    assert site.cache_file("policystall.example").read_text() == before
    assert site.lab.exec(["sh", "-c", "ps -eo comm= | grep -c exim-requiretl"],
                         check=False).stdout == "0\n"


def test_progress_on_a_terminal(site):
    """A person sees how far it is; a log file does not."""
    resolve(site, *GOOD[:5])
    command = "/usr/sbin/exim-requiretls cache refresh --all"
    seen = site.lab.exec(["script", "-qec", command, "/dev/null"]).stdout
    assert re.search(r"\r5 of 5 domains looked at, [1-5] fetched, 0 failed", seen)
    told = refresh(site, "--all")
    assert "\r" not in told.stdout + told.stderr


@pytest.mark.parametrize("keys, words", [
    ({"mta_sts": "no"}, "0 policies fetched"),
    ({"trust_anchor": "/nowhere"}, "/nowhere"),
])
def test_nothing_to_be_done(site, keys, words):
    """Switched off, nobody is asked; without a resolver it says so, and nothing changes."""
    resolve(site, "enforce.example")
    age(site, "enforce.example")
    before = site.cache_file("enforce.example").read_text()
    site.configure(**keys)
    told = refresh(site)
    assert words in told.stdout + told.stderr
    assert site.cache_file("enforce.example").read_text() == before
    assert site.lab.policy_fetches("enforce.example") == 1


def test_timer(site):
    """The installed units are what systemd understands; what they run, run so, refreshes."""
    units = "/usr/lib/systemd/system/exim-requiretls-refresh"
    done = site.lab.exec(["systemd-analyze", "verify", f"{units}.service", f"{units}.timer"],
                         check=False)
    assert "exim-requiretls" not in done.stdout + done.stderr and done.returncode == 0
    text = site.lab.exec(["cat", f"{units}.service"]).stdout
    command = re.search(r"^ExecStart=(.*)$", text, re.M)[1].split()
    assert f"User={EXIM_USER}\n" in text
    resolve(site, "enforce.example")
    age(site, "enforce.example")
    told = site.lab.exec(command, user=EXIM_USER).stdout
    assert "1 policies fetched, 0 failed" in told


def test_cron(site):
    """Where systemd does not run, cron does the same."""
    text = site.lab.exec(["cat", "/etc/cron.d/exim-requiretls"]).stdout
    entry = text.splitlines()[-1].split(" ", 6)
    assert entry[:6] == ["23", "*", "*", "*", "*", EXIM_USER]
    command = entry[6].replace("| logger -t exim-requiretls", "").replace(
        "/run/systemd/system", "/run/lab/no-systemd")
    resolve(site, "enforce.example")
    age(site, "enforce.example")
    assert "1 policies fetched" in site.lab.exec(["sh", "-c", command], user=EXIM_USER).stdout
