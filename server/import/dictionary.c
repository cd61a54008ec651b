#include "dictionary.h"
#include "base/fnv.h"

#include <stdlib.h>
#include <string.h>

/* The slot that holds the name, or the free slot where it belongs. */
static size_t slot_of(const dictionary *d, const char *name) {
    uint64_t hash = fnv_add(FNV_BEGIN, name, strlen(name));
    size_t at = (size_t)(hash % d->slot_count);
    while (d->slots[at] && strcmp(d->names[d->slots[at] - 1], name) != 0)
        at = (at + 1) % d->slot_count;
    return at;
}

/* Makes the table anew. At most half of it is taken. */
static bool make_slots(dictionary *d, size_t count) {
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(d->slots);
    d->slots = slots;
    d->slot_count = count;
    for (size_t i = 0; i < d->count; i++)
        d->slots[slot_of(d, d->names[i])] = (uint32_t)i + 1;
    return true;
}

bool dictionary_add(dictionary *d, const char *name) {
    if (2 * (d->count + 1) > d->slot_count &&
        !make_slots(d, d->slot_count ? 2 * d->slot_count : 64))
        return false;
    size_t at = slot_of(d, name);
    if (d->slots[at])
        return true;
    if (d->count == d->room) {
        size_t room = d->room ? 2 * d->room : 32;
        char **more = realloc(d->names, room * sizeof *more);
        if (!more)
            return false;
        d->names = more;
        d->room = room;
    }
    if (!(d->names[d->count] = strdup(name)))
        return false;
    d->slots[at] = (uint32_t)++d->count;
    return true;
}

static int by_bytes(const void *left, const void *right) {
    char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

bool dictionary_sort(dictionary *d) {
    if (d->count)
        qsort(d->names, d->count, sizeof *d->names, by_bytes);
    return d->count == 0 || make_slots(d, d->slot_count);
}

bool dictionary_find(const dictionary *d, const char *name, uint32_t *number) {
    uint32_t slot = d->slot_count ? d->slots[slot_of(d, name)] : 0;
    *number = slot - 1;
    return slot != 0;
}

void dictionary_free(dictionary *d) {
    for (size_t i = 0; i < d->count; i++)
        free(d->names[i]);
    free(d->names);
    free(d->slots);
    *d = (dictionary){.names = NULL};
}
