#include "unit.h"

#include "words.h"

static void batches_are_those_of_the_contract(void **state) {
    (void)state;
    static const int64_t offsets[] = {0, 5, 8, 16, 17, 26, 28, 35, 39, 45, 48, 53};
    static const uint64_t expected[6][2][2] = {{{2, 15}, {4, 14}}, {{7, 12}, {6, 11}},
                                               {{3, 16}, {5, 13}}, {{10, 17}, {0, 19}},
                                               {{1, 20}, {9, 21}}, {{8, 18}}};
    const fmix_bucket bucket = {
        .epoch = 1, .samples = 11, .batch = 2, .windows = 3, .shuffles = true, .offsets = offsets};
    for (uint64_t step = 0; step < 6; step++) {
        uint64_t rows, sample[2], t[2];
        assert_ok(fmix_bucket_batch(&bucket, step, &rows, sample, t));
        assert_true(rows == (step < 5 ? 2 : 1));
        for (uint64_t i = 0; i < rows; i++)
            assert_true(sample[i] == expected[step][i][0] && t[i] == expected[step][i][1]);
    }
}

enum { MOST = 400 };

typedef struct epoch {
    int64_t offsets[MOST + 1];
    uint64_t order[MOST];  /* the sample at each place */
    uint64_t places[MOST]; /* as served, one batch after the other */
    uint64_t ends[MOST];   /* of batches */
    uint64_t batches;
} epoch;

static uint64_t length_of(const epoch *e, uint64_t place) {
    uint64_t s = e->order[place];
    return (uint64_t)(e->offsets[s + 1] - e->offsets[s]);
}

static void draw_lengths(epoch *e, uint64_t n, uint64_t *random) {
    uint64_t longest = 1 + unit_random(random) % 50;
    e->offsets[0] = (int64_t)(unit_random(random) % 3);
    for (uint64_t s = 0; s < n; s++)
        e->offsets[s + 1] = e->offsets[s] + (int64_t)(unit_random(random) % longest);
}

/* STREAM §12 in long hand: picks the shortest of what is left, one by one. */
static void serve_by_definition(epoch *e, const fmix_bucket *k) {
    uint64_t n = k->samples, size = k->batch < n ? k->batch : n;
    uint64_t places = size * (k->windows < n ? k->windows : n), windows = (n + places - 1) / places;
    fmix_key key;
    assert_ok(fmix_key_derive(k->seed, FMIX_DOMAIN_BUCKET, &key));
    e->batches = 0;
    for (uint64_t m = 0; m < windows; m++) {
        uint64_t first = m * places, count = n - first < places ? n - first : places;
        uint64_t sorted[MOST], whole = count / size, order[MOST], next = 0;
        bool taken[MOST] = {false};
        uint32_t w[4];
        for (uint64_t i = 0; i < count; i++) {
            uint64_t best = count;
            for (uint64_t c = 0; c < count; c++)
                if (!taken[c] &&
                    (best == count || length_of(e, first + c) < length_of(e, first + best)))
                    best = c;
            taken[best] = true;
            sorted[i] = first + best;
        }
        for (uint64_t i = 0; i < whole; i++)
            order[i] = i;
        for (uint64_t i = whole; i-- > 1;) {
            uint64_t limit = (UINT64_C(1) << 32) / (i + 1) * (i + 1), word;
            do {
                fmix_words_block(&key, k->epoch * windows + m, next / 4, w);
                word = w[next++ % 4];
            } while (word >= limit);
            uint64_t kept = order[i], j = word % (i + 1);
            order[i] = order[j];
            order[j] = kept;
        }
        for (uint64_t q = 0; q * size < count; q++) {
            uint64_t begin = (q < whole ? order[q] : q) * size;
            uint64_t at = e->batches ? e->ends[e->batches - 1] : 0;
            uint64_t rows = count - begin < size ? count - begin : size;
            memcpy(e->places + at, sorted + begin, (size_t)rows * sizeof *sorted);
            e->ends[e->batches++] = at + rows;
        }
    }
}

static void any_epoch_is_that_of_the_definition(void **state) {
    (void)state;
    static epoch e;
    uint64_t random = 3;
    for (unsigned run = 0; run < 400; run++) {
        uint64_t n = 1 + unit_random(&random) % MOST, at = 0;
        const fmix_bucket k = {.seed = unit_random(&random),
                               .epoch = unit_random(&random) >> (run % 2 ? 12 : 62),
                               .samples = n,
                               .batch = 1 + unit_random(&random) % (run % 3 ? 20 : n + 5),
                               .windows = 1 + unit_random(&random) % (run % 5 ? 9 : n + 5),
                               .shuffles = run % 4 != 0,
                               .offsets = e.offsets};
        draw_lengths(&e, n, &random);
        for (uint64_t p = 0; p < n; p++)
            e.order[p] = p;
        if (k.shuffles)
            assert_ok(fmix_shuffle(k.seed, k.epoch, n, 0, n, e.order));
        serve_by_definition(&e, &k);
        for (uint64_t step = 0; step < e.batches; step++) {
            uint64_t rows, sample[MOST], t[MOST];
            assert_ok(fmix_bucket_batch(&k, step, &rows, sample, t));
            assert_true(rows == e.ends[step] - at);
            for (uint64_t i = 0; i < rows; i++, at++) {
                assert_true(sample[i] == e.order[e.places[at]]);
                assert_true(t[i] == k.epoch * n + e.places[at]);
            }
        }
        assert_true(at == n);
        uint64_t rows, sample[MOST], t[MOST];
        assert_int_equal(fmix_bucket_batch(&k, e.batches, &rows, sample, t), FMIX_ERROR_RANGE);
    }
}

static void every_sample_is_served_once_an_epoch_at_a_t_of_its_own(void **state) {
    (void)state;
    static epoch e;
    uint64_t random = 8;
    for (unsigned run = 0; run < 2000; run++) {
        uint64_t n = 1 + unit_random(&random) % MOST, served = 0;
        const fmix_bucket k = {.seed = run,
                               .epoch = unit_random(&random) % 1000,
                               .samples = n,
                               .batch = 1 + unit_random(&random) % (n + 3),
                               .windows = 1 + unit_random(&random) % 60,
                               .shuffles = run % 2 == 0,
                               .offsets = e.offsets};
        bool samples[MOST] = {false}, places[MOST] = {false};
        draw_lengths(&e, n, &random);
        for (uint64_t step = 0; served < n; step++) {
            uint64_t rows, sample[MOST], t[MOST];
            int64_t before = 0;
            assert_ok(fmix_bucket_batch(&k, step, &rows, sample, t));
            assert_true(rows > 0 && (rows == k.batch || served + rows == n));
            for (uint64_t i = 0; i < rows; i++, served++) {
                uint64_t s = sample[i], place = t[i] - k.epoch * n;
                int64_t length = e.offsets[s + 1] - e.offsets[s];
                assert_true(s < n && place < n && !samples[s] && !places[place]);
                assert_true(length >= before);
                samples[s] = places[place] = true;
                before = length;
            }
        }
    }
}

static const int64_t even[] = {0, 1, 2, 3, 4};

static void numbers_out_of_range_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t epoch, samples, batch, windows, step;
    } table[] = {
        {0, 0, 2, 3, 0},
        {0, FMIX_MAX_SAMPLES + 1, 2, 3, 0},
        {0, 4, 0, 3, 0},
        {0, 4, 2, 0, 0},
        {0, 4, 2, 3, 2},
        {0, 4, 9, 3, 1},
        {0, 4, 2, 3, UINT64_MAX},
        {UINT64_MAX, 4, 2, 3, 0},
        {UINT64_MAX / 4 + 1, 4, 2, 3, 0},
        {0, FMIX_MAX_SAMPLES, FMIX_MAX_BATCH + 1, 1, 0}, /* a window of too many places */
        {0, FMIX_MAX_SAMPLES, FMIX_MAX_BATCH, 2, 0},
        {0, FMIX_MAX_SAMPLES, 2, UINT64_MAX, 0},
        {0, FMIX_MAX_SAMPLES, UINT64_MAX, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const fmix_bucket k = {.epoch = table[i].epoch,
                               .samples = table[i].samples,
                               .batch = table[i].batch,
                               .windows = table[i].windows,
                               .offsets = even};
        uint64_t rows, sample[4], t[4];
        assert_int_equal(fmix_bucket_batch(&k, table[i].step, &rows, sample, t), FMIX_ERROR_RANGE);
    }
}

static void huge_batches_and_windows_are_those_of_the_set(void **state) {
    (void)state;
    const fmix_bucket k = {
        .samples = 4, .batch = UINT64_MAX, .windows = UINT64_MAX, .offsets = even};
    const fmix_bucket last = {
        .epoch = UINT64_MAX / 4, .samples = 4, .batch = 4, .windows = 1, .offsets = even};
    uint64_t rows, sample[4], t[4];
    assert_ok(fmix_bucket_batch(&k, 0, &rows, sample, t));
    assert_true(rows == 4 && sample[0] == 0 && sample[3] == 3);
    assert_ok(fmix_bucket_batch(&last, 0, &rows, sample, t));
    assert_true(t[3] == UINT64_MAX);
}

typedef struct asked {
    const int64_t *offsets;
    uint64_t bad; /* the sample whose length cannot be found */
} asked;

static fmix_status ask(const void *self, uint64_t sample, uint64_t *length) {
    const asked *a = self;
    *length = (uint64_t)(a->offsets[sample + 1] - a->offsets[sample]);
    return sample == a->bad ? FMIX_ERROR_LIBRARY : FMIX_OK;
}

static void lengths_may_be_asked_for_and_fail(void **state) {
    (void)state;
    static const int64_t offsets[] = {0, 5, 8, 16, 17, 26, 28};
    asked who = {offsets, 6};
    const fmix_bucket given = {
        .samples = 6, .batch = 2, .windows = 3, .shuffles = true, .offsets = offsets};
    fmix_bucket asking = given;
    asking.offsets = NULL;
    asking.length = ask;
    asking.self = &who;
    for (uint64_t step = 0; step < 3; step++) {
        uint64_t rows, sample[2], other[2], t[2], other_t[2];
        who.bad = 6;
        assert_ok(fmix_bucket_batch(&given, step, &rows, sample, t));
        assert_ok(fmix_bucket_batch(&asking, step, &rows, other, other_t));
        assert_memory_equal(other, sample, sizeof sample);
        assert_memory_equal(other_t, t, sizeof t);
        who.bad = 3;
        assert_int_equal(fmix_bucket_batch(&asking, step, &rows, other, t), FMIX_ERROR_LIBRARY);
    }
    asking.length = NULL;
    assert_int_equal(fmix_bucket_batch(&asking, 0, &(uint64_t){0}, NULL, NULL), FMIX_ERROR_RANGE);
}

RUN(T(lengths_may_be_asked_for_and_fail), T(batches_are_those_of_the_contract),
    T(any_epoch_is_that_of_the_definition),
    T(every_sample_is_served_once_an_epoch_at_a_t_of_its_own), T(numbers_out_of_range_are_refused),
    T(huge_batches_and_windows_are_those_of_the_set))
