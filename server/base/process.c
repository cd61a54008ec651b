#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static bool path_of(const char *proc, const char *name, char *out, size_t room) {
    int length = snprintf(out, room, "%s/%s", proc, name);
    return length > 0 && (size_t)length < room;
}

/* proc(5): statm holds numbers of pages: all of them, resident ones, and of these the pages of
 * files. */
static void measure_memory(const char *proc, process_usage *out) {
    char path[256];
    uint64_t all, resident, of_files;
    double page = (double)sysconf(_SC_PAGESIZE);
    FILE *file = path_of(proc, "statm", path, sizeof path) ? fopen(path, "r") : NULL;
    if (!file)
        return;
    if (fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &all, &resident, &of_files) == 3) {
        out->virtual_bytes = (double)all * page;
        out->resident_bytes = (double)resident * page;
        out->private_bytes = (double)(resident - of_files) * page;
    }
    fclose(file);
}

/* The directory lists the descriptor that reads it, which is not counted. */
static void count_descriptors(const char *proc, process_usage *out) {
    char path[256];
    double n = -1;
    DIR *all = path_of(proc, "fd", path, sizeof path) ? opendir(path) : NULL;
    if (!all)
        return;
    errno = 0;
    for (const struct dirent *each; (each = readdir(all));)
        n += each->d_name[0] != '.';
    if (errno == 0)
        out->open_fds = n;
    closedir(all);
}

static double seconds(struct timeval t) {
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

void process_measure(const char *proc, process_usage *out) {
    struct rusage usage;
    struct rlimit limit;
    *out = (process_usage){NAN, NAN, NAN, NAN, NAN, NAN};
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
            (void)!open("/dev/null", O_RDWR); /* open takes the lowest free number: fd */
}
