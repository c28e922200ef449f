"""Reach into a running lab: run commands in its namespaces, find its processes."""

import concurrent.futures
import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import holder
from layout import LabError

Result = TypeVar("Result")


def holder_pid(state: Path) -> int:
    """Host pid of the lab's first process; 0 when it never got that far."""
    try:
        return int((state / "holder.pid").read_text())
    except (OSError, ValueError):
        return 0


def is_holder(state: Path) -> bool:
    """Whether the noted pid is really that of this lab, and not of a successor."""
    try:
        command = Path(f"/proc/{holder_pid(state)}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(state).encode() in command


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Our environment without what is about the host's network and certificates."""
    foreign = ("_proxy", "ssl_cert_file", "ssl_cert_dir", "ca_bundle")
    kept = {name: value for name, value in os.environ.items()
            if not name.lower().endswith(foreign)}
    return kept | (more or {})


def argv_inside(state: Path, argv: Sequence[str], user: str | None = None) -> list[str]:
    """The command line that runs argv inside the lab, as user."""
    pid = holder_pid(state)
    if user is not None:
        argv = ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                *argv]
    # Inside, /run is another one.
    cwd = "/" if os.getcwd().startswith("/run") else os.getcwd()
    return ["/usr/bin/nsenter", "-t", str(pid), "-n", "-m", "-p", "-u", f"--wdns={cwd}",
            "--", *argv]


def run(state: Path, argv: Sequence[str], *, stdin: bytes | str | None = None,
        user: str | None = None, timeout: float = 60, env: dict[str, str] | None = None,
        ) -> subprocess.CompletedProcess:
    """Run a command inside and collect its output, text in and out.

    On a time-out the command and its children are killed, not only nsenter: the whole
    process group.
    """
    data = stdin.encode() if isinstance(stdin, str) else stdin
    with subprocess.Popen(argv_inside(state, argv, user),
                          stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True,
                          env=environment(env)) as process:
        try:
            out, err = process.communicate(data, timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(list(argv), process.returncode,
                                       out.decode(errors="surrogateescape"),
                                       err.decode(errors="surrogateescape"))


def in_network(state: Path, function: Callable[[], Result]) -> Result:
    """Call a function in a thread that is in the lab's network; returns its result.

    A network namespace belongs to a thread, so this needs no new process. Files are still
    those of the host: no name of the lab can be looked up by way of /etc/resolv.conf.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def enter_and_call() -> Result:
        with open(f"/proc/{holder_pid(state)}/ns/net", "rb") as namespace:
            if libc.setns(namespace.fileno(), holder.CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return function()

    # A pool of its own: the thread must end, it cannot be used for anything else.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(enter_and_call).result()


def server_pids(state: Path) -> dict[str, int]:
    """Pids, as seen inside, of the supervised servers."""
    return json.loads((state / "pids.json").read_text())


def is_listening(state: Path, name: str) -> bool:
    """Whether a server listens on all its sockets (asked from outside, by /proc)."""
    plan = json.loads((state / "plan.json").read_text())
    wanted = next(s["listen"] for s in plan["servers"] if s["name"] == name)
    open_sockets = holder.listening(f"/proc/{holder_pid(state)}/net")
    return all(tuple(sock) in open_sockets for sock in wanted)


def processes(state: Path) -> dict[int, int]:
    """All processes of the lab: host pid -> pid inside."""
    holder = holder_pid(state)
    try:
        namespace = os.readlink(f"/proc/{holder}/ns/pid")
    except OSError:
        return {}
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/ns/pid") != namespace:
                continue
            for line in Path(f"/proc/{entry}/status").read_text().splitlines():
                if line.startswith("NSpid:"):
                    found[int(entry)] = int(line.split()[-1])
        except OSError:
            continue                # gone meanwhile
    return found


def lives(pid: int) -> bool:
    """Whether a process of the host runs; a zombie that init has yet to reap does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def daemons(state: Path) -> list[int]:
    """Host pids of the sending side's Exim daemons, see Lab.start_daemon()."""
    path = state / "daemons"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def exim_processes(state: Path) -> list[int]:
    """Host pids of all running Exims (and exim-requiretls) but the daemons."""
    receiver, senders = server_pids(state).get("mx"), daemons(state)
    found = []
    for pid, pid_inside in processes(state).items():
        try:
            name = Path(f"/proc/{pid}/comm").read_text()
        except OSError:
            continue
        is_daemon = pid_inside == receiver or pid in senders
        if "exim" in name and not is_daemon and lives(pid):
            found.append(pid)
    return found


def start_daemon(state: Path, argv: Sequence[str], listens: tuple[str, str, int],
                 timeout: float = 10) -> None:
    """Start an Exim daemon of the sending side and wait until it listens."""
    log_path = state / "log" / "daemon.log"
    with open(log_path, "ab") as log:
        process = subprocess.Popen(argv_inside(state, argv), stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True,
                                   env=environment())
    deadline = time.monotonic() + timeout
    while listens not in holder.listening(f"/proc/{holder_pid(state)}/net"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"the daemon did not start:\n{log_tail(log_path)}")
        time.sleep(0.01)
    # nsenter waits for its only child, which is the daemon.
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    with open(state / "daemons", "a", encoding="ascii") as file:
        file.write(children + "\n")


def stop_daemons(state: Path) -> None:
    """End the sending side's daemons."""
    pids = daemons(state)
    for pid in pids:
        if pid in processes(state):
            os.kill(pid, signal.SIGKILL)
    # Its socket goes with it: who starts the next one waits for a socket.
    deadline = time.monotonic() + 10
    while any(pid in processes(state) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.005)
    (state / "daemons").unlink(missing_ok=True)


def settle(state: Path, timeout: float = 10) -> None:
    """Wait until no Exim works any more: deliveries, bounces and receptions are done."""
    deadline = time.monotonic() + timeout
    while pids := exim_processes(state):
        if time.monotonic() > deadline:
            raise LabError(f"Exim still works after {timeout} s: host pids {pids}")
        time.sleep(0.005)


def kill_exims(state: Path) -> None:
    """End every delivery that still runs."""
    for _ in range(100):
        pids = exim_processes(state)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    raise LabError(f"cannot end these processes of the lab: {pids}")


def signal_server(state: Path, name: str, number: signal.Signals) -> None:
    """Send a signal to a supervised server and its workers (each server is a session)."""
    members, wanted = processes(state), server_pids(state)[name]
    leader = next((pid for pid, pid_inside in members.items() if pid_inside == wanted), None)
    if leader is None:
        return                      # just died, its successor is on the way
    for pid in members:
        try:
            if os.getsid(pid) == leader:
                os.kill(pid, number)
        except ProcessLookupError:
            continue


def log_tail(path: Path, lines: int = 15) -> str:
    """The end of a log file."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
