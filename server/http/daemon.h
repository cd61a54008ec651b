/*
 * daemon.h - the HTTP engine: connections, requests, suspension, an orderly end
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "compute/jobs.h"
#include "ops/config.h"

typedef struct fmixd fmixd;

/* Listens and serves. NULL: explained on `errors`, where also goes what is said later; errors NULL:
 * on stderr, by way of the log, for which nobody waits. hooks may be NULL. */
fmixd *fmixd_start(const config *c, const jobs_hooks *hooks, FILE *errors);

/* "127.0.0.1:8080", with the port that was picked. */
const char *fmixd_address(const fmixd *d);

/* Reads tokens, certificate and key again, and has data sets looked for after that, by a thread of
 * its own. What is wrong is explained, and what there was stays. No request is disturbed; a
 * connection keeps the certificate that it began with. */
void fmixd_reload(fmixd *d);

/* From now on not ready; still serving. */
void fmixd_drain(fmixd *d);

/* Takes no more connections, finishes what is in flight for at most `seconds`, or until another
 * signal asks the process to end, and frees all. True: all of it was finished. */
bool fmixd_stop(fmixd *d, unsigned seconds);

#endif
