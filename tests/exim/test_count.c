/* test_count.c - what is counted of deliveries, where, and as whom. Linked with host.c in
 * place of Exim. */
#include "spool_dir.h"

#include "check.h"
#include "exim/count.h"
#include "exim/helper.h"
#include "host.h"
#include "store/counters.h"

#include <sys/prctl.h>

#define NOBODY 65534

static int start(void **state)
{
	if (make_spool(state) != 0)
		return -1;
	host_reset();
	(void)snprintf(host_config()->spool, sizeof(host_config()->spool), "%s",
		spool_dir);
	host_set("$exim_uid", "65534");
	host_set("$exim_gid", "65534");
	host_set("$message_exim_id", "1abcde-000001-AB");
	if (geteuid() != 0)
		return 0;
	return chown(base_dir, NOBODY, NOBODY) == 0 &&
			       chown(spool_dir, NOBODY, NOBODY) == 0
		       ? 0
		       : -1;
}

static uint64_t value_of(const char *name)
{
	static struct rtls_counters counters;
	const struct rtls_counter *counter;
	enum rtls_status status =
		rtls_counters_read(spool_dir, &counters, NULL);

	assert_true(status == RTLS_OK || status == RTLS_NONE);
	assert_int_equal(counters.skipped, 0);
	counter = rtls_counters_find(&counters, name);
	return counter == NULL ? 0 : counter->value;
}

/* A code of which there is none in our texts must not make a number of its own. */
static void test_codes(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "5.7.10 REQUIRETLS: nothing vouches", "5.7.10" },
		{ "5.7.30 REQUIRETLS support required", "5.7.30" },
		{ "5.1.10 takes no mail", "5.1.10" },
		{ "5.7.10", "5.7.10" },
		{ "5.7.101 x", "other" },
		{ "550 5.7.10 x", "other" },
		{ "", "other" },
		{ "a\nb 1 c", "other" },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before;

		(void)snprintf(
			name, sizeof(name), "bounce strict %s", cases[i].name);
		before = value_of(name);
		rtls_count_bounce(
			host_config(), "strict", rtls_slice(cases[i].text));
		assert_int_equal(value_of(name), before + 1);
	}
	rtls_count_put_off(
		host_config(), "enforce", rtls_slice("4.7.0 the MX answer"));
	assert_int_equal(value_of("put-off enforce 4.7.0"), 1);
}

static int count_one(void *context)
{
	(void)context;
	rtls_count_bounce(host_config(), "strict", rtls_slice("5.7.10 x"));
	return 0;
}

/* Root writes nothing: what it counts is a file of the Exim user. */
static void test_root_does_not_write(void **state)
{
	struct stat info;
	const int fds = open_fds();

	(void)state;
	rtls_count_bounce(host_config(), "strict", rtls_slice("5.7.10 x"));
	assert_int_equal(value_of("bounce strict 5.7.10"), 1);
	assert_int_equal(stat(in_spool("counters"), &info), 0);
	assert_int_equal(info.st_uid, geteuid() == 0 ? NOBODY : (int)geteuid());
	assert_int_equal(open_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	/* Who root would have to become is not known: then nobody counts. */
	if (geteuid() != 0)
		return;
	host_set("$exim_uid", "0");
	assert_int_equal(in_child(count_one, NULL), 0);
	assert_int_equal(value_of("bounce strict 5.7.10"), 1);
}

static int count_while_locked(void *context)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const int fd =
		open(in_spool("counters"), O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	(void)context;
	if (fd < 0 || fchown(fd, NOBODY, NOBODY) != 0 ||
		fcntl(fd, F_OFD_SETLK, &whole) != 0)
		return 1;
	(void)count_one(NULL);
	(void)close(fd);
	return count_one(NULL);
}

/* Of a message with a thousand recipients each would wait a second. */
static void test_a_lock_is_waited_for_once(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(count_while_locked, NULL), 0);
	assert_int_equal(value_of("bounce strict 5.7.10"), 0);
	(void)count_one(NULL);
	assert_int_equal(value_of("bounce strict 5.7.10"), 1);
}

static int stop(void *context)
{
	(void)context;
	/* When this test fails it must not be left. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return raise(SIGSTOP);
}

/* What the child does as the Exim user, that user may do to it. The alarm is for this test only. */
static void test_a_stopped_child_is_killed(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	(void)alarm(60);
	assert_int_not_equal(rtls_helper_as_exim(stop, NULL), 0);
	(void)alarm(0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_verification_does_not_count(void **state)
{
	(void)state;
	host_set("$message_exim_id", "");
	rtls_count_bounce(host_config(), "strict", rtls_slice("5.7.10 x"));
	rtls_count_put_off(host_config(), "strict", rtls_slice("4.7.0 x"));
	assert_int_equal(access(in_spool("counters"), F_OK), -1);
}

static void test_sessions(void **state)
{
	struct rtls_session session = { .plan = {
						.class = RTLS_CLASS_ENFORCE } };
	struct rtls_judgement judgement = {
		.result = RTLS_RESULT_CERTIFICATE_HOST_MISMATCH
	};

	(void)state;
	rtls_count_session(host_config(), &session, &judgement);
	judgement.ours = true;
	rtls_count_session(host_config(), &session, &judgement);
	rtls_count_refused(host_config(), &session, "not-in-policy");
	assert_int_equal(
		value_of("session enforce certificate-host-mismatch"), 1);
	assert_int_equal(value_of("session enforce local"), 1);
	assert_int_equal(value_of("refused enforce not-in-policy"), 1);
}

/* All results there are fit into a name. */
static void test_names_fit(void **state)
{
	struct rtls_session session = { .active = true };
	struct rtls_judgement judgement = { .text = "" };

	(void)state;
	for (int class = 0; class <= RTLS_CLASS_RELAXED; class ++)
		for (int result = 0; result < RTLS_RESULT_COUNT; result++) {
			char name[128];

			session.plan.class = (enum rtls_class) class;
			judgement.result = (enum rtls_result)result;
			(void)snprintf(name, sizeof(name), "session %s %s",
				rtls_class_name(session.plan.class),
				rtls_result_name(judgement.result));
			rtls_count_session(host_config(), &session, &judgement);
			assert_int_equal(value_of(name), 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_codes, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			test_root_does_not_write, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			test_a_lock_is_waited_for_once, start, remove_spool),
		cmocka_unit_test(test_a_stopped_child_is_killed),
		cmocka_unit_test_setup_teardown(
			test_verification_does_not_count, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			test_sessions, start, remove_spool),
		cmocka_unit_test_setup_teardown(
			test_names_fit, start, remove_spool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
