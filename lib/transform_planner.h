/*
 * transform_planner.h - FFTW's planner, which a process has once
 *
 * FFTW makes its plans in process-wide state, so one lock orders every call of the planner,
 * whatever context the call serves. Executing a plan needs no lock.
 */
#ifndef FMIX_TRANSFORM_PLANNER_H
#define FMIX_TRANSFORM_PLANNER_H

#include "shape.h"

/* Transforms of one shape, half spectrum to values. Any number of threads may run one. */
typedef struct fmix_fft fmix_fft;

/* Plans by FFTW's estimate, or by wisdom where the shape was measured before: *measured. */
fmix_status fmix_fft_new(const fmix_shape *shape, fmix_fft **out, bool *measured);

/* Does not wait while another thread measures. The planner's next user then frees the plans. */
void fmix_fft_free(fmix_fft *fft);

/* x: interleaved complex bins of the half spectrum, destroyed. g: the elements. Both from
 * fmix_aligned_new. */
void fmix_fft_run(const fmix_fft *fft, double *x, double *g);

/* Measures both ways (transform_way.h), each for at most about `seconds`, during which all other
 * planning waits. Runs that begin afterwards use the fastest plan so far. *whole: time did not run
 * out. Otherwise FFTW has estimated the plan, and does not take it for a measured one later, from
 * wisdom. */
fmix_status fmix_fft_measure(fmix_fft *fft, double seconds, bool *whole);

/* FFTW's name and version. */
const char *fmix_fft_library(void);

#endif
