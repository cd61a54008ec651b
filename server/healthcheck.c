#include "healthcheck.h"
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int connect_to(const char *listen) {
    char host[CONFIG_ADDRESS], service[8];
    uint16_t port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const struct timeval two_seconds = {.tv_sec = 2};
    if (!config_split_address(listen, host, sizeof host, &port))
        return -1;
    if (strcmp(host, "0.0.0.0") == 0)
        strcpy(host, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        strcpy(host, "::1");
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &two_seconds, sizeof two_seconds);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &two_seconds, sizeof two_seconds);
        if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* Milliseconds until then. */
static int left(const struct timespec *end) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms = (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
    return ms > 0 ? (int)ms : 0;
}

bool healthcheck_run(const char *listen, FILE *errors) {
    static const char request[] =
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char wanted[] = "HTTP/1.1 200 ";
    char status[sizeof wanted - 1];
    size_t got = 0;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 2;
    int fd = connect_to(listen);
    if (fd < 0) {
        fprintf(errors, "fmixd: nothing answers on %s\n", listen);
        return false;
    }
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1)
        while (got < sizeof status) {
            struct pollfd one = {.fd = fd, .events = POLLIN};
            ssize_t n =
                poll(&one, 1, left(&end)) == 1 ? recv(fd, status + got, sizeof status - got, 0) : 0;
            if (n <= 0)
                break;
            got += (size_t)n;
        }
    close(fd);
    if (got == sizeof status && memcmp(status, wanted, got) == 0)
        return true;
    fprintf(errors, "fmixd: %s did not answer /livez with 200\n", listen);
    return false;
}
