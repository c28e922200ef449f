"""`exim-requiretls explain` says what Exim then does: the same class, the same hosts, the same end,
and the very line of the log."""

import json
import re

import pytest
from dates import day
from mail import ALICE, arrived, deliver, let_answers_expire
from sender import ROOT, world
from test_destinations import behind

TRANSPORTS = {"strict": "requiretls_strict", "enforce": "requiretls_enforce",
              "relaxed": "requiretls_relaxed", "observe": "remote_smtp", "plain": "remote_smtp"}
NO = {"TLS-Required": "No"}
# What Exim cannot use, or what it does not use by its own DANE, whatever is asked for.
USELESS = {"down.smtp.example", "bad.dane.example", "tlsafail.dane.example",
           "relay.servfail.example"}

# A spread over everything that a decision goes by.
DOMAINS = [
    "nopolicy", "nopolicy-selfsigned", "nopolicy-notls", "nullmx", "implicit", "enforce",
    "enforce-expired", "enforce-notls", "enforce-down", "enforce-mismatch",
    "enforce-allmismatch", "enforce-fallback", "enforce-badfirst", "enforce-wildcard",
    "testing", "testing-selfsigned", "testing-mismatch", "none", "policy404", "policycert",
    "shared-c", "secure", "secure-selfsigned", "secure-notls", "secure-sts", "secure-nullmx",
    "dane-good", "dane-bad", "dane-notlsa", "dane-sts", "dane-bad-sts", "tlsafail", "bogus",
    "servfail", "no-such",
]


def explain(site, *args):
    """What it says, as JSON."""
    return json.loads(site.program("explain", "--json", *args).stdout)


def known(site, domain):
    """So that it is in the cache."""
    site.program("resolve", domain, check=False)


def decisions(site, domain):
    """The decision lines of the log about a domain, without what is in front."""
    lines = [line.partition(" requiretls: ")[2] for line in site.log().splitlines()]
    return [line for line in lines
            if line.startswith((f"{domain} class=", f"{domain} refused: ", f"{domain} put off: ",
                                f"{domain} via="))]


def refusals(site):
    """{host: why} of the hosts that a session refused."""
    found = {}
    for line in site.log().splitlines():
        words = line.partition(" requiretls: host ")[2]
        if words and " refused: " in words:
            host, _, why = words.partition(" ")
            found[host] = why
    return found


def routed_to(site, recipient):
    """The transport that `exim4 -bt` names, and its whole answer."""
    answer = site.lab.exec(["exim4", "-bt", recipient], check=False).stdout
    words = [line.partition("transport = ")[2] for line in answer.splitlines()]
    return next((word.strip() for word in words if word), None), answer


def check_hosts(site, said):
    """A host is refused by its name only if so it was said, in these words; and who got
    the message was said to be fit."""
    why = {host["host"]: host["why"] for host in said["hosts"]}
    use = {host["host"]: host["use"] for host in said["hosts"]}
    for host, words in refusals(site).items():
        if words.startswith(("refused: not in", "refused: its TLSA")):
            assert not use[host] and why[host] == words
        else:
            assert use[host], (host, words)


def check_end(site, said, marker):
    """What was said of a stock Exim is what has come of it."""
    outcome = said["stock"]["outcome"]
    bounces = site.lab.bounces("alice")
    if outcome == "deliver":
        got = arrived(site, marker)
        fit = [host["host"] for host in said["hosts"] if host["use"]]
        if got:
            assert bounces == []
            assert not fit or got[0].ip in [world.host_named(host).ip for host in fit]
        else:  # fit by name; but not by what it showed, or it did not answer
            assert said["class"] in ("strict", "enforce") or USELESS & set(fit)
            for host in fit:
                assert host in site.lab.mainlog()
    elif outcome == "wait":
        assert site.lab.queue() and bounces == [] and site.lab.body_seen(marker) == []
    else:
        assert site.lab.body_seen(marker) == []
        if not bounces:  # "with the attempt after the one that finds it so"
            assert "with the attempt after" in said["stock"]["text"]
            site.forget_retries()
            site.lab.run_queue()
            bounces = site.lab.bounces("alice")
        assert len(bounces) == 1 and site.lab.queue() == []
        assert said["stock"]["code"] in bounces[0].text


@pytest.mark.parametrize("ask", ["ordinary", "flagged", "relaxed"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_said_is_what_is_done(site, domain, ask):
    """The important one: the explanation first, from the cache; then Exim."""
    domain = f"{domain}.example"
    known(site, domain)
    recipient = f"bob{'+requiretls' if ask == 'flagged' else ''}@{domain}"
    said = explain(site, recipient, "--sender", ALICE,
                   *(["--relaxed"] if ask == "relaxed" else []))
    assert said["cached"] or ask == "relaxed"
    transport, answer = routed_to(site, recipient)
    if said["stock"]["outcome"] == "deliver" and ask != "relaxed":
        assert transport == TRANSPORTS[said["class"]], answer
    elif said["stock"]["code"] and "with the attempt" not in said["stock"]["text"]:
        assert transport is None and said["stock"]["code"] in answer
    marker = deliver(site, recipient, headers=NO if ask == "relaxed" else {})
    assert decisions(site, domain)[:1] == ([said["log"]] if said["log"] else [])
    check_hosts(site, said)
    check_end(site, said, marker)


SITE = [
    # rules, exemptions, key requiretls, recipient, more arguments, headers and sender
    ("require nopolicy-selfsigned.example verified", "", "verified",
     "bob@nopolicy-selfsigned.example", ALICE),
    ("require *.example dnssec", "", "verified", "bob@nopolicy.example", ALICE),
    ("require *.example dnssec", f'nopolicy.example dnssec until={day(3)} "they move"',
     "verified", "bob@nopolicy.example", ALICE),
    ("require *.example dnssec", f'nopolicy.example dnssec until={day(-1)} "they moved"',
     "verified", "bob@nopolicy.example", ALICE),
    ("require *.example dnssec\nrequire *.example sts", "", "verified", "bob@secure-sts.example",
     ALICE),
    ("require *.example sts", "", "verified", "bob@none.example", ALICE),
    ("require testing*.example sts", "", "verified", "bob@testing-mismatch.example", ALICE),
    ("", f'enforce-*.example sts until={day(0)} "ticket 4711"', "verified",
     "bob@enforce-mismatch.example", ALICE),
    ("flag From *@legal.lab.example", "", "verified", "bob@secure.example",
     "carol@legal.lab.example"),
    ("flag To bob@*policy.example", "", "verified", "bob@nopolicy.example", ALICE),
    ("dnssec To *@nopolicy.example SECURE", "", "verified", "bob@nopolicy.example", ALICE),
    ("dnssec To *", "", "verified", "bob@nopolicy.example", ALICE),
    ("level secure.example enforce", "", "verified", "bob+requiretls@secure.example", ALICE),
    ("level secure.example opportunistic", "", "verified", "bob+requiretls@secure.example",
     ALICE),
    ("", "", "disable", "bob+requiretls@nopolicy.example", ALICE),
    ("", f'nopolicy.example requiretls until={day(9)} "they lack it"', "verified",
     "bob+requiretls@nopolicy.example", ALICE),
    ("", "", "enforce", "bob+requiretls@enforce.example", ALICE),
    ("", "", "verified", "bob+requiretls@[192.0.2.11]", ALICE),
]


@pytest.mark.parametrize("rules,exempt,level,recipient,sender", SITE)
def test_what_the_sites_own_files_do(site, rules, exempt, level, recipient, sender):
    """The same, with rules, exemptions and levels in force; each is named with its line."""
    site.configure(requiretls=level, exempt="/etc/exim4/requiretls.exempt")
    site.rules(f"# ours\n{rules}\n")
    site.lab.write_etc("requiretls.exempt", f"# ours\n\n{exempt}\n")
    domain = recipient.partition("@")[2]
    if not domain.startswith("["):
        known(site, domain)
    said = explain(site, recipient, "--sender", sender)
    to = recipient.replace("+requiretls", "")
    marker = deliver(site, recipient, sender=sender, headers={"To": to})
    assert decisions(site, domain)[:1] == ([said["log"]] if said["log"] else [])
    check_hosts(site, said)
    if sender == ALICE:
        check_end(site, said, marker)
    sources = [reason["source"] for reason in said["reasons"]]
    if rules and "From" not in rules:
        assert "/etc/exim4/requiretls.rules, line 2" in sources
    if exempt:
        assert "/etc/exim4/requiretls.exempt, line 3" in sources
    over = [reason["text"] for reason in said["reasons"] if reason["kind"] == "exempt"]
    assert [", over: " in text for text in over] == [day(-1) in exempt for _ in over]


MESSAGES = [  # a rule, and header lines; the rule matches the first ones and not the second ones
    ("flag Subject *[secure]*", "Subject: =?utf-8?q?=5Bsecure=5D?= x", "Subject: insecure"),
    ("flag X-For dan@*", "X-For: a@b.example\nX-For: Dan <dan@z.example>", "X-For: a@dan.example"),
    ("flag Keywords *\\", "Keywords: ${run{/bin/false}} $domain \\", "X: \\"),
    ("dnssec To *@x.example,*@y.example SECURE", "To: a@x.example,\n b@y.example",
     "To: a@x.example"),
    ("flag From *@z.example", "From: A <a@z.example>", "From: bob@nopolicy.example"),
]


@pytest.mark.parametrize("rule, good, bad", MESSAGES)
def test_rules_on_a_message(site, rule, good, bad):
    """They are applied to what Exim makes of its fields, as by the module."""
    site.rules(f"{rule}\n")
    known(site, "nopolicy.example")
    for header in (good, bad):
        text = f"{header}\nX-Other: y\n\nSubject: [secure]\nbody\n"
        done = site.program("explain", "--json", "bob@nopolicy.example", "--message", "-",
                            stdin=text)
        said = json.loads(done.stdout)
        assert done.stderr == ""
        before = len(decisions(site, "nopolicy.example"))
        site.lab.exec(["exim4", "-f", ALICE, "bob@nopolicy.example"], input=text)
        site.lab.settle()
        done = decisions(site, "nopolicy.example")[before:]
        assert done[:1] == ([said["log"]] if said["log"] else [])
        assert (said["log"] is not None) == (header == good), said
        assert [reason for reason in said["reasons"] if reason["kind"] == "unseen"] == []


def test_some_header_fields(site):
    """What is not given of a message stays unseen; what is given beats what was guessed."""
    site.rules("flag Subject *[secure]*\nflag X-Y *\nflag To carol@*\n")
    known(site, "secure.example")
    said = explain(site, "bob@secure.example", "--header", "Subject: x [secure]")
    assert [(reason["kind"], reason["source"]) for reason in said["reasons"][:2]] == [
        ("flag", "/etc/exim4/requiretls.rules, line 1"),
        ("unseen", "/etc/exim4/requiretls.rules, line 2")]
    said = explain(site, "bob@secure.example", "--header", "To: carol@x.example")
    assert said["class"] == "strict"
    for header, relaxed in (("TLS-Required: No", True), ("TLS-Required: Yes", False),
                            ("TLS-required: no\nTLS-Required: No", False)):
        args = [arg for line in header.splitlines() for arg in ("--header", line)]
        said = explain(site, "bob@secure.example", *args)
        assert (said["class"] == "relaxed") == relaxed, said
    site.rules("flag X-Y *\n")
    site.lab.write_etc("m", b"X-Y: a\0b\n")
    for args, status in ((["--header", "x"], 64), (["--header", "a b: x"], 64),
                         (["--header", "A: x\nB: y"], 64), (["--message", "/nonexistent"], 66),
                         (["--message", "/etc/exim4/m"], 65)):
        assert site.program("explain", "bob@secure.example", *args,
                            check=False).returncode == status, args
    site.configure(sendmail="/bin/true")
    done = site.program("explain", "bob@secure.example", "--header", "X-Y: 1", check=False)
    assert done.returncode == 75 and "-bem did not read the message" in done.stderr


def without_ages(text):
    """What does not depend on the second it is asked in."""
    return re.sub(r"\b(?:in )?\d+ (?:second|minute|hour|day)s?(?: ago)?\b", "AGE", text)


def test_the_example_of_the_manual(site):
    """As it stands in OPERATING.md."""
    text = (ROOT / "docs/OPERATING.md").read_text()
    command = "    # exim-requiretls explain bob@enforce-mismatch.example\n"
    shown = text.partition(command)[2].partition("\n\n")[0]
    known(site, "enforce-mismatch.example")
    printed = site.program("explain", "bob@enforce-mismatch.example").stdout
    assert without_ages(printed).splitlines() == [
        line[4:] for line in without_ages(shown).splitlines()]


def test_an_empty_sender(site):
    """A flagged bounce asks, and does not insist; one that this site flags does."""
    known(site, "nopolicy.example")
    said = explain(site, "bob@nopolicy.example", "--flagged", "--sender", "<>")
    assert said["stock"]["outcome"] == "deliver"
    said = explain(site, "bob+requiretls@nopolicy.example", "--sender", "")
    assert (said["stock"]["outcome"], said["stock"]["code"]) == ("bounce", "5.7.10")


def test_nothing_is_cached(site):
    """It says so, and what the delivery would do; it asks nobody and writes nothing."""
    said = explain(site, "bob@enforce.example")
    assert (said["cached"], said["asks_first"], said["class"]) == (False, True, "unknown")
    assert said["stock"] is None and said["patched"] is None and said["log"] is None
    assert said["unanswered"]["outcome"] == "deliver"
    assert '"exim-requiretls resolve enforce.example"' in said["reasons"][-1]["text"]
    flagged = explain(site, "bob@enforce.example", "--flagged")
    assert flagged["unanswered"]["code"] == "4.4.3"
    shown = site.program("explain", "bob@enforce.example").stdout
    assert "class      unknown" in shown and "nothing is cached" in shown
    assert "stock" not in shown and "any Exim" not in shown
    assert site.program("cache", "list", "--json").stdout == "[]\n"


@pytest.mark.parametrize("recipient,code,class_", [
    ("bob@enforce.example", "", "enforce"), ("bob@nopolicy.example", "", "plain"),
    ("bob+requiretls@nopolicy.example", "4.4.3", "strict")])
def test_answers_out_of_their_time(site, recipient, code, class_):
    """What comes of the same answers, and what comes of none: that is what Exim does
    when the program cannot be asked."""
    domain = recipient.partition("@")[2]
    known(site, domain)
    let_answers_expire(site, domain)
    said = explain(site, recipient)
    assert (said["class"], said["asks_first"]) == (class_, True)
    assert said["unanswered"]["code"] == code
    site.configure(program="/run/program")
    _, answer = routed_to(site, recipient)
    assert said["unanswered"]["text"].split(" (")[0] in answer if code \
        else TRANSPORTS[class_] in answer


def test_what_is_refused(site):
    """Wrong use, a user who cannot read the cache, and a configuration that has Exim put mail
    off."""
    known(site, "enforce.example")
    found = site.program("explain", "bob@enforce.example", user="daemon", check=False)
    assert found.returncode == 77 and "is not open to this user" in found.stderr
    assert site.program("explain", check=False).returncode == 64
    assert site.program("explain", "enforce.example", check=False).returncode == 64
    site.rules("what\n")
    found = site.program("explain", "bob@enforce.example", check=False)
    assert found.returncode == 78
    assert "4.3.5 local configuration error" in found.stderr
    assert "/etc/exim4/requiretls.rules: line 1: " in found.stderr


def test_foreign_bytes_are_quoted(site):
    """An address from somewhere may hold anything."""
    hostile = "b\x1b[2Job@\x07enf\norce.exam\u00fcple"
    shown = site.program("explain", hostile).stdout
    assert "\x1b" not in shown and "\x07" not in shown
    assert shown.splitlines()[0].startswith(r"b\x1b[2Job@\x07enf\x0aorce")
    record = site.cache_file
    known(site, "policy404.example")
    path = record("policy404.example")
    path.write_text(path.read_text().replace("http status 404", "http \x1b[2J"))
    found = site.program("explain", "bob@policy404.example")
    assert "\x1b" not in found.stdout + found.stderr


@pytest.mark.parametrize("domain", [
    "secure", "nopolicy", "enforce", "enforce-mismatch", "enforce-allmismatch", "tlsafail",
    "dane-good", "secure-nullmx", "testing-mismatch", "bogus", "policy404"])
def test_on_a_patched_exim(wire_site, domain):
    """What is said of one is what it does: sent with REQUIRETLS where that is offered, and
    returned where it is not; by the level enforce, at which a stock one returns everything."""
    domain = f"{domain}.example"
    lab = wire_site.lab
    for host in ("good.mail.example", "good2.mail.example", "good.dane.example"):
        lab.set_mx_requiretls(world.host_named(host).ip)
    known(wire_site, domain)
    said = explain(wire_site, f"bob@{domain}", "--flagged")
    before = len(lab.received())
    lab.send(ALICE, [f"bob@{domain}"], body="x\n", extra_args=["-oR"])
    outcome = said["patched"]["outcome"]
    assert decisions(wire_site, domain)[0] == said["patched_log"]
    assert (len(lab.received()) > before) == (outcome == "deliver")
    assert (lab.queue() != []) == (outcome == "wait")
    if outcome == "deliver":
        assert said["stock"]["code"] == "5.7.30"
        assert "offers REQUIRETLS" in said["patched"]["text"]
        assert lab.received()[-1].ip in [world.host_named(host["host"]).ip
                                         for host in said["hosts"] if host["use"]]
    if outcome == "bounce":
        assert said["patched"]["code"] in lab.bounces("alice")[0].text


# --- smart hosts --------------------------------------------------------------------------

SMART = ["relay.example::587", "relay.example:good2.mail.example",
         "down.wire.example:relay.example::587", "relay-expired.example",
         "relay-outside.example", "relay-plain.example:good.mail.example",
         "relay-plain.example:selfsigned.mail.example", "relay-dane.example", "192.0.2.65",
         "[192.0.2.65]::587", "enforce.example/mx", "nopolicy.example/mx",
         "relay.servfail.example", "nopolicy.example/mx:relay.example"]
SMART_RELAXED = ["relay-expired.example", "192.0.2.65", "enforce.example/mx"]


def smart_names(hosts):
    """The names in a list, and the domain of /mx."""
    return [name for name in re.findall(r"[a-z][-a-z0-9.]+", hosts) if name != "mx"]


@pytest.mark.parametrize("hosts, ask", [
    *[(hosts, ask) for hosts in SMART for ask in ("ordinary", "flagged")],
    *[(hosts, "relaxed") for hosts in SMART_RELAXED]])
def test_smart_hosts(site, hosts, ask):
    """Found out from Exim, or given: the log line, the transport and the end are the
    module's."""
    behind(site, hosts)
    for name in smart_names(hosts):
        known(site, name)
    recipient = f"bob{'+requiretls' if ask == 'flagged' else ''}@Secure.example"
    args = (recipient, "--sender", ALICE, *(["--relaxed"] if ask == "relaxed" else []))
    said = explain(site, *args)
    assert said["via"] is not None and said["reasons"]
    given = explain(site, *args, "--via", hosts)
    assert "--via" in [reason["source"] for reason in given["reasons"]]
    assert given["stock"] == said["stock"] and given["hosts"] == said["hosts"]
    transport, answer = routed_to(site, recipient)
    marker = deliver(site, recipient, headers=NO if ask == "relaxed" else {})
    wanted = decisions(site, "secure.example")[:1]
    assert wanted == ([said["log"]] if said["log"] else []), said
    if said["stock"]["outcome"] == "deliver" and ask != "relaxed":
        wanted = {"strict": "requiretls_strict", "enforce": "requiretls_enforce"}
        assert transport == wanted.get(said["class"], "remote_smtp_smarthost"), answer
    check_hosts(site, said)
    check_end(site, said, marker)


def test_smart_hosts_that_are_not_known(site):
    """What is not known is said, and nothing is made up: it depends on the message, or nothing is
    cached; none at all by request."""
    behind(site, "${if eq{$domain}{secure.example}{}{relay.example}}")
    known(site, "enforce.example")
    done = site.program("explain", "bob@enforce.example")
    assert "depends on the message: say by --via" in done.stderr
    assert explain(site, "bob@enforce.example", "--via", "")["class"] == "enforce"
    said = explain(site, "bob@enforce.example", "--via", "relay.example::587")
    assert (said["class"], said["asks_first"], said["stock"]) == ("unknown", True, None)
    assert said["hosts"] == []
    assert said["via"] == ["relay.example::587"] and said["domain"] == "relay.example"
    known(site, "relay-dane.example")
    hosts = "relay-dane.example::587"
    shown = site.program("explain", "bob@enforce.example", "--via", hosts).stdout
    assert "unseen     TLSA records at _587._tcp.relay-dane.example" in shown
    assert "class      plain" in shown and "[--via]" in shown
    said = explain(site, "bob@enforce.example", "--via", "enforce.example/mx::587")
    assert said["via"] == ["enforce.example/mx::587"] and said["class"] == "enforce"


# --- what has become of a message ------------------------------------------------------

def explain_log(site, message_id, *args, log=None):
    """explain --log of Exim's own main log, or of a text, as JSON."""
    path = "/etc/exim4/some-log"
    site.lab.write_etc("some-log", log if log is not None else site.lab.mainlog())
    return json.loads(site.program("explain", "--log", path, message_id, "--json",
                                   *args).stdout)


def test_a_log_of_one_message(site):
    """All lines of the message and of the report about it, in order, and of nobody else."""
    site.lab.send(ALICE, ["bob@enforce.example"], body="other\n")
    ids = site.lab.send(ALICE, ["bob+requiretls@secure-selfsigned.example"], body="x\n")
    site.lab.settle()
    site.forget_retries()
    site.lab.run_queue()
    site.lab.send(ALICE, ["bob@secure.example"], body="other\n")
    log = site.lab.mainlog()
    report = re.search(rf" (\S+) <= <> R={ids[0]} ", log)[1]
    said = explain_log(site, ids[0])
    own = [line for line in log.splitlines() if f" {ids[0]} " in line or f" {report} " in line]
    assert [f"{line['time']} {line['id']} " for line in said] == [
        re.match(r"\S+ \S+ \S+ ", line)[0] for line in own]
    meanings = [line["meaning"] for line in said]
    assert meanings[0] == "the message arrived here"
    assert meanings[-1] == "nothing is left to do for this message"
    ours = [line for line in said if line["ours"]]
    assert "flagged by the tag in the address" in ours[0]["details"]
    words = " / ".join(line["meaning"] for line in ours)
    assert "decided: it is flagged" in words and "its certificate is not good" in words
    assert "returned to the sender: it is flagged, and every host was refused" in words
    assert not [line for line in said if "does not know" in line["meaning"]]
    # The other way round: asked for the report, what it is about comes along.
    assert explain_log(site, report) == said
    text = site.program("explain", "--log", "/etc/exim4/some-log", ids[0]).stdout
    assert text.count("\n    ") >= len(said)


def test_every_decision_line_of_a_run_is_known(site):
    """Of a spread of domains, no line of the module is without a meaning of its own."""
    ids = []
    for domain in ("nopolicy", "enforce-mismatch", "testing-selfsigned", "bogus", "nullmx",
                   "secure-notls", "tlsafail", "dane-bad"):
        for tag in ("", "+requiretls"):
            ids += site.lab.send(ALICE, [f"bob{tag}@{domain}.example"], body="x\n")
    site.lab.settle()
    log = site.lab.mainlog()
    count = 0
    for message_id in ids:
        for line in explain_log(site, message_id, log=log):
            assert "does not know" not in line["meaning"], line
            count += line["ours"]
    assert count >= 12


def test_a_hostile_log(site):
    """Nothing of it reaches the terminal as it is, and nobody makes his message part of another's
    story."""
    mine, other = "1tABCD-000abc-12", "1tXXXX-000abc-12"
    front = "2026-11-25 07:15:47"
    log = (f'{front} {mine} <= a@b T="\x1b[2J\x07"\n'
           f'{front} {other} <= <> T="R={mine} "\n'
           f"{front} {mine} => \xff\xfe\x00\x9b\r\n"
           f"{front} {mine} => {'x' * 100000}\n"
           f"{front}\x1b[2J {mine} => z\n" + f"{front} {mine} == y\n" * 3000)
    said = explain_log(site, mine, log=log.encode("latin-1"))
    assert {line["id"] for line in said} == {mine} and len(said) == 2000
    assert said[0]["text"] == r"<= a@b T=\x22\x1b[2J\x07\x22"
    assert len(said[2]["text"]) < 2048
    found = site.program("explain", "--log", "/etc/exim4/some-log", mine)
    assert not set(found.stdout + found.stderr) - set(map(chr, [10, *range(32, 127)]))
    assert "there are more lines" in found.stderr


@pytest.mark.parametrize("args,status", [
    (["--log", "/etc/exim4/some-log", "1tABCD-000abc-12"], 66),
    (["--log", "/nonexistent", "1tABCD-000abc-12"], 66),
    (["--log", "/etc/exim4/some-log", "what"], 65),
    (["--log", "/etc/exim4/some-log"], 64), (["--log"], 64)])
def test_a_log_that_says_nothing(site, args, status):
    """No such line, no such file, no such id."""
    site.lab.write_etc("some-log", "x\n")
    assert site.program("explain", *args, check=False).returncode == status


def test_whoever_reads_a_log_is_nobody(site):
    """The file is opened as who one is, relative to where one is; the rest is done without
    that power."""
    site.lab.write_etc("some-log", "2026-11-25 07:15:47 1tABCD-000abc-12 Completed\n", mode=0o600)
    found = site.lab.exec(["/bin/sh", "-c",
                           "cd /etc/exim4 && strace -s 200 -e trace=setresuid,read "
                           "exim-requiretls explain --log some-log 1tABCD-000abc-12"])
    assert "nothing is left to do" in found.stdout
    calls = found.stderr.splitlines()
    dropped = next(i for i, call in enumerate(calls) if "setresuid(65534" in call)
    assert not any("Completed" in call for call in calls[:dropped])
    assert any("Completed" in call for call in calls[dropped:])
