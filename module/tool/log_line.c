/* log_line.c - see log_line.h.
 *
 *   line = date SP time [SP zone] [SP "[" pid "]"] SP id SP text
 *   id   = 6base62 "-" (6base62 "-" 2base62 / 11base62 "-" 4base62) */
#include "tool/log_line.h"

#include <stdint.h>
#include <string.h>

#include "policy/field.h"

#define OURS "requiretls: "

/* --- whose it is ---------------------------------------------------------------------- */

static bool is_alnum(struct rtls_slice text, size_t size)
{
	for (size_t i = 0; i < text.size; i++)
		if (!rtls_byte_is_alnum(text.data[i]))
			return false;
	return text.size == size;
}

bool rtls_log_is_id(struct rtls_slice text)
{
	const bool is_short = text.size == 16;
	struct rtls_slice rest = text;

	if (!is_short && text.size != RTLS_LOG_ID_MAX)
		return false;
	if (!is_alnum(rtls_slice_take(&rest, '-'), 6))
		return false;
	return is_alnum(rtls_slice_take(&rest, '-'), is_short ? 6 : 11) &&
	       is_alnum(rest, is_short ? 2 : 4);
}

/* Digits where the form has a 0, and everything else as it is. */
static bool has_form(struct rtls_slice text, const char *form)
{
	const size_t size = strlen(form);

	if (text.size < size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (form[i] == '0' ? !rtls_byte_is_digit(text.data[i])
				   : text.data[i] != form[i])
			return false;
	return true;
}

/* With digits behind a dot, where the site logs milliseconds. */
static bool is_time(struct rtls_slice word)
{
	static const char form[] = "00:00:00";
	struct rtls_slice rest;

	if (!has_form(word, form))
		return false;
	rest = rtls_slice_n(word.data + strlen(form), word.size - strlen(form));
	for (size_t i = 0; i < rest.size; i++)
		if (i == 0 ? rest.data[i] != '.'
			   : !rtls_byte_is_digit(rest.data[i]))
			return false;
	return true;
}

static bool is_zone(struct rtls_slice word)
{
	return word.size == 5 &&
	       (has_form(word, "+0000") || has_form(word, "-0000"));
}

static bool is_pid(struct rtls_slice word)
{
	return word.size > 2 && word.data[0] == '[' &&
	       word.data[word.size - 1] == ']';
}

enum rtls_status rtls_log_line_parse(
	struct rtls_slice text, struct rtls_log_line *line)
{
	struct rtls_slice rest = text, date, time, word;

	if (!rtls_slice_word(&rest, &date) || date.size != 10 ||
		!has_form(date, "0000-00-00"))
		return RTLS_NONE;
	if (!rtls_slice_word(&rest, &time) || !is_time(time))
		return RTLS_NONE;
	if (!rtls_slice_word(&rest, &word))
		return RTLS_NONE;
	if (is_zone(word)) {
		time = word;
		if (!rtls_slice_word(&rest, &word))
			return RTLS_NONE;
	}
	if (is_pid(word) && !rtls_slice_word(&rest, &word))
		return RTLS_NONE;
	if (!rtls_log_is_id(word))
		return RTLS_NONE;
	line->time = rtls_slice_n(
		date.data, (size_t)(time.data + time.size - date.data));
	line->id = word;
	line->text = rtls_slice_trim(rest);
	return RTLS_OK;
}

/* The size of the word at the front, quoted parts with their blanks in it. */
static size_t word_size(struct rtls_slice text)
{
	bool quoted = false;
	size_t size = 0;

	while (size < text.size && (quoted || text.data[size] != ' ')) {
		if (text.data[size] == '\\' && quoted && size + 1 < text.size)
			size++;
		else if (text.data[size] == '"')
			quoted = !quoted;
		size++;
	}
	return size;
}

/* Not where a subject or an address says so, between quotes. */
bool rtls_log_line_reference(
	const struct rtls_log_line *line, struct rtls_slice *id)
{
	struct rtls_slice rest = line->text;

	if (!rtls_slice_starts(rest, "<= <> "))
		return false;
	while (rest.size > 0) {
		struct rtls_slice word =
			rtls_slice_n(rest.data, word_size(rest));

		if (rtls_slice_starts(word, "R=") &&
			rtls_log_is_id(
				rtls_slice_n(word.data + 2, word.size - 2))) {
			*id = rtls_slice_n(word.data + 2, word.size - 2);
			return true;
		}
		rest = rtls_slice_n(
			rest.data + word.size, rest.size - word.size);
		rest = rtls_slice_trim(rest);
	}
	return false;
}

bool rtls_log_line_is_ours(const struct rtls_log_line *line)
{
	return rtls_slice_starts(line->text, OURS);
}

/* --- what it means --------------------------------------------------------------------- */

struct meaning {
	const char *words; /* somewhere in the line */
	const char *text;
};

/* Of lines of the module about a host; what stands first in the line counts, for behind it may be
 * what a certificate says. */
static const struct meaning hosts[] = {
	{ " refused: not in the MTA-STS policy of ",
		"this host is not used: the policy of the domain does not name "
		"it. The next one is tried" },
	{ " refused: its TLSA lookup failed",
		"this host is not used: whether it has DANE is not known" },
	{ " refused: it stands for one whose address",
		"one of the hosts is not used: its address cannot be looked "
		"up now" },
	{ " refused: STARTTLS is not offered",
		"this host is not used: it offers no TLS, and this message may "
		"not go in clear" },
	{ " refused: STARTTLS offered, but",
		"this host is not used: TLS did not come about" },
	{ " refused: no routing decision",
		"not sent: a router of this site uses our transport without "
		"asking first" },
	{ " refused: 5.7.",
		"this host is not used: Exim itself found that it lacks what "
		"REQUIRETLS demands" },
	{ " certificate refused: DANE validation failed",
		"this host is not used: its certificate does not fit its TLSA "
		"records" },
	{ " certificate refused: not judged",
		"this host is not used: certificates cannot be judged here; "
		"look at the key ca_file" },
	{ " certificate refused: ",
		"this host is not used: its certificate is not good; the "
		"reason stands behind it" },
	{ " would be refused, were the MTA-STS policy",
		"delivered all the same: the policy of the domain is in mode "
		"testing" },
	{ " would be refused, were ",
		"delivered all the same: an exemption of this site says so" },
	{ " is used by this Exim although ",
		"delivered all the same: ordinary mail, to a host whose "
		"certificate its DANE-TA records do not allow" },
	{ " has TLSA records, but Exim does not use them",
		"this site's resolver hides DNSSEC from Exim" },
};

/* Of its other lines. */
static const struct meaning others[] = {
	{ " refused: 5.7.30 ",
		"returned to the sender: it is flagged for REQUIRETLS in full, "
		"and this Exim cannot say REQUIRETLS to the next host" },
	{ " refused: 5.7.10 REQUIRETLS: nothing vouches",
		"returned to the sender: it is flagged, and neither DNSSEC nor "
		"a policy says that these are the right hosts" },
	{ " refused: 5.7.10 REQUIRETLS: the MTA-STS policy of ",
		"returned to the sender: it is flagged, and the domain's "
		"policy names none of its own hosts" },
	{ " refused: 5.7.10 the MX answer for ",
		"returned to the sender: a rule of this site demands a signed "
		"MX answer, and it is not signed" },
	{ " refused: 5.7.10 an address literal",
		"returned to the sender: an address in brackets has no name "
		"that a certificate could prove" },
	{ " refused: 5.7.10 no ",
		"returned to the sender: it is flagged, and every host was "
		"refused at the attempt before" },
	{ " refused: 5.1.10 ",
		"returned to the sender: the domain takes no mail at all" },
	{ " refused: 5.1.2 ",
		"returned to the sender: the domain does not exist, or has no "
		"mail host" },
	{ " put off: 4.7.0 the MX answer for ",
		"it waits: the DNS answer is forged or broken (DNSSEC)" },
	{ " put off: 4.7.0 a rule of this site requires",
		"it waits: a rule of this site requires a policy of the "
		"domain, and there is none now" },
	{ " put off: 4.7.0 ",
		"it waits: whether the domain has a policy cannot be found out "
		"now, and going on could be wrong" },
	{ " put off: 4.4.3 ", "it waits: the domain cannot be looked up now" },
	{ " put off: 4.3.",
		"it waits: trouble of this machine; other lines near it say "
		"which" },
	{ "possible downgrade: ",
		"the domain's MTA-STS got weaker: usually they gave it up, now "
		"and then somebody wants to read the mail" },
	{ " ran out and could not be fetched anew",
		"the domain's policy is over, and no longer protects mail" },
	{ " not fetched", "the domain's policy could not be fetched" },
	{ ": the exemption of ",
		"an exemption of this site is over, and has no effect" },
	{ " could not resolve it: ",
		"the program could not look the domain up; what is cached "
		"counts" },
	{ ": cache record ignored: ",
		"what was cached cannot be used, and is looked up anew" },
	{ ": cached policy ignored: ", "the policy in the cache is broken" },
	{ "configuration error: ",
		"a mistake in this site's configuration; mail waits" },
	{ "message refused for now: ",
		"a mistake in this site's configuration; the client comes "
		"again" },
	{ "TLS-Required header ignored: ",
		"the header TLS-Required does not count; an ordinary message" },
	{ "the message was not looked at when it was received",
		"it came before the module was there, so its headers could not "
		"flag it" },
	{ "the body of a returned message stays",
		"the report about a flagged message could not be cut" },
	{ "cannot note the refusal: ",
		"it goes on waiting where it should be returned" },
	{ "TLS-RPT journal not written: ",
		"a result will be missing from the TLS report" },
	{ " class=strict",
		"decided: it is flagged, and goes only over verified TLS, to "
		"hosts that DNSSEC or a policy vouches for" },
	{ " class=enforce",
		"decided: it goes only over verified TLS, to the hosts that "
		"policy and rules allow" },
	{ " class=observe",
		"decided: it goes as without the module, and what happens is "
		"noted" },
	{ " class=relaxed",
		"decided: the sender prefers delivery to protection, so "
		"nothing is demanded" },
};

/* Of Exim's own lines. */
static const struct meaning exims[] = {
	{ "Event requests alternate response",
		"Exim's words for: the module refused this host" },
	{ "SSL verify denied by event-action",
		"Exim's words for: the module refused this certificate" },
	{ "retry time not reached",
		"nothing was tried: the time for the next attempt has not "
		"come" },
	{ "retry timeout exceeded", "given up: it waited too long" },
	{ "a TLS session is required",
		"TLS is demanded here, and this host does not offer it or it "
		"failed" },
	{ "DANE error", "Exim's own check of the host's TLSA records failed" },
	{ "certificate verification failed",
		"Exim found the host's certificate not good" },
	{ "TLS error", "TLS with this host failed" },
	{ "SMTP error from remote mail server",
		"the other side said no, or not now" },
	{ "Frozen", "it is frozen: Exim does not try any more by itself" },
	{ "host lookup ", "a name could not be looked up" },
	{ "Connection refused", "nothing listens there" },
	{ "Connection timed out", "the host did not answer" },
};

struct front {
	const char *words; /* at the beginning */
	const char *text;
};

static const struct front fronts[] = {
	{ "<= <> ", "a report about another message was made here" },
	{ "<= ", "the message arrived here" },
	{ "=> ", "delivered" },
	{ "-> ", "delivered, in the same transaction" },
	{ ">> ", "passed on while it came in" },
	{ "*> ", "not delivered: this was a test" },
	{ "(= ", "held for a delivery to come" },
	{ "** ", "failed for good: it goes back to the sender" },
	{ "== ", "put off: it is tried again later" },
	{ "Completed", "nothing is left to do for this message" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Where the words begin, from 1; 0: nowhere. */
static size_t place_of(struct rtls_slice text, const char *words)
{
	const char *at = text.size == 0 ? NULL
					: memmem(text.data, text.size, words,
						  strlen(words));

	return at == NULL ? 0 : (size_t)(at - text.data) + 1;
}

/* The row whose words come first in the text; of several there the first row. */
static const char *find(
	const struct meaning *table, size_t count, struct rtls_slice text)
{
	const char *found = NULL;
	size_t first = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		const size_t place = place_of(text, table[i].words);

		if (place != 0 && place < first) {
			first = place;
			found = table[i].text;
		}
	}
	return found;
}

static const char *front_of(struct rtls_slice text)
{
	for (size_t i = 0; i < COUNT(fronts); i++)
		if (rtls_slice_starts(text, fronts[i].words))
			return fronts[i].text;
	return NULL;
}

/* How an attempt ended is said by its front; only of the rest the words count, for in
 * addresses, subjects and answers anybody may write them. */
const char *rtls_log_line_meaning(const struct rtls_log_line *line)
{
	const char *text;

	if (rtls_log_line_is_ours(line)) {
		text = rtls_slice_starts(line->text, OURS "host ")
			       ? find(hosts, COUNT(hosts), line->text)
			       : find(others, COUNT(others), line->text);
		return text != NULL ? text
				    : "a line of the module that this program "
				      "does not know";
	}
	text = front_of(line->text);
	if (text == NULL)
		text = find(exims, COUNT(exims), line->text);
	return text != NULL ? text : "a line of Exim's own";
}

/* --- what else a line says ------------------------------------------------------------- */

static const struct meaning details[] = {
	{ " by=esmtp", "flagged by whoever handed it in (REQUIRETLS)" },
	{ " by=tag", "flagged by the tag in the address" },
	{ " by=acl", "flagged by an ACL of this site" },
	{ " by=rule", "flagged by a rule about its headers" },
	{ " by=bounce", "flagged as what it is a report about" },
	{ " by=header", "the header TLS-Required: No" },
	{ " rule=dnssec-secure", "a rule demands a signed MX answer" },
	{ " rule=require-", "a rule requires this of all mail to the domain" },
	{ " exempt=", "an exemption lifts what would be demanded" },
	{ " sts=enforce", "the domain's MTA-STS policy is enforced" },
	{ " sts=testing", "the domain's MTA-STS policy is in mode testing "
			  "here" },
	{ " (DNSSEC)", "DNSSEC vouches for the hosts" },
};

const char *rtls_log_line_detail(const struct rtls_log_line *line, size_t index)
{
	const struct rtls_slice text = line->text;

	if (!rtls_log_line_is_ours(line) ||
		rtls_slice_starts(text, OURS "host "))
		return NULL;
	if (place_of(text, " class=") == 0 &&
		place_of(text, " refused: 5.") == 0 &&
		place_of(text, " put off: ") == 0)
		return NULL;
	for (size_t i = 0; i < COUNT(details); i++)
		if (place_of(text, details[i].words) != 0 && index-- == 0)
			return details[i].text;
	return NULL;
}
