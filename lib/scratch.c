#include "scratch.h"
#include "exact.h"
#include "memory.h"

#include <stdlib.h>

#define KEEP_BYTES (4u << 20) /* a trimmed scratch keeps arrays up to this size */

fmix_status fmix_scratch_new(fmix_scratch **out) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return FMIX_ERROR_MEMORY;
    (*out)->kernels = fmix_kernels_best();
    return FMIX_OK;
}

void fmix_scratch_watch(fmix_scratch *scratch, bool (*cancelled)(void *user), void *user) {
    scratch->cancellation = (fmix_cancellation){cancelled, user};
}

static void release(fmix_scratch *scratch, size_t keep) {
    if (scratch->x_room * sizeof(double) > keep) {
        fmix_aligned_free(scratch->x);
        scratch->x = NULL;
        scratch->x_room = 0;
    }
    if (scratch->g_room * sizeof(double) > keep) {
        fmix_aligned_free(scratch->g);
        fmix_aligned_free(scratch->work);
        scratch->g = scratch->work = NULL;
        scratch->g_room = 0;
    }
    if (scratch->mask_room > keep) {
        free(scratch->mask);
        scratch->mask = NULL;
        scratch->mask_room = 0;
    }
    if (scratch->resizing_room > keep) {
        fmix_aligned_free(scratch->resizing);
        scratch->resizing = NULL;
        scratch->resizing_room = 0;
    }
}

void fmix_scratch_free(fmix_scratch *scratch) {
    if (!scratch)
        return;
    release(scratch, 0);
    free(scratch);
    fmix_exact_thread_end();
}

void fmix_scratch_trim(fmix_scratch *scratch) {
    release(scratch, KEEP_BYTES);
}

fmix_status fmix_scratch_reserve(fmix_scratch *scratch, uint64_t bins, uint64_t elements) {
    const size_t x_room = 2 * ((size_t)bins + FMIX_KERNELS_PAD);
    const size_t g_room = (size_t)elements + FMIX_KERNELS_PAD;
    if (scratch->x_room < x_room) {
        fmix_aligned_free(scratch->x);
        scratch->x = fmix_aligned_new(x_room);
        scratch->x_room = scratch->x ? x_room : 0;
    }
    if (scratch->g_room < g_room) {
        fmix_aligned_free(scratch->g);
        fmix_aligned_free(scratch->work);
        scratch->g = fmix_aligned_new(g_room);
        scratch->work = fmix_aligned_new(g_room);
        scratch->g_room = g_room;
        if (!scratch->g || !scratch->work) {
            fmix_aligned_free(scratch->g);
            fmix_aligned_free(scratch->work);
            scratch->g = scratch->work = NULL;
            scratch->g_room = 0;
        }
    }
    return scratch->x && scratch->g ? FMIX_OK : FMIX_ERROR_MEMORY;
}

fmix_status fmix_scratch_reserve_mask(fmix_scratch *scratch, uint64_t elements) {
    if (scratch->mask_room < elements) {
        free(scratch->mask);
        scratch->mask = malloc((size_t)elements);
        scratch->mask_room = scratch->mask ? (size_t)elements : 0;
    }
    return scratch->mask ? FMIX_OK : FMIX_ERROR_MEMORY;
}

fmix_status fmix_scratch_reserve_resizing(fmix_scratch *scratch, uint64_t bytes) {
    if (scratch->resizing_room >= bytes)
        return FMIX_OK;
    fmix_aligned_free(scratch->resizing);
    scratch->resizing_room = 0;
    const uint64_t doubles = bytes / sizeof(double) + 1;
    scratch->resizing = doubles <= SIZE_MAX ? fmix_aligned_new((size_t)doubles) : NULL;
    if (!scratch->resizing)
        return FMIX_ERROR_MEMORY;
    scratch->resizing_room = (size_t)bytes;
    return FMIX_OK;
}
