#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LETTERS 32 /* a longer word or name is not compared */

static char plain(char c) {
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time. */
static size_t distance(const char *word, size_t length, const char *name) {
    size_t row[LETTERS + 1], letters = strlen(name);
    for (size_t j = 0; j <= letters; j++)
        row[j] = j;
    for (size_t i = 0; i < length; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < letters; j++) {
            size_t replaced = corner + (plain(word[i]) != plain(name[j]));
            corner = row[j + 1];
            row[j + 1] = least(replaced, 1 + least(row[j], corner));
        }
    }
    return row[letters];
}

static bool begins(const char *name, const char *word, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!name[i] || plain(name[i]) != plain(word[i]))
            return false;
    return true;
}

const char *nearest(const char *word, size_t length, const char *(*name)(size_t number)) {
    const char *best = NULL, *other;
    size_t fewest = length / 3 + 1;
    if (length < 2 || length > LETTERS)
        return NULL;
    for (size_t i = 0; (other = name(i)) != NULL; i++) {
        if (strlen(other) > LETTERS)
            continue;
        size_t edits = begins(other, word, length) ? 1 : distance(word, length, other);
        if (edits < fewest || (edits == fewest && !best)) {
            fewest = edits;
            best = other;
        }
    }
    return best;
}
