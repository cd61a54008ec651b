#include "unit.h"

#include "phase.h"

#include <math.h>

static void the_denominator_is_the_least_common_multiple(void **state) {
    (void)state;
    static const struct {
        fmix_sides sides;
        uint64_t lcm;
    } table[] = {
        {{{1, 1, 1}}, 1},         {{{1, 1, 7}}, 7},       {{{1, 32, 32}}, 32},
        {{{4, 6, 10}}, 60},       {{{31, 1, 127}}, 3937}, {{{1, 4095, 4096}}, 16773120},
        {{{256, 256, 256}}, 256}, {{{2, 3, 5}}, 30},      {{{1, 1, 16777216}}, 16777216},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fmix_phase_denominator(&table[i].sides) == table[i].lcm);
}

/* The sum of bin*place/side, less its whole part. */
static double phase_by_hand(const fmix_sides *s, const uint32_t b[3], uint32_t pixel) {
    const uint32_t at[3] = {pixel / s->n[2] / s->n[1], pixel / s->n[2] % s->n[1], pixel % s->n[2]};
    double sum = 0;
    for (int d = 0; d < 3; d++)
        sum += (double)((uint64_t)b[d] * at[d] % s->n[d]) / s->n[d];
    return sum - floor(sum);
}

static void phases_are_the_fractions_they_stand_for(void **state) {
    (void)state;
    static const fmix_sides table[] = {{{1, 1, 2}},   {{1, 5, 7}},       {{3, 4, 5}},
                                       {{13, 8, 21}}, {{1, 4095, 4096}}, {{1, 1, 16777216}}};
    uint64_t random = 9;
    for (size_t i = 0; i < 6000; i++) {
        const fmix_sides *s = &table[i % 6];
        uint32_t all = s->n[0] * s->n[1] * s->n[2], b[3];
        uint32_t pixel = (uint32_t)(unit_random(&random) % all);
        for (int d = 0; d < 3; d++)
            b[d] = (uint32_t)(unit_random(&random) % s->n[d]);
        uint64_t denominator = fmix_phase_denominator(s);
        fmix_phase p = fmix_phase_of(s, denominator, pixel);
        uint64_t phase = fmix_phase_at(&p, denominator, b);
        assert_true(phase < denominator);
        double apart = fabs((double)phase / (double)denominator - phase_by_hand(s, b, pixel));
        assert_true(apart < 1e-12 || apart > 1 - 1e-12);
    }
}

RUN(T(the_denominator_is_the_least_common_multiple), T(phases_are_the_fractions_they_stand_for))
