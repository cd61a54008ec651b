/*
 * cache.h - objects kept between calls, bounded in bytes, least recently used first out
 *
 * An object is made outside the lock (two threads may make the same one; the first to come back
 * wins) and is immutable afterwards. What is in use is never freed, whatever the bound.
 */
#ifndef FMIX_CACHE_H
#define FMIX_CACHE_H

#include "fmix.h"

typedef struct fmix_cache fmix_cache;

typedef struct fmix_cache_kind {
    /* *object and *bytes on success */
    fmix_status (*make)(const void *key, void **object, size_t *bytes);
    void (*destroy)(void *object);
} fmix_cache_kind;

#define FMIX_CACHE_KEY_BYTES 32

/* Counted for each object beside its own bytes. More than an entry takes: delta is any float64, so
 * tiny objects come without end, and this bounds their number, and with it the length of a search.
 */
#define FMIX_CACHE_ENTRY_BYTES 4096

fmix_status fmix_cache_new(size_t limit, fmix_cache **out);
void fmix_cache_free(fmix_cache *cache);

/* key: FMIX_CACHE_KEY_BYTES bytes, compared whole. *entry is held until fmix_cache_release; on
 * failure *object and *entry stay as they were. */
fmix_status fmix_cache_get(fmix_cache *cache, const fmix_cache_kind *kind, const void *key,
                           void **object, void **entry);
void fmix_cache_release(fmix_cache *cache, void *entry);

bool fmix_cache_has(fmix_cache *cache, const fmix_cache_kind *kind, const void *key);
void fmix_cache_counters(fmix_cache *cache, fmix_counters *out);

#endif
