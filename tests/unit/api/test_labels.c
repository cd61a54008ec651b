#include "handler_bench.h"

#include "api/labels.h"
#include "params/choice.h"
#include "params/recipe.h"

static budget payer;

typedef struct bench {
    upload all;
    query query;
    labels *found;
    problem problem;
} bench;

static void begin(bench *b, const char *text) {
    *b = (bench){.all.inflated = {.cap = 1 << 20, .payer = {.from = &payer}}};
    served_query(&b->query, ~0u, text);
}

static void add(bench *b, const char *name, dtype type, unsigned rank, uint64_t columns,
                const void *bytes) {
    array *y = &b->all.arrays[b->all.count++];
    *y = (array){.bytes = bytes, .type = type, .rank = rank, .shape = {4, columns}};
    snprintf(y->name, sizeof y->name, "%s", name);
}

static bool find(bench *b, bool partners) {
    return labels_of_upload(&b->query, &b->all, 4, partners, &b->found, &b->problem);
}

static const int64_t numbers[4] = {0, 2, 1, 2};
static const float weights[8] = {1, 0, 0.5f, 0.5f, 0.25f, 0.75f, 0, 1};

static void names_of_labels_are_y_and_y2_with_any_suffix(void **state) {
    (void)state;
    static const char *const good[] = {"y", "y2", "y.root", "y2.root"};
    static const char *const bad[] = {"x", "x2", "y.", "y3", "yy", "Y", ""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(labels_have_name(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(labels_have_name(bad[i]));
}

/* Row i of labels is lambda * y[i] + (1 - lambda) * y[pairing[i]]. */
static void class_numbers_are_mixed_as_one_hot_rows(void **state) {
    (void)state;
    static const int64_t pairing[4] = {1, 0, 3, 2};
    bench b;
    float mixed[4][3];
    fmix_context *context = unit_context();
    fmix_recipe recipe = {.method = FMIX_METHOD_NONE};
    problem p = {0};
    begin(&b, "classes=3&method=mixup&lambda=0.75&shape=2x2");
    add(&b, "y", DTYPE_I64, 1, 0, numbers);
    assert_true(find(&b, false));
    assert_true(recipe_from_query(&b.query, &recipe, &p));
    assert_true(recipe_shape(2, b.query.shape.side, 1 << 16, "shape", &recipe.shape, &p));
    fmix_choice choice;
    choice_of(&b.query, &choice);
    mixer_rows rows = {.rows.count = 4};
    assert_ok(fmix_mixer_new(context, &recipe, &choice, &rows.mixer));
    tensor_source *s = tensor_source_new(4);
    assert_true(labels_add(b.found, s, &rows, pairing));
    served_fill(s, "labels", mixed, sizeof mixed);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned class = 0; class < 3; class ++)
            assert_true(mixed[i][class] ==
                        0.75f * (numbers[i] == class) + 0.25f * (numbers[pairing[i]] == class));
    tensor_source_free(s);
    fmix_mixer_free(rows.mixer);
    labels_free(b.found);
    fmix_context_free(context);
}

static void each_head_has_a_tensor_of_its_name_and_classes(void **state) {
    (void)state;
    bench b;
    mixer_rows rows = {.rows.count = 4};
    begin(&b, "classes=3");
    add(&b, "y", DTYPE_I64, 1, 0, numbers);
    add(&b, "y.share", DTYPE_F32, 2, 2, weights);
    assert_true(find(&b, false));
    tensor_source *s = tensor_source_new(4);
    assert_true(labels_add(b.found, s, &rows, NULL));
    assert_int_equal(served_find(s, "labels")->shape[1], 3);
    assert_int_equal(served_find(s, "labels.share")->shape[1], 2);
    tensor_source_free(s);
    labels_free(b.found);
}

static const float reals[4] = {1.5f, -2, 0, 1e6f};

static void floats_without_classes_are_values_and_with_them_class_numbers(void **state) {
    (void)state;
    static const float whole[4] = {0, 2, 1, 2};
    static const struct {
        const char *text;
        unsigned rank; /* of the tensor */
    } table[] = {{"", 1}, {"classes=0", 1}, {"classes=3", 2}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bench b;
        mixer_rows rows = {.rows.count = 4};
        begin(&b, table[i].text);
        add(&b, "y", DTYPE_F32, 1, 0, whole);
        assert_true(find(&b, false));
        assert_int_equal(labels_numbers(b.found) != NULL, table[i].rank == 2);
        tensor_source *s = tensor_source_new(4);
        assert_true(labels_add(b.found, s, &rows, NULL));
        assert_int_equal(served_find(s, "labels")->rank, table[i].rank);
        tensor_source_free(s);
        labels_free(b.found);
    }
}

static void a_list_of_classes_says_0_for_values(void **state) {
    (void)state;
    bench b;
    begin(&b, "classes=0,3&smoothing=0.5");
    add(&b, "y.price", DTYPE_F32, 1, 0, reals);
    add(&b, "y.share", DTYPE_F32, 2, 2, weights);
    add(&b, "y.kind", DTYPE_I64, 1, 0, numbers);
    assert_true(find(&b, false));
    assert_true(labels_numbers(b.found)->y == numbers && labels_numbers(b.found)->classes == 3);
    labels_free(b.found);
}

static void values_alone_are_not_smoothed(void **state) {
    (void)state;
    bench b;
    begin(&b, "smoothing=0.5");
    add(&b, "y", DTYPE_F32, 1, 0, reals);
    assert_false(find(&b, false));
    served_is(&b.problem, 400, "smoothing");
}

static void floats_that_are_not_class_numbers_are_told_how_to_be_values(void **state) {
    (void)state;
    bench b;
    begin(&b, "classes=3");
    add(&b, "y", DTYPE_F32, 1, 0, reals);
    assert_false(find(&b, false));
    served_is(&b.problem, 400, "y");
    assert_int_equal(b.problem.count, 2);
    assert_non_null(strstr(b.problem.errors[1].detail, "leave classes out"));
}

static void what_does_not_make_labels_is_refused_by_the_name_to_blame(void **state) {
    (void)state;
    static const int64_t beyond[4] = {0, 3, 1, 2};
    static const struct {
        const char *text, *name, *second;
        const void *bytes;
        bool partners;
        const char *parameter;
    } table[] = {
        {"", "y", NULL, numbers, false, "classes"},
        {"classes=3", "y", NULL, beyond, false, "y"},
        {"classes=3", "y2", NULL, numbers, false, "y2"},
        {"classes=3", "y", NULL, numbers, true, "y2"},
        {"classes=3,4", "y", NULL, numbers, false, "classes"},
        {"classes=3", "y.a", "y2.b", numbers, true, "y2.a"},
        {"", "y2", NULL, numbers, true, "y"},
        {"classes=3", "y2.a", NULL, numbers, true, "y.a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bench b;
        begin(&b, table[i].text);
        add(&b, table[i].name, DTYPE_I64, 1, 0, table[i].bytes);
        if (table[i].second)
            add(&b, table[i].second, DTYPE_I64, 1, 0, table[i].bytes);
        assert_false(find(&b, table[i].partners));
        assert_null(b.found);
        served_is(&b.problem, 400, table[i].parameter);
    }
}

static void types_that_the_library_does_not_read_are_converted_and_counted(void **state) {
    (void)state;
    static const uint16_t wide[4] = {0, 2, 1, 2};
    bench b;
    begin(&b, "classes=3");
    add(&b, "y", DTYPE_U16, 1, 0, wide);
    add(&b, "y.more", DTYPE_U16, 1, 0, wide);
    assert_true(find(&b, false));
    assert_true(labels_held(b.found) >= 2 * 4 * sizeof(int32_t));
    assert_int_equal(budget_held(&payer), labels_held(b.found));
    labels_free(b.found);
    assert_int_equal(budget_held(&payer), 0);
    begin(&b, "classes=3");
    add(&b, "y", DTYPE_I64, 1, 0, numbers);
    assert_true(find(&b, false));
    assert_int_equal(labels_held(b.found), 0);
    labels_free(b.found);
}

static void an_upload_without_y_has_no_labels_and_no_problem(void **state) {
    (void)state;
    bench b;
    begin(&b, "");
    add(&b, "x", DTYPE_F32, 2, 2, weights);
    assert_true(find(&b, false));
    assert_null(b.found);
    assert_int_equal(labels_held(NULL), 0);
    assert_true(labels_add(NULL, NULL, NULL, NULL));
    labels_free(NULL);
}

static int make_payer(void **state) {
    (void)state;
    budget_init(&payer, 1u << 20, 1);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(names_of_labels_are_y_and_y2_with_any_suffix),
        T(class_numbers_are_mixed_as_one_hot_rows),
        T(each_head_has_a_tensor_of_its_name_and_classes),
        T(floats_without_classes_are_values_and_with_them_class_numbers),
        T(a_list_of_classes_says_0_for_values),
        T(values_alone_are_not_smoothed),
        T(floats_that_are_not_class_numbers_are_told_how_to_be_values),
        T(what_does_not_make_labels_is_refused_by_the_name_to_blame),
        T(types_that_the_library_does_not_read_are_converted_and_counted),
        T(an_upload_without_y_has_no_labels_and_no_problem),
    };
    return cmocka_run_group_tests(tests, make_payer, NULL);
}
