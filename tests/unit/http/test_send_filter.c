#include "unit.h"

#include "http/send_filter.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 6\r\n\r\n"
#define OURS "HTTP/1.1 400 Bad Request\r\nX-Fmix-Stream: 1\r\nContent-Length: 6\r\n\r\n"

static struct iovec part_of(const char *text) {
    return (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

static void a_page_is_recognised_by_its_head(void **state) {
    (void)state;
    static const struct {
        const char *head, *body;
        int status; /* 0: no page */
        bool has_body;
    } table[] = {
        {HEAD, "", 400, false},
        {HEAD, "<html>", 400, true},
        {HEAD "<html>", "", 400, true},
        {HEAD HEAD, "", 400, false},
        {HEAD HEAD, "<html>", 400, true},
        {HEAD HEAD "<html>", "", 400, true},
        {"HTTP/1.0 505 x\r\n\r\n", "", 505, false},
        {OURS, "{}", 0, false},
        {"HTTP/1.1 404 Not Found\r\nX-Fmix-Stream: 1\r\n\r\n", "", 0, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", "", 0, false},
        {"HTTP/1.1 200 OK\r\n\r\n", "", 0, false},
        {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n", "", 0, false},
        {"HTTP/1.1 400", "", 0, false},
        {"HTTP/1.1 4x0 \r\n\r\n", "", 0, false},
        {"HTTP/1.", "", 0, false},
        {"", "", 0, false},
        {"\x16\x03\x01", "", 0, false},
        {" " HEAD, "", 0, false},
        {HEAD "X-Fmix-Stream: 1\r\n", "", 400, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct iovec parts[] = {part_of(table[i].head), part_of(table[i].body)};
        send_page page;
        bool found = send_filter_finds(parts, 2, &page);
        if (found != (table[i].status != 0))
            fail_msg("%zu", i);
        if (found && (page.status != table[i].status || page.body != table[i].has_body))
            fail_msg("%zu: %d %d", i, page.status, page.body);
    }
    send_page page;
    assert_false(send_filter_finds(NULL, 0, &page));
}

/* Records the questions to a filter, and holds its answers. */
typedef struct recorder {
    int asked, fd, status;
    bool replaces;
    bool by_304;
    const char *sent, *others; /* bytes that stand for others */
    unsigned broken;
} recorder;

static bool replaces(void *of, int fd, void *session, const send_page *page) {
    recorder *d = of;
    assert_null(session);
    d->asked++;
    d->fd = fd;
    d->status = page->status;
    return d->replaces;
}

/* The filter's question whether the request was answered with 304. */
static bool shortens(void *of, int fd) {
    const recorder *d = of;
    (void)fd;
    return d->by_304;
}

/* The filter's question which bytes are to be sent. */
static const void *stands_for(void *of, int fd, const void *bytes, size_t length) {
    const recorder *d = of;
    (void)fd;
    (void)length;
    return bytes == d->sent ? d->others : NULL;
}

static void breaks(void *of, int fd) {
    recorder *d = of;
    d->fd = fd;
    d->broken++;
    errno = 0;
}

/* By send, or by sendmsg in two parts. */
static ssize_t write_to(int fd, const char *text, bool parts) {
    size_t length = strlen(text);
    struct iovec pieces[] = {part_of(text), {NULL, 0}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    return parts ? sendmsg(fd, &message, MSG_NOSIGNAL) : send(fd, text, length, MSG_NOSIGNAL);
}

/* Takes what arrived. */
static void assert_arrived(int fd, const char *text) {
    char got[512] = "";
    assert_int_equal(recv(fd, got, sizeof got - 1, 0), strlen(text));
    assert_string_equal(got, text);
}

static void a_page_is_sent_unless_the_filter_replaces_it(void **state) {
    (void)state;
    recorder d = {0};
    const send_filter filter = {replaces, shortens, stands_for, breaks, &d};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    send_filter_set(&filter);
    for (int parts = 0; parts < 2; parts++) {
        d = (recorder){.replaces = false};
        assert_int_equal(write_to(ends[0], HEAD, parts), strlen(HEAD));
        assert_arrived(ends[1], HEAD);
        assert_int_equal(d.asked, 1);
        assert_int_equal(d.fd, ends[0]);
        assert_int_equal(d.status, 400);
        d.replaces = true;
        errno = 0;
        assert_int_equal(write_to(ends[0], HEAD, parts), -1);
        assert_int_equal(errno, ECONNRESET);
        assert_int_equal(d.asked, 2);
        assert_int_equal(write_to(ends[0], OURS, parts), strlen(OURS));
        assert_arrived(ends[1], OURS);
        assert_int_equal(d.asked, 2);
    }
    send_filter_set(NULL);
    close(ends[0]);
    close(ends[1]);
}

#define KNOWN "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n"
#define ZERO  "Content-Length: 0\r\n"

static void a_304_loses_a_length_of_zero(void **state) {
    (void)state;
    recorder d = {.by_304 = true};
    const send_filter filter = {replaces, shortens, stands_for, breaks, &d};
    static const char *const others[] = {
        "HTTP/1.1 200 OK\r\n" ZERO "\r\n",
        KNOWN "Content-Length: 10\r\n\r\n",
        KNOWN "\r\n",
        KNOWN ZERO "X: y\r\n\r\n",
        "HTTP/1.1 304 ",
        "",
    };
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(send_filter_cuts(7, KNOWN ZERO "\r\n", strlen(KNOWN ZERO "\r\n")), 0);
    send_filter_set(&filter);
    assert_int_equal(write_to(ends[0], KNOWN ZERO "\r\n", false), strlen(KNOWN ZERO "\r\n"));
    assert_arrived(ends[1], KNOWN "\r\n");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(send_filter_cuts(7, others[i], strlen(others[i])), 0);
    assert_int_equal(d.asked, 0);
    d.by_304 = false; /* a body that looks like one */
    assert_int_equal(write_to(ends[0], KNOWN ZERO "\r\n", false), strlen(KNOWN ZERO "\r\n"));
    assert_arrived(ends[1], KNOWN ZERO "\r\n");
    d.by_304 = true;
    close(ends[1]);
    assert_int_equal(write_to(ends[0], KNOWN ZERO "\r\n", false), -1);
    send_filter_set(NULL);
    close(ends[0]);
}

static void bytes_that_stand_for_others_are_not_sent_themselves(void **state) {
    (void)state;
    static const char block[] = HEAD, body[] = KNOWN ZERO "\r\n";
    recorder d = {.by_304 = true, .sent = block, .others = body};
    const send_filter filter = {replaces, shortens, stands_for, breaks, &d};
    int ends[2];
    char got[200] = "";
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_null(send_filter_others(ends[0], block, 7));
    send_filter_set(&filter);
    uint64_t before = send_filter_calls();
    assert_int_equal(send(ends[0], block, sizeof body - 1, MSG_NOSIGNAL), sizeof body - 1);
    assert_int_equal(recv(ends[1], got, sizeof got - 1, 0), sizeof body - 1);
    assert_string_equal(got, body); /* they are of a body, whatever they look like */
    assert_int_equal(d.asked, 0);
    assert_int_equal(send_filter_calls(), before + 1);
    send_filter_set(NULL);
    close(ends[0]);
    close(ends[1]);
}

/* As of a file that was cut. */
static void bytes_that_cannot_be_read_break_the_reply(void **state) {
    (void)state;
    static const char block[] = "block";
    void *gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(gone != MAP_FAILED);
    recorder d = {.sent = block, .others = gone};
    const send_filter filter = {replaces, shortens, stands_for, breaks, &d};
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    send_filter_set(&filter);
    assert_int_equal(send(ends[0], block, sizeof block, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(d.broken, 1);
    assert_int_equal(d.fd, ends[0]);
    d.others = "a word";
    close(ends[1]);
    assert_int_equal(send(ends[0], block, sizeof block, MSG_NOSIGNAL), -1); /* the client's doing */
    assert_int_equal(d.broken, 1);
    send_filter_set(NULL);
    close(ends[0]);
    munmap(gone, 4096);
}

static void a_thread_without_a_filter_sends_anything(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(write_to(ends[0], HEAD, false), strlen(HEAD));
    assert_arrived(ends[1], HEAD);
    close(ends[1]);
    assert_int_equal(write_to(ends[0], HEAD, true), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[0]);
}

static void each_call_is_counted(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    uint64_t before = send_filter_calls();
    write_to(ends[0], "x", false);
    write_to(ends[0], OURS, true);
    assert_int_equal(send_filter_calls(), before + 2);
    close(ends[0]);
    close(ends[1]);
}

RUN(T(a_page_is_recognised_by_its_head), T(a_page_is_sent_unless_the_filter_replaces_it),
    T(a_304_loses_a_length_of_zero), T(bytes_that_stand_for_others_are_not_sent_themselves),
    T(bytes_that_cannot_be_read_break_the_reply), T(a_thread_without_a_filter_sends_anything),
    T(each_call_is_counted))
