/* upstream.c - the resolvers to ask, from the configuration or resolv.conf. */
#include "upstream.h"

#include "store/system_file.h"

#define RESOLV_CONF_MAX 16384
#define ADDRESS_MAX     64 /* with the name of an interface */

static void add_nameserver(
	struct rtls_slice word, struct rtls_upstreams *upstreams)
{
	char text[ADDRESS_MAX];

	if (upstreams->count < RTLS_RESOLVERS_MAX &&
		rtls_slice_copy(word, text, sizeof(text)) &&
		rtls_address_parse(text, &upstreams->address[upstreams->count]))
		upstreams->count++;
}

void rtls_upstreams_parse(
	struct rtls_slice text, struct rtls_upstreams *upstreams)
{
	struct rtls_slice line, word;

	upstreams->count = 0;
	while (rtls_slice_line(&text, &line)) {
		if (!rtls_slice_word(&line, &word) ||
			!rtls_slice_is(word, "nameserver"))
			continue;
		if (rtls_slice_word(&line, &word))
			add_nameserver(word, upstreams);
	}
	if (upstreams->count == 0)
		add_nameserver(rtls_slice("127.0.0.1"), upstreams);
}

static void load_resolv_conf(const char *path, struct rtls_upstreams *upstreams)
{
	char buffer[RESOLV_CONF_MAX + 1];
	struct rtls_slice text;

	/* An unreadable file is an empty one, as it is for libc. */
	if (rtls_system_file_read(path, buffer, RESOLV_CONF_MAX, &text, NULL) !=
		RTLS_OK)
		text = rtls_slice("");
	rtls_upstreams_parse(text, upstreams);
}

static enum rtls_status load_configured(const struct rtls_config *config,
	struct rtls_upstreams *upstreams, struct rtls_err *err)
{
	upstreams->count = 0;
	for (size_t i = 0; i < config->resolver_count; i++) {
		size_t before = upstreams->count;
		struct rtls_quoted quoted;

		add_nameserver(rtls_slice(config->resolver[i]), upstreams);
		if (upstreams->count > before)
			continue;
		rtls_err_set(err, "resolver \"%s\" is not an address",
			rtls_quoted(&quoted, rtls_slice(config->resolver[i])));
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

/* RFC 7672 section 2.1.1: the AD bit means something only when it comes from a
 * trusted resolver over a channel nobody else can write to. */
static enum rtls_status check_trust(const struct rtls_config *config,
	const struct rtls_upstreams *upstreams, struct rtls_err *err)
{
	if (config->dnssec != RTLS_DNS_AD || config->resolver_trusted)
		return RTLS_OK;
	for (size_t i = 0; i < upstreams->count; i++) {
		if (rtls_address_is_loopback(&upstreams->address[i]))
			continue;
		rtls_err_set(err,
			"dnssec = ad needs a resolver on loopback, or resolver_trusted = yes");
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

enum rtls_status rtls_upstreams_load(const struct rtls_config *config,
	const char *path, struct rtls_upstreams *upstreams,
	struct rtls_err *err)
{
	enum rtls_status status = RTLS_OK;

	if (config->resolver_count > 0)
		status = load_configured(config, upstreams, err);
	else
		load_resolv_conf(path, upstreams);
	if (status == RTLS_OK)
		status = check_trust(config, upstreams, err);
	return status;
}
