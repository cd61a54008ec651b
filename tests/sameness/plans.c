/*
 * plans.c - other plans for the same transforms, by LD_PRELOAD
 *
 * FMIX_PLANS says which: estimate, measure, patient, nosimd or unaligned.
 */
#include <dlfcn.h>
#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

typedef fftw_plan planner(int rank, const int *n, fftw_complex *in, double *out, unsigned flags);

fftw_plan fftw_plan_dft_c2r(int rank, const int *n, fftw_complex *in, double *out, unsigned flags) {
    static const struct {
        const char *name;
        unsigned flags;
    } table[] = {{"estimate", FFTW_ESTIMATE},
                 {"measure", FFTW_MEASURE},
                 {"patient", FFTW_PATIENT},
                 {"nosimd", FFTW_ESTIMATE | FFTW_NO_SIMD},
                 {"unaligned", FFTW_ESTIMATE | FFTW_UNALIGNED}};
    const char *wanted = getenv("FMIX_PLANS");
    planner *real = 0;
    void *found = dlsym(RTLD_NEXT, "fftw_plan_dft_c2r");
    memcpy(&real, &found, sizeof real);
    for (size_t i = 0; wanted && i < sizeof table / sizeof *table; i++)
        if (strcmp(wanted, table[i].name) == 0)
            flags = table[i].flags | FFTW_DESTROY_INPUT;
    return real(rank, n, in, out, flags);
}
