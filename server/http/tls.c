#include "tls.h"
#include "base/file.h"
#include "base/message.h"
#include "send_filter.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <linux/sockios.h> /* SIOCINQ */
#include <linux/tcp.h>     /* tcp_info with tcpi_bytes_received, which glibc's lacks */
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

/* That a client may send in a handshake; a ClientHello has some 2 KiB. */
#define HANDSHAKE_MOST (16u << 10)

#define HEAD_BYTES 4096 /* of a 304 */

/* A session points at its pair until the session is freed, which libmicrohttpd does after its last
 * callback. So each pair stays until the daemon ends: some 10 KB a renewal. */
typedef struct pair {
    struct pair *older;
    gnutls_certificate_credentials_t credentials;
    char *cert, *key; /* as text */
    time_t ends;      /* the first of the chain to */
} pair;

struct tls {
    pthread_mutex_t lock; /* of newest */
    pair *newest;
    const char *cert, *key; /* file names, borrowed */
};

/* Told but not refused: a daemon that did not start would serve nobody, and some clients do not
 * check. */
static void tell_end(const char *path, time_t ends, FILE *errors) {
    char day[sizeof "-2147483648-12-31T23:59:60Z"];
    struct tm utc;
    if (ends > time(NULL) || !gmtime_r(&ends, &utc))
        return;
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%SZ", &utc);
    message_print(errors,
                  "fmixd: tls_cert: '%s' ended at %s; clients that check it will not connect\n",
                  path, day);
}

/* Checked apart, so that the message names the file that is wrong. */
static bool is_certificate(const char *path, const gnutls_datum_t *text, time_t *ends,
                           FILE *errors) {
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    int code = gnutls_x509_crt_list_import2(&chain, &count, text, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        message_print(errors, "fmixd: tls_cert: '%s' is not a PEM certificate: %s\n", path,
                      gnutls_strerror(code));
    for (unsigned i = 0; code >= 0 && i < count; i++) {
        time_t end = gnutls_x509_crt_get_expiration_time(chain[i]);
        if (i == 0 || end < *ends)
            *ends = end;
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    return code >= 0;
}

static bool fill(pair *p, const tls *t, FILE *errors) {
    p->cert = file_read("tls_cert", t->cert, TLS_FILE_BYTES, false, errors);
    p->key = p->cert ? file_read("tls_key", t->key, TLS_FILE_BYTES, true, errors) : NULL;
    if (!p->key)
        return false;
    const gnutls_datum_t cert = {(unsigned char *)p->cert, (unsigned)strlen(p->cert)};
    const gnutls_datum_t key = {(unsigned char *)p->key, (unsigned)strlen(p->key)};
    if (!is_certificate(t->cert, &cert, &p->ends, errors))
        return false;
    int code = gnutls_certificate_allocate_credentials(&p->credentials);
    if (code >= 0)
        code =
            gnutls_certificate_set_x509_key_mem(p->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        message_print(errors, "fmixd: tls_key: '%s' is not the key of the certificate in '%s'\n",
                      t->key, t->cert);
    else if (code < 0)
        message_print(errors, "fmixd: tls_key: '%s' is not an unencrypted PEM key: %s\n", t->key,
                      gnutls_strerror(code));
    else
        tell_end(t->cert, p->ends, errors);
    return code >= 0;
}

static void free_pair(pair *p) {
    if (p->credentials)
        gnutls_certificate_free_credentials(p->credentials);
    file_free(p->cert);
    file_free(p->key);
    free(p);
}

static pair *read_pair(const tls *t, FILE *errors) {
    pair *p = calloc(1, sizeof *p);
    if (!p)
        message_print(errors, "fmixd: tls_cert: out of memory\n");
    else if (fill(p, t, errors))
        return p;
    if (p)
        free_pair(p);
    return NULL;
}

tls *tls_new(const char *cert, const char *key, FILE *errors) {
    if (!*cert || !*key) {
        message_print(errors, "fmixd: %s is set and %s is not; TLS needs both\n",
                      *cert ? "tls_cert" : "tls_key", *cert ? "tls_key" : "tls_cert");
        return NULL;
    }
    tls *t = calloc(1, sizeof *t);
    if (!t) {
        message_print(errors, "fmixd: tls_cert: out of memory\n");
        return NULL;
    }
    t->cert = cert;
    t->key = key;
    pthread_mutex_init(&t->lock, NULL);
    t->newest = read_pair(t, errors);
    if (!t->newest) {
        tls_free(t);
        return NULL;
    }
    return t;
}

void tls_free(tls *t) {
    if (!t)
        return;
    for (pair *p = t->newest, *older; p; p = older) {
        older = p->older;
        free_pair(p);
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* For one thread. Files that have not changed do not take more memory. */
bool tls_reload(tls *t, FILE *errors) {
    pair *fresh = read_pair(t, errors);
    if (!fresh)
        return false;
    if (strcmp(fresh->cert, t->newest->cert) == 0 && strcmp(fresh->key, t->newest->key) == 0) {
        free_pair(fresh);
        return true;
    }
    pthread_mutex_lock(&t->lock);
    fresh->older = t->newest;
    t->newest = fresh;
    pthread_mutex_unlock(&t->lock);
    return true;
}

static ssize_t pull(gnutls_transport_ptr_t fd, void *out, size_t room) {
    return recv((int)(intptr_t)fd, out, room, 0);
}

/* GnuTLS keeps an unfinished message of a handshake whatever its length, which can be 16 MiB, and
 * its own limits do not count it. So what was read from the socket is counted here. */
static ssize_t pull_handshake(gnutls_transport_ptr_t of, void *out, size_t room) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    int fd = (int)(intptr_t)of, unread = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        ioctl(fd, SIOCINQ, &unread) == 0 &&
        info.tcpi_bytes_received > HANDSHAKE_MOST + (uint64_t)unread) {
        errno = ECONNRESET;
        return -1;
    }
    return pull(of, out, room);
}

/* The client's last message of a handshake has come. */
static int end_handshake(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                         const gnutls_datum_t *message) {
    (void)type;
    (void)when;
    (void)message;
    if (incoming)
        gnutls_transport_set_pull_function(session, pull);
    return 0;
}

/* Out of memory: the session keeps libmicrohttpd's credentials, those of the start. */
void tls_begin(tls *t, void *session) {
    pthread_mutex_lock(&t->lock);
    gnutls_certificate_credentials_t credentials = t->newest->credentials;
    pthread_mutex_unlock(&t->lock);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_pull_function(session, pull_handshake);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       end_handshake);
}

/* Replaces GnuTLS's function for libmicrohttpd's calls. gnutls_record_send2 does the same. */
__attribute__((visibility("default"))) ssize_t
gnutls_record_send(gnutls_session_t session, const void *data, size_t data_size) {
    const struct iovec part = {(void *)(uintptr_t)data, data_size};
    if (send_filter_stops(gnutls_transport_get_int(session), session, &part, 1))
        return GNUTLS_E_PUSH_ERROR;
    size_t kept = send_filter_cuts(gnutls_transport_get_int(session), data, data_size);
    char head[HEAD_BYTES];
    if (kept == 0 || kept + 2 > sizeof head)
        return gnutls_record_send2(session, data, data_size, 0, 0);
    memcpy(head, data, kept);
    memcpy(head + kept, "\r\n", 2);
    ssize_t sent = gnutls_record_send2(session, head, kept + 2, 0, 0);
    return sent > (ssize_t)kept ? sent + (ssize_t)SEND_FILTER_LENGTH : sent;
}

void tls_send(void *session, const void *bytes, size_t length) {
    const char *at = bytes;
    for (ssize_t sent = 0; length > 0; at += sent, length -= (size_t)sent) {
        sent = gnutls_record_send(session, at, length);
        if (sent <= 0)
            return;
    }
}

time_t tls_ends(const tls *t) {
    return t->newest->ends;
}

char *tls_cert_text(const tls *t) {
    return t->newest->cert;
}

char *tls_key_text(const tls *t) {
    return t->newest->key;
}
