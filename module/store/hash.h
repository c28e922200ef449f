/* hash.h - FNV-1a, 64 bits: spreads names over directories and lock offsets.
 * Stable for ever (it is in path names); no protection against chosen names,
 * which cost no more than a full directory. */
#ifndef RTLS_HASH_H
#define RTLS_HASH_H

#include <stdint.h>

uint64_t rtls_hash(const char *name);

#endif
