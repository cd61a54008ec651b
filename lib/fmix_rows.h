/*
 * fmix_rows.h - the rows of a batch: their samples, partners and methods; a part of fmix.h
 *
 * A batch may mix its rows by several methods, leave some rows unmixed, choose partners by class or
 * among neighbours, and take sequences of like length together. Units, ownership, threads and
 * errors are those that fmix.h states.
 */
#ifndef FMIX_ROWS_H
#define FMIX_ROWS_H

#ifndef FMIX_H
#error "include fmix.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FMIX_MAX_METHODS 8 /* in one choice */

/* Rows of one batch, borrowed. Row i has t = index + i, or t[i] where `t` is set (sequences in
 * buckets). */
typedef struct fmix_rows {
    uint64_t batch; /* its number */
    uint64_t count; /* rows of the whole batch */
    uint64_t index;
    const uint64_t *t; /* `count` entries, or NULL */
} fmix_rows;

/* Which rows share one draw of lambda, mask, method and of being mixed at all (STREAM §6, §10). */
typedef enum fmix_scope {
    FMIX_SCOPE_SAMPLE, /* each row draws at its own t */
    FMIX_SCOPE_BATCH,  /* all rows draw at the t of row 0 */
    FMIX_SCOPE_PAIR,   /* rows i and count-1-i draw at the t of the smaller of the two numbers */
} fmix_scope;

/* How the rows of a batch get their methods (STREAM §7, §10). */
typedef struct fmix_choice {
    unsigned count; /* of methods: 1 to FMIX_MAX_METHODS */
    const fmix_method *methods;
    const double *alphas;    /* one for each method; NULL: the alpha of the recipe for all */
    fmix_policy_kind policy; /* how a batch gets its method */
    const uint32_t *weights; /* one for each method, as for fmix_policy; NULL: equal */
    bool by_sample;  /* each row draws a method of its own, by the weights; policy is ignored */
    bool prob_given; /* a row is mixed with probability `prob`; else every row is mixed */
    double prob;     /* 0 .. 1, rounded to a multiple of 2^-32 as lambda is */
    fmix_scope scope;
} fmix_choice;

/* The plans of all methods of a choice, and of unmixed rows. Immutable: any number of threads may
 * use a mixer at once. The context must outlive it. */
typedef struct fmix_mixer fmix_mixer;

/* Everything given is copied. recipe->method and recipe->scope_batch are ignored. FMIX_ERROR_RANGE:
 * a number of the recipe or of the choice is outside its range. */
FMIX_API fmix_status fmix_mixer_new(fmix_context *context, const fmix_recipe *recipe,
                                    const fmix_choice *choice, fmix_mixer **out);
FMIX_API void fmix_mixer_free(fmix_mixer *mixer);

/* fmix_plan_is_warm of all plans together, and the highest fmix_plan_mask_cost (nanoseconds) and
 * fmix_plan_memory (bytes) among them. */
FMIX_API bool fmix_mixer_is_warm(const fmix_mixer *mixer);
FMIX_API double fmix_mixer_cost(const fmix_mixer *mixer);
FMIX_API uint64_t fmix_mixer_memory(const fmix_mixer *mixer);

/* True if a method of the choice has masks. */
FMIX_API bool fmix_mixer_has_masks(const fmix_mixer *mixer);

/* The calls below take rows first … first+n-1, or row i, of a batch. All of them return
 * FMIX_ERROR_RANGE where these are not among rows->count rows, or where a t passes 2^64-1. Rows
 * split over any number of calls give the same bytes. */

/* The method and the numbers of row i. An unmixed row has the method none, L = 2^32, and
 * lambda_effective and weight 1. */
FMIX_API fmix_status fmix_mixer_row(const fmix_mixer *mixer, const fmix_rows *rows, uint64_t i,
                                    fmix_method *method, fmix_row *out);

/* Writes masks, n * fmix_mask_bytes(...) bytes, as fmix_plan_masks does; for rows of a method
 * without masks as fmix_plan_weights does: the row's weight everywhere, or ones in U8 and BITS.
 * FMIX_ERROR_RANGE: masks of a method that the batch can have, by whatever weights and probability,
 * cannot be of this type. */
FMIX_API fmix_status fmix_mixer_masks(const fmix_mixer *mixer, fmix_scratch *scratch,
                                      const fmix_rows *rows, uint64_t first, uint64_t n,
                                      fmix_dtype dtype, void *out);

/* Mixes rows as fmix_plan_mix does. An unmixed row is copied, and converted if out_dtype differs.
 * FMIX_ERROR_RANGE as for fmix_plan_mix, for any method that the batch can have. */
FMIX_API fmix_status fmix_mixer_mix(const fmix_mixer *mixer, fmix_scratch *scratch,
                                    const fmix_rows *rows, const fmix_batch *batch, uint64_t first,
                                    uint64_t n, void *out);

/* Writes the mixed labels of rows: n * classes float32 values, as fmix_plan_labels does. */
FMIX_API fmix_status fmix_mixer_labels(const fmix_mixer *mixer, const fmix_rows *rows,
                                       const fmix_labels *labels, uint64_t first, uint64_t n,
                                       float *out);

/* Writes the pairing OTHER_CLASS or SAME_CLASS of a batch of 1 to FMIX_MAX_BATCH rows. `classes`
 * has one number of an integer type for each row, each below `count`, which is at most
 * FMIX_MAX_CLASSES. A row without candidates is its own partner. O(n log n). FMIX_ERROR_RANGE: the
 * kind is another one, or a number is outside its range. STREAM §11. */
FMIX_API fmix_status fmix_pairing_by_class(fmix_pairing_kind kind, uint64_t seed,
                                           const fmix_rows *rows, fmix_dtype dtype,
                                           const void *classes, uint64_t count, int64_t *out);

/* Draws which of k neighbours is the partner of the row with this t: *j is below k.
 * FMIX_ERROR_RANGE: k is 0, or 2^32 or more. STREAM §11. */
FMIX_API fmix_status fmix_neighbour(uint64_t seed, uint64_t t, uint64_t k, uint64_t *j);

/* Finds the length of a sample of `self`. */
typedef fmix_status fmix_length(const void *self, uint64_t sample, uint64_t *length);

/* Batches of sequences of like length, borrowed (STREAM §12). Each window of windows * batch places
 * of an epoch is sorted by length, and cut into batches. */
typedef struct fmix_bucket {
    uint64_t seed, epoch;
    uint64_t samples; /* in the set, 1 to FMIX_MAX_SAMPLES */
    uint64_t batch;   /* rows of a whole batch, at least 1; above `samples`: all of them */
    uint64_t windows; /* batches in a window, at least 1; a window is cut at the end of the epoch,
                         and has then at most FMIX_MAX_BATCH places */
    bool shuffles;    /* place p holds the sample of fmix_shuffle; else sample p */
    const int64_t *offsets; /* samples + 1 of them: sample s has length offsets[s+1] - offsets[s];
                               NULL: `length` is asked, whose failures end the search */
    fmix_length *length;
    const void *self; /* the first argument of `length` */
} fmix_bucket;

/* Writes the samples of the batch that is served at `step` of the epoch (0 … ⌈samples/batch⌉-1),
 * and their t, which count over all epochs: *rows numbers each. That is `batch` (or, if fewer,
 * `samples`), and in the last batch of an epoch what is left. Allocates at most 64 bytes for each
 * place of a window. FMIX_ERROR_RANGE: a number is outside its range, or a t passes 2^64-1. */
FMIX_API fmix_status fmix_bucket_batch(const fmix_bucket *bucket, uint64_t step, uint64_t *rows,
                                       uint64_t *sample, uint64_t *t);

#ifdef __cplusplus
}
#endif
#endif
