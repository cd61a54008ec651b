#include "unit.h"

#include "base/buffer_pool.h"

#include <stdlib.h>

#define BYTES ((size_t)BUFFER_POOL_LEAST)

static void a_buffer_given_back_is_taken_again_where_it_fits(void **state) {
    (void)state;
    buffer_pool s;
    buffer_pool_init(&s, 8 * BYTES);
    pooled_buffer one = buffer_pool_take(&s, 2 * BYTES);
    unsigned char *bytes = one.bytes;
    assert_int_equal(one.room, 2 * BYTES);
    buffer_pool_give(&s, one);
    assert_int_equal(s.held, 2 * BYTES);
    pooled_buffer large = buffer_pool_take(&s, 2 * BYTES + 1);
    assert_int_equal(s.held, 2 * BYTES);
    pooled_buffer small =
        buffer_pool_take(&s, BUFFER_POOL_LEAST - 1); /* would waste more than half of it */
    assert_int_equal(s.held, 2 * BYTES);
    one = buffer_pool_take(&s, BYTES);
    assert_ptr_equal(one.bytes, bytes);
    assert_int_equal(one.room, 2 * BYTES);
    assert_int_equal(s.held, BYTES); /* the excess, which its holder does not count */
    buffer_pool_give(&s, one);
    assert_int_equal(s.held, 2 * BYTES);
    buffer_pool_give(&s, large);
    buffer_pool_give(&s, small);
    assert_int_equal(s.count, 2);
    buffer_pool_destroy(&s);
}

static void the_pool_keeps_no_more_than_its_cap_and_no_small_buffers(void **state) {
    (void)state;
    buffer_pool s;
    pooled_buffer each[BUFFER_POOL_MOST + 1];
    buffer_pool_init(&s, 3 * BYTES);
    for (unsigned i = 0; i < 5; i++)
        each[i] = buffer_pool_take(&s, i ? BYTES : BUFFER_POOL_LEAST - 1);
    for (unsigned i = 0; i < 5; i++)
        buffer_pool_give(&s, each[i]);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.held, 3 * BYTES);
    buffer_pool_destroy(&s);
    buffer_pool_init(&s, SIZE_MAX);
    for (unsigned i = 0; i <= BUFFER_POOL_MOST; i++)
        each[i] = buffer_pool_take(&s, BYTES);
    for (unsigned i = 0; i <= BUFFER_POOL_MOST; i++)
        buffer_pool_give(&s, each[i]);
    assert_int_equal(s.count, BUFFER_POOL_MOST);
    buffer_pool_destroy(&s);
}

static void a_buffer_found_fits_closely_and_is_not_counted_any_more(void **state) {
    (void)state;
    buffer_pool s;
    buffer_pool_init(&s, 40 * BYTES);
    assert_null(buffer_pool_find(&s, 4 * BYTES).bytes);
    buffer_pool_give(&s, buffer_pool_take(&s, 5 * BYTES));
    assert_null(buffer_pool_find(&s, 3 * BYTES).bytes);
    pooled_buffer one = buffer_pool_find(&s, 4 * BYTES);
    assert_int_equal(one.room, 5 * BYTES);
    assert_int_equal(s.held, 0);
    buffer_pool_give(&s, one);
    assert_null(buffer_pool_find(NULL, BYTES).bytes);
    buffer_pool_destroy(&s);
}

static void the_buffer_given_longest_ago_makes_room(void **state) {
    (void)state;
    buffer_pool s;
    buffer_pool_init(&s, 8 * BYTES);
    pooled_buffer old = buffer_pool_take(&s, 2 * BYTES), young = buffer_pool_take(&s, 3 * BYTES),
                  next = buffer_pool_take(&s, 4 * BYTES), huge = buffer_pool_take(&s, 8 * BYTES);
    unsigned char *kept = young.bytes;
    buffer_pool_give(&s, old);
    buffer_pool_give(&s, young);
    buffer_pool_give(&s, huge); /* would drive out all others */
    assert_int_equal(s.count, 2);
    buffer_pool_give(&s, next);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.held, 7 * BYTES);
    assert_ptr_equal(s.kept[0].bytes, kept);
    buffer_pool_destroy(&s);
}

static void without_a_pool_memory_comes_from_malloc(void **state) {
    (void)state;
    pooled_buffer one = buffer_pool_take(NULL, BYTES);
    assert_non_null(one.bytes);
    buffer_pool_give(NULL, one);
    buffer_pool_give(NULL, (pooled_buffer){0});
}

RUN(T(a_buffer_given_back_is_taken_again_where_it_fits),
    T(the_pool_keeps_no_more_than_its_cap_and_no_small_buffers),
    T(a_buffer_found_fits_closely_and_is_not_counted_any_more),
    T(the_buffer_given_longest_ago_makes_room), T(without_a_pool_memory_comes_from_malloc))
