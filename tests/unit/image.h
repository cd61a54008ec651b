/*
 * image.h - STREAM §3 once more: G of the paper's spectrum, all in MPFR, pixel by pixel
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "shape.h"
#include "words.h"

#include <mpfr.h>
#include <stdbool.h>

#ifndef IMAGE_BITS
#define IMAGE_BITS 600
#endif
enum { BITS = IMAGE_BITS, MOST = 512 };

/* G of every pixel, and the sum that the tie rule is measured by. */
typedef struct image {
    unsigned n;
    mpfr_t g[MOST], total;
} image;

static inline void image_clear(image *m) {
    for (unsigned i = 0; i < m->n; i++)
        mpfr_clear(m->g[i]);
    mpfr_clear(m->total);
}

/* cos and sin of 2 pi n / d */
static inline void angle(mpfr_t cosine, mpfr_t sine, uint64_t n, uint64_t d) {
    mpfr_t a;
    mpfr_init2(a, BITS);
    mpfr_const_pi(a, MPFR_RNDN);
    mpfr_mul_ui(a, a, 2 * n, MPFR_RNDN);
    mpfr_div_ui(a, a, d, MPFR_RNDN);
    mpfr_sin_cos(sine, cosine, a, MPFR_RNDN);
    mpfr_clear(a);
}

/* c f^-delta of a bin */
static inline void weigh(mpfr_t out, const uint32_t n[3], const uint32_t bin[3], double delta) {
    mpfr_t f, k;
    mpfr_inits2(BITS, f, k, (mpfr_ptr)NULL);
    mpfr_set_zero(f, 1);
    for (int d = 0; d < 3; d++) {
        long number = bin[d] > n[d] / 2 ? (long)bin[d] - (long)n[d] : (long)bin[d];
        mpfr_set_si(k, number, MPFR_RNDN);
        mpfr_div_ui(k, k, n[d], MPFR_RNDN);
        mpfr_fma(f, k, k, f, MPFR_RNDN);
    }
    mpfr_sqrt(f, f, MPFR_RNDN);
    mpfr_set_d(k, -delta, MPFR_RNDN);
    mpfr_pow(out, f, k, MPFR_RNDN);
    mpfr_sqrt_ui(k, bin[2] == 0 || 2 * bin[2] == n[2] ? 1 : 2, MPFR_RNDN);
    mpfr_mul(out, out, k, MPFR_RNDN);
    mpfr_clears(f, k, (mpfr_ptr)NULL);
}

/* sqrt(-2 ln u) e^(2 pi i v) of the two words of bin j */
static inline void normal(mpfr_t re, mpfr_t im, const fmix_key *key, uint64_t t, uint64_t j) {
    uint32_t w[4];
    mpfr_t r;
    mpfr_init2(r, BITS);
    fmix_words_block(key, t, j / 2, w);
    mpfr_set_ui(r, w[j % 2 * 2] + 1ul, MPFR_RNDN);
    mpfr_div_2ui(r, r, 32, MPFR_RNDN);
    mpfr_log(r, r, MPFR_RNDN);
    mpfr_mul_si(r, r, -2, MPFR_RNDN);
    mpfr_sqrt(r, r, MPFR_RNDN);
    angle(re, im, w[j % 2 * 2 + 1], UINT64_C(1) << 32);
    mpfr_mul(re, re, r, MPFR_RNDN);
    mpfr_mul(im, im, r, MPFR_RNDN);
    mpfr_clear(r);
}

/* Adds Re of (re + i im) e^(2 pi i phase) to each pixel; turns[2p], [2p+1]: of p / all pixels. */
static inline void add_wave(image *m, mpfr_t *turns, const uint32_t n[3], const uint32_t bin[3],
                            mpfr_t re, mpfr_t im) {
    mpfr_t part;
    mpfr_init2(part, BITS);
    for (uint32_t i = 0; i < m->n; i++) {
        const uint32_t at[3] = {i / n[2] / n[1], i / n[2] % n[1], i % n[2]};
        uint64_t phase = 0;
        for (int d = 0; d < 3; d++)
            phase += (uint64_t)bin[d] * at[d] * (m->n / n[d]);
        phase %= m->n;
        mpfr_fmms(part, re, turns[2 * phase], im, turns[2 * phase + 1], MPFR_RNDN);
        mpfr_add(m->g[i], m->g[i], part, MPFR_RNDN);
    }
    mpfr_clear(part);
}

static inline void image_init(image *m, const uint32_t n[3], double delta, const fmix_key *key,
                              uint64_t t) {
    static mpfr_t turns[2 * MOST];
    mpfr_t weight, re, im;
    mpfr_inits2(BITS, weight, re, im, m->total, (mpfr_ptr)NULL);
    mpfr_set_zero(m->total, 1);
    m->n = n[0] * n[1] * n[2];
    for (unsigned i = 0; i < m->n; i++) {
        mpfr_inits2(BITS, m->g[i], turns[2 * i], turns[2 * i + 1], (mpfr_ptr)NULL);
        mpfr_set_zero(m->g[i], 1);
        angle(turns[2 * i], turns[2 * i + 1], i, m->n);
    }
    uint64_t row = n[2] / 2 + 1;
    for (uint64_t j = 1; j < n[0] * n[1] * row; j++) {
        const uint32_t bin[3] = {(uint32_t)(j / row / n[1]), (uint32_t)(j / row % n[1]),
                                 (uint32_t)(j % row)};
        weigh(weight, n, bin, delta);
        mpfr_add(m->total, m->total, weight, MPFR_RNDN);
        normal(re, im, key, t, j);
        mpfr_mul(re, re, weight, MPFR_RNDN);
        mpfr_mul(im, im, weight, MPFR_RNDN);
        add_wave(m, turns, n, bin, re, im);
    }
    for (unsigned i = 0; i < 2 * m->n; i++)
        mpfr_clear(turns[i]);
    mpfr_clears(weight, re, im, (mpfr_ptr)NULL);
}

#endif
