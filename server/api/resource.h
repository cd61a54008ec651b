/*
 * resource.h - a request as a resource's handler sees the request, and the handler's result
 */
#ifndef RESOURCE_H
#define RESOURCE_H

#include "formats/format.h"
#include "server_state.h"

#define ROUTE_CAPTURES 2
#define ROUTE_CAPTURE  240 /* bytes of a capture: a file name has at most 255 */

typedef struct resource_request {
    server_state *server;
    const char *captured[ROUTE_CAPTURES]; /* names in the path, in order */
    query query;
    unsigned groups;          /* of parameters that the resource takes */
    const format *format;     /* of the answer; NULL: the resource has a media type of its own */
    const char *content_type; /* NULL: not sent */
    buffer body;
    bool (*cancelled)(void *of); /* the client is gone; NULL: never */
    void *of;
} resource_request;

/* Bytes that several replies share. They are valid until `release` is called. */
typedef struct view {
    const void *bytes; /* NULL: no view */
    size_t length;
    void (*release)(void *of); /* NULL: valid as long as the daemon runs */
    void *of;
} view;

/* Exactly one of a problem, a source, a text or a view. */
typedef struct resource_result {
    bool starved; /* the cause of the problem is that the budget is used up now */
    tensor_source *source;
    buffer text; /* in the route's media type */
    view shared; /* in the route's media type */
    int status;  /* HTTP, of a text or a view */
    problem problem;
} resource_result;

/* Frees the source, the text and the view. */
void resource_result_free(resource_result *o);

typedef void resource(resource_request *request, resource_result *out);

/* Estimates the cost of the handler for a request. The estimate itself takes microseconds. */
typedef weight resource_weight(const resource_request *request);
resource_weight mix_weight, batch_weight, shards_weight, shard_weight;

resource masks_get, plans_get, mix_post, health_live, health_ready, metrics_get, version_get,
    datasets_get, dataset_get, batch_get, shards_get, shard_get, openapi_get, web_page, web_style,
    web_script;

/* The parameters that decide what the shards of a data set hold. */
#define SHARD_GROUPS                                                                               \
    (GROUP_SEED | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD | GROUP_POLICY |         \
     GROUP_PAIRING | GROUP_MIXED | GROUP_EPOCH | GROUP_VIEW | GROUP_FLIP | GROUP_SHARD)

#endif
