/*
 * subject.h - a plan of masks that is timed, as the daemon would have it
 *
 * Time is this thread's processor time, in nanoseconds.
 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "lib/context.h"
#include "lib/scratch.h"

#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_NS 3e8 /* of masks, before their transform is measured */

static double now_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static double now(void) {
    return now_of(CLOCK_THREAD_CPUTIME_ID);
}

static void must(bool good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

static void *room(size_t bytes) {
    void *memory = fftw_malloc(bytes);
    must(memory, "allocation");
    memset(memory, 0, bytes);
    return memory;
}

/* What is not in a recipe. */
typedef struct subject_how {
    fmix_dtype dtype;
    bool estimated;              /* with the first plan; else with the one that is measured */
    const fmix_kernels *kernels; /* NULL: the best */
} subject_how;

typedef struct subject {
    fmix_context *context;
    subject_how how;
    fmix_plan *plan;
    fmix_scratch *scratch;
    uint64_t elements, t, batch; /* batch: masks a call */
    unsigned char *out;
} subject;

/* As the daemon's background thread does. */
static void tune(fmix_context *context) {
    bool tuned, more;
    do
        must(fmix_context_tune(context, 0.3, &tuned, &more) == FMIX_OK, "tuning");
    while (more);
}

static void draw(subject *s) {
    must(fmix_plan_masks(s->plan, s->scratch, s->t, s->batch, s->how.dtype, s->out) == FMIX_OK,
         "fmix_plan_masks");
    s->t += s->batch;
}

static subject subject_of_how(const fmix_recipe *law, subject_how how, double warm) {
    subject s = {.elements = fmix_shape_elements(&law->shape), .how = how};
    const fmix_recipe recipe = *law;
    s.batch = 131072 / s.elements;
    s.batch = s.batch < 1 ? 1 : s.batch > 128 ? 128 : s.batch;
    s.out = room((size_t)(s.batch * fmix_mask_bytes(s.elements, how.dtype)));
    must(fmix_context_new((size_t)256 << 20, &s.context) == FMIX_OK, "fmix_context_new");
    if (how.kernels)
        s.context->kernels = how.kernels;
    must(fmix_plan_new(s.context, &recipe, &s.plan) == FMIX_OK, "fmix_plan_new");
    must(fmix_scratch_new(&s.scratch) == FMIX_OK, "fmix_scratch_new");
    s.scratch->kernels = s.context->kernels;
    for (double start = now(); now() - start < warm;)
        draw(&s);
    if (!how.estimated)
        tune(s.context);
    return s;
}

static subject subject_of(const fmix_recipe *law, double warm) {
    return subject_of_how(law, (subject_how){.dtype = FMIX_DTYPE_BITS}, warm);
}

static subject subject_new(const fmix_shape *shape, double warm) {
    const fmix_recipe recipe = {.seed = 7, .shape = *shape, .alpha = 1, .delta = 3};
    return subject_of(&recipe, warm);
}

static void subject_free(subject *s) {
    fmix_scratch_free(s->scratch);
    fmix_plan_free(s->plan);
    fmix_context_free(s->context);
    fftw_free(s->out);
}

static double time_masks(subject *s, double least) {
    double start = now(), took;
    uint64_t masks = 0;
    do {
        draw(s);
        masks += s->batch;
        took = now() - start;
    } while (took < least);
    return took / (double)masks;
}

#endif
