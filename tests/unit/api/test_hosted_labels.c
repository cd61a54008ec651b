#include "handler_bench.h"

#include "api/hosted_labels.h"

typedef struct bench {
    served *served;
    dataset *set;
    hosted_labels labels;
    query query;
    problem problem;
} bench;

static void begin(bench *b, uint64_t rows, const char *text) {
    *b = (bench){.served = served_new()};
    b->set = catalog_find(b->served->server.catalog, "set", (char[CATALOG_REASON]){0});
    b->labels = (hosted_labels){.set = b->set, .rows = rows};
    served_query(&b->query, ~0u, text);
    assert_true(hosted_labels_begin(&b->labels, &b->problem));
}

static void end(bench *b) {
    hosted_labels_end(&b->labels);
    dataset_release(b->set);
    served_free(b->served);
}

static void labels_are_gathered_sample_by_sample(void **state) {
    (void)state;
    static const uint64_t samples[] = {2, 0, 4, 1};
    bench b;
    int32_t gathered[4];
    begin(&b, 4, "");
    hosted_labels_gather(&b.labels, samples);
    memcpy(gathered, b.labels.heads[0], sizeof gathered);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(gathered[i], served_labels[samples[i]]);
    end(&b);
}

static void the_set_supplies_classes_unless_the_request_gives_as_many_or_more(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned classes; /* 0: refused */
    } table[] = {{"", SERVED_CLASSES}, {"classes=3", 3}, {"classes=7", 7}, {"classes=2", 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bench b;
        labels *found = NULL;
        begin(&b, 4, table[i].text);
        bool good = hosted_labels_describe(&b.labels, &b.query, &found, &b.problem);
        assert_int_equal(good, table[i].classes != 0);
        if (good) {
            assert_int_equal(b.query.classes.item[0], table[i].classes);
            assert_non_null(found);
        } else {
            served_is(&b.problem, 400, "classes");
        }
        labels_free(found);
        end(&b);
    }
}

static void a_set_without_labels_refuses_the_part_of_labels(void **state) {
    (void)state;
    static const dataset bare = {.name = "bare", .count = 4};
    hosted_labels l = {.set = &bare, .rows = 4};
    labels *found = NULL;
    problem p = {0};
    query q;
    served_query(&q, ~0u, "");
    assert_true(hosted_labels_begin(&l, &p) && hosted_labels_describe(&l, &q, &found, &p));
    assert_null(found);
    assert_int_equal(hosted_labels_memory(&l), 0);
    served_query(&q, ~0u, "parts=labels");
    assert_false(hosted_labels_describe(&l, &q, &found, &p));
    served_is(&p, 400, "parts");
    hosted_labels_end(&l);
}

static void memory_counts_each_label_of_each_row(void **state) {
    (void)state;
    bench b;
    begin(&b, 4, "");
    assert_int_equal(hosted_labels_memory(&b.labels), 4 * sizeof(int32_t));
    end(&b);
}

RUN(T(labels_are_gathered_sample_by_sample),
    T(the_set_supplies_classes_unless_the_request_gives_as_many_or_more),
    T(a_set_without_labels_refuses_the_part_of_labels), T(memory_counts_each_label_of_each_row))
