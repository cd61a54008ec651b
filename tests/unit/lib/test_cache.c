#include "unit.h"

#include "cache.h"
#include "spectrum.h"
#include "transform.h"

#include <pthread.h>
#include <stdatomic.h>

/* What an object of size 1 counts as: limits and sizes in these tests are multiples of it. */
#define UNIT ((size_t)FMIX_CACHE_ENTRY_BYTES)

/* Objects that know their key, of a size that the key states; made and destroyed are counted. */
typedef struct thing {
    uint64_t number, size;
    unsigned char *room; /* so that a sanitizer sees any use after free */
} thing;

static _Atomic uint64_t made, destroyed, refuse;
static _Atomic uint64_t last_destroyed;

static fmix_cache *rival; /* if set, another caller asks for the same while one is being made */

static fmix_status make(const void *key, void **object, size_t *bytes);
static void destroy(void *object);
static const fmix_cache_kind things = {make, destroy}, others = {make, destroy};

static fmix_status make(const void *key, void **object, size_t *bytes) {
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    if (rival) {
        fmix_cache *cache = rival;
        void *first = NULL, *entry = NULL;
        rival = NULL;
        assert_ok(fmix_cache_get(cache, &things, key, &first, &entry));
        fmix_cache_release(cache, entry);
    }
    if (refuse)
        return FMIX_ERROR_LIBRARY;
    thing *t = malloc(sizeof *t);
    if (!t)
        return FMIX_ERROR_MEMORY;
    *t = (thing){.number = words[0], .size = words[1], .room = malloc(words[1])};
    if (!t->room) {
        free(t);
        return FMIX_ERROR_MEMORY;
    }
    memset(t->room, (int)(words[0] & 0xff), words[1]);
    made++;
    *object = t;
    *bytes = (size_t)(words[1] - 1) * UNIT;
    return FMIX_OK;
}

static void destroy(void *object) {
    thing *t = object;
    last_destroyed = t->number;
    destroyed++;
    memset(t->room, 0xdd, t->size);
    free(t->room);
    free(t);
}

typedef struct key {
    unsigned char bytes[FMIX_CACHE_KEY_BYTES];
} key;

static key key_of(uint64_t number, uint64_t size) {
    key k = {{0}};
    memcpy(k.bytes, &number, sizeof number);
    memcpy(k.bytes + 8, &size, sizeof size);
    return k;
}

static fmix_cache *cache_of(size_t limit) {
    fmix_cache *cache = NULL;
    assert_ok(fmix_cache_new(limit * UNIT, &cache));
    made = destroyed = refuse = 0;
    return cache;
}

static thing *get(fmix_cache *cache, uint64_t number, uint64_t size, void **entry) {
    key k = key_of(number, size);
    void *object = NULL;
    assert_ok(fmix_cache_get(cache, &things, &k, &object, entry));
    thing *t = object;
    assert_true(t->number == number && t->size == size && t->room[size - 1] == (number & 0xff));
    return t;
}

static void touch(fmix_cache *cache, uint64_t number, uint64_t size) {
    void *entry = NULL;
    get(cache, number, size, &entry);
    fmix_cache_release(cache, entry);
}

static bool has(fmix_cache *cache, uint64_t number, uint64_t size) {
    key k = key_of(number, size);
    return fmix_cache_has(cache, &things, &k);
}

static fmix_counters counters_of(fmix_cache *cache) {
    fmix_counters counters = {0};
    fmix_cache_counters(cache, &counters);
    counters.cache_bytes = (counters.cache_bytes + UNIT - 1) / UNIT;
    return counters;
}

static void a_made_object_is_found_again_and_counted(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(1000);
    void *a = NULL, *b = NULL;
    assert_false(has(cache, 1, 100));
    thing *first = get(cache, 1, 100, &a), *second = get(cache, 1, 100, &b);
    assert_ptr_equal(first, second);
    assert_true(has(cache, 1, 100));
    assert_false(has(cache, 1, 101));
    assert_false(has(cache, 2, 100));
    fmix_cache_release(cache, a);
    fmix_cache_release(cache, b);
    assert_true(has(cache, 1, 100));
    touch(cache, 1, 100);
    touch(cache, 2, 50);
    fmix_counters counters = counters_of(cache);
    assert_true(counters.cache_hits == 2 && counters.cache_misses == 2);
    assert_true(counters.cache_bytes == 150);
    assert_true(made == 2 && destroyed == 0);
    fmix_cache_free(cache);
    assert_true(destroyed == 2);
}

static void keys_are_compared_whole_and_by_kind(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(100000);
    key k = key_of(5, 10);
    void *object = NULL, *other = NULL, *a = NULL, *b = NULL;
    assert_ok(fmix_cache_get(cache, &things, &k, &object, &a));
    for (int i = 0; i < FMIX_CACHE_KEY_BYTES; i++) {
        key near = k;
        near.bytes[i] ^= 0x40;
        assert_false(fmix_cache_has(cache, &things, &near));
    }
    assert_false(fmix_cache_has(cache, &others, &k));
    assert_ok(fmix_cache_get(cache, &others, &k, &other, &b));
    assert_true(object != other);
    fmix_cache_release(cache, a);
    fmix_cache_release(cache, b);
    uint64_t random = 9;
    for (uint64_t i = 0; i < 4000; i++) { /* some would share a bucket with their namesakes */
        key many = key_of(i, 20);
        for (size_t byte = 16; byte < sizeof many; byte++)
            many.bytes[byte] = (unsigned char)(unit_random(&random) >> 56);
        assert_ok(fmix_cache_get(cache, &things, &many, &object, &a));
        fmix_cache_release(cache, a);
        assert_false(fmix_cache_has(cache, &others, &many));
    }
    fmix_cache_free(cache);
    assert_true(made == 4002 && destroyed == 4002);
}

static void of_two_made_at_once_the_first_to_finish_is_kept(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(1000);
    void *a = NULL, *b = NULL;
    rival = cache;
    thing *outer = get(cache, 1, 100, &a);
    assert_true(made == 2 && destroyed == 1);
    assert_ptr_equal(outer, get(cache, 1, 100, &b));
    fmix_counters counters = counters_of(cache);
    assert_true(counters.cache_bytes == 100);
    assert_true(counters.cache_misses == 2 && counters.cache_hits == 1);
    fmix_cache_release(cache, a);
    fmix_cache_release(cache, b);
    fmix_cache_free(cache);
    assert_true(made == destroyed);
}

static void least_recently_used_goes_first(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(400);
    for (uint64_t i = 0; i < 4; i++)
        touch(cache, i, 100);
    assert_true(destroyed == 0); /* full to the byte */
    touch(cache, 0, 100);
    touch(cache, 4, 100);
    assert_true(destroyed == 1 && last_destroyed == 1);
    touch(cache, 5, 100);
    assert_true(destroyed == 2 && last_destroyed == 2);
    assert_true(has(cache, 0, 100) && has(cache, 3, 100) && has(cache, 4, 100));
    touch(cache, 6, 250); /* 3 and 0 must go, and 4, not 5 */
    assert_true(destroyed == 5 && last_destroyed != 5 && has(cache, 5, 100));
    assert_true(counters_of(cache).cache_bytes == 350);
    fmix_cache_free(cache);
    assert_true(made == destroyed);
}

static void objects_in_use_stay_until_released(void **state) {
    (void)state;
    enum { N = 50 };
    fmix_cache *cache = cache_of(300);
    thing *held[N];
    void *entries[N];
    for (uint64_t i = 0; i < N; i++)
        held[i] = get(cache, i, 100, &entries[i]);
    for (uint64_t i = 100; i < 200; i++)
        touch(cache, i, 100); /* none fits beside what is held */
    assert_true(destroyed == 100);
    assert_true(counters_of(cache).cache_bytes == N * 100);
    for (uint64_t i = 0; i < N; i++) {
        assert_true(held[i]->number == i && held[i]->room[99] == i);
        assert_true(has(cache, i, 100));
    }
    for (uint64_t i = 0; i < N; i++) {
        fmix_cache_release(cache, entries[i]);
        uint64_t left = i < N - 3 ? N - 1 - i : 3;
        assert_true(counters_of(cache).cache_bytes == left * 100);
    }
    assert_true(has(cache, N - 1, 100) && has(cache, N - 3, 100) && !has(cache, N - 4, 100));
    fmix_cache_free(cache);
    assert_true(made == destroyed);
}

static void an_object_above_the_bound_is_served_and_dropped(void **state) {
    (void)state;
    static const size_t limits[] = {0, 99};
    for (int i = 0; i < 2; i++) {
        fmix_cache *cache = cache_of(limits[i]);
        touch(cache, 1, 100);
        assert_true(destroyed == 1 && counters_of(cache).cache_bytes == 0);
        assert_false(has(cache, 1, 100));
        fmix_cache_free(cache);
    }
}

static void a_failed_make_leaves_nothing(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(1000);
    key k = key_of(1, 10);
    void *object = NULL, *entry = NULL;
    refuse = 1;
    assert_int_equal(fmix_cache_get(cache, &things, &k, &object, &entry), FMIX_ERROR_LIBRARY);
    assert_null(entry);
    assert_false(has(cache, 1, 10));
    assert_true(counters_of(cache).cache_bytes == 0);
    fmix_cache_release(cache, NULL); /* as after a failure */
    refuse = 0;
    touch(cache, 1, 10);
    assert_true(has(cache, 1, 10));
    fmix_cache_free(cache);
    fmix_cache_free(NULL);
    assert_true(made == 1 && destroyed == 1);
}

static void bound_holds_after_thousands_of_random_objects(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(100000);
    uint64_t random = 1;
    for (int i = 0; i < 20000; i++) {
        touch(cache, unit_random(&random) % 3000, 1 + unit_random(&random) % 3);
        touch(cache, unit_random(&random) % 3000, 1 + unit_random(&random) % 3000);
        assert_true(counters_of(cache).cache_bytes <= 100000);
    }
    fmix_counters counters = counters_of(cache);
    assert_true(counters.cache_hits + counters.cache_misses == 40000);
    assert_true(counters.cache_misses == made && counters.cache_hits > 0);
    fmix_cache_free(cache);
    assert_true(made == destroyed);
}

static void bound_holds_after_thousands_of_different_shapes(void **state) {
    (void)state;
    enum { LIMIT = 100 };
    fmix_cache *cache = cache_of(LIMIT);
    uint64_t random = 2;
    for (int i = 0; i < 5000; i++) {
        fmix_shape shape = {.rank = 1 + (unsigned)(unit_random(&random) % 3)};
        for (unsigned d = 0; d < shape.rank; d++)
            shape.side[d] = 1 + (uint32_t)(unit_random(&random) % 24);
        const fmix_weights *weights = NULL;
        const fmix_transform *transform = NULL;
        void *a = NULL, *b = NULL;
        assert_ok(fmix_weights_get(cache,
                                   (fmix_spectrum_params[]){fmix_spectrum_params_of(&(fmix_recipe){
                                       .shape = shape, .delta = (double)(i % 101) / 10})},
                                   &weights, &a));
        if (i % 5 == 0)
            assert_ok(fmix_transform_get(cache, &shape, &transform, &b));
        assert_true(weights->bins == fmix_shape_bins(&shape));
        fmix_cache_release(cache, b);
        fmix_cache_release(cache, a);
        assert_true(counters_of(cache).cache_bytes <= LIMIT);
    }
    assert_true(counters_of(cache).cache_bytes > LIMIT / 2);
    fmix_cache_free(cache);
}

typedef struct user {
    fmix_cache *cache;
    uint64_t random, wrong;
} user;

/* Holds three at a time. Only notes what is wrong: cmocka's asserts are for the main thread. */
static void *use(void *raw) {
    user *u = raw;
    for (int i = 0; i < 20000; i++) {
        void *entries[3] = {0};
        for (int e = 0; e < 3; e++) {
            uint64_t number = unit_random(&u->random) % 64, size = 100 + number;
            key k = key_of(number, size);
            void *object = NULL;
            u->wrong += fmix_cache_get(u->cache, &things, &k, &object, &entries[e]) != FMIX_OK;
            const thing *t = object;
            u->wrong += !t || t->number != number || t->room[size - 1] != number;
            u->wrong += !fmix_cache_has(u->cache, &things, &k);
        }
        for (int e = 0; e < 3; e++)
            fmix_cache_release(u->cache, entries[e]);
    }
    return NULL;
}

static void two_threads_share_one_cache(void **state) {
    (void)state;
    fmix_cache *cache = cache_of(2000); /* some fifteen of the 64 */
    user users[2] = {{cache, 3, 0}, {cache, 4, 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(users[0].wrong == 0 && users[1].wrong == 0);
    fmix_counters counters = counters_of(cache);
    assert_true(counters.cache_hits + counters.cache_misses == 120000);
    assert_true(counters.cache_misses == made && counters.cache_hits > 0);
    assert_true(counters.cache_bytes <= 2000);
    fmix_cache_free(cache);
    assert_true(made == destroyed);
}

RUN(T(a_made_object_is_found_again_and_counted), T(keys_are_compared_whole_and_by_kind),
    T(of_two_made_at_once_the_first_to_finish_is_kept), T(least_recently_used_goes_first),
    T(objects_in_use_stay_until_released), T(an_object_above_the_bound_is_served_and_dropped),
    T(a_failed_make_leaves_nothing), T(bound_holds_after_thousands_of_random_objects),
    T(bound_holds_after_thousands_of_different_shapes), T(two_threads_share_one_cache))
