#include "unit.h"

#include "compute/ring.h"

static void there_are_as_many_slots_as_fit_but_at_least_two_and_at_most_sixteen(void **state) {
    (void)state;
    static const struct {
        uint64_t slice;
        unsigned ahead;
    } table[] = {{0, 16}, {1, 16}, {64, 16}, {65, 15}, {512, 2}, {1 << 20, 2}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ring r;
        ring_init(&r, table[i].slice, 1024, NULL);
        assert_int_equal(r.ahead, table[i].ahead);
        assert_true(ring_has_slot(&r, table[i].ahead - 1) && !ring_has_slot(&r, table[i].ahead));
        ring_free(&r);
    }
}

static void the_slot_of_a_slice_that_was_read_serves_a_later_slice(void **state) {
    (void)state;
    ring r;
    ring_init(&r, 100, 200, NULL);
    unsigned char *first = ring_room(&r, 0, 100);
    assert_non_null(first);
    assert_null(ring_slice(&r, 0));
    ring_finish(&r, 0);
    assert_ptr_equal(ring_slice(&r, 0), first);
    ring_advance(&r, 1);
    assert_true(ring_has_slot(&r, 2) && !ring_has_slot(&r, 3));
    assert_null(ring_slice(&r, 2));
    assert_ptr_equal(ring_room(&r, 2, 60), first); /* the last slice of a part is shorter */
    assert_non_null(ring_room(&r, 1, 300));
    ring_free(&r);
}

static void a_slice_that_lies_elsewhere_takes_no_memory(void **state) {
    (void)state;
    static const unsigned char bytes[100];
    ring r;
    ring_init(&r, 0, 200, NULL);
    assert_int_equal(r.ahead, RING_MOST);
    ring_lend(&r, 0, bytes);
    assert_null(ring_slice(&r, 0));
    ring_finish(&r, 0);
    assert_ptr_equal(ring_slice(&r, 0), bytes);
    assert_null(r.slots[0].memory.bytes);
    ring_advance(&r, 1);
    const unsigned char *room = ring_room(&r, RING_MOST, 100); /* a slice that is computed */
    ring_finish(&r, RING_MOST);
    assert_ptr_equal(ring_slice(&r, RING_MOST), room);
    ring_free(&r);
}

static void a_ring_runs_low_once_half_of_its_slots_are_free(void **state) {
    (void)state;
    ring r;
    ring_init(&r, 1, 1024, NULL);
    assert_false(ring_runs_low(&r, 16));
    ring_advance(&r, 7);
    assert_false(ring_runs_low(&r, 16));
    ring_advance(&r, 8);
    assert_true(ring_runs_low(&r, 16));
    ring_advance(&r, 16);
    assert_true(ring_runs_low(&r, 16)); /* the reader's own slice is not claimed */
    ring_free(&r);
}

RUN(T(there_are_as_many_slots_as_fit_but_at_least_two_and_at_most_sixteen),
    T(the_slot_of_a_slice_that_was_read_serves_a_later_slice),
    T(a_slice_that_lies_elsewhere_takes_no_memory),
    T(a_ring_runs_low_once_half_of_its_slots_are_free))
