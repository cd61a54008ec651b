#include "unit.h"

#include "ops/settings.h"

#include <stdio.h>

static const setting *row(const char *name) {
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(setting_table[i].name, name) == 0)
            return &setting_table[i];
    fail_msg("%s", name);
    return NULL;
}

static void every_default_is_a_value_of_its_setting(void **state) {
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        static config c;
        assert_ptr_equal(setting_name(i), setting_table[i].name);
        assert_true(setting_table[i].meaning && setting_table[i].fallback);
        if (setting_table[i].fallback[0])
            assert_true(setting_parse(&setting_table[i], setting_table[i].fallback, &c));
    }
    assert_null(setting_name(SETTINGS));
    assert_string_equal(setting_name(SETTING_FILE_ROW), "config");
}

static void each_kind_refuses_values_outside_its_description(void **state) {
    (void)state;
    static const struct {
        const char *name, *good, *printed, *bad, *expected;
    } table[] = {
        {"listen", "[::1]:80", "[::1]:80", "80", "ADDR:PORT, such as 127.0.0.1:8080"},
        {"queue", "5", "5", "0", "a whole number from 1 to 100000"},
        {"body", "2K", "2048", "2T", "a number of bytes (K, M, G allowed) from 1 to 17179869184"},
        {"log", "text", "text", "xml", "one of: json text off"},
        {"cors", "https://a.example", "https://a.example", "a.example",
         "* or origins separated by commas, such as https://a.example,http://localhost:3000"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static config c;
        char expected[160], text[80] = "";
        const setting *s = row(table[i].name);
        assert_true(setting_parse(s, table[i].good, &c));
        assert_false(setting_parse(s, table[i].bad, &c));
        setting_expect(s, expected, sizeof expected);
        assert_string_equal(expected, table[i].expected);
        FILE *out = fmemopen(text, sizeof text, "w");
        setting_print(s, &c, out);
        fclose(out);
        assert_string_equal(text, table[i].printed);
    }
}

static void a_path_fits_its_field(void **state) {
    (void)state;
    static config c;
    char path[CONFIG_PATH + 1];
    memset(path, 'a', CONFIG_PATH);
    path[CONFIG_PATH] = 0;
    assert_false(setting_parse(row("wisdom"), path, &c));
    path[CONFIG_PATH - 1] = 0;
    assert_true(setting_parse(row("wisdom"), path, &c));
    assert_string_equal(c.wisdom, path);
}

RUN(T(every_default_is_a_value_of_its_setting), T(each_kind_refuses_values_outside_its_description),
    T(a_path_fits_its_field))
