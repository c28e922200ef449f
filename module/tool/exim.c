/* exim.c - see exim.h. */
#include "tool/exim.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/text.h"
#include "tool/command.h"
#include "tool/exim_answers.h"

#define OUTPUT_SIZE 16384
#define LIMIT_S     5

/* What the program printed, which is nothing when it could not be started. input: 0, or what it
 * reads. */
static struct rtls_slice run(
	const char *const *words, int input, char *output, size_t output_size)
{
	struct rtls_command command = { .limit_s = LIMIT_S,
		.input = input,
		.output = output,
		.output_max = output_size };

	(void)rtls_command_run(&command, words, NULL);
	return rtls_command_output(&command);
}

enum rtls_status rtls_exim_ask(const char *program,
	struct rtls_exim_version *version, struct rtls_err *err)
{
	const char *const words[] = { program, "-bV", NULL };
	char output[OUTPUT_SIZE];

	if (rtls_exim_version_parse(
		    run(words, 0, output, sizeof(output)), version) == RTLS_OK)
		return RTLS_OK;
	rtls_err_set(err, "%.200s -bV gave no version", program);
	return RTLS_TEMPORARY;
}

enum rtls_status rtls_exim_option(
	const char *program, const char *name, char *value, size_t value_size)
{
	const char *const words[] = { program, "-bP", name, NULL };
	char output[OUTPUT_SIZE];
	struct rtls_slice found;

	if (!rtls_exim_answer_option(
		    run(words, 0, output, sizeof(output)), name, &found))
		return RTLS_NONE;
	rtls_quote(value, value_size, found);
	return RTLS_OK;
}

enum rtls_status rtls_exim_macro(
	const char *program, const char *name, char *value, size_t value_size)
{
	const char *const words[] = { program, "-bP", "macro", name, NULL };
	char output[OUTPUT_SIZE];
	struct rtls_slice rest = run(words, 0, output, sizeof(output)), line,
			  key;
	enum rtls_status status = RTLS_TEMPORARY;

	while (rtls_slice_line(&rest, &line)) {
		struct rtls_slice value_text = line;

		key = rtls_slice_trim(rtls_slice_take(&value_text, '='));
		if (rtls_slice_is(key, name))
			return rtls_slice_copy(rtls_slice_trim(value_text),
				       value, value_size)
				       ? RTLS_OK
				       : RTLS_INVALID;
		if (rtls_slice_ends_nocase(line, rtls_slice(" not found")))
			status = RTLS_NONE;
	}
	return status;
}

/* The lines and the empty one behind them, to be read from its beginning. -1: no room. */
static int open_message(const char *header)
{
	const size_t size = strlen(header);
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, header, size) != (ssize_t)size ||
			       write(fd, "\n", 1) != 1 ||
			       lseek(fd, 0, SEEK_SET) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

struct rtls_slice rtls_exim_expand_message(const char *program,
	const char *header, const char *const *expansions, char *output,
	size_t output_size)
{
	const char *words[RTLS_COMMAND_WORDS] = { program, "-bem",
		"/dev/stdin" };
	struct rtls_slice answer = rtls_slice_n(output, 0);
	int input = open_message(header);

	if (input < 0)
		return answer;
	for (size_t i = 3; i < RTLS_COMMAND_WORDS - 1 && *expansions != NULL;
		i++)
		words[i] = *expansions++;
	answer = run(words, input, output, output_size);
	(void)close(input);
	return answer;
}

struct rtls_slice rtls_exim_run(
	const char *const *words, char *output, size_t output_size)
{
	return run(words, 0, output, output_size);
}

struct rtls_slice rtls_exim_print(
	const char *program, const char *what, char *output, size_t output_size)
{
	const char *const words[] = { program, "-bP", what, NULL };

	return run(words, 0, output, output_size);
}
