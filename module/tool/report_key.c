/* report_key.c - `exim-requiretls report key KEYFILE`: what to publish in DNS, so that
 * receivers can verify our reports. It runs as the Exim user, so what it cannot read,
 * Exim cannot sign with. */
#include "tool/options.h"
#include "tool/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/text.h"
#include "tls/dkim_key.h"
#include "tool/verb.h"

#define KEY_SIZE_MAX     65536
#define STRING_MAX       255 /* RFC 1035 section 3.3: a string of a TXT record */
#define ZONE_SIZE        (2 * RTLS_DKIM_TEXT_SIZE)
#define BITS_GOOD        2048
#define BITS_UNDERSTOOD  4096 /* RFC 8301 section 3.2: longer ones need not be */
#define DEFAULT_SELECTOR "tlsrpt"

struct request {
	const char *selector;
	const char *domain;
	const char *path;
	bool all_services;
	bool wants_json;
};

struct answer {
	char name[2 * RTLS_DOMAIN_SIZE + sizeof("._domainkey.")];
	struct rtls_dkim_key key;
	char zone[ZONE_SIZE]; /* the text as strings in quotes */
	json_t *warnings;
};

static void warn(struct answer *answer, const char *text)
{
	(void)json_array_append_new(answer->warnings, json_string(text));
}

static void warn_of_mode(struct answer *answer, const char *path)
{
	struct stat info;

	if (strcmp(path, "-") != 0 && stat(path, &info) == 0 &&
		(info.st_mode & (S_IROTH | S_IWOTH)) != 0)
		warn(answer, "every user of this machine can read the key: "
			     "chmod o= it");
}

static void warn_of_size(struct answer *answer)
{
	if (strcmp(answer->key.type, "ed25519") == 0)
		warn(answer, "many receivers verify RSA only");
	else if (answer->key.bits < BITS_GOOD)
		warn(answer, "less than 2048 bits");
	else if (answer->key.bits > BITS_UNDERSTOOD)
		warn(answer, "not every receiver verifies more than 4096 bits");
}

static void write_strings(const char *value, char *zone, size_t size)
{
	struct rtls_slice left = rtls_slice(value);
	struct rtls_text text;

	rtls_text_init(&text, zone, size);
	while (left.size > 0) {
		size_t part = left.size < STRING_MAX ? left.size : STRING_MAX;

		rtls_text_printf(&text, "%s\"", text.size > 0 ? " " : "");
		rtls_text_add(&text, rtls_slice_n(left.data, part));
		rtls_text_printf(&text, "\"");
		left = rtls_slice_n(left.data + part, left.size - part);
	}
}

/* RFC 6376 section 3.6.2.1. */
static int make_name(const struct rtls_config *config,
	const struct request *request, struct answer *answer)
{
	const char *domain = request->domain;
	char selector[RTLS_DOMAIN_SIZE], normal[RTLS_DOMAIN_SIZE];
	int exit_status;

	if (domain == NULL) {
		domain = strrchr(config->contact, '@');
		if (domain == NULL)
			return rtls_verb_fail(EX_CONFIG,
				"of what domain? Set tlsrpt_contact, or use "
				"--domain");
		domain++;
	}
	exit_status = rtls_verb_domain(request->selector, selector);
	if (exit_status == EX_OK)
		exit_status = rtls_verb_domain(domain, normal);
	if (exit_status != EX_OK)
		return exit_status;
	(void)snprintf(answer->name, sizeof(answer->name), "%s._domainkey.%s",
		selector, normal);
	if (strlen(answer->name) > RTLS_DOMAIN_MAX)
		return rtls_verb_fail(EX_DATAERR,
			"%s would be too long for a name", answer->name);
	return EX_OK;
}

static int read_key(const struct request *request, struct answer *answer)
{
	struct rtls_err err = { "" };
	struct rtls_quoted q;
	enum rtls_status status;
	char *pem = NULL;
	size_t size = 0;
	int exit_status =
		rtls_verb_read(request->path, KEY_SIZE_MAX, &pem, &size, &err);

	if (exit_status != EX_OK)
		return rtls_verb_fail(exit_status, "%s", err.text);
	status = rtls_dkim_key_read(rtls_slice_n(pem, size),
		!request->all_services, &answer->key, &err);
	explicit_bzero(pem, size);
	free(pem);
	if (status != RTLS_OK)
		return rtls_verb_fail(rtls_verb_exit(status), "%s: %s",
			rtls_quoted(&q, rtls_slice(request->path)), err.text);
	return EX_OK;
}

static int print_json(const struct answer *answer)
{
	return rtls_verb_print_json(
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:O}", "name",
			answer->name, "text", answer->key.text, "strings",
			answer->zone, "type", answer->key.type, "bits",
			(int)answer->key.bits, "warnings", answer->warnings),
		EX_OK);
}

static int print_text(const struct answer *answer)
{
	size_t index;
	json_t *warning;

	(void)printf("%s. IN TXT %s\n\nname  %s\ntext  %s\n", answer->name,
		answer->zone, answer->name, answer->key.text);
	json_array_foreach(answer->warnings, index, warning)
	{
		(void)rtls_verb_fail(
			EX_OK, "warning: %s", json_string_value(warning));
	}
	return EX_OK;
}

static int show(const struct rtls_config *config, const struct request *request)
{
	struct answer answer = { .key = { .type = "" } };
	int exit_status = make_name(config, request, &answer);

	if (exit_status == EX_OK)
		exit_status = read_key(request, &answer);
	if (exit_status != EX_OK)
		return exit_status;
	answer.warnings = json_array();
	write_strings(answer.key.text, answer.zone, sizeof(answer.zone));
	warn_of_mode(&answer, request->path);
	warn_of_size(&answer);
	exit_status =
		request->wants_json ? print_json(&answer) : print_text(&answer);
	json_decref(answer.warnings);
	return exit_status;
}

int rtls_verb_report_key(
	const struct rtls_config *config, int argc, char **argv)
{
	static const struct option options[] = {
		{ "selector", required_argument, NULL, 's' },
		{ "domain", required_argument, NULL, 'd' },
		{ "all-services", no_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct request request = { .selector = DEFAULT_SELECTOR };
	int option, exit_status;

	while ((option = rtls_options_next(
			"report key", argc, argv, options)) != -1) {
		if (option == 's')
			request.selector = optarg;
		else if (option == 'd')
			request.domain = optarg;
		else if (option == 'a')
			request.all_services = true;
		else if (option == 'j')
			request.wants_json = true;
		else
			return EX_USAGE;
	}
	exit_status = rtls_options_count(
		"report key", argc, argv, 1, 1, "the file of a key");
	if (exit_status != EX_OK)
		return exit_status;
	request.path = argv[optind];
	/* We are in / by now: a name that is not absolute means something else here. */
	if (request.path[0] != '/' && strcmp(request.path, "-") != 0)
		return rtls_options_expected("report key",
			"the whole path of the file, from / on", request.path);
	return show(config, &request);
}
