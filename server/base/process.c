#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool path_of(const char *proc, const char *name, char *out, size_t room) {
    int length = snprintf(out, room, "%s/%s", proc, name);
    return length > 0 && (size_t)length < room;
}

/* proc(5): statm counts pages, all and resident ones first. */
static void measure_memory(const char *proc, process_usage *out) {
    char path[256];
    uint64_t all, resident;
    double page = (double)sysconf(_SC_PAGESIZE);
    FILE *file = path_of(proc, "statm", path, sizeof path) ? fopen(path, "r") : NULL;
    if (!file)
        return;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) == 2) {
        out->virtual_bytes = (double)all * page;
        out->resident_bytes = (double)resident * page;
    }
    fclose(file);
}

/* One of them is that which lists them. */
static void count_descriptors(const char *proc, process_usage *out) {
    char path[256];
    double n = -1;
    DIR *all = path_of(proc, "fd", path, sizeof path) ? opendir(path) : NULL;
    if (!all)
        return;
    for (const struct dirent *each; (each = readdir(all));)
        n += each->d_name[0] != '.';
    closedir(all);
    out->open_fds = n;
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

void process_measure(const char *proc, process_usage *out) {
    struct rusage usage;
    struct rlimit limit;
    *out = (process_usage){NAN, NAN, NAN, NAN, NAN};
    measure_memory(proc, out);
    count_descriptors(proc, out);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->max_fds = limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void process_take_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", O_RDWR); /* takes the lowest number that is free: this one */
}

/* By the default action, so that the parent sees which signal it was; where there is none, as for
 * the first process of a container, as shells tell of it. */
static void on_end(int number) {
    raise(number);
    _exit(128 + number);
}

void shutdown_at_once(void) {
    static const int numbers[] = {SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = on_end, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)},
                     before;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

bool shutdown_requested(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}
