#include "map.h"
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the handler looks through: it may take no lock. A slot is taken by its start, set last, and
 * given up by that, cleared first. */
static struct region {
    _Atomic uintptr_t start;
    _Atomic size_t length;
    atomic_bool broken;
} regions[MAPS_MOST];

static struct region *region_of(uintptr_t at) {
    for (int i = 0; i < MAPS_MOST; i++) {
        uintptr_t start = atomic_load(&regions[i].start);
        if (start && at >= start && at - start < atomic_load(&regions[i].length))
            return &regions[i];
    }
    return NULL;
}

/* mmap is a system call and nothing more. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    int kept = errno;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)info->si_addr;
    struct region *r = region_of(at);
    void *zeros = MAP_FAILED;
    if (r) {
        atomic_store(&r->broken, true);
        zeros = mmap((void *)(at / page * page), page, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    if (zeros == MAP_FAILED) {
        crash_report(number);
        signal(number, SIG_DFL); /* which the same access meets again */
    }
    errno = kept;
}

void map_start(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}

static int take_slot(void *start, size_t length) {
    for (int i = 0; i < MAPS_MOST; i++)
        if (!atomic_load(&regions[i].start)) {
            atomic_store(&regions[i].length, length);
            atomic_store(&regions[i].broken, false);
            atomic_store(&regions[i].start, (uintptr_t)start);
            return i;
        }
    errno = EMFILE;
    return -1;
}

static uint64_t time_of(const struct stat *s) {
    return (uint64_t)s->st_mtim.tv_sec * 1000000000u + (uint64_t)s->st_mtim.tv_nsec;
}

static bool map_descriptor(int fd, map *out) {
    struct stat s;
    if (fstat(fd, &s) != 0)
        return false;
    if (!S_ISREG(s.st_mode)) {
        errno = EINVAL;
        return false;
    }
    if (s.st_size == 0)
        return true;
    void *bytes = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return false;
    int slot = take_slot(bytes, (size_t)s.st_size);
    if (slot < 0) {
        munmap(bytes, (size_t)s.st_size);
        errno = EMFILE;
        return false;
    }
    *out = (map){
        bytes, (size_t)s.st_size, slot, {(uint64_t)s.st_dev, (uint64_t)s.st_ino, time_of(&s)}};
    return true;
}

static bool open_with(int flags, int directory, const char *name, map *out) {
    *out = (map){.slot = -1};
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0)
        return false;
    bool good = map_descriptor(fd, out);
    int kept = errno;
    close(fd);
    errno = kept;
    return good;
}

bool map_open(int directory, const char *name, map *out) {
    return open_with(O_NOFOLLOW, directory, name, out);
}

bool map_open_path(const char *path, map *out) {
    return open_with(0, AT_FDCWD, path, out);
}

void map_close(map *m) {
    if (!m->bytes)
        return;
    atomic_store(&regions[m->slot].start, 0);
    munmap((void *)m->bytes, m->length);
    *m = (map){.slot = -1};
}

bool map_is_broken(const map *m) {
    return m->bytes && atomic_load(&regions[m->slot].broken);
}

bool map_is_current(const map *m, const char *path) {
    struct stat s;
    if (!m->bytes || stat(path, &s) != 0 || m->stamp[0] != (uint64_t)s.st_dev ||
        m->stamp[1] != (uint64_t)s.st_ino)
        return true; /* what has gone is mapped still */
    bool current = (uint64_t)s.st_size == m->length && m->stamp[2] == time_of(&s);
    if (!current)
        atomic_store(&regions[m->slot].broken, true);
    return current;
}
