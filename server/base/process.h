/*
 * process.h - this process and the kernel: its streams, what it uses, and whether it shall end
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

/* Each apart: what cannot be told, as where no descriptor is left to ask with, is NAN. */
typedef struct process_usage {
    double resident_bytes, virtual_bytes;
    double open_fds, max_fds; /* max_fds: infinite where there is no limit */
    double cpu_seconds;       /* user and system, of all threads */
} process_usage;

/* proc: "/proc/self" */
void process_measure(const char *proc, process_usage *out);

/* Gives standard streams that were closed at start to /dev/null, before another file gets their
 * numbers and what is printed is written into it. */
void process_take_streams(void);

/* SIGTERM and SIGINT end the process at once, unless they were ignored when it began; also where it
 * is the first of a container, to which the kernel passes only signals that it has handlers for. */
void shutdown_at_once(void);

/* Whether SIGTERM or SIGINT came and is blocked, so that nobody has heard it yet: asked by what may
 * take long on the thread that would. */
bool shutdown_requested(void);

#endif
