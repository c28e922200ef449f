/* publish.h - the two halves of `exim-requiretls publish`. */
#ifndef RTLS_PUBLISH_H
#define RTLS_PUBLISH_H

#include "policy/config.h"
#include "tool/publication.h"
#include "tool/publish_files.h"

/*
 * `publish --verify`: what is live, and is it right?
 *
 * looked     what was found; its MX hosts are looked at by name only
 * config     spool
 * directory  where it was written, to compare; NULL: nowhere
 * json       print JSON
 * 0 when all is good, EX_DATAERR when something is wrong, EX_TEMPFAIL when
 * something could not be seen
 */
int rtls_publish_verify(const struct rtls_config *config, const char *domain,
	const struct rtls_published *looked, const char *directory, bool json);

#endif
