#include "unit.h"

static void names_have_the_numbers_that_never_change(void **state) {
    (void)state;
    static const char *const names[] = {"fmix",   "cutmix",        "mixup", "bc",
                                        "bcplus", "samplepairing", "none"};
    fmix_method method;
    for (unsigned i = 0; i < FMIX_METHODS; i++) {
        assert_string_equal(fmix_method_name(i), names[i]);
        assert_ok(fmix_method_named(names[i], &method));
        assert_int_equal(method, i);
    }
    assert_null(fmix_method_name(FMIX_METHODS));
    assert_int_equal(fmix_method_named("FMix", &method), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_method_named("", &method), FMIX_ERROR_RANGE);
}

static void two_methods_have_masks_and_one_has_a_spectrum(void **state) {
    (void)state;
    for (unsigned i = 0; i < FMIX_METHODS; i++) {
        assert_int_equal(fmix_method_masks(i), i == FMIX_METHOD_FMIX || i == FMIX_METHOD_CUTMIX);
        assert_int_equal(fmix_method_has_spectrum(i), i == FMIX_METHOD_FMIX);
    }
}

static void only_types_with_values_between_are_interpolated(void **state) {
    (void)state;
    static const struct {
        fmix_method method;
        bool soft;
        fmix_dtype from, to;
        bool taken;
    } table[] = {
        {FMIX_METHOD_FMIX, false, FMIX_DTYPE_I64, FMIX_DTYPE_I64, true},
        {FMIX_METHOD_FMIX, true, FMIX_DTYPE_I64, FMIX_DTYPE_I64, false},
        {FMIX_METHOD_FMIX, true, FMIX_DTYPE_I64, FMIX_DTYPE_F32, true},
        {FMIX_METHOD_FMIX, true, FMIX_DTYPE_U8, FMIX_DTYPE_U8, true},
        {FMIX_METHOD_FMIX, false, FMIX_DTYPE_BITS, FMIX_DTYPE_U8, false},
        {FMIX_METHOD_CUTMIX, true, FMIX_DTYPE_BOOL, FMIX_DTYPE_BOOL, true},
        {FMIX_METHOD_NONE, true, FMIX_DTYPE_I8, FMIX_DTYPE_I8, true},
        {FMIX_METHOD_MIXUP, false, FMIX_DTYPE_I32, FMIX_DTYPE_I32, false},
        {FMIX_METHOD_MIXUP, false, FMIX_DTYPE_I32, FMIX_DTYPE_BF16, true},
        {FMIX_METHOD_SAMPLEPAIRING, false, FMIX_DTYPE_BOOL, FMIX_DTYPE_BOOL, false},
        {FMIX_METHOD_BC, false, FMIX_DTYPE_U8, FMIX_DTYPE_U8, true},
        {FMIX_METHOD_BCPLUS, false, FMIX_DTYPE_U8, FMIX_DTYPE_U8, false},
        {FMIX_METHOD_BCPLUS, false, FMIX_DTYPE_U8, FMIX_DTYPE_F16, true},
        {FMIX_METHOD_BCPLUS, false, FMIX_DTYPE_F16, FMIX_DTYPE_U8, true},
        {FMIX_METHOD_BCPLUS, false, FMIX_DTYPE_I16, FMIX_DTYPE_F32, false},
        {FMIX_METHODS, false, FMIX_DTYPE_F32, FMIX_DTYPE_F32, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *reason =
            fmix_method_refuses(table[i].method, table[i].soft, table[i].from, table[i].to);
        assert_int_equal(reason == NULL, table[i].taken);
    }
}

static void dense_targets_that_are_labels_are_never_interpolated(void **state) {
    (void)state;
    static const fmix_dtype labels[] = {FMIX_DTYPE_U8,  FMIX_DTYPE_I8,  FMIX_DTYPE_I16,
                                        FMIX_DTYPE_I32, FMIX_DTYPE_I64, FMIX_DTYPE_BOOL};
    /* taken: always, where lambda is given as 0 or 1, never */
    static const struct {
        fmix_method method;
        bool soft, always, copies;
    } table[] = {
        {FMIX_METHOD_FMIX, false, true, true},  {FMIX_METHOD_FMIX, true, false, true},
        {FMIX_METHOD_CUTMIX, true, true, true}, {FMIX_METHOD_MIXUP, false, false, true},
        {FMIX_METHOD_BC, true, false, true},    {FMIX_METHOD_BCPLUS, false, false, false},
        {FMIX_METHOD_NONE, false, true, true},  {FMIX_METHOD_SAMPLEPAIRING, true, false, false},
        {FMIX_METHODS, false, false, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t k = 0; k < sizeof labels / sizeof *labels; k++) {
            fmix_method m = table[i].method;
            bool soft = table[i].soft, copies = table[i].copies, always = table[i].always;
            assert_true(!fmix_method_refuses_dense(m, soft, false, 0, labels[k]) == always);
            assert_true(!fmix_method_refuses_dense(m, soft, true, 0x1p-60, labels[k]) == always);
            assert_true(!fmix_method_refuses_dense(m, soft, true, 0, labels[k]) == copies);
            assert_true(!fmix_method_refuses_dense(m, soft, true, 1, labels[k]) == copies);
        }
}

static void dense_targets_of_floats_are_mixed_as_samples_are(void **state) {
    (void)state;
    static const fmix_dtype floats[] = {FMIX_DTYPE_F16, FMIX_DTYPE_BF16, FMIX_DTYPE_F32,
                                        FMIX_DTYPE_F64};
    for (fmix_method m = 0; m < FMIX_METHODS; m++)
        for (int soft = 0; soft < 2; soft++) {
            for (size_t k = 0; k < 4; k++)
                assert_null(fmix_method_refuses_dense(m, soft, false, 0, floats[k]));
            assert_non_null(fmix_method_refuses_dense(m, soft, true, 1, FMIX_DTYPE_BITS));
            assert_non_null(fmix_method_refuses_dense(m, soft, true, 1, FMIX_DTYPES));
        }
}

RUN(T(names_have_the_numbers_that_never_change), T(two_methods_have_masks_and_one_has_a_spectrum),
    T(only_types_with_values_between_are_interpolated),
    T(dense_targets_that_are_labels_are_never_interpolated),
    T(dense_targets_of_floats_are_mixed_as_samples_are))
