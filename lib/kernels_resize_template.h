/*
 * kernels_resize_template.h - the two passes of resizing, included by kernels_template.h
 *
 * Both passes sum lines of bytes that have a weight each: rows of the picture, or columns of
 * sixteen rows, which are transposed before and after. A build may define INTEGERS, a number of
 * lanes, with
 *
 *   integers                      a vector of INTEGERS int32_t
 *   integers to_integers(from)    INTEGERS bytes
 *   void to_bytes(v, to)          INTEGERS bytes: v >> FMIX_TAPS_BITS, limited to 0 … 255
 */
#define INLINE static inline __attribute__((always_inline))
#define LINES  FMIX_RESIZE_LINES

/*
 * Sums fit in 32 bits. Of a pixel's weights, before the division by their sum, let P be the sum of
 * the positive ones and N of the negative ones. Bilinear weights have N = 0. Bicubic weights are at
 * least -2/27, between 1 and 2 away from the centre, and at least 0.56 within 1/2. Some pixel is
 * within 1/2: [centre - s/2, centre + s/2] is inside the line, for s the pixels for one resized
 * pixel, or 1. So P >= 0.56 floor(s). Not more than ceil(s) pixels are negative on each side; with
 * s <= 1 that makes N <= 0.15, with s < 2 two of them sum to less than 0.1, so N <= 0.2, and else
 * N <= 0.15 * 1.5 * floor(s): N <= 0.4 P. After the division the positive weights sum to
 * P/(P - N) < 1.67 at most, and their rounding adds at most half a unit for each of 2^20 pixels:
 * 0.125. 255 * 1.8 * 2^22 + 2^21 < 2^31.
 */
#define HALF (1 << (FMIX_TAPS_BITS - 1))

INLINE unsigned char to_byte(int32_t sum) {
    sum >>= FMIX_TAPS_BITS;
    sum = sum < 0 ? 0 : sum;
    return (unsigned char)(sum > 255 ? 255 : sum);
}

#if defined(INTEGERS)
#define WIDE (3 * 16) /* bytes that are summed at once: of 16 lines, three channels */

/* `bytes` is constant wherever the call is, and at most WIDE. */
INLINE void sum_vectors(const int32_t *weights, uint32_t number, const unsigned char *from,
                        size_t stride, size_t bytes, unsigned char *to) {
    integers all[WIDE / INTEGERS];
    for (size_t i = 0; i < bytes / INTEGERS; i++)
        all[i] = (integers){0} + HALF;
    for (uint32_t k = 0; k < number; k++, from += stride)
        for (size_t i = 0; i < bytes / INTEGERS; i++)
            all[i] += weights[k] * to_integers(from + i * INTEGERS);
    for (size_t i = 0; i < bytes / INTEGERS; i++)
        to_bytes(all[i], to + i * INTEGERS);
}

/* The weighted sum of lines, `stride` apart, of `bytes` bytes. */
INLINE void sum_lines(const int32_t *weights, uint32_t number, const unsigned char *from,
                      size_t stride, size_t bytes, unsigned char *to) {
    size_t at = 0;
    for (; at + WIDE <= bytes; at += WIDE)
        sum_vectors(weights, number, from + at, stride, WIDE, to + at);
    for (; at + INTEGERS <= bytes; at += INTEGERS)
        sum_vectors(weights, number, from + at, stride, INTEGERS, to + at);
    for (; at < bytes; at++) {
        int32_t sum = HALF;
        for (uint32_t k = 0; k < number; k++)
            sum += weights[k] * from[k * stride + at];
        to[at] = to_byte(sum);
    }
}
#else
/* Up to GROUP lines are summed in registers. `number` is constant wherever the call is, so that the
 * loop over bytes is the only one left. */
#define GROUP 4

INLINE int32_t sum_at(const int32_t weights[GROUP], unsigned number, const unsigned char *from,
                      size_t stride) {
    int32_t sum = 0;
    for (unsigned k = 0; k < number; k++)
        sum += weights[k] * from[k * stride];
    return sum;
}

INLINE void sum_few(const int32_t *of, unsigned number, const unsigned char *restrict from,
                    size_t stride, size_t bytes, unsigned char *restrict to) {
    int32_t weights[GROUP];
    memcpy(weights, of, number * sizeof *weights);
    for (size_t at = 0; at < bytes; at++)
        to[at] = to_byte(HALF + sum_at(weights, number, from + at, stride));
}

INLINE void add_few(const int32_t *of, unsigned number, const unsigned char *restrict from,
                    size_t stride, size_t bytes, int32_t *restrict sums) {
    int32_t weights[GROUP];
    memcpy(weights, of, number * sizeof *weights);
    for (size_t at = 0; at < bytes; at++)
        sums[at] += sum_at(weights, number, from + at, stride);
}

/* More lines than GROUP. */
#define BLOCK 256

INLINE void sum_block(const int32_t *weights, uint32_t number, const unsigned char *restrict from,
                      size_t stride, size_t bytes, unsigned char *restrict to) {
    int32_t sums[BLOCK];
    for (size_t at = 0; at < bytes; at++)
        sums[at] = HALF;
    for (; number >= GROUP; number -= GROUP, weights += GROUP, from += GROUP * stride)
        add_few(weights, GROUP, from, stride, bytes, sums);
    for (; number > 0; number--, weights++, from += stride)
        add_few(weights, 1, from, stride, bytes, sums);
    for (size_t at = 0; at < bytes; at++)
        to[at] = to_byte(sums[at]);
}

INLINE void sum_many(const int32_t *weights, uint32_t number, const unsigned char *from,
                     size_t stride, size_t bytes, unsigned char *to) {
    for (size_t at = 0; at < bytes; at += BLOCK)
        sum_block(weights, number, from + at, stride, bytes - at < BLOCK ? bytes - at : BLOCK,
                  to + at);
}

INLINE void sum_lines(const int32_t *weights, uint32_t number, const unsigned char *from,
                      size_t stride, size_t bytes, unsigned char *to) {
    switch (number) {
    case 1:
        sum_few(weights, 1, from, stride, bytes, to);
        break;
    case 2:
        sum_few(weights, 2, from, stride, bytes, to);
        break;
    case 3:
        sum_few(weights, 3, from, stride, bytes, to);
        break;
    case 4:
        sum_few(weights, 4, from, stride, bytes, to);
        break;
    default:
        sum_many(weights, number, from, stride, bytes, to);
        break;
    }
}
#endif

typedef unsigned char bytes16 __attribute__((vector_size(16)));

#define ZIP_LOW(a, b)                                                                              \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(a, b)                                                                             \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* One of four equal steps that transpose 16 x 16 bytes: bit by bit, the number of a line takes the
 * place of the number of a column. */
INLINE void zip(const bytes16 from[LINES], bytes16 to[LINES]) {
#pragma GCC unroll 8
    for (int i = 0; i < LINES / 2; i++) {
        to[2 * i] = ZIP_LOW(from[i], from[i + LINES / 2]);
        to[2 * i + 1] = ZIP_HIGH(from[i], from[i + LINES / 2]);
    }
}

INLINE void transpose(bytes16 block[LINES]) {
    bytes16 other[LINES];
    zip(block, other);
    zip(other, block);
    zip(block, other);
    zip(other, block);
}

/* Lines to columns: byte c of the 16 lines goes to columns + 16c. No line is read past `bytes`. */
static void to_columns(const unsigned char *const lines[LINES], size_t bytes,
                       unsigned char *columns) {
    bytes16 block[LINES];
    for (size_t at = 0; at < bytes; at += LINES, columns += sizeof block) {
        const size_t left = bytes - at;
        for (int l = 0; l < LINES; l++)
            if (left >= LINES) {
                memcpy(&block[l], lines[l] + at, LINES);
            } else {
                block[l] = (bytes16){0};
                memcpy(&block[l], lines[l] + at, left);
            }
        transpose(block);
        for (size_t l = 0; l < LINES; l++)
            memcpy(columns + l * LINES, &block[l], LINES);
    }
}

static void to_lines(const unsigned char *columns, size_t bytes, unsigned char *to, size_t pitch) {
    bytes16 block[LINES];
    for (size_t at = 0; at < bytes; at += LINES, columns += sizeof block) {
        for (size_t l = 0; l < LINES; l++)
            memcpy(&block[l], columns + l * LINES, LINES);
        transpose(block);
        for (size_t l = 0; l < LINES; l++)
            memcpy(to + l * pitch + at, &block[l], LINES);
    }
}

/* Columns of the resized lines from columns of the lines. */
INLINE void sum_columns(const fmix_taps *taps, unsigned channels, const unsigned char *columns,
                        unsigned char *resized) {
    const size_t step = (size_t)channels * LINES;
    for (uint32_t i = 0; i < taps->count; i++, resized += step)
        sum_lines(taps->weights + (size_t)i * taps->most, taps->number[i],
                  columns + (taps->first[i] - taps->low) * step, step, step, resized);
}

/* With a constant number of channels a column of a pixel is a constant number of vectors. */
static void resize_columns(const fmix_taps *taps, unsigned channels, const unsigned char *columns,
                           unsigned char *resized) {
    switch (channels) {
    case 1:
        sum_columns(taps, 1, columns, resized);
        break;
    case 3:
        sum_columns(taps, 3, columns, resized);
        break;
    default:
        sum_columns(taps, channels, columns, resized);
        break;
    }
}

static void resize_along(const fmix_taps *taps, unsigned channels, const unsigned char *from,
                         size_t stride, uint32_t lines, const fmix_resize_work *work,
                         unsigned char *to, size_t pitch) {
    const size_t bytes = (size_t)(taps->high - taps->low) * channels;
    for (uint32_t first = 0; first < lines; first += LINES) {
        const unsigned char *at[LINES];
        for (uint32_t l = 0; l < LINES; l++) /* past the last line, the last one */
            at[l] = from + (first + l < lines ? first + l : lines - 1) * stride;
        to_columns(at, bytes, work->columns);
        resize_columns(taps, channels, work->columns, work->resized);
        to_lines(work->resized, (size_t)taps->count * channels, to + first * pitch, pitch);
    }
}

static void resize_across(const fmix_taps *taps, uint32_t i, const unsigned char *from,
                          size_t stride, size_t bytes, unsigned char *to) {
    sum_lines(taps->weights + (size_t)i * taps->most, taps->number[i],
              from + (taps->first[i] - taps->low) * stride, stride, bytes, to);
}

#undef INLINE
#undef LINES
