/* outbox.h - how far the sending of one report got, so that no report is sent
 * twice: <spool>/outbox/<date>/<domain>, text, replaced as a whole.
 *
 *   requiretls-outbox 1
 *   domain bank.example
 *   record found 2026-11-21T03:00:00Z - 1
 *   to sent 2026-11-21T03:00:02Z - 1 mailto:tlsrpt@bank.example
 *   to pending 2026-11-21T03:00:03Z 2026-11-21T03:15:03Z 1 https://...
 *
 * Behind the state stand the first try, the next one and the number of tries.
 * The parser and the printer are pure. */
#ifndef RTLS_OUTBOX_H
#define RTLS_OUTBOX_H

#include <stdint.h>

#include "policy/domain.h"
#include "policy/text.h"
#include "policy/timestamp.h"
#include "policy/tlsrpt_record.h"
#include "report/rua.h"

#define RTLS_OUTBOX_SIZE_MAX 32768
#define RTLS_OUTBOX_PATH_MAX 1024

/* RFC 8460 section 5.5: for 24 hours, with exponential back-off. */
#define RTLS_RETRY_FIRST_S 900
#define RTLS_RETRY_FOR_S   RTLS_DAY_S

enum rtls_record_state {
	RTLS_RECORD_PENDING, /* not looked up yet, or the lookup failed */
	RTLS_RECORD_FOUND,
	RTLS_RECORD_NONE,   /* the domain wants no report */
	RTLS_RECORD_FAILED, /* could not be looked up for 24 hours */
};

enum rtls_delivery_state {
	RTLS_DELIVERY_PENDING,
	RTLS_DELIVERY_SENDING, /* on disk before the first byte goes out */
	RTLS_DELIVERY_SENT,
	RTLS_DELIVERY_FAILED, /* dropped */
};

struct rtls_tries {
	int64_t first_s; /* 0: none yet */
	int64_t next_s;  /* 0: at once */
	unsigned count;
};

struct rtls_outbox_to {
	enum rtls_delivery_state state;
	struct rtls_tries tries;
	struct rtls_rua rua;
};

struct rtls_outbox {
	char domain[RTLS_DOMAIN_SIZE];
	enum rtls_record_state record;
	struct rtls_tries record_tries;
	size_t to_count;
	struct rtls_outbox_to to[RTLS_TLSRPT_RUA_MAX];
};

const char *rtls_record_state_name(enum rtls_record_state state);
const char *rtls_delivery_state_name(enum rtls_delivery_state state);

/* domain: normalized. Nothing known, nothing tried. */
void rtls_outbox_init(struct rtls_outbox *outbox, const char *domain);

/* Add a place; false when it is there already, or there is no room. */
bool rtls_outbox_add(struct rtls_outbox *outbox, const struct rtls_rua *rua);

/* May it be tried now? A next try further ahead than any back-off counts as due: the clock was wrong. */
bool rtls_tries_is_due(const struct rtls_tries *tries, int64_t now_s);

/* One try begins: counted, the first one noted. */
void rtls_tries_begin(struct rtls_tries *tries, int64_t now_s);

/* It failed: when is the next one? False: 24 hours are over, drop it. */
bool rtls_tries_fail(struct rtls_tries *tries, int64_t now_s);

/* Anything left to do, now or later? */
bool rtls_outbox_is_open(const struct rtls_outbox *outbox);

/* RTLS_INVALID: not one of ours; outbox untouched. format(parse(x)) is x. */
RTLS_MUST_CHECK enum rtls_status rtls_outbox_parse(struct rtls_slice text,
	const char *domain, struct rtls_outbox *outbox, struct rtls_err *err);
void rtls_outbox_format(
	const struct rtls_outbox *outbox, struct rtls_text *text);

/*
 * date    "2026-11-21"; domain normalized; both checked again
 * outbox  as rtls_outbox_init() has it when there is no file (RTLS_OK too)
 * RTLS_INVALID  a file is there but unreadable: nobody knows what was sent, so send nothing
 */
RTLS_MUST_CHECK enum rtls_status rtls_outbox_get(const char *spool,
	const char *date, const char *domain, struct rtls_outbox *outbox,
	struct rtls_err *err);
RTLS_MUST_CHECK enum rtls_status rtls_outbox_put(const char *spool,
	const char *date, const struct rtls_outbox *outbox,
	struct rtls_err *err);

/*
 * Is nothing of this day left to send, now or later? A mark in the day's directory says so;
 * false also when it cannot be read. Cheap: one small file.
 */
bool rtls_outbox_day_is_done(const char *spool, const char *date);

/* Set that mark, durably: later runs do not look at the day any more. */
RTLS_MUST_CHECK enum rtls_status rtls_outbox_day_finish(
	const char *spool, const char *date, struct rtls_err *err);

#endif
