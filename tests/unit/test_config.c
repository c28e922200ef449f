/* test_config.c - requiretls.conf as text. What was understood is compared as
 * rtls_config_key() prints it, so that both directions are tested. */
#include "check.h"
#include "policy/config.h"

#define DUMP_SIZE 16384

struct row {
	const char *proves;
	struct rtls_slice text;
	enum rtls_status status;
	const char *wanted; /* a line of the dump, or words of the reason */
};

#define BYTES_50  "01234567890123456789012345678901234567890123456789"
#define BYTES_250 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50

static const struct row rows[] = {
	{ "an empty file gives the defaults", TEXT(""), RTLS_OK,
		"requiretls = enforce\n" },
	{ "default: the tag is on", TEXT(""), RTLS_OK,
		"\nrequiretls_tag = +requiretls\n" },
	{ "C1.5 default: TLS-Required: No counts", TEXT(""), RTLS_OK,
		"\ntls_required_no = yes\n" },
	{ "default: no rules", TEXT(""), RTLS_OK, "\nrules = \n" },
	{ "default: no exemptions", TEXT(""), RTLS_OK, "\nexempt = \n" },
	{ "default: MTA-STS is on", TEXT(""), RTLS_OK, "\nmta_sts = yes\n" },
	{ "A5.7 default: proceed", TEXT(""), RTLS_OK,
		"\nsts_dns_error = proceed\n" },
	{ "default: spool", TEXT(""), RTLS_OK,
		"\nspool = /var/spool/exim4/requiretls\n" },
	{ "default: program", TEXT(""), RTLS_OK,
		"\nprogram = /usr/sbin/exim-requiretls\n" },
	{ "default: user", TEXT(""), RTLS_OK, "\nuser = Debian-exim\n" },
	{ "default: timeouts", TEXT(""), RTLS_OK,
		"\nresolve_timeout = 20s\ndns_timeout = 5s\n"
		"fetch_timeout = 15s\nconnect_timeout = 5s\n"
		"preflight_timeout = 5s\n" },
	{ "a time that may be none", TEXT("preflight_timeout = 0"), RTLS_OK,
		"\npreflight_timeout = 0s\n" },
	{ "or not", TEXT("preflight_timeout = 700ms"), RTLS_OK,
		"\npreflight_timeout = 700ms\n" },
	{ "no number where it may be none", TEXT("preflight_timeout = off"),
		RTLS_INVALID, "preflight_timeout: expected 0, or a time" },
	{ "D1 default: validate here", TEXT(""), RTLS_OK,
		"\ndnssec = validate\nresolver = \nresolver_trusted = no\n" },
	{ "default: files", TEXT(""), RTLS_OK,
		"\ntrust_anchor = /usr/share/dns/root.key\n"
		"ca_file = /etc/ssl/certs/ca-certificates.crt\n" },
	{ "default: TLS-RPT is off", TEXT(""), RTLS_OK,
		"\nfetch_private = no\ntlsrpt = no\ntlsrpt_organization = \n"
		"tlsrpt_contact = \ntlsrpt_from = \ntlsrpt_min_age = 10m\n"
		"tlsrpt_spread = 4h\ntlsrpt_domains = \n"
		"tlsrpt_success_only = yes\ntlsrpt_sending_ip = yes\n"
		"tlsrpt_max_size = 5M\ntlsrpt_rua = \ntlsrpt_host = \n" },
	{ "default: sendmail", TEXT(""), RTLS_OK,
		"\nsendmail = /usr/sbin/exim4\n" },
	{ "comments and blank lines",
		TEXT("# one\n\n \t\n\t# two = 2\nmta_sts = no\n#"), RTLS_OK,
		"\nmta_sts = no\n" },
	{ "no line end at the end", TEXT("mta_sts = no"), RTLS_OK,
		"\nmta_sts = no\n" },
	{ "CRLF", TEXT("mta_sts = no\r\nrequiretls = disable\r\n"), RTLS_OK,
		"requiretls = disable\n" },
	{ "blanks around key and value", TEXT(" \tmta_sts\t=  no \t\n"),
		RTLS_OK, "\nmta_sts = no\n" },
	{ "no blanks at all", TEXT("mta_sts=no"), RTLS_OK, "\nmta_sts = no\n" },
	{ "false", TEXT("mta_sts = false"), RTLS_OK, "\nmta_sts = no\n" },
	{ "off", TEXT("mta_sts = off"), RTLS_OK, "\nmta_sts = no\n" },
	{ "yes", TEXT("fetch_private = yes"), RTLS_OK,
		"\nfetch_private = yes\n" },
	{ "true", TEXT("fetch_private = true"), RTLS_OK,
		"\nfetch_private = yes\n" },
	{ "on", TEXT("fetch_private = on"), RTLS_OK,
		"\nfetch_private = yes\n" },
	{ "words in any case", TEXT("fetch_private = YES"), RTLS_OK,
		"\nfetch_private = yes\n" },
	{ "level verified", TEXT("requiretls = verified"), RTLS_OK,
		"requiretls = verified\n" },
	{ "level opportunistic", TEXT("requiretls = Opportunistic"), RTLS_OK,
		"requiretls = opportunistic\n" },
	{ "another tag", TEXT("requiretls_tag = -tls.only"), RTLS_OK,
		"\nrequiretls_tag = -tls.only\n" },
	{ "no tag", TEXT("requiretls_tag = off"), RTLS_OK,
		"\nrequiretls_tag = off\n" },
	{ "A5.7 defer", TEXT("sts_dns_error = defer"), RTLS_OK,
		"\nsts_dns_error = defer\n" },
	{ "fewest domains", TEXT("cache_max = 1000"), RTLS_OK,
		"\ncache_max = 1000\n" },
	{ "most domains", TEXT("cache_max = 100000000"), RTLS_OK,
		"\ncache_max = 100000000\n" },
	{ "fewest days", TEXT("cache_keep = 1d"), RTLS_OK,
		"\ncache_keep = 1d\n" },
	{ "most days", TEXT("cache_keep = 3650D"), RTLS_OK,
		"\ncache_keep = 3650d\n" },
	{ "default: cache_max and cache_keep", TEXT(""), RTLS_OK,
		"\ncache_max = 100000\ncache_keep = 180d\n" },
	{ "days for TLS-RPT", TEXT("tlsrpt_keep = 400d"), RTLS_OK,
		"\ntlsrpt_keep = 400d\n" },
	{ "default: tlsrpt_keep", TEXT(""), RTLS_OK, "\ntlsrpt_keep = 30d\n" },
	{ "seconds without unit", TEXT("dns_timeout = 7"), RTLS_OK,
		"\ndns_timeout = 7s\n" },
	{ "milliseconds", TEXT("dns_timeout = 1500ms"), RTLS_OK,
		"\ndns_timeout = 1500ms\n" },
	{ "minutes", TEXT("dns_timeout = 2m"), RTLS_OK,
		"\ndns_timeout = 120s\n" },
	{ "longest time", TEXT("dns_timeout = 3600s"), RTLS_OK,
		"\ndns_timeout = 3600s\n" },
	{ "D1 AD bit", TEXT("dnssec = ad"), RTLS_OK, "\ndnssec = ad\n" },
	{ "resolvers", TEXT("resolver = 127.0.0.1 \t 2001:db8::53"), RTLS_OK,
		"\nresolver = 127.0.0.1 2001:db8::53\n" },
	{ "no resolvers", TEXT("resolver ="), RTLS_OK, "\nresolver = \n" },
	{ "no rules, said so", TEXT("rules = "), RTLS_OK, "\nrules = \n" },
	{ "rules", TEXT("rules = /etc/exim4/requiretls.rules"), RTLS_OK,
		"\nrules = /etc/exim4/requiretls.rules\n" },
	{ "exemptions", TEXT("exempt = /etc/exim4/requiretls.exempt"), RTLS_OK,
		"\nexempt = /etc/exim4/requiretls.exempt\n" },
	{ "no exemptions, said so", TEXT("exempt ="), RTLS_OK,
		"\nexempt = \n" },
	{ "a path that is not absolute", TEXT("exempt = requiretls.exempt"),
		RTLS_INVALID, "exempt: expected an absolute path" },
	{ "a path with = and #", TEXT("spool = /a=b#c d"), RTLS_OK,
		"\nspool = /a=b#c d\n" },
	{ "a path of 255 bytes", TEXT("spool = /1234" BYTES_250), RTLS_OK,
		"\nspool = /1234" BYTES_250 "\n" },
	{ "B4.1 TLS-RPT",
		TEXT("tlsrpt = yes\ntlsrpt_organization = M\xc3\xbcller "
		     "\xe2\x82\xac \xf0\x9f\x93\xa7\n"
		     "tlsrpt_contact = tls+rpt@example.org"),
		RTLS_OK,
		"\ntlsrpt_organization = M\xc3\xbcller \xe2\x82\xac "
		"\xf0\x9f\x93\xa7\ntlsrpt_contact = tls+rpt@example.org\n"
		"tlsrpt_from = tls+rpt@example.org\n" },
	{ "B6.4 another sender",
		TEXT("tlsrpt_contact = a@example.org\ntlsrpt_from = "
		     "noreply@example.org"),
		RTLS_OK, "\ntlsrpt_from = noreply@example.org\n" },

	{ "B5.2 no spread", TEXT("tlsrpt_spread = 0\ntlsrpt_min_age = 0m"),
		RTLS_OK, "\ntlsrpt_min_age = 0s\ntlsrpt_spread = 0s\n" },
	{ "B5.2 the longest spread",
		TEXT("tlsrpt_spread = 20h\ntlsrpt_min_age = 4H"), RTLS_OK,
		"\ntlsrpt_min_age = 4h\ntlsrpt_spread = 20h\n" },
	{ "B5.2 minutes and seconds",
		TEXT("tlsrpt_spread = 90\ntlsrpt_min_age = 90m"), RTLS_OK,
		"\ntlsrpt_min_age = 90m\ntlsrpt_spread = 90s\n" },
	{ "B5.2 a spread too long", TEXT("tlsrpt_spread = 72001s"),
		RTLS_INVALID,
		"tlsrpt_spread: expected a time like 90s, 10m or 4h, at most "
		"20h" },
	{ "B5.2 hours out of all numbers", TEXT("tlsrpt_spread = 1193047h"),
		RTLS_INVALID, "tlsrpt_spread: expected a time" },
	{ "B5.2 no age", TEXT("tlsrpt_min_age = "), RTLS_INVALID,
		"tlsrpt_min_age: expected a time" },
	{ "B5.2 an age without number", TEXT("tlsrpt_min_age = h"),
		RTLS_INVALID, "tlsrpt_min_age: expected a time" },
	{ "B5.2 an age of days", TEXT("tlsrpt_min_age = 1d"), RTLS_INVALID,
		"tlsrpt_min_age: expected a time" },
	{ "B5.2 a negative age", TEXT("tlsrpt_min_age = -1s"), RTLS_INVALID,
		"tlsrpt_min_age: expected a time" },
	{ "B9.1 a file of domains", TEXT("tlsrpt_domains = /etc/silent"),
		RTLS_OK, "\ntlsrpt_domains = /etc/silent\n" },
	{ "B9.1 a file of domains that is not absolute",
		TEXT("tlsrpt_domains = silent"), RTLS_INVALID,
		"tlsrpt_domains: expected an absolute path" },
	{ "B2.5 only failures", TEXT("tlsrpt_success_only = no"), RTLS_OK,
		"\ntlsrpt_success_only = no\n" },
	{ "B9.1 no own address", TEXT("tlsrpt_sending_ip = no"), RTLS_OK,
		"\ntlsrpt_sending_ip = no\n" },
	{ "B9.1 half an address", TEXT("tlsrpt_sending_ip = half"),
		RTLS_INVALID, "tlsrpt_sending_ip: expected yes or no" },
	{ "B1.7 another place for all reports",
		TEXT("tlsrpt_rua = mailto:test@example.org"), RTLS_OK,
		"\ntlsrpt_rua = mailto:test@example.org\n" },
	{ "B1.7 another place by HTTPS",
		TEXT("tlsrpt_rua = https://example.org:8443/x?y"), RTLS_OK,
		"\ntlsrpt_rua = https://example.org:8443/x?y\n" },
	{ "B1.7 no other place", TEXT("tlsrpt_rua ="), RTLS_OK,
		"\ntlsrpt_rua = \n" },
	{ "B1.7 two other places",
		TEXT("tlsrpt_rua = mailto:a@example.org,mailto:b@example.org"),
		RTLS_INVALID, "tlsrpt_rua: expected a URI" },
	{ "B1.7 another place and another field",
		TEXT("tlsrpt_rua = mailto:a@example.org; x=y"), RTLS_INVALID,
		"tlsrpt_rua: expected a URI" },
	{ "B1.7 another place of another scheme",
		TEXT("tlsrpt_rua = http://example.org/"), RTLS_INVALID,
		"tlsrpt_rua: expected a URI" },
	{ "B1.7 another place without scheme",
		TEXT("tlsrpt_rua = a@example.org"), RTLS_INVALID,
		"tlsrpt_rua: expected a URI" },
	{ "165 the smallest size", TEXT("tlsrpt_max_size = 65536"), RTLS_OK,
		"\ntlsrpt_max_size = 64K\n" },
	{ "165 the largest size", TEXT("tlsrpt_max_size = 1024m"), RTLS_OK,
		"\ntlsrpt_max_size = 1024M\n" },
	{ "165 an odd size", TEXT("tlsrpt_max_size = 100001"), RTLS_OK,
		"\ntlsrpt_max_size = 100001\n" },
	{ "165 too small", TEXT("tlsrpt_max_size = 63K"), RTLS_INVALID,
		"tlsrpt_max_size: expected a size like 512K or 5M" },
	{ "165 too large", TEXT("tlsrpt_max_size = 1025M"), RTLS_INVALID,
		"tlsrpt_max_size: expected a size" },
	{ "165 no number", TEXT("tlsrpt_max_size = M"), RTLS_INVALID,
		"tlsrpt_max_size: expected a size" },
	{ "165 another unit", TEXT("tlsrpt_max_size = 1G"), RTLS_INVALID,
		"tlsrpt_max_size: expected a size" },
	{ "B6.1 which machine", TEXT("tlsrpt_host = mta-1.example.org"),
		RTLS_OK, "\ntlsrpt_host = mta-1.example.org\n" },
	{ "B6.1 a machine with a blank", TEXT("tlsrpt_host = mta 1"),
		RTLS_INVALID, "tlsrpt_host: expected a name" },
	{ "B6.1 a machine's name too long",
		TEXT("tlsrpt_host = " BYTES_50 "123456789012345"), RTLS_INVALID,
		"tlsrpt_host: expected a name" },

	{ "unknown key", TEXT("\nmta-sts = no"), RTLS_INVALID,
		"line 2: unknown key \"mta-sts\"; did you mean \"mta_sts\"?" },
	{ "keys have a case", TEXT("MTA_STS = no"), RTLS_INVALID,
		"line 1: unknown key \"MTA_STS\"" },
	{ "a foreign key is quoted", TEXT("a\x1b[2Jb = no"), RTLS_INVALID,
		"line 1: unknown key \"a\\x1b[2Jb\"" },
	{ "a BOM", TEXT("\xef\xbb\xbfmta_sts = no"), RTLS_INVALID,
		"line 1: unknown key" },
	{ "no key", TEXT("= no"), RTLS_INVALID, "line 1: unknown key \"\"" },
	{ "no =", TEXT("mta_sts no"), RTLS_INVALID,
		"line 1: expected \"key = value\", not \"mta_sts no\"" },
	{ "only a key", TEXT("mta_sts\n"), RTLS_INVALID,
		"line 1: expected \"key = value\", not \"mta_sts\"" },
	{ "a key twice", TEXT("mta_sts = no\n\nmta_sts = no"), RTLS_INVALID,
		"line 3: mta_sts: already set in line 1" },
	{ "the line is counted", TEXT("#\r\n\n#\nmta_sts = maybe"),
		RTLS_INVALID,
		"line 4: mta_sts: expected yes or no, not \"maybe\"" },
	{ "no comment behind a value", TEXT("mta_sts = no # really"),
		RTLS_INVALID, "expected yes or no" },
	{ "no value", TEXT("mta_sts ="), RTLS_INVALID, "expected yes or no" },
	{ "no boolean numbers", TEXT("mta_sts = 1"), RTLS_INVALID,
		"expected yes or no" },
	{ "unknown level", TEXT("requiretls = enforced"), RTLS_INVALID,
		"requiretls: expected enforce, verified, opportunistic or" },
	{ "NUL byte", TEXT("requiretls = enforce\0"), RTLS_INVALID,
		"not \"enforce\\x00\"" },
	{ "a tag without separator", TEXT("requiretls_tag = tls"), RTLS_INVALID,
		"requiretls_tag: expected a separator" },
	{ "a tag that is only one", TEXT("requiretls_tag = +"), RTLS_INVALID,
		"expected a separator" },
	{ "an empty tag", TEXT("requiretls_tag = "), RTLS_INVALID,
		"expected a separator" },
	{ "a tag with @", TEXT("requiretls_tag = +a@b"), RTLS_INVALID,
		"expected a separator" },
	{ "a tag too long",
		TEXT("requiretls_tag = +1234567890123456789012345678901"),
		RTLS_INVALID, "expected a separator" },
	{ "a relative path", TEXT("spool = spool"), RTLS_INVALID,
		"expected an absolute path" },
	{ "no path", TEXT("spool ="), RTLS_INVALID,
		"spool: expected an absolute path" },
	{ "a path with a control character", TEXT("rules = /a\tb"),
		RTLS_INVALID, "rules: expected an absolute path" },
	{ "a path too long", TEXT("spool = /12345" BYTES_250), RTLS_INVALID,
		"at most 255 bytes" },
	{ "a user with a blank", TEXT("user = a b"), RTLS_INVALID,
		"user: expected a user name" },
	{ "a user like an option", TEXT("user = -x"), RTLS_INVALID,
		"expected a user name" },
	{ "too few domains", TEXT("cache_max = 999"), RTLS_INVALID,
		"cache_max: expected a number from 1000 to 100000000" },
	{ "too many domains", TEXT("cache_max = 100000001"), RTLS_INVALID,
		"cache_max: expected a number" },
	{ "no number of domains", TEXT("cache_max ="), RTLS_INVALID,
		"cache_max: expected a number" },
	{ "domains with a unit", TEXT("cache_max = 1000d"), RTLS_INVALID,
		"cache_max: expected a number" },
	{ "no day", TEXT("cache_keep = 0d"), RTLS_INVALID,
		"cache_keep: expected days, from 1d to 3650d" },
	{ "too many days", TEXT("cache_keep = 3651d"), RTLS_INVALID,
		"cache_keep: expected days" },
	{ "days without unit", TEXT("cache_keep = 30"), RTLS_INVALID,
		"cache_keep: expected days" },
	{ "no day for TLS-RPT", TEXT("tlsrpt_keep = 0d"), RTLS_INVALID,
		"tlsrpt_keep: expected days, from 1d to 3650d" },
	{ "a unit without days", TEXT("cache_keep = d"), RTLS_INVALID,
		"cache_keep: expected days" },
	{ "no time at all", TEXT("dns_timeout = 0"), RTLS_INVALID,
		"dns_timeout: expected a time" },
	{ "no number", TEXT("dns_timeout = s"), RTLS_INVALID,
		"expected a time" },
	{ "negative time", TEXT("dns_timeout = -1"), RTLS_INVALID,
		"expected a time" },
	{ "unknown unit", TEXT("dns_timeout = 1h"), RTLS_INVALID,
		"expected a time" },
	{ "blank before the unit", TEXT("dns_timeout = 1 s"), RTLS_INVALID,
		"expected a time" },
	{ "time too long", TEXT("dns_timeout = 3601"), RTLS_INVALID,
		"expected a time" },
	{ "minutes too long", TEXT("dns_timeout = 61m"), RTLS_INVALID,
		"expected a time" },
	{ "time out of all numbers",
		TEXT("dns_timeout = 99999999999999999999999999"), RTLS_INVALID,
		"expected a time" },
	{ "a resolver by name", TEXT("resolver = localhost"), RTLS_INVALID,
		"resolver: expected up to 4 IP addresses" },
	{ "five resolvers",
		TEXT("resolver = 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5"),
		RTLS_INVALID, "up to 4" },
	{ "a resolver with junk", TEXT("resolver = 127.0.0.1,127.0.0.2"),
		RTLS_INVALID, "IP addresses" },
	{ "a long resolver",
		TEXT("resolver = 1111:2222:3333:4444:5555:6666:7777:8888:9999:"
		     "0000"),
		RTLS_INVALID, "IP addresses" },
	{ "B4.1 TLS-RPT needs who and whom", TEXT("#\ntlsrpt = yes"),
		RTLS_INVALID,
		"line 2: tlsrpt: yes needs tlsrpt_organization and" },
	{ "B4.1 TLS-RPT needs an organization",
		TEXT("tlsrpt = yes\ntlsrpt_contact = a@b.example"),
		RTLS_INVALID, "line 1: tlsrpt: yes needs" },
	{ "B4.1 TLS-RPT needs a contact",
		TEXT("tlsrpt_organization = x\ntlsrpt = yes"), RTLS_INVALID,
		"line 2: tlsrpt: yes needs" },
	{ "B4.8 organization not in UTF-8",
		TEXT("tlsrpt_organization = M\xfcller"), RTLS_INVALID,
		"expected a name in UTF-8" },
	{ "B4.8 overlong UTF-8", TEXT("tlsrpt_organization = \xc0\xaf"),
		RTLS_INVALID, "UTF-8" },
	{ "B4.8 overlong UTF-8 of three bytes",
		TEXT("tlsrpt_organization = \xe0\x80\xaf"), RTLS_INVALID,
		"UTF-8" },
	{ "B4.8 surrogates", TEXT("tlsrpt_organization = \xed\xa0\x80"),
		RTLS_INVALID, "UTF-8" },
	{ "B4.8 behind Unicode", TEXT("tlsrpt_organization = \xf4\x90\x80\x80"),
		RTLS_INVALID, "UTF-8" },
	{ "B4.8 a first byte that UTF-8 does not have",
		TEXT("tlsrpt_organization = \xfc\x80\x80\x80"), RTLS_INVALID,
		"UTF-8" },
	{ "B4.8 cut UTF-8", TEXT("tlsrpt_organization = \xe2\x82"),
		RTLS_INVALID, "UTF-8" },
	{ "B4.8 C1 control character", TEXT("tlsrpt_organization = \xc2\x85"),
		RTLS_INVALID, "UTF-8" },
	{ "B4.8 control character", TEXT("tlsrpt_organization = a\rb"),
		RTLS_INVALID, "UTF-8" },
	{ "contact without domain", TEXT("tlsrpt_contact = postmaster"),
		RTLS_INVALID, "tlsrpt_contact: expected a mail address" },
	{ "contact without local part", TEXT("tlsrpt_contact = @example.org"),
		RTLS_INVALID, "expected a mail address" },
	{ "contact with a name", TEXT("tlsrpt_contact = A <a@example.org>"),
		RTLS_INVALID, "expected a mail address" },
	{ "two contacts", TEXT("tlsrpt_contact = a@example.org,b@example.org"),
		RTLS_INVALID, "expected a mail address" },
	{ "A-labels only", TEXT("tlsrpt_contact = a@m\xc3\xbcller.example"),
		RTLS_INVALID, "expected a mail address" },
};

static void dump(const struct rtls_config *config, char out[DUMP_SIZE])
{
	char buffer[RTLS_CONFIG_VALUE_MAX];
	struct rtls_text value;
	struct rtls_text all;
	const char *name;
	const char *help;

	rtls_text_init(&all, out, DUMP_SIZE);
	rtls_text_init(&value, buffer, sizeof(buffer));
	for (size_t i = 0; rtls_config_key(config, i, &name, &value, &help);
		i++) {
		assert_false(value.overflow);
		assert_true(help[0] != '\0');
		rtls_text_printf(&all, "%s = %s\n", name, buffer);
		rtls_text_init(&value, buffer, sizeof(buffer));
	}
	assert_false(all.overflow);
}

/* What is printed gives the same configuration back. */
static void check_round_trip(const char *printed)
{
	struct rtls_config config;
	char again[DUMP_SIZE];

	assert_int_equal(
		rtls_config_parse(rtls_slice(printed), &config, NULL), RTLS_OK);
	dump(&config, again);
	assert_string_equal(again, printed);
}

static enum rtls_status parse_cut(struct rtls_slice whole, size_t size,
	char printed[DUMP_SIZE], struct rtls_err *err)
{
	char *copy = check_copy(whole, size);
	struct rtls_config config;
	enum rtls_status status;

	check_touch_not(&config, sizeof(config));
	status = rtls_config_parse(rtls_slice_n(copy, size), &config, err);
	free(copy);
	if (status == RTLS_OK) {
		dump(&config, printed);
		check_round_trip(printed);
	} else {
		assert_int_equal(status, RTLS_INVALID);
		assert_true(check_is_untouched(&config, sizeof(config)));
		assert_int_equal(strncmp(err->text, "line ", 5), 0);
	}
	return status;
}

static void test_parse(void **state)
{
	const struct row *row = *state;
	char printed[DUMP_SIZE];
	struct rtls_err err = { "" };

	assert_int_equal(parse_cut(row->text, row->text.size, printed, &err),
		row->status);
	if (row->status != RTLS_OK) {
		check_err(&err, row->wanted);
	} else if (strstr(printed, row->wanted) == NULL) {
		print_error("got:\n%s", printed);
		fail();
	}
	for (size_t size = 0; size < row->text.size; size++)
		(void)parse_cut(row->text, size, printed, &err);
}

static void test_size(void **state)
{
	struct rtls_config config;
	struct rtls_err err;
	char *text = malloc(RTLS_CONFIG_SIZE_MAX + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '#', RTLS_CONFIG_SIZE_MAX + 1);
	assert_int_equal(
		rtls_config_parse(rtls_slice_n(text, RTLS_CONFIG_SIZE_MAX),
			&config, &err),
		RTLS_OK);
	assert_int_equal(
		rtls_config_parse(rtls_slice_n(text, RTLS_CONFIG_SIZE_MAX + 1),
			&config, &err),
		RTLS_INVALID);
	check_err(&err, "line 1: more than 65536 bytes");
	free(text);
}

static void test_defaults(void **state)
{
	struct rtls_config config;
	char printed[DUMP_SIZE];
	char parsed[DUMP_SIZE];

	(void)state;
	check_touch_not(&config, sizeof(config));
	rtls_config_defaults(&config);
	dump(&config, printed);
	assert_int_equal(
		rtls_config_parse(rtls_slice(""), &config, NULL), RTLS_OK);
	dump(&config, parsed);
	assert_string_equal(printed, parsed);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, test_parse, rows);
	check_add(&suite, "a file too large", test_size, NULL);
	check_add(&suite, "defaults are what an empty file gives",
		test_defaults, NULL);
	return check_run(&suite, "config");
}
