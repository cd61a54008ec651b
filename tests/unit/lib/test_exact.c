#include "unit.h"

#include "exact.h"

#include <mpfr.h>

enum { BITS = 1000 };

/* T = sqrt(2 alpha (U^(-1/alpha) - 1)) cos 2 pi V of STREAM §2; not the form exact.c works with */
static void student(mpfr_t t, uint32_t w0, uint32_t w1, double alpha) {
    mpfr_t u, power;
    mpfr_inits2(BITS, u, power, (mpfr_ptr)NULL);
    mpfr_set_ui(u, w0 + 1ul, MPFR_RNDN);
    mpfr_div_2ui(u, u, 32, MPFR_RNDN);
    mpfr_set_si(power, -1, MPFR_RNDN);
    mpfr_div_d(power, power, alpha, MPFR_RNDN);
    mpfr_pow(u, u, power, MPFR_RNDN);
    mpfr_sub_ui(u, u, 1, MPFR_RNDN);
    mpfr_mul_d(u, u, 2 * alpha, MPFR_RNDN);
    mpfr_sqrt(t, u, MPFR_RNDN);
    mpfr_const_pi(u, MPFR_RNDN);
    mpfr_mul_ui(u, u, w1, MPFR_RNDN);
    mpfr_div_2ui(u, u, 31, MPFR_RNDN);
    mpfr_cos(u, u, MPFR_RNDN);
    if (w1 % 0x80000000 == 0x40000000) /* exactly a quarter or three */
        mpfr_set_zero(u, 1);
    mpfr_mul(t, t, u, MPFR_RNDN);
    mpfr_clears(u, power, (mpfr_ptr)NULL);
}

/* L: the nearest integer to 2^32 (1/2 + T / (2 sqrt(2 alpha + T^2))) */
static uint64_t lambda_by_hand(uint32_t w0, uint32_t w1, double alpha) {
    mpfr_t t, root;
    mpfr_inits2(BITS, t, root, (mpfr_ptr)NULL);
    student(t, w0, w1, alpha);
    mpfr_sqr(root, t, MPFR_RNDN);
    mpfr_add_d(root, root, 2 * alpha, MPFR_RNDN);
    mpfr_sqrt(root, root, MPFR_RNDN);
    mpfr_div(t, t, root, MPFR_RNDN);
    mpfr_add_ui(t, t, 1, MPFR_RNDN);
    mpfr_mul_2ui(t, t, 31, MPFR_RNDN);
    mpfr_rint(t, t, MPFR_RNDN);
    uint64_t result = mpfr_get_ui(t, MPFR_RNDN);
    mpfr_clears(t, root, (mpfr_ptr)NULL);
    return result;
}

static const double alphas[] = {FMIX_ALPHA_MIN, 0.1, 0.4, 1, 2.5, 64, FMIX_ALPHA_MAX};
#define ALPHAS (sizeof alphas / sizeof *alphas)

static void lambda_is_that_of_the_contract_at_every_extreme(void **state) {
    (void)state;
    static const uint32_t u[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    static const uint32_t v[] = {0,          1,          0x20000000, 0x3fffffff, 0x40000000,
                                 0x40000001, 0x7fffffff, 0x80000000, 0x80000001, 0xbfffffff,
                                 0xc0000000, 0xc0000001, 0xffffffff};
    for (size_t a = 0; a < ALPHAS; a++)
        for (size_t i = 0; i < sizeof u / sizeof *u; i++)
            for (size_t j = 0; j < sizeof v / sizeof *v; j++)
                assert_true(fmix_exact_lambda(u[i], v[j], alphas[a]) ==
                            lambda_by_hand(u[i], v[j], alphas[a]));
    mpfr_free_cache();
}

static void lambda_is_that_of_the_contract_at_random_words(void **state) {
    (void)state;
    uint64_t random = 17;
    for (size_t i = 0; i < 200 * ALPHAS; i++) {
        uint64_t words = unit_random(&random);
        uint32_t w0 = (uint32_t)words, w1 = (uint32_t)(words >> 32);
        assert_true(fmix_exact_lambda(w0, w1, alphas[i % ALPHAS]) ==
                    lambda_by_hand(w0, w1, alphas[i % ALPHAS]));
    }
    mpfr_free_cache();
}

static void lambda_of_the_contracts_example(void **state) {
    (void)state;
    assert_true(fmix_exact_lambda(3477432570, 1082735229, 1) == 2133785041);
    assert_true(fmix_exact_lambda(UINT32_MAX, 5, 0.01) == FMIX_LAMBDA_ONE / 2);
    assert_true(fmix_exact_lambda(5, 0xc0000000, 0.01) == FMIX_LAMBDA_ONE / 2);
    mpfr_free_cache();
}

static fmix_spectrum_params params_of(fmix_shape shape, double delta) {
    return fmix_spectrum_params_of(&(fmix_recipe){.shape = shape, .delta = delta});
}

/* Many pixels against one. */
static fmix_status order_all(const fmix_field *field, uint32_t pivot, const uint32_t *pixels,
                             size_t n, int *orders) {
    fmix_pair pairs[16];
    for (size_t i = 0; i < n; i++)
        pairs[i] = (fmix_pair){pixels[i], pivot};
    return fmix_exact_orders(field, pairs, n, orders);
}

/* The contract's check mask, 3x5: 001100111001110, so seven pixels are above the other eight. */
static void orders_have_the_sign_of_the_difference(void **state) {
    (void)state;
    static const char mask[] = "001100111001110";
    fmix_key key;
    assert_ok(fmix_key_derive(0, FMIX_DOMAIN_SPECTRUM, &key));
    const fmix_spectrum_params params = params_of((fmix_shape){2, {3, 5}}, 3);
    const fmix_field field = {.params = &params, .total = 100, .key = &key};
    for (uint32_t pivot = 0; pivot < 15; pivot++) {
        uint32_t others[14];
        int orders[14];
        for (uint32_t i = 0; i < 14; i++)
            others[i] = i + (i >= pivot);
        assert_ok(order_all(&field, pivot, others, 14, orders));
        for (uint32_t i = 0; i < 14; i++)
            if (mask[others[i]] != mask[pivot])
                assert_int_equal(orders[i], mask[others[i]] - mask[pivot]);
    }
    fmix_exact_thread_end();
}

static void orders_are_antisymmetric_and_transitive(void **state) {
    (void)state;
    enum { N = 12 };
    int order[N][N];
    fmix_key key;
    assert_ok(fmix_key_derive(6, FMIX_DOMAIN_SPECTRUM, &key));
    const fmix_spectrum_params params = params_of((fmix_shape){2, {3, 4}}, 1);
    const fmix_field field = {.params = &params, .total = 100, .key = &key};
    static const uint32_t all[N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    for (uint32_t pivot = 0; pivot < N; pivot++)
        assert_ok(order_all(&field, pivot, all, N, order[pivot]));
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) {
            assert_int_equal(order[a][b], -order[b][a]);
            assert_int_equal(order[a][b] == 0, a == b);
            for (int c = 0; c < N; c++)
                if (order[a][b] > 0 && order[b][c] > 0)
                    assert_true(order[a][c] > 0);
        }
    fmix_exact_thread_end();
}

static void within_the_tolerance_is_equal(void **state) {
    (void)state;
    static const uint32_t other[] = {1};
    int order;
    fmix_key key;
    assert_ok(fmix_key_derive(0, FMIX_DOMAIN_SPECTRUM, &key));
    const fmix_spectrum_params params = params_of((fmix_shape){1, {2}}, 3);
    fmix_field field = {.params = &params, .total = 8, .key = &key, .t = 1166203367};
    assert_ok(order_all(&field, 0, other, 1, &order));
    assert_int_equal(order, 0); /* the contract's tie */
    field.t = 0;
    assert_ok(order_all(&field, 0, other, 1, &order));
    assert_int_not_equal(order, 0);
    /* That difference is between 2^-4 and 2^8: a total of 2^252 leaves it, one of 2^264 does not.
     */
    field.total = 0x1p252;
    assert_ok(order_all(&field, 0, other, 1, &order));
    assert_int_not_equal(order, 0);
    field.total = 0x1p264;
    assert_ok(order_all(&field, 0, other, 1, &order));
    assert_int_equal(order, 0);
    fmix_exact_thread_end();
}

RUN(T(lambda_is_that_of_the_contract_at_every_extreme),
    T(lambda_is_that_of_the_contract_at_random_words), T(lambda_of_the_contracts_example),
    T(orders_have_the_sign_of_the_difference), T(orders_are_antisymmetric_and_transitive),
    T(within_the_tolerance_is_equal))
