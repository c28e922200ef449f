/* test_address.c - which addresses a stranger's name may have, and which
 * resolvers are asked. */
#include "check.h"

#include <stdio.h>

#include "resolve/upstream.h"

/* --- public or not ---------------------------------------------------------- */

struct address_row {
	const char *proves; /* the address itself */
	bool is_public;
	bool is_loopback;
};

static const struct address_row address_rows[] = {
	{ "1.1.1.1", true, false },
	{ "9.255.255.255", true, false },
	{ "10.0.0.0", false, false },
	{ "10.255.255.255", false, false },
	{ "11.0.0.0", true, false },
	{ "0.0.0.0", false, false },
	{ "0.255.255.255", false, false },
	{ "100.63.255.255", true, false },
	{ "100.64.0.0", false, false },
	{ "100.127.255.255", false, false },
	{ "100.128.0.0", true, false },
	{ "126.255.255.255", true, false },
	{ "127.0.0.1", false, true },
	{ "127.255.255.255", false, true },
	{ "128.0.0.0", true, false },
	{ "169.253.255.255", true, false },
	{ "169.254.169.254", false, false },
	{ "169.255.0.0", true, false },
	{ "172.15.255.255", true, false },
	{ "172.16.0.0", false, false },
	{ "172.31.255.255", false, false },
	{ "172.32.0.0", true, false },
	{ "192.0.0.8", false, false },
	{ "192.0.1.0", true, false },
	{ "192.0.2.80", true, false }, /* documentation: the lab's Internet */
	{ "192.167.255.255", true, false },
	{ "192.168.0.1", false, false },
	{ "192.169.0.0", true, false },
	{ "198.17.255.255", true, false },
	{ "198.18.0.0", false, false },
	{ "198.19.255.255", false, false },
	{ "198.20.0.0", true, false },
	{ "198.51.100.1", true, false },
	{ "203.0.113.1", true, false },
	{ "223.255.255.255", true, false },
	{ "224.0.0.1", false, false },
	{ "239.255.255.255", false, false },
	{ "240.0.0.1", false, false },
	{ "255.255.255.255", false, false },
	{ "::", false, false },
	{ "::1", false, true },
	{ "::2", false, false },
	{ "::7f00:1", false, false },
	{ "::ffff:192.0.2.1", false, false },
	{ "::ffff:127.0.0.1", false, false },
	{ "64:ff9b::101:101", true, false },
	{ "64:ff9b::7f00:1", false, false },
	{ "64:ff9b::a00:1", false, false },
	{ "64:ff9b:1::101:101", false, false },
	{ "100::1", false, false },
	{ "100:0:0:1::1", true, false },
	{ "2001::1", false, false },
	{ "2001:db8::11", true, false }, /* documentation */
	{ "2002:101:101::1", true, false },
	{ "2002:7f00:1::1", false, false },
	{ "2002:c0a8:1::1", false, false },
	{ "2606:4700::1111", true, false },
	{ "fbff::1", true, false },
	{ "fc00::1", false, false },
	{ "fdff::1", false, false },
	{ "fe00::1", true, false },
	{ "fe80::1", false, false },
	{ "febf::1", false, false },
	{ "fec0::1", false, false },
	{ "feff::1", false, false },
	{ "ff02::1", false, false },
};

static void judges_address(void **state)
{
	const struct address_row *row = *state;
	union rtls_address address;

	assert_true(rtls_address_parse(row->proves, &address));
	assert_int_equal(rtls_address_is_public(&address), row->is_public);
	assert_int_equal(rtls_address_is_loopback(&address), row->is_loopback);
}

static void other_families_are_not_public(void **state)
{
	union rtls_address address;

	(void)state;
	memset(&address, 0, sizeof(address));
	address.any.sa_family = AF_UNIX;
	assert_false(rtls_address_is_public(&address));
	assert_false(rtls_address_is_loopback(&address));
}

/* --- text to address -------------------------------------------------------- */

static const struct text_row {
	const char *proves;
	const char *text;
	bool ok;
	unsigned scope;
} text_rows[] = {
	{ "empty", "", false, 0 },
	{ "a name", "localhost", false, 0 },
	{ "with a port", "127.0.0.1:53", false, 0 },
	{ "short form of inet_aton", "127.1", false, 0 },
	{ "octal is none", "010.0.0.1", false, 0 },
	{ "in brackets", "[::1]", false, 0 },
	{ "scope by name", "fe80::1%lo", true, 1 },
	{ "unknown scope", "fe80::1%nosuchif", false, 0 },
	{ "empty scope", "fe80::1%", false, 0 },
	{ "IPv4 with a scope", "127.0.0.1%lo", false, 0 },
	{ "too long", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
		false, 0 },
};

static void parses_text(void **state)
{
	const struct text_row *row = *state;
	union rtls_address address;

	check_touch_not(&address, sizeof(address));
	assert_int_equal(rtls_address_parse(row->text, &address), row->ok);
	if (row->ok)
		assert_int_equal(address.v6.sin6_scope_id, row->scope);
	else
		assert_true(check_is_untouched(&address, sizeof(address)));
}

/* --- resolv.conf ------------------------------------------------------------ */

static const struct resolv_row {
	const char *proves;
	struct rtls_slice text;
	const char *wanted[RTLS_RESOLVERS_MAX + 1];
} resolv_rows[] = {
	{ "one", TEXT("nameserver 192.0.2.1\n"), { "192.0.2.1" } },
	{ "no line end", TEXT("nameserver 192.0.2.1"), { "192.0.2.1" } },
	{ "tabs, blanks, CRLF", TEXT("\tnameserver\t 192.0.2.1 \r\n"),
		{ "192.0.2.1" } },
	{ "order is kept", TEXT("nameserver ::1\nnameserver 192.0.2.1\n"),
		{ "::1", "192.0.2.1" } },
	{ "the rest is ignored",
		TEXT("search a.example\ndomain b\noptions ndots:5 use-vc\n"
		     "# nameserver 192.0.2.9\n;nameserver 192.0.2.8\n"
		     "nameservers 192.0.2.7\nnameserver 192.0.2.1 # mine\n"),
		{ "192.0.2.1" } },
	{ "four at most",
		TEXT("nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		     "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
		     "nameserver 192.0.2.5\n"),
		{ "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4" } },
	{ "bad ones are skipped",
		TEXT("nameserver\nnameserver x\nnameserver 1.2.3\n"
		     "nameserver \0\nnameserver 192.0.2.1\n"),
		{ "192.0.2.1" } },
	{ "none means 127.0.0.1", TEXT("search example\n"), { "127.0.0.1" } },
	{ "empty means 127.0.0.1", TEXT(""), { "127.0.0.1" } },
};

static void check_upstreams(
	const struct rtls_upstreams *upstreams, const char *const *wanted)
{
	union rtls_address address;
	size_t count = 0;

	for (; wanted[count] != NULL; count++) {
		assert_true(count < upstreams->count);
		assert_true(rtls_address_parse(wanted[count], &address));
		assert_memory_equal(
			&upstreams->address[count], &address, sizeof(address));
	}
	assert_int_equal(upstreams->count, count);
}

static void parses_resolv_conf(void **state)
{
	const struct resolv_row *row = *state;
	struct rtls_upstreams upstreams;

	for (size_t size = 0; size <= row->text.size; size++) {
		char *copy = check_copy(row->text, size);

		rtls_upstreams_parse(rtls_slice_n(copy, size), &upstreams);
		assert_in_range(upstreams.count, 1, RTLS_RESOLVERS_MAX);
		free(copy);
	}
	check_upstreams(&upstreams, row->wanted);
}

/* --- whom to ask ------------------------------------------------------------ */

static const struct load_row {
	const char *proves;
	const char *resolver;
	const char *path;
	enum rtls_dns_mode mode;
	bool trusted;
	enum rtls_status status;
	const char *wanted; /* the first, or words of the reason */
} load_rows[] = {
	{ "the configuration comes first", "192.0.2.1", "/nonexistent",
		RTLS_DNS_VALIDATE, false, RTLS_OK, "192.0.2.1" },
	{ "a missing resolv.conf is an empty one", "", "/nonexistent",
		RTLS_DNS_VALIDATE, false, RTLS_OK, "127.0.0.1" },
	{ "so is a directory", "", "/", RTLS_DNS_VALIDATE, false, RTLS_OK,
		"127.0.0.1" },
	{ "a bad resolver is an error", "localhost", "", RTLS_DNS_VALIDATE,
		false, RTLS_INVALID, "\"localhost\" is not an address" },
	{ "D1 AD from loopback", "127.0.0.1", "", RTLS_DNS_AD, false, RTLS_OK,
		"127.0.0.1" },
	{ "D1 AD from ::1", "::1", "", RTLS_DNS_AD, false, RTLS_OK, "::1" },
	{ "D1 no AD from elsewhere", "192.0.2.1", "", RTLS_DNS_AD, false,
		RTLS_INVALID, "resolver_trusted" },
	{ "D1 AD from elsewhere when told so", "192.0.2.1", "", RTLS_DNS_AD,
		true, RTLS_OK, "192.0.2.1" },
};

static void loads_upstreams(void **state)
{
	const struct load_row *row = *state;
	struct rtls_upstreams upstreams;
	struct rtls_err err = { "" };
	struct rtls_config config;
	union rtls_address wanted;

	rtls_config_defaults(&config);
	config.dnssec = row->mode;
	config.resolver_trusted = row->trusted;
	if (row->resolver[0] != '\0')
		(void)snprintf(config.resolver[config.resolver_count++],
			sizeof(config.resolver[0]), "%s", row->resolver);
	assert_int_equal(
		rtls_upstreams_load(&config, row->path, &upstreams, &err),
		row->status);
	if (row->status != RTLS_OK) {
		check_err(&err, row->wanted);
		return;
	}
	assert_true(rtls_address_parse(row->wanted, &wanted));
	assert_memory_equal(&upstreams.address[0], &wanted, sizeof(wanted));
}

static void one_bad_upstream_spoils_ad(void **state)
{
	struct rtls_upstreams upstreams;
	struct rtls_config config;
	struct rtls_err err;

	(void)state;
	rtls_config_defaults(&config);
	config.dnssec = RTLS_DNS_AD;
	config.resolver_count = 2;
	(void)snprintf(config.resolver[0], sizeof(config.resolver[0]), "::1");
	(void)snprintf(
		config.resolver[1], sizeof(config.resolver[1]), "192.0.2.1");
	assert_int_equal(rtls_upstreams_load(&config, "", &upstreams, &err),
		RTLS_INVALID);
}

int main(void)
{
	static struct check_suite suite;

	CHECK_TABLE(&suite, judges_address, address_rows);
	check_add(&suite, "other families are not public",
		other_families_are_not_public, NULL);
	CHECK_TABLE(&suite, parses_text, text_rows);
	CHECK_TABLE(&suite, parses_resolv_conf, resolv_rows);
	CHECK_TABLE(&suite, loads_upstreams, load_rows);
	check_add(&suite, "D1 one untrusted upstream is enough to refuse AD",
		one_bad_upstream_spoils_ad, NULL);
	return check_run(&suite, "address");
}
