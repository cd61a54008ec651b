#include "served_bench.h"

#include "api/shard_name.h"

static fmix_status name_of(const char *text, char out[ROUTE_CAPTURE], query *q) {
    dataset *d = catalog_find(bench->server.catalog, "set", (char[CATALOG_REASON]){0});
    served_query(q, SHARD_GROUPS, text);
    q->given[QUERY_N] = true;
    fmix_status status = shard_name_of(q, d, out, ROUTE_CAPTURE);
    dataset_release(d);
    return status;
}

static dataset *read_name(const char *name, resource_request *c, uint64_t *step, problem *p) {
    *c = (resource_request){.server = &bench->server, .captured = {name}};
    return shard_name_read(c, step, p);
}

static void what_a_name_is_made_of_is_read_from_it(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "n=2&seed=18446744073709551615&epoch=3",
        "method=fmix,cutmix&alpha=0.125&n=4&mean=0.25,0.5,0.75",
        "method=mixup,cutmix&alpha=0.125,1&prob=0.75&switch=sample&weights=1,3&scope=pair&pairing="
        "flip",
        "pairing=other_class&scope=batch&correct=0&smoothing=0.125",
        "bucket=4&pad_value=-0.5&drop_last=1",
        "flip=1&crop=1&pad=reflect&layout=channels_last&member=png",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char name[ROUTE_CAPTURE], whole[ROUTE_CAPTURE + 20];
        query q;
        resource_request c;
        uint64_t step;
        problem p = {0};
        assert_ok(name_of(texts[i], name, &q));
        snprintf(whole, sizeof whole, "%s==000017", name);
        dataset *d = read_name(whole, &c, &step, &p);
        served_is(&p, 0, "");
        assert_string_equal(d->name, "set");
        assert_int_equal(step, 17);
        for (unsigned id = 0; id < QUERY_COUNT; id++) {
            buffer given = buffer_of(1000), read = buffer_of(1000);
            query_print(&q, (query_id)id, &given);
            query_print(&c.query, (query_id)id, &read);
            assert_int_equal(given.length, read.length);
            if (given.length)
                assert_memory_equal(given.bytes, read.bytes, given.length);
            buffer_free(&given);
            buffer_free(&read);
        }
        dataset_release(d);
    }
}

static void a_name_holds_what_a_path_may_hold_unescaped(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    query q;
    assert_ok(name_of("n=2&method=fmix,cutmix&alpha=0.125", name, &q));
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_=+~-"),
                     strlen(name));
    assert_memory_equal(name, "set==", 5);
    assert_non_null(strstr(name, "==method=fmix+cutmix"));
    assert_non_null(strstr(name, "==alpha=0~125"));
}

/* Two names of one shard would be two files in a reader's cache. */
static void a_parameter_at_its_default_is_not_in_the_name(void **state) {
    (void)state;
    char bare[ROUTE_CAPTURE], given[ROUTE_CAPTURE];
    query q;
    assert_ok(name_of("n=2", bare, &q));
    assert_ok(name_of("n=2&seed=0&method=fmix&flip=0", given, &q));
    assert_string_equal(bare, given);
}

static void a_name_that_is_too_long_is_refused_by_its_longest_parameter(void **state) {
    (void)state;
    char name[ROUTE_CAPTURE];
    query q;
    problem p = {0};
    assert_int_equal(
        name_of("mean=0.1234567890123456,0.1234567890123457,0.1234567890123458,"
                "0.1234567890123459,0.1234567890123451,0.1234567890123452&std=0.1234567890123456,0."
                "1234567890123457,"
                "0.1234567890123458&seed=18446744073709551615&method=fmix,cutmix,mixup",
                name, &q),
        FMIX_ERROR_RANGE);
    shard_name_refuse(&q, &p);
    served_is(&p, 400, "mean");
}

static void other_names_are_404_or_name_their_parameter(void **state) {
    (void)state;
    char good[ROUTE_CAPTURE];
    query q;
    assert_ok(name_of("n=2", good, &q));
    static const struct {
        const char *before, *after; /* before: instead of the good name; NULL: the good name */
        int status;
    } table[] = {
        {"set", "", 404},
        {"", "", 404},
        {"set==0000000000000000==n=2==000000", "", 404},
        {"other==0000000000000000==n=2==000000", "", 404},
        {NULL, "==x", 404},
        {NULL, "==seed==000000", 404},
        {NULL, "==shape=2x2==000000", 400},
        {NULL, "==seed=-1==000000", 400},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char whole[2 * ROUTE_CAPTURE];
        resource_request c;
        uint64_t step;
        problem p = {0};
        snprintf(whole, sizeof whole, "%s%s", table[i].before ? table[i].before : good,
                 table[i].after);
        assert_null(read_name(whole, &c, &step, &p));
        assert_int_equal(p.status, table[i].status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(what_a_name_is_made_of_is_read_from_it),
        T(a_name_holds_what_a_path_may_hold_unescaped),
        T(a_parameter_at_its_default_is_not_in_the_name),
        T(a_name_that_is_too_long_is_refused_by_its_longest_parameter),
        T(other_names_are_404_or_name_their_parameter),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
