/* utf8.c - UTF-8 as RFC 3629 section 4 defines it. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

struct form {
	unsigned char lead_min, lead_max;
	unsigned tail;  /* bytes that follow */
	uint32_t least; /* smaller code points are overlong */
};

static const struct form forms[] = {
	{ 0x00, 0x7f, 0, 0 },
	{ 0xc2, 0xdf, 1, 0x80 },
	{ 0xe0, 0xef, 2, 0x800 },
	{ 0xf0, 0xf4, 3, 0x10000 },
};

static const struct form *find_form(unsigned char lead)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (lead >= forms[i].lead_min && lead <= forms[i].lead_max)
			return &forms[i];
	return NULL;
}

/* Take one code point off the front of rest. */
static bool take_point(struct rtls_slice *rest, uint32_t *point)
{
	unsigned char lead = (unsigned char)rest->data[0];
	const struct form *form = find_form(lead);
	uint32_t value;

	if (form == NULL || rest->size <= form->tail)
		return false;
	value = form->tail == 0 ? lead : lead & (0x3fU >> form->tail);
	for (size_t i = 1; i <= form->tail; i++) {
		unsigned char byte = (unsigned char)rest->data[i];

		if ((byte & 0xc0) != 0x80)
			return false;
		value = value << 6 | (byte & 0x3fU);
	}
	if (value < form->least)
		return false;
	rest->data += form->tail + 1;
	rest->size -= form->tail + 1;
	*point = value;
	return true;
}

static bool is_clean_point(uint32_t point)
{
	if (point < ' ' || (point >= 0x7f && point < 0xa0))
		return false; /* controls */
	if ((point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
		return false; /* surrogates */
	return (point < 0xfdd0 || point > 0xfdef) && (point & 0xfffe) != 0xfffe;
}

bool rtls_utf8_is_clean(struct rtls_slice text)
{
	uint32_t point;

	while (text.size > 0)
		if (!take_point(&text, &point) || !is_clean_point(point))
			return false;
	return true;
}

void rtls_utf8_clean(struct rtls_slice text, char *out, size_t out_size)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t used = 0;

	while (text.size > 0) {
		struct rtls_slice put = text;
		uint32_t point;

		if (!take_point(&text, &point)) {
			text = rtls_slice_n(text.data + 1, text.size - 1);
			put = rtls_slice(replacement);
		} else if (!is_clean_point(point)) {
			put = rtls_slice(replacement);
		} else {
			put.size -= text.size;
		}
		if (put.size >= out_size - used)
			break;
		memcpy(out + used, put.data, put.size);
		used += put.size;
	}
	out[used] = '\0';
}

bool rtls_utf8_is_ascii(struct rtls_slice text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return true;
}
