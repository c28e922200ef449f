"""The first process of the lab: makes the namespaces, starts the servers, reaps.

    holder.py STATE READY_FD

Everything of the lab lives in its pid namespace, so killing this process ends all of it
and the kernel drops the mounts and the network with it. It says "ok" or why not on
READY_FD. A server that dies is started again, a few times.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000, 0x04000000, 0x20000000, 0x40000000)
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MAX_RESTARTS = 5        # in a row, of a server that dies within SHORT_LIFE_S
SHORT_LIFE_S = 2
READY_TIMEOUT_S = 10

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Turn a failed libc call into an exception."""
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()),
          f"mount {source} on {target}")


def enter_namespaces() -> None:
    """Leave the host's network, mounts and names; children leave its pids."""
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNET), "unshare")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def furnish(state: str, plan: dict) -> None:
    """Inside: /proc, a /run of our own, the lab's files over the system's, the network."""
    mount("proc", "/proc", "proc", 0)
    mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
    os.mkdir(plan["inside"], 0o755)
    mount(state, plan["inside"], "", MS_BIND)
    for number, target in enumerate(plan["overlays"]):
        # The upper layer is on our /run: what is written there is gone with the lab.
        layer = f"/run/overlay/{number}"
        os.makedirs(f"{layer}/upper")
        os.makedirs(f"{layer}/work")
        mount("overlay", target, "overlay", 0,
              f"lowerdir={target},upperdir={layer}/upper,workdir={layer}/work")
    for source, target in plan["mounts"]:
        mount(f"{state}/{source}", target, "", MS_BIND)
    socket.sethostname(plan["hostname"])
    subprocess.run(["/usr/sbin/ip", "-batch", "-"], input=plan["network"], text=True,
                   check=True)


def listening(net: str = "/proc/net") -> set[tuple[str, str, int]]:
    """(protocol, address, port) of all listening sockets of a network namespace."""
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(net, name).read_text().splitlines()[1:]:
            fields = line.split()
            if name.startswith("tcp") and fields[3] != "0A":    # TCP_LISTEN
                continue
            raw, port = fields[1].split(":")
            words = [bytes.fromhex(raw[i:i + 8])[::-1] for i in range(0, len(raw), 8)]
            family = socket.AF_INET if len(raw) == 8 else socket.AF_INET6
            found.add((name[:3], socket.inet_ntop(family, b"".join(words)), int(port, 16)))
    return found


class Supervisor:
    """Starts the servers and keeps them running."""

    def __init__(self, state: str, plan: dict) -> None:
        self.log_dir = Path(plan["inside"]) / "log"
        self.servers = plan["servers"]
        self.pid_file = Path(plan["inside"]) / "pids.json"
        self.pids: dict[str, int] = {}
        self.started: dict[str, float] = {}
        self.early_deaths: dict[str, int] = {}

    def start(self, server: dict) -> None:
        """Start one server, its output appended to its log."""
        with open(self.log_dir / f"{server['name']}.log", "ab") as log:
            process = subprocess.Popen(server["argv"], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, cwd="/", start_new_session=True)
        self.pids[server["name"]] = process.pid
        self.started[server["name"]] = time.monotonic()
        # We reap by waitpid(-1): keep Popen from waiting or warning.
        process.returncode = 0

    def save_pids(self) -> None:
        """Tell labkit which processes are ours (pids as seen inside)."""
        temporary = self.pid_file.with_suffix(".new")
        temporary.write_text(json.dumps(self.pids))
        temporary.rename(self.pid_file)

    def start_all(self) -> str:
        """Start everything; returns "" when all listen, else what went wrong."""
        for server in self.servers:
            self.start(server)
        self.save_pids()
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            for server in self.servers:
                pid, status = os.waitpid(self.pids[server["name"]], os.WNOHANG)
                if pid:
                    return self.why(server, f"ended with status "
                                            f"{os.waitstatus_to_exitcode(status)}")
            open_sockets = listening()
            late = [server for server in self.servers
                    if any(tuple(s) not in open_sockets for s in server["listen"])]
            if not late:
                return ""
            if time.monotonic() > deadline:
                return self.why(late[0], f"does not listen after {READY_TIMEOUT_S} s")
            time.sleep(0.01)

    def why(self, server: dict, what: str) -> str:
        """The message for a server that did not come up, with the end of its log."""
        log = self.log_dir.parent / server["log"]
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n  ".join([f"{server['name']} {what}; {server['log']} ends:",
                            *text.splitlines()[-15:]])

    def reap_for_ever(self) -> None:
        """Reap all children, restart servers among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                time.sleep(0.2)
                continue
            for server in self.servers:
                if self.pids.get(server["name"]) == pid:
                    self.restart(server, status)

    def restart(self, server: dict, status: int) -> None:
        """A server died: say so, and start it again unless it keeps dying."""
        name = server["name"]
        lived_s = time.monotonic() - self.started[name]
        deaths = self.early_deaths.get(name, 0) + 1 if lived_s < SHORT_LIFE_S else 0
        self.early_deaths[name] = deaths
        print(f"{name} ended after {lived_s:.1f} s with status "
              f"{os.waitstatus_to_exitcode(status)}", flush=True)
        if deaths > MAX_RESTARTS:
            del self.pids[name]
        else:
            time.sleep(0.1)         # its sockets may take a moment to go
            self.start(server)
        self.save_pids()


def inside(state: str, plan: dict, ready_fd: int) -> None:
    """Life of process 1. Never returns."""
    problem = ""
    try:
        furnish(state, plan)
        supervisor = Supervisor(state, plan)
        problem = supervisor.start_all()
    except Exception as error:     # whatever it is, `up` has to hear of it
        problem = f"{type(error).__name__}: {error}"
    os.write(ready_fd, (problem or "ok").encode())
    os.close(ready_fd)
    if problem:
        os._exit(1)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    supervisor.reap_for_ever()


def main() -> None:
    """Make the namespaces, fork process 1, note its pid, go away."""
    state, ready_fd = sys.argv[1], int(sys.argv[2])
    plan = json.loads(Path(state, "plan.json").read_text())
    enter_namespaces()
    pid = os.fork()
    if pid == 0:
        inside(state, plan, ready_fd)
        os._exit(1)
    Path(state, "holder.pid").write_text(f"{pid}\n")


if __name__ == "__main__":
    main()
