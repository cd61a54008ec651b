/*
 * elementary.h - log, exp, sin, cos in float64, with proved bounds
 *
 * No libm: its last bits differ between versions and CPUs, and its bounds are not stated.
 * Additions, multiplications, divisions and square roots are IEEE 754's, each within u = 2^-53
 * relative; the bounds below follow by counting them, as the comments in elementary.c do.
 */
#ifndef FMIX_ELEMENTARY_H
#define FMIX_ELEMENTARY_H

#include <stddef.h>
#include <stdint.h>

/* ln((w+1)/2^32), relative error at most 5u. */
double fmix_log_word(uint32_t w);

/* cos(2 pi w / 2^32), relative error at most 6u. */
double fmix_cos_word(uint32_t w);

/* e^y for y <= 0: relative error at most 4u down to y = -700, and 0 below. *minus: 1 - e^y,
 * relative error at most 11u. (The bounds are for the given y; an error in y is the caller's.) */
double fmix_exp_negative(double y, double *minus);

/* s^-h for s > 0 a normal number and 0 <= h <= 5: relative error at most 24u. */
double fmix_power(double s, double h);

#endif
