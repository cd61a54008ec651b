/*
 * fmix.h - masks and mixing for mixed-sample data augmentation
 *
 * FMix (Harris et al., arXiv 2002.12047), CutMix (Yun et al., ICCV 2019) and MixUp (Zhang et al.,
 * ICLR 2018) as pure functions of a recipe and a sample number. "STREAM §n" below names a section
 * of the numeric contract, stream version FMIX_STREAM. The contract defines draws and masks in
 * exact real arithmetic, and mixing operation by operation, so the bits of a result do not depend
 * on threads, CPU, compiler or transform plan.
 *
 * Units and ranges
 *   seed, t, batch      any unsigned 64-bit number; t is the number of a sample
 *   lambda              as L = lambda * 2^32, an integer from 0 to 2^32 (STREAM §2)
 *   alpha               0.01 .. 1000       delta (decay power)   0 .. 10
 *   shape               1 to 3 sides, each at least 1, at most FMIX_MAX_ELEMENTS elements in all
 *
 * Ownership: the caller owns what a _new call returns and gives it to the matching _free, which
 * takes NULL. Structures and arrays passed to a call are borrowed for the duration of the call.
 *
 * Threads: any number of threads may use a context or a plan at once; only one thread at a time may
 * use a scratch. A context must outlive its plans. Calls without any of these may run at any time.
 *
 * Errors: calls that can fail return a fmix_status. Unless the status is FMIX_OK, outputs are
 * unspecified. The library checks each of its allocations. FFTW and GMP, underneath, abort the
 * process when they cannot allocate.
 *
 * FFTW's wisdom belongs to the process. After every thousand plans, and before fmix_context_tune
 * measures, the library clears the wisdom, except for what fmix_context_tune measured and
 * fmix_wisdom_import read: a program's own is lost. FFTW's planner is not thread-safe: a program
 * that plans, too, while another thread uses this library calls fftw_make_planner_thread_safe
 * first.
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

/* The version of this header; changes of the minor number only add to it. */
#define FMIX_VERSION_MAJOR 1
#define FMIX_VERSION_MINOR 0
#define FMIX_VERSION_PATCH 0

#define FMIX_STREAM       1
#define FMIX_MAX_ELEMENTS (UINT32_C(1) << 24) /* in one mask */
#define FMIX_MAX_BATCH    (UINT32_C(1) << 24) /* rows in one pairing */
#define FMIX_MAX_CLASSES  (UINT32_C(1) << 20) /* in one head of labels */
#define FMIX_MAX_SAMPLES  (UINT64_C(1) << 48) /* in one data set */
#define FMIX_LAMBDA_ONE   (UINT64_C(1) << 32) /* L where lambda is 1 */

#define FMIX_ALPHA_MIN 0.01
#define FMIX_ALPHA_MAX 1000.0
#define FMIX_DELTA_MAX 10.0
#define FMIX_SOFT_MAX  0.5

typedef enum fmix_status {
    FMIX_OK = 0,
    FMIX_ERROR_RANGE,     /* an argument is outside the range stated here */
    FMIX_ERROR_MEMORY,    /* an allocation failed */
    FMIX_ERROR_LIBRARY,   /* libsodium did not start, or FFTW made no plan */
    FMIX_ERROR_CANCELLED, /* the function set by fmix_scratch_watch asked to stop */
} fmix_status;

/* A description in English, never freed; "unknown status" for any other number. */
FMIX_API const char *fmix_status_text(fmix_status status);

/* Sides in NumPy's order: the last varies fastest. Entries from side[rank] on are ignored. */
typedef struct fmix_shape {
    unsigned rank;
    uint32_t side[3];
} fmix_shape;

/* The number of elements of a shape, or 0 if the shape is outside the ranges above. */
FMIX_API uint64_t fmix_shape_elements(const fmix_shape *shape);

/* A method is a number, which never changes: its place in fmix, cutmix, mixup, bc, bcplus,
 * samplepairing, none. FMix and CutMix choose elements by a mask. The others interpolate: MixUp and
 * BC (Tokozume et al., CVPR 2018) by lambda, BC+ by lambda and the standard deviations of the
 * samples, SamplePairing (Inoue 2018) by one half. `none` leaves a batch unchanged. */
typedef unsigned fmix_method;

/* The name of a method, never freed; NULL for numbers past the last method. */
FMIX_API const char *fmix_method_name(fmix_method method);
/* FMIX_ERROR_RANGE: no method has this name. */
FMIX_API fmix_status fmix_method_named(const char *name, fmix_method *out);

/* True if rows of the method have a mask (FMix, CutMix); true if the mask comes from a spectrum
 * (FMix). The method must have a name. */
FMIX_API bool fmix_method_masks(fmix_method method);
FMIX_API bool fmix_method_has_spectrum(fmix_method method);

/* The paper's spectrum, or the spectrum of the authors' released code (STREAM §3). OFFICIAL keeps
 * two bins of the last side; it requires a first side of at least 2 and the frequency PIXEL. */
typedef enum fmix_spectrum { FMIX_SPECTRUM_PAPER, FMIX_SPECTRUM_OFFICIAL } fmix_spectrum;

/* Unit of a bin's frequency: cycles per pixel, as in the paper, or cycles per side, so that the
 * shapes in a mask follow the aspect ratio (STREAM §3). */
typedef enum fmix_frequency { FMIX_FREQUENCY_PIXEL, FMIX_FREQUENCY_EXTENT } fmix_frequency;

/* CutMix's box: centred anywhere and clipped to the sides, as published, or wholly inside (STREAM
 * §4). */
typedef enum fmix_box { FMIX_BOX_CLIPPED, FMIX_BOX_INSIDE } fmix_box;

/* How each row of a batch gets its partner (STREAM §5, §11). */
typedef enum fmix_pairing_kind {
    FMIX_PAIRING_PERMUTATION,
    FMIX_PAIRING_DERANGEMENT, /* no row is its own partner, except in a batch of one */
    FMIX_PAIRING_FLIP,
    FMIX_PAIRING_ROLL,
    FMIX_PAIRING_NONE,
    FMIX_PAIRING_OTHER_CLASS, /* fmix_pairing_by_class */
    FMIX_PAIRING_SAME_CLASS,  /* fmix_pairing_by_class */
    FMIX_PAIRING_NEIGHBOUR,   /* fmix_neighbour: the partner is a sample of the data set */
} fmix_pairing_kind;

/* How a batch gets its method from a list (STREAM §7). */
typedef enum fmix_policy_kind { FMIX_POLICY_ALTERNATE, FMIX_POLICY_RANDOM } fmix_policy_kind;

/* Element types, in the host's byte order. BOOL is one byte: reading takes any value but 0 as true,
 * writing stores 0 or 1. Masks are F16, F32, F64, U8 or BITS. BITS packs the flat order of each
 * mask as numpy.packbits does: the first element in the highest bit, ceil(elements / 8) bytes a
 * mask. Samples to mix have any type but BITS. */
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

/* Bytes of one element; 0 for BITS and for numbers past the last type. */
FMIX_API uint64_t fmix_dtype_bytes(fmix_dtype type);
/* True for the floating types F16, BF16, F32 and F64. */
FMIX_API bool fmix_dtype_floats(fmix_dtype type);
/* The element at `at`, in the host's byte order, as a float64. Exact, but for I64. Not for BITS. */
FMIX_API double fmix_dtype_real(fmix_dtype type, const void *at);

/* Caches and counters. A context has no state of a single request, so any number of recipes can
 * share one. */
typedef struct fmix_context fmix_context;

/* cache_bytes limits the memory kept between calls: weights by shape and delta, and transform
 * plans. Objects in use are never evicted. */
FMIX_API fmix_status fmix_context_new(size_t cache_bytes, fmix_context **out);
FMIX_API void fmix_context_free(fmix_context *context);

typedef struct fmix_counters {
    uint64_t masks;               /* masks drawn, of any method */
    uint64_t contested;           /* FMix masks and grey images with values that the transform could
                                     not order, once decided */
    uint64_t settled_quick;       /* contested and decided by float64 sums */
    uint64_t settled_direct;      /* contested and decided by double-double sums */
    uint64_t settled_exact;       /* contested and decided by MPFR */
    uint64_t lambda_exact;        /* draws of lambda rounded by MPFR */
    uint64_t transforms_measured; /* shapes that fmix_context_tune measured */
    uint64_t cache_hits, cache_misses;
    uint64_t cache_bytes; /* now in the cache */
} fmix_counters;

FMIX_API void fmix_context_counters(fmix_context *context, fmix_counters *out);

/* The libraries and code that compute results, by name and version. Results do not depend on them.
 * The strings are never freed. */
typedef struct fmix_engine {
    const char *fftw, *mpfr;
    const char *kernels; /* the instruction set of the inner loops: the best this machine has */
} fmix_engine;

FMIX_API void fmix_context_engine(const fmix_context *context, fmix_engine *out);

/* A new shape starts with a transform plan that FFTW estimates. Once its transforms have taken some
 * 20 ms, a measured plan is worth the time that measuring takes. fmix_context_tune measures one
 * such shape in two ways, each in at most about `seconds` (0.3 is enough for 512x512). Plans for
 * new shapes wait meanwhile. Call it from a thread that has time until *more is false, and again
 * later: a shape for which time ran out, as where other threads have the processors, is tried five
 * times. *tuned: a shape was measured. Measuring does not change any bit of any result. */
FMIX_API fmix_status fmix_context_tune(fmix_context *context, double seconds, bool *tuned,
                                       bool *more);

/* Measurements belong to the process. Export returns them as text, which the caller frees with
 * free(). Import reads such text back, on the same machine with the same FFTW, and adds it to what
 * there is. FMIX_ERROR_RANGE: FFTW does not accept the text, or it is 1 MiB and more with what
 * there is. Nor are measurements kept beyond that, which is some hundred shapes. */
FMIX_API fmix_status fmix_wisdom_export(char **text);
FMIX_API fmix_status fmix_wisdom_import(const char *text);

/* Working memory of one thread. A scratch grows to the size that the largest shape so far needed,
 * and keeps its memory until fmix_scratch_trim, which frees all but 20 MiB at most. A scratch may
 * serve any number of plans, one after the other. */
typedef struct fmix_scratch fmix_scratch;

FMIX_API fmix_status fmix_scratch_new(fmix_scratch **out);
FMIX_API void fmix_scratch_free(fmix_scratch *scratch);
FMIX_API void fmix_scratch_trim(fmix_scratch *scratch);

/* Sets a function that can cancel work. Deciding a close call can take long, on large shapes at
 * high delta: at 4096x4096 19 s in double-double, and minutes where MPFR has to decide. While a
 * call with this scratch does so, it calls `cancelled` about every millisecond, and more seldom
 * while it sorts more than some thousand contested pixels (seconds for 2^23, as in the band of a
 * thin soft mask, or with an official spectrum whose last side is 1); if `cancelled` returns true,
 * the call ends with FMIX_ERROR_CANCELLED. NULL: work is never cancelled. */
FMIX_API void fmix_scratch_watch(fmix_scratch *scratch, bool (*cancelled)(void *user), void *user);

/* All that a mask depends on, besides t. */
typedef struct fmix_recipe {
    uint64_t seed;
    fmix_method method;
    fmix_shape shape;  /* sides of the mask; for methods without, spatial sides of a sample */
    double alpha;      /* lambda ~ Beta(alpha, alpha); ignored if lambda_given */
    double delta;      /* decay power of the spectrum; FMix only */
    bool lambda_given; /* every row has `lambda`, rounded as STREAM §2 says */
    double lambda;     /* 0 .. 1 */
    bool reformulate;  /* lambda ~ Beta(alpha + 1, alpha); not with lambda_given */
    bool scope_batch;  /* every row of a batch has the t of the batch's first row */
    fmix_frequency frequency;
    fmix_box box;
    fmix_spectrum spectrum;
    double soft; /* 0 .. 0.5: the share of elements on each side of FMix's edge whose weights
                    fall evenly from 1 to 0; 0 is a hard edge */
} fmix_recipe;

/* A checked recipe with its stream keys: cheap to make, and immutable. */
typedef struct fmix_plan fmix_plan;

/* FMIX_ERROR_RANGE: a number of the recipe is outside its range. The recipe is copied. */
FMIX_API fmix_status fmix_plan_new(fmix_context *context, const fmix_recipe *recipe,
                                   fmix_plan **out);
FMIX_API void fmix_plan_free(fmix_plan *plan);

/* True if all that the next mask needs is cached. */
FMIX_API bool fmix_plan_is_warm(const fmix_plan *plan);

/* Estimated nanoseconds of one core for one mask or, for methods without masks, for one row's
 * lambda. */
FMIX_API double fmix_plan_mask_cost(const fmix_plan *plan);

/* Bytes of working memory that one thread needs while it draws masks of this plan. */
FMIX_API uint64_t fmix_plan_memory(const fmix_plan *plan);

/* The numbers of one row of a batch, without its pixels: STREAM §2, §3 (k), §4 (the box). */
typedef struct fmix_row {
    uint64_t lambda;         /* L */
    uint64_t ones;           /* ones in the mask; 0 for methods without masks */
    double lambda_effective; /* weight of the row's own label: ones/elements of a mask; lambda for
                                mixup, bc and bcplus; 1 for samplepairing and none */
    double weight; /* weight of the row's own data, for methods without masks: lambda; 1/2 for
                      samplepairing; 1 for none; for bcplus the r of STREAM §8 */
    uint32_t box_start[3]; /* CutMix: the box of zeros after clipping */
    uint32_t box_size[3];  /* 0 along any side: no box */
} fmix_row;

FMIX_API fmix_status fmix_plan_row(const fmix_plan *plan, uint64_t t, fmix_row *out);

/* The t of a row in a batch whose first row has t = index: index + row, or index if scope_batch.
 * index + row must not pass 2^64-1 either way. */
FMIX_API uint64_t fmix_plan_sample(const fmix_plan *plan, uint64_t index, uint64_t row);

/* Bytes of one mask of so many elements in this type. */
FMIX_API uint64_t fmix_mask_bytes(uint64_t elements, fmix_dtype dtype);

/* Writes the masks of samples t, t+1, … t+n-1, one after the other in flat order: n *
 * fmix_mask_bytes(...) bytes. Elements are 0 and 1 in `dtype`; elements of soft masks are multiples
 * of 1/(2h-1). scope_batch has no effect. FMIX_ERROR_RANGE: the method has no masks, masks cannot
 * have the type (U8 and BITS cannot be soft), or t+n-1 passes 2^64-1. STREAM §3, §4. */
FMIX_API fmix_status fmix_plan_masks(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                                     uint64_t n, fmix_dtype dtype, void *out);

/* Writes the grey images of which FMix masks are thresholds, in the order of fmix_plan_masks:
 * levels 0 … 255 in U8, and level/255 in the floating types. FMIX_ERROR_RANGE as for masks; also
 * without a spectrum, and for BITS. STREAM §3. */
FMIX_API fmix_status fmix_plan_greys(const fmix_plan *plan, fmix_scratch *scratch, uint64_t t,
                                     uint64_t n, fmix_dtype dtype, void *out);

/* For methods without masks: writes what takes the place of the masks of rows first … first+n-1 of
 * a batch. Every element is the row's weight, so that m*a + (1-m)*b serves every method but BC+. U8
 * and BITS cannot hold the weight: every element is 1. Types and sizes are those of masks.
 * FMIX_ERROR_RANGE: the method has masks, masks cannot have the type, or a t passes 2^64-1. */
FMIX_API fmix_status fmix_plan_weights(const fmix_plan *plan, uint64_t index, uint64_t first,
                                       uint64_t n, fmix_dtype dtype, void *out);

/* Writes the pairing of a batch of n rows, 1 <= n <= FMIX_MAX_BATCH: row i is mixed with row
 * out[i]. FMIX_ERROR_RANGE: n is outside this range, or the kind is one of those that other calls
 * write. STREAM §5. */
FMIX_API fmix_status fmix_pairing(fmix_pairing_kind kind, uint64_t seed, uint64_t batch, uint32_t n,
                                  int64_t *out);

/* Writes the samples at places first … first+n-1 of a shuffled epoch. An epoch is a permutation of
 * 0 … samples-1, computed place by place, so nothing is stored. FMIX_ERROR_RANGE: samples is 0 or
 * above FMIX_MAX_SAMPLES, or first+n passes samples. STREAM §6. */
FMIX_API fmix_status fmix_shuffle(uint64_t seed, uint64_t epoch, uint64_t samples, uint64_t first,
                                  uint64_t n, uint64_t *out);

/* Light augmentation pads a sample by `crop` elements on every side, takes a window of the original
 * size, and may mirror the window along the last side. STREAM §6. */
typedef enum fmix_pad {
    FMIX_PAD_ZERO,
    FMIX_PAD_REFLECT, /* as numpy.pad: the edge is not repeated, so crop must be below each side */
} fmix_pad;

typedef struct fmix_light {
    uint32_t offset[3]; /* start of the window in the padded sample, along each side */
    bool flip;          /* the window is mirrored, if its fmix_window has flips */
} fmix_light;

/* Draws the window of sample t. FMIX_ERROR_RANGE: sides is not 1 to 3, or crop is above
 * FMIX_MAX_ELEMENTS. */
FMIX_API fmix_status fmix_light_draw(uint64_t seed, uint64_t t, unsigned sides, uint32_t crop,
                                     fmix_light *out);

/* Draws the window of a neighbour that is the partner of sample t: words 16, 17, … in the place of
 * words 0, 1, … STREAM §11. */
FMIX_API fmix_status fmix_light_draw_neighbour(uint64_t seed, uint64_t t, unsigned sides,
                                               uint32_t crop, fmix_light *out);

typedef struct fmix_window {
    fmix_shape shape;
    uint32_t crop;
    fmix_pad pad;
    bool flips; /* mirror the window if light.flip is set */
    fmix_light light;
} fmix_window;

/* Copies the window of one sample. An element has `step` bytes: with channels last, all channels of
 * an element; with channels first, call this for each channel. `from` and `out` do not overlap. */
FMIX_API void fmix_window_take(const fmix_window *window, size_t step, const void *from, void *out);

/* Chooses one of `count` methods for batch number `batch`: *choice is below count. RANDOM takes
 * `count` weights, which are not all 0 and have a sum below 2^32; ALTERNATE ignores weights.
 * FMIX_ERROR_RANGE: count is 0, or the weights are not as stated. STREAM §7. */
FMIX_API fmix_status fmix_policy(fmix_policy_kind kind, uint64_t seed, uint64_t batch,
                                 unsigned count, const uint32_t *weights, unsigned *choice);

/* The place of the channels among a sample's sides. */
typedef enum fmix_layout { FMIX_CHANNELS_FIRST, FMIX_CHANNELS_LAST } fmix_layout;

/* Transposes a matrix of elements of `size` bytes (1, 2, 4 or 8; else FMIX_ERROR_RANGE). With
 * channels as rows, this moves the channels of a sample from first to last; with channels as
 * columns, from last to first. Elements need not be aligned. `from` and `out` do not overlap. */
FMIX_API fmix_status fmix_transpose(size_t size, uint64_t rows, uint64_t columns, const void *from,
                                    void *out);

/* A batch to mix, borrowed: rows of channels * elements(recipe.shape) values each. Elements need
 * not be aligned. */
typedef struct fmix_batch {
    const void *x;
    const void *const *rows; /* the address of each row of x, or NULL; if set, x is not read */
    const void *x2;          /* NULL: row i is mixed with row pairing[i] of x; else row i of x2 */
    fmix_dtype dtype;
    fmix_dtype out_dtype; /* of the mixed rows */
    fmix_layout layout;
    uint64_t channels;      /* at least 1 */
    const int64_t *pairing; /* one entry a row: a row of x; ignored with x2 */
    uint64_t base; /* row i of the batch is row i - base of x and x2, and entry i - base of rows and
                      pairing: a buffer may hold a part of the batch */
    bool dense;    /* dense targets (STREAM §13): integers, U8 and BOOL are never interpolated.
                      out_dtype is dtype */
} fmix_batch;

/* What happens to rows before they are mixed: (v - mean) / std, or (v/255 - mean) / std for U8.
 * Each step is in float64, and the result is rounded once to a floating type. One mean and std
 * serve all channels, or each channel has its own. STREAM §8. */
typedef struct fmix_normal {
    fmix_dtype dtype, out_dtype;
    fmix_layout layout;
    unsigned count; /* entries of mean and of std: 1, or the number of channels */
    const double *mean, *std;
} fmix_normal;

/* Normalises one row of channels * elements values. FMIX_ERROR_RANGE: out_dtype is not a floating
 * type, dtype is BITS, or count is neither 1 nor channels. */
FMIX_API fmix_status fmix_normalise(const fmix_normal *how, uint64_t elements, uint64_t channels,
                                    const void *from, void *out);

/* NULL if the method can mix these types; else the reason, to follow the method's name in a
 * sentence. A method that interpolates needs a floating out_dtype for BOOL and for integers other
 * than U8, because there is nothing between two token ids. BC+ needs floats, or U8 with a floating
 * out_dtype. A soft mask interpolates. */
FMIX_API const char *fmix_method_refuses(fmix_method method, bool soft, fmix_dtype dtype,
                                         fmix_dtype out_dtype);

/* The same for dense targets (STREAM §13). A mixup, a bc or a soft mask whose lambda is given as 0
 * or 1 only copies, so it takes every type. */
FMIX_API const char *fmix_method_refuses_dense(fmix_method method, bool soft, bool lambda_given,
                                               double lambda, fmix_dtype dtype);

/* Mixes rows first … first+n-1 of the batch; row i has t = fmix_plan_sample(plan, index, i). Where
 * a mask is 0 or 1 it copies elements byte for byte, and converts them if out_dtype differs.
 * Elsewhere elements are interpolated in float64, rounded once, and every NaN becomes the canonical
 * NaN of its type. FMIX_ERROR_RANGE: fmix_method_refuses (for dense targets
 * fmix_method_refuses_dense) gives a reason, channels is 0, `first` is below batch->base, or a t
 * passes 2^64-1. STREAM §8. */
FMIX_API fmix_status fmix_plan_mix(const fmix_plan *plan, fmix_scratch *scratch,
                                   const fmix_batch *batch, uint64_t index, uint64_t first,
                                   uint64_t n, void *out);

/* Labels of a batch, borrowed: class numbers (`numbers` is true; any integer type, each below
 * `classes`) or rows of `classes` values of a floating type. Elements need not be aligned. y, y2
 * and pairing have an entry for every row of the batch, from row 0 on. */
typedef struct fmix_labels {
    const void *y, *y2; /* y2: the labels of x2, or NULL */
    fmix_dtype dtype;
    bool numbers;
    bool uncorrected; /* a mask weighs labels by lambda, not by lambda_effective */
    uint64_t classes;
    double smoothing;       /* 0 .. 1: y <- (1 - s) y + s/classes before mixing */
    const int64_t *pairing; /* one entry a row: a row of y; ignored with y2 */
} fmix_labels;

/* Writes the mixed labels of rows first … first+n-1: n * classes float32 values. FMIX_ERROR_RANGE:
 * a class number, `classes`, `smoothing` or the type is outside its range, or a t passes 2^64-1.
 * STREAM §8. */
FMIX_API fmix_status fmix_plan_labels(const fmix_plan *plan, const fmix_labels *labels,
                                      uint64_t index, uint64_t first, uint64_t n, float *out);

#ifdef __cplusplus
}
#endif

#include "fmix_rows.h"
#include "fmix_view.h"

#endif
