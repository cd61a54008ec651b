#include "unit.h"

#include "ops/settings.h"
#include "ops/usage.h"

#include <stdio.h>

static char text[16384];

static const char *printed(void (*print)(FILE *out)) {
    FILE *out = fmemopen(text, sizeof text, "w");
    print(out);
    fclose(out);
    return text;
}

static void the_usage_text_has_at_most_80_columns(void **state) {
    (void)state;
    for (const char *line = printed(usage_print); *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
}

static void the_usage_text_names_every_setting_with_dashes(void **state) {
    (void)state;
    printed(usage_print);
    for (size_t i = 0; i < SETTINGS; i++) {
        char option[40];
        snprintf(option, sizeof option, "\n  --%s ", setting_table[i].name);
        for (char *c = option; *c; c++)
            *c = *c == '_' ? '-' : *c;
        if (!strstr(text, option))
            fail_msg("%s", option);
    }
}

static void every_meaning_ends_with_its_default_and_range(void **state) {
    (void)state;
    printed(usage_print);
    assert_non_null(strstr(text, "threads that handle HTTP (default 2; 1 to 64)\n"));
    assert_non_null(strstr(text, "128M; 0 to 64G)\n"));
    assert_non_null(strstr(text, "in PEM\n"));
}

static void the_table_has_a_row_for_every_setting(void **state) {
    (void)state;
    size_t lines = 0;
    for (const char *c = printed(usage_table); *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 2 + SETTINGS);
    assert_non_null(strstr(text, "\n| `io_threads` | threads that handle HTTP | 2 | 1 to 64 |\n"));
    assert_non_null(strstr(text, " | 1K | 0 to 1G |\n"));
}

RUN(T(the_usage_text_has_at_most_80_columns), T(the_usage_text_names_every_setting_with_dashes),
    T(every_meaning_ends_with_its_default_and_range), T(the_table_has_a_row_for_every_setting))
