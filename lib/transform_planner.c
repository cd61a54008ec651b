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
    bool measured[FMIX_WAY_KINDS]; /* guarded by planner */
    fmix_way first;                /* by estimate, or from wisdom; the oldest */
    _Atomic(fmix_way *) best;      /* the first, or a measured one that replaced it */
};

/* FFTW keeps what it learned of each shape ("wisdom", some hundred bytes by estimate, up to 3 KB
 * measured) for as long as the process lives, even after the shape's plans are destroyed. After
 * every FORGET_AFTER shapes it therefore forgets all wisdom but that of measured shapes. Existing
 * plans are not affected. */
#define FORGET_AFTER 1000
#define WISDOM_MOST  (1u << 20)
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;
static unsigned planned; /* shapes since the last time; guarded by planner */
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

/* False: it is too long, and what was kept before stays. */
static bool keep_wisdom(void) {
    char *text = fftw_export_wisdom_to_string();
    bool fits = text && strlen(text) < WISDOM_MOST;
    free(fits ? wisdom : text);
    if (fits)
        wisdom = text;
    return fits;
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

static double seconds_spent(void) { /* by this thread */
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define ROUNDS        5 /* of which the shortest counts */
#define ROUNDS_LEAST  2
#define TIMED_SECONDS 0.04 /* no further round begins after it */
#define GAIN          0.97 /* of the time before: less is not told from noise */

/* Runs both in turn. True: `way` is faster than `than`. */
static bool is_faster(const fmix_way *way, const fmix_way *than, const arrays *a) {
    const fmix_way *const both[] = {way, than};
    double least[] = {HUGE_VAL, HUGE_VAL}, begin = seconds_spent(), now = begin;
    for (int i = 0; i < ROUNDS && (i < ROUNDS_LEAST || now - begin < TIMED_SECONDS); i++)
        for (int k = 0; k < 2; k++) {
            double start = now;
            fmix_way_run(both[k], a->x, a->g);
            now = seconds_spent();
            least[k] = now - start < least[k] ? now - start : least[k];
        }
    return least[0] < GAIN * least[1];
}

static bool plan_way(fmix_fft *t, fmix_way_kind kind, unsigned flags, const arrays *a,
                     fmix_way *out) {
    *out = (fmix_way){0};
    return fmix_way_serves(kind, &t->shape) &&
           fmix_way_plan(kind, flags, &t->shape, a->x, a->g, out);
}

/* Plans from wisdom the ways that were measured, in this process or in the one that the wisdom is
 * of. Returns how many. */
static unsigned plan_measured(fmix_fft *t, const arrays *a, fmix_way ways[FMIX_WAY_KINDS]) {
    unsigned count = 0;
    for (unsigned k = 0; k < FMIX_WAY_KINDS; k++) {
        ways[k] = (fmix_way){0};
        t->measured[k] = wisdom && plan_way(t, k, FFTW_WISDOM_ONLY | FFTW_MEASURE, a, &ways[k]);
        count += t->measured[k];
    }
    return count;
}

/* A way that was not measured is estimated. With no measured one beside, it is not worth while to
 * time the estimated: that of pairs mostly is the faster. */
static bool plan_first(fmix_fft *t, const arrays *a) {
    fmix_way ways[FMIX_WAY_KINDS];
    unsigned count = plan_measured(t, a, ways);
    for (unsigned k = 0; k < FMIX_WAY_KINDS; k++) {
        bool is_needed = count > 0 || !fmix_way_is_planned(&t->first);
        if (!t->measured[k] && (!is_needed || !plan_way(t, k, FFTW_ESTIMATE, a, &ways[k])))
            continue;
        if (!fmix_way_is_planned(&t->first) || is_faster(&ways[k], &t->first, a)) {
            fmix_way_drop(&t->first);
            t->first = ways[k];
        } else {
            fmix_way_drop(&ways[k]);
        }
    }
    return fmix_way_is_planned(&t->first);
}

static bool all_measured(const fmix_fft *t) {
    for (unsigned k = 0; k < FMIX_WAY_KINDS; k++)
        if (!t->measured[k] && fmix_way_serves(k, &t->shape))
            return false;
    return true;
}

static fmix_status begin(fmix_fft *t, const arrays *a, bool *measured) {
    pthread_mutex_lock(&planner);
    bool made = plan_first(t, a);
    *measured = all_measured(t);
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
        status = begin(fft, &a, measured);
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
    fmix_way *better = is_faster(way, best, a) ? malloc(sizeof *better) : NULL;
    if (!better) {
        fmix_way_drop(way);
        return;
    }
    *better = *way;
    better->older = best;
    atomic_store_explicit(&t->best, better, memory_order_release);
}

/* When time runs out FFTW estimates the rest of its plan, which can be worse than the plan so far,
 * and does not take it for measured when asked for what it knows. */
static void measure_way(fmix_fft *t, fmix_way_kind kind, double limit, const arrays *a) {
    fmix_way way;
    fftw_set_timelimit(limit);
    if (!t->measured[kind] && plan_way(t, kind, FFTW_MEASURE, a, &way))
        consider(t, &way, a);
    fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    t->measured[kind] = plan_way(t, kind, FFTW_WISDOM_ONLY | FFTW_MEASURE, a, &way);
    fmix_way_drop(&way);
}

fmix_status fmix_fft_measure(fmix_fft *t, double seconds, bool *whole) {
    arrays a;
    fmix_status status = arrays_new(&t->shape, &a);
    if (status != FMIX_OK)
        return status;
    pthread_mutex_lock(&planner);
    forget_unmeasured();
    measure_way(t, FMIX_WAY_PAIRS, seconds / 2, &a); /* which has two plans */
    measure_way(t, FMIX_WAY_WHOLE, seconds, &a);
    *whole = all_measured(t);
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
    if (*text == '\0') /* exported before anything was measured */
        return FMIX_OK;
    pthread_mutex_lock(&planner);
    bool good = fftw_import_wisdom_from_string(text) && keep_wisdom();
    leave_planner();
    return good ? FMIX_OK : FMIX_ERROR_RANGE;
}

const char *fmix_fft_library(void) {
    return fftw_version;
}
