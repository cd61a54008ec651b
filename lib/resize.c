#include "memory.h"
#include "scratch.h"
#include "taps.h"

#include <string.h>

#define MOST_RESIZED  (UINT64_C(1) << 41) /* 2^20 * 2^20, of a picture one pixel wide */
#define MOST_CHANNELS 4
#define ZERO          UINT32_MAX /* in place of the number of a column */

/* A resizing as it is made: the parts of the view that exist, and where everything lies in the
 * scratch. A side that keeps its length has no taps. */
typedef struct resizing {
    const fmix_view *view;
    const fmix_kernels *kernels;
    size_t step; /* bytes of a pixel */
    fmix_span rows, columns;
    bool resizes_rows, resizes_columns;
    fmix_part reads; /* within the view's window */
    fmix_taps down, across;
    fmix_resize_work work;
    unsigned char *lines; /* between the passes */
    size_t pitch;
    uint32_t *sources; /* NEAREST: the column of each pixel of a row of the view, or ZERO */
    uint64_t bytes;    /* of the scratch */
} resizing;

static bool side_is_valid(const fmix_view_side *s) {
    return s->length >= 1 && s->length <= FMIX_MAX_PICTURE_SIDE &&
           s->first <= FMIX_MAX_PICTURE_SIDE && s->resized >= 1 && s->resized <= MOST_RESIZED &&
           s->size >= 1 && s->size <= FMIX_MAX_ELEMENTS && s->begin <= (int64_t)MOST_RESIZED &&
           s->begin >= -(int64_t)MOST_RESIZED;
}

static bool view_is_valid(const fmix_view *view) {
    return side_is_valid(&view->rows) && side_is_valid(&view->columns) &&
           (uint64_t)view->rows.size * view->columns.size <= FMIX_MAX_ELEMENTS;
}

static uint64_t whole_lines(uint64_t n) {
    return (n + FMIX_RESIZE_LINES - 1) / FMIX_RESIZE_LINES * FMIX_RESIZE_LINES;
}

/* The next array of the scratch: its address, or NULL while memory is only counted. */
static void *place(resizing *r, void *memory, uint64_t bytes) {
    void *at = memory ? (unsigned char *)memory + r->bytes : NULL;
    r->bytes += (bytes + 63) / 64 * 64;
    return at;
}

static void place_taps(resizing *r, void *memory, fmix_filter filter, const fmix_view_side *side,
                       fmix_taps *taps) {
    const uint64_t count = fmix_span_of(side).count;
    taps->first = place(r, memory, count * sizeof *taps->first);
    taps->number = place(r, memory, count * sizeof *taps->number);
    taps->weights = place(r, memory, count * fmix_taps_most(side, filter) * sizeof *taps->weights);
}

/* Counts the memory of a resizing by a filter other than NEAREST, or shares `memory` out. */
static void lay_out(resizing *r, const fmix_view *view, fmix_filter filter, size_t channels,
                    void *memory) {
    *r = (resizing){.view = view, .step = channels};
    r->rows = fmix_span_of(&view->rows);
    r->columns = fmix_span_of(&view->columns);
    r->resizes_rows = view->rows.resized != view->rows.length;
    r->resizes_columns = view->columns.resized != view->columns.length;
    fmix_view_reads(view, filter, &r->reads);
    if (r->resizes_rows)
        place_taps(r, memory, filter, &view->rows, &r->down);
    if (!r->resizes_columns)
        return;
    const uint64_t pitch = whole_lines((uint64_t)r->columns.count * channels);
    const uint64_t bytes = whole_lines((uint64_t)r->reads.width * channels);
    r->pitch = (size_t)pitch;
    place_taps(r, memory, filter, &view->columns, &r->across);
    r->work.columns = place(r, memory, bytes * FMIX_RESIZE_LINES);
    r->work.resized = place(r, memory, pitch * FMIX_RESIZE_LINES);
    r->lines = place(r, memory, pitch * whole_lines(r->reads.height));
}

static void lay_out_nearest(resizing *r, const fmix_view *view, size_t step, void *memory) {
    *r = (resizing){.view = view, .step = step};
    r->rows = fmix_span_of(&view->rows);
    r->columns = fmix_span_of(&view->columns);
    fmix_view_reads(view, FMIX_FILTER_NEAREST, &r->reads);
    r->sources = place(r, memory, (uint64_t)view->columns.size * sizeof *r->sources);
}

/* True for views that are copied pixel by pixel, whatever the filter. */
static bool only_moves(const fmix_view *view, fmix_filter filter) {
    return filter == FMIX_FILTER_NEAREST || (view->rows.resized == view->rows.length &&
                                             view->columns.resized == view->columns.length);
}

uint64_t fmix_resize_memory(const fmix_view *view, fmix_filter filter, unsigned channels) {
    resizing r;
    if (only_moves(view, filter))
        lay_out_nearest(&r, view, channels, NULL);
    else
        lay_out(&r, view, filter, channels, NULL);
    return r.bytes;
}

void fmix_view_reads(const fmix_view *view, fmix_filter filter, fmix_part *out) {
    uint32_t top, bottom, left, right;
    fmix_taps_range(&view->rows, filter, &top, &bottom);
    fmix_taps_range(&view->columns, filter, &left, &right);
    bool is_empty = top == bottom || left == right;
    *out = (fmix_part){view->rows.first + top, view->columns.first + left,
                       is_empty ? 0 : bottom - top, is_empty ? 0 : right - left};
}

static bool has(const fmix_part *part, const fmix_part *reads) {
    uint64_t bottom = (uint64_t)reads->top + reads->height;
    uint64_t right = (uint64_t)reads->left + reads->width;
    return reads->height == 0 ||
           (reads->top >= part->top && bottom <= (uint64_t)part->top + part->height &&
            reads->left >= part->left && right <= (uint64_t)part->left + part->width);
}

/* The first pixel that is read. */
static const unsigned char *first_pixel(const resizing *r, const fmix_picture *picture) {
    return (const unsigned char *)picture->pixels +
           (r->reads.top - picture->part.top) * picture->stride +
           (r->reads.left - picture->part.left) * r->step;
}

/* Copies pixels of `step` bytes, which is constant wherever the call is for speed. */
static inline void copy_pixels(const uint32_t *sources, uint32_t n, size_t step,
                               const unsigned char *from, unsigned char *to) {
    for (uint32_t i = 0; i < n; i++, to += step)
        if (sources[i] == ZERO)
            memset(to, 0, step);
        else
            memcpy(to, from + sources[i] * step, step);
}

static void copy_row(const resizing *r, const unsigned char *from, unsigned char *to) {
    const uint32_t n = r->view->columns.size;
    switch (r->step) {
    case 1:
        copy_pixels(r->sources, n, 1, from, to);
        break;
    case 2:
        copy_pixels(r->sources, n, 2, from, to);
        break;
    case 3:
        copy_pixels(r->sources, n, 3, from, to);
        break;
    case 4:
        copy_pixels(r->sources, n, 4, from, to);
        break;
    default:
        copy_pixels(r->sources, n, r->step, from, to);
        break;
    }
}

/* The number of the row that is read for row `at` of the view, from the first one on; false: zeros
 * stand there. */
static bool row_of(const resizing *r, uint32_t at, uint64_t *out) {
    const fmix_view_side *side = &r->view->rows;
    if (at < r->rows.before || at - r->rows.before >= r->rows.count || r->columns.count == 0)
        return false;
    *out = fmix_nearest(side, r->rows.begin + (at - r->rows.before)) - (r->reads.top - side->first);
    return true;
}

static void find_columns(resizing *r) {
    const fmix_view_side *side = &r->view->columns;
    for (uint32_t i = 0; i < side->size; i++)
        r->sources[i] = ZERO;
    for (uint32_t i = 0; i < r->columns.count; i++) {
        uint32_t at = r->columns.before + i;
        r->sources[r->view->flip ? side->size - 1 - at : at] =
            (uint32_t)fmix_nearest(side, r->columns.begin + i) - (r->reads.left - side->first);
    }
}

fmix_status fmix_view_take(fmix_scratch *scratch, const fmix_view *view, size_t step,
                           const fmix_picture *picture, void *out) {
    resizing r;
    size_t line;
    if (!view_is_valid(view) || step == 0 || !fmix_multiply(view->columns.size, step, &line))
        return FMIX_ERROR_RANGE;
    lay_out_nearest(&r, view, step, NULL);
    if (!has(&picture->part, &r.reads))
        return FMIX_ERROR_RANGE;
    fmix_status status = fmix_scratch_reserve_resizing(scratch, r.bytes);
    if (status != FMIX_OK)
        return status;
    lay_out_nearest(&r, view, step, scratch->resizing);
    find_columns(&r);
    unsigned char *to = out;
    for (uint32_t i = 0; i < view->rows.size; i++, to += line) {
        uint64_t row;
        if (row_of(&r, i, &row))
            copy_row(&r, first_pixel(&r, picture) + row * picture->stride, to);
        else
            memset(to, 0, line);
    }
    return FMIX_OK;
}

static void swap_pixels(unsigned char *a, unsigned char *b, size_t step) {
    for (size_t i = 0; i < step; i++) {
        unsigned char kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

static void mirror(unsigned char *line, size_t pixels, size_t step) {
    for (size_t i = 0; i < pixels / 2; i++)
        swap_pixels(line + i * step, line + (pixels - 1 - i) * step, step);
}

/* Rows of the view that exist, from lines that are as wide as the view's part that exists. */
static void write_rows(const resizing *r, const unsigned char *lines, size_t pitch, void *out) {
    const fmix_view *view = r->view;
    const size_t line = view->columns.size * r->step, bytes = r->columns.count * r->step;
    const uint32_t behind = view->columns.size - r->columns.before - r->columns.count;
    const size_t before = (view->flip ? behind : r->columns.before) * r->step;
    unsigned char *to = (unsigned char *)out + r->rows.before * line;
    for (uint32_t i = 0; i < r->rows.count; i++, to += line) {
        memset(to, 0, before);
        if (r->resizes_rows)
            r->kernels->resize_across(&r->down, i, lines, pitch, bytes, to + before);
        else
            memcpy(to + before, lines + i * pitch, bytes);
        if (view->flip && !r->resizes_columns)
            mirror(to + before, r->columns.count, r->step);
        memset(to + before + bytes, 0, line - before - bytes);
    }
}

static void resize(resizing *r, fmix_filter filter, const fmix_picture *picture, void *out) {
    const fmix_view *view = r->view;
    const size_t line = view->columns.size * r->step;
    const uint32_t behind = view->rows.size - r->rows.before - r->rows.count;
    unsigned char *end = (unsigned char *)out + (view->rows.size - behind) * line;
    memset(out, 0, r->rows.before * line);
    memset(end, 0, behind * line);
    const unsigned char *from = first_pixel(r, picture);
    if (r->resizes_rows)
        fmix_taps_fill(&view->rows, filter, false, &r->down);
    if (!r->resizes_columns) {
        write_rows(r, from, picture->stride, out);
        return;
    }
    fmix_taps_fill(&view->columns, filter, view->flip, &r->across);
    r->kernels->resize_along(&r->across, (unsigned)r->step, from, picture->stride, r->reads.height,
                             &r->work, r->lines, r->pitch);
    write_rows(r, r->lines, r->pitch, out);
}

fmix_status fmix_resize(fmix_scratch *scratch, const fmix_view *view, fmix_filter filter,
                        unsigned channels, const fmix_picture *picture, void *out) {
    resizing r;
    if (channels < 1 || channels > MOST_CHANNELS || !view_is_valid(view) ||
        (filter != FMIX_FILTER_BILINEAR && filter != FMIX_FILTER_BICUBIC &&
         filter != FMIX_FILTER_NEAREST))
        return FMIX_ERROR_RANGE;
    if (only_moves(view, filter))
        return fmix_view_take(scratch, view, channels, picture, out);
    lay_out(&r, view, filter, channels, NULL);
    if (!has(&picture->part, &r.reads))
        return FMIX_ERROR_RANGE;
    if (r.reads.height == 0) {
        memset(out, 0, (size_t)view->rows.size * view->columns.size * channels);
        return FMIX_OK;
    }
    fmix_status status = fmix_scratch_reserve_resizing(scratch, r.bytes);
    if (status == FMIX_OK) {
        lay_out(&r, view, filter, channels, scratch->resizing);
        r.kernels = scratch->kernels;
        resize(&r, filter, picture, out);
    }
    return status;
}
