#include "listen.h"
#include "accept_gate.h"
#include "base/message.h"
#include "ops/address.h"
#include "ops/config.h"

#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

bool listen_name(int fd, char *address, size_t room) {
    char name[CONFIG_ADDRESS], port[8];
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, name, sizeof name, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    snprintf(address, room, strchr(name, ':') ? "[%s]:%s" : "%s:%s", name, port);
    return true;
}

int listen_bind(const char *listen_at, char *address, size_t room, FILE *errors) {
    char host[CONFIG_ADDRESS], port_name[8];
    uint16_t port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int one = 1, fd = -1;
    address_split(listen_at, host, sizeof host, &port);
    snprintf(port_name, sizeof port_name, "%u", port);
    int code = getaddrinfo(host, port_name, &hints, &found);
    if (code != 0) {
        message_print(errors, "fmixd: cannot listen on %s: %s\n", listen_at, gai_strerror(code));
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || !listen_name(fd, address, room)) {
        message_print(errors, "fmixd: cannot listen on %s: %s\n", listen_at, strerror(errno));
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

bool listen_begin(int fd, const char *address, FILE *errors) {
    if (listen(fd, BACKLOG) == 0)
        return true;
    message_print(errors, "fmixd: cannot listen on %s: %s\n", address, strerror(errno));
    return false;
}

void listen_shut(int fd) {
    /* The filter of a listening socket sees packets from the TCP header on; byte 13 has the flags.
     */
    enum { FLAGS = 13, SYN = 2 };
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
    /* A kernel without filters resets connections that come between the last accept and the close.
     */
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int listen_accept(int fd, struct sockaddr_storage *peer, socklen_t *size) {
    int client;
    do {
        *size = sizeof *peer;
        client = accept_gate_enter(fd, (struct sockaddr *)peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        /* ECONNABORTED: the client left while it waited. */
    } while (client < 0 && (errno == EINTR || errno == ECONNABORTED));
    return client;
}
