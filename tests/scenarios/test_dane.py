"""DANE beside MTA-STS: what Exim does with TLSA records, and what is made of it.

RFC 7672, and REQUIREMENTS D1 to D12. The hosts are names in the signed zone dane.example
at addresses of the world's hosts: whose certificate is shown there is what counts.
"""

import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mail import (GOOD, GOOD2, arrived, assert_bounced, assert_delivered, assert_waiting,
                  deliver)
from sender import world

SELFSIGNED, EXPIRED, NOTLS, UNKNOWNCA = ("192.0.2.14", "192.0.2.13", "192.0.2.17",
                                         "192.0.2.18")
PRIVATE, CLOSES = "192.0.2.25", "192.0.2.32"
HASHES = {0: lambda data: data.hex(), 1: lambda data: hashlib.sha256(data).hexdigest(),
          2: lambda data: hashlib.sha512(data).hexdigest()}
WRONG = {1: "00" * 32, 2: "00" * 64}
MX = "secure.example"  # signed, without a policy


def chain(site, ip):
    """What the host at an address shows, as DER, leaf first."""
    pem = (site.lab.state / "certs/mx" / f"{ip}.pem").read_text()
    end = "-----END CERTIFICATE-----\n"
    return [ssl.PEM_cert_to_DER_cert(part[part.index("-----BEGIN CERT"):] + end)
            for part in pem.split(end)[:-1]]


def tlsa(site, parameters, ip, depth=0):
    """The record "usage selector matching" about a certificate shown at an address."""
    selector, matching = (int(word) for word in parameters.split()[1:])
    der = chain(site, ip)[depth]
    if selector == 1:
        key = x509.load_der_x509_certificate(der).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{parameters} {HASHES[matching](der)}"


def add_host(site, name, ip, *records):
    """A host in a signed zone, with these TLSA records."""
    site.lab.set_rrset(name, "A", [ip])
    if records:
        site.lab.set_rrset(f"_25._tcp.{name}", "TLSA", records)


def use_host(site, ip, *records, name="x.dane.example", domain=MX):
    """Make it the only MX host of a domain."""
    add_host(site, name, ip, *records)
    site.lab.set_mx(domain, [f"10 {name}"])


def dane_results(site, host="x.dane.example", domain=MX):
    """(policy type, result) of what is counted for a domain about the TLSA records of a host."""
    return [(line["type"], line["result"]) for line in site.journal()
            if (line["type"], line["domain"], line["mx"]) == ("tlsa", domain, host)]


def forget(site):
    """Take away what waits, and what Exim and the module know of hosts."""
    site.lab.exec(["/bin/sh", "-c", "exim4 -bpru | awk '{ print $3 }' | xargs -r exim4 -Mrm"])
    site.forget_retries()
    site.program("cache", "flush", "--all")


# --- how Exim verifies ---------------------------------------------------------------

@pytest.mark.parametrize("parameters,ip", [
    ("3 1 1", EXPIRED), ("3 0 2", EXPIRED), ("3 1 0", EXPIRED), ("3 1 1", UNKNOWNCA)])
def test_dane_ee_ignores_name_and_dates(site, parameters, ip):
    """D11: an expired certificate with a foreign name is the one the record is about."""
    use_host(site, ip, tlsa(site, parameters, ip))
    assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), ip)
    assert "CV=dane" in site.lab.mainlog()
    assert dane_results(site) == [("tlsa", "success")]


@pytest.mark.parametrize("parameters", ["2 0 1", "2 1 2"])
def test_dane_ta_private_ca(site, parameters):
    """D11: a CA that no bundle has."""
    use_host(site, PRIVATE, tlsa(site, parameters, PRIVATE, 1), name="ta.dane.example")
    assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), PRIVATE)
    assert "CV=dane" in site.lab.mainlog()
    assert dane_results(site, "ta.dane.example") == [("tlsa", "success")]


TA_REFUSED = {
    "private CA, foreign name": (PRIVATE, ["2 0 1"], "certificate-host-mismatch"),
    "public CA, foreign name": (GOOD, ["2 0 1"], "certificate-host-mismatch"),
    "the same beside a DANE-EE record of another key": (
        GOOD, ["2 0 1", f"3 1 1 {WRONG[1]}"], "certificate-host-mismatch"),
}


@pytest.mark.parametrize("case", TA_REFUSED)
def test_dane_ta_wants_the_name(site, case):
    """D11: Exim with GnuTLS goes on with a PKIX check without any name when the name does
    not fit DANE-TA, so a certificate of the same public CA for any other host would do.
    Protected mail does not go there; other mail does, and it is counted as what it is."""
    ip, records, result = TA_REFUSED[case]
    use_host(site, ip, *[tlsa(site, text, ip, 1) if len(text) == 5 else text
                         for text in records])
    assert_waiting(site, deliver(site, f"bob+requiretls@{MX}"))
    assert f"({result})" in site.log()
    assert dane_results(site) == [("tlsa", result)]
    assert_bounced_by_queue_run(site)
    marker = deliver(site, f"bob@{MX}")
    assert bool(arrived(site, marker)) == (ip == GOOD)
    assert ("although its certificate is for" in site.log()) == (ip == GOOD)
    assert dane_results(site)[-1] == ("tlsa", result)


def assert_bounced_by_queue_run(site):
    """What is wrong for good bounces at the next attempt."""
    site.lab.run_queue()
    assert site.lab.queue() == []
    assert "5.7.10" in site.lab.bounces("alice")[0].text


def test_dane_ta_and_ee_together(site):
    """A roll-over has both: the record that fits decides what the name has to be."""
    use_host(site, GOOD, tlsa(site, "2 0 1", GOOD, 1), tlsa(site, "3 1 1", GOOD))
    assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), GOOD)
    assert "CV=dane" in site.lab.mainlog()


def test_dane_ta_names_the_next_hop(site):
    """D11: the other name a DANE-TA certificate may have is that of the recipient domain."""
    site.lab.set_rrset("mail.dane.example", "MX", ["10 x.dane.example."])
    site.lab.set_rrset("notlsa.dane.example", "MX", ["10 x.dane.example."])
    add_host(site, "x.dane.example", "192.0.2.23", tlsa(site, "2 0 1", "192.0.2.23", 1))
    assert_waiting(site, deliver(site, "bob+requiretls@mail.dane.example"))
    forget(site)
    assert_delivered(site, deliver(site, "bob+requiretls@notlsa.dane.example"), "192.0.2.23")
    assert [line["result"] for line in site.journal()] == ["certificate-host-mismatch",
                                                           "success"]
    assert site.log().count("refused") == 1


def test_dane_ta_must_have_signed(site):
    """The CA sent along proves nothing unless it signed the leaf."""
    path = site.lab.state / "certs/mx" / f"{UNKNOWNCA}.pem"
    private = (site.lab.state / "certs/mx" / f"{PRIVATE}.pem").read_text()
    before = path.read_text()
    path.write_text(before + private[private.rindex("-----BEGIN CERT"):])
    try:
        use_host(site, UNKNOWNCA, tlsa(site, "2 0 1", UNKNOWNCA, 1),
                 name="unknownca.dane.example")
        assert_waiting(site, deliver(site, f"bob+requiretls@{MX}"))
        assert_waiting_more(site, deliver(site, f"bob@{MX}"))
    finally:
        path.write_text(before)


def assert_waiting_more(site, marker):
    """As assert_waiting(), with others on the queue."""
    assert site.lab.body_seen(marker) == []
    assert marker in "".join(path.read_text(errors="replace") for path in
                             (site.lab.state / "sender/spool/input").glob("*-D"))


def test_any_matching_digest_will_do(site):
    """D12: no digest agility in GnuTLS: a right SHA-256 beside a wrong SHA-512 passes, and
    the other way round."""
    for right, other in ((1, 2), (2, 1)):
        use_host(site, EXPIRED, tlsa(site, f"3 1 {right}", EXPIRED),
                 f"3 1 {other} {WRONG[other]}")
        assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), EXPIRED)
        forget(site)


# --- records that are secure, and of no use -----------------------------------------

UNUSABLE = ("0 0 1", "1 1 1")


@pytest.mark.parametrize("parameters", UNUSABLE)
def test_unusable_records_force_tls_and_prove_nothing(site, parameters):
    """D6, D11: usages of PKIX-TA and PKIX-EE. No clear text for any mail; a certificate
    that only they would vouch for is none."""
    use_host(site, SELFSIGNED, tlsa(site, parameters, SELFSIGNED))
    assert_delivered(site, deliver(site, f"bob@{MX}"), SELFSIGNED)
    assert "CV=no" in site.lab.mainlog()
    assert dane_results(site) == [("tlsa", "tlsa-invalid")]
    assert_waiting(site, deliver(site, f"bob+requiretls@{MX}"))
    assert "certificate refused: self-signed" in site.log()
    forget(site)
    for ip in (NOTLS, CLOSES):
        use_host(site, ip, f"{parameters} {WRONG[1]}")
        assert_waiting(site, deliver(site, f"bob@{MX}"))
        forget(site)


def test_unusable_records_leave_the_policy_in_force(site):
    """A6.10, D6: the policy applies to such a host in full."""
    add_host(site, "ta.dane.example", PRIVATE, tlsa(site, "1 1 1", PRIVATE))
    add_host(site, "notlsa.dane.example", "192.0.2.23", tlsa(site, "1 1 1", "192.0.2.23"))
    site.lab.set_mx("dane-sts.example", ["10 ta.dane.example", "20 notlsa.dane.example"])
    site.lab.set_policy("dane-sts.example", world.policy_text("enforce", ("*.dane.example",)),
                        id="unusable")
    assert_delivered(site, deliver(site, "bob@dane-sts.example"), "192.0.2.23")
    assert site.results("dane-sts.example") == [
        ("tlsa", "tlsa-invalid"), ("sts", "certificate-not-trusted"),
        ("tlsa", "tlsa-invalid"), ("sts", "success")]


def test_one_usable_record_is_enough(site):
    """RFC 7671 section 4: those of no use are as if they were not there."""
    use_host(site, SELFSIGNED, f"1 1 1 {WRONG[1]}", tlsa(site, "3 1 1", SELFSIGNED))
    assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), SELFSIGNED)


# --- the MX answer -------------------------------------------------------------------

def tlsa_asked(site, zone="dane.example"):
    """How many TLSA queries reached the server of a zone."""
    return site.lab.authority_queries(zone, "TLSA")


def test_insecure_mx_is_not_made_secure_by_tlsa(site):
    """D8: behind an unsigned MX answer Exim does no DANE for ordinary mail, nobody asks for
    TLSA, and nothing says (DNSSEC)."""
    site.lab.set_mx("nopolicy.example", ["10 bad.dane.example"])
    before = tlsa_asked(site)
    assert_delivered(site, deliver(site, "bob@nopolicy.example"), "192.0.2.22")
    site.rules("dnssec To *@nopolicy.example\n")
    assert_delivered(site, deliver(site, "bob@nopolicy.example",
                                   headers={"To": "bob@nopolicy.example"}), "192.0.2.22")
    assert tlsa_asked(site) == before
    assert "nopolicy.example class=observe" in site.log() and "DNSSEC" not in site.log()
    assert site.results("nopolicy.example") == [("no-policy-found", "success")] * 2
    assert_bounced(site, deliver(site, "bob+requiretls@nopolicy.example"), "5.7.10")


INSECURE_MX = {
    # What the host shows and has -> does enforcing mail go there, and what is counted?
    "DANE holds, no CA knows it": ("good", False, [("sts", "certificate-not-trusted")], []),
    "a CA knows it, DANE fails": ("bad", False, [("sts", "validation-failure")],
                                  [("tlsa", "validation-failure")]),
    "both hold": ("notlsa", True, [("sts", "success")], [("tlsa", "success")]),
}


@pytest.mark.parametrize("case", INSECURE_MX)
def test_insecure_mx_leaves_the_policy_in_force(site, case):
    """A6.10, D8: a host behind an unsigned MX answer is not exempt from the policy by its
    TLSA records; and where Exim heeds them all the same, the policy does not override
    them."""
    name, delivered, sts, dane = INSECURE_MX[case]
    host = f"{name}.dane.example"
    site.lab.set_rrset("_25._tcp.notlsa.dane.example", "TLSA",
                       [tlsa(site, "3 1 1", "192.0.2.23")])
    site.lab.set_mx("rotate.example", [f"10 {host}"])
    site.lab.set_policy("rotate.example", world.policy_text("enforce", (host,)), id="dane")
    for user in ("bob", "bob+requiretls"):
        marker = deliver(site, f"{user}@rotate.example")
        if delivered:
            assert_delivered(site, marker)
        else:
            assert_waiting(site, marker)
        assert "DNSSEC" not in site.log()
        forget(site)
    assert dane_results(site, host, "rotate.example") == dane * 2
    assert site.results("rotate.example") == (dane + sts) * 2


def test_insecure_mx_testing_policy_and_dane(site):
    """C2.3: what a flagged message needs DANE gives; what the policy in testing makes of the
    certificate is reported."""
    site.lab.set_mx("rotate.example", ["10 good.dane.example"])
    site.lab.set_policy("rotate.example",
                        world.policy_text("testing", ("good.dane.example",)), id="dane")
    assert_delivered(site, deliver(site, "bob+requiretls@rotate.example"), "192.0.2.21")
    assert site.results("rotate.example") == [("tlsa", "success"),
                                              ("sts", "certificate-not-trusted")]
    assert "refused" not in site.log()


def test_the_better_host_comes_first(site):
    """D7: a host with TLSA does not get ahead of a better one without."""
    site.lab.set_mx(MX, ["10 good.mail.example", "20 good.dane.example"])
    for user in ("bob", "bob+requiretls"):
        assert_delivered(site, deliver(site, f"{user}@{MX}"), GOOD)
    site.lab.set_mx(MX, ["10 selfsigned.mail.example", "20 good.dane.example"])
    assert_delivered(site, deliver(site, f"bob@{MX}"), SELFSIGNED)
    site.program("cache", "flush", "--all")
    assert_delivered(site, deliver(site, f"bob+requiretls@{MX}"), "192.0.2.21")


# --- lookups that fail, and those that are not made -----------------------------------

def test_failing_host_is_left_for_the_next(site):
    """D4: whose TLSA lookup fails is not used by any class, and the next one is tried."""
    hosts = ["10 tlsafail.dane.example", "20 notlsa.dane.example"]
    site.lab.set_mx("dane-sts.example", hosts)
    site.lab.set_mx(MX, hosts)
    site.lab.set_policy("dane-sts.example", world.policy_text("enforce", ("*.dane.example",)),
                        id="both")
    for recipient in (f"bob@{MX}", f"bob+requiretls@{MX}", "bob@dane-sts.example"):
        assert_delivered(site, deliver(site, recipient), "192.0.2.23")
    assert site.lab.mx_log("192.0.2.24") == ""
    assert [line["result"] for line in site.journal()] == ["success"] * 3


@pytest.mark.parametrize("name", ["x.bogus.example", "x.servfail.example"])
def test_host_without_addresses_is_left_for_the_next(site, name):
    """D2, D4, EDGE 82: a host whose addresses are bogus or cannot be had now is one that
    does not answer: the next one is tried, and while it fails nothing bounces."""
    if name == "x.bogus.example":
        site.lab.set_rrset(name, "A", [GOOD2])
    for domain, recipient in ((MX, f"bob@{MX}"), (MX, f"bob+requiretls@{MX}"),
                              ("enforce.example", "bob@enforce.example")):
        site.lab.set_mx(domain, [f"10 {name}", "20 good.mail.example"])
        site.lab.set_policy("enforce.example", world.policy_text(
            "enforce", (name, "good.mail.example")), id="both")
        assert_delivered(site, deliver(site, recipient), GOOD)
    assert site.lab.mx_log(GOOD2) == ""
    site.program("cache", "flush", "--all")
    site.lab.set_mx(MX, [f"10 {name}", "20 selfsigned.mail.example"])
    marker = deliver(site, f"bob+requiretls@{MX}")
    site.lab.run_queue()
    assert_waiting(site, marker)
    site.lab.set_mx(MX, [f"10 {name}"])
    forget(site)
    assert_waiting(site, deliver(site, f"bob+requiretls@{MX}"))


def test_no_tlsa_query_behind_insecure_addresses(site):
    """D9, EDGE 101: the addresses come first; what is unsigned there has no TLSA that could
    count, and its servers may choke on the question."""
    use_host(site, GOOD, "3 1 1 " + WRONG[1], name="x.mail.example")
    counted = {zone: tlsa_asked(site, zone) for zone in ("mail.example", "dane.example")}
    site.program("resolve", MX)
    site.program("resolve", "nopolicy.example")
    assert tlsa_asked(site, "mail.example") == counted["mail.example"]
    assert site.lab.authority_queries("mail.example", "A") > 0
    for user in ("bob", "bob+requiretls"):
        deliver(site, f"{user}@{MX}")
    assert tlsa_asked(site, "mail.example") == counted["mail.example"]
    site.program("resolve", "dane-good.example")
    assert tlsa_asked(site) > counted["dane.example"]


def test_tls_required_no_asks_for_no_tlsa(site):
    """EDGE 98: what does not matter is not asked for, and cannot fail."""
    before = tlsa_asked(site)
    marker = deliver(site, "bob@dane-bad.example", headers={"TLS-Required": "No"})
    assert_delivered(site, marker, "192.0.2.22")
    assert_delivered(site, deliver(site, "bob@tlsafail.example",
                                   headers={"TLS-Required": "No"}), "192.0.2.24")
    assert tlsa_asked(site) == before
    assert site.lab.dns_queries("_25._tcp.tlsafail.dane.example") == 0
    deliver(site, "bob@dane-good.example")
    assert tlsa_asked(site) > before


# --- CNAMEs ---------------------------------------------------------------------------

def test_mx_host_that_is_a_cname_with_dane(site):
    """D10, D12: Exim asks for TLSA where a signed CNAME leads to, and so do we; the policy
    is about the name in the MX record, and it is exempt by DANE."""
    site.lab.set_rrset("alias.dane.example", "CNAME", ["good.dane.example."])
    site.lab.set_mx("dane-sts.example", ["10 alias.dane.example"])
    site.lab.set_policy("dane-sts.example", world.policy_text("enforce", ("x.example",)),
                        id="alias")
    for user in ("bob", "bob+requiretls"):
        assert_delivered(site, deliver(site, f"{user}@dane-sts.example"), "192.0.2.21")
    assert site.lab.dns_queries("_25._tcp.alias.dane.example") == 0
    assert site.results("dane-sts.example") == [("tlsa", "success")] * 2
    assert {line["mx"] for line in site.journal()} == {"good.dane.example"}
    assert {line["digest"] == "-" for line in site.journal()} == {False}
    # Where they do not fit, no policy helps.
    site.lab.set_rrset("alias.dane.example", "CNAME", ["bad.dane.example."])
    forget(site)
    assert_waiting(site, deliver(site, "bob@dane-sts.example"))


def test_mx_host_that_is_a_cname_by_pkix(site):
    """A6.2, A6.6: the certificate, the policy and SNI are about the name in the MX record,
    and the right host gets the mail, whoever signed the CNAME."""
    for name in ("good.mail.example", "good.dane.example"):
        zone = name.split(".", 1)[1]
        site.lab.set_rrset(name, "A", [])
        site.lab.set_rrset(name, "CNAME", [f"target.{zone}."])
        site.lab.set_rrset(f"target.{zone}", "A", [GOOD])
    site.lab.set_mx(MX, ["10 good.mail.example"])
    site.lab.set_policy("enforce.example",
                        world.policy_text("enforce", ("good.mail.example",)), id="alias")
    for recipient in (f"bob+requiretls@{MX}", "bob@enforce.example",
                      "bob+requiretls@enforce.example"):
        found = assert_delivered(site, deliver(site, recipient), GOOD)
        assert found.sni == "good.mail.example"
    assert site.results("enforce.example") == [("sts", "success")] * 2
    # The name at the end of the CNAME is no name of the policy, though it ends as it does.
    site.lab.set_policy("enforce.example",
                        world.policy_text("enforce", ("target.mail.example",)), id="target")
    site.program("cache", "flush", "--all")
    assert_waiting(site, deliver(site, "bob@enforce.example"))
    assert "host good.mail.example refused: not in the MTA-STS policy" in site.log()


def test_cname_that_is_not_signed_makes_it_insecure(site):
    """D5: a signed name that leads to an unsigned one has no TLSA, whatever is published;
    nor has an unsigned one that leads to a signed one."""
    site.lab.set_rrset("out.dane.example", "CNAME", ["good.mail.example."])
    site.lab.set_rrset("_25._tcp.out.dane.example", "TLSA", ["3 1 1 " + WRONG[1]])
    site.lab.set_rrset("in.mail.example", "CNAME", ["bad.dane.example."])
    before = tlsa_asked(site)
    for host, ip in (("out.dane.example", GOOD), ("in.mail.example", "192.0.2.22")):
        site.lab.set_mx(MX, [f"10 {host}"])
        shown = site.program("resolve", "--record", "--fresh", MX).stdout
        assert f"mx 10 {host} address=insecure tlsa=unknown cname=" in shown
        assert_delivered(site, deliver(site, f"bob@{MX}"), ip)
    assert tlsa_asked(site) == before


@pytest.mark.parametrize("link", ["CNAME", "DNAME"])
def test_tlsa_name_that_is_an_alias(site, link):
    """D5, RFC 7671 section 7: many hosts share one TLSA record by CNAME; signed all the
    way it counts, with an unsigned link it does not, and a bogus one is a failure."""
    where = {
        "good.dane.example": tlsa(site, "3 1 1", EXPIRED),
        "good.mail.example": "3 1 1 " + WRONG[1],
        "x.bogus.example": "3 1 1 " + WRONG[1],
    }
    outcome = {}
    for number, (name, record) in enumerate(where.items()):
        host = f"h{number}.dane.example"
        site.lab.set_rrset(f"_25._tcp.{name}", "TLSA", [record])
        add_host(site, host, EXPIRED)
        if link == "CNAME":
            site.lab.set_rrset(f"_25._tcp.{host}", "CNAME", [f"_25._tcp.{name}."])
        else:
            site.lab.set_rrset(f"_tcp.{host}", "DNAME", [f"_tcp.{name}."])
        site.lab.set_mx(MX, [f"10 {host}"])
        forget(site)
        shown = site.program("resolve", "--record", MX).stdout
        outcome[name] = (shown.split(" tlsa=")[1].split("\n")[0],
                         bool(arrived(site, deliver(site, f"bob@{MX}"))),
                         bool(arrived(site, deliver(site, f"bob+requiretls@{MX}"))))
    assert outcome == {
        "good.dane.example": ("secure", True, True),
        "good.mail.example": ("none", True, False),
        "x.bogus.example": ("bogus", False, False),
    }
