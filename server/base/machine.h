/*
 * machine.h - cores and memory of the machine or of this process's cgroup, and the CPU
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* cgroup: the directory of the cgroup's files, of version 2 or 1. A file that is missing, or does
 * not set a limit, is ignored. */

/* At least 1. */
uint64_t machine_cores(const char *cgroup);

/* Bytes. */
uint64_t machine_memory(const char *cgroup);

/* The CPU's architecture, and its features that may matter to arithmetic: names divided by spaces
 * on x86, elsewhere the kernel's AT_HWCAP. */
typedef struct machine_cpu {
    char architecture[65], features[256];
} machine_cpu;

void machine_cpu_read(machine_cpu *out);

#endif
