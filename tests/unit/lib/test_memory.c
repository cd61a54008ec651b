#include "unit.h"

#include "memory.h"

static void a_product_that_overflows_is_refused(void **state) {
    (void)state;
    size_t out;
    assert_true(fmix_multiply(6, 7, &out) && out == 42);
    assert_true(fmix_multiply(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    assert_true(fmix_multiply(1, SIZE_MAX, &out) && out == SIZE_MAX);
    assert_true(fmix_multiply(SIZE_MAX, 0, &out) && out == 0);
    assert_true(fmix_multiply(0, SIZE_MAX, &out) && out == 0);
    assert_true(fmix_multiply(SIZE_MAX / 2, 2, &out) && out == SIZE_MAX - 1);
    assert_false(fmix_multiply(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(fmix_multiply(SIZE_MAX, SIZE_MAX, &out));
}

static void arrays_are_aligned_and_impossible_sizes_refused(void **state) {
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        double *memory = fmix_aligned_new(n);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        memset(memory, 0, n * sizeof *memory);
        fmix_aligned_free(memory);
    }
    assert_null(fmix_aligned_new(SIZE_MAX)); /* more bytes than a size_t counts */
    assert_null(fmix_aligned_new(SIZE_MAX / 8));
    fmix_aligned_free(NULL);
}

static void a_large_array_holds_what_is_written_to_it(void **state) {
    const size_t n = (size_t)1 << 20; /* 8 MiB: huge pages where the kernel gives them */
    double *memory = fmix_aligned_new(n);
    (void)state;
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % ((size_t)2 << 20), 0);
    for (size_t i = 0; i < n; i += 512)
        memory[i] = (double)i;
    for (size_t i = 0; i < n; i += 512)
        assert_true(memory[i] == (double)i);
    fmix_aligned_free(memory);
}

RUN(T(a_product_that_overflows_is_refused), T(arrays_are_aligned_and_impossible_sizes_refused),
    T(a_large_array_holds_what_is_written_to_it))
