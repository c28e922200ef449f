/* config.c - see config.h. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "domain.h"
#include "nearest.h"
#include "tlsrpt_record.h"

#ifndef RTLS_DEFAULT_SPOOL
#define RTLS_DEFAULT_SPOOL "/var/spool/exim4/requiretls"
#endif
#ifndef RTLS_DEFAULT_PROGRAM
#define RTLS_DEFAULT_PROGRAM "/usr/sbin/exim-requiretls"
#endif
#ifndef RTLS_DEFAULT_USER
#define RTLS_DEFAULT_USER "Debian-exim"
#endif
#ifndef RTLS_DEFAULT_TRUST_ANCHOR
#define RTLS_DEFAULT_TRUST_ANCHOR "/usr/share/dns/root.key"
#endif
#ifndef RTLS_DEFAULT_CA_FILE
#define RTLS_DEFAULT_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#endif
#ifndef RTLS_DEFAULT_SENDMAIL
#define RTLS_DEFAULT_SENDMAIL "/usr/sbin/exim4"
#endif

#define TIMEOUT_MAX_MS 3600000U

struct key;

/* How one kind of value is read and written. */
struct value_type {
	const char *expected; /* "expected ..." */
	bool (*parse)(const struct key *key, struct rtls_slice value,
		struct rtls_config *config);
	void (*format)(const struct key *key, const struct rtls_config *config,
		struct rtls_text *out);
	const char *const *words; /* of an enum, in its order, NULL behind */
	const char *unit;         /* of a number, "" for none, */
	unsigned min, max;        /* which lies between these */
};

struct key {
	const char *name;
	const struct value_type *type;
	size_t offset; /* of the field in struct rtls_config */
	size_t size;
	const char *help;
};

static char *field_of(const struct key *key, struct rtls_config *config)
{
	return (char *)config + key->offset;
}

static const char *const_field_of(
	const struct key *key, const struct rtls_config *config)
{
	return (const char *)config + key->offset;
}

static bool parse_bool(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	static const char *const words[] = { "no", "yes", "false", "true",
		"off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (rtls_slice_is_nocase(value, words[i])) {
			*(bool *)field_of(key, config) = i % 2 == 1;
			return true;
		}
	}
	return false;
}

static void format_bool(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	const bool *field = (const bool *)const_field_of(key, config);

	rtls_text_printf(out, "%s", *field ? "yes" : "no");
}

/* The enums are copied as what gcc and clang make of them. */
_Static_assert(sizeof(enum rtls_level) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum rtls_dns_mode) == sizeof(unsigned), "enum size");
_Static_assert(sizeof(enum rtls_on_dns_error) == sizeof(unsigned), "enum size");

static bool parse_word(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	for (unsigned i = 0; key->type->words[i] != NULL; i++) {
		if (rtls_slice_is_nocase(value, key->type->words[i])) {
			memcpy(field_of(key, config), &i, sizeof(i));
			return true;
		}
	}
	return false;
}

static void format_word(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	unsigned number;

	memcpy(&number, const_field_of(key, config), sizeof(number));
	rtls_text_printf(out, "%s", key->type->words[number]);
}

static bool parse_timeout(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	unsigned factor = 1000;
	size_t digits = 0;
	unsigned long long number;
	unsigned timeout_ms;
	struct rtls_slice unit;

	while (digits < value.size && value.data[digits] >= '0' &&
		value.data[digits] <= '9')
		digits++;
	unit = rtls_slice_n(value.data + digits, value.size - digits);
	if (rtls_slice_is(unit, "ms"))
		factor = 1;
	else if (rtls_slice_is(unit, "m"))
		factor = 60000;
	else if (unit.size != 0 && !rtls_slice_is(unit, "s"))
		return false;
	if (!rtls_slice_number(rtls_slice_n(value.data, digits),
		    TIMEOUT_MAX_MS / factor, &number) ||
		number < key->type->min)
		return false;
	timeout_ms = (unsigned)number * factor;
	memcpy(field_of(key, config), &timeout_ms, sizeof(timeout_ms));
	return true;
}

static void format_timeout(const struct key *key,
	const struct rtls_config *config, struct rtls_text *out)
{
	unsigned timeout_ms;

	memcpy(&timeout_ms, const_field_of(key, config), sizeof(timeout_ms));
	if (timeout_ms % 1000 == 0)
		rtls_text_printf(out, "%us", timeout_ms / 1000);
	else
		rtls_text_printf(out, "%ums", timeout_ms);
}

/* A time of whole seconds, up to hours; it may be none. */
static bool parse_span(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	static const struct {
		const char *unit;
		unsigned factor;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "", 1 } };
	unsigned long long number;
	unsigned span_s;
	size_t i = 0;

	while (!rtls_slice_ends_nocase(value, rtls_slice(units[i].unit)))
		i++;
	value.size -= strlen(units[i].unit);
	if (!rtls_slice_number(
		    value, key->type->max / units[i].factor, &number))
		return false;
	span_s = (unsigned)number * units[i].factor;
	memcpy(field_of(key, config), &span_s, sizeof(span_s));
	return true;
}

static void format_span(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	unsigned span_s;

	memcpy(&span_s, const_field_of(key, config), sizeof(span_s));
	if (span_s > 0 && span_s % 3600 == 0)
		rtls_text_printf(out, "%uh", span_s / 3600);
	else if (span_s > 0 && span_s % 60 == 0)
		rtls_text_printf(out, "%um", span_s / 60);
	else
		rtls_text_printf(out, "%us", span_s);
}

/* "5M", "512K": of 1024. */
static bool parse_size(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	unsigned factor = 1;
	unsigned long long number;
	unsigned size_bytes;

	if (rtls_slice_ends_nocase(value, rtls_slice("K")))
		factor = 1024;
	else if (rtls_slice_ends_nocase(value, rtls_slice("M")))
		factor = 1024 * 1024;
	if (factor > 1)
		value.size--;
	if (!rtls_slice_number(value, key->type->max / factor, &number))
		return false;
	size_bytes = (unsigned)number * factor;
	if (size_bytes < key->type->min)
		return false;
	memcpy(field_of(key, config), &size_bytes, sizeof(size_bytes));
	return true;
}

static void format_size(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	unsigned size_bytes;

	memcpy(&size_bytes, const_field_of(key, config), sizeof(size_bytes));
	if (size_bytes % (1024 * 1024) == 0)
		rtls_text_printf(out, "%uM", size_bytes / (1024 * 1024));
	else if (size_bytes % 1024 == 0)
		rtls_text_printf(out, "%uK", size_bytes / 1024);
	else
		rtls_text_printf(out, "%u", size_bytes);
}

static bool parse_number(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	const struct rtls_slice unit = rtls_slice(key->type->unit);
	unsigned long long parsed;
	unsigned number;

	if (!rtls_slice_ends_nocase(value, unit) ||
		!rtls_slice_number(
			rtls_slice_n(value.data, value.size - unit.size),
			key->type->max, &parsed) ||
		parsed < key->type->min)
		return false;
	number = (unsigned)parsed;
	memcpy(field_of(key, config), &number, sizeof(number));
	return true;
}

static void format_number(const struct key *key,
	const struct rtls_config *config, struct rtls_text *out)
{
	unsigned number;

	memcpy(&number, const_field_of(key, config), sizeof(number));
	rtls_text_printf(out, "%u%s", number, key->type->unit);
}

static bool is_printable(struct rtls_slice value)
{
	for (size_t i = 0; i < value.size; i++)
		if (value.data[i] < ' ' || value.data[i] > '~')
			return false;
	return true;
}

/* Do all bytes stand in allowed? Letters and digits always are. */
static bool is_made_of(struct rtls_slice value, const char *allowed)
{
	for (size_t i = 0; i < value.size; i++) {
		const char c = value.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') ||
			    (c != '\0' && strchr(allowed, c) != NULL)))
			return false;
	}
	return true;
}

static bool copy_text(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	return value.size < key->size &&
	       rtls_slice_copy(value, field_of(key, config), key->size);
}

static void format_text(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	rtls_text_add(out, rtls_slice(const_field_of(key, config)));
}

static bool parse_path(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	return rtls_slice_starts(value, "/") && is_printable(value) &&
	       copy_text(key, value, config);
}

static bool parse_path_or_none(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	return value.size == 0 ? copy_text(key, value, config)
			       : parse_path(key, value, config);
}

static bool parse_user(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	return value.size != 0 && value.data[0] != '-' &&
	       is_made_of(value, "._-") && copy_text(key, value, config);
}

static bool parse_host(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	return is_made_of(value, "._-") && copy_text(key, value, config);
}

/* It must begin with a separator, else "requiretls" would also come off
 * "norequiretls"; the rest is what a local part may hold unquoted. */
static bool parse_tag(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	if (rtls_slice_is_nocase(value, "off"))
		return copy_text(key, rtls_slice(""), config);
	return value.size > 1 && !is_made_of(rtls_slice_n(value.data, 1), "") &&
	       is_made_of(value, "!#$%&'*+-/=?^_`{|}~.") &&
	       copy_text(key, value, config);
}

static void format_tag(const struct key *key, const struct rtls_config *config,
	struct rtls_text *out)
{
	const char *tag = const_field_of(key, config);

	rtls_text_printf(out, "%s", tag[0] == '\0' ? "off" : tag);
}

/* The size of the UTF-8 character (RFC 3629) at the front; 0: malformed, or
 * a control character. */
static size_t utf8_character(struct rtls_slice text)
{
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)text.data;
	uint32_t code;
	size_t size;

	if (byte[0] < 0x80)
		return byte[0] >= 0x20 && byte[0] != 0x7f ? 1 : 0;
	size = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || text.size < size)
		return 0;
	code = byte[0] & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte[i] & 0x3fU);
	}
	return code < least[size] || code > 0x10ffff ||
			       (code >= 0xd800 && code <= 0xdfff)
		       ? 0
		       : size;
}

/* It goes into JSON, which takes nothing but UTF-8. */
static bool parse_organization(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	struct rtls_slice rest = value;

	while (rest.size != 0) {
		const size_t size = utf8_character(rest);

		if (size == 0)
			return false;
		rest = rtls_slice_n(rest.data + size, rest.size - size);
	}
	return copy_text(key, value, config);
}

/* A dot-atom, "@" and a domain in A-labels (RFC 5322 section 3.4.1). */
static bool parse_address(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	struct rtls_slice domain = value;
	const struct rtls_slice local = rtls_slice_take(&domain, '@');
	char normalized[RTLS_DOMAIN_SIZE];

	if (value.size == 0)
		return copy_text(key, value, config);
	return local.size != 0 && local.size <= 64 &&
	       is_made_of(local, "!#$%&'*+-/=?^_`{|}~.") &&
	       rtls_domain_normalize(domain, normalized) == RTLS_OK &&
	       copy_text(key, value, config);
}

/* What a domain's record might name, one of it. */
static bool parse_rua(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	char buffer[RTLS_CONFIG_VALUE_MAX + 32];
	struct rtls_tlsrpt_record record;
	struct rtls_text text;

	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_text_printf(&text, "v=TLSRPTv1; rua=");
	rtls_text_add(&text, value);
	return copy_text(key, value, config) &&
	       (value.size == 0 ||
		       (!text.overflow &&
			       rtls_tlsrpt_record_parse(rtls_text_slice(&text),
				       &record, NULL) == RTLS_OK &&
			       record.rua_count == 1 &&
			       rtls_slice_equal(record.rua[0], value)));
}

static bool is_address(const char *text)
{
	struct in6_addr binary;

	return inet_pton(AF_INET, text, &binary) == 1 ||
	       inet_pton(AF_INET6, text, &binary) == 1;
}

static bool parse_resolvers(const struct key *key, struct rtls_slice value,
	struct rtls_config *config)
{
	struct rtls_slice rest = value;
	struct rtls_slice word;
	size_t count = 0;

	(void)key;
	while (rtls_slice_word(&rest, &word)) {
		if (count == RTLS_RESOLVERS_MAX ||
			!rtls_slice_copy(word, config->resolver[count],
				sizeof(config->resolver[count])) ||
			!is_address(config->resolver[count]))
			return false;
		count++;
	}
	config->resolver_count = count;
	return true;
}

static void format_resolvers(const struct key *key,
	const struct rtls_config *config, struct rtls_text *out)
{
	(void)key;
	for (size_t i = 0; i < config->resolver_count; i++) {
		rtls_text_printf(
			out, "%s%s", i == 0 ? "" : " ", config->resolver[i]);
	}
}

static const struct value_type type_bool = { "yes or no", parse_bool,
	format_bool, .words = NULL };
static const char *const level_names[] = {
	[RTLS_LEVEL_ENFORCE] = "enforce",
	[RTLS_LEVEL_VERIFIED] = "verified",
	[RTLS_LEVEL_OPPORTUNISTIC] = "opportunistic",
	[RTLS_LEVEL_DISABLE] = "disable",
	[RTLS_LEVEL_COUNT] = NULL,
};

const char *rtls_level_name(enum rtls_level level)
{
	return level_names[level];
}

static const struct value_type type_level = {
	"enforce, verified, opportunistic or disable", parse_word, format_word,
	.words = level_names
};
static const struct value_type type_on_dns_error = { "proceed or defer",
	parse_word, format_word,
	.words = (const char *const[]){ "proceed", "defer", NULL } };
static const struct value_type type_dns_mode = { "validate or ad", parse_word,
	format_word, .words = (const char *const[]){ "validate", "ad", NULL } };
static const struct value_type type_timeout = {
	"a time like 20, 20s, 1500ms or 2m, from 1ms to 60m", parse_timeout,
	format_timeout, .min = 1
};
static const struct value_type type_timeout_or_none = {
	"0, or a time like 5, 5s, 1500ms or 2m, at most 60m", parse_timeout,
	format_timeout, .min = 0
};
static const struct value_type type_domains = {
	"a number from 1000 to 100000000", parse_number, format_number,
	.unit = "", .min = 1000, .max = 100000000
};
static const struct value_type type_days = { "days, from 1d to 3650d",
	parse_number, format_number, .unit = "d", .min = 1, .max = 3650 };
static const struct value_type type_min_age = {
	"a time like 90s, 10m or 1h, at most 4h", parse_span, format_span,
	.max = 4 * 3600
};
static const struct value_type type_spread = {
	"a time like 90s, 10m or 4h, at most 20h", parse_span, format_span,
	.max = 20 * 3600
};
static const struct value_type type_size = {
	"a size like 512K or 5M, from 64K to 1024M", parse_size, format_size,
	.min = 64 * 1024, .max = 1024 * 1024 * 1024
};
static const struct value_type type_path = {
	"an absolute path of at most 255 bytes", parse_path, format_text,
	.words = NULL
};
static const struct value_type type_path_or_none = {
	"an absolute path of at most 255 bytes, or nothing", parse_path_or_none,
	format_text, .words = NULL
};
static const struct value_type type_user = { "a user name", parse_user,
	format_text, .words = NULL };
static const struct value_type type_host = {
	"a name of at most 64 letters, digits, dots and hyphens, or nothing",
	parse_host, format_text, .words = NULL
};
static const struct value_type type_rua = {
	"a URI like mailto:postmaster@example.org or "
	"https://example.org/path, or nothing",
	parse_rua, format_text, .words = NULL
};
static const struct value_type type_tag = {
	"a separator and a word such as +requiretls, or off", parse_tag,
	format_tag, .words = NULL
};
static const struct value_type type_organization = {
	"a name in UTF-8 of at most 255 bytes", parse_organization, format_text,
	.words = NULL
};
static const struct value_type type_address = {
	"a mail address such as postmaster@example.org", parse_address,
	format_text, .words = NULL
};
static const struct value_type type_resolvers = {
	"up to 4 IP addresses separated by blanks", parse_resolvers,
	format_resolvers, .words = NULL
};

#define FIELD(member)                                                          \
	offsetof(struct rtls_config, member),                                  \
		sizeof(((struct rtls_config *)NULL)->member)

static const struct key keys[] = {
	{ "requiretls", &type_level, FIELD(requiretls),
		"what a flagged message demands (RFC 8689)" },
	{ "requiretls_tag", &type_tag, FIELD(tag),
		"local part suffix that flags a message; off: none" },
	{ "tls_required_no", &type_bool, FIELD(honour_tls_required_no),
		"honour the header TLS-Required: No" },
	{ "rules", &type_path_or_none, FIELD(rules),
		"file of rules: what flags a message, what a domain demands" },
	{ "exempt", &type_path_or_none, FIELD(exempt),
		"file of exemptions: domains of which less is demanded" },
	{ "mta_sts", &type_bool, FIELD(mta_sts),
		"honour the MTA-STS policies of recipient domains" },
	{ "sts_dns_error", &type_on_dns_error, FIELD(sts_dns_error),
		"when the MTA-STS lookup fails and no policy is cached" },
	{ "spool", &type_path, FIELD(spool),
		"directory of the cache, journal and outbox" },
	{ "cache_max", &type_domains, FIELD(cache_max),
		"how many domains the cache holds" },
	{ "cache_keep", &type_days, FIELD(cache_keep_days),
		"how long a domain is remembered that no mail goes to" },
	{ "program", &type_path, FIELD(program), "where exim-requiretls is" },
	{ "user", &type_user, FIELD(user),
		"user exim-requiretls runs as when started by root" },
	{ "resolve_timeout", &type_timeout, FIELD(resolve_timeout_ms),
		"how long a delivery waits for one domain's lookup" },
	{ "dns_timeout", &type_timeout, FIELD(dns_timeout_ms),
		"for one DNS lookup" },
	{ "fetch_timeout", &type_timeout, FIELD(fetch_timeout_ms),
		"for fetching one policy, in all" },
	{ "connect_timeout", &type_timeout, FIELD(connect_timeout_ms),
		"for one connection" },
	{ "preflight_timeout", &type_timeout_or_none,
		FIELD(preflight_timeout_ms),
		"how long a client waits for a lookup; 0: none is made" },
	{ "dnssec", &type_dns_mode, FIELD(dnssec),
		"validate here, or believe the resolver's AD bit" },
	{ "resolver", &type_resolvers, FIELD(resolver),
		"addresses of resolvers; none: /etc/resolv.conf" },
	{ "resolver_trusted", &type_bool, FIELD(resolver_trusted),
		"believe the AD bit of a resolver that is not on loopback" },
	{ "trust_anchor", &type_path, FIELD(trust_anchor),
		"file with the DNSSEC root keys" },
	{ "ca_file", &type_path, FIELD(ca_file),
		"file with the trusted CA certificates" },
	{ "fetch_private", &type_bool, FIELD(fetch_private),
		"fetch policies from private and loopback addresses too" },
	{ "tlsrpt", &type_bool, FIELD(tlsrpt),
		"keep results and send TLS-RPT reports" },
	{ "tlsrpt_organization", &type_organization, FIELD(organization),
		"who reports" },
	{ "tlsrpt_contact", &type_address, FIELD(contact),
		"address for questions about the reports" },
	{ "tlsrpt_from", &type_address, FIELD(from),
		"sender of the reports; none: tlsrpt_contact" },
	{ "tlsrpt_min_age", &type_min_age, FIELD(report_min_age_s),
		"how long after the end of a day (UTC) nothing is reported" },
	{ "tlsrpt_spread", &type_spread, FIELD(report_spread_s),
		"time over which the reports of a day are spread after that" },
	{ "tlsrpt_domains", &type_path_or_none, FIELD(report_domains),
		"file that says on which domains there are reports" },
	{ "tlsrpt_success_only", &type_bool, FIELD(report_success_only),
		"report days on which all went well, too" },
	{ "tlsrpt_sending_ip", &type_bool, FIELD(report_sending_ip),
		"name the own address in the reports" },
	{ "tlsrpt_max_size", &type_size, FIELD(report_max_size_bytes),
		"a compressed report that is larger gets coarser" },
	{ "tlsrpt_rua", &type_rua, FIELD(report_rua),
		"for testing: where all reports go instead" },
	{ "tlsrpt_host", &type_host, FIELD(report_host),
		"name that tells this machine's reports apart; none: its own" },
	{ "tlsrpt_keep", &type_days, FIELD(tlsrpt_keep_days),
		"how long journals, outbox and policy texts are kept" },
	{ "sendmail", &type_path, FIELD(sendmail),
		"program that takes the reports as mail" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

/* What a config holds while it is being read. */
struct parse {
	struct rtls_config config;
	unsigned line;
	unsigned set_in[KEY_COUNT]; /* the line a key was set in, or 0 */
	struct rtls_err *err;
};

static void set_path(char field[RTLS_CONFIG_VALUE_MAX], const char *path)
{
	(void)rtls_slice_copy(rtls_slice(path), field, RTLS_CONFIG_VALUE_MAX);
}

void rtls_config_defaults(struct rtls_config *config)
{
	memset(config, 0, sizeof(*config));
	config->requiretls = RTLS_LEVEL_ENFORCE;
	(void)rtls_slice_copy(
		rtls_slice("+requiretls"), config->tag, sizeof(config->tag));
	config->honour_tls_required_no = true;
	config->mta_sts = true;
	config->sts_dns_error = RTLS_DNS_ERROR_PROCEED;
	set_path(config->spool, RTLS_DEFAULT_SPOOL);
	set_path(config->program, RTLS_DEFAULT_PROGRAM);
	(void)rtls_slice_copy(rtls_slice(RTLS_DEFAULT_USER), config->user,
		sizeof(config->user));
	config->cache_max = 100000;
	config->cache_keep_days = 180;
	config->tlsrpt_keep_days = 30;
	config->resolve_timeout_ms = 20000;
	config->dns_timeout_ms = 5000;
	config->fetch_timeout_ms = 15000;
	config->connect_timeout_ms = 5000;
	config->preflight_timeout_ms = 5000;
	config->dnssec = RTLS_DNS_VALIDATE;
	set_path(config->trust_anchor, RTLS_DEFAULT_TRUST_ANCHOR);
	set_path(config->ca_file, RTLS_DEFAULT_CA_FILE);
	config->report_min_age_s = 600;
	config->report_success_only = true;
	config->report_sending_ip = true;
	config->report_max_size_bytes = 5 * 1024 * 1024;
	config->report_spread_s = 4 * 3600;
	set_path(config->sendmail, RTLS_DEFAULT_SENDMAIL);
}

static size_t find_key(struct rtls_slice name)
{
	size_t index = 0;

	while (index < KEY_COUNT && !rtls_slice_is(name, keys[index].name))
		index++;
	return index;
}

static enum rtls_status unknown_key(
	const struct parse *parse, struct rtls_slice name)
{
	struct rtls_nearest nearest = { .word = name };
	struct rtls_nearest_hint hint;
	struct rtls_quoted quoted;

	for (size_t i = 0; i < KEY_COUNT; i++)
		rtls_nearest_try(&nearest, keys[i].name);
	rtls_err_set(parse->err, "line %u: unknown key \"%s\"%s", parse->line,
		rtls_quoted(&quoted, name),
		rtls_nearest_hint(&hint, &nearest, ""));
	return RTLS_INVALID;
}

static enum rtls_status parse_line(struct parse *parse, struct rtls_slice line)
{
	const bool has_value =
		line.size != 0 && memchr(line.data, '=', line.size) != NULL;
	struct rtls_slice value = line;
	const struct rtls_slice name =
		rtls_slice_trim(rtls_slice_take(&value, '='));
	const size_t index = find_key(name);
	struct rtls_quoted quoted;

	if (!has_value) {
		rtls_err_set(parse->err,
			"line %u: expected \"key = value\", not \"%s\"",
			parse->line, rtls_quoted(&quoted, name));
		return RTLS_INVALID;
	}
	if (index == KEY_COUNT)
		return unknown_key(parse, name);
	if (parse->set_in[index] != 0) {
		rtls_err_set(parse->err, "line %u: %s: already set in line %u",
			parse->line, keys[index].name, parse->set_in[index]);
		return RTLS_INVALID;
	}
	parse->set_in[index] = parse->line;
	value = rtls_slice_trim(value);
	if (!keys[index].type->parse(&keys[index], value, &parse->config)) {
		rtls_err_set(parse->err, "line %u: %s: expected %s, not \"%s\"",
			parse->line, keys[index].name,
			keys[index].type->expected,
			rtls_quoted(&quoted, value));
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

/* What can be judged only when all lines are read. */
static enum rtls_status finish(struct parse *parse)
{
	struct rtls_config *config = &parse->config;

	if (config->tlsrpt && (config->organization[0] == '\0' ||
				      config->contact[0] == '\0')) {
		rtls_err_set(parse->err,
			"line %u: tlsrpt: yes needs tlsrpt_organization and "
			"tlsrpt_contact",
			parse->set_in[find_key(rtls_slice("tlsrpt"))]);
		return RTLS_INVALID;
	}
	if (config->from[0] == '\0')
		memcpy(config->from, config->contact, sizeof(config->from));
	return RTLS_OK;
}

enum rtls_status rtls_config_parse(struct rtls_slice text,
	struct rtls_config *config, struct rtls_err *err)
{
	struct parse parse = { .err = err };
	struct rtls_slice rest = text;
	struct rtls_slice line;
	enum rtls_status status;

	if (text.size > RTLS_CONFIG_SIZE_MAX) {
		rtls_err_set(err, "line 1: more than %d bytes",
			RTLS_CONFIG_SIZE_MAX);
		return RTLS_INVALID;
	}
	rtls_config_defaults(&parse.config);
	while (rtls_slice_entry(&rest, &line, &parse.line)) {
		status = parse_line(&parse, line);
		if (status != RTLS_OK)
			return status;
	}
	status = finish(&parse);
	if (status == RTLS_OK)
		*config = parse.config;
	return status;
}

bool rtls_config_key(const struct rtls_config *config, size_t index,
	const char **name, struct rtls_text *value, const char **help)
{
	if (index >= KEY_COUNT)
		return false;
	*name = keys[index].name;
	*help = keys[index].help;
	keys[index].type->format(&keys[index], config, value);
	return true;
}
