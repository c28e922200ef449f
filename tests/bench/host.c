/* host.c - a host with as much of Exim as the module's routing needs, to
 * time requiretls_route() in one process without Exim around it.
 *
 *   route-bench DOMAIN CALLS [DOMAINS]    prints the median and the 99th percentile in ns
 *
 * With DOMAINS each call is about one of customer0.DOMAIN to customer(DOMAINS-1).DOMAIN, in no order.
 *
 * Runs where the module's configuration and cache are (inside the lab). */
#define LOCAL_SCAN
#define DLFUNC_IMPL
#include <local_scan.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

unsigned char *sender_address = (unsigned char *)"alice@lab.example";
header_line *header_list;
recipient_item *recipients_list;
int recipients_count;
int body_linecount;

int requiretls_route(uschar **yield, int argc, uschar *argv[]);

#define CALLS_MAX 100000

/* Exim's store is reset after a message; this one after a call. */
static char store[1 << 20];
static size_t store_used;

void *store_get_3(int size, const void *proto, const char *function, int line)
{
	void *place = store + store_used;

	(void)proto;
	(void)function;
	(void)line;
	store_used += ((size_t)size + 15) & ~(size_t)15;
	return store_used > sizeof(store) ? NULL : place;
}

uschar *string_copy_taint_function(const uschar *text, const void *proto)
{
	(void)proto;
	return (uschar *)strdup((const char *)text);
}

uschar *expand_string(uschar *what)
{
	static const struct {
		const char *name;
		const char *value;
	} values[] = {
		{ "$version_number", RTLS_EXIM_VERSION },
		{ "$sender_address", "alice@lab.example" },
		{ "$local_scan_data", "requiretls=no dnssec=no" },
		{ "$message_exim_id", "1xUrVs-00000S-25" },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (strcmp((char *)what, values[i].name) == 0)
			return (uschar *)strdup(values[i].value);
	return NULL;
}

/* Once per call it would be one line of Exim's main log. */
void log_write(unsigned selector, int where, const char *format, ...)
{
	(void)selector;
	(void)where;
	(void)format;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void name_domain(
	char *out, size_t size, const char *domain, long domains)
{
	if (domains == 0)
		(void)snprintf(out, size, "%s", domain);
	else
		(void)snprintf(out, size, "customer%ld.%s", random() % domains,
			domain);
}

int main(int argc, char **argv)
{
	static double taken[CALLS_MAX];
	long calls = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
	long domains = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	char domain[256];
	uschar *arguments[] = { (uschar *)domain, NULL };
	uschar *answer = NULL;

	if (argc > 4 || calls < 100 || calls > CALLS_MAX || domains < 0)
		return 64;
	for (long i = 0; i < calls; i++) {
		double start;

		name_domain(domain, sizeof(domain), argv[1], domains);
		start = now_ns();
		requiretls_route(&answer, 1, arguments);
		taken[i] = now_ns() - start;
		store_used = 0;
	}
	qsort(taken, (size_t)calls, sizeof(*taken), compare);
	printf("%.0f %.0f %.60s\n", taken[calls / 2],
		taken[calls - calls / 100], (char *)answer);
	return 0;
}
