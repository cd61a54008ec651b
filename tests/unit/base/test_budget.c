#include "unit.h"

#include "base/budget.h"
#include "base/buffer.h"

enum { MIB = 1 << 20 };

static void bytes_taken_can_be_given_back(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 10 * MIB, 2);
    assert_true(budget_take(&b, 4 * MIB) && budget_take(&b, 6 * MIB));
    assert_false(budget_take(&b, 1));
    assert_true(b.refused == 1 && b.peak == 10 * MIB);
    budget_give(&b, 6 * MIB);
    assert_true(budget_take(&b, 6 * MIB));
    budget_give(&b, 10 * MIB);
    assert_true(budget_held(&b) == 0);
    budget_destroy(&b);
}

/* A thread has one scratch, however many answers are admitted. */
static void working_memory_counts_once_a_thread_for_the_largest_answer(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 40 * MIB, 4);
    for (int i = 0; i < 100; i++)
        assert_true(budget_take_both(&b, 0, 4 * MIB, false));
    assert_true(budget_held(&b) == 16 * MIB);
    assert_true(budget_take_both(&b, 8 * MIB, 8 * MIB, false));
    assert_true(budget_held(&b) == 40 * MIB);
    assert_false(budget_take(&b, 1));
    budget_give_working(&b, 8 * MIB, false);
    assert_true(budget_held(&b) == 24 * MIB);
    assert_false(budget_take_both(&b, 0, 9 * MIB, false)); /* 8 + 4 * 9 */
    for (int i = 0; i < 100; i++)
        budget_give_working(&b, 4 * MIB, false);
    assert_true(budget_held(&b) == 8 * MIB);
    budget_destroy(&b);
}

static void threads_for_long_slices_have_working_memory_of_their_own(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 40 * MIB, 2);
    assert_true(budget_take_both(&b, 0, 8 * MIB, true) && budget_take_both(&b, 0, 4 * MIB, true));
    assert_true(budget_take_both(&b, 0, 4 * MIB, false));
    assert_true(budget_held(&b) == 24 * MIB);
    assert_false(budget_take_both(&b, 16 * MIB + 1, 0, false));
    assert_false(budget_take_both(&b, 0, 16 * MIB, false)); /* 2 * 8 + 2 * 16 */
    assert_true(budget_take_both(&b, 0, 16 * MIB, true));   /* 2 * 16 + 2 * 4 */
    budget_give_working(&b, 4 * MIB, false);
    assert_true(budget_held(&b) == 32 * MIB);
    budget_give_working(&b, 16 * MIB, true);
    budget_give_working(&b, 8 * MIB, true);
    assert_true(budget_held(&b) == 8 * MIB);
    budget_give_working(&b, 4 * MIB, true);
    assert_true(budget_held(&b) == 0);
    budget_destroy(&b);
}

static void sizes_are_rounded_up_by_a_quarter_at_most(void **state) {
    (void)state;
    uint64_t random = 3;
    for (int i = 0; i < 20000; i++) {
        uint64_t bytes = unit_random(&random) >> (unit_random(&random) % 40 + 20);
        budget b;
        budget_init(&b, UINT64_MAX / 4, 1);
        assert_true(budget_take_both(&b, 0, bytes, false));
        uint64_t held = budget_held(&b);
        assert_true(held >= bytes && held <= bytes + bytes / 4 + 4096);
        budget_give_working(&b, bytes, false);
        assert_true(budget_held(&b) == 0);
        budget_destroy(&b);
    }
}

static void a_claim_that_can_never_fit_is_known_at_once(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 10 * MIB, 2);
    assert_true(budget_take(&b, 9 * MIB)); /* bytes that others hold do not matter */
    assert_true(budget_could_hold(&b, 10 * MIB, 0));
    assert_false(budget_could_hold(&b, 10 * MIB + 1, 0));
    assert_true(budget_could_hold(&b, 2 * MIB, 4 * MIB));
    assert_false(budget_could_hold(&b, 2 * MIB + 1, 4 * MIB));
    assert_false(budget_could_hold(&b, 0, UINT64_MAX / 2));
    assert_true(budget_could_hold(NULL, UINT64_MAX, UINT64_MAX));
    budget_destroy(&b);
}

static void a_paid_buffer_takes_its_room_from_the_budget(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 1200, 1);
    buffer small = buffer_paid(4000, &b);
    assert_true(buffer_reserve(&small, 600));
    assert_true(budget_held(&b) == 600);
    static const char bytes[1001];
    assert_true(buffer_add(&small, bytes, 700));
    assert_false(small.starved);
    assert_true(budget_held(&b) == small.room);
    assert_false(buffer_add(&small, bytes, 1001));
    assert_true(small.failed && small.starved);
    buffer_free(&small);
    assert_true(budget_held(&b) == 0);
    assert_false(buffer_reserve(&small, 4001)); /* past its cap: the budget has enough */
    assert_true(small.failed && !small.starved);
    budget_destroy(&b);
}

static void bytes_left_count_only_what_the_holder_has(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 10 * MIB, 2);
    assert_true(budget_take(&b, 7 * MIB)); /* another holder's, which will be given back */
    assert_true(budget_left(&b, 4 * MIB) == 6 * MIB);
    assert_true(budget_left(&b, 11 * MIB) == 0);
    budget_destroy(&b);
}

RUN(T(bytes_left_count_only_what_the_holder_has), T(bytes_taken_can_be_given_back),
    T(working_memory_counts_once_a_thread_for_the_largest_answer),
    T(threads_for_long_slices_have_working_memory_of_their_own),
    T(sizes_are_rounded_up_by_a_quarter_at_most), T(a_claim_that_can_never_fit_is_known_at_once),
    T(a_paid_buffer_takes_its_room_from_the_budget))
