/* fuzz_scan.c - a message as it is received: each line is a header (folded ones go on with a
 * blank), or with ">" in front a recipient. What it asks for is worked out here once more,
 * and is what the text in the spool says; what is known of it ahead agrees. Before that the
 * whole is an address for requiretls_preflight(), of which nothing gets into an expansion but
 * what a domain is made of. */
#include <string.h>

#include "../exim/host.h"
#include "exim/scan.h"
#include "fuzz.h"

int requiretls_preflight(uschar **yield, int argc, uschar *argv[]);

#define HEADERS    60
#define RECIPIENTS 16
#define TEXT_SIZE  4096

struct wanted {
	bool tagged;
	unsigned fields; /* TLS-Required */
	bool no;         /* the last one says No */
};

static bool is_tls_required(const char *line, bool *no)
{
	static const char name[] = "TLS-Required";
	const char *at = line + strspn(line, " \t");

	if (strncasecmp(at, name, strlen(name)) != 0)
		return false;
	at += strlen(name);
	at += strspn(at, " \t");
	/* A line without a colon is all name. */
	if (*at != ':' && *at != '\0')
		return false;
	at += *at == ':';
	at += strspn(at, " \t\r\n");
	*no = strncasecmp(at, "no", 2) == 0 &&
	      at[2 + strspn(at + 2, " \t\r\n")] == '\0';
	return true;
}

/* Cuts text, a terminated string, into headers and recipients. */
static void receive(char *text, struct wanted *wanted)
{
	char bare[RTLS_SCAN_ADDRESS_SIZE];
	unsigned headers = 0, recipients = 0;

	while (*text != '\0') {
		char *end = text + strcspn(text, "\n");
		bool last, no;

		while (end[0] == '\n' && (end[1] == ' ' || end[1] == '\t'))
			end += 1 + strcspn(end + 1, "\n");
		last = *end == '\0';
		*end = '\0';
		if (*text == '>' && recipients++ < RECIPIENTS) {
			host_add_recipient(text + 1);
			wanted->tagged |= rtls_scan_bare_address(
				host_config(), text + 1, bare);
		} else if (*text != '>' && headers++ < HEADERS) {
			host_add_header(text);
			if (is_tls_required(text, &no)) {
				wanted->fields++;
				wanted->no = no;
			}
		}
		text = last ? end : end + 1;
	}
}

static void check_flags(const struct rtls_flags *flags,
	const struct wanted *wanted, const char *text)
{
	struct rtls_flags again;

	PROPERTY((flags->requiretls == RTLS_REQUIRETLS_YES) == wanted->tagged);
	PROPERTY((flags->requiretls == RTLS_REQUIRETLS_RELAXED) ==
		 (!wanted->tagged && wanted->fields == 1 && wanted->no));
	PROPERTY(host_flagged() == wanted->tagged);
	host_set("$local_scan_data", text);
	rtls_scan_flags(&again);
	PROPERTY(memcmp(flags, &again, sizeof(again)) == 0);
}

static void check_ahead(const struct wanted *wanted)
{
	struct rtls_flags flags;
	struct rtls_err err;

	PROPERTY(rtls_scan_ahead(host_config(), "", &flags, &err) == RTLS_OK);
	PROPERTY((flags.requiretls == RTLS_REQUIRETLS_YES) == wanted->tagged);
	PROPERTY(flags.requiretls != RTLS_REQUIRETLS_RELAXED);
	PROPERTY(host_flagged() == -1);
}

/* The question that Exim is asked about the domain of an address. */
static void check_address(char *address)
{
	static const char begin[] = "${if match_domain{",
			  end[] = "}{+local_domains}{yes}{no}}";
	uschar *arguments[] = { (uschar *)address, NULL };
	uschar *yield = NULL;
	const char *domain = strrchr(address, '@');
	size_t size = domain == NULL ? 0 : strlen(domain + 1);
	const char *asked;

	PROPERTY(requiretls_preflight(&yield, 1, arguments) == OK);
	PROPERTY(*yield == '\0');
	asked = host_asked();
	if (strncmp(asked, begin, strlen(begin)) != 0)
		return;
	asked += strlen(begin);
	PROPERTY(size > 0 && strncmp(asked, domain + 1, size) == 0);
	PROPERTY(strcspn(asked, "{}$\\ \t\r\n\"") == size);
	PROPERTY(strcmp(asked + size, end) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_SIZE];
	struct wanted wanted = { .tagged = false };
	struct rtls_scan scan;
	uschar *yield = NULL;

	if (!rtls_slice_copy(fuzz_input(data, size), text, sizeof(text)))
		return 0;
	host_reset();
	check_address(text);
	host_reset();
	receive(text, &wanted);
	check_ahead(&wanted);
	PROPERTY(rtls_scan_received(&scan) != NULL && !scan.cut_body);
	PROPERTY(local_scan(-1, &yield) == LOCAL_SCAN_ACCEPT);
	check_flags(&scan.flags, &wanted, (const char *)yield);
	host_reset();
	return 0;
}
