/* fuzz.h - what the fuzz targets share. A target states properties; a
 * property that does not hold aborts, in fuzzing and in replay. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROPERTY(condition)                                                    \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: property broken: %s\n",        \
				__FILE__, __LINE__, #condition);               \
			abort();                                               \
		}                                                              \
	} while (0)

static inline struct rtls_slice fuzz_input(const uint8_t *data, size_t size)
{
	return rtls_slice_n((const char *)data, size);
}

/* Padding and all: for what was all zero before. */
static inline bool fuzz_same(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

static inline bool fuzz_inside(struct rtls_slice outer, struct rtls_slice inner)
{
	uintptr_t start = (uintptr_t)outer.data, at = (uintptr_t)inner.data;

	return inner.size == 0 ||
	       (at >= start && inner.size <= outer.size &&
		       at - start <= outer.size - inner.size);
}

#endif
