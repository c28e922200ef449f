"""From the world's lines to signed zone files.

The lab signs its zones itself (ECDSAP256SHA256, one key per zone, NSEC): that is
faster at `up` than having Knot do it, a changed zone is signed again in a few
milliseconds, and broken signatures can be made on purpose.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import world

NS_NAMES = {world.NS: "ns.nic.example.", world.NS_SERVFAIL: "servfail.nic.example.",
            world.NS_SILENT: "silent.nic.example."}
DAY_S = 86400
FAULT_ADDRESS = {"down": world.NOTHING_LISTENS, "stall": world.WEB_STALL,
                 "trickle": world.WEB_TRICKLE, "loopback": world.WEB_LOOPBACK}

# One RRset: (owner relative to the zone or "@", type) -> rdata texts
Records = dict[tuple[str, str], list[str]]


@dataclass
class Zone:
    """One zone: its records without SOA, NS and DNSSEC, and how it is signed."""

    name: str                       # with the final dot
    signing: str = ""               # "", signed, bogus, expired
    records: Records = field(default_factory=dict)
    ttl_s: int = world.TTL_S

    def add(self, owner: str, rdtype: str, *rdatas: str) -> None:
        """Add records to an RRset."""
        self.records.setdefault((owner, rdtype), []).extend(rdatas)

    def absolute(self, owner: str) -> str:
        """The full name, with final dot, of an owner in this zone."""
        if owner == "@":
            return self.name
        return f"{owner}." if self.name == "." else f"{owner}.{self.name}"


def txt(text: str) -> str:
    """A TXT rdata of one string; text that starts with a quote is taken as it is."""
    if text.startswith('"'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _relative(name: str, zone: str) -> str:
    name, zone = name.rstrip("."), zone.rstrip(".")
    return "@" if name == zone else name.removesuffix("." + zone)


def _add_host(zone: Zone, host: world.Host, tlsa_digest: dict[str, str]) -> None:
    owner = _relative(host.name, zone.name)
    zone.add(owner, "AAAA" if ":" in host.ip else "A", host.ip)
    port = "_25._tcp" if owner == "@" else f"_25._tcp.{owner}"
    if host.tlsa == "match":
        zone.add(port, "TLSA", f"3 1 1 {tlsa_digest[host.name]}")
    elif host.tlsa == "mismatch":
        zone.add(port, "TLSA", "3 1 1 " + "00" * 32)
    elif host.tlsa == "unusable":
        zone.add(port, "TLSA", f"1 1 1 {tlsa_digest[host.name]}")
    elif host.tlsa == "fail":
        zone.add(port.removeprefix("_25."), "NS", NS_NAMES[world.NS_SERVFAIL])


def domain_zone(domain: world.Domain) -> Zone:
    """The zone of a recipient domain, without hosts."""
    zone = Zone(domain.name + ".", domain.dnssec)
    for entry in domain.mx:
        preference, host = entry.split()
        zone.add("@", "MX", f"{preference} {host.rstrip('.')}.")
    if domain.sts:
        zone.add("_mta-sts", "TXT", txt(f"v=STSv1; id={world.POLICY_ID};"))
        zone.add("mta-sts", "A", FAULT_ADDRESS.get(domain.fault, world.WEB))
    if domain.rua:
        zone.add("_smtp._tls", "TXT", txt(f"v=TLSRPTv1; rua={domain.rua}"))
    for line in domain.more:
        owner, rdtype, rdata = line.split(None, 2)
        zone.add(owner, rdtype, rdata)
    return zone


def all_zones(tlsa_digest: dict[str, str]) -> dict[str, Zone]:
    """Every zone of the world that Knot serves, by name. Parents hold no DS yet."""
    # The parents change never, and every chain of trust needs them: a longer TTL.
    zones = {name: Zone(name, "signed", ttl_s=60) for name in (".", "example.")}
    example = zones["example."]
    for address, name in NS_NAMES.items():
        example.add(_relative(name, "example"), "A", address)
    for line in world.TOP_RECORDS:
        owner, rdtype, rdata = line.split(None, 2)
        example.add(owner, rdtype, rdata)
    zones["."].add("example", "NS", NS_NAMES[world.NS])
    zones["."].add(NS_NAMES[world.NS].rstrip("."), "A", world.NS)
    for name, signed in world.HOST_ZONES.items():
        zones[name + "."] = Zone(name + ".", "signed" if signed else "")
        example.add(_relative(name, "example"), "NS", NS_NAMES[world.NS])
    for domain in world.DOMAINS:
        server = {"servfail": world.NS_SERVFAIL, "silent": world.NS_SILENT}.get(
            domain.dnssec, world.NS)
        example.add(_relative(domain.name, "example"), "NS", NS_NAMES[server])
        if server == world.NS:
            zones[domain.name + "."] = domain_zone(domain)
    for host in world.HOSTS:
        parent = host.name + "."
        while parent not in zones:
            parent = parent.split(".", 1)[1]
        _add_host(zones[parent], host, tlsa_digest)
    return zones


class Signer:
    """Keys of the signed zones, kept in the state directory, and signing with them."""

    def __init__(self, key_dir: Path) -> None:
        self.key_dir = key_dir
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def key(self, zone: str) -> ec.EllipticCurvePrivateKey:
        """The key of a zone; made when it has none."""
        if zone not in self.keys:
            path = self.key_dir / f"{zone.rstrip('.') or 'root'}.key"
            if path.exists():
                key = serialization.load_pem_private_key(path.read_bytes(), None)
            else:
                key = ec.generate_private_key(ec.SECP256R1())
                path.write_bytes(key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption()))
            self.keys[zone] = key
        return self.keys[zone]

    def dnskey(self, zone: str):
        """The DNSKEY rdata of a zone (one key for both roles)."""
        return dns.dnssec.make_dnskey(self.key(zone).public_key(), "ECDSAP256SHA256",
                                      flags=257)

    def ds(self, zone: str, key_of: str = "") -> str:
        """The DS rdata text for the parent of zone; key_of another zone makes it wrong."""
        return dns.dnssec.make_ds(zone, self.dnskey(key_of or zone), "SHA256").to_text()

    def add_ds(self, zones: dict[str, Zone]) -> None:
        """Put the DS of every signed zone into its parent."""
        for name, zone in zones.items():
            if not zone.signing or name == ".":
                continue
            label, parent = name.split(".", 1)
            wrong = "." if zone.signing == "bogus" else ""
            zones[parent or "."].add(label, "DS", self.ds(name, key_of=wrong))

    def text(self, zone: Zone) -> str:
        """The zone file: SOA, NS, the records, and when signed the DNSSEC records."""
        sets = _rrsets(zone)
        if zone.signing:
            dnskey = self.dnskey(zone.name)
            sets.append(dns.rrset.from_rdata(zone.name, zone.ttl_s, dnskey))
            signed = _authoritative(zone, sets)
            sets += _nsec(zone, sets, signed)
            sets += self._signatures(zone, sets, signed, dnskey)
        return "".join(rrset.to_text() + "\n" for rrset in sets)

    def _signatures(self, zone: Zone, sets: list, signed: set, dnskey) -> list:
        now = int(time.time())
        start, end = now - DAY_S, now + 30 * DAY_S
        if zone.signing == "expired":
            # Long ago: validators allow for a clock that is a day off.
            start, end = now - 30 * DAY_S, now - 5 * DAY_S
        key, apex = self.key(zone.name), dns.name.from_text(zone.name)
        out = []
        for rrset in sets:
            is_cut = rrset.name != apex and rrset.rdtype == dns.rdatatype.NS
            if rrset.name in signed and not is_cut:
                rrsig = dns.dnssec.sign(rrset, key, apex, dnskey, inception=start,
                                        expiration=end)
                out.append(dns.rrset.from_rdata(rrset.name, rrset.ttl, rrsig))
        return out


def _rrsets(zone: Zone) -> list:
    # The serial grows with every writing: hundredths of seconds, in 32 bits.
    serial = time.time_ns() // 10**7 % 2**32
    ns = NS_NAMES[world.NS]
    soa = f"{ns} hostmaster.nic.example. {serial} 60 60 600 {zone.ttl_s}"
    sets = [dns.rrset.from_text(zone.name, zone.ttl_s, "IN", "SOA", soa)]
    records = dict(zone.records)
    records.setdefault(("@", "NS"), [ns])
    for (owner, rdtype), rdatas in records.items():
        if rdatas:
            sets.append(dns.rrset.from_text_list(zone.absolute(owner), zone.ttl_s, "IN",
                                                 rdtype, rdatas))
    return sets


def _authoritative(zone: Zone, sets: list) -> set:
    """Names that get signatures: all but those below a delegation."""
    apex = dns.name.from_text(zone.name)
    cuts = {r.name for r in sets if r.rdtype == dns.rdatatype.NS and r.name != apex}
    return {r.name for r in sets
            if not any(r.name != cut and r.name.is_subdomain(cut) for cut in cuts)}


def _nsec(zone: Zone, sets: list, signed: set) -> list:
    names = sorted(signed)
    out = []
    for i, name in enumerate(names):
        types = {r.rdtype for r in sets if r.name == name}
        types |= {dns.rdatatype.NSEC, dns.rdatatype.RRSIG}
        bitmap = " ".join(dns.rdatatype.to_text(t) for t in sorted(types))
        following = names[(i + 1) % len(names)]
        out.append(dns.rrset.from_text(name, zone.ttl_s, "IN", "NSEC",
                                       f"{following} {bitmap}"))
    return out
