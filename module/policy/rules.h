/* rules.h - the rules file: which messages are flagged by their headers, what
 * flagged mail demands of which domain, and what all mail to a domain demands.
 * Pure: no allocation, no I/O, safe on any bytes.
 *
 *   # comment
 *   flag   <Header> <wildcard>            flags REQUIRETLS
 *   dnssec <Header> <wildcard> [SECURE]   asks for, or requires, a DNSSEC MX
 *   level  <domain wildcard> <level>      in place of the key requiretls; the first
 *                                         that matches counts
 *   require <domain wildcard> <what>      verified, sts or dnssec, of every message
 *                                         to it; all that match add up
 *
 * The wildcard is the rest of the line (for dnssec without a last word SECURE,
 * in any case); a quoted one ("...") may begin or end with blanks. In it "*" is
 * any text and "?" any one byte, all else (also "[") is itself; case does not
 * count. */
#ifndef RTLS_RULES_H
#define RTLS_RULES_H

#include "config.h"
#include "flags.h"
#include "mistake.h"
#include "protection.h"
#include "slice.h"

#define RTLS_RULES_MAX      256
#define RTLS_RULES_SIZE_MAX RTLS_LINES_SIZE_MAX
#define RTLS_FIELD_NAME_MAX 64

struct rtls_rule {
	bool flag; /* else a dnssec rule */
	bool secure;
	unsigned line;
	struct rtls_slice field; /* letters, digits, hyphens */
	struct rtls_slice pattern;
};

struct rtls_level_rule {
	enum rtls_level level;
	unsigned line;
	struct rtls_slice domain; /* a wildcard; domains are A-labels */
};

struct rtls_require_rule {
	unsigned protection; /* verified, sts or dnssec */
	unsigned line;
	struct rtls_slice domain;
};

/* Slices borrow from the text. */
struct rtls_rules {
	size_t count;
	struct rtls_rule rule[RTLS_RULES_MAX];
	size_t level_count;
	struct rtls_level_rule level[RTLS_RULES_MAX];
	size_t require_count;
	struct rtls_require_rule require[RTLS_RULES_MAX];
};

/*
 * text   the file's content; borrowed
 * rules  filled on RTLS_OK, else untouched
 * err    "line N: what was expected" on RTLS_INVALID
 */
RTLS_MUST_CHECK enum rtls_status rtls_rules_parse(
	struct rtls_slice text, struct rtls_rules *rules, struct rtls_err *err);

/* At worst one step per byte of text and byte of pattern; no recursion. */
bool rtls_wildcard_matches(struct rtls_slice pattern, struct rtls_slice text);

/* Can it stand for a domain in A-labels: letters, digits, "-._*?", no empty
 * label? */
bool rtls_wildcard_is_domain(struct rtls_slice pattern);
#define RTLS_WILDCARD_EXPECTED "a domain, which may have * and ? in it"

/* What Exim is to expand for a field, in the format of printf() with size and text of its name: its
 * value, encoded words undone and lines joined, and the addresses in it, one a line. Where there are
 * several fields of a name, of each: joined they may be no list any more. */
#define RTLS_FIELD_EXPAND_VALUE "$h_%.*s:"
#define RTLS_FIELD_EXPAND_ADDRESSES                                            \
	"${reduce{$lh_%.*s:}{}{$value\\n${addresses:>\\n $item}}}"

/* Does the field match, as a whole or by any one address in it? A field that is not there, or is
 * empty, does not. */
bool rtls_rule_matches(const struct rtls_rule *rule, struct rtls_slice value,
	struct rtls_slice addresses);

/* Adds to flags what a rule that matched asks for; never takes away. */
void rtls_rule_apply(const struct rtls_rule *rule, struct rtls_flags *flags);

/* requiretls = disable, and no line that says otherwise of some domain: flags come off, but for
 * what Exim promised the client (RFC 8689 section 4.1). */
void rtls_rules_settle(const struct rtls_rules *rules, enum rtls_level fallback,
	struct rtls_flags *flags);

/* RFC 8689 section 3, for a header TLS-Required: No that counts: relax what nothing
 * flags. NULL, or why the header is ignored; "" when a flag goes before. */
const char *rtls_rules_relax(struct rtls_flags *flags);

/* The line that says what flagged mail demands of this domain; NULL: none does. */
const struct rtls_level_rule *rtls_rules_level_rule(
	const struct rtls_rules *rules, struct rtls_slice domain);

/* What flagged mail demands of this domain; fallback where no rule says. */
enum rtls_level rtls_rules_level(const struct rtls_rules *rules,
	struct rtls_slice domain, enum rtls_level fallback);

/* The first line that requires this one protection of the domain; NULL: none does. */
const struct rtls_require_rule *rtls_rules_require_rule(
	const struct rtls_rules *rules, struct rtls_slice domain,
	unsigned protection);

/* The protections that every message to this domain needs, a set. */
unsigned rtls_rules_required(
	const struct rtls_rules *rules, struct rtls_slice domain);

#endif
