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

/* --- unpacking --------------------------------------------------------------- */

#define GZIP_MAGIC "\x1f\x8b"
#define ROOM_FIRST 16384

bool rtls_gzip_is(struct rtls_slice data)
{
	return rtls_slice_starts(data, GZIP_MAGIC);
}

/* What comes out, as it grows. */
struct unpacked {
	char *data;
	size_t room;
	size_t room_max;
};

/* More room behind what is there. RTLS_INVALID: there may be no more. */
static enum rtls_status grow(struct unpacked *unpacked, z_stream *stream)
{
	size_t used = unpacked->room - stream->avail_out;
	size_t room = unpacked->room == 0 ? ROOM_FIRST : 2 * unpacked->room;
	char *grown;

	if (unpacked->room == unpacked->room_max)
		return RTLS_INVALID;
	if (room > unpacked->room_max)
		room = unpacked->room_max;
	grown = realloc(unpacked->data, room);
	if (grown == NULL)
		return RTLS_NO_MEMORY;
	unpacked->data = grown;
	unpacked->room = room;
	stream->next_out = (Bytef *)grown + used;
	stream->avail_out = (uInt)(room - used);
	return RTLS_OK;
}

static enum rtls_status inflate_members(
	z_stream *stream, struct unpacked *unpacked, struct rtls_err *err)
{
	for (;;) {
		enum rtls_status status;
		int result;

		if (stream->avail_out == 0) {
			status = grow(unpacked, stream);
			if (status == RTLS_INVALID)
				rtls_err_set(err,
					"the gzip data expands to more than %zu bytes",
					unpacked->room_max - 1);
			if (status != RTLS_OK)
				return status;
		}
		result = inflate(stream, Z_NO_FLUSH);
		if (result == Z_STREAM_END && stream->avail_in == 0)
			return RTLS_OK;
		if (result == Z_STREAM_END)
			result = inflateReset(stream);
		if (result == Z_MEM_ERROR)
			return RTLS_NO_MEMORY;
		if (result != Z_OK && result != Z_BUF_ERROR) {
			rtls_err_set(err, "malformed gzip data");
			return RTLS_INVALID;
		}
		if (stream->avail_in == 0 && stream->avail_out > 0) {
			rtls_err_set(err, "the gzip data end too early");
			return RTLS_INVALID;
		}
	}
}

enum rtls_status rtls_gzip_unpack(struct rtls_slice data, size_t size_max,
	char **out, size_t *out_size, struct rtls_err *err)
{
	struct unpacked unpacked = { .room_max = size_max + 1 };
	z_stream stream = { .avail_in = (uInt)data.size };
	enum rtls_status status;

	if (data.size > UINT_MAX / 2 || size_max > UINT_MAX / 2)
		return RTLS_NO_MEMORY;
	stream.next_in = (z_const Bytef *)data.data;
	if (inflateInit2(&stream, WINDOW_GZIP) != Z_OK)
		return RTLS_NO_MEMORY;
	status = inflate_members(&stream, &unpacked, err);
	*out_size = unpacked.room - stream.avail_out;
	(void)inflateEnd(&stream);
	/* Room for a byte too many shows that there is one. */
	if (status == RTLS_OK && *out_size > size_max) {
		rtls_err_set(err,
			"the gzip data expands to more than %zu bytes",
			size_max);
		status = RTLS_INVALID;
	}
	if (status == RTLS_OK)
		*out = unpacked.data;
	else
		free(unpacked.data);
	return status;
}
