#include "unit.h"

#include "compute/io_scratch.h"

static void *get(void *of) {
    io_scratch *s = io_scratch_get(*(pthread_key_t *)of);
    assert_non_null(s);
    assert_non_null(io_scratch_memory(s));
    return s;
}

static void each_thread_has_its_own(void **state) {
    (void)state;
    pthread_key_t key;
    pthread_t thread;
    void *other;
    assert_true(io_scratch_key_new(&key));
    io_scratch *own = get(&key);
    assert_ptr_equal(get(&key), own);
    fmix_scratch *memory = io_scratch_memory(own);
    assert_ptr_equal(io_scratch_memory(own), memory);
    assert_int_equal(pthread_create(&thread, NULL, get, &key), 0);
    assert_int_equal(pthread_join(thread, &other), 0);
    assert_ptr_not_equal(other, own);
    io_scratch_key_free(key);
}

static void jobs_in_a_row_with_one_key_are_counted(void **state) {
    (void)state;
    static const int a, b;
    pthread_key_t key;
    assert_true(io_scratch_key_new(&key));
    io_scratch *s = io_scratch_get(key);
    assert_int_equal(io_scratch_repeats(s, &a), 0);
    assert_int_equal(io_scratch_repeats(s, &a), 1);
    assert_int_equal(io_scratch_repeats(s, &a), 2);
    assert_int_equal(io_scratch_repeats(s, &b), 0);
    assert_int_equal(io_scratch_repeats(s, &a), 0);
    io_scratch_key_free(key);
}

RUN(T(each_thread_has_its_own), T(jobs_in_a_row_with_one_key_are_counted))
