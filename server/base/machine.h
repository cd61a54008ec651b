/*
 * machine.h - what there is to use: of the machine, or of the cgroup that we are in; its CPU
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* cgroup: where its files are, of version 2 or 1; a missing or unlimited one does not count. */

/* At least 1. */
uint64_t machine_cores(const char *cgroup);

/* Bytes. */
uint64_t machine_memory(const char *cgroup);

/* The CPU's kind, and what it can do as far as that may matter to arithmetic: names with a space
 * between, elsewhere than on x86 the kernel's word for all. */
typedef struct machine_cpu {
    char architecture[65], features[256];
} machine_cpu;

void machine_cpu_read(machine_cpu *out);

#endif
