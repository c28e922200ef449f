/* field.h - what the TXT records of RFC 8461 section 3.1 and RFC 8460 section
 * 3 (and in part the policy of RFC 8461 section 3.2) have in common: a
 * version, then fields "name=value" with delimiters.
 * Pure, safe on any bytes. Consumers advance rest only when they return true. */
#ifndef RTLS_FIELD_H
#define RTLS_FIELD_H

#include "slice.h"
#include "status.h"

bool rtls_byte_is_digit(char byte);
bool rtls_byte_is_alpha(char byte); /* ASCII, whatever the locale */
bool rtls_byte_is_alnum(char byte);

/* *WSP: takes the blanks at the front, if any. */
void rtls_field_blanks(struct rtls_slice *rest);

bool rtls_field_byte(struct rtls_slice *rest, char byte);

/* (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / "."); a longer run of these
 * is no name. */
bool rtls_field_name(struct rtls_slice *rest, struct rtls_slice *name);

/* 1*(%x21-3A / %x3C / %x3E-7E): printable without "=", ";" and space. */
bool rtls_field_value(struct rtls_slice *rest, struct rtls_slice *value);

/* *WSP ";" *WSP */
bool rtls_field_delim(struct rtls_slice *rest);

/*
 * The version at the front and its delimiter. The text of both RFCs discards
 * what does not begin with "v=STSv1;", but their ABNF allows *WSP before the
 * ";" (EID 6285): we follow the ABNF.
 */
bool rtls_field_version(struct rtls_slice *rest, const char *version);

/* Does the text name this version, whatever stands behind it? "v=STSv10" does
 * not. */
bool rtls_field_claims(struct rtls_slice text, const char *version);

/* "expected name=value ...": sets err, gives RTLS_INVALID. */
enum rtls_status rtls_field_invalid(
	struct rtls_slice rest, struct rtls_err *err);

/*
 * Of all TXT records of a name, the one to parse. Records that do not begin
 * with version and delimiter are discarded; only when nothing is left, one
 * that at least names the version is taken, so that it gets its diagnosis.
 *
 * RTLS_NONE     nothing of that version
 * RTLS_INVALID  several; err says so
 */
RTLS_MUST_CHECK enum rtls_status rtls_field_select(
	const struct rtls_slice *texts, size_t count, const char *version,
	struct rtls_slice *candidate, struct rtls_err *err);

#endif
