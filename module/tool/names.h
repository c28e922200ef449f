/* names.h - the domains of the cache, collected before records are replaced and removed. */
#ifndef RTLS_NAMES_H
#define RTLS_NAMES_H

#include <stddef.h>

struct rtls_names {
	size_t count, room;
	char **name;
};

/* In an order that has domains of one owner far apart. 0, or the exit status with the error said.
 * names is to be freed in any case. */
int rtls_names_collect(const char *spool, struct rtls_names *names);

void rtls_names_sort(struct rtls_names *names);
void rtls_names_free(struct rtls_names *names);

#endif
