/* matrix.c DIRECTORY [second] - the cells of tests/matrix/oracle.py, one per line of the input, through the
 * whole module: cache record, routing, one host by delivery.c, and the journal.
 *
 * DIRECTORY holds <kind>.pem (key, leaf, chain) of each kind of certificate, root.pem, and what
 * this program writes. Per cell one line of output:
 *
 *   deferred|bounced|verified|tls|clear TAB status TAB journal
 *
 * With "second" there is another MX host behind that of the cell, of which nothing is wrong
 * (second.pem); mail that leaves for it is "skipped, verified", say.
 *
 * The journal's lines end in "|", their fields are separated by "^". */
#include <dirent.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "delivery.h"
#include "exim/session.h"
#include "host.h"
#include "policy/timestamp.h"
#include "store/cache.h"

#define HOST   "mx.matrix.example"
#define SECOND "second.matrix.example"
#define ID     "20261101"
#define GOOD_DIGEST                                                            \
	"1640cac9037f39414f2dca074da1364c654df9ee205bf0de55b0779ae50312df"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int requiretls_route(uschar **yield, int argc, uschar *argv[]);

static const char *directory;
static bool has_second;

static void quit(const char *why)
{
	fprintf(stderr, "matrix: %s\n", why);
	exit(1);
}

/* --- certificates ----------------------------------------------------------- */

static const char *const kinds[] = { "good", "expired", "notyet", "selfsigned",
	"unknownca", "wrongname", "cnonly", "wildcard", "partial", "extra" };
static struct shown shown_by[COUNT(kinds)], shown_by_second;

static gnutls_datum_t load(const char *name)
{
	char path[512];
	gnutls_datum_t data = { NULL, 0 };

	snprintf(path, sizeof(path), "%s/%s.pem", directory, name);
	if (gnutls_load_file(path, &data) != 0)
		quit(path);
	return data;
}

/* As Exim: the whole chain against the CAs, the leaf's names with GnuTLS's own function. */
static void judge_as_exim(gnutls_x509_trust_list_t trusted,
	gnutls_x509_crt_t *chain, unsigned count, const char *host,
	struct shown *shown)
{
	unsigned bits = 0;

	if (gnutls_x509_trust_list_verify_crt2(
		    trusted, chain, count, NULL, 0, 0, &bits, NULL) != 0)
		quit("cannot verify a chain");
	shown->chain_holds = bits == 0;
	shown->name_holds = gnutls_x509_crt_check_hostname(chain[0], host) != 0;
}

static void read_shown(gnutls_x509_trust_list_t trusted, const char *kind,
	const char *host, struct shown *shown)
{
	gnutls_datum_t pem = load(kind), der, text;
	gnutls_x509_crt_t *chain;

	if (gnutls_x509_crt_list_import2(
		    &chain, &shown->count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0 ||
		shown->count > SHOWN_MAX)
		quit(kind);
	for (unsigned i = 0; i < shown->count; i++) {
		if (gnutls_x509_crt_export2(
			    chain[i], GNUTLS_X509_FMT_DER, &der) != 0 ||
			gnutls_base64_encode2(&der, &text) != 0)
			quit(kind);
		shown->base64[i] = strndup((char *)text.data, text.size);
		gnutls_free(der.data);
		gnutls_free(text.data);
	}
	judge_as_exim(trusted, chain, shown->count, host, shown);
	for (unsigned i = 0; i < shown->count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	gnutls_free(pem.data);
}

static void read_certificates(void)
{
	gnutls_datum_t root = load("root");
	gnutls_x509_trust_list_t trusted;

	if (gnutls_x509_trust_list_init(&trusted, 0) != 0 ||
		gnutls_x509_trust_list_add_trust_mem(
			trusted, &root, NULL, GNUTLS_X509_FMT_PEM, 0, 0) != 1)
		quit("root.pem");
	for (size_t i = 0; i < COUNT(kinds); i++)
		read_shown(trusted, kinds[i], HOST, &shown_by[i]);
	if (has_second)
		read_shown(trusted, "second", SECOND, &shown_by_second);
	gnutls_x509_trust_list_deinit(trusted, 1);
	gnutls_free(root.data);
}

/* --- cells ------------------------------------------------------------------ */

struct cell {
	char policy[16], mx[16], listed[16], tlsa[16], message[16],
		certificate[16], starttls[16];
};

static bool is(const char *value, const char *name)
{
	return strcmp(value, name) == 0;
}

static unsigned find(const char *const *names, size_t count, const char *value)
{
	for (size_t i = 0; i < count; i++)
		if (is(names[i], value))
			return (unsigned)i;
	quit(value);
	return 0;
}

static struct host_facts facts_of(const struct cell *cell)
{
	static const char *const tlsa[] = { "absent", "good", "bad", "unusable",
		"servfail" };
	static const char *const starttls[] = { "yes", "no", "breaks", "4xx" };

	return (struct host_facts){
		.name = HOST,
		.mx_secure = is(cell->mx, "secure"),
		.tlsa = (enum tlsa)find(tlsa, COUNT(tlsa), cell->tlsa),
		.starttls = (enum starttls)find(
			starttls, COUNT(starttls), cell->starttls),
		.shown =
			&shown_by[find(kinds, COUNT(kinds), cell->certificate)],
	};
}

/* --- what `exim-requiretls resolve` leaves ---------------------------------- */

static const char *stamp(int64_t from_now_s)
{
	static char texts[4][RTLS_TIMESTAMP_SIZE];
	static unsigned next;
	char *text = texts[next++ % COUNT(texts)];

	rtls_timestamp_format(text, time(NULL) + from_now_s);
	return text;
}

/* TLSA is looked up behind a secure MX answer only. */
static void add_hosts(const struct cell *cell, struct rtls_text *out)
{
	const bool secure = is(cell->mx, "secure");
	const char *state = is(cell->tlsa, "absent")     ? "none"
			    : is(cell->tlsa, "unusable") ? "unusable"
			    : is(cell->tlsa, "servfail") ? "failed"
							 : "secure";

	if (is(cell->mx, "bogus") || is(cell->mx, "servfail")) {
		rtls_text_printf(out, "mx-answer failed\nmx-dnssec %s\n",
			is(cell->mx, "bogus") ? "bogus" : "unknown");
		return;
	}
	rtls_text_printf(out, "mx-answer hosts\nmx-dnssec %s\n", cell->mx);
	rtls_text_printf(out, "mx 10 " HOST " address=secure tlsa=%s\n",
		secure ? state : "unknown");
	if (has_second)
		rtls_text_printf(out,
			"mx 20 " SECOND " address=secure tlsa=%s\n",
			secure ? "none" : "unknown");
	if (secure && (is(state, "secure") || is(state, "unusable")))
		rtls_text_printf(out, "tlsa " HOST " %d 1 1 " GOOD_DIGEST "\n",
			is(state, "secure") ? 3 : 1);
}

static void add_policy(const struct cell *cell, struct rtls_text *out)
{
	const bool announced =
		!is(cell->policy, "absent") && !is(cell->policy, "expired");
	const bool failed =
		is(cell->policy, "broken") || is(cell->policy, "unfetchable");
	const bool expired = is(cell->policy, "expired");

	rtls_text_printf(
		out, announced ? "txt valid\ntxt-id " ID "\n" : "txt none\n");
	rtls_text_printf(out, "txt-until %s\n", stamp(3600));
	if (announced)
		rtls_text_printf(out, "fetch %s\nfetch-id " ID "\n",
			failed ? "failed" : "ok");
	if (failed)
		rtls_text_printf(out, "fetch-retry %s\nfetch-error %s\n",
			stamp(3600),
			is(cell->policy, "broken")
				? "sts-policy-invalid mode is not known"
				: "sts-policy-fetch-error refused");
	if (failed || is(cell->policy, "absent"))
		return;
	rtls_text_printf(out, "policy-id " ID "\npolicy-fetched %s\n",
		stamp(expired ? -7200 : -60));
	rtls_text_printf(out,
		"policy-until %s\npolicy-digest " GOOD_DIGEST "\npolicy-text\n",
		stamp(expired ? -3600 : 3600));
	rtls_text_printf(out,
		"version: STSv1\nmode: %s\nmax_age: 3600\nmx: %s\n%s",
		expired ? "enforce" : cell->policy,
		is(cell->listed, "in") ? HOST : "mx.elsewhere.example",
		has_second ? "mx: " SECOND "\n" : "");
}

/* Into the cache, and into records/, from where the stand-in for the program takes it. */
static void write_record(const struct cell *cell, const char *domain)
{
	static char buffer[8192];
	static struct rtls_record record;
	struct rtls_err err = { "" };
	struct rtls_text text;
	char path[512];
	FILE *file;

	rtls_text_init(&text, buffer, sizeof(buffer));
	rtls_text_printf(&text, "requiretls-record 1\ndomain %s\n", domain);
	rtls_text_printf(&text, "mx-until %s\n", stamp(3600));
	add_hosts(cell, &text);
	add_policy(cell, &text);
	if (rtls_record_parse(rtls_text_slice(&text), domain, &record, &err) !=
			RTLS_OK ||
		rtls_cache_put(host_config()->spool, &record, &err) != RTLS_OK)
		quit(err.text);
	snprintf(path, sizeof(path), "%s/records/%s", directory, domain);
	file = fopen(path, "we");
	if (file == NULL || fputs(buffer, file) < 0 || fclose(file) != 0)
		quit(path);
}

/* --- one message ------------------------------------------------------------ */

static void start(const struct cell *cell, const char *domain, unsigned number)
{
	static char id[32];
	struct rtls_config *config;

	host_reset();
	config = host_config();
	snprintf(config->spool, sizeof(config->spool), "%s/spool", directory);
	snprintf(config->program, sizeof(config->program), "%s/resolve",
		directory);
	snprintf(config->ca_file, sizeof(config->ca_file), "%s/root.pem",
		directory);
	config->tlsrpt = true;
	config->requiretls = RTLS_LEVEL_VERIFIED;
	snprintf(id, sizeof(id), "1matrx-%06u-AB", number);
	host_set("$message_exim_id", id);
	host_set("$exim_uid", "65534");
	host_set("$exim_gid", "65534");
	host_set("$sender_address", "alice@lab.example");
	host_set("$domain", domain);
	host_set("$local_part", "bob");
	host_set("$local_scan_data",
		is(cell->message, "flagged")
			? "requiretls=yes by=tag dnssec=no"
			: (is(cell->message, "relaxed")
					  ? "requiretls=relaxed dnssec=no"
					  : "requiretls=no dnssec=no"));
}

/* As the router says it: bounced or deferred, with the status; or "" and the class. */
static const char *route(
	const char *domain, char *plan, size_t plan_size, char status[8])
{
	const char *answer = host_call(requiretls_route, domain);

	snprintf(plan, plan_size, "%s", answer);
	status[0] = '\0';
	if (strncmp(answer, "fail=\"", 6) == 0) {
		snprintf(status, 8, "%.*s", (int)strcspn(answer + 6, " "),
			answer + 6);
		return "bounced";
	}
	return strncmp(answer, "defer=", 6) == 0 ? "deferred" : "";
}

static enum rtls_class class_of(const char *plan)
{
	static const char *const names[] = { "strict", "enforce", "observe",
		"relaxed" };
	char name[16] = "";

	if (sscanf(plan, "class=%15[a-z]", name) != 1)
		quit(plan);
	return (enum rtls_class)find(names, COUNT(names), name);
}

static void print_journal(void)
{
	char path[1024];
	struct dirent *entry;
	FILE *file;
	DIR *dir;
	int c;

	snprintf(path, sizeof(path), "%s/spool/tlsrpt", directory);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/spool/tlsrpt/%s", directory,
			entry->d_name);
		file = fopen(path, "re");
		while (file != NULL && (c = fgetc(file)) != EOF)
			putchar(c == '\t' ? '^' : c == '\n' ? '|' : c);
		if (file != NULL)
			fclose(file);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
}

/* The attempt, and for a flagged message that could not be delivered the next routing. */
static void deliver(
	const struct cell *cell, const char *domain, const char *plan)
{
	static char second[8192];
	const struct host_facts facts[] = { facts_of(cell),
		{ .name = SECOND,
			.mx_secure = is(cell->mx, "secure"),
			.tlsa = TLSA_ABSENT,
			.starttls = STARTTLS_YES,
			.shown = &shown_by_second } };
	const enum rtls_class class = class_of(plan);
	const char *what = "deferred";
	char status[8] = "";

	/* The site's own dnslookup router, which asks for itself. */
	if (is(cell->mx, "secure") || is(cell->mx, "insecure")) {
		struct delivered delivered = delivery_attempt(
			facts, has_second ? 2 : 1, class, plan);

		if (delivered.done && delivered.host > 0)
			printf("skipped, ");
		if (delivered.done)
			what = !delivered.tls       ? "clear"
			       : delivered.insisted ? "verified"
						    : "tls";
		else if (*route(domain, second, sizeof(second), status) == 'b')
			what = "bounced";
	} else if (class == RTLS_CLASS_STRICT || class == RTLS_CLASS_ENFORCE) {
		what = "sent without a host";
	}
	rtls_session_flush(); /* the process of the attempt ends */
	printf("%s\t%s\t", what, status);
	print_journal();
	putchar('\n');
}

/* In a process of its own, as with Exim: the module remembers an attempt. */
static void run(const struct cell *cell, const char *domain, unsigned number)
{
	static char plan[8192];
	char status[8];
	const char *what;
	int result = 0;
	pid_t pid;

	start(cell, domain, number);
	what = route(domain, plan, sizeof(plan), status);
	if (*what != '\0') {
		printf("%s\t%s\t\n", what, status);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		deliver(cell, domain, plan);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &result, 0) != pid || result != 0)
		quit("a delivery crashed");
}

static bool read_cell(struct cell *cell)
{
	return scanf("%15s %15s %15s %15s %15s %15s %15s", cell->policy,
		       cell->mx, cell->listed, cell->tlsa, cell->message,
		       cell->certificate, cell->starttls) == 7;
}

/* Cells that are routed alike come in a row, and share a domain. */
static bool is_routed_alike(const struct cell *a, const struct cell *b)
{
	return is(a->policy, b->policy) && is(a->mx, b->mx) &&
	       is(a->listed, b->listed) && is(a->tlsa, b->tlsa) &&
	       is(a->message, b->message);
}

int main(int argc, char **argv)
{
	struct cell cell = { .policy = "" }, last = { .policy = "" };
	unsigned number = 0, domains = 0;
	char domain[64] = "";

	if (argc < 2 || argc > 3)
		quit("which directory?");
	directory = argv[1];
	has_second = argc == 3 && is(argv[2], "second");
	read_certificates();
	for (; read_cell(&cell); number++) {
		if (!is_routed_alike(&cell, &last)) {
			snprintf(domain, sizeof(domain), "d%u.matrix.example",
				domains++);
			start(&cell, domain, number);
			write_record(&cell, domain);
			last = cell;
		}
		run(&cell, domain, number);
	}
	return number > 0 ? 0 : 1;
}
