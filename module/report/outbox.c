/* outbox.c - state of sending, on disk.
 *
 *   file   = "requiretls-outbox 1" LF "domain " domain LF record *to
 *   record = "record " state tries LF
 *   to     = "to " state tries " " uri LF
 *   tries  = " " time " " time " " number     ; time is "-" when there is none
 */
#include "outbox.h"

#include <stdio.h>
#include <string.h>

#include "policy/timestamp.h"
#include "store/file.h"

#define VERSION_LINE "requiretls-outbox 1"
#define TRIES_MAX    1000000
#define DOUBLE_MAX   16 /* 900 s doubled more often is beyond 24 h anyway */

static const char *const record_names[] = { "pending", "found", "none",
	"failed" };
static const char *const delivery_names[] = { "pending", "sending", "sent",
	"failed" };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const char *rtls_record_state_name(enum rtls_record_state state)
{
	return record_names[state];
}

const char *rtls_delivery_state_name(enum rtls_delivery_state state)
{
	return delivery_names[state];
}

void rtls_outbox_init(struct rtls_outbox *outbox, const char *domain)
{
	*outbox = (struct rtls_outbox){ .record = RTLS_RECORD_PENDING };
	snprintf(outbox->domain, sizeof(outbox->domain), "%s", domain);
}

bool rtls_outbox_add(struct rtls_outbox *outbox, const struct rtls_rua *rua)
{
	struct rtls_outbox_to *to = &outbox->to[outbox->to_count];

	for (size_t i = 0; i < outbox->to_count; i++)
		if (strcmp(outbox->to[i].rua.uri, rua->uri) == 0)
			return false;
	if (outbox->to_count == LENGTH(outbox->to))
		return false;
	*to = (struct rtls_outbox_to){ .state = RTLS_DELIVERY_PENDING,
		.rua = *rua };
	outbox->to_count++;
	return true;
}

bool rtls_tries_is_due(const struct rtls_tries *tries, int64_t now_s)
{
	return tries->next_s <= now_s ||
	       tries->next_s > now_s + RTLS_RETRY_FOR_S;
}

void rtls_tries_begin(struct rtls_tries *tries, int64_t now_s)
{
	if (tries->first_s == 0)
		tries->first_s = now_s;
	if (tries->count < TRIES_MAX)
		tries->count++;
}

bool rtls_tries_fail(struct rtls_tries *tries, int64_t now_s)
{
	unsigned doubled = tries->count > 0 ? tries->count - 1 : 0;
	int64_t end_s = tries->first_s + RTLS_RETRY_FOR_S;

	if (now_s >= end_s) {
		tries->next_s = 0;
		return false;
	}
	if (doubled > DOUBLE_MAX)
		doubled = DOUBLE_MAX;
	tries->next_s = now_s + ((int64_t)RTLS_RETRY_FIRST_S << doubled);
	if (tries->next_s > end_s)
		tries->next_s = end_s; /* one last try */
	return true;
}

bool rtls_outbox_is_open(const struct rtls_outbox *outbox)
{
	if (outbox->record == RTLS_RECORD_PENDING)
		return true;
	for (size_t i = 0; i < outbox->to_count; i++)
		if (outbox->to[i].state == RTLS_DELIVERY_PENDING ||
			outbox->to[i].state == RTLS_DELIVERY_SENDING)
			return true;
	return false;
}

/* --- text ------------------------------------------------------------------ */

static void format_time(struct rtls_text *text, int64_t time_s)
{
	char buffer[RTLS_TIMESTAMP_SIZE];

	rtls_text_printf(text, " %s",
		time_s == 0 ? "-" : rtls_timestamp_format(buffer, time_s));
}

static void format_tries(struct rtls_text *text, const struct rtls_tries *tries)
{
	format_time(text, tries->first_s);
	format_time(text, tries->next_s);
	rtls_text_printf(text, " %u", tries->count);
}

void rtls_outbox_format(
	const struct rtls_outbox *outbox, struct rtls_text *text)
{
	rtls_text_printf(text, VERSION_LINE "\ndomain %s\nrecord %s",
		outbox->domain, rtls_record_state_name(outbox->record));
	format_tries(text, &outbox->record_tries);
	rtls_text_printf(text, "\n");
	for (size_t i = 0; i < outbox->to_count; i++) {
		const struct rtls_outbox_to *to = &outbox->to[i];

		rtls_text_printf(
			text, "to %s", rtls_delivery_state_name(to->state));
		format_tries(text, &to->tries);
		rtls_text_printf(text, " %s\n", to->rua.uri);
	}
}

/* The next word of line, between single spaces. */
static struct rtls_slice take_word(struct rtls_slice *line)
{
	return rtls_slice_take(line, ' ');
}

static bool take_state(struct rtls_slice *line, const char *const *names,
	size_t count, size_t *state)
{
	struct rtls_slice word = take_word(line);

	for (size_t i = 0; i < count; i++)
		if (rtls_slice_is(word, names[i])) {
			*state = i;
			return true;
		}
	return false;
}

static bool take_time(struct rtls_slice *line, int64_t *time_s)
{
	struct rtls_slice word = take_word(line);

	*time_s = 0;
	return rtls_slice_is(word, "-") ||
	       rtls_timestamp_parse(word, time_s) == RTLS_OK;
}

static bool take_tries(struct rtls_slice *line, struct rtls_tries *tries)
{
	unsigned long long count;

	if (!take_time(line, &tries->first_s) ||
		!take_time(line, &tries->next_s) ||
		!rtls_slice_number(take_word(line), TRIES_MAX, &count))
		return false;
	tries->count = (unsigned)count;
	return true;
}

static bool parse_head(struct rtls_slice *text, const char *domain)
{
	struct rtls_slice line;

	if (!rtls_slice_line(text, &line) || !rtls_slice_is(line, VERSION_LINE))
		return false;
	return rtls_slice_line(text, &line) &&
	       rtls_slice_is(take_word(&line), "domain") &&
	       rtls_slice_is(line, domain);
}

static bool parse_record(struct rtls_slice *text, struct rtls_outbox *outbox)
{
	struct rtls_slice line;
	size_t state;

	if (!rtls_slice_line(text, &line) ||
		!rtls_slice_is(take_word(&line), "record") ||
		!take_state(&line, record_names, LENGTH(record_names), &state))
		return false;
	outbox->record = (enum rtls_record_state)state;
	return take_tries(&line, &outbox->record_tries) && line.size == 0;
}

static bool parse_to(struct rtls_slice line, struct rtls_outbox *outbox)
{
	struct rtls_outbox_to *to;
	struct rtls_tries tries;
	struct rtls_rua rua;
	size_t state;

	if (!rtls_slice_is(take_word(&line), "to") ||
		!take_state(&line, delivery_names, LENGTH(delivery_names),
			&state) ||
		!take_tries(&line, &tries) ||
		rtls_rua_parse(line, &rua, NULL) != RTLS_OK ||
		!rtls_outbox_add(outbox, &rua))
		return false;
	to = &outbox->to[outbox->to_count - 1];
	to->state = (enum rtls_delivery_state)state;
	to->tries = tries;
	return true;
}

enum rtls_status rtls_outbox_parse(struct rtls_slice text, const char *domain,
	struct rtls_outbox *outbox, struct rtls_err *err)
{
	struct rtls_outbox parsed;
	struct rtls_slice line;
	bool is_good;

	rtls_outbox_init(&parsed, domain);
	/* Without the last line end it was cut, and an address may be half. */
	is_good = text.size > 0 && text.data[text.size - 1] == '\n' &&
		  parse_head(&text, domain) && parse_record(&text, &parsed);
	while (is_good && rtls_slice_line(&text, &line))
		is_good = parse_to(line, &parsed);
	if (!is_good) {
		rtls_err_set(err,
			"the outbox file of %s does not parse: nothing is "
			"sent, since it may have been sent already",
			domain);
		return RTLS_INVALID;
	}
	*outbox = parsed;
	return RTLS_OK;
}

/* --- file ------------------------------------------------------------------ */

static enum rtls_status format_path(const char *spool, const char *date,
	const char *domain, char out[RTLS_OUTBOX_PATH_MAX],
	struct rtls_err *err)
{
	char normalized[RTLS_DOMAIN_SIZE];
	struct rtls_text path;
	int64_t day_s;

	rtls_text_init(&path, out, RTLS_OUTBOX_PATH_MAX);
	rtls_text_printf(&path, "%s/outbox/%s/%s", spool, date, domain);
	if (rtls_date_parse(rtls_slice(date), &day_s) != RTLS_OK ||
		rtls_domain_normalize(rtls_slice(domain), normalized) !=
			RTLS_OK ||
		strcmp(domain, normalized) != 0 || path.overflow) {
		rtls_err_set(err, "no name for an outbox file");
		return RTLS_BUG;
	}
	return RTLS_OK;
}

enum rtls_status rtls_outbox_get(const char *spool, const char *date,
	const char *domain, struct rtls_outbox *outbox, struct rtls_err *err)
{
	char path[RTLS_OUTBOX_PATH_MAX];
	char buffer[RTLS_OUTBOX_SIZE_MAX + 1];
	struct rtls_slice text;
	enum rtls_status status = format_path(spool, date, domain, path, err);

	if (status != RTLS_OK)
		return status;
	status = rtls_file_read_below(
		spool, path, buffer, RTLS_OUTBOX_SIZE_MAX, &text, err);
	if (status == RTLS_NONE) {
		rtls_outbox_init(outbox, domain);
		return RTLS_OK;
	}
	if (status != RTLS_OK)
		return status;
	return rtls_outbox_parse(text, domain, outbox, err);
}

enum rtls_status rtls_outbox_put(const char *spool, const char *date,
	const struct rtls_outbox *outbox, struct rtls_err *err)
{
	char path[RTLS_OUTBOX_PATH_MAX];
	char buffer[RTLS_OUTBOX_SIZE_MAX];
	struct rtls_text text;
	enum rtls_status status =
		format_path(spool, date, outbox->domain, path, err);

	if (status != RTLS_OK)
		return status;
	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_outbox_format(outbox, &text);
	if (text.overflow) {
		rtls_err_set(err, "the outbox file of %s would be too large",
			outbox->domain);
		return RTLS_BUG;
	}
	return rtls_file_replace(spool, path, rtls_text_slice(&text), err);
}
