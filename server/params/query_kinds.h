/*
 * query_kinds.h - what each kind of parameter does: one row of functions a kind
 */
#ifndef QUERY_KINDS_H
#define QUERY_KINDS_H

#include "query.h"

struct json_t;

typedef struct query_kind_row {
    /* Sets the field of a query. False: the text is not a value of this parameter, and the field
     * keeps its value. */
    bool (*parse)(const query_parameter *row, const char *text, void *field);
    /* Appends the field's value in its one spelling. */
    void (*print)(const query_parameter *row, const void *field, buffer *out);
    /* What a value must be, for example "a whole number from 0 to 9". */
    void (*expect)(const query_parameter *row, char *out, size_t room);
    struct json_t *(*schema)(const query_parameter *row);
    struct json_t *(*literal)(const char *text); /* a value, or an item of a list, in JSON */
    bool is_list;                                /* a value has items, separated by commas */
} query_kind_row;

extern const query_kind_row query_kinds[QUERY_KINDS];

/* The JSON schema of a parameter's values, and the parameter's default. The caller owns both. NULL
 * without memory. */
struct json_t *query_kind_schema(const query_parameter *row);
struct json_t *query_kind_default(const query_parameter *row);

#endif
