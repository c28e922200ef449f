/* metrics_site.c - configuration and exemptions, as metrics (metrics.h). */
#include "store/config_file.h"
#include "tool/metrics.h"
#include "tool/verb.h"

#ifndef RTLS_EXIM_VERSION
#define RTLS_EXIM_VERSION "unknown"
#endif

#define SOON_DAYS 14

static void print_build(struct rtls_exposition *exposition)
{
	const struct rtls_label labels[] = {
		{ "version", RTLS_VERSION },
		{ "exim", RTLS_EXIM_VERSION },
	};

	rtls_exposition_family(exposition, RTLS_GAUGE, "build_info",
		"Always 1; the release, and the release of Exim that its module is built for");
	rtls_exposition_sample(exposition, labels, 2, 1);
}

static void print_exemptions(struct rtls_exposition *exposition,
	const struct rtls_exemptions *exemptions, int64_t now_s)
{
	static const char *const states[] = { "in-force", "ending", "over" };
	uint64_t count[3] = { 0, 0, 0 };

	for (size_t i = 0; i < exemptions->count; i++) {
		const struct rtls_exemption *exemption =
			&exemptions->exemption[i];

		if (rtls_exemption_is_over(exemption, now_s))
			count[2]++;
		else if (rtls_exemption_days_left(exemption, now_s) < SOON_DAYS)
			count[1]++;
		else
			count[0]++;
	}
	rtls_exposition_family(exposition, RTLS_GAUGE, "exemptions",
		"Exemptions: in force, in force but ending within 14 days, and over");
	for (size_t i = 0; i < 3; i++) {
		const struct rtls_label label = { "state", states[i] };

		rtls_exposition_sample(exposition, &label, 1, count[i]);
	}
}

/* Rules, exemptions and the domains of reports: what makes mail wait when it does not count. */
static bool load(const struct rtls_config *config,
	struct rtls_exemptions *exemptions, struct rtls_err *err)
{
	static char text[RTLS_RULES_SIZE_MAX + 1];
	static char exempt_text[RTLS_EXEMPT_SIZE_MAX + 1];
	static char reported_text[RTLS_REPORTED_SIZE_MAX + 1];
	static struct rtls_rules rules;
	static struct rtls_reported reported;

	return rtls_exempt_load(config, exempt_text, exemptions, err) ==
		       RTLS_OK &&
	       rtls_rules_load(config, text, &rules, err) == RTLS_OK &&
	       rtls_reported_load(config, reported_text, &reported, err) ==
		       RTLS_OK;
}

void rtls_metrics_site(struct rtls_metrics *metrics)
{
	static struct rtls_exemptions exemptions;
	struct rtls_exposition *exposition = &metrics->exposition;
	struct rtls_err err = { "" };
	bool is_valid = metrics->is_config_valid;

	if (is_valid && !load(&metrics->config, &exemptions, &err)) {
		(void)rtls_verb_fail(EX_OK, "%s", err.text);
		is_valid = false;
	}
	print_build(exposition);
	rtls_exposition_gauge(exposition, "config_valid",
		"1: the configuration and the files it names count; 0: there is a mistake, and mail waits",
		is_valid ? 1 : 0);
	rtls_exposition_gauge(exposition, "mta_sts_enabled",
		"1: policies are honoured (mta_sts)",
		metrics->config.mta_sts ? 1 : 0);
	rtls_exposition_gauge(exposition, "tlsrpt_enabled",
		"1: TLS reports are sent (tlsrpt)",
		metrics->config.tlsrpt ? 1 : 0);
	print_exemptions(exposition, &exemptions, metrics->now_s);
}
