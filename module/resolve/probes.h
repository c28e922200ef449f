/* probes.h - many probes at a time, each in a child process of its own: what a host does to the
 * code that reads it stays there, and a child that hangs is ended. */
#ifndef RTLS_PROBES_H
#define RTLS_PROBES_H

#include "probe.h"

#define RTLS_PROBES_AT_A_TIME 16

struct rtls_probes {
	const struct rtls_probe_target *targets; /* borrowed */
	struct rtls_probe *probes; /* one for each, filled in any case */
	size_t count;
};

/*
 * config   borrowed
 * time_ms  for all of them
 * done     called when so many are done; may be NULL
 */
void rtls_probes_run(const struct rtls_config *config,
	const struct rtls_probes *probes, unsigned time_ms,
	void (*done)(void *context, size_t count), void *context);

#endif
