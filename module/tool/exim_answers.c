/* exim_answers.c - see exim_answers.h. */
#include "tool/exim_answers.h"

#include <string.h>

static struct rtls_slice behind(struct rtls_slice line, const char *prefix)
{
	const size_t size = strlen(prefix);

	return rtls_slice_n(line.data + size, line.size - size);
}

struct rtls_slice rtls_exim_answer_file(struct rtls_slice text)
{
	static const char prefix[] = "Configuration file is ";
	struct rtls_slice line, found = rtls_slice_n("", 0);

	while (rtls_slice_line(&text, &line))
		if (rtls_slice_starts(line, prefix))
			found = rtls_slice_trim(behind(line, prefix));
	return found;
}

bool rtls_exim_answer_option(
	struct rtls_slice text, const char *name, struct rtls_slice *value)
{
	struct rtls_slice line;

	while (rtls_slice_line(&text, &line)) {
		struct rtls_slice rest = rtls_slice_trim(line), key;

		key = rtls_slice_trim(rtls_slice_take(&rest, '='));
		if (rtls_slice_is(key, name)) {
			*value = rtls_slice_trim(rest);
			if (memchr(line.data, '=', line.size) == NULL)
				*value = key;
			return true;
		}
		if (rtls_slice_starts(key, "no_") &&
			rtls_slice_is(behind(key, "no_"), name)) {
			*value = key;
			return true;
		}
	}
	return false;
}

size_t rtls_exim_answer_place(struct rtls_slice text, struct rtls_slice name)
{
	struct rtls_slice line;

	for (size_t place = 1; rtls_slice_line(&text, &line); place++)
		if (rtls_slice_equal(rtls_slice_trim(line), name))
			return place;
	return 0;
}

static struct rtls_slice unquoted(struct rtls_slice value)
{
	if (value.size >= 2 &&
		(value.data[0] == '\'' || value.data[0] == '"') &&
		value.data[value.size - 1] == value.data[0])
		return rtls_slice_n(value.data + 1, value.size - 2);
	return value;
}

bool rtls_debian_answer(
	struct rtls_slice text, const char *key, struct rtls_slice *value)
{
	struct rtls_slice line;
	bool is_there = false;

	while (rtls_slice_line(&text, &line)) {
		struct rtls_slice name;

		line = rtls_slice_trim(line);
		name = rtls_slice_take(&line, '=');
		if (!rtls_slice_is(name, key))
			continue;
		*value = unquoted(rtls_slice_trim(line));
		is_there = true;
	}
	return is_there;
}
