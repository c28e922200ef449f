/* request.h - what is asked about one recipient's domain or the smart host in its place, for
 * routing (route.c) and before a message is accepted (preflight.c): the question of
 * policy/verdict.h, filled from the site's files, the cache and, by ask.h, the network. */
#ifndef RTLS_REQUEST_H
#define RTLS_REQUEST_H

#include "exim/api.h"
#include "policy/next_hop.h"
#include "policy/verdict.h"
#include "store/site.h"

struct rtls_request {
	const struct rtls_config *config; /* set by the caller, and */
	int64_t now_s;                    /* this */
	const char *recipient;            /* the recipient's domain, quoted */
	const char *domain; /* the policy domain; of smart hosts the first */
	const struct rtls_next_hops *via;
	struct rtls_site site;
	struct rtls_question question; /* its flags are the caller's to set */
};

/*
 * Whose policy it is about: the recipient's domain as written, or the smart host (RFC 8461
 * section 3.4). What is named lives until the next call.
 *
 * next_hop  a list as the site's manualroute router has it (policy/next_hop.h); an
 *           empty one is none
 */
void rtls_request_name(struct rtls_request *request, struct rtls_slice domain,
	struct rtls_slice next_hop);

/* Smart hosts by their host names; the record is then smart_host.h's. */
bool rtls_request_is_by_name(const struct rtls_request *request);

/*
 * What the site's rules and exemptions say of it.
 *
 * not OK  they cannot be read: err says why
 */
RTLS_MUST_CHECK enum rtls_status rtls_request_ask_site(
	struct rtls_request *request, struct rtls_err *err);

/*
 * The decision, by what is known and, where that does not do, by what the network says. Nothing
 * is refused for good by what the cache says before a look at DNS that could change it
 * (RFC 8461 section 5.1).
 *
 * plan     borrows from the request, and from what is kept until the next call
 * returns  it is by an answer of now
 */
bool rtls_request_answer(struct rtls_request *request, struct rtls_plan *plan);

/* The decision by MX hosts and by the cache alone, with no second look. */
void rtls_request_answer_cached(
	struct rtls_request *request, struct rtls_plan *plan);

/* Decide anew, whatever the cache says; a deferral when the network has no answer. */
void rtls_request_look_again(
	struct rtls_request *request, struct rtls_plan *plan);

#endif
