/* outside.c - the real DNS, Exim and HTTPS behind struct rtls_outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tlsrpt_record.h"
#include "report/run.h"
#include "report/sendmail.h"
#include "resolve/dns.h"
#include "resolve/fetch.h"

#define MEDIA_TYPE  "application/tlsrpt+gzip"
#define SENDMAIL_MS 60000

struct real {
	const struct rtls_config *config;
	struct rtls_dns *dns; /* NULL until the first lookup */
	struct rtls_dns_query query[RTLS_LOOKUPS_MAX];
};

/* Of a URL the scheme and the host are in any case (RFC 3986 section 6.2.2.1); of an address what
 * may be is in lower case already. */
static size_t caseless_size(const struct rtls_rua *rua)
{
	size_t scheme = strlen("https://");

	if (rua->kind != RTLS_RUA_HTTPS)
		return 0;
	return scheme + strcspn(rua->uri + scheme, "/?#");
}

static bool is_same_place(const struct rtls_rua *a, const struct rtls_rua *b)
{
	size_t size = caseless_size(a);

	return size == caseless_size(b) &&
	       rtls_slice_equal_nocase(rtls_slice_n(a->uri, size),
		       rtls_slice_n(b->uri, size)) &&
	       strcmp(a->uri + size, b->uri + size) == 0;
}

static bool has_place(
	const struct rtls_lookup *lookup, const struct rtls_rua *rua)
{
	for (size_t i = 0; i < lookup->count; i++)
		if (is_same_place(&lookup->rua[i], rua))
			return true;
	return false;
}

/* Written differently, two URIs may be one place: the same report twice. */
static void take_rua(
	const struct rtls_tlsrpt_record *record, struct rtls_lookup *lookup)
{
	struct rtls_err err = { "" };

	for (size_t i = 0; i < record->rua_count; i++) {
		struct rtls_rua *rua = &lookup->rua[lookup->count];

		if (rtls_rua_parse(record->rua[i], rua, &err) != RTLS_OK)
			snprintf(lookup->why, sizeof(lookup->why), "%s",
				err.text);
		else if (!has_place(lookup, rua))
			lookup->count++;
	}
	lookup->outcome =
		lookup->count > 0 ? RTLS_LOOKUP_FOUND : RTLS_LOOKUP_NONE;
}

static void judge(
	const struct rtls_dns_query *query, struct rtls_lookup *lookup)
{
	struct rtls_slice text[RTLS_DNS_RECORDS_MAX];
	struct rtls_tlsrpt_record record;
	struct rtls_err err = { "" };

	lookup->why[0] = '\0';
	lookup->count = 0;
	lookup->outcome = RTLS_LOOKUP_NONE;
	if (query->outcome == RTLS_DNS_FAILED) {
		lookup->outcome = RTLS_LOOKUP_FAILED;
		snprintf(lookup->why, sizeof(lookup->why), "%s", query->why);
		return;
	}
	if (query->outcome != RTLS_DNS_FOUND)
		return;
	for (size_t i = 0; i < query->count; i++)
		text[i] = query->record[i].text;
	switch (rtls_tlsrpt_record_select(text, query->count, &record, &err)) {
	case RTLS_OK:
		take_rua(&record, lookup);
		break;
	case RTLS_INVALID:
		snprintf(lookup->why, sizeof(lookup->why), "%s", err.text);
		break;
	default:
		break;
	}
}

static enum rtls_status look_up(void *context, struct rtls_lookup *lookups,
	size_t count, struct rtls_err *err)
{
	struct real *real = context;
	enum rtls_status status = RTLS_OK;

	if (real->dns == NULL)
		status = rtls_dns_open(real->config, &real->dns, err);
	if (status != RTLS_OK)
		return status;
	for (size_t i = 0; i < count; i++) {
		struct rtls_dns_query *query = &real->query[i];

		memset(query, 0, sizeof(*query));
		query->type = RTLS_DNS_TXT;
		snprintf(query->name, sizeof(query->name), "_smtp._tls.%s",
			lookups[i].domain);
	}
	status = rtls_dns_run(real->dns, real->query, count, err);
	for (size_t i = 0; i < count; i++) {
		if (status == RTLS_OK)
			judge(&real->query[i], &lookups[i]);
		rtls_dns_query_free(&real->query[i]);
	}
	return status;
}

static enum rtls_status hand_to_exim(void *context, const char *address,
	struct rtls_slice message, struct rtls_err *err)
{
	const struct real *real = context;

	return rtls_sendmail(real->config, address, message, SENDMAIL_MS, err);
}

static enum rtls_status post(void *context, const char *url,
	struct rtls_slice body, struct rtls_err *err)
{
	const struct real *real = context;

	return rtls_fetch_post(real->config, url, MEDIA_TYPE, body, err);
}

static void log_nothing(void *context, const char *line)
{
	(void)context;
	(void)line;
}

enum rtls_status rtls_outside_open(const struct rtls_config *config,
	struct rtls_outside *outside, struct rtls_err *err)
{
	struct real *real = calloc(1, sizeof(*real));

	if (real == NULL) {
		rtls_err_set(err, "no memory");
		return RTLS_NO_MEMORY;
	}
	real->config = config;
	*outside = (struct rtls_outside){
		.context = real,
		.lookup = look_up,
		.mail = hand_to_exim,
		.post = post,
		.log = log_nothing,
	};
	return RTLS_OK;
}

void rtls_outside_close(struct rtls_outside *outside)
{
	struct real *real = outside->context;

	if (real == NULL)
		return;
	if (real->dns != NULL)
		rtls_dns_close(real->dns);
	free(real);
	outside->context = NULL;
}
