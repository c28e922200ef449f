/* fuzz_sts_policy.c - the policy body. */
#include "fuzz.h"
#include "grammar.h"
#include "policy/domain.h"
#include "policy/sts_policy.h"
#include "policy/text.h"

#define WRITTEN_SIZE (4 * RTLS_STS_POLICY_SIZE_MAX)

static bool is_same(
	const struct rtls_sts_policy *a, const struct rtls_sts_policy *b)
{
	if (a->mode != b->mode || a->max_age_s != b->max_age_s ||
		a->mx_count != b->mx_count)
		return false;
	for (size_t i = 0; i < a->mx_count; i++)
		if (!rtls_slice_equal(a->mx[i], b->mx[i]))
			return false;
	return true;
}

/* A pattern allows itself, one with a wildcard one label more. */
static void check_mx(
	const struct rtls_sts_policy *policy, struct rtls_slice pattern)
{
	struct rtls_slice domain = pattern;
	char host[RTLS_DOMAIN_SIZE + 8];
	struct rtls_text out;

	if (rtls_slice_starts(pattern, "*."))
		rtls_slice_take(&domain, '.');
	PROPERTY(rtls_domain_is_ldh(domain));
	rtls_text_init(&out, host, sizeof(host));
	if (domain.size != pattern.size)
		rtls_text_printf(&out, "x.");
	rtls_text_add(&out, domain);
	PROPERTY(!out.overflow);
	if (out.size <= RTLS_DOMAIN_MAX)
		PROPERTY(rtls_sts_policy_allows(policy, rtls_text_slice(&out)));
	PROPERTY(!rtls_sts_policy_allows(policy, rtls_slice("")));
}

/* What we write, with any line end, we read. */
static void check_written(const struct rtls_sts_policy *policy, const char *end)
{
	static char written[WRITTEN_SIZE];
	static struct rtls_sts_policy again;
	struct rtls_text out;

	rtls_text_init(&out, written, sizeof(written));
	rtls_text_printf(&out, "version: STSv1%smode: %s%smax_age: %lu", end,
		rtls_sts_mode_name(policy->mode), end, policy->max_age_s);
	for (size_t i = 0; i < policy->mx_count; i++) {
		rtls_text_printf(&out, "%smx:", end);
		rtls_text_add(&out, policy->mx[i]);
	}
	PROPERTY(!out.overflow);
	if (out.size > RTLS_STS_POLICY_SIZE_MAX)
		return;
	PROPERTY(rtls_sts_policy_parse(rtls_text_slice(&out), &again, NULL) ==
		 RTLS_OK);
	PROPERTY(is_same(policy, &again));
	PROPERTY(!again.max_age_clamped);
}

/* The value of the n-th line of that key; false when there are fewer. */
static bool find_value(struct rtls_slice text, const char *key, size_t n,
	struct rtls_slice *value)
{
	struct rtls_slice line;

	while (rtls_slice_line(&text, &line)) {
		if (!rtls_slice_is(rtls_slice_take(&line, ':'), key) || n-- > 0)
			continue;
		*value = rtls_slice_trim(line);
		return true;
	}
	return false;
}

/* RFC 8461 section 3.2: of each key but mx the first line counts, mx in order; and each line
 * has the shape of one. */
static void check_lines(
	struct rtls_slice text, const struct rtls_sts_policy *policy)
{
	static const char shape[] = "^" GRAMMAR_NAME ":[ \t]*[\x80-\xff!-~]"
				    "([\x80-\xff -~]*[\x80-\xff!-~])?[ \t]*$";
	static regex_t *compiled;
	struct rtls_slice value, line, rest = text;
	unsigned long long max_age;

	PROPERTY(find_value(text, "version", 0, &value));
	PROPERTY(rtls_slice_is(value, "STSv1"));
	PROPERTY(find_value(text, "mode", 0, &value));
	PROPERTY(rtls_slice_is(value, rtls_sts_mode_name(policy->mode)));
	PROPERTY(find_value(text, "max_age", 0, &value));
	PROPERTY(rtls_slice_number(value, 9999999999ULL, &max_age));
	PROPERTY(max_age == policy->max_age_s || policy->max_age_clamped);
	for (size_t i = 0; i < policy->mx_count; i++)
		PROPERTY(find_value(text, "mx", i, &value) &&
			 rtls_slice_equal(value, policy->mx[i]));
	while (rtls_slice_line(&rest, &line))
		PROPERTY(line.size == 0 || line.size > GRAMMAR_TEXT_MAX ||
			 grammar_matches(&compiled, shape, line, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_sts_policy policy;
	struct rtls_slice text = fuzz_input(data, size);
	struct rtls_err err = { "" };
	enum rtls_status status = rtls_sts_policy_parse(text, &policy, &err);

	PROPERTY((status == RTLS_INVALID) == (err.text[0] != '\0'));
	if (status != RTLS_OK) {
		PROPERTY(status == RTLS_INVALID);
		return 0;
	}
	PROPERTY(size <= RTLS_STS_POLICY_SIZE_MAX);
	PROPERTY(policy.mx_count <= RTLS_STS_MX_MAX);
	PROPERTY(policy.mx_count > 0 || policy.mode == RTLS_STS_NONE);
	PROPERTY(policy.max_age_s <= RTLS_STS_MAX_AGE_MAX);
	for (size_t i = 0; i < policy.mx_count; i++) {
		PROPERTY(fuzz_inside(text, policy.mx[i]));
		check_mx(&policy, policy.mx[i]);
	}
	check_lines(text, &policy);
	check_written(&policy, "\n");
	check_written(&policy, "\r\n");
	return 0;
}
