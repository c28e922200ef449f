/* der.h - certificates for the fuzz targets, put together by hand: making them with GnuTLS
 * costs a signature each. DER is written from its end, so that each length is known
 * when it is written. The signature is none. */
#ifndef FUZZ_DER_H
#define FUZZ_DER_H

#include <string.h>

#include "fuzz.h"

#define DER_SIZE 65536

enum {
	DER_BITS = 0x03,
	DER_EXPLICIT_0 = 0xa0,
	DER_EXPLICIT_3 = 0xa3,
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_SAN_DNS = 0x82,
	DER_SAN_IP = 0x87,
	DER_SAN_URI = 0x86,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_UTC_TIME = 0x17,
	DER_UTF8 = 0x0c,
};

struct der {
	size_t at; /* what is written so far: from here to the end */
	uint8_t data[DER_SIZE];
};

static inline void der_put(struct der *der, const void *bytes, size_t size)
{
	PROPERTY(size <= der->at);
	der->at -= size;
	if (size > 0)
		memcpy(der->data + der->at, bytes, size);
}

static inline void der_put_byte(struct der *der, size_t byte)
{
	const uint8_t one = (uint8_t)byte;

	der_put(der, &one, 1);
}

/* What was written since end becomes the content of an element. */
static inline void der_wrap(struct der *der, size_t end, uint8_t tag)
{
	size_t size = end - der->at, rest = size;

	if (size > 127) {
		size_t octets = 0;

		for (; rest > 0; rest >>= 8, octets++)
			der_put_byte(der, rest & 255);
		rest = 128 + octets;
	}
	der_put_byte(der, rest);
	der_put_byte(der, tag);
}

static inline void der_element(
	struct der *der, uint8_t tag, const void *bytes, size_t size)
{
	size_t end = der->at;

	der_put(der, bytes, size);
	der_wrap(der, end, tag);
}

/* A name of one CN, or of none when cn.data is NULL. */
static inline void der_name(struct der *der, struct rtls_slice cn)
{
	static const uint8_t cn_oid[] = { 0x06, 0x03, 0x55, 0x04, 0x03 };
	size_t end = der->at;

	if (cn.data != NULL) {
		der_element(der, DER_UTF8, cn.data, cn.size);
		der_put(der, cn_oid, sizeof(cn_oid));
		der_wrap(der, end, DER_SEQUENCE);
		der_wrap(der, end, DER_SET);
	}
	der_wrap(der, end, DER_SEQUENCE);
}

static const uint8_t der_ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	0x70 };
static const uint8_t der_zeros[65]; /* "no bits unused", then the bits */

static inline void der_begin(struct der *der)
{
	der->at = sizeof(der->data);
	der_element(der, DER_BITS, der_zeros, 65); /* the signature */
	der_put(der, der_ed25519, sizeof(der_ed25519));
}

/* Between der_begin() and der_end(): the names, the last one first. */
static inline void der_san(struct der *der, uint8_t tag, struct rtls_slice name)
{
	der_element(der, tag, name.data, name.size);
}

static inline void der_put_extensions(struct der *der, size_t end)
{
	static const uint8_t san_oid[] = { 0x06, 0x03, 0x55, 0x1d, 0x11 };

	if (der->at == end)
		return;
	der_wrap(der, end, DER_SEQUENCE);
	der_wrap(der, end, DER_OCTETS);
	der_put(der, san_oid, sizeof(san_oid));
	der_wrap(der, end, DER_SEQUENCE);
	der_wrap(der, end, DER_SEQUENCE);
	der_wrap(der, end, DER_EXPLICIT_3);
}

static inline void der_put_key(struct der *der)
{
	size_t end = der->at;

	der_element(der, DER_BITS, der_zeros, 33);
	der_put(der, der_ed25519, sizeof(der_ed25519));
	der_wrap(der, end, DER_SEQUENCE);
}

static inline void der_put_validity(struct der *der)
{
	size_t end = der->at;

	der_element(der, DER_UTC_TIME, "491231235959Z", 13);
	der_element(der, DER_UTC_TIME, "260101000000Z", 13);
	der_wrap(der, end, DER_SEQUENCE);
}

/* names_end: der->at before the first der_san(). The certificate, borrowed. */
static inline struct rtls_slice der_end(struct der *der, size_t names_end,
	struct rtls_slice subject, const char *issuer)
{
	size_t end = names_end, version;

	der_put_extensions(der, names_end);
	der_put_key(der);
	der_name(der, subject);
	der_put_validity(der);
	der_name(der, rtls_slice(issuer));
	der_put(der, der_ed25519, sizeof(der_ed25519));
	der_element(der, DER_INTEGER, "\x01", 1); /* the serial number */
	version = der->at;
	der_element(der, DER_INTEGER, "\x02", 1);
	der_wrap(der, version, DER_EXPLICIT_0);
	der_wrap(der, end, DER_SEQUENCE);
	der_wrap(der, sizeof(der->data), DER_SEQUENCE);
	return rtls_slice_n(
		(const char *)der->data + der->at, sizeof(der->data) - der->at);
}

#endif
