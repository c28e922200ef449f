/* exim_block.c - see exim_block.h. */
#include "exim_block.h"

/* "remote_smtp transport:" */
static bool is_head(
	struct rtls_slice line, const char *kind, struct rtls_slice *name)
{
	struct rtls_slice word;

	if (line.size == 0 || line.data[line.size - 1] != ':')
		return false;
	line.size--;
	return rtls_slice_word(&line, name) && rtls_slice_word(&line, &word) &&
	       rtls_slice_is(word, kind) && rtls_slice_trim(line).size == 0;
}

bool rtls_exim_block_next(struct rtls_slice *rest, const char *kind,
	struct rtls_exim_block *block)
{
	struct rtls_slice line, name, ahead;

	do
		if (!rtls_slice_line(rest, &line))
			return false;
	while (!is_head(line, kind, &block->name));
	block->body = rtls_slice_n(rest->data, 0);
	ahead = *rest;
	while (rtls_slice_line(&ahead, &line) && !is_head(line, kind, &name)) {
		*rest = ahead;
		block->body.size = (size_t)(ahead.data - block->body.data);
	}
	return true;
}

struct rtls_slice rtls_exim_block_option(
	const struct rtls_exim_block *block, const char *name)
{
	struct rtls_slice rest = block->body, line;

	while (rtls_slice_line(&rest, &line)) {
		struct rtls_slice key = rtls_slice_take(&line, '=');

		if (rtls_slice_is(rtls_slice_trim(key), name))
			return rtls_slice_trim(line);
	}
	return rtls_slice_n(block->body.data, 0);
}

bool rtls_exim_block_has(const struct rtls_exim_block *block, const char *name)
{
	struct rtls_slice rest = block->body, line;

	while (rtls_slice_line(&rest, &line))
		if (rtls_slice_is(rtls_slice_trim(line), name))
			return true;
	return false;
}

bool rtls_exim_block_find(struct rtls_slice text, const char *kind,
	struct rtls_slice name, struct rtls_exim_block *block)
{
	while (rtls_exim_block_next(&text, kind, block))
		if (rtls_slice_equal(block->name, name))
			return true;
	return false;
}
