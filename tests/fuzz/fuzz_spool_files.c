/* fuzz_spool_files.c - the files of the spool that are read line by line or as a whole: the input
 * is a day's journal, a note on a refused message and a policy text, all at once. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "policy/sts_policy.h"
#include "store/journal.h"
#include "store/policies.h"
#include "store/refused.h"

#define DATE       "2026-11-21"
#define MESSAGE_ID "1xUtst-000SPI-0J"
#define DOMAIN     "fuzz.example"
/* The text of the policy whose name is known. */
#define POLICY "version: STSv1\nmode: none\nmax_age: 86400\n"

static char spool[64];
static char digest[RTLS_DIGEST_SIZE];
static int journal_fd, note_fd, policy_fd;

static int make_file(const char *directory, const char *name)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", spool, directory);
	PROPERTY(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", spool, directory, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	PROPERTY(fd >= 0);
	return fd;
}

static void remove_file(const char *directory, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", spool, directory, name);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", spool, directory);
	(void)rmdir(path);
}

static void remove_spool(void)
{
	remove_file("tlsrpt", DATE);
	remove_file("refused", MESSAGE_ID);
	remove_file("policy", digest);
	(void)rmdir(spool);
}

static void make_spool(void)
{
	if (spool[0] != '\0')
		return;
	/* In memory where there is such a place. */
	(void)snprintf(spool, sizeof(spool), "%s/rtls-fuzz.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	PROPERTY(mkdtemp(spool) != NULL);
	PROPERTY(rtls_policies_digest(rtls_slice(POLICY), digest) == RTLS_OK);
	journal_fd = make_file("tlsrpt", DATE);
	note_fd = make_file("refused", MESSAGE_ID);
	policy_fd = make_file("policy", digest);
	PROPERTY(atexit(remove_spool) == 0);
}

static void put(int fd, struct rtls_slice text)
{
	PROPERTY(ftruncate(fd, 0) == 0);
	PROPERTY(pwrite(fd, text.data, text.size, 0) == (ssize_t)text.size);
}

/* --- what is read --------------------------------------------------------- */

static bool count(const struct rtls_session_result *result, void *context)
{
	PROPERTY(result->time_s >= 0 && result->count > 0);
	*(uint64_t *)context += result->count;
	return true;
}

/* The sessions of a line, and whether it is one: the last one without its end, which
 * a writer may have left, is none. */
static uint64_t sessions_in(struct rtls_slice line, bool ended)
{
	struct rtls_session_result result;

	return ended && rtls_journal_line_parse(line, &result) == RTLS_OK
		       ? result.count
		       : 0;
}

/* What is visited is what one gets line by line. */
static void check_journal(struct rtls_slice text)
{
	uint64_t wanted = 0, visited = 0;
	size_t torn = 0, skipped = 0;
	struct rtls_slice rest = text;

	while (rest.size > 0) {
		const char *end = memchr(rest.data, '\n', rest.size);
		const struct rtls_slice line = rtls_slice_take(&rest, '\n');
		const uint64_t sessions = sessions_in(line, end != NULL);

		wanted += sessions;
		torn += sessions == 0 && line.size > 0;
	}
	put(journal_fd, text);
	PROPERTY(rtls_journal_each(spool, DATE, count, &visited, &skipped,
			 NULL) == RTLS_OK);
	PROPERTY(visited == wanted && skipped == torn);
}

static void check_note(struct rtls_slice text)
{
	char note[RTLS_ERR_SIZE];
	enum rtls_status status;

	put(note_fd, text);
	status = rtls_refused_get(spool, MESSAGE_ID, DOMAIN, note, NULL);
	PROPERTY(status == RTLS_OK || status == RTLS_NONE);
	if (status == RTLS_OK)
		PROPERTY(memmem(text.data, text.size, DOMAIN, strlen(DOMAIN)) !=
			 NULL);
	PROPERTY(strlen(note) < sizeof(note));
	for (const char *at = note; *at != '\0'; at++)
		PROPERTY(*at >= ' ' && *at <= '~');
}

/* Only the text that the name is the digest of. */
static void check_policy(struct rtls_slice text)
{
	static char buffer[RTLS_STS_POLICY_SIZE_MAX + 1];
	struct rtls_slice read;
	enum rtls_status status;

	put(policy_fd, text);
	status = rtls_policies_get(
		spool, rtls_slice(digest), buffer, &read, NULL);
	PROPERTY((status == RTLS_OK) == rtls_slice_is(text, POLICY));
	PROPERTY(status == RTLS_OK || status == RTLS_INVALID);
	if (status == RTLS_OK)
		PROPERTY(rtls_slice_equal(read, text));
	PROPERTY(rtls_policies_get(spool, text, buffer, &read, NULL) !=
			 RTLS_OK ||
		 rtls_slice_is(text, digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice text = fuzz_input(data, size);

	make_spool();
	check_journal(text);
	check_note(text);
	check_policy(text);
	return 0;
}
