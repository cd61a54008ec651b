#include "handler_bench.h"

#include <jansson.h>

static resource_result ask(served *b, resource *handler) {
    resource_request c = served_request(b, handler, "", NULL);
    resource_result out = {0};
    handler(&c, &out);
    return out;
}

static void text_is(resource_result *out, const char *text) {
    assert_int_equal(out->problem.status, 0);
    assert_int_equal(out->status, 200);
    assert_int_equal(out->text.length, strlen(text));
    assert_memory_equal(out->text.bytes, text, strlen(text));
    resource_result_free(out);
}

static void while_draining_the_daemon_is_alive_and_not_ready(void **state) {
    (void)state;
    served *b = served_new();
    resource_result out = ask(b, health_ready);
    text_is(&out, "ready\n");
    atomic_store(&b->server.draining, true);
    out = ask(b, health_ready);
    assert_int_equal(out.problem.status, 503);
    assert_int_equal(out.problem.reason, REFUSAL_DRAINING);
    assert_true(out.problem.retry_after > 0);
    resource_result_free(&out);
    out = ask(b, health_live);
    text_is(&out, "alive\n");
    served_free(b);
}

static void the_version_names_the_stream_the_libraries_and_the_self_test(void **state) {
    (void)state;
    static const char *const names[] = {"version", "build",   "microhttpd",   "fftw",
                                        "mpfr",    "kernels", "architecture", "features"};
    served *b = served_new();
    memcpy(b->server.golden, "0123456789abcdef0123456789abcdef", 33);
    resource_result out = ask(b, version_get);
    json_t *root = json_loadb((const char *)out.text.bytes, out.text.length, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "stream")), FMIX_STREAM);
    assert_string_equal(json_string_value(json_object_get(root, "golden")), b->server.golden);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(json_is_string(json_object_get(root, names[i])));
    json_decref(root);
    resource_result_free(&out);
    served_free(b);
}

RUN(T(while_draining_the_daemon_is_alive_and_not_ready),
    T(the_version_names_the_stream_the_libraries_and_the_self_test))
