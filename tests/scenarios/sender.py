"""The sending side of the scenarios: the lab with the product installed as `make install`
does it, stock Exim using the stanzas of module/conf by .include."""

import os
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lab"))

# pylint: disable=wrong-import-position
from labkit import Lab, Queued, world  # noqa: E402

SPOOL = "/var/spool/exim4/requiretls"
STANZAS = "/usr/share/exim-requiretls"

# How an operator's configuration looks after the three includes and one line.
SENDER_CONF = """
primary_hostname = sender.lab.example
domainlist local_domains = lab.example : sender.lab.example
qualify_domain = lab.example
local_interfaces = 203.0.113.1
notifier_socket =
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
dns_dnssec_ok = 1
allow_domain_literals
never_users = root
keep_environment =
timeout_frozen_after = 7d
log_selector = +tls_sni +outgoing_interface +smtp_confirmation

.include /usr/share/exim-requiretls/main.conf

begin acl

acl_check_rcpt:
  # Mail of one department is always protected.
  warn sender_domains = board.lab.example
       set acl_m_requiretls = yes
  accept

acl_check_data:
  accept

begin routers

.include /usr/share/exim-requiretls/routers.conf

dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8
  dnssec_request_domains = *
  no_more

localuser:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;/etc/exim4/lab-users
  transport = local_delivery
  cannot_route_message = Unknown user

begin transports

remote_smtp:
  driver = smtp
  hosts_try_dane = *
  dnssec_request_domains = *
  event_action = REQUIRETLS_EVENT
  multi_domain = false

.include /usr/share/exim-requiretls/transports.conf

local_delivery:
  driver = appendfile
  file = /run/lab/sender/mail/$local_part_data
  user = Debian-exim
  delivery_date_add
  envelope_to_add
  return_path_add

begin retry

*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h
"""

DEFAULTS = {
    "requiretls": "verified",
    "rules": "/etc/exim4/requiretls.rules",
    "tlsrpt": "yes",
    "tlsrpt_organization": "Lab Sender",
    "tlsrpt_contact": "postmaster@lab.example",
    "fetch_timeout": "3s",
    "connect_timeout": "2s",
    "dns_timeout": "2s",
    "resolve_timeout": "8s",
}


class Site:
    """A lab whose sender runs exim-requiretls."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def install(self) -> None:
        """make install into the lab's own /usr and /etc, then configure."""
        out = os.environ.get("OUT", "build/out")
        self.lab.exec(["make", "--no-print-directory", "-s", "-C", str(ROOT), "install",
                       f"OUT={out}"], timeout=300)
        self.reset()

    def reset(self) -> None:
        """The lab's own state, and the configuration every scenario starts with."""
        self.lab.reset()
        self.lab.write_sender_conf(SENDER_CONF)
        self.configure()
        self.rules("")

    def configure(self, **keys: str | None) -> None:
        """requiretls.conf: the defaults of the scenarios with these keys changed; None
        leaves a key out."""
        values = {**DEFAULTS, **keys}
        text = "".join(f"{key} = {value}\n" for key, value in values.items()
                       if value is not None)
        self.lab.write_etc("requiretls.conf", text)

    def rules(self, text: str) -> None:
        """The rules file."""
        self.lab.write_etc("requiretls.rules", text)

    def program(self, *args: str, check: bool = True, user: str | None = None,
                stdin: str | None = None) -> subprocess.CompletedProcess:
        """Run exim-requiretls inside the lab."""
        return self.lab.exec(["/usr/sbin/exim-requiretls", *args], check=check, user=user,
                             input=stdin)

    def log(self) -> str:
        """Our lines of Exim's main log."""
        return "".join(line for line in self.lab.mainlog().splitlines(True)
                       if " requiretls: " in line)

    def journal(self) -> list[dict[str, str]]:
        """The lines of all journals, as dictionaries."""
        self.lab.settle()
        names = ("version", "time", "domain", "type", "digest", "result", "sending_ip", "mx",
                 "helo", "receiving_ip", "reason")
        found = []
        for path in sorted((self.lab.state / "sender/spool/requiretls/tlsrpt").glob("*")):
            for line in path.read_text().splitlines():
                found.append(dict(zip(names, line.split("\t"))))
        return found

    def results(self, domain: str) -> list[tuple[str, str]]:
        """(policy type, result) of each journal line of a policy domain."""
        return [(line["type"], line["result"]) for line in self.journal()
                if line["domain"] == domain]

    def cache_file(self, domain: str) -> Path:
        """The cache record of a domain, as a path on the host; must exist."""
        found = list((self.lab.state / "sender/spool/requiretls/cache").glob(f"*/{domain}"))
        assert len(found) == 1, f"no cache record of {domain}"
        return found[0]

    def forget_retries(self) -> None:
        """Empty Exim's retry database, as if its times had come."""
        for path in (self.lab.state / "sender/spool/db").glob("*"):
            path.unlink()

    def waiting(self) -> list[Queued]:
        """What is on the queue."""
        return self.lab.queue()


def bounce_status(text: str) -> list[str]:
    """The enhanced status codes a bounce shows to a person."""
    return re.findall(r"\b5\.\d+\.\d+\b", text)


def new_marker() -> str:
    """A word for a message body that stands nowhere else."""
    return "MARKER" + os.urandom(8).hex()


def write_snippets(directory: Path) -> None:
    """Debian's split configuration below directory uses the stanzas."""
    for part, name, stanza in (("acl", "50", "acl"), ("main", "90", "main"),
                               ("router", "180", "routers"), ("transport", "30", "transports")):
        (directory / f"conf.d/{part}/{name}_exim-requiretls").write_text(
            f".include_if_exists {STANZAS}/{stanza}.conf\n")


__all__ = ["Site", "Lab", "world", "ROOT", "SPOOL", "STANZAS", "write_snippets", "SENDER_CONF", "bounce_status",
           "new_marker"]
