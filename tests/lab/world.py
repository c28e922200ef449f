"""The lab's world as plain data: one line per host, one line per domain.

Nothing here opens a file or a socket. zones.py, certs.py and servers.py turn these
lines into DNS zones, certificates and server configurations; a new domain or host is
one new line. All names end in .example, all addresses are documentation addresses.
"""

from dataclasses import dataclass

# Fixed addresses. Every address of 192.0.2.0/24 is local in the lab's network.
SENDER = "203.0.113.1"
SENDER_NAME = "sender.lab.example"
NS, NS_SERVFAIL, NS_SILENT = "192.0.2.53", "192.0.2.54", "192.0.2.55"
RESOLVER, RESOLVER_NO_DNSSEC = "127.0.0.1", "127.0.0.2"
WEB, WEB_IPV6, WEB_LOOPBACK = "192.0.2.80", "2001:db8::80", "127.0.0.80"
REPORTS, WEB_STALL, WEB_TRICKLE = "192.0.2.81", "192.0.2.82", "192.0.2.83"
# nginx as an endpoint for reports: what it answers is in the URL, see servers.py. The names below
# differ in their certificates.
REPORTS_NGINX = "192.0.2.84"
REPORT_HOSTS = {"nginx.reports.example": "lab", "expired.reports.example": "expired",
                "selfsigned.reports.example": "selfsigned",
                "unknownca.reports.example": "unknownca",
                "wrongname.reports.example": "wrongname"}
NOTHING_LISTENS = "192.0.2.99"
# Who listens at ports 465 and 587 too, and wants a login there: relay.example and so on.
SMART_HOSTS = ("192.0.2.61", "192.0.2.62", "192.0.2.64", "192.0.2.65")

TTL_S = 2
POLICY_ID = "20261101a"
RUA = "mailto:tlsrpt@reports.example"

# Users of lab.example on the sending Exim; anyone else there is unknown.
LOCAL_USERS = ("alice", "bob", "carol", "dave", "postmaster", "tlsrpt", "abuse")


@dataclass(frozen=True)
class Host:
    """One MX host.

    server  exim (the stock receiving Exim), scripted (smtpd.py) or none
    cert    lab       right in every way, root - intermediate - leaf
            expired, notyet, selfsigned, unknownca, wrongname
            cnonly    right name as CN, no SAN
            wildcard  *. and the rest of the name; partial: h*. and the rest
            extra     right, and an expired certificate that no path needs goes along
            privateca from an issuing CA of an unknown root, which is sent along
            none      the host offers no STARTTLS
    shows   more kinds of certificates, which a scripted host can be told to show
    tlsa    match, mismatch, fail (the lookup is SERVFAIL), unusable (only usage 1) or
            nothing
    behaviour   of a scripted host, see smtpd.py
    """

    name: str
    ip: str
    server: str = "exim"
    cert: str = "lab"
    tlsa: str = ""
    behaviour: str = "good"
    shows: tuple[str, ...] = ()


WRONG_CERTS = ("expired", "selfsigned", "wrongname", "unknownca")

HOSTS = [
    # mail.example: unsigned, all on the stock Exim
    Host("good.mail.example", "192.0.2.11"),
    Host("good2.mail.example", "192.0.2.12"),
    Host("expired.mail.example", "192.0.2.13", cert="expired"),
    Host("selfsigned.mail.example", "192.0.2.14", cert="selfsigned"),
    Host("wrongname.mail.example", "192.0.2.15", cert="wrongname"),
    Host("cnonly.mail.example", "192.0.2.16", cert="cnonly"),
    Host("notls.mail.example", "192.0.2.17", cert="none"),
    Host("unknownca.mail.example", "192.0.2.18", cert="unknownca"),
    Host("notyet.mail.example", "192.0.2.19", cert="notyet"),
    # dane.example: signed
    Host("good.dane.example", "192.0.2.21", cert="selfsigned", tlsa="match"),
    Host("bad.dane.example", "192.0.2.22", tlsa="mismatch"),
    Host("notlsa.dane.example", "192.0.2.23"),
    Host("tlsafail.dane.example", "192.0.2.24", tlsa="fail"),
    Host("scripted.dane.example", "192.0.2.37", server="scripted", tlsa="match"),
    Host("ta.dane.example", "192.0.2.25", cert="privateca"),
    # smtp.example: unsigned, scripted
    Host("plain.smtp.example", "192.0.2.31", server="scripted", behaviour="plain"),
    Host("close.smtp.example", "192.0.2.32", server="scripted", behaviour="starttls-close"),
    Host("garbage.smtp.example", "192.0.2.33", server="scripted", behaviour="starttls-garbage"),
    Host("4xx.smtp.example", "192.0.2.34", server="scripted", behaviour="starttls-4xx"),
    Host("s5.smtp.example", "192.0.2.35", server="scripted"),
    Host("s6.smtp.example", "192.0.2.36", server="scripted"),
    Host("requiretls.smtp.example", "192.0.2.38", server="scripted", behaviour="requiretls"),
    Host("down.smtp.example", "192.0.2.40", server="none"),
    # wire.example: unsigned; what its scripted hosts do is changed all the time
    Host("k.wire.example", "192.0.2.71", server="scripted", shows=WRONG_CERTS),
    Host("twin.wire.example", "192.0.2.72", server="scripted", shows=WRONG_CERTS),
    Host("down.wire.example", "192.0.2.73", server="none"),
    # hosts that are a recipient domain themselves
    Host("implicit.example", "192.0.2.41"),
    # IPv6 only
    Host("v6.mail.example", "2001:db8::11"),
    # the sending Exim, when a scenario starts it as a daemon
    Host(SENDER_NAME, SENDER, server="none"),
]

# Destinations (test_destinations.py): smart hosts, each a zone with its own policy, and
# names that are seldom met.
HOSTS += [
    Host("relay.example", "192.0.2.61"),
    Host("relay-expired.example", "192.0.2.62", cert="expired"),
    Host("relay-outside.example", "192.0.2.63"),
    Host("relay-dane.example", "192.0.2.64", cert="selfsigned", tlsa="match"),
    Host("relay-plain.example", "192.0.2.65", cert="selfsigned"),
    Host("aka.mail.example", "192.0.2.67"),
    Host("under_score.mail.example", "192.0.2.66", server="scripted"),
]

# Zones which hold hosts only: name -> signed?
HOST_ZONES = {"mail.example": False, "dane.example": True, "smtp.example": False,
              "wire.example": False}


@dataclass(frozen=True)
class Domain:
    """One recipient domain; each is a zone of its own below example.

    mx      "preference host" strings; () means no MX record
    dnssec  "" unsigned (insecure delegation), signed, bogus (signed, but the parent's
            DS is for another key), expired (signatures ran out: also bogus),
            servfail and silent (delegated to a server that fails or never answers)
    sts     mode of the policy; "" means neither TXT record nor policy
    policy_mx   mx patterns of the policy; () means the names of `mx`
    fault   of the policy host: down, stall, trickle, loopback, the certificate kinds
            cert-expired, cert-selfsigned, cert-wrongname, and what nginx answers:
            404, 500, redirect, html, notype, big
    rua     of the _smtp._tls record; "" means no record
    more    further records, "owner TYPE rdata", owner relative to the domain or @
    """

    name: str
    mx: tuple[str, ...] = ()
    dnssec: str = ""
    sts: str = ""
    policy_mx: tuple[str, ...] = ()
    fault: str = ""
    rua: str = RUA
    more: tuple[str, ...] = ()


GOOD = ("10 good.mail.example",)

# MX lists with k.wire.example in them, for the table of REQUIRETLS.
WIRE_LISTS = {
    "one": ("10 k.wire.example",),
    "goodsecond": ("10 k.wire.example", "20 good.mail.example"),
    "twins": ("10 k.wire.example", "20 twin.wire.example"),
    "downfirst": ("10 down.wire.example", "20 k.wire.example"),
    "downsecond": ("10 k.wire.example", "20 down.wire.example"),
}


def _to(host: str) -> tuple[str, ...]:
    """The MX list of a domain with one host."""
    return (f"10 {host}",)


DOMAINS = [
    # the sender's own domain
    Domain("lab.example", _to(SENDER_NAME)),
    # unsigned, no policy
    Domain("nopolicy.example", GOOD),
    Domain("nopolicy-selfsigned.example", _to("selfsigned.mail.example")),
    Domain("nopolicy-notls.example", _to("notls.mail.example"), rua=""),
    Domain("nopolicy-scripted.example", _to("s6.smtp.example")),
    Domain("nullmx.example", ("0 .",)),
    Domain("implicit.example"),
    Domain("ipv6.example", _to("v6.mail.example")),
    # unsigned, policy in mode enforce
    Domain("enforce.example", GOOD, sts="enforce"),
    Domain("enforce-expired.example", _to("expired.mail.example"), sts="enforce"),
    Domain("enforce-notyet.example", _to("notyet.mail.example"), sts="enforce"),
    Domain("enforce-selfsigned.example", _to("selfsigned.mail.example"), sts="enforce"),
    Domain("enforce-wrongname.example", _to("wrongname.mail.example"), sts="enforce"),
    Domain("enforce-cnonly.example", _to("cnonly.mail.example"), sts="enforce"),
    Domain("enforce-unknownca.example", _to("unknownca.mail.example"), sts="enforce"),
    Domain("enforce-notls.example", _to("notls.mail.example"), sts="enforce"),
    Domain("enforce-plain.example", _to("plain.smtp.example"), sts="enforce"),
    Domain("enforce-close.example", _to("close.smtp.example"), sts="enforce"),
    Domain("enforce-garbage.example", _to("garbage.smtp.example"), sts="enforce"),
    Domain("enforce-4xx.example", _to("4xx.smtp.example"), sts="enforce"),
    Domain("enforce-down.example", _to("down.smtp.example"), sts="enforce"),
    Domain("enforce-scripted.example", _to("s6.smtp.example"), sts="enforce"),
    Domain("enforce-requiretls.example", _to("requiretls.smtp.example"), sts="enforce"),
    Domain("enforce-mismatch.example", ("10 good2.mail.example", "20 good.mail.example"),
           sts="enforce", policy_mx=("good.mail.example",)),
    Domain("enforce-allmismatch.example", ("10 good.mail.example", "20 good2.mail.example"),
           sts="enforce", policy_mx=("mx.elsewhere.example",)),
    Domain("enforce-fallback.example", ("10 down.smtp.example", "20 good.mail.example"),
           sts="enforce"),
    Domain("enforce-badfirst.example", ("10 expired.mail.example", "20 good.mail.example"),
           sts="enforce"),
    Domain("enforce-wildcard.example", GOOD, sts="enforce", policy_mx=("*.mail.example",)),
    Domain("rotate.example", GOOD, sts="enforce"),
    # other modes
    Domain("testing.example", GOOD, sts="testing"),
    Domain("testing-selfsigned.example", _to("selfsigned.mail.example"), sts="testing"),
    Domain("testing-notls.example", _to("notls.mail.example"), sts="testing"),
    Domain("testing-mismatch.example", GOOD, sts="testing", policy_mx=("good2.mail.example",)),
    Domain("none.example", _to("selfsigned.mail.example"), sts="none"),
    # policy hosts with a fault; what they would serve is an enforce policy
    Domain("policydown.example", GOOD, sts="enforce", fault="down"),
    Domain("policystall.example", GOOD, sts="enforce", fault="stall"),
    Domain("policytrickle.example", GOOD, sts="enforce", fault="trickle"),
    Domain("policyloopback.example", GOOD, sts="enforce", fault="loopback"),
    Domain("policy404.example", GOOD, sts="enforce", fault="404"),
    Domain("policy500.example", GOOD, sts="enforce", fault="500"),
    Domain("policyredirect.example", GOOD, sts="enforce", fault="redirect"),
    Domain("policyhtml.example", GOOD, sts="enforce", fault="html"),
    Domain("policynotype.example", GOOD, sts="enforce", fault="notype"),
    Domain("policybig.example", GOOD, sts="enforce", fault="big"),
    Domain("policycert.example", GOOD, sts="enforce", fault="cert-expired"),
    Domain("policyselfsigned.example", GOOD, sts="enforce", fault="cert-selfsigned"),
    Domain("policywrongname.example", GOOD, sts="enforce", fault="cert-wrongname"),
    # three domains on the same hosts
    Domain("shared-a.example", GOOD, sts="enforce"),
    Domain("shared-b.example", GOOD),
    Domain("shared-c.example", GOOD, sts="enforce", policy_mx=("good2.mail.example",)),
    # where reports go: by mail to good.mail.example, or by HTTPS
    Domain("reports.example", GOOD, more=(
        f"@ A {REPORTS}", *(f"{name.partition('.')[0]} A {REPORTS_NGINX}"
                            for name in REPORT_HOSTS))),
    # signed
    Domain("secure.example", GOOD, dnssec="signed", more=("alias CNAME secure.example.",)),
    Domain("secure-selfsigned.example", _to("selfsigned.mail.example"), dnssec="signed"),
    Domain("secure-notls.example", _to("notls.mail.example"), dnssec="signed"),
    Domain("secure-sts.example", GOOD, dnssec="signed", sts="enforce",
           rua="https://reports.example/tlsrpt"),
    Domain("secure-scripted.example", _to("s6.smtp.example"), dnssec="signed"),
    Domain("secure-requiretls.example", _to("requiretls.smtp.example"), dnssec="signed"),
    Domain("secure-nullmx.example", ("0 .",), dnssec="signed"),
    Domain("dane-good.example", _to("good.dane.example"), dnssec="signed"),
    Domain("dane-bad.example", _to("bad.dane.example"), dnssec="signed"),
    Domain("dane-notlsa.example", _to("notlsa.dane.example"), dnssec="signed"),
    Domain("dane-sts.example", _to("good.dane.example"), dnssec="signed", sts="enforce"),
    Domain("dane-bad-sts.example", _to("bad.dane.example"), dnssec="signed", sts="enforce"),
    Domain("dane-scripted.example", _to("scripted.dane.example"), dnssec="signed"),
    Domain("tlsafail.example", _to("tlsafail.dane.example"), dnssec="signed"),
    # the same MX list three times: signed, unsigned with a policy, neither
    *[Domain(f"{name}-dnssec.example", mx, dnssec="signed", rua="")
      for name, mx in WIRE_LISTS.items()],
    *[Domain(f"{name}-sts.example", mx, sts="enforce", rua="")
      for name, mx in WIRE_LISTS.items()],
    *[Domain(f"{name}-insecure.example", mx, rua="") for name, mx in WIRE_LISTS.items()],
    # broken DNS
    Domain("bogus.example", GOOD, dnssec="bogus"),
    Domain("expiredsig.example", GOOD, dnssec="expired"),
    Domain("servfail.example", GOOD, dnssec="servfail"),
    Domain("silent.example", GOOD, dnssec="silent"),
]

DOMAINS += [
    Domain("relay.example", sts="enforce", policy_mx=("relay.example",)),
    Domain("relay-expired.example", sts="enforce", policy_mx=("relay-expired.example",)),
    Domain("relay-outside.example", sts="enforce", policy_mx=("mx.elsewhere.example",)),
    Domain("relay-dane.example", dnssec="signed"),
    Domain("relay-plain.example"),
    Domain("xn--bcher-kva.example", GOOD, sts="enforce"),
]

# Records in the zone example. itself: CNAMEs directly in a signed top-level zone,
# which getdns and Unbound judge differently.
TOP_RECORDS = (
    "alias-secure CNAME secure.example.",
    "alias-insecure CNAME nopolicy.example.",
)


# --- the matrix of tests/matrix -------------------------------------------------------
# A host for each state of TLSA with each thing a server may do, in a signed zone; and a zone for
# each state of an MX answer, into which the scenario puts domains, as many as there are policy
# hosts with a certificate for them.

MATRIX_HOSTS = "mx-matrix.example"
MATRIX_ZONES = {"secure": "signed", "insecure": "", "bogus": "bogus", "servfail": "servfail"}
MATRIX_DOMAINS = 300
_TLSA = {"absent": "", "good": "match", "bad": "mismatch", "unusable": "unusable",
         "servfail": "fail"}
_CERTIFICATES = ("good", "expired", "notyet", "selfsigned", "unknownca", "wrongname", "cnonly",
                 "wildcard", "partial", "extra")
_STARTTLS = {"no": "plain", "breaks": "starttls-close", "4xx": "starttls-4xx"}


def matrix_host(certificate: str, starttls: str, tlsa: str) -> str:
    """The name of a host; only where STARTTLS works the certificate matters."""
    return f"h-{certificate if starttls == 'yes' else starttls}-{tlsa}.{MATRIX_HOSTS}"


def matrix_domain(mx: str, number: int) -> str:
    """The name of a domain."""
    return f"d{number}.{mx}-matrix.example"


def _matrix_hosts() -> list[Host]:
    found = []
    for does in (*_CERTIFICATES, *_STARTTLS):
        for tlsa, record in _TLSA.items():
            name, ip = f"h-{does}-{tlsa}.{MATRIX_HOSTS}", f"192.0.2.{128 + len(found)}"
            found.append(
                Host(name, ip, server="scripted", behaviour=_STARTTLS[does], tlsa=record)
                if does in _STARTTLS else
                Host(name, ip, cert="lab" if does == "good" else does, tlsa=record))
    return found


HOSTS += _matrix_hosts()
HOST_ZONES[MATRIX_HOSTS] = True
DOMAINS += [Domain(f"{mx}-matrix.example", dnssec=dnssec, rua="")
            for mx, dnssec in MATRIX_ZONES.items()]


def host_named(name: str) -> Host:
    """The host of that name; KeyError when the world has none."""
    for host in HOSTS:
        if host.name == name:
            return host
    raise KeyError(name)


def domain_named(name: str) -> Domain:
    """The domain of that name; KeyError when the world has none."""
    for domain in DOMAINS:
        if domain.name == name:
            return domain
    raise KeyError(name)


def policy_text(mode: str, mx: list[str] | tuple[str, ...], max_age_s: int = 604800) -> str:
    """An MTA-STS policy as a careful domain would publish it, with LF line ends."""
    lines = ["version: STSv1", f"mode: {mode}"]
    lines += [f"mx: {pattern}" for pattern in mx]
    lines += [f"max_age: {max_age_s}"]
    return "\n".join(lines) + "\n"


def domain_policy(domain: Domain) -> str:
    """The policy which the world gives a domain (one with `sts` set)."""
    names = domain.policy_mx or tuple(entry.split()[1] for entry in domain.mx)
    return policy_text(domain.sts, names)
