/* policies.c - policy texts under the name of their SHA-256. */
#include "store/policies.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/sts_policy.h"
#include "store/file.h"
#include "store/open.h"

#define SHA256_SIZE 32

enum rtls_status rtls_policies_digest(struct rtls_slice text, char *digest)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char hash[SHA256_SIZE];
	const char *data = text.size == 0 ? "" : text.data;

	digest[0] = '\0';
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data, text.size, hash) < 0)
		return RTLS_BUG;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		digest[2 * i] = hex[hash[i] >> 4];
		digest[2 * i + 1] = hex[hash[i] & 15];
	}
	digest[RTLS_DIGEST_SIZE - 1] = '\0';
	return RTLS_OK;
}

static bool is_digest(struct rtls_slice digest)
{
	if (digest.size != RTLS_DIGEST_SIZE - 1)
		return false;
	for (size_t i = 0; i < digest.size; i++) {
		char byte = digest.data[i];

		if (!(byte >= '0' && byte <= '9') &&
			!(byte >= 'a' && byte <= 'f'))
			return false;
	}
	return true;
}

static enum rtls_status path_of(const char *spool, struct rtls_slice digest,
	char out[PATH_MAX], struct rtls_err *err)
{
	int n;

	if (!is_digest(digest)) {
		rtls_err_set(err, "not a digest");
		return RTLS_INVALID;
	}
	n = snprintf(out, PATH_MAX, "%s/policy/%.*s", spool, (int)digest.size,
		digest.data);
	if (n >= 0 && n < PATH_MAX)
		return RTLS_OK;
	rtls_err_set(err, "the spool's path is too long");
	return RTLS_INVALID;
}

enum rtls_status rtls_policies_get(const char *spool, struct rtls_slice digest,
	char *buffer, struct rtls_slice *text, struct rtls_err *err)
{
	char actual[RTLS_DIGEST_SIZE];
	struct rtls_slice content;
	enum rtls_status status;
	char path[PATH_MAX];

	status = path_of(spool, digest, path, err);
	if (status == RTLS_OK)
		status = rtls_file_read_below(spool, path, buffer,
			RTLS_STS_POLICY_SIZE_MAX, &content, err);
	if (status == RTLS_OK)
		status = rtls_policies_digest(content, actual);
	if (status != RTLS_OK)
		return status;
	if (!rtls_slice_is(digest, actual)) {
		rtls_err_set(err, "policy %s holds another text",
			path + strlen(path) - digest.size);
		return RTLS_INVALID;
	}
	*text = content;
	return RTLS_OK;
}

/* Whoever removes old policies goes by this time; that it could not be
 * renewed is no reason to lose a result. False: it was removed just now. */
static bool renew_time(const char *spool, const char *path)
{
	bool is_there = true;
	const char *name;
	int directory;

	if (rtls_open_parent(spool, path, false, &directory, &name, NULL) !=
		RTLS_OK)
		return true;
	if (utimensat(directory, name, NULL, AT_SYMLINK_NOFOLLOW) != 0)
		is_there = errno != ENOENT;
	(void)close(directory);
	return is_there;
}

enum rtls_status rtls_policies_put(const char *spool, struct rtls_slice text,
	char *digest, struct rtls_err *err)
{
	char buffer[RTLS_STS_POLICY_SIZE_MAX + 1];
	struct rtls_slice kept;
	enum rtls_status status;
	char path[PATH_MAX];

	digest[0] = '\0';
	if (text.size > RTLS_STS_POLICY_SIZE_MAX) {
		rtls_err_set(err, "the policy text is too large");
		return RTLS_INVALID;
	}
	status = rtls_policies_digest(text, digest);
	if (status == RTLS_OK)
		status = path_of(spool, rtls_slice(digest), path, err);
	if (status != RTLS_OK)
		return status;
	/* One that is damaged is as good as none. */
	if (rtls_policies_get(spool, rtls_slice(digest), buffer, &kept, NULL) ==
			RTLS_OK &&
		renew_time(spool, path))
		return RTLS_OK;
	return rtls_file_replace(spool, path, text, err);
}
