/*
 * fmix.h - masks and mixing for mixed-sample data augmentation
 *
 * FMix (Harris et al., arXiv 2002.12047), CutMix (Yun et al., ICCV 2019) and MixUp (Zhang et al.,
 * ICLR 2018) as pure functions of a recipe and a sample number. "STREAM §n" below names a section
 * of the numeric contract, stream version FMIX_STREAM: every result is defined there in exact real
 * arithmetic, so no thread, CPU, compiler or transform plan shows in any bit.
 *
 * Units and ranges
 *   seed, t, batch      any unsigned 64-bit number
 *   lambda              as L = lambda * 2^32, an integer from 0 to 2^32 (STREAM §2)
 *   alpha               0.01 .. 1000       delta (decay power)   0 .. 10
 *   shape               1 to 3 sides, each at least 1, at most FMIX_MAX_ELEMENTS elements in all
 *
 * Ownership: what a _new call returns is the caller's until the matching _free (which takes NULL).
 * Threads: a context and a plan may be used by any number of threads at once; a scratch by one at a
 * time. A context outlives its plans and scratches.
 * Errors: a fmix_status; output is unspecified unless it is FMIX_OK. FFTW and GMP, underneath,
 * abort the process when they cannot allocate; everything allocated here is checked. FFTW's wisdom,
 * which is the process's, is forgotten after every thousand plans made here, but for what
 * fmix_context_tune measured.
 */
#ifndef FMIX_H
#define FMIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FMIX_API __attribute__((visibility("default")))
#else
#define FMIX_API
#endif

#define FMIX_STREAM       1
#define FMIX_MAX_ELEMENTS (UINT32_C(1) << 24) /* of one mask */
#define FMIX_MAX_BATCH    (UINT32_C(1) << 24) /* rows of one pairing */
#define FMIX_MAX_CLASSES  (UINT32_C(1) << 20) /* of one head of labels */
#define FMIX_MAX_SAMPLES  (UINT64_C(1) << 48) /* of one data set */
#define FMIX_LAMBDA_ONE   (UINT64_C(1) << 32) /* L of lambda = 1 */

#define FMIX_ALPHA_MIN 0.01
#define FMIX_ALPHA_MAX 1000.0
#define FMIX_DELTA_MAX 10.0
#define FMIX_SOFT_MAX  0.5

typedef enum fmix_status {
    FMIX_OK = 0,
    FMIX_ERROR_RANGE,     /* a number outside the range stated here */
    FMIX_ERROR_MEMORY,    /* an allocation failed */
    FMIX_ERROR_LIBRARY,   /* libsodium would not start or FFTW made no plan */
    FMIX_ERROR_CANCELLED, /* the scratch's owner asked to stop */
} fmix_status;

FMIX_API const char *fmix_status_text(fmix_status status);

/* Sides in NumPy's order: the last varies fastest. */
typedef struct fmix_shape {
    unsigned rank;
    uint32_t side[3];
} fmix_shape;

/* Elements of a shape, or 0 if it is outside the ranges above. */
FMIX_API uint64_t fmix_shape_elements(const fmix_shape *shape);

/* A method by its number, which never changes, in the library's one table: fmix, cutmix, mixup, bc,
 * bcplus, samplepairing, none. Masks (FMix, CutMix) choose elements; the others interpolate: MixUp
 * and BC (Tokozume et al., CVPR 2018) by lambda, BC+ by lambda and the samples' deviations,
 * SamplePairing (Inoue 2018) by a half, none leaves a batch as it is. */
typedef unsigned fmix_method;

/* NULL past the last. */
FMIX_API const char *fmix_method_name(fmix_method method);
/* FMIX_ERROR_RANGE: there is none of this name. */
FMIX_API fmix_status fmix_method_named(const char *name, fmix_method *out);

/* Whether rows of a method have a mask of their own; whether that is FMix's, of a spectrum. */
FMIX_API bool fmix_method_masks(fmix_method method);
FMIX_API bool fmix_method_has_spectrum(fmix_method method);

/* The paper's spectrum, or that of its authors' released code, which keeps two bins of the last
 * side and for which the first side is at least 2 and the frequency PIXEL (STREAM §3). */
typedef enum fmix_spectrum { FMIX_SPECTRUM_PAPER, FMIX_SPECTRUM_OFFICIAL } fmix_spectrum;

/* Frequency of a bin: cycles per pixel, as in the paper, or per side, so that shapes follow the
 * aspect ratio (STREAM §3). */
typedef enum fmix_frequency { FMIX_FREQUENCY_PIXEL, FMIX_FREQUENCY_EXTENT } fmix_frequency;

/* CutMix's box: any centre, clipped to the sides, as published; or wholly inside (STREAM §4). */
typedef enum fmix_box { FMIX_BOX_CLIPPED, FMIX_BOX_INSIDE } fmix_box;

/* Who is mixed with whom (STREAM §5). */
typedef enum fmix_pairing_kind {
    FMIX_PAIRING_PERMUTATION,
    FMIX_PAIRING_DERANGEMENT, /* nobody meets itself, but in a batch of one */
    FMIX_PAIRING_FLIP,
    FMIX_PAIRING_ROLL,
    FMIX_PAIRING_NONE,
} fmix_pairing_kind;

/* Which of a list of methods a batch has (STREAM §7). */
typedef enum fmix_policy_kind { FMIX_POLICY_ALTERNATE, FMIX_POLICY_RANDOM } fmix_policy_kind;

/* Element types, in the host's byte order; BOOL is a byte, 0 or (written: 1) not 0. Masks are F16,
 * F32, F64, U8 or BITS: each mask's flat order packed as by numpy.packbits, the first element in
 * the highest bit, ceil(elements / 8) bytes a mask. What is mixed has any type but BITS. */
typedef enum fmix_dtype {
    FMIX_DTYPE_F32,
    FMIX_DTYPE_U8,
    FMIX_DTYPE_BITS,
    FMIX_DTYPE_F16,
    FMIX_DTYPE_BF16,
    FMIX_DTYPE_F64,
    FMIX_DTYPE_I8,
    FMIX_DTYPE_I16,
    FMIX_DTYPE_I32,
    FMIX_DTYPE_I64,
    FMIX_DTYPE_BOOL,
    FMIX_DTYPES
} fmix_dtype;

/* Bytes of an element; 0 for BITS. */
FMIX_API uint64_t fmix_dtype_bytes(fmix_dtype type);
/* Whether it is a floating type. */
FMIX_API bool fmix_dtype_floats(fmix_dtype type);
/* The element at `at`, in the host's byte order, as a float64. Exact, but for I64. Not for BITS. */
FMIX_API double fmix_dtype_real(fmix_dtype type, const void *at);

/* Caches, counters. Holds no per-request state, so any number of recipes share one. */
typedef struct fmix_context fmix_context;

/* cache_bytes bounds what is kept between calls (weights by shape and delta, transform plans);
 * what is in use is never evicted. */
FMIX_API fmix_status fmix_context_new(size_t cache_bytes, fmix_context **out);
FMIX_API void fmix_context_free(fmix_context *context);

typedef struct fmix_counters {
    uint64_t masks;         /* masks computed, of any method */
    uint64_t contested;     /* FMix masks whose k-th and next value the transform could not order */
    uint64_t settled_quick; /* of these: settled by float64 sums */
    uint64_t settled_direct; /* of these: settled by double-double sums */
    uint64_t settled_exact;  /* of these: settled by MPFR */
    uint64_t lambda_exact;   /* draws of lambda whose rounding MPFR settled */
    uint64_t transforms_measured;
    uint64_t cache_hits, cache_misses;
    uint64_t cache_bytes;
} fmix_counters;

FMIX_API void fmix_context_counters(fmix_context *context, fmix_counters *out);

/* What answers are computed with, by name and version; nothing of it shows in them. Never freed. */
typedef struct fmix_engine {
    const char *fftw, *mpfr;
    const char *kernels; /* the instruction set of the hot loops, the best that this machine has */
} fmix_engine;

FMIX_API void fmix_context_engine(const fmix_context *context, fmix_engine *out);

/* Transforms begin with a plan that FFTW estimates. One that took some 20 ms in all is worth a
 * better one, which takes measuring: this does so for one shape, in at most about `seconds` (0.3 is
 * enough for 512x512), during which plans for new shapes wait. Call it from a thread that has time,
 * until *more is false, and again later. *tuned: whether a shape was measured. No bit of any answer
 * changes. What was measured is the process's: export gives it as text, the caller's to free, and
 * import takes it back, on the same machine with the same FFTW; FMIX_ERROR_RANGE: it is not that.
 */
FMIX_API fmix_status fmix_context_tune(fmix_context *context, double seconds, bool *tuned,
                                       bool *more);
FMIX_API fmix_status fmix_wisdom_export(char **text);
FMIX_API fmix_status fmix_wisdom_import(const char *text);

/* Working memory of one thread. It grows to what the largest shape so far needed, and keeps that
 * until it is trimmed to a few MiB. */
typedef struct fmix_scratch fmix_scratch;

FMIX_API fmix_status fmix_scratch_new(fmix_scratch **out);
FMIX_API void fmix_scratch_free(fmix_scratch *scratch);
FMIX_API void fmix_scratch_trim(fmix_scratch *scratch);

/* While calls with this scratch settle a close call, which can take seconds on large shapes at
 * high delta, they ask `cancelled` every millisecond or so; true ends them with
 * FMIX_ERROR_CANCELLED. NULL: never. */
FMIX_API void fmix_scratch_watch(fmix_scratch *scratch, bool (*cancelled)(void *user), void *user);

/* What decides a mask, beside t. */
typedef struct fmix_recipe {
    uint64_t seed;
    fmix_method method;
    fmix_shape shape;  /* the mask's sides; for mixup too: the spatial sides of what is mixed */
    double alpha;      /* lambda ~ Beta(alpha, alpha); unused when lambda_given */
    double delta;      /* decay power of the spectrum; FMix only */
    bool lambda_given; /* then every row has `lambda`, rounded as STREAM §2 says */
    double lambda;     /* 0 .. 1 */
    bool reformulate;  /* lambda ~ Beta(alpha + 1, alpha); draws only */
    bool scope_batch;  /* every row of a batch has the t of its first */
    fmix_frequency frequency;
    fmix_box box;
    fmix_spectrum spectrum;
    double soft; /* max_soft, 0 .. 0.5: the share of elements on each side of FMix's edge that
                    fall evenly from 1 to 0; 0: a hard edge */
} fmix_recipe;

/* A recipe that was checked, with its stream keys: cheap, immutable. */
typedef struct fmix_plan fmix_plan;

FMIX_API fmix_status fmix_plan_new(fmix_context *context, const fmix_recipe *recipe,
                                   fmix_plan **out);
FMIX_API void fmix_plan_free(fmix_plan *plan);

/* Whether the next mask needs nothing that is not cached. */
FMIX_API bool fmix_plan_is_warm(const fmix_plan *plan);

/* Estimated nanoseconds of one core for one mask or, of methods without, one row's lambda. */
FMIX_API double fmix_plan_mask_cost(const fmix_plan *plan);

/* Bytes of working memory that one thread needs while it computes masks of this plan. */
FMIX_API uint64_t fmix_plan_memory(const fmix_plan *plan);

/* A row of a batch before any pixel: STREAM §2, §3 (k), §4 (the box). */
typedef struct fmix_row {
    uint64_t lambda;         /* L */
    uint64_t ones;           /* of the mask; 0 of methods without */
    double lambda_effective; /* the label's weight of the row itself: ones/elements of a mask,
                                lambda of mixup, bc and bcplus, 1 of samplepairing and none */
    double weight; /* the data's weight of the row itself, of methods without a mask: lambda, 1/2 of
                      samplepairing, 1 of none; for bcplus it is what its q is made of */
    uint32_t box_start[3]; /* CutMix: the box of zeros after clipping; */
    uint32_t box_size[3];  /* a size of 0 along any side: no box */
} fmix_row;

FMIX_API fmix_status fmix_plan_row(const fmix_plan *plan, uint64_t t, fmix_row *out);

/* t of a row of a batch whose first has t = index: index + row, or index where scope_batch. */
FMIX_API uint64_t fmix_plan_sample(const fmix_plan *plan, uint64_t index, uint64_t row);

/* Bytes of one mask of `elements` in this type. */
FMIX_API uint64_t fmix_mask_bytes(uint64_t elements, fmix_dtype dtype);

/* The masks of samples t, t+1, … t+n-1, one after the other in flat order, 0 and 1 in `dtype` (or,
 * where they are soft, multiples of 1/(2h-1), which U8 and BITS cannot hold), n *
 * fmix_mask_bytes(...) bytes at out, whatever the scope. Methods that mask only. STREAM §3, §4. */
FMIX_API fmix_status fmix_plan_masks(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                                     uint64_t n, fmix_dtype dtype, void *out);

/* The images that FMix thresholds, addressed as its masks are: levels 0 … 255 in U8, elsewhere over
 * 255, not BITS. Methods with a spectrum only. STREAM §3. */
FMIX_API fmix_status fmix_plan_greys(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                                     uint64_t n, fmix_dtype dtype, void *out);

/* What stands for the masks of rows first … first+n-1 of a batch where the method has none: its
 * weight everywhere, so that m*a + (1-m)*b serves every method but BC+; in U8 and BITS, which
 * cannot hold it, ones. Types as of masks. */
FMIX_API fmix_status fmix_plan_weights(const fmix_plan *plan, uint64_t index, uint64_t first,
                                       uint64_t n, fmix_dtype dtype, void *out);

/* A pairing of 0 … n-1 for a batch: row i is mixed with row out[i]. STREAM §5. */
FMIX_API fmix_status fmix_pairing(fmix_pairing_kind kind, uint64_t seed, uint64_t batch, uint32_t n,
                                  int64_t *out);

/* Which samples stand at places first … first+n-1 of a shuffled epoch of `samples`: a permutation
 * of 0 … samples-1, place by place, so that nothing is stored. STREAM §6. */
FMIX_API fmix_status fmix_shuffle(uint64_t seed, uint64_t epoch, uint64_t samples, uint64_t first,
                                  uint64_t n, uint64_t *out);

/* Light augmentation: a sample is padded by `crop` elements on every side, and a window of its own
 * size taken, which may be mirrored along the last side. STREAM §6. */
typedef enum fmix_pad {
    FMIX_PAD_ZERO,
    FMIX_PAD_REFLECT, /* as numpy.pad's: the edge is not repeated, so crop is less than a side */
} fmix_pad;

typedef struct fmix_light {
    uint32_t offset[3]; /* of the window in what is padded, side by side */
    bool flip;          /* mirrored, if that is asked for */
} fmix_light;

FMIX_API fmix_status fmix_light_draw(uint64_t seed, uint64_t t, unsigned sides, uint32_t crop,
                                     fmix_light *out);

typedef struct fmix_window {
    fmix_shape shape;
    uint32_t crop;
    fmix_pad pad;
    bool flips; /* mirrors where light.flip is set */
    fmix_light light;
} fmix_window;

/* The window of a sample of elements of `step` bytes each (of all channels that lie together, where
 * they are last; where they are first, call it for each). */
FMIX_API void fmix_window_take(const fmix_window *window, size_t step, const void *from, void *out);

/* Which of `count` methods batch number `batch` has: *choice below count. weights: for RANDOM, not
 * all 0, their sum below 2^32; for ALTERNATE unused. STREAM §7. */
FMIX_API fmix_status fmix_policy(fmix_policy_kind kind, uint64_t seed, uint64_t batch,
                                 unsigned count, const uint32_t *weights, unsigned *choice);

/* Where channels lie among a sample's elements. */
typedef enum fmix_layout { FMIX_CHANNELS_FIRST, FMIX_CHANNELS_LAST } fmix_layout;

/* A matrix of elements of `size` bytes (1, 2, 4 or 8; else FMIX_ERROR_RANGE), its columns as rows:
 * what a sample's channels need to be last instead of first (rows: channels), or first instead of
 * last (columns: channels). Elements need not be aligned; the two do not overlap. */
FMIX_API fmix_status fmix_transpose(size_t size, uint64_t rows, uint64_t columns, const void *from,
                                    void *out);

/* A batch to mix, borrowed: rows of channels * elements(recipe.shape) values each, anywhere in
 * memory (elements need not be aligned). */
typedef struct fmix_batch {
    const void *x;
    const void *const *rows; /* or where each row of x is; then x is not looked at */
    const void *x2; /* NULL: row i is mixed with row pairing[i] of x; else with row i of x2 */
    fmix_dtype dtype;
    fmix_dtype out_dtype; /* of the answer */
    fmix_layout layout;
    uint64_t channels;      /* at least 1 */
    const int64_t *pairing; /* one entry a row; unused with x2 */
} fmix_batch;

/* (v - mean) / std, of U8 (v/255 - mean) / std, each step in float64, rounded once to a floating
 * type: what rows are before they are mixed. One mean and std for all, or one for each channel.
 * STREAM §8. */
typedef struct fmix_normal {
    fmix_dtype dtype, out_dtype;
    fmix_layout layout;
    unsigned count; /* of mean and of std: 1, or the channels */
    const double *mean, *std;
} fmix_normal;

/* One row of channels * elements values. */
FMIX_API fmix_status fmix_normalise(const fmix_normal *how, uint64_t elements, uint64_t channels,
                                    const void *from, void *out);

/* Why a method cannot mix these types, to follow its name in a sentence, or NULL: it can.
 * Interpolating integers other than U8, or BOOL, needs an out_dtype that floats (token ids have no
 * middle), and BC+ floats, or U8 that is to float. A soft mask interpolates. */
FMIX_API const char *fmix_method_refuses(fmix_method method, bool soft, fmix_dtype dtype,
                                         fmix_dtype out_dtype);

/* Rows first … first+n-1 of the batch, mixed, to out; row i has t = fmix_plan_sample(plan, index,
 * i). Masks choose elements byte for byte where they are 0 or 1 and none copies, then converted if
 * out_dtype differs; elsewhere elements are interpolated in float64, and any NaN becomes its type's
 * canonical one. Each element is rounded once. FMIX_ERROR_RANGE where fmix_method_refuses. STREAM
 * §8. */
FMIX_API fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch,
                                   const fmix_batch *batch, uint64_t index, uint64_t first,
                                   uint64_t n, void *out);

/* Labels of a batch, borrowed: class numbers (numbers true; any integer type, each below classes)
 * or rows of `classes` values of a floating type. */
typedef struct fmix_labels {
    const void *y, *y2; /* y2: with x2, else NULL */
    fmix_dtype dtype;
    bool numbers;
    bool uncorrected; /* weighs by the lambda of a mask instead of its lambda_effective */
    uint64_t classes;
    double smoothing; /* 0 .. 1: y <- (1 - s) y + s/classes before mixing */
    const int64_t *pairing;
} fmix_labels;

/* The labels of rows first … first+n-1, n * classes float32 to out. STREAM §8. */
FMIX_API fmix_status fmix_plan_labels(const fmix_plan *plan, const fmix_labels *labels,
                                      uint64_t index, uint64_t first, uint64_t n, float *out);

#ifdef __cplusplus
}
#endif
#endif
