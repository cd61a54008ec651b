#include "unit.h"

#include "view.h"

#include <math.h>

/* Where float64 is sure, MPFR by powers (few bits in the word) and by digits says the same. */
static void exact_and_quick_extents_agree(void **state) {
    (void)state;
    uint64_t random = 12;
    for (unsigned i = 0; i < 4000; i++) {
        uint64_t r = unit_random(&random);
        const uint32_t words[2] = {(uint32_t)r,
                                   i % 4 ? (uint32_t)(r >> 32) : (uint32_t)(r >> 59 << 27)};
        const double least = 1e-9 + (double)(r >> 40) * 0x1p-26;
        const double area[2] = {least, least + (double)(r & 0xffff) * 0x1p-17};
        const double low = 0.001 + (double)(r >> 50), ratio[2] = {low, low * (1 + (double)(i % 3))};
        const fmix_extent extent = {1 + (r >> 24 & 0xffffffff), area, ratio, words, i % 2};
        uint64_t quick = fmix_extent_round(&extent);
        assert_int_equal(fmix_exact_extent(&extent, quick), quick);
        if (quick > 0)
            assert_int_equal(fmix_exact_extent(&extent, quick - 1), quick);
    }
}

/* Of the areas next to a tie, one is below it and one above. */
static void the_areas_beside_a_tie_go_down_and_up(void **state) {
    (void)state;
    for (uint32_t word = 0; word < 2; word++) {
        const double ratio[2] = {1, 1 + word}; /* r = 1, r = 2^(1/2^32) */
        const uint32_t words[2] = {0, word};
        double tie = 0.25 / (word ? 1.0000000001613858 : 1), below = nextafter(tie, 0);
        double above = nextafter(tie, 1);
        const double areas[2][2] = {{below, below}, {above, above}};
        for (uint64_t side = 3; side < 1000; side += 2) {
            fmix_extent extent = {side * side, areas[0], ratio, words, false};
            assert_int_equal(fmix_extent_round(&extent), side / 2);
            assert_int_equal(fmix_exact_extent(&extent, side / 2), side / 2);
            extent.area = areas[1];
            assert_int_equal(fmix_extent_round(&extent), side / 2 + 1);
            assert_int_equal(fmix_exact_extent(&extent, side / 2), side / 2 + 1);
        }
    }
}

RUN(T(exact_and_quick_extents_agree), T(the_areas_beside_a_tie_go_down_and_up))
