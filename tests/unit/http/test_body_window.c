#include "unit.h"

#include "http/body_window.h"

static const char block[16], text[] = "0123456789";

static void bytes_that_were_copied_stand_for_themselves(void **state) {
    (void)state;
    body_window w = {0};
    assert_null(body_window_find(&w, block, 4));
    body_window_fill(&w, block, 10);
    assert_null(body_window_find(&w, block + 10, 1));
    assert_false(w.seen);
    assert_null(body_window_find(&w, block + 2, 8));
    assert_true(w.seen);
}

static void a_block_that_is_open_stands_for_the_bytes_it_was_opened_for(void **state) {
    (void)state;
    body_window w = {0};
    body_window_open(&w, block, text, 10);
    assert_ptr_equal(body_window_find(&w, block, 10), text);
    assert_ptr_equal(body_window_find(&w, block + 3, 7), text + 3); /* the rest of a short send */
    assert_ptr_equal(body_window_find(&w, block + 9, 1), text + 9);
    body_window_fill(&w, block, 10);
    assert_null(body_window_find(&w, block, 10));
}

static void other_bytes_are_left_alone(void **state) {
    (void)state;
    body_window w = {0};
    body_window_open(&w, block + 1, text, 10);
    assert_null(body_window_find(&w, block, 4));
    assert_null(body_window_find(&w, block + 1, 11));
    assert_null(body_window_find(&w, block + 12, 1));
    assert_null(body_window_find(&w, block + 1, 0));
    assert_null(body_window_find(&w, text, 4));
    assert_null(body_window_find(&w, NULL, 4));
    assert_false(w.seen);
}

RUN(T(bytes_that_were_copied_stand_for_themselves),
    T(a_block_that_is_open_stands_for_the_bytes_it_was_opened_for), T(other_bytes_are_left_alone))
