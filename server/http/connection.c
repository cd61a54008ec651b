#include "connection.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

int connection_socket(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void *connection_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? info->tls_session : NULL;
}

const struct sockaddr *connection_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

static void print_peer(const struct sockaddr *address, char out[CONNECTION_PEER]) {
    socklen_t length = address && address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                 : sizeof(struct sockaddr_in);
    if (!address ||
        getnameinfo(address, length, out, CONNECTION_PEER, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(out, CONNECTION_PEER, "-");
}

void connection_peer(struct MHD_Connection *connection, char out[CONNECTION_PEER]) {
    print_peer(connection_address(connection), out);
}

void connection_peer_of_socket(int fd, char out[CONNECTION_PEER]) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    bool known = getpeername(fd, (struct sockaddr *)&address, &size) == 0;
    print_peer(known ? (struct sockaddr *)&address : NULL, out);
}
