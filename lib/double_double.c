#include "double_double.h"
#include "binary64.h"

#include <math.h> /* sqrt: one IEEE 754 operation, correctly rounded */

/* 1/k!, k = 0 … 28 */
static const fmix_dd inverse_factorial[] = {{0x1.0000000000000p+0, 0x0.0p+0},
                                            {0x1.0000000000000p+0, 0x0.0p+0},
                                            {0x1.0000000000000p-1, 0x0.0p+0},
                                            {0x1.5555555555555p-3, 0x1.5555555555555p-57},
                                            {0x1.5555555555555p-5, 0x1.5555555555555p-59},
                                            {0x1.1111111111111p-7, 0x1.1111111111111p-63},
                                            {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
                                            {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
                                            {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
                                            {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
                                            {0x1.27e4fb7789f5cp-22, 0x1.cbbc05b4fa99ap-76},
                                            {0x1.ae64567f544e4p-26, -0x1.c062e06d1f209p-80},
                                            {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
                                            {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87},
                                            {0x1.93974a8c07c9dp-37, 0x1.05d6f8a2efd1fp-92},
                                            {0x1.ae7f3e733b81fp-41, 0x1.1d8656b0ee8cbp-97},
                                            {0x1.ae7f3e733b81fp-45, 0x1.1d8656b0ee8cbp-101},
                                            {0x1.952c77030ad4ap-49, 0x1.ac981465ddc6cp-103},
                                            {0x1.6827863b97d97p-53, 0x1.eec01221a8b0bp-107},
                                            {0x1.2f49b46814157p-57, 0x1.2650f61dbdcb4p-112},
                                            {0x1.e542ba4020225p-62, 0x1.ea72b4afe3c2fp-120},
                                            {0x1.71b8ef6dcf572p-66, -0x1.d043ae40c4647p-120},
                                            {0x1.0ce396db7f853p-70, -0x1.aebcdbd20331cp-124},
                                            {0x1.761b41316381ap-75, -0x1.3423c7d91404fp-130},
                                            {0x1.f2cf01972f578p-80, -0x1.9ada5fcc1ab14p-135},
                                            {0x1.3f3ccdd165fa9p-84, -0x1.58ddadf344487p-139},
                                            {0x1.88e85fc6a4e5ap-89, -0x1.71c37ebd16540p-143},
                                            {0x1.d1ab1c2dccea3p-94, 0x1.054d0c78aea14p-149},
                                            {0x1.0a18a2635085dp-98, 0x1.b9e2e28e1aa54p-153}};

/* 1/(2k+1), k = 0 … 21 */
static const fmix_dd inverse_odd[] = {{0x1.0000000000000p+0, 0x0.0p+0},
                                      {0x1.5555555555555p-2, 0x1.5555555555555p-56},
                                      {0x1.999999999999ap-3, -0x1.999999999999ap-57},
                                      {0x1.2492492492492p-3, 0x1.2492492492492p-57},
                                      {0x1.c71c71c71c71cp-4, 0x1.c71c71c71c71cp-58},
                                      {0x1.745d1745d1746p-4, -0x1.745d1745d1746p-59},
                                      {0x1.3b13b13b13b14p-4, -0x1.3b13b13b13b14p-58},
                                      {0x1.1111111111111p-4, 0x1.1111111111111p-60},
                                      {0x1.e1e1e1e1e1e1ep-5, 0x1.e1e1e1e1e1e1ep-61},
                                      {0x1.af286bca1af28p-5, 0x1.af286bca1af28p-59},
                                      {0x1.8618618618618p-5, 0x1.8618618618618p-59},
                                      {0x1.642c8590b2164p-5, 0x1.642c8590b2164p-60},
                                      {0x1.47ae147ae147bp-5, -0x1.eb851eb851eb8p-61},
                                      {0x1.2f684bda12f68p-5, 0x1.2f684bda12f68p-59},
                                      {0x1.1a7b9611a7b96p-5, 0x1.1a7b9611a7b96p-61},
                                      {0x1.0842108421084p-5, 0x1.0842108421084p-60},
                                      {0x1.f07c1f07c1f08p-6, -0x1.f07c1f07c1f08p-61},
                                      {0x1.d41d41d41d41dp-6, 0x1.0750750750750p-60},
                                      {0x1.bacf914c1bad0p-6, -0x1.bacf914c1bad0p-60},
                                      {0x1.a41a41a41a41ap-6, 0x1.0690690690690p-60},
                                      {0x1.8f9c18f9c18fap-6, -0x1.f3831f3831f38p-61},
                                      {0x1.7d05f417d05f4p-6, 0x1.7d05f417d05f4p-62}};

static const fmix_dd ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
static const double ln2_third = 0x1.7b57a079a1934p-111;
static const fmix_dd half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};

/* Long division: the remainder of the first quotient is exact to 2^-104 of a. */
fmix_dd fmix_dd_div(fmix_dd a, fmix_dd b) {
    double q1 = a.high / b.high;
    fmix_dd r = fmix_dd_sub(a, fmix_dd_scale(b, q1));
    double q2 = r.high / b.high;
    r = fmix_dd_sub(r, fmix_dd_scale(b, q2));
    double q3 = r.high / b.high;
    fmix_dd q = fmix_two_fast_sum(q1, q2);
    return fmix_dd_add(q, fmix_dd_from(q3));
}

/* One Newton step from a root with 53 bits. */
fmix_dd fmix_dd_sqrt(fmix_dd a) {
    if (a.high <= 0)
        return fmix_dd_from(0);
    double x = sqrt(a.high);
    fmix_dd square = fmix_two_product(x, x);
    fmix_dd rest = fmix_dd_sub(a, square);
    fmix_dd step = fmix_dd_div(rest, fmix_dd_from(2 * x));
    return fmix_dd_add(fmix_dd_from(x), step);
}

/* a = 2^e m, s = (m-1)/(m+1), |s| < 0.1716: z = s^2 < 2^-5, so the remainder after z^21/43 is under
 * 2^-117. Horner's terms past 1 sum to 0.01 and keep 2^-104 of that. */
fmix_dd fmix_dd_log(fmix_dd a) {
    uint64_t bits = bits_of(a.high);
    int e = (int)((bits - ROOT_HALF_BITS) >> 52);
    e = bits >= ROOT_HALF_BITS ? e : e - 4096;
    fmix_dd m = {a.high * power_of_two(-e), a.low * power_of_two(-e)};
    fmix_dd s = fmix_dd_div(fmix_dd_add(m, fmix_dd_from(-1)), fmix_dd_add(m, fmix_dd_from(1)));
    fmix_dd z = fmix_dd_mul(s, s);
    fmix_dd p = inverse_odd[21];
    for (int k = 20; k >= 0; k--)
        p = fmix_dd_add(fmix_dd_mul(p, z), inverse_odd[k]);
    p = fmix_dd_mul(p, s);
    p = (fmix_dd){2 * p.high, 2 * p.low};
    return e == 0 ? p : fmix_dd_add(fmix_dd_scale(ln2, e), p);
}

/* r = (a - n ln2)/16, |r| < 0.022: the remainder after r^14/14! is under 2^-118. e^r - 1 = p; then
 * four times p <- 2p + p^2, each doubling the error of p as it doubles p. */
fmix_dd fmix_dd_exp(fmix_dd a) {
    double n = nearest_integer(a.high * 0x1.71547652b82fep+0); /* 1/ln2 */
    fmix_dd r = fmix_dd_sub(a, fmix_dd_scale(ln2, n));
    r = fmix_dd_add(r, fmix_dd_from(-n * ln2_third));
    r = (fmix_dd){r.high / 16, r.low / 16};
    fmix_dd p = inverse_factorial[14];
    for (int k = 13; k >= 1; k--)
        p = fmix_dd_add(fmix_dd_mul(p, r), inverse_factorial[k]);
    p = fmix_dd_mul(p, r);
    for (int i = 0; i < 4; i++)
        p = fmix_dd_add((fmix_dd){2 * p.high, 2 * p.low}, fmix_dd_mul(p, p));
    p = fmix_dd_add(p, fmix_dd_from(1));
    double scale = power_of_two((int)n);
    return (fmix_dd){p.high * scale, p.low * scale};
}

/* sum over k = first, first-2, … of (-1)^(k/2) t^k/k!, down to k = 0 or 1, by z = t^2 */
static fmix_dd alternating(fmix_dd z, int first) {
    fmix_dd p = inverse_factorial[first];
    for (int k = first - 2; k >= 0; k -= 2)
        p = fmix_dd_sub(inverse_factorial[k], fmix_dd_mul(p, z));
    return p;
}

/* The quarter in integers: 4n = q d + rest, |rest| <= d/2, so |t| <= pi/4. The remainder after
 * t^27/27! and t^28/28! is under 2^-112. */
void fmix_dd_turn(uint64_t n, uint64_t d, fmix_dd *cosine, fmix_dd *sine) {
    uint64_t q = (8 * n + d) / (2 * d);
    double rest = (double)((int64_t)(4 * n) - (int64_t)(q * d));
    fmix_dd t = fmix_dd_div(fmix_dd_scale(half_pi, rest), fmix_dd_from((double)d));
    fmix_dd z = fmix_dd_mul(t, t);
    fmix_dd s = fmix_dd_mul(t, alternating(z, 27)), c = alternating(z, 28);
    switch (q % 4) {
    case 0:
        *cosine = c;
        *sine = s;
        break;
    case 1:
        *cosine = fmix_dd_negate(s);
        *sine = c;
        break;
    case 2:
        *cosine = fmix_dd_negate(c);
        *sine = fmix_dd_negate(s);
        break;
    default:
        *cosine = s;
        *sine = fmix_dd_negate(c);
        break;
    }
}
