/* returned.c - see returned.h. */
#include "returned.h"

#include <string.h>

#include "text.h"

static const struct {
	const char *old_type, *new_type;
} types[] = {
	{ "Content-type: message/rfc822\n\n",
		"Content-type: text/rfc822-headers\n\n" },
	{ "Content-type: message/global\n\n",
		"Content-type: message/global-headers\n\n" },
};

#define TYPE_COUNT   (sizeof(types) / sizeof(types[0]))
#define OPENING_SIZE (RTLS_BOUNDARY_MAX + 64)

/* The offset just behind the first needle from start on; 0: there is none. */
static size_t find_behind(
	struct rtls_slice text, size_t start, const char *needle)
{
	const char *found;

	if (text.size == 0)
		return 0;
	found = memmem(
		text.data + start, text.size - start, needle, strlen(needle));
	return found == NULL ? 0 : (size_t)(found - text.data) + strlen(needle);
}

bool rtls_returned_find(struct rtls_slice text, const char *boundary,
	struct rtls_returned *returned)
{
	struct rtls_returned found = { .headers = 0 };
	char opening[OPENING_SIZE];
	struct rtls_text part;

	for (size_t i = 0; i < TYPE_COUNT && found.new_type == NULL; i++) {
		rtls_text_init(&part, opening, sizeof(opening));
		rtls_text_printf(
			&part, "\n--%s\n%s", boundary, types[i].old_type);
		found.headers =
			part.overflow ? 0 : find_behind(text, 0, opening);
		if (found.headers == 0)
			continue;
		found.type = found.headers - strlen(types[i].old_type);
		found.new_type = types[i].new_type;
	}
	if (found.new_type == NULL)
		return false;
	found.body = find_behind(text, found.headers, "\n\n");
	if (found.body == 0)
		return false;
	found.body--; /* the empty line */
	*returned = found;
	return true;
}

bool rtls_returned_is_headers_only(struct rtls_slice text)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (find_behind(text, 0, types[i].new_type) != 0)
			return true;
	return false;
}
