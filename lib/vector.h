/*
 * vector.h - one loop, one function, several instruction sets
 *
 * FMIX_CLONES makes the compiler build a function once per x86-64 level and choose at load time.
 * The bits cannot differ: the loops hold no reassociation and no contraction, and what they feed is
 * decided against a bound (mask.c). Sanitizers run before ifuncs are resolved, so they build one.
 */
#ifndef FMIX_VECTOR_H
#define FMIX_VECTOR_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(FMIX_ONE_CLONE)
#define FMIX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FMIX_CLONES
#endif

#endif
