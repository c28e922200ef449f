/* warned.c - marks of warnings that were given. */
#include "warned.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "policy/timestamp.h"
#include "store/file.h"

struct mark {
	const char *name;
	int64_t now_s;
	bool is_recent;
};

static bool look(const char *name, int64_t modified_s, void *context)
{
	struct mark *mark = context;

	if (strcmp(name, mark->name) != 0)
		return true;
	/* One from the future does not silence anything for ever. */
	mark->is_recent = modified_s > mark->now_s - RTLS_DAY_S &&
			  modified_s < mark->now_s + RTLS_DAY_S;
	return false;
}

bool rtls_warn_daily(const char *spool, const char *name, int64_t now_s)
{
	struct mark mark = { name, now_s, false };
	char marks[PATH_MAX], path[PATH_MAX];
	enum rtls_status ignored;
	int size;

	size = snprintf(marks, sizeof(marks), "%s/warned", spool);
	if (size < 0 || (size_t)size >= sizeof(marks))
		return true;
	ignored = rtls_file_each(spool, marks, look, &mark, NULL);
	if (mark.is_recent)
		return false;
	size = snprintf(path, sizeof(path), "%s/%s", marks, name);
	if (size >= 0 && (size_t)size < sizeof(path))
		ignored = rtls_file_replace(spool, path, rtls_slice(""), NULL);
	(void)ignored;
	return true;
}
