/*
 * process.h - what the kernel says this process uses
 */
#ifndef PROCESS_H
#define PROCESS_H

/* Each apart: what cannot be told, as where no descriptor is left to ask with, is NAN. */
typedef struct process_usage {
    double resident_bytes, virtual_bytes;
    double open_fds, max_fds; /* max_fds: infinite where there is no limit */
    double cpu_seconds;       /* user and system, of all threads */
} process_usage;

/* proc: "/proc/self" */
void process_measure(const char *proc, process_usage *out);

#endif
