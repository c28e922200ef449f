/* note_exempt.c - see note_exempt.h. */
#include "note_exempt.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/rules.h"
#include "store/config_file.h"
#include "warned.h"

struct file {
	struct rtls_exemptions exemptions;
	char text[RTLS_EXEMPT_SIZE_MAX + 1];
};

/* The mark goes by the line: so there are never more of them than lines. */
static bool is_due(const struct rtls_resolving *resolving,
	const struct rtls_exemption *exemption)
{
	char mark[48];

	/* One that finds no room is said the next time. */
	if (resolving->record->note_count == RTLS_NOTES_MAX)
		return false;
	(void)snprintf(mark, sizeof(mark), "exempt-%s-%u",
		resolving->for_module ? "exim" : "other", exemption->line);
	return rtls_warn_daily(
		resolving->config->spool, mark, resolving->now_s);
}

static void note(struct rtls_resolving *resolving,
	const struct rtls_exemption *exemption)
{
	struct rtls_quoted domain, path, reason;

	rtls_resolving_note(resolving,
		"the exemption of %s ran out on %.*s and has no effect, see line %u of %s: %s",
		rtls_quoted(&domain, exemption->domain),
		(int)exemption->until.size, exemption->until.data,
		exemption->line,
		rtls_quoted(&path, rtls_slice(resolving->config->exempt)),
		rtls_quoted(&reason, exemption->reason));
}

static void note_all(
	struct rtls_resolving *resolving, const struct rtls_exemptions *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct rtls_exemption *exemption = &list->exemption[i];

		if (rtls_exemption_is_over(exemption, resolving->now_s) &&
			rtls_wildcard_matches(exemption->domain,
				rtls_slice(resolving->domain)) &&
			is_due(resolving, exemption))
			note(resolving, exemption);
	}
}

void rtls_note_exempt(struct rtls_resolving *resolving)
{
	struct file *file;

	if (resolving->config->exempt[0] == '\0')
		return;
	file = malloc(sizeof(*file));
	if (file == NULL)
		return;
	if (rtls_exempt_load(resolving->config, file->text, &file->exemptions,
		    NULL) == RTLS_OK)
		note_all(resolving, &file->exemptions);
	free(file);
}
