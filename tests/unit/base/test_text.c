#include "unit.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

static void numbers_are_written_as_printf_writes_them(void **state) {
    (void)state;
    static const uint64_t numbers[] = {0, 7, 10, 99, 100, 65536, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (unsigned least = 1; least <= TEXT_DIGITS; least++) {
            char text[TEXT_DIGITS + 1] = "", expected[TEXT_DIGITS + 1];
            snprintf(expected, sizeof expected, "%0*" PRIu64, (int)least, numbers[i]);
            assert_string_equal(text_number(numbers[i], least, text + TEXT_DIGITS), expected);
        }
}

static void a_copy_is_as_much_as_fits_and_ends(void **state) {
    (void)state;
    static const char *const texts[] = {"", "a", "abcd", "abcde", "abcdefgh"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t room = 1; room <= 8; room++) {
            char out[9], expected[9];
            memset(out, 'x', sizeof out);
            snprintf(expected, room, "%s", texts[i]);
            assert_int_equal(text_copy(out, room, texts[i]), strlen(expected));
            assert_string_equal(out, expected);
            assert_int_equal(out[room], 'x');
        }
}

RUN(T(numbers_are_written_as_printf_writes_them), T(a_copy_is_as_much_as_fits_and_ends))
