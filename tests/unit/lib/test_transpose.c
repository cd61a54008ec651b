#include "unit.h"

/* Element by element, at any address. */
static void assert_transposed(size_t size, uint64_t rows, uint64_t columns, const unsigned char *in,
                              const unsigned char *out) {
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t c = 0; c < columns; c++)
            assert_memory_equal(out + (c * rows + r) * size, in + (r * columns + c) * size, size);
}

static void columns_become_rows_of_every_size_and_shape(void **state) {
    (void)state;
    static const uint64_t few[] = {1, 2, 3, 4, 5, 7, 16, 17}, many[] = {1, 15, 16, 33, 1023, 1025};
    uint64_t seed = 5;
    for (size_t size = 1; size <= 8; size *= 2)
        for (size_t i = 0; i < 8; i++)
            for (size_t j = 0; j < 6; j++)
                for (unsigned turned = 0; turned < 2; turned++) {
                    uint64_t rows = turned ? few[i] : many[j], columns = turned ? many[j] : few[i];
                    size_t bytes = (size_t)(rows * columns) * size;
                    unsigned char *in = malloc(bytes + 1), *out = malloc(bytes + 2);
                    for (size_t b = 0; b <= bytes; b++)
                        in[b] = (unsigned char)unit_random(&seed);
                    out[0] = out[bytes + 1] = 77;
                    assert_ok(fmix_transpose(size, rows, columns, in + 1, out + 1));
                    assert_transposed(size, rows, columns, in + 1, out + 1);
                    assert_true(out[0] == 77 && out[bytes + 1] == 77);
                    free(in);
                    free(out);
                }
}

static void other_sizes_are_out_of_range(void **state) {
    (void)state;
    unsigned char in[64] = {0}, out[64];
    static const size_t sizes[] = {0, 3, 5, 6, 7, 9, 16};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(fmix_transpose(sizes[i], 2, 2, in, out), FMIX_ERROR_RANGE);
}

RUN(T(columns_become_rows_of_every_size_and_shape), T(other_sizes_are_out_of_range))
