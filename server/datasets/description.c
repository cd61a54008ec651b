#include "description.h"
#include "dataset_picture.h"

#include <stdlib.h>

/* ---- one set ---- */

/* Clients know element types and layouts by the values of request parameters. */
static const char *type_name(const dataset_array *a) {
    return dtype_table[a->type].name;
}

static const char *layout_name(const dataset_array *a) {
    return query_table[QUERY_LAYOUT].choices[a->layout];
}

static json_t *head_of(const dataset_head *h, json_t *names) {
    json_t *head = json_pack("{ss ss sI}", "name", h->name, "kind", manifest_kind_name(h->kind),
                             "classes", (json_int_t)h->classes);
    if (!json_array_size(names) || json_object_set(head, "class_names", names) == 0)
        return head;
    json_decref(head);
    return NULL;
}

static json_t *heads_of(const dataset *d, json_t *names) {
    json_t *heads = json_array();
    for (unsigned i = 0; i < d->heads; i++)
        heads = json_append(heads, head_of(&d->head[i], json_array_get(names, i)));
    return heads;
}

static json_t *denses_of(const dataset *d) {
    json_t *list = json_array();
    for (unsigned i = 0; i < d->denses; i++) {
        const dataset_array *a = &d->dense[i];
        list = json_append(list, json_pack("{ss ss so ss}", "name", a->name, "dtype", type_name(a),
                                           "shape", manifest_shape(a), "layout", layout_name(a)));
    }
    return list;
}

static json_t *images_of(const dataset *d) {
    return json_pack("{ss si}", "store", manifest_store_name(d->store), "channels",
                     (int)dataset_picture_channels(d));
}

bool description_write(const dataset *d, json_t *names, buffer *out) {
    json_t *root = json_pack("{ss sI so ss ss so}", "name", d->name, "count", (json_int_t)d->count,
                             "shape", manifest_shape(&d->x), "dtype", type_name(&d->x), "layout",
                             layout_name(&d->x), "heads", heads_of(d, names));
    if (d->denses)
        root = json_set(root, "dense", denses_of(d));
    if (d->neighbours.k)
        root = json_set(root, "neighbours", json_integer((json_int_t)d->neighbours.k));
    if (d->ragged)
        root = json_set(root, "lengths", manifest_lengths(d));
    if (d->images)
        root = json_set(root, "images", images_of(d));
    return json_print_line(json_set(root, "digest", json_string(d->digest)), out);
}

/* ---- all sets ---- */

static const char head[] = "{\"datasets\":[", tail[] = "]}\n";

static size_t length_of(dataset *const *sets, size_t count) {
    size_t length = sizeof head + sizeof tail;
    for (size_t i = 0; i < count; i++)
        length += sets[i]->description.length;
    return length;
}

description *description_of_all(dataset *const *sets, size_t count) {
    description *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->uses = 1;
    all->text = buffer_of(length_of(sets, count));
    buffer_reserve(&all->text, all->text.cap);
    buffer_text(&all->text, head);
    for (size_t i = 0; i < count; i++) {
        const buffer *one = &sets[i]->description;
        buffer_text(&all->text, i ? "," : "");
        buffer_add(&all->text, one->bytes, one->length - 1); /* without the end of its line */
    }
    buffer_text(&all->text, tail);
    if (!all->text.failed)
        return all;
    description_release(all);
    return NULL;
}

description *description_retain(description *all) {
    all->uses++;
    return all;
}

void description_release(description *all) {
    if (!all || --all->uses > 0)
        return;
    buffer_free(&all->text);
    free(all);
}
