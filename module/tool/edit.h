/* edit.h - `exim-requiretls cache edit DOMAIN`. */
#ifndef RTLS_EDIT_H
#define RTLS_EDIT_H

#include "policy/config.h"

/*
 * Run the editor on a copy of the record, check what was saved, write it back.
 *
 * The copy lies in a directory of the caller's own: an editor run by root writes beside the
 * file it edits, which must not be a place where the Exim user could put links. Only a
 * child that has become the Exim user writes the spool.
 *
 * domain  normalized
 * An exit status: 65 and the copy is kept when the text is not valid.
 */
int rtls_edit(const struct rtls_config *config, const char *domain);

#endif
