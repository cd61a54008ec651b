#include "unit.h"

#include "api/preprocessor.h"

/* A row of 2 channels of 2 x 3. */
enum { CHANNELS = 2, HEIGHT = 2, WIDTH = 3, ELEMENTS = HEIGHT * WIDTH, BYTES = 12 };
static const dataset first = {.name = "set",
                              .count = 9,
                              .x = {.type = DTYPE_U8,
                                    .rank = 3,
                                    .side = {CHANNELS, HEIGHT, WIDTH},
                                    .layout = LAYOUT_CHANNELS_FIRST,
                                    .row_bytes = BYTES}};
static const dataset last = {.name = "set",
                             .count = 9,
                             .x = {.type = DTYPE_U8,
                                   .rank = 3,
                                   .side = {HEIGHT, WIDTH, CHANNELS},
                                   .layout = LAYOUT_CHANNELS_LAST,
                                   .row_bytes = BYTES}};
static const unsigned char row[BYTES] = {0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 104, 105};

static const fmix_shape mask = {.rank = 2, .side = {HEIGHT, WIDTH}};

static query plain(void) {
    query q;
    query_init(&q);
    return q;
}

static bool begin(preprocessor *r, const query *q, const dataset *set, fmix_layout layout,
                  dtype *type, problem *p) {
    const batch_geometry g = {
        .rank = 2, .channels = CHANNELS, .has_channels = true, .layout = layout};
    *p = (problem){0};
    return preprocessor_begin(r, q, &set->x, &g, &mask, type, p);
}

static void run(const preprocessor *r, uint64_t t, void *out) {
    const preprocessor_row from = {.stored = row, .t = t};
    unsigned char room[2 * BYTES];
    assert_int_equal(preprocessor_room(r), sizeof room);
    assert_ok(preprocessor_run(r, &from, room, out));
}

static void a_row_that_nothing_is_asked_for_is_left_alone(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    problem p;
    query q = plain();
    unsigned char out[BYTES];
    assert_true(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    assert_true(preprocessor_is_identity(&r));
    assert_true(type == DTYPE_U8 && r.row_bytes == BYTES);
    run(&r, 0, out);
    assert_memory_equal(out, row, BYTES);
}

static void another_layout_transposes_there_and_back(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    problem p;
    query q = plain();
    unsigned char out[BYTES];
    assert_true(begin(&r, &q, &first, FMIX_CHANNELS_LAST, &type, &p));
    assert_false(preprocessor_is_identity(&r));
    run(&r, 0, out);
    for (unsigned e = 0; e < ELEMENTS; e++)
        assert_true(out[2 * e] == e && out[2 * e + 1] == 100 + e);
    assert_true(begin(&r, &q, &last, FMIX_CHANNELS_FIRST, &type, &p));
    run(&r, 0, out);
    for (unsigned e = 0; e < ELEMENTS; e++)
        assert_true(out[e] == row[2 * e] && out[ELEMENTS + e] == row[2 * e + 1]);
}

static void a_flip_mirrors_some_samples_along_the_last_side(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    problem p;
    query q = plain();
    unsigned mirrored = 0;
    q.flip = 1;
    assert_true(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    for (uint64_t t = 0; t < 64; t++) {
        unsigned char out[BYTES];
        run(&r, t, out);
        bool is = out[0] == row[WIDTH - 1];
        for (unsigned i = 0; i < BYTES; i++)
            assert_int_equal(out[i], row[is ? i - i % WIDTH + WIDTH - 1 - i % WIDTH : i]);
        mirrored += is;
    }
    assert_true(mirrored > 16 && mirrored < 48);
}

static void a_neighbour_is_moved_by_draws_of_its_own(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    problem p;
    query q = plain();
    unsigned differing = 0;
    q.flip = 1;
    assert_true(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    for (uint64_t t = 0; t < 64; t++) {
        const preprocessor_row from = {.stored = row, .t = t, .neighbour = true};
        unsigned char room[2 * BYTES], near[BYTES], own[BYTES];
        fmix_light light;
        run(&r, t, own);
        assert_ok(preprocessor_run(&r, &from, room, near));
        assert_ok(fmix_light_draw_neighbour(q.seed, t, 2, 0, &light));
        assert_int_equal(near[0], row[light.flip ? WIDTH - 1 : 0]);
        differing += near[0] != own[0];
    }
    assert_in_range(differing, 16, 48);
}

static void mean_and_std_are_of_one_channel_each_or_of_all(void **state) {
    (void)state;
    static const double means[2] = {0.25, 0.5};
    for (unsigned count = 1; count <= 2; count++) {
        preprocessor r;
        dtype type;
        problem p;
        float out[BYTES];
        query q = plain();
        q.mean = (query_reals){count, {means[0], means[1]}};
        q.std = (query_reals){1, {0.5}};
        assert_true(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
        assert_true(type == DTYPE_F32 && r.row_bytes == sizeof out);
        run(&r, 0, out);
        for (unsigned i = 0; i < BYTES; i++) {
            double mean = means[count == 2 ? i / ELEMENTS : 0];
            assert_true(out[i] == (float)((row[i] / 255.0 - mean) / 0.5));
        }
    }
}

static void what_cannot_be_done_to_rows_is_refused_by_its_parameter(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    problem p;
    query q = plain();
    q.mean = (query_reals){3, {0, 0, 0}};
    assert_false(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    assert_string_equal(p.errors[0].parameter, "mean");
    q.mean.count = 1;
    q.given[QUERY_OUT_DTYPE] = true;
    q.out_dtype = DTYPE_U8;
    assert_false(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    assert_string_equal(p.errors[0].parameter, "out_dtype");
    q = plain();
    q.crop = HEIGHT;
    q.pad = FMIX_PAD_REFLECT;
    assert_false(begin(&r, &q, &first, FMIX_CHANNELS_FIRST, &type, &p));
    assert_string_equal(p.errors[0].parameter, "crop");
}

static void x_has_the_sides_of_the_layout_that_is_asked_for(void **state) {
    (void)state;
    static const dataset grey = {.name = "grey",
                                 .x = {.rank = 2, .side = {HEIGHT, WIDTH}, .layout = LAYOUT_NONE}};
    static const struct {
        const dataset *set;
        int layout; /* -1: not given */
        unsigned rank;
        uint64_t shape[4]; /* from the second side on; all 0: refused */
    } table[] = {
        {&first, -1, 4, {CHANNELS, HEIGHT, WIDTH}},
        {&first, LAYOUT_CHANNELS_LAST, 4, {HEIGHT, WIDTH, CHANNELS}},
        {&last, LAYOUT_CHANNELS_FIRST, 4, {CHANNELS, HEIGHT, WIDTH}},
        {&first, LAYOUT_NONE, 0, {0}},
        {&grey, -1, 3, {HEIGHT, WIDTH}},
        {&grey, LAYOUT_CHANNELS_FIRST, 4, {1, HEIGHT, WIDTH}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        query q = plain();
        problem p = {0};
        array x = {.rank = 0};
        q.given[QUERY_LAYOUT] = table[i].layout >= 0;
        q.layout = table[i].layout < 0 ? 0 : (unsigned)table[i].layout;
        assert_int_equal(preprocessor_shape(&q, table[i].set, &table[i].set->x, &x, &p),
                         table[i].rank > 0);
        assert_int_equal(p.status, table[i].rank ? 0 : 400);
        if (!table[i].rank)
            continue;
        assert_true(q.given[QUERY_LAYOUT]);
        assert_int_equal(x.rank, table[i].rank);
        assert_memory_equal(x.shape + 1, table[i].shape, (x.rank - 1) * sizeof *x.shape);
    }
}

static void a_dense_target_has_channels_where_the_answer_or_its_file_has_them(void **state) {
    (void)state;
    static const dataset grey = {.name = "grey",
                                 .x = {.rank = 2, .side = {HEIGHT, WIDTH}, .layout = LAYOUT_NONE}};
    static const dataset_array bare = {
        .name = "dense", .rank = 2, .side = {HEIGHT, WIDTH}, .layout = LAYOUT_NONE};
    static const struct {
        const dataset *set;
        const dataset_array *from;
        unsigned layout, rank;
        uint64_t shape[4]; /* from the second side on; all 0: refused */
    } table[] = {
        {&first, &bare, LAYOUT_CHANNELS_LAST, 3, {HEIGHT, WIDTH}},
        {&first, &first.x, LAYOUT_CHANNELS_LAST, 4, {HEIGHT, WIDTH, CHANNELS}},
        {&first, &last.x, LAYOUT_CHANNELS_FIRST, 4, {CHANNELS, HEIGHT, WIDTH}},
        {&grey, &last.x, LAYOUT_NONE, 4, {HEIGHT, WIDTH, CHANNELS}},
        {&grey, &last.x, LAYOUT_CHANNELS_FIRST, 4, {CHANNELS, HEIGHT, WIDTH}},
        {&first, &last.x, LAYOUT_NONE, 0, {0}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        query q = plain();
        problem p = {0};
        array out = {.rank = 0};
        q.layout = table[i].layout;
        assert_int_equal(preprocessor_dense_shape(&q, table[i].set, table[i].from, &out, &p),
                         table[i].rank > 0);
        assert_int_equal(p.status, table[i].rank ? 0 : 400);
        if (!table[i].rank)
            continue;
        assert_string_equal(out.name, table[i].from->name);
        assert_int_equal(out.rank, table[i].rank);
        assert_memory_equal(out.shape + 1, table[i].shape, (out.rank - 1) * sizeof *out.shape);
    }
}

static void a_dense_target_keeps_its_type_and_values(void **state) {
    (void)state;
    preprocessor r;
    query q = plain();
    unsigned char out[BYTES];
    q.mean = (query_reals){1, {0.5}};
    preprocessor_begin_dense(&r, &q, &first.x, FMIX_CHANNELS_LAST, &mask);
    assert_true(r.transposes && !r.normalises && r.row_bytes == BYTES);
    run(&r, 0, out);
    for (unsigned e = 0; e < ELEMENTS; e++)
        assert_true(out[2 * e] == e && out[2 * e + 1] == 100 + e);
}

/* Rows of 1 to 4 steps of 2 channels, of which 4 is the longest of the batch. */
enum { STEPS = 4 };
static const dataset_array steps = {
    .type = DTYPE_U8, .rank = 2, .side = {0, 2}, .layout = LAYOUT_CHANNELS_LAST, .row_bytes = 2};
static const fmix_shape line = {.rank = 1, .side = {STEPS}};

static void begin_steps(preprocessor *r, const query *q, fmix_layout layout, dtype *type) {
    const batch_geometry g = {.rank = 1, .channels = 2, .has_channels = true, .layout = layout};
    problem p = {0};
    assert_true(preprocessor_begin(r, q, &steps, &g, &line, type, &p));
    assert_true(preprocessor_pad(r, q, STEPS, *type, &p));
    assert_false(preprocessor_is_identity(r));
}

static void a_row_is_padded_behind_in_each_layout(void **state) {
    (void)state;
    for (unsigned layout = 0; layout < 2; layout++)
        for (uint64_t length = 1; length <= STEPS; length++) {
            preprocessor r;
            dtype type;
            query q = plain();
            unsigned char out[STEPS * 2], room[2 * STEPS * 2];
            const preprocessor_row of = {.stored = row, .length = length};
            q.pad_value = 77;
            begin_steps(&r, &q, (fmix_layout)layout, &type);
            assert_int_equal(preprocessor_room(&r), sizeof room);
            assert_true(type == DTYPE_U8 && r.row_bytes == sizeof out);
            assert_ok(preprocessor_run(&r, &of, room, out));
            for (unsigned step = 0; step < STEPS; step++)
                for (unsigned c = 0; c < 2; c++)
                    assert_int_equal(out[layout ? 2 * step + c : c * STEPS + step],
                                     step < length ? row[2 * step + c] : 77);
        }
}

static void a_flip_mirrors_a_row_and_not_its_padding(void **state) {
    (void)state;
    unsigned mirrored = 0;
    preprocessor r;
    dtype type;
    query q = plain();
    q.flip = 1;
    q.pad_value = 9;
    begin_steps(&r, &q, FMIX_CHANNELS_LAST, &type);
    for (uint64_t t = 0; t < 64; t++) {
        unsigned char out[STEPS * 2], room[2 * STEPS * 2];
        const preprocessor_row of = {.stored = row, .length = 3, .t = t};
        assert_ok(preprocessor_run(&r, &of, room, out));
        bool is = out[0] == row[4];
        for (unsigned step = 0; step < STEPS; step++)
            assert_int_equal(out[2 * step], step == 3 ? 9 : row[2 * (is ? 2 - step : step)]);
        mirrored += is;
    }
    assert_true(mirrored > 16 && mirrored < 48);
}

/* Where rows of one length leave v/255 to the mixer. */
static void u8_becomes_floats_before_it_is_padded(void **state) {
    (void)state;
    preprocessor r;
    dtype type;
    query q = plain();
    float out[STEPS * 2];
    unsigned char room[2 * STEPS * 2];
    const preprocessor_row of = {.stored = row + 6, .length = 3};
    q.given[QUERY_OUT_DTYPE] = true;
    q.out_dtype = DTYPE_F32;
    q.pad_value = -0.5;
    begin_steps(&r, &q, FMIX_CHANNELS_LAST, &type);
    assert_int_equal(type, DTYPE_F32);
    assert_ok(preprocessor_run(&r, &of, room, out));
    for (unsigned i = 0; i < STEPS * 2; i++)
        assert_true(out[i] == (i < 6 ? (float)(row[6 + i] / 255.0) : -0.5f));
}

static void only_another_layout_than_the_set_s_is_noted(void **state) {
    (void)state;
    for (unsigned layout = 0; layout < 2; layout++) {
        query q = plain();
        buffer text = buffer_of(100);
        q.given[QUERY_LAYOUT] = true;
        q.layout = layout;
        preprocessor_note(&q, &first, &text);
        assert_int_equal(text.length > 0, layout != LAYOUT_CHANNELS_FIRST);
        if (text.length)
            assert_memory_equal(text.bytes, " stored=channels_first", text.length);
        buffer_free(&text);
    }
}

RUN(T(a_row_that_nothing_is_asked_for_is_left_alone), T(another_layout_transposes_there_and_back),
    T(a_flip_mirrors_some_samples_along_the_last_side), T(a_neighbour_is_moved_by_draws_of_its_own),
    T(mean_and_std_are_of_one_channel_each_or_of_all),
    T(what_cannot_be_done_to_rows_is_refused_by_its_parameter),
    T(x_has_the_sides_of_the_layout_that_is_asked_for),
    T(a_dense_target_has_channels_where_the_answer_or_its_file_has_them),
    T(a_dense_target_keeps_its_type_and_values), T(a_row_is_padded_behind_in_each_layout),
    T(a_flip_mirrors_a_row_and_not_its_padding), T(u8_becomes_floats_before_it_is_padded),
    T(only_another_layout_than_the_set_s_is_noted))
