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
    assert_true(hosted_labels_gather(&b.labels, samples, NULL));
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

/* Two heads, little-endian: class numbers 0 2 1 2 of three, and values 1.5 -2 0 8. */
static const unsigned char kinds[16] = {0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
static const unsigned char prices[16] = {0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0,
                                         0, 0, 0,    0,    0, 0, 0, 0x41};
static const dataset shop = {
    .name = "shop",
    .count = 4,
    .heads = 2,
    .head = {{.name = "y.kind", .kind = DATASET_NUMBERS, .classes = 3, .file.bytes = kinds},
             {.name = "y.price", .kind = DATASET_VALUES, .classes = 1, .file.bytes = prices}}};

static void values_are_gathered_beside_class_numbers(void **state) {
    (void)state;
    static const uint64_t samples[] = {3, 1};
    hosted_labels l = {.set = &shop, .rows = 2};
    labels *found = NULL;
    problem p = {0};
    query q;
    mixer_rows rows = {.rows.count = 2};
    served_query(&q, ~0u, "");
    assert_true(hosted_labels_begin(&l, &p) && hosted_labels_describe(&l, &q, &found, &p));
    assert_true(q.classes.count == 2 && q.classes.item[0] == 3 && q.classes.item[1] == 0);
    assert_true(hosted_labels_gather(&l, samples, NULL));
    assert_true(((const float *)(void *)l.heads[1])[0] == 8);
    assert_true(((const float *)(void *)l.heads[1])[1] == -2);
    assert_ptr_equal(labels_numbers(found)->y, l.heads[0]);
    tensor_source *s = tensor_source_new(2);
    assert_true(labels_add(found, s, &rows, NULL));
    assert_int_equal(served_find(s, "labels.price")->rank, 1);
    tensor_source_free(s);
    labels_free(found);
    hosted_labels_end(&l);
}

static void a_list_of_classes_says_0_for_values(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } table[] = {{"classes=3", true},    {"classes=5,0", true},  {"classes=2", false},
                 {"classes=3,1", false}, {"classes=2,0", false}, {"classes=3,0,4", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hosted_labels l = {.set = &shop, .rows = 2};
        labels *found = NULL;
        problem p = {0};
        query q;
        served_query(&q, ~0u, table[i].text);
        assert_true(hosted_labels_begin(&l, &p));
        assert_int_equal(hosted_labels_describe(&l, &q, &found, &p), table[i].good);
        served_is(&p, table[i].good ? 0 : 400, "classes");
        labels_free(found);
        hosted_labels_end(&l);
    }
}

static void memory_counts_each_label_of_each_row(void **state) {
    (void)state;
    bench b;
    begin(&b, 4, "");
    assert_int_equal(hosted_labels_memory(&b.labels), 4 * sizeof(int32_t));
    end(&b);
}

static void gathering_costs_by_bytes(void **state) {
    (void)state;
    dataset wide = shop;
    wide.head[1] = (dataset_head){.name = "y.tags", .kind = DATASET_ROWS, .classes = 20000};
    const hosted_labels few = {.set = &shop, .rows = 100}, many = {.set = &wide, .rows = 100};
    assert_true(hosted_labels_cost(&few, true) < 1e3);
    assert_true(hosted_labels_cost(&many, true) > 1e6);
}

RUN(T(labels_are_gathered_sample_by_sample),
    T(the_set_supplies_classes_unless_the_request_gives_as_many_or_more),
    T(a_set_without_labels_refuses_the_part_of_labels), T(values_are_gathered_beside_class_numbers),
    T(a_list_of_classes_says_0_for_values), T(memory_counts_each_label_of_each_row),
    T(gathering_costs_by_bytes))
