#include "unit.h"

#include "slabs.h"

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
    assert_int_equal(s.held, 0);
    slabs_give(&s, one);
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

static void without_slabs_it_is_malloc(void **state) {
    (void)state;
    slab one = slabs_take(NULL, BYTES);
    assert_non_null(one.bytes);
    slabs_give(NULL, one);
    slabs_give(NULL, (slab){0});
}

RUN(T(what_is_given_is_taken_again_where_it_fits),
    T(no_more_is_kept_than_the_cap_and_nothing_small), T(without_slabs_it_is_malloc))
