#include "unit.h"

#include "base/budget.h"
#include "base/buffer.h"

enum { MIB = 1 << 20 };

#define PAYER(b) ((budget_payer){.from = &(b)})

static void bytes_taken_can_be_given_back(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 10 * MIB, 2);
    assert_true(budget_take(PAYER(b), 4 * MIB) && budget_take(PAYER(b), 6 * MIB));
    assert_false(budget_take(PAYER(b), 1));
    assert_true(b.peak == 10 * MIB);
    budget_give(PAYER(b), 6 * MIB);
    assert_true(budget_take(PAYER(b), 6 * MIB));
    budget_give(PAYER(b), 10 * MIB);
    assert_true(budget_held(&b) == 0);
    budget_destroy(&b);
}

/* A thread has one scratch, however many answers are admitted. */
static void working_memory_counts_once_a_thread_for_the_largest_answer(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 40 * MIB, 4);
    for (int i = 0; i < 100; i++)
        assert_true(budget_take_both(PAYER(b), 0, 4 * MIB, false));
    assert_true(budget_held(&b) == 16 * MIB);
    assert_true(budget_take_both(PAYER(b), 8 * MIB, 8 * MIB, false));
    assert_true(budget_held(&b) == 40 * MIB);
    assert_false(budget_take(PAYER(b), 1));
    budget_give_working(PAYER(b), 8 * MIB, false);
    assert_true(budget_held(&b) == 24 * MIB);
    assert_false(budget_take_both(PAYER(b), 0, 9 * MIB, false)); /* 8 + 4 * 9 */
    for (int i = 0; i < 100; i++)
        budget_give_working(PAYER(b), 4 * MIB, false);
    assert_true(budget_held(&b) == 8 * MIB);
    budget_destroy(&b);
}

static void threads_for_long_slices_have_working_memory_of_their_own(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 40 * MIB, 2);
    assert_true(budget_take_both(PAYER(b), 0, 8 * MIB, true) &&
                budget_take_both(PAYER(b), 0, 4 * MIB, true));
    assert_true(budget_take_both(PAYER(b), 0, 4 * MIB, false));
    assert_true(budget_held(&b) == 24 * MIB);
    assert_false(budget_take_both(PAYER(b), 16 * MIB + 1, 0, false));
    assert_false(budget_take_both(PAYER(b), 0, 16 * MIB, false)); /* 2 * 8 + 2 * 16 */
    assert_true(budget_take_both(PAYER(b), 0, 16 * MIB, true));   /* 2 * 16 + 2 * 4 */
    budget_give_working(PAYER(b), 4 * MIB, false);
    assert_true(budget_held(&b) == 32 * MIB);
    budget_give_working(PAYER(b), 16 * MIB, true);
    budget_give_working(PAYER(b), 8 * MIB, true);
    assert_true(budget_held(&b) == 8 * MIB);
    budget_give_working(PAYER(b), 4 * MIB, true);
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
        assert_true(budget_take_both(PAYER(b), 0, bytes, false));
        uint64_t held = budget_held(&b);
        assert_true(held >= bytes && held <= bytes + bytes / 4 + 4096);
        budget_give_working(PAYER(b), bytes, false);
        assert_true(budget_held(&b) == 0);
        budget_destroy(&b);
    }
}

static void a_claim_that_can_never_fit_is_known_at_once(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 10 * MIB, 2);
    assert_true(budget_take(PAYER(b), 9 * MIB)); /* bytes that others hold do not matter */
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
    buffer small = buffer_paid(4000, PAYER(b));
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
    assert_true(budget_take(PAYER(b), 7 * MIB)); /* another holder's, which will be given back */
    assert_true(budget_left(&b, 4 * MIB) == 6 * MIB);
    assert_true(budget_left(&b, 11 * MIB) == 0);
    budget_destroy(&b);
}

enum { GREEDY = 1, MODEST = 2, CROWD = 64 };

static budget_payer payer_of(budget *b, uint64_t client, uint64_t request) {
    return (budget_payer){b, {client, request}};
}

/* Claims of one size, by one request after the other, until one does not fit. Returns the bytes. */
static uint64_t fill(budget *b, uint64_t client, uint64_t bytes) {
    uint64_t all = 0;
    for (uint64_t i = 0; budget_take(payer_of(b, client, i), bytes); i++)
        all += bytes;
    return all;
}

static void requests_of_one_client_leave_a_ninth_to_others(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 90 * MIB, 1);
    const budget_payer greedy = payer_of(&b, GREEDY, 0), modest = payer_of(&b, MODEST, 0);
    assert_true(fill(&b, GREEDY, MIB) == 80 * MIB);
    assert_true(budget_is_mostly_of(greedy) && !budget_is_mostly_of(modest));
    assert_true(fill(&b, MODEST, MIB / 8) >= 8 * MIB);
    for (uint64_t i = 0; i < 80; i++)
        budget_give(payer_of(&b, GREEDY, i), MIB);
    assert_true(budget_is_mostly_of(modest));
    budget_destroy(&b);
}

static void one_request_may_take_all_that_others_leave(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 80 * MIB, 1);
    const budget_payer large = payer_of(&b, GREEDY, 1), other = payer_of(&b, GREEDY, 2),
                       modest = payer_of(&b, MODEST, 3);
    assert_true(budget_take(modest, 6 * MIB) && budget_take(other, 4 * MIB)); /* an eighth */
    assert_true(budget_take(large, 40 * MIB) && budget_take(large, 30 * MIB));
    budget_give(large, 70 * MIB);
    assert_true(budget_take(other, 1));
    assert_false(budget_take(large, 70 * MIB - 1));
    budget_give(other, 1);
    assert_true(budget_take_both(other, 0, 4096, true));
    assert_false(budget_take(large, 69 * MIB));
    budget_give_working(other, 4096, true);
    assert_true(budget_take_both(large, 0, 40 * MIB, false) && budget_take(large, 30 * MIB));
    budget_destroy(&b);
}

static void clients_that_take_as_much_as_they_may_leave_room_for_another(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 1024u * MIB, 2);
    bool took = true;
    while (took) {
        took = false;
        for (uint64_t i = 0; i < CROWD; i++)
            took |= budget_take(payer_of(&b, i, i), 64 << 10);
    }
    uint64_t left = b.limit - budget_held(&b);
    assert_true(left >= 2 * MIB && left < 3 * MIB); /* 1024 / (8 * 64 + 1) */
    assert_true(fill(&b, CROWD, 4096) > left / 2);
    budget_destroy(&b);
}

/* Of every answer in progress: answers that follow one another would keep it, and bytes beside it
 * would take the rest. */
static void the_working_memory_of_a_clients_answers_counts_as_held(void **state) {
    (void)state;
    budget b;
    budget_init(&b, 88 * MIB, 2);
    const budget_payer first = payer_of(&b, GREEDY, 1), second = payer_of(&b, GREEDY, 2),
                       modest = payer_of(&b, MODEST, 3);
    assert_true(budget_take_both(first, 0, 40 * MIB, false)); /* 80 of 88 */
    assert_false(budget_take_both(second, 0, 40 * MIB, false));
    assert_false(budget_take_both(second, 0, 4096, true));
    assert_false(budget_take(second, 1));
    assert_true(budget_is_mostly_of(first) && !budget_is_mostly_of(modest));
    assert_true(budget_take(first, MIB)); /* beside which others hold nothing */
    assert_true(budget_take(modest, MIB));
    budget_destroy(&b);
}

static void working_memory_is_forgotten_with_the_clients_last_answer(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        budget b;
        budget_init(&b, 90 * MIB, 1);
        const budget_payer first = payer_of(&b, GREEDY, 1), second = payer_of(&b, GREEDY, 2);
        assert_true(budget_take_both(first, 0, 32 * MIB, kind));
        assert_true(budget_take_both(second, 0, MIB, kind));
        assert_true(budget_take(second, 48 * MIB)); /* 80 of 90 */
        assert_false(budget_take(second, MIB));
        budget_give_working(first, 32 * MIB, kind);
        assert_true(budget_take(first, MIB));
        budget_give_working(second, MIB, kind);
        assert_true(budget_take(first, 31 * MIB));
        assert_false(budget_take(first, 2 * MIB));
        budget_destroy(&b);
    }
}

RUN(T(requests_of_one_client_leave_a_ninth_to_others),
    T(one_request_may_take_all_that_others_leave),
    T(clients_that_take_as_much_as_they_may_leave_room_for_another),
    T(the_working_memory_of_a_clients_answers_counts_as_held),
    T(working_memory_is_forgotten_with_the_clients_last_answer),
    T(bytes_left_count_only_what_the_holder_has), T(bytes_taken_can_be_given_back),
    T(working_memory_counts_once_a_thread_for_the_largest_answer),
    T(threads_for_long_slices_have_working_memory_of_their_own),
    T(sizes_are_rounded_up_by_a_quarter_at_most), T(a_claim_that_can_never_fit_is_known_at_once),
    T(a_paid_buffer_takes_its_room_from_the_budget))
