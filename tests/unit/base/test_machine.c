#include "unit.h"

#include "base/machine.h"

#include <sched.h>
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

static const machine_cgroups nowhere = {"/nowhere", "/nowhere"};

static void cores_are_the_quota_rounded_up_and_at_most_those_online(void **state) {
    (void)state;
    uint64_t online = machine_cores(&nowhere);
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
        assert_true(machine_cores(&(machine_cgroups){g.path, "/nowhere"}) == expected);
        group_free(&g, "cpu.max");
    }
}

static void memory_is_the_limit_or_that_of_the_machine(void **state) {
    (void)state;
    uint64_t all = machine_memory(&nowhere);
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
        assert_true(machine_memory(&(machine_cgroups){g.path, "/nowhere"}) ==
                    (table[i].bytes ? table[i].bytes : all));
        group_free(&g, table[i].name);
    }
}

/* One file of a test's folder. */
static void put(const char *root, const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *const folders[] = {"memory", "memory/a", "memory/a/b", "cpu",
                                      "cpu/a",  "a",        "a/b"};
static const char *const files[] = {"list",
                                    "memory/memory.limit_in_bytes",
                                    "memory/a/memory.limit_in_bytes",
                                    "memory/a/b/memory.limit_in_bytes",
                                    "cpu/a/cpu.cfs_quota_us",
                                    "cpu/a/cpu.cfs_period_us",
                                    "memory.max",
                                    "a/memory.max",
                                    "a/b/memory.max",
                                    "a/b/cpu.max"};
enum { FOLDERS = sizeof folders / sizeof *folders, FILES = sizeof files / sizeof *files };

/* Unlimited, but for the files that are named: so many, each with its text. */
static void a_limit_holds_for_all_groups_within_it(void **state) {
    (void)state;
    const uint64_t all = machine_memory(&nowhere), online = machine_cores(&nowhere);
    static const struct {
        const char *list, *file[2], *text[2];
        uint64_t memory, cores; /* 0: all */
    } table[] = {
        {"0::/a/b\n", {"a/b/memory.max", "a/memory.max"}, {"3145728", "2097152"}, 2 << 20, 0},
        {"0::/a/b\n", {"a/b/memory.max", "a/memory.max"}, {"1048576", "max"}, 1 << 20, 0},
        {"0::/a\n", {"a/b/memory.max", "a/memory.max"}, {"1048576", "2097152"}, 2 << 20, 0},
        {"0::/a/b\n", {"memory.max", "a/b/cpu.max"}, {"1048576", "50000 100000"}, 1 << 20, 1},
        {"0::/elsewhere\n", {"memory.max", "a/memory.max"}, {"3145728", "1"}, 3 << 20, 0},
        {"4:cpuset,memory:/a/b\n0::/\n",
         {"memory/a/b/memory.limit_in_bytes", "memory/memory.limit_in_bytes"},
         {"2097152", "9223372036854771712"},
         2 << 20,
         0},
        {"1:name=systemd:/\n4:memory:/a/b\n",
         {"memory/a/memory.limit_in_bytes", "memory/a/b/memory.limit_in_bytes"},
         {"1048576", "9223372036854771712"},
         1 << 20,
         0},
        {"1:cpu,cpuacct:/a\n",
         {"cpu/a/cpu.cfs_quota_us", "cpu/a/cpu.cfs_period_us"},
         {"60000", "100000"},
         0,
         1},
        {"no line of a group\n", {"memory.max", "a/memory.max"}, {"max", "1048576"}, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char root[] = "/tmp/fmixd-cgroup-XXXXXX", path[160];
        assert_non_null(mkdtemp(root));
        for (size_t n = 0; n < FOLDERS; n++) {
            snprintf(path, sizeof path, "%s/%s", root, folders[n]);
            assert_int_equal(mkdir(path, 0700), 0);
        }
        put(root, "list", table[i].list);
        for (size_t n = 0; n < 2; n++)
            put(root, table[i].file[n], table[i].text[n]);
        snprintf(path, sizeof path, "%s/list", root);
        const machine_cgroups groups = {root, path};
        assert_true(machine_memory(&groups) == (table[i].memory ? table[i].memory : all));
        assert_true(machine_cores(&groups) == (table[i].cores ? table[i].cores : online));
        for (size_t n = 0; n < FILES; n++) {
            snprintf(path, sizeof path, "%s/%s", root, files[n]);
            unlink(path);
        }
        for (size_t n = FOLDERS; n-- > 0;) {
            snprintf(path, sizeof path, "%s/%s", root, folders[n]);
            assert_int_equal(rmdir(path), 0);
        }
        assert_int_equal(rmdir(root), 0);
    }
}

static void cores_are_those_that_the_process_may_run_on(void **state) {
    (void)state;
    cpu_set_t was, one;
    assert_int_equal(sched_getaffinity(0, sizeof was, &was), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &was))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_true(machine_cores(&nowhere) == 1);
    assert_int_equal(sched_setaffinity(0, sizeof was, &was), 0);
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
    T(memory_is_the_limit_or_that_of_the_machine), T(a_limit_holds_for_all_groups_within_it),
    T(cores_are_those_that_the_process_may_run_on), T(the_cpu_has_an_architecture_and_features))
