/* command.h - run a program of the system and have what it says. Nothing of the caller's environment
 * reaches it. */
#ifndef RTLS_COMMAND_H
#define RTLS_COMMAND_H

#include "policy/slice.h"

#define RTLS_COMMAND_OUTPUT (256 * 1024)
#define RTLS_COMMAND_WORDS  12
#define RTLS_COMMAND_LIMIT  120

struct rtls_command {
	unsigned limit_s; /* it is killed after that; 0: RTLS_COMMAND_LIMIT */
	int exit_status;  /* -1: not started, killed, or not done in time */
	size_t size;
	char output[RTLS_COMMAND_OUTPUT]; /* both outputs; cut at the end */
};

/*
 * words     the path first, NULL last
 * in        two descriptors that it gets as 3 and 4; or NULL
 * True: it ended with status 0.
 */
bool rtls_command_run(struct rtls_command *command,
	const char *const words[RTLS_COMMAND_WORDS], const int in[2]);

struct rtls_slice rtls_command_output(const struct rtls_command *command);

#endif
