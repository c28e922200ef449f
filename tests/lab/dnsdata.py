"""The lab's DNS data at run time: the world's zones plus a scenario's changes.

Changes are kept in the state directory as whole RRsets, so that every process attached
to the lab sees the same ones and reset() knows what to put back.
"""

import json
import os
import socket
import subprocess
from pathlib import Path

import servers
import zones
from layout import LabError, write_file

# {zone: {"ttl": n, "signing": s, "rrsets": {"owner TYPE": [rdata, ...]}}}
Changes = dict[str, dict]


def _signer(state: Path) -> zones.Signer:
    return zones.Signer(state / "knot" / "keys")


def world_zones(state: Path, signer: zones.Signer) -> dict[str, zones.Zone]:
    """All zones without changes, with the DS records in the parents."""
    digests = json.loads((state / "knot" / "digests.json").read_text())
    result = zones.all_zones(digests)
    signer.add_ds(result)
    return result


def zone_names(state: Path) -> list[str]:
    """Names of all zones Knot serves."""
    return list(world_zones(state, _signer(state)))


def write_all_zones(state: Path) -> str:
    """Write every zone file; returns the root's DNSKEY for the trust anchor."""
    signer = _signer(state)
    for zone in world_zones(state, signer).values():
        _write_zone(state, signer, zone)
    flags, protocol, algorithm, *key = signer.dnskey(".").to_text().split()
    return f"{flags} {protocol} {algorithm} {''.join(key)}"


def _write_zone(state: Path, signer: zones.Signer, zone: zones.Zone) -> None:
    write_file(state / "knot" / "zones" / servers.zone_file(zone.name), signer.text(zone))


def read_changes(state: Path) -> Changes:
    """What scenarios have changed so far."""
    path = state / "knot" / "changes.json"
    return json.loads(path.read_text()) if path.exists() else {}


def find_zone(name: str, zone_list: list[str]) -> tuple[str, str]:
    """The zone a name is in, and the name relative to it."""
    zone = name.rstrip(".") + "."
    while zone not in zone_list:
        if zone == ".":
            break
        zone = zone.split(".", 1)[1] or "."
    owner = name.rstrip(".").removesuffix(zone.rstrip(".")).rstrip(".")
    return zone, owner or "@"


def change(state: Path, sets: dict[tuple[str, str], list[str]], ttl_s: int | None = None) -> None:
    """Replace RRsets, {(full name, type): rdatas}; no rdatas: the RRset goes away."""
    changes, touched = read_changes(state), set()
    signer = _signer(state)
    names = list(world_zones(state, signer))
    for (name, rdtype), rdatas in sets.items():
        zone, owner = find_zone(name, names)
        entry = changes.setdefault(zone, {"rrsets": {}})
        entry["rrsets"][f"{owner} {rdtype}"] = rdatas
        if ttl_s is not None:
            entry["ttl"] = ttl_s
        touched.add(zone)
    write_file(state / "knot" / "changes.json", json.dumps(changes))
    _publish(state, signer, changes, touched)


def change_signing(state: Path, zone: str, signing: str) -> None:
    """Sign a zone in another way: "signed", "expired" or "" (no longer signed)."""
    changes = read_changes(state)
    name = zone.rstrip(".") + "."
    changes.setdefault(name, {"rrsets": {}})["signing"] = signing
    write_file(state / "knot" / "changes.json", json.dumps(changes))
    _publish(state, _signer(state), changes, {name})


def restore(state: Path) -> bool:
    """Put the world's data back; False when nothing had been changed."""
    changes = read_changes(state)
    if not changes:
        return False
    (state / "knot" / "changes.json").unlink()
    _publish(state, _signer(state), {}, set(changes))
    return True


def _publish(state: Path, signer: zones.Signer, changes: Changes, touched: set[str]) -> None:
    result = world_zones(state, signer)
    for name in touched:
        zone, entry = result[name], changes.get(name, {"rrsets": {}})
        for key, rdatas in entry["rrsets"].items():
            owner, rdtype = key.split(" ")
            zone.records[owner, rdtype] = rdatas
        zone.ttl_s = entry.get("ttl", zone.ttl_s)
        zone.signing = entry.get("signing", zone.signing)
        _write_zone(state, signer, zone)
    knotc(state, "-b", "zone-reload", *sorted(touched))
    unbound_control(state, *[f"flush_zone {name}" for name in sorted(touched)])


def knotc(state: Path, *words: str) -> str:
    """Run knotc. The socket is named relative to the directory: its path may be too long."""
    result = subprocess.run(["/usr/sbin/knotc", "-s", "knot.sock", *words],
                            cwd=state / "knot", capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"knotc {' '.join(words)}: {result.stdout}{result.stderr}")
    return result.stdout


def unbound_control(state: Path, *commands: str) -> list[str]:
    """Send commands to Unbound's control socket; returns its answers."""
    answers = []
    directory = os.open(state / "unbound", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for command in commands:
            # By way of the descriptor, because the path may be too long for a socket.
            answer = _ask(f"/proc/self/fd/{directory}/control.sock", f"UBCT1 {command}\n")
            if answer.startswith("error"):
                raise LabError(f"unbound-control {command}: {answer.strip()}")
            answers.append(answer)
    finally:
        os.close(directory)
    return answers


def _ask(path: str, text: str) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(path)
        sock.sendall(text.encode())
        answer = b""
        while part := sock.recv(65536):
            answer += part
    return answer.decode()


def flush(state: Path) -> None:
    """Make Unbound forget all it knows."""
    unbound_control(state, "flush_zone .", "flush_infra all")


def drop_requests(state: Path) -> None:
    """Make Unbound give up what it works on: about a name server that is silent it goes on
    asking for half a minute, and who asks the same meanwhile has to wait with it."""
    unbound_control(state, "flush_requestlist")
