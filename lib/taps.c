#include "taps.h"

fmix_span fmix_span_of(const fmix_view_side *side) {
    int64_t begin = side->begin > 0 ? side->begin : 0, end = side->begin + (int64_t)side->size;
    if (end > (int64_t)side->resized)
        end = (int64_t)side->resized;
    if (begin >= end)
        return (fmix_span){.before = side->size};
    return (fmix_span){.begin = (uint64_t)begin,
                       .count = (uint32_t)(end - begin),
                       .before = (uint32_t)(begin - side->begin)};
}

/* Pixels of the line for one resized pixel, and how far the filter reaches. */
typedef struct scaling {
    double scale, stretch, reach;
} scaling;

static scaling scaling_of(const fmix_view_side *side, fmix_filter filter) {
    double scale = (double)side->length / (double)side->resized;
    double stretch = scale > 1 ? scale : 1;
    return (scaling){scale, stretch, (filter == FMIX_FILTER_BICUBIC ? 2 : 1) * stretch};
}

uint32_t fmix_taps_most(const fmix_view_side *side, fmix_filter filter) {
    return 2 * (uint32_t)scaling_of(side, filter).reach + 3;
}

static double bilinear(double z) {
    return z < 1 ? 1 - z : 0;
}

/* Keys' cubic of parameter -1/2. */
static double bicubic(double z) {
    if (z < 1)
        return ((1.5 * z - 2.5) * z) * z + 1;
    return z < 2 ? (((z - 5) * z + 8) * z - 4) * -0.5 : 0;
}

static double weigh(fmix_filter filter, double z) {
    z = z < 0 ? -z : z;
    return filter == FMIX_FILTER_BICUBIC ? bicubic(z) : bilinear(z);
}

static int32_t to_integer(double weight) {
    double scaled = weight * (1 << FMIX_TAPS_BITS);
    return (int32_t)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* The pixels within reach of resized pixel `at`: low … high-1. */
static void reach_of(const scaling *s, uint32_t length, double centre, int64_t *low,
                     int64_t *high) {
    *low = (int64_t)((centre - s->reach) + 0.5);
    *high = (int64_t)((centre + s->reach) + 0.5);
    *low = *low < 0 ? 0 : *low;
    *high = *high > length ? length : *high;
}

static double centre_of(const scaling *s, uint64_t at) {
    return ((double)at + 0.5) * s->scale;
}

uint64_t fmix_nearest(const fmix_view_side *side, uint64_t at) {
    return (2 * at + 1) * side->length / (2 * side->resized);
}

/* What is within reach moves on with the resized pixel, also as it is rounded. */
void fmix_taps_range(const fmix_view_side *side, fmix_filter filter, uint32_t *low,
                     uint32_t *high) {
    fmix_span span = fmix_span_of(side);
    uint64_t last = span.begin + span.count - 1;
    int64_t from = 0, to = 0, other;
    if (span.count > 0 && (filter == FMIX_FILTER_NEAREST || side->length == side->resized)) {
        from = (int64_t)fmix_nearest(side, span.begin);
        to = (int64_t)fmix_nearest(side, last) + 1;
    } else if (span.count > 0) {
        const scaling s = scaling_of(side, filter);
        reach_of(&s, side->length, centre_of(&s, span.begin), &from, &other);
        reach_of(&s, side->length, centre_of(&s, last), &other, &to);
    }
    *low = (uint32_t)from;
    *high = (uint32_t)to;
}

/* The filter is computed twice, once for the sum and once for each quotient, so that no array of
 * doubles is needed. */
static void fill_pixel(const scaling *s, uint32_t length, fmix_filter filter, uint64_t at,
                       uint32_t *first, uint32_t *number, int32_t *weights) {
    double centre = centre_of(s, at), shrink = 1 / s->stretch, sum = 0;
    int64_t low, high;
    reach_of(s, length, centre, &low, &high);
    for (int64_t x = low; x < high; x++)
        sum += weigh(filter, (((double)x - centre) + 0.5) * shrink);
    for (int64_t x = low; x < high; x++)
        *weights++ = to_integer(weigh(filter, (((double)x - centre) + 0.5) * shrink) / sum);
    *first = (uint32_t)low;
    *number = (uint32_t)(high - low);
}

void fmix_taps_fill(const fmix_view_side *side, fmix_filter filter, bool reversed,
                    fmix_taps *taps) {
    const scaling s = scaling_of(side, filter);
    fmix_span span = fmix_span_of(side);
    taps->count = span.count;
    taps->most = fmix_taps_most(side, filter);
    fmix_taps_range(side, filter, &taps->low, &taps->high);
    for (uint32_t i = 0; i < span.count; i++) {
        uint32_t at = reversed ? span.count - 1 - i : i;
        fill_pixel(&s, side->length, filter, span.begin + i, &taps->first[at], &taps->number[at],
                   taps->weights + (size_t)at * taps->most);
    }
}
