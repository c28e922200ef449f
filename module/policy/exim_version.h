/* exim_version.h - what `exim4 -bV` says of an Exim.
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_EXIM_VERSION_H
#define RTLS_EXIM_VERSION_H

#include <stdbool.h>

#include "slice.h"
#include "status.h"

struct rtls_exim_version {
	char release[32];    /* "4.96" */
	bool has_requiretls; /* with the patches */
	bool has_dlfunc;
	bool has_gnutls;
	bool has_dane;
	bool has_events;
	bool has_dnsdb; /* the lookup, built in or as a module */
};

/* RTLS_INVALID: no version in it; version is untouched. */
RTLS_MUST_CHECK enum rtls_status rtls_exim_version_parse(
	struct rtls_slice text, struct rtls_exim_version *version);

/* The number-th, from 0, of what the module needs and this Exim is built without; NULL: there are not
 * that many. */
const char *rtls_exim_version_lacks(
	const struct rtls_exim_version *version, size_t number);

#endif
