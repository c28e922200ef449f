/* test_idna.c - U-labels to A-labels: IDNA2008, non-transitional. */
#include "spool_dir.h"

#include "store/idna.h"

struct row {
	const char *proves;
	const char *text;
	size_t size;
	const char *wanted; /* NULL: refused */
};

#define ROW(proves, text, wanted)                                              \
	{                                                                      \
		proves, text, sizeof(text) - 1, wanted                         \
	}

static const struct row rows[] = {
	ROW("ASCII is lower-cased", "Example.ORG", "example.org"),
	ROW("a trailing dot goes", "example.org.", "example.org"),
	ROW("an underscore may be", "_x.Example", "_x.example"),
	ROW("A-labels stay", "XN--bcher-kva.example", "xn--bcher-kva.example"),
	ROW("U-label",
		"b\xc3\xbc"
		"cher.example",
		"xn--bcher-kva.example"),
	ROW("U-label in upper case",
		"B\xc3\x9c"
		"CHER.Example",
		"xn--bcher-kva.example"),
	ROW("decomposed: u and two dots",
		"bu\xcc\x88"
		"cher.example",
		"xn--bcher-kva.example"),
	ROW("U-label with a trailing dot", "b\xc3\xbc.example.",
		"xn--b-eha.example"),
	ROW("sharp s stays: non-transitional", "fa\xc3\x9f.example",
		"xn--fa-hia.example"),
	ROW("full width letters are letters", "\xef\xbd\x81.example",
		"a.example"),
	ROW("ideographic full stop is a dot",
		"\xe4\xbe\x8b\xe3\x80\x82"
		"example",
		"xn--fsq.example"),
	ROW("empty", "", NULL),
	ROW("a dot", ".", NULL),
	ROW("empty label", "b\xc3\xbc..example", NULL),
	ROW("address literal", "[192.0.2.1]", NULL),
	ROW("address", "192.0.2.1", NULL),
	ROW("a full width address is one too",
		"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", NULL),
	ROW("invalid UTF-8", "b\xfc.example", NULL),
	ROW("cut UTF-8", "b\xc3", NULL),
	ROW("overlong UTF-8", "b\xc0\xaf.example", NULL),
	ROW("a NUL hides nothing", "b\xc3\xbc.example\0.evil.example", NULL),
	ROW("NUL in ASCII", "a\0b.example", NULL),
	ROW("a line end", "b\xc3\xbc\n.example", NULL),
	ROW("a space", "b\xc3\xbc .example", NULL),
	ROW("the sign a/c makes a slash", "\xe2\x84\x80.example", NULL),
	ROW("a slash", "b\xc3\xbc/..", NULL),
	ROW("line separator", "b\xe2\x80\xa8.example", NULL),
	ROW("a joiner where none may be: no transitional second try",
		"a\xe2\x80\x8d"
		"b.example",
		NULL),
	ROW("the same between other letters",
		"\xc3\xbc\xe2\x80\x8c\xc3\xbc.example", NULL),
	ROW("a snowman is a symbol, no letter", "\xe2\x98\x83.example", NULL),
	ROW("hyphen first", "-b\xc3\xbc.example", NULL),
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		char out[RTLS_DOMAIN_SIZE] = "untouched";
		char *exact = malloc(row->size + 1);
		enum rtls_status status;

		assert_non_null(exact);
		memcpy(exact, row->text, row->size);
		exact = realloc(exact, row->size > 0 ? row->size : 1);
		status = rtls_idna_normalize(
			rtls_slice_n(exact, row->size), out);
		free(exact);
		if (status != (row->wanted ? RTLS_OK : RTLS_INVALID) ||
			strcmp(out, row->wanted ? row->wanted : "") != 0)
			fail_msg("%s: %d \"%s\"", row->proves, status, out);
	}
}

/* Whatever comes out is normalized, and stays what it is. */
static void what_comes_out_is_normalized(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t size = 0; size <= rows[i].size; size++) {
			char out[RTLS_DOMAIN_SIZE], again[RTLS_DOMAIN_SIZE];
			char *exact = malloc(size > 0 ? size : 1);

			assert_non_null(exact);
			memcpy(exact, rows[i].text, size);
			if (rtls_idna_normalize(rtls_slice_n(exact, size),
				    out) == RTLS_OK) {
				assert_int_equal(
					rtls_domain_normalize(
						rtls_slice(out), again),
					RTLS_OK);
				assert_string_equal(out, again);
			} else {
				assert_string_equal(out, "");
			}
			free(exact);
		}
	}
}

static void long_names(void **state)
{
	char text[2000] = "", out[RTLS_DOMAIN_SIZE];
	size_t size = 0;

	(void)state;
	/* 1, 2, 3 ... labels of one u umlaut: 7 characters and a dot each. */
	for (int labels = 1; labels < 600; labels++) {
		enum rtls_status status;

		size += (size_t)snprintf(text + size, sizeof(text) - size,
			"%s\xc3\xbc", labels > 1 ? "." : "");
		status = rtls_idna_normalize(rtls_slice(text), out);
		assert_int_equal(status, labels <= 31 ? RTLS_OK : RTLS_INVALID);
		if (status == RTLS_OK)
			assert_int_equal(strlen(out), labels * 8 - 1);
	}
}

static void every_byte(void **state)
{
	char out[RTLS_DOMAIN_SIZE];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char text[] = "a?b.\xc3\xbc";

		text[1] = (char)byte;
		if (rtls_idna_normalize(rtls_slice_n(text, 6), out) == RTLS_OK)
			assert_true(
				strspn(out, "abcdefghijklmnopqrstuvwxyz"
					    "0123456789-._") == strlen(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(what_comes_out_is_normalized),
		cmocka_unit_test(long_names),
		cmocka_unit_test(every_byte),
	};

	return cmocka_run_group_tests_name("idna", tests, NULL, NULL);
}
