#include "served_bench.h"

static resource_result ask(const char *text, const format *f) {
    resource_request c = served_request(bench, masks_get, text, f);
    resource_result out = {0};
    masks_get(&c, &out);
    return out;
}

static tensor_source *made(const char *text, const format *f) {
    resource_result out = ask(text, f);
    served_is(&out.problem, 0, "");
    assert_non_null(out.source);
    return out.source;
}

enum { SIDE = 16, ELEMENTS = SIDE * SIDE };

static void the_numbers_beside_a_mask_are_counted_on_it(void **state) {
    (void)state;
    static const char *const methods[] = {"shape=16x16&n=3&seed=5",
                                          "shape=16x16&n=3&seed=5&method=cutmix"};
    for (unsigned m = 0; m < 2; m++) {
        unsigned char masks[3][ELEMENTS];
        float floats[3][ELEMENTS];
        int64_t ones[3];
        double effective[3], lambda[3];
        char text[80];
        snprintf(text, sizeof text, "%s&dtype=u8", methods[m]);
        tensor_source *s = made(text, &format_npz), *as_floats = made(methods[m], &format_npz);
        served_fill(s, "masks", masks, sizeof masks);
        served_fill(s, "ones", ones, sizeof ones);
        served_fill(s, "lambda", lambda, sizeof lambda);
        served_fill(s, "lambda_eff", effective, sizeof effective);
        served_fill(as_floats, "masks", floats, sizeof floats);
        for (unsigned i = 0; i < 3; i++) {
            int64_t counted = 0;
            for (unsigned j = 0; j < ELEMENTS; j++) {
                counted += masks[i][j];
                assert_true(floats[i][j] == (float)masks[i][j]);
            }
            assert_int_equal(ones[i], counted);
            assert_true(effective[i] == (double)counted / ELEMENTS);
            assert_true(lambda[i] >= 0 && lambda[i] <= 1);
            if (m == 0) /* FMix keeps lambda to less than an element */
                assert_true(effective[i] - lambda[i] < 1.0 / ELEMENTS &&
                            lambda[i] - effective[i] < 1.0 / ELEMENTS);
        }
        tensor_source_free(s);
        tensor_source_free(as_floats);
    }
}

static void a_sample_has_one_mask_whatever_else_is_asked_for(void **state) {
    (void)state;
    unsigned char three[3][ELEMENTS], one[ELEMENTS];
    tensor_source *s = made("shape=16x16&n=3&seed=5&index=40&dtype=u8", &format_npy);
    served_fill(s, "masks", three, sizeof three);
    tensor_source_free(s);
    s = made("shape=16x16&n=1&seed=5&index=42&dtype=u8", &format_npy);
    served_fill(s, "masks", one, sizeof one);
    assert_memory_equal(one, three[2], sizeof one);
    tensor_source_free(s);
}

static void images_are_masks_as_levels(void **state) {
    (void)state;
    unsigned char levels[ELEMENTS], mask[ELEMENTS];
    tensor_source *s = made("shape=16x16&n=1", &format_png);
    served_fill(s, "masks", levels, sizeof levels);
    tensor_source_free(s);
    s = made("shape=16x16&n=1&dtype=u8", &format_npy);
    served_fill(s, "masks", mask, sizeof mask);
    tensor_source_free(s);
    for (unsigned i = 0; i < ELEMENTS; i++)
        assert_int_equal(levels[i], 255 * mask[i]);
}

static void greys_are_levels_with_and_without_an_image(void **state) {
    (void)state;
    unsigned char image[ELEMENTS], levels[ELEMENTS], most = 0;
    tensor_source *s = made("shape=16x16&n=1&output=grey", &format_png);
    served_fill(s, "masks", image, sizeof image);
    tensor_source_free(s);
    s = made("shape=16x16&n=1&output=grey&dtype=u8", &format_npy);
    served_fill(s, "masks", levels, sizeof levels);
    tensor_source_free(s);
    assert_memory_equal(image, levels, sizeof levels);
    for (unsigned i = 0; i < ELEMENTS; i++)
        most = levels[i] > most ? levels[i] : most;
    assert_int_equal(most, 255);
}

static void what_no_mask_can_be_made_of_is_refused_by_its_parameter(void **state) {
    (void)state;
    static const struct {
        const char *text, *parameter;
    } table[] = {
        {"", "shape"},
        {"shape=16x16&method=mixup", "method"},
        {"shape=16x16&method=fmix,cutmix", "method"},
        {"shape=16x16&method=cutmix&output=grey", "output"},
        {"shape=16x16&dtype=bits&output=grey", "dtype"},
        {"shape=1000x1000", "shape"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_result out = ask(table[i].text, &format_npz);
        assert_null(out.source);
        assert_true(out.problem.status >= 400 && out.problem.status < 500);
        assert_string_equal(out.problem.errors[0].parameter, table[i].parameter);
    }
}

static void the_canonical_text_and_the_notes_say_what_was_asked(void **state) {
    (void)state;
    tensor_source *s = made("shape=16x16&n=3&seed=5&index=40", &format_npz);
    assert_non_null(strstr(s->recipe, "seed=5"));
    assert_non_null(strstr(s->recipe, "shape=16x16"));
    assert_string_equal(s->meta[0].name, "seed");
    assert_true(s->meta[0].value == 5 && s->meta[1].value == 40);
    assert_int_equal(s->fresh, FRESH_FOR_EVER);
    tensor_source_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_numbers_beside_a_mask_are_counted_on_it),
        T(a_sample_has_one_mask_whatever_else_is_asked_for),
        T(images_are_masks_as_levels),
        T(greys_are_levels_with_and_without_an_image),
        T(what_no_mask_can_be_made_of_is_refused_by_its_parameter),
        T(the_canonical_text_and_the_notes_say_what_was_asked),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
