"""The pages of `report show --html` and `report read --html` in a real browser: it renders, asks for nothing, its bars are
as high as they should be, what strangers wrote is text, and people can read it."""

import json
import re
import subprocess

import html5lib
import pytest
from lxml import etree

from browser import Browser
from dates import day
from pages import PROGRAM, make_journals

PLOT_PX = 140
EVIL = ["<script>document.title='owned'</script>", "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(2)>", "</td></table></svg></title></style><h1 id=owned>",
        "&lt;b&gt; &amp; &#x3c;i&#62;", "' onmouseover='alert(3)", "javascript:alert(4)",
        "]]><!-- -->", "x" * 480]
# The journal is ASCII, but policies are kept as they were served, and reports of others are JSON.
EVIL_TEXT = [*EVIL, "\u202egnp.exe\u2066", "\u200b\u2028\ufeff", "a\u0301\u0301\u0301\u0301\u0301b",
               "\u0645\u0631\u062d\u0628\u0627", "url(https://evil.example/x)",
               "@import 'https://evil.example/y';"]


@pytest.fixture(name="browser", scope="module")
def fixture_browser(tmp_path_factory):
    """One for all tests."""
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.quit()


@pytest.fixture(name="journals")
def fixture_journals():
    """A site of its own for each test."""
    yield from make_journals()


def shown(browser, page, **kwargs):
    """Open a page. It is well-formed by two parsers, and quiet."""
    etree.fromstring(page.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    html5lib.HTMLParser(strict=True).parse(page)
    browser.requests()
    browser.open(page, **kwargs)
    assert browser.complaints() == []
    assert [url.rpartition("/")[2] for url in browser.requests()] == ["page.html"]


def fill(journals, days):
    """So many days of three domains, one failure in the last but one."""
    policy = journals.policy("version: STSv1\nmode: enforce\nmx: *.a.example\nmax_age: 86400\n")
    for back in range(1, days + 1):
        sessions = [(40 + 7 * back % 60, "a.example", "success", {"digest": policy}),
                    (1 + back % 5, "b.example", "success", {"type": "no-policy-found"})]
        if back % 9 == 1:
            sessions += [(10, "a.example", "certificate-expired",
                          {"digest": policy, "reason": "certificate has expired",
                           "receiving": "2001:db8:1234:5678:9abc:def0:1234:5678"}),
                         (2, "b.example", "starttls-not-supported",
                          {"type": "no-policy-found", "helo": "old.b.example"})]
        journals.write(day(-back), sessions)


BARS = """return [...document.querySelectorAll('#d0 .bar')].map(bar => {
    const box = name => (bar.querySelector(name) || {getBoundingClientRect: () => null})
        .getBoundingClientRect();
    return {title: bar.querySelector('title').textContent, good: box('.good'),
            failed: box('.failed'), mark: box('.mark')}})"""


def bars_of(browser):
    """Of the first domain: (date, successful, failed) and the boxes."""
    found = []
    for bar in browser.run(BARS):
        words = re.match(r"(\S+)(?: to \S+)?: (?:no sessions|([\d,]+) successful, ([\d,]+) failed)",
                         bar["title"])
        counts = [int((words[i] or "0").replace(",", "")) for i in (2, 3)]
        found.append((words[1], *counts, bar))
    return found


def check_heights(bars, top):
    """In proportion, but what is there is seen; failures on top, and a mark above."""
    for _, good, failed, bar in bars:
        for count, box, least in ((good, bar["good"], 2), (failed, bar["failed"], 5)):
            assert (box is None) == (count == 0)
            if count:
                wanted = max(PLOT_PX * count / top, least)
                assert box["height"] == pytest.approx(wanted, abs=0.05)
                assert box["width"] >= 1
        assert (bar["mark"] is None) == (failed == 0)
        if failed:
            assert bar["mark"]["bottom"] <= bar["failed"]["top"]
        if failed and good:
            assert bar["failed"]["bottom"] < bar["good"]["top"]


@pytest.mark.parametrize("days, bars", [(1, 1), (7, 7), (30, 30), (90, 90), (200, 29)])
def test_bars(browser, journals, days, bars):
    """One for each day, of a long time one for each week, at any width."""
    fill(journals, days)
    page = journals.page()
    for width in (1280, 400):
        shown(browser, page, width=width)
        found = bars_of(browser)
        assert len(found) == bars
        assert found[-1][2] == 10
        check_heights(found, {1: 60, 7: 100, 30: 100, 90: 100, 200: 600}[days])
        lefts = [bar["good"]["left"] for *_, bar in found]
        assert lefts == sorted(lefts) and lefts[0] >= 0
        assert found[-1][3]["good"]["right"] <= width
        labels = browser.run("return [...document.querySelectorAll('#d0 .x')].filter(x => "
                             "getComputedStyle(x).display != 'none')"
                             ".map(x => x.getBoundingClientRect())")
        labels.sort(key=lambda box: box["left"])
        assert 1 <= len(labels) <= 8
        assert all(left["right"] + 3 < right["left"] for left, right in zip(labels, labels[1:]))
        assert labels[-1]["right"] <= browser.run(
            "return document.querySelector('#d0 figure').getBoundingClientRect().right")


def test_one_failure_among_very_many(browser, journals):
    """It can be seen."""
    journals.write(day(-1), [(100000, "a.example", "success"), (1, "a.example", "tlsa-invalid")])
    shown(browser, journals.page())
    (_, good, failed, bar), = bars_of(browser)
    assert (good, failed) == (100000, 1)
    assert bar["failed"]["height"] == 5 and bar["mark"]["height"] >= 5
    assert "<0.01%" in browser.run("return document.querySelector('#d0').innerText")


def test_words(browser, journals):
    """Type, meaning, advice, host, addresses, reason, policy."""
    fill(journals, 10)
    shown(browser, journals.page())
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    text = browser.run("return document.querySelector('#d0').innerText")
    for words in ("a.example", "certificate-expired", "The certificate expired", "20 failed",
                  "What their side can do: Renew the certificate", "mx.a.example",
                  "2001:db8:1234:5678:9abc:def0:1234:5678", "203.0.113.1",
                  "certificate has expired", "MTA-STS", "mode enforce", "mx: *.a.example"):
        assert words in text, words
    assert "calls itself old.b.example" in browser.run(
        "return document.querySelector('#d1').innerText")


def test_hostile_text(browser, journals):
    """Nothing of it becomes an element, an attribute, a reference or another direction."""
    digest = journals.policy("".join(line + "\n" for line in EVIL_TEXT))
    journals.write(day(-1), [
        (1, f"d{i}.example", "validation-failure",
         {"reason": evil, "helo": evil[:320], "mx": evil[:255], "digest": digest})
        for i, evil in enumerate(EVIL)])
    page = journals.page()
    for width in (1280, 400):
        shown(browser, page, width=width)
        check_text_only(browser, page, width)
        texts = browser.run("return [...document.querySelectorAll('bdi')].map(x => x.textContent)")
        assert "\\u202egnp.exe\\u2066" in texts and "\\u200b\\u2028\\ufeff" in texts


def received(name, date, *policies):
    """A report of somebody else's."""
    return {"organization-name": name, "contact-info": name, "report-id": f"{name} {date}",
            "date-range": {"start-datetime": f"{date}T00:00:00Z",
                           "end-datetime": f"{date}T23:59:59Z"}, "policies": list(policies)}


def policy(domain, good, *details, **more):
    """One element of policies."""
    return {"policy": {"policy-type": "sts", "policy-domain": domain, **more},
            "summary": {"total-successful-session-count": good,
                        "total-failure-session-count": len(details)},
            "failure-details": list(details)}


def page_of_received(reports, tmp_path, *args):
    """`report read --html` of a file for each."""
    for i, report in enumerate(reports):
        (tmp_path / f"{i}.json").write_text(json.dumps(report))
    tmp_path.chmod(0o755)
    done = subprocess.run([PROGRAM, "report", "read", "--html", *args, tmp_path],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_received(browser, tmp_path):
    """What others say of ours: by domain and day, with who said so."""
    failed = {"result-type": "certificate-expired", "failed-session-count": 1,
              "receiving-mx-hostname": "mx.a.example", "sending-mta-ip": "192.0.2.9"}
    reports = [received("Mountain Inc.", "2026-01-01", policy("a.example", 50)),
               received("Mountain Inc.", "2026-01-02", policy("a.example", 30, failed),
                        policy("b.example", 7)),
               received("Redmond", "2026-01-02", policy("a.example", 9))]
    shown(browser, page_of_received(reports, tmp_path))
    assert [bar[:3] for bar in bars_of(browser)] == [("2026-01-01", 50, 0), ("2026-01-02", 39, 1)]
    check_heights(bars_of(browser), 60)
    text = browser.run("return document.body.innerText")
    for words in ("TLS reports received", "2026-01-01 to 2026-01-02", "What to do: Renew",
                  "Who reported", "Mountain Inc.", "Redmond"):
        assert words in text, words
    shown(browser, page_of_received(reports, tmp_path, "--domain", "b.example"))
    assert browser.run("return [...document.querySelectorAll('h2')].map(x => x.innerText)") == [
        "All domains", "b.example", "Who reported"]
    shown(browser, page_of_received(reports, tmp_path, "--failures"))
    assert [bar[:3] for bar in bars_of(browser)] == [("2026-01-02", 30, 1)]


def test_received_hostile_text(browser, tmp_path):
    """In every place that a report has."""
    reports = [received(evil, "2026-01-01", policy(
        "a.example", 1, {"result-type": evil, "failed-session-count": 1, **{key: evil for key in (
            "sending-mta-ip", "receiving-mx-hostname", "receiving-mx-helo", "receiving-ip",
            "additional-information", "failure-reason-code")}},
        **{"policy-string": [evil, "mode: " + evil], "mx-host": [evil]})) for evil in EVIL_TEXT]
    page = page_of_received(reports, tmp_path)
    for width in (1280, 400):
        shown(browser, page, width=width)
        check_text_only(browser, page, width)


def check_text_only(browser, page, width):
    """All of EVIL is there, as text."""
    assert browser.run("return document.title").startswith("TLS ")
    assert browser.run("return document.querySelectorAll('script, img, iframe, object, link, "
                       "form, #owned, [onload], [onerror], [onmouseover], a:not([href^=\"#\"])"
                       "').length") == 0
    assert browser.run("return document.querySelectorAll('h1').length") == 1
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    texts = browser.run("return [...document.querySelectorAll('bdi')].map(x => x.textContent)")
    for evil in EVIL[:-1]:
        assert evil in texts
    assert "x" * 300 + "…" in texts
    assert not re.search("[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", page)
    assert no_scroll(browser, width)


def no_scroll(browser, width):
    """The page itself is no wider than the window."""
    return browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 400, 768, 1280])
def test_no_horizontal_scroll(browser, journals, width):
    """Also with all of it opened, and a name as long as names get."""
    fill(journals, 40)
    name = ".".join(["n" * 63] * 3 + ["n" * 61])
    journals.write(day(-1), [(3, name, "success"), (1, name, "dnssec-invalid")])
    shown(browser, journals.page(), width=width)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert no_scroll(browser, width)
    # Nor does anything stick out and is cut off.
    assert browser.run("return [...document.querySelectorAll('main *')].filter(x => "
                       "x.getBoundingClientRect().right > innerWidth + 1).map(x => "
                       "x.outerHTML.slice(0, 80))") == []


CONTRASTS = """
const parse = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(x => x / 255)
    .map(x => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
    return (x + 0.05) / (y + 0.05) };
const behind = x => { for (; x; x = x.parentElement) {
    const found = parse(getComputedStyle(x).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found }
    return [255, 255, 255] };
const least = {};
const note = (name, value) => { least[name] = Math.min(least[name] ?? 99, value) };
for (const x of document.querySelectorAll('body *')) {
    const style = getComputedStyle(x);
    if ([...x.childNodes].some(y => y.nodeType == 3 && y.data.trim()) &&
            x.getBoundingClientRect().width && !x.closest('title'))
        note(x.closest('svg') ? 'label' : 'text',
             ratio(parse(x.closest('svg') ? style.fill : style.color), behind(x)));
    if (x.matches('.plot .mark, .chart .mark')) note('mark', ratio(parse(style.fill), behind(x)));
    if (x.matches('.chart .good')) note('good', ratio(parse(style.fill), behind(x)));
}
const color = name => parse(getComputedStyle(document.querySelector(name)).fill);
note('ground', ratio(color('.ground'), behind(document.querySelector('section'))));
note('apart', ratio(color('.ground'), color('.chart .good')));
note('stripes', ratio(color('.ground'), color('.stripe')));
return least"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser, journals, scheme):
    """WCAG 2.1: 4.5 for text, 3 for what charts are read by. The two kinds of bars differ in
    lightness, too: who sees no hue sees that."""
    fill(journals, 12)
    shown(browser, journals.page(), scheme=scheme)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    least = browser.run(CONTRASTS)
    assert least.pop("text") >= 4.5 and least.pop("label") >= 4.5, least
    assert least.pop("apart") >= 1.4 and least.pop("stripes") >= 1.4
    assert set(least) == {"mark", "good", "ground"}
    assert all(value >= 3 for value in least.values()), least
    page_light = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", page_light)[0]) > 128) == (scheme == "light")


def test_for_readers_by_ear(browser, journals):
    """Language, headings in order, charts with a title, tables with headers, all of the chart
    as numbers."""
    fill(journals, 10)
    shown(browser, journals.page())
    assert browser.run("return document.documentElement.lang") == "en"
    levels = browser.run("return [...document.querySelectorAll('h1, h2, h3')]"
                         ".map(x => +x.tagName[1])")
    assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    assert browser.run("return [...document.querySelectorAll('svg')].every(x => "
                       "x.getAttribute('aria-hidden') == 'true' || "
                       "x.getAttribute('role') == 'img' && x.querySelector(':scope > title'))")
    assert browser.run("return [...document.querySelectorAll('th')].every(x => x.scope)")
    rows = browser.run("return [...document.querySelectorAll('#d0 details:last-of-type tbody tr')]"
                       ".map(x => x.textContent)")
    assert len(rows) == 10
    anchors = browser.run("return [...document.querySelectorAll('a')].map(x => "
                          "document.querySelector(x.getAttribute('href')) !== null)")
    assert anchors == [True, True]


def test_print(browser, journals):
    """On paper: white, and all of the table's words."""
    fill(journals, 10)
    shown(browser, journals.page(), scheme="dark")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    assert browser.run("return getComputedStyle(document.body).backgroundColor") \
        == "rgb(255, 255, 255)"
    assert browser.run("return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_nothing(browser, journals):
    """A page all the same."""
    shown(browser, journals.page())
    assert browser.run("return document.querySelectorAll('figure').length") == 0
    assert "There are no sessions to show." in browser.run("return document.body.innerText")


def test_without_failures(browser, journals):
    """Nothing is marked."""
    journals.write(day(-1), [(5, "a.example", "success")])
    shown(browser, journals.page())
    assert browser.run("return document.querySelectorAll('.bar .failed, .bar .mark, .advice, "
                       ".alert').length") == 0


def test_many_domains(browser, journals):
    """Ten thousand: some in full, some as rows, the rest as a sum."""
    journals.write(day(-1), [(1, f"d{i}.example", "success" if i % 3 else "tlsa-invalid")
                             for i in range(10000)])
    shown(browser, journals.page(), width=400)
    assert browser.run("return document.querySelectorAll('section.domain').length") == 40
    assert browser.run("return document.querySelectorAll('#all tbody tr').length") == 500
    assert no_scroll(browser, 400)
