/*
 * mhd_version.h - the version of libmicrohttpd at run time, and how it treats request headers
 *
 * 0.9.75 (Debian 12) and 1.0.1 (Debian 13) have the same soname, so a program may run with another
 * version than it was built with.
 */
#ifndef MHD_VERSION_H
#define MHD_VERSION_H

#include <stdbool.h>

const char *mhd_version(void);

/* Returns true if the library parses a header in place and silently repairs it, as 0.9.75 does. The
 * addresses of the strings then show what the library skipped. */
bool mhd_version_mends_heads(void);

/* Returns true if MHD_OPTION_STRICT_FOR_CLIENT makes the library refuse what it would repair:
 * folded lines, bare line feeds, NULs, lines without a name, spaces in a target. True from 1.0 on.
 * In 0.9.75 the option refuses less than guard.h does. */
bool mhd_version_can_be_strict(void);

/* Returns true if the library has MHD_RF_HEAD_ONLY_RESPONSE, by which a response to HEAD, or a 304,
 * has no length. Of the versions that were released, those from 1.0 on have it. */
bool mhd_version_knows_head_only(void);

#endif
