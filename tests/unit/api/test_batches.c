#include "served_bench.h"

static resource_result ask(const char *name, const char *step, const char *text) {
    resource_request c = served_request(bench, batch_get, text, &format_npz);
    resource_result out = {0};
    c.captured[0] = name;
    c.captured[1] = step;
    batch_get(&c, &out);
    return out;
}

static void refused(const char *name, const char *step, const char *text, int status,
                    const char *parameter) {
    resource_result out = ask(name, step, text);
    assert_null(out.source);
    served_is(&out.problem, status, parameter);
}

static void a_batch_is_the_samples_of_its_step(void **state) {
    (void)state;
    resource_result out = ask("set", "1", "n=2&method=none&shuffle=0");
    int64_t rows[2];
    unsigned char mixed[2 * SERVED_ROW];
    served_is(&out.problem, 0, "");
    served_prepare(out.source);
    served_fill(out.source, "rows", rows, sizeof rows);
    served_fill(out.source, "mixed", mixed, sizeof mixed);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rows[i], 2 + i);
        assert_int_equal(mixed[i * SERVED_ROW + 5], (2 + i) * SERVED_ROW + 5);
    }
    resource_result_free(&out);
}

/* A cache keeps answers by this text, so that it must tell all answers apart. */
static void the_canonical_text_names_the_set_its_digest_and_the_batch(void **state) {
    (void)state;
    char wanted[160];
    resource_result out = ask("set", "1", "n=2&seed=7");
    dataset *d = catalog_find(bench->server.catalog, "set", (char[CATALOG_REASON]){0});
    snprintf(wanted, sizeof wanted, " dataset=set digest=%s batch=1", d->digest);
    assert_non_null(strstr(out.source->recipe, "seed=7"));
    const char *end_of = strstr(out.source->recipe, wanted);
    assert_non_null(end_of);
    assert_string_equal(end_of, wanted);
    dataset_release(d);
    resource_result_free(&out);
}

static void another_layout_than_the_set_s_is_in_the_canonical_text(void **state) {
    (void)state;
    resource_result out = ask("set", "0", "n=2&layout=channels_last");
    assert_non_null(strstr(out.source->recipe, " stored=channels_first"));
    resource_result_free(&out);
}

static void a_pinned_digest_must_be_the_set_s(void **state) {
    (void)state;
    char text[100] = "digest=", digest[DATASET_DIGEST + 1];
    dataset *d = catalog_find(bench->server.catalog, "set", (char[CATALOG_REASON]){0});
    memcpy(digest, d->digest, sizeof digest);
    dataset_release(d);
    strcat(text, digest);
    resource_result out = ask("set", "0", text);
    served_is(&out.problem, 0, "");
    assert_int_equal(out.source->fresh, FRESH_FOR_EVER);
    resource_result_free(&out);
    text[strlen(text) - 1] ^= 1;
    refused("set", "0", text, 409, "digest");
}

static void what_is_not_there_is_404(void **state) {
    (void)state;
    refused("other", "0", "", 404, "");
    refused("set", "3", "n=2", 404, "");
    refused("set", "first", "", 404, "");
}

static void parts_that_the_set_lacks_are_refused(void **state) {
    (void)state;
    refused("set", "0", "n=2&parts=dense", 400, "parts");
    refused("set", "0", "n=2&parts=lengths", 400, "parts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_batch_is_the_samples_of_its_step),
        T(the_canonical_text_names_the_set_its_digest_and_the_batch),
        T(another_layout_than_the_set_s_is_in_the_canonical_text),
        T(a_pinned_digest_must_be_the_set_s),
        T(what_is_not_there_is_404),
        T(parts_that_the_set_lacks_are_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
