/* verdict.h - the decisions: which class of delivery a message to a domain
 * gets, and whether one MX host may be used.
 * RFC 8461 sections 4 and 5, RFC 8689 section 4.2, RFC 7672 section 2.2.
 * Pure: no clock, no I/O. */
#ifndef RTLS_VERDICT_H
#define RTLS_VERDICT_H

#include "config.h"
#include "flags.h"
#include "next_hop.h"
#include "protection.h"
#include "record.h"

enum rtls_class {
	RTLS_CLASS_STRICT,
	RTLS_CLASS_ENFORCE,
	RTLS_CLASS_OBSERVE,
	RTLS_CLASS_RELAXED,
};

const char *rtls_class_name(enum rtls_class class);

/* What is asked. record and policy may be NULL: nothing is known. */
struct rtls_question {
	const struct rtls_config *config;
	struct rtls_slice
		domain; /* the policy domain, for the texts; may be empty */
	struct rtls_flags flags;
	/* A bounce asks, but does not insist (RFC 8689 section 5), unless this
	 * site flagged it itself. */
	bool empty_sender;
	enum rtls_level level; /* what flagged mail demands of this domain */
	/* Sets of enum rtls_protection: what rules of this site require of every
	 * message to the domain, and what exemptions in force lift there, of
	 * that, of the policy and of the flags. */
	unsigned required;
	unsigned exempt;
	bool wire_support; /* this Exim speaks REQUIRETLS (patched) */
	bool literal;      /* recipient domain or next hop is an address */
	bool resolved;     /* the record is fresh: the resolver answered */
	const struct rtls_record *record;
	const struct rtls_sts_policy *policy; /* parsed and unexpired */
	/* Smart hosts, normalized, without addresses; or NULL. The record has the same
	 * hosts in the same order; with "/mx" the MX hosts of the one there is. */
	const struct rtls_next_hops *via;
	bool dane; /* the site's own way would miss a host's TLSA records */
};

enum rtls_action {
	RTLS_DELIVER,
	RTLS_FAIL,  /* bounce now, with text */
	RTLS_DEFER, /* try later, with text */
};

/* The answer. Slices borrow from the question's record and policy. */
struct rtls_plan {
	enum rtls_action action;
	char text[RTLS_ERR_SIZE]; /* "5.7.10 ..." or "4.7.0 ..." */
	bool recheck; /* a fresh look at DNS could change this FAIL: look before
	               * bouncing (RFC 8461 section 5.1) */
	enum rtls_class class;
	bool own_mx; /* route by the record's hosts, else the site's own way */
	bool sts;    /* a policy of mode testing or enforce is known */
	bool unresolved; /* nor is it known that there is none */
	enum rtls_sts_mode sts_mode;
	struct rtls_slice policy_id;
	struct rtls_slice policy_digest;
	enum rtls_dnssec mx_dnssec;
	bool flagged;           /* the message carries the flag REQUIRETLS, */
	enum rtls_level demand; /* and this is what it comes to here */
	unsigned required;      /* by rules of this site, and not lifted */
	unsigned exempt; /* what was lifted and else would have counted */
	const struct rtls_record *record;
	const struct rtls_sts_policy *policy;
	const struct rtls_next_hops *via; /* smart hosts, or NULL */
};

/* Total: every question has an answer. */
void rtls_verdict_route(
	const struct rtls_question *question, struct rtls_plan *plan);

/* Does the answer depend on the record? Not that for an address, nor that for a message
 * whose sender gave up protection, where no rule of this site beats that. */
bool rtls_question_needs_record(const struct rtls_question *question);

/* Is something demanded of the domain, by the message or by rules of this site, for want of
 * which the answer may be a bounce? Its record does not count; other bounces are for
 * domains that take no mail at all. */
bool rtls_question_demands(const struct rtls_question *question);

/* Is it a bounce whatever may be found out about the domain? Where it is, plan says so, and has
 * nothing of the record. */
bool rtls_verdict_is_certain(
	const struct rtls_question *question, struct rtls_plan *plan);

/*
 * The plan as the router's address_data:
 *   class=enforce sts=enforce id=20261101 policy=<digest> exempt=sts dnssec=no
 *   requiretls=verified hosts="a:+:b::1:c" mx="a *.b" dane="a" tlsafail="b"
 *   class=enforce sts=enforce id=20261101 policy=<digest> dnssec=no
 *   requiretls=verified via="s" hosts="a:+:b::1:c" mx="a *.b" dane="a"
 *   tlsafail="b"
 * or fail="5.7.10 ..." or defer="4.7.0 ...".
 *
 * unresolved  yes: whether there is a policy could not be looked up, which is not the
 *           domain's doing; nothing is reported of what there is without one
 * sts       the mode in force, which rules and exemptions of this site change
 * exempt    sts: it would be enforce, and an exemption lifts that
 * dnssec    yes or no: of the MX answer; left out when not known
 * implicit  yes: no MX, the host is the domain itself
 * requiretls  of flagged messages: what a patched Exim demands of the hosts, in the
 *           words of its transport option
 * via       smart hosts, whose names are the policy domains; "-" when they are
 *           addresses. Then hosts are written as
 *           the site writes them, with its ports: what it looks up by host name
 *           (passwords, say) is found, and all mail there has the same policies
 * hosts     only when own_mx: Exim's host list in order of preference, with
 *           "+" between groups. What Exim remembers of hosts must not meet
 *           what it remembers for other mail to them. So the first letter of
 *           a name is a capital: within one message Exim skips an address
 *           that just failed, by the name as written. And a host that will be
 *           refused has a port of the domain's own, the port being part of
 *           the key of Exim's retry record; should the session not refuse
 *           it, no mail server answers there
 * mx        the policy's patterns
 * dane      hosts with secure, usable TLSA behind a secure MX, not subject to
 *           the policy
 * tlsafail  hosts whose TLSA or address lookup failed
 * cname     "a.example=mx.example": Exim will call the host a.example, where the CNAME
 *           of mx.example leads to
 * tlsabad   hosts behind a secure MX with secure TLSA of which none is usable:
 *           TLS, but not authenticated by it (RFC 7672 section 2.2)
 * Empty parts are left out.
 *
 * RTLS_INVALID  does not fit
 * RTLS_BUG      own_mx without hosts in the record
 */
RTLS_MUST_CHECK enum rtls_status rtls_plan_format(
	const struct rtls_plan *plan, struct rtls_text *out);

/* In the list in place of a host whose addresses cannot be had now: as one that does
 * not answer, so that the next is tried. A name would make Exim put off the whole
 * message, and without it a patched Exim would bounce what all the others refused. Nobody
 * connects: the session refuses it. The IPv4 dummy address of RFC 7600. */
#define RTLS_NO_ADDRESS "192.0.0.8"

/* The port of this domain's refused hosts. */
unsigned rtls_plan_refused_port(struct rtls_slice domain);

/* Which policy, by its id, and which hosts, in whatever order: when either is another one, what
 * was refused under this plan is worth another try (RFC 8461 section 5.1). */
unsigned rtls_plan_mark(const struct rtls_plan *plan);

/* What a session needs of it, read back. Slices borrow from text. */
struct rtls_session_plan {
	enum rtls_class class;
	bool sts;
	enum rtls_sts_mode sts_mode;
	bool sts_exempt; /* an exemption made the mode testing */
	bool unresolved;
	struct rtls_slice policy_id;
	struct rtls_slice policy_digest;
	bool mx_secure;
	bool mx_implicit; /* its name needs nobody to vouch for it */
	struct rtls_slice via;
	struct rtls_slice mx;
	struct rtls_slice dane;
	struct rtls_slice tlsafail;
	struct rtls_slice cname;
	struct rtls_slice tlsabad;
};

/*
 * Words that are not ours are ignored: a site may add its own.
 *
 * plan          filled on RTLS_OK, else untouched
 * RTLS_NONE     not an address_data of ours (no class=)
 * RTLS_INVALID  ours, but malformed: nothing is known of what was decided, so
 *               the session must not be used
 */
RTLS_MUST_CHECK enum rtls_status rtls_session_plan_parse(
	struct rtls_slice text, struct rtls_session_plan *plan);

/* As rtls_plan_mark() of the plan; hosts is the value of that word, which the session has no
 * other use for. */
unsigned rtls_session_plan_mark(
	const struct rtls_session_plan *plan, struct rtls_slice hosts);

/* Whose policy it is: the smart host that this is, or the first that was named, or
 * else the recipient's domain. */
struct rtls_slice rtls_session_plan_domain(const struct rtls_session_plan *plan,
	struct rtls_slice host, struct rtls_slice domain);

/* Is it of a class (strict, enforce) that sends nothing it cannot protect? */
bool rtls_session_plan_insists(const struct rtls_session_plan *plan);

/* The MX host that Exim calls by that name; name itself when no CNAME is known. */
struct rtls_slice rtls_session_plan_mx(
	const struct rtls_session_plan *plan, struct rtls_slice name);

enum rtls_host_verdict {
	RTLS_HOST_OK,            /* by the policy, or no policy applies */
	RTLS_HOST_DANE,          /* DANE decides, the policy does not */
	RTLS_HOST_NOT_IN_POLICY, /* class strict and enforce: refuse */
	RTLS_HOST_TLSA_FAILED,   /* refuse; never reported, it is our lookup */
};

/* host as Exim has it; a trailing dot is ignored. For testing policies
 * NOT_IN_POLICY is what to report, not a reason to refuse. */
enum rtls_host_verdict rtls_verdict_host(
	const struct rtls_session_plan *plan, struct rtls_slice host);

/* Has the host TLSA records of which none is usable? To be counted, no more: the
 * policy applies as without them. */
bool rtls_verdict_tlsa_is_bad(
	const struct rtls_session_plan *plan, struct rtls_slice host);

/* Does that verdict keep the connection from being made? Only in the classes
 * strict and enforce; TLSA_FAILED always; NOT_IN_POLICY when the policy's mode
 * is enforce or, for strict, when nothing but the policy vouches for the MX
 * names. */
bool rtls_verdict_refuses(
	const struct rtls_session_plan *plan, enum rtls_host_verdict verdict);

#endif
