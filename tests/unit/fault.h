/*
 * fault.h - a program whose nth allocation fails
 *
 * Included once in a program, it defines malloc and its kin over glibc's own, so that what every
 * library allocates comes through: libmicrohttpd, jansson, libpng, libdeflate, libsodium, libc.
 *
 * Not failed are calls from inside libfftw3, libgmp and libmpfr, which abort the process when they
 * get no memory and cannot be told otherwise: what they may take is bounded before, by admission
 * (the budget's working memory). libgnutls, which libmicrohttpd loads, gives GMP its allocation
 * functions, and nobody else calls it here: so it counts as GMP. Nor are they counted as live, for
 * FFTW's planner and MPFR's constants keep some; nor what ld.so keeps for threads whose stacks are
 * used again.
 *
 * Sanitizers bring their own malloc: under them there are no faults, and FAULTS is 0.
 */
#ifndef FAULT_H
#define FAULT_H

#include "unit.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FAULTS 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTS 0
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

#define FAULT_RANGES 16
#define FAULT_FRAMES 24

static struct {
    atomic_ulong calls; /* since armed */
    atomic_ulong at;    /* the call that fails; 0: none */
    atomic_bool fired;
    atomic_long live; /* allocations */
    struct {
        uintptr_t begin, end;
        bool failed;
    } ranges[FAULT_RANGES]; /* of libraries that are set apart */
    unsigned count;
    void *frames[FAULT_FRAMES]; /* of the call that failed */
    int depth;
} fault;

/* Of the test's own thread, while it plays the client. */
__attribute__((unused)) static _Thread_local bool fault_exempt;

/* From now on the nth allocation fails, counted over all threads. */
static inline void fault_arm(unsigned long n) {
    atomic_store(&fault.fired, false);
    atomic_store(&fault.calls, 0);
    atomic_store(&fault.at, n);
}

/* The allocation to fail after the nth: the one behind it, or in a short run a later one. */
static inline unsigned long fault_after(unsigned long n) {
    return n == 0 || !unit_short() ? n + 1 : n + 7;
}

/* Whether it did. */
static inline bool fault_disarm(void) {
    atomic_store(&fault.at, 0);
    return atomic_load(&fault.fired);
}

static inline long fault_live(void) {
    return atomic_load(&fault.live);
}

/* Where the last failure was, on stderr. */
static inline void fault_tell(const char *of, unsigned long n) {
    fprintf(stderr, "%s: allocation %lu failed here:\n", of, n);
    backtrace_symbols_fd(fault.frames, fault.depth, STDERR_FILENO);
}

#if FAULTS

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *old);

static int fault_find(struct dl_phdr_info *info, size_t size, void *user) {
    static const struct {
        const char *name;
        bool failed;
    } apart[] = {{"libfftw3", false},
                 {"libgmp", false},
                 {"libmpfr", false},
                 {"libgnutls", false},
                 {"ld-linux", true}};
    (void)size;
    (void)user;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        if (!strstr(info->dlpi_name, apart[i].name))
            continue;
        for (unsigned j = 0; j < info->dlpi_phnum && fault.count < FAULT_RANGES; j++) {
            const ElfW(Phdr) *p = &info->dlpi_phdr[j];
            if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
                continue;
            fault.ranges[fault.count].begin = info->dlpi_addr + p->p_vaddr;
            fault.ranges[fault.count].end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
            fault.ranges[fault.count++].failed = apart[i].failed;
        }
    }
    return 0;
}

__attribute__((constructor)) static void fault_begin(void) {
    dl_iterate_phdr(fault_find, NULL);
    backtrace(fault.frames, FAULT_FRAMES); /* loads what it needs */
}

/* Whether it is set apart; in *failed, whether it is failed nevertheless. */
static inline bool fault_apart(const void *caller, bool *failed) {
    uintptr_t at = (uintptr_t)caller;
    for (unsigned i = 0; i < fault.count; i++)
        if (at >= fault.ranges[i].begin && at < fault.ranges[i].end) {
            *failed = fault.ranges[i].failed;
            return true;
        }
    *failed = true;
    return false;
}

/* Whether this call is to fail. */
static inline bool fault_hits(const void *caller) {
    bool failed;
    if (atomic_load(&fault.at) == 0 || fault_exempt)
        return false;
    fault_apart(caller, &failed);
    if (!failed || atomic_fetch_add(&fault.calls, 1) + 1 != atomic_load(&fault.at))
        return false;
    atomic_store(&fault.fired, true);
    fault.depth = backtrace(fault.frames, FAULT_FRAMES);
    errno = ENOMEM;
    return true;
}

static inline void *fault_count(void *made, const void *caller, int by) {
    bool failed;
    if (made && !fault_apart(caller, &failed))
        atomic_fetch_add(&fault.live, by);
    return made;
}

#define FAULT_EXPORT __attribute__((visibility("default"), noinline))
#define FAULT_CALLER __builtin_return_address(0)

FAULT_EXPORT void *malloc(size_t bytes) {
    return fault_hits(FAULT_CALLER) ? NULL : fault_count(__libc_malloc(bytes), FAULT_CALLER, 1);
}

FAULT_EXPORT void *calloc(size_t count, size_t bytes) {
    return fault_hits(FAULT_CALLER) ? NULL
                                    : fault_count(__libc_calloc(count, bytes), FAULT_CALLER, 1);
}

FAULT_EXPORT void *realloc(void *old, size_t bytes) {
    if (old && bytes == 0) {
        fault_count(old, FAULT_CALLER, -1);
        return __libc_realloc(old, 0);
    }
    if (fault_hits(FAULT_CALLER))
        return NULL;
    void *made = __libc_realloc(old, bytes);
    return old ? made : fault_count(made, FAULT_CALLER, 1);
}

FAULT_EXPORT void *reallocarray(void *old, size_t count, size_t bytes) {
    if (bytes && count > SIZE_MAX / bytes) {
        errno = ENOMEM;
        return NULL;
    }
    if (fault_hits(FAULT_CALLER))
        return NULL;
    void *made = __libc_realloc(old, count * bytes);
    return old ? made : fault_count(made, FAULT_CALLER, 1);
}

FAULT_EXPORT void *memalign(size_t alignment, size_t bytes) {
    return fault_hits(FAULT_CALLER)
               ? NULL
               : fault_count(__libc_memalign(alignment, bytes), FAULT_CALLER, 1);
}

FAULT_EXPORT void *aligned_alloc(size_t alignment, size_t bytes) {
    return fault_hits(FAULT_CALLER)
               ? NULL
               : fault_count(__libc_memalign(alignment, bytes), FAULT_CALLER, 1);
}

FAULT_EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes) {
    void *made = fault_hits(FAULT_CALLER)
                     ? NULL
                     : fault_count(__libc_memalign(alignment, bytes), FAULT_CALLER, 1);
    if (made)
        *out = made;
    return made ? 0 : ENOMEM;
}

FAULT_EXPORT void free(void *old) {
    int before = errno;
    fault_count(old, FAULT_CALLER, -1);
    __libc_free(old);
    errno = before;
}

#endif

/* In place of a test of faults, in a build that has none. */
#define FAULT_SKIPPED(name)                                                                        \
    static void name(void **state) {                                                               \
        (void)state;                                                                               \
        FAULT_OR_SKIP;                                                                             \
    }

/* In each test of faults. */
#define FAULT_OR_SKIP                                                                              \
    do {                                                                                           \
        if (!FAULTS) {                                                                             \
            print_message("skipped: a sanitizer has a malloc of its own\n");                       \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

#endif
