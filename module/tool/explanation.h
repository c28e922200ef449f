/* explanation.h - why a message to a domain would go the way it would: the decision of the
 * module's own code (policy/verdict.h), and where each thing that it went by stands.
 *
 * Nothing is judged here: verdict, plan and what a session reads of the plan are asked. Pure
 * but for the static room of the plan. */
#ifndef RTLS_EXPLANATION_H
#define RTLS_EXPLANATION_H

#include "policy/verdict.h"
#include "store/known.h"
#include "store/site.h"
#include "tool/message.h"
#include "tool/via.h"

#define RTLS_REASONS_MAX     48
#define RTLS_REASON_SIZE     512
#define RTLS_EXPLAIN_LOG_MAX 2048

/* One smart host. */
struct rtls_explain_hop {
	char name[RTLS_DOMAIN_SIZE]; /* normalized */
	unsigned port;
	struct rtls_known known;
};

/* What is asked; all borrowed. */
struct rtls_explain_question {
	const struct rtls_config *config;
	struct rtls_slice sender; /* as given; may be empty */
	bool has_sender;
	struct rtls_slice address; /* of the recipient, without the tag */
	const char *domain;        /* normalized, or quoted when literal */
	bool literal;
	bool tagged;  /* the address had the tag */
	bool flagged; /* by whoever handed the message in */
	bool relaxed; /* it has the header TLS-Required: No */
	const struct rtls_message *message; /* NULL: not given */
	const struct rtls_site *site;
	const struct rtls_known *known;
	int64_t now_s;
	/* Where mail goes to smart hosts; else NULL. Then domain is the policy domain: that with
	 * "/mx", or the first of several by name, or what is no name. */
	const struct rtls_via *via;
	const char *recipient; /* with via: the recipient's domain, quoted */
	/* By name: what the cache has of each that has one; known is then all of it in one. */
	const struct rtls_explain_hop *hop;
	size_t hop_count;
};

enum rtls_outcome_kind {
	RTLS_OUTCOME_DELIVER,
	RTLS_OUTCOME_BOUNCE,
	RTLS_OUTCOME_WAIT,
};

/* "deliver", "bounce", "wait". */
const char *rtls_outcome_name(enum rtls_outcome_kind kind);

struct rtls_outcome {
	enum rtls_outcome_kind kind;
	char code[12]; /* "5.7.10"; "" when it is not ours to say */
	char text[RTLS_REASON_SIZE];
};

struct rtls_reason {
	const char *kind; /* a word: flag, policy, ... */
	char text[RTLS_REASON_SIZE];
	char source[RTLS_REASON_SIZE];
};

struct rtls_explained_host {
	unsigned preference;
	struct rtls_slice host; /* borrows from the record */
	bool use;
	char why[RTLS_REASON_SIZE];
};

struct rtls_explanation {
	struct rtls_flags flags; /* what the message is found to ask for */
	/* strict, enforce, observe or relaxed; plain where nothing would be different without
	 * the module; unknown where it depends on what has to be looked up. */
	const char *class;
	bool asks_first; /* the next delivery asks DNS before it decides */
	size_t reason_count;
	struct rtls_reason reason[RTLS_REASONS_MAX];
	size_t host_count;
	struct rtls_explained_host host[RTLS_MX_MAX];
	struct rtls_outcome stock;      /* Exim without our patches */
	struct rtls_outcome patched;    /* and with them */
	struct rtls_outcome unanswered; /* of a stock one; only asks_first */
	char log[RTLS_EXPLAIN_LOG_MAX]; /* the module's line; "": there is none */
	char patched_log[RTLS_EXPLAIN_LOG_MAX]; /* in a patched Exim */
};

/* Total. explanation borrows from what is asked. Where the record is out of its time, it
 * says what comes of the same answers. */
void rtls_explain(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation);

/* --- between explanation.c and explanation_reasons.c ------------------------------- */

/* What the message asks for, and a reason for each part of it. */
void rtls_explain_flags(const struct rtls_explain_question *asked,
	struct rtls_explanation *explanation);

/* The reasons behind a plan. */
void rtls_explain_plan(const struct rtls_explain_question *asked,
	const struct rtls_plan *plan, struct rtls_explanation *explanation);

/* Are the hosts named by the configuration, and not by DNS? */
bool rtls_explain_is_by_name(const struct rtls_explain_question *asked);

/* All smart hosts in one question, by the cache. as_cached: what is out of its time is answered the
 * same. Good until the next call, which gives the same hosts. */
void rtls_explain_smart_hosts(const struct rtls_explain_question *asked,
	bool as_cached, struct rtls_question *question);

/* Is it known here whether that host has TLSA records for its port? A record is about port 25. */
bool rtls_explain_knows_tlsa(const struct rtls_explain_hop *hop);

/* The line of the policy's text in which that pattern of it stands; from 1. */
unsigned rtls_explain_policy_line(
	const struct rtls_record *record, const struct rtls_slice *pattern);

#endif
