#include "picture_sizes.h"

#include <inttypes.h>
#include <stdlib.h>

#define HALF     13 /* bits: pictures have at most 2^26 pixels */
#define COUNTERS ((1u << HALF) + 1)

static uint64_t area(const picture_look *l) {
    return (uint64_t)l->height * l->width;
}

static bool same_size(const picture_look *a, const picture_look *b) {
    return a->height == b->height && a->width == b->width;
}

static void add(picture_sizes *s, const picture_look *l) {
    if (s->count++ == 0)
        s->first = s->least = s->most = *l;
    s->colour += l->stored == 3;
    s->grey += l->stored == 1;
    s->differ = s->differ || !same_size(l, &s->first);
    if (area(l) < area(&s->least))
        s->least = *l;
    if (area(l) > area(&s->most))
        s->most = *l;
}

/* The number of the counter in which the rest of a rank falls; *rank is then what is left of it. */
static uint64_t bin_of(const uint64_t *counters, uint64_t *rank) {
    uint64_t bin = 0;
    while (bin < COUNTERS - 1 && *rank >= counters[bin])
        *rank -= counters[bin++];
    return bin;
}

/* Finds the median by the upper and then by the lower half of the bits of the area, so that memory
 * holds counters alone. */
static bool find_median(FILE *looks, picture_sizes *s, uint64_t *counters) {
    uint64_t rank = (s->count - 1) / 2, high, low;
    picture_look l;
    rewind(looks);
    while (fread(&l, sizeof l, 1, looks) == 1)
        counters[area(&l) >> HALF] += l.stored != 0;
    high = bin_of(counters, &rank);
    for (unsigned i = 0; i < COUNTERS; i++)
        counters[i] = 0;
    rewind(looks);
    while (fread(&l, sizeof l, 1, looks) == 1)
        if (l.stored && area(&l) >> HALF == high)
            counters[area(&l) & ((1u << HALF) - 1)]++;
    low = bin_of(counters, &rank);
    rewind(looks);
    while (fread(&l, sizeof l, 1, looks) == 1)
        if (l.stored && area(&l) == (high << HALF | low)) {
            s->median = l;
            break;
        }
    return !ferror(looks);
}

bool picture_sizes_find(FILE *looks, picture_sizes *out) {
    picture_look l;
    *out = (picture_sizes){.count = 0};
    if (fflush(looks) != 0)
        return false;
    rewind(looks);
    while (fread(&l, sizeof l, 1, looks) == 1)
        if (l.stored)
            add(out, &l);
    if (ferror(looks) || out->count == 0)
        return !ferror(looks);
    uint64_t *counters = calloc(COUNTERS, sizeof *counters);
    bool good = counters && find_median(looks, out, counters);
    free(counters);
    return good;
}

void picture_sizes_text(const picture_sizes *s, bool images, char out[PICTURE_SIZES_TEXT]) {
    const picture_look *a = &s->least, *b = &s->most, *m = &s->median;
    int used = images ? snprintf(out, PICTURE_SIZES_TEXT,
                                 "pictures from %u x %u to %u x %u pixels, median %u x %u",
                                 a->width, a->height, b->width, b->height, m->width, m->height)
                      : snprintf(out, PICTURE_SIZES_TEXT, "images of %u x %u pixels",
                                 s->first.width, s->first.height);
    snprintf(out + used, PICTURE_SIZES_TEXT - (size_t)used,
             ": %" PRIu64 " colour, %" PRIu64 " grey", s->colour, s->grey);
}
