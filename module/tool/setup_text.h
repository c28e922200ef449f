/* setup_text.h - what setup writes into files of others: blocks of lines between two marks.
 * Pure text. What is put in can be taken out, and then every byte is as it was. */
#ifndef RTLS_SETUP_TEXT_H
#define RTLS_SETUP_TEXT_H

#include "policy/slice.h"
#include "policy/status.h"
#include "policy/text.h"

#define RTLS_SETUP_BEGIN                                                        \
	"# >>> exim-requiretls: \"exim-requiretls setup --remove\" takes this " \
	"out\n"
#define RTLS_SETUP_END        "# <<< exim-requiretls\n"
#define RTLS_SETUP_BLOCKS_MAX 32

/* One block to put in. */
struct rtls_setup_block {
	size_t at;        /* where a line begins, or the end of the text */
	const char *text; /* whole lines, without the marks */
};

/*
 * block  sorted by where they go
 * out    the text with the blocks, marks around each. Our lines end with LF in any text: Exim
 *        knows no directive that has a CR at its end
 * RTLS_INVALID  taking them out again would not give the text back (it ends without LF
 *               where a block goes), or a block goes into the middle of a line
 * RTLS_NO_MEMORY  out is too small
 */
RTLS_MUST_CHECK enum rtls_status rtls_setup_put(struct rtls_slice text,
	const struct rtls_setup_block *block, size_t count,
	struct rtls_text *out);

/*
 * Take all blocks out.
 *
 * count  how many there were; may be NULL
 * RTLS_INVALID    a mark without the other; err says in which line
 * RTLS_NO_MEMORY  out is too small
 */
RTLS_MUST_CHECK enum rtls_status rtls_setup_take_out(struct rtls_slice text,
	struct rtls_text *out, size_t *count, struct rtls_err *err);

#endif
