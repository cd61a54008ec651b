/*
 * cache.h - objects kept between calls, bounded in bytes, least recently used first out
 *
 * The cache makes an object outside its lock, so two threads may make the same object; the first
 * one to finish is kept. Objects are immutable. An object in use is never freed, whatever the
 * bound.
 */
#ifndef FMIX_CACHE_H
#define FMIX_CACHE_H

#include "fmix.h"

typedef struct fmix_cache fmix_cache;

typedef struct fmix_cache_kind {
    /* sets *object and *bytes on success */
    fmix_status (*make)(const void *key, void **object, size_t *bytes);
    void (*destroy)(void *object);
} fmix_cache_kind;

#define FMIX_CACHE_KEY_BYTES 32

/* Added to the bytes of each object. This is more than an entry takes: delta is any float64, so
 * tiny objects come without end, and the addition bounds their number, and with it the length of a
 * search. */
#define FMIX_CACHE_ENTRY_BYTES 4096

fmix_status fmix_cache_new(size_t limit, fmix_cache **out);
void fmix_cache_free(fmix_cache *cache);

/* key: FMIX_CACHE_KEY_BYTES bytes, all compared. *entry is held until fmix_cache_release. On
 * failure *object and *entry stay as they were. */
fmix_status fmix_cache_get(fmix_cache *cache, const fmix_cache_kind *kind, const void *key,
                           void **object, void **entry);
void fmix_cache_release(fmix_cache *cache, void *entry);

bool fmix_cache_has(fmix_cache *cache, const fmix_cache_kind *kind, const void *key);
void fmix_cache_counters(fmix_cache *cache, fmix_counters *out);

#endif
