#include "bins.h"

#include <string.h>

fmix_spectrum_params fmix_spectrum_params_of(const fmix_recipe *recipe) {
    _Static_assert(sizeof(fmix_spectrum_params) == 32, "the parameters have no padding");
    fmix_spectrum_params params = {.shape.rank = recipe->shape.rank,
                                   .frequency = (uint32_t)recipe->frequency,
                                   .spectrum = (uint32_t)recipe->spectrum,
                                   .delta = recipe->delta};
    for (unsigned d = 0; d < recipe->shape.rank; d++)
        params.shape.side[d] = recipe->shape.side[d];
    return params;
}

/* Each quotient is within u, its square within 3u, two sums add u each. (The integers are at most
 * 2^24, so they do not round, and the squares do not underflow.) */
double fmix_square_value(const fmix_square *square) {
    double k0 = (double)square->k[0] / square->period[0];
    double k1 = (double)square->k[1] / square->period[1];
    double k2 = (double)square->k[2] / square->period[2];
    return k0 * k0 + (k1 * k1 + k2 * k2);
}

static bool paper_bin(const fmix_spectrum_params *params, uint64_t j, fmix_bin *out) {
    fmix_sides sides = fmix_shape_sides(&params->shape);
    fmix_sides periods = fmix_shape_periods(&params->shape, (fmix_frequency)params->frequency);
    uint32_t row = sides.n[2] / 2 + 1;
    out->at[2] = (uint32_t)(j % row);
    out->at[1] = (uint32_t)(j / row % sides.n[1]);
    out->at[0] = (uint32_t)(j / row / sides.n[1]);
    for (int d = 0; d < 3; d++) {
        out->square.k[d] = (int32_t)fmix_signed_bin(out->at[d], sides.n[d]);
        out->square.period[d] = periods.n[d];
    }
    out->alike = true;
    out->gain = fmix_self_mirrored(out->at[2], sides.n[2]) ? 1 : 2;
    return j != 0;
}

/* The released code transforms over the sides in another order: the first free bins count along the
 * last side of the shape. The counts leave out the last of those bins that the half spectrum does
 * not have. */
typedef struct official {
    uint32_t free[2];  /* numbers of free bins, outer first */
    uint32_t sides[2]; /* sides that the frequencies of the free bins refer to */
} official;

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static official official_of(const fmix_shape *shape) {
    const uint32_t *n = shape->side;
    official o = {{1, 1}, {1, 1}};
    if (shape->rank >= 2) {
        o.free[1] = smaller(n[1], n[1] / 2 + 1 + n[1] % 2);
        o.sides[1] = n[1];
    }
    if (shape->rank == 2)
        o.free[1] = smaller(o.free[1], n[0]);
    if (shape->rank == 3) {
        o.free[0] = smaller(n[2], n[0]);
        o.sides[0] = n[2];
    }
    return o;
}

static uint32_t longest_of(const fmix_shape *shape) {
    uint32_t longest = 1;
    for (unsigned d = 0; d < shape->rank; d++)
        longest = shape->side[d] > longest ? shape->side[d] : longest;
    return longest;
}

/* phi + (r/N_0)^2, or 1/longest^2 where that is 0. Any other sum is at least 1/longest^2. */
static fmix_square official_square(const fmix_spectrum_params *params, const official *o,
                                   const uint32_t free[2], uint32_t r) {
    fmix_square s = {{(int32_t)fmix_signed_bin(free[0], o->sides[0]),
                      (int32_t)fmix_signed_bin(free[1], o->sides[1]), (int32_t)r},
                     {o->sides[0], o->sides[1], params->shape.side[0]}};
    if (s.k[0] == 0 && s.k[1] == 0 && r == 0) {
        s.k[2] = 1;
        s.period[2] = longest_of(&params->shape);
    }
    return s;
}

static bool official_bin(const fmix_spectrum_params *params, uint64_t j, fmix_bin *out) {
    fmix_sides sides = fmix_shape_sides(&params->shape);
    official o = official_of(&params->shape);
    const uint32_t last = (uint32_t)(j % 2);
    const uint32_t free[2] = {(uint32_t)(j / 2 / o.free[1]), (uint32_t)(j / 2 % o.free[1])};
    const unsigned rank = params->shape.rank;
    out->at[0] = rank == 3 ? free[0] : 0;
    out->at[1] = rank == 1 ? 0 : free[1];
    out->at[2] = last;
    out->square = official_square(params, &o, free, 0);
    out->imaginary = official_square(params, &o, free, 1);
    out->alike = false;
    out->gain = last == 1 && sides.n[2] > 2 ? 4 : 1;
    return j != 0 && last <= sides.n[2] / 2;
}

uint64_t fmix_normals_count(const fmix_spectrum_params *params) {
    if (params->spectrum == FMIX_SPECTRUM_PAPER)
        return fmix_shape_bins(&params->shape);
    official o = official_of(&params->shape);
    return 2 * (uint64_t)o.free[0] * o.free[1];
}

bool fmix_bin_of_normal(const fmix_spectrum_params *params, uint64_t j, fmix_bin *out) {
    return params->spectrum == FMIX_SPECTRUM_PAPER ? paper_bin(params, j, out)
                                                   : official_bin(params, j, out);
}
