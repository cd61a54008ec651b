#include "shape.h"

uint64_t fmix_shape_elements(const fmix_shape *shape) {
    if (shape->rank < 1 || shape->rank > 3)
        return 0;
    uint64_t elements = 1;
    for (unsigned d = 0; d < shape->rank; d++) {
        if (shape->side[d] == 0 || shape->side[d] > FMIX_MAX_ELEMENTS)
            return 0;
        elements *= shape->side[d]; /* at most 2^24 * 2^24 */
        if (elements > FMIX_MAX_ELEMENTS)
            return 0;
    }
    return elements;
}

fmix_sides fmix_shape_sides(const fmix_shape *shape) {
    fmix_sides sides = {{1, 1, 1}};
    for (unsigned d = 0; d < shape->rank; d++)
        sides.n[3 - shape->rank + d] = shape->side[d];
    return sides;
}

fmix_sides fmix_shape_periods(const fmix_shape *shape, fmix_frequency frequency) {
    return frequency == FMIX_FREQUENCY_PIXEL ? fmix_shape_sides(shape) : (fmix_sides){{1, 1, 1}};
}
