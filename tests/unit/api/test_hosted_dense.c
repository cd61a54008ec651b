#include "handler_bench.h"
#include "small_set.h"

#include "api/hosted_dense.h"

/* Rows 1 and 2 of the set of small_set.h, with its targets dense.map (u8) and dense (2 channels).
 */
enum { ROWS = 2 };

typedef struct bench {
    dataset *set;
    hosted_samples samples;
    hosted_dense hosted;
    dense targets;
    problem problem;
} bench;

static const uint64_t sides[] = {2, 2};
static const batch_geometry grey = {.rank = 2, .sides = sides, .channels = 1};
static const fmix_shape mask = {.rank = 2, .side = {2, 2}};

static bool begin(bench *b, unsigned layout, const char *text) {
    static uint64_t numbers[ROWS] = {1, 2};
    query q;
    batch_geometry g = grey;
    *b = (bench){.set = small_open("set", true)};
    assert_non_null(b->set);
    b->samples = (hosted_samples){.set = b->set, .at = {.rows = ROWS, .t = 5}, .number = numbers};
    b->hosted.samples = &b->samples;
    served_query(&q, ~0u, text);
    q.layout = layout;
    g.has_channels = layout != LAYOUT_NONE;
    g.layout = layout == LAYOUT_CHANNELS_LAST ? FMIX_CHANNELS_LAST : FMIX_CHANNELS_FIRST;
    return hosted_dense_begin(&b->hosted, &q, &g, &mask, &b->targets, &b->problem);
}

static void end(bench *b) {
    hosted_dense_end(&b->hosted);
    dataset_release(b->set);
}

/* Fills target number i, where every row is its own partner. */
static fmix_status fill(bench *b, unsigned i, void *out) {
    static const fmix_method none = FMIX_METHOD_NONE;
    static const int64_t themselves[ROWS] = {0, 1};
    const fmix_choice choice = {.count = 1, .methods = &none};
    const fmix_recipe recipe = {.shape = mask, .alpha = 1};
    fmix_context *context = unit_context();
    fmix_scratch *scratch;
    dense_target *t = &b->targets.targets[i];
    assert_ok(hosted_dense_locate(&b->hosted, 0, ROWS, themselves));
    t->rows = (mixer_rows){.rows = {.count = ROWS, .index = 5}};
    t->batch.pairing = themselves;
    assert_ok(fmix_mixer_new(context, &recipe, &choice, &t->rows.mixer));
    assert_ok(fmix_scratch_new(&scratch));
    fmix_status status = t->fill(t->fill_self, scratch, 0, ROWS, out);
    fmix_scratch_free(scratch);
    fmix_mixer_free(t->rows.mixer);
    fmix_context_free(context);
    return status;
}

static void every_target_of_the_set_is_one_of_the_batch(void **state) {
    (void)state;
    bench b;
    assert_true(begin(&b, LAYOUT_NONE, "method=cutmix"));
    assert_int_equal(b.targets.count, 2);
    assert_string_equal(b.targets.targets[0].name, "dense.map");
    assert_string_equal(b.targets.targets[1].name, "dense");
    assert_int_equal(b.targets.targets[0].sides, 2);
    assert_int_equal(b.targets.targets[1].sides, 3);
    end(&b);
}

static void rows_that_nothing_is_asked_for_are_mixed_where_they_lie(void **state) {
    (void)state;
    bench b;
    unsigned char maps[ROWS][4];
    assert_true(begin(&b, LAYOUT_NONE, "method=cutmix"));
    assert_ok(fill(&b, 0, maps));
    assert_memory_equal(maps, dataset_array_row(&b.set->dense[0], 1), sizeof maps);
    assert_int_equal(hosted_dense_memory(&b.hosted), 2 * ROWS * sizeof(void *));
    assert_int_equal(hosted_dense_working(&b.hosted), 0);
    end(&b);
}

static void targets_are_moved_as_x_is_and_never_normalised(void **state) {
    (void)state;
    bench b;
    unsigned char maps[ROWS][4];
    assert_true(begin(&b, LAYOUT_NONE, "method=cutmix&flip=1&mean=0.5&seed=4"));
    assert_ok(fill(&b, 0, maps));
    for (unsigned i = 0; i < ROWS; i++) {
        const unsigned char *stored = dataset_array_row(&b.set->dense[0], 1 + i);
        fmix_light light;
        assert_ok(fmix_light_draw(4, 5 + i, 2, 0, &light));
        for (unsigned j = 0; j < 4; j++)
            assert_int_equal(maps[i][j], stored[light.flip ? j ^ 1 : j]);
    }
    assert_int_equal(hosted_dense_memory(&b.hosted), 0);
    assert_true(hosted_dense_working(&b.hosted) > 0 && b.targets.targets[0].row_cost > 0);
    end(&b);
}

static void channels_are_where_the_answer_has_them(void **state) {
    (void)state;
    bench b;
    float first[ROWS][2][4], last[ROWS][4][2];
    assert_true(begin(&b, LAYOUT_CHANNELS_FIRST, "method=cutmix"));
    assert_ok(fill(&b, 1, first));
    end(&b);
    assert_true(begin(&b, LAYOUT_CHANNELS_LAST, "method=cutmix"));
    assert_ok(fill(&b, 1, last));
    end(&b);
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned c = 0; c < 2; c++)
            for (unsigned j = 0; j < 4; j++)
                assert_true(first[i][c][j] == last[i][j][c]);
}

static void methods_that_would_blend_a_map_are_refused(void **state) {
    (void)state;
    bench b;
    assert_false(begin(&b, LAYOUT_NONE, "method=mixup"));
    served_is(&b.problem, 400, "method");
    assert_non_null(strstr(b.problem.errors[0].detail, "dense.map has dtype u8"));
    end(&b);
}

static void a_target_that_is_altered_fails(void **state) {
    (void)state;
    bench b;
    unsigned char maps[ROWS][4];
    assert_true(begin(&b, LAYOUT_NONE, "method=cutmix"));
    assert_int_equal(truncate(folder_path("set/dense.map.bin"), 1), 0);
    assert_int_equal(fill(&b, 0, maps), FMIX_ERROR_LIBRARY);
    end(&b);
}

static void targets_of_an_image_set_are_views_of_one_size(void **state) {
    (void)state;
    metrics counters = {0};
    bench b;
    unsigned char maps[ROWS][4];
    static uint64_t numbers[ROWS] = {1, 2};
    query q;
    b = (bench){.set = small_open("maps", true)};
    assert_non_null(b.set);
    b.samples = (hosted_samples){
        .set = b.set, .at = {.rows = ROWS, .t = 5, .end = ROWS}, .number = numbers};
    b.hosted.samples = &b.samples;
    served_query(&q, ~0u, "method=cutmix&size=2&view=stretch");
    q.layout = LAYOUT_CHANNELS_LAST;
    batch_geometry g = grey;
    g.has_channels = true;
    g.layout = FMIX_CHANNELS_LAST;
    const hosted_views like = {.metrics = &counters};
    assert_true(hosted_dense_view(&b.hosted, &q, &like, ROWS, &b.problem));
    assert_ok(hosted_dense_find(&b.hosted));
    assert_true(hosted_dense_begin(&b.hosted, &q, &g, &mask, &b.targets, &b.problem));
    assert_int_equal(b.targets.count, 1);
    assert_int_equal(b.targets.targets[0].sides, 2);
    assert_true(hosted_dense_memory(&b.hosted) >= 2 * ROWS * 4);
    assert_ok(fill(&b, 0, maps));
    assert_memory_equal(maps[0], ((unsigned char[]){2, 3, 2, 3}), 4); /* of 1 x 2 */
    assert_memory_equal(maps[1], ((unsigned char[]){4, 4, 4, 4}), 4);
    char why[HOSTED_VIEWS_REASON];
    assert_false(hosted_dense_failed(&b.hosted, why));
    end(&b);
}

static int begin_folder(void **state) {
    int begun = folder_begin(state);
    small_write_dense("set");
    small_write_maps("maps", DATASET_PIXELS);
    return begun;
}

/* The last one alters the set. */
int main(void) {
    const struct CMUnitTest tests[] = {
        T(every_target_of_the_set_is_one_of_the_batch),
        T(rows_that_nothing_is_asked_for_are_mixed_where_they_lie),
        T(targets_are_moved_as_x_is_and_never_normalised),
        T(channels_are_where_the_answer_has_them),
        T(methods_that_would_blend_a_map_are_refused),
        T(targets_of_an_image_set_are_views_of_one_size),
        T(a_target_that_is_altered_fails),
    };
    return cmocka_run_group_tests(tests, begin_folder, folder_end);
}
