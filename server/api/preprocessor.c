#include "preprocessor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the layout ---- */

/* Sets the sides of a row of an array in a layout, after the first side of `out`. */
static void lay_sides(const dataset_array *from, unsigned layout, array *out) {
    const uint64_t *sides;
    unsigned count = dataset_array_spatial(from, &sides);
    out->rank = 1;
    if (layout == LAYOUT_CHANNELS_FIRST)
        out->shape[out->rank++] = dataset_array_channels(from);
    for (unsigned d = 0; d < count; d++)
        out->shape[out->rank++] = sides[d];
    if (layout == LAYOUT_CHANNELS_LAST)
        out->shape[out->rank++] = dataset_array_channels(from);
}

bool preprocessor_shape(query *q, const dataset *set, const dataset_array *from, array *x,
                        problem *p) {
    uint64_t channels = dataset_array_channels(from);
    if (!q->given[QUERY_LAYOUT])
        q->layout = from->layout;
    q->given[QUERY_LAYOUT] = true;
    if (q->layout == LAYOUT_NONE && channels > 1) {
        problem_add(p, 400, "layout",
                    "layout is 'none', and rows of %s have %" PRIu64
                    " channels: ask for channels_first or channels_last",
                    set->name, channels);
        return false;
    }
    lay_sides(from, q->layout, x);
    return true;
}

bool preprocessor_dense_shape(const query *q, const dataset *set, const dataset_array *from,
                              array *out, problem *p) {
    unsigned layout = q->layout;
    uint64_t channels = dataset_array_channels(from);
    if (from->layout == LAYOUT_NONE || (layout == LAYOUT_NONE && set->x.layout == LAYOUT_NONE))
        layout = from->layout;
    snprintf(out->name, sizeof out->name, "%s", from->name);
    lay_sides(from, layout, out);
    if (layout != LAYOUT_NONE || channels == 1)
        return true;
    problem_add(p, 400, "layout",
                "layout is 'none', and rows of %s of the data set %s have %" PRIu64
                " channels: ask for channels_first or channels_last",
                from->name, set->name, channels);
    return false;
}

void preprocessor_note(const query *q, const dataset *set, buffer *recipe) {
    if (q->given[QUERY_LAYOUT] && q->layout != set->x.layout)
        buffer_print(recipe, " stored=%s", query_table[QUERY_LAYOUT].choices[set->x.layout]);
}

/* ---- mean and std, the window ---- */

/* Returns true if rows are padded after u8 has become v/255, which the mixer makes of it where rows
 * have one length. */
static bool scales_first(const preprocessor *r, const query *q) {
    return dataset_array_is_ragged(r->array) && r->array->type == DTYPE_U8 &&
           q->given[QUERY_OUT_DTYPE] && dtype_floats((dtype)q->out_dtype);
}

/* mean and std: either may be missing, and each has one number, or one for each channel. */
static bool find_normal(preprocessor *r, const query *q, fmix_layout layout, dtype *type,
                        problem *p) {
    unsigned count = 1;
    const query_reals *given[] = {&q->mean, &q->std};
    const char *const names[] = {"mean", "std"};
    r->normalises = q->mean.count || q->std.count || scales_first(r, q);
    if (!r->normalises)
        return true;
    *type = q->given[QUERY_OUT_DTYPE] ? (dtype)q->out_dtype : DTYPE_F32;
    if (!dtype_floats(*type)) {
        problem_add(p, 400, "out_dtype", "out_dtype is '%s'; with mean or std it must be a float",
                    dtype_table[*type].name);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (given[i]->count > 1 && given[i]->count != r->channels) {
            problem_add(p, 400, names[i],
                        "%s has %u numbers; it must have one, or one for each of "
                        "%" PRIu64 " channels",
                        names[i], given[i]->count, r->channels);
            return false;
        }
        count = given[i]->count > count ? given[i]->count : count;
    }
    for (unsigned c = 0; c < count; c++) {
        r->mean[c] = !q->mean.count ? 0 : q->mean.item[q->mean.count == 1 ? 0 : c];
        r->std[c] = !q->std.count ? 1 : q->std.item[q->std.count == 1 ? 0 : c];
    }
    r->normal = (fmix_normal){.dtype = dtype_table[r->array->type].library,
                              .out_dtype = dtype_table[*type].library,
                              .layout = layout,
                              .count = count,
                              .mean = r->mean,
                              .std = r->std};
    return true;
}

static bool check_window(const query *q, const fmix_shape *shape, problem *p) {
    for (unsigned d = 0; d < shape->rank && q->crop && q->pad == FMIX_PAD_REFLECT; d++)
        if (q->crop >= shape->side[d]) {
            problem_add(p, 400, "crop",
                        "crop is %" PRIu64
                        "; with pad=reflect it must be less than each spatial dimension, here %u",
                        q->crop, shape->side[d]);
            return false;
        }
    return true;
}

/* Everything but mean and std. */
static preprocessor begin(const query *q, const dataset_array *from, fmix_layout layout,
                          const fmix_shape *mask) {
    bool last = from->layout == LAYOUT_CHANNELS_LAST;
    uint64_t channels = dataset_array_channels(from);
    return (preprocessor){.array = from,
                          .seed = q->seed,
                          .channels = channels,
                          .elements = fmix_shape_elements(mask),
                          .last = last,
                          .moves = q->crop || q->flip,
                          .transposes = channels > 1 && last != (layout == FMIX_CHANNELS_LAST),
                          .window = {.shape = *mask,
                                     .crop = (uint32_t)q->crop,
                                     .pad = (fmix_pad)q->pad,
                                     .flips = q->flip != 0},
                          .stored_bytes = from->row_bytes,
                          .row_bytes = from->row_bytes};
}

bool preprocessor_begin(preprocessor *r, const query *q, const dataset_array *from,
                        const batch_geometry *g, const fmix_shape *mask, dtype *type, problem *p) {
    *r = begin(q, from, g->layout, mask);
    *type = from->type;
    if (!find_normal(r, q, g->layout, type, p) || !check_window(q, mask, p))
        return false;
    r->row_bytes = r->elements * r->channels * dtype_table[*type].size;
    return true;
}

void preprocessor_begin_dense(preprocessor *r, const query *q, const dataset_array *from,
                              fmix_layout layout, const fmix_shape *mask) {
    *r = begin(q, from, layout, mask);
}

void preprocessor_keep(preprocessor *r) {
    r->moves = r->window.flips = false;
}

bool preprocessor_pad(preprocessor *r, const query *q, uint64_t longest, dtype type, problem *p) {
    r->longest = longest;
    r->stored_bytes *= longest;
    return sequence_padding_begin(&r->padding, q, type, p);
}

/* ---- rows ---- */

static size_t stored_size(const preprocessor *r) {
    return dtype_table[r->array->type].size;
}

bool preprocessor_is_identity(const preprocessor *r) {
    return !r->longest && !r->moves && !r->transposes && !r->normalises &&
           (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || stored_size(r) == 1);
}

uint64_t preprocessor_room(const preprocessor *r) {
    return 2 * r->stored_bytes;
}

/* Takes the window of a row: of all channels at once where channels are last, else plane by plane.
 */
static fmix_status move_row(const preprocessor *r, const preprocessor_row *row, void *out) {
    const unsigned char *from = row->stored;
    fmix_window w = r->window;
    size_t size = stored_size(r), step = size, plane = (size_t)r->elements * size;
    fmix_status status = (row->neighbour ? fmix_light_draw_neighbour : fmix_light_draw)(
        r->seed, row->t, w.shape.rank, w.crop, &w.light);
    uint64_t planes = r->last ? 1 : r->channels;
    if (r->last)
        step *= (size_t)r->channels;
    for (uint64_t c = 0; c < planes && status == FMIX_OK; c++)
        fmix_window_take(&w, step, from + c * plane, (unsigned char *)out + c * plane);
    return status;
}

static fmix_status transpose_row(const preprocessor *r, const unsigned char *from, void *out) {
    return fmix_transpose(stored_size(r), r->last ? r->elements : r->channels,
                          r->last ? r->channels : r->elements, from, out);
}

/* Each step reads the output of the step before, and the last step writes `out`. A row that no step
 * changes is copied. */
static fmix_status run(const preprocessor *r, const preprocessor_row *row, unsigned char *room,
                       void *out) {
    const unsigned char *from = row->stored;
    unsigned char *other = room + r->stored_bytes;
    bool copies = r->moves || !r->transposes;
    fmix_status status = FMIX_OK;
    if (copies) {
        unsigned char *to = r->transposes || r->normalises ? room : out;
        status = move_row(r, row, to);
        from = to;
    }
    if (status == FMIX_OK && r->transposes) {
        unsigned char *to = r->normalises ? other : out;
        status = transpose_row(r, from, to);
        from = to;
    }
    dtype_swap(r->array->type, (void *)(uintptr_t)from, (size_t)r->stored_bytes);
    if (status == FMIX_OK && r->normalises)
        status = fmix_normalise(&r->normal, r->elements, r->channels, from, out);
    return status;
}

/* Planes of a preprocessed row that are padded each at its end. */
static uint64_t planes_of(const preprocessor *r) {
    bool last = r->last != r->transposes;
    return last ? 1 : r->channels;
}

static fmix_status run_padded(const preprocessor *r, const preprocessor_row *row,
                              unsigned char *room, void *out) {
    preprocessor own = *r; /* for rows of this length alone */
    uint64_t planes = planes_of(r), plane = r->row_bytes / planes;
    own.elements = r->elements / r->longest * row->length;
    own.stored_bytes = r->stored_bytes / r->longest * row->length;
    own.window.shape.side[0] = (uint32_t)row->length;
    fmix_status status = run(&own, row, room, out);
    if (status == FMIX_OK)
        sequence_padding_append(&r->padding, planes, plane / r->longest * row->length, plane, out);
    return status;
}

fmix_status preprocessor_run(const preprocessor *r, const preprocessor_row *row,
                             unsigned char *room, void *out) {
    return (r->longest ? run_padded : run)(r, row, room, out);
}
