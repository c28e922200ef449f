"""The stanzas in Debian's own configuration, split and single-file, and make install."""

import subprocess

import pytest

from mail import assert_delivered, deliver
from sender import ROOT, write_snippets

# What dpkg-reconfigure exim4-config would ask.
UPDATE_CONF = """
dc_eximconfig_configtype='{kind}'
dc_other_hostnames='lab.example'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost='{smarthost}'
CFILEMODE='644'
dc_use_split_config='true'
dc_hide_mailname='true'
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
"""


@pytest.fixture
def debian(site):
    """Debian's configuration as its package ships it, with our files in conf.d."""
    host = "/run/lab/debian-exim4"
    subprocess.run(["rm", "-rf", str(site.lab.state / "debian-exim4")], check=True)
    subprocess.run(["cp", "-r", "/etc/exim4", str(site.lab.state / "debian-exim4")],
                   check=True)
    write_snippets(site.lab.state / "debian-exim4")
    return host


def generate(site, host, kind, macros="", smarthost="relay.example"):
    """update-exim4.conf for one kind of site, then -bV; returns the configuration."""
    (site.lab.state / "debian-exim4/update-exim4.conf.conf").write_text(
        UPDATE_CONF.format(kind=kind, smarthost=smarthost))
    local = site.lab.state / "debian-exim4/conf.d/main/000_localmacros"
    local.write_text(macros)
    site.lab.exec(["update-exim4.conf", "-d", host, "-o", "/run/generated.conf"])
    site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bV"])
    return site.lab.exec(["cat", "/run/generated.conf"]).stdout


def routers(site):
    """The names of the routers in force."""
    listing = site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "router_list"])
    return listing.stdout.split()


def test_debian_split_configuration(site, debian):
    """exim4 -bV accepts it, and our routers come before the one that sends."""
    generate(site, debian, "internet")
    names = routers(site)
    assert names.index("requiretls_decide") < names.index("requiretls_strict")
    assert names.index("requiretls_relaxed") < names.index("dnslookup")
    path = site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "local_scan_path"])
    assert path.stdout.strip().endswith("/requiretls.so")


def test_debian_macros_keep_working(site, debian):
    """DKIM, HELO and interface macros reach our transports."""
    generate(site, debian, "internet", "REMOTE_SMTP_HELO_DATA = helo.lab.example\n"
             "REMOTE_SMTP_INTERFACE = 203.0.113.1\nDKIM_DOMAIN = lab.example\n"
             "DKIM_SELECTOR = lab\nDKIM_PRIVATE_KEY = /etc/exim4/dkim.pem\n")
    for name in ("requiretls_strict", "requiretls_enforce", "requiretls_relaxed"):
        shown = site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "transport",
                               name]).stdout
        for line in ("helo_data = helo.lab.example", "interface = 203.0.113.1",
                     "dkim_domain = lab.example", "dkim_selector = lab"):
            assert line in shown, name


@pytest.mark.parametrize("kind", ["smarthost", "satellite"])
def test_debian_smart_host_keeps_its_way(site, debian, kind):
    """Debian's question about the smart host reaches our routers, its macros for the smart
    host's transport ours, but for the two that say with whom to do without TLS."""
    generate(site, debian, kind, "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\n"
             "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_CERTIFICATES = /etc/exim4/isp.pem\n"
             "REMOTE_SMTP_SMARTHOST_TLS_CERTIFICATE = /etc/exim4/client.pem\n"
             "REMOTE_SMTP_SMARTHOST_PRIVATEKEY = /etc/exim4/client.key\n"
             "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = *\n"
             "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = 192.0.2.1\n",
             "mail.isp.example::587;relay.isp.example")
    names = routers(site)
    assert names.index("requiretls_decide") < names.index("requiretls_strict")
    assert names.index("requiretls_relaxed") < names.index("smarthost")
    exim = ["exim4", "-C", "/run/generated.conf", "-bP"]
    shown = site.lab.exec([*exim, "router", "requiretls_decide"]).stdout
    assert "{mail.isp.example::587:relay.isp.example}" in shown
    for name in ("requiretls_strict", "requiretls_enforce"):
        shown = site.lab.exec([*exim, "transport", name]).stdout.splitlines()
        assert {"protocol = smtps", "tls_verify_certificates = /etc/exim4/isp.pem",
                "tls_certificate = /etc/exim4/client.pem",
                "tls_privatekey = /etc/exim4/client.key", "hosts_avoid_tls = ",
                "hosts_require_tls = *"} <= set(shown), name
        theirs = site.lab.exec([*exim, "transport", "remote_smtp_smarthost"]).stdout
        login = [line for line in shown if line.startswith("hosts_try_auth = ")]
        assert "passwd.client" in login[0]
        assert login[0].replace(" ", "") in theirs.replace(" ", "")


def test_debian_without_smart_host(site, debian):
    """What is left of an earlier smart host in the macros does not reach MX hosts."""
    generate(site, debian, "internet", "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\n")
    shown = site.lab.exec(["exim4", "-C", "/run/generated.conf", "-bP", "transport",
                           "requiretls_strict"]).stdout
    assert "protocol = smtp\n" in shown and "passwd.client" not in shown


def test_debian_smart_host_for_real(site, debian):
    """Debian's own configuration, its client authenticators and passwd.client: mail is
    submitted at the smart host with a login and by its policy, flagged too."""
    conf = generate(site, debian, "satellite", smarthost="relay.example::587")
    site.lab.write_sender_conf(conf.replace("local_interfaces = <; 127.0.0.1",
                                            "local_interfaces = <; 203.0.113.1"))
    site.lab.write_etc("passwd.client", "relay.example:lab:secret\n")
    for user in ("bob", "bob+requiretls"):
        marker = deliver(site, f"{user}@nopolicy.example")
        assert_delivered(site, marker, "192.0.2.61")
    log = site.lab.mainlog()
    assert log.count(" A=plain") == 2 and log.count("T=requiretls_strict") == 1
    assert log.count("T=requiretls_enforce") == 1 and log.count("via=relay.example") == 2


def test_debian_local_only(site, debian):
    """A site without remote mail: nothing breaks."""
    generate(site, debian, "local")


# The MX host's name; Exim has the one that a CNAME leads to.
SNI = "${extract{${lc:$host}}{${extract{cname}{$address_data}}}{$value}{${lc:$host}}}"


@pytest.mark.parametrize("option,wanted", [
    ("hosts_require_tls", "*"), ("tls_verify_hosts", "*"), ("tls_tempfail_tryclear", None),
    ("tls_sni", SNI), ("hosts_nopass_tls", "*"),
    ("multi_domain", "${if eq{${extract{via}{$address_data}}}{}{no}{yes}}"),
    ("connection_max_messages", "1"), ("interface", "<; 0.0.0.0 ; ::0"),
    ("tls_verify_cert_hostnames", "*"), ("hosts_avoid_tls", ""),
    ("tls_resumption_hosts", ""), ("hosts_pipe_connect", ""),
])
@pytest.mark.parametrize("transport", ["requiretls_strict", "requiretls_enforce"])
def test_protecting_options(site, transport, option, wanted):
    """Each option that keeps protected mail protected is set as DESIGN section 3 wants;
    None: the boolean is off."""
    shown = site.lab.exec(["exim4", "-bP", "transport", transport]).stdout.splitlines()
    if wanted is None:
        assert f"no_{option}" in shown
    else:
        assert f"{option} = {wanted}" in shown


def test_install_into_destdir(site, tmp_path):
    """make install puts everything below DESTDIR, once more too, and keeps a
    configuration that is there."""
    def install():
        subprocess.run(["make", "--no-print-directory", "-s", "-C", str(ROOT), "install",
                        f"DESTDIR={tmp_path}"], check=True)
    install()
    conf = tmp_path / "etc/exim4/requiretls.conf"
    conf.write_text("tlsrpt = no\n")
    install()
    assert conf.read_text() == "tlsrpt = no\n"
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")
             if path.is_file()}
    assert {"usr/lib/exim4/requiretls/requiretls.so", "usr/sbin/exim-requiretls",
            "usr/share/exim-requiretls/routers.conf"} <= names
    assert {name for name in names if name.startswith("etc/")} == {
        "etc/exim4/requiretls.conf", "etc/cron.d/exim-requiretls"}, "Exim works as before"


def test_install_below_another_prefix(site, tmp_path):
    """PREFIX and SYSCONFDIR reach the stanzas, the program and the module."""
    out, dest = tmp_path / "out", tmp_path / "dest"
    subprocess.run(["make", "--no-print-directory", "-s", "-C", str(ROOT), "install",
                    f"OUT={out}", f"DESTDIR={dest}", "PREFIX=/opt/rtls", "SYSCONFDIR=/opt/etc",
                    "CFLAGS=-O0"], check=True)
    main = (dest / "opt/rtls/share/exim-requiretls/main.conf").read_text()
    assert ".include /opt/rtls/share/exim-requiretls/main.conf" in main
    assert "REQUIRETLS_SO = /opt/rtls/lib/exim4/requiretls/requiretls.so" in main
    module = (dest / "opt/rtls/lib/exim4/requiretls/requiretls.so").read_bytes()
    assert b"/opt/rtls/sbin/exim-requiretls" in module
    assert b"/opt/etc/exim4/requiretls.conf" in module
    assert (dest / "opt/rtls/sbin/exim-requiretls").exists()
    assert (dest / "opt/rtls/share/man/man8/exim-requiretls.8").exists()
    assert (dest / "opt/rtls/share/bash-completion/completions/exim-requiretls").exists()
    assert site.lab.paniclog() == ""


def test_verify_asks_for_recipients_not_for_senders(site):
    """verify = recipient goes by the policy (so do callouts and cut-through delivery);
    verify = sender looks nobody up."""
    site.lab.exec(["exim4", "-bv", "bob@enforce.example"])
    assert site.lab.dns_queries("_mta-sts.enforce.example") > 0
    site.lab.exec(["exim4", "-bvs", "eve@rotate.example"])
    assert site.lab.dns_queries("_mta-sts.rotate.example") == 0


def test_cutthrough_goes_by_the_policy(site):
    """EDGE-CASES 85: cut-through delivery opens no connection that the policy forbids."""
    conf = site.lab.sender_conf() and (site.lab.state / "etc/exim4/exim4.conf").read_text()
    site.lab.write_sender_conf(conf.replace(
        "       set acl_m_requiretls = yes\n  accept",
        "       set acl_m_requiretls = yes\n  warn control = cutthrough_delivery/defer=pass\n"
        "       verify = recipient\n  accept"))
    marker = deliver(site, "bob@enforce-selfsigned.example")
    assert site.lab.body_seen(marker) == []
    assert_delivered(site, deliver(site, "bob@enforce.example"))
