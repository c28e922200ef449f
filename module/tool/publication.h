/* publication.h - what a domain publishes for MTA-STS (RFC 8461 section 3) and TLS-RPT (RFC 8460
 * section 3), as texts; and the mistakes that are often made with it.
 * Pure: no allocation, no I/O, no clock. */
#ifndef RTLS_PUBLICATION_H
#define RTLS_PUBLICATION_H

#include <stdint.h>

#include "policy/domain.h"
#include "policy/sts_policy.h"
#include "policy/sts_record.h"
#include "policy/text.h"
#include "report/rua.h"
#include "resolve/published.h"

#define RTLS_PUBLICATION_RUA_MAX 4
/* Room for each of the texts below. */
#define RTLS_PUBLICATION_TEXT_SIZE 32768

struct rtls_publication {
	char domain[RTLS_DOMAIN_SIZE]; /* normalized */
	enum rtls_sts_mode mode;
	unsigned long max_age_s;
	size_t mx_count;
	char mx[RTLS_PUBLISHED_MX_MAX][RTLS_DOMAIN_SIZE]; /* or "*.name" */
	size_t rua_count;
	struct rtls_rua rua[RTLS_PUBLICATION_RUA_MAX];
	char id[RTLS_STS_ID_MAX + 1];
	const char
		*directory; /* where the web server finds it; NULL: to choose */
};

/*
 * A host name or "*." and one, as people write it; U-labels become A-labels.
 *
 * out           filled on RTLS_OK
 * RTLS_INVALID  an address, a wildcard elsewhere, no name; err says which
 */
RTLS_MUST_CHECK enum rtls_status rtls_publication_mx(struct rtls_slice text,
	char out[RTLS_DOMAIN_SIZE], struct rtls_err *err);

/* "7d", "12h", "90m", "2w" or seconds; at most a year and a quarter of a day, as the RFC has it. */
bool rtls_publication_max_age(struct rtls_slice text, unsigned long *max_age_s);

/*
 * An id for now that is another than the live one, and greater where that is one of ours.
 *
 * live  as it is in DNS; may be empty
 */
void rtls_publication_id(
	int64_t now_s, struct rtls_slice live, char out[RTLS_STS_ID_MAX + 1]);

/* The policy, with CRLF (RFC 8461 section 3.2). */
void rtls_publication_policy(
	const struct rtls_publication *publication, struct rtls_text *out);

/* The values of the TXT records. */
void rtls_publication_sts_record(
	const struct rtls_publication *publication, struct rtls_text *out);
void rtls_publication_tlsrpt_record(
	const struct rtls_publication *publication, struct rtls_text *out);

/* Both as lines of a zone file; without rua the first only. */
void rtls_publication_zone(
	const struct rtls_publication *publication, struct rtls_text *out);

/* A server of its own for the policy host. */
void rtls_publication_nginx(
	const struct rtls_publication *publication, struct rtls_text *out);
void rtls_publication_apache(
	const struct rtls_publication *publication, struct rtls_text *out);

/* Can the path stand in those as it is: absolute, of letters, digits and "/._-"? */
bool rtls_publication_is_directory(const char *path);

#define RTLS_ADVICE_MAX 128

struct rtls_advice {
	size_t count;
	struct {
		const char *kind; /* a word */
		char text[RTLS_ERR_SIZE];
	} item[RTLS_ADVICE_MAX];
};

/* The mistakes in it, by itself and by what is there. looked: NULL when the network was not asked. */
void rtls_publication_advise(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice);

/* One more; what is too much is left out. */
void rtls_advice_add(struct rtls_advice *advice, const char *kind,
	const char *format, ...) RTLS_PRINTF(3, 4);

#endif
