/* nearest.c - see nearest.h. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_MAX 32

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The distance of Damerau and Levenshtein, in which nothing between two letters that
 * changed places is edited. Cell [i][j] is about the first i letters of a and j of b. */
static size_t count_edits(
	const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t cell[LENGTH_MAX + 1][LENGTH_MAX + 1];

	for (size_t i = 0; i <= a_size; i++)
		for (size_t j = 0; j <= b_size; j++) {
			if (i == 0 || j == 0) {
				cell[i][j] = i + j;
				continue;
			}
			cell[i][j] = min(
				min(cell[i - 1][j], cell[i][j - 1]) + 1,
				cell[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				cell[i][j] =
					min(cell[i][j], cell[i - 2][j - 2] + 1);
		}
	return cell[a_size][b_size];
}

void rtls_nearest_try(struct rtls_nearest *nearest, const char *name)
{
	const size_t size = strlen(name);
	size_t edits;

	if (nearest->word.size == 0 || nearest->word.size > LENGTH_MAX ||
		size > LENGTH_MAX)
		return;
	edits = count_edits(nearest->word.data, nearest->word.size, name, size);
	if (edits > 1 + min(size, nearest->word.size) / 4 ||
		(nearest->name != NULL && edits >= nearest->edits))
		return;
	nearest->name = name;
	nearest->edits = edits;
}

const char *rtls_nearest_hint(struct rtls_nearest_hint *hint,
	const struct rtls_nearest *nearest, const char *prefix)
{
	hint->text[0] = '\0';
	if (nearest->name != NULL)
		(void)snprintf(hint->text, sizeof(hint->text),
			"; did you mean \"%s%s\"?", prefix, nearest->name);
	return hint->text;
}
