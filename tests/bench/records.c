/* records.c - fill a cache for `make bench`.
 *
 *   records-bench SPOOL DOMAIN COUNT    customer0.example ... with what is known of DOMAIN
 *
 * Written without the care rtls_cache_put() takes: no disk has to keep them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/cache.h"

static char known[RTLS_RECORD_SIZE_MAX + 1];

static bool write_record(
	const char *spool, struct rtls_record *record, int number)
{
	char text[RTLS_RECORD_SIZE_MAX + 1], path[RTLS_CACHE_PATH_MAX];
	char domain[RTLS_DOMAIN_SIZE];
	struct rtls_text out;
	struct rtls_slice bytes;
	char *slash;
	int fd;

	(void)snprintf(domain, sizeof(domain), "customer%d.example", number);
	record->domain = rtls_slice(domain);
	rtls_text_init(&out, text, sizeof(text));
	if (rtls_record_format(record, &out) != RTLS_OK ||
		rtls_cache_path(spool, domain, path) != RTLS_OK)
		return false;
	slash = strrchr(path, '/');
	*slash = '\0';
	(void)mkdir(path, 0750);
	*slash = '/';
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bytes = rtls_text_slice(&out);
	return fd >= 0 &&
	       write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size &&
	       close(fd) == 0;
}

int main(int argc, char **argv)
{
	unsigned long long count = 0;
	struct rtls_record record;
	struct rtls_err err = { "" };

	if (argc != 4 ||
		!rtls_slice_number(rtls_slice(argv[3]), 10000000, &count))
		return 64;
	if (rtls_cache_get(argv[1], argv[2], known, &record, &err) != RTLS_OK) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 66;
	}
	for (int i = 0; i < (int)count; i++)
		if (!write_record(argv[1], &record, i))
			return 74;
	return 0;
}
