#include "handler_bench.h"

#include "api/mask_tensor.h"

static void each_dtype_of_masks_is_the_tensor_s(void **state) {
    (void)state;
    static const struct {
        const char *text;
        fmix_dtype library;
        dtype type;
    } table[] = {{"dtype=f32", FMIX_DTYPE_F32, DTYPE_F32},
                 {"dtype=u8", FMIX_DTYPE_U8, DTYPE_U8},
                 {"dtype=f16", FMIX_DTYPE_F16, DTYPE_F16},
                 {"dtype=f64", FMIX_DTYPE_F64, DTYPE_F64}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        query q;
        tensor_source *s = tensor_source_new(2);
        served_query(&q, ~0u, table[i].text);
        q.shape = (query_shape){.rank = 2, .side = {3, 5}};
        assert_int_equal(mask_tensor_dtype(q.dtype), table[i].library);
        assert_true(mask_tensor_add(s, &q, table[i].library, 1, NULL, NULL));
        assert_int_equal(s->tensors[0].type, table[i].type);
        assert_int_equal(s->tensors[0].rank, 3);
        assert_true(s->tensors[0].shape[1] == 3 && s->tensors[0].shape[2] == 5);
        assert_int_equal(s->tensors[0].image.sides, 2);
        tensor_source_free(s);
    }
}

static void bits_are_packed_eight_to_a_byte(void **state) {
    (void)state;
    query q;
    tensor_source *s = tensor_source_new(2);
    served_query(&q, ~0u, "shape=3x5&dtype=bits");
    assert_int_equal(mask_tensor_dtype(q.dtype), FMIX_DTYPE_BITS);
    assert_true(mask_tensor_add(s, &q, FMIX_DTYPE_BITS, 1, NULL, NULL));
    assert_int_equal(s->tensors[0].type, DTYPE_U8);
    assert_int_equal(s->tensors[0].rank, 2);
    assert_int_equal(s->tensors[0].shape[1], 2); /* 15 bits */
    assert_int_equal(s->tensors[0].image.sides, 0);
    tensor_source_free(s);
}

static void a_dtype_that_cannot_hold_the_output_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } table[] = {
        {"dtype=bits", true},
        {"dtype=u8&output=grey", true},
        {"dtype=bits&output=grey", false},
        {"dtype=u8&soft=0.1", false},
        {"dtype=bits&soft=0.1", false},
        {"dtype=f16&soft=0.1", true},
        {"dtype=u8&soft=0.1&method=cutmix", true}, /* whose masks have no soft edges */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        query q;
        problem p = {0};
        served_query(&q, ~0u, table[i].text);
        assert_int_equal(mask_tensor_check(&q, &p), table[i].good);
        if (!table[i].good)
            served_is(&p, 400, "dtype");
    }
}

RUN(T(each_dtype_of_masks_is_the_tensor_s), T(bits_are_packed_eight_to_a_byte),
    T(a_dtype_that_cannot_hold_the_output_is_refused))
