/* spool_header.c - see spool_header.h. */
#include "spool_header.h"

#include "flags.h"

/* "-aclm _name size", a line end, so many bytes, a line end. The bytes may be any
 * text: take them, lest some line of theirs be read as one of Exim's. */
static bool take_acl_variable(struct rtls_slice *header, struct rtls_slice line,
	struct rtls_slice *name, struct rtls_slice *value)
{
	unsigned long long size;

	(void)rtls_slice_take(&line, ' ');
	*name = rtls_slice_take(&line, ' ');
	if (!rtls_slice_number(line, RTLS_SPOOL_HEADER_MAX, &size) ||
		size >= header->size || header->data[size] != '\n')
		return false;
	*value = rtls_slice_n(header->data, (size_t)size);
	*header =
		rtls_slice_n(header->data + size + 1, header->size - size - 1);
	return true;
}

bool rtls_spool_header_flagged(struct rtls_slice header, bool patched)
{
	struct rtls_slice line, name, value;
	bool flagged = false, scanned = false, exims = false;

	while (rtls_slice_line(&header, &line)) {
		if (line.size == 0) /* the recipients and headers follow */
			return patched ? flagged && !exims : flagged || exims;
		if (rtls_slice_starts(line, "--"))
			line = rtls_slice_n(line.data + 1, line.size - 1);
		if (rtls_slice_starts(line, "-acl")) {
			if (!take_acl_variable(&header, line, &name, &value))
				return true; /* cut off */
			if (rtls_slice_is(name, "_requiretls_data") && !scanned)
				flagged = rtls_flags_are_yes(value, flagged);
		} else if (rtls_slice_starts(line, "-local_scan ")) {
			flagged = rtls_flags_are_yes(line, flagged);
			scanned = true;
		} else if (rtls_slice_is(line, "-requiretls")) {
			exims = true;
		}
	}
	return true; /* cut off before the end: not known */
}
