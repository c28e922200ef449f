"""What reviews of the patches found: each of these once went wrong."""

import time

import pytest

from mail import ALICE
from patched import (Seen, bounces_of, change, queued, retry_records, send, sessions,
                     statuses)

ROUTER = "begin routers\n"
SMTP = "remote_smtp:\n  driver = smtp\n"
OFFERS_NOT, NO_TLS = "192.0.2.11", "192.0.2.17"


def fallback(lab, hosts, fallback_hosts):
    """A route of these hosts for fb.example, and what comes after them."""
    change(lab, (ROUTER, f"""{ROUTER}
fixed:
  driver = manualroute
  domains = fb.example
  route_list = * {hosts}
  transport = with_fallback
  no_more
"""), ("begin transports\n", f"""begin transports

with_fallback:
  driver = smtp
  fallback_hosts = {fallback_hosts}
"""))


def test_trouble_before_fallback_hosts(wire):
    """One of the first hosts is down, the other refused, and so is the fallback host: that is a
    mixture, and temporary (C2.8)."""
    fallback(wire, "down.smtp.example:notls.mail.example", "plain.smtp.example")
    marker = send(wire, "bob@fb.example")
    assert len(queued(wire, marker)) == 1
    assert bounces_of(wire, marker) == []


def test_code_of_the_first_list(wire):
    """A host that lacked only the extension counts for the code, whichever comes after it."""
    fallback(wire, "good.mail.example:notls.mail.example", "plain.smtp.example")
    marker = send(wire, "bob@fb.example")
    assert [statuses(b.text) for b in bounces_of(wire, marker)] == [["5.7.30"]]


@pytest.mark.parametrize("domain", ["enforce-4xx.example", "enforce-garbage.example",
                                    "enforce-close.example"])
def test_no_record_of_broken_tls(wire, domain):
    """TLS breaks: ordinary mail goes on in clear, as the site has it; flagged mail waits, and
    leaves no record that would make ordinary mail wait too."""
    first = send(wire, f"bob@{domain}", flagged=False)
    marker = send(wire, f"bob@{domain}")
    after = send(wire, f"bob@{domain}", flagged=False)
    assert len(Seen(wire).accepted(first)) == 1
    assert len(queued(wire, marker)) == 1
    assert len(Seen(wire).accepted(after)) == 1, retry_records(wire)


def test_nothing_waits_for_ever(wire):
    """One host refuses, the other's address cannot be looked up: in the end it is given up."""
    change(wire, ("F,2h,15m; G,16h,1h,1.5; F,4d,6h", "F,1s,1s"))
    wire.set_mx("nopolicy-notls.example", ["10 notls.mail.example", "20 x.servfail.example"])
    marker = send(wire, "bob@nopolicy-notls.example")
    assert len(queued(wire, marker)) == 1
    deadline = time.monotonic() + 20
    while queued(wire, marker) and time.monotonic() < deadline:
        time.sleep(1)
        wire.run_queue(force=False)
    assert "retry timeout exceeded" in wire.mainlog()


def test_late_control_keeps_the_header(wire):
    """control = requiretls in the DATA ACL beside headers that the ACL adds or removes: Received is
    made again, in its place, and nothing else changes."""
    change(wire, ("acl_check_data:\n  accept",
                  "acl_check_data:\n  accept add_header = :at_start:X-Foo: bar\n"
                  "         control = requiretls"))
    marker = send(wire, "bob@lab.example", flagged=False)
    text = bounces_of(wire, marker, "bob")[0].text
    assert text.count("X-Foo: bar\n") == 1
    assert text.count("Received: from") == 1 and "(REQUIRETLS)" in text


def test_removed_received_stays_removed(wire):
    """A site that takes Received out does not get it back."""
    change(wire, ("acl_check_data:\n  accept",
                  "acl_check_data:\n  accept remove_header = Received\n"
                  "         control = requiretls"))
    marker = send(wire, "bob@lab.example", flagged=False)
    assert "Received:" not in bounces_of(wire, marker, "bob")[0].text


def test_second_recipient_of_cut_through(wire):
    """A cut-through connection that one recipient may use is not used for one that needs
    more."""
    change(wire, ("acl_check_rcpt:\n  accept",
                  "acl_check_rcpt:\n  accept control = cutthrough_delivery"),
           (SMTP, SMTP + "  multi_domain = false\n"
            "  requiretls = ${if eq{$domain}{shared-b.example}{enforce}{no}}\n"))
    marker = send(wire, "bob@nopolicy.example", "carol@shared-b.example", flagged=False)
    assert [m.rcpts for m in Seen(wire).accepted(marker)] == [[f"bob+{marker}@nopolicy.example"]]
    assert [statuses(b.text) for b in bounces_of(wire, marker)] != []


def test_return_path_that_is_not_empty(wire):
    """What counts is the return path on MAIL (RFC 8689 section 4.2.1): a message without sender
    that gets one insists."""
    change(wire, ("\ndnslookup:\n  driver = dnslookup\n",
                  "\ndnslookup:\n  driver = dnslookup\n  errors_to = postmaster@lab.example\n"))
    marker = send(wire, "bob@nopolicy-notls.example", sender="")
    assert Seen(wire).accepted(marker) == []
    assert len(bounces_of(wire, marker, "postmaster")) == 1


def test_error_report_to_a_submitter(wire):
    """-oem: the report of a flagged message without recipients has no body (C3.2)."""
    wire.exec(["exim4", "-oR", "-odf", "-oem", "-oi", "-f", ALICE, "-t"], check=False,
              input=f"From: {ALICE}\nSubject: s\n\nSECRETBODY\n")
    texts = [b.text for b in wire.bounces("alice")]
    assert len(texts) == 1 and "Subject: s" in texts[0] and "SECRETBODY" not in texts[0]
    assert wire.paniclog() != ""    # Exim takes that for a panic
    (wire.state / "sender/log/paniclog").write_text("")


def test_automatic_reply_without_body(wire):
    """An automatic reply has no sender and may go in clear: it has no body of the message."""
    change(wire, (ROUTER, f"""{ROUTER}
reply:
  driver = accept
  domains = lab.example
  local_parts = bob
  transport = reply
  unseen
"""), ("begin transports\n", """begin transports

reply:
  driver = autoreply
  to = carol@nopolicy-notls.example
  subject = re
  text = t
  return_message
  user = Debian-exim
"""))
    wire.send(ALICE, ["bob@lab.example"], body="SECRETBODY\n", extra_args=["-oR"])
    assert len(wire.received(NO_TLS)) == 1
    assert wire.body_seen("SECRETBODY") == []


def test_option_that_depends_on_the_lookup(wire):
    """The option asks for enforcement by what is known of the host only: a connection that was
    passed on does not slip through before that is known."""
    change(wire, (SMTP, SMTP + "  requiretls = ${if eq{$lookup_dnssec_authenticated}{yes}"
                  "{$requiretls}{no}}\n"))
    for _ in range(4):
        send(wire, "bob@dane-good.example", flagged=False, queue_only=True)
        send(wire, "bob@dane-good.example", "carol@nopolicy.example", queue_only=True)
    wire.exec(["exim4", "-qqff"])
    wire.settle()
    commands = [m.mail_command for m in wire.received("192.0.2.21")]
    assert len(commands) == 4, wire.mainlog()
    assert sessions(wire) == []
