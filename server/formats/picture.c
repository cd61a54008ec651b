#include "picture.h"
#include "image.h"
#include "params/recipe.h"
#include "params/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL 120 /* bytes of a picture's name in a refusal */

typedef struct reader {
    const picture_list *list;
    const upload_body *body;
    upload *out;
    problem *p;
    query query; /* whose index is that of the first row */
    fmix_view_recipe recipe;
    unsigned channels;
    uint64_t view_bytes;
    fmix_scratch *scratch;
    uint64_t resizing; /* bytes of the scratch that the budget has paid for */
} reader;

static uint64_t count_of(const picture_list *list) {
    return list->rows * (list->partners ? 2 : 1);
}

/* ---- refusals ---- */

/* "the picture", or "picture 3 of x (dog.png)" */
static void name_picture(const picture_list *list, uint64_t i, char out[LABEL]) {
    const field_text *file = &list->files[i].name;
    int length = file->length < 60 ? (int)file->length : 60;
    if (count_of(list) == 1 && length == 0)
        snprintf(out, LABEL, "the picture");
    else
        snprintf(out, LABEL, "picture %" PRIu64 " of %s%s%.*s%s", i % list->rows + 1,
                 i < list->rows ? "x" : "x2", length ? " (" : "", length, length ? file->at : "",
                 length ? ")" : "");
}

static bool refuse(reader *r, uint64_t i, int status, const char *why) {
    char label[LABEL];
    name_picture(r->list, i, label);
    problem_add(r->p, status, i < r->list->rows ? "x" : "x2", "%s cannot be read: %s", label, why);
    return false;
}

static bool fail(reader *r, const char *why) {
    problem_add(r->p, 500, NULL, "%s", why);
    return false;
}

/* By what its decoder said. */
static bool refuse_image(reader *r, uint64_t i, const image *of) {
    return of->starved ? fail(r, "out of memory")
                       : refuse(r, i, image_is_large(of) ? 413 : 400, of->message);
}

/* ---- before a pixel is decoded ---- */

static bool look_at_all(reader *r) {
    uint64_t pixels = 0;
    r->channels = 1;
    for (uint64_t i = 0; i < count_of(r->list); i++) {
        image looked;
        const picture_file *file = &r->list->files[i];
        if (!image_header(file->bytes, file->length, &looked))
            return refuse_image(r, i, &looked);
        pixels += (uint64_t)looked.width * looked.height;
        if (looked.stored > r->channels)
            r->channels = looked.stored;
    }
    if (pixels <= PICTURE_PIXELS)
        return true;
    problem_add(r->p, 413, "x",
                "the pictures have %" PRIu64 " pixels; the limit of an upload is %u; send fewer "
                "rows, or smaller pictures",
                pixels, PICTURE_PIXELS);
    return false;
}

/* Grey pictures are rows without channels, as in data sets. */
static bool find_layout(reader *r) {
    const query *q = r->body->query;
    r->out->views = true;
    r->out->layout = r->channels == 1 ? LAYOUT_NONE : LAYOUT_CHANNELS_LAST;
    if (!q->given[QUERY_LAYOUT] || q->layout != LAYOUT_NONE || r->channels == 1)
        return true;
    problem_add(r->p, 400, "layout",
                "layout is 'none', but the pictures have %u channels; ask for channels_last, "
                "channels_first, or leave layout out",
                r->channels);
    return false;
}

static unsigned layout_of(const reader *r) {
    const query *q = r->body->query;
    return q->given[QUERY_LAYOUT] ? q->layout : r->out->layout;
}

/* Room for all views, because arrays are views of that room. */
static bool reserve(reader *r) {
    buffer *room = &r->out->inflated;
    uint64_t rows = count_of(r->list);
    r->view_bytes = (uint64_t)r->recipe.height * r->recipe.width * r->channels;
    if (room->cap < r->list->beside || rows > (room->cap - r->list->beside) / r->view_bytes) {
        problem_add(r->p, 413, "size",
                    "%" PRIu64 " views of %ux%u pixels take more than the limit of %zu bytes", rows,
                    r->recipe.height, r->recipe.width, room->cap);
        return false;
    }
    uint64_t bytes = rows * r->view_bytes;
    if (!buffer_expect(room, (size_t)(bytes + r->list->beside)) &&
        !buffer_reserve(room, (size_t)(bytes + r->list->beside)))
        return fail(r, "out of memory");
    room->length = (size_t)bytes;
    return true;
}

static bool prepare(reader *r) {
    r->query = *r->body->query;
    if (!view_check(&r->query, "uploaded pictures", r->body->elements, r->p) || !look_at_all(r) ||
        !find_layout(r) || !recipe_address(&r->query, r->list->rows, 1, r->p))
        return false;
    r->recipe = view_recipe(&r->query);
    return reserve(r);
}

/* ---- decoding ---- */

/* Of three planes each is a channel. */
static void split_channels(const unsigned char *pixels, uint64_t count, unsigned char *out) {
    for (uint64_t i = 0; i < count; i++)
        for (unsigned c = 0; c < 3; c++)
            out[c * count + i] = pixels[3 * i + c];
}

static bool has_planes(const reader *r) {
    return r->channels == 3 && layout_of(r) == LAYOUT_CHANNELS_FIRST;
}

static fmix_status resize(reader *r, const fmix_view *view, const image *from, uint64_t i) {
    unsigned char *to = r->out->inflated.bytes + i * r->view_bytes;
    const fmix_picture picture = {.part = {.height = from->height, .width = from->width},
                                  .pixels = from->pixels,
                                  .stride = (size_t)from->width * r->channels};
    fmix_filter filter = (fmix_filter)r->query.filter;
    if (!has_planes(r))
        return fmix_resize(r->scratch, view, filter, r->channels, &picture, to);
    unsigned char *pixels = malloc((size_t)r->view_bytes);
    fmix_status status = pixels
                             ? fmix_resize(r->scratch, view, filter, r->channels, &picture, pixels)
                             : FMIX_ERROR_MEMORY;
    if (status == FMIX_OK)
        split_channels(pixels, r->view_bytes / 3, to);
    free(pixels);
    return status;
}

/* Takes `bytes` from the budget. False: explained, or the budget is used up now. */
static bool pay(reader *r, uint64_t bytes, uint64_t i) {
    buffer *room = &r->out->inflated;
    char why[120];
    if (!room->payer.from)
        return true;
    if (bytes > budget_left(room->payer.from, r->out->held + room->room + r->resizing)) {
        snprintf(why, sizeof why,
                 "decoding takes up to %" PRIu64 " bytes, more than the daemon may take", bytes);
        return refuse(r, i, 413, why);
    }
    room->starved = !budget_take(room->payer, bytes);
    return !room->starved || fail(r, "out of memory");
}

/* The scratch keeps its memory from one picture to the next. */
static bool pay_scratch(reader *r, const fmix_view *view, uint64_t i) {
    uint64_t needed = fmix_resize_memory(view, (fmix_filter)r->query.filter, r->channels) +
                      (has_planes(r) ? r->view_bytes : 0);
    if (needed <= r->resizing)
        return true;
    if (!pay(r, needed - r->resizing, i))
        return false;
    r->resizing = needed;
    return true;
}

static bool decode(reader *r, const fmix_view *view, uint64_t i) {
    image decoded;
    const picture_file *file = &r->list->files[i];
    if (!image_read(file->bytes, file->length, r->channels, &decoded))
        return refuse_image(r, i, &decoded);
    fmix_status status = resize(r, view, &decoded, i);
    image_free(&decoded);
    return status == FMIX_OK || fail(r, fmix_status_text(status));
}

static bool read_one(reader *r, uint64_t i) {
    const picture_file *file = &r->list->files[i];
    bool partner = i >= r->list->rows;
    uint64_t t = r->query.index + i % r->list->rows;
    image looked;
    fmix_view view;
    if (!image_header(file->bytes, file->length, &looked))
        return refuse_image(r, i, &looked);
    fmix_status status =
        fmix_view_draw(&r->recipe, r->query.seed, t, partner, looked.height, looked.width, &view);
    if (status != FMIX_OK)
        return fail(r, fmix_status_text(status));
    uint64_t memory = image_memory(&looked);
    if (!pay_scratch(r, &view, i) || !pay(r, memory, i))
        return false;
    bool good = decode(r, &view, i);
    budget_give(r->out->inflated.payer, memory);
    return good;
}

static bool read_all(reader *r) {
    const upload_body *body = r->body;
    bool good = true;
    for (uint64_t i = 0; i < count_of(r->list) && good; i++)
        good = body->cancelled && body->cancelled(body->of) ? fail(r, "the request was abandoned")
                                                            : read_one(r, i);
    return good;
}

/* ---- */

static bool add_array(reader *r, const char *name, uint64_t first) {
    array *a = upload_add(r->out, name, strlen(name), r->p);
    unsigned layout = layout_of(r);
    if (!a)
        return false;
    a->type = DTYPE_U8;
    a->bytes = r->out->inflated.bytes + first * r->view_bytes;
    a->shape[a->rank++] = r->list->rows;
    if (layout == LAYOUT_CHANNELS_FIRST)
        a->shape[a->rank++] = r->channels;
    a->shape[a->rank++] = r->recipe.height;
    a->shape[a->rank++] = r->recipe.width;
    if (layout == LAYOUT_CHANNELS_LAST)
        a->shape[a->rank++] = r->channels;
    return true;
}

bool picture_read(const picture_list *list, const upload_body *body, upload *out, problem *p) {
    reader r = {.list = list, .body = body, .out = out, .p = p};
    if (!prepare(&r))
        return false;
    fmix_status status = fmix_scratch_new(&r.scratch);
    bool good = status == FMIX_OK ? read_all(&r) : fail(&r, fmix_status_text(status));
    fmix_scratch_free(r.scratch);
    budget_give(out->inflated.payer, r.resizing);
    return good && add_array(&r, "x", 0) && (!list->partners || add_array(&r, "x2", list->rows));
}

#define BYTE_COST  60.0 /* nanoseconds to decode a byte of a photograph */
#define PIXEL_COST 40.0 /* nanoseconds a pixel at most, but for JPEG files of hundreds of scans */

weight picture_weight(uint64_t bytes) {
    double cost = BYTE_COST * (double)bytes;
    return (weight){.cost = cost, .worst = cost + PIXEL_COST * PICTURE_PIXELS};
}

bool picture_read_body(const upload_body *body, upload *out, problem *p) {
    const picture_file file = {.bytes = body->bytes, .length = body->length};
    if (image_kind(body->bytes, body->length))
        return picture_read(&(picture_list){.files = &file, .rows = 1}, body, out, p);
    problem_add(p, 415, "Content-Type",
                "Content-Type is '%.60s', but the body is neither a PNG nor a JPEG file",
                body->content_type ? body->content_type : "");
    return false;
}

weight picture_weigh_body(const upload_body *body, uint64_t most) {
    (void)most;
    return picture_weight(body->length);
}
