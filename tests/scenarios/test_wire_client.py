"""REQUIRETLS at the client's side, over the wire (RFC 8689 sections 2, 4.2.1 and 5)."""

import itertools
import re
from dataclasses import dataclass

import pytest

import requiretls_oracle as oracle
from inject import compose
from patched import (SUFFIX, Seen, bounces_of, change, queued, retry_records, send, sessions,
                     statuses)
from requiretls_oracle import Fate, Host
from sender import new_marker, world

GOOD = "192.0.2.11"
EXPIRED, SELFSIGNED, WRONGNAME, CNONLY = ("192.0.2.13", "192.0.2.14", "192.0.2.15",
                                          "192.0.2.16")
NOTLS, UNKNOWNCA, NOTYET = "192.0.2.17", "192.0.2.18", "192.0.2.19"
K, TWIN = "192.0.2.71", "192.0.2.72"
NAMES = {GOOD: "good.mail.example", K: "k.wire.example", TWIN: "twin.wire.example"}


# --- the table -----------------------------------------------------------------------

@dataclass(frozen=True)
class Cell:
    """One cell: which domain a message goes to, and whether it has a sender."""

    offers: str
    certificate: str
    name_proof: str
    mx_list: str
    empty_sender: bool

    @property
    def domain(self) -> str:
        """The recipient domain."""
        return f"{self.mx_list}-{self.name_proof}.example"

    @property
    def hosts(self) -> list[Host]:
        """Its hosts, for the oracle."""
        names = [entry.split()[1] for entry in world.WIRE_LISTS[self.mx_list]]
        known = {"good.mail.example": Host("good.mail.example"),
                 "down.wire.example": Host("down.wire.example", up=False)}
        return [known.get(name) or Host(name, self.offers, self.certificate)
                for name in names]

    @property
    def fate(self) -> Fate:
        """What the RFC says."""
        return oracle.fate(self.hosts, self.name_proof, self.empty_sender)


def cells(offers, certificate, name_proofs=oracle.NAME_PROOFS):
    """The cells of one state of the scripted hosts."""
    return [Cell(offers, certificate, *rest) for rest in itertools.product(
        name_proofs, world.WIRE_LISTS, (False, True))]


STATES = list(itertools.product(oracle.OFFERS, oracle.CERTIFICATES))
TABLE = [cell for state in STATES for cell in cells(*state)]


def test_oracle_knows_every_cell():
    """450 different cells; no cell is bounced and delivered, or delivered to a host that
    is not in its list or does not answer."""
    assert len(set(TABLE)) == len(TABLE) == 450
    for cell in TABLE:
        fate = cell.fate
        assert (fate.what == oracle.DELIVERED) == bool(fate.host)
        assert (fate.what == oracle.BOUNCED) == bool(fate.status)
        assert not fate.host or [h.up for h in cell.hosts if h.name == fate.host] == [True]


def test_oracle_reaches_every_fate():
    """Each way a message can end is the answer of some cells."""
    found = {str(Fate(cell.fate.what, "", cell.fate.parameter, cell.fate.status))
             for cell in TABLE}
    assert found == {"delivered ", "delivered  with the parameter", "bounced 5.7.10",
                     "bounced 5.7.30", "deferred "}


def test_oracle_never_loosens():
    """A message with a sender is delivered only with the parameter; an empty one is never
    bounced; and a host that gets worse never turns a bounce into a delivery."""
    for cell in TABLE:
        fate = cell.fate
        if cell.empty_sender:
            assert fate.what != oracle.BOUNCED
        else:
            assert fate.what != oracle.DELIVERED or fate.parameter
        if fate.what == oracle.DELIVERED and cell.offers != "inside":
            better = Cell("inside", *list(cell.__dict__.values())[1:])
            assert better.fate.what == oracle.DELIVERED


def inject(lab, wanted):
    """All messages in one SMTP session, onto the queue; returns marker -> cell."""
    lines, markers = ["EHLO client.lab.example"], {}
    for cell in wanted:
        marker = new_marker()
        markers[marker] = cell
        sender = "" if cell.empty_sender else f"alice+{marker}@lab.example"
        recipient = f"bob+{marker}@{cell.domain}"
        message = compose(sender, [recipient], {"Subject": marker}, marker)
        lines += [f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA",
                  *message.splitlines(), "."]
    lab.smtp("".join(line + "\r\n" for line in [*lines, "QUIT"]), ["-odq", "-oR"])
    return markers


def run_queue_fast(lab):
    """Queue runs side by side; each takes the messages no other works at."""
    lab.exec(["/bin/sh", "-c", "for i in 1 2 3; do /usr/sbin/exim4 -qff & done; wait"])
    lab.settle(60)


class Outcomes:
    """What became of many messages."""

    def __init__(self, lab):
        self.lab, self.seen = lab, Seen(lab)
        self.queue = " ".join(r for q in lab.queue() for r in q.recipients)
        self.reports = lab.bounces("alice")

    def of(self, marker):
        """(Fate, the hosts that saw anything of it)."""
        touched = {NAMES.get(ip, ip) for ip in self.seen.touched(marker)}
        accepted = self.seen.accepted(marker)
        reports = [b.text for b in self.reports if marker in b.text]
        assert len(accepted) + len(reports) + (marker in self.queue) == 1, marker
        if accepted:
            name = NAMES[accepted[0].ip]
            asked = accepted[0].mail_command.endswith(" REQUIRETLS")
            return Fate(oracle.DELIVERED, name, asked), touched - {name}
        if reports:
            return Fate(oracle.BOUNCED, status="/".join(statuses(reports[0]))), touched
        return Fate(oracle.DEFERRED), touched


def check_table(lab, wanted, offers, certificate):
    """Send all cells, then compare; every difference is in the message of the failure."""
    how = {"requiretls": "" if offers == "never" else offers,
           "cert": "" if certificate == "good" else certificate}
    lab.set_behaviour(K, "good", **how)
    lab.set_behaviour(TWIN, "good", **how)
    lab.set_mx_requiretls(GOOD)
    markers = inject(lab, wanted)
    assert len(lab.queue()) == len(wanted)
    run_queue_fast(lab)
    outcomes = Outcomes(lab)
    wrong = []
    for marker, cell in markers.items():
        found, leaked = outcomes.of(marker)
        if found != cell.fate or leaked:
            wrong.append(f"{cell}: wanted {cell.fate}, got {found}, seen by {leaked}")
            wrong += [line for line in lab.mainlog().splitlines() if cell.domain in line]
    assert not wrong, "\n".join(wrong)
    # A session in which no message went is one that the client ended (section 4.2.1).
    for session in sessions(lab):
        assert session.mails or session.refused, session.commands


@pytest.mark.parametrize("offers,certificate", STATES)
def test_table_of_the_patch(wire, offers, certificate):
    """RFC 8689 4.2.1 and 5, all but the proof of the MX name, with Exim alone: option
    requiretls at its default, an ordinary dnslookup router."""
    check_table(wire, cells(offers, certificate, ("dnssec",)), offers, certificate)


@pytest.mark.parametrize("offers,certificate", STATES)
def test_table_of_the_whole(wire_site, offers, certificate):
    """RFC 8689 4.2.1 and 5, with the module."""
    check_table(wire_site.lab, cells(offers, certificate), offers, certificate)


def test_first_contact(wire_site):
    """RFC 8461 5: three processes at once, and only one of them fetches the policy: none of
    the messages passes it by. (With an empty sender; others are looked at once more.)"""
    for _ in range(5):
        wire_site.reset()
        change(wire_site.lab, SUFFIX)
        wire_site.lab.set_behaviour(K, "good", cert="expired")
        markers = inject(wire_site.lab, [Cell("never", "expired", "sts", "one", True)] * 3)
        run_queue_fast(wire_site.lab)
        assert wire_site.lab.received() == []
        assert len(wire_site.lab.queue()) == len(markers)


# --- what the tests below have in common ------------------------------------------------

ONE, TWINS = "bob@one-dnssec.example", "bob@twins-dnssec.example"


def transport(lab, *options):
    """Add options to the sender's SMTP transport."""
    change(lab, ("  hosts_try_dane = *\n",
                 "  hosts_try_dane = *\n" + "".join(f"  {o}\n" for o in options)))


def assert_delivered(lab, marker, ip, parameter=True):
    """One host has it, and was told REQUIRETLS or not; nobody else saw anything of it."""
    seen = Seen(lab)
    [message] = seen.accepted(marker)
    assert message.ip == ip
    assert message.mail_command.endswith(" REQUIRETLS") == parameter, message.mail_command
    assert seen.touched(marker) == {ip}
    return message


def assert_nowhere(lab, marker):
    """No host saw anything of the message, and each scripted one was left politely, unless
    it hung up itself."""
    assert Seen(lab).touched(marker) == set(), lab.mainlog()
    assert all(session.refused or not session.commands or session.end.startswith("end: closed")
               for session in sessions(lab))


def assert_bounced(lab, marker, status):
    """Nothing went out, and the sender got one report with that status."""
    assert_nowhere(lab, marker)
    assert queued(lab, marker) == []
    reports = bounces_of(lab, marker)
    assert [statuses(b.text) for b in reports] == [[status]], lab.mainlog()
    return reports[0].text


def assert_deferred(lab, marker):
    """Nothing went out, nobody was told, it is on the queue."""
    assert_nowhere(lab, marker)
    assert bounces_of(lab, marker) == [], lab.mainlog()
    assert len(queued(lab, marker)) == 1


# --- which hosts, and how far -----------------------------------------------------------

BAD_HOSTS = ["k.wire.example", "twin.wire.example", "expired.mail.example",
             "notls.mail.example", "wrongname.mail.example", "selfsigned.mail.example"]


def mx_list(*names, step=10):
    """MX records in that order; with step 0 they are all of one preference."""
    return [f"{10 + step * i} {name}" for i, name in enumerate(names)]


def offer_everywhere(lab):
    """All stock hosts offer REQUIRETLS; what is wrong with them is the certificate."""
    for ip in (GOOD, EXPIRED, SELFSIGNED, WRONGNAME, CNONLY, UNKNOWNCA, NOTYET):
        lab.set_mx_requiretls(ip)


def test_every_host_is_tried(wire):
    """RFC 8689 4.2.1: "repeat steps 2-5 with each host on the recipient domain's list"."""
    offer_everywhere(wire)
    wire.set_mx("one-dnssec.example", mx_list(*BAD_HOSTS, "good.mail.example"))
    assert_delivered(wire, send(wire, ONE), GOOD)
    assert [s.refused for s in sessions(wire)] == [True, True]
    for ip in (EXPIRED, NOTLS, WRONGNAME, SELFSIGNED):
        assert wire.mx_log(ip).count(" connect") == wire.mx_log(ip).count(" quit") == 1


@pytest.mark.parametrize("step", [0, 10])
def test_bounce_comes_after_the_last_host(wire, step):
    """The same where no host qualifies: all were asked, then one report. Hosts that refused
    do not count for hosts_max_try, which is for hosts of one preference."""
    offer_everywhere(wire)
    transport(wire, "hosts_max_try = 1")
    wire.set_mx("one-dnssec.example", mx_list(*BAD_HOSTS, step=step))
    assert_bounced(wire, send(wire, ONE), "5.7.30")
    assert len(sessions(wire)) == 2
    assert wire.mx_log().count(" starttls") == 3 and wire.mx_log(NOTLS).count(" quit") == 1


def test_hard_limit_ends_the_list(wire):
    """Contract: hosts beyond hosts_max_try_hardlimit are none of the list; a message that
    waited for them would wait for ever."""
    transport(wire, "hosts_max_try_hardlimit = 1")
    assert_bounced(wire, send(wire, TWINS), "5.7.30")
    assert len(sessions(wire)) == 1


def test_host_that_does_not_exist_makes_no_difference(wire):
    """A name without address is not a host that could be asked later."""
    wire.set_mx("one-dnssec.example", mx_list("nosuch.wire.example", "k.wire.example"))
    assert_bounced(wire, send(wire, ONE), "5.7.30")


def test_without_mx_the_domain_is_the_host(wire):
    """RFC 8689 4.2.1 step 4: the domain name where an A record is used directly."""
    wire.set_mx_requiretls("192.0.2.41")
    assert_delivered(wire, send(wire, "bob@implicit.example"), "192.0.2.41")


# --- what counts as an offer ------------------------------------------------------------

@pytest.mark.parametrize("keyword,counts", [
    ("REQUIRETLS", True),
    ("requiretls", True),
    ("RequireTLS", True),
    # Has no parameters (section 7); should it ever get some, it still is that extension.
    ("REQUIRETLS X", True),
    ("XREQUIRETLS", False),
    ("X-REQUIRETLS", False),
    ("REQUIRETLSX", False),
    ("REQUIRETLS=1", False),
    ("SIZE REQUIRETLS", False),
])
def test_keyword(wire, keyword, counts):
    """RFC 5321 4.1.1.1: keywords are whole words, in any case."""
    wire.set_behaviour(K, "requiretls", keyword=keyword)
    marker = send(wire, ONE)
    if counts:
        assert_delivered(wire, marker, K)
    else:
        assert_bounced(wire, marker, "5.7.30")


def test_greeting_is_no_keyword(wire):
    """RFC 5321 4.1.1.1: the first line of the reply is a name and a greeting."""
    wire.set_behaviour(K, "good", ehlo_inside="250 REQUIRETLS")
    assert_bounced(wire, send(wire, ONE), "5.7.30")


def test_offer_in_clear_does_not_count(wire):
    """RFC 8689 4.2.1 step 5: the EHLO after TLS is up; RFC 3207 4.2: what was said before
    is to be forgotten."""
    wire.set_behaviour(K, "requiretls-outside")
    assert_bounced(wire, send(wire, ONE), "5.7.30")
    [session] = sessions(wire)
    assert session.in_tls == ["EHLO sender.lab.example", "QUIT"]


def test_starttls_injection(wire):
    """RFC 3207 6: an offer that somebody in between put behind the 220 is not one that came
    in TLS."""
    wire.set_behaviour(K, "starttls-inject")
    marker = send(wire, ONE)
    assert_nowhere(wire, marker)
    assert all(not session.mails for session in sessions(wire))


@pytest.mark.parametrize("reply", ["502 5.5.1 no such command", "550 5.7.1 no"])
def test_helo_inside_tls(wire, reply):
    """RFC 8689 4.2.1 step 5: who knows HELO only cannot have offered."""
    wire.set_behaviour(K, "requiretls", ehlo_inside=reply)
    assert_bounced(wire, send(wire, ONE), "5.7.30")
    [session] = sessions(wire)
    assert session.in_tls[0].startswith("EHLO") and session.in_tls[-1] == "QUIT"


@pytest.mark.parametrize("reply", ["421 4.3.2 not now", "450 4.3.2 not now", "close"])
def test_no_answer_to_ehlo_inside_tls(wire, reply):
    """Contract: trouble other than a refusal is temporary; a host that says "not now" has
    not said what it offers."""
    wire.set_behaviour(K, "requiretls", ehlo_inside=reply)
    assert_deferred(wire, send(wire, ONE))


# --- TLS that does not come about -------------------------------------------------------

@pytest.mark.parametrize("behaviour,status", [
    ("plain", "5.7.10"),
    ("starttls-5xx", "5.7.10"),
    ("starttls-4xx", ""),
    ("starttls-close", ""),
    ("starttls-garbage", ""),
    ("starttls-abort", ""),
])
def test_no_tls(wire, behaviour, status):
    """RFC 8689 4.2.1 step 4, 8.2: no TLS is a refusal, trouble on the way to it (4xx, a
    broken handshake) may be gone tomorrow; in clear text goes nothing, ever."""
    wire.set_behaviour(K, behaviour, requiretls="both")
    marker = send(wire, ONE)
    if status:
        assert_bounced(wire, marker, status)
    else:
        assert_deferred(wire, marker)
    # Nothing after the failure but a farewell: no second attempt without TLS.
    assert all(s.commands in (["EHLO sender.lab.example", "QUIT"],
                              ["EHLO sender.lab.example", "STARTTLS"],
                              ["EHLO sender.lab.example", "STARTTLS", "QUIT"])
               for s in sessions(wire))


@pytest.mark.parametrize("behaviour", ["starttls-4xx", "starttls-5xx", "starttls-close",
                                       "starttls-garbage", "plain"])
def test_no_tls_for_ordinary_mail(wire, behaviour):
    """Contract: unflagged mail goes as ever, in clear text where TLS does not work."""
    wire.set_behaviour(K, behaviour)
    marker = send(wire, ONE, flagged=False)
    assert_delivered(wire, marker, K, parameter=False)


def test_starttls_that_never_ends(wire):
    """A time-out is trouble, no refusal."""
    transport(wire, "command_timeout = 1s")
    wire.set_behaviour(K, "stall-after-starttls")
    assert_deferred(wire, send(wire, ONE))


@pytest.mark.parametrize("option", [
    "hosts_avoid_tls = *", "hosts_avoid_esmtp = *", "tls_tempfail_tryclear = true",
    "tls_verify_cert_hostnames =", "tls_try_verify_hosts =\n  tls_verify_cert_hostnames ="])
def test_site_options_do_not_weaken(wire, option):
    """RFC 8689 4.2.1: what the site's transport has for ordinary mail counts less: bad hosts
    are refused all the same, and none is spoken to in clear text."""
    offer_everywhere(wire)
    transport(wire, option)
    wire.set_mx("one-dnssec.example", mx_list("wrongname.mail.example"))
    assert_bounced(wire, send(wire, ONE), "5.7.10")
    wire.set_mx("one-dnssec.example", mx_list("selfsigned.mail.example"))
    assert_bounced(wire, send(wire, ONE), "5.7.10")


def test_certificate_is_checked_where_the_site_does_not(wire):
    """The good host is known to be good though tls_try_verify_hosts has others only."""
    transport(wire, "tls_try_verify_hosts = 192.0.2.99", "tls_verify_cert_hostnames =")
    wire.set_mx_requiretls(GOOD)
    assert_delivered(wire, send(wire, "bob@secure.example"), GOOD)


# --- certificates of the receiving Exim -------------------------------------------------

@pytest.mark.parametrize("option", ["", "tls_verify_hosts = *"])
@pytest.mark.parametrize("name,ip", [
    ("expired", EXPIRED), ("selfsigned", SELFSIGNED), ("wrongname", WRONGNAME),
    ("unknownca", UNKNOWNCA), ("notyet", NOTYET)])
def test_bad_certificate(wire, option, name, ip):
    """RFC 8689 4.2.1 step 4: 5.7.10, be it found after the handshake or that it ends the
    handshake (contract: both are a refusal)."""
    offer_everywhere(wire)
    transport(wire, option)
    wire.set_mx("one-dnssec.example", mx_list(f"{name}.mail.example"))
    text = assert_bounced(wire, send(wire, ONE), "5.7.10")
    assert "Encryption needed" in text
    log = wire.mx_log(ip)
    assert "connect" in log and "mail tls" not in log
    assert log.count(" quit\n") == (0 if option else 1)


@pytest.mark.parametrize("behaviour", ["starttls-abort", "starttls-close"])
def test_refused_certificate_then_broken_handshake(wire, behaviour):
    """Contract: each host is judged by its own handshake."""
    offer_everywhere(wire)
    transport(wire, "tls_verify_hosts = *")
    wire.set_behaviour(K, behaviour)
    wire.set_mx("one-dnssec.example", mx_list("expired.mail.example", "k.wire.example"))
    assert_deferred(wire, send(wire, ONE))


def test_name_as_cn_only(wire):
    """RFC 8689 4.2.1 step 4: "MUST match the DNS-ID or CN-ID"."""
    offer_everywhere(wire)
    wire.set_mx("one-dnssec.example", mx_list("cnonly.mail.example"))
    assert_delivered(wire, send(wire, ONE), CNONLY)


@pytest.mark.parametrize("option", ["", "hosts_require_dane = *"])
@pytest.mark.parametrize("domain,ip,outcome", [
    ("dane-good.example", "192.0.2.21", "delivered"),
    ("dane-bad.example", "192.0.2.22", "5.7.10"),
    ("tlsafail.example", "192.0.2.24", "deferred"),
])
def test_dane(wire, option, domain, ip, outcome):
    """RFC 8689 2: "or it MUST be verified successfully using DANE": a self-signed
    certificate that TLSA names is good, a good one that TLSA does not name is bad; no
    answer about TLSA is trouble (RFC 7672 2.1.2)."""
    transport(wire, option)
    wire.set_mx_requiretls(ip)
    marker = send(wire, f"bob@{domain}")
    if outcome == "delivered":
        assert_delivered(wire, marker, ip)
    elif outcome == "deferred":
        assert_deferred(wire, marker)
    else:
        assert_bounced(wire, marker, outcome)


# --- trouble beside refusals ------------------------------------------------------------

@pytest.mark.parametrize("later,status", [({"requiretls": "inside"}, ""), ({}, "5.7.30"),
                                          ({"starttls": "absent"}, "5.7.10")])
def test_refused_and_down_waits_for_the_second(wire, later, status):
    """Contract: any other trouble is temporary; the next queue run brings the delivery, or
    the bounce when by then all have refused."""
    wire.set_behaviour(K, "plain")
    wire.set_behaviour(TWIN, "banner-421")
    marker = send(wire, TWINS)
    assert_deferred(wire, marker)
    wire.set_behaviour(TWIN, "good", **later)
    wire.run_queue()
    if status:
        assert_bounced(wire, marker, status)
    else:
        assert_delivered(wire, marker, TWIN)


@pytest.mark.parametrize("behaviour", ["starttls-4xx", "starttls-close", "requiretls-4xx",
                                       "banner-421"])
@pytest.mark.parametrize("troubled", [K, TWIN])
def test_one_refuses_and_one_has_trouble(wire, troubled, behaviour):
    """The same for other ways not to take a message now, at the first and the last host."""
    wire.set_behaviour(troubled, behaviour)
    marker = send(wire, TWINS)
    assert bounces_of(wire, marker) == [] and len(queued(wire, marker)) == 1
    assert not Seen(wire).accepted(marker)


def test_host_in_its_retry_time_was_not_asked(wire):
    """Contract: a host skipped for its retry time has refused nothing."""
    wire.set_behaviour(TWIN, "banner-421")
    wire.set_mx("one-dnssec.example", mx_list("twin.wire.example"))
    send(wire, ONE, flagged=False)
    wire.set_behaviour(TWIN, "good")
    assert_deferred(wire, send(wire, TWINS))


def test_one_recipient_waits(wire):
    """4xx to one RCPT: the other recipient has the message, this one is deferred though the
    second host refuses."""
    wire.set_behaviour(K, "requiretls", later="later")
    marker = send(wire, TWINS, "later@twins-dnssec.example")
    [message] = Seen(wire).accepted(marker)
    assert (message.ip, len(message.rcpts)) == (K, 1)
    assert message.mail_command.endswith(" REQUIRETLS")
    assert [r.startswith("later") for r in queued(wire, marker)] == [True]
    assert bounces_of(wire, marker) == []
    assert [s.refused for s in sessions(wire, TWIN)] == [True]


@pytest.mark.parametrize("fallback,outcome", [
    ("good.mail.example", "delivered"),
    ("expired.mail.example", "5.7.30"),
    ("down.wire.example", "deferred"),
])
def test_fallback_hosts(wire, fallback, outcome):
    """Contract: refusal is final only after the fallback hosts."""
    offer_everywhere(wire)
    transport(wire, f"fallback_hosts = {fallback}")
    marker = send(wire, ONE)
    if outcome == "delivered":
        assert_delivered(wire, marker, GOOD)
    elif outcome == "deferred":
        assert_deferred(wire, marker)
    else:
        assert_bounced(wire, marker, outcome)


def test_fallback_after_a_host_that_is_down(wire):
    """A fallback host that refuses does not end what another host has not answered."""
    transport(wire, "fallback_hosts = k.wire.example")
    wire.set_mx("one-dnssec.example", mx_list("down.wire.example"))
    assert_deferred(wire, send(wire, ONE))


# --- nothing is remembered --------------------------------------------------------------

def test_refused_host_is_open_for_ordinary_mail(wire):
    """Contract: no retry record; ordinary mail goes there the same moment."""
    marker = send(wire, ONE)
    assert_bounced(wire, marker, "5.7.30")
    assert "k.wire.example" not in retry_records(wire)
    assert_delivered(wire, send(wire, ONE, flagged=False), K, parameter=False)


def test_refused_with_another_down_leaves_only_the_others_record(wire):
    """A deferred message: the host that is down is remembered, the refused one not."""
    assert_deferred(wire, send(wire, "bob@downsecond-dnssec.example"))
    records = retry_records(wire)
    assert "down.wire.example" in records and "k.wire.example" not in records
    assert_delivered(wire, send(wire, ONE, flagged=False), K, parameter=False)


def test_record_of_a_refused_host_stays(wire):
    """What other mail's failures left about a host, a refusal neither takes away nor
    renews."""
    wire.set_behaviour(K, "banner-421")
    send(wire, ONE, flagged=False)
    before = retry_records(wire)
    assert "k.wire.example" in before
    wire.set_behaviour(K, "good")
    marker = send(wire, ONE)
    assert_deferred(wire, marker)
    [queue_id] = [q.id for q in wire.queue() if marker in q.recipients[0]]
    wire.exec(["/usr/sbin/exim4", "-M", queue_id])
    assert len(bounces_of(wire, marker)) == 1
    assert [line for line in retry_records(wire).splitlines() if " T:" in line] == \
        [line for line in before.splitlines() if " T:" in line]


def test_no_wait_record(wire):
    """Contract: a refused host is not one for which a message waits."""
    assert_deferred(wire, send(wire, "bob@downsecond-dnssec.example"))
    assert "k.wire.example" not in wire.exec(
        ["/usr/sbin/exim_dumpdb", "/var/spool/exim4", "wait-remote_smtp"], check=False).stdout


# --- the option -------------------------------------------------------------------------

ENFORCE, VERIFIED, OPPORTUNISTIC, DISABLE = (
    ("enforce", "yes", "true", "1", "ENFORCE"), ("verified",), ("opportunistic",),
    ("disable", "no", "false", "0", ""))
LEVELS = [
    # values, host without REQUIRETLS, with, with but a bad certificate, in clear
    (ENFORCE, ("5.7.30", "asked", "5.7.10", "5.7.10")),
    (VERIFIED, ("sent", "asked", "5.7.10", "5.7.10")),
    (OPPORTUNISTIC, ("sent", "asked", "sent", "sent")),
    (DISABLE, ("sent", "sent", "sent", "sent")),
]
HOSTS = [{}, {"requiretls": "inside"}, {"requiretls": "inside", "cert": "selfsigned"},
         {"requiretls": "both", "starttls": "absent"}]


@pytest.mark.parametrize("number", range(len(HOSTS)))
def test_levels(wire, number):
    """Contract: the values of the option, for a message with a sender. They count whatever
    the message's own flag is."""
    transport(wire, "requiretls = ${if def:h_X-Level: {$h_X-Level:}}")
    wire.set_behaviour(K, "good", **HOSTS[number])
    wanted, found = {}, {}
    for values, outcomes in LEVELS:
        for value in values:
            for flagged in (True, False)[:2 if value == values[0] else 1]:
                marker = send(wire, ONE, flagged=flagged, headers={"X-Level": value})
                wanted[value, flagged] = outcomes[number]
                found[value, flagged] = result(wire, marker)
    assert found == wanted


def result(lab, marker):
    """asked or sent (with or without the parameter), waits, or the status of the bounce."""
    accepted = Seen(lab).accepted(marker)
    if accepted:
        return "asked" if accepted[0].mail_command.endswith(" REQUIRETLS") else "sent"
    if queued(lab, marker):
        return "waits"
    return re.search(r"\b5\.7\.\d+", bounces_of(lab, marker)[0].text)[0]


@pytest.mark.parametrize("number", range(len(HOSTS)))
def test_levels_of_an_empty_sender(wire, number):
    """RFC 8689 5: a bounce asks where it can and goes in any case: verified and enforce are
    as opportunistic."""
    transport(wire, "requiretls = $h_X-Level:")
    wire.set_behaviour(K, "good", **HOSTS[number])
    wanted = LEVELS[2][1][number]
    for level in ("enforce", "verified", "opportunistic"):
        marker = send(wire, ONE, sender="", headers={"X-Level": level})
        assert result(wire, marker) == wanted


@pytest.mark.parametrize("value", ["maybe", "enforced", "${if", "${nosuch{x}}", "2",
                                   "yes no", "${if forced fail}"])
def test_bad_value(wire, value):
    """Contract: what cannot be read defers, and nothing is sent, not even for ordinary
    mail."""
    wire.set_behaviour(K, "requiretls")
    transport(wire, f"requiretls = {value}")
    for flagged in (True, False):
        marker = send(wire, ONE, flagged=flagged)
        assert Seen(wire).touched(marker) == set()
        assert bounces_of(wire, marker) == [] and len(queued(wire, marker)) == 1
    assert all(not s.mails for s in sessions(wire))


@pytest.mark.parametrize("main,own,host,outcome", [
    ("enforce", "", {}, "5.7.30"),
    ("verified", "", {}, "sent"),
    ("disable", "", {"requiretls": "inside"}, "sent"),
    ("disable", "requiretls = enforce", {}, "5.7.30"),
    ("enforce", "requiretls = disable", {}, "sent"),
    ("maybe", "", {"requiretls": "inside"}, "waits"),
    ("${if eq{$host}{k.wire.example}{verified}{enforce}}", "", {}, "sent"),
])
def test_main_option(wire, main, own, host, outcome):
    """Contract: requiretls_level is what transports have that say nothing."""
    change(wire, ("never_users = root\n", f"never_users = root\nrequiretls_level = {main}\n"))
    transport(wire, own)
    wire.set_behaviour(K, "good", **host)
    assert result(wire, send(wire, ONE)) == outcome


def test_option_per_host(wire):
    """Contract: expanded for each host, $host is set."""
    transport(wire, "requiretls = ${if eq{$host}{k.wire.example}{enforce}{disable}}")
    assert_delivered(wire, send(wire, TWINS), TWIN, parameter=False)
    wire.set_behaviour(K, "requiretls")
    assert_delivered(wire, send(wire, TWINS), K)


# --- other protocols --------------------------------------------------------------------

@pytest.mark.parametrize("protocol", ["lmtp", "smtps"])
def test_other_protocols(wire, protocol):
    """RFC 8689 2 (7): valid for relay and LMTP; TLS from the first byte is TLS."""
    transport(wire, f"protocol = {protocol}", *(["port = 25"] if protocol == "lmtp" else []))
    assert_bounced(wire, send(wire, ONE), "5.7.30")
    wire.set_behaviour(K, "requiretls")
    assert_delivered(wire, send(wire, ONE), K)
    assert sessions(wire)[-1].in_tls[0].split()[0] == ("LHLO" if protocol == "lmtp"
                                                       else "EHLO")
    wire.set_behaviour(K, "requiretls", cert="expired")
    marker = send(wire, ONE)
    assert result(wire, marker) == "5.7.10"


def test_early_pipelining_and_resumption_are_off(wire):
    """Contract: neither for such a message; both for ordinary mail, before and after."""
    change(wire, ("log_selector = ", "log_selector = +pipelining +tls_resumption "))
    transport(wire, "hosts_pipe_connect = *", "tls_resumption_hosts = *")
    wire.set_mx_requiretls(GOOD)
    for flagged in (False, False, True, False):
        send(wire, "bob@secure.example", flagged=flagged)
    lines = [line for line in wire.mainlog().splitlines() if "=> bob" in line]
    assert [bool(re.search(r" X=\S+\* ", line)) for line in lines] == [False, True, False, True]
    assert [" L* " in line for line in lines] == [False, True, False, True]


# --- the log, and events ----------------------------------------------------------------

def test_log(wire):
    """Contract: the words of the log."""
    wire.set_behaviour(TWIN, "requiretls")
    send(wire, TWINS)
    send(wire, ONE)
    log = wire.mainlog()
    assert ("H=k.wire.example [192.0.2.71]: 5.7.30 REQUIRETLS support required: not offered "
            "by k.wire.example [192.0.2.71]") in log
    assert [" REQUIRETLS" in line for line in log.splitlines() if " => bob" in line] == [True]
    assert [" REQUIRETLS " in line for line in log.splitlines() if " <= alice" in line] == \
        [True, True]
    assert " ** bob" in log


def test_events(wire):
    """Contract: each host that refused raises msg:host:defer; the failure of the message is
    no msg:defer, trouble is."""
    change(wire, ("begin acl\n", "begin acl\n\nevent:\n  accept logwrite = EVENT $acl_arg1\n"))
    transport(wire, "event_action = ${acl{event}{$event_name $host_address}}")

    def events():
        return [line.split("EVENT ")[1] for line in wire.mainlog().splitlines()
                if "EVENT msg:" in line and ":fail:" not in line]

    send(wire, TWINS)
    assert events() == [f"msg:host:defer {K}", f"msg:host:defer {TWIN}"]
    wire.set_behaviour(TWIN, "banner-421")
    send(wire, TWINS)
    assert events()[2:] == [f"msg:host:defer {K}", f"msg:host:defer {TWIN}",
                            f"msg:defer {TWIN}"]
