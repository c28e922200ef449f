"""Configurations of the lab's servers, and the plan by which the holder starts them.

All paths are those inside the lab (/run/lab/...), so the texts are the same wherever
the state directory is.
"""

from typing import Any

import layout
import world
from layout import INSIDE, LAB_DIR

PYTHON = ["/usr/bin/python3", "-B"]


def _ips(server: str) -> list[str]:
    return [host.ip for host in world.HOSTS if host.server == server]


def knot_conf(zone_names: list[str]) -> str:
    """Knot serves ready-made zone files and writes nothing back."""
    head = f"""\
server:
    rundir: {INSIDE}/knot
    listen: {world.NS}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: {INSIDE}/knot/knot.sock
database:
    storage: {INSIDE}/knot/db
log:
  - target: stderr
    any: notice
mod-stats:
  - id: types
    query-type: on
template:
  - id: default
    storage: {INSIDE}/knot/zones
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
    module: mod-stats/types
zone:
"""
    return head + "".join(
        f"  - domain: {name}\n    file: {zone_file(name)}\n" for name in zone_names)


def zone_file(name: str) -> str:
    """File name of a zone in <state>/knot/zones."""
    return f"{name.rstrip('.') or 'root'}.zone"


def unbound_conf() -> str:
    """A validating resolver that forgets soon and never answers from stale data."""
    return f"""\
server:
    interface: {world.RESOLVER}
    interface: ::1
    access-control: 127.0.0.0/8 allow
    access-control: ::1 allow
    access-control: 192.0.2.0/24 allow
    access-control: 203.0.113.0/24 allow
    username: ""
    chroot: ""
    directory: "{INSIDE}/unbound"
    pidfile: ""
    use-syslog: no
    logfile: ""
    log-queries: yes
    verbosity: 1
    num-threads: 1
    module-config: "validator iterator"
    trust-anchor-file: "/usr/share/dns/root.key"
    root-hints: "/usr/share/dns/root.hints"
    trust-anchor-signaling: no
    do-not-query-localhost: no
    local-zone: "test." nodefault
    cache-min-ttl: 0
    cache-max-ttl: 60
    cache-max-negative-ttl: 2
    val-bogus-ttl: 2
    infra-host-ttl: 5
    infra-keep-probing: yes
    serve-expired: no
    prefetch: no
    so-reuseport: no
remote-control:
    control-enable: yes
    control-use-cert: no
    control-interface: "{INSIDE}/unbound/control.sock"
"""


def nginx_conf() -> str:
    """Policy hosts: files by Host, certificates by SNI, faults by flag files."""
    return f"""\
user root;
worker_processes 1;
daemon off;
pid {INSIDE}/nginx/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    log_format fetch '$msec $host $uri $status sni=$ssl_server_name $ssl_protocol '
                     '"$http_user_agent" $server_protocol';
    access_log {INSIDE}/log/policy-access.log fetch;
    client_body_temp_path {INSIDE}/nginx/tmp;
    proxy_temp_path {INSIDE}/nginx/tmp;
    fastcgi_temp_path {INSIDE}/nginx/tmp;
    uwsgi_temp_path {INSIDE}/nginx/tmp;
    scgi_temp_path {INSIDE}/nginx/tmp;
    types {{ }}
    default_type text/plain;
    server_tokens off;
    map $ssl_server_name $certificate {{
        ""      no-sni;
        default $ssl_server_name;
    }}
    server {{
        listen {world.WEB}:443 ssl http2;
        listen [{world.WEB_IPV6}]:443 ssl http2;
        listen {world.WEB_LOOPBACK}:443 ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
        ssl_certificate {INSIDE}/certs/web/$certificate.pem;
        ssl_certificate_key {INSIDE}/certs/web/$certificate.pem;
        root {INSIDE}/www/$host;
        # A fault is an empty file named after it beside the host's .well-known.
        location = /.well-known/mta-sts.txt {{
            if (-f $document_root/404) {{ return 404; }}
            if (-f $document_root/500) {{ return 500; }}
            if (-f $document_root/redirect) {{
                return 302 https://$host/elsewhere/mta-sts.txt;
            }}
            if (-f $document_root/html) {{ rewrite ^ /html last; }}
            if (-f $document_root/notype) {{ rewrite ^ /notype last; }}
        }}
        # Where the redirect leads: a client that follows finds a good policy.
        location = /elsewhere/mta-sts.txt {{ rewrite ^ /policy last; }}
        location = /policy {{
            internal;
            try_files /.well-known/mta-sts.txt =404;
        }}
        location = /html {{
            internal;
            default_type text/html;
            try_files /.well-known/mta-sts.txt =404;
        }}
        location = /notype {{
            internal;
            default_type "";
            try_files /.well-known/mta-sts.txt =404;
        }}
    }}
    log_format post '$request_method $host $uri $status $sent_http_location '
                    '"$content_type" $content_length $server_protocol';
    server {{
        listen {world.REPORTS_NGINX}:443 ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {INSIDE}/certs/web/$certificate.pem;
        ssl_certificate_key {INSIDE}/certs/web/$certificate.pem;
        access_log {INSIDE}/log/report-access.log post;
{report_locations()}    }}
}}
"""


REPORT_STATUSES = (200, 201, 202, 204, 400, 404, 410, 413, 429, 500, 503)
REPORT_REDIRECTS = (301, 302, 303, 307, 308)


def report_locations() -> str:
    """What nginx does with a report posted to /200, /301 and so on; /close: nothing is said;
    /silent: it waits for a server that never answers; /kept: reports.example gets it."""
    known = "https://nginx.reports.example/200"
    lines = [f"location = /{status} {{ return {status}; }}" for status in REPORT_STATUSES]
    lines += [f"location = /{status} {{ return {status} {known}; }}"
              for status in REPORT_REDIRECTS]
    lines += ["location = /close { return 444; }",
              f"location = /silent {{ proxy_pass https://{world.WEB_STALL}/; }}",
              f"location = /kept {{ proxy_pass https://{world.REPORTS}/tlsrpt; }}"]
    return "".join(f"        {line}\n" for line in lines)


def mx_conf() -> str:
    """The receiving Exim's configuration: mx.conf with the addresses filled in."""
    text = (LAB_DIR / "mx.conf").read_text()
    submission = [f"[{ip}]:{port}" for ip in world.SMART_HOSTS for port in (465, 587)]
    return text.replace("@ADDRESSES@", " ; ".join(_ips("exim") + submission))


def network_commands() -> str:
    """Input of `ip -batch`: the whole IPv4 test net is local, and each IPv6 host."""
    # Linux lets one bind to an address of a local IPv4 net, but not of an IPv6 one.
    six = [host.ip for host in world.HOSTS if ":" in host.ip] + [
        world.WEB_IPV6, "2001:db8::1"]
    return f"""\
link set lo up
address add {world.SENDER}/32 dev lo
route add local 192.0.2.0/24 dev lo src {world.SENDER}
""" + "".join(f"address add {ip}/128 dev lo nodad\n" for ip in six)


def mounts() -> list[tuple[str, str]]:
    """What is mounted over what: (path in the state directory, target)."""
    return [
        ("etc/resolv.conf", "/etc/resolv.conf"),
        ("etc/hosts", "/etc/hosts"),
        ("etc/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt"),
        ("etc/root.key", "/usr/share/dns/root.key"),
        ("etc/root.ds", "/usr/share/dns/root.ds"),
        ("etc/root.hints", "/usr/share/dns/root.hints"),
        ("etc/exim4", "/etc/exim4"),
        ("sender/spool", "/var/spool/exim4"),
        ("sender/log", "/var/log/exim4"),
    ]


# Inside, these can be written to without touching the host, so that a scenario can
# `make install` into the lab.
OVERLAYS = ["/usr", "/etc"]


def plan() -> dict[str, Any]:
    """All the holder has to know. `listen` are the sockets that mean "ready"."""
    smtp = [("tcp", ip, 25) for ip in _ips("exim")]
    scripted = [("tcp", ip, 25) for ip in _ips("scripted")]
    web = [("tcp", ip, 443) for ip in (world.WEB, world.WEB_IPV6, world.WEB_LOOPBACK,
                                       world.REPORTS_NGINX)]
    https = [("tcp", ip, 443)
             for ip in (world.REPORTS, world.WEB_STALL, world.WEB_TRICKLE)]
    dns = [("udp", ip, 53) for ip in (world.RESOLVER_NO_DNSSEC, world.NS_SERVFAIL,
                                      world.NS_SILENT)]

    def script(name: str) -> list[str]:
        return PYTHON + [str(LAB_DIR / name), INSIDE]

    def server(name: str, argv: list[str], listen: list[tuple[str, str, int]],
               log: str = "") -> dict:
        return {"name": name, "argv": argv, "listen": listen, "log": log or f"log/{name}.log"}

    return {
        "hostname": world.SENDER_NAME,
        "network": network_commands(),
        "inside": layout.INSIDE,
        "overlays": OVERLAYS,
        "mounts": mounts(),
        "servers": [
            server("knot", ["/usr/sbin/knotd", "-c", f"{INSIDE}/knot/knot.conf"],
                   [("udp", world.NS, 53), ("tcp", world.NS, 53)]),
            server("unbound", ["/usr/sbin/unbound", "-d", "-c",
                               f"{INSIDE}/unbound/unbound.conf"],
                   [("udp", world.RESOLVER, 53), ("tcp", world.RESOLVER, 53)]),
            server("nginx", ["/usr/sbin/nginx", "-e", "stderr", "-c",
                             f"{INSIDE}/nginx/nginx.conf"], web),
            server("mx", [f"{INSIDE}/mx-exim4", "-bdf", "-C", f"{INSIDE}/mx/exim.conf"], smtp,
                   "mx/log/mainlog"),
            server("smtpd", script("smtpd.py"), scripted),
            server("httpsd", script("httpsd.py"), https),
            server("dnsd", script("dnsd.py"), dns),
        ],
    }


def trusted_configs() -> str:
    """Configurations Exim may use without giving up root (the receiving Exim's)."""
    return f"{INSIDE}/mx/exim.conf\n"


