"""What the RFCs want done with a message to a domain with one MX host, or two.

Nothing here knows of Exim or of the module: the facts of one cell go in, the fate of the
message and what is counted for TLS reports come out. One function is one rule, with its
section. Where an RFC leaves room, the decisions of REQUIREMENTS.md and docs/ARCHITECTURE.md
fill it, and it says so.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

AXES: dict[str, tuple[str, ...]] = {
    # of the recipient's domain. expired: an enforcing one was cached, its time is over, and
    # nothing is published any more; broken: announced, its text does not parse;
    # unfetchable: announced, its host is down. Nothing is cached in these two.
    "policy": ("none", "testing", "enforce", "absent", "expired", "broken", "unfetchable"),
    "mx": ("secure", "insecure", "bogus", "servfail"),
    # Does the policy, should there be one, name the host? Else it names another.
    "listed": ("in", "out"),
    # of the host, whose own zone is signed. good and bad: usage 3; unusable: only usage 1
    "tlsa": ("absent", "good", "bad", "unusable", "servfail"),
    "message": ("flagged", "plain", "relaxed"),
    "certificate": ("good", "expired", "notyet", "selfsigned", "unknownca", "wrongname",
                    "cnonly", "wildcard", "partial", "extra"),
    # breaks: the connection ends where the handshake should be; 4xx: the reply to STARTTLS
    "starttls": ("yes", "no", "breaks", "4xx"),
}


@dataclass(frozen=True)
class Cell:
    """The facts; values as in AXES."""

    policy: str
    mx: str
    listed: str
    tlsa: str
    message: str
    certificate: str
    starttls: str

    def __str__(self) -> str:
        return " ".join(getattr(self, axis) for axis in AXES)


def all_cells() -> Iterator[Cell]:
    """Every cell, those that are routed alike in a row."""
    return (Cell(*values) for values in itertools.product(*AXES.values()))


VERIFIED, TLS, CLEAR = "verified", "tls", "clear"
DEFERRED, BOUNCED = "deferred", "bounced"
SKIPPED = "skipped"             # the host, for the next one
NO_PROTECTED_SESSION = "5.7.10"

SUCCESS, NO_LINE = "success", "no line"
MISMATCH = "sts-mx-mismatch"


@dataclass(frozen=True)
class Count:
    """What is counted under one policy: one of these results. Where a session has several
    faults any of them will do (RFC 8460, section 4.3); NO_LINE among them: it may be left
    out."""

    policy_type: str
    results: frozenset[str]
    reason: str = ""            # the failure-reason-code, where it is fixed

    def __str__(self) -> str:
        return f"{self.policy_type}: {' or '.join(sorted(self.results))} {self.reason}".strip()


@dataclass(frozen=True)
class Fate:
    """verified: it left for a host whose authentication was demanded and succeeded; tls, clear:
    nobody demanded that. status of a bounce."""

    what: str
    status: str = ""
    counts: tuple[Count, ...] = ()

    def __str__(self) -> str:
        counted = "; ".join(map(str, self.counts)) or "nothing"
        return f"{self.what} {self.status}".strip() + f", counted {counted}"


# --- the facts, put together ---------------------------------------------------------

def mode(cell: Cell) -> str:
    """The policy that applies. RFC 8461, section 5: none is as if there was no policy; 3.3: so
    it is when none can be had and none is cached, and when the cached one has expired."""
    return cell.policy if cell.policy in ("testing", "enforce") else ""


def tlsa_is_usable(cell: Cell) -> bool:
    """RFC 7672, section 3.1.3: usages 0 and 1 may be treated as unusable, and here are."""
    return cell.tlsa in ("good", "bad")


def dane_decides(cell: Cell) -> bool:
    """RFC 7672, section 2.2; docs/ARCHITECTURE.md: DANE before MTA-STS, but only behind a secure
    MX, so that a forged MX answer cannot exempt itself from the policy."""
    return cell.mx == "secure" and tlsa_is_usable(cell)


def insists(cell: Cell) -> bool:
    """Does the sender, or the domain's policy, demand an authenticated host?"""
    return cell.message == "flagged" or mode(cell) == "enforce"


def dane_is_added(cell: Cell) -> bool:
    """RFC 7672, section 2.2.1: behind an insecure MX the client MAY use DANE. It is used where
    the host is insisted on, and then adds to what the policy demands: RFC 8461, section 2,
    never overrides a failing DANE validation."""
    return cell.mx == "insecure" and insists(cell) and tlsa_is_usable(cell)


def tlsa_lookup_fails(cell: Cell) -> bool:
    """RFC 7672, section 2.1.2; behind an insecure MX, where DANE is used (section 2.2.1)."""
    return cell.tlsa == "servfail" and (cell.mx == "secure" or insists(cell))


CERTIFICATE_FAULTS = {
    # RFC 8460, section 4.3.1. Not yet valid is out of its time as well (EDGE-CASES 122).
    "expired": "certificate-expired", "notyet": "certificate-expired",
    "selfsigned": "certificate-not-trusted", "unknownca": "certificate-not-trusted",
    # RFC 8461, section 4.2: a DNS-ID. A CN does not count, also for flagged mail, where RFC
    # 8689 would let it: RFC 6125, section 6.4.4, only MAY. As little a wildcard that is not the
    # whole label (RFC 6125, section 6.4.3, MAY; E2).
    "wrongname": "certificate-host-mismatch", "cnonly": "certificate-host-mismatch",
    "partial": "certificate-host-mismatch",
    # good, wildcard, extra: nothing wrong. An expired certificate that no path needs is no
    # fault: RFC 5280, section 6.1, judges a path.
}


def pkix_holds(cell: Cell) -> bool:
    """RFC 8461, section 4.2: unexpired, to a trusted root, with a DNS-ID that is the host."""
    return cell.certificate not in CERTIFICATE_FAULTS


def is_refused_by_name(cell: Cell) -> bool:
    """RFC 8461, sections 4.1 and 5: not a host of an enforcing policy."""
    return mode(cell) == "enforce" and cell.listed == "out" and not dane_decides(cell)


# --- the fate ------------------------------------------------------------------------

def fate(cell: Cell) -> Fate:
    """What becomes of the message at the first attempt; of a flagged one, also at the look at
    DNS that precedes a bounce (RFC 8461, section 5.1), which finds nothing new here."""
    # RFC 7672, section 2.1.2: the hosts cannot be known, so delivery MUST be delayed.
    if cell.mx in ("bogus", "servfail"):
        return Fate(DEFERRED)
    if cell.message == "relaxed":
        return _fate_of_relaxed(cell)
    if cell.message == "flagged" and not _name_is_vouched_for(cell):
        return _fate_without_name(cell)
    # RFC 7672, section 2.1.2: unreachable. No session, and nothing to count but that the policy
    # would not have it either.
    if tlsa_lookup_fails(cell):
        optional = frozenset(("validation-failure", NO_LINE))
        return Fate(DEFERRED, counts=(Count("sts", optional, MISMATCH),)
                    if is_refused_by_name(cell) else ())
    if is_refused_by_name(cell):
        return _refused(cell, (Count("sts", frozenset(("validation-failure",)), MISMATCH),))
    return _fate_of_session(cell)


def _fate_of_relaxed(cell: Cell) -> Fate:
    """RFC 8689, sections 3 and 4.2.2: TLS if it can be had, and no failure if not. DESIGN: not
    judged, so not counted."""
    return Fate(TLS if cell.starttls == "yes" else CLEAR)


def _name_is_vouched_for(cell: Cell) -> bool:
    """RFC 8689, section 4.2.1, step 2: a DNSSEC signature, or MTA-STS as in RFC 8461, section
    4.1. C2.2: of a policy in mode enforce or testing."""
    return cell.mx == "secure" or (mode(cell) != "" and cell.listed == "in")


def _fate_without_name(cell: Cell) -> Fate:
    """RFC 8689, section 4.2.1: no host, so a bounce. While a policy is announced that cannot be
    had, what it says is not known; that is trouble of now (C2.8)."""
    if cell.policy in ("broken", "unfetchable"):
        return Fate(DEFERRED)
    return Fate(BOUNCED, NO_PROTECTED_SESSION)


def _fate_of_session(cell: Cell) -> Fate:
    counts = _counts(cell)
    if cell.starttls == "yes":
        if not _is_authenticated(cell):
            return _refused(cell, counts)
        return Fate(VERIFIED if _wants_authentication(cell) else TLS, counts=counts)
    if not _wants_tls(cell):
        return Fate(CLEAR, counts=counts)       # RFC 7672, section 2.2: as ever
    if cell.starttls == "no":
        return _refused(cell, counts)
    # What broke, or was put off, says nothing of the host for good: RFC 5321, section
    # 4.5.4.1, also for flagged mail (C2.8).
    return Fate(DEFERRED, counts=counts)


def _refused(cell: Cell, counts: tuple[Count, ...]) -> Fate:
    """The only host does not qualify. RFC 8689, section 4.2.1: a flagged message MUST come
    back. Else RFC 8461, section 5, and RFC 7672, section 2.2: later. Where only the policy
    refuses a host of a flagged message, RFC 8461 SHOULD wait as well; DESIGN, section 5: the sender
    asked to be told, so it comes back, after a look at DNS (MUST)."""
    if cell.message == "flagged":
        return Fate(BOUNCED, NO_PROTECTED_SESSION, counts)
    return Fate(DEFERRED, counts=counts)


def fate_with_second(cell: Cell) -> Fate:
    """The same where another MX host stands behind that of the cell, with nothing wrong: named by
    the policy, without TLSA. RFC 8461, section 5.1, RFC 7672, section 2.1.2, and RFC 8689,
    section 4.2.1: a host that does not qualify is skipped, and the next one is asked as if it
    were the first. Each session counts."""
    first = fate(cell)
    if cell.mx in ("bogus", "servfail") or first.what in (VERIFIED, TLS, CLEAR):
        return first
    next_one = fate(replace(cell, listed="in", tlsa="absent", certificate="good",
                            starttls="yes"))
    if next_one.what in (DEFERRED, BOUNCED):    # nobody vouches for its name either
        return first
    counts = first.counts
    if cell.message == "flagged" and not _name_is_vouched_for(cell):
        # Alone, it would have ended the message before any attempt. Now there is one, under a
        # policy that does not name this host (B3.1).
        results = {"validation-failure"} | ({NO_LINE} if tlsa_lookup_fails(cell) else set())
        counts = (Count("sts", frozenset(results), MISMATCH),)
    return Fate(f"{SKIPPED}, {next_one.what}", counts=counts + next_one.counts)


def _wants_authentication(cell: Cell) -> bool:
    """By whom it is demanded: DANE, the policy, the sender."""
    return dane_decides(cell) or insists(cell)


def _wants_tls(cell: Cell) -> bool:
    """RFC 7672, section 2.2: secure TLSA of which none is usable still wants TLS."""
    return (_wants_authentication(cell)
            or (cell.mx == "secure" and cell.tlsa == "unusable"))


def _is_authenticated(cell: Cell) -> bool:
    """Does the host, in TLS, satisfy all that is demanded of it?"""
    # RFC 7672, section 3.1.1: names and dates do not matter to DANE-EE (C2.3: also not for
    # flagged mail). RFC 8461, section 2: the policy does not override it either way.
    if dane_decides(cell):
        return cell.tlsa == "good"
    if not insists(cell):
        return True                             # nothing is demanded
    if dane_is_added(cell):
        # RFC 8689, section 4.2.1, step 4, takes DANE or PKIX; an enforcing policy PKIX.
        return cell.tlsa == "good" and (mode(cell) != "enforce" or pkix_holds(cell))
    return pkix_holds(cell)


# --- what is counted -----------------------------------------------------------------

def _counts(cell: Cell) -> tuple[Count, ...]:
    """One session counts once under each policy that applies to it (RFC 8460, sections 4 and
    4.2)."""
    if dane_decides(cell):
        return (_count_dane(cell),)             # the policy does not apply
    counts = []
    if dane_is_added(cell):
        counts.append(_count_added_dane(cell))
    elif cell.tlsa == "unusable" and cell.mx == "secure":
        # Section 4.3.2.1: none of the RRset was found to be valid.
        counts.append(Count("tlsa", frozenset(("tlsa-invalid", *_handshake_faults(cell)))))
    elif cell.tlsa == "unusable" and cell.mx == "insecure" and insists(cell):
        # Nobody asked for these records behind an insecure MX; whether a client found out is
        # its own affair.
        faults = frozenset(("tlsa-invalid", NO_LINE, *_handshake_faults(cell)))
        counts.append(Count("tlsa", faults))
    if mode(cell):
        counts.append(_count_policy(cell))
    elif not (cell.mx == "secure" and cell.tlsa == "unusable"):
        counts += _count_no_policy(cell)
    return tuple(counts)


def _handshake_faults(cell: Cell) -> tuple[str, ...]:
    """Section 4.3.1: not offered has a type; what else fails is a general failure."""
    return {"yes": (), "no": ("starttls-not-supported",)}.get(
        cell.starttls, ("validation-failure",))


def _count_dane(cell: Cell) -> Count:
    """Section 4.3.2.1; a certificate that is not the one of the TLSA record has no type of its
    own."""
    faults = _handshake_faults(cell)
    if cell.starttls == "yes" and cell.tlsa == "bad":
        faults = ("validation-failure",)
    return Count("tlsa", frozenset(faults or (SUCCESS,)))


def _count_added_dane(cell: Cell) -> Count:
    """As where it decides, but a client that got a 4xx need not have looked at it, and one that
    ends the session for the policy need not go on to look."""
    count = _count_dane(cell)
    policy_ends_it = mode(cell) == "enforce" and not pkix_holds(cell)
    if cell.starttls == "4xx" or (cell.starttls == "yes" and policy_ends_it):
        return Count("tlsa", count.results | {NO_LINE})
    return count


def _count_policy(cell: Cell) -> Count:
    """RFC 8461, section 4: name, STARTTLS, certificate. B3.1: its own name for the first. B2.7:
    in mode testing a failure is one, although the message goes."""
    faults = set(_handshake_faults(cell))
    reason = ""
    if cell.starttls == "yes" and not pkix_holds(cell):
        faults.add(CERTIFICATE_FAULTS[cell.certificate])
    if cell.listed == "out":
        reason = "" if faults else MISMATCH
        faults.add("validation-failure")
    if not faults and dane_is_added(cell) and cell.tlsa == "bad":
        # The policy was not what failed, but no session came about either.
        faults = {"validation-failure", NO_LINE}
    return Count("sts", frozenset(faults or (SUCCESS,)), reason)


def _count_no_policy(cell: Cell) -> list[Count]:
    """B2.5: counted too. A session that only the sender's wish for a good certificate ended
    failed no policy of the domain, and was no success."""
    faults = _handshake_faults(cell)
    if cell.starttls == "yes" and not _is_authenticated(cell):
        return []
    return [Count("no-policy-found", frozenset(faults or (SUCCESS,)))]


def discovery(cell: Cell) -> Count | None:
    """What is counted besides when the policy is looked for. RFC 8461, section 6: a fetch that
    fails although the TXT record is valid; RFC 8460, section 4.3.2.2, has the types. Not for mail
    that no policy matters to."""
    if cell.message == "relaxed":
        return None
    result = {"broken": "sts-policy-invalid",
              "unfetchable": "sts-policy-fetch-error"}.get(cell.policy)
    return Count("sts", frozenset((result,))) if result else None


# --- what must never be --------------------------------------------------------------

def is_protected(cell: Cell) -> bool:
    """Mail that must not leave but to an authenticated host, in TLS."""
    if cell.message == "relaxed":
        return False
    return cell.message == "flagged" or mode(cell) == "enforce" or dane_decides(cell)


def host_is_authentic(cell: Cell) -> bool:
    """Is there any proof that the host is who the domain wants? For the assertion over all
    cells, so in other words than fate() has."""
    proven_by_dane = cell.tlsa == "good" and (
        cell.mx == "secure" or (cell.message == "flagged" and mode(cell) == "testing"))
    contradicted = cell.tlsa in ("bad", "servfail")
    proven_by_pkix = pkix_holds(cell) and not contradicted
    name = cell.mx == "secure" or (mode(cell) != "" and cell.listed == "in")
    if mode(cell) == "enforce" and not (cell.mx == "secure" and cell.tlsa == "good"):
        return cell.listed == "in" and proven_by_pkix
    return name and (proven_by_dane or proven_by_pkix)
