#include "handler_bench.h"

#include "api/hosted_batch.h"
#include "small_set.h"

/* The source of batch `step`, or NULL and a problem. */
static tensor_source *ask(served *b, const char *text, uint64_t step, problem *p) {
    resource_request c = served_request(b, batch_get, text, &format_npz);
    dataset *d = catalog_find(b->server.catalog, "set", (char[CATALOG_REASON]){0});
    batch_address at;
    assert_true(batch_address_find(&c.query, d, step, &at, p));
    return hosted_batch_source(&c, d, &at, p);
}

static tensor_source *made(served *b, const char *text, uint64_t step) {
    problem p = {0};
    tensor_source *s = ask(b, text, step, &p);
    served_is(&p, 0, "");
    served_prepare(s);
    return s;
}

static void every_sample_of_a_shuffled_epoch_comes_once(void **state) {
    (void)state;
    served *b = served_new();
    unsigned seen = 0;
    for (uint64_t step = 0; step < 3; step++) {
        int64_t rows[2];
        size_t n = step < 2 ? 2 : 1;
        tensor_source *s = made(b, "n=2&seed=3", step);
        served_fill(s, "rows", rows, n * sizeof *rows);
        for (size_t i = 0; i < n; i++)
            seen += 1u << (4 * rows[i]);
        tensor_source_free(s);
    }
    assert_int_equal(seen, 0x11111);
    served_free(b);
}

static void labels_are_those_of_the_samples(void **state) {
    (void)state;
    served *b = served_new();
    int64_t rows[5];
    float labels[5][SERVED_CLASSES];
    tensor_source *s = made(b, "n=5&seed=3&method=none", 0);
    served_fill(s, "rows", rows, sizeof rows);
    served_fill(s, "labels", labels, sizeof labels);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned class = 0; class < SERVED_CLASSES; class ++)
            assert_true(labels[i][class] == (served_labels[rows[i]] == class));
    tensor_source_free(s);
    served_free(b);
}

/* lambda of the row and 1 - lambda of its partner, rounded to u8. */
static void rows_are_mixed_with_the_partner_that_pairing_names(void **state) {
    (void)state;
    served *b = served_new();
    int64_t pairing[5];
    double lambda[5];
    unsigned char mixed[5][SERVED_ROW];
    tensor_source *s = made(b, "n=5&shuffle=0&seed=9&method=mixup", 0);
    served_fill(s, "pairing", pairing, sizeof pairing);
    served_fill(s, "lambda", lambda, sizeof lambda);
    served_fill(s, "mixed", mixed, sizeof mixed);
    for (unsigned i = 0; i < 5; i++) {
        double first = i * SERVED_ROW, second = (double)pairing[i] * SERVED_ROW;
        double wanted = lambda[i] * first + (1 - lambda[i]) * second;
        assert_true(mixed[i][0] >= wanted - 0.5 && mixed[i][0] <= wanted + 0.5);
    }
    tensor_source_free(s);
    served_free(b);
}

static void ranks_have_the_rows_of_the_whole_batch(void **state) {
    (void)state;
    served *b = served_new();
    unsigned char whole[4 * SERVED_ROW], share[2 * SERVED_ROW];
    tensor_source *s = made(b, "n=4&seed=5", 0);
    served_fill(s, "mixed", whole, sizeof whole);
    tensor_source_free(s);
    for (unsigned rank = 0; rank < 2; rank++) {
        s = made(b, rank ? "n=4&seed=5&world=2&rank=1" : "n=4&seed=5&world=2", 0);
        served_fill(s, "mixed", share, sizeof share);
        assert_memory_equal(share, whole + rank * sizeof share, sizeof share);
        tensor_source_free(s);
    }
    served_free(b);
}

/* Rows are mixed where they lie in one layout, and after preprocessing in the other. */
static void a_batch_has_the_same_elements_in_each_layout(void **state) {
    (void)state;
    served *b = served_new();
    unsigned char first[4][3][4], last[4][4][3];
    tensor_source *s = made(b, "n=4&seed=5&method=cutmix", 0);
    served_fill(s, "mixed", first, sizeof first);
    tensor_source_free(s);
    s = made(b, "n=4&seed=5&method=cutmix&layout=channels_last", 0);
    served_fill(s, "mixed", last, sizeof last);
    tensor_source_free(s);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned c = 0; c < 3; c++)
            for (unsigned j = 0; j < 4; j++)
                assert_int_equal(first[i][c][j], last[i][j][c]);
    served_free(b);
}

static void preprocessing_costs_time_and_memory(void **state) {
    (void)state;
    served *b = served_new();
    tensor_source *plain = made(b, "n=4", 0), *flipped = made(b, "n=4&flip=1", 0);
    assert_true(served_find(flipped, "mixed")->row_cost > served_find(plain, "mixed")->row_cost);
    assert_true(flipped->working > plain->working);
    tensor_source_free(plain);
    tensor_source_free(flipped);
    served_free(b);
}

/* The source of batch 0 of a set of small_set.h, or NULL and a problem. */
static tensor_source *ask_small(served *b, const char *name, const char *text, problem *p) {
    resource_request c = served_request(b, batch_get, text, &format_npz);
    batch_address at;
    dataset *d = small_open(name, true);
    assert_true(batch_address_find(&c.query, d, 0, &at, p));
    return hosted_batch_source(&c, d, &at, p);
}

/* lambda=0: the answer is the partners. */
static void a_neighbour_is_a_sample_of_the_set_with_its_labels(void **state) {
    (void)state;
    static const int64_t near[3][2] = {{1, 2}, {0, 2}, {1, 1}};
    static const unsigned char numbers[3] = {0, 2, 1};
    served *b = served_new();
    problem p = {0};
    int64_t pairing[2], rows[2];
    unsigned char mixed[2][4];
    float labels[2][3];
    small_write_dense("near");
    tensor_source *s =
        ask_small(b, "near",
                  "n=2&shuffle=0&pairing=neighbour&method=mixup&lambda=0&parts=mixed,pairing,"
                  "rows,labels",
                  &p);
    served_is(&p, 0, "");
    served_prepare(s);
    served_fill(s, "pairing", pairing, sizeof pairing);
    served_fill(s, "rows", rows, sizeof rows);
    served_fill(s, "mixed", mixed, sizeof mixed);
    served_fill(s, "labels", labels, sizeof labels);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rows[i], i);
        assert_true(pairing[i] == near[i][0] || pairing[i] == near[i][1]);
        assert_memory_equal(mixed[i], small_pixels + 4 * pairing[i], 4);
        assert_true(labels[i][numbers[pairing[i]]] == 1);
    }
    tensor_source_free(s);
    served_free(b);
}

/* A row of the targets is larger than a row of x. */
static void targets_and_neighbours_cost_memory(void **state) {
    (void)state;
    static const char *const texts[] = {"n=3&method=cutmix&parts=mixed&flip=1",
                                        "n=3&method=cutmix&parts=mixed,dense&flip=1",
                                        "n=3&method=cutmix&parts=mixed,dense",
                                        "n=3&method=cutmix&parts=mixed,dense&pairing=neighbour"};
    served *b = served_new();
    tensor_source *s[4];
    small_write_dense("targets");
    for (unsigned i = 0; i < 4; i++) {
        problem p = {0};
        s[i] = ask_small(b, "targets", texts[i], &p);
        served_is(&p, 0, "");
    }
    assert_true(s[1]->working > s[0]->working && s[1]->working > s[2]->working);
    assert_true(s[2]->memory > s[1]->memory && s[3]->memory > s[2]->memory);
    assert_true(s[3]->prepare_cost > s[2]->prepare_cost);
    for (unsigned i = 0; i < 4; i++)
        tensor_source_free(s[i]);
    served_free(b);
}

static void neighbours_of_a_set_that_has_none_are_refused(void **state) {
    (void)state;
    served *b = served_new();
    problem p = {0};
    assert_null(ask(b, "n=4&pairing=neighbour", 0, &p));
    served_is(&p, 400, "pairing");
    assert_non_null(strstr(p.errors[0].detail, "--neighbours"));
    served_free(b);
}

/* Rows of 1, 4 and 1 steps: the two shorter ones make a batch, the longest another. */
static void a_batch_of_sequences_is_as_long_as_its_longest_row(void **state) {
    (void)state;
    static const unsigned wanted[3] = {0, 2, 1}, begins[3] = {0, 2, 10};
    served *b = served_new();
    problem p = {0};
    int64_t lengths[3], rows[3];
    unsigned char mixed[3][4][2];
    small_write_ragged("ragged");
    tensor_source *s = ask_small(b, "ragged", "n=2&bucket=2&shuffle=0&method=none", &p);
    served_is(&p, 0, "");
    assert_true(served_find(s, "mixed")->shape[1] == 1 && s->prepare_cost < 1000);
    tensor_source_free(s);
    s = ask_small(b, "ragged", "n=3&pad_value=99&shuffle=0&method=none", &p);
    served_is(&p, 0, "");
    served_prepare(s);
    served_fill(s, "lengths", lengths, sizeof lengths);
    served_fill(s, "rows", rows, sizeof rows);
    served_fill(s, "mixed", mixed, sizeof mixed);
    for (unsigned i = 0; i < 3; i++) {
        const unsigned row = wanted[i];
        assert_int_equal(rows[i], row);
        assert_int_equal(lengths[i], row == 1 ? 4 : 1);
        for (unsigned step = 0; step < 4; step++)
            assert_int_equal(mixed[i][step][0],
                             step < lengths[i] ? small_pixels[begins[row] + 2 * step] : 99);
    }
    tensor_source_free(s);
    served_free(b);
}

static void sequences_are_refused_what_they_cannot_have(void **state) {
    (void)state;
    static const char *const table[][2] = {{"n=2&pad_value=256", "pad_value"},
                                           {"n=2&crop=1&pad=reflect", "crop"},
                                           {"n=2&pairing=neighbour", "pairing"},
                                           {"n=2&layout=none", "layout"}};
    served *b = served_new();
    small_write_ragged("refused");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        assert_null(ask_small(b, "refused", table[i][0], &p));
        served_is(&p, 400, table[i][1]);
    }
    problem p = {0};
    assert_null(ask(b, "n=2&bucket=3", 0, &p));
    served_is(&p, 400, "bucket");
    served_free(b);
}

/* Pictures of 1 x 1, 1 x 2 and 1 x 1 pixels; the first pixels of them are 1 2 3, 4 5 6 and 10
 * 11 12.
 */
static void pictures_become_rows_of_one_shape(void **state) {
    (void)state;
    served *b = served_new();
    problem p = {0};
    unsigned char mixed[3][2][2][3];
    small_write_images("pictures", DATASET_PIXELS);
    tensor_source *s =
        ask_small(b, "pictures", "n=3&size=2&view=stretch&filter=nearest&method=none", &p);
    served_is(&p, 0, "");
    assert_false(s->warm);
    served_prepare(s);
    served_fill(s, "mixed", mixed, sizeof mixed);
    for (unsigned y = 0; y < 2; y++) {
        assert_memory_equal(mixed[0][y][1], small_pixels, 3);
        assert_memory_equal(mixed[1][y][0], small_pixels + 3, 3);
        assert_memory_equal(mixed[1][y][1], small_pixels + 6, 3);
        assert_memory_equal(mixed[2][y][0], small_pixels + 9, 3);
    }
    tensor_source_free(s);
    served_free(b);
}

static void a_picture_that_is_none_is_a_loss_that_names_its_row(void **state) {
    (void)state;
    served *b = served_new();
    problem p = {0};
    char told[400] = "";
    small_write_images("files", DATASET_FILES);
    tensor_source *s = ask_small(b, "files", "n=1&size=2&seed=4", &p);
    served_is(&p, 0, "");
    assert_false(s->is_lost(s->self));
    assert_int_equal(s->prepare(s->self), FMIX_ERROR_LIBRARY); /* before the status is sent */
    assert_true(s->is_lost(s->self));
    s->tell_loss(s->self, told, sizeof told);
    assert_non_null(strstr(told, "the picture of row 0 of the data set files cannot be used"));
    tensor_source_free(s);
    served_free(b);
}

static void image_sets_are_not_served_by_a_decoder_that_failed_its_test(void **state) {
    (void)state;
    served *b = served_new();
    problem p = {0};
    small_write_images("untested", DATASET_PIXELS);
    b->server.misdecodes = true;
    assert_null(ask_small(b, "untested", "n=1&size=2", &p));
    served_is(&p, 503, "");
    assert_non_null(strstr(p.errors[0].detail, "image sets are not served"));
    p = (problem){0};
    tensor_source_free(ask(b, "n=1", 0, &p)); /* all else is */
    served_is(&p, 0, "");
    served_free(b);
}

static void only_a_pinned_digest_makes_an_answer_final(void **state) {
    (void)state;
    served *b = served_new();
    tensor_source *s = made(b, "n=4", 0);
    assert_int_equal(s->fresh, FRESH_UNTIL_REPLACED);
    tensor_source_free(s);
    served_free(b);
}

static void a_set_that_is_overwritten_is_lost(void **state) {
    (void)state;
    served *b = served_new();
    char path[100];
    unsigned char mixed[4 * SERVED_ROW];
    fmix_scratch *scratch;
    tensor_source *s = made(b, "n=4&parts=mixed", 0);
    assert_false(s->is_lost(s->self));
    snprintf(path, sizeof path, "%s/set/data.bin", b->root);
    assert_int_equal(truncate(path, 0), 0);
    assert_ok(fmix_scratch_new(&scratch));
    assert_int_not_equal(s->tensors[0].fill(s->tensors[0].self, scratch, 0, 4, mixed), FMIX_OK);
    assert_true(s->is_lost(s->self));
    fmix_scratch_free(scratch);
    tensor_source_free(s);
    served_free(b);
}

static void fewer_classes_than_the_set_has_are_refused(void **state) {
    (void)state;
    served *b = served_new();
    problem p = {0};
    assert_null(ask(b, "n=4&classes=2", 0, &p));
    served_is(&p, 400, "classes");
    served_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(every_sample_of_a_shuffled_epoch_comes_once),
        T(labels_are_those_of_the_samples),
        T(rows_are_mixed_with_the_partner_that_pairing_names),
        T(ranks_have_the_rows_of_the_whole_batch),
        T(a_batch_has_the_same_elements_in_each_layout),
        T(preprocessing_costs_time_and_memory),
        T(a_neighbour_is_a_sample_of_the_set_with_its_labels),
        T(targets_and_neighbours_cost_memory),
        T(neighbours_of_a_set_that_has_none_are_refused),
        T(a_batch_of_sequences_is_as_long_as_its_longest_row),
        T(sequences_are_refused_what_they_cannot_have),
        T(pictures_become_rows_of_one_shape),
        T(a_picture_that_is_none_is_a_loss_that_names_its_row),
        T(image_sets_are_not_served_by_a_decoder_that_failed_its_test),
        T(only_a_pinned_digest_makes_an_answer_final),
        T(a_set_that_is_overwritten_is_lost),
        T(fewer_classes_than_the_set_has_are_refused),
    };
    return cmocka_run_group_tests(tests, folder_begin, folder_end);
}
