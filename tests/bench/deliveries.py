"""Inside the lab: CPU of whole commands, in turns.

    deliveries.py ROUNDS COMMAND-LINE-A COMMAND-LINE-B ...

Each round runs every command line once (by the shell, standard input a small message);
prints per command line the median of user plus system time of all its processes, in ms.
"""

import resource
import statistics
import subprocess
import sys

MESSAGE = b"From: alice@lab.example\nSubject: bench\n\n" + b"A line of text.\n" * 40


def cpu_ms(command: str) -> float:
    """User and system time of the command and of all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["/bin/sh", "-c", command], input=MESSAGE, check=True,
                   stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """The rounds, then the medians."""
    rounds, commands = int(sys.argv[1]), sys.argv[2:]
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds):
        for number, command in enumerate(commands):
            taken[number].append(cpu_ms(command))
    for times in taken:
        print(f"{statistics.median(times):.3f}")


if __name__ == "__main__":
    main()
