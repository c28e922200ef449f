/* result.c - see result.h. */
#include "result.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "field.h"

#define VERSION_ONE     "1"
#define VERSION_SEVERAL "2"
#define TIME_MAX_S      INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define ADDRESS_MAX     (INET6_ADDRSTRLEN - 1)
#define DIGEST_LENGTH   (RTLS_DIGEST_SIZE - 1)
/* What strangers may make long. All caps together stay well below
 * RTLS_JOURNAL_LINE_MAX. */
#define HOST_MAX   255
#define HELO_MAX   320
#define REASON_MAX 480

static const char *const result_names[RTLS_RESULT_COUNT] = {
	[RTLS_RESULT_SUCCESS] = "success",
	[RTLS_RESULT_STARTTLS_NOT_SUPPORTED] = "starttls-not-supported",
	[RTLS_RESULT_CERTIFICATE_HOST_MISMATCH] = "certificate-host-mismatch",
	[RTLS_RESULT_CERTIFICATE_EXPIRED] = "certificate-expired",
	[RTLS_RESULT_CERTIFICATE_NOT_TRUSTED] = "certificate-not-trusted",
	[RTLS_RESULT_VALIDATION_FAILURE] = "validation-failure",
	[RTLS_RESULT_TLSA_INVALID] = "tlsa-invalid",
	[RTLS_RESULT_DNSSEC_INVALID] = "dnssec-invalid",
	[RTLS_RESULT_DANE_REQUIRED] = "dane-required",
	[RTLS_RESULT_STS_POLICY_FETCH_ERROR] = "sts-policy-fetch-error",
	[RTLS_RESULT_STS_POLICY_INVALID] = "sts-policy-invalid",
	[RTLS_RESULT_STS_WEBPKI_INVALID] = "sts-webpki-invalid",
};

static const char *const type_names[] = {
	[RTLS_POLICY_NONE_FOUND] = "no-policy-found",
	[RTLS_POLICY_STS] = "sts",
	[RTLS_POLICY_TLSA] = "tlsa",
};

#define TYPE_COUNT (sizeof(type_names) / sizeof(type_names[0]))

/* RFC 8460 section 6.6: what fits nowhere else is a validation-failure. */
const char *rtls_result_name(enum rtls_result result)
{
	return (unsigned)result < RTLS_RESULT_COUNT
		       ? result_names[result]
		       : result_names[RTLS_RESULT_VALIDATION_FAILURE];
}

enum rtls_status rtls_result_parse(
	struct rtls_slice name, enum rtls_result *result)
{
	for (unsigned i = 0; i < RTLS_RESULT_COUNT; i++) {
		if (rtls_slice_is(name, result_names[i])) {
			*result = (enum rtls_result)i;
			return RTLS_OK;
		}
	}
	return RTLS_INVALID;
}

const char *rtls_policy_type_name(enum rtls_policy_type type)
{
	return (unsigned)type < TYPE_COUNT ? type_names[type]
					   : type_names[RTLS_POLICY_NONE_FOUND];
}

static bool parse_type(struct rtls_slice name, enum rtls_policy_type *type)
{
	for (unsigned i = 0; i < TYPE_COUNT; i++) {
		if (rtls_slice_is(name, type_names[i])) {
			*type = (enum rtls_policy_type)i;
			return true;
		}
	}
	return false;
}

static bool is_domain(struct rtls_slice text)
{
	char normalized[RTLS_DOMAIN_SIZE];

	return rtls_domain_normalize(text, normalized) == RTLS_OK &&
	       rtls_slice_is(text, normalized);
}

static bool is_digest(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!rtls_byte_is_digit(text.data[i]) &&
			(text.data[i] < 'a' || text.data[i] > 'f'))
			return false;
	return text.size == DIGEST_LENGTH || text.size == 0;
}

static bool is_printable(struct rtls_slice text, size_t max)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return text.size <= max;
}

/* RFC 8460 section 4.4 wants IPv6 as RFC 5952 writes it; false: no address. */
static bool canonical_address(
	struct rtls_slice text, char out[INET6_ADDRSTRLEN])
{
	char terminated[INET6_ADDRSTRLEN];
	unsigned char binary[sizeof(struct in6_addr)];
	int family = AF_INET;

	if (!rtls_slice_copy(text, terminated, sizeof(terminated)))
		return false;
	if (memchr(terminated, ':', text.size) != NULL)
		family = AF_INET6;
	return inet_pton(family, terminated, binary) == 1 &&
	       inet_ntop(family, binary, out, INET6_ADDRSTRLEN) != NULL;
}

static void add_field(
	struct rtls_text *line, struct rtls_slice field, size_t max, char end)
{
	if (field.size == 0)
		rtls_text_add(line, rtls_slice("-"));
	for (size_t i = 0; i < field.size && i < max; i++) {
		const char c = field.data[i];

		rtls_text_printf(line, "%c", c < ' ' || c > '~' ? '?' : c);
	}
	rtls_text_printf(line, "%c", end);
}

/* What is no address is not known. */
static void add_address(struct rtls_text *line, struct rtls_slice address)
{
	char canonical[INET6_ADDRSTRLEN];

	if (!canonical_address(address, canonical))
		canonical[0] = '\0';
	add_field(line, rtls_slice(canonical), ADDRESS_MAX, '\t');
}

enum rtls_status rtls_journal_line_format(
	const struct rtls_session_result *result, struct rtls_text *line)
{
	const bool several = result->count > 1;

	if (result->time_s < 0 || result->time_s > TIME_MAX_S ||
		result->count > RTLS_SESSIONS_MAX ||
		!is_domain(result->policy_domain) || !is_digest(result->digest))
		return RTLS_BUG;
	rtls_text_printf(line, "%s\t%lld\t",
		several ? VERSION_SEVERAL : VERSION_ONE,
		(long long)result->time_s);
	add_field(line, result->policy_domain, RTLS_DOMAIN_MAX, '\t');
	rtls_text_printf(line, "%s\t", rtls_policy_type_name(result->type));
	add_field(line, result->digest, DIGEST_LENGTH, '\t');
	rtls_text_printf(line, "%s\t", rtls_result_name(result->result));
	if (several)
		rtls_text_printf(
			line, "%llu\t", (unsigned long long)result->count);
	add_address(line, result->sending_ip);
	add_field(line, result->mx_host, HOST_MAX, '\t');
	add_field(line, result->mx_helo, HELO_MAX, '\t');
	add_address(line, result->receiving_ip);
	add_field(line, result->reason, REASON_MAX, '\n');
	return line->overflow ? RTLS_INVALID : RTLS_OK;
}

/* Take one field off the front; false when it is missing or empty. last: no
 * tab may follow. */
static bool take_field(
	struct rtls_slice *rest, bool last, struct rtls_slice *field)
{
	const struct rtls_slice before = *rest;
	struct rtls_slice taken = rtls_slice_take(rest, '\t');

	if (taken.size == 0 || (taken.size == before.size) != last)
		return false;
	if (rtls_slice_is(taken, "-"))
		taken.size = 0;
	*field = taken;
	return true;
}

static bool is_address_or_empty(struct rtls_slice text)
{
	char canonical[INET6_ADDRSTRLEN];

	return text.size == 0 || (canonical_address(text, canonical) &&
					 rtls_slice_is(text, canonical));
}

static bool is_line_valid(const struct rtls_session_result *result)
{
	return is_domain(result->policy_domain) && is_digest(result->digest) &&
	       is_address_or_empty(result->sending_ip) &&
	       is_printable(result->mx_host, HOST_MAX) &&
	       is_printable(result->mx_helo, HELO_MAX) &&
	       is_address_or_empty(result->receiving_ip) &&
	       is_printable(result->reason, REASON_MAX);
}

/* One form only: no zeros in front, and a single session has no count. */
static bool parse_count(struct rtls_slice text, uint64_t *count)
{
	unsigned long long number;

	if (!rtls_slice_number(text, RTLS_SESSIONS_MAX, &number) ||
		number < 2 || text.data[0] == '0')
		return false;
	*count = number;
	return true;
}

/* The first field and, of a line for several sessions, the count in its place. */
static bool take_count(
	struct rtls_slice version, struct rtls_slice *rest, uint64_t *count)
{
	struct rtls_slice field;

	*count = 1;
	if (rtls_slice_is(version, VERSION_ONE))
		return true;
	return rtls_slice_is(version, VERSION_SEVERAL) &&
	       take_field(rest, false, &field) && parse_count(field, count);
}

enum rtls_status rtls_journal_line_parse(
	struct rtls_slice line, struct rtls_session_result *result)
{
	struct rtls_session_result parsed = { 0 };
	struct rtls_slice rest = line;
	struct rtls_slice version;
	struct rtls_slice time;
	struct rtls_slice type;
	struct rtls_slice name;
	unsigned long long number;

	if (!take_field(&rest, false, &version) ||
		!take_field(&rest, false, &time) ||
		!take_field(&rest, false, &parsed.policy_domain) ||
		!take_field(&rest, false, &type) ||
		!take_field(&rest, false, &parsed.digest) ||
		!take_field(&rest, false, &name) ||
		!take_count(version, &rest, &parsed.count) ||
		!take_field(&rest, false, &parsed.sending_ip) ||
		!take_field(&rest, false, &parsed.mx_host) ||
		!take_field(&rest, false, &parsed.mx_helo) ||
		!take_field(&rest, false, &parsed.receiving_ip) ||
		!take_field(&rest, true, &parsed.reason))
		return RTLS_INVALID;
	if (!rtls_slice_number(time, TIME_MAX_S, &number) ||
		!parse_type(type, &parsed.type) ||
		rtls_result_parse(name, &parsed.result) != RTLS_OK ||
		!is_line_valid(&parsed))
		return RTLS_INVALID;
	parsed.time_s = (int64_t)number;
	*result = parsed;
	return RTLS_OK;
}
