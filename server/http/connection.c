#include "connection.h"
#include "base/text.h"

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

/* As getnameinfo prints the address, which takes ten times as long. */
static void print_ipv4(const struct sockaddr_in *address, char out[CONNECTION_PEER]) {
    uint32_t number = ntohl(address->sin_addr.s_addr);
    char text[INET_ADDRSTRLEN] = "", *at = text + sizeof text - 1;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        at = text_number(number >> shift & 0xff, 1, at);
        if (shift < 24)
            *--at = '.';
    }
    text_copy(out, CONNECTION_PEER, at);
}

static void print_peer(const struct sockaddr *address, char out[CONNECTION_PEER]) {
    if (address && address->sa_family == AF_INET)
        print_ipv4((const struct sockaddr_in *)address, out);
    else if (!address || getnameinfo(address, sizeof(struct sockaddr_in6), out, CONNECTION_PEER,
                                     NULL, 0, NI_NUMERICHOST) != 0)
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
