/*
 * daemon.h - the HTTP server: starts, reloads and stops all parts of the program
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "compute/jobs.h"
#include "ops/config.h"

typedef struct fmixd fmixd;

/* Listens and serves. NULL: explained on `errors`. Later messages go to `errors` too. errors NULL:
 * to the log's messages, which do not block. hooks may be NULL. */
fmixd *fmixd_start(const config *c, const jobs_hooks *hooks, FILE *errors);

/* "127.0.0.1:8080", with the port that the kernel picked for port 0. */
const char *fmixd_address(const fmixd *d);

/* Reads tokens, certificate and key again, then lets another thread look for data sets. A file with
 * an error is explained, and its previous contents stay in force. Requests are not disturbed, and a
 * connection keeps its certificate. */
void fmixd_reload(fmixd *d);

/* Makes /readyz fail; requests are still served. */
void fmixd_drain(fmixd *d);

/* Stops accepting connections. Finishes the requests in flight for at most `seconds`, or until
 * another signal asks the process to end, and cuts off the others. Then frees everything; if a
 * slice still runs a second later, the memory of the daemon is kept until the process ends. True:
 * all requests were finished. */
bool fmixd_stop(fmixd *d, unsigned seconds);

#endif
