/* resolving.h - what the parts of resolve.c share: one domain being resolved. Not
 * for others. */
#ifndef RTLS_RESOLVING_H
#define RTLS_RESOLVING_H

#include "fetch.h"
#include "resolve.h"

/* Hosts, TLSA and notes of one record. */
#define RTLS_RESOLVED_ARENA 65536
/* TLSA texts kept; with the policy they must fit a record. */
#define RTLS_TLSA_TEXTS_MAX 32768

struct rtls_resolved {
	struct rtls_record record;
	char old_text[RTLS_RECORD_SIZE_MAX + 1]; /* of the cache file */
	char body[RTLS_STS_POLICY_SIZE_MAX];     /* as fetched */
	char arena[RTLS_RESOLVED_ARENA];
	size_t arena_size;
	bool is_stored; /* the record is in the cache as it is here */
};

struct rtls_resolving {
	const struct rtls_config *config;
	const char *domain;
	bool force_fetch;
	bool is_background; /* nobody waits for it, and it is no use */
	bool for_module;
	int64_t now_s;
	int64_t deadline_ms; /* of all this, on the monotonic clock */
	struct rtls_dns *dns;
	struct rtls_record old; /* borrows from resolved->old_text */
	struct rtls_resolved *resolved;
	struct rtls_record *record; /* resolved's, the new one */
	bool is_write_noted;
	bool is_kept_out; /* the policy is for this answer only (max_age 0) */
};

/* A copy that lives as long as the record; empty when there is no room left. */
struct rtls_slice rtls_resolving_keep(
	struct rtls_resolving *resolving, struct rtls_slice text);

/* A note for the log; foreign text in it is quoted already. What does not
 * fit any more is dropped. */
void rtls_resolving_note(struct rtls_resolving *resolving, const char *format,
	...) RTLS_PRINTF(2, 3);

/* How much time there is. The module ends us after resolve_timeout, and what was
 * not written by then is lost, the back-off of a failed fetch included. */
unsigned rtls_resolving_left_ms(const struct rtls_resolving *resolving);

/* That there is nothing is believed no longer than this. */
#define RTLS_DENIAL_MAX_S RTLS_HOUR_S

/* When an answer of that lifetime, at most max_s, ends. */
int64_t rtls_resolving_until(
	const struct rtls_resolving *resolving, uint32_t ttl_s, uint32_t max_s);

/* The MX part of the record, with addresses and TLSA. mx is the MX query's
 * answer. */
RTLS_MUST_CHECK enum rtls_status rtls_resolve_mx(
	struct rtls_resolving *resolving, const struct rtls_dns_query *mx,
	struct rtls_err *err);

/* Addresses and TLSA of the record's hosts, behind a secure MX answer. */
RTLS_MUST_CHECK enum rtls_status rtls_resolve_tlsa(
	struct rtls_resolving *resolving, struct rtls_err *err);

/* The TXT part of the record. txt is the answer for _mta-sts.<domain>; NULL
 * when MTA-STS is off. */
void rtls_resolve_txt(
	struct rtls_resolving *resolving, const struct rtls_dns_query *txt);

/* Write the record as it is now to the cache; a failure is noted. */
void rtls_resolving_write(struct rtls_resolving *resolving);

/* Fetch the policy when it has to be. */
void rtls_resolve_policy(struct rtls_resolving *resolving);

/* What becomes of the policy by what a fetch brought. */
void rtls_resolve_fetched(
	struct rtls_resolving *resolving, struct rtls_fetch_result *fetched);

/* The MX part as the old record has it. */
void rtls_resolve_mx_keep(struct rtls_resolving *resolving);

#endif
