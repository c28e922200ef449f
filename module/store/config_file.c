/* config_file.c - requiretls.conf, the rules file, the exemptions and the domains of reports, with
 * the checks that make them count. */
#include "store/config_file.h"

#include "store/file.h"

/* "path: why" in place of "why". */
static void prefix_path(
	struct rtls_err *err, const char *path, const struct rtls_err *why)
{
	struct rtls_quoted q;

	rtls_err_set(
		err, "%s: %s", rtls_quoted(&q, rtls_slice(path)), why->text);
}

enum rtls_status rtls_config_load(
	const char *path, struct rtls_config *config, struct rtls_err *err)
{
	char buffer[RTLS_CONFIG_SIZE_MAX + 1];
	struct rtls_err why = { "" };
	struct rtls_slice text;
	enum rtls_status status;

	status = rtls_file_read_trusted(
		path, buffer, RTLS_CONFIG_SIZE_MAX, &text, err);
	if (status == RTLS_NONE) {
		rtls_config_defaults(config);
		return RTLS_OK;
	}
	if (status != RTLS_OK)
		return status;
	status = rtls_config_parse(text, config, &why);
	if (status != RTLS_OK)
		prefix_path(err, path, &why);
	return status;
}

/* A file that the configuration names: it must be there. */
static enum rtls_status read_named(const char *path, char *buffer, size_t size,
	struct rtls_slice *text, struct rtls_err *err)
{
	enum rtls_status status =
		rtls_file_read_trusted(path, buffer, size, text, err);

	return status == RTLS_NONE ? RTLS_INVALID : status;
}

enum rtls_status rtls_rules_load(const struct rtls_config *config, char *buffer,
	struct rtls_rules *rules, struct rtls_err *err)
{
	struct rtls_err why = { "" };
	struct rtls_slice text;
	enum rtls_status status;

	if (config->rules[0] == '\0') {
		*rules = (struct rtls_rules){ 0 };
		return RTLS_OK;
	}
	status = read_named(
		config->rules, buffer, RTLS_RULES_SIZE_MAX, &text, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_rules_parse(text, rules, &why);
	if (status != RTLS_OK)
		prefix_path(err, config->rules, &why);
	return status;
}

enum rtls_status rtls_exempt_load(const struct rtls_config *config,
	char *buffer, struct rtls_exemptions *exemptions, struct rtls_err *err)
{
	struct rtls_err why = { "" };
	struct rtls_slice text;
	enum rtls_status status;

	if (config->exempt[0] == '\0') {
		*exemptions = (struct rtls_exemptions){ 0 };
		return RTLS_OK;
	}
	status = read_named(
		config->exempt, buffer, RTLS_EXEMPT_SIZE_MAX, &text, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_exemptions_parse(text, exemptions, &why);
	if (status != RTLS_OK)
		prefix_path(err, config->exempt, &why);
	return status;
}

enum rtls_status rtls_reported_load(const struct rtls_config *config,
	char *buffer, struct rtls_reported *reported, struct rtls_err *err)
{
	struct rtls_err why = { "" };
	struct rtls_slice text;
	enum rtls_status status;

	if (config->report_domains[0] == '\0') {
		*reported = (struct rtls_reported){ 0 };
		return RTLS_OK;
	}
	status = read_named(config->report_domains, buffer,
		RTLS_REPORTED_SIZE_MAX, &text, err);
	if (status != RTLS_OK)
		return status;
	status = rtls_reported_parse(text, reported, &why);
	if (status != RTLS_OK)
		prefix_path(err, config->report_domains, &why);
	return status;
}
