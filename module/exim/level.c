/* level.c - ${dlfunc{...}{requiretls_level}{ELSEWHERE}}: what a message demands of the
 * host it is about to be sent to, for Exim's main option requiretls_level (patches/).
 *
 * The router requiretls_decide leaves our plan in $r_requiretls, and the domain it is
 * for in $r_requiretls_for: $address_data may be another router's, made of what
 * strangers write, and both go with a redirection to other domains. In C and not in
 * the stanza, where a variable that is not set is an error under strict_acl_vars. */
#include "exim/api.h"
#include "policy/flags.h"

/* By this Exim, or by one without the patches before it. */
static bool is_flagged(void)
{
	return rtls_flag_value_is_yes(rtls_exim_value("$requiretls")) ||
	       rtls_flags_are_yes(rtls_exim_value("$local_scan_data"), false) ||
	       rtls_flags_are_yes(
		       rtls_exim_value("$acl_m_requiretls_data"), false);
}

/* LMTP, a content filter: the message does not leave this machine. */
static bool is_loopback(void)
{
	struct rtls_slice address = rtls_exim_value("$host_address");

	return rtls_slice_starts(address, "127.") ||
	       rtls_slice_is(address, "::1");
}

/* No domain: a transport of several at once, whose addresses agree. */
static bool is_plan_for(struct rtls_slice domain)
{
	struct rtls_slice wanted = rtls_exim_value("$r_requiretls_for");

	return wanted.size > 0 &&
	       (domain.size == 0 || rtls_slice_equal_nocase(wanted, domain));
}

RTLS_EXPORT int requiretls_level(uschar **yield, int argc, uschar *argv[]);

int requiretls_level(uschar **yield, int argc, uschar *argv[])
{
	struct rtls_slice level = { 0 };

	if (is_loopback())
		return rtls_exim_return(yield, rtls_slice("disable"));
	if (is_plan_for(rtls_exim_value("$domain")))
		level = rtls_exim_value(
			"${extract{requiretls}{$r_requiretls}}");
	/* The flag may be newer than the plan. */
	if (level.size == 0 && !is_flagged())
		level = rtls_slice("disable");
	if (level.size == 0)
		level = rtls_slice(
			argc > 0 ? (const char *)argv[0] : "enforce");
	return rtls_exim_return(yield, level);
}
