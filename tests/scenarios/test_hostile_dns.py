"""The resolver is hostile, or what is behind it: nothing false is believed, nothing hangs."""

import random
import time
from collections.abc import Callable

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest

from hostile_dns import ADDRESS, HostileResolver, Talk
from mail import (assert_nothing_left, assert_waiting, deliver, empty_queue,
                  let_answers_expire)
from policyhost import EXIM_USER, Record, parse

SIGNED, UNSIGNED = "secure-sts.example", "enforce.example"
TIMEOUT_S = 3
SLACK = 5       # a loaded machine; what hangs is late by much more

Behaviour = Callable[[Talk], object]


@pytest.fixture(name="resolver")
def fixture_resolver(site):
    """The only one there is. Nothing is left behind."""
    with HostileResolver(site) as found:
        yield found
        assert_nothing_left(site)


def change(edit: Callable[[dns.message.Message], object]) -> Behaviour:
    """Answer about MX and TXT with a changed message, the rest honestly."""
    def behave(talk: Talk) -> None:
        message = talk.answer()
        if not (talk.is_about(SIGNED) or talk.is_about(UNSIGNED)):
            talk.send(talk.honest())
            return
        edit(message)
        send_or_truncate(talk, message.to_wire(max_size=65535))
    return behave


def send_or_truncate(talk: Talk, wire: bytes) -> None:
    """UDP carries what fits."""
    if talk.is_tcp or len(wire) <= 1232:
        talk.send(wire)
    else:
        talk.send(truncated(talk))


def truncated(talk: Talk) -> bytes:
    """TC."""
    reply = dns.message.make_response(talk.query, recursion_available=True)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def bent(edit: Callable[[bytes], bytes]) -> Behaviour:
    """Answer about MX and TXT with bytes that are no message any more, the rest honestly."""
    def behave(talk: Talk) -> None:
        wire = talk.honest()
        if talk.is_about(SIGNED) or talk.is_about(UNSIGNED):
            wire = edit(wire)
        send_or_truncate(talk, wire)
    return behave


def forged(talk: Talk) -> dns.message.Message:
    """What an attacker would have us believe: another host, no policy."""
    reply = dns.message.make_response(talk.query, recursion_available=True)
    reply.flags |= dns.flags.AD
    if talk.question.rdtype == dns.rdatatype.MX:
        reply.answer.append(dns.rrset.from_text(talk.question.name, 60, "IN", "MX",
                                                "1 evil.mail.example."))
    return reply


def other_id(wire: bytes) -> bytes:
    """For another query."""
    return bytes([wire[0] ^ 0x55, wire[1] ^ 0xAA]) + wire[2:]


def other_question(talk: Talk) -> bytes:
    """The right id, and an answer to something else."""
    query = dns.message.make_query("evil.mail.example", talk.question.rdtype)
    query.id = talk.query.id
    reply = dns.message.make_response(query, recursion_available=True)
    reply.answer.append(dns.rrset.from_text(talk.question.name, 60, "IN", "MX",
                                            "1 evil.mail.example."))
    return reply.to_wire()


def wait(talk: Talk, seconds: float) -> bool:
    """Later; False when nobody is interested any more."""
    return not talk.is_over.wait(seconds)


def late(talk: Talk) -> None:
    """After the question was given up."""
    if wait(talk, 1):
        talk.send(talk.honest())


def drip(talk: Talk) -> None:
    """By TCP, and slowly."""
    if not talk.is_tcp:
        talk.send(truncated(talk))
        return
    wire = talk.honest()
    for byte in len(wire).to_bytes(2, "big") + wire:
        talk.raw(bytes([byte]))
        if not wait(talk, 0.3):
            return


def stall_tcp(talk: Talk) -> None:
    """TC, and then nothing."""
    if talk.is_tcp:
        wait(talk, 60)
    else:
        talk.send(truncated(talk))


def half_by_tcp(talk: Talk) -> None:
    """TC, and then half of what was announced."""
    if talk.is_tcp:
        talk.raw(b"\xff\xff" + talk.honest())
        wait(talk, 60)
    else:
        talk.send(truncated(talk))


def flood(talk: Talk) -> None:
    """Guesses at the id."""
    wire = forged(talk).to_wire()
    for guess in range(200):
        talk.send(guess.to_bytes(2, "big") + wire[2:] if guess != talk.query.id else wire[:2])


def chain(count: int, is_loop: bool) -> Callable[[dns.message.Message], None]:
    """CNAMEs, from the name asked for on."""
    def edit(message: dns.message.Message) -> None:
        name = message.question[0].name
        names = [name] + [dns.name.from_text(f"c{i}.nopolicy.example") for i in range(count)]
        if is_loop:
            names.append(name)
        message.answer = [dns.rrset.from_text(owner, 60, "IN", "CNAME", target.to_text())
                          for owner, target in zip(names, names[1:])]
        message.authority = []
    return edit


def many(count: int) -> Callable[[dns.message.Message], None]:
    """So many records of the type asked for."""
    def edit(message: dns.message.Message) -> None:
        question = message.question[0]
        is_mx = question.rdtype == dns.rdatatype.MX
        texts = [f"{i % 9} h{i}.nopolicy.example." if is_mx else f'"filler {i} {"x" * 200}"'
                 for i in range(count)]
        message.answer = [dns.rrset.from_text(question.name, 60, "IN", question.rdtype, *texts)]
    return edit


def raw_record(rdata: bytes, length: int | None = None,
               owner: bytes = b"\xc0\x0c") -> Callable[[bytes], bytes]:
    """One record of the type asked for with these very bytes, after header and question."""
    def edit(wire: bytes) -> bytes:
        end = 12
        while wire[end]:
            end += wire[end] + 1
        question = wire[12:end + 5]
        size = len(rdata) if length is None else length
        record = (owner + question[-4:] + (60).to_bytes(4, "big") + size.to_bytes(2, "big")
                  + rdata)
        return wire[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record
    return edit


def counts(*values: int) -> Callable[[bytes], bytes]:
    """Other numbers of questions and records than there are."""
    return lambda wire: wire[:4] + b"".join(v.to_bytes(2, "big") for v in values) + wire[12:]


def garbage(wire: bytes) -> bytes:
    """The right id, and noise."""
    noise = random.Random(wire[12:]).randbytes(400)
    return wire[:4] + noise


def flip(seed: int) -> Callable[[bytes], bytes]:
    """Some bits of the body turned over."""
    def edit(wire: bytes) -> bytes:
        dice, changed = random.Random(seed), bytearray(wire)
        for _ in range(8):
            changed[dice.randrange(4, len(changed))] ^= 1 << dice.randrange(8)
        return bytes(changed)
    return edit


def with_options(message: dns.message.Message) -> None:
    """Cookies and what else there may be."""
    message.use_edns(0, dns.flags.DO, 1232, options=[
        dns.edns.GenericOption(10, b"\1" * 24), dns.edns.GenericOption(10, b""),
        dns.edns.GenericOption(3, b"x" * 200), dns.edns.GenericOption(65001, b"\0" * 300)])


def set_rcode(rcode: int) -> Callable[[dns.message.Message], None]:
    """An error, extended ones too; nothing else."""
    def edit(message: dns.message.Message) -> None:
        message.answer, message.authority = [], []
        message.use_edns(0, dns.flags.DO, 1232)
        message.set_rcode(rcode)
    return edit


def poison(message: dns.message.Message) -> None:
    """More than was asked for."""
    for section in (message.answer, message.additional):
        section.append(dns.rrset.from_text("good.mail.example.", 60, "IN", "A", "192.0.2.17"))
        section.append(dns.rrset.from_text("evil.example.", 60, "IN", "MX", "0 x.example."))


# What is wrong on the way: the right answer is believed, or none.
WAY = {
    "late": late,
    "silent": lambda talk: None,
    "drips by TCP": drip,
    "stalls by TCP": stall_tcp,
    "half by TCP": half_by_tcp,
    "wrong id": lambda talk: talk.send(other_id(talk.honest())),
    "wrong id, forged": lambda talk: talk.send(other_id(forged(talk).to_wire())),
    "wrong question": lambda talk: talk.send(other_question(talk)),
    "wrong source": lambda talk: talk.send_elsewhere(forged(talk).to_wire()),
    "flood": flood,
    "a query": lambda talk: talk.send(talk.wire),
    "one byte": lambda talk: talk.send(b"x"),
    "nothing": lambda talk: talk.send(b""),
    "id only": lambda talk: talk.send(talk.wire[:2]),
    "header only": lambda talk: talk.send(talk.wire[:2] + b"\x81\x80" + bytes(8)),
}

# What is wrong with the answer itself; a resolver trusted for its AD bit could say so.
CONTENT = {
    "no question": bent(lambda wire: wire[:4] + bytes(8)),
    "counts too high": bent(counts(1, 65535, 65535, 65535)),
    "count of questions": bent(counts(65535, 1, 0, 0)),
    "cut in the middle": bent(lambda wire: wire[:len(wire) * 2 // 3]),
    "cut in a record": bent(lambda wire: wire[:40]),
    "garbage": bent(garbage),
    "pointer to itself": bent(raw_record(b"\0\1\xc0\x0c", owner=b"\xc0\x2b")),
    "pointers in a ring": bent(raw_record(b"\0\1\3abc\xc0\x0c" + b"\xc0\xff", owner=b"\xc0\x0c")),
    "pointer past the end": bent(raw_record(b"\0\1\xff\xff")),
    "label too long": bent(raw_record(b"\0\1\x7f" + b"x" * 20)),
    "rdata of one byte": bent(raw_record(b"\0")),
    "no rdata": bent(raw_record(b"")),
    "rdata shorter than it says": bent(raw_record(b"\0\1", 4000)),
    "string longer than its record": bent(raw_record(b"\xffv=STSv1; id=1")),
    "CNAME to itself": change(chain(0, True)),
    "CNAME loop": change(chain(3, True)),
    "CNAME chain without end": change(chain(40, False)),
    "SERVFAIL": change(set_rcode(2)),
    "FORMERR": change(set_rcode(1)),
    "BADVERS": change(set_rcode(16)),
    "BADCOOKIE": change(set_rcode(23)),
    "unknown rcode": change(set_rcode(3000)),
    "200 records": change(many(200)),
    "64 KiB": change(many(280)),
    "forged": lambda talk: talk.send(forged(talk).to_wire() if talk.is_about(SIGNED)
                                     or talk.is_about(UNSIGNED) else talk.honest()),
    **{f"bits turned over {seed}": bent(flip(seed)) for seed in range(6)},
}

# An answer of a kind, though not the domain's: where nobody checks, it counts.
ANSWERS = ("forged", "200 records", "64 KiB", "pointer to itself", "pointers in a ring",
           "pointer past the end", "label too long", "rdata of one byte",
           "rdata shorter than it says")

# What is odd but right.
HARMLESS = {
    "honest": lambda talk: send_or_truncate(talk, talk.honest()),
    "cookies": change(with_options),
    "wrong answers first": lambda talk: (
        talk.send(other_id(forged(talk).to_wire())), talk.send_elsewhere(forged(talk).to_wire()),
        send_or_truncate(talk, talk.honest())),
    "twice": lambda talk: (send_or_truncate(talk, talk.honest()),
                           send_or_truncate(talk, talk.honest())),
}


# Odd, right, and too much for getdns when it validates: it may fail there.
HARMLESS_TO_AD = {
    "always by TCP": lambda talk: talk.send(talk.honest() if talk.is_tcp else truncated(talk)),
    "more than was asked for": change(poison),
}


def ask(site, domain: str, told: str) -> Record:
    """Afresh; the time budget is kept, nothing dies."""
    site.lab.exec(["rm", "-rf", "/var/spool/exim4/requiretls/cache"])
    start = time.monotonic()
    done = site.program("resolve", "--record", domain, user=EXIM_USER, check=False)
    assert time.monotonic() - start < TIMEOUT_S * SLACK, told
    assert done.returncode in (0, 75), (told, done)
    listed = site.program("cache", "list", user=EXIM_USER)
    assert "unreadable" not in listed.stdout, (told, listed)
    return parse(done.stdout) if done.returncode == 0 else Record()


def assert_not_deceived(record: Record, dnssec: str, told: str) -> None:
    """The truth or nothing."""
    if record["mx-answer"] not in ("", "failed"):
        assert record["mx-answer"] == "hosts", (told, record)
        assert [line.split()[1] for line in record.mx] == ["good.mail.example"], (told, record)
        assert record["mx-dnssec"] == dnssec, (told, record)
    if record["txt"] not in ("", "failed"):
        assert record["txt"] == "valid", (told, record)


def hasty(site, mode: str) -> None:
    """No waiting for what does not come."""
    site.configure(resolver=ADDRESS, dnssec=mode, resolve_timeout=f"{TIMEOUT_S}s",
                   dns_timeout="400ms", fetch_timeout="1s")


@pytest.mark.parametrize("mode", ["validate", "ad"])
def test_bad_way(site, resolver, mode):
    """Anybody on the way to the resolver."""
    hasty(site, mode)
    for domain, dnssec in ((SIGNED, "secure"), (UNSIGNED, "insecure")):
        for name, behaviour in WAY.items():
            resolver.behave(behaviour)
            assert_not_deceived(ask(site, domain, name), dnssec, name)


def test_truncated_and_no_tcp(site, resolver):
    """TC, and TCP is refused."""
    hasty(site, "validate")
    resolver.behave(lambda talk: talk.send(truncated(talk)), has_tcp=False)
    record = ask(site, SIGNED, "no TCP")
    assert (record["mx-answer"], record["txt"], record.policy) == ("failed", "failed", "")


def test_bad_content_of_a_signed_domain(site, resolver):
    """Validated here: nobody between the domain and us is believed."""
    hasty(site, "validate")
    for name, behaviour in CONTENT.items():
        resolver.behave(behaviour)
        assert_not_deceived(ask(site, SIGNED, name), "secure", name)


@pytest.mark.parametrize("mode, domain", [("validate", UNSIGNED), ("ad", SIGNED)])
def test_bad_content_that_nobody_can_check(site, resolver, mode, domain):
    """What it says can be false. But it is an answer, or it is none: what cannot be read is
    no "there is nothing"."""
    hasty(site, mode)
    for name, behaviour in CONTENT.items():
        resolver.behave(behaviour)
        record = ask(site, domain, name)
        if name in ANSWERS or name.startswith("bits"):
            continue
        assert_not_deceived(record, "insecure" if mode == "validate" else "secure", name)


@pytest.mark.parametrize("mode", ["validate", "ad"])
def test_harmless(site, resolver, mode):
    """Odd answers are answers."""
    site.configure(resolver=ADDRESS, dnssec=mode, resolve_timeout="40s", dns_timeout="10s")
    for domain, dnssec in ((SIGNED, "secure"), (UNSIGNED, "insecure")):
        for name, behaviour in (HARMLESS | HARMLESS_TO_AD).items():
            resolver.behave(behaviour)
            record = ask(site, domain, name)
            assert_not_deceived(record, dnssec, name)
            if mode == "validate" and name in HARMLESS_TO_AD:
                continue
            assert (record["mx-answer"], record["mx-dnssec"], record["txt"], record["fetch"]) \
                == ("hosts", dnssec, "valid", "ok"), (name, record)


def test_many_records_are_bounded(site, resolver):
    """The best of 200 hosts are kept."""
    site.configure(resolver=ADDRESS, resolve_timeout="40s", dns_timeout="10s")
    resolver.behave(change(many(200)))
    record = ask(site, UNSIGNED, "many")
    assert record["mx-answer"] == "hosts" and len(record.mx) == 64
    assert [int(line.split()[0]) for line in record.mx] == sorted(
        i % 9 for i in range(200))[:64]
    assert record["txt"] in ("none", "failed")


def test_mail(site, resolver):
    """A policy that is known is enforced whatever the resolver does; flagged mail to a
    domain of which nothing is known waits."""
    domain = "enforce-selfsigned.example"
    site.configure(resolver=ADDRESS, dns_timeout="10s", resolve_timeout="40s")
    assert site.program("resolve", domain, user=EXIM_USER).returncode == 0
    kept = site.cache_file(domain).read_text()
    hasty(site, "validate")
    for name in ("silent", "wrong id, forged", "wrong question", "stalls by TCP", "a query"):
        resolver.behave(WAY[name])
        site.cache_file(domain).write_text(kept)
        let_answers_expire(site, domain)
        assert_waiting(site, deliver(site, f"bob@{domain}"))
        empty_queue(site)
        assert_waiting(site, deliver(site, "bob+requiretls@secure.example"))
        empty_queue(site)
