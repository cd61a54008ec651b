/*
 * process.h - what the kernel says of this process: what it uses, and whether it shall end
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

/* Whether SIGTERM or SIGINT came and is blocked, so that nobody has heard it yet: asked by what may
 * take long on the thread that would. */
bool process_shall_end(void);

#endif
