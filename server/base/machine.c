#include "machine.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The one or two numbers that a small file begins with. False: it does not, as with "max" or "-1".
 */
static bool read_numbers(const char *cgroup, const char *name, uint64_t *a, uint64_t *b) {
    char path[256];
    int64_t first = 0, second = 0;
    int length = snprintf(path, sizeof path, "%s/%s", cgroup, name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
    if (!file)
        return false;
    int found = fscanf(file, "%" SCNd64 " %" SCNd64, &first, &second);
    fclose(file);
    *a = (uint64_t)first;
    if (b)
        *b = (uint64_t)second;
    return found >= (b ? 2 : 1) && first > 0 && (!b || second > 0);
}

/* In version 2, cpu.max holds quota and period; in version 1, each has a file. */
uint64_t machine_cores(const char *cgroup) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t n = online > 0 ? (uint64_t)online : 1, quota, period;
    bool limited = read_numbers(cgroup, "cpu.max", &quota, &period) ||
                   (read_numbers(cgroup, "cpu/cpu.cfs_quota_us", &quota, NULL) &&
                    read_numbers(cgroup, "cpu/cpu.cfs_period_us", &period, NULL));
    if (!limited)
        return n;
    uint64_t allowed = quota / period + (quota % period != 0);
    return allowed < n ? allowed : n;
}

uint64_t machine_memory(const char *cgroup) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t n = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_C(1) << 30,
             limit;
    if (read_numbers(cgroup, "memory.max", &limit, NULL) ||
        read_numbers(cgroup, "memory/memory.limit_in_bytes", &limit, NULL))
        n = limit < n ? limit : n;
    return n;
}

#if defined(__x86_64__) || defined(__i386__)
#define IF_SUPPORTED(name) (__builtin_cpu_supports(name) ? " " name : "")

static void read_features(char *out, size_t size) {
    int length =
        snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s%s", IF_SUPPORTED("sse2"), IF_SUPPORTED("sse4.2"),
                 IF_SUPPORTED("avx"), IF_SUPPORTED("fma"), IF_SUPPORTED("avx2"),
                 IF_SUPPORTED("bmi2"), IF_SUPPORTED("avx512f"), IF_SUPPORTED("avx512bw"),
                 IF_SUPPORTED("avx512cd"), IF_SUPPORTED("avx512dq"), IF_SUPPORTED("avx512vl"));
    if (length > 0)
        memmove(out, out + 1, (size_t)length); /* drops the first space */
}
#else
static void read_features(char *out, size_t size) {
    snprintf(out, size, "hwcap 0x%lx", getauxval(AT_HWCAP));
}
#endif

void machine_cpu_read(machine_cpu *out) {
    struct utsname names;
    bool known = uname(&names) == 0;
    snprintf(out->architecture, sizeof out->architecture, "%s", known ? names.machine : "unknown");
    read_features(out->features, sizeof out->features);
}
