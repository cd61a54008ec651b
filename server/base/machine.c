#include "machine.h"

#include <inttypes.h>
#include <limits.h> /* PATH_MAX */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

const machine_cgroups machine_own_cgroups = {"/sys/fs/cgroup", "/proc/self/cgroup"};

/* The one or two numbers that a small file begins with. False: it does not, as with "max" or "-1".
 */
static bool read_numbers(const char *group, const char *name, uint64_t *a, uint64_t *b) {
    char path[PATH_MAX];
    int64_t first = 0, second = 0;
    int length = snprintf(path, sizeof path, "%s/%s", group, name);
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

/* Reads the limit that one group sets. */
typedef bool limit_read(const char *group, uint64_t *out);

static bool read_memory_2(const char *group, uint64_t *out) {
    return read_numbers(group, "memory.max", out, NULL);
}

static bool read_memory_1(const char *group, uint64_t *out) {
    return read_numbers(group, "memory.limit_in_bytes", out, NULL);
}

static uint64_t rounded_up(uint64_t quota, uint64_t period) {
    return quota / period + (quota % period != 0);
}

static bool read_cores_2(const char *group, uint64_t *out) {
    uint64_t quota, period;
    bool good = read_numbers(group, "cpu.max", &quota, &period);
    if (good)
        *out = rounded_up(quota, period);
    return good;
}

static bool read_cores_1(const char *group, uint64_t *out) {
    uint64_t quota, period;
    bool good = read_numbers(group, "cpu.cfs_quota_us", &quota, NULL) &&
                read_numbers(group, "cpu.cfs_period_us", &period, NULL);
    if (good)
        *out = rounded_up(quota, period);
    return good;
}

/* Returns true if a list such as "cpu,cpuacct" has the controller. */
static bool has_controller(const char *list, const char *controller) {
    size_t length = strlen(controller);
    while (strncmp(list, controller, length) != 0 || (list[length] && list[length] != ',')) {
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
    return true;
}

/* The path of this process's group of a controller, from lines NUMBER:CONTROLLERS:PATH; version 2
 * names no controllers. "": no line is of it. */
static void find_group(const char *list, const char *controller, char *out, size_t room) {
    char line[PATH_MAX + 64];
    FILE *file = fopen(list, "r");
    out[0] = 0;
    while (file && !out[0] && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = 0;
        path[strcspn(path, "\n")] = 0;
        if (has_controller(names + 1, controller) && strlen(path) < room)
            memcpy(out, path, strlen(path) + 1);
    }
    if (file)
        fclose(file);
}

/* The least of `n` and the limits of the process's group and of those that it lies in. Version 1
 * mounts each controller in a folder of its name. */
static uint64_t least(const machine_cgroups *groups, const char *controller, limit_read *read,
                      uint64_t n) {
    char group[PATH_MAX], path[PATH_MAX];
    uint64_t limit;
    find_group(groups->list, controller, path, sizeof path);
    for (char *end = path + strlen(path); end; end = strrchr(path, '/')) {
        *end = 0;
        int length = snprintf(group, sizeof group, "%s/%s%s", groups->mount, controller, path);
        if (length > 0 && (size_t)length < sizeof group && read(group, &limit) && limit < n)
            n = limit;
    }
    return n;
}

/* A machine of more than 1,024 cores does not fit the set: all that are online count then. */
static uint64_t cores_to_run_on(void) {
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (uint64_t)CPU_COUNT(&set);
    return online > 0 ? (uint64_t)online : 1;
}

uint64_t machine_cores(const machine_cgroups *groups) {
    uint64_t n = least(groups, "", read_cores_2, cores_to_run_on());
    return least(groups, "cpu", read_cores_1, n);
}

uint64_t machine_memory(const machine_cgroups *groups) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    uint64_t n = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_C(1) << 30;
    n = least(groups, "", read_memory_2, n);
    return least(groups, "memory", read_memory_1, n);
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
