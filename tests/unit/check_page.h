/* check_page.h - is it a page of ours? For unit tests and the fuzz target: elements and
 * attributes are those we write and no others, nested and closed as XML wants it, and the text
 * between them is clean UTF-8. So nothing that came with a report is markup. */
#ifndef CHECK_PAGE_H
#define CHECK_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "policy/slice.h"
#include "policy/utf8.h"
#include "report/page_parts.h"

#define CHECK_PAGE_DEPTH_MAX 32

struct check_page {
	struct rtls_slice rest;
	struct rtls_slice open[CHECK_PAGE_DEPTH_MAX];
	size_t depth;
	const char *wrong; /* NULL: nothing yet */
};

static inline bool check_page_is_one_of(
	struct rtls_slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (rtls_slice_is(name, *names))
			return true;
	return false;
}

static inline bool check_page_is_element(struct rtls_slice name)
{
	static const char *const names[] = { "a", "bdi", "body", "br", "code",
		"dd", "defs", "details", "div", "dl", "dt", "figcaption",
		"figure", "footer", "g", "h1", "h2", "h3", "head", "header",
		"html", "i", "line", "main", "meta", "p", "path", "pattern",
		"pre", "rect", "section", "small", "span", "style", "summary",
		"svg", "symbol", "table", "tbody", "td", "text", "th", "thead",
		"title", "tr", "use", NULL };

	return check_page_is_one_of(name, names);
}

static inline bool check_page_is_attribute(struct rtls_slice name)
{
	static const char *const names[] = { "aria-hidden", "charset", "class",
		"colspan", "content", "d", "data-is", "height", "href",
		"http-equiv", "id", "lang", "name", "overflow",
		"patternTransform", "patternUnits", "preserveAspectRatio",
		"role", "scope", "viewBox", "width", "x", "x1", "x2", "y", "y1",
		"y2", NULL };

	return check_page_is_one_of(name, names);
}

/* Text and values: no markup, no reference but our five, clean lines. */
static inline void check_page_text(
	struct check_page *page, struct rtls_slice text)
{
	struct rtls_slice line;

	for (size_t i = 0; i < text.size; i++) {
		struct rtls_slice at =
			rtls_slice_n(text.data + i, text.size - i);

		if (text.data[i] == '&' && !rtls_slice_starts(at, "&amp;") &&
			!rtls_slice_starts(at, "&lt;") &&
			!rtls_slice_starts(at, "&gt;") &&
			!rtls_slice_starts(at, "&quot;") &&
			!rtls_slice_starts(at, "&#39;"))
			page->wrong = "a bare ampersand";
	}
	while (text.size > 0) {
		line = rtls_slice_take(&text, '\n');
		if (!rtls_utf8_is_clean(line))
			page->wrong = "unclean text";
	}
}

static inline void check_page_value(struct check_page *page,
	struct rtls_slice name, struct rtls_slice value)
{
	check_page_text(page, value);
	if (!check_page_is_attribute(name))
		page->wrong = "an attribute that is not ours";
	/* Nothing leads out of the page. */
	if (rtls_slice_is(name, "href") && !rtls_slice_starts(value, "#"))
		page->wrong = "a link out of the page";
}

/* Behind the name of an element: ' name="value"' and again. False: malformed. */
static inline bool check_page_values(
	struct check_page *page, struct rtls_slice tag)
{
	while (tag.size > 0) {
		struct rtls_slice name;

		if (tag.data[0] != ' ')
			return false;
		tag.data++;
		tag.size--;
		name = rtls_slice_take(&tag, '=');
		if (tag.size == 0 || tag.data[0] != '"')
			return false;
		tag.data++;
		tag.size--;
		if (memchr(tag.data, '"', tag.size) == NULL)
			return false;
		check_page_value(page, name, rtls_slice_take(&tag, '"'));
	}
	return true;
}

static inline void check_page_close(
	struct check_page *page, struct rtls_slice name)
{
	if (page->depth == 0 ||
		!rtls_slice_equal(page->open[page->depth - 1], name)) {
		page->wrong = "an end without its beginning";
		return;
	}
	page->depth--;
}

/* What stands between < and >. */
static inline void check_page_tag(
	struct check_page *page, struct rtls_slice tag)
{
	struct rtls_slice whole, name;
	bool is_empty = tag.size > 0 && tag.data[tag.size - 1] == '/';

	if (tag.size > 0 && tag.data[0] == '/') {
		check_page_close(
			page, rtls_slice_n(tag.data + 1, tag.size - 1));
		return;
	}
	if (is_empty)
		tag.size--;
	whole = tag;
	name = rtls_slice_take(&tag, ' ');
	if (!check_page_is_element(name))
		page->wrong = "an element that is not ours";
	else if (!check_page_values(page, rtls_slice_n(whole.data + name.size,
						  whole.size - name.size)))
		page->wrong = "a malformed tag";
	else if (is_empty)
		return;
	else if (page->depth == CHECK_PAGE_DEPTH_MAX)
		page->wrong = "too deep";
	else
		page->open[page->depth++] = name;
}

/* The style sheet is the same in every page, and long: it is only checked to be there. */
static inline void check_page_style(struct check_page *page)
{
	struct rtls_slice style = rtls_slice(rtls_page_style);

	if (page->depth == 0 ||
		!rtls_slice_is(page->open[page->depth - 1], "style"))
		return;
	(void)rtls_slice_take(&page->rest, '\n');
	if (!rtls_slice_starts(page->rest, rtls_page_style)) {
		page->wrong = "a style sheet that is not ours";
		return;
	}
	page->rest.data += style.size;
	page->rest.size -= style.size;
}

/* NULL, or what is wrong with it. */
static inline const char *check_page(struct rtls_slice text)
{
	static const char doctype[] = "<!DOCTYPE html>\n";
	struct check_page page = { .rest = text };

	if (!rtls_slice_starts(text, doctype))
		return "no document type";
	page.rest.data += sizeof(doctype) - 1;
	page.rest.size -= sizeof(doctype) - 1;
	while (page.rest.size > 0 && page.wrong == NULL) {
		check_page_text(&page, rtls_slice_take(&page.rest, '<'));
		if (page.rest.size == 0)
			break;
		if (memchr(page.rest.data, '>', page.rest.size) == NULL)
			return "a tag without an end";
		check_page_tag(&page, rtls_slice_take(&page.rest, '>'));
		check_page_style(&page);
	}
	if (page.wrong == NULL && page.depth > 0)
		page.wrong = "an element without an end";
	return page.wrong;
}

#endif
