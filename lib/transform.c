#include "transform.h"
#include "context.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fmix_transform {
    fftw_plan plan;
};

/* FFTW's planner has process-wide state, whoever uses it through whichever context. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

static fmix_status make(const void *key, void **object, size_t *bytes) {
    fmix_shape shape;
    memcpy(&shape, key, sizeof shape);
    int n[3];
    for (unsigned d = 0; d < shape.rank; d++)
        n[d] = (int)shape.side[d];

    fmix_status status = FMIX_ERROR_MEMORY;
    fmix_transform *transform = calloc(1, sizeof *transform);
    double *x = fmix_aligned_new(2 * fmix_shape_bins(&shape));
    double *g = fmix_aligned_new(fmix_shape_elements(&shape));
    if (!transform || !x || !g)
        goto out;
    pthread_mutex_lock(&planner);
    transform->plan = fftw_plan_dft_c2r((int)shape.rank, n, (fftw_complex *)x, g,
                                        FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
    pthread_mutex_unlock(&planner);
    if (!transform->plan) {
        status = FMIX_ERROR_LIBRARY;
        goto out;
    }
    *object = transform;
    transform = NULL;
    /* Twiddles and codelet structures, seen between 5 KiB and 40 bytes an element of the sides. */
    *bytes = 8192 + 40 * ((size_t)shape.side[0] + (shape.rank > 1 ? shape.side[1] : 0) +
                          (shape.rank > 2 ? shape.side[2] : 0));
    status = FMIX_OK;
out:
    fmix_aligned_free(g);
    fmix_aligned_free(x);
    free(transform);
    return status;
}

static void destroy(void *object) {
    fmix_transform *transform = object;
    pthread_mutex_lock(&planner);
    fftw_destroy_plan(transform->plan);
    pthread_mutex_unlock(&planner);
    free(transform);
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
    fftw_execute_dft_c2r(transform->plan, (fftw_complex *)x, g);
}

double fmix_transform_bound(uint64_t elements) {
    unsigned log2 = 0; /* rounded up */
    while ((UINT64_C(1) << log2) < elements)
        log2++;
    return 64.0 * 0x1p-53 * log2;
}

double *fmix_aligned_new(size_t doubles) {
    size_t bytes;
    if (!fmix_multiply(doubles, sizeof(double), &bytes) || bytes > SIZE_MAX - 64)
        return NULL;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

void fmix_aligned_free(double *memory) {
    free(memory);
}
