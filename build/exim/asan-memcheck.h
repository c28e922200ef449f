/* In place of Exim's src/memcheck.h in the asan variant: what Exim tells valgrind
about its memory pools, told to AddressSanitizer. */

#ifndef RTLS_ASAN_MEMCHECK_H
#define RTLS_ASAN_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(p, n)                                       \
	(__asan_poison_memory_region((p), (size_t)(n)), 0)
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n)                                      \
	(__asan_unpoison_memory_region((p), (size_t)(n)), 0)
#define VALGRIND_MAKE_MEM_DEFINED(p, n)                                        \
	(__asan_unpoison_memory_region((p), (size_t)(n)), 0)

#endif
