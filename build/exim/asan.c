/* Linked into the asan variant of Exim, which gives its processes an empty
environment and their standard error away: options must be in the binary and
findings must go to files. A process goes on after a finding, so that the mail of a
test does. Exim frees nothing before it exits: no leak detection. */

/* Names that the runtime looks for. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *__asan_default_options(void);
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:halt_on_error=0:"
	       "log_path=/var/log/exim4/sanitizer:log_exe_name=1";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1:log_path=/var/log/exim4/sanitizer:log_exe_name=1";
}
