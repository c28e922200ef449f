/* setup_text.c - see setup_text.h. */
#include "tool/setup_text.h"

#include <stdlib.h>
#include <string.h>

#define OPENING "# >>> exim-requiretls"
#define CLOSING "# <<< exim-requiretls"

static enum rtls_status put(struct rtls_slice text,
	const struct rtls_setup_block *block, size_t count,
	struct rtls_text *out)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		if (block[i].at > text.size || block[i].at < done)
			return RTLS_INVALID;
		if (block[i].at > 0 && text.data[block[i].at - 1] != '\n')
			return RTLS_INVALID;
		rtls_text_add(out,
			rtls_slice_n(text.data + done, block[i].at - done));
		rtls_text_add(out, rtls_slice(RTLS_SETUP_BEGIN));
		rtls_text_add(out, rtls_slice(block[i].text));
		rtls_text_add(out, rtls_slice(RTLS_SETUP_END));
		done = block[i].at;
	}
	rtls_text_add(out, rtls_slice_n(text.data + done, text.size - done));
	return out->overflow ? RTLS_NO_MEMORY : RTLS_OK;
}

enum rtls_status rtls_setup_put(struct rtls_slice text,
	const struct rtls_setup_block *block, size_t count,
	struct rtls_text *out)
{
	enum rtls_status status = put(text, block, count, out);
	char *copy = status == RTLS_OK ? malloc(out->size + 1) : NULL;
	struct rtls_text back;

	if (status != RTLS_OK)
		return status;
	if (copy == NULL)
		return RTLS_NO_MEMORY;
	rtls_text_init(&back, copy, out->size + 1);
	status = rtls_setup_take_out(rtls_text_slice(out), &back, NULL, NULL);
	if (status == RTLS_OK &&
		!rtls_slice_equal(rtls_text_slice(&back), text))
		status = RTLS_INVALID;
	free(copy);
	return status;
}

static enum rtls_status unpaired(
	struct rtls_err *err, size_t number, const char *what)
{
	if (err != NULL)
		rtls_err_set(err, "line %zu: a mark of exim-requiretls %s",
			number, what);
	return RTLS_INVALID;
}

enum rtls_status rtls_setup_take_out(struct rtls_slice text,
	struct rtls_text *out, size_t *count, struct rtls_err *err)
{
	struct rtls_slice rest = text, line;
	size_t number = 0, opened = 0, found = 0;

	while (rest.size > 0) {
		const char *begin = rest.data;

		(void)rtls_slice_line(&rest, &line);
		number++;
		if (rtls_slice_starts(line, OPENING)) {
			if (opened > 0)
				return unpaired(err, opened, "has no end");
			opened = number;
			found++;
		} else if (rtls_slice_starts(line, CLOSING)) {
			if (opened == 0)
				return unpaired(
					err, number, "has no beginning");
			opened = 0;
		} else if (opened == 0) {
			rtls_text_add(out,
				rtls_slice_n(begin,
					(size_t)(rest.size == 0
							 ? text.data +
								   text.size -
								   begin
							 : rest.data - begin)));
		}
	}
	if (opened > 0)
		return unpaired(err, opened, "has no end");
	if (count != NULL)
		*count = found;
	return out->overflow ? RTLS_NO_MEMORY : RTLS_OK;
}
