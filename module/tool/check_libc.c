/* check_libc.c - see check_libc.h. Of the answer only its header is looked at. */
#include "tool/check_libc.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#define ANSWER_SIZE 4096
#define WAIT_MAX_S  5
#define TRIES       2

enum rtls_libc rtls_check_libc(const char *name, unsigned time_ms)
{
	union {
		HEADER header;
		unsigned char bytes[ANSWER_SIZE];
	} answer;
	struct __res_state state;
	unsigned wait_s = time_ms / 1000 / TRIES;
	int size;

	memset(&state, 0, sizeof(state));
	memset(&answer.header, 0, sizeof(answer.header));
	if (res_ninit(&state) != 0)
		return RTLS_LIBC_NO_ANSWER;
	/* As Exim does with dns_dnssec_ok = 1. */
	state.options |= RES_USE_EDNS0 | RES_USE_DNSSEC;
	state.retrans = wait_s < 1            ? 1
			: wait_s > WAIT_MAX_S ? WAIT_MAX_S
					      : (int)wait_s;
	state.retry = TRIES;
	size = res_nquery(
		&state, name, C_IN, T_SOA, answer.bytes, sizeof(answer.bytes));
	res_nclose(&state);
	/* A denial is an answer as well; its header is kept. */
	if (size < (int)sizeof(answer.header) && answer.header.qr == 0)
		return RTLS_LIBC_NO_ANSWER;
	return answer.header.ad ? RTLS_LIBC_SEES_AD : RTLS_LIBC_HIDES_AD;
}
