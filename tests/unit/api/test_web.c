#include "handler_bench.h"

static void each_file_of_the_page_is_served_byte_for_byte(void **state) {
    (void)state;
    static const struct {
        resource *handler;
        const char *path;
    } table[] = {{web_page, "server/web/preview.html"},
                 {web_style, "server/web/preview.css"},
                 {web_script, "server/web/preview.js"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_request c = {.server = NULL};
        resource_result out = {0};
        FILE *f = fopen(table[i].path, "rb");
        assert_non_null(f);
        table[i].handler(&c, &out);
        assert_int_equal(out.status, 200);
        for (size_t at = 0; at < out.shared.length; at++)
            assert_int_equal(fgetc(f), ((const unsigned char *)out.shared.bytes)[at]);
        assert_int_equal(fgetc(f), EOF);
        assert_null(out.shared.release);
        fclose(f);
    }
}

RUN(T(each_file_of_the_page_is_served_byte_for_byte))
