#include "unit.h"

static unsigned choice_of(fmix_policy_kind kind, uint64_t batch, unsigned count,
                          const uint32_t *weights) {
    unsigned choice = 99;
    assert_ok(fmix_policy(kind, 5, batch, count, weights, &choice));
    assert_true(choice < count);
    return choice;
}

static void alternate_takes_turns_from_the_batch_number_alone(void **state) {
    (void)state;
    for (uint64_t batch = 0; batch < 20; batch++)
        assert_int_equal(choice_of(FMIX_POLICY_ALTERNATE, batch, 3, NULL), batch % 3);
    assert_int_equal(choice_of(FMIX_POLICY_ALTERNATE, UINT64_MAX, 2, NULL), 1);
}

static void random_follows_its_weights(void **state) {
    (void)state;
    enum { N = 40000 };
    static const uint32_t weights[] = {1, 0, 5, 2};
    unsigned seen[4] = {0};
    for (uint64_t batch = 0; batch < N; batch++)
        seen[choice_of(FMIX_POLICY_RANDOM, batch, 4, weights)]++;
    assert_int_equal(seen[1], 0);
    for (int i = 0; i < 4; i++) /* five standard deviations are at most 500 */
        assert_true(labs((long)seen[i] - (long)(N / 8 * weights[i])) < 500);
}

static void a_weight_of_all_or_nothing_is_obeyed(void **state) {
    (void)state;
    static const uint32_t first[] = {7, 0}, last[] = {0, UINT32_MAX};
    for (uint64_t batch = 0; batch < 1000; batch++) {
        assert_int_equal(choice_of(FMIX_POLICY_RANDOM, batch, 2, first), 0);
        assert_int_equal(choice_of(FMIX_POLICY_RANDOM, batch, 2, last), 1);
    }
}

static void invalid_weights_are_refused(void **state) {
    (void)state;
    static const uint32_t none[] = {0, 0}, many[] = {UINT32_MAX, 1};
    unsigned choice;
    assert_int_equal(fmix_policy(FMIX_POLICY_RANDOM, 0, 0, 2, none, &choice), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_policy(FMIX_POLICY_RANDOM, 0, 0, 2, many, &choice), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_policy(FMIX_POLICY_ALTERNATE, 0, 0, 0, NULL, &choice), FMIX_ERROR_RANGE);
}

RUN(T(alternate_takes_turns_from_the_batch_number_alone), T(random_follows_its_weights),
    T(a_weight_of_all_or_nothing_is_obeyed), T(invalid_weights_are_refused))
