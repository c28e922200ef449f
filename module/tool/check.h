/* check.h - what the parts of `check` share: one domain being diagnosed. Not for others. */
#ifndef RTLS_CHECK_H
#define RTLS_CHECK_H

#include "policy/exempt.h"
#include "policy/record.h"
#include "policy/rules.h"
#include "policy/verdict.h"
#include "resolve/dns.h"
#include "resolve/probe.h"
#include "resolve/resolve.h"
#include "tool/findings.h"
#include "tool/via.h"

#define RTLS_CHECK_SELECTORS_MAX 8
#define RTLS_CHECK_IGNORED_MAX   8

struct rtls_check_options {
	bool json;
	bool plugin; /* for monitoring */
	size_t ignored_count;
	const char *ignored[RTLS_CHECK_IGNORED_MAX]; /* topics */
	unsigned timeout_ms;                         /* for all of it */
	bool self;          /* this installation, not a domain */
	const char *good;   /* a name that is signed, and one whose */
	const char *broken; /* signatures are broken */
	bool own;           /* more, for whose domain it is */
	const char *via;    /* smart hosts; NULL: as Exim has it */
	size_t selector_count;
	const char *selector[RTLS_CHECK_SELECTORS_MAX]; /* of DKIM */
};

/* What DNS says of one MX host, beside its record. */
struct rtls_check_host {
	const struct rtls_dns_query *a, *aaaa;
	/* Only where the record has not asked: what senders must ignore. */
	const struct rtls_dns_query *tlsa;
};

#define RTLS_CHECK_TARGETS_MAX 64

struct rtls_check {
	struct rtls_config config; /* as in force, but for its times */
	char domain[RTLS_DOMAIN_SIZE];
	int64_t now_s;
	int64_t deadline_ms;
	bool shows_progress;
	bool is_own; /* a certificate that ends soon is worse */
	struct rtls_findings findings;
	/* _mta-sts and _smtp._tls */
	struct rtls_dns_query sts_txt, tlsrpt_txt;
	struct rtls_dns_query *host_query;
	size_t host_query_count;
	struct rtls_check_host host[RTLS_MX_MAX]; /* as in the record */
	struct rtls_check_host policy_host;
	size_t target_count;
	struct rtls_probe_target target[RTLS_CHECK_TARGETS_MAX];
	struct rtls_probe probe[RTLS_CHECK_TARGETS_MAX];
	size_t target_host
		[RTLS_CHECK_TARGETS_MAX]; /* in the record, or RTLS_MX_MAX */
	/* What was in the cache before, when is_own; or NULL. */
	char *before_text;
	struct rtls_record *before;
	struct rtls_resolved *resolved;
	const struct rtls_record *record;
	struct rtls_sts_policy policy; /* in force */
	bool has_policy;
	json_t *verdicts;
	/* When this is about smart hosts: the question but for what the site's files say of it, and
	 * the recipient's domain. */
	const struct rtls_question *via_question;
	const char *recipient;
	bool is_named; /* by the site, not by DNS: any address may be theirs */
	unsigned host_port[RTLS_MX_MAX]; /* 0: 25 */
	/* What was found about smart hosts, beside the domain; owned. */
	json_t *via, *via_hosts;
};

/* How bad it is that a file of the site cannot be read: as the Exim user bad, as somebody else it
 * is only not known. */
enum rtls_finding_level rtls_check_level_unread(
	const struct rtls_check *check, enum rtls_status status);

/* Findings about this installation. 0, or the exit status with the error said. */
RTLS_MUST_CHECK int rtls_check_self(
	struct rtls_check *check, const struct rtls_check_options *options);

unsigned rtls_check_left_ms(const struct rtls_check *check);

/* On stderr, where that is a terminal. */
void rtls_check_progress(const struct rtls_check *check, const char *format,
	...) RTLS_PRINTF(2, 3);

/* Ask DNS and the policy host. 0, or the exit status with the error said: no lookup is
 * possible at all. */
RTLS_MUST_CHECK int rtls_check_look_up(struct rtls_check *check);
void rtls_check_look_up_free(struct rtls_check *check);

/* Some queries more. */
RTLS_MUST_CHECK enum rtls_status rtls_check_ask(struct rtls_check *check,
	struct rtls_dns_query *queries, size_t count, struct rtls_err *err);

/* What its owner needs besides. */
void rtls_check_own(
	struct rtls_check *check, const struct rtls_check_options *options);

/* MX, its DNSSEC state, TLSA. */
void rtls_check_mx(struct rtls_check *check);

/* The STS record and policy, and the TLS-RPT record. */
void rtls_check_sts(struct rtls_check *check);
void rtls_check_tlsrpt(struct rtls_check *check);

/* Connect to the hosts and the policy host, and what was found there. */
void rtls_check_hosts(struct rtls_check *check);
json_t *rtls_check_hosts_json(const struct rtls_check *check);

/* What this installation would do with mail there, where it goes to smart hosts too. 0, or the
 * exit status with the error said. */
RTLS_MUST_CHECK int rtls_check_via(
	struct rtls_check *check, const struct rtls_check_options *options);

/* The same for what this check is about. */
void rtls_check_verdict(struct rtls_check *check);

#endif
