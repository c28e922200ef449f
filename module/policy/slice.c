/* slice.c - text as pointer and length. ASCII only: no locale is asked. */
#include "slice.h"

#include <string.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Take n bytes off the front; they must be there. */
static struct rtls_slice take_n(struct rtls_slice *rest, size_t n)
{
	struct rtls_slice taken = { rest->data, n };

	if (n > 0) { /* NULL + 0 is undefined in C11 */
		rest->data += n;
		rest->size -= n;
	}
	return taken;
}

struct rtls_slice rtls_slice(const char *text)
{
	return rtls_slice_n(text, text == NULL ? 0 : strlen(text));
}

struct rtls_slice rtls_slice_n(const char *data, size_t size)
{
	struct rtls_slice slice = { data, size };

	return slice;
}

bool rtls_slice_equal(struct rtls_slice a, struct rtls_slice b)
{
	if (a.size != b.size)
		return false;
	return a.size == 0 || memcmp(a.data, b.data, a.size) == 0;
}

bool rtls_slice_equal_nocase(struct rtls_slice a, struct rtls_slice b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool rtls_slice_is(struct rtls_slice slice, const char *text)
{
	return rtls_slice_equal(slice, rtls_slice(text));
}

bool rtls_slice_is_nocase(struct rtls_slice slice, const char *text)
{
	return rtls_slice_equal_nocase(slice, rtls_slice(text));
}

bool rtls_slice_starts(struct rtls_slice slice, const char *prefix)
{
	struct rtls_slice wanted = rtls_slice(prefix);

	if (slice.size < wanted.size)
		return false;
	slice.size = wanted.size;
	return rtls_slice_equal(slice, wanted);
}

bool rtls_slice_ends_nocase(struct rtls_slice slice, struct rtls_slice suffix)
{
	if (slice.size < suffix.size)
		return false;
	if (suffix.size == 0)
		return true;
	return rtls_slice_equal_nocase(
		rtls_slice_n(
			slice.data + slice.size - suffix.size, suffix.size),
		suffix);
}

struct rtls_slice rtls_slice_trim(struct rtls_slice slice)
{
	while (slice.size > 0 && is_blank(slice.data[0]))
		take_n(&slice, 1);
	while (slice.size > 0 && is_blank(slice.data[slice.size - 1]))
		slice.size--;
	return slice;
}

struct rtls_slice rtls_slice_take(struct rtls_slice *rest, char separator)
{
	struct rtls_slice taken;
	size_t n = 0;

	while (n < rest->size && rest->data[n] != separator)
		n++;
	taken = take_n(rest, n);
	if (rest->size > 0)
		take_n(rest, 1);
	return taken;
}

bool rtls_slice_line(struct rtls_slice *rest, struct rtls_slice *line)
{
	struct rtls_slice taken;
	bool ended;

	if (rest->size == 0)
		return false;
	taken = rtls_slice_take(rest, '\n');
	/* A CR counts as part of the end only in front of a LF. */
	ended = taken.data + taken.size != rest->data;
	if (ended && taken.size > 0 && taken.data[taken.size - 1] == '\r')
		taken.size--;
	*line = taken;
	return true;
}

bool rtls_slice_word(struct rtls_slice *rest, struct rtls_slice *word)
{
	struct rtls_slice text = rtls_slice_trim(*rest);
	size_t n = 0;

	while (n < text.size && !is_blank(text.data[n]))
		n++;
	if (n == 0)
		return false;
	*word = take_n(&text, n);
	*rest = rtls_slice_trim(text);
	return true;
}

bool rtls_slice_entry(
	struct rtls_slice *rest, struct rtls_slice *entry, unsigned *number)
{
	struct rtls_slice line;

	while (rtls_slice_line(rest, &line)) {
		++*number;
		line = rtls_slice_trim(line);
		if (line.size == 0 || line.data[0] == '#')
			continue;
		*entry = line;
		return true;
	}
	return false;
}

bool rtls_slice_number(struct rtls_slice slice, unsigned long long max,
	unsigned long long *value)
{
	unsigned long long number = 0;

	if (slice.size == 0)
		return false;
	for (size_t i = 0; i < slice.size; i++) {
		unsigned digit = (unsigned char)slice.data[i] - (unsigned)'0';

		if (digit > 9 || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*value = number;
	return true;
}

bool rtls_slice_copy(struct rtls_slice slice, char *out, size_t out_size)
{
	if (out_size == 0)
		return false;
	out[0] = '\0';
	if (slice.size >= out_size)
		return false;
	if (slice.size > 0) {
		if (memchr(slice.data, '\0', slice.size) != NULL)
			return false;
		memcpy(out, slice.data, slice.size);
	}
	out[slice.size] = '\0';
	return true;
}
