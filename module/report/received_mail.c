/* received_mail.c - see received_mail.h. */
#include "report/received_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "policy/utf8.h"
#include "report/gzip.h"
#include "report/mime.h"
#include "report/received_json.h"

#define GZIP_TYPE "application/tlsrpt+gzip"
#define JSON_TYPE "application/tlsrpt+json"
#define TRIES_MAX 4 /* parts that may be a report and are none */

/* A message being searched. */
struct search {
	struct rtls_received *received;
	bool is_claimed;         /* something says that there is a report */
	enum rtls_status status; /* of the first part that should be one */
	struct rtls_err why;
	size_t tries;
	size_t more; /* reports behind the first */
};

/* --- which part it is --------------------------------------------------------- */

static bool is_among(const char *text, const char *const *among)
{
	while (*among != NULL && strcmp(*among, text) != 0)
		among++;
	return *among != NULL;
}

/* "x.json", "x.json.gz"; an encoded word (RFC 2047) may be anything. */
static bool is_report_name(const char *name)
{
	struct rtls_slice slice = rtls_slice(name);

	return rtls_slice_ends_nocase(slice, rtls_slice(".json")) ||
	       rtls_slice_ends_nocase(slice, rtls_slice(".json.gz")) ||
	       strstr(name, "=?") != NULL;
}

/* A part nobody would take for anything else. */
static bool is_report_part(const struct rtls_mime_part *part)
{
	return strncmp(part->type, "application/tlsrpt",
		       strlen("application/tlsrpt")) == 0;
}

/* A part that may be a report: of a type that says little. */
static bool is_likely_part(const struct rtls_mime_part *part)
{
	static const char *const types[] = { "application/gzip",
		"application/x-gzip", "application/json",
		"application/octet-stream", "application/gzip-compressed",
		"application/x-gzip-compressed", NULL };

	return is_among(part->type, types) &&
	       (strcmp(part->report_type, "tlsrpt") == 0 ||
		       is_report_name(part->name));
}

/* --- what is in it ------------------------------------------------------------- */

static void check_part(struct rtls_notes *notes,
	const struct rtls_mime_part *part, struct rtls_slice data)
{
	const char *wanted = rtls_gzip_is(data) ? GZIP_TYPE : JSON_TYPE;
	struct rtls_quoted q;

	if (strcmp(part->type, wanted) != 0)
		rtls_notes_add(notes, RTLS_NOTE_SEEN, false, "message",
			"a part of type %s instead of %s",
			rtls_quoted(&q, rtls_slice(part->type)), wanted);
	if (strcmp(part->report_type, "tlsrpt") != 0)
		rtls_notes_add(notes, RTLS_NOTE_SEEN, false, "message",
			"not a multipart/report with report-type=tlsrpt");
}

static enum rtls_status read_part(struct search *search,
	const struct rtls_mime_part *part, struct rtls_err *err)
{
	struct rtls_notes *notes = &search->received->notes;
	struct rtls_slice data;
	char *allocated;
	enum rtls_status status =
		rtls_mime_decode(part, &data, &allocated, err);

	if (status == RTLS_OK) {
		*notes = (struct rtls_notes){ .count = 0 };
		check_part(notes, part, data);
		status = rtls_received_data(
			data, &search->received->report, notes, err);
	}
	free(allocated);
	return status;
}

static enum rtls_status visit(void *context, const struct rtls_mime_part *part)
{
	struct search *search = context;
	struct rtls_err err = { "" };
	enum rtls_status status;

	if (!is_report_part(part) && !is_likely_part(part))
		return RTLS_OK;
	if (search->received->report != NULL) {
		search->more++;
		return RTLS_OK;
	}
	if (++search->tries > TRIES_MAX)
		return RTLS_OK;
	search->is_claimed = search->is_claimed || is_report_part(part) ||
			     strcmp(part->report_type, "tlsrpt") == 0;
	status = read_part(search, part, &err);
	if (status == RTLS_NO_MEMORY)
		return status;
	if (status != RTLS_OK && search->status == RTLS_OK) {
		search->status = status;
		search->why = err;
	}
	return RTLS_OK;
}

/* --- the header ---------------------------------------------------------------- */

static void read_clean(
	struct rtls_slice header, const char *name, char *out, size_t out_size)
{
	char value[RTLS_MIME_VALUE_SIZE];

	out[0] = '\0';
	if (rtls_mime_field(header, name, value, sizeof(value)))
		rtls_utf8_clean(rtls_slice(value), out, out_size);
}

/* A domain name as we write it, or what stands there, cleaned. */
static void read_domain(
	struct rtls_slice header, const char *name, char out[RTLS_DOMAIN_SIZE])
{
	char value[RTLS_MIME_VALUE_SIZE];

	out[0] = '\0';
	if (rtls_mime_field(header, name, value, sizeof(value)) &&
		rtls_domain_normalize(rtls_slice(value), out) != RTLS_OK)
		rtls_utf8_clean(rtls_slice(value), out, RTLS_DOMAIN_SIZE);
}

/* Also of a header that is too large: of its beginning. */
static void read_header(struct search *search, struct rtls_slice message)
{
	struct rtls_received *received = search->received;
	struct rtls_slice header, body;

	if (message.size > RTLS_MIME_HEADER_MAX)
		message.size = RTLS_MIME_HEADER_MAX;
	if (rtls_mime_split(message, &header, &body, NULL) != RTLS_OK)
		return;
	read_clean(header, "From", received->from, sizeof(received->from));
	read_clean(header, "Subject", received->subject,
		sizeof(received->subject));
	read_domain(header, "TLS-Report-Domain", received->domain);
	read_domain(header, "TLS-Report-Submitter", received->submitter);
	search->is_claimed = received->domain[0] != '\0';
}

/* With DANE the policy domain may be the one the TLSA records belong to (section 1.1). */
static void check_domain(struct rtls_received *received)
{
	const json_t *element, *policy;
	bool is_there = false;
	size_t i;

	json_array_foreach(
		json_object_get(received->report, "policies"), i, element)
	{
		const char *domain, *type;

		policy = json_object_get(element, "policy");
		domain = json_string_value(
			json_object_get(policy, "policy-domain"));
		type = json_string_value(
			json_object_get(policy, "policy-type"));
		if (strcmp(domain, "") == 0 || strcmp(type, "tlsa") == 0 ||
			strcmp(domain, received->domain) == 0)
			is_there = true;
	}
	if (i > 0 && !is_there)
		rtls_notes_add(&received->notes, RTLS_NOTE_SEEN, false,
			"message", "TLS-Report-Domain is another domain");
}

static void check_submitter(struct rtls_received *received)
{
	const char *contact = json_string_value(
		json_object_get(received->report, "contact-info"));
	const char *at = contact == NULL ? NULL : strrchr(contact, '@');
	char domain[RTLS_DOMAIN_SIZE];

	if (at != NULL &&
		(rtls_domain_normalize(rtls_slice(at + 1), domain) != RTLS_OK ||
			strcmp(domain, received->submitter) != 0))
		rtls_notes_add(&received->notes, RTLS_NOTE_SEEN, false,
			"message",
			"TLS-Report-Submitter is not the domain of contact-info");
}

static void check_header(struct rtls_received *received)
{
	if (received->domain[0] != '\0')
		check_domain(received);
	else
		rtls_notes_add(&received->notes, RTLS_NOTE_SEEN, false,
			"message", "no field TLS-Report-Domain");
	if (received->submitter[0] != '\0')
		check_submitter(received);
	else
		rtls_notes_add(&received->notes, RTLS_NOTE_SEEN, false,
			"message", "no field TLS-Report-Submitter");
}

/* --- all of it ----------------------------------------------------------------- */

/* Nothing was found: is that an error? */
static enum rtls_status fail(const struct search *search,
	enum rtls_status status, struct rtls_err *err)
{
	if (status == RTLS_NO_MEMORY)
		return status;
	if (!search->is_claimed) {
		rtls_err_set(err, "no TLS report in it");
		return RTLS_NONE;
	}
	/* The walk itself may have failed: err says why. */
	if (search->status != RTLS_OK)
		rtls_err_set(err, "%s", search->why.text);
	else if (status == RTLS_OK)
		rtls_err_set(
			err, "a message about a TLS report, but without one");
	return RTLS_INVALID;
}

enum rtls_status rtls_received_mail(struct rtls_slice bytes,
	struct rtls_received *received, struct rtls_err *err)
{
	struct rtls_slice message = rtls_mime_begin(bytes);
	struct search search = { .received = received };
	enum rtls_status status;

	received->is_message = true;
	read_header(&search, message);
	status = rtls_mime_walk(message, visit, &search, err);
	if (received->report == NULL)
		return fail(&search, status, err);
	if (status == RTLS_NO_MEMORY) {
		rtls_received_free(received);
		return status;
	}
	check_header(received);
	if (search.more > 0)
		rtls_notes_add(&received->notes, RTLS_NOTE_SEEN, false,
			"message", "%zu more parts like a report, not read",
			search.more);
	return RTLS_OK;
}
