/* exim_block.h - routers and transports as `exim4 -bP routers` and `-bP transports` print them:
 *
 *   remote_smtp transport:
 *   driver = smtp
 *   no_multi_domain
 *
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_EXIM_BLOCK_H
#define RTLS_EXIM_BLOCK_H

#include "slice.h"

struct rtls_exim_block {
	struct rtls_slice name;
	struct rtls_slice body; /* its lines */
};

/*
 * kind   "router" or "transport"
 * rest   at first all of the text; advances
 * block  borrows from it
 * false  no more of them
 */
bool rtls_exim_block_next(struct rtls_slice *rest, const char *kind,
	struct rtls_exim_block *block);

/* The value of an option; empty: it has none, or it is not printed. */
struct rtls_slice rtls_exim_block_option(
	const struct rtls_exim_block *block, const char *name);

/* Is that boolean option set ("multi_domain", and not "no_multi_domain")? */
bool rtls_exim_block_has(const struct rtls_exim_block *block, const char *name);

/* Of a text with such blocks the one of that name; false: there is none. */
bool rtls_exim_block_find(struct rtls_slice text, const char *kind,
	struct rtls_slice name, struct rtls_exim_block *block);

#endif
