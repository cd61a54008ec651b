/* Every call of fmix.h while its nth allocation fails, for every n. */
#include "fault.h"

#include "context.h"

#if FAULTS

enum { ROWS = 4, MOST = 1 << 16 };

/* What one call is given and what came of it. */
typedef struct bench {
    fmix_context *context;
    fmix_plan *plan;
    fmix_scratch *scratch;
    unsigned char out[MOST];
} bench;

typedef struct attempt {
    const char *name;
    fmix_recipe recipe;
    fmix_status (*call)(const struct attempt *of, bench *b);
    enum { SURE, QUICK, DIRECT, EXACT } settles; /* by which way, close calls made of all */
    fmix_dtype dtype, out_dtype;
} attempt;

/* MPFR takes its time. */
static uint64_t rows_of(const attempt *a) {
    return a->settles == EXACT ? 1 : ROWS;
}

static fmix_status masks(const attempt *a, bench *b) {
    return fmix_plan_masks(b->plan, b->scratch, 7, rows_of(a), a->dtype, b->out);
}

static fmix_status greys(const attempt *a, bench *b) {
    return fmix_plan_greys(b->plan, b->scratch, 7, rows_of(a), a->dtype, b->out);
}

static fmix_status weights(const attempt *a, bench *b) {
    return fmix_plan_weights(b->plan, 7, 0, ROWS, a->dtype, b->out);
}

static fmix_status row(const attempt *a, bench *b) {
    (void)a;
    fmix_row made;
    fmix_status status = fmix_plan_row(b->plan, 7, &made);
    memcpy(b->out, &made.lambda, sizeof made.lambda);
    memcpy(b->out + 8, &made.lambda_effective, sizeof made.lambda_effective);
    return status;
}

static fmix_status pairing(const attempt *a, bench *b) {
    (void)a;
    return fmix_pairing(FMIX_PAIRING_DERANGEMENT, 3, 7, 1000, (int64_t *)(void *)b->out);
}

static fmix_status policy(const attempt *a, bench *b) {
    const uint32_t weights_of[] = {1, 2, 3};
    (void)a;
    return fmix_policy(FMIX_POLICY_RANDOM, 3, 7, 3, weights_of, (unsigned *)(void *)b->out);
}

static const int64_t partners[ROWS] = {1, 2, 3, 0};

static fmix_status mix(const attempt *a, bench *b) {
    static double x[MOST / 8];
    const fmix_batch batch = {.x = x,
                              .dtype = a->dtype,
                              .out_dtype = a->out_dtype,
                              .layout = FMIX_CHANNELS_FIRST,
                              .channels = 3,
                              .pairing = partners};
    for (unsigned i = 0; i < MOST; i++)
        ((unsigned char *)x)[i] = (unsigned char)(i * 7 % 60);
    return fmix_plan_mix(b->plan, b->scratch, &batch, 7, 0, ROWS, b->out);
}

static fmix_status labels(const attempt *a, bench *b) {
    static const int64_t numbers[ROWS] = {0, 2, 1, 9};
    static const double rows[ROWS * 10] = {[3] = 1, [11] = 0.5, [20] = 2};
    bool are = a->dtype == FMIX_DTYPE_I64;
    const fmix_labels of = {.y = are ? (const void *)numbers : (const void *)rows,
                            .dtype = a->dtype,
                            .numbers = are,
                            .classes = 10,
                            .smoothing = 0.1,
                            .pairing = partners};
    return fmix_plan_labels(b->plan, &of, 7, 0, ROWS, (float *)(void *)b->out);
}

static const fmix_rows four = {.batch = 1, .count = ROWS, .index = 7};

/* Rows of several methods and unmixed rows: their masks, data and labels. */
static fmix_status mixer(const attempt *a, bench *b) {
    static const fmix_method methods[] = {FMIX_METHOD_CUTMIX, FMIX_METHOD_FMIX, FMIX_METHOD_MIXUP};
    static const float x[3 * 64 * ROWS], y[2 * ROWS];
    const fmix_choice choice = {
        .count = 3, .methods = methods, .by_sample = true, .prob_given = true, .prob = 0.8};
    const fmix_batch batch = {
        .x = x, .dtype = a->dtype, .out_dtype = a->out_dtype, .channels = 3, .pairing = partners};
    const fmix_labels labels_of = {
        .y = y, .dtype = FMIX_DTYPE_F32, .classes = 2, .pairing = partners};
    fmix_mixer *made = NULL;
    fmix_status status = fmix_mixer_new(b->context, &a->recipe, &choice, &made);
    if (status == FMIX_OK)
        status = fmix_mixer_masks(made, b->scratch, &four, 0, ROWS, FMIX_DTYPE_F32, b->out);
    if (status == FMIX_OK)
        status = fmix_mixer_mix(made, b->scratch, &four, &batch, 0, ROWS, b->out + MOST / 4);
    if (status == FMIX_OK)
        status = fmix_mixer_labels(made, &four, &labels_of, 0, ROWS,
                                   (float *)(void *)(b->out + MOST / 2));
    fmix_mixer_free(made);
    return status;
}

static fmix_status pairing_by_class(const attempt *a, bench *b) {
    static const int64_t classes[ROWS] = {0, 2, 1, 2};
    (void)a;
    return fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 3, &four, FMIX_DTYPE_I64, classes, 3,
                                 (int64_t *)(void *)b->out);
}

static fmix_status bucket(const attempt *a, bench *b) {
    static int64_t offsets[1001];
    const fmix_bucket of = {
        .samples = 1000, .batch = 8, .windows = 50, .shuffles = true, .offsets = offsets};
    (void)a;
    for (int64_t i = 0; i < 1000; i++)
        offsets[i + 1] = offsets[i] + i % 17;
    uint64_t *numbers = (uint64_t *)(void *)b->out;
    return fmix_bucket_batch(&of, 60, numbers, numbers + 1, numbers + 9);
}

static fmix_status resizing(const attempt *a, bench *b) {
    static const unsigned char pixels[30 * 40 * 3] = {[100] = 200, [2000] = 70};
    const fmix_picture picture = {{0, 0, 30, 40}, pixels, 40 * 3};
    const fmix_view_recipe recipe = {
        .height = 50, .width = 20, .area = {0.25, 1}, .ratio = {1, 2}, .flips = true};
    fmix_view view;
    (void)a;
    fmix_status status = fmix_view_draw(&recipe, 1, 7, false, 30, 40, &view);
    if (status == FMIX_OK)
        status = fmix_resize(b->scratch, &view, FMIX_FILTER_BICUBIC, 3, &picture, b->out);
    if (status == FMIX_OK)
        status =
            fmix_resize(b->scratch, &view, FMIX_FILTER_NEAREST, 3, &picture, b->out + MOST / 2);
    return status;
}

#define FMIX(power, ...)                                                                           \
    { .method = FMIX_METHOD_FMIX, .alpha = 1, .delta = power, __VA_ARGS__ }
#define OTHER(m)                                                                                   \
    { .method = FMIX_METHOD_##m, .shape = {2, {6, 8}}, .alpha = 1 }
#define SMALL    .shape = {2, {4, 4}}
#define SQUARE   .shape = {2, {8, 8}}
#define OFFICIAL .shape = {2, {8, 9}}, .spectrum = FMIX_SPECTRUM_OFFICIAL

static const attempt attempts[] = {
    {"masks", FMIX(3, SQUARE), masks, SURE, FMIX_DTYPE_F32, 0},
    {"masks of bits", FMIX(3, SQUARE), masks, SURE, FMIX_DTYPE_BITS, 0},
    {"masks of voxels", FMIX(3, .shape = {3, {4, 5, 6}}), masks, SURE, FMIX_DTYPE_F16, 0},
    {"masks, close", FMIX(3, SMALL), masks, QUICK, FMIX_DTYPE_U8, 0},
    {"masks, closer", FMIX(3, SMALL), masks, DIRECT, FMIX_DTYPE_U8, 0},
    {"masks, very close", FMIX(3, SMALL), masks, EXACT, FMIX_DTYPE_U8, 0},
    {"masks, thin", FMIX(10, .shape = {2, {4, 256}}), masks, SURE, FMIX_DTYPE_U8, 0},
    {"official masks", FMIX(3, OFFICIAL), masks, SURE, FMIX_DTYPE_F64, 0},
    {"official masks, very close",
     FMIX(3, .shape = {2, {3, 4}}, .spectrum = FMIX_SPECTRUM_OFFICIAL), masks, EXACT,
     FMIX_DTYPE_F64, 0},
    {"soft masks", FMIX(3, SQUARE, .soft = 0.3), masks, SURE, FMIX_DTYPE_F64, 0},
    {"soft masks, close", FMIX(3, SMALL, .soft = 0.3), masks, DIRECT, FMIX_DTYPE_F32, 0},
    {"soft masks, very close", FMIX(3, SMALL, .soft = 0.3), masks, EXACT, FMIX_DTYPE_F32, 0},
    {"cutmix masks", OTHER(CUTMIX), masks, SURE, FMIX_DTYPE_F32, 0},
    {"greys", FMIX(3, SQUARE), greys, SURE, FMIX_DTYPE_U8, 0},
    {"greys, close", FMIX(3, SMALL), greys, QUICK, FMIX_DTYPE_F32, 0},
    {"greys, closer", FMIX(3, SMALL), greys, DIRECT, FMIX_DTYPE_F32, 0},
    {"greys, very close", FMIX(3, SMALL), greys, EXACT, FMIX_DTYPE_F32, 0},
    {"official greys", FMIX(3, OFFICIAL), greys, SURE, FMIX_DTYPE_U8, 0},
    {"weights", OTHER(MIXUP), weights, SURE, FMIX_DTYPE_F32, 0},
    {"row", OTHER(MIXUP), row, SURE, 0, 0},
    {"mixed by masks", FMIX(3, SQUARE), mix, SURE, FMIX_DTYPE_U8, FMIX_DTYPE_U8},
    {"mixed and converted", FMIX(3, SQUARE), mix, SURE, FMIX_DTYPE_U8, FMIX_DTYPE_F32},
    {"mixed softly", FMIX(3, SQUARE, .soft = 0.2), mix, SURE, FMIX_DTYPE_F32, FMIX_DTYPE_F32},
    {"mixed by cutmix", OTHER(CUTMIX), mix, SURE, FMIX_DTYPE_I16, FMIX_DTYPE_F64},
    {"mixed by mixup", OTHER(MIXUP), mix, SURE, FMIX_DTYPE_F32, FMIX_DTYPE_F16},
    {"mixed by bc", OTHER(BC), mix, SURE, FMIX_DTYPE_F64, FMIX_DTYPE_F64},
    {"mixed by bcplus", OTHER(BCPLUS), mix, SURE, FMIX_DTYPE_U8, FMIX_DTYPE_F32},
    {"mixed by samplepairing", OTHER(SAMPLEPAIRING), mix, SURE, FMIX_DTYPE_U8, FMIX_DTYPE_U8},
    {"mixed by none", OTHER(NONE), mix, SURE, FMIX_DTYPE_F64, FMIX_DTYPE_F32},
    {"labels of numbers", FMIX(3, SQUARE), labels, SURE, FMIX_DTYPE_I64, 0},
    {"labels of floats", OTHER(BCPLUS), labels, SURE, FMIX_DTYPE_F64, 0},
    {"pairing", FMIX(3, SQUARE), pairing, SURE, 0, 0},
    {"policy", FMIX(3, SQUARE), policy, SURE, 0, 0},
    {"mixer", FMIX(3, SQUARE), mixer, SURE, FMIX_DTYPE_F32, FMIX_DTYPE_F32},
    {"mixer that converts", FMIX(3, SQUARE, .soft = 0.2), mixer, SURE, FMIX_DTYPE_F32,
     FMIX_DTYPE_F64},
    {"pairing by class", FMIX(3, SQUARE), pairing_by_class, SURE, 0, 0},
    {"bucket", FMIX(3, SQUARE), bucket, SURE, 0, 0},
    {"resized views", FMIX(3, SQUARE), resizing, SURE, 0, 0},
};
#define ATTEMPTS (sizeof attempts / sizeof *attempts)

static fmix_status begin(const attempt *a, bench *b) {
    fmix_status status = fmix_context_new(1 << 20, &b->context);
    if (status == FMIX_OK)
        status = fmix_scratch_new(&b->scratch);
    if (status == FMIX_OK && a->settles)
        b->context->hooks = (fmix_hooks){
            .widen = 0x1p40, .no_quick = a->settles == DIRECT, .no_direct = a->settles == EXACT};
    if (status == FMIX_OK)
        status = fmix_plan_new(b->context, &a->recipe, &b->plan);
    return status;
}

static void end(bench *b) {
    fmix_plan_free(b->plan);
    fmix_scratch_free(b->scratch);
    fmix_context_free(b->context);
    b->plan = NULL;
    b->scratch = NULL;
    b->context = NULL;
}

/* All from the context on, or with that given, a call on what is there: cold, or warm. */
static void check(const attempt *a, bool warm, bool whole) {
    static bench b, right;
    unsigned long n = 0;
    bool fired = true;
    memset(right.out, 0, sizeof right.out);
    assert_ok(begin(a, &right));
    assert_ok(a->call(a, &right));
    fmix_counters c;
    fmix_context_counters(right.context, &c);
    assert_true(a->settles != QUICK || c.settled_quick > 0);
    assert_true(a->settles != DIRECT || c.settled_direct > 0);
    assert_true(a->settles != EXACT || c.settled_exact > 0);
    end(&right);
    while (fired) {
        long live = fault_live();
        memset(b.out, 0, sizeof b.out);
        n = fault_after(n);
        fmix_status status = FMIX_OK;
        if (whole)
            fault_arm(n);
        status = begin(a, &b);
        if (status == FMIX_OK && warm)
            status = a->call(a, &b);
        if (!whole) {
            assert_ok(status);
            fault_arm(n);
        }
        if (status == FMIX_OK)
            status = a->call(a, &b);
        fired = fault_disarm();
        /* Sorting takes another way where glibc's qsort gets no memory. */
        bool good = status == FMIX_OK ? memcmp(b.out, right.out, MOST) == 0
                                      : fired && status == FMIX_ERROR_MEMORY;
        /* What failed is whole again. */
        if (!b.plan)
            end(&b);
        if (!b.plan)
            good = good && begin(a, &b) == FMIX_OK;
        good = good && a->call(a, &b) == FMIX_OK && memcmp(b.out, right.out, MOST) == 0;
        end(&b);
        if (!good || fault_live() != live) {
            fault_tell(a->name, n);
            fail_msg("%s, %s, allocation %lu: %s, %ld allocations left", a->name,
                     warm ? "warm" : "cold", n, fmix_status_text(status), fault_live() - live);
        }
    }
    if (whole)
        assert_true(n > 3); /* context, cache and plan at least */
}

static void each_call_reports_failed_allocations_and_leaks_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        check(&attempts[i], false, true);
        check(&attempts[i], false, false);
        check(&attempts[i], true, false);
    }
}

#else

static void each_call_reports_failed_allocations_and_leaks_nothing(void **state) {
    (void)state;
    FAULT_OR_SKIP;
}

#endif

RUN(T(each_call_reports_failed_allocations_and_leaks_nothing))
