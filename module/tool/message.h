/* message.h - the header fields of a message as the rules see them. What they say is Exim's word,
 * as it is for the module: it is asked by exim -bem. */
#ifndef RTLS_MESSAGE_H
#define RTLS_MESSAGE_H

#include "policy/config.h"
#include "policy/rules.h"

#define RTLS_MESSAGE_HEADER_MAX 60000
#define RTLS_MESSAGE_FIELDS_MAX 64

struct rtls_message_field {
	struct rtls_slice name; /* of a rule */
	struct rtls_slice value, addresses;
};

struct rtls_message {
	bool is_complete; /* a field that is not here is not there */
	size_t count;     /* of fields that rules are about */
	struct rtls_message_field field[RTLS_MESSAGE_FIELDS_MAX];
	unsigned tls_required; /* how many of these, */
	bool tls_required_no;  /* and what the last one says */
	char *storage;         /* owned */
};

/*
 * Take a header line of the command line: one field, and no line end.
 *
 * header  what was taken so far, of RTLS_MESSAGE_HEADER_MAX + 1 bytes
 * RTLS_INVALID  it is no header line, or there are too many
 */
RTLS_MUST_CHECK enum rtls_status rtls_message_add(
	char *header, const char *line, struct rtls_err *err);

/* The same of a message: of its text the lines before the first empty one. */
RTLS_MUST_CHECK enum rtls_status rtls_message_add_all(
	char *header, struct rtls_slice text, struct rtls_err *err);

/*
 * header   the lines
 * message  its is_complete is set, the rest is zero; filled on RTLS_OK, to be freed in any case
 * RTLS_INVALID    rules are about too many fields
 * RTLS_TEMPORARY  Exim could not be asked; err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_message_read(
	const struct rtls_config *config, const struct rtls_rules *rules,
	const char *header, struct rtls_message *message, struct rtls_err *err);
void rtls_message_free(struct rtls_message *message);

/* NULL: no rule is about it, or it is not given. */
const struct rtls_message_field *rtls_message_field(
	const struct rtls_message *message, struct rtls_slice name);

#endif
