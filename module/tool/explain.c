/* explain.c - `exim-requiretls explain`: what would become of a message, and why; by
 * configuration and cache, without the network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/idna.h"
#include "tool/explain_log.h"
#include "tool/explain_print.h"
#include "tool/options.h"
#include "tool/verb.h"

#define ADDRESS_SIZE     1024
#define ADDRESS_EXPECTED "an address with its domain"
#define MESSAGE_SIZE_MAX (64 * 1024 * 1024)

/* What the command line says. */
struct request {
	const char *address;
	const char *sender;  /* NULL: not given */
	const char *log;     /* NULL: what would be, not what was */
	const char *via;     /* NULL: as Exim's configuration has it */
	const char *message; /* a file; NULL: not given */
	char *header;        /* lines of --header; NULL: none */
	bool flagged;
	bool relaxed;
	bool json;
};

/* Behind the last "@". */
static struct rtls_slice domain_of(struct rtls_slice address)
{
	for (size_t i = address.size; i > 0; i--)
		if (address.data[i - 1] == '@')
			return rtls_slice_n(address.data + i, address.size - i);
	return rtls_slice("");
}

/* As the module does it for what routing gives it. */
static void name_domain(struct rtls_slice domain, char name[RTLS_DOMAIN_SIZE],
	struct rtls_explain_question *question)
{
	question->literal = rtls_domain_is_literal(domain) ||
			    rtls_idna_normalize(domain, name) != RTLS_OK;
	if (question->literal)
		rtls_quote(name, RTLS_DOMAIN_SIZE, domain);
	question->domain = name;
}

static int read_site(const struct rtls_config *config, const char *domain,
	int64_t now_s, struct rtls_site *site)
{
	struct rtls_err err = { "" };

	if (rtls_site_load(config, &err) != RTLS_OK)
		return rtls_verb_fail(EX_CONFIG,
			"mail waits (4.3.5 local configuration error): %s",
			err.text);
	rtls_site_look_up(config, domain, now_s, site);
	return EX_OK;
}

/* What does not count for the module is said, and does not count here. */
static void read_known(const struct rtls_config *config, const char *domain,
	int64_t now_s, struct rtls_known *known)
{
	struct rtls_err err = { "" };
	enum rtls_status status =
		rtls_known_read(config, domain, now_s, known, &err);

	if (status != RTLS_OK && status != RTLS_NONE)
		(void)rtls_verb_fail(EX_OK, "%s: cache record ignored: %s",
			domain, err.text);
	if (rtls_known_read_policy(known, now_s, &err) != RTLS_OK)
		(void)rtls_verb_fail(EX_OK, "%s: cached policy ignored: %s",
			domain, err.text);
}

/* --- the message ------------------------------------------------------------------ */

static int read_file(const char *path, char *header)
{
	struct rtls_err err = { "" };
	size_t size = 0;
	char *text = NULL;
	int exit_status =
		rtls_verb_read(path, MESSAGE_SIZE_MAX, &text, &size, &err);

	if (exit_status == EX_OK &&
		rtls_message_add_all(header, rtls_slice_n(text, size), &err) !=
			RTLS_OK)
		exit_status = EX_DATAERR;
	free(text);
	return exit_status == EX_OK
		       ? EX_OK
		       : rtls_verb_fail(exit_status, "%s: %s", path, err.text);
}

/* The fields that rules are about. */
static int read_message(const struct request *request,
	struct rtls_explain_question *question, struct rtls_message *message)
{
	struct rtls_err err = { "" };
	int exit_status = EX_OK;

	if (request->header == NULL)
		return EX_OK;
	message->is_complete = request->message != NULL;
	if (message->is_complete)
		exit_status = read_file(request->message, request->header);
	if (exit_status != EX_OK)
		return exit_status;
	question->message = message;
	if (rtls_message_read(question->config, question->site->rules,
		    request->header, message, &err) == RTLS_OK)
		return EX_OK;
	return rtls_verb_fail(EX_TEMPFAIL, "%s", err.text);
}

static int print(const struct request *request,
	const struct rtls_explain_question *question)
{
	static struct rtls_explanation explanation;
	struct rtls_quoted q;
	const char *address = rtls_quoted(&q, rtls_slice(request->address));

	rtls_explain(question, &explanation);
	if (request->json)
		return rtls_verb_print_json(
			rtls_explain_json(question, &explanation, address),
			EX_OK);
	rtls_explain_print(question, &explanation, address);
	return EX_OK;
}

/* --- smart hosts ------------------------------------------------------------------ */

/* What the cache has of each by name, and all of it in one. As in exim/route.c. */
static void read_hops(const struct rtls_config *config,
	const struct rtls_via *via, struct rtls_explain_question *question,
	struct rtls_known *known)
{
	static struct rtls_explain_hop hops[RTLS_NEXT_HOPS_MAX];
	struct rtls_question all = { .config = config };

	known->known = known->resolved = true;
	for (size_t i = 0; i < via->hops.count; i++) {
		const struct rtls_next_hop *named = &via->hops.hop[i];
		struct rtls_explain_hop *hop = &hops[question->hop_count];

		if (rtls_domain_is_literal(rtls_slice(named->host)) ||
			rtls_idna_normalize(
				rtls_slice(named->host), hop->name) != RTLS_OK)
			continue;
		hop->port = named->port;
		read_known(config, hop->name, question->now_s, &hop->known);
		known->known = known->known && hop->known.known;
		known->resolved = known->resolved && hop->known.resolved;
		question->hop_count++;
	}
	question->hop = hops;
	rtls_explain_smart_hosts(question, true, &all);
	if (all.record != NULL)
		known->record = *all.record;
	question->literal = all.literal;
	if (!all.literal)
		question->domain = hops[0].name;
}

/* The policy domain is the first smart host, or the domain whose MX hosts are meant. */
static void name_next_hop(struct rtls_via *via, char name[RTLS_DOMAIN_SIZE],
	struct rtls_explain_question *question)
{
	struct rtls_next_hop *first = &via->hops.hop[0];

	question->via = via;
	if (via->state == RTLS_VIA_BROKEN) {
		question->literal = true;
		rtls_quote(name, RTLS_DOMAIN_SIZE, rtls_slice(via->text));
		question->domain = name;
		return;
	}
	name_domain(rtls_slice(first->host), name, question);
	if (!first->by_mx)
		question->literal =
			false; /* read_hops() says whether all are */
	else if (!question->literal)
		memcpy(first->host, name, RTLS_DOMAIN_SIZE);
}

/* Whose policy counts, and what is known of it. */
static int read_policy_domain(const struct rtls_config *config,
	struct rtls_via *via, struct rtls_explain_question *question)
{
	static struct rtls_known known;
	static struct rtls_site site;
	static char name[RTLS_DOMAIN_SIZE], recipient[RTLS_DOMAIN_SIZE];
	const struct rtls_slice domain = domain_of(question->address);
	int exit_status;

	question->known = &known;
	question->site = &site;
	if (rtls_via_counts(via)) {
		rtls_quote(recipient, sizeof(recipient), domain);
		/* As Exim has it in $domain. */
		for (char *c = recipient; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		question->recipient = recipient;
		name_next_hop(via, name, question);
	} else {
		name_domain(domain, name, question);
	}
	exit_status = read_site(config, name, question->now_s, &site);
	if (exit_status != EX_OK)
		return exit_status;
	if (rtls_explain_is_by_name(question))
		read_hops(config, via, question, &known);
	else if (!question->literal)
		read_known(config, name, question->now_s, &known);
	return EX_OK;
}

static int explain_address(const struct request *request)
{
	static struct rtls_via via;
	static struct rtls_message message;
	struct rtls_config config;
	char bare[ADDRESS_SIZE];
	struct rtls_explain_question question = { .config = &config,
		.sender = rtls_slice(request->sender),
		.has_sender = request->sender != NULL,
		.address = rtls_slice(request->address),
		.flagged = request->flagged,
		.relaxed = request->relaxed,
		.now_s = (int64_t)time(NULL) };
	int exit_status = rtls_verb_load_config(&config);

	if (exit_status == EX_OK)
		exit_status = rtls_verb_check_spool(&config);
	if (exit_status != EX_OK)
		return exit_status;
	if (rtls_tag_strip(question.address, rtls_slice(config.tag), bare,
		    sizeof(bare))) {
		question.tagged = true;
		question.address = rtls_slice(bare);
	}
	rtls_via_find(&config, request->via, &via);
	if (rtls_via_doubt(&via) != NULL)
		(void)rtls_verb_fail(EX_OK, "%s", rtls_via_doubt(&via));
	exit_status = read_policy_domain(&config, &via, &question);
	if (exit_status == EX_OK)
		exit_status = read_message(request, &question, &message);
	if (exit_status == EX_OK)
		exit_status = print(request, &question);
	rtls_message_free(&message);
	return exit_status;
}

/* False: that is no use of it, said. */
static bool add_header(struct request *request, const char *line)
{
	struct rtls_err err = { "" };

	if (request->header == NULL)
		request->header = calloc(1, RTLS_MESSAGE_HEADER_MAX + 1);
	if (request->header == NULL)
		rtls_err_set(&err, "out of memory");
	else if (line == NULL ||
		 rtls_message_add(request->header, line, &err) == RTLS_OK)
		return true;
	(void)rtls_verb_misused("explain", err.text);
	return false;
}

/* False: that is no use of it, said. */
static bool parse_option(int option, struct request *request)
{
	switch (option) {
	case 'f':
		request->flagged = true;
		return true;
	case 'r':
		request->relaxed = true;
		return true;
	case 's':
		request->sender = strcmp(optarg, "<>") == 0 ? "" : optarg;
		return true;
	case 'v':
		request->via = optarg;
		return true;
	case 'm':
		request->message = optarg;
		return add_header(request, NULL);
	case 'H':
		return add_header(request, optarg);
	case 'l':
		request->log = optarg;
		return true;
	case 'j':
		request->json = true;
		return true;
	default:
		return false;
	}
}

static bool has_message_option(const struct request *request)
{
	return request->flagged || request->relaxed ||
	       request->sender != NULL || request->via != NULL ||
	       request->message != NULL || request->header != NULL;
}

static int explain(struct request *request, int argc, char **argv)
{
	int exit_status = rtls_options_count("explain", argc, argv, 1, 1,
		request->log != NULL ? "a message id" : ADDRESS_EXPECTED);

	if (exit_status != EX_OK)
		return exit_status;
	if (request->log != NULL && has_message_option(request))
		return rtls_verb_misused(
			"explain", "with --log there is only --json");
	if (request->log != NULL)
		return rtls_explain_log(
			request->log, argv[optind], request->json);
	if (domain_of(rtls_slice(argv[optind])).size == 0)
		return rtls_options_expected(
			"explain", ADDRESS_EXPECTED, argv[optind]);
	request->address = argv[optind];
	return explain_address(request);
}

static int run_explain(int argc, char **argv)
{
	static const struct option options[] = {
		{ "flagged", no_argument, NULL, 'f' },
		{ "relaxed", no_argument, NULL, 'r' },
		{ "sender", required_argument, NULL, 's' },
		{ "via", required_argument, NULL, 'v' },
		{ "message", required_argument, NULL, 'm' },
		{ "header", required_argument, NULL, 'H' },
		{ "log", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct request request = { 0 };
	int option, exit_status = EX_OK;

	while (exit_status == EX_OK && (option = rtls_options_next("explain",
						argc, argv, options)) != -1)
		if (!parse_option(option, &request))
			exit_status = EX_USAGE;
	if (exit_status == EX_OK)
		exit_status = explain(&request, argc, argv);
	free(request.header);
	return exit_status;
}

const struct rtls_verb rtls_verb_explain = {
	.name = "explain",
	.summary = "say what would become of a message, and why",
	.help = "Usage: exim-requiretls explain ADDRESS [--flagged] [--relaxed]\n"
		"                               [--sender ADDRESS] [--via HOSTS]\n"
		"                               [--message FILE|-] [--header LINE]... [--json]\n"
		"       exim-requiretls explain --log FILE MESSAGE-ID [--json]\n"
		"\n"
		"  --flagged  as if the message were flagged REQUIRETLS\n"
		"  --relaxed  as if it had the header TLS-Required: No\n"
		"  --sender   who sends it, for rules about the field From; <> is a bounce\n"
		"  --via      smart hosts that mail goes to, in place of those of Exim's own\n"
		"             configuration\n"
		"  --message  a message, for rules about its header fields\n"
		"  --header   a field of it: 'Subject: ...'\n"
		"  --log      what has become of a message, line by line of Exim's main log\n"
		"  --json     print JSON\n",
	.run = run_explain,
	.power = RTLS_POWER_USER,
	.except = "--log",
};
