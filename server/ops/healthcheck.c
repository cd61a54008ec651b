#include "healthcheck.h"
#include "address.h"
#include "base/message.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
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
    if (!address_split(listen, host, sizeof host, &port))
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

/* Milliseconds until `end`. */
static int left(const struct timespec *end) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms = (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
    return ms > 0 ? (int)ms : 0;
}

/* False: the event did not happen in time. */
static bool wait_for(int fd, short what, const struct timespec *end) {
    struct pollfd one = {.fd = fd, .events = what};
    return poll(&one, 1, left(end)) == 1;
}

/* The beginning of the answer's status line, as far as received. */
typedef struct status_line {
    char text[13];
    size_t got;
} status_line;

static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

static bool is_good(const status_line *line) {
    return line->got == sizeof line->text && memcmp(line->text, "HTTP/1.1 200 ", line->got) == 0;
}

static void ask(int fd, const struct timespec *end, status_line *line) {
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        return;
    while (line->got < sizeof line->text) {
        ssize_t n = wait_for(fd, POLLIN, end)
                        ? recv(fd, line->text + line->got, sizeof line->text - line->got, 0)
                        : 0;
        if (n <= 0)
            return;
        line->got += (size_t)n;
    }
}

/* ---- the same, encrypted ---- */

/* Returns true if a call that returned `code` must be repeated: there was no error, and time is
 * left. */
static bool again(gnutls_session_t session, ssize_t code, int fd, const struct timespec *end) {
    if (code == GNUTLS_E_AGAIN)
        return wait_for(fd, gnutls_record_get_direction(session) ? POLLOUT : POLLIN, end);
    return code < 0 && !gnutls_error_is_fatal((int)code) && left(end) > 0;
}

static void talk(gnutls_session_t session, int fd, const struct timespec *end, status_line *line) {
    ssize_t n;
    do
        n = gnutls_handshake(session);
    while (again(session, n, fd, end));
    if (n != GNUTLS_E_SUCCESS)
        return;
    do
        n = gnutls_record_send(session, request, sizeof request - 1);
    while (again(session, n, fd, end));
    while (n > 0 && line->got < sizeof line->text) {
        do
            n = gnutls_record_recv(session, line->text + line->got, sizeof line->text - line->got);
        while (again(session, n, fd, end));
        line->got += n > 0 ? (size_t)n : 0;
    }
}

static void ask_encrypted(int fd, const struct timespec *end, status_line *line) {
    gnutls_session_t session = NULL;
    gnutls_certificate_credentials_t any = NULL;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (gnutls_certificate_allocate_credentials(&any) >= 0 &&
        gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) >= 0 &&
        gnutls_set_default_priority(session) >= 0 &&
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, any) >= 0) {
        gnutls_transport_set_int(session, fd);
        talk(session, fd, end, line);
    }
    if (session)
        gnutls_deinit(session);
    if (any)
        gnutls_certificate_free_credentials(any);
}

bool healthcheck_run(const char *listen, bool tls, FILE *errors) {
    status_line line = {.got = 0};
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 2;
    int fd = connect_to(listen);
    if (fd < 0) {
        message_print(errors, "fmixd: cannot connect to %s\n", listen);
        return false;
    }
    if (tls)
        ask_encrypted(fd, &end, &line);
    else
        ask(fd, &end, &line);
    close(fd);
    if (!is_good(&line))
        message_print(errors, "fmixd: %s did not answer /livez with 200\n", listen);
    return is_good(&line);
}
