/* via.h - the smart hosts that this site sends its mail to: as the command line says, or as Exim's
 * configuration does. */
#ifndef RTLS_VIA_H
#define RTLS_VIA_H

#include <jansson.h>

#include "policy/config.h"
#include "policy/next_hop.h"

enum rtls_via_state {
	RTLS_VIA_NONE, /* there are none: MX hosts count */
	RTLS_VIA_HOSTS,
	RTLS_VIA_BROKEN, /* the module does not understand them: hops is empty */
	RTLS_VIA_VARIES, /* it depends on the message: not known here */
	RTLS_VIA_UNKNOWN /* Exim does not tell this user, or cannot be asked */
};

#define RTLS_VIA_TEXT_SIZE 1024

struct rtls_via {
	enum rtls_via_state state;
	struct rtls_next_hops hops;    /* as written */
	char text[RTLS_VIA_TEXT_SIZE]; /* the list, quoted */
	const char *source;            /* where it stands */
};

/* given: what --via says, "" is none; NULL: Exim is asked, by its macro REQUIRETLS_VIA. */
void rtls_via_find(const struct rtls_config *config, const char *given,
	struct rtls_via *via);

/* Do smart hosts count, as far as that is known? */
bool rtls_via_counts(const struct rtls_via *via);

/* Why it is not known, and what to do; NULL where it is. */
const char *rtls_via_doubt(const struct rtls_via *via);

/* An array of "host" and "host::port", or null where they do not count. */
json_t *rtls_via_json(const struct rtls_via *via);

#endif
