/* words.h - the result types of RFC 8460 section 4.3 in words for people: what
 * happened, and what whoever runs the receiving hosts can do. Pure. */
#ifndef RTLS_WORDS_H
#define RTLS_WORDS_H

#include "policy/result.h"

/* "the certificate expired"; goes behind a name or stands in brackets. */
const char *rtls_words_result(enum rtls_result result);

/* One sentence of advice to the receiving side; "" for success. */
const char *rtls_words_advice(enum rtls_result result);

/* What a failure-reason-code that senders are known to use stands for, and what to do;
 * NULL: not one of those. Case does not count. */
const char *rtls_words_reason(struct rtls_slice reason);

#endif
