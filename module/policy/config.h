/* config.h - requiretls.conf as text: "key = value" lines; a comment is a line
 * of its own that begins with #.
 * Pure: no file is opened here (store/config_file.h does that). The table of
 * keys in config.c is the one place where a key is defined. */
#ifndef RTLS_CONFIG_H
#define RTLS_CONFIG_H

#include <stdint.h>

#include "text.h"

#define RTLS_CONFIG_SIZE_MAX  65536
#define RTLS_CONFIG_VALUE_MAX 256
#define RTLS_RESOLVERS_MAX    4

enum rtls_level {
	RTLS_LEVEL_ENFORCE,       /* RFC 8689 in full */
	RTLS_LEVEL_VERIFIED,      /* all but the extension at the other side */
	RTLS_LEVEL_OPPORTUNISTIC, /* asks, does not insist */
	RTLS_LEVEL_DISABLE,
	RTLS_LEVEL_COUNT,
};

/* "enforce" and so on. */
const char *rtls_level_name(enum rtls_level level);

enum rtls_dns_mode {
	RTLS_DNS_VALIDATE, /* getdns validates from the trust anchor */
	RTLS_DNS_AD,       /* the AD bit of a trusted or loopback resolver */
};

enum rtls_on_dns_error {
	RTLS_DNS_ERROR_PROCEED,
	RTLS_DNS_ERROR_DEFER,
};

/* What is in force. Values are terminated texts, so it owns itself. The name of
 * the key is given where it is not that of the member. */
struct rtls_config {
	enum rtls_level requiretls; /* default enforce */
	char tag[32]; /* requiretls_tag, "+requiretls"; "" (value off): none */
	bool honour_tls_required_no;          /* tls_required_no, default yes */
	char rules[RTLS_CONFIG_VALUE_MAX];    /* path or "" */
	char exempt[RTLS_CONFIG_VALUE_MAX];   /* path or "" */
	bool mta_sts;                         /* default yes */
	enum rtls_on_dns_error sts_dns_error; /* default proceed */
	char spool[RTLS_CONFIG_VALUE_MAX];    /* build-time default */
	/* Domains the cache holds, default 100000; and for how many days one is
	 * remembered that no mail goes to, "180d". */
	unsigned cache_max;
	unsigned cache_keep_days;
	char program[RTLS_CONFIG_VALUE_MAX]; /* path of exim-requiretls */
	char user[64];                       /* default Debian-exim */
	/* Times without unit are seconds; "1500ms" and "2m" are known too. */
	unsigned resolve_timeout_ms; /* resolve_timeout, default 20 s */
	unsigned dns_timeout_ms;     /* dns_timeout, default 5 s per lookup */
	unsigned fetch_timeout_ms;   /* fetch_timeout, default 15 s in all */
	unsigned connect_timeout_ms; /* connect_timeout, default 5 s */
	/* preflight_timeout, default 5 s; 0: no look-up before a message is accepted */
	unsigned preflight_timeout_ms;
	enum rtls_dns_mode dnssec; /* validate or ad, default validate */
	/* Addresses separated by blanks; none: /etc/resolv.conf. */
	char resolver[RTLS_RESOLVERS_MAX][46];
	size_t resolver_count;
	bool resolver_trusted; /* default no: AD only from loopback */
	/* Default /usr/share/dns/root.key. */
	char trust_anchor[RTLS_CONFIG_VALUE_MAX];
	/* Default /etc/ssl/certs/ca-certificates.crt. */
	char ca_file[RTLS_CONFIG_VALUE_MAX];
	/* Default no: refuse policy hosts on loopback, private and link-local
	 * addresses. */
	bool fetch_private;
	bool tlsrpt;                              /* default no */
	char organization[RTLS_CONFIG_VALUE_MAX]; /* tlsrpt_organization */
	char contact[RTLS_CONFIG_VALUE_MAX]; /* tlsrpt_contact: an address */
	char from[RTLS_CONFIG_VALUE_MAX];    /* tlsrpt_from, default contact */
	/* tlsrpt_min_age, default 10m, and tlsrpt_spread, default 4h: see
	 * report/schedule.h. */
	unsigned report_min_age_s;
	unsigned report_spread_s;
	char report_domains[RTLS_CONFIG_VALUE_MAX]; /* tlsrpt_domains: path
						      * or "" */
	bool report_success_only;       /* tlsrpt_success_only, default yes */
	unsigned report_max_size_bytes; /* tlsrpt_max_size, default 5M */
	bool report_sending_ip;         /* tlsrpt_sending_ip, default yes */
	/* tlsrpt_rua: where all reports go instead, for testing; or "" */
	char report_rua[RTLS_CONFIG_VALUE_MAX];
	/* tlsrpt_host: which of the machines that report for the contact this one is; "": the
	 * machine's own name. */
	char report_host[65];
	unsigned tlsrpt_keep_days;            /* tlsrpt_keep, default "30d" */
	char sendmail[RTLS_CONFIG_VALUE_MAX]; /* default /usr/sbin/exim4 */
};

void rtls_config_defaults(struct rtls_config *config);

/*
 * text    the file's content
 * config  defaults overlaid by the text on RTLS_OK, else untouched
 * err     "line N: ..." on RTLS_INVALID: unknown key, bad or doubled value,
 *         tlsrpt = yes without organization and contact
 */
RTLS_MUST_CHECK enum rtls_status rtls_config_parse(struct rtls_slice text,
	struct rtls_config *config, struct rtls_err *err);

/*
 * One key as text, for `exim-requiretls config`: index 0, 1, ... until false.
 * Parsing what was printed gives the same configuration back.
 *
 * value  the value is added to it
 * help   one line about the key
 */
bool rtls_config_key(const struct rtls_config *config, size_t index,
	const char **name, struct rtls_text *value, const char **help);

#endif
