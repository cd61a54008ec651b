#include "unit.h"

#include "api/shard_record.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* A batch of 2 rows: images of 2 x 3, numbers and weights beside them. */
enum { HEIGHT = 2, WIDTH = 3, PIXELS = HEIGHT * WIDTH };
static const unsigned char pixels[2][PIXELS] = {{1, 2, 3, 4, 5, 6}, {11, 12, 13, 14, 15, 16}};
static const int64_t rows[2] = {5, INT64_MIN};
static float weights[2][2] = {{0.25f, 0.75f}, {1, 0}};
static unsigned char *const data[] = {(unsigned char *)pixels, (unsigned char *)rows,
                                      (unsigned char *)weights};

static tensor_source *batch_of(dtype type, unsigned sides, const uint64_t *side,
                               channels_place channels) {
    static const uint64_t two = 2;
    tensor_source *s = tensor_source_new(2);
    assert_true(tensor_source_add(s, "mixed", type, sides, side, 0, NULL, NULL));
    tensor_source_draw(s, channels);
    assert_true(tensor_source_add(s, "rows", DTYPE_I64, 0, NULL, 0, NULL, NULL));
    assert_true(tensor_source_add(s, "labels", DTYPE_F32, 1, &two, 0, NULL, NULL));
    return s;
}

static const uint64_t side[] = {HEIGHT, WIDTH};

static shard_record begin(bool png) {
    shard_record r = {
        .batch = batch_of(DTYPE_U8, 2, side, CHANNELS_NOWHERE), .step = 3, .png = png};
    problem p = {0};
    assert_true(shard_record_begin(&r, &p));
    return r;
}

static void end(shard_record *r) {
    shard_record_end(r);
    tensor_source_free((tensor_source *)r->batch);
}

static unsigned char *written(const shard_record *r, uint64_t row, uint64_t number) {
    unsigned char *out = malloc((size_t)shard_record_length(r));
    assert_non_null(out);
    assert_true(shard_record_write(r, row, number, data, out));
    return out;
}

/* Of the header before a file: its name, and its size in octal digits. */
static void header_is(const unsigned char *at, const char *name, uint64_t length) {
    const char *header = (const char *)at - 512;
    assert_string_equal(header, name);
    assert_int_equal(strtoull(header + 124, NULL, 8), length);
}

static void member_is(const unsigned char *record, const shard_member *m, const char *name) {
    header_is(record + m->start, name, m->length);
}

static void facts_are(const shard_record *r, const unsigned char *record, const char *name) {
    header_is(record + r->facts_start, name, r->facts_length);
}

static void a_record_is_a_sample_and_its_facts_by_step_and_row(void **state) {
    (void)state;
    shard_record r = begin(false);
    unsigned char *out = written(&r, 1, 7);
    assert_int_equal(shard_record_length(&r) % 512, 0);
    member_is(out, &r.members[0], "000003-000007.npy");
    facts_are(&r, out, "000003-000007.json");
    free(out);
    end(&r);
}

static void an_npy_sample_is_the_row_without_the_side_of_rows(void **state) {
    (void)state;
    shard_record r = begin(false);
    unsigned char *out = written(&r, 1, 7), *npy = out + r.members[0].start;
    assert_memory_equal(npy, "\x93NUMPY", 6);
    assert_non_null(strstr((const char *)npy + 10, "(2, 3)"));
    assert_memory_equal(npy + r.members[0].length - PIXELS, pixels[1], PIXELS);
    free(out);
    end(&r);
}

static void a_png_sample_begins_as_a_png_file_of_its_size(void **state) {
    (void)state;
    shard_record r = begin(true);
    unsigned char *out = written(&r, 0, 0), *png = out + r.members[0].start;
    member_is(out, &r.members[0], "000003-000000.png");
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    assert_true(png[19] == WIDTH && png[23] == HEIGHT);
    assert_memory_equal(png + r.members[0].length - 8, "IEND", 4);
    free(out);
    end(&r);
}

static void facts_are_json_of_one_length(void **state) {
    (void)state;
    shard_record r = begin(false);
    weights[1][0] = NAN;
    for (unsigned row = 0; row < 2; row++) {
        unsigned char *out = written(&r, row, row);
        json_t *facts = json_loadb((const char *)out + r.facts_start, r.facts_length, 0, NULL);
        assert_non_null(facts);
        assert_true(json_integer_value(json_object_get(facts, "rows")) == rows[row]);
        const json_t *labels = json_object_get(facts, "labels");
        assert_int_equal(json_array_size(labels), 2);
        assert_int_equal(json_is_null(json_array_get(labels, 0)), row == 1);
        assert_true(json_number_value(json_array_get(labels, 1)) == (double)weights[row][1]);
        assert_null(json_object_get(facts, "mixed"));
        json_decref(facts);
        free(out);
    }
    end(&r);
}

/* Two targets between the numbers: a map, and two channels of floats. */
static void dense_targets_are_files_between_the_sample_and_its_facts(void **state) {
    (void)state;
    static const uint64_t two_channels[] = {2, HEIGHT, WIDTH};
    static const unsigned char maps[2][PIXELS] = {{0, 0, 1, 1, 2, 2}, {3, 3, 3, 4, 4, 4}};
    static const float depths[2][2 * PIXELS] = {{1}, {2}};
    for (unsigned png = 0; png < 2; png++) {
        tensor_source *s = batch_of(DTYPE_U8, 2, side, CHANNELS_NOWHERE);
        assert_true(tensor_source_add(s, "dense.map", DTYPE_U8, 2, side, 0, NULL, NULL));
        assert_true(tensor_source_add(s, "dense", DTYPE_F32, 3, two_channels, 0, NULL, NULL));
        assert_true(tensor_source_add(s, "pairing", DTYPE_I64, 0, NULL, 0, NULL, NULL));
        unsigned char *const all[] = {data[0],
                                      data[1],
                                      data[2],
                                      (unsigned char *)maps,
                                      (unsigned char *)depths,
                                      (unsigned char *)rows};
        shard_record r = {.batch = s, .png = png};
        problem p = {0};
        assert_true(shard_record_begin(&r, &p));
        assert_int_equal(r.count, 3);
        unsigned char *out = malloc((size_t)shard_record_length(&r));
        assert_true(shard_record_write(&r, 1, 1, all, out));
        member_is(out, &r.members[0], png ? "000000-000001.png" : "000000-000001.npy");
        member_is(out, &r.members[1],
                  png ? "000000-000001.dense.map.png" : "000000-000001.dense.map.npy");
        member_is(out, &r.members[2], "000000-000001.dense.npy");
        facts_are(&r, out, "000000-000001.json");
        const unsigned char *floats = out + r.members[2].start + r.members[2].length;
        assert_memory_equal(floats - sizeof depths[1], depths[1], sizeof depths[1]);
        json_t *facts = json_loadb((const char *)out + r.facts_start, r.facts_length, 0, NULL);
        assert_int_equal(json_object_size(facts), 3);
        assert_non_null(json_object_get(facts, "pairing"));
        json_decref(facts);
        free(out);
        end(&r);
    }
}

static void what_no_png_file_holds_is_refused(void **state) {
    (void)state;
    static const struct {
        dtype type;
        unsigned sides;
        uint64_t side[3];
        channels_place channels;
        bool good;
    } table[] = {
        {DTYPE_U8, 2, {2, 3}, CHANNELS_NOWHERE, true},
        {DTYPE_U8, 3, {2, 3, 3}, CHANNELS_BEHIND, true},
        {DTYPE_U8, 3, {2, 3, 2}, CHANNELS_BEHIND, false},
        {DTYPE_U8, 3, {3, 2, 3}, CHANNELS_BEFORE, false},
        {DTYPE_U8, 3, {2, 2, 3}, CHANNELS_NOWHERE, false},
        {DTYPE_F32, 2, {2, 3}, CHANNELS_NOWHERE, false},
        {DTYPE_U8, 2, {1, 1000001}, CHANNELS_NOWHERE, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        shard_record r = {
            .batch = batch_of(table[i].type, table[i].sides, table[i].side, table[i].channels),
            .png = true};
        problem p = {0};
        assert_int_equal(shard_record_begin(&r, &p), table[i].good);
        if (!table[i].good) {
            assert_int_equal(p.status, 400);
            assert_string_equal(p.errors[0].parameter, "member");
        }
        end(&r);
    }
}

RUN(T(a_record_is_a_sample_and_its_facts_by_step_and_row),
    T(an_npy_sample_is_the_row_without_the_side_of_rows),
    T(a_png_sample_begins_as_a_png_file_of_its_size), T(facts_are_json_of_one_length),
    T(dense_targets_are_files_between_the_sample_and_its_facts),
    T(what_no_png_file_holds_is_refused))
