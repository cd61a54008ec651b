#include "unit.h"

#include "access/auth.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* printf '%s' TOKEN | b2sum -l 256 */
#define FIRST       "first-token"
#define FIRST_HASH  "98d209b628b52982650e154ad54f22cc34e61132d9e957dabcc6a3eea5186679"
#define SECOND      "second-token"
#define SECOND_HASH "359c0f0b1c20d988f30ef59e0ecd7d522c9be0a92197123cae48784a342b8a19"

/* A file of tokens, and the messages about it. */
typedef struct fixture {
    char path[64];
    char said[600];
} fixture;

static int begin(void **state) {
    static fixture f;
    f = (fixture){.path = "/tmp/fmixd-test-auth-XXXXXX"};
    int fd = mkstemp(f.path);
    *state = &f;
    return fd >= 0 && close(fd) == 0 ? 0 : -1;
}

static int end(void **state) {
    fixture *f = *state;
    return unlink(f->path);
}

static void write_bytes(const fixture *f, const char *text, size_t length) {
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, length, out), length);
    fclose(out);
}

static void write_text(const fixture *f, const char *text) {
    write_bytes(f, text, strlen(text));
}

/* The tokens of the file, or NULL; f->said holds the messages. */
static auth *load(fixture *f) {
    memset(f->said, 0, sizeof f->said);
    FILE *errors = fmemopen(f->said, sizeof f->said, "w");
    auth *a = auth_new(f->path, errors);
    fclose(errors);
    return a;
}

static bool reload(fixture *f, auth *a) {
    memset(f->said, 0, sizeof f->said);
    FILE *errors = fmemopen(f->said, sizeof f->said, "w");
    bool good = auth_reload(a, errors);
    fclose(errors);
    return good;
}

static void assert_client(auth *a, const char *authorization, const char *name) {
    char found[AUTH_NAME + 1];
    assert_int_equal(auth_check(a, authorization, found), AUTH_KNOWN);
    assert_string_equal(found, name);
}

static void assert_nobody(auth *a, const char *authorization, auth_verdict verdict) {
    char found[AUTH_NAME + 1] = "x";
    assert_int_equal(auth_check(a, authorization, found), verdict);
    assert_string_equal(found, "");
}

static void only_the_whole_token_admits_its_client(void **state) {
    fixture *f = *state;
    write_text(f, "alice " FIRST_HASH "\nbob " SECOND_HASH "\n");
    auth *a = load(f);
    assert_non_null(a);
    assert_string_equal(f->said, "");
    assert_client(a, "Bearer " FIRST, "alice");
    assert_client(a, "Bearer " SECOND, "bob");
    assert_client(a, "bEARER   " FIRST, "alice");
    static const char *const unknown[] = {"Bearer " FIRST "x", "Bearer first-toke",
                                          "Bearer ",           "Bearer " FIRST_HASH,
                                          "Bearer " FIRST " ", "Bearer alice"};
    static const char *const missing[] = {
        "", FIRST, "Bearer", "Bearer\t" FIRST, "Basic x", "Bearer,", "Bearerfirst-token"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_nobody(a, unknown[i], AUTH_UNKNOWN);
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_nobody(a, missing[i], AUTH_MISSING);
    assert_nobody(a, NULL, AUTH_MISSING);
    auth_free(a);
}

static void without_a_file_anybody_may_ask(void **state) {
    (void)state;
    auth *a = auth_new("", stderr);
    assert_nobody(a, NULL, AUTH_OPEN);
    assert_nobody(a, "Bearer x", AUTH_OPEN);
    assert_true(auth_reload(a, stderr));
    auth_free(a);
}

static void comments_spaces_and_two_tokens_of_a_name_are_fine(void **state) {
    fixture *f = *state;
    write_text(f, "# who\n\n\talice\t" FIRST_HASH "  # old\r\nalice " SECOND_HASH);
    auth *a = load(f);
    assert_non_null(a);
    assert_client(a, "Bearer " FIRST, "alice");
    assert_client(a, "Bearer " SECOND, "alice");
    auth_free(a);
}

static void upper_case_hex_and_the_longest_name_are_fine(void **state) {
    fixture *f = *state;
    char name[AUTH_NAME + 1], line[256], hash[] = FIRST_HASH;
    memset(name, 'N', AUTH_NAME);
    name[AUTH_NAME] = 0;
    for (char *c = hash; *c; c++)
        *c = *c >= 'a' ? (char)(*c - 32) : *c;
    snprintf(line, sizeof line, "%s %s\n", name, hash);
    write_text(f, line);
    auth *a = load(f);
    assert_non_null(a);
    assert_client(a, "Bearer " FIRST, name);
    auth_free(a);
}

#define N63 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void a_wrong_line_is_refused_by_number_without_quoting_secrets(void **state) {
    fixture *f = *state;
    static const char *const lines[] = {"alice",
                                        "alice " FIRST,
                                        FIRST_HASH,
                                        "alice " FIRST_HASH "0",
                                        "alice 0" FIRST_HASH,
                                        "alice " FIRST_HASH " x",
                                        "al/ice " FIRST_HASH,
                                        N63 "n " FIRST_HASH,
                                        "alice=" FIRST_HASH,
                                        "alice g" SECOND_HASH,
                                        "zo\xc3\xab " FIRST_HASH,
                                        "bob " SECOND_HASH};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[400], where[100];
        snprintf(text, sizeof text, "# comment\nbob " SECOND_HASH "\n%s\n", lines[i]);
        snprintf(where, sizeof where, "%s:3: ", f->path);
        write_text(f, text);
        auth *a = load(f);
        assert_null(a);
        assert_non_null(strstr(f->said, where));
        assert_null(strstr(f->said, FIRST));
        assert_null(strstr(f->said, FIRST_HASH));
    }
}

static void a_missing_empty_or_huge_file_is_refused(void **state) {
    fixture *f = *state;
    write_text(f, "# nobody yet\n");
    assert_null(load(f));
    assert_non_null(strstr(f->said, "has no tokens"));
    write_bytes(f, "alice \0" FIRST_HASH, 71);
    assert_null(load(f));
    assert_non_null(strstr(f->said, "holds a NUL"));
    char *huge = malloc(AUTH_FILE_BYTES + 1);
    memset(huge, '\n', AUTH_FILE_BYTES + 1);
    write_bytes(f, huge, AUTH_FILE_BYTES + 1);
    free(huge);
    assert_null(load(f));
    assert_non_null(strstr(f->said, "has more than"));
    fixture none = {.path = "/nowhere/tokens"};
    assert_null(load(&none));
    assert_non_null(strstr(none.said, "tokens: '/nowhere/tokens' cannot be read: No such"));
    fixture folder = {.path = "/tmp"};
    assert_null(load(&folder));
    assert_non_null(strstr(folder.said, "is a directory; it must be a regular file"));
}

static void a_thousand_tokens_are_taken_and_no_more(void **state) {
    fixture *f = *state;
    static char text[(AUTH_TOKENS + 1) * 80];
    for (unsigned count = AUTH_TOKENS; count <= AUTH_TOKENS + 1; count++) {
        size_t used = 0;
        for (unsigned i = 1; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "n%u %064x\n", i, i);
        snprintf(text + used, sizeof text - used, "last " FIRST_HASH "\n");
        write_text(f, text);
        auth *a = load(f);
        assert_int_equal(a != NULL, count == AUTH_TOKENS);
        if (a)
            assert_client(a, "Bearer " FIRST, "last");
        else
            assert_non_null(strstr(f->said, ":1001: the file has more than 1000 tokens"));
        auth_free(a);
    }
}

static void a_reload_replaces_the_tokens_unless_the_file_is_bad(void **state) {
    fixture *f = *state;
    write_text(f, "alice " FIRST_HASH "\n");
    auth *a = load(f);
    write_text(f, "bob " SECOND_HASH "\n");
    assert_true(reload(f, a));
    assert_nobody(a, "Bearer " FIRST, AUTH_UNKNOWN);
    assert_client(a, "Bearer " SECOND, "bob");
    write_text(f, "alice " FIRST_HASH "\nbob\n");
    assert_false(reload(f, a));
    assert_non_null(strstr(f->said, ":2: "));
    assert_nobody(a, "Bearer " FIRST, AUTH_UNKNOWN);
    assert_client(a, "Bearer " SECOND, "bob");
    write_text(f, "");
    assert_false(reload(f, a));
    assert_client(a, "Bearer " SECOND, "bob");
    auth_free(a);
}

typedef struct asking {
    auth *auth;
    atomic_bool stop;
    atomic_uint known;
} asking;

static void *ask_always(void *of) {
    asking *a = of;
    while (!atomic_load(&a->stop)) {
        assert_client(a->auth, "Bearer " FIRST, "alice");
        atomic_fetch_add(&a->known, 1);
    }
    return NULL;
}

static void a_client_stays_known_during_reloads(void **state) {
    fixture *f = *state;
    pthread_t threads[2];
    asking asks[2] = {0};
    write_text(f, "alice " FIRST_HASH "\n");
    auth *a = load(f);
    for (int i = 0; i < 2; i++) {
        asks[i].auth = a;
        assert_int_equal(pthread_create(&threads[i], NULL, ask_always, &asks[i]), 0);
        UNIT_UNTIL(atomic_load(&asks[i].known) > 0); /* a busy machine delays the thread */
    }
    for (int turn = 0; turn < 200; turn++)
        assert_true(reload(f, a));
    for (int i = 0; i < 2; i++) {
        atomic_store(&asks[i].stop, true);
        pthread_join(threads[i], NULL);
    }
    auth_free(a);
}

static void a_file_that_others_may_read_is_taken_with_a_warning(void **state) {
    fixture *f = *state;
    write_text(f, "alice " FIRST_HASH "\n");
    static const struct {
        mode_t mode;
        const char *said;
    } modes[] = {{0600, ""}, {0640, ""}, {0644, "others may read"}, {0662, "others may write"}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(f->path, modes[i].mode), 0);
        auth *a = load(f);
        assert_non_null(a);
        auth_free(a);
        assert_non_null(strstr(f->said, modes[i].said));
        assert_int_equal(f->said[0] == 0, modes[i].said[0] == 0);
    }
}

static void a_new_token_is_random_and_its_line_admits_it(void **state) {
    fixture *f = *state;
    char made[2][256] = {"", ""};
    for (int i = 0; i < 2; i++) {
        FILE *out = fmemopen(made[i], sizeof made[i], "w");
        assert_true(auth_make("alice", out, stderr));
        fclose(out);
        char *line = strchr(made[i], '\n');
        assert_int_equal(line - made[i], 43); /* 256 bits in base64, no padding */
        *line++ = 0;
        write_text(f, line);
        auth *a = load(f);
        char authorization[8 + sizeof made];
        snprintf(authorization, sizeof authorization, "Bearer %s", made[i]);
        assert_client(a, authorization, "alice");
        auth_free(a);
    }
    assert_string_not_equal(made[0], made[1]);
}

static void an_invalid_name_gets_no_token(void **state) {
    fixture *f = *state;
    static const char *const names[] = {"", "a b", "a\n", "a#", "\xc3\xab", N63 "n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[256] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        FILE *errors = fmemopen(f->said, sizeof f->said, "w");
        assert_false(auth_make(names[i], out, errors));
        fclose(out);
        fclose(errors);
        assert_string_equal(text, "");
        assert_non_null(strstr(f->said, "1 to 63 characters"));
    }
}

static void a_token_that_cannot_be_written_is_an_error(void **state) {
    fixture *f = *state;
    FILE *out = fopen("/dev/full", "w");
    FILE *errors = fmemopen(f->said, sizeof f->said, "w");
    assert_non_null(out);
    assert_false(auth_make("alice", out, errors));
    fclose(out);
    fclose(errors);
    assert_string_equal(f->said, "fmixd: the token cannot be written: No space left on device\n");
}

#define F(name) cmocka_unit_test_setup_teardown(name, begin, end)

RUN(F(only_the_whole_token_admits_its_client), T(without_a_file_anybody_may_ask),
    F(comments_spaces_and_two_tokens_of_a_name_are_fine),
    F(upper_case_hex_and_the_longest_name_are_fine),
    F(a_wrong_line_is_refused_by_number_without_quoting_secrets),
    F(a_missing_empty_or_huge_file_is_refused), F(a_token_that_cannot_be_written_is_an_error),
    F(a_thousand_tokens_are_taken_and_no_more),
    F(a_reload_replaces_the_tokens_unless_the_file_is_bad), F(a_client_stays_known_during_reloads),
    F(a_file_that_others_may_read_is_taken_with_a_warning),
    F(a_new_token_is_random_and_its_line_admits_it), F(an_invalid_name_gets_no_token))
