#include "mapped_file.h"
#include "base/crash.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The handler searches this table, and may not take a lock. A slot is taken once its start is set,
 * which is set last, and free once its start is 0, which is cleared first. Slots from `slots` on
 * were never taken. */
static struct region {
    _Atomic uintptr_t start;
    _Atomic size_t length;
    _Atomic mapped_file_state state;
} regions[MAPPED_FILES_MOST];
static atomic_int slots;
static pthread_mutex_t taking = PTHREAD_MUTEX_INITIALIZER; /* held while a slot is taken */

#define STRING_OF_VALUE(value) #value
#define STRING_OF(macro)       STRING_OF_VALUE(macro)

static struct region *region_of(uintptr_t at) {
    for (int i = 0, n = atomic_load(&slots); i < n; i++) {
        uintptr_t start = atomic_load(&regions[i].start);
        if (start && at >= start && at - start < atomic_load(&regions[i].length))
            return &regions[i];
    }
    return NULL;
}

/* Calls only what a signal handler may: mmap is a bare system call. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)context;
    int kept = errno;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)info->si_addr;
    struct region *r = region_of(at);
    void *zeros = MAP_FAILED;
    if (r) {
        atomic_store(&r->state, MAPPED_FILE_BROKEN);
        zeros = mmap((void *)(at / page * page), page, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    if (zeros == MAP_FAILED) {
        crash_report(number);
        signal(number, SIG_DFL); /* the access is repeated, and now ends the process */
    }
    errno = kept;
}

void mapped_file_start(void) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}

/* Searches from the slot that was taken last, so that taking all slots takes time linear in their
 * number. The caller holds `taking`. */
static int next_slot(void *start, size_t length) {
    static int next;
    for (int left = MAPPED_FILES_MOST; left > 0; left--, next = (next + 1) % MAPPED_FILES_MOST) {
        struct region *r = &regions[next];
        if (atomic_load(&r->start))
            continue;
        atomic_store(&r->length, length);
        atomic_store(&r->state, MAPPED_FILE_WHOLE);
        atomic_store(&r->start, (uintptr_t)start);
        if (atomic_load(&slots) <= next)
            atomic_store(&slots, next + 1);
        return next;
    }
    return -1;
}

static int take_slot(void *start, size_t length) {
    pthread_mutex_lock(&taking);
    int slot = next_slot(start, length);
    pthread_mutex_unlock(&taking);
    return slot;
}

static uint64_t nanoseconds(struct timespec t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

mapped_file_stamp mapped_file_stamp_of(const struct stat *s) {
    return (mapped_file_stamp){(uint64_t)s->st_dev, (uint64_t)s->st_ino, (uint64_t)s->st_size,
                               nanoseconds(s->st_mtim), nanoseconds(s->st_ctim)};
}

bool mapped_file_stamp_same(const mapped_file_stamp *a, const mapped_file_stamp *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

bool mapped_file_map(int fd, mapped_file *out) {
    struct stat s;
    *out = (mapped_file){.slot = -1};
    if (fstat(fd, &s) != 0)
        return false;
    if (!S_ISREG(s.st_mode)) {
        errno = S_ISDIR(s.st_mode) ? EISDIR : MAPPED_FILE_NOT_REGULAR;
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
        errno = MAPPED_FILES_FULL;
        return false;
    }
    *out = (mapped_file){bytes, (size_t)s.st_size, slot, mapped_file_stamp_of(&s)};
    return true;
}

static bool open_with(int flags, int directory, const char *name, mapped_file *out) {
    *out = (mapped_file){.slot = -1};
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0)
        return false;
    bool good = mapped_file_map(fd, out);
    int kept = errno;
    close(fd);
    errno = kept;
    return good;
}

bool mapped_file_open(int directory, const char *name, mapped_file *out) {
    return open_with(O_NOFOLLOW, directory, name, out);
}

bool mapped_file_open_path(const char *path, mapped_file *out) {
    return open_with(0, AT_FDCWD, path, out);
}

const char *mapped_file_error(int error) {
    switch (error) {
    case MAPPED_FILE_NOT_REGULAR:
        return "Not a regular file";
    case MAPPED_FILES_FULL:
        return "The limit of open data files is reached (" STRING_OF(MAPPED_FILES_MOST) ")";
    default:
        return strerror(error);
    }
}

void mapped_file_close(mapped_file *m) {
    if (!m->bytes)
        return;
    atomic_store(&regions[m->slot].start, 0);
    munmap((void *)m->bytes, m->length);
    *m = (mapped_file){.slot = -1};
}

void mapped_file_forget(const mapped_file *m, size_t offset, size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), from = (offset + page - 1) / page * page;
    size_t to = offset + length == m->length ? offset + length : (offset + length) / page * page;
    if (m->bytes && from < to)
        madvise((void *)(m->bytes + from), to - from, MADV_DONTNEED);
}

void mapped_file_load(const mapped_file *m, size_t offset, size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), from = offset / page * page;
    for (size_t at = from; m->bytes && at < offset + length; at += page)
        (void)*(const volatile unsigned char *)(m->bytes + at);
}

mapped_file_state mapped_file_state_of(const mapped_file *m) {
    return m->bytes ? atomic_load(&regions[m->slot].state) : MAPPED_FILE_WHOLE;
}

/* A state never gets better. */
void mapped_file_mark(const mapped_file *m, mapped_file_state state) {
    if (!m->bytes)
        return;
    mapped_file_state before = atomic_load(&regions[m->slot].state);
    while (before < state && !atomic_compare_exchange_weak(&regions[m->slot].state, &before, state))
        ;
}

mapped_file_state mapped_file_compare(const mapped_file_stamp *stamp, const char *path,
                                      mapped_file_stamp *now) {
    struct stat s;
    if (stat(path, &s) != 0)
        return MAPPED_FILE_WHOLE; /* a file that was removed stays mapped */
    *now = mapped_file_stamp_of(&s);
    if (stamp->device != now->device || stamp->inode != now->inode ||
        mapped_file_stamp_same(stamp, now))
        return MAPPED_FILE_WHOLE;
    bool doubtful = stamp->length == now->length && stamp->written == now->written;
    return doubtful ? MAPPED_FILE_DOUBTFUL : MAPPED_FILE_BROKEN;
}

bool mapped_file_is_current(const mapped_file *m, const char *path) {
    mapped_file_stamp now;
    mapped_file_state state =
        m->bytes ? mapped_file_compare(&m->stamp, path, &now) : MAPPED_FILE_WHOLE;
    mapped_file_mark(m, state);
    return state == MAPPED_FILE_WHOLE;
}
