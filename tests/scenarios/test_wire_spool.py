"""The flag in the spool: it stays with the message through all that Exim does to it, and
what happens when the site changes between the patched and the stock Exim.

Going back to the stock Exim, with messages on the queue, 4.96 to 4.100.1:
- It reads the spool without a word; the line -requiretls is not known to it, so it does
  not count. Without our module the message is delivered like any other: in clear, if the
  host has no TLS. The queue has to be empty before one goes back.
- With our module $local_scan_data still says requiretls=yes, also where the parameter of
  MAIL or -oR flagged the message. At its level enforce the message bounces with 5.7.30, or
  5.7.10 where no name is proven, headers only; at the level verified it is sent on over
  verified TLS, without the parameter. See test_downgrade_with_the_module().
- The stock Exim drops the line whenever it writes the -H file again: after the first delivery
  attempt that ends in a delay, and at -Mf, -Mt, -Mar and the like. Then the patched Exim does
  not see it later (the module's word stays). What the stock Exim only kept, listed or
  showed, and what had its first attempt under the patched Exim, still has it.
"""

import re

import pytest

import raw
import stock
from mail import ALICE, GOOD, assert_bounced
from patched import exim_path
from raw import BOB, Client
from sender import new_marker

REMOTE = "bob@nopolicy.example"
DOWN = "bob@enforce-down.example"
NOTLS = "bob@nopolicy-notls.example"


@pytest.fixture(name="both")
def both_exims(wire):
    """The lab, and a function that puts "patched" or "stock" in it. Ends with the
    patched one."""
    wire.set_mx_requiretls(GOOD)
    paths = {"patched": exim_path(), "stock": stock.stock_path()}

    def use(name):
        wire.stop_daemon()
        wire.settle()
        stock.put(wire, paths[name])
        shown = wire.exec(["exim4", "-bV"]).stdout
        assert bool(re.search(r"^Support for:.* REQUIRETLS\b", shown, re.MULTILINE)) == (
            name == "patched")

    yield wire, use
    use("patched")


def queue(lab, *recipients, flag=True, **more):
    """One message onto the queue; returns its id."""
    return lab.send(ALICE, recipients, queue_only=True, extra_args=["-oR"] if flag else [],
                    **more)[0]


def in_spool(lab, message):
    """Does the -H file have the line? Just once, then."""
    lab.settle()
    found = raw.envelope_lines(lab, message).count("-requiretls")
    assert found < 2
    return found == 1


def shown_by_exim(lab, message):
    """Does exim -Mvh show it?"""
    return "-requiretls" in lab.exec(["exim4", "-Mvh", message]).stdout.splitlines()


def command_at(lab, ip=GOOD):
    """The MAIL command of the one message that arrived there."""
    found = lab.received(ip)
    assert len(found) == 1, lab.mainlog()
    return found[0].mail_command


# --- it stays -----------------------------------------------------------------------------

@pytest.mark.parametrize("flag", [True, False])
def test_queue_runs(wire, flag):
    """Attempts that end in a delay keep it as it is; at last it is sent along."""
    wire.set_mx_requiretls(GOOD)
    message = queue(wire, DOWN, flag=flag)
    for _ in range(3):
        wire.run_queue()
        assert in_spool(wire, message) == shown_by_exim(wire, message) == flag
    wire.set_mx("enforce-down.example", ["10 good.mail.example"])
    wire.run_queue()
    assert ("REQUIRETLS" in command_at(wire)) == flag


def test_partial_delivery(wire):
    """Some recipients have it, the others still need it."""
    wire.set_mx_requiretls(GOOD)
    message = queue(wire, REMOTE, DOWN, BOB)
    wire.run_queue()
    assert "REQUIRETLS" in command_at(wire)
    assert in_spool(wire, message)
    assert [q.recipients for q in wire.queue()] == [[DOWN]]


@pytest.mark.parametrize("command", [
    ["-Mf"], ["-Mf", "-Mt"], ["-Mes", "carol@lab.example"], ["-Mar", "x@y.example"],
    ["-Mmd", DOWN], ["-Mmad"], ["-MG", "slow"]], ids=" ".join)
@pytest.mark.parametrize("flag", [True, False])
def test_what_an_admin_does(wire, command, flag):
    """Freezing, thawing, new senders and recipients, another queue."""
    message = queue(wire, DOWN, "carol@enforce-down.example", flag=flag)
    if command[0] == "-MG":
        wire.exec(["exim4", "-MG", "slow", message])
        text = wire.exec(["exim4", "-qGslow", "-Mvh", message], check=False).stdout
        path = wire.state / "sender/spool/slow/input" / f"{message}-H"
        text = path.read_text(encoding="latin-1")
        assert ("\n-requiretls\n" in text) == flag
        path.unlink()
        return
    if command == ["-Mf", "-Mt"]:
        wire.exec(["exim4", "-Mf", message])
        command = ["-Mt"]
    wire.exec(["exim4", command[0], message, *command[1:]])
    assert in_spool(wire, message) == shown_by_exim(wire, message) == flag


def test_frozen_and_thawed_is_delivered_with_it(wire):
    """Frozen: not tried. Thawed: sent with the parameter."""
    wire.set_mx_requiretls(GOOD)
    message = queue(wire, REMOTE)
    wire.exec(["exim4", "-Mf", message])
    wire.run_queue(force=False)
    assert wire.received(GOOD) == []
    wire.exec(["exim4", "-Mt", message])
    wire.run_queue(force=False)
    assert "REQUIRETLS" in command_at(wire)


def test_daemon_starts_anew(wire):
    """Taken by one daemon, delivered by the queue runner of the next."""
    wire.set_mx_requiretls(GOOD)
    raw.server(wire)
    with Client(wire).secure() as client:
        client.good_mail("REQUIRETLS")
        message = client.rest((REMOTE,))
    wire.stop_daemon()
    assert in_spool(wire, message)
    wire.start_daemon("-odf")
    wire.run_queue()
    assert "REQUIRETLS" in command_at(wire)


@pytest.mark.parametrize("option", ["split_spool_directory = true", "spool_wireformat = true",
                                    "queue_domains = *", "queue_smtp_domains = *"])
def test_ways_to_keep_a_spool(wire, option):
    """Wherever and however Exim keeps it."""
    wire.set_mx_requiretls(GOOD)
    raw.server(wire, option + "\n")
    with Client(wire).secure() as client:
        client.good_mail("REQUIRETLS")
        assert client.ask(f"RCPT TO:<{REMOTE}>").code == 250
        text = "Subject: x\r\n\r\nx\r\n"
        client.send(f"BDAT {len(text)} LAST\r\n{text}")
        assert client.reply().code == 250
    wire.run_queue()
    assert "REQUIRETLS" in command_at(wire)


def test_nothing_else_in_the_spool_counts(wire):
    """A header line, an ACL variable or a body that look like it flag nothing."""
    raw.configure(wire, acl="acl_check_mail:\n"
                  "  accept set acl_m_x = a\\n-requiretls\\n\n")
    text = "X-A: b\n-requiretls: x\nSubject: x\n\n-requiretls\n"
    wire.exec(["exim4", "-odq", "-bs"], input="EHLO x\r\nMAIL FROM:<a@lab.example>\r\n"
              f"RCPT TO:<{REMOTE}>\r\nDATA\r\n" + text.replace("\n", "\r\n") + ".\r\nQUIT\r\n")
    message = wire.queue()[0].id
    header = raw.spool_header(wire, message)
    assert "\n-requiretls\n" in header      # that of the variable
    wire.set_mx_requiretls(GOOD)
    wire.run_queue()
    assert "REQUIRETLS" not in command_at(wire)


@pytest.mark.parametrize("line", ["-requiretl", "-requiretlsx", "-requiretls no", "-requiretls ",
                                  "--requiretls", "-REQUIRETLS"])
def test_lines_that_are_not_it(wire, line):
    """Only the exact line counts; what is like it does not stop the message either."""
    wire.set_mx_requiretls(GOOD)
    message = queue(wire, REMOTE)
    path = wire.state / "sender/spool/input" / f"{message}-H"
    text = path.read_bytes()
    # Exim looks at the length of nothing before the number of recipients.
    path.write_bytes(text.replace(b"\n-requiretls\n", b"\n" + line.encode() + b"\n"))
    wire.run_queue()
    wanted = line == "--requiretls"         # the mark of a tainted value
    assert ("REQUIRETLS" in command_at(wire)) == wanted


# --- the patched and the stock Exim ---------------------------------------------------------

def test_spool_of_the_stock_exim(both):
    """What the stock Exim queued is read by the patched one: not flagged, delivered."""
    lab, use = both
    use("stock")
    messages = [queue(lab, REMOTE, flag=False), queue(lab, DOWN, flag=False)]
    lab.run_queue()
    queued = queue(lab, REMOTE, flag=False)
    use("patched")
    assert not in_spool(lab, messages[1]) and not in_spool(lab, queued)
    lab.run_queue()
    lab.run_queue()
    assert [m.mail_command.count("REQUIRETLS") for m in lab.received(GOOD)] == [0, 0]
    assert not in_spool(lab, messages[1])


def test_stock_exim_ignores_the_flag(both):
    """A downgrade without the module: the message goes out as any other, here in clear."""
    lab, use = both
    marker = new_marker()
    queue(lab, NOTLS, body=marker)
    use("stock")
    lab.run_queue()
    found = [m for m in lab.received() if marker.encode() in m.message]
    assert len(found) == 1 and found[0].tls == ""
    assert "requiretls" not in lab.mainlog().split("<=", 1)[1].split("\n", 1)[1].lower()


@pytest.mark.parametrize("work,kept", [
    ([], True),
    (["-bp"], True),
    (["-Mvh"], True),
    (["-Mf", "-Mt"], False),
    (["-Mar"], False),
    (["run"], False),
], ids=lambda value: "+".join(value) if isinstance(value, list) else "")
def test_back_on_the_patched_exim(both, work, kept):
    """The flag is there again as long as the stock Exim has not written the -H file anew."""
    lab, use = both
    lab.set_mx_requiretls(GOOD)
    message = queue(lab, DOWN)
    use("stock")
    for step in work:
        if step == "run":
            lab.run_queue()
        elif step == "-Mar":
            lab.exec(["exim4", "-Mar", message, "carol@enforce-down.example"])
        else:
            lab.exec(["exim4", step, *([] if step == "-bp" else [message])])
    use("patched")
    assert in_spool(lab, message) == kept
    lab.set_mx("enforce-down.example", ["10 good.mail.example"])
    lab.run_queue()
    assert ("REQUIRETLS" in command_at(lab)) == kept


def test_stock_exim_on_a_later_attempt(both):
    """A later attempt that changes nothing does not write the file: the flag stays."""
    lab, use = both
    message = queue(lab, DOWN)
    lab.run_queue()
    use("stock")
    lab.run_queue()
    use("patched")
    assert in_spool(lab, message)


@pytest.fixture(name="site_of_both")
def site_of_both_exims(wire_site):
    """The site with the module, and the same function; the module fits only the release it
    was built for, which both are."""
    lab = wire_site.lab
    lab.set_mx_requiretls(GOOD)
    paths = {"patched": exim_path(), "stock": stock.stock_path()}

    def use(name):
        lab.settle()
        stock.put(lab, paths[name])

    yield wire_site, use
    use("patched")


@pytest.mark.parametrize("recipient,level,status", [
    (REMOTE, "enforce", "5.7.10"), (NOTLS, "enforce", "5.7.10"),
    ("bob@secure.example", "enforce", "5.7.30"), (NOTLS, "verified", "5.7.10"),
])
@pytest.mark.parametrize("flagged_by", ["tag", "option"])
def test_downgrade_with_the_module(site_of_both, recipient, level, status, flagged_by):
    """The stock Exim with the module: bounced at once, headers only. At the level enforce
    because it cannot send the parameter (the text says which Exim is missing the patches)."""
    site, use = site_of_both
    site.configure(requiretls=level)
    message, marker = queue_flagged(site.lab, recipient, flagged_by)
    assert "requiretls=yes" in raw.spool_header(site.lab, message)
    use("stock")
    site.lab.run_queue()
    assert_bounced(site, marker, status)


@pytest.mark.parametrize("flagged_by", ["tag", "option"])
def test_downgrade_with_the_module_that_does_not_insist(site_of_both, flagged_by):
    """At the level verified it is sent on over verified TLS to a host whose name DNSSEC
    proves, without the parameter."""
    site, use = site_of_both
    site.configure(requiretls="verified")
    queue_flagged(site.lab, "bob@secure.example", flagged_by)
    use("stock")
    site.lab.run_queue()
    found = site.lab.received(GOOD)
    assert [bool(m.tls) for m in found] == [True]
    assert "REQUIRETLS" not in found[0].mail_command


def queue_flagged(lab, recipient, flagged_by):
    """One flagged message onto the queue; returns its id and the marker in its body."""
    marker = new_marker()
    tag, option = ("+requiretls@", []) if flagged_by == "tag" else ("@", ["-oR"])
    message = lab.send(ALICE, [recipient.replace("@", tag)], queue_only=True, body=marker,
                       extra_args=option)[0]
    return message, marker
