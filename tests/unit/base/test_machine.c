#include "unit.h"

#include "base/machine.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A made-up cgroup in a directory of its own. */
typedef struct group {
    char path[64];
} group;

static group group_of(const char *name, const char *text) {
    group g = {"/tmp/fmixd-cgroup-XXXXXX"};
    char path[128];
    assert_non_null(mkdtemp(g.path));
    snprintf(path, sizeof path, "%s/cpu", g.path);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/memory", g.path);
    mkdir(path, 0700);
    if (name) {
        snprintf(path, sizeof path, "%s/%s", g.path, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    return g;
}

static void group_free(const group *g, const char *name) {
    char path[128];
    if (name) {
        snprintf(path, sizeof path, "%s/%s", g->path, name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/cpu", g->path);
    rmdir(path);
    snprintf(path, sizeof path, "%s/memory", g->path);
    rmdir(path);
    rmdir(g->path);
}

static void cores_are_the_quota_rounded_up_and_at_most_those_online(void **state) {
    (void)state;
    uint64_t online = machine_cores("/nowhere");
    static const struct {
        const char *text;
        uint64_t cores; /* 0: all */
    } table[] = {
        {"50000 100000\n", 1},
        {"100000 100000\n", 1},
        {"100001 100000\n", 2},
        {"max 100000\n", 0},
        {"", 0},
        {"0 100000", 0},
        {"100000 0", 0},
        {"-1 100000", 0},
        {"100000", 0},
        {"99999999999 1000", 0},
        {"word", 0},
    };
    assert_true(online >= 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        group g = group_of("cpu.max", table[i].text);
        uint64_t expected = table[i].cores && table[i].cores < online ? table[i].cores : online;
        assert_true(machine_cores(g.path) == expected);
        group_free(&g, "cpu.max");
    }
}

static void memory_is_the_limit_or_that_of_the_machine(void **state) {
    (void)state;
    uint64_t all = machine_memory("/nowhere");
    static const struct {
        const char *name, *text;
        uint64_t bytes; /* 0: all */
    } table[] = {
        {"memory.max", "1048576\n", 1 << 20},
        {"memory.max", "max\n", 0},
        {"memory.max", "9223372036854771712\n", 0},
        {"memory.max", "", 0},
        {"memory/memory.limit_in_bytes", "2097152\n", 2 << 20},
        {"memory/memory.limit_in_bytes", "9223372036854771712\n", 0},
    };
    assert_true(all > 1 << 20);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        group g = group_of(table[i].name, table[i].text);
        assert_true(machine_memory(g.path) == (table[i].bytes ? table[i].bytes : all));
        group_free(&g, table[i].name);
    }
}

static void the_cpu_has_an_architecture_and_features(void **state) {
    (void)state;
    machine_cpu cpu;
    machine_cpu_read(&cpu);
    assert_string_not_equal(cpu.architecture, "");
    assert_string_not_equal(cpu.features, "");
    assert_int_not_equal(cpu.features[0], ' ');
#if defined(__x86_64__)
    assert_non_null(strstr(cpu.features, "sse2"));
#endif
}

RUN(T(cores_are_the_quota_rounded_up_and_at_most_those_online),
    T(memory_is_the_limit_or_that_of_the_machine), T(the_cpu_has_an_architecture_and_features))
