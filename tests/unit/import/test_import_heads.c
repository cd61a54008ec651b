#include "importing.h"

#include "import/heads.h"

#include <math.h>

/* Reads one head for three rows. */
static bool reads(const array *y, unsigned given, uint64_t classes, label *out) {
    report counts;
    const char *name;
import in = importing_of(NULL, 0, & counts);
    in.given = given;
    in.classes = classes;
    folder_forget();
    return heads_read(&in, &y, 1, 3, out, &name);
}

static array reals_of(const float *reals) {
    return (array){.name = "y",
                   .bytes = (const unsigned char *)reals,
                   .type = DTYPE_F32,
                   .rank = 1,
                   .shape = {3}};
}

static void floats_are_class_numbers_unless_they_are_called_values(void **state) {
    (void)state;
    static const float whole[3] = {0, 2, 1};
    const array y = reals_of(whole);
    label l;
    assert_true(reads(&y, 0, 0, &l) && l.numbers && !l.values && l.classes == 3);
    assert_true(reads(&y, IMPORT_VALUES, 0, &l) && !l.numbers && l.values && l.classes == 1);
    assert_true(label_weight(&l, 1) == 2);
}

static void floats_that_are_not_whole_are_refused_with_both_readings(void **state) {
    (void)state;
    static const float odd[3] = {0, 1.5f, 1};
    const array y = reals_of(odd);
    label l;
    assert_false(reads(&y, 0, 0, &l));
    assert_true(folder_said("row 1 of y is 1.5; class numbers are whole numbers from 0 to") &&
                folder_said("if y holds class numbers, --classes says how many classes there are, "
                            "and if it holds values to predict, give --values"));
    assert_true(reads(&y, IMPORT_VALUES, 0, &l));
}

static void values_are_refused_where_no_head_can_hold_any(void **state) {
    (void)state;
    static const unsigned char numbers[3] = {0, 1, 2};
    static const float column[3] = {0.5f, 1, 2};
    array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    label l;
    assert_false(reads(&y, IMPORT_VALUES, 0, &l));
    assert_true(
        folder_said("--values applies to labels of floats with one dimension, but y has 1 "
                    "dimension and type u8; save values to predict as an array of 3 floats"));
    y = reals_of(column);
    y.rank = 2;
    y.shape[1] = 1;
    assert_false(reads(&y, IMPORT_VALUES | IMPORT_CLASSES, 1, &l));
    assert_true(folder_said("but y has 2 dimensions and type f32"));
    report counts;
import in = importing_of(NULL, 0, & counts);
    in.given = IMPORT_VALUES;
    assert_false(heads_read(&in, NULL, 0, 3, NULL, NULL));
    assert_true(folder_said("--values applies to labels, but there are no labels"));
}

static void values_and_classes_say_two_things_of_one_head(void **state) {
    (void)state;
    static const float whole[3] = {0, 2, 1};
    const array y = reals_of(whole);
    label l;
    assert_false(reads(&y, IMPORT_VALUES | IMPORT_CLASSES, 3, &l));
    assert_true(folder_said("--classes says that the labels y are class numbers, and --values that "
                            "they are values to predict; give one of the two"));
    assert_false(reads(&y, IMPORT_VALUES | IMPORT_CLASSES, 1, &l));
}

static void other_heads_beside_values_keep_their_kind(void **state) {
    (void)state;
    static const float values[3] = {0.5f, -2, 1};
    static const unsigned char numbers[3] = {0, 1, 2};
    array age = reals_of(values);
    strcpy(age.name, "y.age");
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {3}};
    const array *const both[] = {&age, &y};
    const char *names[2];
    label l[2];
    report counts;
import in = importing_of(NULL, 0, & counts);
    in.given = IMPORT_VALUES | IMPORT_CLASSES;
    in.classes = 5;
    assert_true(heads_read(&in, both, 2, 3, l, names));
    assert_true(l[0].values && l[1].numbers && l[1].classes == 5);
    assert_string_equal(names[0], "y.age");
}

static void values_fit_f32(void **state) {
    (void)state;
    const double wide[3] = {NAN, -INFINITY, 3e38}, wider[3] = {0, 1, -1e39};
    array y = reals_of(NULL);
    label l;
    y.type = DTYPE_F64;
    y.bytes = (const unsigned char *)wide;
    assert_true(reads(&y, IMPORT_VALUES, 0, &l));
    y.bytes = (const unsigned char *)wider;
    assert_false(reads(&y, IMPORT_VALUES, 0, &l));
    assert_true(folder_said("row 2 of y is -1e+39; values are stored as f32"));
    y.shape[0] = 2;
    assert_false(reads(&y, IMPORT_VALUES, 0, &l));
    assert_true(folder_said("there are 2 labels in y for 3 rows"));
}

static void weights_fit_f32(void **state) {
    (void)state;
    const double wide[6] = {NAN, -INFINITY, 3e38, 0, 1, 1}, wider[6] = {0, 1, 1, 0, 0, 1e39};
    array y = reals_of(NULL);
    label l;
    y.type = DTYPE_F64;
    y.rank = 2;
    y.shape[1] = 2;
    y.bytes = (const unsigned char *)wide;
    assert_true(reads(&y, 0, 0, &l));
    y.bytes = (const unsigned char *)wider;
    assert_false(reads(&y, 0, 0, &l));
    assert_true(folder_said("row 2 of y holds 1e+39; weights are stored as f32, which goes to "
                            "3.4e38: scale them"));
}

RUN(IN_FOLDER(floats_are_class_numbers_unless_they_are_called_values),
    IN_FOLDER(floats_that_are_not_whole_are_refused_with_both_readings),
    IN_FOLDER(values_are_refused_where_no_head_can_hold_any),
    IN_FOLDER(values_and_classes_say_two_things_of_one_head),
    IN_FOLDER(other_heads_beside_values_keep_their_kind), IN_FOLDER(values_fit_f32),
    IN_FOLDER(weights_fit_f32))
