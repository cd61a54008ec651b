#include "unit.h"

#include "words.h"

static void pairing_is_that_of_the_contract(void **state) {
    (void)state;
    static const int64_t expected[] = {3, 0, 4, 2, 7, 5, 6, 1};
    int64_t p[8];
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 1, 0, 8, p));
    assert_memory_equal(p, expected, sizeof p);
}

/* Whether each of 0 … n-1 occurs once. */
static bool is_permutation(const int64_t *p, uint32_t n) {
    unsigned char *met = calloc(n, 1);
    assert_non_null(met);
    bool is = true;
    for (uint32_t i = 0; i < n && is; i++)
        is = p[i] >= 0 && p[i] < (int64_t)n && !met[p[i]]++;
    free(met);
    return is;
}

static void pairing_is_a_permutation_of_any_size(void **state) {
    (void)state;
    static const uint64_t batches[] = {0, 1, 2, 12345, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    int64_t p[51];
    for (uint32_t n = 1; n <= 50; n++)
        for (uint64_t seed = 0; seed < 20; seed++)
            for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
                p[n] = -7;
                assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, seed ? ~UINT64_C(0) / seed : 0,
                                       batches[b], n, p));
                assert_true(is_permutation(p, n));
                assert_true(p[n] == -7);
            }
}

/* STREAM §5 in long hand. Returns how many words were passed over. */
static unsigned pairing_by_definition(uint64_t seed, uint64_t batch, uint32_t n, int64_t *p) {
    fmix_key key;
    uint32_t w[4] = {0};
    uint64_t next = 0;
    unsigned passed = 0;
    assert_ok(fmix_key_derive(seed, FMIX_DOMAIN_PAIRING, &key));
    for (uint32_t i = 0; i < n; i++)
        p[i] = i;
    for (uint32_t i = n - 1; i >= 1; i--) {
        uint64_t m = (uint64_t)i + 1, whole = (UINT64_C(1) << 32) / m * m;
        for (;;) {
            if (next % 4 == 0)
                fmix_words_block(&key, batch, next / 4, w);
            if (w[next++ % 4] < whole)
                break;
            passed++;
        }
        uint32_t j = (uint32_t)(w[(next - 1) % 4] % m);
        int64_t kept = p[i];
        p[i] = p[j];
        p[j] = kept;
    }
    return passed;
}

static void large_pairings_pass_over_words_as_the_contract_says(void **state) {
    (void)state;
    enum { N = 1000000 };
    int64_t *p = malloc(N * sizeof *p), *expected = malloc(N * sizeof *expected);
    assert_true(p && expected);
    assert_true(pairing_by_definition(3, 77, N, expected) > 10); /* some 58 expected */
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 3, 77, N, p));
    assert_memory_equal(p, expected, N * sizeof *p);
    assert_true(is_permutation(p, N));
    free(p);
    free(expected);
}

static double chi_squared(const unsigned *seen, size_t cells, double mean) {
    double sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += (seen[i] - mean) * (seen[i] - mean) / mean;
    return sum;
}

static void every_partner_and_every_permutation_is_equally_likely(void **state) {
    (void)state;
    enum { N = 5, BATCHES = 20000, ORDERS = 120 };
    unsigned partners[N][N] = {{0}}, orders[ORDERS] = {0};
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        int64_t p[N];
        unsigned order = 0;
        assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 17, batch, N, p));
        for (unsigned i = 0; i < N; i++) {
            unsigned larger = 0;
            for (unsigned j = i + 1; j < N; j++)
                larger += p[j] > p[i];
            order = order * (N - i) + larger; /* each permutation a number of its own */
            partners[i][p[i]]++;
        }
        orders[order]++;
    }
    /* upper 0.1 % points with 4 and 119 degrees of freedom */
    for (int i = 0; i < N; i++)
        assert_true(chi_squared(partners[i], N, (double)BATCHES / N) < 18.47);
    assert_true(chi_squared(orders, ORDERS, (double)BATCHES / ORDERS) < 172.6);
}

static void pairing_depends_on_seed_and_batch_alone(void **state) {
    (void)state;
    int64_t first[64], again[64];
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 5, 6, 64, first));
    for (int i = 0; i < 100; i++) {
        assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, (uint64_t)i, 99, 40,
                               again)); /* other calls between leave no trace */
        assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 5, 6, 64, again));
        assert_memory_equal(first, again, sizeof first);
    }
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 6, 5, 64, again));
    assert_memory_not_equal(first, again, sizeof first);
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 5, 7, 64, again));
    assert_memory_not_equal(first, again, sizeof first);
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 5, 6 + (UINT64_C(1) << 32), 64, again));
    assert_memory_not_equal(first, again, sizeof first);
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 5 + (UINT64_C(1) << 32), 6, 64, again));
    assert_memory_not_equal(first, again, sizeof first);
}

static void no_rows_and_too_many_are_refused(void **state) {
    (void)state;
    int64_t p[1] = {-7};
    assert_int_equal(fmix_pairing(FMIX_PAIRING_PERMUTATION, 1, 0, 0, p), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_pairing(FMIX_PAIRING_PERMUTATION, 1, 0, FMIX_MAX_BATCH + 1, p),
                     FMIX_ERROR_RANGE);
    assert_int_equal(fmix_pairing(FMIX_PAIRING_PERMUTATION, 1, 0, UINT32_MAX, p), FMIX_ERROR_RANGE);
    assert_true(p[0] == -7);
    assert_ok(fmix_pairing(FMIX_PAIRING_PERMUTATION, 1, 0, 1, p));
    assert_true(p[0] == 0);
}

static void a_derangement_is_one_cycle_so_no_row_is_its_own_partner(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= 60; n++)
        for (uint64_t batch = 0; batch < 20; batch++) {
            int64_t p[60], at = 0;
            assert_ok(fmix_pairing(FMIX_PAIRING_DERANGEMENT, 9, batch, n, p));
            for (uint32_t step = 1; step < n; step++) {
                at = p[at];
                assert_true(at != 0);
            }
            assert_true(p[at] == 0);
        }
}

static void flip_roll_and_none_are_what_they_say(void **state) {
    (void)state;
    static const struct {
        fmix_pairing_kind kind;
        int64_t expected[5];
    } table[] = {{FMIX_PAIRING_FLIP, {4, 3, 2, 1, 0}},
                 {FMIX_PAIRING_ROLL, {4, 0, 1, 2, 3}},
                 {FMIX_PAIRING_NONE, {0, 1, 2, 3, 4}}};
    for (int i = 0; i < 3; i++) {
        int64_t p[5], alone;
        assert_ok(fmix_pairing(table[i].kind, 1, 2, 5, p));
        assert_memory_equal(p, table[i].expected, sizeof p);
        assert_ok(fmix_pairing(table[i].kind, 1, 2, 1, &alone));
        assert_true(alone == 0);
    }
}

RUN(T(a_derangement_is_one_cycle_so_no_row_is_its_own_partner),
    T(flip_roll_and_none_are_what_they_say), T(pairing_is_that_of_the_contract),
    T(pairing_is_a_permutation_of_any_size), T(large_pairings_pass_over_words_as_the_contract_says),
    T(every_partner_and_every_permutation_is_equally_likely),
    T(pairing_depends_on_seed_and_batch_alone), T(no_rows_and_too_many_are_refused))
