/* setup_journal.h - a change of several files that is made or undone as a whole.
 *
 * RTLS_SETUP_BACKUPS holds, of root and for root only: "lock"; while a change is under way the
 * directory "under-way" with a copy of each file ("0", "1" ...), of what each becomes ("0.new" ...) and
 * "list", which comes last and says what they were; and of each change that was made such a directory, named by its time. So
 * whoever finds "under-way/list" knows that a change was cut off, and how it was before. */
#ifndef RTLS_SETUP_JOURNAL_H
#define RTLS_SETUP_JOURNAL_H

#include "tool/setup_files.h"

#ifndef RTLS_SETUP_BACKUPS
#define RTLS_SETUP_BACKUPS "/var/backups/exim-requiretls"
#endif
#define RTLS_SETUP_UNDER_WAY RTLS_SETUP_BACKUPS "/under-way"

/* Only one setup at a time; held until the process ends.
 * RTLS_TEMPORARY  another one is at work, or it cannot be had; err says which */
RTLS_MUST_CHECK enum rtls_status rtls_setup_lock(struct rtls_err *err);

/* Was a change cut off? */
bool rtls_setup_is_under_way(void);

/* Keep copies of all files that change. From here on the change is under way. */
RTLS_MUST_CHECK enum rtls_status rtls_setup_begin(
	const struct rtls_setup_files *files, struct rtls_err *err);

/*
 * Put everything back as it was. It is still under way then, since Exim may have to be told.
 *
 * is_left  a file holds neither what it was nor what we made of it, so it is somebody's work and
 *          stays; said
 * Others are put back when one cannot be; err says why that one was not.
 */
RTLS_MUST_CHECK enum rtls_status rtls_setup_put_back(
	bool *is_left, struct rtls_err *err);

/* It was put back: forget it. */
RTLS_MUST_CHECK enum rtls_status rtls_setup_forget(struct rtls_err *err);

/* It was made: the copies stay.
 * kept  the directory where they are */
RTLS_MUST_CHECK enum rtls_status rtls_setup_keep(
	char kept[RTLS_SETUP_PATH_SIZE], struct rtls_err *err);

#endif
