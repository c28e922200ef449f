/* flag.c - ${dlfunc{...}{requiretls_flag}[{address}]}: what local_scan() does, for
 * an Exim that loads none: from the ACLs of acl_smtp_data and acl_not_smtp, and
 * from a router that takes off the tag (module/conf).
 *
 *   {requiretls_flag}           the flags of the message that is being received, as in
 *                               $local_scan_data; "requiretls=unknown" when they
 *                               cannot be known: the ACL must defer
 *   {requiretls_flag}{address}  the address without its tag; "" when it has none
 *
 * An ACL keeps the flags in $acl_m_requiretls_data, which Exim keeps in the spool. */
#include "exim/scan.h"

#include <unistd.h>

#include "exim/bounce.h"

/* Should an ACL accept the message all the same: rtls_flags_parse() takes
 * this for damaged, and routing for flagged. */
static const char unknown[] = "requiretls=unknown";

static int flag_message(uschar **yield)
{
	struct rtls_scan scan;

	if (rtls_scan_received(&scan) == NULL)
		return rtls_exim_return(yield, rtls_slice(unknown));
	if (scan.cut_body) {
		int fd = rtls_bounce_open_body();

		rtls_bounce_cut_body(fd);
		if (fd >= 0)
			close(fd);
	}
	return rtls_scan_return(yield, &scan.flags);
}

/* Without a configuration what is a tag is not known: a router's word for later. */
static int strip_address(uschar **yield, const uschar *address)
{
	char bare[RTLS_SCAN_ADDRESS_SIZE];
	const struct rtls_config *config = rtls_exim_config(NULL);

	if (config == NULL)
		return rtls_exim_return(yield,
			rtls_slice(":defer: 4.3.5 local configuration error"));
	if (!rtls_scan_bare_address(config, (const char *)address, bare))
		return rtls_exim_return(yield, rtls_slice(""));
	return rtls_exim_return_like(yield, rtls_slice(bare), address);
}

RTLS_EXPORT int requiretls_flag(uschar **yield, int argc, uschar *argv[]);

int requiretls_flag(uschar **yield, int argc, uschar *argv[])
{
	if (argc == 0)
		return flag_message(yield);
	if (argc == 1)
		return strip_address(yield, argv[0]);
	rtls_exim_log("requiretls_flag takes an address or nothing");
	return rtls_exim_return(yield, rtls_slice(unknown));
}
