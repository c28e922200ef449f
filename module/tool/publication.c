/* publication.c - see publication.h. */
#include "tool/publication.h"

#include <stdio.h>
#include <string.h>

#include "policy/field.h"
#include "policy/timestamp.h"
#include "store/idna.h"

#define TXT_STRING_MAX 255
#define RECORD_SIZE    8192

/* --- what is said on the command line ------------------------------------------------- */

enum rtls_status rtls_publication_mx(struct rtls_slice text,
	char out[RTLS_DOMAIN_SIZE], struct rtls_err *err)
{
	const bool wild = rtls_slice_starts(text, "*.");
	struct rtls_slice name =
		wild ? rtls_slice_n(text.data + 2, text.size - 2) : text;
	char normalized[RTLS_DOMAIN_SIZE];
	struct rtls_quoted q;

	rtls_quoted(&q, text);
	if (rtls_domain_is_literal(text)) {
		rtls_err_set(err, "\"%s\" is an address: a policy has names",
			q.text);
		return RTLS_INVALID;
	}
	if (rtls_idna_normalize(name, normalized) != RTLS_OK ||
		!rtls_domain_is_ldh(rtls_slice(normalized))) {
		rtls_err_set(err,
			"\"%s\" is neither a host name nor \"*.\" and one",
			q.text);
		return RTLS_INVALID;
	}
	if ((size_t)snprintf(out, RTLS_DOMAIN_SIZE, "%s%s", wild ? "*." : "",
		    normalized) >= RTLS_DOMAIN_SIZE) {
		rtls_err_set(err, "\"%s\" is too long", q.text);
		return RTLS_INVALID;
	}
	return RTLS_OK;
}

bool rtls_publication_max_age(struct rtls_slice text, unsigned long *max_age_s)
{
	static const struct {
		char unit;
		unsigned long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	unsigned long unit_s = 1;
	unsigned long long count = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text.size > 0 &&
			text.data[text.size - 1] == units[i].unit) {
			unit_s = units[i].seconds;
			text.size--;
			break;
		}
	if (!rtls_slice_number(text, RTLS_STS_MAX_AGE_MAX / unit_s, &count))
		return false;
	*max_age_s = (unsigned long)count * unit_s;
	return true;
}

/* --- the id -------------------------------------------------------------------------- */

#define ID_LENGTH 14 /* 20261125074300 */

static bool is_our_form(struct rtls_slice id)
{
	unsigned long long ignored;

	return id.size == ID_LENGTH &&
	       rtls_slice_number(id, 99999999999999ULL, &ignored);
}

void rtls_publication_id(
	int64_t now_s, struct rtls_slice live, char out[RTLS_STS_ID_MAX + 1])
{
	char time[RTLS_TIMESTAMP_SIZE];
	unsigned long long last = 0, next = 0;
	size_t size = 0;

	rtls_timestamp_format(time, now_s);
	for (const char *c = time; *c != '\0'; c++)
		if (rtls_byte_is_digit(*c))
			out[size++] = *c;
	out[size] = '\0';
	if (!is_our_form(live))
		return;
	(void)rtls_slice_number(live, 99999999999999ULL, &last);
	(void)rtls_slice_number(rtls_slice(out), 99999999999999ULL, &next);
	if (last >= next && last < 99999999999999ULL)
		(void)snprintf(out, RTLS_STS_ID_MAX + 1, "%0*llu", ID_LENGTH,
			last + 1);
}

/* --- texts ----------------------------------------------------------------------------- */

void rtls_publication_policy(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	rtls_text_printf(out, "version: STSv1\r\nmode: %s\r\n",
		rtls_sts_mode_name(publication->mode));
	for (size_t i = 0; i < publication->mx_count; i++)
		rtls_text_printf(out, "mx: %s\r\n", publication->mx[i]);
	rtls_text_printf(out, "max_age: %lu\r\n", publication->max_age_s);
}

void rtls_publication_sts_record(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	rtls_text_printf(out, "v=STSv1; id=%s;", publication->id);
}

void rtls_publication_tlsrpt_record(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	for (size_t i = 0; i < publication->rua_count; i++)
		rtls_text_printf(out, "%s%s", i == 0 ? "v=TLSRPTv1; rua=" : ",",
			publication->rua[i].uri);
}

/* In strings of at most 255 bytes (RFC 1035 section 3.3.14). */
static void add_txt(struct rtls_text *out, const char *owner,
	const char *domain, struct rtls_slice value)
{
	rtls_text_printf(out, "%s.%s. 3600 IN TXT", owner, domain);
	while (value.size > 0) {
		const size_t size = value.size < TXT_STRING_MAX
					    ? value.size
					    : TXT_STRING_MAX;

		rtls_text_printf(out, " \"");
		for (size_t i = 0; i < size; i++)
			rtls_text_printf(out, "%s%c",
				value.data[i] == '"' || value.data[i] == '\\'
					? "\\"
					: "",
				value.data[i]);
		rtls_text_printf(out, "\"");
		value = rtls_slice_n(value.data + size, value.size - size);
	}
	rtls_text_printf(out, "\n");
}

void rtls_publication_zone(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	static char buffer[RECORD_SIZE];
	struct rtls_text value;

	rtls_text_init(&value, buffer, sizeof(buffer));
	rtls_publication_sts_record(publication, &value);
	add_txt(out, "_mta-sts", publication->domain, rtls_text_slice(&value));
	if (publication->rua_count == 0)
		return;
	rtls_text_init(&value, buffer, sizeof(buffer));
	rtls_publication_tlsrpt_record(publication, &value);
	add_txt(out, "_smtp._tls", publication->domain,
		rtls_text_slice(&value));
}

static void add_root(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	if (publication->directory != NULL)
		rtls_text_printf(out, "%s", publication->directory);
	else
		rtls_text_printf(
			out, "/var/www/mta-sts.%s", publication->domain);
}

void rtls_publication_nginx(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	const char *domain = publication->domain;

	rtls_text_printf(out,
		"server {\n"
		"    listen 443 ssl;\n"
		"    listen [::]:443 ssl;\n"
		"    server_name mta-sts.%s;\n"
		"    ssl_certificate /etc/letsencrypt/live/mta-sts.%s/fullchain.pem;\n"
		"    ssl_certificate_key /etc/letsencrypt/live/mta-sts.%s/privkey.pem;\n"
		"    location = /.well-known/mta-sts.txt {\n"
		"        types { }\n"
		"        default_type text/plain;\n"
		"        root ",
		domain, domain, domain);
	add_root(publication, out);
	rtls_text_printf(out, ";\n"
			      "    }\n"
			      "    location / { return 404; }\n"
			      "}\n");
}

void rtls_publication_apache(
	const struct rtls_publication *publication, struct rtls_text *out)
{
	const char *domain = publication->domain;

	rtls_text_printf(out,
		"<VirtualHost *:443>\n"
		"    ServerName mta-sts.%s\n"
		"    SSLEngine on\n"
		"    SSLCertificateFile /etc/letsencrypt/live/mta-sts.%s/fullchain.pem\n"
		"    SSLCertificateKeyFile /etc/letsencrypt/live/mta-sts.%s/privkey.pem\n"
		"    Alias /.well-known/mta-sts.txt ",
		domain, domain, domain);
	add_root(publication, out);
	rtls_text_printf(out, "/.well-known/mta-sts.txt\n"
			      "    <Location />\n"
			      "        Require all denied\n"
			      "    </Location>\n"
			      "    <Location /.well-known/mta-sts.txt>\n"
			      "        Require all granted\n"
			      "        ForceType text/plain\n"
			      "    </Location>\n"
			      "</VirtualHost>\n");
}

bool rtls_publication_is_directory(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *c = path; *c != '\0'; c++)
		if (!rtls_byte_is_alnum(*c) && strchr("/._-", *c) == NULL)
			return false;
	return strlen(path) < 512;
}
