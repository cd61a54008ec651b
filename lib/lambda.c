#include "lambda.h"
#include "elementary.h"
#include "exact.h"

#include <math.h> /* sqrt */

/* The product and the remainder are exact: both numbers have 53 bits and a common scale. */
uint64_t fmix_lambda_round(double lambda) {
    double scaled = lambda * 0x1p32;
    uint64_t below = (uint64_t)scaled;
    double rest = scaled - (double)below;
    if (rest > 0.5 || (rest == 0.5 && below % 2 == 1))
        below++;
    return below;
}

/*
 * The bound of the error of the float64 value of x.
 *
 * x - 1/2 = C s / (2 sqrt(q + C^2 s^2)) with q = e^y, y = ln U / alpha, s^2 = 1 - q, C = cos 2 pi
 * V. With r = q / (C s)^2 that is ±(1 + r)^(-1/2) / 2, and |dx / d ln r| = r (1 + r)^(-3/2) / 4 <=
 * 0.0963. y is within 6u of itself, so q within 6u|y| + 4u; s^2 within 6u (the condition number of
 * 1 - e^y at y <= 0 is at most 1) + 11u; C within 6u: r within 6u|y| + 40u relative. For y >= -128
 * that makes 808u, times 0.0963: 78u. Below, r < e^-128 / (2^-64 * 4) is under 2^-118, whatever its
 * error: it adds nothing. The operations that put x together add 5u. 2^-46 is 128u. (For alpha = 1,
 * q is U itself.)
 */
#define LAMBDA_BOUND 0x1p-46

uint64_t fmix_lambda_draw(fmix_context *context, const fmix_key *key, double alpha, uint64_t t) {
    uint32_t w[4];
    fmix_words_block(key, t, 0, w);
    double c = fmix_cos_word(w[1]);
    if (c == 0 || w[0] == UINT32_MAX)
        return FMIX_LAMBDA_ONE / 2;
    double q, minus;
    if (alpha == 1) {
        q = ((double)w[0] + 1) * 0x1p-32; /* exact, and so is 1 - q */
        minus = 1 - q;
    } else {
        q = fmix_exp_negative(fmix_log_word(w[0]) / alpha, &minus);
    }
    double a = c * sqrt(minus);
    double x = 0.5 + 0.5 * (a / sqrt(q + a * a));
    double scaled = x * 0x1p32;
    uint64_t below = (uint64_t)scaled;
    double rest = scaled - (double)below;
    double doubt = rest > 0.5 ? rest - 0.5 : 0.5 - rest;
    if (doubt > LAMBDA_BOUND * 0x1p32)
        return below + (rest > 0.5);
    fmix_count(&context->lambda_exact, 1);
    return fmix_exact_lambda(w[0], w[1], alpha);
}

uint64_t fmix_lambda_reformulate(const fmix_key *key, uint64_t t, uint64_t lambda) {
    uint32_t w[4];
    fmix_words_block(key, t, 0, w);
    return w[2] < lambda ? lambda : FMIX_LAMBDA_ONE - lambda;
}
