/* gzip.c - the one wrapper around zlib. */
#include "gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_GZIP (15 + 16) /* largest window, gzip instead of zlib format */
#define MEMORY      8
#define OS_UNKNOWN  255

static enum rtls_status deflate_all(
	z_stream *stream, struct rtls_slice text, char **out, size_t *out_size)
{
	uLong room = deflateBound(stream, (uLong)text.size);
	Bytef *bytes = malloc(room);

	if (bytes == NULL)
		return RTLS_NO_MEMORY;
	stream->next_in = (z_const Bytef *)text.data;
	stream->avail_in = (uInt)text.size;
	stream->next_out = bytes;
	stream->avail_out = (uInt)room;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END) {
		free(bytes);
		return RTLS_NO_MEMORY;
	}
	*out = (char *)bytes;
	*out_size = stream->total_out;
	return RTLS_OK;
}

enum rtls_status rtls_gzip(struct rtls_slice text, char **out, size_t *out_size)
{
	/* No time, no name: zlib's own header would name the system. */
	gz_header header = { .os = OS_UNKNOWN };
	z_stream stream = { .next_in = NULL };
	enum rtls_status status = RTLS_NO_MEMORY;

	if (text.size > UINT_MAX / 2 ||
		deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED,
			WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return RTLS_NO_MEMORY;
	if (deflateSetHeader(&stream, &header) == Z_OK)
		status = deflate_all(&stream, text, out, out_size);
	deflateEnd(&stream);
	return status;
}
