/* probe.h - one look at one address of a host: an MX host by SMTP as far as the EHLO inside
 * TLS, a policy host by TLS only. No mail is sent. */
#ifndef RTLS_PROBE_H
#define RTLS_PROBE_H

#include <stdbool.h>

#include "policy/config.h"
#include "policy/domain.h"
#include "policy/record.h"
#include "tls/certificate.h"

#define RTLS_PROBE_ADDRESS_SIZE 46

enum rtls_probe_kind {
	RTLS_PROBE_SMTP,  /* port 25, STARTTLS */
	RTLS_PROBE_HTTPS, /* port 443, and no request is made */
};

struct rtls_probe_target {
	enum rtls_probe_kind kind;
	char host[RTLS_DOMAIN_SIZE]; /* normalized */
	char address[RTLS_PROBE_ADDRESS_SIZE];
	unsigned port;     /* 0: that of its kind */
	size_t tlsa_count; /* secure records, to judge the chain by */
	struct rtls_slice tlsa[RTLS_TLSA_MAX]; /* borrowed */
};

/* The step that failed; what lies behind it is not known. */
enum rtls_probe_step {
	RTLS_PROBE_CONNECT,
	RTLS_PROBE_BANNER,
	RTLS_PROBE_EHLO,
	RTLS_PROBE_STARTTLS, /* not offered, or refused */
	RTLS_PROBE_HANDSHAKE,
	RTLS_PROBE_EHLO_INSIDE,
	RTLS_PROBE_DONE, /* none did */
};

/* Plain data: it comes from another process as it is. Foreign text is quoted. */
struct rtls_probe {
	enum rtls_probe_step step;
	bool no_route;           /* this machine cannot get there at all */
	char why[RTLS_ERR_SIZE]; /* of the step that failed */
	char banner[128];
	bool has_starttls; /* offered */
	bool has_requiretls_in_clear;
	bool has_requiretls; /* inside TLS, where it counts */
	char tls[16];        /* "TLS1.3"; "" : no TLS */
	bool is_old_tls;     /* before 1.2 */
	char cipher[96];
	bool has_certificate;
	struct rtls_certificate certificate;
	bool is_judged; /* by PKIX; false: the CA bundle cannot be read, pkix says so */
	struct rtls_certificate_verdict pkix;
	bool has_dane;
	struct rtls_certificate_verdict dane;
	unsigned took_ms;
};

unsigned rtls_probe_port(const struct rtls_probe_target *target);

/*
 * In this process, which no peer should be able to harm: see probes.h.
 *
 * config   connect_timeout, ca_file
 * time_ms  for all of it
 * probe    filled in any case
 */
void rtls_probe_run(const struct rtls_config *config,
	const struct rtls_probe_target *target, unsigned time_ms,
	struct rtls_probe *probe);

#endif
