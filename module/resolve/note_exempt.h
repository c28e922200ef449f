/* note_exempt.h - say that an exemption ran out. */
#ifndef RTLS_NOTE_EXEMPT_H
#define RTLS_NOTE_EXEMPT_H

#include "resolving.h"

/*
 * A note for each line of the exemptions that is for this domain and whose day is over:
 * once a day each, over all processes and all domains of a wildcard; apart from that once
 * a day in what people and timers start, which must not keep it from Exim's log. A domain
 * that gets mail is looked up at least once a day, so that none is forgotten. A file that
 * cannot be read says nothing here: routing puts the mail off for it.
 */
void rtls_note_exempt(struct rtls_resolving *resolving);

#endif
