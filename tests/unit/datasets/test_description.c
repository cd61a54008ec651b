#include "small_set.h"

#include "datasets/description.h"

static dataset colour(void) {
    return (dataset){
        .name = "colour",
        .count = 7,
        .x = {.type = DTYPE_BF16, .rank = 3, .side = {2, 3, 4}, .layout = LAYOUT_CHANNELS_LAST},
        .heads = 2,
        .head = {{.name = "y", .kind = DATASET_NUMBERS, .classes = 3},
                 {.name = "y.b", .classes = 2}},
        .digest = "ab"};
}

static void a_set_is_one_line_of_json(void **state) {
    (void)state;
    static const char right[] =
        "{\"name\":\"colour\",\"count\":7,\"shape\":[2,3,4],\"dtype\":\"bf16\","
        "\"layout\":\"channels_last\",\"heads\":[{\"name\":\"y\",\"kind\":\"numbers\","
        "\"classes\":3,\"class_names\":[\"a\",\"b\"]},{\"name\":\"y.b\",\"kind\":\"rows\","
        "\"classes\":2}],\"digest\":\"ab\"}\n";
    const dataset d = colour();
    json_t *names = json_pack("[[ss], []]", "a", "b");
    buffer out = buffer_of(DESCRIPTION_MOST);
    assert_true(description_write(&d, names, &out));
    assert_int_equal(out.length, strlen(right));
    assert_memory_equal(out.bytes, right, out.length);
    buffer_free(&out);
    json_decref(names);
}

static void dense_targets_neighbours_and_lengths_are_told_where_there_are_any(void **state) {
    (void)state;
    static const char map[] =
        "],\"dense\":[{\"name\":\"dense.map\",\"dtype\":\"u8\",\"shape\":[2,3],"
        "\"layout\":\"none\"}],\"neighbours\":5,\"digest\":";
    static const char texts[] = "{\"name\":\"texts\",\"count\":2,\"shape\":[null,300],"
                                "\"dtype\":\"f32\",\"layout\":\"channels_last\",\"heads\":[{"
                                "\"name\":\"y\",\"kind\":\"values\",\"classes\":1}],\"lengths\":{"
                                "\"least\":1,\"most\":4,\"total\":5},\"digest\":\"cd\"}\n";
    dataset dense = colour();
    dense.denses = 1;
    dense.dense[0] = (dataset_array){
        .name = "dense.map", .type = DTYPE_U8, .rank = 2, .side = {2, 3}, .layout = LAYOUT_NONE};
    dense.neighbours.k = 5;
    const dataset ragged = {
        .name = "texts",
        .count = 2,
        .x = {.type = DTYPE_F32, .rank = 2, .side = {0, 300}, .layout = LAYOUT_CHANNELS_LAST},
        .heads = 1,
        .head = {{.name = "y", .kind = DATASET_VALUES, .classes = 1}},
        .ragged = true,
        .steps = 5,
        .shortest = 1,
        .longest = 4,
        .digest = "cd"};
    buffer out = buffer_of(DESCRIPTION_MOST);
    assert_true(description_write(&dense, NULL, &out) && buffer_add(&out, "", 1));
    assert_non_null(strstr((char *)out.bytes, map));
    buffer_free(&out);
    out = buffer_of(DESCRIPTION_MOST);
    assert_true(description_write(&ragged, NULL, &out) && buffer_add(&out, "", 1));
    assert_string_equal((char *)out.bytes, texts);
    buffer_free(&out);
}

static void names_may_be_missing(void **state) {
    (void)state;
    const dataset d = colour();
    buffer out = buffer_of(DESCRIPTION_MOST);
    assert_true(description_write(&d, NULL, &out));
    assert_true(buffer_add(&out, "", 1));
    assert_null(strstr((char *)out.bytes, "class_names"));
    buffer_free(&out);
}

static void a_description_over_its_cap_is_refused(void **state) {
    (void)state;
    const dataset d = colour();
    buffer out = buffer_of(20);
    assert_false(description_write(&d, NULL, &out));
    buffer_free(&out);
}

/* A manifest of 64 MiB is described within 128 MiB: the escape of a control character is not longer
 * than in the manifest. */
static void the_largest_names_of_classes_fit(void **state) {
    (void)state;
    dataset d = colour();
    size_t length = MANIFEST_MOST / 6; /* "\u0001" each */
    char *name = malloc(length + 1);
    memset(name, 1, length);
    name[length] = 0;
    json_t *names = json_pack("[[s]]", name);
    buffer out = buffer_of(DESCRIPTION_MOST);
    assert_true(description_write(&d, names, &out));
    assert_true(out.length > 64000000);
    buffer_free(&out);
    json_decref(names);
    free(name);
}

static void all_sets_are_a_list_and_none_are_an_empty_one(void **state) {
    (void)state;
    static const char none[] = "{\"datasets\":[]}\n", two[] = "{\"datasets\":[{\"a\":1},{}]}\n";
    dataset a = {.description = {.bytes = (unsigned char *)"{\"a\":1}\n", .length = 8}};
    dataset b = {.description = {.bytes = (unsigned char *)"{}\n", .length = 3}};
    dataset *const sets[] = {&a, &b};
    description *empty = description_of_all(NULL, 0), *all = description_of_all(sets, 2);
    assert_true(empty && all);
    assert_int_equal(empty->text.length, strlen(none));
    assert_memory_equal(empty->text.bytes, none, strlen(none));
    assert_int_equal(all->text.length, strlen(two));
    assert_memory_equal(all->text.bytes, two, strlen(two));
    description_release(empty);
    description_release(all);
}

static void a_description_lives_until_its_last_holder_releases_it(void **state) {
    (void)state;
    description *all = description_of_all(NULL, 0);
    assert_ptr_equal(description_retain(all), all);
    description_release(all);
    assert_int_equal(all->text.bytes[0], '{');
    description_release(all);
    description_release(NULL);
}

RUN(T(a_set_is_one_line_of_json),
    T(dense_targets_neighbours_and_lengths_are_told_where_there_are_any), T(names_may_be_missing),
    T(a_description_over_its_cap_is_refused), T(the_largest_names_of_classes_fit),
    T(all_sets_are_a_list_and_none_are_an_empty_one),
    T(a_description_lives_until_its_last_holder_releases_it))
