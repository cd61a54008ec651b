#include "sd_notify.h"
#include "base/message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD 3

/* The variable's number. False: the variable is not set, or not a number. */
static bool number_of(const char *variable, long *out) {
    const char *text = getenv(variable);
    char *end;
    if (!text || !*text)
        return false;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && *end == 0;
}

static bool listens(int fd) {
    int listening = 0, type = 0;
    socklen_t size = sizeof listening;
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t room = sizeof at;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockname(fd, (struct sockaddr *)&at, &room) == 0 &&
           (at.ss_family == AF_INET || at.ss_family == AF_INET6);
}

bool sd_notify_socket(int *fd, FILE *errors) {
    long process, count;
    *fd = -1;
    /* A child inherits the variables, but not the socket. */
    if (!number_of("LISTEN_PID", &process) || process != (long)getpid() ||
        !number_of("LISTEN_FDS", &count) || count < 1)
        return true;
    if (count > 1) {
        message_print(errors, "fmixd: systemd passed %ld sockets; fmixd serves one\n", count);
        return false;
    }
    if (!listens(FIRST_FD)) {
        message_print(errors, "fmixd: the socket from systemd does not listen on TCP; its unit "
                              "needs ListenStream=ADDR:PORT and Accept=no\n");
        return false;
    }
    fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
    fcntl(FIRST_FD, F_SETFL, fcntl(FIRST_FD, F_GETFL) | O_NONBLOCK);
    *fd = FIRST_FD;
    return true;
}

void sd_notify_send(const char *lines) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, length);
    if (path[0] == '@') /* the abstract namespace */
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* A receiver that does not read must not delay signals. */
    const struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    /* If the message is lost, the receiver reaches its own timeout. */
    (void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&to, size);
    close(fd);
}

void sd_notify_reloading(void) {
    char lines[80];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    sd_notify_send(lines);
}
