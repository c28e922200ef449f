"""docs/TROUBLESHOOTING.md, "Symptoms": each row is provoked by a test, and the commands in it
exist. Those that no other test has are here."""

import ast
import glob
import re

import pytest

from examples import inside
from mail import assert_delivered, deliver, empty_queue, let_answers_expire
from sender import ROOT, SENDER_CONF, SPOOL
from test_check import SELF
from test_docs import TROUBLESHOOTING
from test_refresh import edit, stamp
from test_report import Reporter

# How a row begins, and the test that makes one see it.
PROVOKED = {
    "`certificate refused: expired`": "test_delivery.py::test_enforce_bad_host_waits",
    "`certificate refused: not signed by a trusted CA`":
        "test_delivery.py::test_enforce_bad_host_waits",
    "`refused: not in the MTA-STS policy": "test_delivery.py::test_enforce_no_host_in_policy_waits",
    "`refused: STARTTLS is not offered`": "test_delivery.py::test_enforce_bad_host_waits",
    "`STARTTLS offered, but no TLS session": "test_tls.py::test_an_old_host",
    "`refused: its TLSA lookup failed`": "test_delivery.py::test_tlsa_lookup_failure_skips_host",
    "`certificate refused: DANE validation failed`": "test_delivery.py::test_dane_bad_waits",
    "`has TLSA records, but": "test_faults.py::test_exim_that_cannot_see_dnssec_is_told_of",
    "`failed DNSSEC validation`, of one": "test_delivery.py::test_bogus_mx_waits",
    "`failed DNSSEC validation`, of all": "test_symptoms.py::test_wrong_clock",
    "`the MTA-STS policy of DOMAIN could not":
        "test_delivery.py::test_flagged_policy_host_down_waits",
    "`a rule of this site requires an MTA-STS policy":
        "test_exempt.py::test_a_policy_that_comes_lets_the_mail_go",
    "an exempt domain's mail": "test_exempt.py::test_over_and_then_on_its_last_day",
    "`retry time not reached": "test_symptoms.py::test_retry_time",
    "all mail waits: `dlopen": "test_faults.py::test_module_that_went_away",
    "all mail waits: `requiretls.so was built":
        "test_faults.py::test_module_of_another_exim_is_refused",
    "all mail waits: `configuration error: `":
        "test_delivery.py::test_configuration_that_does_not_parse_defers",
    "clients get `451`":
        "test_delivery.py::test_rules_that_do_not_parse_refuse_mail_for_now",
    "`local_scan() library open failed`": "test_symptoms.py::test_wrong_path",
    "`does not count: owner 0": "test_symptoms.py::test_mode",
    "`config` is content": "test_check.py::test_self_files",
    "`550 Unknown user`": "test_symptoms.py::test_tag_of_a_local_user",
    "`5.7.30 REQUIRETLS support required: this Exim":
        "test_delivery.py::test_flagged_on_stock_exim_level_enforce",
    "`5.7.30 REQUIRETLS support required: not offered":
        "test_wire_client.py::test_table_of_the_patch",
    "`5.7.10`, `nothing vouches":
        "test_delivery.py::test_flagged_insecure_mx_no_policy_bounces_at_once",
    "the same, of domains that do have DNSSEC": "test_resolve.py::test_resolver_without_dnssec",
    "`5.7.10`, `no MX host": "test_delivery.py::test_flagged_bad_certificate_bounces",
    "no line at all": "test_symptoms.py::test_router_before_ours",
    "`the resolver cannot do DNSSEC": "test_resolve.py::test_resolver_without_dnssec",
    "`the message was not looked at": "test_flag.py::test_message_that_no_acl_has_seen",
    "`ran out and could not be fetched anew": "test_symptoms.py::test_policy_that_ran_out",
    "ordinary mail: `delivering unencrypted": "test_tls.py::test_an_old_host",
    "nothing in the journal": "test_symptoms.py::test_no_event_action",
    "`report status` says `domains want none`": "test_symptoms.py::test_reports_nobody_wants",
    "`report status` says `pending`": "test_examples.py::test_a_run",
    "reports leave and are not believed": "test_report_exim.py::test_unsigned_without_a_key",
    "`not written: `": "test_faults.py::test_disk_full_journal",
    "`could not resolve it: it could not be started": "test_faults.py::test_program_broken",
    "`could not resolve it: no answer within": "test_faults.py::test_program_hangs",
    "`could not resolve it: it ended with exit status 75`":
        "test_faults.py::test_program_that_fails_says_why_in_the_log",
    "`could not resolve it: it did not end": "test_faults.py::test_program_broken",
    "`could not resolve it: its answer is too long`": "test_faults.py::test_program_broken",
    "`is not open to this user`": "test_symptoms.py::test_spool_of_another",
    "`another process has held the lock": "test_report_timer.py::test_timer_and_cron_at_once",
    "`check --self` says `bad timer`": "test_check.py::test_self_files",
}
# What no test can bring about, and why.
NOT_PROVOKED = {
    "`host lookup for HOST did not complete":
        "Exim's answer from DNS must fail just when the program's did not",
    "`could not resolve it: this Exim runs as no user": "takes another build of Exim",
}


def rows() -> list[list[str]]:
    """The cells of all rows."""
    part = TROUBLESHOOTING.read_text().partition("## Symptoms\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ") and "---" not in line]
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    return [cells for cells in found if cells[0] != "what you see"]


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"\W+", "-", row[0])[:50])
def test_every_row_is_provoked(row):
    """By a test that exists; and it says what to do by a command, a link, or "nothing"."""
    found = [test for key, test in (PROVOKED | NOT_PROVOKED).items() if row[0].startswith(key)]
    assert len(row) == 3 and len(found) == 1, row[0]
    assert "`" in row[2] or "](" in row[2] or row[2] in (
        "nothing", "the same; please report it", "build Exim with a user") or \
        row[2].startswith(("nothing: ", "nothing, ", "a suffix ")), row[2]
    if row[0].startswith(tuple(NOT_PROVOKED)):
        return
    file, _, name = found[0].partition("::")
    tree = ast.parse((ROOT / "tests/scenarios" / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, found


def test_no_test_for_a_row_that_went():
    """The tables above name rows that are there."""
    firsts = [row[0] for row in rows()]
    assert len(firsts) >= 45
    for key in PROVOKED | NOT_PROVOKED:
        assert sum(first.startswith(key) for first in firsts) == 1, key


def self_check(site) -> str:
    """What `check --self` prints."""
    return site.program("check", *SELF, check=False).stdout


def test_wrong_path(site):
    """The module is somewhere else; nothing is taken in, and the check says where it is wanted."""
    site.lab.write_sender_conf(f"REQUIRETLS_SO = /usr/lib/exim4/nowhere.so\n{SENDER_CONF}")
    reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<alice@lab.example>\r\n"
                          "RCPT TO:<bob@enforce.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n"
                          ".\r\nQUIT\r\n")
    assert "\n451 " in reply
    assert "local_scan() library open failed" in site.lab.mainlog()
    assert "bad      module      /usr/lib/exim4/nowhere.so: No such file" in self_check(site)


def test_exim_without_dlfunc(site):
    """exim4-daemon-light: a copy of Exim that does not call itself able, and does not know the
    word. Mail waits, and the check says which package it takes."""
    inside(site, "cp -p /usr/sbin/exim4 /run/real-exim4; "
           "sed 's/Expand_dlfunc/Expand_xxxxxx/; s/\\x00dlfunc\\x00/\\x00xxfunc\\x00/g' "
           "/run/real-exim4 >/run/light; chmod 4755 /run/light; mv /run/light /usr/sbin/exim4")
    try:
        deliver(site, "bob@nopolicy.example")
        assert len(site.lab.queue()) == 1, site.lab.mainlog()
        assert "failed in requiretls_decide router" in site.lab.mainlog()
        assert "it is built without Expand_dlfunc" in self_check(site)
    finally:
        inside(site, "mv /run/real-exim4 /usr/sbin/exim4")
    empty_queue(site)


def test_wrong_clock(site):
    """Every signature counts as broken, 60 days from now."""
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    inside(site, f"echo +60d >/etc/faketimerc; echo {library} >/etc/ld.so.preload")
    try:
        assert "failed DNSSEC validation" in "\n".join(inside(
            site, "exim-requiretls resolve --fresh secure.example >&2; "
            "exim-requiretls explain bob@secure.example"))
        said = self_check(site)
    finally:
        inside(site, "rm /etc/ld.so.preload /etc/faketimerc")
    assert "secure.example is signed, and counts as bogus" in said and "at the clock" in said


def test_retry_time(site):
    """The second message finds the host put off, and goes no sooner for that."""
    deliver(site, "bob@enforce-expired.example")
    deliver(site, "carol@enforce-expired.example")
    assert "retry time not reached for any host for 'enforce-expired.example'" \
        in site.lab.mainlog()
    empty_queue(site)


def test_mode(site):
    """A file that others may write; `config` says what is wrong with it."""
    inside(site, "chmod 666 /etc/exim4/requiretls.conf")
    done = site.program("config", check=False)
    assert done.returncode == 78 and "does not count: owner 0, mode 0666" in done.stderr
    inside(site, "chown root: /etc/exim4/requiretls.conf; chmod 644 /etc/exim4/requiretls.conf; "
           "exim-requiretls config")


def test_tag_of_a_local_user(site):
    """An ACL that verifies recipients before the tag comes off."""
    site.lab.write_sender_conf(SENDER_CONF.replace(
        "       set acl_m_requiretls = yes\n  accept\n",
        "       set acl_m_requiretls = yes\n  require verify = recipient\n  accept\n"))
    reply = site.lab.smtp("EHLO x\r\nMAIL FROM:<bob@secure.example>\r\n"
                          "RCPT TO:<alice+requiretls@lab.example>\r\nQUIT\r\n")
    assert "\n550 Unknown user" in reply


def test_router_before_ours(site):
    """It takes the domain, and no line of ours is there; `exim4 -bt` names it."""
    router = ("mine:\n  driver = manualroute\n  domains = enforce.example\n"
              "  route_list = * good.mail.example\n  transport = remote_smtp\n\n")
    site.lab.write_sender_conf(
        SENDER_CONF.replace("begin routers\n\n", f"begin routers\n\n{router}"))
    assert_delivered(site, deliver(site, "bob@enforce.example"))
    assert site.log() == ""
    assert "  router = mine, transport = remote_smtp" in inside(
        site, "exim4 -bt bob@enforce.example")


def test_policy_that_ran_out(site):
    """Its host is down, nobody refreshed it, and its time is over."""
    domain = "rotate.example"
    site.program("resolve", domain)
    edit(site, domain, policy_fetched=stamp(-9), policy_until=stamp(-1))
    let_answers_expire(site, domain)
    site.lab.policy_host_down(domain)
    assert_delivered(site, deliver(site, f"bob@{domain}"))
    assert (f"requiretls: {domain}: MTA-STS policy of {domain} (enforce) ran out and could not be "
            "fetched anew: the domain goes without it") in site.log()
    assert f"{domain}: FAILED " not in site.program("cache", "refresh", check=False).stdout


@pytest.mark.parametrize("line", ["  event_action = REQUIRETLS_EVENT\n", ""])
def test_no_event_action(site, line):
    """Without it in the site's own transport ordinary mail is in no report."""
    conf = SENDER_CONF.replace("  event_action = REQUIRETLS_EVENT\n", line)
    site.lab.write_sender_conf(conf)
    assert_delivered(site, deliver(site, "bob@nopolicy.example"))
    assert (site.journal() != []) == (line != "")
    shown = inside(site, "exim4 -bP transport remote_smtp | grep event_action")
    assert ("requiretls_session" in shown[0]) == (line != "")
    if not line:
        assert inside(site, "exim-requiretls report status") == [
            "kept: journals of 0 days, 0 bytes; outbox 0 bytes; 0 policy texts, 0 bytes"]


def test_reports_nobody_wants(site):
    """A domain without TLS-RPT record."""
    Reporter(site).journal(("nopolicy-notls.example", "no-policy-found", "-", "success"))
    inside(site, "exim-requiretls report run --now")
    assert "1 domains want none" in "\n".join(inside(site, "exim-requiretls report status"))


def test_spool_of_another(site):
    """Somebody who is neither root nor the Exim user."""
    site.program("resolve", "enforce.example")
    done = site.program("cache", "list", user="daemon", check=False)
    assert done.returncode == 77 and f"{SPOOL} is not open to this user" in done.stderr
