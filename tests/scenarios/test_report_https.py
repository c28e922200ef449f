"""Reports by HTTPS: a real nginx, and a host that misbehaves, byte by byte."""

import os
import re

import pytest

from test_hostile_https import HostileHost
from test_report import Reporter, date_of, read_gzip

NGINX = "https://nginx.reports.example"
TYPE = "application/tlsrpt+gzip"


class Posting(Reporter):
    """A site with one report to one URL."""

    def send(self, url: str) -> str:
        """What the run said."""
        self.lab.set_tlsrpt("enforce.example", f"v=TLSRPTv1; rua={url}")
        self.journal(("enforce.example", "no-policy-found", "-", "success"))
        return self.run()

    def requests(self) -> list:
        """[(method, path, status, media type, size)] as nginx saw them."""
        return [(line.split()[0], line.split()[2], int(line.split()[3]),
                 line.split('"')[1], int(line.rsplit(" ", 2)[1]))
                for line in self.lab.report_requests()]

    def size(self) -> int:
        """Of the report, compressed."""
        self.run("--dry-run", "/var/spool/exim4/requiretls/dry")
        return (self.spool / "dry" / "enforce.example.json.gz").stat().st_size


@pytest.fixture(name="posting")
def fixture_posting(site):
    """The site; the directory for dry runs is there."""
    posting = Posting(site)
    posting.write("dry/empty", "")
    return posting


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_taken(posting, status):
    """B8.1 B8.3: one POST of the compressed report, with the media type of the RFC, and a 2xx is
    the end of it."""
    assert "1 sent, 0 deferred" in posting.send(f"{NGINX}/{status}")
    assert posting.requests() == [("POST", f"/{status}", status, TYPE, posting.size())]
    assert "to sent " in posting.outbox("enforce.example")
    posting.hurry()
    assert "0 sent, 0 deferred, 0 waiting" in posting.run()
    assert len(posting.requests()) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 413, 429, 500, 503, 301, 302, 303, 307, 308])
def test_not_taken(posting, status):
    """B8.3 B8.4: anything else is tried again later; where a redirection leads nobody goes."""
    said = posting.send(f"{NGINX}/{status}")
    assert "0 sent, 1 deferred" in said and f"http status {status}; next try" in said
    assert [request[:3] for request in posting.requests()] == [("POST", f"/{status}", status)]
    assert "0 sent, 0 deferred, 1 waiting" in posting.run()
    posting.hurry()
    assert "0 sent, 1 deferred" in posting.run()
    assert len(posting.requests()) == 2


def test_what_arrives(posting):
    """B8.1: behind nginx, the very report that preview shows."""
    assert "1 sent" in posting.send(f"{NGINX}/kept")
    (posted,) = posting.lab.posted_reports()
    assert posted["headers"]["content-type"] == TYPE
    assert int(posted["headers"]["content-length"]) == len(posted["body"]) == posting.size()
    (preview,) = posting.preview(date_of())
    assert read_gzip(posted["body"]) == preview
    assert not {"cookie", "authorization", "referer", "expect"} & set(posted["headers"])


@pytest.mark.parametrize("path,why", [("silent", "answer timed out"), ("close", "")])
def test_no_answer(posting, path, why):
    """It never comes, or the connection is closed instead: to be tried again, once."""
    said = posting.send(f"{NGINX}/{path}")
    assert "0 sent, 1 deferred" in said and why in said and "next try" in said
    posting.hurry()
    assert "0 sent, 1 deferred" in posting.run()


@pytest.mark.parametrize("name,why", [
    ("expired", "expired"), ("selfsigned", "self-signed"), ("unknownca", "not signed by a trusted"),
    ("wrongname", "is for other.reports.example"),
])
def test_certificate(posting, name, why):
    """B8.2: nothing is posted to a host that is not what it says; later it may be."""
    said = posting.send(f"https://{name}.reports.example/200")
    assert "0 sent, 1 deferred" in said and why in said
    assert posting.requests() == []
    posting.hurry()
    assert "0 sent, 1 deferred" in posting.run()


ACCEPTED = b"HTTP/1.1 200 OK\r\n"

# What a host does once it has a connection; how the failure is explained, None: it is none.
BEHAVIOURS = {
    "silent": (lambda v: v.stall(), "timed out"),
    "stalls in its hello": (lambda v: v.half_a_hello().stall(), "timed out"),
    "never reads the report": (lambda v: v.handshake().stall(), "answer timed out"),
    "stalls before the answer": (lambda v: v.request().stall(), "answer timed out"),
    "stalls in the status line": (lambda v: v.request().send(b"HTTP/1.1 20").stall(),
                                  "answer timed out"),
    "stalls in the headers": (lambda v: v.request().send(ACCEPTED + b"X: y\r\n").stall(),
                              "answer timed out"),
    "says nothing but go on": (lambda v: v.request().send(b"HTTP/1.1 100 Continue\r\n\r\n" * 3)
                               .stall(), "http status 100"),
    "headers without end": (lambda v: v.request().send(ACCEPTED).for_ever(b"X: y\r\n" * 100),
                            "header larger than 65536 bytes"),
    "resets at once": (lambda v: v.reset(), ""),
    "resets instead of an answer": (lambda v: v.request().reset(), ""),
    "resets in the headers": (lambda v: v.request().send(ACCEPTED).reset(), ""),
    "no HTTP": (lambda v: v.request().send(b"220 mx.example ESMTP\r\n"), ""),
    "refuses, and stalls": (lambda v: v.request().send(
        b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n").stall(), "http status 500"),
    "goes on, then accepts": (lambda v: v.request().send(
        b"HTTP/1.1 100 Continue\r\n\r\n" + ACCEPTED + b"Content-Length: 0\r\n\r\n"), None),
    "accepts, and stalls": (lambda v: v.request().send(
        ACCEPTED + b"Content-Length: 9\r\n\r\n").stall(), None),
    "accepts, and drips": (lambda v: v.request().send(ACCEPTED + b"\r\n").drip(b"x" * 100), None),
    "accepts, and never ends": (lambda v: v.request().send(ACCEPTED + b"\r\n").for_ever(
        b"x" * 1024), None),
    "accepts, and breaks off": (lambda v: v.request().cut_record(
        ACCEPTED + b"Content-Length: 9\r\n\r\nx"), None),
}


@pytest.fixture(name="host")
def fixture_host(posting):
    """A host for reports that does as it is told."""
    host = HostileHost(posting.site, "raw.reports.example")
    posting.site.configure(ca_file="/etc/exim4/hostile-ca.pem", fetch_timeout="1s",
                           connect_timeout="1s")
    yield host
    host.close()


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(posting, host, name):
    """B8.3 B8.4: an answer counts from its headers on, whatever comes of its body, so that what was
    accepted is not sent again; and each run knocks once."""
    does, why = BEHAVIOURS[name]
    host.behave(does)
    said = posting.send("https://raw.reports.example/tlsrpt")
    if why is None:
        assert "1 sent, 0 deferred" in said
    else:
        assert "0 sent, 1 deferred" in said and why in said and "next try" in said
    assert host.visits == 1
    posting.hurry()
    posting.run()
    assert host.visits == (1 if why is None else 2)


def read_slowly(visit) -> None:
    """All of the report, after two and a half seconds; then it is taken."""
    visit.handshake()
    visit.is_over.wait(2.5)
    head, _, body = visit.tls.recv(65536).partition(b"\r\n\r\n")
    size = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < size:
        body += visit.tls.recv(65536)
    visit.send(ACCEPTED + b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("failures,taken", [(1, False), (1000, True)])
def test_large_reports_take_longer(posting, host, failures, taken):
    """B8.3: the time limit is one for small things; a large report has more."""
    host.behave(read_slowly)
    posting.lab.set_tlsrpt("enforce.example", "v=TLSRPTv1; rua=https://raw.reports.example/x")
    posting.journal(*(("enforce.example", "no-policy-found", "-", "validation-failure",
                       "203.0.113.1", "good.mail.example", "-", "192.0.2.11", os.urandom(40).hex())
                      for _ in range(failures)))
    assert ("1 sent" if taken else "deferred: answer timed out") in posting.run()
