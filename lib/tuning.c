#include "tuning.h"

#include <string.h>

/* Within these limits measuring a way takes up to half a second, if FFTW may take as long; past
 * them, or with large primes, seconds. */
#define TUNED_ELEMENTS (1u << 20)
#define TUNED_PRIME    13
/* Elements. A shape is worth measuring once its transforms have taken some 20 ms, at 3 ns each. */
#define WANTED_AFTER 7000000

static bool is_worth_measuring(const fmix_shape *shape) {
    for (unsigned d = 0; d < shape->rank; d++)
        if (fmix_largest_prime(shape->side[d]) > TUNED_PRIME)
            return false;
    return fmix_shape_elements(shape) <= TUNED_ELEMENTS;
}

void fmix_tuning_used(fmix_tuning *tuning, const fmix_transform *transform, uint64_t times) {
    fmix_transform *t = (fmix_transform *)transform; /* only its atomic counters change */
    if (atomic_load_explicit(&t->stage, memory_order_relaxed) != FMIX_TRANSFORM_ESTIMATED)
        return;
    uint64_t more = times * fmix_shape_elements(&t->shape);
    if (atomic_fetch_add_explicit(&t->elements_done, more, memory_order_relaxed) + more <
        WANTED_AFTER)
        return;
    pthread_mutex_lock(&tuning->lock);
    fmix_transform_stage expected = FMIX_TRANSFORM_ESTIMATED;
    if (tuning->count < FMIX_TUNING_MOST &&
        atomic_compare_exchange_strong(&t->stage, &expected, FMIX_TRANSFORM_QUEUED)) {
        if (is_worth_measuring(&t->shape))
            tuning->wanted[tuning->count++] = t->shape;
    }
    pthread_mutex_unlock(&tuning->lock);
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

/* A shape for which there is no room comes again when it is next used. */
static void try_again(fmix_tuning *tuning, fmix_transform *t) {
    pthread_mutex_lock(&tuning->lock);
    if (tuning->count < FMIX_TUNING_MOST)
        tuning->wanted[tuning->count++] = t->shape;
    else
        atomic_store(&t->stage, FMIX_TRANSFORM_ESTIMATED);
    pthread_mutex_unlock(&tuning->lock);
}

static fmix_status measure(fmix_tuning *tuning, fmix_transform *t, double seconds, bool *tuned) {
    bool whole, last = atomic_fetch_add(&t->attempts, 1) + 1 >= FMIX_TUNING_ATTEMPTS;
    fmix_status status = fmix_fft_measure(t->fft, seconds, &whole);
    *tuned = status == FMIX_OK && (whole || last);
    if (*tuned)
        atomic_store(&t->stage, FMIX_TRANSFORM_MEASURED);
    else if (status == FMIX_OK)
        try_again(tuning, t);
    else /* for want of memory; it is wanted again when it is used */
        atomic_store(&t->stage, FMIX_TRANSFORM_ESTIMATED);
    return status;
}

fmix_status fmix_tuning_next(fmix_tuning *tuning, fmix_cache *cache, double seconds, bool *tuned,
                             bool *more) {
    fmix_shape shape;
    const fmix_transform *transform;
    void *entry;
    *tuned = false;
    if (!take_wanted(tuning, &shape, more) || !fmix_transform_cached(cache, &shape))
        return FMIX_OK;
    fmix_status status = fmix_transform_get(cache, &shape, &transform, &entry);
    if (status != FMIX_OK)
        return status;
    status = measure(tuning, (fmix_transform *)transform, seconds, tuned);
    fmix_cache_release(cache, entry);
    return status;
}
