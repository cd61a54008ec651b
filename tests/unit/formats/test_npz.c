#include "unit.h"

#include "formats/npz.h"

static void large_sources_and_unknown_types_are_refused_before_any_work(void **state) {
    (void)state;
    static const struct {
        uint64_t rows, side;
        dtype type;
        int status;
    } table[] = {
        {1, 1, DTYPE_U8, 0},
        {1, (256u << 20) - 2048, DTYPE_U8, 0},
        {1, (256u << 20) - 2047, DTYPE_U8, 413},
        {UINT64_C(1) << 24, UINT64_C(1) << 36, DTYPE_F32, 413},
        {UINT64_C(1) << 24, UINT64_C(1) << 38, DTYPE_U8, 413},
        {5, 1, DTYPE_BF16, 400},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        tensor_source *s = tensor_source_new(table[i].rows);
        assert_true(tensor_source_add(s, "x", table[i].type, 1, &table[i].side, 0, NULL, NULL));
        assert_int_equal(format_npz.check(s, &p), table[i].status == 0);
        assert_int_equal(p.status, table[i].status);
        tensor_source_free(s);
    }
}

/* A copy of every byte: hundreds of megabytes are no short slice. */
static void the_cost_is_by_bytes(void **state) {
    (void)state;
    static const uint64_t side = 1 << 20;
    tensor_source *s = tensor_source_new(100);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &side, 0, NULL, NULL));
    double cost = format_npz.cost(s, 100 * side);
    assert_true(cost > 20e6 && cost < 1e9);
    tensor_source_free(s);
}

RUN(T(large_sources_and_unknown_types_are_refused_before_any_work), T(the_cost_is_by_bytes))
