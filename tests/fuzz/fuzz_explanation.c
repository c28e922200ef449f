/* fuzz_explanation.c - a cache record of fuzz.example, which a byte in front of it says what message is
 * for, explained: nothing unprintable comes out, and what is said of hosts and of the end
 * agree. */
#include "fuzz.h"
#include "tool/explanation.h"

#define DOMAIN "fuzz.example"
#define NOW_S  1795301925

static const char rules_text[] = "flag To carol@*\ndnssec X-Y * SECURE\n"
				 "level fuzz.example enforce\n"
				 "require *.example dnssec\n";
static const char exempt_text[] =
	"fuzz.example dnssec until=2099-01-31 \"x\"\n"
	"*.example sts,verified until=2020-01-31 \"gr\xc3\xbc\xc3\x9f\"\n";

static struct rtls_config config;
static struct rtls_rules rules;
static struct rtls_exemptions exemptions;

/* The choice: flagged, relaxed, by tag, files of the site, the sender, the level. */
static struct rtls_site make_site(unsigned choice)
{
	const struct rtls_slice domain = rtls_slice(DOMAIN);

	rtls_config_defaults(&config);
	config.requiretls = (enum rtls_level)(choice >> 6 & 3);
	PROPERTY(rtls_rules_parse(
			 rtls_slice((choice & 8) != 0 ? rules_text : ""),
			 &rules, NULL) == RTLS_OK);
	PROPERTY(rtls_exemptions_parse(
			 rtls_slice((choice & 16) != 0 ? exempt_text : ""),
			 &exemptions, NULL) == RTLS_OK);
	return (struct rtls_site){ .level = rtls_rules_level(
					   &rules, domain, config.requiretls),
		.required = rtls_rules_required(&rules, domain),
		.exempt = rtls_exemptions_in_force(&exemptions, domain, NOW_S),
		.rules = &rules,
		.exemptions = &exemptions };
}

static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		PROPERTY(*text >= ' ' && *text <= '~');
}

static void check_outcome(const struct rtls_outcome *outcome)
{
	check_text(outcome->text);
	check_text(rtls_outcome_name(outcome->kind));
	PROPERTY(outcome->code[0] == '\0' ||
		 outcome->code[0] ==
			 (outcome->kind == RTLS_OUTCOME_BOUNCE ? '5' : '4'));
	PROPERTY(outcome->kind != RTLS_OUTCOME_DELIVER ||
		 outcome->code[0] == '\0');
}

/* Where the module sends by its own transports, some host has to be fit. */
static void check_agreement(const struct rtls_explanation *explanation)
{
	const bool own = strcmp(explanation->class, "strict") == 0 ||
			 strcmp(explanation->class, "enforce") == 0;
	size_t used = 0;

	for (size_t i = 0; i < explanation->host_count; i++)
		used += explanation->host[i].use ? 1 : 0;
	if (own)
		PROPERTY((explanation->patched.kind == RTLS_OUTCOME_DELIVER) ==
			 (used > 0));
	if (explanation->stock.kind == RTLS_OUTCOME_DELIVER)
		PROPERTY(explanation->patched.kind == RTLS_OUTCOME_DELIVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtls_known known;
	static struct rtls_explanation explanation;
	const unsigned choice = size == 0 ? 0 : data[0];
	const struct rtls_slice input =
		size == 0 ? rtls_slice("") : fuzz_input(data + 1, size - 1);
	const struct rtls_site site = make_site(choice);
	const struct rtls_explain_question question = { .config = &config,
		.sender =
			rtls_slice((choice & 32) != 0 ? "alice@a.example" : ""),
		.has_sender = (choice & 32) == 0,
		.address = rtls_slice("carol@" DOMAIN),
		.domain = DOMAIN,
		.tagged = (choice & 4) != 0,
		.flagged = (choice & 1) != 0,
		.relaxed = (choice & 2) != 0,
		.site = &site,
		.known = &known,
		.now_s = NOW_S };

	memset(&known, 0, sizeof(known));
	known.known = rtls_record_parse(input, DOMAIN, &known.record, NULL) ==
		      RTLS_OK;
	known.resolved =
		known.known && rtls_record_is_fresh(&known.record, NOW_S);
	(void)!rtls_known_read_policy(&known, NOW_S, NULL);
	rtls_explain(&question, &explanation);
	for (size_t i = 0; i < explanation.reason_count; i++) {
		check_text(explanation.reason[i].text);
		check_text(explanation.reason[i].source);
	}
	PROPERTY(explanation.host_count <= RTLS_MX_MAX);
	for (size_t i = 0; i < explanation.host_count; i++)
		check_text(explanation.host[i].why);
	check_text(explanation.log);
	check_text(explanation.patched_log);
	check_outcome(&explanation.stock);
	check_outcome(&explanation.patched);
	if (explanation.asks_first)
		check_outcome(&explanation.unanswered);
	check_agreement(&explanation);
	return 0;
}
