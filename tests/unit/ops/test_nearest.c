#include "unit.h"

#include "ops/nearest.h"

static const char *name(size_t number) {
    static const char *const names[] = {"io_threads", "threads", "queue", "body", "tokens", NULL};
    return names[number];
}

static void the_name_with_the_fewest_changes_is_nearest(void **state) {
    (void)state;
    static const struct {
        const char *word, *near; /* NULL: none */
    } table[] = {
        {"queue", "queue"},    {"qeue", "queue"},
        {"queues", "queue"},   {"QUEUE", "queue"},
        {"bodi", "body"},      {"bo", "body"},
        {"thread", "threads"}, {"io-thread", "io_threads"},
        {"io", "io_threads"},  {"token", "tokens"},
        {"tokns", "tokens"},   {"zzz", NULL},
        {"colour", NULL},      {"", NULL},
        {"q", NULL},           {"a_very_long_word_of_more_than_32_letters", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *found = nearest(table[i].word, strlen(table[i].word), name);
        if (found != table[i].near && (!found || !table[i].near || strcmp(found, table[i].near)))
            fail_msg("%s: %s", table[i].word, found ? found : "(none)");
    }
}

static void only_the_given_length_of_the_word_counts(void **state) {
    (void)state;
    assert_string_equal(nearest("queu=5", 4, name), "queue");
}

RUN(T(the_name_with_the_fewest_changes_is_nearest), T(only_the_given_length_of_the_word_counts))
