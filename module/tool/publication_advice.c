/* publication_advice.c - see publication.h: mistakes that others made before. */
#include "policy/timestamp.h"
#include "tool/publication.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rtls_advice_add(
	struct rtls_advice *advice, const char *kind, const char *format, ...)
{
	va_list args;

	if (advice->count == RTLS_ADVICE_MAX)
		return;
	advice->item[advice->count].kind = kind;
	va_start(args, format);
	(void)vsnprintf(advice->item[advice->count].text,
		sizeof(advice->item[0].text), format, args);
	va_end(args);
	advice->count++;
}

/* --- what it says by itself ------------------------------------------------------------ */

static void advise_age(
	const struct rtls_publication *publication, struct rtls_advice *advice)
{
	const unsigned long wanted = publication->mode == RTLS_STS_ENFORCE
					     ? RTLS_WEEK_S
					     : RTLS_DAY_S;

	if (publication->max_age_s < wanted)
		rtls_advice_add(advice, "max-age",
			"max_age %lu is short: who writes to you less often "
			"than that is not protected; take %s or more",
			publication->max_age_s,
			wanted == RTLS_WEEK_S ? "a week (7d)" : "a day (1d)");
}

/* A wildcard covers hosts that are no mail hosts, and whoever gets one of those. */
static void advise_wildcard(const struct rtls_publication *publication,
	const char *pattern, struct rtls_advice *advice)
{
	const struct rtls_slice base = rtls_slice(pattern + 2);
	const struct rtls_slice domain = rtls_slice(publication->domain);

	if (strchr(pattern + 2, '.') == NULL)
		rtls_advice_add(advice, "wildcard",
			"%s is everybody's: name your hosts", pattern);
	else if (rtls_slice_equal(base, domain) ||
		 (domain.size > base.size &&
			 rtls_slice_ends_nocase(domain, base)))
		rtls_advice_add(advice, "wildcard",
			"%s covers every host of %s, mail host or not; name "
			"the hosts, or a zone of mail hosts only",
			pattern, pattern + 2);
}

static bool is_below(struct rtls_slice name, struct rtls_slice zone)
{
	return rtls_slice_equal_nocase(name, zone) ||
	       (name.size > zone.size && rtls_slice_ends_nocase(name, zone) &&
		       name.data[name.size - zone.size - 1] == '.');
}

/* Of mailto behind the @; of https the host. */
static struct rtls_slice rua_domain(const struct rtls_rua *rua)
{
	struct rtls_slice rest = rtls_slice(rtls_rua_target(rua));

	if (rua->kind == RTLS_RUA_MAILTO) {
		(void)rtls_slice_take(&rest, '@');
		return rest;
	}
	(void)rtls_slice_take(&rest, '/');
	(void)rtls_slice_take(&rest, '/');
	rest = rtls_slice_take(&rest, '/');
	return rtls_slice_take(&rest, ':');
}

/* Where there is a record already, it stays as it is. */
static void advise_rua(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	const struct rtls_slice domain = rtls_slice(publication->domain);

	for (size_t i = 0; i < publication->rua_count; i++) {
		const struct rtls_slice to = rua_domain(&publication->rua[i]);
		struct rtls_quoted q;

		if (!is_below(to, domain) && !is_below(domain, to))
			rtls_advice_add(advice, "rua",
				"reports go to another domain, %s: is that "
				"meant?",
				rtls_quoted(&q, to));
	}
	if (publication->rua_count == 0 &&
		(looked == NULL || looked->tlsrpt.state != RTLS_TXT_VALID))
		rtls_advice_add(advice, "rua",
			"without --rua nobody tells you what fails");
}

/* --- what is there ----------------------------------------------------------------------- */

static void advise_mode(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	if (publication->mode == RTLS_STS_ENFORCE &&
		(!looked->has_policy || looked->policy.mode == RTLS_STS_NONE))
		rtls_advice_add(advice, "mode",
			"mode enforce, and no policy of mode testing is there "
			"yet: publish that first, and read the reports of some "
			"weeks");
	if (publication->mode == RTLS_STS_TESTING && looked->has_policy &&
		looked->policy.mode == RTLS_STS_ENFORCE)
		rtls_advice_add(advice, "mode",
			"the live policy is of mode enforce: this one makes "
			"mail to you less protected");
	if (publication->mode == RTLS_STS_NONE && looked->has_policy)
		rtls_advice_add(advice, "mode",
			"leave record and policy of mode none where they are "
			"for %lu days, as long as the old policy is "
			"remembered; then take them away",
			looked->policy.max_age_s / RTLS_DAY_S + 1);
}

static bool has_pattern(
	const struct rtls_publication *publication, struct rtls_slice pattern)
{
	for (size_t i = 0; i < publication->mx_count; i++)
		if (rtls_slice_equal_nocase(
			    rtls_slice(publication->mx[i]), pattern))
			return true;
	return false;
}

/* A new id has everybody fetch the policy again. */
static void advise_id(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	if (!looked->has_policy || looked->sts.state != RTLS_TXT_VALID ||
		looked->policy.mode != publication->mode ||
		looked->policy.max_age_s != publication->max_age_s ||
		looked->policy.mx_count != publication->mx_count)
		return;
	for (size_t i = 0; i < looked->policy.mx_count; i++)
		if (!has_pattern(publication, looked->policy.mx[i]))
			return;
	rtls_advice_add(
		advice, "id", "this very policy is live: no new id is needed");
}

static bool covers(const struct rtls_publication *publication, const char *host)
{
	for (size_t i = 0; i < publication->mx_count; i++)
		if (rtls_domain_matches(
			    rtls_slice(publication->mx[i]), rtls_slice(host)))
			return true;
	return false;
}

static bool is_used(const struct rtls_published *looked, const char *pattern)
{
	for (size_t i = 0; i < looked->mx_count; i++)
		if (rtls_domain_matches(rtls_slice(pattern),
			    rtls_slice(looked->mx_host[i])))
			return true;
	return false;
}

static void advise_mx(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	if (looked->mx == RTLS_MX_FAILED)
		rtls_advice_add(advice, "mx",
			"the MX hosts of %s cannot be looked up now",
			publication->domain);
	if (looked->mx != RTLS_MX_HOSTS || publication->mode == RTLS_STS_NONE)
		return;
	for (size_t i = 0; i < looked->mx_count; i++)
		if (!covers(publication, looked->mx_host[i]))
			rtls_advice_add(advice, "mx",
				"%s is an MX host of %s, and no --mx names it: "
				"it gets no mail from those who obey",
				looked->mx_host[i], publication->domain);
	for (size_t i = 0; i < publication->mx_count; i++)
		if (!is_used(looked, publication->mx[i]))
			rtls_advice_add(advice, "mx",
				"%s is no MX host of %s now",
				publication->mx[i], publication->domain);
}

static void advise_names(
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	for (size_t i = 0; i < looked->name_count; i++) {
		const struct rtls_published_name *name = &looked->name[i];

		if (name->is_cname)
			rtls_advice_add(advice, "mx",
				"%s is a CNAME, which an MX record must not "
				"name (RFC 2181 section 10.3)",
				name->name);
		if (name->outcome == RTLS_DNS_NODATA ||
			name->outcome == RTLS_DNS_NXDOMAIN)
			rtls_advice_add(
				advice, "mx", "%s has no address", name->name);
	}
}

static void advise_host(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	const enum rtls_dns_outcome outcome = looked->policy_host.outcome;

	if (outcome == RTLS_DNS_NODATA || outcome == RTLS_DNS_NXDOMAIN)
		rtls_advice_add(advice, "host",
			"mta-sts.%s has no address yet: it needs one, and a "
			"certificate for that name",
			publication->domain);
	else if (outcome == RTLS_DNS_FAILED)
		rtls_advice_add(advice, "host",
			"mta-sts.%s cannot be looked up now",
			publication->domain);
	if (looked->sts.state == RTLS_TXT_FAILED)
		rtls_advice_add(advice, "id",
			"the record at _mta-sts.%s cannot be looked up now: "
			"see that the id differs from the one there",
			publication->domain);
}

static void advise_record(const char *owner, const char *domain,
	const struct rtls_published_txt *txt, struct rtls_advice *advice)
{
	if (txt->state == RTLS_TXT_INVALID)
		rtls_advice_add(advice, "record",
			"what is at %s.%s now is not valid, put one record in "
			"its place: %.100s",
			owner, domain, txt->why);
}

void rtls_publication_advise(const struct rtls_publication *publication,
	const struct rtls_published *looked, struct rtls_advice *advice)
{
	advise_age(publication, advice);
	for (size_t i = 0; i < publication->mx_count; i++)
		if (publication->mx[i][0] == '*')
			advise_wildcard(
				publication, publication->mx[i], advice);
	advise_rua(publication, looked, advice);
	if (looked == NULL)
		return;
	advise_id(publication, looked, advice);
	advise_mode(publication, looked, advice);
	advise_mx(publication, looked, advice);
	advise_names(looked, advice);
	advise_host(publication, looked, advice);
	advise_record("_mta-sts", publication->domain, &looked->sts, advice);
	advise_record(
		"_smtp._tls", publication->domain, &looked->tlsrpt, advice);
}
