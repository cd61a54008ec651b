#include "transform_planner.h"
#include "memory.h"
#include "transform_way.h"

#include <math.h> /* HUGE_VAL */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fmix_fft {
    fmix_fft *next; /* in the list of retired ones */
    fmix_shape shape;
    fmix_way first;           /* by estimate, or from wisdom; the oldest */
    _Atomic(fmix_way *) best; /* the first, or a measured one that replaced it */
};

/* FFTW keeps what it learned of each shape ("wisdom", some 200 bytes) for as long as the process
 * lives, even after the shape's plans are destroyed. After every FORGET_AFTER plans it therefore
 * forgets all wisdom but that of measured shapes. Existing plans are not affected. */
#define FORGET_AFTER 1000
#define WISDOM_MOST  (1u << 20)
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;
static unsigned planned; /* plans made since the last time; guarded by planner */
static char *wisdom;     /* of the measured shapes, or NULL; guarded by planner */

/* Measuring holds the planner for a while. A thread that frees an fmix_fft meanwhile leaves
 * it in this list rather than wait. */
static pthread_mutex_t retired_lock = PTHREAD_MUTEX_INITIALIZER;
static fmix_fft *retired;

static void destroy_all(fmix_fft *t) {
    while (t) {
        fmix_fft *next = t->next;
        for (fmix_way *way = atomic_load(&t->best), *older; way; way = older) {
            older = way->older;
            fmix_way_drop(way);
            if (way != &t->first)
                free(way);
        }
        free(t);
        t = next;
    }
}

/* Destroys the retired plans, and unlocks. */
static void leave_planner(void) {
    pthread_mutex_lock(&retired_lock);
    fmix_fft *all = retired;
    retired = NULL;
    pthread_mutex_unlock(&retired_lock);
    destroy_all(all);
    pthread_mutex_unlock(&planner);
}

static void forget_unmeasured(void) {
    planned = 0;
    fftw_forget_wisdom();
    if (wisdom)
        fftw_import_wisdom_from_string(wisdom);
}

static void keep_wisdom(void) {
    char *text = fftw_export_wisdom_to_string();
    bool fits = text && strlen(text) < WISDOM_MOST;
    free(fits ? wisdom : text);
    if (fits)
        wisdom = text;
}

/* Arrays of zeros for one transform: FFTW plans and measures on memory of its caller's. */
typedef struct arrays {
    double *x, *g;
} arrays;

static void arrays_free(arrays *a) {
    fmix_aligned_free(a->g);
    fmix_aligned_free(a->x);
}

static fmix_status arrays_new(const fmix_shape *shape, arrays *a) {
    size_t bins = (size_t)fmix_shape_bins(shape), elements = (size_t)fmix_shape_elements(shape);
    *a = (arrays){fmix_aligned_new(2 * bins), fmix_aligned_new(elements)};
    if (!a->x || !a->g) {
        arrays_free(a);
        return FMIX_ERROR_MEMORY;
    }
    memset(a->x, 0, 2 * bins * sizeof *a->x);
    memset(a->g, 0, elements * sizeof *a->g);
    return FMIX_OK;
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define TIMED_SECONDS 0.02
/* The shortest of five runs, or of as many as begin within TIMED_SECONDS. */
static double time_of(const fmix_way *way, const arrays *a) {
    double best = HUGE_VAL, begin = seconds_now(), now = begin;
    for (int i = 0; i < 5 && now - begin < TIMED_SECONDS; i++) {
        double start = now;
        fmix_way_run(way, a->x, a->g);
        now = seconds_now();
        best = now - start < best ? now - start : best;
    }
    return best;
}

/* The faster of the ways that can be planned. */
static bool plan_faster(unsigned flags, const fmix_shape *shape, const arrays *a, fmix_way *out) {
    fmix_way whole, pairs;
    bool has_pairs = fmix_way_plan(FMIX_WAY_PAIRS, flags, shape, a->x, a->g, &pairs);
    bool has_whole = fmix_way_plan(FMIX_WAY_WHOLE, flags, shape, a->x, a->g, &whole);
    bool better = has_pairs && (!has_whole || time_of(&pairs, a) < time_of(&whole, a));
    *out = better ? pairs : whole;
    if (has_pairs && has_whole)
        fmix_way_drop(better ? &whole : &pairs);
    return has_pairs || has_whole;
}

/* By estimate the faster way is not worth being looked for: that of pairs mostly is. */
static bool plan_estimated(const fmix_shape *shape, const arrays *a, fmix_way *out) {
    return fmix_way_plan(FMIX_WAY_PAIRS, FFTW_ESTIMATE, shape, a->x, a->g, out) ||
           fmix_way_plan(FMIX_WAY_WHOLE, FFTW_ESTIMATE, shape, a->x, a->g, out);
}

static fmix_status plan_first(fmix_fft *t, const arrays *a, bool *measured) {
    pthread_mutex_lock(&planner);
    *measured = wisdom && plan_faster(FFTW_WISDOM_ONLY | FFTW_MEASURE, &t->shape, a, &t->first);
    bool made = *measured || plan_estimated(&t->shape, a, &t->first);
    atomic_init(&t->best, &t->first);
    if (++planned >= FORGET_AFTER)
        forget_unmeasured();
    leave_planner();
    return made ? FMIX_OK : FMIX_ERROR_LIBRARY;
}

fmix_status fmix_fft_new(const fmix_shape *shape, fmix_fft **out, bool *measured) {
    arrays a;
    fmix_fft *fft = calloc(1, sizeof *fft);
    if (!fft)
        return FMIX_ERROR_MEMORY;
    fft->shape = *shape;
    fmix_status status = arrays_new(shape, &a);
    if (status == FMIX_OK) {
        status = plan_first(fft, &a, measured);
        arrays_free(&a);
    }
    if (status != FMIX_OK) {
        free(fft);
        return status;
    }
    *out = fft;
    return FMIX_OK;
}

void fmix_fft_free(fmix_fft *fft) {
    if (!fft)
        return;
    pthread_mutex_lock(&retired_lock);
    fft->next = retired;
    retired = fft;
    pthread_mutex_unlock(&retired_lock);
    if (pthread_mutex_trylock(&planner) == 0)
        leave_planner();
}

void fmix_fft_run(const fmix_fft *fft, double *x, double *g) {
    fmix_way_run(atomic_load_explicit(&fft->best, memory_order_acquire), x, g);
}

/* Uses up the way, and runs it from now on if it is faster and there is memory to keep it. */
static void consider(fmix_fft *t, fmix_way *way, const arrays *a) {
    fmix_way *best = atomic_load(&t->best);
    fmix_way *better = time_of(way, a) < time_of(best, a) ? malloc(sizeof *better) : NULL;
    if (!better) {
        fmix_way_drop(way);
        return;
    }
    *better = *way;
    better->older = best;
    atomic_store_explicit(&t->best, better, memory_order_release);
}

/* Each plan of a way may take `limit` seconds. True: they took less together. */
static bool measure_way(fmix_fft *t, fmix_way_kind kind, double limit, const arrays *a) {
    fmix_way way;
    double begin = seconds_now();
    fftw_set_timelimit(limit);
    bool made = fmix_way_plan(kind, FFTW_MEASURE, &t->shape, a->x, a->g, &way);
    bool whole = seconds_now() - begin < limit;
    fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    if (made)
        consider(t, &way, a);
    return whole;
}

/* When time runs out FFTW estimates the rest of its plan, which can be worse than the plan so far:
 * so both are timed. */
fmix_status fmix_fft_measure(fmix_fft *t, double seconds, bool *whole) {
    arrays a;
    fmix_status status = arrays_new(&t->shape, &a);
    if (status != FMIX_OK)
        return status;
    pthread_mutex_lock(&planner);
    forget_unmeasured();
    bool has_pairs = measure_way(t, FMIX_WAY_PAIRS, seconds / 2, &a);
    *whole = measure_way(t, FMIX_WAY_WHOLE, seconds, &a) && has_pairs;
    keep_wisdom();
    leave_planner();
    arrays_free(&a);
    return FMIX_OK;
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

const char *fmix_fft_library(void) {
    return fftw_version;
}
