"""Reports about messages under REQUIRETLS, and messages made of them (RFC 8689 sections 4.1,
5 and 6), over the wire."""

import re
import shutil
import time

import pytest

from patched import (Seen, VERSION, bounces_of, change, queued, send, sessions, statuses)
from sender import new_marker

K, TWIN, NOTLS = "192.0.2.71", "192.0.2.72", "192.0.2.17"
ONE = "bob@one-dnssec.example"          # k.wire.example
EVE = "eve@one-dnssec.example"          # so reports go to k.wire.example too
REFUSED = "bob@nopolicy-notls.example"  # a host without TLS


@pytest.fixture(name="wire")
def fixture_wire(wire):
    """The lab with a sender that takes RET and NOTIFY."""
    main_option(wire, "dsn_advertise_hosts = *")
    return wire


def main_option(lab, option):
    """Add an option to the main section."""
    change(lab, ("never_users = root\n", f"never_users = root\n{option}\n"))


def secret_message(lab, *recipients, **more):
    """Send a message whose header, subject and body hold three secrets; the envelope holds
    the marker."""
    secrets = [new_marker() for _ in range(3)]
    marker = new_marker()
    sender = more.pop("sender", EVE).replace("@", f"+{marker}@")
    flagged = more.pop("flagged", True)
    lab.send(sender, list(recipients), body=f"{secrets[2]}\n",
             headers={"X-Secret": secrets[0], "Subject": secrets[1], "From": "eve@x.example"},
             extra_args=["-oR"] if flagged else [], **more)
    lab.settle()
    return marker, secrets


def report(lab):
    """The one report that k.wire.example got, as (MAIL command, text)."""
    found = [m for m in lab.received(K) if m.mail_from == ""]
    assert len(found) == 1, lab.mainlog()
    return found[0].mail_command, found[0].message.decode()


def report_arrivals(lab):
    """The log lines of reports that came to be."""
    return [line for line in lab.mainlog().splitlines() if " <= <> " in line]


def shown(text, secrets):
    """Which of the secrets a report tells."""
    return [secret in text for secret in secrets]


# --- failure reports --------------------------------------------------------------------

@pytest.mark.parametrize("behaviour,asked", [("requiretls", True), ("good", False),
                                             ("plain", False)])
def test_bounce_asks_and_goes_in_any_case(wire, behaviour, asked):
    """RFC 8689 5: non-delivery messages MUST also specify REQUIRETLS; and are not discarded
    where the next hop does not know it."""
    wire.set_behaviour(K, behaviour)
    secret_message(wire, REFUSED)
    command, text = report(wire)
    assert command.startswith("MAIL FROM:<>") and command.endswith(" REQUIRETLS") == asked
    assert statuses(text) == ["5.7.10"]
    assert [" REQUIRETLS " in line for line in report_arrivals(wire)] == [True]
    assert "(REQUIRETLS)" in text.split("\n\n", maxsplit=1)[0]


@pytest.mark.parametrize("ret", ["", "RET=FULL", "ret=full ENVID=x", "RET=HDRS"])
def test_bounce_has_headers_only(wire, ret):
    """RFC 8689 5: as if RET=HDRS was present; RET=FULL MUST be disregarded."""
    _, secrets = secret_message(wire, REFUSED, mail_params=ret)
    text = report(wire)[1]
    assert shown(text, secrets) == [True, True, False]
    assert "text/rfc822-headers" in text and "message/rfc822" not in text
    assert (("X-Exim-DSN-Information: Due to REQUIRETLS only headers are returned" in text)
            == ("full" in ret.lower()))


@pytest.mark.parametrize("ret,whole", [("", True), ("RET=FULL", True), ("RET=HDRS", False)])
def test_bounce_of_ordinary_mail(wire, ret, whole):
    """Contract: unflagged mail as ever; no flag, the body as RET says, Status 5.0.0."""
    wire.set_behaviour(K, "requiretls")
    wire.set_behaviour(TWIN, "reject-rcpt-5xx")
    wire.set_mx("nopolicy-scripted.example", ["10 twin.wire.example"])
    _, secrets = secret_message(wire, "bob@nopolicy-scripted.example", flagged=False,
                                mail_params=ret)
    command, text = report(wire)
    assert command == "MAIL FROM:<> SIZE=" + re.search(r"SIZE=(\d+)", command)[1]
    assert shown(text, secrets) == [True, True, whole]
    assert statuses(text) == ["5.0.0"] and "REQUIRETLS" not in text
    assert "REQUIRETLS" not in wire.mainlog()


@pytest.mark.parametrize("behaviour,status", [
    ({"requiretls": ""}, "5.7.30"),
    ({"cert": "expired"}, "5.7.10"),
    ({"rcpt": "550 5.1.1 no such user"}, "5.1.1"),
    ({"mail": "550 5.7.1 no"}, "5.7.1"),
    ({"mail": "555 5.5.4 REQUIRETLS unknown"}, "5.5.4"),
    ({"data_end": "554 5.6.0 no"}, "5.6.0"),
    ({"data_end": "554-5.6.0 no\r\n554 5.6.0 really"}, "5.6.0"),
    ({"rcpt": "550 no such user"}, "5.0.0"),
    ({"rcpt": "550 5.1 no such user"}, "5.0.0"),
    ({"rcpt": "550 4.1.1 no such user"}, "5.0.0"),
])
def test_status(wire, behaviour, status):
    """RFC 8689 4.2.1: codes 5.7.30 and 5.7.10; the contract gives flagged messages the code of
    the remote reply as well, when it is one of the same class."""
    wire.set_behaviour(K, "requiretls")
    wire.set_behaviour(TWIN, "good", **{"requiretls": "inside", **behaviour})
    wire.set_mx("nopolicy-scripted.example", ["10 twin.wire.example"])
    secret_message(wire, "bob@nopolicy-scripted.example")
    text = report(wire)[1]
    assert statuses(text) == [status]
    if status in ("5.7.30", "5.7.10"):
        assert {"5.7.30": "REQUIRETLS support required",
                "5.7.10": "Encryption needed"}[status] in text


def test_each_recipient_has_its_own_status(wire):
    """RFC 3464 2.3.4 with RFC 8689 4.2.1: one report, one Status for each."""
    wire.set_behaviour(TWIN, "good")
    wire.set_mx("nopolicy-scripted.example", ["10 twin.wire.example"])
    secret_message(wire, REFUSED, "bob@nopolicy-scripted.example", "nobody@lab.example")
    assert sorted(statuses(report(wire)[1])) == ["5.0.0", "5.7.10", "5.7.30"]


# --- the other reports ------------------------------------------------------------------

def delayed(lab, **more):
    """A message that waits until its sender is warned."""
    main_option(lab, "delay_warning = 1s")
    lab.set_behaviour(TWIN, "requiretls-4xx")
    lab.set_mx("nopolicy-scripted.example", ["10 twin.wire.example"])
    marker, secrets = secret_message(lab, "bob@nopolicy-scripted.example", queue_only=True,
                                     **more)
    time.sleep(1.1)
    lab.run_queue()
    assert len(lab.queue()) == 1
    return marker, secrets


def local_success(lab, **more):
    """A message whose sender is told that it arrived."""
    return secret_message(lab, "alice@lab.example", rcpt_params="NOTIFY=SUCCESS", **more)


OTHER_REPORTS = pytest.mark.parametrize("kind", [delayed, local_success],
                                        ids=["delay", "success"])


@OTHER_REPORTS
@pytest.mark.parametrize("flagged", [True, False])
def test_other_reports(wire, kind, flagged):
    """RFC 8689 5 and 6: warnings and success reports have the header of the message, so they
    need what it needs; those of ordinary mail do not."""
    wire.set_behaviour(K, "requiretls")
    _, secrets = kind(wire, flagged=flagged)
    command, text = report(wire)
    assert command.endswith(" REQUIRETLS") == flagged
    assert shown(text, secrets) == [True, True, False]
    assert [" REQUIRETLS " in line for line in report_arrivals(wire)] == [flagged]


@OTHER_REPORTS
def test_other_reports_go_in_any_case(wire, kind):
    """The same to a host that does not know REQUIRETLS."""
    kind(wire)
    assert not report(wire)[0].endswith(" REQUIRETLS")


# --- redacted reports -------------------------------------------------------------------

def failed_pipe(lab, **more):
    """A message to a program that fails and tells all it has read."""
    change(lab, ("begin transports\n",
                 "begin transports\n\ntells:\n  driver = pipe\n  user = Debian-exim\n"
                 "  command = /bin/sh -c \"cat; exit 1\"\n  return_output\n"),
           ("begin routers\n", "begin routers\n\nprogram:\n  driver = accept\n"
            "  domains = lab.example\n  local_parts = dave\n  transport = tells\n"))
    return secret_message(lab, "dave@lab.example", **more)


def refused(lab, **more):
    """A message no host takes."""
    return secret_message(lab, REFUSED, mail_params="RET=FULL", **more)


@pytest.mark.parametrize("kind", [refused, delayed, local_success, failed_pipe])
def test_redacted(wire, kind):
    """RFC 8689 5, "unless redacted": then the report has nothing of the message and needs no
    REQUIRETLS."""
    main_option(wire, "requiretls_redact_dsn")
    wire.set_behaviour(K, "requiretls")
    _, secrets = kind(wire)
    command, text = report(wire)
    assert not command.endswith(" REQUIRETLS")
    assert shown(text, secrets) == [False, False, False]
    assert [" REQUIRETLS " in line for line in report_arrivals(wire)] == [False]
    parts = re.findall(r"^Content-type: (\S+?);?(?: .*)?$", text, re.MULTILINE | re.IGNORECASE)
    assert [p for p in parts if "multipart" not in p] == ["text/plain",
                                                          "message/delivery-status"]
    # It still is a report: well-formed, and about the right address.
    [message] = [m.parsed() for m in wire.received(K)]
    assert message.is_multipart() and len(list(message.iter_parts())) == 2


@pytest.mark.parametrize("kind", [refused, local_success, failed_pipe])
def test_redacting_is_for_flagged_mail_only(wire, kind):
    """Contract: the option changes nothing for other messages."""
    main_option(wire, "requiretls_redact_dsn")
    # Without retry rules what ordinary mail has to wait for fails at once.
    change(wire, ("  hosts_try_dane = *\n", "  hosts_try_dane = *\n  hosts_require_tls = *\n"),
           ("\n*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h", "\n"))
    _, secrets = kind(wire, flagged=False)
    # All but the success report, which never has the body.
    assert shown(report(wire)[1], secrets) == [True, True, kind is not local_success]


# --- as without the patches -------------------------------------------------------------

def normalized(text):
    """A report without what differs each time."""
    text = re.sub(r"\bE?[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}\b", "ID", text)
    text = re.sub(r"(?i)MARKER[0-9a-f]+|\d+\.\d+\.\d{6,}", "UNIQUE", text)
    text = re.sub(r"\d+-eximdsn-\d+", "BOUNDARY", text)
    text = re.sub(r"\b[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}", "DATE", text)
    return re.sub(r"\b(SIZE|S)=\d+", "SIZE", text)


def installed_version(lab):
    """The version of the Exim that is installed on the host, not in the lab."""
    shutil.copy("/usr/sbin/exim4", lab.state / "stock-exim4")
    told = lab.exec([str(lab.state / "stock-exim4"), "-bV"]).stdout
    assert "REQUIRETLS" not in told
    return re.match(r"Exim version (\S+)", told)[1]


def unflagged_traffic(lab):
    """What k.wire.example hears when ordinary mail is delivered to it, bounces, is delayed and
    arrives: commands and messages."""
    lab.reset()
    lab.set_behaviour(K, "requiretls")
    lab.set_behaviour(TWIN, "requiretls-5xx")
    lab.set_mx("nopolicy-scripted.example", ["10 twin.wire.example"])
    for recipient in (ONE, "bob@nopolicy-scripted.example", "alice@lab.example"):
        secret_message(lab, recipient, flagged=False, rcpt_params="NOTIFY=SUCCESS,FAILURE")
    log = re.sub(r"^\S+ \S+ ", "", lab.mainlog(), flags=re.MULTILINE)
    wire = "\n".join(line for s in sessions(lab) for line in s.commands + s.data)
    return normalized(wire), normalized(log)


def test_ordinary_mail_is_as_without_the_patches(wire):
    """Contract: same bytes on the wire, in the log and in the reports. The installed Exim is
    the measure, when it is of the same release."""
    if installed_version(wire) != VERSION:
        pytest.skip(f"the installed Exim is not {VERSION}")
    wire.exec(["/bin/cp", "-p", "/usr/sbin/exim4", "/usr/sbin/exim4.patched"])
    with_patches = unflagged_traffic(wire)
    try:
        wire.install(wire.state / "stock-exim4", "/usr/sbin/exim4", mode=0o4755)
        without = unflagged_traffic(wire)
    finally:
        wire.exec(["/bin/mv", "/usr/sbin/exim4.patched", "/usr/sbin/exim4"])
    assert without[0].count("MAIL FROM") >= 4
    for one, other in zip(with_patches, without):
        assert sorted(one.splitlines()) == sorted(other.splitlines())


# --- messages made of a message ---------------------------------------------------------

def router(lab, text, transports=""):
    """Add a router for carol@lab.example, and what it needs."""
    lines = "".join(f"  {line}\n" for line in text)
    change(lab, ("begin routers\n", "begin routers\n\nfor_carol:\n"
                 f"{lines}  domains = lab.example\n  local_parts = carol\n"
                 "  local_part_suffix = +*\n  local_part_suffix_optional\n"),
           ("begin transports\n", "begin transports\n\n" + transports))


ANSWERS = "answers:\n  driver = autoreply\n  to = $sender_address\n  text = I am away\n" \
          "  user = Debian-exim\n  from = carol@lab.example\n  subject = Re: $h_subject:\n"
FILTERS = {
    "mail": "# Exim filter\nmail to $sender_address subject \"Re: $h_subject:\" text away\n",
    "vacation": "# Exim filter\nvacation to $sender_address subject \"Re: $h_subject:\""
                " file /etc/exim4/away log /run/lab/sender/vacation/log"
                " once /run/lab/sender/vacation/once\n",
}


def answer_of(lab, flagged):
    """The answer k.wire.example got has the parameter or not, as the message had."""
    messages = lab.received(K)
    assert len(messages) == 1, lab.mainlog()
    assert messages[0].mail_command.endswith(" REQUIRETLS") == flagged
    return messages[0].message.decode()


@pytest.mark.parametrize("flagged", [True, False])
def test_autoreply(wire, flagged):
    """RFC 8689 6: mediators apply the requirement to reoriginated messages."""
    router(wire, ["driver = accept", "transport = answers"], ANSWERS)
    wire.set_behaviour(K, "requiretls")
    _, secrets = secret_message(wire, "carol@lab.example", flagged=flagged)
    assert shown(answer_of(wire, flagged), secrets) == [False, True, False]


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("command", FILTERS)
def test_filter(wire, command, flagged):
    """RFC 8689 6: the same for a user's filter."""
    wire.exec(["/usr/bin/install", "-d", "-o", "Debian-exim", "/run/lab/sender/vacation"])
    router(wire, ["driver = redirect", "file = /etc/exim4/filter", "allow_filter",
                  "user = Debian-exim", "reply_transport = answer",
                  "directory_transport = answer", "no_verify"],
           "answer:\n  driver = autoreply\n")
    wire.write_etc("filter", FILTERS[command])
    wire.write_etc("away", "I am away\n")
    wire.set_behaviour(K, "requiretls")
    secret_message(wire, "carol@lab.example", flagged=flagged)
    assert "Re: " in answer_of(wire, flagged)


@pytest.mark.parametrize("options", [
    ["data = bob@one-dnssec.example, bob@nopolicy-notls.example"],
    ["data = bob@one-dnssec.example, bob@nopolicy-notls.example", "one_time", "no_verify",
     "forbid_file", "forbid_pipe", "forbid_filter_reply"],
    ["file = /etc/exim4/forward", "check_owner = false"],
])
@pytest.mark.parametrize("flagged", [True, False])
def test_aliases(wire, options, flagged):
    """RFC 8689 4.1: aliased and redistributed to several addresses, all instances are tagged
    the same: one goes with the parameter, the one that cannot be protected bounces."""
    wire.write_etc("forward", "bob@one-dnssec.example\nbob@nopolicy-notls.example\n")
    router(wire, ["driver = redirect", *options])
    wire.set_behaviour(K, "requiretls")
    marker = send(wire, "carol@lab.example", flagged=flagged)
    accepted = {m.ip: m.mail_command for m in Seen(wire).accepted(marker)}
    assert set(accepted) == ({K} if flagged else {K, NOTLS})
    assert accepted[K].endswith(" REQUIRETLS") == flagged
    assert [statuses(b.text) for b in bounces_of(wire, marker)] == \
        ([["5.7.10"]] if flagged else [])


def test_one_time_alias_that_waits(wire):
    """RFC 8689 4.1: also after the alias was replaced in the spool by what it stands for."""
    router(wire, ["driver = redirect", "data = bob@one-dnssec.example", "one_time",
                  "forbid_file", "forbid_pipe", "forbid_filter_reply"])
    wire.set_behaviour(K, "banner-421")
    marker = send(wire, "carol@lab.example")
    assert len(wire.queue()) == 1
    wire.set_behaviour(K, "good")
    wire.run_queue()
    assert Seen(wire).touched(marker) == set()
    assert [statuses(b.text) for b in bounces_of(wire, marker)] == [["5.7.30"]]
    assert queued(wire, marker) == []


# --- with the module --------------------------------------------------------------------

@pytest.mark.parametrize("behaviour,asked", [("requiretls", True), ("good", False)])
def test_bounce_for_a_tagged_recipient(wire_site, behaviour, asked):
    """RFC 8689 5: whatever flagged the message, here the module's tag."""
    lab, marker = wire_site.lab, new_marker()
    lab.set_behaviour(K, behaviour)
    lab.send(EVE, ["bob+requiretls@nopolicy.example"], body=marker, mail_params="RET=FULL")
    command, text = report(lab)
    assert command.endswith(" REQUIRETLS") == asked
    assert statuses(text) == ["5.7.10"] and marker not in text


@pytest.mark.parametrize("redact", [False, True])
def test_redacting_with_the_module(wire_site, redact):
    """The same with requiretls_redact_dsn: Exim's word about its report counts."""
    if redact:
        main_option(wire_site.lab, "requiretls_redact_dsn")
    wire_site.lab.set_behaviour(K, "requiretls")
    _, secrets = secret_message(wire_site.lab, "bob+requiretls@nopolicy.example",
                                flagged=False)
    command, text = report(wire_site.lab)
    assert command.endswith(" REQUIRETLS") == (not redact)
    assert shown(text, secrets) == [not redact, not redact, False]
