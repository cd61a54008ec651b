/*
 * tls.h - the certificate and key of an encrypted listener
 *
 * TLS itself is libmicrohttpd's, by GnuTLS. Here files become credentials, and each new connection
 * gets those that are in force, so that a renewed certificate needs no restart.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TLS_FILE_BYTES (256u << 10) /* of a chain or a key, PEM */

/* TLS 1.2 and 1.3, with forward secrecy and authenticated encryption alone. */
#define TLS_PRIORITIES                                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"      \
    "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"

typedef struct tls tls;

/* Of two files, which the caller keeps the names of. NULL: explained on `errors`, by setting. */
tls *tls_new(const char *cert, const char *key, FILE *errors);
void tls_free(tls *t);

/* Reads both files again. False: explained; what there was stays in force. */
bool tls_reload(tls *t, FILE *errors);

/* A gnutls_session_t before its handshake: it shows the certificate that is in force now. */
void tls_begin(tls *t, void *session);

/* On the thread that reads from the session. Drops what does not go out at once. */
void tls_send(void *session, const void *bytes, size_t length);

/* The first certificate and key, for libmicrohttpd to start with, which wants them as text. */
char *tls_cert_text(const tls *t);
char *tls_key_text(const tls *t);

#endif
