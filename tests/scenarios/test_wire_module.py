"""The module on a patched Exim: its levels, its own refusals beside Exim's, and Debian's
smart hosts, with one set of stanzas (module/conf)."""

from mail import ALICE
from patched import (bounces_of, change, queued, retry_records, send, sessions, statuses,
                     Seen)
from raw import Client
from test_preflight import CONF as PREFLIGHT_CONF

TAGGED = "bob+requiretls@"
OFFERS, OFFERS_2 = "192.0.2.11", "192.0.2.12"
SCRIPTED = "192.0.2.36"
CERTIFICATE = "/run/lab/certs/mx/203.0.113.1.pem"
RELAY = "192.0.2.61"


def sent(site, domain, flagged=True, **more):
    """One message to a domain; returns its marker."""
    return send(site.lab, f"bob@{domain}", flagged=flagged, **more)


def mail_commands(site, marker):
    """The MAIL commands with which that message was accepted."""
    return [m.mail_command for m in Seen(site.lab).accepted(marker)]


def test_enforce_is_asked_on_the_wire(wire_site):
    """Level enforce (the default): the parameter goes out where all is there, and what lacks
    only the extension gets 5.7.30, at once and not at the next attempt (C2.4, C2.5, C2.7)."""
    wire_site.lab.set_mx_requiretls(OFFERS)
    good = sent(wire_site, "secure.example")
    bad = sent(wire_site, "secure-scripted.example")
    assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, good)] == [True]
    assert mail_commands(wire_site, bad) == []
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, bad)] == [["5.7.30"]]
    assert all(s.refused for s in sessions(wire_site.lab, SCRIPTED))


def test_host_without_addresses_keeps_the_message(wire_site):
    """C2.8, EDGE 82: what all others refuse does not bounce while the addresses of one host
    cannot be had; when there is none, it does."""
    wire_site.lab.set_mx("secure.example", ["10 x.servfail.example", "20 s6.smtp.example"])
    waits = sent(wire_site, "secure.example")
    assert queued(wire_site.lab, waits) and bounces_of(wire_site.lab, waits) == []
    wire_site.program("cache", "flush", "--all")
    wire_site.lab.set_mx("secure.example", ["10 no-such.secure.example", "20 s6.smtp.example"])
    gone = sent(wire_site, "secure.example")
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, gone)] == [["5.7.30"]]


def test_tag_is_flagged_for_exim_too(wire_site):
    """What the module flags Exim itself knows: log, Received and spool say so, and the
    bounce carries the flag (C3.1)."""
    wire_site.lab.set_mx_requiretls(OFFERS)
    wire_site.lab.send(ALICE, [TAGGED + "secure.example"], body="x\n")
    wire_site.lab.send(ALICE, [TAGGED + "secure-scripted.example"], body="x\n")
    log = wire_site.lab.mainlog()
    assert [m.mail_command.endswith(" REQUIRETLS")
            for m in wire_site.lab.received(OFFERS)] == [True]
    assert b"(REQUIRETLS)" in wire_site.lab.received(OFFERS)[0].message
    received = [line for line in log.splitlines() if " <= " in line]
    assert len(received) == 3 and all(" REQUIRETLS " in line for line in received), log
    assert " <= <> " in received[2]


def test_levels_per_destination(wire_site):
    """`level` lines of the rules file, first match first; each level does what it says and no
    more, also through the site's own transport, which sets nothing (issue: levels)."""
    wire_site.rules("level dane-good.example verified\n"
                    "level *nopolicy.example disable\n"
                    "level *scripted.example opportunistic\n"
                    "level *requiretls.example opportunistic\n")
    for domain, asked in (("dane-good.example", False), ("nopolicy.example", False),
                          ("secure-scripted.example", False),
                          ("secure-requiretls.example", True)):
        marker = sent(wire_site, domain)
        commands = mail_commands(wire_site, marker)
        assert [c.endswith(" REQUIRETLS") for c in commands] == [asked], domain
    marker = sent(wire_site, "dane-bad.example")
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.10"]]


def test_level_verified_is_refused_at_once(wire_site):
    """All but the extension: a bad certificate bounces from the transport, without a note for
    the next routing."""
    wire_site.configure(requiretls="verified")
    marker = sent(wire_site, "secure-selfsigned.example")
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.10"]]
    assert "certificate refused: self-signed" in wire_site.log()
    assert not list((wire_site.lab.state / "sender/spool/requiretls").glob("refused/*"))


def test_level_of_unreadable_rules(wire_site):
    """Rules with a mistake: nothing goes out, not even the message that was received before."""
    marker = sent(wire_site, "secure-requiretls.example", queue_only=True)
    wire_site.rules("level secure-requiretls.example disabled\n")
    wire_site.lab.run_queue()
    assert mail_commands(wire_site, marker) == []
    assert len(queued(wire_site.lab, marker)) == 1
    assert "configuration error: /etc/exim4/requiretls.rules: line 1" in wire_site.log()


def test_disable_clears_exims_flag(wire_site):
    """requiretls = disable: what MAIL or -oR asked for stays in the spool (C1.4), and demands
    nothing."""
    wire_site.configure(requiretls="disable")
    marker = sent(wire_site, "nopolicy-notls.example")
    assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, marker)] == [False]


def test_disable_but_for_one_domain(wire_site):
    """requiretls = disable and a level for one domain: the flag is kept for that one."""
    wire_site.configure(requiretls="disable")
    wire_site.rules("level secure-scripted.example enforce\n")
    marker = sent(wire_site, "nopolicy-notls.example")
    assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, marker)] == [False]
    marker = sent(wire_site, "secure-scripted.example")
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.30"]]


EARLIER = ("begin routers\n", """begin routers

earlier:
  driver = manualroute
  domains = nopolicy.example
  address_data = ${lc:$local_part}
  route_data = notls.mail.example
  transport = remote_smtp
  no_more

""")


def test_no_word_from_address_data(wire_site):
    """A router before ours sets $address_data to what strangers write: that is not a level.
    Found by review: requiretls=disable in a local part let a flagged message out in clear."""
    change(wire_site.lab, EARLIER)
    marker = send(wire_site.lab, "requiretls=disable@nopolicy.example")
    assert mail_commands(wire_site, marker) == []
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.10"]]


def test_level_does_not_go_with_a_redirection(wire_site):
    """A redirection behind our routers leads to a domain that an earlier router takes: the
    level of the first domain is not that of the second."""
    change(wire_site.lab, (EARLIER[0], EARLIER[1].replace(
        "  address_data = ${lc:$local_part}\n", "")), ("\ndnslookup:\n", """
virtual:
  driver = redirect
  domains = secure.example
  data = $local_part@nopolicy.example

dnslookup:
"""))
    wire_site.rules("level secure.example disable\n")
    marker = sent(wire_site, "secure.example")
    assert mail_commands(wire_site, marker) == []
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.10"]]


def test_recipients_do_not_share_a_level(wire_site):
    """Two recipients with the same hosts and transport, at different levels: each goes by its
    own, in whichever order they come."""
    change(wire_site.lab, (EARLIER[0], EARLIER[1].replace("nopolicy.example", "secure.example")
                           .replace("  address_data = ${lc:$local_part}\n", "")),
           ("  multi_domain = false\n\n.include", "\n.include"),
           ("dnslookup:\n  driver = dnslookup\n",
            "dnslookup:\n  driver = manualroute\n  route_data = notls.mail.example\n"))
    wire_site.rules("level nopolicy.example disable\n")
    for recipients in (("bob@nopolicy.example", "carol@secure.example"),
                       ("carol@secure.example", "bob@nopolicy.example")):
        marker = send(wire_site.lab, *recipients)
        accepted = Seen(wire_site.lab).accepted(marker)
        assert [m.rcpts for m in accepted] == [[f"bob+{marker}@nopolicy.example"]]
        assert len(bounces_of(wire_site.lab, marker)) == 1


def forget_exims_flag(lab):
    """The queued message as a stock Exim with the module would have left it."""
    lab.exec(["sh", "-c", "sed -i '/^-requiretls$/d' /var/spool/exim4/input/*-H"])


def test_message_of_a_stock_exim(wire_site):
    """Flagged by the module on a stock Exim, sent after the upgrade: protected on every way, and
    so is its bounce (found by review)."""
    for routers in ((), (EARLIER,)):
        wire_site.reset()
        wire_site.configure(requiretls="enforce")
        change(wire_site.lab, *routers)
        wire_site.lab.send(ALICE, [TAGGED + "nopolicy.example"], body="SECRET\n",
                           queue_only=True)
        forget_exims_flag(wire_site.lab)
        wire_site.lab.run_queue()
        assert wire_site.lab.received() == []
        bounces = wire_site.lab.bounces("alice")
        assert len(bounces) == 1 and "SECRET" not in bounces[0].text
        assert " <= <> R=" in wire_site.lab.mainlog()
        assert [" REQUIRETLS " in line for line in wire_site.lab.mainlog().splitlines()
                if " <= <> R=" in line] == [True]


def test_strict_acl_vars(wire_site):
    """A site that wants no unset ACL variables used sends its mail all the same."""
    change(wire_site.lab, EARLIER, ("never_users = root\n",
                                    "never_users = root\nstrict_acl_vars\n"))
    for domain in ("nopolicy.example", "secure.example"):
        marker = sent(wire_site, domain, flagged=False)
        assert len(mail_commands(wire_site, marker)) == 1, wire_site.lab.mainlog()


def test_own_machine_is_exempt(wire_site):
    """A filter on loopback, by SMTP: flagged mail to a local user passes it as ever."""
    change(wire_site.lab, ("local_interfaces = 203.0.113.1",
                           "local_interfaces = <; 203.0.113.1 ; 127.0.0.1"),
           ("begin routers\n", """begin routers

filtered:
  driver = accept
  domains = +local_domains
  local_part_suffix = +*
  local_part_suffix_optional
  condition = ${if !eq{$sender_host_address}{127.0.0.1}}
  transport = filter
"""), ("begin transports\n", """begin transports

filter:
  driver = smtp
  hosts = 127.0.0.1
  allow_localhost
  hosts_try_dane =
"""))
    wire_site.lab.start_daemon("-odf")
    marker = send(wire_site.lab, "bob@lab.example")
    wire_site.lab.stop_daemon()
    assert "T=filter H=127.0.0.1" in wire_site.lab.mainlog()
    assert len(bounces_of(wire_site.lab, marker, "bob")) == 1


def test_opportunistic_flags_bounces_too(wire_site):
    """A bounce of a flagged message asks where it is offered, and goes where it is not
    (C3.3)."""
    for domain, asked in (("secure-requiretls.example", True),
                          ("nopolicy-notls.example", False)):
        marker = sent(wire_site, domain, sender="")
        assert [c.endswith(" REQUIRETLS")
                for c in mail_commands(wire_site, marker)] == [asked], domain


def test_refusals_of_both_bounce(wire_site):
    """One host is not in the policy (the module refuses it), the other lacks the extension
    (Exim does): nobody is left, so the message bounces at the next attempt (C2.7)."""
    marker = sent(wire_site, "enforce-mismatch.example")
    assert len(queued(wire_site.lab, marker)) == 1
    wire_site.lab.run_queue()
    assert queued(wire_site.lab, marker) == []
    assert [statuses(b.text) for b in bounces_of(wire_site.lab, marker)] == [["5.7.10"]]
    assert Seen(wire_site.lab).touched(marker) == set()
    wire_site.lab.set_mx_requiretls(OFFERS)
    again = sent(wire_site, "enforce-mismatch.example")
    assert len(mail_commands(wire_site, again)) == 1


def test_refusal_and_trouble_wait(wire_site):
    """One host is down and the other lacks the extension: temporary (C2.8)."""
    marker = sent(wire_site, "enforce-fallback.example")
    assert len(queued(wire_site.lab, marker)) == 1
    wire_site.lab.run_queue()
    assert len(queued(wire_site.lab, marker)) == 1
    wire_site.lab.set_mx_requiretls(OFFERS)
    wire_site.lab.run_queue()
    assert [c.endswith(" REQUIRETLS")
            for c in mail_commands(wire_site, marker)] == [True]


def test_refused_host_is_good_for_others(wire_site):
    """No retry record of a host that lacks the extension."""
    sent(wire_site, "secure-scripted.example")
    assert "s6.smtp.example" not in retry_records(wire_site.lab).lower()
    marker = sent(wire_site, "nopolicy-scripted.example", flagged=False)
    assert len(mail_commands(wire_site, marker)) == 1


def test_flag_of_before_the_module(wire_site):
    """A message that Exim flagged while the module was not in use is strict for the module
    too: an MX that nobody vouches for gets nothing (C2.2)."""
    lab = wire_site.lab
    with_module = (lab.state / "etc/exim4/exim4.conf").read_text()
    change(lab, (".include /usr/share/exim-requiretls/main.conf",
                 "REQUIRETLS_SO = /usr/lib/exim4/requiretls/requiretls.so\n"
                 "REQUIRETLS_EVENT =\nREQUIRETLS_CIPHERS = NORMAL\n"
                 "REQUIRETLS_IGNORE_TARGET_HOSTS ="))
    marker = sent(wire_site, "nopolicy.example", queue_only=True)
    lab.write_sender_conf(with_module)
    lab.run_queue()
    assert mail_commands(wire_site, marker) == []
    assert [statuses(b.text) for b in bounces_of(lab, marker)] == [["5.7.10"]]


def test_smart_host(wire_site):
    """With Debian's smart host ours demands of it what the message needs: the one that gives
    it gets it, with the parameter; another bounces (C2.4). Unflagged mail goes the site's own
    way."""
    lab = wire_site.lab
    change(lab, ("dnslookup:\n  driver = dnslookup\n",
                 "smarthost:\n  driver = manualroute\n  route_list = * DCsmarthost byname\n"),
           (".include /usr/share/exim-requiretls/main.conf",
            "DCconfig_smarthost = 1\nDCsmarthost = requiretls.smtp.example\n"
            ".include /usr/share/exim-requiretls/main.conf"))
    marker = sent(wire_site, "nopolicy.example")
    assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, marker)] == [True]
    change(lab, ("DCsmarthost = requiretls.smtp.example", "DCsmarthost = s6.smtp.example"))
    marker = sent(wire_site, "nopolicy.example")
    assert mail_commands(wire_site, marker) == []
    assert [statuses(b.text) for b in bounces_of(lab, marker)] == [["5.7.30"]]
    assert lab.mainlog().count("R=requiretls_strict T=requiretls_strict") == 2
    marker = sent(wire_site, "nopolicy.example", flagged=False)
    assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, marker)] == [False]
    assert "R=smarthost T=remote_smtp" in lab.mainlog()


def test_smart_host_at_the_ports_of_submission(wire_site):
    """With a login at port 587, and at 465, where TLS comes first: the parameter goes along
    where it is offered, and nothing where it is not (C2.4)."""
    lab = wire_site.lab
    change(lab, ("begin retry\n", """begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^lab^secret

begin retry
"""), (".include /usr/share/exim-requiretls/main.conf",
       "REQUIRETLS_VIA = relay.example::587\nREQUIRETLS_LOGIN_HOSTS = *\n"
       ".include /usr/share/exim-requiretls/main.conf"))
    for change_of_port in ((), ("relay.example::587\n", "relay.example\n"
                                "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\n")):
        if change_of_port:
            change(lab, change_of_port)
        lab.set_mx_requiretls(RELAY)
        marker = sent(wire_site, "nopolicy.example")
        assert [c.endswith(" REQUIRETLS") for c in mail_commands(wire_site, marker)] == [True]
        lab.set_mx_requiretls(RELAY, False)
        marker = sent(wire_site, "nopolicy.example")
        assert mail_commands(wire_site, marker) == []
        assert [statuses(b.text) for b in bounces_of(lab, marker)] == [["5.7.30"]]


def test_server_offers_by_the_stanzas(wire_site):
    """main.conf turns the server side on; REQUIRETLS_ADVERTISE_HOSTS narrows it."""
    shown = wire_site.lab.exec(["exim4", "-bP", "tls_advertise_requiretls"]).stdout
    assert shown.strip() == "tls_advertise_requiretls = *"
    change(wire_site.lab, (".include /usr/share/exim-requiretls/main.conf",
                           "REQUIRETLS_ADVERTISE_HOSTS = 192.0.2.7\n"
                           ".include /usr/share/exim-requiretls/main.conf"))
    shown = wire_site.lab.exec(["exim4", "-bP", "tls_advertise_requiretls"]).stdout
    assert shown.strip() == "tls_advertise_requiretls = 192.0.2.7"


def test_preflight_of_the_parameter(wire_site):
    """MAIL with REQUIRETLS: RCPT is refused where nothing vouches for the hosts, and what only the
    session can show is not asked about."""
    wire_site.lab.write_sender_conf(PREFLIGHT_CONF.replace(
        "qualify_domain", f"tls_certificate = {CERTIFICATE}\ntls_advertise_hosts = *\n"
        "qualify_domain"))
    wire_site.lab.start_daemon()
    with Client(wire_site.lab).secure() as client:
        assert client.mail("REQUIRETLS").code == 250
        answers = [client.ask(f"RCPT TO:<bob@{domain}>") for domain in (
            "nopolicy.example", "secure.example", "secure-scripted.example", "enforce.example")]
        assert [answer.code for answer in answers] == [550, 250, 250, 250]
        assert answers[0].lines[0].startswith("5.7.10 REQUIRETLS: ")
        for params, sender in (("", ALICE), ("REQUIRETLS", "")):   # a bounce does not insist
            client.ask("RSET")
            client.mail(params, sender)
            assert client.ask("RCPT TO:<bob@nopolicy.example>").code == 250
