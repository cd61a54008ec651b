#include "batch_geometry.h"

bool batch_geometry_find(const query *q, const array *u, batch_geometry *g, problem *p) {
    bool given = q->given[QUERY_LAYOUT];
    if (u->rank < 2) {
        problem_add(p, 400, "x",
                    "x has %u dimensions; it needs rows and at least one more dimension", u->rank);
        return false;
    }
    if (!given && u->rank >= 3) {
        problem_add(
            p, 400, "layout",
            "x has %u dimensions, so layout is required: channels_first, channels_last or none",
            u->rank);
        return false;
    }
    unsigned layout = given ? q->layout : LAYOUT_NONE;
    unsigned channels = layout != LAYOUT_NONE;
    g->rank = u->rank - 1 - channels;
    if (g->rank < 1 || g->rank > 3) {
        problem_add(p, 400, "layout",
                    "with this layout x has %u spatial dimensions; it must have one, two or three",
                    g->rank);
        return false;
    }
    bool last = layout == LAYOUT_CHANNELS_LAST;
    g->sides = u->shape + 1 + (channels && !last);
    g->has_channels = channels != 0;
    g->channels = !channels ? 1 : u->shape[last ? u->rank - 1 : 1];
    /* Without a side of channels both layouts are the same; the first is cheaper. */
    g->layout = last ? FMIX_CHANNELS_LAST : FMIX_CHANNELS_FIRST;
    return true;
}
