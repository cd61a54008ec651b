#include "unit.h"

#include "bins.h"

static void squares_are_within_5u_of_their_sum(void **state) {
    (void)state;
    static const fmix_sides table[] = {
        {{1, 1, 2}}, {{1, 5, 7}}, {{3, 4, 5}}, {{13, 8, 21}}, {{1, 1000, 999}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (uint64_t j = 0; j < 300; j++) {
            const uint32_t *n = table[i].n;
            uint32_t b0 = (uint32_t)(j * 7 % n[0]), b1 = (uint32_t)(j * 5 % n[1]),
                     b2 = (uint32_t)(j % (n[2] / 2 + 1));
            const long double k0 = (long double)fmix_signed_bin(b0, n[0]) / n[0],
                              k1 = (long double)fmix_signed_bin(b1, n[1]) / n[1],
                              k2 = (long double)b2 / n[2], s = k0 * k0 + k1 * k1 + k2 * k2;
            const fmix_square square = {{(int32_t)fmix_signed_bin(b0, n[0]),
                                         (int32_t)fmix_signed_bin(b1, n[1]), (int32_t)b2},
                                        {n[0], n[1], n[2]}};
            long double off = fmix_square_value(&square) - s;
            assert_true((off < 0 ? -off : off) <= 5 * 0x1p-53L * s);
        }
}

static fmix_spectrum_params params_of(fmix_spectrum spectrum, fmix_frequency frequency,
                                      fmix_shape shape) {
    return fmix_spectrum_params_of(
        &(fmix_recipe){.shape = shape, .delta = 3, .spectrum = spectrum, .frequency = frequency});
}

static void the_paper_s_bins_are_all_but_the_first_in_flat_order(void **state) {
    (void)state;
    static const fmix_shape shapes[] = {
        {1, {7}}, {1, {8}}, {2, {3, 5}}, {2, {1, 6}}, {3, {2, 3, 4}}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const fmix_spectrum_params params =
            params_of(FMIX_SPECTRUM_PAPER, FMIX_FREQUENCY_PIXEL, shapes[i]);
        fmix_sides n = fmix_shape_sides(&shapes[i]);
        uint64_t j = 0;
        fmix_bin bin;
        for (uint32_t b0 = 0; b0 < n.n[0]; b0++)
            for (uint32_t b1 = 0; b1 < n.n[1]; b1++)
                for (uint32_t b2 = 0; b2 <= n.n[2] / 2; b2++, j++) {
                    assert_int_equal(fmix_bin_of_normal(&params, j, &bin), j != 0);
                    assert_true(bin.at[0] == b0 && bin.at[1] == b1 && bin.at[2] == b2);
                    assert_true(bin.alike);
                    assert_int_equal(bin.gain, fmix_self_mirrored(b2, n.n[2]) ? 1 : 2);
                    assert_true(bin.square.k[0] == fmix_signed_bin(b0, n.n[0]) &&
                                bin.square.period[0] == n.n[0]);
                }
        assert_true(fmix_normals_count(&params) == j);
    }
}

static void extent_counts_by_the_side(void **state) {
    (void)state;
    const fmix_spectrum_params params =
        params_of(FMIX_SPECTRUM_PAPER, FMIX_FREQUENCY_EXTENT, (fmix_shape){2, {4, 10}});
    fmix_bin bin;
    assert_true(fmix_bin_of_normal(&params, 8, &bin)); /* (1, 2) */
    assert_true(fmix_square_value(&bin.square) == 5);
}

/* Which bins STREAM §3 keeps, and by which frequencies, worked out by hand. */
static const struct {
    fmix_shape shape;
    uint64_t j, normals;
    bool adds;
    uint32_t at[3];
    double squares[2];
    unsigned gain;
} official[] = {
    {{1, {8}}, 0, 2, false, {0, 0, 0}, {0, 0}, 1},
    {{1, {8}}, 1, 2, true, {0, 0, 1}, {1 / 64.0, 1 / 64.0}, 4},
    {{1, {2}}, 1, 2, true, {0, 0, 1}, {0.25, 0.25}, 1},
    /* M(6) = 4 bins of the first side, by the last: phi = (m'/6)^2, r over the first */
    {{2, {8, 6}}, 1, 8, true, {0, 0, 1}, {1 / 64.0, 1 / 64.0}, 4},
    {{2, {8, 6}}, 2, 8, true, {0, 1, 0}, {1 / 36.0, 1 / 36.0 + 1 / 64.0}, 1},
    {{2, {8, 6}}, 7, 8, true, {0, 3, 1}, {0.25, 0.25 + 1 / 64.0}, 4},
    /* M(5) = 4, of which the fourth is bin -2; only 3 rows of bins are there */
    {{2, {9, 5}}, 6, 8, true, {0, 3, 0}, {4 / 25.0, 4 / 25.0 + 1 / 81.0}, 1},
    {{2, {3, 5}}, 5, 6, true, {0, 2, 1}, {4 / 25.0, 4 / 25.0 + 1 / 9.0}, 4},
    {{2, {4, 1}}, 0, 2, false, {0, 0, 0}, {0, 0}, 1},
    {{2, {4, 1}}, 1, 2, false, {0, 0, 1}, {0, 0}, 1}, /* past the half spectrum */
    /* 3D: a < 4 of the first side's 2, b < M(3) = 3 */
    {{3, {2, 3, 4}},
     11,
     12,
     true,
     {1, 2, 1},
     {1 / 16.0 + 1 / 9.0, 1 / 16.0 + 1 / 9.0 + 1 / 4.0},
     4},
};

static void the_official_bins_are_those_of_the_released_code(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof official / sizeof *official; i++) {
        const fmix_spectrum_params params =
            params_of(FMIX_SPECTRUM_OFFICIAL, FMIX_FREQUENCY_PIXEL, official[i].shape);
        fmix_bin bin;
        assert_true(fmix_normals_count(&params) == official[i].normals);
        assert_int_equal(fmix_bin_of_normal(&params, official[i].j, &bin), official[i].adds);
        if (!official[i].adds)
            continue;
        assert_memory_equal(bin.at, official[i].at, sizeof bin.at);
        assert_int_equal(bin.gain, official[i].gain);
        double apart[2] = {fmix_square_value(&bin.square) - official[i].squares[0],
                           fmix_square_value(&bin.imaginary) - official[i].squares[1]};
        for (int part = 0; part < 2; part++)
            assert_true(apart[part] < 1e-15 && apart[part] > -1e-15);
    }
}

RUN(T(squares_are_within_5u_of_their_sum), T(the_paper_s_bins_are_all_but_the_first_in_flat_order),
    T(extent_counts_by_the_side), T(the_official_bins_are_those_of_the_released_code))
