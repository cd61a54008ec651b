#include "handler_bench.h"

static resource_result ask(served *b, resource *handler, const char *name) {
    resource_request c = served_request(b, handler, "", NULL);
    resource_result out = {0};
    c.captured[0] = name;
    handler(&c, &out);
    return out;
}

static void a_set_is_described_by_its_line_of_json(void **state) {
    (void)state;
    static const char start[] = "{\"name\":\"set\",\"count\":5,\"shape\":[3,2,2],";
    served *b = served_new();
    resource_result out = ask(b, dataset_get, "set");
    assert_int_equal(out.status, 200);
    assert_true(out.shared.length > sizeof start);
    assert_memory_equal(out.shared.bytes, start, sizeof start - 1);
    resource_result_free(&out);
    served_free(b);
}

static void the_list_holds_the_description_of_each_set(void **state) {
    (void)state;
    static const char start[] = "{\"datasets\":[{\"name\":\"set\",";
    served *b = served_new();
    resource_result out = ask(b, datasets_get, NULL);
    assert_int_equal(out.status, 200);
    assert_memory_equal(out.shared.bytes, start, sizeof start - 1);
    resource_result_free(&out);
    served_free(b);
}

/* The bytes are shared: a scan that drops the set must not free them under a reply. */
static void a_description_outlives_its_place_in_the_catalog(void **state) {
    (void)state;
    served *b = served_new();
    resource_result out = ask(b, dataset_get, "set");
    catalog_free(b->server.catalog);
    b->server.catalog = NULL;
    assert_memory_equal(out.shared.bytes, "{\"name\":\"set\"", 13);
    resource_result_free(&out);
    served_free(b);
}

/* It may be of some MiB: 21,841 classes have names. */
static void a_description_is_made_once(void **state) {
    (void)state;
    served *b = served_new();
    resource_result first = ask(b, dataset_get, "set"), second = ask(b, dataset_get, "set");
    assert_ptr_equal(first.shared.bytes, second.shared.bytes);
    resource_result_free(&first);
    resource_result_free(&second);
    served_free(b);
}

static void an_unknown_set_is_404_and_the_known_ones_are_named(void **state) {
    (void)state;
    served *b = served_new();
    resource_result out = ask(b, dataset_get, "other");
    served_is(&out.problem, 404, "");
    assert_non_null(strstr(out.problem.errors[0].detail, "set"));
    assert_null(out.shared.bytes);
    served_free(b);
}

RUN(T(a_set_is_described_by_its_line_of_json), T(the_list_holds_the_description_of_each_set),
    T(a_description_outlives_its_place_in_the_catalog), T(a_description_is_made_once),
    T(an_unknown_set_is_404_and_the_known_ones_are_named))
