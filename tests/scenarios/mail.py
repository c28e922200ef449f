"""What the delivery scenarios have in common: send one message, see what became of it."""

import re

from sender import bounce_status, new_marker

ALICE = "alice@lab.example"
GOOD, GOOD2 = "192.0.2.11", "192.0.2.12"


def deliver(site, *recipients, sender=ALICE, **more):
    """Send one message; returns the marker in its body."""
    marker = new_marker()
    site.lab.send(sender, list(recipients), body=f"{marker}\n", **more)
    site.lab.settle()
    return marker


def arrived(site, marker):
    """The messages with that marker, wherever they were accepted."""
    return [m for m in site.lab.received() if marker.encode() in m.message]


def assert_delivered(site, marker, ip=None, tls=True):
    """One host has it; with tls, over TLS."""
    found = arrived(site, marker)
    assert len(found) == 1, site.lab.mainlog()
    assert bool(found[0].tls) == tls
    if ip:
        assert found[0].ip == ip
    return found[0]


def assert_waiting(site, marker):
    """Not bounced, not delivered, no byte of it anywhere at the other side."""
    assert site.lab.body_seen(marker) == [], site.lab.mainlog()
    assert len(site.lab.queue()) == 1
    assert site.lab.bounces("alice") == []


def assert_bounced(site, marker, status, with_body=False):
    """Returned to alice with that status, and without its body unless with_body; no byte
    went out."""
    assert site.lab.body_seen(marker) == []
    assert site.lab.queue() == []
    bounces = site.lab.bounces("alice")
    assert len(bounces) == 1, site.lab.mainlog()
    assert status in bounce_status(bounces[0].text)
    assert (marker in bounces[0].text) == with_body
    return bounces[0].text


def empty_queue(site):
    """No message is left."""
    site.lab.exec(["/bin/sh", "-c", "exim4 -bpru | awk '{ print $3 }' | xargs -r exim4 -Mrm"])


def let_answers_expire(site, domain):
    """The answers of DNS in a domain's record are stale from now on; the policy is not."""
    record = site.cache_file(domain)
    record.write_text(re.sub("(?m)^((?:mx|txt)-until) .*$", r"\1 2026-01-01T00:00:00Z",
                             record.read_text()))


def assert_nothing_left(site):
    """No zombie and no helper that still runs; so no lock either, which ends with its process."""
    left = site.lab.exec(["ps", "-eo", "stat=,comm="]).stdout.splitlines()
    assert not [line for line in left if line.startswith("Z") or "exim" in line
                and "requiretl" in line], left
