/* failing.c - a library to preload that makes one chosen call fail, or ends the process
 * there. failing.py says which, in a page of memory that all processes of the lab share, so
 * that calls are counted over forks, threads and programs alike. */
/* libc's names, of functions and of their parameters, are libc's. */
/* NOLINTBEGIN(bugprone-*,readability-*) */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_PATH "/run/lab/failing"

/* The order is that of KINDS in failing.py. */
enum kind {
	MEMORY,
	OPEN,
	READ,
	WRITE,
	SYNC,
	RENAME,
	CLOSE,
	LOCK,
	PROCESS,
	NETWORK,
	FILES,
};

static const int usual_error[] = { ENOMEM, EMFILE, EIO, ENOSPC, EIO, EIO, EIO,
	ENOLCK, EAGAIN, ENOBUFS, EIO };

enum mode {
	FAIL,
	KILL,
	TEAR, /* write one half, then be killed */
	CUT,  /* write one half, and say so */
	EVER, /* fail, and so does every later one */
};

/* As failing.py packs it. */
struct control {
	char program[32]; /* its short name; "" for all */
	char object[32];  /* who calls: the file's name; "" for all */
	uint32_t kinds;   /* bits */
	uint32_t mode;
	int32_t error; /* 0: what is usual for the kind */
	uint32_t when;
	atomic_uint count;
	uint32_t hit; /* the kind of the chosen call plus one, when it came */
};

static struct control *control;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

/* --- is it this call? ------------------------------------------------------- */

__attribute__((constructor)) static void begin(void)
{
	int fd = (int)syscall(
		SYS_openat, AT_FDCWD, CONTROL_PATH, O_RDWR | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
		fd, 0);
	syscall(SYS_close, fd);
	if (page == MAP_FAILED)
		return;
	control = page;
	if (control->program[0] != '\0' &&
		strcmp(control->program, program_invocation_short_name) != 0)
		control = NULL;
}

/* Not dladdr(): that one looks for the symbol too, which takes a while. */
static bool is_by_object(const void *caller)
{
	struct dl_find_object found;
	const char *path, *name;

	if (control->object[0] == '\0')
		return true;
	if (_dl_find_object((void *)caller, &found) != 0)
		return false;
	path = found.dlfo_link_map->l_name;
	if (path[0] == '\0') /* the program itself */
		path = program_invocation_short_name;
	name = strrchr(path, '/');
	return strcmp(name == NULL ? path : name + 1, control->object) == 0;
}

static void die(void)
{
	(void)syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
}

/* Its turn has come: errno is set. */
static bool is_due(enum kind kind, const void *caller)
{
	unsigned number;

	if (control == NULL || (control->kinds & 1U << kind) == 0 ||
		!is_by_object(caller))
		return false;
	number = atomic_fetch_add(&control->count, 1) + 1;
	if (number != control->when &&
		(control->mode != EVER || number < control->when))
		return false;
	control->hit = (uint32_t)kind + 1;
	if (control->mode == KILL)
		die();
	errno = control->error != 0 ? control->error : usual_error[kind];
	return true;
}

#define DUE(kind) is_due(kind, __builtin_return_address(0))

/* A function that does what the next one of that name does, or fails. */
#define WRAP(kind, type, name, parameters, arguments, failure)                 \
	type name parameters;                                                  \
	type name parameters                                                   \
	{                                                                      \
		static type(*next) parameters;                                 \
                                                                               \
		if (DUE(kind))                                                 \
			return failure;                                        \
		if (next == NULL)                                              \
			*(void **)&next = dlsym(RTLD_NEXT, #name);             \
		return next arguments;                                         \
	}

/* --- memory ----------------------------------------------------------------- */

void *malloc(size_t size)
{
	return DUE(MEMORY) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return DUE(MEMORY) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
	return DUE(MEMORY) ? NULL : __libc_realloc(block, size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
	size_t all;

	if (DUE(MEMORY) || __builtin_mul_overflow(count, size, &all))
		return NULL;
	return __libc_realloc(block, all);
}

WRAP(MEMORY, char *, strdup, (const char *text), (text), NULL)

/* --- files ------------------------------------------------------------------ */

#define NEEDS_MODE (O_CREAT | O_TMPFILE)

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & NEEDS_MODE) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return DUE(OPEN)
		       ? -1
		       : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return DUE(OPEN)
		       ? -1
		       : (int)syscall(SYS_openat, directory, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return DUE(OPEN) ? -1
			 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
}

/* openat2() has no function of its own. All other numbers are what is wrapped elsewhere,
 * here as well. */
long syscall(long number, ...)
{
	static long (*next)(long number, ...);
	va_list arguments;
	long value[6];

	va_start(arguments, number);
	for (size_t i = 0; i < sizeof(value) / sizeof(*value); i++)
		value[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_openat2 && DUE(OPEN))
		return -1;
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	return next(number, value[0], value[1], value[2], value[3], value[4],
		value[5]);
}

/* Half of it, for the modes that want that. */
static ssize_t write_half(int fd, const void *data, size_t size)
{
	ssize_t written = syscall(SYS_write, fd, data, size / 2);

	if (control->mode == TEAR)
		die();
	return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (!DUE(WRITE))
		return syscall(SYS_write, fd, data, size);
	return control->mode == TEAR || control->mode == CUT
		       ? write_half(fd, data, size)
		       : -1;
}

/* It is closed in any case, as Linux does it. */
int close(int fd)
{
	bool due = DUE(CLOSE);
	int error = errno;

	if (syscall(SYS_close, fd) != 0)
		return -1;
	errno = error;
	return due ? -1 : 0;
}

/* Setting flags never fails. */
static bool is_lock(int command)
{
	return command == F_SETLK || command == F_OFD_SETLK;
}

int fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	if (is_lock(command) && DUE(LOCK))
		return -1;
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

WRAP(READ, ssize_t, read, (int fd, void *data, size_t size), (fd, data, size),
	-1)
WRAP(READ, ssize_t, pread, (int fd, void *data, size_t size, off_t at),
	(fd, data, size, at), -1)
WRAP(SYNC, int, fsync, (int fd), (fd), -1)
WRAP(RENAME, int, renameat,
	(int directory, const char *name, int to_directory, const char *to),
	(directory, name, to_directory, to), -1)
WRAP(FILES, int, mkdirat, (int directory, const char *name, mode_t mode),
	(directory, name, mode), -1)
WRAP(FILES, int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(FILES, int, fchmodat,
	(int directory, const char *name, mode_t mode, int flags),
	(directory, name, mode, flags), -1)
WRAP(FILES, int, unlink, (const char *path), (path), -1)
WRAP(FILES, int, unlinkat, (int directory, const char *name, int flags),
	(directory, name, flags), -1)
WRAP(FILES, int, fstat, (int fd, struct stat *info), (fd, info), -1)
WRAP(FILES, int, fstatat,
	(int directory, const char *name, struct stat *info, int flags),
	(directory, name, info, flags), -1)
WRAP(FILES, char *, realpath, (const char *path, char *real), (path, real),
	NULL)
WRAP(FILES, int, utimensat,
	(int directory, const char *name, const struct timespec times[2],
		int flags),
	(directory, name, times, flags), -1)

/* --- processes and the network ---------------------------------------------- */

WRAP(PROCESS, int, pipe2, (int fds[2], int flags), (fds, flags), -1)
WRAP(PROCESS, pid_t, fork, (void), (), -1)
WRAP(PROCESS, int, dup2, (int from, int to), (from, to), -1)
WRAP(PROCESS, int, execve,
	(const char *path, char *const argv[], char *const envp[]),
	(path, argv, envp), -1)
WRAP(PROCESS, int, pthread_create,
	(pthread_t * thread, const pthread_attr_t *attributes,
		void *(*run)(void *), void *argument),
	(thread, attributes, run, argument), EAGAIN)
WRAP(PROCESS, int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms),
	(fds, count, timeout_ms), -1)
WRAP(PROCESS, int, setuid, (uid_t uid), (uid), -1)
WRAP(PROCESS, int, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s), -1)
WRAP(PROCESS, int, setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s), -1)
WRAP(NETWORK, int, socket, (int family, int type, int protocol),
	(family, type, protocol), -1)
WRAP(NETWORK, int, connect,
	(int fd, const struct sockaddr *address, socklen_t size),
	(fd, address, size), -1)
WRAP(NETWORK, ssize_t, sendto,
	(int fd, const void *data, size_t size, int flags,
		const struct sockaddr *address, socklen_t address_size),
	(fd, data, size, flags, address, address_size), -1)
WRAP(NETWORK, ssize_t, send, (int fd, const void *data, size_t size, int flags),
	(fd, data, size, flags), -1)
WRAP(NETWORK, ssize_t, recvfrom,
	(int fd, void *data, size_t size, int flags, struct sockaddr *address,
		socklen_t *address_size),
	(fd, data, size, flags, address, address_size), -1)
WRAP(NETWORK, ssize_t, recv, (int fd, void *data, size_t size, int flags),
	(fd, data, size, flags), -1)
WRAP(NETWORK, ssize_t, sendmsg,
	(int fd, const struct msghdr *message, int flags), (fd, message, flags),
	-1)

/* NOLINTEND(bugprone-*,readability-*) */
