/* page_domain.c - one domain in full: its days, failures, policies and who reported. */
#include "page_parts.h"

#define POLICIES_MAX 5 /* the others are old, or a stranger's joke */

void rtls_page_put_name(FILE *out, const struct rtls_page_domain *domain)
{
	if (domain->name.size > 0)
		rtls_page_put_foreign(out, domain->name);
	else
		(void)fputs("<i>no domain said</i>", out);
}

static void put_head(
	FILE *out, const struct rtls_page_domain *domain, size_t number)
{
	(void)fprintf(
		out, "<section id=\"d%zu\" class=\"domain\"><h2>", number);
	rtls_page_put_name(out, domain);
	(void)fputs("</h2>\n<p class=\"soft\">", out);
	rtls_page_put_count(out, rtls_page_sessions(&domain->count));
	(void)fputs(" sessions, ", out);
	if (domain->count.failures > 0)
		(void)fputs("<span class=\"alert\">", out);
	rtls_page_put_count(out, domain->count.failures);
	(void)fputs(" failed", out);
	if (domain->count.failures > 0) {
		(void)fputs(" (", out);
		rtls_page_put_share(out, domain->count.failures,
			rtls_page_sessions(&domain->count));
		(void)fputs(")</span>", out);
	}
	(void)fputs("</p>\n", out);
}

static void put_days(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain)
{
	(void)fputs("<details><summary>Day by day in numbers</summary>"
		    "<table><thead><tr><th scope=\"col\">Day</th>"
		    "<th class=\"n\" scope=\"col\">Successful</th>"
		    "<th class=\"n\" scope=\"col\">Failed</th>"
		    "<th class=\"n\" scope=\"col\">Share</th></tr></thead>"
		    "<tbody>\n",
		out);
	for (size_t i = domain->day_count; i-- > 0;) {
		const struct rtls_page_day *day = &domain->days[i];

		(void)fputs("<tr><th scope=\"row\">", out);
		rtls_page_put_date(out, rtls_page_model_day_s(model, day->day));
		(void)fputs(
			"</th><td class=\"n\" data-is=\"Successful\">", out);
		rtls_page_put_count(out, day->count.successes);
		(void)fputs("</td><td class=\"n\" data-is=\"Failed\">", out);
		rtls_page_put_count(out, day->count.failures);
		(void)fputs("</td><td class=\"n\" data-is=\"Share\">", out);
		rtls_page_put_share(out, day->count.failures,
			rtls_page_sessions(&day->count));
		(void)fputs("</td></tr>\n", out);
	}
	(void)fputs("</tbody></table></details>\n", out);
}

static void put_policy_type(FILE *out, const struct rtls_page_policy *policy)
{
	(void)fputs("<span class=\"tag\">", out);
	if (policy->type.size == 0)
		(void)fputs("other policies", out);
	else if (rtls_slice_is(policy->type, "sts"))
		(void)fputs("MTA-STS", out);
	else if (rtls_slice_is(policy->type, "tlsa"))
		(void)fputs("DANE", out);
	else if (rtls_slice_is(policy->type, "no-policy-found"))
		(void)fputs("no policy found", out);
	else
		rtls_page_put_foreign(out, policy->type);
	(void)fputs("</span>", out);
	if (policy->mode.size == 0)
		return;
	(void)fputs("<span class=\"tag\">mode ", out);
	rtls_page_put_foreign(out, policy->mode);
	(void)fputs("</span>", out);
}

/* A line each, as published. */
static void put_lines(FILE *out, struct rtls_slice lines)
{
	struct rtls_slice line;

	(void)fputs("<pre>", out);
	while (rtls_slice_line(&lines, &line)) {
		rtls_page_put_foreign(out, line);
		(void)fputc('\n', out);
	}
	(void)fputs("</pre>", out);
}

static void put_policy(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain,
	const struct rtls_page_policy *policy)
{
	(void)fputs("<div class=\"policy\"><p>", out);
	put_policy_type(out, policy);
	if (policy->domain.size > 0 &&
		!rtls_slice_equal_nocase(policy->domain, domain->name)) {
		(void)fputs(" of ", out);
		rtls_page_put_foreign(out, policy->domain);
	}
	(void)fputs(" <span class=\"soft\">", out);
	rtls_page_put_result(out, &policy->count);
	(void)fputs(", last on ", out);
	rtls_page_put_date(out, rtls_page_model_day_s(model, policy->last_day));
	(void)fputs("</span></p>", out);
	if (policy->lines.size > 0)
		put_lines(out, policy->lines);
	else if (policy->hosts.size > 0)
		put_lines(out, policy->hosts);
	(void)fputs("</div>\n", out);
}

static void put_policies(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain)
{
	const struct rtls_page_policy *policy = domain->policies;
	size_t count = 0;

	(void)fprintf(out,
		"<details><summary>Policies applied (%zu)</summary>\n",
		domain->policy_count);
	for (; policy != NULL && count < POLICIES_MAX; policy = policy->next) {
		put_policy(out, model, domain, policy);
		count++;
	}
	if (count < domain->policy_count)
		(void)fprintf(out,
			"<p class=\"soft\">and %zu more, not seen later than "
			"these</p>\n",
			domain->policy_count - count);
	(void)fputs("</details>\n", out);
}

void rtls_page_put_reporters(
	FILE *out, const struct rtls_page_reporter *reporters)
{
	(void)fputs("<table><thead><tr><th scope=\"col\">Organization</th>"
		    "<th class=\"n\" scope=\"col\">Reports</th>"
		    "<th class=\"n\" scope=\"col\">Sessions</th>"
		    "<th class=\"n\" scope=\"col\">Failed</th>"
		    "<th class=\"n\" scope=\"col\">Share</th></tr></thead>"
		    "<tbody>\n",
		out);
	for (; reporters != NULL; reporters = reporters->next) {
		uint64_t sessions = rtls_page_sessions(&reporters->count);

		(void)fputs("<tr><th scope=\"row\">", out);
		if (reporters->name.size > 0)
			rtls_page_put_foreign(out, reporters->name);
		else
			(void)fputs("<i>without a name, and others</i>", out);
		(void)fputs("</th><td class=\"n\" data-is=\"Reports\">", out);
		rtls_page_put_count(out, reporters->reports);
		(void)fputs("</td><td class=\"n\" data-is=\"Sessions\">", out);
		rtls_page_put_count(out, sessions);
		(void)fputs("</td><td class=\"n\" data-is=\"Failed\">", out);
		rtls_page_put_count(out, reporters->count.failures);
		(void)fputs("</td><td class=\"n\" data-is=\"Share\">", out);
		rtls_page_put_share(out, reporters->count.failures, sessions);
		(void)fputs("</td></tr>\n", out);
	}
	(void)fputs("</tbody></table>\n", out);
}

void rtls_page_put_domain(FILE *out, const struct rtls_page_model *model,
	const struct rtls_page_domain *domain, size_t number,
	const struct rtls_page_options *options)
{
	struct rtls_page_bars bars;

	put_head(out, domain, number);
	rtls_page_bars_fill(&bars, model, domain->days, domain->day_count);
	rtls_page_put_chart(out, &bars, domain->name);
	rtls_page_put_failures(out, model, domain, options);
	put_policies(out, model, domain);
	if (options->is_received) {
		(void)fprintf(out,
			"<details><summary>Reported by (%zu)</summary>",
			domain->reporter_count);
		rtls_page_put_reporters(out, domain->reporters);
		(void)fputs("</details>\n", out);
	}
	put_days(out, model, domain);
	(void)fputs("</section>\n", out);
}
