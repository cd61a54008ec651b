#include "unit.h"

#include "words.h"

static const uint64_t known[8] = {0, 0, 1, 1, 2, 0, 1, 2};

static void partners_are_those_of_the_contract(void **state) {
    (void)state;
    static const uint8_t classes[8] = {0, 0, 1, 1, 2, 0, 1, 2};
    static const int64_t other[8] = {4, 3, 0, 0, 0, 2, 5, 5}, same[8] = {5, 0, 3, 6, 7, 0, 2, 4};
    static const uint64_t neighbours[8] = {2, 1, 0, 0, 2, 0, 3, 4};
    const fmix_rows rows = {.count = 8};
    int64_t p[8];
    assert_ok(
        fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 0, &rows, FMIX_DTYPE_U8, classes, 3, p));
    assert_memory_equal(p, other, sizeof p);
    assert_ok(
        fmix_pairing_by_class(FMIX_PAIRING_SAME_CLASS, 0, &rows, FMIX_DTYPE_U8, classes, 3, p));
    assert_memory_equal(p, same, sizeof p);
    for (uint64_t t = 0; t < 8; t++) {
        uint64_t j = 99;
        assert_ok(fmix_neighbour(0, t, 5, &j));
        assert_true(j == neighbours[t]);
    }
}

/* A number below m by STREAM §5 in long hand, from words of domain 10. */
static uint64_t below(uint64_t seed, uint64_t t, uint64_t m) {
    fmix_key key;
    uint64_t whole = (UINT64_C(1) << 32) / m * m;
    assert_ok(fmix_key_derive(seed, FMIX_DOMAIN_PARTNER, &key));
    for (uint64_t next = 0;; next++) {
        uint32_t w[4];
        fmix_words_block(&key, t, next / 4, w);
        if (w[next % 4] < whole)
            return w[next % 4] % m;
    }
}

/* STREAM §11 in long hand: candidates are counted one by one. */
static int64_t partner_of(bool same, uint64_t seed, const fmix_rows *rows, const int64_t *classes,
                          uint64_t i) {
    uint64_t t = rows->t ? rows->t[i] : rows->index + i, candidates = 0;
    for (uint64_t r = 0; r < rows->count; r++)
        candidates += r != i && (classes[r] == classes[i]) == same;
    if (candidates == 0)
        return (int64_t)i;
    uint64_t j = below(seed, t, candidates), met = 0;
    for (uint64_t r = 0;; r++)
        if (r != i && (classes[r] == classes[i]) == same && met++ == j)
            return (int64_t)r;
}

enum { MOST = 200 };

static void draw_classes(uint64_t *random, uint64_t n, uint64_t count, int64_t *classes,
                         uint64_t *t) {
    for (uint64_t i = 0; i < n; i++) {
        classes[i] = (int64_t)(unit_random(random) % count);
        t[i] = unit_random(random);
    }
}

static void every_partner_is_the_candidate_that_counting_finds(void **state) {
    (void)state;
    uint64_t random = 11;
    for (unsigned run = 0; run < 300; run++) {
        uint64_t n = 1 + unit_random(&random) % MOST, count = 1 + unit_random(&random) % (n + 3);
        int64_t classes[MOST], p[MOST];
        uint64_t t[MOST];
        draw_classes(&random, n, count, classes, t);
        const fmix_rows rows = {
            .count = n, .index = unit_random(&random) >> 1, .t = run % 2 ? t : NULL};
        for (int same = 0; same < 2; same++) {
            assert_ok(
                fmix_pairing_by_class(same ? FMIX_PAIRING_SAME_CLASS : FMIX_PAIRING_OTHER_CLASS,
                                      run, &rows, FMIX_DTYPE_I64, classes, count, p));
            for (uint64_t i = 0; i < n; i++)
                assert_true(p[i] == partner_of(same, run, &rows, classes, i));
        }
    }
}

static void other_class_never_meets_its_class_and_same_class_always_does(void **state) {
    (void)state;
    uint64_t random = 5, alone = 0;
    for (unsigned run = 0; run < 2000; run++) {
        uint64_t n = 1 + unit_random(&random) % MOST, count = 1 + unit_random(&random) % 40;
        int64_t classes[MOST], other[MOST], same[MOST];
        uint64_t t[MOST], members[40] = {0};
        draw_classes(&random, n, count, classes, t);
        const fmix_rows rows = {.count = n, .t = t};
        for (uint64_t i = 0; i < n; i++)
            members[classes[i]]++;
        assert_ok(fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, run, &rows, FMIX_DTYPE_I64,
                                        classes, count, other));
        assert_ok(fmix_pairing_by_class(FMIX_PAIRING_SAME_CLASS, run, &rows, FMIX_DTYPE_I64,
                                        classes, count, same));
        for (uint64_t i = 0; i < n; i++) {
            bool of_one = members[classes[i]] == n, single = members[classes[i]] == 1;
            assert_true(of_one ? other[i] == (int64_t)i : classes[other[i]] != classes[i]);
            assert_true(classes[same[i]] == classes[i] && (same[i] == (int64_t)i) == single);
            alone += of_one + single;
        }
    }
    assert_true(alone > 100); /* rows without candidates did occur */
}

static void every_integer_type_holds_classes(void **state) {
    (void)state;
    static const fmix_dtype types[] = {FMIX_DTYPE_I8, FMIX_DTYPE_U8, FMIX_DTYPE_I16, FMIX_DTYPE_I32,
                                       FMIX_DTYPE_I64};
    const fmix_rows rows = {.count = 8, .index = 3};
    int64_t expected[8], p[8];
    assert_ok(fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 1, &rows, FMIX_DTYPE_I64, known, 3,
                                    expected));
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        unsigned char classes[64];
        size_t size = (size_t)fmix_dtype_bytes(types[k]);
        for (size_t i = 0; i < 8; i++) {
            const int8_t byte = (int8_t)known[i];
            const int16_t half = (int16_t)known[i];
            const int32_t word = (int32_t)known[i];
            memcpy(classes + i * size,
                   size == 1   ? (const void *)&byte
                   : size == 2 ? (const void *)&half
                   : size == 4 ? (const void *)&word
                               : (const void *)&known[i],
                   size);
        }
        assert_ok(
            fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 1, &rows, types[k], classes, 3, p));
        assert_memory_equal(p, expected, sizeof p);
    }
}

static void every_candidate_is_equally_likely(void **state) {
    (void)state;
    enum { N = 7, BATCHES = 20000 };
    static const int64_t classes[N] = {0, 1, 0, 2, 1, 0, 0};
    unsigned seen[2][N] = {{0}};
    double chi[2] = {0};
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        const fmix_rows rows = {.count = N, .index = batch * N};
        int64_t p[N];
        assert_ok(fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 3, &rows, FMIX_DTYPE_I64, classes,
                                        3, p));
        seen[0][p[2]]++;
        assert_ok(fmix_pairing_by_class(FMIX_PAIRING_SAME_CLASS, 3, &rows, FMIX_DTYPE_I64, classes,
                                        3, p));
        seen[1][p[2]]++;
    }
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N; i++)
            if (seen[k][i])
                chi[k] +=
                    (seen[k][i] - BATCHES / 3.0) * (seen[k][i] - BATCHES / 3.0) / (BATCHES / 3.0);
    assert_true(chi[0] < 13.82 && chi[1] < 13.82); /* upper 0.1 %, 2 degrees of freedom */
}

static void classes_kinds_and_sizes_out_of_range_are_refused(void **state) {
    (void)state;
    static const int64_t classes[4] = {0, 1, 2, 1}, negative[4] = {0, -1, 2, 1};
    static const float real[4] = {0, 1, 2, 1};
    static const struct {
        fmix_pairing_kind kind;
        fmix_rows rows;
        fmix_dtype dtype;
        const void *classes;
        uint64_t count;
    } table[] = {
        {FMIX_PAIRING_NEIGHBOUR, {.count = 4}, FMIX_DTYPE_I64, classes, 3},
        {FMIX_PAIRING_PERMUTATION, {.count = 4}, FMIX_DTYPE_I64, classes, 3},
        {FMIX_PAIRING_SAME_CLASS, {.count = 0}, FMIX_DTYPE_I64, classes, 3},
        {FMIX_PAIRING_SAME_CLASS, {.count = FMIX_MAX_BATCH + 1}, FMIX_DTYPE_I64, classes, 3},
        {FMIX_PAIRING_SAME_CLASS,
         {.count = 4, .index = UINT64_MAX - 2},
         FMIX_DTYPE_I64,
         classes,
         3},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_I64, classes, 2},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_I64, negative, 3},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_I64, classes, 0},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_I64, classes, FMIX_MAX_CLASSES + 1},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_F32, real, 3},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPE_BITS, classes, 3},
        {FMIX_PAIRING_SAME_CLASS, {.count = 4}, FMIX_DTYPES, classes, 3},
    };
    int64_t p[4];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(fmix_pairing_by_class(table[i].kind, 0, &table[i].rows, table[i].dtype,
                                               table[i].classes, table[i].count, p),
                         FMIX_ERROR_RANGE);
    const fmix_rows last = {.count = 4, .index = UINT64_MAX - 3};
    assert_ok(
        fmix_pairing_by_class(FMIX_PAIRING_SAME_CLASS, 0, &last, FMIX_DTYPE_I64, classes, 3, p));
}

static void a_neighbour_is_drawn_below_any_k_and_never_out_of_none(void **state) {
    (void)state;
    static const uint64_t ks[] = {1, 2, 5, 1000003, UINT64_C(0x80000001), UINT32_MAX};
    uint64_t j;
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
        for (uint64_t t = 0; t < 200; t++) {
            assert_ok(fmix_neighbour(9, t << 40 | t, ks[i], &j));
            assert_true(j == below(9, t << 40 | t, ks[i]));
        }
    assert_int_equal(fmix_neighbour(0, 0, 0, &j), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_neighbour(0, 0, UINT64_C(1) << 32, &j), FMIX_ERROR_RANGE);
}

static void a_million_rows_of_a_large_class_find_others(void **state) {
    (void)state;
    enum { N = 1 << 20 };
    int64_t *classes = malloc(N * sizeof *classes), *p = malloc(N * sizeof *p);
    assert_true(classes && p);
    const fmix_rows rows = {.count = N};
    for (int64_t i = 0; i < N; i++)
        classes[i] = i % 3 ? 0 : i % FMIX_MAX_CLASSES;
    assert_ok(fmix_pairing_by_class(FMIX_PAIRING_OTHER_CLASS, 0, &rows, FMIX_DTYPE_I64, classes,
                                    FMIX_MAX_CLASSES, p));
    for (int64_t i = 0; i < N; i++)
        assert_true(classes[p[i]] != classes[i]);
    free(classes);
    free(p);
}

RUN(T(partners_are_those_of_the_contract), T(every_partner_is_the_candidate_that_counting_finds),
    T(other_class_never_meets_its_class_and_same_class_always_does),
    T(every_integer_type_holds_classes), T(every_candidate_is_equally_likely),
    T(classes_kinds_and_sizes_out_of_range_are_refused),
    T(a_neighbour_is_drawn_below_any_k_and_never_out_of_none),
    T(a_million_rows_of_a_large_class_find_others))
