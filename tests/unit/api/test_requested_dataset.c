#include "handler_bench.h"

#include "api/requested_dataset.h"

static dataset *find(served *b, const char *name, const char *text, query *q, problem *p) {
    resource_request c = served_request(b, batch_get, text, &format_npz);
    c.captured[0] = name;
    dataset *d = requested_dataset_find(&c, p);
    *q = c.query;
    return d;
}

static void a_batch_has_64_rows_unless_n_says_otherwise(void **state) {
    (void)state;
    served *b = served_new();
    query q;
    problem p = {0};
    dataset_release(find(b, "set", "", &q, &p));
    assert_true(q.n == 64 && q.given[QUERY_N]);
    dataset_release(find(b, "set", "n=3", &q, &p));
    assert_int_equal(q.n, 3);
    served_is(&p, 0, "");
    served_free(b);
}

static void an_unknown_name_is_404_with_the_names_that_are_known(void **state) {
    (void)state;
    served *b = served_new();
    query q;
    problem p = {0};
    assert_null(find(b, "other", "", &q, &p));
    served_is(&p, 404, "");
    assert_non_null(strstr(p.errors[0].detail, "the data sets are: set"));
    served_free(b);
}

static void without_data_sets_the_setting_is_named(void **state) {
    (void)state;
    served *b = served_new();
    query q;
    problem p = {0};
    catalog_free(b->server.catalog);
    b->server.catalog = catalog_new("", true, stderr);
    assert_null(find(b, "set", "", &q, &p));
    served_is(&p, 404, "");
    assert_non_null(strstr(p.errors[0].detail, "`data`"));
    served_free(b);
}

static void a_damaged_set_is_503_until_it_is_whole(void **state) {
    (void)state;
    served *b = served_new();
    query q;
    problem p = {0};
    char path[100];
    dataset *d = find(b, "set", "", &q, &p);
    snprintf(path, sizeof path, "%s/set/data.bin", b->root);
    assert_int_equal(truncate(path, 0), 0);
    assert_false(dataset_is_whole(d));
    dataset_release(d);
    assert_null(find(b, "set", "", &q, &p));
    served_is(&p, 503, "");
    assert_int_equal(p.retry_after, 60);
    assert_int_equal(p.reason, REFUSAL_INTERNAL);
    served_free(b);
}

static void a_digest_that_is_given_must_be_the_set_s(void **state) {
    (void)state;
    static const dataset set = {.name = "set", .digest = "aa"};
    query q = {.digest = "bb"};
    problem p = {0};
    assert_true(requested_dataset_is_pinned(&q, &set, &p));
    q.given[QUERY_DIGEST] = true;
    assert_false(requested_dataset_is_pinned(&q, &set, &p));
    served_is(&p, 409, "digest");
    strcpy(q.digest, "aa");
    assert_true(requested_dataset_is_pinned(&q, &set, &p));
}

RUN(T(a_batch_has_64_rows_unless_n_says_otherwise),
    T(an_unknown_name_is_404_with_the_names_that_are_known),
    T(without_data_sets_the_setting_is_named), T(a_damaged_set_is_503_until_it_is_whole),
    T(a_digest_that_is_given_must_be_the_set_s))
