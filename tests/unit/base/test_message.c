#include "unit.h"

#include "base/message.h"

static char text[3 * MESSAGE_MOST];

#define SAID(...) (begin(), message_print(to, __VA_ARGS__), fclose(to), text)

static FILE *to;

static void begin(void) {
    memset(text, 0, sizeof text);
    to = fmemopen(text, sizeof text - 1, "w");
    assert_non_null(to);
}

static void plain_text_in_any_language_is_printed_unchanged(void **state) {
    (void)state;
    assert_string_equal(SAID("fmixd: '%s' has %d rows\n", "garments", 7),
                        "fmixd: 'garments' has 7 rows\n");
    static const char *const names[] = {"Kleidungsst\u00fccke", "\u670d\u88c5", "\u043e\u0434",
                                        "\U0001f455",           "a\\b",         "~ !"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(SAID("%s", names[i]), names[i]);
}

static void characters_that_a_terminal_obeys_are_escaped(void **state) {
    (void)state;
    static const struct {
        const char *name, *said;
    } table[] = {
        {"a\x1b[31mred", "'a\\x1b[31mred'\n"},
        {"two\nlines", "'two\\x0alines'\n"},
        {"\r\t\a\b\x7f", "'\\x0d\\x09\\x07\\x08\\x7f'\n"},
        {"\xc2\x9b"
         "31m",
         "'\\xc2\\x9b31m'\n"},                             /* CSI in one character */
        {"a\u202egnp.exe", "'a\\xe2\\x80\\xaegnp.exe'\n"}, /* reads backwards */
        {"\u2028\u2029\u2066\u061c", "'\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x81\\xa6\\xd8\\x9c'\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(SAID("'%s'\n", table[i].name), table[i].said);
}

static void bytes_that_are_not_utf8_are_escaped(void **state) {
    (void)state;
    static const struct {
        const char *name, *said;
    } table[] = {
        {"\xff", "\\xff"},
        {"\x80", "\\x80"},
        {"\xc3", "\\xc3"},
        {"\xc0\xaf", "\\xc0\\xaf"}, /* / in two bytes */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xf0\x9f\x91", "\\xf0\\x9f\\x91"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(SAID("%s", table[i].name), table[i].said);
}

static void only_a_newline_of_the_format_ends_the_line(void **state) {
    (void)state;
    assert_string_equal(SAID("%s", "a\n"), "a\\x0a");
    assert_string_equal(SAID("%s\n", "a\n"), "a\\x0a\n");
}

static void a_message_that_is_too_long_ends_in_dots(void **state) {
    (void)state;
    static char name[2 * MESSAGE_MOST];
    memset(name, 'x', sizeof name - 1);
    SAID("%s\n", name);
    assert_int_equal(strlen(text), MESSAGE_MOST + 1);
    assert_string_equal(text + MESSAGE_MOST - 4, "x...\n");
}

RUN(T(plain_text_in_any_language_is_printed_unchanged),
    T(characters_that_a_terminal_obeys_are_escaped), T(bytes_that_are_not_utf8_are_escaped),
    T(only_a_newline_of_the_format_ends_the_line), T(a_message_that_is_too_long_ends_in_dots))
