/* command.h - run a program of the system and have what it says. Nothing of the caller's environment
 * reaches it. */
#ifndef RTLS_COMMAND_H
#define RTLS_COMMAND_H

#include "policy/slice.h"

#define RTLS_COMMAND_WORDS 160 /* with the NULL behind them */

struct rtls_command {
	unsigned limit_s; /* it is killed after that */
	int input;        /* its standard input; 0: nothing to read */
	char *output;     /* the caller's, for both outputs; cut at the end */
	size_t output_max;
	size_t size;     /* of what it said */
	int exit_status; /* -1: not started, killed, or not done in time */
};

/*
 * words     the path first, NULL last
 * in        two descriptors that it gets as 3 and 4; or NULL
 * True: it ended with status 0.
 */
bool rtls_command_run(struct rtls_command *command, const char *const *words,
	const int in[2]);

struct rtls_slice rtls_command_output(const struct rtls_command *command);

#endif
