/* site.h - what this site's own files, rules and exemptions, say of one domain. */
#ifndef RTLS_SITE_H
#define RTLS_SITE_H

#include "policy/exempt.h"
#include "policy/rules.h"

struct rtls_site {
	enum rtls_level level; /* what flagged mail demands of the domain */
	unsigned required;     /* sets of enum rtls_protection */
	unsigned exempt;
	/* For who has to say where that stands. Live until the next load. */
	const struct rtls_rules *rules;
	const struct rtls_exemptions *exemptions;
};

/*
 * Read the two files, when the configuration names them. In Exim this runs as root, and like
 * the configuration once in a process: a process is one message, or one connection.
 *
 * not OK   a file is not there, does not count or has a mistake; err says which. What is
 *          demanded is not known, so the message must be put off, and nothing be looked up
 */
RTLS_MUST_CHECK enum rtls_status rtls_site_load(
	const struct rtls_config *config, struct rtls_err *err);

/*
 * What they say of one domain. No I/O.
 *
 * config   the one they were loaded for
 * domain   normalized, or the quoted text of what is no name
 */
void rtls_site_look_up(const struct rtls_config *config, const char *domain,
	int64_t now_s, struct rtls_site *site);

#endif
