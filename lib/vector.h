/*
 * vector.h - one loop, one function, several instruction sets
 *
 * FMIX_CLONES makes the compiler build a function once per x86-64 level and choose at load time.
 * The bits cannot differ: the loops hold no reassociation and no contraction. What may differ, for
 * a bound decides, is in kernels.h. Sanitizers run before ifuncs are resolved, so they build one.
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

/* Two samples are read, each from its own place: what the machine foresees ends with a page, so
 * what is some way ahead is asked for, a piece at a time. Any address may be asked for. */
#define FMIX_FETCH_PIECE 256
#define FMIX_FETCH_AHEAD 2048

static inline void fmix_fetch(const unsigned char *a, const unsigned char *b) {
    for (unsigned line = 0; line < FMIX_FETCH_PIECE; line += 64) {
        __builtin_prefetch((const void *)((uintptr_t)a + FMIX_FETCH_AHEAD + line));
        __builtin_prefetch((const void *)((uintptr_t)b + FMIX_FETCH_AHEAD + line));
    }
}

#endif
