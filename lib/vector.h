/*
 * vector.h - one loop, one function, several instruction sets
 *
 * FMIX_CLONES makes the compiler build a function once per x86-64 level and choose at load time.
 * The clones give the same bits, because the loops have no reassociation and no contraction. Loops
 * whose bits may differ, because a bound decides, are in kernels.h. Sanitizers run before ifuncs
 * are resolved, so sanitized builds have one clone.
 */
#ifndef FMIX_VECTOR_H
#define FMIX_VECTOR_H

#include <stdint.h>

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(FMIX_ONE_CLONE)
#define FMIX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FMIX_CLONES
#endif

/* Mixing reads two samples, each from its own place. Hardware prefetch ends at a page, so the loops
 * prefetch some way ahead, one piece at a time. Prefetching is safe at any address. */
#define FMIX_FETCH_PIECE 256
#define FMIX_FETCH_AHEAD 2048

static inline void fmix_fetch(const unsigned char *a, const unsigned char *b) {
    for (unsigned line = 0; line < FMIX_FETCH_PIECE; line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)a + FMIX_FETCH_AHEAD + line));
        __builtin_prefetch((const void *)((uintptr_t)b + FMIX_FETCH_AHEAD + line));
    }
}

#endif
