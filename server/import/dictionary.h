/*
 * dictionary.h - the names of classes: each once, numbered in the order of their bytes
 */
#ifndef DICTIONARY_H
#define DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dictionary {
    char **names;
    size_t count, room;
    uint32_t *slots; /* of a hash table: 1 + the number of a name; 0: free */
    size_t slot_count;
} dictionary;

/* False: no memory. */
bool dictionary_add(dictionary *d, const char *name);

/* After the last name. False: no memory. */
bool dictionary_sort(dictionary *d);

/* The number of a name. False: it was not added. */
bool dictionary_find(const dictionary *d, const char *name, uint32_t *number);

void dictionary_free(dictionary *d);

#endif
