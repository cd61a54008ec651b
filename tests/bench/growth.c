/*
 * growth.c - how the cost of masks grows
 *
 *   growth masks     nanoseconds of a mask in bits of 1, 2 and 3 dimensions, by its elements
 *   growth calls     nanoseconds of a call for n masks, by n
 *
 * Prints a line for each point: its curve, its place and its time.
 */
#include "tests/bench/subject.h"

#define LEAST_NS 2e8 /* of masks that are timed */

static void mask(const char *name, const fmix_shape *shape) {
    subject s = subject_new(shape, WARM_NS);
    printf("%s %llu %.1f\n", name, (unsigned long long)s.elements, time_masks(&s, LEAST_NS));
    fflush(stdout);
    subject_free(&s);
}

static void masks(void) {
    for (uint32_t side = 16; side <= 1u << 24; side *= 4)
        mask("1D", &(fmix_shape){1, {side}});
    for (uint32_t side = 8; side <= 4096; side *= 2)
        mask("2D", &(fmix_shape){2, {side, side}});
    for (uint32_t side = 4; side <= 256; side *= 2)
        mask("3D", &(fmix_shape){3, {side, side, side}});
}

static void calls(void) {
    enum { MOST = 4096 };
    for (uint32_t side = 32; side <= 224; side *= 7) {
        subject s = subject_new(&(fmix_shape){2, {side, side}}, WARM_NS);
        fftw_free(s.out);
        s.out = room((size_t)(MOST * fmix_mask_bytes(s.elements, FMIX_DTYPE_BITS)));
        for (s.batch = 1; s.batch <= MOST; s.batch *= 4)
            printf("%ux%u %llu %.1f\n", side, side, (unsigned long long)s.batch,
                   (double)s.batch * time_masks(&s, LEAST_NS));
        subject_free(&s);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "masks") == 0)
        masks();
    else if (argc == 2 && strcmp(argv[1], "calls") == 0)
        calls();
    else
        return 2;
    return 0;
}
