/* published.h - what a domain has published for those who send to it: MX hosts, the records of MTA-STS
 * and TLS-RPT, the policy. For its own postmaster; nothing is kept. */
#ifndef RTLS_PUBLISHED_H
#define RTLS_PUBLISHED_H

#include "policy/record.h"
#include "policy/sts_policy.h"
#include "resolve/dns.h"
#include "resolve/fetch.h"

#define RTLS_PUBLISHED_MX_MAX 64

/* A name and what DNS has for it. */
struct rtls_published_name {
	char name[RTLS_DOMAIN_SIZE];
	enum rtls_dns_outcome outcome; /* FOUND: an address, of either kind */
	bool is_cname;
};

/* A TXT record of which there must be one. */
struct rtls_published_txt {
	enum rtls_txt_state state;
	char text[RTLS_DNS_TEXT_MAX]; /* the one, when valid */
	char why[RTLS_ERR_SIZE];      /* else, if there is something to say */
};

struct rtls_published {
	enum rtls_mx_answer mx;
	size_t mx_count;
	char mx_host[RTLS_PUBLISHED_MX_MAX][RTLS_DOMAIN_SIZE]; /* best first */
	unsigned mx_preference[RTLS_PUBLISHED_MX_MAX];
	struct rtls_published_txt sts;
	char sts_id[RTLS_STS_ID_MAX + 1]; /* when valid */
	struct rtls_published_txt tlsrpt;
	struct rtls_published_name policy_host;
	size_t name_count;
	struct rtls_published_name name[RTLS_PUBLISHED_MX_MAX];
	bool fetched; /* the policy, over HTTPS as it has to be */
	struct rtls_fetch_result fetch;
	struct rtls_sts_policy policy; /* borrows from body */
	bool has_policy;               /* fetched, and it parses */
	char policy_why[RTLS_ERR_SIZE];
	char body[RTLS_STS_POLICY_SIZE_MAX];
};

/*
 * Ask DNS and the policy host about a domain, and DNS about some host names.
 *
 * domain      normalized
 * name        name_count of them are set by the caller, normalized; the rest is filled
 * RTLS_OK     what failed for itself is told in its place
 * otherwise   nothing can be asked at all; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_published_look(
	const struct rtls_config *config, const char *domain,
	struct rtls_published *published, struct rtls_err *err);

#endif
