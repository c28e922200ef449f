"""The schema that every report of the scenarios is held against (report_schema.py) takes what RFC
8460 has as its example, and nothing that is known to go wrong. No lab is needed."""

import copy

import jsonschema
import pytest

from report_schema import SCHEMA, errors

# Appendix B in short, with mx-host as erratum 6241 has it; and what it does not show.
EXAMPLE = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2016-04-01T00:00:00Z",
                   "end-datetime": "2016-04-01T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [{
        "policy": {"policy-type": "sts",
                   "policy-string": ["version: STSv1", "mode: testing",
                                     "mx: *.mail.company-y.example", "max_age: 86400"],
                   "policy-domain": "company-y.example",
                   "mx-host": ["*.mail.company-y.example"]},
        "summary": {"total-successful-session-count": 5326,
                    "total-failure-session-count": 303},
        "failure-details": [
            {"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1",
             "receiving-mx-hostname": "mx1.mail.company-y.example",
             "failed-session-count": 100},
            {"result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1",
             "receiving-mx-hostname": "mx2.mail.company-y.example",
             "receiving-mx-helo": "mx2", "receiving-ip": "203.0.113.56",
             "failed-session-count": 200,
             "additional-information":
                 "https://reports.company-x.example/report_info?id=5065427c#StarttlsNotSupported"},
            {"result-type": "validation-failure", "sending-mta-ip": "198.51.100.62",
             "receiving-ip": "203.0.113.58",
             "receiving-mx-hostname": "mx-backup.mail.company-y.example",
             "failed-session-count": 3,
             "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]},
        {"policy": {"policy-type": "tlsa", "policy-string": ["3 1 1 " + "0f" * 32],
                    "policy-domain": "mx1.mail.company-y.example"},
         "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
         "failure-details": []},
        {"policy": {"policy-type": "no-policy-found", "policy-domain": "company-y.example"},
         "summary": {"total-successful-session-count": 1, "total-failure-session-count": 0},
         "failure-details": []}]}

STS, TLSA, NONE = (("policies", number, "policy") for number in range(3))
SUMMARY = ("policies", 0, "summary")
DETAILS = ("policies", 0, "failure-details")
REQUIRED = [
    ("organization-name",), ("date-range",), ("contact-info",), ("report-id",),
    ("policies",), ("date-range", "start-datetime"), ("date-range", "end-datetime"), STS,
    SUMMARY, DETAILS, (*STS, "policy-type"), (*STS, "policy-domain"), (*NONE, "policy-domain"),
    (*SUMMARY, "total-successful-session-count"), (*SUMMARY, "total-failure-session-count"),
    (*DETAILS, 0, "result-type"), (*DETAILS, 0, "failed-session-count")]
OBJECTS = [(), ("date-range",), ("policies", 0), STS, SUMMARY, (*DETAILS, 0)]

# Where, and what stands there instead.
WRONG = [
    (("date-range", "start-datetime"), "2016-04-01T00:00:00"),      # as some have sent it
    (("date-range", "start-datetime"), "2016-04-01 00:00:00Z"),
    (("date-range", "end-datetime"), "2016-13-01T00:00:00Z"),
    (("date-range", "end-datetime"), "2016-04-01T24:00:00Z"),
    (("date-range", "end-datetime"), 1459468800),
    (("date-range",), "2016-04-01"),
    (("organization-name",), ""), (("organization-name",), "a\nb"),
    (("contact-info",), None), (("contact-info",), "postmaster"),
    (("contact-info",), "mailto:a@b.example"), (("contact-info",), "A <a@b.example>"),
    (("report-id",), 7), (("report-id",), ""),
    (("policies",), []), (("policies",), EXAMPLE["policies"][0]), (("policies", 0), None),
    ((*STS, "policy-type"), "STS"), ((*STS, "policy-type"), "none"),
    ((*STS, "policy-type"), "no-policy-found"), ((*STS, "policy-type"), "tlsa"),
    ((*STS, "policy-string"), "version: STSv1"), ((*STS, "policy-string"), []),
    ((*STS, "policy-string"), [["version: STSv1"]]),
    ((*STS, "mx-host"), "*.mail.company-y.example"),                # the text of the RFC
    ((*STS, "mx-host"), [{"mx": "a.example"}]), ((*STS, "mx-host"), ["a b.example"]),
    ((*STS, "mx-host"), []),
    ((*STS, "policy-domain"), "Company-Y.example"), ((*STS, "policy-domain"), "y.example."),
    ((*STS, "policy-domain"), "bücher.example"), ((*STS, "policy-domain"), ""),
    ((*STS, "policy-domain"), "x" * 64 + ".example"),
    ((*TLSA, "policy-string"), ["3 1 1 0F 0F"]), ((*TLSA, "policy-string"), ["3 1 1 0f0"]),
    ((*TLSA, "policy-string"), ["4 1 1 0f"]), ((*TLSA, "mx-host"), ["a.example"]),
    ((*NONE, "policy-string"), ["version: STSv1"]), ((*NONE, "mx-host"), ["a.example"]),
    ((*SUMMARY, "total-successful-session-count"), "5326"),
    ((*SUMMARY, "total-successful-session-count"), -1),
    ((*SUMMARY, "total-failure-session-count"), 0.5),
    ((*SUMMARY, "total-failure-session-count"), 0),                 # yet there are details
    ((*SUMMARY, "total-failure-session-count"), True),
    ((*SUMMARY, "total-failure-session-count"), 2**53),
    (DETAILS, None), (DETAILS, []), (DETAILS, {}),
    ((*DETAILS, 0, "result-type"), "certificate expired"),
    ((*DETAILS, 0, "result-type"), "Certificate-Expired"), ((*DETAILS, 0, "result-type"), ""),
    ((*DETAILS, 0, "failed-session-count"), 0), ((*DETAILS, 0, "failed-session-count"), "1"),
    ((*DETAILS, 0, "sending-mta-ip"), None), ((*DETAILS, 0, "sending-mta-ip"), ""),
    ((*DETAILS, 0, "sending-mta-ip"), "192.0.2"), ((*DETAILS, 0, "sending-mta-ip"), "192.0.02.1"),
    ((*DETAILS, 0, "sending-mta-ip"), "[192.0.2.1]"),
    ((*DETAILS, 0, "sending-mta-ip"), "IPv6:2001:db8::1"),
    ((*DETAILS, 0, "receiving-ip"), "mx1.mail.company-y.example"),
    ((*DETAILS, 0, "receiving-mx-hostname"), ""), ((*DETAILS, 0, "receiving-mx-hostname"), None),
    ((*DETAILS, 0, "receiving-mx-helo"), "a\u0007"), ((*DETAILS, 0, "receiving-mx-helo"), None),
    ((*DETAILS, 0, "failure-reason-code"), ""), ((*DETAILS, 0, "failure-reason-code"), 10),
    ((*DETAILS, 0, "failure-reason-code"), "x" * 1001),
    ((*DETAILS, 0, "additional-information"), "see our web site"),
]


def changed(path: tuple, value: object) -> dict:
    """The example with something else at that place."""
    report = copy.deepcopy(EXAMPLE)
    place = report
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return report


def without(path: tuple) -> dict:
    """The example without that key."""
    report = copy.deepcopy(EXAMPLE)
    place = report
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return report


def test_schema_itself():
    """It is one, and asks for nothing that its validator passes over."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert {"ipv4", "ipv6"} <= set(jsonschema.FormatChecker().checkers)


def test_example():
    """What is right: that of the RFC, with the erratum."""
    assert errors(EXAMPLE) == []


@pytest.mark.parametrize("path", REQUIRED, ids=str)
def test_required(path):
    """B4.1 B4.2 B4.4: nothing of this may be missing."""
    assert f"'{path[-1]}' is a required property" in " ".join(errors(without(path)))


@pytest.mark.parametrize("path", OBJECTS, ids=str)
def test_nothing_else(path):
    """No key that the RFC does not have."""
    assert len(errors(changed((*path, "x-more"), 1))) == 1


@pytest.mark.parametrize("path,value", WRONG, ids=str)
def test_wrong(path, value):
    """B4.1 to B4.8: values that some report had, or may have."""
    assert errors(changed(path, value)) != []


@pytest.mark.parametrize("value", [None, [], [EXAMPLE], "report", 1], ids=str)
def test_no_object(value):
    """A report is an object."""
    assert errors(value) != []
