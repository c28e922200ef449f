/* site.h - what this site's own files, rules and exemptions, say of one domain. */
#ifndef RTLS_SITE_H
#define RTLS_SITE_H

#include "policy/exempt.h"
#include "policy/rules.h"

struct rtls_site {
	enum rtls_level level; /* what flagged mail demands of the domain */
	unsigned required;     /* sets of enum rtls_protection */
	unsigned exempt;
	/* For who has to say where that stands. Live until the next call. */
	const struct rtls_rules *rules;
	const struct rtls_exemptions *exemptions;
};

/*
 * In Exim this runs as root. It only reads: the two files, when the configuration names them.
 *
 * domain   normalized, or the quoted text of what is no name
 * site     filled on RTLS_OK
 * not OK   a file is not there, does not count or has a mistake; err says which. What is
 *          demanded is not known, so the message must be put off
 */
RTLS_MUST_CHECK enum rtls_status rtls_site_read(
	const struct rtls_config *config, const char *domain, int64_t now_s,
	struct rtls_site *site, struct rtls_err *err);

#endif
