#include "unit.h"

#include "compute/slicing.h"

static tensor_source *tensor_source_of(uint64_t rows, uint64_t bytes, double cost) {
    tensor_source *s = tensor_source_new(rows);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &bytes, cost, NULL, NULL));
    return s;
}

/* Each row is in one slice, in order, and each slice is found by its number. */
static void assert_covers(const slicing *all, const slicing_part *c, uint64_t begin, uint64_t end) {
    uint64_t at = begin;
    for (uint64_t i = 0; i < c->slices; i++) {
        uint64_t first, rows = slicing_part_rows(c, c->first + i, &first);
        assert_true(first == at && rows >= 1 && rows <= c->rows);
        assert_ptr_equal(slicing_find(all, c->first + i), c);
        at += rows;
    }
    assert_true(at == end);
}

static void slices_cover_all_rows_once(void **state) {
    (void)state;
    static const struct {
        uint64_t rows, bytes;
        double cost;
        uint64_t slices;
        uint64_t most; /* rows of a slice */
    } table[] = {
        {1, 1, 0, 1, 1},
        {1, 1 << 30, 1e9, 1, 1},
        {1000, 1, 1, 1, 1000},
        {1000, 1 << 19, 1, 1000, 1},
        {1000, 1 << 18, 1, 500, 2},
        {1001, 1 << 18, 1, 501, 2},
        {1000, 1, 1e6, 1000, 1},
        {1000, 1, 9.9e4, 100, 10},
        {7, 1 << 20, 1, 7, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        tensor_source *s = tensor_source_of(table[i].rows, table[i].bytes, table[i].cost);
        slicing all = {0};
        const slicing_part *c = slicing_add(&all, &s->tensors[0], 0, table[i].rows);
        assert_true(all.count == 1 && all.slices == table[i].slices);
        double row = table[i].cost + SLICING_WRITE_COST * (double)table[i].bytes;
        assert_true(slicing_longest(&all) == row * (double)table[i].most);
        assert_true(slicing_slice_cost(&all, 0) == row * (double)table[i].most);
        assert_covers(&all, c, 0, table[i].rows);
        tensor_source_free(s);
    }
}

static const void *lend(const void *self, uint64_t first, uint64_t n) {
    (void)first;
    (void)n;
    return self;
}

static void rows_that_are_lent_have_large_slices_without_memory(void **state) {
    (void)state;
    tensor_source *s = tensor_source_of(100, 1 << 20, 0);
    slicing lent = {0}, computed = {0};
    s->tensors[0].lend = lend;
    const slicing_part *part = slicing_add_bytes(&lent, &s->tensors[0], 0, UINT64_C(100) << 20);
    assert_true(part->lent && part->rows == 8 && part->slices == 13);
    assert_true(slicing_slice_cost(&lent, 12) == SLICING_LEND_COST * (4 << 20));
    assert_covers(&lent, part, 0, 100);
    assert_true(slicing_slice_bytes(&lent) == 0 && slicing_lends(&lent));
    slicing_add(&computed, &s->tensors[0], 0, 100); /* of a body that is encoded whole */
    assert_true(computed.slices == 100 && !slicing_lends(&computed));
    assert_true(slicing_slice_bytes(&computed) == 1 << 20);
    slicing none = {0};
    slicing_add_bytes(&none, &s->tensors[0], 5, 5);
    assert_false(slicing_lends(&none));
    tensor_source_free(s);
}

static void slices_are_numbered_from_part_to_part_and_empty_parts_have_none(void **state) {
    (void)state;
    tensor_source *s = tensor_source_of(100, 1 << 19, 1);
    const tensor *t = &s->tensors[0];
    slicing all = {0};
    slicing_add(&all, t, 0, 0);
    slicing_add(&all, t, 10, 13);
    slicing_add(&all, t, 5, 5);
    slicing_add(&all, t, 99, 100);
    slicing_add(&all, t, 0, 0);
    assert_true(all.count == 5 && all.slices == 4);
    assert_covers(&all, &all.each[1], 10, 13);
    assert_covers(&all, &all.each[3], 99, 100);
    double row = 1 + SLICING_WRITE_COST * (1 << 19);
    assert_true(slicing_cost(&all) == 4 * row && slicing_longest(&all) == row);
    assert_int_equal(slicing_slice_bytes(&all), t->row_bytes);
    slicing_init(&all);
    slicing_add(&all, t, 5, 5);
    assert_int_equal(slicing_slice_bytes(&all), 0);
    tensor_source_free(s);
}

static void bytes_need_only_the_rows_that_hold_them(void **state) {
    (void)state;
    tensor_source *s = tensor_source_of(9, 7, 1);
    for (uint64_t from = 0; from <= 63; from++)
        for (uint64_t to = 0; to <= 63; to++) {
            slicing all = {0};
            const slicing_part *c = slicing_add_bytes(&all, &s->tensors[0], from, to);
            bool some = from < to;
            assert_int_equal(all.slices, some);
            if (some)
                assert_true(c->begin * 7 <= from && from < c->begin * 7 + 7 && c->end * 7 >= to &&
                            to > c->end * 7 - 7);
        }
    tensor_source_free(s);
}

RUN(T(slices_cover_all_rows_once), T(rows_that_are_lent_have_large_slices_without_memory),
    T(slices_are_numbered_from_part_to_part_and_empty_parts_have_none),
    T(bytes_need_only_the_rows_that_hold_them))
