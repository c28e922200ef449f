/* publish.c - `exim-requiretls publish`: what to publish for a domain of one's own, and whether
 * it is there. */
#include "tool/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tool/options.h"
#include "tool/verb.h"

/* What the command line says. */
struct request {
	const char *domain;
	struct rtls_publication publication;
	struct rtls_advice advice;
	bool has_max_age;
	bool verify;
	bool json;
	bool is_handed_over; /* another process writes the files */
};

/* All of it, as it is printed and written. */
struct texts {
	char policy[RTLS_PUBLICATION_TEXT_SIZE];
	char zone[RTLS_PUBLICATION_TEXT_SIZE];
	char nginx[4096];
	char apache[4096];
};

/* --- the command line ------------------------------------------------------------------- */

static int misused(const char *option, const char *why)
{
	char text[RTLS_ERR_SIZE + 16];

	(void)snprintf(text, sizeof(text), "%s %s", option, why);
	return rtls_verb_misused("publish", text);
}

static int add_mx(struct request *request, const char *value)
{
	struct rtls_publication *publication = &request->publication;
	struct rtls_err err = { "" };
	char name[RTLS_DOMAIN_SIZE];

	if (rtls_publication_mx(rtls_slice(value), name, &err) != RTLS_OK)
		return misused("--mx", err.text);
	if (publication->mx_count == RTLS_PUBLISHED_MX_MAX)
		return misused("--mx", "may stand there 64 times");
	memcpy(publication->mx[publication->mx_count++], name, sizeof(name));
	if (!rtls_slice_is_nocase(rtls_slice(value), name))
		rtls_advice_add(&request->advice, "idn",
			"--mx is written as DNS has it: %s", name);
	return EX_OK;
}

static int add_rua(struct request *request, const char *value)
{
	struct rtls_publication *publication = &request->publication;
	struct rtls_err err = { "" };

	if (publication->rua_count == RTLS_PUBLICATION_RUA_MAX)
		return misused("--rua", "may stand there 4 times");
	if (rtls_rua_parse(rtls_slice(value),
		    &publication->rua[publication->rua_count], &err) != RTLS_OK)
		return rtls_options_value("publish", "--rua", value,
			"mailto:ADDRESS, or https: and a place there");
	publication->rua_count++;
	return EX_OK;
}

static int set_mode(struct request *request, const char *value)
{
	for (unsigned i = RTLS_STS_NONE; i <= RTLS_STS_ENFORCE; i++) {
		request->publication.mode = (enum rtls_sts_mode)i;
		if (strcmp(value,
			    rtls_sts_mode_name(request->publication.mode)) == 0)
			return EX_OK;
	}
	return rtls_options_value(
		"publish", "--mode", value, "testing, enforce or none");
}

static int set_max_age(struct request *request, const char *value)
{
	request->has_max_age = true;
	return rtls_publication_max_age(
		       rtls_slice(value), &request->publication.max_age_s)
		       ? EX_OK
		       : rtls_options_value("publish", "--max-age", value,
				 "seconds, or a number with m, h, d or w; at "
				 "most 31557600 seconds");
}

static int set_directory(struct request *request, const char *value)
{
	request->publication.directory = value;
	return rtls_publication_is_directory(value)
		       ? EX_OK
		       : rtls_options_value("publish", "--directory", value,
				 "an absolute path of letters, digits and "
				 "\"._-\"");
}

static int take_option(struct request *request, int option)
{
	switch (option) {
	case 'M':
		return add_mx(request, optarg);
	case 'o':
		return set_mode(request, optarg);
	case 'a':
		return set_max_age(request, optarg);
	case 'R':
		return add_rua(request, optarg);
	case 'd':
		return set_directory(request, optarg);
	case 'v':
		request->verify = true;
		return EX_OK;
	case 'j':
		request->json = true;
		return EX_OK;
	case 'h':
		request->is_handed_over = true;
		return EX_OK;
	default:
		return EX_USAGE;
	}
}

/* --- output ----------------------------------------------------------------------------- */

static void print_advice(const struct rtls_advice *advice)
{
	for (size_t i = 0; i < advice->count; i++)
		(void)fprintf(stderr, "exim-requiretls: warning: %s\n",
			advice->item[i].text);
}

static void print_policy(const char *policy)
{
	for (const char *c = policy; *c != '\0'; c++)
		if (*c != '\r')
			(void)putchar(*c);
}

static void print_texts(
	const struct rtls_publication *publication, const struct texts *texts)
{
	const char *domain = publication->domain;

	if (publication->directory != NULL) {
		(void)printf("written to %s: %s, %s, nginx.conf, apache.conf\n",
			publication->directory, RTLS_PUBLISH_POLICY_FILE,
			RTLS_PUBLISH_ZONE_FILE);
		return;
	}
	(void)printf(
		"# https://mta-sts.%s/.well-known/mta-sts.txt (with CRLF)\n",
		domain);
	print_policy(texts->policy);
	(void)printf("\n# DNS, after that\n%s", texts->zone);
	(void)printf(
		"\n# nginx\n%s\n# Apache\n%s", texts->nginx, texts->apache);
}

static json_t *advice_json(const struct rtls_advice *advice)
{
	json_t *list = json_array();

	for (size_t i = 0; i < advice->count; i++)
		(void)json_array_append_new(list,
			json_pack("{s:s, s:o}", "kind", advice->item[i].kind,
				"text",
				rtls_verb_json(
					rtls_slice(advice->item[i].text))));
	return list;
}

static json_t *texts_json(
	const struct request *request, const struct texts *texts)
{
	const struct rtls_publication *publication = &request->publication;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:o}", "domain",
		publication->domain, "id", publication->id, "policy",
		texts->policy, "zone", texts->zone, "nginx", texts->nginx,
		"apache", texts->apache, "directory", publication->directory,
		"warnings", advice_json(&request->advice));
}

static bool format(
	const struct rtls_publication *publication, struct texts *texts)
{
	struct rtls_text policy, zone, nginx, apache;

	rtls_text_init(&policy, texts->policy, sizeof(texts->policy));
	rtls_publication_policy(publication, &policy);
	rtls_text_init(&zone, texts->zone, sizeof(texts->zone));
	rtls_publication_zone(publication, &zone);
	rtls_text_init(&nginx, texts->nginx, sizeof(texts->nginx));
	rtls_publication_nginx(publication, &nginx);
	rtls_text_init(&apache, texts->apache, sizeof(texts->apache));
	rtls_publication_apache(publication, &apache);
	return !policy.overflow && !zone.overflow && !nginx.overflow &&
	       !apache.overflow;
}

/* What we write our own parser has to take. */
static bool is_valid(const struct texts *texts, struct rtls_err *err)
{
	static struct rtls_sts_policy policy;

	return rtls_sts_policy_parse(rtls_slice(texts->policy), &policy, err) ==
	       RTLS_OK;
}

static int put_out(struct request *request)
{
	static struct texts texts;
	struct rtls_publication *publication = &request->publication;
	const char *const all[RTLS_PUBLISH_FILES] = { texts.policy, texts.zone,
		texts.nginx, texts.apache };
	struct rtls_err err = { "too long" };
	int exit_status = EX_OK;

	if (!format(publication, &texts) || !is_valid(&texts, &err))
		return rtls_verb_fail(EX_SOFTWARE, "publish: %s", err.text);
	if (request->is_handed_over)
		exit_status = rtls_publish_files_hand_over(all);
	else if (publication->directory != NULL)
		exit_status =
			rtls_publish_files_write(publication->directory, all);
	if (exit_status != EX_OK)
		return exit_status;
	if (request->json)
		return rtls_verb_print_json(texts_json(request, &texts), EX_OK);
	print_advice(&request->advice);
	print_texts(publication, &texts);
	return EX_OK;
}

/* --- all of it -------------------------------------------------------------------------- */

/* Wildcards have no address. */
static void name_hosts(const struct rtls_publication *publication,
	struct rtls_published *looked)
{
	for (size_t i = 0; i < publication->mx_count; i++)
		if (publication->mx[i][0] != '*')
			memcpy(looked->name[looked->name_count++].name,
				publication->mx[i], RTLS_DOMAIN_SIZE);
}

static int publish(struct request *request, struct rtls_published *looked,
	const struct rtls_err *err, bool is_looked)
{
	struct rtls_publication *publication = &request->publication;

	if (!is_looked)
		rtls_advice_add(&request->advice, "network",
			"nothing could be looked up: %s", err->text);
	rtls_publication_id((int64_t)time(NULL),
		rtls_slice(is_looked ? looked->sts_id : ""), publication->id);
	rtls_publication_advise(
		publication, is_looked ? looked : NULL, &request->advice);
	return put_out(request);
}

static int run(struct request *request)
{
	struct rtls_published *looked = calloc(1, sizeof(*looked));
	struct rtls_err err = { "" };
	struct rtls_config config;
	bool is_looked;
	int exit_status;

	if (looked == NULL)
		return rtls_verb_fail(EX_TEMPFAIL, "out of memory");
	exit_status = rtls_verb_load_config(&config);
	if (exit_status != EX_OK) {
		free(looked);
		return exit_status;
	}
	name_hosts(&request->publication, looked);
	is_looked = rtls_published_look(&config, request->publication.domain,
			    looked, &err) == RTLS_OK;
	if (!request->verify)
		exit_status = publish(request, looked, &err, is_looked);
	else if (is_looked)
		exit_status = rtls_publish_verify(&config,
			request->publication.domain, looked,
			request->publication.directory, request->json);
	else
		exit_status = rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
	free(looked);
	return exit_status;
}

/* What goes with what. */
static int check(struct request *request)
{
	struct rtls_publication *publication = &request->publication;
	int exit_status =
		rtls_verb_domain(request->domain, publication->domain);

	if (exit_status != EX_OK)
		return exit_status;
	if (!rtls_slice_is_nocase(
		    rtls_slice(request->domain), publication->domain))
		rtls_advice_add(&request->advice, "idn",
			"the domain is written as DNS has it: %s",
			publication->domain);
	if (!request->has_max_age)
		publication->max_age_s = publication->mode == RTLS_STS_ENFORCE
						 ? 2592000
						 : 604800;
	if (request->verify && publication->mx_count > 0)
		return rtls_verb_misused(
			"publish", "--verify looks at what is there: no --mx");
	if (!request->verify && publication->mode != RTLS_STS_NONE &&
		publication->mx_count == 0)
		return rtls_verb_misused(
			"publish", "expected --mx, once for each MX host");
	return EX_OK;
}

static int run_publish(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mx", required_argument, NULL, 'M' },
		{ "mode", required_argument, NULL, 'o' },
		{ "max-age", required_argument, NULL, 'a' },
		{ "rua", required_argument, NULL, 'R' },
		{ "directory", required_argument, NULL, 'd' },
		{ "verify", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ RTLS_PUBLISH_HANDED_OVER, no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct request request = { .publication = {
						  .mode = RTLS_STS_TESTING } };
	int option, exit_status = EX_OK;

	while (exit_status == EX_OK && (option = rtls_options_next("publish",
						argc, argv, options)) != -1)
		exit_status = take_option(&request, option);
	if (exit_status != EX_OK)
		return exit_status;
	exit_status =
		rtls_options_count("publish", argc, argv, 1, 1, "a domain");
	if (exit_status != EX_OK)
		return exit_status;
	request.domain = argv[optind];
	exit_status = check(&request);
	return exit_status == EX_OK ? run(&request) : exit_status;
}

const struct rtls_verb rtls_verb_publish = {
	.name = "publish",
	.summary = "make and verify the MTA-STS policy of your own domain",
	.help = "Usage: exim-requiretls publish DOMAIN --mx NAME [--mx ...]\n"
		"                               [--mode testing|enforce|none] [--max-age TIME]\n"
		"                               [--rua URI] [--directory DIR] [--json]\n"
		"       exim-requiretls publish DOMAIN --verify [--directory DIR] [--json]\n"
		"\n"
		"  --mx         an MX host, or *. and a domain\n"
		"  --mode       what others do; the default is testing\n"
		"  --max-age    how long they remember it: 30d; the default is a week, of\n"
		"               enforce 30 days\n"
		"  --rua        where TLS reports go: mailto:ADDRESS or https:...\n"
		"  --directory  write files there instead of printing; with --verify, compare\n"
		"               with them\n"
		"  --verify     look at what is published\n"
		"  --json       print JSON\n",
	.run = run_publish,
	.power = RTLS_POWER_USER_FILES,
};
