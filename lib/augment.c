#include "words.h"

#include <string.h>

#define NEIGHBOUR_BLOCK (16 / 4) /* of word 16, which stands for word 0 */

/* The words of one block serve three sides and the flip. */
static fmix_status draw(uint64_t seed, uint64_t t, uint64_t block, unsigned sides, uint32_t crop,
                        fmix_light *out) {
    fmix_key key;
    uint32_t w[4];
    if (sides < 1 || sides > 3 || crop > FMIX_MAX_ELEMENTS)
        return FMIX_ERROR_RANGE;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_AUGMENT, &key);
    if (status != FMIX_OK)
        return status;
    fmix_words_block(&key, t, block, w);
    for (unsigned d = 0; d < sides; d++)
        out->offset[d] = (uint32_t)(w[d] * (2 * (uint64_t)crop + 1) >> 32);
    out->flip = w[sides] < UINT32_C(1) << 31;
    return FMIX_OK;
}

fmix_status fmix_light_draw(uint64_t seed, uint64_t t, unsigned sides, uint32_t crop,
                            fmix_light *out) {
    return draw(seed, t, 0, sides, crop, out);
}

fmix_status fmix_light_draw_neighbour(uint64_t seed, uint64_t t, unsigned sides, uint32_t crop,
                                      fmix_light *out) {
    return draw(seed, t, NEIGHBOUR_BLOCK, sides, crop, out);
}

/* The source of element `at` of a window along one side of n elements; n stands for a zero. */
static uint32_t origin(const fmix_window *w, unsigned d, uint32_t at) {
    int64_t n = w->shape.side[d], last = w->shape.rank - 1;
    int64_t i = w->light.offset[d] + (w->flips && w->light.flip && d == last ? n - 1 - at : at);
    i -= w->crop;
    if (i >= 0 && i < n)
        return (uint32_t)i;
    if (w->pad == FMIX_PAD_ZERO)
        return (uint32_t)n;
    i = i < 0 ? -i : 2 * (n - 1) - i;
    return (uint32_t)i;
}

/* Copies one line along the last side. An element has `step` bytes, which lie together. */
static void move_line(const fmix_window *w, size_t step, const unsigned char *from,
                      unsigned char *to) {
    unsigned last = w->shape.rank - 1;
    uint32_t n = w->shape.side[last];
    for (uint32_t at = 0; at < n; at++, to += step) {
        uint32_t i = origin(w, last, at);
        if (i == n)
            memset(to, 0, step);
        else
            memcpy(to, from + i * step, step);
    }
}

static bool moves_nothing(const fmix_window *w) {
    for (unsigned d = 0; d < w->shape.rank; d++)
        if (w->light.offset[d] != w->crop)
            return false;
    return !(w->flips && w->light.flip);
}

void fmix_window_take(const fmix_window *w, size_t step, const void *from, void *out) {
    const unsigned char *in = from;
    unsigned char *to = out;
    const uint32_t *side = w->shape.side;
    unsigned rank = w->shape.rank, last = rank - 1;
    size_t line = step * side[last];
    uint32_t outer = rank > 2 ? side[0] : 1, inner = rank > 1 ? side[last - 1] : 1;
    if (moves_nothing(w)) {
        memcpy(out, from, line * outer * inner);
        return;
    }
    for (uint32_t a = 0; a < outer; a++)
        for (uint32_t b = 0; b < inner; b++, to += line) {
            uint32_t i = rank > 2 ? origin(w, 0, a) : 0, j = rank > 1 ? origin(w, last - 1, b) : 0;
            if (i == outer || j == inner) /* a missing side has element 0 of 1 */
                memset(to, 0, line);
            else
                move_line(w, step, in + ((size_t)i * inner + j) * line, to);
        }
}
