#include "unit.h"

#include "formats/accept.h"

#include <stdio.h>

static void the_most_specific_range_gives_the_quality(void **state) {
    (void)state;
    static const struct {
        const char *accept;
        unsigned quality; /* of application/json */
    } table[] = {
        {"", 0},
        {"*/*", 1000},
        {"application/json;q=0.123", 123},
        {"application/json;q=0.1", 100},
        {"*/*;q=0.1, application/*;q=0.2, application/json;q=0.3", 300},
        {"application/json;q=0.3, application/*;q=0.2, */*;q=0.1", 300},
        {"application/*;q=0.2, */*;q=0.1", 200},
        {"application/json;q=0, */*", 0},
        {"application/json;level=1;q=0.5", 500},
        {"text/html", 0},
        {"APPLICATION/JSON", 1000},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (accept_quality(table[i].accept, "application/json") != table[i].quality)
            fail_msg("%s", table[i].accept);
}

static void a_malformed_quality_is_zero(void **state) {
    (void)state;
    static const char *const malformed[] = {"5", "1.5",   "0..5",  ".5", "0.5x", "10",
                                            "2", "1.001", "0.5.5", "",   "-1",   "nan"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char accept[64];
        snprintf(accept, sizeof accept, "application/json;q=%s", malformed[i]);
        assert_int_equal(accept_quality(accept, "application/json"), 0);
    }
}

RUN(T(the_most_specific_range_gives_the_quality), T(a_malformed_quality_is_zero))
