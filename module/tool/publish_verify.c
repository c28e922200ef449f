/* publish_verify.c - see publish.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/txt.h"
#include "store/cache.h"
#include "store/file.h"
#include "tool/publish.h"
#include "tool/verb.h"

#define PATH_SIZE 1024

enum finding {
	GOOD,
	WRONG,
	MISSING, /* and nobody says that it has to be there */
	UNSEEN,  /* cannot be said now */
};

static const char *const finding_names[] = {
	[GOOD] = "good",
	[WRONG] = "WRONG",
	[MISSING] = "missing",
	[UNSEEN] = "unseen",
};

struct verification {
	const char *domain;
	const struct rtls_published *looked;
	json_t *json; /* NULL: for people */
	bool any_wrong;
	bool any_unseen;
};

RTLS_PRINTF(4, 5)
static void tell(struct verification *verification, enum finding finding,
	const char *what, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	verification->any_wrong = verification->any_wrong || finding == WRONG;
	verification->any_unseen =
		verification->any_unseen || finding == UNSEEN;
	if (verification->json == NULL)
		(void)printf(
			"%-8s %-14s %s\n", finding_names[finding], what, text);
	else
		(void)json_array_append_new(verification->json,
			json_pack("{s:s, s:s, s:o}", "what", what, "finding",
				finding == WRONG ? "wrong"
						 : finding_names[finding],
				"text", rtls_verb_json(rtls_slice(text))));
}

static void verify_txt(struct verification *verification, const char *what,
	const char *owner, const struct rtls_published_txt *txt,
	enum finding without)
{
	const char *domain = verification->domain;
	struct rtls_quoted q;

	switch (txt->state) {
	case RTLS_TXT_VALID:
		tell(verification, GOOD, what, "%s.%s: %s", owner, domain,
			rtls_quoted(&q, rtls_slice(txt->text)));
		break;
	case RTLS_TXT_INVALID:
		tell(verification, WRONG, what, "%s.%s: %s", owner, domain,
			txt->why);
		break;
	case RTLS_TXT_FAILED:
		tell(verification, UNSEEN, what, "%s.%s: %s", owner, domain,
			txt->why);
		break;
	default:
		tell(verification, without, what, "%s.%s: there is no record",
			owner, domain);
	}
}

static void verify_policy(struct verification *verification)
{
	const struct rtls_published *looked = verification->looked;
	const char *domain = verification->domain;

	if (looked->policy_host.outcome == RTLS_DNS_FAILED)
		tell(verification, UNSEEN, "policy",
			"mta-sts.%s cannot be looked up now", domain);
	else if (looked->policy_host.outcome != RTLS_DNS_FOUND)
		tell(verification, WRONG, "policy", "mta-sts.%s has no address",
			domain);
	else if (!looked->fetched)
		tell(verification, looked->fetch.is_ours ? UNSEEN : WRONG,
			"policy", "%s %s",
			rtls_result_name(looked->fetch.failure),
			looked->fetch.reason);
	else if (!looked->has_policy)
		tell(verification, WRONG, "policy", "%s", looked->policy_why);
	else
		tell(verification, GOOD, "policy",
			"mode %s, max_age %lu, %zu mx; certificate good, "
			"text/plain%s",
			rtls_sts_mode_name(looked->policy.mode),
			looked->policy.max_age_s, looked->policy.mx_count,
			looked->policy_host.is_cname
				? "; served by whoever its CNAME leads to"
				: "");
}

static void verify_mx(struct verification *verification)
{
	const struct rtls_published *looked = verification->looked;

	if (!looked->has_policy || looked->policy.mode == RTLS_STS_NONE)
		return;
	if (looked->mx == RTLS_MX_FAILED)
		tell(verification, UNSEEN, "mx",
			"the MX hosts cannot be looked up now");
	else if (looked->mx_count == 0)
		tell(verification, MISSING, "mx", "there is no MX host");
	for (size_t i = 0; i < looked->mx_count; i++) {
		const char *host = looked->mx_host[i];
		const struct rtls_slice *pattern = rtls_sts_policy_match(
			&looked->policy, rtls_slice(host));
		struct rtls_quoted q;

		if (pattern != NULL)
			tell(verification, GOOD, "mx", "%s: mx: %s", host,
				rtls_quoted(&q, *pattern));
		else
			tell(verification, WRONG, "mx",
				"%s is not in the policy", host);
	}
}

/* --- compared with what senders have, as far as this one knows ----------------------------- */

/* Line ends aside. */
static bool is_same_policy(struct rtls_slice a, struct rtls_slice b)
{
	struct rtls_slice line, other;

	for (;;) {
		const bool has_line = rtls_slice_line(&a, &line);

		if (has_line != rtls_slice_line(&b, &other))
			return false;
		if (!has_line)
			return true;
		if (!rtls_slice_equal(line, other))
			return false;
	}
}

/* RFC 8461 section 3.1: senders look at the policy again when the id is another one. */
static void compare_cached(
	struct verification *verification, const struct rtls_config *config)
{
	static char buffer[RTLS_RECORD_SIZE_MAX + 1];
	static struct rtls_record record;
	const struct rtls_published *looked = verification->looked;

	if (!looked->fetched || looked->sts.state != RTLS_TXT_VALID ||
		rtls_cache_get(config->spool, verification->domain, buffer,
			&record, NULL) != RTLS_OK ||
		record.policy_text.size == 0 ||
		!rtls_slice_is(record.policy_id, looked->sts_id) ||
		is_same_policy(record.policy_text, looked->fetch.body))
		return;
	tell(verification, WRONG, "id",
		"the policy is another one than that which was fetched under "
		"id %s: give the record a new id, else senders stay with the "
		"old one",
		looked->sts_id);
}

/* --- compared with what was written ------------------------------------------------------- */

static bool read_written(struct verification *verification,
	const char *directory, const char *name, char *buffer, size_t size_max,
	struct rtls_slice *text)
{
	char path[PATH_SIZE];
	struct rtls_err err = { "" };

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (rtls_file_read(path, buffer, size_max, text, &err) == RTLS_OK)
		return true;
	tell(verification, UNSEEN, "same", "%s cannot be read: %s", path,
		err.text[0] == '\0' ? "no such file" : err.text);
	return false;
}

static void compare_policy(
	struct verification *verification, const char *directory)
{
	static char buffer[RTLS_STS_POLICY_SIZE_MAX + 1];
	const struct rtls_published *looked = verification->looked;
	struct rtls_slice written;

	if (!looked->fetched ||
		!read_written(verification, directory, RTLS_PUBLISH_POLICY_FILE,
			buffer, RTLS_STS_POLICY_SIZE_MAX, &written))
		return;
	if (rtls_slice_equal(written, looked->fetch.body))
		tell(verification, GOOD, "same",
			"the policy is what was written");
	else
		tell(verification, WRONG, "same",
			"the policy is not what was written to %s/%s",
			directory, RTLS_PUBLISH_POLICY_FILE);
}

/* The value of the first record in the zone file; borrows from it, or from out. */
static bool written_record(struct rtls_slice zone, char *out, size_t out_size,
	struct rtls_slice *value)
{
	struct rtls_slice line;

	if (!rtls_slice_line(&zone, &line))
		return false;
	(void)rtls_slice_take(&line, '"');
	if (line.size == 0) /* no quote in it */
		return false;
	return rtls_txt_join(rtls_slice_n(line.data - 1, line.size + 1), out,
		       out_size, value, NULL) == RTLS_OK;
}

static void compare_record(
	struct verification *verification, const char *directory)
{
	static char buffer[RTLS_PUBLICATION_TEXT_SIZE + 1];
	char joined[RTLS_DNS_TEXT_MAX];
	struct rtls_slice value;
	const struct rtls_published *looked = verification->looked;
	struct rtls_sts_record record;
	struct rtls_slice zone;
	char path[PATH_SIZE];

	if (looked->sts.state != RTLS_TXT_VALID ||
		!read_written(verification, directory, RTLS_PUBLISH_ZONE_FILE,
			buffer, RTLS_PUBLICATION_TEXT_SIZE, &zone))
		return;
	(void)snprintf(
		path, sizeof(path), "%s/%s", directory, RTLS_PUBLISH_ZONE_FILE);
	if (!written_record(zone, joined, sizeof(joined), &value) ||
		rtls_sts_record_parse(value, &record, NULL) != RTLS_OK)
		tell(verification, UNSEEN, "same", "no record of ours is in %s",
			path);
	else if (rtls_slice_is(record.id, looked->sts_id))
		tell(verification, GOOD, "same", "the id is what was written");
	else
		tell(verification, WRONG, "same",
			"the id in DNS, %s, is not the one written to %s",
			looked->sts_id, path);
}

int rtls_publish_verify(const struct rtls_config *config, const char *domain,
	const struct rtls_published *looked, const char *directory, bool json)
{
	struct verification verification = { .domain = domain,
		.looked = looked,
		.json = json ? json_array() : NULL };
	int exit_status;

	verify_txt(
		&verification, "sts-record", "_mta-sts", &looked->sts, WRONG);
	verify_policy(&verification);
	verify_mx(&verification);
	verify_txt(&verification, "tlsrpt-record", "_smtp._tls",
		&looked->tlsrpt, MISSING);
	compare_cached(&verification, config);
	if (directory != NULL) {
		compare_policy(&verification, directory);
		compare_record(&verification, directory);
	}
	exit_status = verification.any_wrong    ? EX_DATAERR
		      : verification.any_unseen ? EX_TEMPFAIL
						: EX_OK;
	return json ? rtls_verb_print_json(verification.json, exit_status)
		    : exit_status;
}
