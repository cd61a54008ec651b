#include "handler_bench.h"

static void each_file_of_the_page_is_served_byte_for_byte(void **state) {
    (void)state;
    static const struct {
        resource *handler;
        const char *paths[4];
    } table[] = {{web_page, {"server/web/preview.html"}},
                 {web_style, {"server/web/preview.css"}},
                 {web_script,
                  {"server/web/request.js", "server/web/code.js", "server/web/picture.js",
                   "server/web/preview.js"}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_request c = {.server = NULL};
        resource_result out = {0};
        size_t at = 0;
        table[i].handler(&c, &out);
        assert_int_equal(out.status, 200);
        for (size_t k = 0; k < 4 && table[i].paths[k]; k++) {
            FILE *f = fopen(table[i].paths[k], "rb");
            assert_non_null(f);
            for (int byte; (byte = fgetc(f)) != EOF; at++) {
                assert_true(at < out.shared.length);
                assert_int_equal(((const unsigned char *)out.shared.bytes)[at], byte);
            }
            fclose(f);
        }
        assert_int_equal(at, out.shared.length);
        assert_null(out.shared.release);
    }
}

RUN(T(each_file_of_the_page_is_served_byte_for_byte))
