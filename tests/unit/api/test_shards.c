#include "served_bench.h"

#include <jansson.h>

static resource_result list(const char *text) {
    resource_request c = served_request(bench, shards_get, text, NULL);
    resource_result out = {0};
    c.captured[0] = "set";
    shards_get(&c, &out);
    return out;
}

static resource_result shard(const char *name) {
    resource_request c = served_request(bench, shard_get, "", &format_tar);
    resource_result out = {0};
    c.captured[0] = name;
    shard_get(&c, &out);
    return out;
}

/* The name of shard `number` in the brace notation of the list's URL. */
static void name_from(const char *text, unsigned number, char out[ROUTE_CAPTURE]) {
    resource_result answer = list(text);
    served_is(&answer.problem, 0, "");
    json_t *root = json_loadb((const char *)answer.text.bytes, answer.text.length, 0, NULL);
    const char *url = json_string_value(json_object_get(root, "urls"));
    assert_memory_equal(url, "/v1/shards/", 11);
    int length = (int)(strchr(url, '{') - url) - 11;
    snprintf(out, ROUTE_CAPTURE, "%.*s%06u", length, url + 11, number);
    json_decref(root);
    resource_result_free(&answer);
}

static void the_list_counts_the_shards_of_an_epoch(void **state) {
    (void)state;
    resource_result out = list("n=2");
    served_is(&out.problem, 0, "");
    json_t *root = json_loadb((const char *)out.text.bytes, out.text.length, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(root, "shards")), 3);
    assert_int_equal(json_integer_value(json_object_get(root, "samples")), SERVED_ROWS);
    assert_int_equal(json_integer_value(json_object_get(root, "samples_per_shard")), 2);
    assert_non_null(
        strstr(json_string_value(json_object_get(root, "urls")), "{000000..000002}.tar"));
    json_decref(root);
    resource_result_free(&out);
}

static void every_shard_of_the_list_is_served_and_none_past_it(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    for (unsigned i = 0; i < 3; i++) {
        name_from("n=2&seed=4&flip=1", i, name);
        resource_result out = shard(name);
        served_is(&out.problem, 0, "");
        assert_int_equal(out.source->rows, i < 2 ? 2 : 1);
        resource_result_free(&out);
    }
    name_from("n=2", 3, name);
    resource_result out = shard(name);
    served_is(&out.problem, 404, "");
}

static void a_shard_holds_the_rows_of_its_batch(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    name_from("n=2&shuffle=0&method=none", 1, name);
    resource_result out = shard(name);
    served_is(&out.problem, 0, "");
    size_t length = (size_t)tensor_bytes(&out.source->tensors[0]), record = length / 2;
    unsigned char *bytes = malloc(length);
    served_prepare(out.source);
    served_fill(out.source, "shard", bytes, length);
    for (unsigned i = 0; i < 2; i++) {
        char wanted[40];
        const unsigned char *at = bytes + i * record;
        snprintf(wanted, sizeof wanted, "000001-%06u.npy", i);
        assert_string_equal((const char *)at, wanted);
        size_t size = strtoull((const char *)at + 124, NULL, 8);
        for (unsigned j = 0; j < SERVED_ROW; j++)
            assert_int_equal(at[512 + size - SERVED_ROW + j], (2 + i) * SERVED_ROW + j);
    }
    free(bytes);
    resource_result_free(&out);
}

static void a_record_is_the_same_wherever_a_slice_begins(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    fmix_scratch *scratch;
    name_from("n=5&seed=2", 0, name);
    resource_result out = shard(name);
    const tensor *t = &out.source->tensors[0];
    size_t length = (size_t)tensor_bytes(t), record = length / 5;
    unsigned char *bytes = malloc(length), *part = malloc(record);
    served_prepare(out.source);
    served_fill(out.source, "shard", bytes, length);
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(t->fill(t->self, scratch, 3, 1, part));
    assert_memory_equal(part, bytes + 3 * record, record);
    fmix_scratch_free(scratch);
    free(part);
    free(bytes);
    resource_result_free(&out);
}

static void png_members_have_the_channels_of_a_set_with_channels_first(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    name_from("n=1&member=png", 0, name);
    resource_result out = shard(name);
    served_is(&out.problem, 0, "");
    size_t length = (size_t)tensor_bytes(&out.source->tensors[0]);
    unsigned char *bytes = malloc(length), *png = bytes + 512;
    served_prepare(out.source);
    served_fill(out.source, "shard", bytes, length);
    assert_memory_equal(png, "\x89PNG", 4);
    assert_true(png[19] == 2 && png[23] == 2 && png[25] == 2); /* 2 x 2 in colour */
    free(bytes);
    resource_result_free(&out);
}

static void a_list_whose_shards_would_be_refused_is_refused(void **state) {
    (void)state;
    resource_result out = list("n=2&member=png&out_dtype=f32");
    served_is(&out.problem, 400, "member");
    assert_null(out.text.bytes);
    out = list("n=2&classes=2");
    served_is(&out.problem, 400, "classes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_list_counts_the_shards_of_an_epoch),
        T(every_shard_of_the_list_is_served_and_none_past_it),
        T(a_shard_holds_the_rows_of_its_batch),
        T(a_record_is_the_same_wherever_a_slice_begins),
        T(png_members_have_the_channels_of_a_set_with_channels_first),
        T(a_list_whose_shards_would_be_refused_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
