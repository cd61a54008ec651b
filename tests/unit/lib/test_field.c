#include "unit.h"

#include "field.h"

/* What a visit sees, and when the caller cancels. */
typedef struct seen {
    uint64_t bins, asked, cancel_after;
    fmix_key key;
} seen;

static bool cancelled(void *user) {
    seen *s = user;
    return ++s->asked > s->cancel_after;
}

static void count(void *user, const fmix_bin *bin, const uint32_t words[2]) {
    seen *s = user;
    uint64_t j = (uint64_t)bin->at[1] * 9 + bin->at[2]; /* the normal of 16x16's bin */
    uint32_t block[4];
    s->bins++;
    fmix_words_block(&s->key, 7, j / 2, block);
    assert_memory_equal(words, block + 2 * (j % 2), 2 * sizeof *words);
}

static const fmix_recipe recipe = {.shape = {2, {16, 16, 0}}, .delta = 3};

static bool visit(seen *s, uint64_t steps, fmix_cancellation cancellation) {
    fmix_spectrum_params params = fmix_spectrum_params_of(&recipe);
    assert_ok(fmix_key_derive(5, FMIX_DOMAIN_SPECTRUM, &s->key));
    const fmix_field field = {
        .params = &params, .key = &s->key, .t = 7, .cancellation = cancellation};
    return fmix_field_each(&field, steps, count, s);
}

static void every_bin_but_the_zero_bin_is_visited_with_its_words(void **state) {
    seen s = {0};
    (void)state;
    assert_true(visit(&s, 1, (fmix_cancellation){0}));
    assert_int_equal(s.bins, 16 * 9 - 1);
}

static void a_cancelled_visit_ends_early_and_says_so(void **state) {
    seen s = {.cancel_after = 1};
    (void)state;
    assert_false(visit(&s, 1, (fmix_cancellation){cancelled, &s}));
    assert_int_equal(s.asked, 2);
    assert_int_equal(s.bins, 63); /* asked before each 64 bins */
}

static void a_caller_that_never_cancels_sees_every_bin(void **state) {
    seen s = {.cancel_after = UINT64_MAX};
    (void)state;
    assert_true(visit(&s, 1, (fmix_cancellation){cancelled, &s}));
    assert_int_equal(s.bins, 16 * 9 - 1);
    assert_int_equal(s.asked, 3);
}

static void a_caller_is_asked_more_often_where_a_visit_takes_long(void **state) {
    static const uint64_t steps[] = {128, 1 << 9, 1 << 13, UINT64_MAX};
    static const uint64_t asked[] = {3, 9, 144, 144}; /* every 64, 16 and 1 of 144 places */
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        seen s = {.cancel_after = UINT64_MAX};
        assert_true(visit(&s, steps[i], (fmix_cancellation){cancelled, &s}));
        assert_int_equal(s.asked, asked[i]);
    }
}

RUN(T(a_caller_is_asked_more_often_where_a_visit_takes_long),
    T(every_bin_but_the_zero_bin_is_visited_with_its_words),
    T(a_cancelled_visit_ends_early_and_says_so), T(a_caller_that_never_cancels_sees_every_bin))
