/* publish_files.h - the files of `publish --directory`. Who asks the network is not root any more, and
 * the directory of a web server is not the Exim user's: so root starts a second process that
 * becomes the directory's owner, asks nobody, and writes what the first one hands over. */
#ifndef RTLS_PUBLISH_FILES_H
#define RTLS_PUBLISH_FILES_H

#include <stddef.h>

#define RTLS_PUBLISH_FILES 4

/* Where the policy is below the directory, as below the root of the web server. */
#define RTLS_PUBLISH_POLICY_FILE ".well-known/mta-sts.txt"
#define RTLS_PUBLISH_ZONE_FILE   "dns.zone"

/* The option that such a first process has, of nobody's but ours. */
#define RTLS_PUBLISH_HANDED_OVER "handed-over"

/*
 * Of main(), with the caller's power. By root, and with --directory and without --verify, it starts the
 * process that writes, and gives what goes on that option; else nothing happens.
 *
 * argc, argv  with the name of the program; replaced for good
 */
void rtls_publish_files_start(int *argc, char ***argv);

/*
 * Write them, or have them written.
 *
 * texts  policy, zone, nginx.conf, apache.conf, in this order
 * 0, or the exit status with the error said
 */
int rtls_publish_files_write(
	const char *directory, const char *const texts[RTLS_PUBLISH_FILES]);
int rtls_publish_files_hand_over(const char *const texts[RTLS_PUBLISH_FILES]);

#endif
