#include "importing.h"

#include "import/summary.h"

#include <math.h>

static import quiet(void) {
    static report counts;
    folder_forget();
    return importing_of(NULL, 0, &counts);
}

static void the_length_of_a_ragged_row_is_called_L(void **state) {
    (void)state;
    const import in = quiet();
    const dataset_writer_facts plain = {
        .type = DTYPE_F16, .rank = 3, .side = {3, 32, 4}, .layout = LAYOUT_CHANNELS_FIRST};
    const dataset_writer_facts ragged = {.type = DTYPE_I64,
                                         .rank = 2,
                                         .side = {0, 5},
                                         .layout = LAYOUT_CHANNELS_LAST,
                                         .ragged = true};
    summary_shape(&in, &plain);
    assert_true(folder_said("rows have shape 3x32x4, type f16 and layout channels_first\n"));
    summary_shape(&in, &ragged);
    assert_true(folder_said("rows have shape Lx5, type i64 and layout channels_last\n"));
}

static void lengths_are_told_by_their_order(void **state) {
    (void)state;
    static const unsigned char odd[] = {0, 9, 10, 13}, even[] = {0, 9, 10, 13, 17};
    const import in = quiet();
    array offsets = {.bytes = odd, .type = DTYPE_U8, .rank = 1, .shape = {4}};
    summary_lengths(&in, &offsets);
    assert_true(folder_said("from 1 to 9, median 3, total 13\n"));
    offsets.bytes = even;
    offsets.shape[0] = 5;
    summary_lengths(&in, &offsets);
    assert_true(folder_said("from 1 to 9, median 3.5, total 17\n"));
}

/* Tells of four values. */
static void tell_of(dtype type, const void *values) {
    static const char *const names[] = {"y.age"};
    const import in = quiet();
    const array y = {.name = "y.age", .bytes = values, .type = type, .rank = 1, .shape = {4}};
    const label l = {.from = &y, .values = true, .rows = 4, .classes = 1};
    summary_labels(&in, &(import_labels){&l, names, 1, NULL});
}

static void floats_that_were_read_as_class_numbers_name_the_other_reading(void **state) {
    (void)state;
    static const char *const names[] = {"y"};
    static const float numbers[] = {0, 2, 1};
import in = quiet();
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)numbers,
                     .type = DTYPE_F32,
                     .rank = 1,
                     .shape = {3}};
    const label l = {.from = &y, .numbers = true, .native = true, .rows = 3, .classes = 3};
    in.given |= IMPORT_CLASSES;
    summary_labels(&in, &(import_labels){&l, names, 1, NULL});
    assert_true(folder_said("y: 3 classes"));
    assert_true(folder_said_nothing_of("--values"));
    in.given = 0;
    summary_labels(&in, &(import_labels){&l, names, 1, NULL});
    assert_true(folder_said("y: the floats were read as class numbers; for values to predict, give "
                            "--values\n"));
}

/* As of a file that is overwritten after its labels were checked. */
static void class_numbers_beyond_the_classes_are_not_counted(void **state) {
    (void)state;
    static const char *const names[] = {"y"};
    static const int32_t numbers[] = {0, 1 << 30, 1, -1};
    const import in = quiet();
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)numbers,
                     .type = DTYPE_I32,
                     .rank = 1,
                     .shape = {4}};
    const label l = {.from = &y, .numbers = true, .native = true, .rows = 4, .classes = 2};
    summary_labels(&in, &(import_labels){&l, names, 1, NULL});
    assert_true(folder_said("y: 2 classes; rows per class: 0: 1, 1: 1\n"));
}

static void tell(const float *values) {
    tell_of(DTYPE_F32, values);
}

static void values_of_float64_are_told_to_be_rounded(void **state) {
    (void)state;
    tell_of(DTYPE_F64, (const double[]){3, -0.5, 12, 1});
    assert_true(folder_said("y.age: values from -0.5 to 12, from f64, rounded to f32\n"));
}

static void values_are_told_by_their_range(void **state) {
    (void)state;
    tell((const float[]){3, -0.5f, 12, 1});
    assert_true(folder_said("y.age: values from -0.5 to 12, from f32\n"));
    assert_true(folder_said_nothing_of("warning"));
}

static void values_that_are_no_numbers_are_counted(void **state) {
    (void)state;
    tell((const float[]){3, NAN, INFINITY, NAN});
    assert_true(folder_said("y.age: values from 3 to 3, from f32\n"));
    assert_true(folder_said("y.age: warning: 2 values are NaN and 1 are infinite"));
    tell((const float[]){NAN, NAN, NAN, NAN});
    assert_true(folder_said("y.age: values, from f32\n"));
}

static void a_set_without_labels_is_told_so(void **state) {
    (void)state;
    const import in = quiet();
    summary_labels(&in, &(import_labels){.count = 0});
    assert_true(folder_said("there are no labels\n"));
}

RUN(IN_FOLDER(the_length_of_a_ragged_row_is_called_L), IN_FOLDER(lengths_are_told_by_their_order),
    IN_FOLDER(floats_that_were_read_as_class_numbers_name_the_other_reading),
    IN_FOLDER(class_numbers_beyond_the_classes_are_not_counted),
    IN_FOLDER(values_are_told_by_their_range), IN_FOLDER(values_of_float64_are_told_to_be_rounded),
    IN_FOLDER(values_that_are_no_numbers_are_counted), IN_FOLDER(a_set_without_labels_is_told_so))
