/* Rows of RFC 4180: what is read, and what is refused by its line. */
#include "unit.h"

#include "import/csv.h"

#include <string.h>

static csv c;

static FILE *open_text(const char *text, size_t length) {
    FILE *file = tmpfile();
    assert_int_equal(fwrite(text, 1, length, file), length);
    csv_start(&c, file);
    return file;
}

#define TEXT(text) text, sizeof text - 1

/* Rows as fields with | between them. */
static void reads(const char *text, size_t length, const char *const *rows, unsigned count) {
    FILE *file = open_text(text, length);
    for (unsigned i = 0; i < count; i++) {
        char row[200] = "";
        assert_int_equal(csv_next(&c), CSV_FOUND);
        for (unsigned f = 0; f < c.count; f++) {
            strcat(row, f ? "|" : "");
            strcat(row, c.field[f]);
        }
        assert_string_equal(row, rows[i]);
    }
    assert_int_equal(csv_next(&c), CSV_END);
    assert_int_equal(fclose(file), 0);
}

static void rows_end_with_lf_or_crlf_and_the_last_perhaps_with_neither(void **state) {
    (void)state;
    static const char *const rows[] = {"path|y", "a b.jpg|1", "|"};
    reads(TEXT("path,y\na b.jpg,1\n,\n"), rows, 3);
    reads(TEXT("path,y\r\na b.jpg,1\r\n,"), rows, 3);
    reads(TEXT("\xef\xbb\xbfpath,y\na b.jpg,1\n,"), rows, 3);
    reads(TEXT(""), rows, 0);
    reads(TEXT("\xef\xbb"), (const char *const[]){"\xef\xbb"}, 1);
}

static void quoted_fields_hold_anything(void **state) {
    (void)state;
    static const char *const rows[] = {"a,b|say \"hi\"|", "new\nline|\r\n|x"};
    reads(TEXT("\"a,b\",\"say \"\"hi\"\"\",\"\"\n\"new\nline\",\"\r\n\",x\n"), rows, 2);
}

static void lines_are_counted_within_quotes_too(void **state) {
    (void)state;
    static const unsigned lines[] = {1, 2, 5};
    FILE *file = open_text(TEXT("a\n\"1\n2\n3\"\r\nb\n"));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(csv_next(&c), CSV_FOUND);
        assert_int_equal(c.line, lines[i]);
    }
    fclose(file);
}

static void fields_beyond_those_that_are_kept_are_counted(void **state) {
    (void)state;
    FILE *file = open_text(TEXT("1,2,3,4,5,6,7,8,9,10,11,12\n"));
    assert_true(csv_next(&c) == CSV_FOUND && c.count == 12);
    assert_string_equal(c.field[CSV_FIELDS - 1], "9");
    fclose(file);
}

static void mistakes_are_refused_by_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        uint64_t line;
        const char *reason;
    } bad[] = {
        {TEXT("a\nb\0c\n"), 2, "NUL"},
        {TEXT("a\n\"b\0\"\n"), 2, "NUL"},
        {TEXT("a\nb\rc\n"), 2, "CR that is not followed by LF"},
        {TEXT("a\nb\r"), 2, "CR that is not followed by LF"},
        {TEXT("a\n\"b\n\nc"), 2, "not closed"},
        {TEXT("a\n\n\"b\"c\n"), 3, "followed by more than a comma"},
        {TEXT("a\nb\"c\"\n"), 2, "does not begin with one"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        csv_result result;
        FILE *file = open_text(bad[i].text, bad[i].length);
        while ((result = csv_next(&c)) == CSV_FOUND)
            ;
        assert_int_equal(result, CSV_BAD);
        assert_int_equal(c.line, bad[i].line);
        if (!strstr(c.reason, bad[i].reason))
            fail_msg("%s: %s", bad[i].text, c.reason);
        fclose(file);
    }
}

static void a_row_has_at_most_64_kib(void **state) {
    (void)state;
    static char text[CSV_ROW + 1];
    memset(text, 'a', sizeof text);
    FILE *file = open_text(text, CSV_ROW - 1);
    assert_true(csv_next(&c) == CSV_FOUND && strlen(c.field[0]) == CSV_ROW - 1);
    fclose(file);
    for (unsigned more = 0; more < 2; more++) {
        file = open_text(text, CSV_ROW + more);
        assert_int_equal(csv_next(&c), CSV_BAD);
        assert_non_null(strstr(c.reason, "more than 65536 bytes"));
        fclose(file);
    }
}

RUN(T(rows_end_with_lf_or_crlf_and_the_last_perhaps_with_neither), T(quoted_fields_hold_anything),
    T(lines_are_counted_within_quotes_too), T(fields_beyond_those_that_are_kept_are_counted),
    T(mistakes_are_refused_by_their_line), T(a_row_has_at_most_64_kib))
