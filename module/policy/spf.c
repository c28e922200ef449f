/* spf.c - see spf.h.
 *
 *   record    = "v=spf1" *(1*SP term) *SP
 *   term      = directive / modifier
 *   directive = ["+" / "-" / "?" / "~"] mechanism
 *   mechanism = "all" / "include:" spec / ("a" / "mx") [":" spec] [cidr]
 *               / "ptr" [":" spec] / "exists:" spec
 *               / "ip4:" address ["/" n] / "ip6:" address ["/" n]
 *   cidr      = ["/" n] ["//" n]
 *   modifier  = name "=" macro-string       ; redirect and exp at most once
 *
 * Case does not count but in macros. A spec is looked at byte by byte only: what it expands to is
 * for the receiver. */
#include "spf.h"

#include <arpa/inet.h>
#include <string.h>

#include "field.h"
#include "text.h"

#define VERSION      "v=spf1"
#define VERSION_SIZE 6
#define ADDRESS_SIZE 48

struct parsing {
	struct rtls_spf record;
	bool has_exp;
};

/* --- parts ---------------------------------------------------------------------------- */

/* What stands in "%{...}" (section 7.1). */
static bool is_macro(struct rtls_slice inner)
{
	static const char letters[] = "slodiphcrtvSLODIPHCRTV";
	static const char transformers[] = "0123456789rR.-+,/_=";

	if (inner.size == 0 || inner.data[0] == '\0' ||
		strchr(letters, inner.data[0]) == NULL)
		return false;
	for (size_t i = 1; i < inner.size; i++)
		if (inner.data[i] == '\0' ||
			strchr(transformers, inner.data[i]) == NULL)
			return false;
	return true;
}

/* Takes one macro or one visible byte. */
static bool take_macro_byte(struct rtls_slice *rest)
{
	struct rtls_slice behind = *rest;

	if (rest->data[0] <= ' ' || rest->data[0] > '~')
		return false;
	if (rest->data[0] != '%') {
		*rest = rtls_slice_n(rest->data + 1, rest->size - 1);
		return true;
	}
	if (rest->size < 2)
		return false;
	if (rest->data[1] == '%' || rest->data[1] == '_' ||
		rest->data[1] == '-') {
		*rest = rtls_slice_n(rest->data + 2, rest->size - 2);
		return true;
	}
	if (rest->data[1] != '{' || memchr(rest->data, '}', rest->size) == NULL)
		return false;
	behind = rtls_slice_n(rest->data + 2, rest->size - 2);
	if (!is_macro(rtls_slice_take(&behind, '}')))
		return false;
	*rest = behind;
	return true;
}

static bool is_macro_string(struct rtls_slice text)
{
	while (text.size > 0)
		if (!take_macro_byte(&text))
			return false;
	return true;
}

static bool is_spec(struct rtls_slice text)
{
	return text.size > 0 && is_macro_string(text);
}

static bool is_prefix(struct rtls_slice text, unsigned max)
{
	unsigned long long bits;

	return text.size > 0 && text.size <= 3 &&
	       rtls_slice_number(text, max, &bits);
}

/* "/24", "//64", "/24//64" at the end of it is taken off; false when it is none. */
static bool take_cidr(struct rtls_slice *text)
{
	struct rtls_slice spec, rest = *text, prefix;

	spec = rtls_slice_take(&rest, '/');
	if (spec.size == text->size)
		return true;
	*text = spec;
	if (!rtls_slice_starts(rest, "/")) {
		struct rtls_slice both = rest;

		prefix = rtls_slice_take(&rest, '/');
		if (!is_prefix(prefix, 32))
			return false;
		if (prefix.size == both.size)
			return true;
	}
	return rtls_slice_starts(rest, "/") &&
	       is_prefix(rtls_slice_n(rest.data + 1, rest.size - 1), 128);
}

static bool is_network(struct rtls_slice text, int family, unsigned max)
{
	struct rtls_slice prefix = text;
	struct rtls_slice address = rtls_slice_take(&prefix, '/');
	unsigned char binary[sizeof(struct in6_addr)];
	char terminated[ADDRESS_SIZE];

	return rtls_slice_copy(address, terminated, sizeof(terminated)) &&
	       inet_pton(family, terminated, binary) == 1 &&
	       (address.size == text.size || is_prefix(prefix, max));
}

/* --- mechanisms ------------------------------------------------------------------------- */

static bool set_all(struct parsing *parsing, char qualifier)
{
	enum rtls_spf_all all = RTLS_SPF_ALL_PASS;

	if (qualifier == '-')
		all = RTLS_SPF_ALL_FAIL;
	else if (qualifier == '~')
		all = RTLS_SPF_ALL_SOFTFAIL;
	else if (qualifier == '?')
		all = RTLS_SPF_ALL_NEUTRAL;
	if (parsing->record.all == RTLS_SPF_ALL_MISSING)
		parsing->record.all = all;
	return true;
}

/* "a", "mx" and "ptr": the spec may be left out. has_spec: there was a ":". */
static bool parse_host(struct rtls_slice spec, bool has_spec)
{
	if (!take_cidr(&spec))
		return false;
	return has_spec ? is_spec(spec) : spec.size == 0;
}

static bool parse_named(struct parsing *parsing, struct rtls_slice name,
	struct rtls_slice spec, bool has_spec)
{
	if (rtls_slice_is_nocase(name, "ip4"))
		return is_network(spec, AF_INET, 32);
	if (rtls_slice_is_nocase(name, "ip6"))
		return is_network(spec, AF_INET6, 128);
	parsing->record.lookups++;
	if (rtls_slice_is_nocase(name, "include") ||
		rtls_slice_is_nocase(name, "exists"))
		return has_spec && is_spec(spec);
	if (rtls_slice_is_nocase(name, "ptr")) {
		parsing->record.has_ptr = true;
		return has_spec ? is_spec(spec) : spec.size == 0;
	}
	return (rtls_slice_is_nocase(name, "a") ||
		       rtls_slice_is_nocase(name, "mx")) &&
	       parse_host(spec, has_spec);
}

/* The name ends at ":" or "/". */
static struct rtls_slice name_of(struct rtls_slice term)
{
	size_t size = 0;

	while (size < term.size && term.data[size] != ':' &&
		term.data[size] != '/')
		size++;
	return rtls_slice_n(term.data, size);
}

static bool parse_directive(struct parsing *parsing, struct rtls_slice term)
{
	char qualifier = '+';
	struct rtls_slice name, spec;
	bool has_spec;

	if (strchr("+-?~", term.data[0]) != NULL && term.data[0] != '\0') {
		qualifier = term.data[0];
		term = rtls_slice_n(term.data + 1, term.size - 1);
	}
	name = name_of(term);
	spec = rtls_slice_n(term.data + name.size, term.size - name.size);
	if (rtls_slice_is_nocase(name, "all"))
		return spec.size == 0 && set_all(parsing, qualifier);
	if (parsing->record.all != RTLS_SPF_ALL_MISSING)
		parsing->record.has_more = true;
	has_spec = spec.size > 0 && spec.data[0] == ':';
	if (has_spec)
		spec = rtls_slice_n(spec.data + 1, spec.size - 1);
	return parse_named(parsing, name, spec, has_spec);
}

/* --- terms --------------------------------------------------------------------------------- */

static bool is_modifier(struct rtls_slice term, struct rtls_slice *name)
{
	struct rtls_slice rest = term;

	*name = rtls_slice_take(&rest, '=');
	if (name->size == term.size || name->size == 0 ||
		!rtls_byte_is_alpha(name->data[0]))
		return false;
	for (size_t i = 0; i < name->size; i++)
		if (!rtls_byte_is_alnum(name->data[i]) &&
			name->data[i] != '-' && name->data[i] != '_' &&
			name->data[i] != '.')
			return false;
	return true;
}

static bool parse_modifier(struct parsing *parsing, struct rtls_slice name,
	struct rtls_slice value)
{
	if (rtls_slice_is_nocase(name, "redirect")) {
		if (parsing->record.has_redirect)
			return false;
		parsing->record.has_redirect = true;
		parsing->record.lookups++;
		return is_spec(value);
	}
	if (rtls_slice_is_nocase(name, "exp")) {
		if (parsing->has_exp)
			return false;
		parsing->has_exp = true;
		return is_spec(value);
	}
	return is_macro_string(value);
}

static bool parse_term(struct parsing *parsing, struct rtls_slice term)
{
	struct rtls_slice name;

	if (!is_modifier(term, &name))
		return parse_directive(parsing, term);
	return parse_modifier(parsing, name,
		rtls_slice_n(
			term.data + name.size + 1, term.size - name.size - 1));
}

/* --- terms that ask DNS ---------------------------------------------------------------------- */

static bool is_qualifier(char byte)
{
	return byte == '+' || byte == '-' || byte == '?' || byte == '~';
}

static bool find_kind(struct rtls_slice name, enum rtls_spf_kind *kind)
{
	static const struct {
		const char *name;
		enum rtls_spf_kind kind;
	} kinds[] = {
		{ "include", RTLS_SPF_INCLUDE },
		{ "a", RTLS_SPF_A },
		{ "mx", RTLS_SPF_MX },
		{ "ptr", RTLS_SPF_PTR },
		{ "exists", RTLS_SPF_EXISTS },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (rtls_slice_is_nocase(name, kinds[i].name)) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

static struct rtls_slice behind(struct rtls_slice text, size_t size)
{
	return rtls_slice_n(text.data + size, text.size - size);
}

/* False: it does not ask. */
static bool read_term(struct rtls_slice text, struct rtls_spf_term *term)
{
	struct rtls_slice name, spec;

	term->text = text;
	if (is_modifier(text, &name)) {
		term->kind = RTLS_SPF_REDIRECT;
		term->domain = behind(text, name.size + 1);
		return rtls_slice_is_nocase(name, "redirect");
	}
	if (text.size > 0 && is_qualifier(text.data[0]))
		text = behind(text, 1);
	name = name_of(text);
	if (!find_kind(name, &term->kind))
		return false;
	spec = behind(text, name.size);
	term->domain = rtls_slice_n(spec.data, 0);
	if (spec.size > 0 && spec.data[0] == ':') {
		spec = behind(spec, 1);
		if (term->kind == RTLS_SPF_A || term->kind == RTLS_SPF_MX)
			(void)take_cidr(&spec);
		term->domain = spec;
	}
	return true;
}

static bool is_all(struct rtls_slice text)
{
	if (text.size > 0 && is_qualifier(text.data[0]))
		text = behind(text, 1);
	return rtls_slice_is_nocase(text, "all");
}

/* Is there an all in front of what is left? */
static bool is_behind_all(struct rtls_slice text, struct rtls_slice rest)
{
	text.size -= rest.size;
	while (text.size > 0)
		if (is_all(rtls_slice_take(&text, ' ')))
			return true;
	return false;
}

bool rtls_spf_next(const struct rtls_spf *record, struct rtls_slice text,
	struct rtls_slice *rest, struct rtls_spf_term *term)
{
	while (rest->size > 0) {
		struct rtls_slice before = *rest;

		if (!read_term(rtls_slice_take(rest, ' '), term))
			continue;
		if (term->kind == RTLS_SPF_REDIRECT
				? record->all != RTLS_SPF_ALL_MISSING
				: is_behind_all(text, before))
			continue;
		term->has_macro = term->domain.size > 0 &&
				  memchr(term->domain.data, '%',
					  term->domain.size) != NULL;
		return true;
	}
	return false;
}

enum rtls_status rtls_spf_parse(
	struct rtls_slice text, struct rtls_spf *record, struct rtls_err *err)
{
	struct parsing parsing = { .has_exp = false };
	struct rtls_quoted quoted;
	struct rtls_slice rest;

	if (text.size < VERSION_SIZE ||
		!rtls_slice_is_nocase(
			rtls_slice_n(text.data, VERSION_SIZE), VERSION) ||
		(text.size > VERSION_SIZE && text.data[VERSION_SIZE] != ' '))
		return RTLS_NONE;
	rest = rtls_slice_n(text.data + VERSION_SIZE, text.size - VERSION_SIZE);
	while (rest.size > 0) {
		struct rtls_slice term = rtls_slice_take(&rest, ' ');

		if (term.size == 0 || parse_term(&parsing, term))
			continue;
		rtls_err_set(err, "not a term of SPF: \"%s\"",
			rtls_quoted(&quoted, term));
		return RTLS_INVALID;
	}
	*record = parsing.record;
	return RTLS_OK;
}
