#include "unit.h"

#include "http/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A certificate and its key as files in a folder of their own, and the messages about them. */
typedef struct fixture {
    char folder[32], cert[64], key[64];
    char said[1000];
} fixture;

static void write_file(const char *path, const void *bytes, size_t length) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
}

static void write_key(const fixture *f, gnutls_x509_privkey_t key) {
    gnutls_datum_t text;
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(f->key, text.data, text.size);
    gnutls_free(text.data);
}

/* A new key, and a certificate that is signed with it and ends then. */
static void write_pair_until(const fixture *f, time_t end) {
    static const unsigned char serial[] = {1};
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t cert;
    gnutls_datum_t text;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_crt_init(&cert), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(cert, serial, sizeof serial), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(cert, end - 7200), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, end), 0);
    assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &text), 0);
    write_file(f->cert, text.data, text.size);
    write_key(f, key);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
}

static void write_pair(const fixture *f) {
    write_pair_until(f, time(NULL) + 3600);
}

static void begin(fixture *f) {
    *f = (fixture){.folder = "/tmp/fmixd-tls-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->cert, sizeof f->cert, "%s/cert.pem", f->folder);
    snprintf(f->key, sizeof f->key, "%s/key.pem", f->folder);
    write_pair(f);
}

static void end(fixture *f) {
    unlink(f->cert);
    unlink(f->key);
    assert_int_equal(rmdir(f->folder), 0);
}

static tls *open_pair(fixture *f, const char *cert, const char *key) {
    FILE *errors = fmemopen(f->said, sizeof f->said, "w");
    assert_non_null(errors);
    tls *t = tls_new(cert, key, errors);
    fclose(errors);
    return t;
}

static bool reload(fixture *f, tls *t) {
    FILE *errors = fmemopen(f->said, sizeof f->said, "w");
    assert_non_null(errors);
    bool good = tls_reload(t, errors);
    fclose(errors);
    return good;
}

static void a_certificate_and_its_key_are_taken(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    assert_non_null(strstr(tls_cert_text(t), "BEGIN CERTIFICATE"));
    assert_non_null(strstr(tls_key_text(t), "PRIVATE KEY"));
    tls_free(t);
    end(&f);
}

static void one_setting_without_the_other_is_named(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    assert_null(open_pair(&f, f.cert, ""));
    assert_non_null(strstr(f.said, "tls_cert is set and tls_key is not"));
    assert_null(open_pair(&f, "", f.key));
    assert_non_null(strstr(f.said, "tls_key is set and tls_cert is not"));
    end(&f);
}

static void the_file_that_is_wrong_is_named(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    assert_null(open_pair(&f, f.key, f.key));
    assert_non_null(strstr(f.said, "fmixd: tls_cert: "));
    assert_non_null(strstr(f.said, f.key));
    assert_null(open_pair(&f, f.cert, f.cert));
    assert_non_null(strstr(f.said, "fmixd: tls_key: "));
    end(&f);
}

static void the_key_of_another_certificate_is_refused(void **state) {
    (void)state;
    fixture f;
    gnutls_x509_privkey_t other;
    begin(&f);
    assert_int_equal(gnutls_x509_privkey_init(&other), 0);
    assert_int_equal(gnutls_x509_privkey_generate(other, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
                                                  0),
                     0);
    write_key(&f, other);
    gnutls_x509_privkey_deinit(other);
    assert_null(open_pair(&f, f.cert, f.key));
    assert_non_null(strstr(f.said, "is not the key of the certificate"));
    end(&f);
}

static void a_certificate_that_ended_is_taken_and_told(void **state) {
    (void)state;
    static const time_t past = 1600000000; /* 2020-09-13T12:26:40Z */
    fixture f;
    begin(&f);
    write_pair_until(&f, past);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    assert_true(tls_ends(t) == past);
    assert_non_null(strstr(f.said, "cert.pem' ended at 2020-09-13T12:26:40Z"));
    time_t later = time(NULL) + 1800;
    write_pair_until(&f, later);
    assert_true(reload(&f, t));
    assert_true(tls_ends(t) == later);
    assert_null(strstr(f.said, "ended"));
    tls_free(t);
    end(&f);
}

static void a_reload_puts_a_new_certificate_in_force(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    char *before = strdup(tls_cert_text(t));
    write_pair(&f);
    assert_true(reload(&f, t));
    assert_string_not_equal(tls_cert_text(t), before);
    free(before);
    tls_free(t);
    end(&f);
}

static void a_reload_that_fails_keeps_the_certificate(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    char *before = strdup(tls_cert_text(t));
    write_file(f.cert, "nonsense", 8);
    assert_false(reload(&f, t));
    assert_non_null(strstr(f.said, "tls_cert"));
    assert_string_equal(tls_cert_text(t), before);
    free(before);
    tls_free(t);
    end(&f);
}

/* A renewal a day must not grow for ever if nothing is renewed. */
static void a_reload_of_the_same_files_keeps_no_second_copy(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    const char *before = tls_cert_text(t);
    assert_true(reload(&f, t));
    assert_ptr_equal(tls_cert_text(t), before);
    tls_free(t);
    end(&f);
}

static void a_session_begins_with_the_certificate_in_force(void **state) {
    (void)state;
    fixture f;
    gnutls_session_t session;
    void *first = NULL, *second = NULL;
    begin(&f);
    tls *t = open_pair(&f, f.cert, f.key);
    assert_non_null(t);
    assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
    tls_begin(t, session);
    assert_int_equal(gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE, &first), 0);
    write_pair(&f);
    assert_true(reload(&f, t));
    tls_begin(t, session);
    assert_int_equal(gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE, &second), 0);
    assert_ptr_not_equal(first, second);
    gnutls_deinit(session);
    tls_free(t);
    end(&f);
}

RUN(T(a_certificate_and_its_key_are_taken), T(one_setting_without_the_other_is_named),
    T(the_file_that_is_wrong_is_named), T(the_key_of_another_certificate_is_refused),
    T(a_certificate_that_ended_is_taken_and_told), T(a_reload_puts_a_new_certificate_in_force),
    T(a_reload_that_fails_keeps_the_certificate),
    T(a_reload_of_the_same_files_keeps_no_second_copy),
    T(a_session_begins_with_the_certificate_in_force))
