#include "handler_bench.h"

#include "api/openapi.h"

#include <jansson.h>

static json_t *written(void) {
    buffer out = buffer_of(OPENAPI_MOST);
    assert_true(openapi_write(&out));
    json_t *root = json_loadb((const char *)out.bytes, out.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    buffer_free(&out);
    return root;
}

static const json_t *operation(const json_t *root, const char *path, const char *method) {
    const json_t *o =
        json_object_get(json_object_get(json_object_get(root, "paths"), path), method);
    if (!o)
        fail_msg("without %s", path);
    return o;
}

static void every_route_is_in_the_document_and_those_with_formats_with_a_suffix(void **state) {
    (void)state;
    json_t *root = written();
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++) {
        const char *method = strcmp(r->method, "POST") == 0 ? "post" : "get";
        char suffixed[120];
        const json_t *o = operation(root, r->path, method);
        assert_string_equal(json_string_value(json_object_get(o, "summary")), r->meaning);
        assert_int_equal(json_object_get(o, "requestBody") != NULL, method[0] == 'p');
        snprintf(suffixed, sizeof suffixed, "%s.{format}", r->path);
        if (r->formats)
            operation(root, suffixed, method);
    }
    json_decref(root);
}

/* {"$ref": "#/components/KIND/NAME"} anywhere. */
static void follow(const json_t *root, json_t *value) {
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_array(value))
        json_array_foreach(value, i, child) follow(root, child);
    if (!json_is_object(value))
        return;
    json_object_foreach(value, key, child) {
        char text[120], *rest = text;
        const json_t *at = root;
        follow(root, child);
        if (strcmp(key, "$ref") != 0)
            continue;
        snprintf(text, sizeof text, "%s", json_string_value(child));
        assert_string_equal(strsep(&rest, "/"), "#");
        for (char *part; (part = strsep(&rest, "/")) != NULL;)
            at = json_object_get(at, part);
        if (!at)
            fail_msg("%s leads nowhere", json_string_value(child));
    }
}

static void every_reference_leads_to_a_component(void **state) {
    (void)state;
    json_t *root = written();
    follow(root, root);
    json_decref(root);
}

static void an_operation_lists_the_parameters_of_its_groups_and_no_other(void **state) {
    (void)state;
    json_t *root = written();
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++) {
        const json_t *list = json_object_get(
            operation(root, r->path, strcmp(r->method, "POST") == 0 ? "post" : "get"),
            "parameters");
        size_t wanted = 0;
        for (unsigned q = 0; q < QUERY_COUNT; q++)
            wanted += (query_table[q].group & r->groups) != 0;
        for (const char *at = r->path; (at = strchr(at, '{')) != NULL; at++)
            wanted++;
        assert_int_equal(json_array_size(list), wanted);
    }
    json_decref(root);
}

static void only_open_routes_need_no_token(void **state) {
    (void)state;
    json_t *root = written();
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++) {
        const json_t *o = operation(root, r->path, strcmp(r->method, "POST") == 0 ? "post" : "get");
        assert_int_equal(json_array_size(json_object_get(o, "security")), r->open ? 0 : 2);
    }
    json_decref(root);
}

static void without_room_the_document_is_refused(void **state) {
    (void)state;
    buffer out = buffer_of(1000);
    assert_false(openapi_write(&out));
    buffer_free(&out);
}

static void the_resource_answers_with_the_document_of_the_server(void **state) {
    (void)state;
    served *b = served_new();
    resource_request c = served_request(b, openapi_get, "", NULL);
    resource_result out = {0};
    b->server.document = buffer_of(OPENAPI_MOST);
    assert_true(openapi_write(&b->server.document));
    openapi_get(&c, &out);
    assert_int_equal(out.status, 200);
    assert_ptr_equal(out.shared.bytes, b->server.document.bytes);
    assert_int_equal(out.shared.length, b->server.document.length);
    buffer_free(&b->server.document);
    served_free(b);
}

RUN(T(every_route_is_in_the_document_and_those_with_formats_with_a_suffix),
    T(every_reference_leads_to_a_component),
    T(an_operation_lists_the_parameters_of_its_groups_and_no_other),
    T(only_open_routes_need_no_token), T(without_room_the_document_is_refused),
    T(the_resource_answers_with_the_document_of_the_server))
