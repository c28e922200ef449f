/* temporary.c - see temporary.h. */
#include "store/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "store/open.h"

#define TRIES 8

/* Unique among processes by pid and counter, not to be guessed by randomness;
 * O_EXCL makes a clash harmless in any case. */
static void name_temporary(char name[RTLS_TEMPORARY_SIZE])
{
	static atomic_uint counter;
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
		(ssize_t)sizeof(random)) {
		struct timespec now = { 0, 0 };

		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		random = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
	}
	(void)snprintf(name, RTLS_TEMPORARY_SIZE,
		RTLS_UNFINISHED "%ld-%u-%016" PRIx64, (long)getpid(),
		atomic_fetch_add(&counter, 1), random);
}

int rtls_temporary_open(int directory, char name[RTLS_TEMPORARY_SIZE])
{
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		name_temporary(name);
		fd = rtls_open_at(directory, name, O_WRONLY | O_CREAT | O_EXCL,
			RTLS_FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

bool rtls_temporary_write(int fd, struct rtls_slice text)
{
	while (text.size > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, text.data, text.size));

		if (n < 0)
			return false;
		if (n == 0) {
			errno = EIO;
			return false;
		}
		text.data += n;
		text.size -= (size_t)n;
	}
	return true;
}

/* On Linux the descriptor is gone after EINTR, and the data was synced. */
bool rtls_temporary_close(int fd)
{
	return close(fd) == 0 || errno == EINTR;
}

/* Some file systems cannot sync a directory and say so: nothing to do then. */
bool rtls_temporary_sync_directory(int fd)
{
	return TEMP_FAILURE_RETRY(fsync(fd)) == 0 || errno == EINVAL ||
	       errno == ENOTSUP;
}
