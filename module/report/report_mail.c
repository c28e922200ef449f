/* report_mail.c - RFC 8460 section 5.3, in the shape Google's reports have,
 * which every receiver knows. */
#include "report_mail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/timestamp.h"
#include "policy/utf8.h"
#include "report/aggregate.h"
#include "report/rua.h"
#include "report/words.h"

#define BODY_SIZE_MAX    65536 /* the part for people */
#define HEADERS_SIZE_MAX 8192
#define BASE64_LINE      76
#define POLICIES_SHOWN   10
#define DETAILS_SHOWN    20 /* per policy */

struct message {
	const struct rtls_report_mail *mail;
	struct rtls_report_names names;
	char date[RTLS_DATE_SIZE]; /* of the report */
	char from[RTLS_ADDRESS_SIZE];
	char to[RTLS_ADDRESS_SIZE];
	char boundary[40];
	struct rtls_text *out;
};

/* --- base64 (RFC 2045 section 6.8) ------------------------------------------ */

static size_t base64_size(size_t size)
{
	size_t characters = (size + 2) / 3 * 4;

	return characters + characters / BASE64_LINE + 1;
}

static void add_base64_group(
	struct rtls_text *out, const unsigned char *bytes, size_t count)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	unsigned long value = (unsigned long)bytes[0] << 16;
	char group[4];

	if (count > 1)
		value |= (unsigned long)bytes[1] << 8;
	if (count > 2)
		value |= bytes[2];
	for (size_t i = 0; i < 4; i++)
		group[i] =
			i <= count ? alphabet[value >> (18 - 6 * i) & 63] : '=';
	rtls_text_add(out, rtls_slice_n(group, sizeof(group)));
}

static void add_base64(struct rtls_text *out, struct rtls_slice data)
{
	const unsigned char *bytes = (const unsigned char *)data.data;
	size_t column = 0;

	for (size_t i = 0; i < data.size; i += 3) {
		size_t left = data.size - i;

		add_base64_group(out, bytes + i, left < 3 ? left : 3);
		column += 4;
		if (column == BASE64_LINE || left <= 3) {
			rtls_text_printf(out, "\n");
			column = 0;
		}
	}
}

/* --- the part for people ------------------------------------------------------ */

/* One text between others: quoted, short. */
static void add_part(
	struct rtls_text *out, const char *before, struct rtls_slice text)
{
	struct rtls_quoted quoted;

	if (text.size > 0)
		rtls_text_printf(
			out, "%s%s", before, rtls_quoted(&quoted, text));
}

static void add_detail(struct rtls_text *out, const struct rtls_detail *detail)
{
	rtls_text_printf(out, "  %8" PRIu64 "  %s (%s)\n", detail->count,
		rtls_result_name(detail->result),
		rtls_words_result(detail->result));
	if (detail->mx_host.size > 0 || detail->receiving_ip.size > 0 ||
		detail->reason.size > 0) {
		rtls_text_printf(out, "           ");
		add_part(out, " at ", detail->mx_host);
		add_part(out, " [", detail->receiving_ip);
		if (detail->receiving_ip.size > 0)
			rtls_text_printf(out, "]");
		add_part(out, ": ", detail->reason);
		rtls_text_printf(out, "\n");
	}
}

static void add_policy(
	struct rtls_text *out, const struct rtls_report_policy *policy)
{
	static const char *const titles[] = {
		[RTLS_POLICY_NONE_FOUND] = "No policy found for",
		[RTLS_POLICY_STS] = "MTA-STS policy of",
		[RTLS_POLICY_TLSA] = "DANE (TLSA records) of",
	};
	size_t shown = policy->detail_count < DETAILS_SHOWN
			       ? policy->detail_count
			       : DETAILS_SHOWN;

	rtls_text_printf(out, "\n%s %.*s\n", titles[policy->type],
		(int)policy->domain.size, policy->domain.data);
	rtls_text_printf(out,
		"  %" PRIu64 " sessions good, %" PRIu64 " failed\n",
		policy->successes, policy->failures);
	for (size_t i = 0; i < shown; i++)
		add_detail(out, policy->detail[i]);
	if (shown < policy->detail_count)
		rtls_text_printf(out, "  and %zu more kinds of failure\n",
			policy->detail_count - shown);
}

static void add_words(const struct message *message, struct rtls_text *out)
{
	const struct rtls_report *report = message->mail->report;
	const struct rtls_config *config = message->mail->config;
	size_t shown = report->policy_count < POLICIES_SHOWN
			       ? report->policy_count
			       : POLICIES_SHOWN;

	rtls_text_printf(out,
		"This is a report on the TLS security of mail sent to\n%s\n"
		"on %s (UTC) by %s (RFC 8460).\n\n"
		"%" PRIu64 " sessions good, %" PRIu64 " failed.\n",
		report->domain.data, message->date, message->names.submitter,
		report->successes, report->failures);
	if (report->is_trimmed)
		rtls_text_printf(out,
			"\nRare failures are added up, to keep this report "
			"small.\n");
	for (size_t i = 0; i < shown; i++)
		add_policy(out, report->policy[i]);
	if (shown < report->policy_count)
		rtls_text_printf(out, "\nand %zu more policies\n",
			report->policy_count - shown);
	rtls_text_printf(out,
		"\nThe attached file says the same, in full, for programs.\n"
		"Report-ID: %s\nContact: %s\n",
		message->names.id, message->names.contact);
	if (rtls_utf8_is_clean(rtls_slice(config->organization)))
		rtls_text_printf(
			out, "Organization: %s\n", config->organization);
}

/* --- the message -------------------------------------------------------------- */

/* RFC 5322 section 3.3, whatever the locale. */
static void add_date(struct rtls_text *out, int64_t now_s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t when = (time_t)now_s;
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&when, &tm);
	rtls_text_printf(out,
		"Date: %.3s, %02d %.3s %04d %02d:%02d:%02d +0000\n",
		days + (ptrdiff_t)3 * tm.tm_wday, tm.tm_mday,
		months + (ptrdiff_t)3 * tm.tm_mon, tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_headers(const struct message *message)
{
	struct rtls_text *out = message->out;
	const char *domain = message->mail->report->domain.data;
	const char *submitter = message->names.submitter;

	rtls_text_printf(out, "From: %s\nTo: %s\n", message->from, message->to);
	add_date(out, message->mail->now_s);
	/* The same one for each address the report goes to: it is the same report, and who
	 * gets it twice, by way of an alias say, can tell. */
	rtls_text_printf(out, "Message-ID: <%s>\n", message->names.id);
	rtls_text_printf(out,
		"Subject: Report Domain: %s\n Submitter: %s\n"
		" Report-ID: <%s>\n",
		domain, submitter, message->names.id);
	rtls_text_printf(out,
		"TLS-Report-Domain: %s\nTLS-Report-Submitter: %s\n", domain,
		submitter);
	/* RFC 8460 section 3: TLS trouble must not hold up its own report. */
	rtls_text_printf(out, "TLS-Required: No\n"
			      "Auto-Submitted: auto-generated\n"
			      "MIME-Version: 1.0\n");
	rtls_text_printf(out,
		"Content-Type: multipart/report; report-type=\"tlsrpt\";\n"
		"\tboundary=\"%s\"\n\n"
		"This is a multi-part message in MIME format.\n",
		message->boundary);
}

/* As it is when it is ASCII, else base64: no 8-bit line needs a path that can carry it. */
static void add_text_part(
	const struct message *message, struct rtls_slice words)
{
	struct rtls_text *out = message->out;
	bool is_ascii = true;

	for (size_t i = 0; i < words.size; i++)
		if ((unsigned char)words.data[i] > 126)
			is_ascii = false;
	rtls_text_printf(out, "\n--%s\nContent-Type: text/plain; charset=%s\n",
		message->boundary, is_ascii ? "us-ascii" : "utf-8");
	rtls_text_printf(out, "Content-Transfer-Encoding: %s\n\n",
		is_ascii ? "7bit" : "base64");
	if (is_ascii)
		rtls_text_add(out, words);
	else
		add_base64(out, words);
}

static void add_attachment(const struct message *message)
{
	struct rtls_text *out = message->out;

	rtls_text_printf(out,
		"\n--%s\nContent-Type: application/tlsrpt+gzip\n"
		"Content-Transfer-Encoding: base64\n"
		"Content-Disposition: attachment;\n"
		"\tfilename=\"%s.json.gz\"\n\n",
		message->boundary, message->names.file);
	add_base64(out, message->mail->gzip);
	rtls_text_printf(out, "\n--%s--\n", message->boundary);
}

static enum rtls_status prepare(const struct rtls_report_mail *mail,
	struct message *message, struct rtls_err *err)
{
	const struct rtls_config *config = mail->config;
	struct rtls_text boundary;
	enum rtls_status status =
		rtls_report_names(config, mail->report, &message->names, err);

	if (status != RTLS_OK)
		return status;
	message->mail = mail;
	if (!rtls_rua_address(
		    rtls_slice(config->from[0] != '\0' ? config->from
						       : config->contact),
		    message->from) ||
		!rtls_rua_address(rtls_slice(mail->to), message->to)) {
		rtls_err_set(err, "not a plain address for From or To");
		return RTLS_INVALID;
	}
	rtls_date_format(message->date, mail->report->begin_s);
	/* Neither words nor base64 have a line that begins "--=_". */
	rtls_text_init(&boundary, message->boundary, sizeof(message->boundary));
	rtls_text_printf(&boundary, "=_tlsrpt_%" PRId64, mail->report->begin_s);
	return RTLS_OK;
}

static enum rtls_status fill(struct message *message, struct rtls_err *err)
{
	struct rtls_text words;
	char *buffer = malloc(BODY_SIZE_MAX);

	if (buffer == NULL) {
		rtls_err_set(err, "no memory");
		return RTLS_NO_MEMORY;
	}
	rtls_text_init(&words, buffer, BODY_SIZE_MAX);
	add_words(message, &words);
	add_headers(message);
	add_text_part(message, rtls_text_slice(&words));
	add_attachment(message);
	free(buffer);
	if (words.overflow || message->out->overflow) {
		rtls_err_set(err, "the message is too long");
		return RTLS_BUG;
	}
	return RTLS_OK;
}

enum rtls_status rtls_report_mail_format(const struct rtls_report_mail *mail,
	char **text, size_t *size, struct rtls_err *err)
{
	size_t cap = HEADERS_SIZE_MAX + base64_size(BODY_SIZE_MAX) +
		     base64_size(mail->gzip.size);
	struct message message;
	struct rtls_text out;
	enum rtls_status status = prepare(mail, &message, err);
	char *data;

	if (status != RTLS_OK)
		return status;
	data = malloc(cap);
	if (data == NULL) {
		rtls_err_set(err, "no memory");
		return RTLS_NO_MEMORY;
	}
	rtls_text_init(&out, data, cap);
	message.out = &out;
	status = fill(&message, err);
	if (status != RTLS_OK) {
		free(data);
		return status;
	}
	*text = data;
	*size = out.size;
	return RTLS_OK;
}
