"""Preflight (module/conf/acl.conf): a flagged message that could never go as it demands is
refused at RCPT or DATA, in the words of the bounce, and nothing else is."""

import re
import shutil
import time

import pytest

import raw
from mail import ALICE, GOOD, assert_bounced, deliver
from sender import ROOT, SENDER_CONF, write_snippets
from test_stanzas import UPDATE_CONF

OURS, STRANGER = "203.0.113.1", "192.0.2.11"
INSECURE = ("550 5.7.10 REQUIRETLS: nothing vouches for the MX hosts of {}: no DNSSEC and no "
            "MTA-STS policy")
RULES = "flag Subject *[secure]*\ndnssec Subject *[signed]* SECURE\n"

# Where the stanzas are, and the lines of OPERATING.md: the include, the one for both ACLs, and
# that for Debian.
STANZAS = re.search(r"\.include (\S+)/main\.conf", SENDER_CONF)[1]
DOCUMENTED = (ROOT / "docs/OPERATING.md").read_text().partition(
    "## Refusing what would come back\n")[2].partition("\n## ")[0]
INCLUDE, REQUIRE, DEBIAN_LINE = (
    re.search(rf"^ {{4}}({words}.*\n)", DOCUMENTED, re.MULTILINE)[1].replace(
        "/usr/share/exim-requiretls", STANZAS)
    for words in (r"\.include ", "require ", r"\.include_if_exists "))

# As an operator's configuration.
CONF = SENDER_CONF.replace(
    "qualify_domain", f"hostlist relay_from_hosts = : {OURS}\nrfc1413_query_timeout = 0s\n"
    "qualify_domain").replace("begin acl\n", f"begin acl\n\n{INCLUDE}").replace(
    "  accept\n\nacl_check_data:\n",
    f"  {REQUIRE}  accept\n\nacl_check_data:\n  {REQUIRE}")


@pytest.fixture(name="ready", autouse=True)
def fixture_ready(site):
    """Such a site."""
    site.lab.write_sender_conf(CONF)
    site.rules(RULES)
    return site


def ask(site, *recipients, sender=ALICE, subject="x", data=True, params=""):
    """One message, command by command; the replies to RCPT and, at the end, to DATA. It is
    put on the queue and no more."""
    lines = ["EHLO x", f"MAIL FROM:<{sender}> {params}".rstrip(),
             *(f"RCPT TO:<{recipient}>" for recipient in recipients)]
    if data:
        lines += ["DATA", f"Subject: {subject}", "", "x", "."]
    reply = site.lab.smtp("".join(line + "\r\n" for line in [*lines, "QUIT"]), ["-odq"])
    found = re.findall(r"^(?:\d{3}-.*\n)*\d{3} .*$", reply, re.MULTILINE)
    return [one_line(text) for text in found[3:-1]]  # not to connection, EHLO, MAIL and QUIT


def one_line(reply):
    """A reply in several lines, of which each has both codes (RFC 2034 section 4), as one."""
    first, *rest = reply.splitlines()
    code = re.match(r"(\d{3})[- ](\d\.\d+\.\d+ )?", first)
    for line in rest:
        assert line[:3] == code[1] and line[4:].startswith(code[2] or ""), reply
    return f"{code[1]} {first[4:]}" + "".join(
        " " + line[4:].removeprefix(code[2] or "") for line in rest)


def rcpt(site, recipient, **more):
    """The reply to one RCPT."""
    return ask(site, recipient, data=False, **more)[0]


def keep_answers(site, domain):
    """The answers of DNS in a domain's record are good for a long time."""
    record = site.cache_file(domain)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    record.write_text(re.sub("(?m)^((?:mx|txt)-until) .*$", rf"\1 {until}",
                             record.read_text()))


# --- at RCPT ------------------------------------------------------------------------------

def test_insecure_domain_is_refused(site):
    """No policy, no DNSSEC: the sender is told at once, in the words the bounce would have."""
    assert rcpt(site, "bob+requiretls@nopolicy.example") == INSECURE.format("nopolicy.example")
    assert "rejected RCPT" in site.lab.mainlog()
    assert site.lab.queue() == [] and site.log() == ""


def test_good_domain_is_accepted(site):
    """DNSSEC or a policy vouches for it, or nobody has to."""
    for name in ("secure", "enforce", "dane-good", "testing", "implicit"):
        assert rcpt(site, f"bob+requiretls@{name}.example") == "250 Accepted", name


def test_nothing_is_looked_up_for_what_is_not_flagged(site):
    """Nor is it refused; without a demand there is no question."""
    for domain in ("nopolicy.example", "nullmx.example", "enforce.example"):
        assert rcpt(site, f"bob@{domain}") == "250 Accepted"
        assert site.lab.dns_queries(domain) == 0


def test_tag_on_an_earlier_recipient(site):
    """It flags the message, so also for those that come after it."""
    assert ask(site, "bob@nopolicy.example", "bob+requiretls@secure.example",
               "carol@nopolicy.example", data=False) == [
        "250 Accepted", "250 Accepted", INSECURE.format("nopolicy.example")]


def test_tag_of_a_refused_recipient(site):
    """Is none of this message."""
    assert ask(site, "bob+requiretls@nopolicy.example", "carol@nopolicy.example",
               data=False)[1] == "250 Accepted"


def test_acl_variable(site):
    """What an ACL before it has set."""
    assert rcpt(site, "bob@nopolicy.example", sender="x@board.lab.example") == \
        INSECURE.format("nopolicy.example")


def test_stock_exim_at_level_enforce(site):
    """Nothing flagged can go: that is said without a look at the network."""
    site.configure(requiretls="enforce")
    assert rcpt(site, "bob+requiretls@secure.example").startswith(
        "550 5.7.30 REQUIRETLS support required: ")
    assert site.lab.dns_queries("secure.example") == 0


def test_other_refusals(site):
    """All that the router returns for good, and by whatever name."""
    for address, reply in (
            ("bob+requiretls@[192.0.2.11]",
             "550 5.7.10 an address literal has no name that could be verified"),
            ("bob+requiretls@secure-nullmx.example",
             "550 5.1.10 domain secure-nullmx.example accepts no mail (null MX)"),
            ("bob+requiretls@no-such.secure.example",
             "550 5.1.2 domain no-such.secure.example does not exist or has no mail host"),
            ("bob+requiretls@NoPolicy.Example", INSECURE.format("nopolicy.example")),
            ('"b b+requiretls"@nopolicy.example', INSECURE.format("nopolicy.example"))):
        assert rcpt(site, address) == reply


def test_what_would_wait_is_let_in(site):
    """A temporary failure is no reason to refuse, not even for now."""
    for name in ("bogus", "servfail", "policydown"):
        assert rcpt(site, f"bob+requiretls@{name}.example") == "250 Accepted", name


# --- whose mail it is not ---------------------------------------------------------------------

def test_local_domain(site):
    """What stays here goes nowhere."""
    assert rcpt(site, "alice+requiretls@lab.example") == "250 Accepted"
    assert site.lab.dns_queries("lab.example") == 0


def test_domain_of_an_earlier_router(site):
    """The operator has named it."""
    site.lab.write_sender_conf("REQUIRETLS_ROUTED_BEFORE = +local_domains : nopolicy.example\n"
                               + CONF)
    assert rcpt(site, "bob+requiretls@nopolicy.example") == "250 Accepted"
    assert "550" in rcpt(site, "bob+requiretls@nopolicy-notls.example")


def test_exemption(site):
    """What is lifted refuses nothing."""
    site.configure(exempt="/etc/exim4/requiretls.exempt")
    site.lab.write_etc("requiretls.exempt", "nopolicy.example requiretls until=2037-01-01 \"why\"\n")
    assert rcpt(site, "bob+requiretls@nopolicy.example") == "250 Accepted"
    assert "550 5.7.10" in rcpt(site, "bob+requiretls@nopolicy-notls.example")


@pytest.mark.parametrize("level", ["opportunistic", "disable"])
def test_level(site, level):
    """Of all domains, or of one."""
    site.rules(f"level nopolicy.example {level}\n")
    assert rcpt(site, "bob+requiretls@nopolicy.example") == "250 Accepted"
    assert "550 5.7.10" in rcpt(site, "bob+requiretls@nopolicy-notls.example")
    site.configure(requiretls=level)
    assert rcpt(site, "bob+requiretls@nopolicy-notls.example") == "250 Accepted"


def test_empty_sender(site):
    """A bounce that a client has to deliver asks, and does not insist; what the site flags
    by itself does."""
    assert "550 5.7.10" in rcpt(site, "bob+requiretls@nopolicy.example", sender="")


def test_required_by_a_rule(site):
    """Also of what nobody flags."""
    site.rules("require nopolicy.example dnssec\n")
    assert rcpt(site, "bob@nopolicy.example") == \
        "550 5.7.10 the MX answer for nopolicy.example is not signed with DNSSEC, which a " \
        "rule of this site requires for the message"


# --- at DATA ------------------------------------------------------------------------------

def test_header_rule(site):
    """Only now it is known."""
    assert ask(site, "bob@nopolicy.example", subject="[secure]") == [
        "250 Accepted", "354 Enter message, ending with \".\" on a line by itself",
        INSECURE.format("nopolicy.example")]
    assert ask(site, "bob@nopolicy.example")[2].startswith("250 OK")


def test_secure_rule(site):
    """dnssec ... SECURE."""
    assert ask(site, "bob@enforce.example", subject="[signed]")[2].startswith(
        "550 5.7.10 the MX answer for enforce.example is not signed")
    assert ask(site, "bob@secure.example", subject="[signed]")[2].startswith("250 OK")


def test_one_recipient_can_get_it(site):
    """A refusal at DATA is for all of them, so it keeps nothing from anybody: here, of a local
    user too."""
    for other in ("bob@secure.example", "alice@lab.example", "bob@silent.example"):
        replies = ask(site, "bob@nopolicy.example", other, subject="[secure]")
        assert replies[-1].startswith("250 OK"), other
    assert ask(site, "bob@nopolicy.example", "bob@nopolicy-notls.example",
               subject="[secure]")[-1] == INSECURE.format("nopolicy.example")


def test_tls_required_no(site):
    """Relaxed: it goes."""
    reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                          "RCPT TO:<bob@nopolicy.example>\r\nDATA\r\nTLS-Required: No\r\n"
                          "Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n", ["-odq"])
    assert "250 OK id=" in reply


# --- smart hosts ----------------------------------------------------------------------------

@pytest.mark.parametrize("via,reply", [
    ("relay.example::587", "250 Accepted"),
    ("[192.0.2.61]", "550 5.7.10 an address literal has no name that could be verified"),
    ("relay.example : [192.0.2.61]", "250 Accepted"),
    ("nopolicy.example/mx", INSECURE.format("nopolicy.example")),
    ("secure.example/mx", "250 Accepted"),
    ("${if eq{$domain}{nopolicy-notls.example}{relay.example}{}}",
     INSECURE.format("nopolicy.example")),
])
def test_smart_host(site, via, reply):
    """It is about the smart host; by its host name nothing is looked up."""
    site.lab.write_sender_conf(f"REQUIRETLS_VIA = {via}\n" + CONF)
    assert rcpt(site, "bob+requiretls@nopolicy.example") == reply
    assert rcpt(site, "bob+requiretls@nopolicy-notls.example") == (
        "250 Accepted" if "$domain" in via else reply)
    assert site.lab.dns_queries("relay.example") == 0


def test_smart_host_by_domain_at_data(site):
    """Which one it is depends on what is not known at DATA: then nothing is said."""
    via = "${if eq{$domain}{nopolicy.example}{relay.example}{}}"
    site.lab.write_sender_conf(f"REQUIRETLS_VIA = {via}\n" + CONF)
    assert ask(site, "bob@nopolicy.example", subject="[secure]")[2].startswith("250 OK")
    site.lab.write_sender_conf("REQUIRETLS_VIA = relay.example\n" + CONF)
    assert ask(site, "bob@nopolicy.example", subject="[secure]")[2].startswith("250 OK")
    site.lab.write_sender_conf("REQUIRETLS_VIA = nopolicy.example/mx\n" + CONF)
    assert ask(site, "bob@secure.example", subject="[secure]")[2] == \
        INSECURE.format("nopolicy.example")


# --- what it may cost ---------------------------------------------------------------------

def test_slow_dns_is_not_waited_for(site):
    """After preflight_timeout the message is let in, and the session goes on. So does the
    lookup, by itself, and is there for the delivery."""
    site.configure(preflight_timeout="300ms", resolve_timeout="60s", dns_timeout="50s")
    site.lab.start_daemon("-odq")
    with raw.Client(site.lab, source=OURS) as client:
        site.lab.pause("unbound")
        try:
            client.ehlo()
            client.mail()
            assert client.ask("RCPT TO:<bob+requiretls@nopolicy.example>").code == 250
            site.lab.exec(["pgrep", "-f", "[e]xim-requiretls resolve"])
        finally:
            site.lab.resume("unbound")
        assert client.ask("DATA").code == 354
        assert client.ask("Subject: x\r\n\r\nx\r\n.").code in (250, 550)
        assert client.ask("QUIT").code == 221
    site.lab.stop_daemon()
    assert "nopolicy.example: /usr/sbin/exim-requiretls could not resolve it: no answer " \
        "within the time budget" in site.log()      # which waits for it
    assert "good.mail.example" in site.cache_file("nopolicy.example").read_text()


def test_waiting_ends_for_the_connection(site):
    """Four times that long in all; then nobody is asked any more."""
    site.configure(preflight_timeout="200ms", resolve_timeout="2s", dns_timeout="1s")
    replies = ask(site, *(f"bob+requiretls@d{i}.silent.example" for i in range(12)), data=False)
    assert replies == ["250 Accepted"] * 12
    assert 4 <= site.log().count("could not resolve it") <= 6


def test_lookups_end_for_the_connection(site):
    """Nobody has the DNS asked without end by one connection."""
    names = [f"bob+requiretls@d{i}.nopolicy.example" for i in range(40)]
    replies = ask(site, *names, data=False)
    assert [reply[:3] for reply in replies] == ["550"] * 32 + ["250"] * 8


def test_cache_only(site):
    """preflight_timeout = 0: what is known and good refuses, and no question goes out."""
    site.configure(preflight_timeout="0")
    site.program("resolve", "nopolicy.example", user="Debian-exim")
    keep_answers(site, "nopolicy.example")
    before = site.lab.dns_queries("nopolicy.example")
    assert rcpt(site, "bob+requiretls@nopolicy.example") == INSECURE.format("nopolicy.example")
    assert rcpt(site, "bob+requiretls@nopolicy-notls.example") == "250 Accepted"
    assert site.lab.dns_queries("nopolicy.example") == before
    assert site.lab.dns_queries("nopolicy-notls.example") == 0


def test_cache_only_with_a_policy(site):
    """RFC 8461 section 5.1: there may be a newer one, so the cache alone does not refuse."""
    site.configure(preflight_timeout="0")
    site.program("resolve", "enforce-allmismatch.example", user="Debian-exim")
    keep_answers(site, "enforce-allmismatch.example")
    assert rcpt(site, "bob+requiretls@enforce-allmismatch.example") == "250 Accepted"
    site.configure()
    assert rcpt(site, "bob+requiretls@enforce-allmismatch.example").startswith(
        "550 5.7.10 REQUIRETLS: the MTA-STS policy of enforce-allmismatch.example names no MX")


def test_refused_only_after_a_look_at_dns(site):
    """What the cache says is asked again, as before a bounce."""
    site.program("resolve", "nopolicy.example", user="Debian-exim")
    keep_answers(site, "nopolicy.example")
    site.lab.set_mx("nopolicy.example", [])
    site.lab.set_rrset("nopolicy.example", "A", [GOOD])
    assert rcpt(site, "bob+requiretls@nopolicy.example") == "250 Accepted"


def test_stranger_causes_no_lookup(site):
    """The stanza lets only those ask who may send mail elsewhere: others are none of it, and
    get what the site's ACL has for them."""
    site.lab.write_sender_conf(CONF)
    site.lab.start_daemon()
    for source, code in ((STRANGER, 250), (OURS, 550)):
        with raw.Client(site.lab, source=source) as client:
            client.ehlo()
            client.mail()
            assert client.ask("RCPT TO:<bob+requiretls@nopolicy.example>").code == code
        assert (site.lab.dns_queries("nopolicy.example") > 0) == (code == 550)


def test_who_is_logged_in(site):
    """From anywhere."""
    site.lab.write_sender_conf(CONF.replace("qualify_domain", "auth_advertise_hosts = *\n"
                                            "qualify_domain") + raw.AUTHENTICATORS)
    site.lab.start_daemon()
    with raw.Client(site.lab, source=STRANGER) as client:
        client.ehlo()
        assert client.ask("AUTH PLAIN AGFsaWNlAHNlY3JldA==").code == 235
        client.mail()
        assert client.ask("RCPT TO:<bob+requiretls@nopolicy.example>").code == 550


# --- trouble of ours ------------------------------------------------------------------------

def test_rules_with_a_mistake(site):
    """Preflight says nothing; when the message is there it is put off, as ever."""
    site.rules("nonsense\n")
    replies = ask(site, "bob+requiretls@nopolicy.example", "bob@nopolicy.example")
    assert replies[:2] == ["250 Accepted"] * 2 and replies[-1].startswith("451")
    assert site.log().count("preflight does not work: /etc/exim4/requiretls.rules") == 1


def test_program_missing(site):
    """Let in, and the delivery sees to it."""
    site.configure(program="/nonexistent")
    assert rcpt(site, "bob+requiretls@nopolicy.example") == "250 Accepted"


# --- switched on and off --------------------------------------------------------------------

def test_off_by_default(site):
    """Without the line nothing is asked, and what is flagged comes back."""
    site.lab.write_sender_conf(SENDER_CONF)
    assert_bounced(site, deliver(site, "bob+requiretls@nopolicy.example"), "5.7.10")


def test_stanzas_alone_change_nothing(site):
    """With acl.conf included and nobody naming its ACLs: every option of Exim is as without."""
    with_acl = CONF.replace(f"  {REQUIRE}", "")
    shown = []
    for conf in (with_acl, with_acl.replace(INCLUDE, "")):
        site.lab.write_sender_conf(conf)
        shown.append(site.lab.exec(["exim4", "-bP"]).stdout)
    assert shown[0] == shown[1]
    assert_bounced(site, deliver(site, "bob+requiretls@nopolicy.example"), "5.7.10")


def test_host_checking(site):
    """exim -bh says what a client would be told."""
    reply = site.lab.exec(["exim4", "-bh", OURS], input="EHLO x\r\nMAIL FROM:<a@lab.example>\r\n"
                          "RCPT TO:<bob+requiretls@nopolicy.example>\r\nQUIT\r\n").stdout
    assert "550-5.7.10 REQUIRETLS: nothing vouches for the MX hosts of" in reply


@pytest.fixture(name="debian")
def fixture_debian(site):
    """Debian's own configuration with our files; called with what stands in
    000_localmacros."""
    host = "/run/lab/debian-exim4"
    state = site.lab.state / "debian-exim4"

    def generate(macros, kind="internet", smarthost=""):
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree("/etc/exim4", state)
        write_snippets(state)
        (state / "update-exim4.conf.conf").write_text(
            UPDATE_CONF.format(kind=kind, smarthost=smarthost).replace("127.0.0.1", OURS))
        (state / "conf.d/main/000_localmacros").write_text(macros)
        site.lab.exec(["update-exim4.conf", "-d", host, "-o", "/run/generated.conf"])
        site.lab.write_sender_conf(site.lab.exec(["cat", "/run/generated.conf"]).stdout)
        return site.lab.exec(["exim4", "-bP", "acl_smtp_rcpt", "acl_smtp_data"]).stdout

    return generate


DEBIAN = (f"{DEBIAN_LINE}MAIN_RELAY_NETS = : {OURS}\nMAIN_HARDCODE_PRIMARY_HOSTNAME = sender.lab.example\n")


def test_debian(site, debian):
    """One line in a file of the operator's own: no conffile is edited. Debian's ACL still has
    its say, and before ours."""
    assert "acl_check_rcpt" in debian("") and "requiretls" not in debian("")
    assert debian(DEBIAN) == "acl_smtp_rcpt = requiretls_check_rcpt\n" \
        "acl_smtp_data = requiretls_check_data\n"
    site.lab.start_daemon()
    with raw.Client(site.lab, source=OURS) as client:
        client.ehlo()
        client.mail()
        replies = [client.ask(f"RCPT TO:<{recipient}>") for recipient in (
            "bob+requiretls@nopolicy.example", "bob@nopolicy.example", "b!b@nopolicy.example")]
        assert [reply.code for reply in replies] == [550, 250, 550]
        assert replies[0].lines[0].startswith("5.7.10 REQUIRETLS: ")
        assert replies[2].text == "restricted characters in address"
        assert client.ask("DATA").code == 354
        assert client.ask("Subject: [secure]\r\nFrom: x@lab.example\r\n\r\nx\r\n.").code == 550
    with raw.Client(site.lab, source=STRANGER) as client:
        client.ehlo()
        client.mail()
        assert client.ask("RCPT TO:<bob+requiretls@nopolicy-notls.example>").text == \
            "relay not permitted"
    assert site.lab.dns_queries("nopolicy-notls.example") == 0


def test_debian_smart_host(site, debian):
    """Its policy counts and not the domain's."""
    debian(DEBIAN, "satellite", "relay.example::587")
    assert rcpt_by_tcp(site, "bob+requiretls@nopolicy.example") == 250
    debian(DEBIAN, "satellite", "[192.0.2.61]")
    assert rcpt_by_tcp(site, "bob+requiretls@secure.example") == 550


def test_debian_hubbed_hosts(site, debian):
    """The router of these comes before ours."""
    debian(DEBIAN)
    site.lab.write_etc("hubbed_hosts", "nopolicy.example: good.mail.example\n")
    try:
        assert rcpt_by_tcp(site, "bob+requiretls@nopolicy.example") == 250
        assert rcpt_by_tcp(site, "bob+requiretls@nopolicy-notls.example") == 550
    finally:
        site.lab.exec(["rm", "/etc/exim4/hubbed_hosts"])


def rcpt_by_tcp(site, recipient):
    """The code of the answer to RCPT from a host we relay for."""
    site.lab.start_daemon()
    with raw.Client(site.lab, source=OURS) as client:
        client.ehlo()
        client.mail()
        code = client.ask(f"RCPT TO:<{recipient}>").code
    site.lab.stop_daemon()
    return code


def test_debian_when_the_package_is_gone(debian, site):
    """The line stays in the operator's file, and does nothing."""
    site.lab.exec(["mv", f"{STANZAS}/preflight.conf", "/run/"])
    try:
        assert "requiretls" not in debian(DEBIAN)
    finally:
        site.lab.exec(["mv", "/run/preflight.conf", STANZAS])


# --- agreement ------------------------------------------------------------------------------

SPREAD = ["nopolicy", "nullmx", "implicit", "enforce", "enforce-mismatch", "enforce-allmismatch",
          "testing", "testing-mismatch", "none", "policydown", "policy404", "policycert",
          "secure", "secure-sts", "secure-nullmx", "dane-good", "dane-sts", "tlsafail", "bogus",
          "servfail", "shared-c", "relay-outside"]
REFUSED = 7


def test_agrees_with_routing(site):
    """What preflight says is what the router does with the message then: refused here is
    returned there, with the same text, and nothing else is."""
    refused = 0
    for address in (f"bob+requiretls@{name}.example" for name in SPREAD):
        reply = rcpt(site, address)
        routed = site.lab.exec(["exim4", "-bt", address], check=False).stdout
        if reply == "250 Accepted":
            assert "is undeliverable" not in routed, address
        else:
            assert f"is undeliverable: {reply[4:]}" in routed, address
            refused += 1
    assert refused == REFUSED
