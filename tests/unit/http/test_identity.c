#include "loopback.h"

#include "access/client_key.h"
#include "http/identity.h"

/* A server whose file of tokens admits one client, or one without a file. */
typedef struct fixture {
    server_state server;
    config config;
    char token[100];
    /* Of the last request. */
    identity identity;
    problem problem;
    bool admitted;
    const char *methods;
} fixture;

static void make_tokens(fixture *f, char *path) {
    char line[200];
    FILE *made = tmpfile();
    assert_non_null(made);
    assert_true(auth_make("alice", made, stderr));
    rewind(made);
    assert_non_null(fgets(f->token, sizeof f->token, made));
    f->token[strcspn(f->token, "\n")] = 0;
    assert_non_null(fgets(line, sizeof line, made));
    fclose(made);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    close(fd);
}

static void begin(fixture *f, bool guarded) {
    char path[] = "/tmp/fmixd-tokens-XXXXXX";
    *f = (fixture){.methods = "GET, HEAD"};
    f->server.config = &f->config;
    if (guarded)
        make_tokens(f, path);
    f->server.auth = auth_new(guarded ? path : "", stderr);
    assert_non_null(f->server.auth);
    if (guarded)
        unlink(path);
}

static void look(void *of, struct MHD_Connection *connection, const loopback_line *line) {
    fixture *f = of;
    f->identity = (identity){.client = 0};
    f->problem = (problem){0};
    identity_begin(&f->identity, connection);
    f->admitted = identity_admit(&f->identity, connection, &f->server, &f->problem);
    identity_share(&f->identity, connection, &f->server, line->method, f->methods);
}

static enum MHD_Result reply(void *of, struct MHD_Connection *connection) {
    (void)of;
    return loopback_reply_empty(connection);
}

static void ask(fixture *f, const char *method, const char *fields) {
    char request[1024], text[1024];
    const loopback l = {.reply = reply, .head = look, .user = f};
    snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, fields);
    assert_int_equal(loopback_ask(&l, request, text, sizeof text), 204);
}

static void without_a_file_of_tokens_everybody_is_admitted(void **state) {
    (void)state;
    fixture f;
    begin(&f, false);
    ask(&f, "GET", "Authorization: Bearer whatever\r\n");
    assert_true(f.admitted);
    assert_false(f.identity.guarded);
    assert_string_equal(f.identity.name, "");
    auth_free(f.server.auth);
}

static void a_client_without_a_token_counts_by_address(void **state) {
    (void)state;
    fixture f;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    begin(&f, false);
    ask(&f, "GET", "");
    assert_true(f.identity.client == client_key_of_address((const struct sockaddr *)&address));
    auth_free(f.server.auth);
}

static void a_client_with_a_token_counts_by_name(void **state) {
    (void)state;
    fixture f;
    char field[200];
    begin(&f, true);
    snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", f.token);
    ask(&f, "GET", field);
    assert_true(f.admitted && f.identity.guarded);
    assert_string_equal(f.identity.name, "alice");
    assert_true(f.identity.client == client_key_of_name("alice"));
    assert_null(f.identity.challenge);
    auth_free(f.server.auth);
}

static void assert_refused(fixture *f, const char *fields, int status, const char *challenge) {
    ask(f, "GET", fields);
    assert_false(f->admitted);
    assert_int_equal(f->problem.status, status);
    assert_string_equal(f->problem.errors[0].parameter, "Authorization");
    assert_string_equal(f->identity.name, "");
    assert_string_equal(f->identity.challenge, challenge);
}

static void a_refusal_has_the_challenge_of_rfc_6750(void **state) {
    (void)state;
    fixture f;
    char twice[400];
    begin(&f, true);
    assert_refused(&f, "", 401, "Bearer realm=\"fmixd\"");
    assert_refused(&f, "Authorization: Basic YTpi\r\n", 401, "Bearer realm=\"fmixd\"");
    assert_refused(&f, "Authorization: Bearer wrong\r\n", 401,
                   "Bearer realm=\"fmixd\", error=\"invalid_token\"");
    snprintf(twice, sizeof twice, "Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n",
             f.token, f.token);
    assert_refused(&f, twice, 400, "Bearer realm=\"fmixd\", error=\"invalid_request\"");
    auth_free(f.server.auth);
}

static void a_refusal_does_not_quote_the_token(void **state) {
    (void)state;
    fixture f;
    begin(&f, true);
    ask(&f, "GET", "Authorization: Bearer secret77\r\n");
    assert_null(strstr(f.problem.errors[0].detail, "secret77"));
    auth_free(f.server.auth);
}

static void pages_of_listed_origins_alone_may_read_an_answer(void **state) {
    (void)state;
    fixture f;
    begin(&f, false);
    strcpy(f.config.cors, "https://a.example");
    ask(&f, "GET", "Origin: https://a.example\r\n");
    assert_true(f.identity.cors.count > 0);
    assert_true(f.identity.cors.vary);
    ask(&f, "GET", "Origin: https://b.example\r\n");
    assert_int_equal(f.identity.cors.count, 0);
    ask(&f, "GET", "Origin: https://a.example\r\nOrigin: https://a.example\r\n");
    assert_int_equal(f.identity.cors.count, 0);
    auth_free(f.server.auth);
}

static void a_preflight_is_told_the_methods(void **state) {
    (void)state;
    fixture f;
    bool told = false;
    begin(&f, false);
    strcpy(f.config.cors, "*");
    ask(&f, "OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n");
    for (unsigned i = 0; i < f.identity.cors.count; i++)
        told |= strcmp(f.identity.cors.headers[i].name, "Access-Control-Allow-Methods") == 0 &&
                strcmp(f.identity.cors.headers[i].value, f.methods) == 0;
    assert_true(told);
    auth_free(f.server.auth);
}

RUN(T(without_a_file_of_tokens_everybody_is_admitted),
    T(a_client_without_a_token_counts_by_address), T(a_client_with_a_token_counts_by_name),
    T(a_refusal_has_the_challenge_of_rfc_6750), T(a_refusal_does_not_quote_the_token),
    T(pages_of_listed_origins_alone_may_read_an_answer), T(a_preflight_is_told_the_methods))
