#include "unit.h"

#include "base/buffer_pool.h"

#include <stdlib.h>

#define BYTES ((size_t)SLABS_LEAST)

static void what_is_given_is_taken_again_where_it_fits(void **state) {
    (void)state;
    slabs s;
    slabs_init(&s, 8 * BYTES);
    slab one = slabs_take(&s, 2 * BYTES);
    unsigned char *bytes = one.bytes;
    assert_int_equal(one.room, 2 * BYTES);
    slabs_give(&s, one);
    assert_int_equal(s.held, 2 * BYTES);
    slab large = slabs_take(&s, 2 * BYTES + 1);
    assert_int_equal(s.held, 2 * BYTES);
    slab small = slabs_take(&s, SLABS_LEAST - 1); /* would waste more than half of it */
    assert_int_equal(s.held, 2 * BYTES);
    one = slabs_take(&s, BYTES);
    assert_ptr_equal(one.bytes, bytes);
    assert_int_equal(one.room, 2 * BYTES);
    assert_int_equal(s.held, BYTES); /* what is over, for nobody else counts it */
    slabs_give(&s, one);
    assert_int_equal(s.held, 2 * BYTES);
    slabs_give(&s, large);
    slabs_give(&s, small);
    assert_int_equal(s.count, 2);
    slabs_destroy(&s);
}

static void no_more_is_kept_than_the_cap_and_nothing_small(void **state) {
    (void)state;
    slabs s;
    slab each[SLABS_MOST + 1];
    slabs_init(&s, 3 * BYTES);
    for (unsigned i = 0; i < 5; i++)
        each[i] = slabs_take(&s, i ? BYTES : SLABS_LEAST - 1);
    for (unsigned i = 0; i < 5; i++)
        slabs_give(&s, each[i]);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.held, 3 * BYTES);
    slabs_destroy(&s);
    slabs_init(&s, SIZE_MAX);
    for (unsigned i = 0; i <= SLABS_MOST; i++)
        each[i] = slabs_take(&s, BYTES);
    for (unsigned i = 0; i <= SLABS_MOST; i++)
        slabs_give(&s, each[i]);
    assert_int_equal(s.count, SLABS_MOST);
    slabs_destroy(&s);
}

static void what_is_found_is_kept_and_fits_well_and_is_its_finders(void **state) {
    (void)state;
    slabs s;
    slabs_init(&s, 40 * BYTES);
    assert_null(slabs_find(&s, 4 * BYTES).bytes);
    slabs_give(&s, slabs_take(&s, 5 * BYTES));
    assert_null(slabs_find(&s, 3 * BYTES).bytes);
    slab one = slabs_find(&s, 4 * BYTES);
    assert_int_equal(one.room, 5 * BYTES);
    assert_int_equal(s.held, 0);
    slabs_give(&s, one);
    assert_null(slabs_find(NULL, BYTES).bytes);
    slabs_destroy(&s);
}

static void who_was_given_longest_ago_makes_room(void **state) {
    (void)state;
    slabs s;
    slabs_init(&s, 8 * BYTES);
    slab old = slabs_take(&s, 2 * BYTES), young = slabs_take(&s, 3 * BYTES),
         next = slabs_take(&s, 4 * BYTES), huge = slabs_take(&s, 8 * BYTES);
    unsigned char *kept = young.bytes;
    slabs_give(&s, old);
    slabs_give(&s, young);
    slabs_give(&s, huge); /* would drive out all others */
    assert_int_equal(s.count, 2);
    slabs_give(&s, next);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.held, 7 * BYTES);
    assert_ptr_equal(s.kept[0].bytes, kept);
    slabs_destroy(&s);
}

static void without_slabs_it_is_malloc(void **state) {
    (void)state;
    slab one = slabs_take(NULL, BYTES);
    assert_non_null(one.bytes);
    slabs_give(NULL, one);
    slabs_give(NULL, (slab){0});
}

RUN(T(what_is_given_is_taken_again_where_it_fits),
    T(no_more_is_kept_than_the_cap_and_nothing_small),
    T(what_is_found_is_kept_and_fits_well_and_is_its_finders),
    T(who_was_given_longest_ago_makes_room), T(without_slabs_it_is_malloc))
