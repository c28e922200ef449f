"""make demo: the main job in the lab, as a table a person can read.

Ten messages leave a stock Exim; per message who sent it, why it is in its class, what was
checked and what happened; then the TLS-RPT report of the lab's day. The exit status is
1 when any outcome is not the expected one.
"""

import datetime
import json
import os
import re
import sys
import textwrap
import time
from dataclasses import dataclass, field

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from sender import ROOT, Lab, Site, new_marker, world  # noqa: E402


@dataclass
class Case:
    """One message and what must become of it."""

    recipient: str
    why: str
    wanted: str                     # "delivered over TLS", "delivered in clear", ...
    sender: str = "alice@lab.example"
    headers: dict[str, str] = field(default_factory=dict)


CASES = [
    Case("bob@nopolicy.example", "nobody asks for anything", "delivered over TLS"),
    Case("bob@enforce.example", "its domain's MTA-STS policy says enforce",
         "delivered over TLS"),
    Case("bob@enforce-expired.example", "its domain's MTA-STS policy says enforce",
         "waits in the queue"),
    Case("bob@enforce-mismatch.example", "its domain's MTA-STS policy says enforce",
         "delivered over TLS"),
    Case("bob@testing-selfsigned.example", "its domain's MTA-STS policy says testing",
         "delivered over TLS"),
    Case("bob@enforce-notls.example", "the sender wrote TLS-Required: No",
         "delivered in clear", headers={"TLS-Required": "No"}),
    Case("bob@dane-good.example", "its MX host has TLSA records (DANE)",
         "delivered over TLS"),
    Case("bob+requiretls@secure.example", "flagged by the tag +requiretls",
         "delivered over TLS"),
    Case("bob+requiretls@nopolicy.example", "flagged by the tag +requiretls",
         "bounced 5.7.10"),
    Case("bob@enforce.example", "flagged by the ACL of the sender's site",
         "delivered over TLS", sender="ceo@board.lab.example"),
]

WIDTHS = (4, 34, 27, 44, 22)
HEADINGS = ("", "message", "why", "what was checked", "what happened")


def print_row(cells: tuple[str, ...]) -> None:
    """One row; long cells are wrapped."""
    columns = [sum((textwrap.wrap(line, width) or [""] for line in cell.split("\n")), [])
               for cell, width in zip(cells, WIDTHS)]
    for number in range(max(len(column) for column in columns)):
        parts = [(column[number] if number < len(column) else "").ljust(width)
                 for column, width in zip(columns, WIDTHS)]
        print("  ".join(parts).rstrip())


def send(site: Site, case: Case) -> tuple[str, str]:
    """Send it; returns the marker of its body and what Exim logged meanwhile."""
    marker = new_marker()
    before = len(site.lab.mainlog())
    site.lab.send(case.sender, [case.recipient], headers=case.headers, body=marker)
    return marker, site.lab.mainlog()[before:]


def checked(log: str) -> str:
    """What our lines of Exim's log say, without their times and ids."""
    lines = re.findall(r"^.*? requiretls: (.*)$", log, re.MULTILINE)
    delivery = re.search(r" => .* (CV=\w+)", log)
    if delivery:
        lines.append({"CV=yes": "certificate verified by its CA",
                      "CV=dane": "certificate verified by DANE",
                      "CV=no": "certificate not verified"}[delivery[1]])
    return "\n".join(lines) or "nothing"


def outcome(site: Site, case: Case, marker: str) -> str:
    """What became of the message, seen from the receiving hosts and the mailbox."""
    arrived = [m for m in site.lab.received() if marker.encode() in m.message]
    if arrived:
        return "delivered over TLS" if arrived[0].tls else "delivered in clear"
    if site.lab.body_seen(marker):
        return "LEAKED"
    user = case.sender.partition("@")[0]
    for bounce in site.lab.bounces(user):
        if case.recipient.replace("+requiretls", "") in bounce.text:
            return f"bounced {re.search(r'5[.]7[.][0-9]+', bounce.text)[0]}"
    return "waits in the queue" if site.lab.queue() else "LOST"


def run_cases(site: Site) -> int:
    """All messages; returns how many did not do what they should."""
    wrong = 0
    print_row(HEADINGS)
    print_row(tuple("-" * width for width in WIDTHS))
    for number, case in enumerate(CASES, 1):
        marker, log = send(site, case)
        happened = outcome(site, case, marker)
        if happened != case.wanted:
            wrong += 1
            happened += f"\nWRONG: should be {case.wanted}"
        print_row((f"{number}", f"{case.sender}\nto {case.recipient}", case.why,
                   checked(log), happened))
        print()
    return wrong


def end_the_day(site: Site) -> str:
    """What was judged today becomes yesterday's journal: a day that is over is reported.
    Returns that date."""
    now = datetime.datetime.now(datetime.timezone.utc)
    journals = site.lab.state / "sender/spool/requiretls/tlsrpt"
    yesterday = (now - datetime.timedelta(days=1)).date().isoformat()
    for journal in sorted(journals.iterdir()):
        journal.rename(journals / yesterday)
    return yesterday


def show_report(site: Site) -> int:
    """The report of the lab's day, sent and shown; returns 1 when that did not work."""
    day = end_the_day(site)
    reports = json.loads(site.program("report", "preview", day).stdout)
    print(f"The lab's day ends. TLS-RPT (RFC 8460): {len(reports)} reports of {day}. "
          "The one about enforce-mismatch.example:\n")
    shown = [report for report in reports if any(
        entry["policy"]["policy-domain"] == "enforce-mismatch.example"
        for entry in report["policies"])]
    print(json.dumps(shown[0] if shown else reports, indent=2))
    print("\nAll of them:\n")
    for report in reports:
        about = report["report-id"].split("+")[1]       # a domain, or with DANE an MX host
        for entry in report["policies"]:
            summary, policy = entry["summary"], entry["policy"]
            details = sorted({d["result-type"] for d in entry["failure-details"]})
            if policy["policy-domain"] != about:
                details.append(f"policy of {policy['policy-domain']}")
            print(f"  {about:<32} {policy['policy-type']:<16} "
                  f"{summary['total-successful-session-count']} good, "
                  f"{summary['total-failure-session-count']} failed  {', '.join(details)}")
    site.program("report", "run", "--date", day)
    subjects = [str(m.parsed()["Subject"]).replace("\n", "") for m in site.lab.received()
                if "tlsrpt@reports.example" in m.rcpts]
    print(f"\nSent to who asked for them: {len(subjects)} by mail, for instance\n"
          f"  {subjects[0] if subjects else 'none'}")
    return 0 if shown and subjects else 1


def main() -> int:
    """Lab up, the main job, the report, lab down."""
    start = time.monotonic()
    lab = Lab(ROOT / os.environ.get("OUT", "build/out") / "lab-demo")
    lab.down()
    lab.up()
    try:
        site = Site(lab)
        site.install()
        version = site.lab.exec(["/usr/sbin/exim4", "-bV"]).stdout.split()[2]
        print(f"A stock Exim {version} with exim-requiretls sends {len(CASES)} messages.\n"
              f"The world is a lab of {len(world.DOMAINS)} domains and {len(world.HOSTS)} "
              "mail hosts on this machine.\n")
        wrong = run_cases(site)
        wrong += show_report(site)
    finally:
        lab.down()
    print(f"\n{'Everything as it should be' if not wrong else f'{wrong} WRONG'}, "
          f"in {time.monotonic() - start:.0f} s.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
