/*
 * machine.h - what there is to use: of the machine, or of the cgroup that we are in
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

/* cgroup: where its files are, of version 2 or 1; a missing or unlimited one does not count. */

/* At least 1. */
uint64_t machine_cores(const char *cgroup);

/* Bytes. */
uint64_t machine_memory(const char *cgroup);

#endif
