/* spool_header.h - was the message flagged? By the -H file of Exim's spool, of which
 * only the lines up to the first empty one are of interest here.
 * Pure: no allocation, no I/O, safe on any bytes. */
#ifndef RTLS_SPOOL_HEADER_H
#define RTLS_SPOOL_HEADER_H

#include "slice.h"

#define RTLS_SPOOL_HEADER_MAX (256 * 1024) /* as much of the file is read */

/*
 * What local_scan() left counts; without that what requiretls_flag() left. Fails
 * closed: true when the file is cut off before its empty line.
 *
 * patched  this Exim has a flag of its own: when the message had it, Exim has seen to
 *          the report itself, and the answer is false
 */
bool rtls_spool_header_flagged(struct rtls_slice header, bool patched);

#endif
