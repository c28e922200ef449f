/* ehlo.c - see ehlo.h. */
#include "ehlo.h"

#define CODE_SIZE 4 /* "250-" */

void rtls_ehlo_parse(struct rtls_slice answer, struct rtls_ehlo *ehlo)
{
	struct rtls_slice line, word;
	bool first = true;

	*ehlo = (struct rtls_ehlo){ .starttls = false };
	while (rtls_slice_line(&answer, &line)) {
		if (line.size < CODE_SIZE)
			continue;
		line = rtls_slice_trim(rtls_slice_n(
			line.data + CODE_SIZE, line.size - CODE_SIZE));
		word = rtls_slice_take(&line, ' ');
		if (first)
			ehlo->name = word;
		else if (rtls_slice_is(word, "STARTTLS")) /* as Exim does */
			ehlo->starttls = true;
		else if (rtls_slice_is_nocase(word, "REQUIRETLS"))
			ehlo->requiretls = true;
		first = false;
	}
}
