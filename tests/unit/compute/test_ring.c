#include "unit.h"

#include "compute/ring.h"

static void slots_hold_what_fits_but_two_at_least_and_sixteen_at_most(void **state) {
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

static void what_the_reader_passed_serves_the_next(void **state) {
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
    assert_ptr_equal(ring_room(&r, 2, 60), first); /* the last of a cut is shorter */
    assert_non_null(ring_room(&r, 1, 300));
    ring_free(&r);
}

static void it_runs_low_once_half_of_it_is_free(void **state) {
    (void)state;
    ring r;
    ring_init(&r, 1, 1024, NULL);
    assert_false(ring_runs_low(&r, 16));
    ring_advance(&r, 7);
    assert_false(ring_runs_low(&r, 16));
    ring_advance(&r, 8);
    assert_true(ring_runs_low(&r, 16));
    ring_advance(&r, 16);
    assert_true(ring_runs_low(&r, 16)); /* the very one that is read */
    ring_free(&r);
}

RUN(T(slots_hold_what_fits_but_two_at_least_and_sixteen_at_most),
    T(what_the_reader_passed_serves_the_next), T(it_runs_low_once_half_of_it_is_free))
