#include "phase.h"

uint64_t fmix_phase_denominator(const fmix_sides *sides) {
    uint64_t lcm = 1;
    for (int d = 0; d < 3; d++) {
        uint64_t a = lcm, b = sides->n[d];
        while (b) {
            uint64_t r = a % b;
            a = b;
            b = r;
        }
        lcm *= sides->n[d] / a;
    }
    return lcm;
}

fmix_phase fmix_phase_of(const fmix_sides *sides, uint64_t denominator, uint32_t pixel) {
    uint32_t n2 = pixel % sides->n[2], rest = pixel / sides->n[2];
    uint32_t n1 = rest % sides->n[1], n0 = rest / sides->n[1];
    return (fmix_phase){{n0 * (denominator / sides->n[0]), n1 * (denominator / sides->n[1]),
                         n2 * (denominator / sides->n[2])}};
}
