#include "description.h"

#include <stdlib.h>

/* ---- one set ---- */

/* Clients know element types and layouts by the values of request parameters. */
static const char *type_name(const dataset *d) {
    return dtype_table[d->type].name;
}

static const char *layout_name(const dataset *d) {
    return query_table[QUERY_LAYOUT].choices[d->layout];
}

static json_t *head_of(const dataset_head *h, json_t *names) {
    json_t *head = json_pack("{ss ss sI}", "name", h->name, "kind", h->numbers ? "numbers" : "rows",
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

static json_t *shape_of(const dataset *d) {
    json_t *shape = json_array();
    for (unsigned i = 0; i < d->rank; i++)
        shape = json_append(shape, json_integer((json_int_t)d->side[i]));
    return shape;
}

bool description_write(const dataset *d, json_t *names, buffer *out) {
    return json_print_line(json_pack("{ss sI so ss ss so ss}", "name", d->name, "count",
                                     (json_int_t)d->count, "shape", shape_of(d), "dtype",
                                     type_name(d), "layout", layout_name(d), "heads",
                                     heads_of(d, names), "digest", d->digest),
                           out);
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
