#include "fault.h"
#include "handler_bench.h"

#include "api/hosted_views.h"
#include "formats/png_plain.h"

#include <pthread.h>

/* Pictures of 2 + i rows and 5 columns, whose samples differ from place to place; as files, too. */
enum { PICTURES = 6, WIDTH = 5, SIDE = 3, VIEW = SIDE * SIDE * 3, FILE_ROOM = 512 };
static unsigned char pixels[PICTURES][(2 + PICTURES) * WIDTH * 3];
static unsigned char data[PICTURES * FILE_ROOM], entries[PICTURES * DATASET_PICTURE_ENTRY];
static unsigned char map_entries[PICTURES * DATASET_PICTURE_ENTRY];
static dataset set = {.name = "set",
                      .count = PICTURES,
                      .images = true,
                      .x = {.name = "x",
                            .type = DTYPE_U8,
                            .rank = 3,
                            .side = {0, 0, 3},
                            .layout = LAYOUT_CHANNELS_LAST,
                            .row_bytes = 3}};

static uint32_t height_of(uint64_t i) {
    return 2 + (uint32_t)i;
}

/* The length of picture i in the data. */
static uint64_t store(dataset_store as, unsigned i, unsigned char *to) {
    uint64_t length = png_plain_length(WIDTH, height_of(i), 3), samples = height_of(i) * WIDTH * 3;
    for (unsigned j = 0; j < samples; j++)
        pixels[i][j] = (unsigned char)(i * 40 + j * j);
    assert_true(length <= FILE_ROOM);
    if (as == DATASET_PIXELS)
        memcpy(to, pixels[i], samples);
    else
        png_plain(WIDTH, height_of(i), 3, pixels[i], to);
    return as == DATASET_PIXELS ? samples : length;
}

static void write_set(dataset_store as) {
    for (unsigned i = 0; i < PICTURES; i++)
        dataset_picture_entry(i * FILE_ROOM, store(as, i, data + i * FILE_ROOM), height_of(i),
                              WIDTH, entries + i * DATASET_PICTURE_ENTRY);
    set.store = as;
    memset(&set.unusable, 0, sizeof set.unusable);
    set.x.file.bytes = data;
    set.x.file.length = sizeof data;
    set.x.index.bytes = entries;
    set.x.index.length = sizeof entries;
}

static uint64_t numbers[8];
static metrics counters;
static dataset_fault damage;

static hosted_samples samples_of(unsigned rows, bool neighbours) {
    for (unsigned i = 0; i < 8; i++)
        numbers[i] = i < rows ? i : i % 2; /* neighbours are pictures 0 and 1 */
    return (hosted_samples){.set = &set,
                            .at = {.rows = rows, .t = 20, .end = rows},
                            .seed = 3,
                            .neighbours = neighbours,
                            .number = numbers,
                            .fault = &damage};
}

static hosted_views begin_of(const dataset_array *of, const hosted_samples *samples,
                             const char *text) {
    hosted_views h = {.samples = samples,
                      .array = of,
                      .metrics = &counters,
                      .unusable = &set.unusable,
                      .share = samples->at.end - samples->at.begin};
    problem p = {0};
    query q;
    served_query(&q, ~0u, text);
    atomic_store(&counters.pictures, 0);
    assert_true(hosted_views_begin(&h, &q, &p));
    return h;
}

static hosted_views begin(const hosted_samples *samples, const char *text) {
    return begin_of(&set.x, samples, text);
}

static void expect(const hosted_views *h, fmix_scratch *scratch, uint64_t i) {
    unsigned char wanted[VIEW];
    fmix_view drawn;
    uint64_t number = numbers[i];
    assert_ok(fmix_view_draw(&h->recipe, 3, hosted_samples_t(h->samples, i),
                             hosted_samples_is_neighbour(h->samples, i), height_of(number), WIDTH,
                             &drawn));
    const fmix_picture from = {.part = {.height = height_of(number), .width = WIDTH},
                               .pixels = pixels[number],
                               .stride = WIDTH * 3};
    assert_ok(fmix_resize(scratch, &drawn, h->filter, 3, &from, wanted));
    assert_memory_equal(hosted_views_row(h, i), wanted, VIEW);
}

static const int64_t others[] = {1, 2, 3, 0};

static void views_are_the_library_s_of_the_stored_pictures(void **state) {
    (void)state;
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    for (dataset_store as = DATASET_FILES; as < DATASET_STORES; as++) {
        write_set(as);
        const hosted_samples samples = samples_of(4, false);
        hosted_views h = begin(&samples, "size=3&flip=1&filter=bicubic");
        assert_ok(hosted_views_find(&h));
        assert_ok(hosted_views_locate(&h, 0, 4, others));
        assert_int_equal(h.rows.row_bytes, VIEW);
        assert_ok(hosted_views_need(&h, scratch, 0, 4, others));
        for (uint64_t i = 0; i < 4; i++)
            expect(&h, scratch, i);
        assert_int_equal(atomic_load(&counters.pictures), as == DATASET_FILES ? 4 : 0);
        hosted_views_end(&h);
    }
    fmix_scratch_free(scratch);
}

/* The label maps are the pictures, in grey. */
static void views_of_label_maps_are_by_the_nearest_pixel(void **state) {
    (void)state;
    static const dataset_array map = {
        .name = "dense.map", .type = DTYPE_U8, .rank = 2, .layout = LAYOUT_NONE};
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    write_set(DATASET_PIXELS);
    const hosted_samples samples = samples_of(4, false);
    set.dense[0] = map;
    set.dense[0].file = set.x.file;
    for (unsigned i = 0; i < PICTURES; i++)
        dataset_picture_entry(i * FILE_ROOM, height_of(i) * WIDTH, height_of(i), WIDTH,
                              map_entries + i * DATASET_PICTURE_ENTRY);
    set.dense[0].index = (mapped_file){.bytes = map_entries, .length = sizeof map_entries};
    hosted_views h = begin_of(&set.dense[0], &samples, "size=3&flip=1&filter=bicubic");
    assert_ok(hosted_views_find(&h));
    assert_ok(hosted_views_locate(&h, 0, 4, others));
    assert_int_equal(h.rows.row_bytes, SIDE * SIDE);
    assert_int_equal(h.filter, FMIX_FILTER_NEAREST);
    assert_string_equal(h.rows.name, "dense.map");
    assert_ok(hosted_views_need(&h, scratch, 0, 4, others));
    for (uint64_t i = 0; i < 4; i++) {
        unsigned char wanted[SIDE * SIDE];
        const fmix_picture from = {.part = {.height = height_of(i), .width = WIDTH},
                                   .pixels = data + i * FILE_ROOM,
                                   .stride = WIDTH};
        fmix_view drawn;
        assert_ok(fmix_view_draw(&h.recipe, 3, 20 + i, false, height_of(i), WIDTH, &drawn));
        assert_ok(fmix_view_take(scratch, &drawn, 1, &from, wanted));
        assert_memory_equal(hosted_views_row(&h, i), wanted, sizeof wanted);
    }
    hosted_views_end(&h);
    fmix_scratch_free(scratch);
}

static void a_picture_is_decoded_once_for_all_its_views(void **state) {
    (void)state;
    static const int64_t near[] = {4, 5, 6, 7};
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    write_set(DATASET_FILES);
    const hosted_samples samples = samples_of(4, true);
    hosted_views h = begin(&samples, "size=3");
    assert_ok(hosted_views_find(&h));
    assert_ok(hosted_views_locate(&h, 0, 4, near));
    for (uint64_t i = 0; i < 4; i++)
        assert_ok(hosted_views_need(&h, scratch, i, 1, near));
    for (uint64_t i = 0; i < 8; i++)
        expect(&h, scratch, i);
    assert_int_equal(atomic_load(&counters.pictures), 4);
    hosted_views_end(&h);
    fmix_scratch_free(scratch);
}

static void a_share_has_room_for_its_rows_and_their_partners(void **state) {
    (void)state;
    write_set(DATASET_PIXELS);
    hosted_samples samples = samples_of(4, false);
    samples.at.end = 1;
    hosted_views h = begin(&samples, "size=3");
    assert_ok(hosted_views_find(&h));
    assert_ok(hosted_views_locate(&h, 0, 1, others));
    assert_int_equal(h.slots, 2);
    assert_non_null(hosted_views_row(&h, 1));
    assert_null(hosted_views_row(&h, 3));
    samples.at.end = 4;
    hosted_views all = begin(&samples, "size=3");
    assert_int_equal(hosted_views_memory(&all) - hosted_views_memory(&h), 2 * VIEW);
    hosted_views_end(&all);
    hosted_views_end(&h);
}

/* ---- many threads ---- */

typedef struct slice {
    hosted_views *views;
    uint64_t first;
} slice;

static void *need(void *of) {
    const slice *s = of;
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    for (uint64_t i = 0; i < 4; i++)
        assert_ok(hosted_views_need(s->views, scratch, (s->first + i) % 4, 1, others));
    fmix_scratch_free(scratch);
    return NULL;
}

static void threads_that_need_the_same_views_make_each_once(void **state) {
    (void)state;
    enum { THREADS = 8, TIMES = 20 };
    fmix_scratch *scratch;
    assert_ok(fmix_scratch_new(&scratch));
    write_set(DATASET_FILES);
    for (unsigned k = 0; k < TIMES; k++) {
        const hosted_samples samples = samples_of(4, false);
        hosted_views h = begin(&samples, "size=3");
        pthread_t threads[THREADS];
        slice slices[THREADS];
        assert_ok(hosted_views_find(&h));
        assert_ok(hosted_views_locate(&h, 0, 4, others));
        for (unsigned i = 0; i < THREADS; i++) {
            slices[i] = (slice){&h, i};
            assert_int_equal(pthread_create(&threads[i], NULL, need, &slices[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (uint64_t i = 0; i < 4; i++)
            expect(&h, scratch, i);
        assert_int_equal(atomic_load(&counters.pictures), 4);
        hosted_views_end(&h);
    }
    fmix_scratch_free(scratch);
}

/* ---- damage ---- */

static void fails(hosted_views *h, uint64_t row, const char *why) {
    fmix_scratch *scratch;
    char reason[HOSTED_VIEWS_REASON];
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(hosted_views_find(h));
    assert_ok(hosted_views_locate(h, 0, 4, others));
    assert_false(hosted_views_failed(h, reason));
    assert_int_equal(hosted_views_need(h, scratch, row, 1, others), FMIX_ERROR_LIBRARY);
    assert_true(hosted_views_failed(h, reason));
    assert_non_null(strstr(reason, why));
    assert_ok(hosted_views_need(h, scratch, 0, 1, others)); /* rows 0 and 1 are good */
    fmix_scratch_free(scratch);
    uint64_t decoded = atomic_load(&counters.pictures);
    hosted_views again = begin(h->samples, "size=3");
    atomic_store(&counters.pictures, decoded);
    assert_int_equal(hosted_views_find(&again), FMIX_ERROR_LIBRARY);
    assert_true(hosted_views_failed(&again, reason));
    assert_non_null(strstr(reason, "row 2 of the data set set cannot be used: it could not be"));
    hosted_views_end(&again);
    hosted_views_end(h);
}

static void a_picture_that_cannot_be_decoded_is_named_by_its_row(void **state) {
    (void)state;
    const hosted_samples samples = samples_of(4, false);
    write_set(DATASET_FILES);
    data[2 * FILE_ROOM] = 0;
    hosted_views h = begin(&samples, "size=3");
    fails(&h, 1, "row 2 of the data set set cannot be used: the file is neither PNG nor JPEG");
    write_set(DATASET_FILES);
    data[2 * FILE_ROOM + 50] ^= 1; /* within the samples, whose sum is wrong then */
    h = begin(&samples, "size=3");
    fails(&h, 1, "row 2 of the data set set cannot be used: libpng");
}

/* The views of row 0 and its partner with the nth allocation failing. False: there are fewer. */
static bool starve(const hosted_samples *samples, unsigned long n) {
    fmix_scratch *scratch;
    char reason[HOSTED_VIEWS_REASON];
    assert_ok(fmix_scratch_new(&scratch));
    hosted_views h = begin(samples, "size=3");
    assert_ok(hosted_views_find(&h));
    assert_ok(hosted_views_locate(&h, 0, 4, others));
    fault_arm(n);
    fmix_status status = hosted_views_need(&h, scratch, 0, 1, others);
    bool fired = fault_disarm();
    assert_true(fired || status == FMIX_OK);
    assert_false(hosted_views_failed(&h, reason)); /* nothing is said of the picture */
    hosted_views_end(&h);
    fmix_scratch_free(scratch);
    return fired;
}

static void a_picture_that_lacks_memory_is_not_remembered_as_bad(void **state) {
    (void)state;
    FAULT_OR_SKIP;
    write_set(DATASET_FILES);
    const hosted_samples samples = samples_of(4, false);
    unsigned long n = 1;
    for (; starve(&samples, n); n++) {
        hosted_views again = begin(&samples, "size=3");
        assert_ok(hosted_views_find(&again));
        hosted_views_end(&again);
    }
    assert_in_range(n, 4, 1000); /* a decoder allocates more than once */
}

static void a_picture_of_other_sides_than_its_index_is_not_decoded(void **state) {
    (void)state;
    const hosted_samples samples = samples_of(4, false);
    write_set(DATASET_FILES);
    dataset_picture_entry(2 * FILE_ROOM, png_plain_length(WIDTH, 4, 3), WIDTH, 4,
                          entries + 2 * DATASET_PICTURE_ENTRY);
    hosted_views h = begin(&samples, "size=3");
    fails(&h, 1, "the file has 5 x 4 pixels (width x height), and the index says 4 x 5");
    assert_int_equal(atomic_load(&counters.pictures), 3 - 1);
}

static void a_damaged_index_is_a_fault_of_its_file(void **state) {
    (void)state;
    const hosted_samples samples = samples_of(4, false);
    write_set(DATASET_PIXELS);
    entries[3 * DATASET_PICTURE_ENTRY + 20] = 9;
    hosted_views h = begin(&samples, "size=3");
    char text[DATASET_FAULT];
    atomic_store(&damage, 0);
    assert_int_equal(hosted_views_find(&h), FMIX_ERROR_LIBRARY);
    dataset_fault_text(&set, &damage, text);
    assert_non_null(strstr(text, "index.bin"));
    hosted_views_end(&h);
}

static void files_need_more_memory_and_time_than_pixels(void **state) {
    (void)state;
    const hosted_samples samples = samples_of(4, false);
    uint64_t working[DATASET_STORES];
    double cost[DATASET_STORES];
    for (dataset_store as = DATASET_FILES; as < DATASET_STORES; as++) {
        write_set(as);
        hosted_views h = begin(&samples, "size=3");
        assert_ok(hosted_views_find(&h));
        working[as] = h.working;
        cost[as] = hosted_views_cost(&h);
        hosted_views_end(&h);
    }
    assert_true(working[DATASET_FILES] >= working[DATASET_PIXELS] + 12 * 5 * WIDTH);
    assert_true(cost[DATASET_FILES] > cost[DATASET_PIXELS] && cost[DATASET_PIXELS] > 0);
}

RUN(T(views_of_label_maps_are_by_the_nearest_pixel),
    T(views_are_the_library_s_of_the_stored_pictures),
    T(a_picture_is_decoded_once_for_all_its_views),
    T(a_share_has_room_for_its_rows_and_their_partners),
    T(threads_that_need_the_same_views_make_each_once),
    T(a_picture_that_cannot_be_decoded_is_named_by_its_row),
    T(a_picture_that_lacks_memory_is_not_remembered_as_bad),
    T(a_picture_of_other_sides_than_its_index_is_not_decoded),
    T(a_damaged_index_is_a_fault_of_its_file), T(files_need_more_memory_and_time_than_pixels))
