/* hash.c - FNV-1a. */
#include "store/hash.h"

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

uint64_t rtls_hash(const char *name)
{
	uint64_t hash = FNV_OFFSET;

	for (; *name != '\0'; name++) {
		hash ^= (unsigned char)*name;
		hash *= FNV_PRIME;
	}
	return hash;
}
