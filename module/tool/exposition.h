/* exposition.h - write metrics in the text format of Prometheus (0.0.4): HELP and TYPE once, in front of
 * the samples of a family, which stand together; label values escaped; no timestamps, for the
 * textfile collector of node_exporter refuses these. */
#ifndef RTLS_EXPOSITION_H
#define RTLS_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rtls_metric_type {
	RTLS_GAUGE,
	RTLS_COUNTER, /* its name ends in _total */
};

struct rtls_exposition {
	FILE *out;
	const char *name; /* of the family whose samples come now */
};

struct rtls_label {
	const char *name; /* [a-z_]+ */
	const char
		*value; /* any bytes: what is not printable ASCII becomes "?" */
};

/* name without the prefix "exim_requiretls_"; both texts are borrowed until the next family. */
void rtls_exposition_family(struct rtls_exposition *exposition,
	enum rtls_metric_type type, const char *name, const char *help);

/* labels: count of them, NULL when that is 0. No two samples of a family have the same. */
void rtls_exposition_sample(struct rtls_exposition *exposition,
	const struct rtls_label *labels, size_t count, uint64_t value);

/* A family of one sample without labels, a gauge. */
void rtls_exposition_gauge(struct rtls_exposition *exposition, const char *name,
	const char *help, uint64_t value);

#endif
