#include "direct_reply.h"
#include "tls.h"

#include <sys/socket.h>
#include <time.h>

#define BODY_BYTES  (16u << 10)
#define REPLY_BYTES (17u << 10)

/* RFC 9110 §5.6.7. */
static void print_date(buffer *out) {
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct timespec now;
    struct tm t;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &t);
    buffer_print(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + 3 * t.tm_wday,
                 t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void print_head(const identity *client, const problem *p, size_t length, buffer *out) {
    buffer_print(out, "HTTP/1.1 %d %s\r\n", p->status, problem_title(p->status));
    print_date(out);
    buffer_print(out,
                 "Connection: close\r\nX-Fmix-Stream: %d\r\nCache-Control: no-store\r\n"
                 "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n",
                 FMIX_STREAM, length);
    for (unsigned i = 0; client && i < client->cors.count; i++)
        buffer_print(out, "%s: %s\r\n", client->cors.headers[i].name,
                     client->cors.headers[i].value);
    buffer_text(out, "\r\n");
}

size_t direct_reply_send(int fd, void *session, const identity *client, const problem *p,
                         bool has_body) {
    buffer body = buffer_of(BODY_BYTES), reply = buffer_of(REPLY_BYTES);
    problem_render(p, &body);
    print_head(client, p, body.length, &reply);
    if (has_body)
        buffer_add(&reply, body.bytes, body.length);
    bool good = !body.failed && !reply.failed;
    size_t sent = good && has_body ? body.length : 0;
    if (good && session)
        tls_send(session, reply.bytes, reply.length);
    else if (good)
        send(fd, reply.bytes, reply.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    buffer_free(&body);
    buffer_free(&reply);
    return sent;
}
