"""The lab for pytest scenarios: class Lab.

    lab = Lab(); lab.up()           # or Lab.attach() when `lab up` was done before
    lab.send("alice@lab.example", ["bob@enforce.example"], body="MARKER")
    assert lab.received("192.0.2.11")[0].tls
    lab.reset()                     # between two tests; a few milliseconds
    lab.down()

All methods that look at results first wait until every Exim in the lab is idle.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
if str(Path(__file__).resolve().parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parent))

# The lab's own modules: after the lines above, which make them importable.
import build
import dnsdata
import inside
import layout
import mailside
import world
import zones
from inject import Queued, compose, dialogue, parse_queue
from layout import LabError
from mailside import Bounce, Place, Received

__all__ = ["Lab", "LabError", "Queued", "Bounce", "Place", "Received", "world"]

DEFAULT_EXIM = "/usr/sbin/exim4"
SPOOL = ("sender/spool/input", "sender/spool/msglog", "sender/spool/db",
         "sender/spool/requiretls", "sender/mail", "sender/log",
         "mx/spool/input", "mx/spool/msglog", "mx/mail", "https/reports")
LOGS = ("mx/log/mainlog", "mx/log/rejectlog", "mx/log/paniclog", "log/policy-access.log",
        "log/report-access.log",
        "log/unbound.log", "smtpd/transcript.jsonl")
_ACCEPTED = re.compile(r"^250 OK id=(\S+)", re.MULTILINE)


class Lab:
    """One lab. Nothing happens until up() or attach()."""

    def __init__(self, state: str | Path | None = None, exim: str = DEFAULT_EXIM,
                 mx_exim: str = DEFAULT_EXIM) -> None:
        """state: the state directory; exim, mx_exim: the sending and receiving binary.

        Exim starts itself again by its name: whatever `exim` is, inside it becomes
        /usr/sbin/exim4.
        """
        self.state = Path(state or layout.DEFAULT_STATE).resolve()
        self.exim = exim
        self.mx_exim = mx_exim

    # -- life ---------------------------------------------------------------------

    def up(self) -> "Lab":
        """Start a fresh lab; remains of a crashed one are removed first."""
        if os.geteuid() != 0:
            raise LabError("the lab needs root, for namespaces and Exim's user")
        os.umask(0o022)
        layout.claim(self.state)
        lock = layout.StateLock(self.state)
        try:
            if not lock.take():
                raise LabError(f"a lab is already up on {self.state}")
            layout.wipe(self.state, keep_top=True)
            build.build_state(self.state, self.mx_exim)
            problem = self._start_holder(lock)
        finally:
            lock.close()
        if problem:
            self._wait_until_dead()
            raise LabError(f"the lab did not come up: {problem}")
        if self.exim != DEFAULT_EXIM:
            self.install(Path(self.exim).resolve(), DEFAULT_EXIM, mode=0o4755)
            self.exim = DEFAULT_EXIM
        return self

    def _start_holder(self, lock: layout.StateLock) -> str:
        """Returns "" when all servers listen, else what is wrong."""
        read_fd, write_fd = os.pipe()
        log_path = self.state / "log" / "holder.log"
        with open(log_path, "ab") as log:
            process = subprocess.Popen(
                ["/usr/bin/python3", "-B", str(layout.LAB_DIR / "holder.py"),
                 str(self.state), str(write_fd)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                pass_fds=(write_fd, lock.fd), start_new_session=True)
        os.close(write_fd)
        process.wait()
        with os.fdopen(read_fd, "r") as pipe:
            answer = pipe.read()    # ends when the holder has closed it, or died
        if answer == "ok":
            return ""
        return answer or inside.log_tail(log_path) or "no word from its first process"

    def _wait_until_dead(self, holder: int | None = None) -> None:
        """The kernel closes the files of a holder, its lock among them, before it ends the
        processes of its namespace, and the holder after these."""
        deadline = time.monotonic() + 10
        while layout.is_locked(self.state) or (holder is not None and inside.lives(holder)):
            if time.monotonic() > deadline:
                raise LabError(f"the lab on {self.state} does not end")
            time.sleep(0.005)

    @classmethod
    def attach(cls, state: str | Path | None = None, exim: str = DEFAULT_EXIM) -> "Lab":
        """Use a lab that is up already."""
        lab = cls(state, exim)
        if not lab.is_up():
            raise LabError(f"no lab is up on {lab.state}")
        return lab

    @classmethod
    def ensure(cls, state: str | Path | None = None, exim: str = DEFAULT_EXIM) -> "Lab":
        """Use the lab that is up, reset, or start one."""
        lab = cls(state, exim)
        if lab.is_up():
            lab.reset()
            return lab
        return lab.up()

    def is_up(self) -> bool:
        """Whether its first process lives."""
        return layout.is_locked(self.state) and inside.is_holder(self.state)

    def down(self) -> None:
        """End all processes and remove the state directory. Harmless when not up."""
        if not (self.state / layout.MARKER).exists():
            return
        holder = inside.holder_pid(self.state) if self.is_up() else None
        if holder is not None:
            os.kill(holder, signal.SIGKILL)
        self._wait_until_dead(holder)
        layout.wipe(self.state)

    def reset(self) -> None:
        """As after up(): empty queues, mailboxes, logs and caches, the world's own data.

        Exim's configuration stays: see write_sender_conf().
        """
        for name in inside.server_pids(self.state):
            inside.signal_server(self.state, name, signal.SIGCONT)
        inside.stop_daemons(self.state)
        inside.kill_exims(self.state)
        for name in SPOOL:
            mailside.clear(self.state / name)
        for name in LOGS:
            mailside.truncate(self.state / name)
        mailside.clear(self.state / "mx" / "requiretls")
        dnsdata.restore(self.state)
        for domain in self._changed_policies():
            shutil.rmtree(build.web_root(self.state, domain))
            build.write_policy_host(self.state, world.domain_named(domain))
        build.reset_scripted(self.state)
        build.write_resolv_conf(self.state, world.RESOLVER)
        dnsdata.drop_requests(self.state)
        self.dns_flush()

    # -- commands -----------------------------------------------------------------

    def exec(self, argv: Sequence[str], input: str | bytes | None = None,
             user: str | None = None, check: bool = True, timeout: float = 60,
             env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        """Run a command inside. With check, a status other than 0 is a LabError."""
        result = inside.run(self.state, argv, stdin=input, user=user, timeout=timeout, env=env)
        if check and result.returncode != 0:
            raise LabError(f"{' '.join(argv)} ended with status {result.returncode}:\n"
                           f"{result.stdout}{result.stderr}")
        return result

    def in_network(self, function: Callable[[], Any]) -> Any:
        """Call a Python function in the lab's network, by addresses (names are the host's).

        For clients in scenarios: smtplib, sockets, dns.query.
        """
        return inside.in_network(self.state, function)

    @property
    def ca_bundle(self) -> Path:
        """The bundle with the lab's CA, as a path of the host."""
        return self.state / "etc" / "ca-certificates.crt"

    def settle(self, timeout: float = 20) -> None:
        """Wait until no Exim in the lab works any more."""
        inside.settle(self.state, timeout)

    def pause(self, server: str) -> None:
        """Stop a server in its tracks: knot, unbound, nginx, mx, smtpd, httpsd, dnsd."""
        inside.signal_server(self.state, server, signal.SIGSTOP)

    def resume(self, server: str) -> None:
        """Let it go on."""
        inside.signal_server(self.state, server, signal.SIGCONT)

    def restart(self, server: str, timeout: float = 10) -> None:
        """End a server and wait until its successor listens, with its configuration of now."""
        before = inside.server_pids(self.state)[server]
        inside.signal_server(self.state, server, signal.SIGKILL)
        deadline = time.monotonic() + timeout
        while not (inside.server_pids(self.state).get(server, before) != before
                   and inside.is_listening(self.state, server)):
            if time.monotonic() > deadline:
                raise LabError(f"{server} did not come back within {timeout} s")
            time.sleep(0.01)

    def install(self, source: str | Path, target: str, mode: int = 0o755) -> None:
        """Put a file of the host somewhere under the lab's own /usr, /etc or /run."""
        self.exec(["/usr/bin/install", "-D", "-m", f"{mode:o}", str(source), target])

    # -- sending ------------------------------------------------------------------

    def write_sender_conf(self, text: str) -> None:
        """Install the sender's Exim configuration and have Exim check its syntax."""
        layout.write_file(self.state / "etc" / "exim4" / "exim4.conf", text)
        self.exec([self.exim, "-bV"])

    def sender_conf(self) -> str:
        """The plain configuration the lab starts with."""
        return (layout.LAB_DIR / "sender.conf").read_text()

    def write_etc(self, name: str, text: str | bytes, mode: int = 0o644) -> None:
        """Write /etc/exim4/<name> inside, owned by root."""
        layout.write_file(self.state / "etc" / "exim4" / name, text, mode)

    def send(self, sender: str, recipients: Sequence[str],
             headers: dict[str, str] | None = None, body: str = "Hello\n", via: str = "bs",
             extra_args: Sequence[str] = (),
             queue_only: bool = False, mail_params: str = "", rcpt_params: str = "",
             timeout: float = 120) -> list[str]:
        """Inject one message and, unless queue_only, deliver it before returning.

        via "bs": SMTP on standard input, with parameters to MAIL and RCPT; "t": as
        sendmail -f sender -t, recipients in To:. Returns the queue ids.
        """
        message = compose(sender, recipients, headers or {}, body)
        mode = "-odq" if queue_only else "-odf"
        if via == "bs":
            reply = self.smtp(dialogue(sender, recipients, message, mail_params, rcpt_params),
                              [mode, *extra_args], timeout)
            return _ACCEPTED.findall(reply)
        mark = len(self._log())
        self.exec([self.exim, mode, "-oi", *extra_args, "-f", sender, "-t"], input=message,
                  timeout=timeout)
        return re.findall(rf"^\S+ \S+ (\S+) <= {re.escape(sender or '<>')} ",
                          self._log()[mark:], re.MULTILINE)

    def smtp(self, dialogue_text: str, args: Sequence[str] = ("-odf",),
             timeout: float = 120) -> str:
        """Speak raw SMTP to `exim -bs`; returns all its replies."""
        result = self.exec([self.exim, *args, "-bs"], input=dialogue_text, check=False,
                           timeout=timeout)
        return result.stdout.replace("\r\n", "\n")

    def start_daemon(self, *args: str) -> None:
        """Start the sending Exim as a daemon on 203.0.113.1:25, until stop or reset.

        A certificate for it is /run/lab/certs/mx/203.0.113.1.pem. The options of `args`
        go after -bdf; -odf among them makes each reception deliver at once.
        """
        inside.start_daemon(self.state, [self.exim, "-bdf", *args], ("tcp", world.SENDER, 25))

    def stop_daemon(self) -> None:
        """End it."""
        inside.stop_daemons(self.state)

    def run_queue(self, force: bool = True, timeout: float = 120) -> None:
        """One queue run; force: even what is not due for a retry."""
        self.exec([self.exim, "-qff" if force else "-q"], timeout=timeout)
        self.settle()

    def queue(self) -> list[Queued]:
        """What is on the sender's queue."""
        self.settle()
        return parse_queue(self.exec([self.exim, "-bp"]).stdout)

    def mainlog(self) -> str:
        """The sender's main log."""
        self.settle()
        return self._log()

    def _log(self, name: str = "mainlog") -> str:
        path = self.state / "sender" / "log" / name
        return path.read_text(errors="replace") if path.exists() else ""

    def paniclog(self) -> str:
        """The sender's panic log; a good run leaves it empty."""
        return self._log("paniclog")

    # -- results ------------------------------------------------------------------

    def mx_log(self, ip: str | None = None) -> str:
        """The receiving Exim's log; with ip, the lab's own lines about that address."""
        self.settle()
        text = (self.state / "mx" / "log" / "mainlog").read_text(errors="replace")
        if ip is None:
            return text
        return "".join(line for line in text.splitlines(True) if f" LAB {ip} " in line)

    def received(self, ip: str | None = None) -> list[Received]:
        """Messages that receiving hosts accepted, those of one address or all."""
        self.settle()
        return [m for m in mailside.received(self.state) if ip in (None, m.ip)]

    def bounces(self, user: str) -> list[Bounce]:
        """What was delivered to a user of lab.example."""
        self.settle()
        return mailside.bounces(self.state, user)

    def body_seen(self, marker: str, ip: str | None = None) -> list[Place]:
        """Where on the receiving side the marker can be found."""
        self.settle()
        return [p for p in mailside.body_seen(self.state, marker) if ip in (None, p.ip)]

    def transcript(self, ip: str | None = None) -> list[dict]:
        """Events of the scripted SMTP server."""
        return [e for e in mailside.transcript(self.state) if ip in (None, e["server"])]

    def hung_up(self, timeout: float = 20) -> list[dict]:
        """The same, of all hosts, once each session is over: the last event of a session can
        come later than the end of the Exim it was with."""
        deadline = time.monotonic() + timeout
        while True:
            events = self.transcript()
            over = {e["session"] for e in events if e["line"].startswith("end: ")}
            if open_ones := {e["session"] for e in events} - over:
                if time.monotonic() > deadline:
                    raise LabError(f"scripted sessions are open after {timeout} s: {open_ones}")
                time.sleep(0.005)
            else:
                return events

    def posted_reports(self) -> list[dict]:
        """What was posted to https://reports.example."""
        return mailside.posted_reports(self.state)

    def report_requests(self) -> list[str]:
        """nginx's lines about https://nginx.reports.example: method, host, path, status,
        redirection, "media type", size, protocol."""
        path = self.state / "log" / "report-access.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def set_report_status(self, status: int) -> None:
        """What the report endpoint answers from now on."""
        layout.write_file(self.state / "https" / "status", str(status))

    # -- the other side -----------------------------------------------------------

    def set_behaviour(self, ip: str, name: str, **changes: object) -> None:
        """Change a scripted host: a name from smtpd.BEHAVIOURS, and single fields of it."""
        path = self.state / "smtpd" / "behaviour.json"
        behaviour = json.loads(path.read_text())
        if ip not in behaviour:
            raise LabError(f"{ip} is not a scripted host")
        behaviour[ip] = {"name": name, **changes} if changes else name
        layout.write_file(path, json.dumps(behaviour, indent=1))

    def set_mx_requiretls(self, ip: str, offered: bool = True) -> None:
        """Let a patched receiving Exim offer REQUIRETLS at an address (stock: no effect)."""
        path = self.state / "mx" / "requiretls" / ip
        if offered:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    # -- policies -----------------------------------------------------------------

    def set_policy(self, domain: str, text: str | bytes | None, id: str | None = None) -> None:
        """Publish a policy body (None: 404), and with id a new TXT record for it.

        A domain that has no policy host yet gets its address record.
        """
        self._note_policy(domain)
        build.write_policy(self.state, domain, text)
        changes = {}
        if not world.domain_named(domain).sts:
            changes[f"mta-sts.{domain}", "A"] = [world.WEB]
            id = id or world.POLICY_ID
        if id is not None:
            changes[f"_mta-sts.{domain}", "TXT"] = [zones.txt(f"v=STSv1; id={id};")]
        if changes:
            dnsdata.change(self.state, changes)

    def set_policy_fault(self, domain: str, fault: str) -> None:
        """404, 500, redirect, html, notype, big; "" for none."""
        self._note_policy(domain)
        build.set_fault(self.state, domain, fault)

    def _changed_policies(self) -> list[str]:
        path = self.state / "www" / "changed"
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return sorted(set(names))

    def _note_policy(self, domain: str) -> None:
        with open(self.state / "www" / "changed", "a", encoding="ascii") as file:
            file.write(domain + "\n")

    def policy_host_down(self, domain: str) -> None:
        """Its address is one where nothing listens."""
        self.set_rrset(f"mta-sts.{domain}", "A", [world.NOTHING_LISTENS])

    def policy_host_up(self, domain: str) -> None:
        """Its address is nginx's."""
        self.set_rrset(f"mta-sts.{domain}", "A", [world.WEB])

    def policy_fetches(self, domain: str) -> int:
        """How many policy requests nginx answered (a failed handshake is none)."""
        path = self.state / "log" / "policy-access.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return sum(1 for line in lines if line.split()[1] == f"mta-sts.{domain}")

    # -- DNS ----------------------------------------------------------------------

    def set_rrset(self, name: str, rdtype: str, rdatas: Sequence[str],
                  ttl_s: int | None = None) -> None:
        """Replace an RRset by its full name; [] removes it. ttl_s goes for the whole zone."""
        dnsdata.change(self.state, {(name, rdtype): list(rdatas)}, ttl_s)

    def set_rrsets(self, sets: dict[tuple[str, str], list[str]]) -> None:
        """Many at once, {(full name, type): rdatas}: a zone is signed and loaded once."""
        dnsdata.change(self.state, sets)

    def write_policy(self, domain: str, text: str) -> None:
        """The body alone, also of a domain that is not in the world."""
        build.write_policy(self.state, domain, text)

    def set_txt(self, domain: str, *texts: str) -> None:
        """The TXT records at _mta-sts.<domain>; a text that starts with a quote is taken
        as DNS strings ('"v=STSv1; " "id=1"')."""
        self.set_rrset(f"_mta-sts.{domain}", "TXT", [zones.txt(text) for text in texts])

    def remove_sts_txt(self, domain: str) -> None:
        """No _mta-sts record any more."""
        self.set_txt(domain)

    def set_tlsrpt(self, domain: str, *texts: str) -> None:
        """The TXT records at _smtp._tls.<domain>."""
        self.set_rrset(f"_smtp._tls.{domain}", "TXT", [zones.txt(text) for text in texts])

    def set_mx(self, domain: str, entries: Sequence[str]) -> None:
        """The MX records: ["10 good.mail.example", ...]; [] for none."""
        rdatas = [f"{entry.split()[0]} {entry.split()[1].rstrip('.')}." for entry in entries]
        self.set_rrset(domain, "MX", rdatas)

    def set_signing(self, domain: str, signing: str) -> None:
        """Sign a signed zone otherwise: "signed", "expired", or "" (stripped: bogus)."""
        dnsdata.change_signing(self.state, domain, signing)

    def set_resolver(self, address: str) -> None:
        """What /etc/resolv.conf names: world.RESOLVER or world.RESOLVER_NO_DNSSEC."""
        build.write_resolv_conf(self.state, address)

    def dns_flush(self) -> None:
        """Empty Unbound's caches."""
        dnsdata.flush(self.state)

    def dns_queries(self, name: str, rdtype: str | None = None) -> int:
        """How many queries for a name Unbound got from its clients."""
        pattern = rf" {re.escape(name.rstrip('.'))}\. {rdtype or '[A-Z0-9]+'} IN$"
        text = (self.state / "log" / "unbound.log").read_text(errors="replace")
        return len(re.findall(pattern, text, re.MULTILINE | re.IGNORECASE))

    def authority_queries(self, zone: str, rdtype: str) -> int:
        """How many queries of a type Knot got for names of a zone, since it was started."""
        text = dnsdata.knotc(self.state, "zone-stats", zone.rstrip(".") + ".")
        found = re.search(rf"query-type\[{rdtype}\] = (\d+)", text)
        return int(found[1]) if found else 0
