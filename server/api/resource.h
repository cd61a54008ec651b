/*
 * resource.h - a request as a resource sees it, and what the resource makes of it
 */
#ifndef CALL_H
#define CALL_H

#include "formats/format.h"
#include "server_state.h"

#define ROUTE_CAPTURES 2
#define ROUTE_CAPTURE  240 /* bytes of one: a file name has 255 */

typedef struct resource_request {
    server_state *server;
    const char *captured[ROUTE_CAPTURES]; /* of the path, in order */
    query query;
    unsigned groups;          /* the resource's */
    const format *format;     /* of the answer; NULL for plain resources */
    const char *content_type; /* NULL: none sent */
    buffer body;
} resource_request;

/* Bytes that others read too, which are not copied for each: there until they are released. */
typedef struct view {
    const void *bytes; /* NULL: none */
    size_t length;
    void (*release)(void *of); /* NULL: they are there as long as the daemon */
    void *of;
} view;

/* Exactly one of: a problem, a source, a text, a view. */
typedef struct resource_result {
    problem problem;
    bool starved; /* the problem is that there is no memory for it now */
    tensor_source *source;
    buffer text; /* of the route's media type */
    view shared; /* the same */
    int status;  /* of a text or a view */
} resource_result;

/* All that it holds. */
void resource_result_free(resource_result *o);

typedef void resource(resource_request *c, resource_result *out);

/* What its handler will take, found out in next to no time. */
typedef weight resource_weight(const resource_request *c);
resource_weight mix_weight;

resource masks_get, plans_get, mix_post, health_live, health_ready, metrics_get, version_get,
    datasets_get, dataset_get, batch_get, shards_get, shard_get, openapi_get, web_page, web_style,
    web_script;

/* Parameters that say what is in a data set's shards. */
#define SHARD_GROUPS                                                                               \
    (GROUP_SEED | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD | GROUP_POLICY |         \
     GROUP_PAIRING | GROUP_MIXED | GROUP_EPOCH | GROUP_SHARD)

#endif
