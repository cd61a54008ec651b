#include "request_parse.h"
#include "headers.h"

#include <microhttpd.h>

typedef struct parse {
    resource_request *input;
    problem *problem;
} parse;

static enum MHD_Result take_parameter(void *of, enum MHD_ValueKind kind, const char *key,
                                      size_t key_size, const char *value, size_t value_size) {
    const parse *t = of;
    (void)kind;
    query_take(&t->input->query, t->input->groups, key, key_size, value, value_size, t->problem);
    return MHD_YES;
}

static void choose_format(resource_request *input, struct MHD_Connection *connection,
                          const route_match *match, problem *p) {
    const route *row = match->route;
    input->format = match->suffix;
    if (!row->formats || input->format)
        return;
    buffer accept = headers_list(connection, MHD_HTTP_HEADER_ACCEPT);
    bool failed = accept.failed;
    input->format = format_accepted((const char *)accept.bytes, row->formats);
    buffer_free(&accept);
    if (failed) {
        problem_add(p, 500, NULL, "out of memory");
    } else if (!input->format) {
        char list[200];
        format_list(row->formats, list, sizeof list);
        problem_add(p, 406, "Accept", "%s is available as: %s", row->path, list);
    }
}

void request_parse(resource_request *input, struct MHD_Connection *connection,
                   const route_match *match, problem *p) {
    parse t = {input, p};
    input->groups = match->route->groups;
    for (unsigned i = 0; i < ROUTE_CAPTURES; i++)
        input->captured[i] = match->captured[i];
    input->content_type = headers_find(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    query_init(&input->query);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &t);
    choose_format(input, connection, match, p);
}
