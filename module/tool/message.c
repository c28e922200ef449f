/* message.c - see message.h. */
#include "tool/message.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/flags.h"
#include "policy/text.h"
#include "tool/exim.h"

#define EXPANSION_SIZE 256
#define OUTPUT_SIZE    (4 * 1024 * 1024)
#define STORAGE_SIZE   (2 * OUTPUT_SIZE)

/* --- the header lines ------------------------------------------------------------------ */

static bool is_name(struct rtls_slice name)
{
	for (size_t i = 0; i < name.size; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return false;
	return name.size > 0;
}

static enum rtls_status add_line(
	char *header, struct rtls_slice line, struct rtls_err *err)
{
	size_t size = strlen(header);

	if (memchr(line.data, '\0', line.size) != NULL) {
		rtls_err_set(err, "a header line with a NUL byte");
		return RTLS_INVALID;
	}
	if (line.size + 1 > RTLS_MESSAGE_HEADER_MAX - size) {
		rtls_err_set(err, "more than %d bytes of header lines",
			RTLS_MESSAGE_HEADER_MAX);
		return RTLS_INVALID;
	}
	memcpy(header + size, line.data, line.size);
	memcpy(header + size + line.size, "\n", 2);
	return RTLS_OK;
}

enum rtls_status rtls_message_add(
	char *header, const char *line, struct rtls_err *err)
{
	struct rtls_slice rest = rtls_slice(line);
	struct rtls_slice name = rtls_slice_take(&rest, ':');

	if (strchr(line, ':') == NULL || strpbrk(line, "\r\n") != NULL ||
		!is_name(rtls_slice_trim(name))) {
		rtls_err_set(
			err, "expected a header line such as \"Subject: x\"");
		return RTLS_INVALID;
	}
	return add_line(header, rtls_slice(line), err);
}

enum rtls_status rtls_message_add_all(
	char *header, struct rtls_slice text, struct rtls_err *err)
{
	struct rtls_slice line;

	while (rtls_slice_line(&text, &line)) {
		enum rtls_status status;

		if (line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (line.size == 0)
			break;
		status = add_line(header, line, err);
		if (status != RTLS_OK)
			return status;
	}
	return RTLS_OK;
}

/* RFC 8689 section 3, as the module counts them. */
static void count_tls_required(const char *header, struct rtls_message *message)
{
	struct rtls_slice rest = rtls_slice(header), line;

	while (rtls_slice_line(&rest, &line)) {
		if (!rtls_slice_is_nocase(
			    rtls_slice_trim(rtls_slice_take(&line, ':')),
			    "TLS-Required"))
			continue;
		message->tls_required++;
		/* With a line that continues it there is more than "No". */
		message->tls_required_no =
			rtls_tls_required_is_no(line) &&
			(rest.size == 0 ||
				(rest.data[0] != ' ' && rest.data[0] != '\t'));
	}
}

/* Exim adds some of its own. */
static bool is_given(const char *header, struct rtls_slice name)
{
	struct rtls_slice rest = rtls_slice(header), line;

	while (rtls_slice_line(&rest, &line))
		if (rtls_slice_equal_nocase(
			    rtls_slice_trim(rtls_slice_take(&line, ':')), name))
			return true;
	return false;
}

/* --- what Exim makes of them --------------------------------------------------------------- */

/* The fields that rules are about, each once. */
static enum rtls_status name_fields(const struct rtls_rules *rules,
	const char *header, struct rtls_message *message, struct rtls_err *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rtls_slice name = rules->rule[i].field;

		if (rtls_message_field(message, name) != NULL ||
			(!message->is_complete && !is_given(header, name)))
			continue;
		if (message->count == RTLS_MESSAGE_FIELDS_MAX) {
			rtls_err_set(err,
				"rules about more than %d header fields",
				RTLS_MESSAGE_FIELDS_MAX);
			return RTLS_INVALID;
		}
		message->field[message->count++] =
			(struct rtls_message_field){ .name = name };
	}
	return RTLS_OK;
}

/* Any bytes may be in it, and a line is what is printed for each. */
static void make_expansions(struct rtls_slice name, char value[EXPANSION_SIZE],
	char addresses[EXPANSION_SIZE])
{
	(void)snprintf(value, EXPANSION_SIZE,
		"${base64:" RTLS_FIELD_EXPAND_VALUE "}", (int)name.size,
		name.data);
	(void)snprintf(addresses, EXPANSION_SIZE,
		"${base64:" RTLS_FIELD_EXPAND_ADDRESSES "}", (int)name.size,
		name.data);
}

static bool decode(struct rtls_slice line, struct rtls_text *storage,
	struct rtls_slice *out)
{
	const size_t start = rtls_text_slice(storage).size;
	union {
		const char *in;
		unsigned char *out;
	} bytes = { .in = line.data };
	gnutls_datum_t encoded = { bytes.out, (unsigned)line.size }, plain;

	*out = rtls_slice("");
	if (line.size == 0)
		return true;
	if (gnutls_base64_decode2(&encoded, &plain) != 0)
		return false;
	rtls_text_add(
		storage, rtls_slice_n((const char *)plain.data, plain.size));
	gnutls_free(plain.data);
	if (storage->overflow)
		return false;
	*out = rtls_text_slice(storage);
	out->data += start;
	out->size -= start;
	return true;
}

/* Two lines for each field, and nothing else. */
static bool read_answer(struct rtls_slice answer, struct rtls_message *message)
{
	struct rtls_text storage;
	struct rtls_slice line;

	rtls_text_init(&storage, message->storage, STORAGE_SIZE);
	for (size_t i = 0; i < message->count; i++) {
		struct rtls_message_field *field = &message->field[i];

		if (!rtls_slice_line(&answer, &line) ||
			!decode(line, &storage, &field->value) ||
			!rtls_slice_line(&answer, &line) ||
			!decode(line, &storage, &field->addresses))
			return false;
	}
	return true;
}

static bool ask_exim(const struct rtls_config *config, const char *header,
	struct rtls_message *message)
{
	char(*expansion)[EXPANSION_SIZE] =
		calloc(2 * message->count, sizeof(*expansion));
	const char *words[2 * RTLS_MESSAGE_FIELDS_MAX + 1] = { NULL };
	char *output = malloc(OUTPUT_SIZE);
	bool is_good = expansion != NULL && output != NULL;

	message->storage = malloc(STORAGE_SIZE);
	for (size_t i = 0; i < message->count && is_good; i++) {
		make_expansions(message->field[i].name, expansion[2 * i],
			expansion[2 * i + 1]);
		words[2 * i] = expansion[2 * i];
		words[2 * i + 1] = expansion[2 * i + 1];
	}
	is_good = is_good && message->storage != NULL &&
		  read_answer(rtls_exim_expand_message(config->sendmail, header,
				      words, output, OUTPUT_SIZE),
			  message);
	free(expansion);
	free(output);
	return is_good;
}

enum rtls_status rtls_message_read(const struct rtls_config *config,
	const struct rtls_rules *rules, const char *header,
	struct rtls_message *message, struct rtls_err *err)
{
	enum rtls_status status = name_fields(rules, header, message, err);

	count_tls_required(header, message);
	if (status != RTLS_OK || message->count == 0)
		return status;
	if (ask_exim(config, header, message))
		return RTLS_OK;
	rtls_err_set(
		err, "%.200s -bem did not read the message", config->sendmail);
	return RTLS_TEMPORARY;
}

void rtls_message_free(struct rtls_message *message)
{
	free(message->storage);
}

const struct rtls_message_field *rtls_message_field(
	const struct rtls_message *message, struct rtls_slice name)
{
	for (size_t i = 0; i < message->count; i++)
		if (rtls_slice_equal_nocase(message->field[i].name, name))
			return &message->field[i];
	return NULL;
}
