#include "hosted_views.h"
#include "base/message.h"
#include "formats/image.h"
#include "params/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT64_MAX /* in place of a slot or a sample */
#define TRIES   3          /* at pictures of files that are touched meanwhile */

/* Estimated nanoseconds for each pixel. */
#define DECODE_COST 12.0
#define RESIZE_COST 1.0

typedef enum view_state {
    VIEW_MISSING,
    VIEW_BUSY,
    VIEW_READY,
    VIEW_FAILED,
    VIEW_STARVED /* for want of memory */
} view_state;

struct hosted_view {
    dataset_picture picture;
    fmix_view view;
    uint64_t slot;   /* NOWHERE: the view is not needed */
    uint64_t leader; /* the first sample of the same picture, whose state is that of all of them */
    uint64_t next;   /* the next sample of the same picture, or NOWHERE */
    view_state state;
};

/* ---- before the answer is laid out ---- */

static bool is_map(const hosted_views *h) {
    return h->array != &h->samples->set->x;
}

static dataset_array rows_of(const dataset_array *of, const fmix_view_recipe *recipe) {
    dataset_array rows = {.type = DTYPE_U8,
                          .rank = of->rank,
                          .side = {recipe->height, recipe->width, of->side[2]},
                          .layout = of->layout};
    memcpy(rows.name, of->name, sizeof rows.name);
    rows.row_bytes = (uint64_t)recipe->height * recipe->width * dataset_array_pixels(of);
    return rows;
}

bool hosted_views_begin(hosted_views *h, const query *q, problem *p) {
    h->recipe = view_recipe(q);
    h->filter = is_map(h) ? FMIX_FILTER_NEAREST : (fmix_filter)q->filter;
    h->rows = rows_of(h->array, &h->recipe);
    h->each = calloc((size_t)hosted_samples_count(h->samples), sizeof *h->each);
    snprintf(h->what, sizeof h->what, "%s%s", is_map(h) ? "label map " : "picture",
             is_map(h) ? h->array->name : "");
    if (!h->each) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    h->begun = true;
    return true;
}

void hosted_views_end(hosted_views *h) {
    free(h->each);
    buffer_pool_give(h->spares, h->bytes);
    if (!h->begun)
        return;
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
}

/* Adds what it takes to make a view. */
static void add_costs(hosted_views *h, const hosted_view *v) {
    const dataset *set = h->samples->set;
    unsigned channels = dataset_array_pixels(h->array);
    uint64_t pixels = (uint64_t)v->picture.height * v->picture.width;
    uint64_t working = fmix_resize_memory(&v->view, h->filter, channels);
    fmix_part part;
    fmix_view_reads(&v->view, h->filter, &part);
    double pixels_between = (double)part.height * v->view.columns.size; /* columns come first */
    h->cost +=
        RESIZE_COST * (double)channels * ((double)part.height * part.width + pixels_between) +
        RESIZE_COST * (double)h->rows.row_bytes;
    if (set->store == DATASET_FILES) {
        working += image_memory(&(image){.height = v->picture.height, .width = v->picture.width});
        h->cost += DECODE_COST * (double)pixels;
    }
    h->working = working > h->working ? working : h->working;
}

static void explain(hosted_views *h, uint64_t i, const char *why) {
    const hosted_samples *s = h->samples;
    pthread_mutex_lock(&h->lock);
    if (!h->reason[0])
        snprintf(h->reason, sizeof h->reason,
                 "the %s of row %" PRIu64 " of the data set %s cannot be used: %.200s", h->what,
                 s->number[i], s->set->name, why);
    pthread_mutex_unlock(&h->lock);
}

/* The row is named in the log once. From now on no batch with it begins. */
static void condemn(hosted_views *h, uint64_t i, const char *why) {
    const dataset *set = h->samples->set;
    uint64_t row = h->samples->number[i];
    explain(h, i, why);
    if (dataset_unusable_note(h->unusable, row) && set->log)
        message_print(set->log,
                      "fmixd: data set '%s': the %s of row %" PRIu64
                      " cannot be used: %s; batches that need it are refused\n",
                      set->name, h->what, row, why);
}

static fmix_status find(hosted_views *h, uint64_t i) {
    const hosted_samples *s = h->samples;
    hosted_view *v = &h->each[i];
    v->slot = v->next = NOWHERE;
    v->leader = i;
    if (h->share && dataset_unusable_has(h->unusable, s->number[i])) {
        explain(h, i, "it could not be decoded before");
        return FMIX_ERROR_LIBRARY;
    }
    if (dataset_find_picture(s->set, h->array, s->number[i], s->fault, &v->picture) != DATASET_TRUE)
        return FMIX_ERROR_LIBRARY;
    return fmix_view_draw(&h->recipe, s->seed, hosted_samples_t(s, i),
                          hosted_samples_is_neighbour(s, i), v->picture.height, v->picture.width,
                          &v->view);
}

fmix_status hosted_views_find(hosted_views *h) {
    fmix_status status = FMIX_OK;
    h->cost = 0;
    h->working = 0;
    for (uint64_t i = 0; i < hosted_samples_count(h->samples) && status == FMIX_OK; i++) {
        status = find(h, i);
        if (status == FMIX_OK)
            add_costs(h, &h->each[i]);
    }
    return status;
}

/* ---- room ---- */

static uint64_t slots_most(const hosted_views *h) {
    uint64_t count = hosted_samples_count(h->samples);
    return h->share < count / 2 ? 2 * h->share : h->share ? count : 0;
}

static void take_slot(hosted_views *h, uint64_t i) {
    if (h->each[i].slot == NOWHERE)
        h->each[i].slot = h->slots++;
}

typedef struct place {
    uint64_t number, sample;
} place;

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : (x->sample > y->sample) - (x->sample < y->sample);
}

/* Links the samples of each picture. Only neighbours may be the same as others. */
static fmix_status link_pictures(hosted_views *h) {
    uint64_t count = 0;
    place *places = h->samples->neighbours ? calloc((size_t)h->slots, sizeof *places) : NULL;
    if (!places)
        return h->samples->neighbours ? FMIX_ERROR_MEMORY : FMIX_OK;
    for (uint64_t i = 0; i < hosted_samples_count(h->samples); i++)
        if (h->each[i].slot != NOWHERE)
            places[count++] = (place){h->samples->number[i], i};
    qsort(places, (size_t)count, sizeof *places, compare_places);
    for (uint64_t k = 1; k < count; k++)
        if (places[k].number == places[k - 1].number) {
            hosted_view *before = &h->each[places[k - 1].sample];
            before->next = places[k].sample;
            h->each[places[k].sample].leader = before->leader;
        }
    free(places);
    return FMIX_OK;
}

fmix_status hosted_views_locate(hosted_views *h, uint64_t first, uint64_t n,
                                const int64_t *pairing) {
    if (h->share == 0)
        return FMIX_OK;
    for (uint64_t i = first; i < first + n; i++) {
        take_slot(h, i);
        take_slot(h, (uint64_t)pairing[i]);
    }
    h->bytes = buffer_pool_take(h->spares, (size_t)(h->slots * h->rows.row_bytes));
    if (!h->bytes.bytes)
        return FMIX_ERROR_MEMORY;
    return link_pictures(h);
}

/* ---- making views ---- */

static bool read_header(const hosted_views *h, const dataset_picture *p, image *out) {
    return is_map(h) ? image_labels_header(p->bytes, (size_t)p->length, out)
                     : image_header(p->bytes, (size_t)p->length, out);
}

static bool has_sides(const dataset_picture *p, image *found) {
    bool same = found->height == p->height && found->width == p->width;
    if (!same)
        snprintf(found->message, sizeof found->message,
                 "the file has %" PRIu32 " x %" PRIu32 " pixels (width x height), and the index "
                 "says %" PRIu32 " x %" PRIu32,
                 found->width, found->height, p->width, p->height);
    return same;
}

/* A file that is touched meanwhile says nothing of the picture. */
static fmix_status verify_header(hosted_views *h, uint64_t i, uint64_t reading) {
    const dataset_picture *p = &h->each[i].picture;
    image found;
    if (read_header(h, p, &found) && has_sides(p, &found))
        return FMIX_OK;
    if (!found.starved && dataset_read_ended(h->samples->set, reading))
        condemn(h, i, found.message);
    return found.starved ? FMIX_ERROR_MEMORY : FMIX_ERROR_LIBRARY;
}

fmix_status hosted_views_verify(hosted_views *h, uint64_t i) {
    const hosted_samples *s = h->samples;
    uint64_t reading = dataset_read_begin(s->set);
    if (dataset_need_picture(s->set, h->array, &h->each[i].picture, s->fault) != DATASET_TRUE)
        return FMIX_ERROR_LIBRARY;
    return s->set->store == DATASET_PIXELS ? FMIX_OK : verify_header(h, i, reading);
}

/* The pixels that the views of the picture of sample i, a leader, read; or one, if they read none.
 */
static image_part part_of(const hosted_views *h, uint64_t i) {
    uint32_t top = UINT32_MAX, left = UINT32_MAX, bottom = 0, right = 0;
    for (; i != NOWHERE; i = h->each[i].next) {
        fmix_part part;
        fmix_view_reads(&h->each[i].view, h->filter, &part);
        if (part.height == 0 || part.width == 0)
            continue;
        top = part.top < top ? part.top : top;
        left = part.left < left ? part.left : left;
        bottom = part.top + part.height > bottom ? part.top + part.height : bottom;
        right = part.left + part.width > right ? part.left + part.width : right;
    }
    return bottom ? (image_part){top, left, bottom - top, right - left} : (image_part){0, 0, 1, 1};
}

static bool read_part(const hosted_views *h, const dataset_picture *p, const image_part *part,
                      image *out) {
    return is_map(h) ? image_labels_read(p->bytes, (size_t)p->length, part, out)
                     : image_read_part(p->bytes, (size_t)p->length, dataset_array_pixels(h->array),
                                       part, out);
}

/* Reads the pixels of a file that has the sides that the index says: nothing is allocated by
 * others. The bytes may change meanwhile, so the sides are compared twice. */
static bool decode(hosted_views *h, uint64_t i, image *out) {
    const dataset_picture *p = &h->each[i].picture;
    image_part part = part_of(h, i);
    if (!read_header(h, p, out) || !has_sides(p, out))
        return false;
    atomic_fetch_add_explicit(&h->metrics->pictures, 1, memory_order_relaxed);
    return read_part(h, p, &part, out) && has_sides(p, out);
}

/* Makes all views of the picture of sample i, a leader, from its pixels. */
static fmix_status resize(hosted_views *h, fmix_scratch *scratch, uint64_t i,
                          const image_part *part, const void *pixels) {
    unsigned channels = dataset_array_pixels(h->array);
    const fmix_picture from = {.part = {part->top, part->left, part->height, part->width},
                               .pixels = pixels,
                               .stride = (size_t)part->width * channels};
    fmix_status status = FMIX_OK;
    for (; i != NOWHERE && status == FMIX_OK; i = h->each[i].next)
        status = fmix_resize(scratch, &h->each[i].view, h->filter, channels, &from,
                             h->bytes.bytes + h->each[i].slot * h->rows.row_bytes);
    return status;
}

/* Once, from bytes that are verified. why: for a picture that cannot be decoded. */
static fmix_status try(hosted_views *h, fmix_scratch *scratch, uint64_t i, char *why) {
    const hosted_samples *s = h->samples;
    const dataset_picture *p = &h->each[i].picture;
    why[0] = 0;
    if (dataset_need_picture(s->set, h->array, p, s->fault) != DATASET_TRUE)
        return FMIX_ERROR_LIBRARY;
    if (s->set->store == DATASET_PIXELS)
        return resize(h, scratch, i, &(image_part){0, 0, p->height, p->width}, p->bytes);
    image decoded;
    fmix_status status = FMIX_ERROR_LIBRARY;
    if (decode(h, i, &decoded))
        status = resize(h, scratch, i, &decoded.part, decoded.pixels);
    else if (decoded.starved)
        status = FMIX_ERROR_MEMORY; /* which says nothing of the file */
    else
        snprintf(why, IMAGE_MESSAGE, "%s", decoded.message);
    image_free(&decoded);
    return status;
}

/* Once more if the file was touched meanwhile. */
static fmix_status make(hosted_views *h, fmix_scratch *scratch, uint64_t i) {
    char why[IMAGE_MESSAGE];
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint64_t reading = dataset_read_begin(h->samples->set);
        fmix_status status = try(h, scratch, i, why);
        if (!dataset_read_ended(h->samples->set, reading))
            continue;
        if (why[0])
            condemn(h, i, why);
        return status;
    }
    return FMIX_ERROR_LIBRARY;
}

/* Makes the view of sample i if nobody has begun to make it. */
static void make_missing(hosted_views *h, fmix_scratch *scratch, uint64_t i) {
    hosted_view *leader = &h->each[h->each[i].leader];
    pthread_mutex_lock(&h->lock);
    bool missing = leader->state == VIEW_MISSING;
    if (missing)
        leader->state = VIEW_BUSY;
    pthread_mutex_unlock(&h->lock);
    if (!missing)
        return;
    fmix_status status = make(h, scratch, h->each[i].leader);
    pthread_mutex_lock(&h->lock);
    leader->state = status == FMIX_OK             ? VIEW_READY
                    : status == FMIX_ERROR_MEMORY ? VIEW_STARVED
                                                  : VIEW_FAILED;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* Waits until the view of sample i is made. */
static fmix_status await(hosted_views *h, uint64_t i) {
    const hosted_view *leader = &h->each[h->each[i].leader];
    pthread_mutex_lock(&h->lock);
    while (leader->state == VIEW_BUSY)
        pthread_cond_wait(&h->changed, &h->lock);
    view_state state = leader->state;
    pthread_mutex_unlock(&h->lock);
    return state == VIEW_READY     ? FMIX_OK
           : state == VIEW_STARVED ? FMIX_ERROR_MEMORY
                                   : FMIX_ERROR_LIBRARY;
}

/* First all that nobody makes, then waiting for those that others make. */
fmix_status hosted_views_need(hosted_views *h, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              const int64_t *pairing) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = first; i < first + n; i++) {
        make_missing(h, scratch, i);
        make_missing(h, scratch, (uint64_t)pairing[i]);
    }
    for (uint64_t i = first; i < first + n && status == FMIX_OK; i++) {
        status = await(h, i);
        if (status == FMIX_OK)
            status = await(h, (uint64_t)pairing[i]);
    }
    return status;
}

const unsigned char *hosted_views_row(const hosted_views *h, uint64_t i) {
    return h->each[i].slot == NOWHERE ? NULL : h->bytes.bytes + h->each[i].slot * h->rows.row_bytes;
}

bool hosted_views_failed(hosted_views *h, char out[HOSTED_VIEWS_REASON]) {
    if (!h->begun)
        return false;
    pthread_mutex_lock(&h->lock);
    snprintf(out, HOSTED_VIEWS_REASON, "%s", h->reason);
    pthread_mutex_unlock(&h->lock);
    return out[0] != 0;
}

/* ---- estimates ---- */

uint64_t hosted_views_memory(const hosted_views *h) {
    uint64_t count = hosted_samples_count(h->samples);
    uint64_t places = h->samples->neighbours ? slots_most(h) * sizeof(place) : 0;
    return count * sizeof *h->each + slots_most(h) * h->rows.row_bytes + places;
}

double hosted_views_cost(const hosted_views *h) {
    double each = h->cost / (double)hosted_samples_count(h->samples);
    return h->share ? each * (double)slots_most(h) / (double)h->share : 0;
}
