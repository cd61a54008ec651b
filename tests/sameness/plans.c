/*
 * plans.c - other plans for the same transforms, by LD_PRELOAD
 *
 * FMIX_PLANS says which: estimate, measure, patient, nosimd or unaligned; and with whole, alone or
 * beside one of these, there is no complex transform, so that each row is transformed alone.
 */
#include <dlfcn.h>
#include <fftw3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef fftw_plan planner(int rank, const int *n, fftw_complex *in, double *out, unsigned flags);
typedef fftw_plan planner_of_many(int rank, const int *n, int count, fftw_complex *in,
                                  const int *in_n, int in_stride, int in_next, fftw_complex *out,
                                  const int *out_n, int out_stride, int out_next, int sign,
                                  unsigned flags);

static bool is_wanted(const char *name) {
    const char *wanted = getenv("FMIX_PLANS");
    return wanted && strstr(wanted, name);
}

/* The flags that FMIX_PLANS wants in place of these, of which FFTW_DESTROY_INPUT stays. */
static unsigned wanted(unsigned flags) {
    static const struct {
        const char *name;
        unsigned flags;
    } table[] = {{"estimate", FFTW_ESTIMATE},
                 {"measure", FFTW_MEASURE},
                 {"patient", FFTW_PATIENT},
                 {"nosimd", FFTW_ESTIMATE | FFTW_NO_SIMD},
                 {"unaligned", FFTW_ESTIMATE | FFTW_UNALIGNED}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (is_wanted(table[i].name))
            return table[i].flags | (flags & FFTW_DESTROY_INPUT);
    return flags;
}

fftw_plan fftw_plan_dft_c2r(int rank, const int *n, fftw_complex *in, double *out, unsigned flags) {
    planner *real = 0;
    void *found = dlsym(RTLD_NEXT, "fftw_plan_dft_c2r");
    memcpy(&real, &found, sizeof real);
    return real(rank, n, in, out, wanted(flags));
}

fftw_plan fftw_plan_many_dft(int rank, const int *n, int count, fftw_complex *in, const int *in_n,
                             int in_stride, int in_next, fftw_complex *out, const int *out_n,
                             int out_stride, int out_next, int sign, unsigned flags) {
    planner_of_many *real = 0;
    if (is_wanted("whole"))
        return NULL;
    void *found = dlsym(RTLD_NEXT, "fftw_plan_many_dft");
    memcpy(&real, &found, sizeof real);
    return real(rank, n, count, in, in_n, in_stride, in_next, out, out_n, out_stride, out_next,
                sign, wanted(flags));
}
