#include "unit.h"

#include "datasets/dataset_journal.h"

#include <string.h>

static const dataset_journal one = {UINT64_MAX, 1, 2, 3, 4, 5, 6};

static void what_is_printed_is_parsed(void **state) {
    (void)state;
    char text[DATASET_JOURNAL_TEXT];
    dataset_journal found;
    dataset_journal_print(&one, text);
    assert_true(dataset_journal_parse(text, strlen(text), &found));
    assert_memory_equal(&found, &one, sizeof one);
}

static void a_journal_of_which_any_byte_is_another_is_refused(void **state) {
    (void)state;
    char text[DATASET_JOURNAL_TEXT];
    dataset_journal found;
    dataset_journal_print(&one, text);
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        text[i] ^= 1;
        assert_false(dataset_journal_parse(text, length, &found));
        text[i] ^= 1;
        assert_false(dataset_journal_parse(text, i, &found));
    }
    char longer[2 * DATASET_JOURNAL_TEXT] = "";
    memcpy(longer, text, length);
    assert_false(dataset_journal_parse(longer, length + 1, &found));
    assert_false(dataset_journal_parse(longer, sizeof longer, &found));
    assert_false(dataset_journal_parse("", 0, &found));
}

RUN(T(what_is_printed_is_parsed), T(a_journal_of_which_any_byte_is_another_is_refused))
