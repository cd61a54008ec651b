#include "handler_bench.h"

#include "api/requested_dataset.h"
#include "small_set.h"

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
    b->server.catalog = catalog_new("", DATASET_VERIFY_START, stderr);
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

static double cost_of(served *b, const char *name, const char *text) {
    resource_request c = served_request(b, batch_get, text, &format_npz);
    c.captured[0] = name;
    weight w = requested_dataset_weight(&c);
    assert_int_equal(w.cost > 0, w.memory > 0);
    return w.cost;
}

static void only_a_set_of_sequences_takes_time_before_the_answer(void **state) {
    served *b = served_new();
    assert_int_equal(folder_begin(state), 0);
    small_write("even");
    small_write_ragged("ragged");
    catalog_free(b->server.catalog);
    b->server.catalog = catalog_new(folder_root, DATASET_VERIFY_START, folder_errors);
    assert_true(cost_of(b, "even", "n=1&shuffle=1") == 0 && cost_of(b, "nobody", "n=1") == 0);
    double one = cost_of(b, "ragged", "n=1&bucket=1"), all = cost_of(b, "ragged", "n=1");
    assert_true(one > 0 && one < all);
    assert_true(cost_of(b, "ragged", "") >= all); /* 64 rows of which there are three */
    served_free(b);
    assert_int_equal(folder_end(state), 0);
}

RUN(T(a_batch_has_64_rows_unless_n_says_otherwise),
    T(an_unknown_name_is_404_with_the_names_that_are_known),
    T(without_data_sets_the_setting_is_named), T(a_damaged_set_is_503_until_it_is_whole),
    T(a_digest_that_is_given_must_be_the_set_s),
    T(only_a_set_of_sequences_takes_time_before_the_answer))
