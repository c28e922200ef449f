"""What RFC 8689 wants done with a message that needs REQUIRETLS.

Nothing here knows of Exim: facts about the hosts of a domain go in, the fate of the
message comes out. Sections are those of RFC 8689 where no other is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DELIVERED, BOUNCED, DEFERRED = "delivered", "bounced", "deferred"
REQUIRETLS_NOT_SUPPORTED, NO_PROTECTED_SESSION = "5.7.30", "5.7.10"

OFFERS = ("inside", "outside", "never")
CERTIFICATES = ("good", "expired", "selfsigned", "wrongname", "unknownca")
NAME_PROOFS = ("dnssec", "sts", "insecure")


@dataclass(frozen=True)
class Host:
    """One MX host, as it is at the time of the attempt.

    offers       where it tells REQUIRETLS: inside TLS, only outside of it, or never
    certificate  good, or what is wrong with it
    up           whether it takes connections
    """

    name: str
    offers: str = "inside"
    certificate: str = "good"
    up: bool = True


@dataclass(frozen=True)
class Fate:
    """host and parameter (REQUIRETLS on MAIL) of a delivered, status of a bounced one."""

    what: str
    host: str = ""
    parameter: bool = False
    status: str = ""

    def __str__(self) -> str:
        more = " with the parameter" if self.parameter else ""
        return f"{self.what} {self.host}{self.status}{more}"


def fate(hosts: Sequence[Host], name_proof: str, empty_sender: bool) -> Fate:
    """What becomes of a message.

    hosts       in the order of preference
    name_proof  how the names in the MX record are known to be right: dnssec, sts (an
                MTA-STS policy in mode enforce that lists them all) or insecure
    """
    return (_fate_of_bounce if empty_sender else _fate_of_message)(hosts, name_proof)


def _fate_of_message(hosts: Sequence[Host], name_proof: str) -> Fate:
    """Section 4.2.1: steps 2 to 5 with each host, until one qualifies."""
    refusals = []
    for host in hosts:
        if name_proof == "insecure":            # step 2
            refusals.append(NO_PROTECTED_SESSION)
        elif not host.up:                       # step 3
            refusals.append("")
        elif host.certificate != "good":        # step 4
            refusals.append(NO_PROTECTED_SESSION)
        elif host.offers != "inside":           # step 5
            refusals.append(REQUIRETLS_NOT_SUPPORTED)
        else:
            return Fate(DELIVERED, host.name, parameter=True)
    # A host that does not answer has refused nothing; it is tried again (RFC 5321,
    # section 4.5.4.1).
    if "" in refusals:
        return Fate(DEFERRED)
    # "None of the SMTP servers ... provide this support" (section 7) is the reason as soon
    # as that was the only thing missing at one of them.
    return Fate(BOUNCED, status=max(refusals))


def _fate_of_bounce(hosts: Sequence[Host], name_proof: str) -> Fate:
    """Section 5: not to be lost for want of REQUIRETLS, so it goes where mail goes; only a
    policy of the domain itself keeps it from a host (RFC 8461, section 5)."""
    for host in hosts:
        policy_forbids = name_proof == "sts" and host.certificate != "good"
        if host.up and not policy_forbids:
            return Fate(DELIVERED, host.name, _may_ask(host, name_proof))
    return Fate(DEFERRED)


def _may_ask(host: Host, name_proof: str) -> bool:
    """Section 2: the option MUST only be specified in a session that meets all of these."""
    return (name_proof != "insecure" and host.certificate == "good"
            and host.offers == "inside")
