/* replay.c - run a fuzz target over files, so that seeds and old findings are
 * part of the ordinary tests, with any compiler: TARGET FILE|DIRECTORY... */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_SIZE_MAX (1 << 20)
#define PATH_SIZE      4096

static void fail(const char *path)
{
	perror(path);
	exit(EXIT_FAILURE);
}

static void replay_file(const char *path)
{
	static uint8_t buffer[INPUT_SIZE_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	if (file == NULL)
		fail(path);
	size = fread(buffer, 1, sizeof(buffer), file);
	if (ferror(file) || fclose(file) != 0)
		fail(path);
	/* A block of just that size: ASan sees one byte too many. */
	exact = malloc(size);
	if (exact == NULL && size > 0)
		fail(path);
	for (size_t i = 0; i < size; i++)
		exact[i] = buffer[i];
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static size_t replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	char file[PATH_SIZE];
	size_t count = 0;

	if (directory == NULL)
		fail(path);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(file, sizeof(file), "%s/%s", path,
			    entry->d_name) >= (int)sizeof(file))
			fail(path);
		replay_file(file);
		count++;
	}
	(void)closedir(directory);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat status;

		if (stat(argv[i], &status) != 0)
			fail(argv[i]);
		if (S_ISDIR(status.st_mode)) {
			count += replay_directory(argv[i]);
		} else {
			replay_file(argv[i]);
			count++;
		}
	}
	printf("%zu inputs\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
