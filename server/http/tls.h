/*
 * tls.h - the certificate and key of an encrypted listener
 *
 * libmicrohttpd does TLS, by GnuTLS. This file reads credentials, and gives each new connection the
 * newest ones, so that a renewed certificate does not need a restart.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#define TLS_FILE_BYTES (256u << 10) /* limit of a certificate chain or a key, PEM */

/* Only TLS 1.2 and 1.3, with forward secrecy and authenticated encryption. */
#define TLS_PRIORITIES                                                                             \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"      \
    "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"

typedef struct tls tls;

/* Reads two files, whose names are borrowed. NULL: explained on `errors`, with the setting's name.
 */
tls *tls_new(const char *cert, const char *key, FILE *errors);
void tls_free(tls *t);

/* Reads both files again. False: explained; the previous certificate stays in force. */
bool tls_reload(tls *t, FILE *errors);

/* Gives a gnutls_session_t, before its handshake, the certificate that is in force, and bounds what
 * the client may send in the handshake. */
void tls_begin(tls *t, void *session);

/* For the thread that reads from the session. Drops bytes that cannot be sent at once. */
void tls_send(void *session, const void *bytes, size_t length);

/* When the newest certificate ends, or the first of its chain. For the thread that reloads. */
time_t tls_ends(const tls *t);

/* The newest certificate and key as text, by which libmicrohttpd starts. */
char *tls_cert_text(const tls *t);
char *tls_key_text(const tls *t);

#endif
