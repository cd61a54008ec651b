/*
 * crash.h - what a process that crashes says before it ends: the signal, and the request in work
 *
 * Nothing of a request's body or of its header fields is written, and the signal's own effect
 * stays: the process ends by it. In a sanitized build the sanitizer reports, and the request
 * follows.
 */
#ifndef CRASH_H
#define CRASH_H

#define CRASH_REQUEST 360 /* bytes of a request's description, with its end */

/* Installs a handler for each signal that ends the process, where none is installed yet: a
 * sanitizer's stays. A second call does no harm. */
void crash_install(void);

/* What the calling thread works for from now on, as "GET /livez"; NULL: nothing. Returns what it
 * worked for before. The text is borrowed until the next call. */
const char *crash_work_for(const char *request);

/* Writes the report of a signal on stderr. For a handler that decides to let the process end. */
void crash_report(int signal_number);

#endif
