/* site.c - see site.h. */
#include "store/site.h"

#include "store/config_file.h"

/* Too large for the stack of a host we do not own. */
static char rules_text[RTLS_RULES_SIZE_MAX + 1];
static char exempt_text[RTLS_EXEMPT_SIZE_MAX + 1];
static struct rtls_rules rules;
static struct rtls_exemptions exemptions;

enum rtls_status rtls_site_load(
	const struct rtls_config *config, struct rtls_err *err)
{
	enum rtls_status status;

	status = rtls_rules_load(config, rules_text, &rules, err);
	if (status == RTLS_OK)
		status =
			rtls_exempt_load(config, exempt_text, &exemptions, err);
	return status;
}

void rtls_site_look_up(const struct rtls_config *config, const char *domain,
	int64_t now_s, struct rtls_site *site)
{
	struct rtls_slice name = rtls_slice(domain);

	site->level = rtls_rules_level(&rules, name, config->requiretls);
	site->required = rtls_rules_required(&rules, name);
	site->exempt = rtls_exemptions_in_force(&exemptions, name, now_s);
	site->rules = &rules;
	site->exemptions = &exemptions;
}
