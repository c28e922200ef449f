"""The stanzas in Debian's own configuration, split and single-file, and make install."""

import subprocess

import pytest

from mail import assert_delivered, deliver
from sender import ROOT

# What dpkg-reconfigure exim4-config would ask.
UPDATE_CONF = """
dc_eximconfig_configtype='{kind}'
dc_other_hostnames='lab.example'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost='relay.example'
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
    site.lab.exec(["/bin/sh", "-ec", f"""
        for part in main router transport; do
            cp {ROOT}/module/conf/conf.d/$part/*_exim-requiretls {host}/conf.d/$part/
        done
    """])
    return host


def generate(site, host, kind, macros=""):
    """update-exim4.conf for one kind of site, then -bV; returns the configuration."""
    (site.lab.state / "debian-exim4/update-exim4.conf.conf").write_text(
        UPDATE_CONF.format(kind=kind))
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
    """Mail to a smart host is not routed past it; a flagged message is not let out."""
    generate(site, debian, kind)
    names = routers(site)
    assert "requiretls_decide" not in names
    assert names.index("requiretls_smarthost") < names.index("smarthost")


def test_debian_local_only(site, debian):
    """A site without remote mail: nothing breaks."""
    generate(site, debian, "local")


# The MX host's name; Exim has the one that a CNAME leads to.
SNI = "${extract{${lc:$host}}{${extract{cname}{$address_data}}}{$value}{${lc:$host}}}"


@pytest.mark.parametrize("option,wanted", [
    ("hosts_require_tls", "*"), ("tls_verify_hosts", "*"), ("tls_tempfail_tryclear", None),
    ("tls_sni", SNI), ("multi_domain", None), ("hosts_nopass_tls", "*"),
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
            "etc/exim4/requiretls/routers.conf",
            "etc/exim4/conf.d/router/180_exim-requiretls"} <= names


def test_install_below_another_prefix(site, tmp_path):
    """PREFIX and SYSCONFDIR reach the stanzas, the program and the module."""
    out, dest = tmp_path / "out", tmp_path / "dest"
    subprocess.run(["make", "--no-print-directory", "-s", "-C", str(ROOT), "install",
                    f"OUT={out}", f"DESTDIR={dest}", "PREFIX=/opt/rtls", "SYSCONFDIR=/opt/etc",
                    "CFLAGS=-O0"], check=True)
    main = (dest / "opt/etc/exim4/requiretls/main.conf").read_text()
    assert "REQUIRETLS_SO = /opt/rtls/lib/exim4/requiretls/requiretls.so" in main
    module = (dest / "opt/rtls/lib/exim4/requiretls/requiretls.so").read_bytes()
    assert b"/opt/rtls/sbin/exim-requiretls" in module
    assert b"/opt/etc/exim4/requiretls.conf" in module
    assert (dest / "opt/rtls/sbin/exim-requiretls").exists()
    assert (dest / "opt/rtls/share/man/man8/exim-requiretls.8").exists()
    router = (dest / "opt/etc/exim4/conf.d/router/180_exim-requiretls").read_text()
    assert ".include /opt/etc/exim4/requiretls/routers.conf" in router
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
