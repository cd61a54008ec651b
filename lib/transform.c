#include "transform.h"
#include "context.h"

#include <fftw3.h>
#include <math.h> /* HUGE_VAL */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* How far a better plan is on its way. */
typedef enum stage { STAGE_GUESSED, STAGE_WANTED, STAGE_MEASURED } stage;

struct fmix_transform {
    struct fmix_transform *next; /* of those given up */
    fmix_shape shape;
    fftw_plan first;         /* by estimate, or from wisdom */
    _Atomic(fftw_plan) best; /* the same, or one that was measured since */
    _Atomic uint64_t elements_done;
    _Atomic stage stage;
};

/* FFTW's planner has process-wide state, whoever uses it through whichever context. What it learns
 * of each shape ("wisdom", some 200 bytes) it keeps for ever, after its plans too: so every so many
 * plans it is made to forget what was not measured. Plans that there are stay as they are. */
#define FORGET_AFTER 1000
#define WISDOM_MOST  (1u << 20)
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;
static unsigned planned; /* since; guarded by planner, as is */
static char *wisdom;     /* of what was measured; NULL: nothing */

/* Measuring holds the planner for a while. Who gives up a plan meanwhile does not wait for that. */
static pthread_mutex_t attic = PTHREAD_MUTEX_INITIALIZER;
static fmix_transform *given_up;

static void destroy_all(fmix_transform *t) {
    while (t) {
        fmix_transform *next = t->next;
        fftw_plan best = atomic_load(&t->best);
        if (best != t->first)
            fftw_destroy_plan(best);
        fftw_destroy_plan(t->first);
        free(t);
        t = next;
    }
}

static void leave_planner(void) {
    pthread_mutex_lock(&attic);
    fmix_transform *all = given_up;
    given_up = NULL;
    pthread_mutex_unlock(&attic);
    destroy_all(all);
    pthread_mutex_unlock(&planner);
}

static void forget(void) {
    planned = 0;
    fftw_forget_wisdom();
    if (wisdom)
        fftw_import_wisdom_from_string(wisdom);
}

static fftw_plan plan_with(unsigned flags, const fmix_shape *shape, double *x, double *g) {
    int n[3];
    for (unsigned d = 0; d < shape->rank; d++)
        n[d] = (int)shape->side[d];
    return fftw_plan_dft_c2r((int)shape->rank, n, (fftw_complex *)x, g, flags | FFTW_DESTROY_INPUT);
}

static fmix_status plan_first(fmix_transform *t, double *x, double *g) {
    pthread_mutex_lock(&planner);
    if (wisdom)
        t->first = plan_with(FFTW_WISDOM_ONLY | FFTW_MEASURE, &t->shape, x, g);
    atomic_init(&t->stage, t->first ? STAGE_MEASURED : STAGE_GUESSED);
    if (!t->first)
        t->first = plan_with(FFTW_ESTIMATE, &t->shape, x, g);
    atomic_init(&t->best, t->first);
    if (++planned >= FORGET_AFTER)
        forget();
    leave_planner();
    return t->first ? FMIX_OK : FMIX_ERROR_LIBRARY;
}

static uint32_t largest_prime(uint32_t n) {
    uint32_t largest = 1;
    for (uint32_t p = 2; p * p <= n; p++)
        for (; n % p == 0; n /= p)
            largest = p;
    return n > 1 ? n : largest;
}

/* Measured: twiddles of up to 32 bytes an element; primes past 13 have a table of 4p² bytes, and
 * from 173 on are done by way of p-1 (Rader), in up to 80 bytes an element. */
static size_t side_bytes(uint32_t side) {
    uint32_t p = largest_prime(side);
    size_t bytes = (p < 173 ? 32u : 80u) * (size_t)side;
    while (p >= 173)
        p = largest_prime(p - 1);
    return bytes + (p > 13 ? 4 * (size_t)p * p : 0);
}

/* Primes past 13 are summed as they stand, from 173 on by way of p-1. */
double fmix_transform_penalty(const fmix_shape *shape) {
    double penalty = 0;
    for (unsigned d = 0; d < shape->rank; d++) {
        uint32_t p = largest_prime(shape->side[d]);
        penalty += p <= 13 ? 0 : p < 173 ? 0.12 * p : 16;
    }
    return penalty;
}

static size_t plan_bytes(const fmix_shape *shape) {
    size_t bytes = 12288;
    for (unsigned d = 0; d < shape->rank; d++)
        bytes += side_bytes(shape->side[d]);
    return bytes;
}

/* Rooms for one transform, zeros. */
typedef struct rooms {
    double *x, *g;
} rooms;

static void rooms_free(rooms *r) {
    fmix_aligned_free(r->g);
    fmix_aligned_free(r->x);
}

static fmix_status rooms_new(const fmix_shape *shape, rooms *r) {
    size_t bins = (size_t)fmix_shape_bins(shape), elements = (size_t)fmix_shape_elements(shape);
    *r = (rooms){fmix_aligned_new(2 * bins), fmix_aligned_new(elements)};
    if (!r->x || !r->g) {
        rooms_free(r);
        return FMIX_ERROR_MEMORY;
    }
    memset(r->x, 0, 2 * bins * sizeof *r->x);
    memset(r->g, 0, elements * sizeof *r->g);
    return FMIX_OK;
}

static fmix_status make(const void *key, void **object, size_t *bytes) {
    rooms r;
    fmix_transform *transform = calloc(1, sizeof *transform);
    if (!transform)
        return FMIX_ERROR_MEMORY;
    memcpy(&transform->shape, key, sizeof transform->shape);
    fmix_status status = rooms_new(&transform->shape, &r);
    if (status == FMIX_OK) {
        status = plan_first(transform, r.x, r.g);
        rooms_free(&r);
    }
    if (status != FMIX_OK) {
        free(transform);
        return status;
    }
    *object = transform;
    *bytes = 2 * plan_bytes(&transform->shape);
    return FMIX_OK;
}

static void destroy(void *object) {
    fmix_transform *transform = object;
    pthread_mutex_lock(&attic);
    transform->next = given_up;
    given_up = transform;
    pthread_mutex_unlock(&attic);
    if (pthread_mutex_trylock(&planner) == 0)
        leave_planner();
}

static const fmix_cache_kind transforms = {make, destroy};

static void key_of(const fmix_shape *shape, unsigned char key[FMIX_CACHE_KEY_BYTES]) {
    fmix_shape clean = {.rank = shape->rank};
    _Static_assert(sizeof clean <= FMIX_CACHE_KEY_BYTES, "a shape fits a key");
    for (unsigned d = 0; d < shape->rank; d++)
        clean.side[d] = shape->side[d];
    memset(key, 0, FMIX_CACHE_KEY_BYTES);
    memcpy(key, &clean, sizeof clean);
}

fmix_status fmix_transform_get(fmix_cache *cache, const fmix_shape *shape,
                               const fmix_transform **out, void **entry) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    void *object = NULL;
    key_of(shape, key);
    fmix_status status = fmix_cache_get(cache, &transforms, key, &object, entry);
    *out = object;
    return status;
}

bool fmix_transform_cached(fmix_cache *cache, const fmix_shape *shape) {
    unsigned char key[FMIX_CACHE_KEY_BYTES];
    key_of(shape, key);
    return fmix_cache_has(cache, &transforms, key);
}

void fmix_transform_run(const fmix_transform *transform, double *x, double *g) {
    fftw_execute_dft_c2r(atomic_load_explicit(&transform->best, memory_order_acquire),
                         (fftw_complex *)x, g);
}

/* Measuring takes up to half a second here; past these sizes, or with large primes, seconds. */
#define TUNED_ELEMENTS (1u << 20)
#define TUNED_PRIME    13
/* A shape is worth measuring once some 20 ms went into it. */
#define WANTED_AFTER 7000000

static bool is_worth_measuring(const fmix_shape *shape) {
    for (unsigned d = 0; d < shape->rank; d++)
        if (largest_prime(shape->side[d]) > TUNED_PRIME)
            return false;
    return fmix_shape_elements(shape) <= TUNED_ELEMENTS;
}

void fmix_transform_used(fmix_context *context, const fmix_transform *transform, uint64_t times) {
    fmix_transform *t = (fmix_transform *)transform; /* counters are not what its users share */
    fmix_tuning *tuning = &context->tuning;
    if (atomic_load_explicit(&t->stage, memory_order_relaxed) != STAGE_GUESSED)
        return;
    uint64_t more = times * fmix_shape_elements(&t->shape);
    if (atomic_fetch_add_explicit(&t->elements_done, more, memory_order_relaxed) + more <
        WANTED_AFTER)
        return;
    pthread_mutex_lock(&tuning->lock);
    stage guessed = STAGE_GUESSED;
    if (tuning->count < FMIX_TUNING_MOST &&
        atomic_compare_exchange_strong(&t->stage, &guessed, STAGE_WANTED)) {
        if (is_worth_measuring(&t->shape))
            tuning->wanted[tuning->count++] = t->shape;
    }
    pthread_mutex_unlock(&tuning->lock);
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The quickest of a few. */
static double time_of(fftw_plan plan, const rooms *r) {
    double best = HUGE_VAL;
    for (int i = 0; i < 5; i++) {
        double start = seconds_now();
        fftw_execute_dft_c2r(plan, (fftw_complex *)r->x, r->g);
        double took = seconds_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

static void keep_wisdom(void) {
    char *text = fftw_export_wisdom_to_string();
    bool fits = text && strlen(text) < WISDOM_MOST;
    free(fits ? wisdom : text);
    if (fits)
        wisdom = text;
}

/* Where time runs out FFTW guesses the rest, which may be worse than its first guess. */
static void measure(fmix_transform *t, const rooms *r, double seconds) {
    pthread_mutex_lock(&planner);
    fftw_set_timelimit(seconds);
    forget();
    fftw_plan plan = plan_with(FFTW_MEASURE, &t->shape, r->x, r->g);
    fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    keep_wisdom();
    if (plan && time_of(plan, r) < time_of(t->first, r))
        atomic_store_explicit(&t->best, plan, memory_order_release);
    else if (plan)
        fftw_destroy_plan(plan);
    atomic_store(&t->stage, STAGE_MEASURED);
    leave_planner();
}

static bool take_wanted(fmix_tuning *tuning, fmix_shape *shape, bool *more) {
    pthread_mutex_lock(&tuning->lock);
    bool any = tuning->count > 0;
    if (any) {
        *shape = tuning->wanted[0];
        memmove(tuning->wanted, tuning->wanted + 1, --tuning->count * sizeof *shape);
    }
    *more = tuning->count > 0;
    pthread_mutex_unlock(&tuning->lock);
    return any;
}

fmix_status fmix_context_tune(fmix_context *context, double seconds, bool *tuned, bool *more) {
    fmix_shape shape;
    const fmix_transform *transform;
    void *entry;
    rooms r;
    *tuned = false;
    if (!take_wanted(&context->tuning, &shape, more) ||
        !fmix_transform_cached(context->cache, &shape))
        return FMIX_OK;
    fmix_status status = rooms_new(&shape, &r);
    if (status != FMIX_OK)
        return status;
    status = fmix_transform_get(context->cache, &shape, &transform, &entry);
    if (status == FMIX_OK) {
        measure((fmix_transform *)transform, &r, seconds);
        *tuned = true;
        fmix_count(&context->transforms_measured, 1);
        fmix_cache_release(context->cache, entry);
    }
    rooms_free(&r);
    return status;
}

fmix_status fmix_wisdom_export(char **out) {
    pthread_mutex_lock(&planner);
    *out = strdup(wisdom ? wisdom : "");
    leave_planner();
    return *out ? FMIX_OK : FMIX_ERROR_MEMORY;
}

fmix_status fmix_wisdom_import(const char *text) {
    pthread_mutex_lock(&planner);
    bool good = fftw_import_wisdom_from_string(text);
    if (good)
        keep_wisdom();
    leave_planner();
    return good ? FMIX_OK : FMIX_ERROR_RANGE;
}

const char *fmix_transform_library(void) {
    return fftw_version;
}

double fmix_transform_bound(uint64_t elements) {
    unsigned log2 = 0; /* rounded up */
    while ((UINT64_C(1) << log2) < elements)
        log2++;
    return 64.0 * 0x1p-53 * log2;
}

/* Where a page fault costs microseconds, some ten thousand of them are most of a large mask. */
#define PAGE  ((size_t)2 << 20)
#define LARGE (2 * PAGE)

double *fmix_aligned_new(size_t doubles) {
    size_t bytes;
    if (!fmix_multiply(doubles, sizeof(double), &bytes) || bytes > SIZE_MAX - 64)
        return NULL;
    bool large = bytes >= LARGE && bytes <= SIZE_MAX - PAGE;
    size_t alignment = large ? PAGE : 64;
    void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
#ifdef MADV_HUGEPAGE
    if (memory && large)
        madvise(memory, bytes / PAGE * PAGE,
                MADV_HUGEPAGE); /* if it will not: then in small ones */
#endif
    return memory;
}

void fmix_aligned_free(double *memory) {
    free(memory);
}
