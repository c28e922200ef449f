/* media_type.c - see media_type.h. */
#include "media_type.h"

bool rtls_media_type(struct rtls_slice line, struct rtls_slice *type)
{
	struct rtls_slice name = rtls_slice_take(&line, ':');

	if (!rtls_slice_is_nocase(name, "Content-Type"))
		return false;
	line = rtls_slice_take(&line, '\r');
	*type = rtls_slice_trim(rtls_slice_take(&line, ';'));
	return true;
}
