/* next_hop.c - see next_hop.h; as Exim's string_nextinlist() and its manualroute
 * router read such a list. */
#include "next_hop.h"

#include <string.h>

#include "domain.h"

#define PORT_MAX 65535

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct rtls_slice *text)
{
	while (text->size > 0 && is_space(text->data[0]))
		*text = rtls_slice_n(text->data + 1, text->size - 1);
}

static char take_separator(struct rtls_slice *text)
{
	char separator = ':';

	skip_space(text);
	if (text->size > 1 && text->data[0] == '<' &&
		strchr("!#$%&()*+,-./:;<=>?@[]^_`{|}~", text->data[1]) !=
			NULL &&
		text->data[1] != '\0') {
		separator = text->data[1];
		*text = rtls_slice_n(text->data + 2, text->size - 2);
	}
	return separator;
}

/* The next item, its doubled separators made single. False: too long. */
static bool take_item(
	struct rtls_slice *text, char separator, char item[RTLS_NEXT_HOP_SIZE])
{
	size_t used = 0, i = 0;
	bool fits = true;

	skip_space(text);
	for (; i < text->size; i++) {
		if (text->data[i] == separator) {
			if (i + 1 == text->size ||
				text->data[i + 1] != separator)
				break;
			i++;
		}
		if (used + 1 < RTLS_NEXT_HOP_SIZE)
			item[used++] = text->data[i];
		else if (!is_space(text->data[i]))
			fits = false;
	}
	while (used > 0 && is_space(item[used - 1]))
		used--;
	item[used] = '\0';
	if (i < text->size)
		i++;
	*text = rtls_slice_n(text->data + i, text->size - i);
	return fits;
}

/* "host:25" and "[address]:25"; of "2001:db8::25" all is the address. */
static void split_port(struct rtls_slice *host, unsigned *port)
{
	const char *last = NULL;
	size_t colons = 0;
	unsigned long long number;

	for (size_t i = 0; i < host->size; i++)
		if (host->data[i] == ':') {
			last = host->data + i;
			colons++;
		}
	if (last == NULL || last == host->data ||
		(colons > 1 && last[-1] != ']') ||
		!rtls_slice_number(
			rtls_slice_n(last + 1,
				(size_t)(host->data + host->size - last - 1)),
			PORT_MAX, &number))
		return;
	*port = (unsigned)number;
	host->size = (size_t)(last - host->data);
}

static void read_item(const char *item, struct rtls_next_hop *hop)
{
	struct rtls_slice host = rtls_slice(item), suffix = rtls_slice("/mx");

	*hop = (struct rtls_next_hop){ .port = 0 };
	split_port(&host, &hop->port);
	if (host.size > suffix.size && rtls_slice_ends_nocase(host, suffix)) {
		hop->by_mx = true;
		host.size -= suffix.size;
	}
	(void)rtls_slice_copy(host, hop->host, sizeof(hop->host));
}

static bool mixes_mx(const struct rtls_next_hops *hops)
{
	for (size_t i = 0; i < hops->count; i++)
		if (hops->hop[i].by_mx)
			return hops->count > 1;
	return false;
}

enum rtls_status rtls_next_hops_parse(
	struct rtls_slice text, struct rtls_next_hops *hops)
{
	char separator = take_separator(&text);
	char item[RTLS_NEXT_HOP_SIZE];

	hops->count = 0;
	while (text.size > 0) {
		if (!take_item(&text, separator, item))
			return RTLS_INVALID;
		if (item[0] == '\0' || strcmp(item, "+") == 0)
			continue;
		if (hops->count == RTLS_NEXT_HOPS_MAX)
			return RTLS_INVALID;
		read_item(item, &hops->hop[hops->count++]);
	}
	if (mixes_mx(hops))
		return RTLS_INVALID;
	return hops->count > 0 ? RTLS_OK : RTLS_NONE;
}
