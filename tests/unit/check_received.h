/* check_received.h - a TLS report as large senders write it, and changes to it. */
#ifndef CHECK_RECEIVED_H
#define CHECK_RECEIVED_H

#include <stdio.h>

#include "check.h"
#include "report/received.h"

/* In the order and form in which it comes out again. */
#define CHECK_REPORT                                                           \
	"{\"organization-name\":\"Company X\",\"date-range\":"                 \
	"{\"start-datetime\":\"2026-11-20T00:00:00Z\","                        \
	"\"end-datetime\":\"2026-11-20T23:59:59Z\"},"                          \
	"\"contact-info\":\"tls@company-x.example\","                          \
	"\"report-id\":\"2026-11-20T00:00:00Z_bank.example\","                 \
	"\"policies\":[{\"policy\":{\"policy-type\":\"sts\","                  \
	"\"policy-string\":[\"version: STSv1\",\"mode: enforce\","             \
	"\"mx: mx.bank.example\",\"max_age: 604800\"],"                        \
	"\"policy-domain\":\"bank.example\","                                  \
	"\"mx-host\":[\"mx.bank.example\"]},"                                  \
	"\"summary\":{\"total-successful-session-count\":7,"                   \
	"\"total-failure-session-count\":3},"                                  \
	"\"failure-details\":[{\"result-type\":\"certificate-expired\","       \
	"\"sending-mta-ip\":\"192.0.2.1\","                                    \
	"\"receiving-mx-hostname\":\"mx.bank.example\","                       \
	"\"receiving-mx-helo\":\"mx.bank.example ESMTP\","                     \
	"\"receiving-ip\":\"2001:db8::25\",\"failed-session-count\":3,"        \
	"\"additional-information\":\"https://company-x.example/1\","          \
	"\"failure-reason-code\":\"EXPIRED\"}]}]}"

/* text with the first old replaced; free() it. */
static inline char *check_replace(
	const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	size_t size = strlen(text) + strlen(new) + 1;
	char *changed = malloc(size);

	if (at == NULL || changed == NULL) {
		print_error("there is no \"%s\"\n", old);
		abort();
	}
	(void)snprintf(changed, size, "%.*s%s%s", (int)(at - text), text, new,
		at + strlen(old));
	return changed;
}

/* All notes, one a line; free() it. */
static inline char *check_notes(const struct rtls_notes *notes)
{
	size_t size = RTLS_NOTES_KEPT_MAX * 400 + 1, used = 0;
	char *lines = calloc(1, size);
	char line[400];

	if (lines == NULL)
		abort();
	for (size_t i = 0; i < notes->count; i++)
		used += (size_t)snprintf(lines + used, size - used, "%s\n",
			rtls_note_format(&notes->note[i], line, sizeof(line)));
	return lines;
}

/* From a block of just that size. */
static inline enum rtls_status check_parse(struct rtls_slice text,
	struct rtls_received *received, struct rtls_err *err)
{
	char *copy = check_copy(text, text.size);
	enum rtls_status status = rtls_received_parse(
		rtls_slice_n(copy, text.size), received, err);

	free(copy);
	return status;
}

#endif
