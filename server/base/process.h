/*
 * process.h - the resources that this process uses, and its standard streams
 */
#ifndef PROCESS_H
#define PROCESS_H

/* A value that cannot be measured is NAN; the other values are measured all the same. */
typedef struct process_usage {
    double resident_bytes, virtual_bytes;
    double private_bytes;     /* resident, without the pages of mapped files, such as data sets */
    double open_fds, max_fds; /* max_fds is infinite where there is no limit */
    double cpu_seconds;       /* user and system time of all threads */
} process_usage;

/* proc: "/proc/self" */
void process_measure(const char *proc, process_usage *out);

/* Opens /dev/null for each standard stream that was closed at start. Otherwise another file would
 * get the stream's number, and messages would be written into that file. */
void process_take_streams(void);

#endif
