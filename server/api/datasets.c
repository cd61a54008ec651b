/* What data sets there are. */
#include "../call.h"
#include "../tree.h"
#include "hosted.h"

#include <inttypes.h>

static json_t *head_of(const dataset_head *h, json_t *names) {
    json_t *head = json_pack("{ss ss sI}", "name", h->name, "kind", h->numbers ? "numbers" : "rows",
                             "classes", (json_int_t)h->classes);
    if (!json_array_size(names) || json_object_set(head, "class_names", names) == 0)
        return head;
    json_decref(head);
    return NULL;
}

static json_t *heads_of(const dataset *d) {
    json_t *heads = json_array(), *names = NULL;
    if (d->classes.length) {
        names = json_loadb((const char *)d->classes.bytes, d->classes.length, 0, NULL);
        if (!names) {
            json_decref(heads);
            return NULL;
        }
    }
    for (unsigned i = 0; i < d->heads && heads; i++)
        heads = tree_and(heads, head_of(&d->head[i], json_array_get(names, i)));
    json_decref(names);
    return heads;
}

/* NULL without memory. */
static json_t *describe(const dataset *d) {
    json_t *shape = json_array();
    for (unsigned i = 0; i < d->rank && shape; i++)
        shape = tree_and(shape, json_integer((json_int_t)d->side[i]));
    return json_pack("{ss sI so ss ss so ss}", "name", d->name, "count", (json_int_t)d->count,
                     "shape", shape, "dtype", dtype_table[d->type].name, "layout",
                     query_table[QUERY_LAYOUT].choices[d->layout], "heads", heads_of(d), "digest",
                     d->digest);
}

static void answer(json_t *root, outcome *out) {
    out->status = 200;
    out->text = buffer_of(64u << 20);
    tree_line(root, &out->text);
}

void datasets_get(call *c, outcome *out) {
    json_t *list = json_array();
    dataset *d;
    for (size_t i = 0; (d = shelf_nth(c->service->shelf, i)) != NULL; i++) {
        list = tree_and(list, describe(d));
        dataset_release(d);
    }
    answer(json_pack("{so}", "datasets", list), out);
}

void dataset_get(call *c, outcome *out) {
    dataset *d = hosted_find(c, &out->problem);
    if (!d)
        return;
    answer(describe(d), out);
    dataset_release(d);
}
