/* exim_conf.h - where things stand in the text of an Exim configuration: sections, routers,
 * transports, ACLs, and the few options that setup must know.
 * Pure: no allocation, no I/O, safe on any bytes. No macro is expanded and no file included: what
 * depends on that is simply not seen, and the caller has Exim itself look at what comes of it. */
#ifndef RTLS_EXIM_CONF_H
#define RTLS_EXIM_CONF_H

#include "policy/slice.h"
#include "policy/status.h"

#define RTLS_EXIM_BLOCKS_MAX 256
#define RTLS_EXIM_NOWHERE    ((size_t)-1)

enum rtls_exim_section {
	RTLS_EXIM_MAIN,
	RTLS_EXIM_ACL,
	RTLS_EXIM_ROUTERS,
	RTLS_EXIM_TRANSPORTS,
	RTLS_EXIM_OTHER,
	RTLS_EXIM_SECTIONS,
};

/* A router, transport or ACL. Values are those of the text, "" where there is none; of one that goes
 * on in the next line what stands in the first that has some of it. */
struct rtls_exim_block {
	enum rtls_exim_section section;
	struct rtls_slice name;
	size_t begin;       /* of its name and the comments right above */
	size_t behind_name; /* of the line after that */
	/* Behind the line "driver = ...", or RTLS_EXIM_NOWHERE. */
	size_t behind_driver;
	/* Of the outermost ".if..." around the name in this section, and the comments right above;
	 * or RTLS_EXIM_NOWHERE. */
	size_t condition;
	bool mentions_us; /* requiretls, in whatever option */
	struct rtls_slice driver, domains, transport, route_list, event_action,
		multi_domain, protocol, port, login;
};

struct rtls_exim_conf {
	/* The line "begin ...", and the one behind it; of the main section the
	 * first of the text and, as begin, where that section ends. RTLS_EXIM_NOWHERE: there is no
	 * such section. */
	size_t begin[RTLS_EXIM_SECTIONS], behind[RTLS_EXIM_SECTIONS];
	/* Within an ".if..." that makes it uncertain? */
	bool is_conditional[RTLS_EXIM_SECTIONS];
	bool has_include[RTLS_EXIM_SECTIONS];
	bool has_local_domains;          /* domainlist local_domains */
	bool has_via;                    /* the macro REQUIRETLS_VIA */
	bool includes_us;                /* our stanzas, by whatever path */
	struct rtls_slice acl_smtp_data; /* main options */
	struct rtls_slice acl_not_smtp;
	struct rtls_exim_block block[RTLS_EXIM_BLOCKS_MAX];
	size_t count;
};

/*
 * section  in which the text begins: RTLS_EXIM_MAIN, or for a part of Debian's conf.d another
 * conf     filled on RTLS_OK; borrows from text
 * RTLS_INVALID  too many routers, transports and ACLs
 */
RTLS_MUST_CHECK enum rtls_status rtls_exim_conf_parse(struct rtls_slice text,
	enum rtls_exim_section section, struct rtls_exim_conf *conf);

/* The block of that name, or NULL. */
const struct rtls_exim_block *rtls_exim_conf_find(
	const struct rtls_exim_conf *conf, enum rtls_exim_section section,
	struct rtls_slice name);

/* A router that sends to other hosts, and which is not only for some domains. */
bool rtls_exim_block_is_remote(const struct rtls_exim_block *block);

/* A router that sends to other hosts, but only the mail of some domains. */
bool rtls_exim_block_is_for_some(const struct rtls_exim_block *block);

#endif
