#include "unit.h"

#include "params/query.h"
#include "tensor/dtype.h"

static void every_row_has_a_name_a_group_and_a_meaning(void **state) {
    (void)state;
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        const query_parameter *row = &query_table[i];
        assert_true(row->name && row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz_")] == 0);
        assert_true(row->meaning && strlen(row->meaning) >= 8);
        assert_true(row->group && (row->group & (row->group - 1)) == 0);
        for (const char *c = row->meaning; *c; c++)
            assert_in_range(*c, ' ', '~');
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(row->name, query_table[k].name);
    }
}

/* Two parameters whose fields overlap would set each other. */
static void every_row_has_a_field_of_its_own(void **state) {
    (void)state;
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            assert_true(query_table[i].offset != query_table[k].offset);
}

static void types_of_arrays_are_those_of_the_table_of_types(void **state) {
    (void)state;
    static const query_id ids[] = {QUERY_X_DTYPE, QUERY_OUT_DTYPE};
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < DTYPE_COUNT; i++)
            assert_string_equal(query_table[ids[k]].choice(i), dtype_table[i].name);
        assert_null(query_table[ids[k]].choice(DTYPE_COUNT));
    }
}

static void types_of_masks_are_in_the_order_of_their_enum(void **state) {
    (void)state;
    const char *const *names = query_table[QUERY_DTYPE].choices;
    assert_string_equal(names[MASK_TYPE_F32], "f32");
    assert_string_equal(names[MASK_TYPE_U8], "u8");
    assert_string_equal(names[MASK_TYPE_BITS], "bits");
    assert_string_equal(names[MASK_TYPE_F16], "f16");
    assert_string_equal(names[MASK_TYPE_F64], "f64");
    assert_null(names[MASK_TYPE_F64 + 1]);
}

RUN(T(every_row_has_a_name_a_group_and_a_meaning), T(every_row_has_a_field_of_its_own),
    T(types_of_arrays_are_those_of_the_table_of_types),
    T(types_of_masks_are_in_the_order_of_their_enum))
