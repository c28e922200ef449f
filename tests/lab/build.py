"""Fill an empty state directory: certificates, zones, web files, configurations."""

import grp
import json
import os
import shutil
from pathlib import Path

import certs
import dnsdata
import layout
import servers
import world
import zones
from layout import make_dir, write_file

SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
ANSWERED_FAULTS = ("404", "500", "redirect", "html", "notype", "big")


def build_state(state: Path, mx_exim: str) -> None:
    """Everything `up` needs before the first server starts."""
    for name in ("ca", "etc", "etc/exim4", "knot", "knot/db", "knot/zones", "knot/keys",
                 "unbound", "nginx", "nginx/tmp", "log", "smtpd", "https", "https/reports",
                 "www", "certs"):
        make_dir(state / name)
    authority = certs.Authority()
    _write_ca(state, authority)
    digests = write_certificates(state, authority)
    _write_dns(state, digests)
    for domain in world.DOMAINS:
        if domain.sts:
            write_policy_host(state, domain)
    _write_etc(state)
    _make_mail_dirs(state)
    reset_scripted(state)
    write_file(state / "knot" / "knot.conf", servers.knot_conf(dnsdata.zone_names(state)))
    write_file(state / "unbound" / "unbound.conf", servers.unbound_conf())
    write_file(state / "nginx" / "nginx.conf", servers.nginx_conf())
    write_file(state / "mx" / "exim.conf", servers.mx_conf())
    # A copy: the sender's /usr/sbin/exim4 may become another one. Not in mx/, which is
    # Exim's own, who must not write what root starts.
    shutil.copy(mx_exim, state / "mx-exim4")
    write_file(state / "plan.json", json.dumps(servers.plan(), indent=1))


def _write_ca(state: Path, authority: certs.Authority) -> None:
    root = certs.cert_pem(authority.root.cert)
    write_file(state / "ca" / "root.pem", root)
    write_file(state / "ca" / "issuing.pem", certs.cert_pem(authority.issuing.cert))
    write_file(state / "ca" / "unknown.pem", certs.cert_pem(authority.stranger.cert))
    write_file(state / "etc" / "ca-certificates.crt", SYSTEM_BUNDLE.read_bytes() + root)


def write_certificates(state: Path, authority: certs.Authority) -> dict[str, str]:
    """Write all hosts' certificates; returns the TLSA digest of each MX host's key."""
    # Exim reads them as its own user, nobody else needs the keys.
    owner, mode = (0, layout.exim_ids()[1]), 0o640
    make_dir(state / "certs" / "mx")
    make_dir(state / "certs" / "web")
    digests = {}
    for host in world.HOSTS:
        if host.cert != "none":
            leaf = authority.leaf(host.name, host.cert)
            digests[host.name] = leaf.spki_sha256()
            write_file(state / "certs" / "mx" / layout.certificate_name(host.ip), leaf.pem,
                       mode, owner)
        for kind in host.shows:
            path = state / "certs" / "mx" / f"{host.ip}-{kind}.pem"
            write_file(path, authority.leaf(host.name, kind).pem, mode, owner)
    names = {f"mta-sts.{domain.name}": domain.fault.removeprefix("cert-")
             if domain.fault.startswith("cert-") else "lab"
             for domain in world.DOMAINS}
    names |= {"reports.example": "lab", "no-sni": "lab", **world.REPORT_HOSTS}
    for name, kind in names.items():
        leaf = authority.leaf(name, kind)
        write_file(state / "certs" / "web" / f"{name}.pem", leaf.pem, mode, owner)
    _write_matrix_certificates(state, authority, mode, owner)
    return digests


def _write_matrix_certificates(state: Path, authority: certs.Authority, mode: int,
                               owner: tuple[int, int]) -> None:
    """Of the matrix's policy hosts: one for some dozens, since a key for each takes long."""
    names = [f"mta-sts.{world.matrix_domain(mx, number)}" for mx in ("secure", "insecure")
             for number in range(world.MATRIX_DOMAINS)]
    for first in range(0, len(names), 50):
        group = names[first:first + 50]
        leaf = authority.leaf(group[0], also=group[1:])
        path = state / "certs" / "web" / f"{group[0]}.pem"
        write_file(path, leaf.pem, mode, owner)
        for name in group[1:]:
            os.link(path, path.with_name(f"{name}.pem"))


def write_policy_host(state: Path, domain: world.Domain) -> None:
    """The files nginx serves for a domain as the world has it."""
    policy = world.domain_policy(domain) if domain.sts else None
    write_policy(state, domain.name, policy)
    set_fault(state, domain.name, domain.fault if domain.fault in ANSWERED_FAULTS else "")


def web_root(state: Path, domain: str) -> Path:
    """Directory of a domain's policy host."""
    return state / "www" / f"mta-sts.{domain}"


def write_policy(state: Path, domain: str, text: str | bytes | None) -> None:
    """The body at /.well-known/mta-sts.txt; None: there is none (404)."""
    directory = make_dir(web_root(state, domain) / ".well-known")
    if text is None:
        (directory / "mta-sts.txt").unlink(missing_ok=True)
    else:
        write_file(directory / "mta-sts.txt", text)


def set_fault(state: Path, domain: str, fault: str) -> None:
    """Make nginx answer for a policy host with a fault; "" for none."""
    if fault and fault not in ANSWERED_FAULTS:
        raise ValueError(f"no such fault: {fault}")
    root = make_dir(web_root(state, domain))
    for name in ANSWERED_FAULTS:
        (root / name).unlink(missing_ok=True)
    if fault == "big":
        policy = root / ".well-known" / "mta-sts.txt"
        lines = "".join(f"x-filler-{i}: {'x' * 60}\n" for i in range(8000))
        write_file(policy, policy.read_text() + lines)
    elif fault:
        (root / fault).touch()


def _write_dns(state: Path, digests: dict[str, str]) -> None:
    write_file(state / "knot" / "digests.json", json.dumps(digests))
    dnskey = dnsdata.write_all_zones(state)
    write_file(state / "etc" / "root.key", f". IN DNSKEY {dnskey}\n")
    write_file(state / "etc" / "root.ds",
               f". IN DS {zones.Signer(state / 'knot' / 'keys').ds('.')}\n")
    ns = zones.NS_NAMES[world.NS]
    write_file(state / "etc" / "root.hints", f". 3600 NS {ns}\n{ns} 3600 A {world.NS}\n")


def write_resolv_conf(state: Path, resolver: str) -> None:
    """Which resolver the lab uses. Written in place: the file is a mount point."""
    (state / "etc" / "resolv.conf").write_text(
        f"nameserver {resolver}\noptions edns0 trust-ad\n")


def _write_etc(state: Path) -> None:
    write_resolv_conf(state, world.RESOLVER)
    write_file(state / "etc" / "hosts",
               f"127.0.0.1 localhost\n::1 localhost\n{world.SENDER} {world.SENDER_NAME} sender\n")
    exim4 = state / "etc" / "exim4"
    users = "".join(f"{user}: {user}\n" for user in world.LOCAL_USERS)
    write_file(exim4 / "lab-users", users)
    write_file(exim4 / "trusted_configs", servers.trusted_configs())
    write_file(exim4 / "exim4.conf", (layout.LAB_DIR / "sender.conf").read_text())


def _make_mail_dirs(state: Path) -> None:
    exim = layout.exim_ids()
    adm = (exim[0], grp.getgrnam("adm").gr_gid)
    make_dir(state / "mx")
    make_dir(state / "sender")
    make_dir(state / "mx" / "requiretls")
    for name in ("mx/mail", "sender/mail"):
        make_dir(state / name, owner=exim)
    for name in ("mx/spool", "sender/spool"):
        make_dir(state / name, 0o750, exim)
    for name in ("input", "msglog", "db"):
        make_dir(state / "sender" / "spool" / name, 0o750, exim)
        make_dir(state / "mx" / "spool" / name, 0o750, exim)
    for name in ("mx/log", "sender/log"):
        make_dir(state / name, 0o2750, adm)


def reset_scripted(state: Path) -> None:
    """Scripted hosts as the world has them."""
    behaviour = {host.ip: host.behaviour for host in world.HOSTS if host.server == "scripted"}
    write_file(state / "smtpd" / "behaviour.json", json.dumps(behaviour, indent=1))
    write_file(state / "https" / "status", "201")
