/* built_for.c - see built_for.h. */
#include "built_for.h"

#include <string.h>

static bool is_of_release(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("._+-", c));
}

/* At the start of the slice; empty: there is none. */
static struct rtls_slice release_at(struct rtls_slice rest)
{
	size_t size = 0;

	while (size < rest.size && is_of_release(rest.data[size]))
		size++;
	if (size == rest.size || rest.data[size] != '\n' ||
		size >= RTLS_BUILT_FOR_SIZE)
		size = 0;
	return rtls_slice_n(rest.data, size);
}

/* The next one that has a release; false: no more. */
static bool next_mark(struct rtls_slice *rest, struct rtls_slice *release)
{
	const size_t size = sizeof(RTLS_BUILT_FOR_MARK) - 1;
	const char *at;

	while (rest->size >= size &&
		(at = memmem(rest->data, rest->size, RTLS_BUILT_FOR_MARK,
			 size)) != NULL) {
		const char *behind = at + size;

		*rest = rtls_slice_n(
			behind, rest->size - (size_t)(behind - rest->data));
		*release = release_at(*rest);
		if (release->size > 0)
			return true;
	}
	return false;
}

enum rtls_status rtls_built_for_find(
	struct rtls_slice file, char release[RTLS_BUILT_FOR_SIZE])
{
	struct rtls_slice first, other;

	if (!next_mark(&file, &first))
		return RTLS_NONE;
	while (next_mark(&file, &other))
		if (!rtls_slice_equal(first, other))
			return RTLS_INVALID;
	return rtls_slice_copy(first, release, RTLS_BUILT_FOR_SIZE)
		       ? RTLS_OK
		       : RTLS_INVALID;
}
