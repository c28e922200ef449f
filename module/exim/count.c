/* count.c - see count.h. Sessions are the Exim user's own process. Routing, and what comes of a
 * message in the end, is root's, which writes nothing: there a child does that has given up root. */
#include "exim/count.h"

#include <stdio.h>

#include "exim/helper.h"
#include "store/counters.h"

/* All there can be in texts of ours, and of a patched Exim's: a code that is in none of them
 * must not make a number of its own. */
static const char *const codes[] = { "5.1.2", "5.1.10", "5.7.10", "5.7.30",
	"4.3.0", "4.3.5", "4.4.3", "4.7.0" };

static const char *code_of(struct rtls_slice text)
{
	const struct rtls_slice word = rtls_slice_take(&text, ' ');

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (rtls_slice_is(word, codes[i]))
			return codes[i];
	return "other";
}

struct addition {
	const char *spool;
	const char *name;
};

static int add(void *context)
{
	const struct addition *addition = context;

	return (int)rtls_counters_add(addition->spool, addition->name, 1, NULL);
}

static void count(const struct rtls_config *config, const char *what,
	const char *class, const char *word)
{
	/* Of this message, since the process is that of one. */
	static bool gave_up;
	char name[RTLS_COUNTER_NAME_MAX + 1];
	struct addition addition = { config->spool, name };

	if (gave_up)
		return;
	(void)snprintf(name, sizeof(name), "%s %s %s", what, class, word);
	/* A lock that somebody keeps is waited for once, not for each of a thousand recipients. Other
	 * lines of the log tell of a spool that cannot be written. */
	gave_up = rtls_helper_as_exim(add, &addition) != 0;
}

void rtls_count_session(const struct rtls_config *config,
	const struct rtls_session *session,
	const struct rtls_judgement *judgement)
{
	count(config, "session", rtls_class_name(session->plan.class),
		judgement->ours ? "local"
				: rtls_result_name(judgement->result));
}

void rtls_count_refused(const struct rtls_config *config,
	const struct rtls_session *session, const char *reason)
{
	count(config, "refused", rtls_class_name(session->plan.class), reason);
}

/* Only there it has an id. */
static bool is_delivery(void)
{
	return rtls_exim_value("$message_exim_id").size > 0;
}

void rtls_count_bounce(const struct rtls_config *config, const char *class,
	struct rtls_slice text)
{
	if (is_delivery())
		count(config, "bounce", class, code_of(text));
}

void rtls_count_put_off(const struct rtls_config *config, const char *class,
	struct rtls_slice text)
{
	if (is_delivery())
		count(config, "put-off", class, code_of(text));
}
