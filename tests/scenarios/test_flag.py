"""Flagging from ACLs (module/conf/acl.conf), for an Exim that loads no local_scan(): the
same things flag a message, the tag comes off, and nothing is let through unseen.

Here that is the system's Exim with REQUIRETLS_BY_ACL, which leaves local_scan_path unset.
"""

import subprocess

import pytest

from mail import ALICE, GOOD, arrived, assert_bounced, assert_delivered, assert_waiting, deliver
from sender import SENDER_CONF, new_marker, write_snippets
from test_stanzas import UPDATE_CONF

BY_ACL_CONF = SENDER_CONF.replace(
    ".include /usr/share/exim-requiretls/main.conf",
    "REQUIRETLS_BY_ACL = yes\n"
    ".include /usr/share/exim-requiretls/main.conf\n"
    "acl_not_smtp = requiretls_flag_message").replace(
    "begin acl\n",
    "begin acl\n\n.include /usr/share/exim-requiretls/acl.conf\n").replace(
    "acl_check_data:\n",
    "acl_check_data:\n  require acl = requiretls_flag_message\n")

DIALOGUE = ("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\nRCPT TO:<bob@nopolicy.example>\r\n"
            "DATA\r\nSubject: x\r\n\r\nBODY\r\n.\r\nQUIT\r\n")


@pytest.fixture(autouse=True)
def by_acl(site):
    """The configuration of such a site."""
    site.lab.write_sender_conf(BY_ACL_CONF)


def spool_header(site):
    """The -H file of the one message that waits."""
    found = list((site.lab.state / "sender/spool/input").rglob("*-H"))
    assert len(found) == 1
    return found[0].read_text()


def test_no_local_scan(site):
    """What this file is about."""
    shown = site.lab.exec(["exim4", "-bP", "local_scan_path"]).stdout
    assert shown.strip() == "local_scan_path ="


@pytest.mark.parametrize("via", ["bs", "t"])
def test_plain_message(site, via):
    """Nothing flags it: it goes the ordinary way, without a line in the log."""
    marker = deliver(site, "bob@nopolicy.example", via=via)
    assert_delivered(site, marker, GOOD)
    assert site.log() == ""


@pytest.mark.parametrize("via", ["bs", "t"])
@pytest.mark.parametrize("address,bare", [
    ("bob+requiretls@secure.example", "bob@secure.example"),
    ("bob+ReQuIrEtLs@secure.example", "bob@secure.example"),
    ('"b b+requiretls"@secure.example', '"b b"@secure.example'),
    ('":fail:+requiretls"@secure.example', '":fail:"@secure.example'),
    ('"|/bin/true+requiretls"@secure.example', "|/bin/true@secure.example"),
])
def test_tag_flags_and_comes_off(site, address, bare, via):
    """C1.4: the recipient does not see the tag, however odd the rest of the address."""
    marker = deliver(site, address, via=via)
    assert assert_delivered(site, marker, GOOD).rcpts == [bare]
    assert "class=strict by=tag" in site.log()


def test_tag_flags_the_whole_message(site):
    """Its other recipients too."""
    marker = deliver(site, "bob+requiretls@secure.example", "carol@nopolicy.example")
    assert [m.rcpts for m in arrived(site, marker)] == [["bob@secure.example"]]
    assert "carol@nopolicy.example" in site.lab.bounces("alice")[0].text


def test_tag_of_a_local_user(site):
    """It comes off here as well, and verification knows the user."""
    site.lab.exec(["exim4", "-bv", "alice+requiretls@lab.example"])
    marker = deliver(site, "alice+requiretls@lab.example")
    assert [marker in b.text for b in site.lab.bounces("alice")] == [True]


def test_tag_that_the_site_has_renamed(site):
    """The stanza goes by requiretls.conf."""
    site.configure(requiretls_tag="--safe")
    marker = deliver(site, "bob--safe@secure.example", "carol+requiretls@secure.example")
    rcpts = sorted(rcpt for m in arrived(site, marker) for rcpt in m.rcpts)
    assert rcpts == ["bob@secure.example", "carol+requiretls@secure.example"]
    assert "class=strict by=tag" in site.log()


def test_address_test_shows_the_way_of_the_tag(site):
    """exim4 -bt, and so verify = recipient and cut-through delivery."""
    shown = site.lab.exec(["exim4", "-bt", "bob+requiretls@secure.example"]).stdout
    assert "transport = requiretls_strict" in shown
    plain = site.lab.exec(["exim4", "-bt", "bob@secure.example"]).stdout
    assert "transport = remote_smtp" in plain


@pytest.mark.parametrize("via", ["bs", "t"])
def test_rule(site, via):
    """C1.5: a header and a wildcard."""
    site.rules("flag Subject *[secure]*\n")
    marker = deliver(site, "bob@secure.example", headers={"Subject": "x [Secure] y"}, via=via)
    assert_delivered(site, marker, GOOD)
    assert "secure.example class=strict by=rule" in site.log()
    assert_delivered(site, deliver(site, "bob@nopolicy.example"))


@pytest.mark.parametrize("field", ["To", "X-For"])
def test_rule_on_an_address_in_a_second_field(site, field):
    """A field that is there twice has the addresses of both, a list in each."""
    site.rules(f"flag {field} dan@*.example\n")
    marker = deliver(site, "bob@secure.example", headers={
        field: f"bob@secure.example,\n carol@x.example\n{field}: Dan <dan@z.example>"})
    assert_delivered(site, marker, GOOD)
    assert "secure.example class=strict by=rule" in site.log()


def test_rule_on_dnssec(site):
    """A SECURE rule."""
    site.rules("dnssec To *@nopolicy.example SECURE\n")
    assert_bounced(site, deliver(site, "bob@nopolicy.example", via="t"), "5.7.10",
                   with_body=True)


def test_acl_variable(site):
    """A variable that an earlier ACL has set."""
    site.lab.send("carol@board.lab.example", ["bob@secure.example"])
    site.lab.settle()
    assert "class=strict by=acl" in site.log()


def test_acl_variable_set_too_late(site):
    """Behind requiretls_flag_message it still counts for the way of the message."""
    site.lab.write_sender_conf(BY_ACL_CONF.replace(
        "  require acl = requiretls_flag_message\n",
        "  require acl = requiretls_flag_message\n  warn set acl_m_requiretls = yes\n"))
    deliver(site, "bob@secure.example")
    assert "class=strict by=acl" in site.log()


@pytest.mark.parametrize("via", ["bs", "t"])
def test_tls_required_no(site, via):
    """C4: relaxed, and a flag beats it."""
    marker = deliver(site, "bob@enforce-notls.example", headers={"TLS-Required": "No"}, via=via)
    assert_delivered(site, marker, tls=False)
    assert "class=relaxed by=header" in site.log()
    marker = deliver(site, "bob+requiretls@secure.example", headers={"TLS-Required": "No"})
    assert_delivered(site, marker, GOOD)
    assert "class=strict by=tag" in site.log()


def test_flag_is_kept_in_the_spool(site):
    """It holds in every queue run."""
    marker = new_marker()
    site.lab.send(ALICE, ["bob+requiretls@secure.example"], body=marker, queue_only=True)
    assert "-aclm _requiretls_data 31\nrequiretls=yes by=tag dnssec=no\n" in spool_header(site)
    site.lab.run_queue()
    assert_delivered(site, marker, GOOD)
    assert "class=strict by=tag" in site.log()


def test_bounce_is_flagged_and_headers_only(site):
    """C3.1-C3.3, by acl_not_smtp: Exim's own report."""
    marker = deliver(site, "bob+requiretls@nopolicy.example", sender="eve@nopolicy.example")
    assert site.lab.body_seen(marker) == []
    reports = [m for m in site.lab.received() if m.mail_from == ""]
    assert len(reports) == 1
    parts = list(reports[0].parsed().iter_parts())
    assert parts[-1].get_content_type() == "text/rfc822-headers"
    assert "5.7.10" in parts[0].get_content()


@pytest.mark.parametrize("split", [False, True])
def test_bounce_of_a_flagged_message_has_its_flag(site, split):
    """The report to a domain that is down waits, and its spool file has the flag and its
    body's new size."""
    if split:
        site.lab.write_sender_conf("split_spool_directory\n" + BY_ACL_CONF)
    site.lab.set_mx("rotate.example", ["10 down.smtp.example"])
    marker = deliver(site, "bob+requiretls@nopolicy.example", sender="eve@rotate.example")
    header = spool_header(site)
    assert "requiretls=yes by=bounce dnssec=no\n" in header
    body = next((site.lab.state / "sender/spool/input").rglob("*-D")).read_text()
    assert marker not in body
    lines = body.count("\n") - 1        # the file's first line is its name
    assert f"-body_linecount {lines}\n" in header


def test_bounce_of_an_unflagged_message(site):
    """It has the body, and no flag."""
    marker = deliver(site, "bob@nullmx.example")
    assert marker in site.lab.bounces("alice")[0].text
    assert "by=bounce" not in site.log()


# --- fail closed --------------------------------------------------------------------

def assert_refused_for_now(site, words):
    """Over SMTP 451, on the command line an error; nothing is kept, the log says why."""
    reply = site.lab.smtp(DIALOGUE)
    assert "\n451 " in reply and "250 OK id" not in reply
    told = site.lab.exec(["exim4", "-odf", "-oi", "-f", ALICE, "bob@nopolicy.example"],
                         input="Subject: x\n\nBODY\n", check=False)
    assert told.returncode != 0
    assert words in site.lab.mainlog()
    assert site.lab.queue() == [] and site.lab.received() == []
    return reply


def test_rules_that_do_not_parse_defer(site):
    """The sender is not told our business, the log has line and file."""
    site.rules("# fine\nperhaps Subject x\n")
    reply = assert_refused_for_now(site, "requiretls.rules: line 2")
    assert "\n451 local configuration error\n" in reply


def test_missing_rules_defer(site):
    """The rules are named, but not there."""
    site.configure(rules="/etc/exim4/none")
    assert_refused_for_now(site, "/etc/exim4/none")


def test_configuration_that_does_not_parse_defers(site):
    """As in local_scan()."""
    site.configure(mta_sts="perhaps")
    assert_refused_for_now(site, "requiretls.conf: line")


def test_missing_module_defers(site):
    """No answer is no permission. Exim complains in its panic log."""
    site.lab.write_sender_conf("REQUIRETLS_SO = /nonexistent/requiretls.so\n" + BY_ACL_CONF)
    assert_refused_for_now(site, "/nonexistent/requiretls.so")
    assert site.lab.paniclog() != ""
    (site.lab.state / "sender/log/paniclog").unlink()


def test_answer_unknown_is_no_permission_to_route(site):
    """A site whose ACL does not defer: then routing takes the message for flagged."""
    site.lab.write_sender_conf(BY_ACL_CONF.replace(
        "  require acl = requiretls_flag_message\n",
        "  warn set acl_m_requiretls_data = ${dlfunc{REQUIRETLS_SO}{requiretls_flag}}\n"))
    site.rules("perhaps Subject x\n")
    marker = new_marker()
    site.lab.send(ALICE, ["bob@nopolicy.example"], body=marker, queue_only=True)
    site.rules("")
    site.lab.run_queue()
    assert_bounced(site, marker, "5.7.10")


def test_message_that_no_acl_has_seen(site):
    """The operator forgot the ACL: the tag works all the same, and the log warns."""
    site.lab.write_sender_conf(BY_ACL_CONF.replace(
        "  require acl = requiretls_flag_message\n", ""))
    marker = deliver(site, "bob+requiretls@secure.example")
    assert_delivered(site, marker, GOOD)
    assert "requiretls: the message was not looked at when it was received" in site.log()
    assert "class=strict by=tag" in site.log()


def test_flag_counts_behind_a_smart_host(site):
    """What an ACL flags is demanded of the smart host."""
    site.lab.write_sender_conf("REQUIRETLS_VIA = selfsigned.mail.example\n" + BY_ACL_CONF)
    site.rules("flag Subject *[secure]*\n")
    marker = deliver(site, "bob@secure.example", headers={"Subject": "[secure]"})
    assert_waiting(site, marker)
    assert "secure.example via=selfsigned.mail.example class=strict by=rule" in site.log()


# --- beside local_scan() --------------------------------------------------------------

def test_stanzas_do_nothing_where_local_scan_runs(site):
    """One configuration for all Exims."""
    site.lab.write_sender_conf(BY_ACL_CONF.replace("REQUIRETLS_BY_ACL = yes\n", ""))
    site.lab.set_mx("secure.example", ["10 down.smtp.example"])
    marker = deliver(site, "bob+requiretls@secure.example")
    assert_waiting(site, marker)
    header = spool_header(site)
    assert "-local_scan requiretls=yes by=tag dnssec=no\n" in header
    assert "_requiretls_data" not in header
    assert "bob+requiretls" not in header.partition("\n\n")[0]
    assert "requiretls_tag" not in site.lab.exec(["exim4", "-bP", "router_list"]).stdout


@pytest.mark.parametrize("macros", ["", "REQUIRETLS_BY_ACL = yes\n"])
@pytest.mark.parametrize("kind", ["internet", "smarthost"])
def test_debian_split_configuration(site, kind, macros):
    """The parts of conf.d, and the two lines of the operator's: Exim accepts them where it
    loads local_scan() and where it does not."""
    host = site.lab.state / "debian-exim4"
    subprocess.run(["rm", "-rf", str(host)], check=True)
    subprocess.run(["cp", "-r", "/etc/exim4", str(host)], check=True)
    write_snippets(host)
    (host / "update-exim4.conf.conf").write_text(UPDATE_CONF.format(kind=kind, smarthost="relay.example"))
    (host / "conf.d/main/000_localmacros").write_text(
        f"{macros}CHECK_DATA_LOCAL_ACL_FILE = /run/lab/debian-exim4/data\n")
    (host / "conf.d/main/99_local").write_text("acl_not_smtp = requiretls_flag_message\n")
    (host / "data").write_text("  require acl = requiretls_flag_message\n")
    site.lab.exec(["update-exim4.conf", "-d", "/run/lab/debian-exim4", "-o",
                   "/run/generated.conf"])
    exim = ["exim4", "-C", "/run/generated.conf"]
    site.lab.exec([*exim, "-bV"])
    path = site.lab.exec([*exim, "-bP", "local_scan_path"]).stdout
    assert ("requiretls.so" in path) == (not macros)
    names = site.lab.exec([*exim, "-bP", "router_list"]).stdout.split()
    assert ("requiretls_tag" in names) == bool(macros)
    reply = site.lab.exec([*exim, "-odq", "-bs"], input=DIALOGUE, check=False).stdout
    assert "250 OK id=" in reply


# --- an Exim that has a flag of its own -------------------------------------------------

FLAG_OF_EXIM = r"""
#include <stdio.h>
unsigned message_requiretls;
__attribute__((destructor)) static void tell(void)
{
    FILE *out = fopen("/run/lab/flag-of-exim", "a");
    if (out != NULL) {
        fprintf(out, "%u\n", message_requiretls);
        fclose(out);
    }
}
"""


@pytest.mark.parametrize("local_scan", [True, False])
@pytest.mark.parametrize("level,initial,address,wanted", [
    ("verified", 0, "bob+requiretls@secure.example", 1),
    ("verified", 0, "bob@secure.example", 0),
    ("disable", 0, "bob+requiretls@secure.example", 0),
    ("disable", 1, "bob@secure.example", 0),
])
def test_flag_of_a_patched_exim_is_set(site, level, initial, address, wanted, local_scan):
    """The module that runs in the stock Exim finds message_requiretls where there is one;
    the other tests are run where there is none."""
    if local_scan:
        site.lab.write_sender_conf(SENDER_CONF)
    site.configure(requiretls=level)
    source = FLAG_OF_EXIM.replace("message_requiretls;", f"message_requiretls = {initial};", 1)
    library = site.lab.state / "flag.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", str(library)], input=source,
                   text=True, check=True)
    told = site.lab.state / "flag-of-exim"
    told.write_text("")
    told.chmod(0o666)
    site.lab.exec(["exim4", "-odq", "-oi", "-f", ALICE, address], input="Subject: x\n\nx\n",
                  env={"LD_PRELOAD": "/run/lab/flag.so"})
    assert told.read_text().split()[-1] == str(wanted)
