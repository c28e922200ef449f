"""No connection that was made for something else carries a message under REQUIRETLS, nor the
other way round (RFC 8689 section 2: the session must meet its requirements): continued
connections, held callouts, cut-through delivery."""

import smtplib
import ssl

import pytest

from patched import Seen, bounces_of, change, queued, send, sessions, statuses
from sender import new_marker, world

K, TWIN = "192.0.2.71", "192.0.2.72"
ONE, TWINS = "bob@one-dnssec.example", "bob@twins-dnssec.example"
EXIM = "/usr/sbin/exim4"


# --- continued connections --------------------------------------------------------------

def waiting(lab, flags):
    """Messages for k.wire.example that wait for it; returns marker -> flagged. Exim notes
    which messages wait for a host when it cannot be reached."""
    lab.set_behaviour(K, "banner-421")
    markers = {send(lab, ONE, flagged=flagged, queue_only=True): flagged for flagged in flags}
    lab.exec([EXIM, "-qff"])
    lab.settle()
    assert len(lab.queue()) == len(flags)
    return markers


def carried(lab, markers):
    """For each session with k.wire.example in which mail went: is each message flagged?"""
    found = []
    for session in sessions(lab, K):
        flags = [flagged for mail in session.mails for marker, flagged in markers.items()
                 if marker in mail]
        if session.mails:
            found.append(flags)
            assert [m.endswith(" REQUIRETLS") for m in session.mails] == flags
    return found


@pytest.mark.parametrize("run", ["-qff", "-qqff"])
def test_ordinary_mail_shares_a_connection(wire, run):
    """The lab can tell: without flags, all goes over one connection."""
    markers = waiting(wire, [False] * 4)
    wire.set_behaviour(K, "requiretls")
    wire.exec([EXIM, run])
    assert carried(wire, markers) == [[False] * 4]


@pytest.mark.parametrize("run", ["-qff", "-qqff"])
@pytest.mark.parametrize("behaviour", ["requiretls", "good", "plain"])
@pytest.mark.parametrize("flags", [
    [False, True, False, True, False], [True, False, True, False], [True, True, True]],
    ids=["ordinary-first", "flagged-first", "flagged"])
def test_flagged_mail_is_alone(wire, run, behaviour, flags):
    """Contract: a flagged message's connection is for it only: nothing comes before it,
    nothing after it; to a host that does not qualify it does not go at all."""
    markers = waiting(wire, flags)
    wire.set_behaviour(K, behaviour)
    wire.exec([EXIM, run])
    wire.run_queue()
    found = carried(wire, markers)
    assert all(session == [True] or True not in session for session in found), found
    qualifies = behaviour == "requiretls"
    seen = Seen(wire)
    for marker, flagged in markers.items():
        delivered = qualifies or not flagged
        assert len(seen.accepted(marker)) == delivered
        assert bool(seen.touched(marker)) == delivered
        assert len(bounces_of(wire, marker)) == (not delivered)
    assert wire.queue() == []


def test_flagged_mail_leaves_a_connection_it_was_handed(wire):
    """A process that is told to go on with an open connection (exim -MC) does not: its
    message goes over one of its own."""
    markers = waiting(wire, [False, True])
    wire.set_behaviour(K, "requiretls")
    [ordinary] = [q.id for q in wire.queue()
                  if any(m in q.recipients[0] for m, flagged in markers.items() if not flagged)]
    wire.exec([EXIM, "-M", ordinary])
    wire.settle()
    assert sorted(carried(wire, markers)) == [[False], [True]]
    assert wire.queue() == []


def test_several_transactions_of_one_message(wire):
    """Each MAIL command of a message that is sent in pieces has the parameter."""
    change(wire, ("  hosts_try_dane = *\n", "  hosts_try_dane = *\n  max_rcpt = 1\n"))
    wire.set_behaviour(K, "requiretls")
    marker = send(wire, *[f"user{n}@one-dnssec.example" for n in range(4)])
    messages = Seen(wire).accepted(marker)
    assert len(messages) == 4
    mails = [mail for session in sessions(wire, K) for mail in session.mails]
    assert len(mails) == 4 and all(mail.endswith(" REQUIRETLS") for mail in mails)


def test_recipients_of_two_domains(wire):
    """One flagged message, two domains, the same hosts: delivered to both, or bounced for
    both."""
    for behaviour in ("requiretls", "good"):
        wire.set_behaviour(K, behaviour)
        marker = send(wire, ONE, TWINS)
        accepted = Seen(wire).accepted(marker)
        assert sum(len(m.rcpts) for m in accepted) == (2 if behaviour == "requiretls" else 0)
        assert all(m.mail_command.endswith(" REQUIRETLS") for m in accepted)
    assert [statuses(b.text) for b in bounces_of(wire, marker)] == [["5.7.30", "5.7.30"]]


# --- callouts and cut-through -----------------------------------------------------------

RCPT_ACLS = {
    "hold": "  require verify = recipient/callout=use_sender,hold\n",
    "cutthrough": "  warn control = cutthrough_delivery\n  require verify = recipient\n",
}
FLAG = "  warn control = requiretls\n"


def acl(lab, rcpt="", predata="", data=""):
    """The sender's ACLs."""
    change(lab, ("acl_check_rcpt:\n", f"acl_check_rcpt:\n{rcpt}"),
           ("acl_check_data:\n", f"acl_check_data:\n{data}"),
           ("begin acl\n", f"begin acl\n\nacl_check_predata:\n{predata}  accept\n"),
           ("never_users = root\n",
            "never_users = root\nacl_smtp_predata = acl_check_predata\n"))


def one_message(lab, flagged):
    """A message with a marker in its envelope, which a callout tells, and a secret in the
    rest, which it must not."""
    marker, secret = new_marker(), new_marker()
    lab.send(f"alice+{marker}@lab.example", [f"bob+{marker}@one-dnssec.example"], body=secret,
             headers={"Subject": secret}, extra_args=["-oR"] if flagged else [])
    lab.settle()
    return marker, secret


def assert_on_its_own(lab, marker, secret, qualifies):
    """The message was delivered with the parameter over a session of its own, or bounced; no
    host that was asked beforehand got more than the envelope."""
    with_data = [s for s in sessions(lab, K) if s.data]
    if qualifies:
        [session] = with_data
        [mail] = session.mails
        assert mail.endswith(" REQUIRETLS") and secret in "".join(session.data)
        assert len(Seen(lab).accepted(secret)) == 1
    else:
        assert with_data == [] and Seen(lab).touched(secret) == set()
        assert [statuses(b.text) for b in bounces_of(lab, marker)] == [["5.7.30"]]
    assert queued(lab, marker) == []
    others = [s for s in sessions(lab, K) if not s.data]
    assert all(s.commands[-1] == "QUIT" for s in others)


@pytest.mark.parametrize("kind", RCPT_ACLS)
def test_ordinary_mail_uses_the_connection(wire, kind):
    """The lab can tell: unflagged, the message goes over the connection of the callout."""
    acl(wire, rcpt=RCPT_ACLS[kind])
    wire.set_behaviour(K, "requiretls")
    _, secret = one_message(wire, flagged=False)
    [session] = sessions(wire, K)
    assert secret in "".join(session.data)
    assert (">>" in wire.mainlog()) == (kind == "cutthrough")


@pytest.mark.parametrize("qualifies", [True, False])
@pytest.mark.parametrize("kind", RCPT_ACLS)
def test_flagged_mail_does_not(wire, kind, qualifies):
    """Contract: no held connection is used, cut-through delivery is not done."""
    acl(wire, rcpt=RCPT_ACLS[kind])
    wire.set_behaviour(K, "requiretls" if qualifies else "good")
    assert_on_its_own(wire, *one_message(wire, flagged=True), qualifies)
    assert ">>" not in wire.mainlog()


@pytest.mark.parametrize("qualifies", [True, False])
@pytest.mark.parametrize("where", ["rcpt", "rcpt-before", "predata"])
@pytest.mark.parametrize("kind", RCPT_ACLS)
def test_flagged_by_an_acl(wire, kind, where, qualifies):
    """Contract: control = requiretls, also when the connection is open already."""
    acls = {"rcpt": {"rcpt": RCPT_ACLS[kind] + FLAG},
            "rcpt-before": {"rcpt": FLAG + RCPT_ACLS[kind]},
            "predata": {"rcpt": RCPT_ACLS[kind], "predata": FLAG}}[where]
    acl(wire, **acls)
    wire.set_behaviour(K, "requiretls" if qualifies else "good")
    assert_on_its_own(wire, *one_message(wire, flagged=False), qualifies)
    assert ">>" not in wire.mainlog()


@pytest.mark.parametrize("qualifies", [True, False])
@pytest.mark.parametrize("kind", RCPT_ACLS)
def test_flagged_by_the_data_acl(wire, kind, qualifies):
    """The same so late that cut-through delivery has sent the body; what is possible then is
    that no host accepts it: the transaction is not completed."""
    acl(wire, rcpt=RCPT_ACLS[kind], data=FLAG)
    wire.set_behaviour(K, "requiretls" if qualifies else "good")
    marker, secret = one_message(wire, flagged=False)
    accepted = Seen(wire).accepted(secret)
    assert [m.mail_command.endswith(" REQUIRETLS") for m in accepted] == [True] * qualifies
    assert len(bounces_of(wire, marker)) == (not qualifies)
    assert ">>" not in wire.mainlog() and queued(wire, marker) == []


# --- the parameter, as a client sends it ------------------------------------------------

DAEMON = ("never_users = root\n",
          "never_users = root\ntls_advertise_hosts = *\ntls_advertise_requiretls = *\n"
          "tls_certificate = /run/lab/certs/mx/203.0.113.1.pem\n"
          "tls_privatekey = /run/lab/certs/mx/203.0.113.1.pem\n")


def submit(lab, recipient, *params_of_each):
    """A client that speaks TLS and sends messages in one session, with these parameters;
    returns (marker of the envelope, secret of the rest) of each."""
    words = [(new_marker(), new_marker()) for _ in params_of_each]
    context = ssl.create_default_context(cafile=str(lab.ca_bundle))
    context.check_hostname = False

    def talk():
        with smtplib.SMTP(world.SENDER, 25, "client.lab.example", timeout=20) as client:
            client.starttls(context=context)
            client.ehlo()
            assert client.has_extn("requiretls")
            for (marker, secret), params in zip(words, params_of_each):
                assert client.mail(f"alice+{marker}@lab.example", params)[0] == 250
                assert client.rcpt(recipient.replace("@", f"+{marker}@"))[0] == 250
                assert client.data(f"Subject: {secret}\r\n\r\n{secret}\r\n")[0] == 250

    lab.in_network(talk)
    lab.settle()
    return words


@pytest.mark.parametrize("kind", ["", *RCPT_ACLS])
@pytest.mark.parametrize("qualifies", [True, False])
def test_relay(wire, kind, qualifies):
    """RFC 8689 4.1 and 4.2.1: what came with the parameter goes with the parameter, or comes
    back; with callouts and cut-through delivery as well."""
    acl(wire, rcpt=RCPT_ACLS.get(kind, ""))
    change(wire, DAEMON)
    wire.start_daemon("-odf")
    wire.set_behaviour(K, "requiretls" if qualifies else "good")
    [words] = submit(wire, ONE, ["REQUIRETLS"])
    assert_on_its_own(wire, *words, qualifies)


def test_relay_two_messages_in_one_session(wire):
    """The flag is of one message: the one before and the one after have their own."""
    change(wire, DAEMON)
    wire.start_daemon("-odf")
    wire.set_behaviour(K, "requiretls")
    words = submit(wire, ONE, [], ["REQUIRETLS"], [])
    asked = [[m.mail_command.endswith(" REQUIRETLS") for m in Seen(wire).accepted(secret)]
             for _, secret in words]
    assert asked == [[False], [True], [False]]


def test_relay_from_patched_to_patched(wire):
    """Interworking, both sides Exim: the receiver got the parameter, flagged the message and
    says so."""
    change(wire, DAEMON)
    wire.start_daemon("-odf")
    wire.set_mx_requiretls("192.0.2.11")
    [(_, secret)] = submit(wire, "bob@secure.example", ["REQUIRETLS"])
    [message] = Seen(wire).accepted(secret)
    assert message.mail_command.endswith(" REQUIRETLS") and message.tls
    received = [str(line) for line in message.parsed().get_all("Received")]
    assert ["(REQUIRETLS)" in line for line in received] == [True, True]
    arrival = [line for line in wire.mx_log().splitlines() if " <= alice" in line]
    assert " REQUIRETLS " in arrival[0]
