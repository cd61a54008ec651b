/*
 * crash.h - the report of a process that crashes: the signal, and the request being worked on
 *
 * The report does not include the request's body or header fields. The process still ends by the
 * signal. In a sanitized build the sanitizer reports the crash, and the request follows.
 */
#ifndef CRASH_H
#define CRASH_H

#define CRASH_REQUEST 360 /* bytes of a request's description, including the NUL */

/* Installs a handler for each signal that a crash raises, unless the signal has a handler already,
 * as with a sanitizer. May be called again. */
void crash_install(void);

/* Says which request the calling thread works on from now on, as "GET /livez"; NULL: none. Returns
 * the request before. The text is borrowed until the next call. From the first call on, a stack
 * that overflows is reported, too. */
const char *crash_work_for(const char *request);

/* Writes the report of a signal on stderr. For handlers that then let the process end. */
void crash_report(int signal_number);

#endif
