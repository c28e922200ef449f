/* decision.h - a decision in the words of the log: the line that the module writes, and the
 * program shows. Pure. */
#ifndef RTLS_DECISION_H
#define RTLS_DECISION_H

#include "exempt.h"
#include "verdict.h"

/* All borrowed. */
struct rtls_decision {
	const char *recipient; /* the recipient's domain, quoted */
	const struct rtls_question *question;
	const struct rtls_plan *plan;
	/* Smart hosts as the site names them, or NULL. */
	const struct rtls_next_hops *via;
	const struct rtls_exemptions *exemptions;
	int64_t now_s;
};

/* Is nothing done with the message that would not be done without the module? Then the
 * log has no line. */
bool rtls_decision_is_plain(const struct rtls_decision *decision);

/* "enforce.example class=enforce sts=enforce id=20261101a mx=good.mail.example". What does
 * not fit is left out. */
void rtls_decision_format(
	const struct rtls_decision *decision, struct rtls_text *out);

#endif
