/*
 * mhd_version.h - which version of libmicrohttpd runs, and what follows for a request's head
 *
 * 0.9.75 (Debian 12) and 1.0.1 (Debian 13) have the same name to the loader, so that the version
 * which a program was built with tells nothing of the one that it runs with.
 */
#ifndef FMIXD_LIBRARY_H
#define FMIXD_LIBRARY_H

#include <stdbool.h>

const char *mhd_version(void);

/* Whether a head is parsed where it was read, and mended without a word: 0.9.75. Then where its
 * strings lie tells what was passed over. */
bool mhd_version_mends_heads(void);

/* Whether MHD_OPTION_STRICT_FOR_CLIENT lets the library itself refuse what it would mend: folded
 * lines, bare line feeds, NULs, lines without a name, spaces in a target (from 1.0 on). To 0.9.75
 * the option means less than guard.h does. */
bool mhd_version_can_be_strict(void);

#endif
