/*
 * machine.h - cores and memory of the machine or of this process's cgroup, and the CPU
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Where control groups are mounted, of version 2 or 1, and the list of those that a process belongs
 * to. A limit holds for a group and all groups within it. What is missing or sets no limit is
 * ignored: in a container the mount may be the process's own group, whatever the list says. */
typedef struct machine_cgroups {
    const char *mount, *list;
} machine_cgroups;

extern const machine_cgroups machine_own_cgroups;

/* The cores that this process may run on and has quota for, rounded up; at least 1. */
uint64_t machine_cores(const machine_cgroups *groups);

/* Bytes. */
uint64_t machine_memory(const machine_cgroups *groups);

/* The CPU's architecture, and its features that may matter to arithmetic: names divided by spaces
 * on x86, elsewhere the kernel's AT_HWCAP. */
typedef struct machine_cpu {
    char architecture[65], features[256];
} machine_cpu;

void machine_cpu_read(machine_cpu *out);

#endif
