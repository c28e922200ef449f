"""`exim-requiretls publish`: what it writes is served by the lab's real nginx and name servers, and
found good by its own --verify and by a sender's resolve; mistakes are told."""

import json
import re
import time

import pytest
from sender import ROOT, world

DOMAIN = "nopolicy.example"
DIRECTORY = "/run/lab/published"
ADDRESS = "192.0.2.90"  # of the web server that the snippet makes
MAKE = [DOMAIN, "--mx", "good.mail.example", "--rua", f"mailto:tlsrpt@{DOMAIN}"]

# Around the snippet, which is for the http section.
NGINX_CONF = """
user root;
pid {directory}/nginx.pid;
error_log {directory}/log warn;
events {{ }}
http {{
    access_log off;
    types {{ text/html html; application/x-odd txt; }}
    default_type application/octet-stream;
    client_body_temp_path {directory}/tmp;
    proxy_temp_path {directory}/tmp;
    fastcgi_temp_path {directory}/tmp;
    uwsgi_temp_path {directory}/tmp;
    scgi_temp_path {directory}/tmp;
    include {directory}/test.conf;
}}
"""


# The same for Apache, of which there is the program only, without Debian's configuration.
APACHE_CONF = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/apache.pid
ErrorLog {directory}/log
DefaultRuntimeDir {directory}/tmp
User Debian-exim
Group Debian-exim
Listen {address}:443
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
TypesConfig /dev/null
AddType application/x-odd .txt
<Directory />
    AllowOverride None
    Require all denied
</Directory>
Include {directory}/test.conf
"""


def publish(site, *args, check=True):
    """What it says, as JSON."""
    found = site.program("publish", "--json", *args, check=check)
    return json.loads(found.stdout)


def kinds(said):
    """Of what it warns."""
    return [warning["kind"] for warning in said["warnings"]]


def findings(site, *args, status=0):
    """{what: [finding]} of --verify."""
    found = site.program("publish", "--verify", "--json", *args, check=False)
    assert found.returncode == status, found.stdout + found.stderr
    said = {}
    for one in json.loads(found.stdout):
        said.setdefault(one["what"], []).append(one["finding"])
    return said


def records(zone):
    """{owner: value as a zone file has it} of the lines of the zone file."""
    found = dict(re.match(r"(\S+)\. 3600 IN TXT (.*)$", line).groups()
                 for line in zone.splitlines())
    assert found
    return found


def into_dns(site, zone):
    """Into the lab's name servers, as the file has it."""
    for owner, value in records(zone).items():
        site.lab.set_rrset(owner, "TXT", [value])


@pytest.fixture
def directory(site):
    """A directory that is open to the Exim user, and to nobody else who writes."""
    site.lab.exec(["rm", "-rf", DIRECTORY])
    site.lab.exec(["install", "-d", "-o", "Debian-exim", "-m", "755", DIRECTORY])
    return DIRECTORY


def write_snippet(site, directory, name, *changes):
    """What was written for a web server, with the lab's certificate and these changes."""
    snippet = site.lab.exec(["cat", f"{directory}/{name}"]).stdout
    pem = f"/run/lab/certs/web/mta-sts.{DOMAIN}.pem"
    snippet, count = re.subn(r"/etc/letsencrypt/live/mta-sts\.[^/]+/\w+\.pem", pem, snippet)
    assert count == 2
    for old, new in changes:
        assert old in snippet
        snippet = snippet.replace(old, new)
    site.lab.exec(["tee", f"{directory}/test.conf"], input=snippet)


def stop(site, directory, name):
    """End a web server by its pid file."""
    site.lab.exec(["/bin/sh", "-c", f"test ! -e {directory}/{name}.pid || "
                   f"kill $(cat {directory}/{name}.pid)"])


def assert_serves_the_policy_only(site):
    """Nothing else of the directory is served."""
    for path, statuses in (("/.well-known/mta-sts.txt", ("200",)), ("/dns.zone", ("403", "404")),
                           ("/nginx.conf", ("403", "404")), ("/", ("403", "404"))):
        shown = site.lab.exec(["openssl", "s_client", "-quiet", "-ign_eof", "-servername",
                               f"mta-sts.{DOMAIN}", "-connect", f"{ADDRESS}:443"], check=False,
                              input=f"GET {path} HTTP/1.0\r\nHost: mta-sts.{DOMAIN}\r\n\r\n")
        assert shown.stdout.split()[1] in statuses, (path, shown.stdout)


@pytest.fixture
def apache(site, directory):
    """Starts Apache with the snippet that was written."""
    def start():
        run = site.lab.exec
        run(["mkdir", "-p", f"{directory}/tmp"])
        write_snippet(site, directory, "apache.conf")
        run(["tee", f"{directory}/all.conf"],
            input=APACHE_CONF.format(directory=directory, address=ADDRESS))
        run(["/usr/sbin/apache2", "-t", "-f", f"{directory}/all.conf"])
        run(["/bin/sh", "-c", f"/usr/sbin/apache2 -f {directory}/all.conf >/dev/null 2>&1"])
        site.lab.set_rrset(f"mta-sts.{DOMAIN}", "A", [ADDRESS])
    yield start
    stop(site, directory, "apache")


@pytest.fixture
def web(site, directory):
    """Starts nginx with the snippet that was written; it serves at an address of its own."""
    def start():
        run = site.lab.exec
        run(["mkdir", "-p", f"{directory}/tmp"])
        write_snippet(site, directory, "nginx.conf", ("listen 443", f"listen {ADDRESS}:443"),
                      ("listen [::]:443", "listen [::1]:443"))
        run(["tee", f"{directory}/all.conf"], input=NGINX_CONF.format(directory=directory))
        run(["/usr/sbin/nginx", "-t", "-e", "stderr", "-c", f"{directory}/all.conf"])
        run(["/bin/sh", "-c", f"/usr/sbin/nginx -e {directory}/log -c {directory}/all.conf "
             ">/dev/null 2>&1"])
        site.lab.set_rrset(f"mta-sts.{DOMAIN}", "A", [ADDRESS])
    yield start
    stop(site, directory, "nginx")


def test_from_nothing_to_enforce(site, directory, web):
    """The way of the manual: testing, verified; then enforce. Record and policy are what
    a sender finds."""
    before = findings(site, DOMAIN, status=65)
    assert before == {"sts-record": ["wrong"], "policy": ["wrong"], "tlsrpt-record": ["good"]}
    said = publish(site, *MAKE, "--directory", directory)
    assert kinds(said) == ["host"]
    web()
    into_dns(site, site.lab.exec(["cat", f"{directory}/dns.zone"]).stdout)
    good = {"sts-record": ["good"], "policy": ["good"], "mx": ["good"],
            "tlsrpt-record": ["good"], "same": ["good", "good"]}
    assert findings(site, DOMAIN, "--directory", directory) == good
    found = json.loads(site.program("resolve", "--fresh", "--json", DOMAIN).stdout)
    assert found["sts"]["policy"]["mode"] == "testing"
    assert found["sts"]["id"] == said["id"]

    said = publish(site, *MAKE, "--mode", "enforce", "--directory", directory)
    assert kinds(said) == []
    assert findings(site, DOMAIN, "--directory", directory, status=65) == {
        **good, "same": ["good", "wrong"], "id": ["wrong"]}
    into_dns(site, said["zone"])
    assert findings(site, DOMAIN, "--directory", directory) == good
    found = json.loads(site.program("resolve", "--fresh", "--json", DOMAIN).stdout)
    assert found["sts"]["policy"]["mode"] == "enforce"
    assert found["sts"]["policy"]["max_age"] == 2592000
    assert_serves_the_policy_only(site)
    site.lab.exec(["/bin/sh", "-c", f"echo '# more' >> {directory}/.well-known/mta-sts.txt"])
    assert findings(site, DOMAIN, "--directory", directory, status=65)["policy"] == ["wrong"]


def test_by_apache(site, directory, apache):
    """The same from Apache: text/plain whatever it makes of .txt, and nothing else."""
    publish(site, *MAKE, "--directory", directory)
    apache()
    into_dns(site, site.lab.exec(["cat", f"{directory}/dns.zone"]).stdout)
    assert findings(site, DOMAIN, "--directory", directory) == {
        "sts-record": ["good"], "policy": ["good"], "mx": ["good"], "tlsrpt-record": ["good"],
        "same": ["good", "good"]}
    assert_serves_the_policy_only(site)


def test_the_example_of_the_manual(site):
    """As it stands in OPERATING.md, but for the id and what stands for the rest."""
    text = (ROOT / "docs/OPERATING.md").read_text()
    for command, args in (("publish nopolicy.example", MAKE),
                          ("publish --verify enforce-mismatch.example",
                           ["--verify", "enforce-mismatch.example"])):
        shown = text.partition(f"    # exim-requiretls {command}")[2].partition("\n")[2]
        shown = [line[4:] for line in re.split(r"\n(?!    |\n    )", shown)[0].splitlines()]
        printed = site.program("publish", *args, check=False)
        lines = re.sub(r"id=\d{14}\b", "id=20261125074300", printed.stdout).splitlines()
        if shown[-1] == "...":
            lines, shown = lines[:len(shown) - 1], shown[:-1]
        assert lines == shown


def test_ids_differ_and_grow(site):
    """Also twice in a second, and where the live one is of the future; of another form it is
    only another one."""
    first = publish(site, *MAKE)["id"]
    for live in (first, str(int(time.strftime("%Y%m%d%H%M%S", time.gmtime())) + 5000)):
        site.lab.set_txt(DOMAIN, f"v=STSv1; id={live};")
        assert int(publish(site, *MAKE)["id"]) > int(live)
    site.lab.set_txt(DOMAIN, "v=STSv1; id=abc;")
    assert re.fullmatch(r"\d{14}", publish(site, *MAKE)["id"])


def test_what_is_printed(site):
    """Everything on one screen, and what our own parsers say of it."""
    found = site.program("publish", *MAKE)
    parts = re.split(r"^# .*\n", found.stdout, flags=re.MULTILINE)[1:]
    assert len(parts) == 4 and "warning: mta-sts.nopolicy.example has no address" in found.stderr
    said = publish(site, *MAKE)
    assert said["policy"] == parts[0].rstrip("\n").replace("\n", "\r\n") + "\r\n"
    for kind, text in (("sts-policy", said["policy"]),
                       ("sts-record", records(said["zone"])[f"_mta-sts.{DOMAIN}"]),
                       ("tlsrpt-record", records(said["zone"])[f"_smtp._tls.{DOMAIN}"])):
        parsed = site.program("parse", kind, "-", stdin=text)
        assert "error" not in json.loads(parsed.stdout), kind


@pytest.mark.parametrize("args,wanted", [
    (["enforce.example", "--mx", "good.mail.example", "--mode", "enforce", "--rua",
      "mailto:a@enforce.example"], []),
    (["testing.example", "--mx", "good.mail.example", "--mode", "enforce", "--max-age", "1h",
      "--rua", "mailto:a@testing.example"], ["max-age"]),
    (["nopolicy.example", "--mx", "good.mail.example", "--mode", "enforce"], ["mode", "host"]),
    (["nopolicy-notls.example", "--mx", "notls.mail.example"], ["rua", "host"]),
    (["testing.example", "--mx", "good.mail.example", "--max-age", "7d"], ["id"]),
    (["enforce-mismatch.example", "--mx", "good.mail.example", "--rua",
      "mailto:x@enforce-mismatch.example"], ["mode", "mx"]),
    (["enforce.example", "--mx", "*.example", "--mx", "*.mail.example", "--rua",
      "mailto:x@lab.example"], ["wildcard", "rua", "mode", "mx"]),
    (["enforce.example", "--mode", "none", "--rua", "mailto:x@enforce.example"], ["mode"]),
    (["bücher.example", "--mx", "good.mail.example", "--rua",
      "mailto:x@xn--bcher-kva.example"], ["idn", "mode"]),
    (["secure.example", "--mx", "alias.secure.example", "--rua", "mailto:x@secure.example"],
     ["mx", "mx", "mx", "mx", "host"]),
    (["servfail.example", "--mx", "good.mail.example", "--rua", "mailto:x@servfail.example"],
     ["mx", "host", "id"]),
])
def test_mistakes_are_told(site, args, wanted):
    """By kind; a warning keeps nothing from being made."""
    said = publish(site, *args)
    assert kinds(said) == wanted, said["warnings"]


def test_records_that_are_not_valid(site):
    """Two of a kind, or nonsense: told, and no id is taken from them."""
    site.lab.set_txt(DOMAIN, "v=STSv1; id=20990101000000;", "v=STSv1; id=1;")
    site.lab.set_tlsrpt(DOMAIN, "v=TLSRPTv1; rua=what")
    said = publish(site, *MAKE)
    assert kinds(said) == ["host", "record", "record"]
    assert said["id"] < "2099"


@pytest.mark.parametrize("args", [
    [DOMAIN], [DOMAIN, "--mx", "192.0.2.1"], [DOMAIN, "--mx", "[192.0.2.1]"],
    [DOMAIN, "--mx", "a.*.example"], [DOMAIN, "--mx", "a.example", "--mode", "Enforce"],
    [DOMAIN, "--mx", "a.example", "--max-age", "2y"],
    [DOMAIN, "--mx", "a.example", "--rua", "tlsrpt@a.example"],
    [DOMAIN, "--mx", "a.example", "--rua", "mailto:a@b.example\nx"],
    [DOMAIN, "--mx", "a.example", "--directory", "relative"],
    [DOMAIN, "--mx", "a.example", "--directory", "/tmp/a;b"],
    ["--mx", "a.example"], ["--verify", DOMAIN, "--mx", "a.example"], ["--verify"],
])
def test_wrong_use(site, args):
    """Refused before anything is asked or written."""
    assert site.program("publish", *args, check=False).returncode == 64


@pytest.mark.parametrize("owner", ["root", "daemon"])
def test_a_directory_of_others(site, owner):
    """For root its owner writes, whom a link of his leads nowhere that he may not write; for
    others it has to be open."""
    directory = "/run/lab/of-others"
    site.lab.exec(["rm", "-rf", directory, "/run/lab/secret"])
    site.lab.exec(["install", "-d", "-m", "755", "-o", owner, directory])
    site.lab.exec(["install", "-d", "-m", "755", "/run/lab/secret"])
    found = site.program("publish", *MAKE, "--directory", directory)
    assert f"written to {directory}" in found.stdout
    listed = site.lab.exec(["/bin/sh", "-c", f"cd {directory} && find . -type f | sort | "
                            "xargs stat -c '%n %U %a'"]).stdout
    assert listed.splitlines() == [f"./{name} {owner} 644" for name in (
        ".well-known/mta-sts.txt", "apache.conf", "dns.zone", "nginx.conf")]
    said = publish(site, *MAKE, f"--directory={directory}")
    assert said["directory"] == directory and said["id"] in site.lab.exec(
        ["cat", f"{directory}/dns.zone"]).stdout
    found = site.program("publish", *MAKE, "--directory", directory, check=False, user="mail")
    assert found.returncode == 73 and "open to this user" in found.stderr
    if owner == "daemon":
        site.lab.exec(["/bin/sh", "-c", f"rm -r {directory}/.well-known && "
                       f"ln -s /run/lab/secret {directory}/.well-known"])
        found = site.program("publish", *MAKE, "--directory", directory, check=False)
        assert found.returncode == 73 and "written" not in found.stdout
        assert site.lab.exec(["ls", "/run/lab/secret"]).stdout == ""


def test_who_writes_asks_nobody(site):
    """Two processes: one has no root when it asks, the other never asks."""
    site.lab.exec(["/bin/sh", "-c", "rm -rf /run/lab/x && mkdir /run/lab/x"])
    traced = site.lab.exec(["strace", "-f", "-e", "trace=setresuid,socket,openat,renameat,rename",
                            "exim-requiretls", "publish", *MAKE, "--directory", "/run/lab/x"])
    calls = traced.stderr.splitlines()
    asked = [i for i, call in enumerate(calls) if "socket(AF_INET" in call]
    dropped = next(i for i, call in enumerate(calls)
                   if re.search(r"setresuid\((?!0,)\d+", call))
    assert asked and dropped < asked[0]
    asker = calls[asked[0]].partition("]")[0]
    wrote = [call for call in calls if "rename" in call and "mta-sts.txt" in call]
    assert wrote and not any(call.startswith(asker + "]") for call in wrote)


def test_a_policy_that_changed_without_its_id(site):
    """What was fetched under this id, the cache here knows, as long as it is the same id."""
    site.program("resolve", "enforce.example")
    assert "id" not in findings(site, "enforce.example")
    site.lab.write_policy("enforce.example", world.policy_text("enforce", ["*.mail.example"]))
    assert findings(site, "enforce.example", status=65)["id"] == ["wrong"]
    site.lab.set_policy("enforce.example", world.policy_text("enforce", ["*.mail.example"]), "b2")
    assert "id" not in findings(site, "enforce.example")


def test_without_a_resolver(site):
    """The texts are made all the same; nothing can be verified."""
    site.lab.pause("unbound")
    try:
        said = publish(site, *MAKE)
        assert "mx" in kinds(said) and "id" in kinds(said)
        assert set(sum(findings(site, DOMAIN, status=75).values(), [])) == {"unseen"}
    finally:
        site.lab.resume("unbound")


@pytest.mark.parametrize("domain,status,wanted", [
    ("enforce.example", 0, {}),
    ("enforce-allmismatch.example", 65, {"mx": ["wrong", "wrong"]}),
    ("policy404.example", 65, {"policy": ["wrong"], "mx": None}),
    ("policycert.example", 65, {"policy": ["wrong"], "mx": None}),
    ("policyhtml.example", 65, {"policy": ["wrong"], "mx": None}),
    ("policydown.example", 65, {"policy": ["wrong"], "mx": None}),
    ("none.example", 0, {"mx": None}),
])
def test_verify(site, domain, status, wanted):
    """What the lab has right and wrong."""
    good = {"sts-record": ["good"], "policy": ["good"], "mx": ["good"],
            "tlsrpt-record": ["good"], **wanted}
    assert findings(site, domain, status=status) == {
        what: found for what, found in good.items() if found is not None}


def test_verify_for_people(site):
    """A line each; hostile texts of DNS are quoted."""
    site.lab.set_txt("enforce.example", '"v=STSv1; id=1; x=\\027[2J"', "v=STSv1; id=1;")
    found = site.program("publish", "--verify", "enforce.example", check=False)
    assert found.returncode == 65 and "\x1b" not in found.stdout
    assert re.search(r"^WRONG    sts-record     _mta-sts\.enforce\.example: ", found.stdout,
                     re.MULTILINE)
    assert re.search(r"^good     mx             good\.mail\.example: mx: good\.mail\.example$",
                     found.stdout, re.MULTILINE)
