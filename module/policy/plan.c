/* plan.c - the plan as text between router and session, see verdict.h.
 *
 *   plan  = word *(1*WSP word)
 *   word  = key "=" (value / DQUOTE *(quoted / "\" OCTET) DQUOTE)
 *
 * which is what Exim's ${extract{key}{...}} reads. */
#include <string.h>

#include "field.h"
#include "verdict.h"

#define DIGEST_LENGTH (RTLS_DIGEST_SIZE - 1)

/* The port of refused hosts: one of the dynamic range, by the policy domain.
 * Nobody connects, the session refuses the host before. See verdict.h. */
#define REFUSED_PORT_FIRST 49152U
#define REFUSED_PORT_COUNT 16384U

/* FNV-1a; letters of names in one case. */
static uint32_t hash_of(struct rtls_slice text, bool is_name)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (is_name && byte >= 'A' && byte <= 'Z')
			byte = (unsigned char)(byte - 'A' + 'a');
		hash = (hash ^ byte) * 16777619U;
	}
	return hash;
}

unsigned rtls_plan_refused_port(struct rtls_slice domain)
{
	return REFUSED_PORT_FIRST + hash_of(domain, false) % REFUSED_PORT_COUNT;
}

/* As whom the hosts of the plan list it. */
static struct rtls_slice listed_name(
	const struct rtls_plan *plan, const struct rtls_mx *mx)
{
	return plan->via == NULL && rtls_record_lacks_address(rtls_record_mx(
					    plan->record, mx->host))
		       ? rtls_slice(RTLS_NO_ADDRESS)
		       : mx->host;
}

/* A sum: name servers like to turn hosts of one preference around. */
unsigned rtls_plan_mark(const struct rtls_plan *plan)
{
	uint32_t mark = hash_of(plan->policy_id, false);

	for (size_t i = 0; plan->record != NULL && i < plan->record->mx_count;
		i++)
		mark += hash_of(listed_name(plan, &plan->record->mx[i]), true);
	return mark;
}

unsigned rtls_session_plan_mark(
	const struct rtls_session_plan *plan, struct rtls_slice hosts)
{
	uint32_t mark = hash_of(plan->policy_id, false);

	while (hosts.size > 0) {
		struct rtls_slice host = rtls_slice_take(&hosts, ':');

		if (host.size == 0) /* "::PORT" of the host before */
			(void)rtls_slice_take(&hosts, ':');
		else if (!rtls_slice_is(host, "+"))
			mark += hash_of(host, true);
	}
	return mark;
}

static struct rtls_session_plan session_of(const struct rtls_plan *plan)
{
	struct rtls_session_plan session = { .class = plan->class };

	session.sts = plan->sts;
	session.sts_mode = plan->sts_mode;
	session.mx_secure = plan->mx_dnssec == RTLS_DNSSEC_SECURE;
	session.mx_implicit = plan->record != NULL &&
			      plan->record->mx_answer == RTLS_MX_IMPLICIT;
	return session;
}

static bool is_by_mx(const struct rtls_plan *plan)
{
	return plan->via != NULL && plan->via->hop[0].by_mx;
}

/* Smart hosts that the configuration names. */
static bool is_by_name(const struct rtls_plan *plan)
{
	return plan->via != NULL && !is_by_mx(plan);
}

/* As rtls_verdict_host() will say. TLSA counts only behind a secure MX: a
 * spoofed one must not exempt itself by pointing into a signed zone. */
static enum rtls_host_verdict judge_host(
	const struct rtls_plan *plan, struct rtls_slice host)
{
	const struct rtls_mx *mx = rtls_record_mx(plan->record, host);

	if (mx != NULL && rtls_record_lookup_failed(mx))
		return RTLS_HOST_TLSA_FAILED;
	if (mx != NULL && mx->tlsa == RTLS_TLSA_SECURE &&
		(plan->mx_dnssec == RTLS_DNSSEC_SECURE || is_by_name(plan)))
		return RTLS_HOST_DANE;
	if (!plan->sts || rtls_sts_policy_allows(plan->policy, host))
		return RTLS_HOST_OK;
	return RTLS_HOST_NOT_IN_POLICY;
}

/* Its first letter is a capital: see verdict.h. */
static void add_listed_name(struct rtls_text *out, struct rtls_slice host)
{
	bool done = false;

	for (size_t i = 0; i < host.size; i++) {
		char c = host.data[i];

		if (!done && c >= 'a' && c <= 'z') {
			c = (char)(c - 'a' + 'A');
			done = true;
		}
		rtls_text_add(out, rtls_slice_n(&c, 1));
	}
}

static void add_mx_host(const struct rtls_plan *plan,
	const struct rtls_session_plan *session, const struct rtls_mx *mx,
	struct rtls_text *out)
{
	add_listed_name(out, listed_name(plan, mx));
	if (rtls_verdict_refuses(session, judge_host(plan, mx->host)))
		rtls_text_printf(out, "::%u",
			rtls_plan_refused_port(plan->record->domain));
}

static void add_smart_host(
	const struct rtls_plan *plan, size_t index, struct rtls_text *out)
{
	unsigned port = is_by_mx(plan) ? plan->via->hop[0].port
				       : plan->via->hop[index].port;

	rtls_text_add(out, plan->record->mx[index].host);
	if (port != 0)
		rtls_text_printf(out, "::%u", port);
}

static void add_hosts(const struct rtls_plan *plan, struct rtls_text *out)
{
	const struct rtls_session_plan session = session_of(plan);
	const struct rtls_record *record = plan->record;

	rtls_text_add(out, rtls_slice(" hosts=\""));
	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];

		if (i != 0)
			rtls_text_printf(out, "%s",
				mx->preference == mx[-1].preference ? ":"
								    : ":+:");
		if (plan->via != NULL)
			add_smart_host(plan, i, out);
		else
			add_mx_host(plan, &session, mx, out);
	}
	rtls_text_add(out, rtls_slice("\""));
}

static bool is_dane(const struct rtls_plan *plan, const struct rtls_mx *mx)
{
	return judge_host(plan, mx->host) == RTLS_HOST_DANE;
}

static bool is_tlsa_failed(
	const struct rtls_plan *plan, const struct rtls_mx *mx)
{
	return judge_host(plan, mx->host) == RTLS_HOST_TLSA_FAILED;
}

static bool is_tlsa_bad(const struct rtls_plan *plan, const struct rtls_mx *mx)
{
	return mx->tlsa == RTLS_TLSA_UNUSABLE &&
	       plan->mx_dnssec == RTLS_DNSSEC_SECURE;
}

/* The hosts of which something is true, each once; nothing when there are none. */
static void add_hosts_that(const struct rtls_plan *plan,
	bool (*is)(const struct rtls_plan *plan, const struct rtls_mx *mx),
	const char *key, struct rtls_text *out)
{
	const struct rtls_record *record = plan->record;
	bool any = false;

	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_slice host = record->mx[i].host;

		if (!is(plan, &record->mx[i]) ||
			rtls_record_mx(record, host) != &record->mx[i])
			continue;
		if (any)
			rtls_text_add(out, rtls_slice(" "));
		else
			rtls_text_printf(out, " %s=\"", key);
		rtls_text_add(out, host);
		any = true;
	}
	if (any)
		rtls_text_add(out, rtls_slice("\""));
}

/* Exim knows a host by the name its addresses belong to. */
static void add_cnames(const struct rtls_record *record, struct rtls_text *out)
{
	bool any = false;

	for (size_t i = 0; i < record->mx_count; i++) {
		const struct rtls_mx *mx = &record->mx[i];

		if (mx->cname.size == 0 ||
			rtls_record_mx(record, mx->cname) != NULL)
			continue;
		rtls_text_printf(out, "%s", any ? " " : " cname=\"");
		rtls_text_add(out, mx->cname);
		rtls_text_printf(out, "=");
		rtls_text_add(out, mx->host);
		any = true;
	}
	if (any)
		rtls_text_printf(out, "\"");
}

static void add_patterns(
	const struct rtls_sts_policy *policy, struct rtls_text *out)
{
	rtls_text_add(out, rtls_slice(" mx=\""));
	for (size_t i = 0; i < policy->mx_count; i++) {
		if (i != 0)
			rtls_text_add(out, rtls_slice(" "));
		rtls_text_add(out, policy->mx[i]);
	}
	rtls_text_add(out, rtls_slice("\""));
}

static void add_word(
	struct rtls_text *out, const char *key, struct rtls_slice value)
{
	if (value.size == 0)
		return;
	rtls_text_printf(out, " %s=", key);
	rtls_text_add(out, value);
}

static void add_policy(const struct rtls_plan *plan, struct rtls_text *out)
{
	if (plan->unresolved)
		add_word(out, "unresolved", rtls_slice("yes"));
	if (!plan->sts)
		return;
	add_word(out, "sts", rtls_slice(rtls_sts_mode_name(plan->sts_mode)));
	add_word(out, "id", plan->policy_id);
	add_word(out, "policy", plan->policy_digest);
	if ((plan->exempt & RTLS_PROTECT_STS) != 0)
		add_word(out, "exempt", rtls_slice("sts"));
}

/* "-": addresses only, which are nobody's policy domain. */
static void add_via(const struct rtls_plan *plan, struct rtls_text *out)
{
	if (plan->via == NULL)
		return;
	rtls_text_printf(out, " via=\"%s", plan->via->count == 0 ? "-" : "");
	for (size_t i = 0; i < plan->via->count; i++)
		rtls_text_printf(
			out, "%s%s", i == 0 ? "" : " ", plan->via->hop[i].host);
	rtls_text_add(out, rtls_slice("\""));
}

static void add_mx_state(const struct rtls_plan *plan, struct rtls_text *out)
{
	if (plan->mx_dnssec == RTLS_DNSSEC_SECURE)
		add_word(out, "dnssec", rtls_slice("yes"));
	else if (plan->mx_dnssec != RTLS_DNSSEC_UNKNOWN)
		add_word(out, "dnssec", rtls_slice("no"));
	if (session_of(plan).mx_implicit)
		add_word(out, "implicit", rtls_slice("yes"));
}

/* Exim undoes backslash escapes between the quotes. */
static void add_quoted(struct rtls_text *out, const char *key, const char *text)
{
	rtls_text_printf(out, "%s=\"", key);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			rtls_text_printf(out, "\\%c", *c);
		else
			rtls_text_printf(
				out, "%c", *c < ' ' || *c > '~' ? '?' : *c);
	}
	rtls_text_printf(out, "\"");
}

enum rtls_status rtls_plan_format(
	const struct rtls_plan *plan, struct rtls_text *out)
{
	if (plan->action != RTLS_DELIVER) {
		add_quoted(out, plan->action == RTLS_FAIL ? "fail" : "defer",
			plan->text);
		return out->overflow ? RTLS_INVALID : RTLS_OK;
	}
	if (plan->own_mx &&
		(plan->record == NULL || plan->record->mx_count == 0))
		return RTLS_BUG;
	rtls_text_printf(out, "class=%s", rtls_class_name(plan->class));
	add_policy(plan, out);
	add_mx_state(plan, out);
	if (plan->flagged)
		add_word(out, "requiretls",
			rtls_slice(rtls_level_name(plan->demand)));
	add_via(plan, out);
	if (plan->own_mx)
		add_hosts(plan, out);
	if (plan->sts)
		add_patterns(plan->policy, out);
	if (plan->record != NULL) {
		add_hosts_that(plan, is_dane, "dane", out);
		add_hosts_that(plan, is_tlsa_failed, "tlsafail", out);
		add_hosts_that(plan, is_tlsa_bad, "tlsabad", out);
		add_cnames(plan->record, out);
	}
	return out->overflow ? RTLS_INVALID : RTLS_OK;
}

static bool parse_class(struct rtls_slice value, struct rtls_session_plan *plan)
{
	for (unsigned i = RTLS_CLASS_STRICT; i <= RTLS_CLASS_RELAXED; i++) {
		plan->class = (enum rtls_class)i;
		if (rtls_slice_is(value, rtls_class_name(plan->class)))
			return true;
	}
	return false;
}

static bool parse_sts(struct rtls_slice value, struct rtls_session_plan *plan)
{
	plan->sts = true;
	plan->sts_mode = rtls_slice_is(value, "enforce") ? RTLS_STS_ENFORCE
							 : RTLS_STS_TESTING;
	return rtls_slice_is(value, rtls_sts_mode_name(plan->sts_mode));
}

static bool parse_id(struct rtls_slice value, struct rtls_session_plan *plan)
{
	for (size_t i = 0; i < value.size; i++)
		if (!rtls_byte_is_alnum(value.data[i]))
			return false;
	plan->policy_id = value;
	return value.size != 0 && value.size <= RTLS_STS_ID_MAX;
}

static bool parse_digest(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	for (size_t i = 0; i < value.size; i++)
		if (!rtls_byte_is_digit(value.data[i]) &&
			(value.data[i] < 'a' || value.data[i] > 'f'))
			return false;
	plan->policy_digest = value;
	return value.size == DIGEST_LENGTH;
}

static bool parse_exempt(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	plan->sts_exempt = rtls_slice_is(value, "sts");
	return plan->sts_exempt;
}

static bool parse_yes(struct rtls_slice value, bool *out)
{
	*out = rtls_slice_is(value, "yes");
	return *out || rtls_slice_is(value, "no");
}

static bool parse_dnssec(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_yes(value, &plan->mx_secure);
}

static bool parse_unresolved(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_yes(value, &plan->unresolved);
}

static bool parse_implicit(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_yes(value, &plan->mx_implicit);
}

/* Names and patterns with blanks between. */
static bool parse_names(struct rtls_slice value, struct rtls_slice *names)
{
	for (size_t i = 0; i < value.size; i++)
		if (!rtls_byte_is_alnum(value.data[i]) &&
			(value.data[i] == '\0' ||
				strchr(" -_.*", value.data[i]) == NULL))
			return false;
	*names = value;
	return true;
}

static bool parse_via(struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_names(value, &plan->via);
}

static bool parse_mx(struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_names(value, &plan->mx);
}

static bool parse_dane(struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_names(value, &plan->dane);
}

static bool parse_tlsafail(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_names(value, &plan->tlsafail);
}

/* Pairs of names with blanks between. */
static bool parse_cname(struct rtls_slice value, struct rtls_session_plan *plan)
{
	struct rtls_slice rest = value, pair, ignored;

	while (rtls_slice_word(&rest, &pair)) {
		struct rtls_slice target = rtls_slice_take(&pair, '=');

		if (target.size == 0 || pair.size == 0 ||
			!parse_names(target, &ignored) ||
			!parse_names(pair, &ignored))
			return false;
	}
	plan->cname = value;
	return true;
}

static bool parse_tlsabad(
	struct rtls_slice value, struct rtls_session_plan *plan)
{
	return parse_names(value, &plan->tlsabad);
}

static const struct {
	const char *name;
	bool (*parse)(struct rtls_slice value, struct rtls_session_plan *plan);
} keys[] = {
	{ "class", parse_class },
	{ "sts", parse_sts },
	{ "id", parse_id },
	{ "policy", parse_digest },
	{ "exempt", parse_exempt },
	{ "unresolved", parse_unresolved },
	{ "dnssec", parse_dnssec },
	{ "implicit", parse_implicit },
	{ "via", parse_via },
	{ "mx", parse_mx },
	{ "dane", parse_dane },
	{ "tlsafail", parse_tlsafail },
	{ "cname", parse_cname },
	{ "tlsabad", parse_tlsabad },
};

#define KEY_COUNT  (sizeof(keys) / sizeof(keys[0]))
#define SEEN_CLASS 1U

/* The size of a quoted value, quotes included; 0: its end is missing. */
static size_t quoted_size(struct rtls_slice text)
{
	for (size_t i = 1; i < text.size; i++) {
		if (text.data[i] == '\\')
			i++;
		else if (text.data[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Take the value at the front of rest; false: no end, or no blank behind. */
static bool take_value(struct rtls_slice *rest, struct rtls_slice *value)
{
	size_t size = 0;

	if (!rtls_slice_starts(*rest, "\"")) {
		*value = rtls_slice_n(rest->data, 0);
		if (rest->size != 0 && rest->data[0] != ' ' &&
			rest->data[0] != '\t')
			(void)rtls_slice_word(rest, value);
		return true;
	}
	size = quoted_size(*rest);
	if (size == 0)
		return false;
	*value = rtls_slice_n(rest->data + 1, size - 2);
	*rest = rtls_slice_n(rest->data + size, rest->size - size);
	return rest->size == 0 || rest->data[0] == ' ' || rest->data[0] == '\t';
}

static bool parse_value(struct rtls_slice name, struct rtls_slice value,
	unsigned *seen, struct rtls_session_plan *plan)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (!rtls_slice_is(name, keys[i].name))
			continue;
		if ((*seen & 1U << i) != 0)
			return false;
		*seen |= 1U << i;
		return keys[i].parse(value, plan);
	}
	return true;
}

static bool is_blank_or_equals(char c)
{
	return c == ' ' || c == '\t' || c == '=';
}

enum rtls_status rtls_session_plan_parse(
	struct rtls_slice text, struct rtls_session_plan *plan)
{
	struct rtls_session_plan parsed = { 0 };
	struct rtls_slice rest = rtls_slice_trim(text);
	bool valid = true;
	unsigned seen = 0;

	while (valid && rest.size != 0) {
		struct rtls_slice name = rest;
		struct rtls_slice value;
		size_t size = 0;

		while (size < rest.size && !is_blank_or_equals(rest.data[size]))
			size++;
		name.size = size;
		rest = rtls_slice_n(rest.data + size, rest.size - size);
		if (rest.size != 0 && rest.data[0] == '=') {
			rest = rtls_slice_n(rest.data + 1, rest.size - 1);
			valid = take_value(&rest, &value);
			if (!valid && rtls_slice_is(name, "class"))
				seen |= SEEN_CLASS;
			valid = valid &&
				parse_value(name, value, &seen, &parsed);
		}
		rest = rtls_slice_trim(rest);
	}
	if ((seen & SEEN_CLASS) == 0)
		return RTLS_NONE;
	if (!valid)
		return RTLS_INVALID;
	*plan = parsed;
	return RTLS_OK;
}
