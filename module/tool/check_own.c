/* check_own.c - `check --own`: what else the owner of a domain needs: SPF, DKIM, DMARC, and in its
 * MTA-STS and TLSA what goes wrong with the next change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "policy/dkim_record.h"
#include "policy/dmarc.h"
#include "policy/timestamp.h"
#include "tool/check_own.h"

#define GOOD    RTLS_FINDING_GOOD
#define WARNING RTLS_FINDING_WARNING
#define BAD     RTLS_FINDING_BAD

#define LONG_DAYS    180
#define KEY_SIZE_MAX 4096
#define ED25519_SIZE 32

/* What receivers do with several records of a kind, and with none. */
struct kind {
	const char *topic;
	const char *
		version; /* how a record begins, case and blanks aside; "" : any */
};

static const struct kind spf_kind = { "spf", "v=spf1" };
static const struct kind dmarc_kind = { "dmarc", "v=DMARC1" };
static const struct kind dkim_kind = { "dkim", "" };

static bool is_of(const struct kind *kind, struct rtls_slice text)
{
	size_t size = strlen(kind->version);

	return text.size >= size &&
	       rtls_slice_is_nocase(
		       rtls_slice_n(text.data, size), kind->version);
}

/* The one record of that kind. False: there is none, or several, or it cannot be known; said. */
static bool take_record(struct rtls_check *check, const struct kind *kind,
	const struct rtls_dns_query *query, enum rtls_finding_level if_none,
	const char *advice, struct rtls_slice *text)
{
	struct rtls_quoted why;
	size_t count = 0;

	if (query->outcome == RTLS_DNS_FAILED) {
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			kind->topic, "look at the domain's name servers",
			"the TXT lookup for %s failed: %s", query->name,
			rtls_quoted(&why, rtls_slice(query->why)));
		return false;
	}
	for (size_t i = 0; query->outcome == RTLS_DNS_FOUND && i < query->count;
		i++)
		if (is_of(kind, query->record[i].text)) {
			*text = query->record[i].text;
			count++;
		}
	if (count == 0)
		rtls_findings_add(&check->findings, if_none, kind->topic,
			advice, "no such record at %s", query->name);
	else if (count > 1)
		rtls_findings_add(&check->findings, BAD, kind->topic,
			"receivers take several for none: leave one",
			"%zu records at %s", count, query->name);
	return count == 1;
}

static void add_invalid(struct rtls_check *check, const char *topic,
	const struct rtls_dns_query *query, const struct rtls_err *err)
{
	rtls_findings_add(&check->findings, BAD, topic,
		"receivers take it for broken: correct it", "%s: %s",
		query->name, err->text);
}

/* --- SPF -------------------------------------------------------------------------------- */

static void check_spf(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	struct rtls_slice text = { NULL, 0 };
	struct rtls_err err = { "" };
	struct rtls_spf record;

	if (!take_record(check, &spf_kind, query, WARNING,
		    "publish one: \"v=spf1 mx -all\", say", &text))
		return;
	if (rtls_spf_parse(text, &record, &err) == RTLS_OK)
		rtls_check_spf(check, text, &record);
	else
		add_invalid(check, "spf", query, &err);
}

/* --- DMARC -------------------------------------------------------------------------------- */

static void judge_dmarc(
	struct rtls_check *check, const struct rtls_dmarc *record)
{
	bool is_none = record->policy == RTLS_DMARC_NONE;

	rtls_findings_add(&check->findings, is_none ? WARNING : GOOD, "dmarc",
		is_none ? "when the reports are good, change it to quarantine "
			  "or reject"
			: NULL,
		"p=%s", rtls_dmarc_policy_name(record->policy));
	if (!is_none && record->percent < 100)
		rtls_findings_add(&check->findings, WARNING, "dmarc",
			"leave pct out in the end", "only for %u %% of mail",
			record->percent);
	if (record->rua.size == 0)
		rtls_findings_add(&check->findings, WARNING, "dmarc",
			"rua=mailto:...: without reports nobody knows what "
			"fails",
			"no rua");
}

static void check_dmarc(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	struct rtls_slice text = { NULL, 0 };
	struct rtls_err err = { "not a DMARC record" };
	struct rtls_dmarc record;

	if (!take_record(check, &dmarc_kind, query, WARNING,
		    "publish \"v=DMARC1; p=none; rua=mailto:...\" at first; "
		    "where the domain above has one, that counts",
		    &text))
		return;
	if (rtls_dmarc_parse(text, &record, &err) == RTLS_OK)
		judge_dmarc(check, &record);
	else
		add_invalid(check, "dmarc", query, &err);
}

/* --- DKIM ----------------------------------------------------------------------------------- */

/* Base64 without the blanks that may stand in it; false: too long for any key. */
static bool decode(struct rtls_slice text, gnutls_datum_t *out)
{
	char squeezed[KEY_SIZE_MAX];
	gnutls_datum_t base64 = { (unsigned char *)squeezed, 0 };

	if (text.size > sizeof(squeezed))
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != ' ' && text.data[i] != '\t')
			squeezed[base64.size++] = text.data[i];
	return gnutls_base64_decode2(&base64, out) == 0;
}

/* Of an RSA key in SubjectPublicKeyInfo; 0: it is none. */
static unsigned rsa_bits(const gnutls_datum_t *der)
{
	gnutls_pubkey_t key;
	unsigned bits = 0;

	if (gnutls_pubkey_init(&key) != 0)
		return 0;
	if (gnutls_pubkey_import(key, der, GNUTLS_X509_FMT_DER) != 0 ||
		gnutls_pubkey_get_pk_algorithm(key, &bits) != GNUTLS_PK_RSA)
		bits = 0;
	gnutls_pubkey_deinit(key);
	return bits;
}

static void judge_rsa(struct rtls_check *check, const char *name, unsigned bits)
{
	if (bits == 0)
		rtls_findings_add(&check->findings, BAD, "dkim",
			"publish the public key as openssl rsa -pubout writes "
			"it, without line ends",
			"%s: p is no RSA key", name);
	else if (bits < 1024)
		rtls_findings_add(&check->findings, BAD, "dkim",
			"make a new one of 2048 bits",
			"%s: a key of %u bits, which receivers do not take",
			name, bits);
	else
		rtls_findings_add(&check->findings,
			bits < 2048 ? WARNING : GOOD, "dkim",
			bits < 2048 ? "make a new one of 2048 bits (RFC 8301)"
				    : NULL,
			"%s: an RSA key of %u bits", name, bits);
}

static void judge_key_data(struct rtls_check *check, const char *name,
	const struct rtls_dkim_record *key)
{
	gnutls_datum_t der = { NULL, 0 };

	if (!decode(key->key, &der)) {
		rtls_findings_add(&check->findings, BAD, "dkim",
			"publish the key anew", "%s: p is no base64", name);
		return;
	}
	if (key->type == RTLS_DKIM_RSA)
		judge_rsa(check, name, rsa_bits(&der));
	else if (der.size == ED25519_SIZE)
		rtls_findings_add(&check->findings, GOOD, "dkim", NULL,
			"%s: an Ed25519 key", name);
	else
		rtls_findings_add(&check->findings, BAD, "dkim",
			"p has to be the 32 bytes of the key (RFC 8463)",
			"%s: p is no Ed25519 key", name);
	gnutls_free(der.data);
}

static void judge_key(struct rtls_check *check, const char *name,
	const struct rtls_dkim_record *key)
{
	if (key->key.size == 0) {
		rtls_findings_add(&check->findings, BAD, "dkim",
			"sign with another selector", "%s: the key is revoked",
			name);
		return;
	}
	judge_key_data(check, name, key);
	if (key->is_testing)
		rtls_findings_add(&check->findings, WARNING, "dkim",
			"take y out of t when all works",
			"%s: in testing, signatures count for nothing", name);
	if (!key->has_mail)
		rtls_findings_add(&check->findings, WARNING, "dkim",
			"leave s out, or add email to it", "%s: not for mail",
			name);
	if (!key->has_tlsrpt)
		rtls_findings_add(&check->findings, WARNING, "dkim",
			"leave s out, or add tlsrpt to it",
			"%s: not for TLS reports (RFC 8460 section 3)", name);
}

static void check_dkim(
	struct rtls_check *check, const struct rtls_dns_query *query)
{
	struct rtls_slice text = { NULL, 0 };
	struct rtls_err err = { "" };
	struct rtls_dkim_record key;

	if (!take_record(check, &dkim_kind, query, BAD,
		    "publish the key, or is the selector another one?", &text))
		return;
	if (rtls_dkim_record_parse(text, &key, &err) == RTLS_OK)
		judge_key(check, query->name, &key);
	else
		add_invalid(check, "dkim", query, &err);
}

/* --- with the next change -------------------------------------------------------------------- */

/* Who has the policy cached looks at it again when the id has changed, and else when it runs out. */
static void check_id(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;
	const struct rtls_record *before = check->before;

	if (before == NULL || before->policy_text.size == 0 ||
		record->fetch != RTLS_FETCH_OK ||
		!rtls_slice_equal(before->policy_id, record->txt_id))
		return;
	if (rtls_slice_equal(before->policy_text, record->policy_text))
		rtls_findings_add(&check->findings, GOOD, "sts-policy", NULL,
			"it is the one of id=%.*s that was fetched before",
			(int)record->txt_id.size, record->txt_id.data);
	else
		rtls_findings_add(&check->findings, BAD, "sts-policy",
			"change the id of the TXT record now: until then "
			"senders go by the old policy",
			"it has changed since it was fetched last, and its "
			"id=%.*s has not",
			(int)record->txt_id.size, record->txt_id.data);
}

static void check_long_max_age(struct rtls_check *check)
{
	unsigned long days = check->policy.max_age_s / RTLS_DAY_S;

	if (check->has_policy && days > LONG_DAYS)
		rtls_findings_add(&check->findings, WARNING, "sts-policy",
			"some weeks to some months: a host that it does not "
			"name stays refused for so long",
			"max_age of %lu days: a mistake in it lives as long",
			days);
}

/* One record fits one key: between its change and that of DNS nobody delivers. */
static void check_rollover(struct rtls_check *check)
{
	const struct rtls_record *record = check->record;

	for (size_t i = 0; i < record->mx_count; i++) {
		size_t count = 0;

		for (size_t j = 0; j < record->tlsa_count; j++)
			count += rtls_slice_equal(record->tlsa[j].host,
					 record->mx[i].host)
					 ? 1
					 : 0;
		if (count == 1)
			rtls_findings_add(&check->findings, WARNING, "tlsa",
				"keep the key when the certificate is renewed, "
				"or publish the next key's record days before",
				"%.*s: one record only",
				(int)record->mx[i].host.size,
				record->mx[i].host.data);
	}
}

/* --- all of it --------------------------------------------------------------------------------- */

static void name_query(
	struct rtls_dns_query *query, const char *prefix, const char *domain)
{
	(void)snprintf(
		query->name, sizeof(query->name), "%s%s", prefix, domain);
	query->type = RTLS_DNS_TXT;
}

static bool name_selector(struct rtls_check *check, const char *selector,
	struct rtls_dns_query *query)
{
	char name[3 * RTLS_DOMAIN_SIZE], normalized[RTLS_DOMAIN_SIZE];
	struct rtls_quoted quoted;

	(void)snprintf(name, sizeof(name), "%.250s._domainkey.%s", selector,
		check->domain);
	if (rtls_domain_normalize(rtls_slice(name), normalized) == RTLS_OK) {
		name_query(query, "", normalized);
		return true;
	}
	rtls_findings_add(&check->findings, BAD, "dkim", NULL,
		"\"%s\" is no selector",
		rtls_quoted(&quoted, rtls_slice(selector)));
	return false;
}

static void ask(struct rtls_check *check,
	const struct rtls_check_options *options, struct rtls_dns_query *query)
{
	struct rtls_err err = { "" };
	size_t count = 2;

	name_query(&query[0], "", check->domain);
	name_query(&query[1], "_dmarc.", check->domain);
	for (size_t i = 0; i < options->selector_count; i++)
		if (name_selector(check, options->selector[i], &query[count]))
			count++;
	if (rtls_check_ask(check, query, count, &err) != RTLS_OK) {
		rtls_findings_add(&check->findings, RTLS_FINDING_UNKNOWN,
			"resolver", NULL, "%s", err.text);
		return;
	}
	check_spf(check, &query[0]);
	for (size_t i = 2; i < count; i++)
		check_dkim(check, &query[i]);
	if (options->selector_count == 0)
		rtls_findings_add(&check->findings, WARNING, "dkim",
			"name the selectors in use by --selector",
			"not checked");
	check_dmarc(check, &query[1]);
}

void rtls_check_own(
	struct rtls_check *check, const struct rtls_check_options *options)
{
	size_t count = 2 + options->selector_count;
	struct rtls_dns_query *query = calloc(count, sizeof(*query));

	if (query == NULL) {
		check->findings.is_cut = true;
		return;
	}
	check_id(check);
	check_long_max_age(check);
	check_rollover(check);
	ask(check, options, query);
	for (size_t i = 0; i < count; i++)
		rtls_dns_query_free(&query[i]);
	free(query);
}
