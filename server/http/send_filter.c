#include "send_filter.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static const char version[] = "HTTP/1.", ours[] = "\r\nX-Fmix-Stream:", end[] = "\r\n\r\n";

static _Thread_local const send_filter *filter;
static _Thread_local uint64_t calls;

void send_filter_set(const send_filter *f) {
    filter = f;
}

uint64_t send_filter_calls(void) {
    return calls;
}

/* "HTTP/1.1 400 Bad Request": the status, or 0. */
static int status_of(const char *head, size_t length) {
    size_t at = sizeof version + 1; /* after the version's last digit and a space */
    int status = 0;
    if (length < at + 3 || memcmp(head, version, sizeof version - 1) != 0)
        return 0;
    for (size_t i = at; i < at + 3; i++) {
        if (head[i] < '0' || head[i] > '9')
            return 0;
        status = 10 * status + (head[i] - '0');
    }
    return status;
}

/* The bytes after the first head; NULL: the head does not end here. */
static const char *after_head(const char *head, size_t length) {
    const char *stop = memmem(head, length, end, sizeof end - 1);
    return stop ? stop + sizeof end - 1 : NULL;
}

bool send_filter_finds(const struct iovec *parts, size_t count, send_page *out) {
    const char *head = count ? parts[0].iov_base : NULL, *at;
    size_t left = count ? parts[0].iov_len : 0;
    out->status = status_of(head, left);
    if (out->status < 400 || !(at = after_head(head, left)) ||
        memmem(head, (size_t)(at - head), ours, sizeof ours - 1))
        return false;
    for (; at; at = status_of(at, left) ? after_head(at, left) : NULL) {
        left -= (size_t)(at - head);
        head = at;
    }
    out->body = left > 0 || (count > 1 && parts[1].iov_len > 0);
    return true;
}

size_t send_filter_cuts(int fd, const void *bytes, size_t length) {
    static const char begin[] = "HTTP/1.1 304 ", zero[] = "\r\nContent-Length: 0\r\n\r\n";
    size_t tail = sizeof zero - 1;
    const char *head = bytes;
    bool cuts = filter && length > sizeof begin + tail &&
                memcmp(head, begin, sizeof begin - 1) == 0 &&
                memcmp(head + length - tail, zero, tail) == 0 && filter->shortens(filter->user, fd);
    return cuts ? length - SEND_FILTER_LENGTH - 2 : 0;
}

bool send_filter_stops(int fd, void *session, const struct iovec *parts, size_t count) {
    send_page page;
    calls++;
    if (!filter || !send_filter_finds(parts, count, &page))
        return false;
    page.body |= session != NULL; /* in TLS, the body is sent by another call */
    return filter->replaces(filter->user, fd, session, &page);
}

const void *send_filter_others(int fd, const void *bytes, size_t length) {
    return filter ? filter->stands_for(filter->user, fd, bytes, length) : NULL;
}

/* The same as sendmsg, without the function of that name, which this program defines. sendmmsg
 * would cost a twentieth of a small request more. */
static ssize_t send_message(int fd, const struct msghdr *message, int flags) {
    return syscall(SYS_sendmsg, fd, message, flags);
}

/* Returns the count that sending the whole head would return. */
static ssize_t send_cut(int fd, const void *bytes, size_t kept, int flags) {
    struct iovec parts[] = {{(void *)(uintptr_t)bytes, kept}, {(char[]){"\r\n"}, 2}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = send_message(fd, &message, flags);
    return sent > (ssize_t)kept ? sent + (ssize_t)SEND_FILTER_LENGTH : sent;
}

static ssize_t send_others(int fd, const void *bytes, size_t length, int flags) {
    ssize_t sent = sendto(fd, bytes, length, flags, NULL, 0);
    if (sent < 0 && errno == EFAULT) {
        filter->breaks(filter->user, fd);
        errno = EFAULT;
    }
    return sent;
}

/* sendto without an address is the same as send (send(2)). */
EXPORTED ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    const void *others = send_filter_others(fd, bytes, length);
    if (others) { /* of a body, and not a head */
        calls++;
        return send_others(fd, others, length, flags);
    }
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    if (send_filter_stops(fd, NULL, &part, 1)) {
        errno = ECONNRESET;
        return -1;
    }
    size_t kept = send_filter_cuts(fd, bytes, length);
    return kept ? send_cut(fd, bytes, kept, flags) : sendto(fd, bytes, length, flags, NULL, 0);
}

EXPORTED ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    if (send_filter_stops(fd, NULL, message->msg_iov, message->msg_iovlen)) {
        errno = ECONNRESET;
        return -1;
    }
    return send_message(fd, message, flags);
}
