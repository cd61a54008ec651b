#include "query.h"
#include "query_kinds.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static bool set_value(query *q, const query_parameter *row, const char *text) {
    return query_kinds[row->kind].parse(row, text, (char *)q + row->offset);
}

static void explain(const query_parameter *row, const char *text, problem *p) {
    char expected[240], fallback[64] = "";
    if (row->fallback)
        snprintf(fallback, sizeof fallback, "; the default is %s", row->fallback);
    query_kinds[row->kind].expect(row, expected, sizeof expected);
    problem_add(p, 400, row->name, "%s is '%.40s'; it must be %s%s", row->name, text, expected,
                fallback);
}

static pthread_once_t defaults_are_made = PTHREAD_ONCE_INIT;
static query defaults; /* read only, once made */

static void make_defaults(void) {
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        if (query_table[i].fallback)
            set_value(&defaults, &query_table[i], query_table[i].fallback);
}

void query_init(query *q) {
    pthread_once(&defaults_are_made, make_defaults);
    *q = defaults;
}

static void list_parameters(unsigned groups, char *out, size_t room) {
    size_t used = 0;
    snprintf(out, room, "none");
    for (unsigned i = 0; i < QUERY_COUNT && used < room; i++)
        if (query_table[i].group & groups)
            used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "",
                                     query_table[i].name);
}

void query_take(query *q, unsigned groups, const char *name, size_t name_length, const char *value,
                size_t value_length, problem *p) {
    char known[560];
    unsigned i = 0;
    if (strlen(name) != name_length || (value && strlen(value) != value_length)) {
        problem_add(p, 400, name, "%.40s contains an encoded NUL", name);
        return;
    }
    while (i < QUERY_COUNT &&
           (query_table[i].name[0] != name[0] || strcmp(query_table[i].name, name) != 0))
        i++;
    const query_parameter *row = &query_table[i];
    if (i == QUERY_COUNT) {
        list_parameters(groups, known, sizeof known);
        problem_add(p, 400, name,
                    "unknown parameter '%.40s'; the parameters of this resource are: %s", name,
                    known);
    } else if (!(row->group & groups)) {
        list_parameters(groups, known, sizeof known);
        problem_add(p, 400, name, "%s is not a parameter of this resource; its parameters are: %s",
                    name, known);
    } else if (q->given[i]) {
        problem_add(p, 400, name, "%s is given more than once", name);
    } else if (!value || value_length == 0) {
        problem_add(p, 400, name, "%s is empty; give a value, or leave the parameter out", name);
    } else {
        q->given[i] = true;
        if (!set_value(q, row, value))
            explain(row, value, p);
    }
}

void query_print(const query *q, query_id id, buffer *out) {
    const query_parameter *row = &query_table[id];
    query_kinds[row->kind].print(row, (const char *)q + row->offset, out);
}
