#include "transform_planner.h"
#include "memory.h"

#include <fftw3.h>
#include <math.h> /* HUGE_VAL */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A measured plan that a faster one replaced. A run may still use it. */
typedef struct replaced {
    struct replaced *next;
    fftw_plan plan;
} replaced;

struct fmix_fft {
    fmix_fft *next; /* in the list of retired ones */
    fmix_shape shape;
    fftw_plan first;         /* by estimate, or from wisdom */
    _Atomic(fftw_plan) best; /* the first, or a measured one that replaced it */
    replaced *replaced;      /* guarded by planner */
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

static void destroy_replaced(replaced *r) {
    while (r) {
        replaced *next = r->next;
        fftw_destroy_plan(r->plan);
        free(r);
        r = next;
    }
}

static void destroy_all(fmix_fft *t) {
    while (t) {
        fmix_fft *next = t->next;
        fftw_plan best = atomic_load(&t->best);
        if (best != t->first)
            fftw_destroy_plan(best);
        destroy_replaced(t->replaced);
        fftw_destroy_plan(t->first);
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

static fftw_plan plan_with(unsigned flags, const fmix_shape *shape, const arrays *a) {
    int n[3];
    for (unsigned d = 0; d < shape->rank; d++)
        n[d] = (int)shape->side[d];
    return fftw_plan_dft_c2r((int)shape->rank, n, (fftw_complex *)a->x, a->g,
                             flags | FFTW_DESTROY_INPUT);
}

static fmix_status plan_first(fmix_fft *t, const arrays *a, bool *measured) {
    pthread_mutex_lock(&planner);
    if (wisdom)
        t->first = plan_with(FFTW_WISDOM_ONLY | FFTW_MEASURE, &t->shape, a);
    *measured = t->first != NULL;
    if (!t->first)
        t->first = plan_with(FFTW_ESTIMATE, &t->shape, a);
    atomic_init(&t->best, t->first);
    if (++planned >= FORGET_AFTER)
        forget_unmeasured();
    leave_planner();
    return t->first ? FMIX_OK : FMIX_ERROR_LIBRARY;
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
    fftw_execute_dft_c2r(atomic_load_explicit(&fft->best, memory_order_acquire), (fftw_complex *)x,
                         g);
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The shortest of five runs. */
static double time_of(fftw_plan plan, const arrays *a) {
    double best = HUGE_VAL;
    for (int i = 0; i < 5; i++) {
        double start = seconds_now();
        fftw_execute_dft_c2r(plan, (fftw_complex *)a->x, a->g);
        double took = seconds_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

/* False: no memory to keep the plan that is replaced. */
static bool replace(fmix_fft *t, fftw_plan best, fftw_plan better) {
    replaced *r = best == t->first ? NULL : malloc(sizeof *r);
    if (!r && best != t->first)
        return false;
    if (r) {
        *r = (replaced){t->replaced, best};
        t->replaced = r;
    }
    atomic_store_explicit(&t->best, better, memory_order_release);
    return true;
}

/* When time runs out FFTW estimates the rest of its plan, which can be worse than the plan so far:
 * so both are timed. */
fmix_status fmix_fft_measure(fmix_fft *t, double seconds, bool *whole) {
    arrays a;
    fmix_status status = arrays_new(&t->shape, &a);
    if (status != FMIX_OK)
        return status;
    pthread_mutex_lock(&planner);
    double start = seconds_now();
    fftw_set_timelimit(seconds);
    forget_unmeasured();
    fftw_plan plan = plan_with(FFTW_MEASURE, &t->shape, &a);
    fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    *whole = seconds_now() - start < seconds;
    keep_wisdom();
    fftw_plan best = atomic_load(&t->best);
    if (plan && !(time_of(plan, &a) < time_of(best, &a) && replace(t, best, plan)))
        fftw_destroy_plan(plan);
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
