#include "unit.h"

#include "compute/tuner.h"

#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/fmixd-tuner-XXXXXX";

static const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Draws masks of one shape until its transform is worth measuring. Each test takes another shape,
 * because a process measures a shape once. */
static void draw_many(fmix_context *context, uint32_t side) {
    const fmix_recipe recipe = {.shape = {2, {side, 40, 0}}, .alpha = 1, .delta = 3};
    static unsigned char out[300 * 100];
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    assert_ok(fmix_scratch_new(&scratch));
    for (uint64_t t = 0; t < 5000; t += 100)
        assert_ok(fmix_plan_masks(plan, scratch, t, 100, FMIX_DTYPE_BITS, out));
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
}

static size_t said_of(const char *path, char *text, size_t room) {
    FILE *errors = tmpfile();
    fmix_context *context = NULL;
    assert_non_null(errors);
    assert_ok(fmix_context_new(1u << 20, &context));
    tuner *t = tuner_new(context, path, errors);
    assert_non_null(t);
    tuner_free(t);
    fmix_context_free(context);
    rewind(errors);
    size_t length = fread(text, 1, room - 1, errors);
    text[length] = 0;
    fclose(errors);
    return length;
}

static void a_measurement_is_written_to_the_file_and_read_again(void **state) {
    (void)state;
    const char *path = path_of("wisdom");
    char text[1000];
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(1u << 20, &context));
    tuner *t = tuner_new(context, path, stderr);
    assert_non_null(t);
    draw_many(context, 40);
    UNIT_UNTIL(access(path, F_OK) == 0);
    tuner_free(t);
    fmix_context_free(context);
    assert_int_equal(said_of(path, text, sizeof text), 0);
}

static void a_file_that_is_not_wisdom_is_named_and_ignored(void **state) {
    (void)state;
    const char *path = path_of("nonsense");
    char text[1000];
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("(fftw-0.1 nothing)", out);
    fclose(out);
    assert_true(said_of(path, text, sizeof text) > 0);
    assert_non_null(strstr(text, "nonsense"));
    assert_non_null(strstr(text, "ignored"));
    assert_true(said_of(folder, text, sizeof text) > 0); /* a directory */
}

static void without_a_path_nothing_is_written(void **state) {
    (void)state;
    fmix_context *context = NULL;
    assert_ok(fmix_context_new(1u << 20, &context));
    FILE *errors = tmpfile(); /* would hold the message of a failed write */
    assert_non_null(errors);
    tuner *t = tuner_new(context, "", errors);
    fmix_counters counters = {0};
    draw_many(context, 44);
    UNIT_UNTIL((fmix_context_counters(context, &counters), counters.transforms_measured == 1));
    tuner_free(t);
    tuner_free(NULL);
    assert_int_equal(ftell(errors), 0);
    fclose(errors);
    fmix_context_free(context);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path_of("wisdom"));
    unlink(path_of("nonsense"));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_measurement_is_written_to_the_file_and_read_again),
        T(a_file_that_is_not_wisdom_is_named_and_ignored),
        T(without_a_path_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
