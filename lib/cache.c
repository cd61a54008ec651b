#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

typedef struct entry {
    struct entry *next; /* in its bucket */
    struct entry *older, *newer;
    const fmix_cache_kind *kind;
    void *object;
    size_t bytes, users;
    unsigned bucket;
    unsigned char key[FMIX_CACHE_KEY_BYTES];
} entry;

struct fmix_cache {
    pthread_mutex_t lock;
    entry *buckets[BUCKETS];
    entry *oldest, *newest;
    size_t bytes, limit;
    uint64_t hits, misses;
};

fmix_status fmix_cache_new(size_t limit, fmix_cache **out) {
    fmix_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return FMIX_ERROR_MEMORY;
    if (pthread_mutex_init(&cache->lock, NULL) != 0) {
        free(cache);
        return FMIX_ERROR_MEMORY;
    }
    cache->limit = limit;
    *out = cache;
    return FMIX_OK;
}

static unsigned bucket_of(const fmix_cache_kind *kind, const void *key) {
    uint64_t hash = (uint64_t)(uintptr_t)kind;
    const unsigned char *bytes = key;
    for (int i = 0; i < FMIX_CACHE_KEY_BYTES; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3); /* as FNV-1a does */
    return (unsigned)(hash >> 32) % BUCKETS;
}

static entry *find(fmix_cache *cache, unsigned bucket, const fmix_cache_kind *kind,
                   const void *key) {
    entry *e = cache->buckets[bucket];
    while (e && (e->kind != kind || memcmp(e->key, key, sizeof e->key) != 0))
        e = e->next;
    return e;
}

static void age_unlink(fmix_cache *cache, entry *e) {
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
}

static void age_append(fmix_cache *cache, entry *e) {
    e->older = cache->newest;
    e->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
}

static void remove_entry(fmix_cache *cache, entry *e) {
    entry **link = &cache->buckets[e->bucket];
    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    age_unlink(cache, e);
    cache->bytes -= e->bytes;
}

static void destroy(entry *e) {
    e->kind->destroy(e->object);
    free(e);
}

/* Unlinks unused entries, oldest first, until the bound holds or all left are in use. */
static entry *evict(fmix_cache *cache) {
    entry *out = NULL;
    for (entry *e = cache->oldest, *newer; e && cache->bytes > cache->limit; e = newer) {
        newer = e->newer;
        if (e->users)
            continue;
        remove_entry(cache, e);
        e->next = out;
        out = e;
    }
    return out;
}

static void destroy_all(entry *e) {
    while (e) {
        entry *next = e->next;
        destroy(e);
        e = next;
    }
}

static entry *use(fmix_cache *cache, entry *e) {
    e->users++;
    age_unlink(cache, e);
    age_append(cache, e);
    return e;
}

/* The entry of this key, held and counted as a hit, or NULL. */
static entry *look_up(fmix_cache *cache, unsigned bucket, const fmix_cache_kind *kind,
                      const void *key) {
    pthread_mutex_lock(&cache->lock);
    entry *e = find(cache, bucket, kind, key);
    if (e) {
        use(cache, e);
        cache->hits++;
    } else {
        cache->misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return e;
}

static fmix_status make_entry(unsigned bucket, const fmix_cache_kind *kind, const void *key,
                              entry **out) {
    entry *made = calloc(1, sizeof *made);
    if (!made)
        return FMIX_ERROR_MEMORY;
    fmix_status status = kind->make(key, &made->object, &made->bytes);
    if (status != FMIX_OK) {
        free(made);
        return status;
    }
    made->bytes += FMIX_CACHE_ENTRY_BYTES;
    made->kind = kind;
    made->bucket = bucket;
    memcpy(made->key, key, sizeof made->key);
    *out = made;
    return FMIX_OK;
}

/* Links a new entry, and returns it held; or destroys it, and returns the entry that another thread
 * linked meanwhile. */
static entry *insert(fmix_cache *cache, entry *made) {
    pthread_mutex_lock(&cache->lock);
    entry *e = find(cache, made->bucket, made->kind, made->key);
    if (e) {
        use(cache, e);
    } else {
        e = made;
        e->users = 1;
        e->next = cache->buckets[e->bucket];
        cache->buckets[e->bucket] = e;
        age_append(cache, e);
        cache->bytes += e->bytes;
    }
    entry *evicted = evict(cache);
    pthread_mutex_unlock(&cache->lock);
    destroy_all(evicted);
    if (e != made)
        destroy(made);
    return e;
}

fmix_status fmix_cache_get(fmix_cache *cache, const fmix_cache_kind *kind, const void *key,
                           void **object, void **held) {
    unsigned bucket = bucket_of(kind, key);
    entry *e = look_up(cache, bucket, kind, key);
    if (!e) {
        entry *made = NULL;
        fmix_status status = make_entry(bucket, kind, key, &made);
        if (status != FMIX_OK)
            return status;
        e = insert(cache, made);
    }
    *object = e->object;
    *held = e;
    return FMIX_OK;
}

void fmix_cache_release(fmix_cache *cache, void *held) {
    entry *e = held;
    if (!e)
        return;
    pthread_mutex_lock(&cache->lock);
    e->users--;
    entry *evicted = evict(cache);
    pthread_mutex_unlock(&cache->lock);
    destroy_all(evicted);
}

bool fmix_cache_has(fmix_cache *cache, const fmix_cache_kind *kind, const void *key) {
    pthread_mutex_lock(&cache->lock);
    bool has = find(cache, bucket_of(kind, key), kind, key) != NULL;
    pthread_mutex_unlock(&cache->lock);
    return has;
}

void fmix_cache_counters(fmix_cache *cache, fmix_counters *out) {
    pthread_mutex_lock(&cache->lock);
    out->cache_hits = cache->hits;
    out->cache_misses = cache->misses;
    out->cache_bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
}

void fmix_cache_free(fmix_cache *cache) {
    if (!cache)
        return;
    for (entry *e = cache->oldest, *newer; e; e = newer) {
        newer = e->newer;
        destroy(e);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}
