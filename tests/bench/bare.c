/*
 * bare.c - libmicrohttpd and nothing else, as a baseline
 *
 *   bare BYTES    GET: a reply of so many bytes, made once; POST: the body it was sent
 *
 * Threads and polling as in server/http/daemon.c. Prints its port, and ends with its standard
 * input.
 */
#include <microhttpd.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The body of one upload. */
typedef struct body {
    size_t length, room;
    char bytes[];
} body;

static body *body_new(struct MHD_Connection *connection) {
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    size_t bytes = length ? strtoul(length, NULL, 10) : 0;
    body *b = malloc(sizeof *b + bytes);
    if (b)
        *b = (body){.room = bytes};
    return b;
}

static enum MHD_Result on_request(void *of, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *length, void **state) {
    static const char seen;
    (void)path;
    (void)version;
    if (strcmp(method, "POST") != 0) {
        if (!*state) {
            *state = (void *)&seen;
            return MHD_YES;
        }
        *state = NULL;
        return MHD_queue_response(connection, MHD_HTTP_OK, of);
    }
    if (!*state)
        return (*state = body_new(connection)) ? MHD_YES : MHD_NO;
    body *b = *state;
    if (*length) {
        if (*length > b->room - b->length)
            return MHD_NO;
        memcpy(b->bytes + b->length, data, *length);
        b->length += *length;
        *length = 0;
        return MHD_YES;
    }
    struct MHD_Response *reply =
        MHD_create_response_from_buffer(b->length, b->bytes, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, reply);
    MHD_destroy_response(reply);
    return result;
}

static void on_completed(void *of, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    (void)of;
    (void)connection;
    (void)how;
    free(*state); /* of a GET it is NULL by then */
    *state = NULL;
}

int main(int argc, char **argv) {
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    char *text = calloc(1, bytes + 1), end;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Response *reply =
        MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, reply, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&local, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536,
        MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_END);
    if (!text || !reply || !daemon)
        return 1;
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(STDIN_FILENO, &end, 1) > 0)
        ;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(reply);
    free(text);
    return 0;
}
