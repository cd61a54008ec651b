#include "unit.h"

#include "formats/multipart.h"

#include <stdio.h>

#define TYPE "multipart/form-data; boundary=B"
#define HEAD "Content-Disposition: form-data; name=\"x\""
#define PART "--B\r\n" HEAD "\r\n\r\nabc\r\n"

/* Reads a copy that ends where the bytes end, so that sanitizers see a byte too far. */
static bool read_bytes(const char *type, const char *bytes, size_t length, multipart *out,
                       problem *p, unsigned char **copy) {
    *copy = malloc(length + !length);
    memcpy(*copy, bytes, length);
    const upload_body body = {.bytes = *copy, .length = length, .content_type = type};
    *p = (problem){0};
    multipart_peek(&body);
    bool good = multipart_read(&body, out, p);
    assert_int_equal(good, p->status == 0);
    return good;
}

static void refused(const char *type, const char *bytes, size_t length, int status,
                    const char *why) {
    multipart m;
    problem p;
    unsigned char *copy;
    assert_false(read_bytes(type, bytes, length, &m, &p, &copy));
    if (!strstr(p.errors[0].detail, why))
        fail_msg("%s\nis not '%s'", p.errors[0].detail, why);
    assert_int_equal(p.status, status);
    multipart_free(&m);
    free(copy);
}

static void assert_text(field_text t, const char *expected) {
    assert_int_equal(t.length, strlen(expected));
    assert_memory_equal(t.at, expected, t.length);
}

static void parts_have_name_file_type_and_bytes(void **state) {
    (void)state;
    static const char bytes[] =
        "--B\r\n"
        "Content-Disposition: form-data; name=\"x\"; filename=\"a \\\"b\\\".jpg\"\r\n"
        "content-type:\timage/jpeg; q=1\r\n"
        "X-Other: of no matter\r\n"
        "\r\n"
        "\xff\xd8\0\r\n--\r\n--C\r\n"
        "--B \t\r\n"
        "CONTENT-DISPOSITION:FORM-DATA;name=y.b\r\n"
        "Content-Transfer-Encoding: Binary\r\n"
        "\r\n"
        "\r\n"
        "--B--\r\n";
    multipart m;
    problem p;
    unsigned char *copy;
    assert_true(read_bytes(TYPE, bytes, sizeof bytes - 1, &m, &p, &copy));
    assert_int_equal(m.count, 2);
    assert_string_equal(m.parts[0].name, "x");
    assert_text(m.parts[0].file, "a \\\"b\\\".jpg");
    assert_text(m.parts[0].type, "image/jpeg");
    assert_true(m.parts[0].is_file && m.parts[0].length == 12);
    assert_memory_equal(m.parts[0].bytes, "\xff\xd8\0\r\n--\r\n--C", 12);
    assert_string_equal(m.parts[1].name, "y.b");
    assert_true(!m.parts[1].is_file && m.parts[1].length == 0 && m.parts[1].type.length == 0);
    multipart_free(&m);
    free(copy);
}

static void the_body_may_begin_and_end_with_a_line_end(void **state) {
    (void)state;
    static const char *const good[] = {PART "--B--", PART "--B--\r\n", "\r\n" PART "--B--",
                                       PART "--B-- \t\r\n", PART "--B-- "};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        multipart m;
        problem p;
        unsigned char *copy;
        assert_true(read_bytes(TYPE, good[i], strlen(good[i]), &m, &p, &copy));
        assert_true(m.count == 1 && m.parts[0].length == 3);
        multipart_free(&m);
        free(copy);
    }
}

static void the_boundary_is_that_of_content_type(void **state) {
    (void)state;
    static const char seventy[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789";
    char type[200], bytes[400];
    snprintf(type, sizeof type, "Multipart/Form-Data; charset=utf-8; BOUNDARY=\"%s\"", seventy);
    snprintf(bytes, sizeof bytes, "--%s\r\n" HEAD "\r\n\r\nabc\r\n--%s--", seventy, seventy);
    multipart m;
    problem p;
    unsigned char *copy;
    assert_true(read_bytes(type, bytes, strlen(bytes), &m, &p, &copy));
    multipart_free(&m);
    free(copy);
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s0", seventy);
    refused(type, bytes, strlen(bytes), 400, "whose boundary is not of 1 to 70");
    refused("multipart/form-data; boundary=\"a \"", "--a ", 4, 400, "whose boundary is not");
    refused("multipart/form-data; boundary=\"\"", "--", 2, 400, "whose boundary is not");
    refused("multipart/form-data; boundary=\"a*\"", "--", 2, 400, "whose boundary is not");
    refused("multipart/form-data; boundary=a; boundary=a", "--a", 3, 400, "two boundaries");
    refused("multipart/form-data; boundary=a b", "--a", 3, 400, "not of the form");
    refused("multipart/form-data", "--a", 3, 400, "no boundary");
    refused(NULL, "--a", 3, 400, "no boundary");
}

/* Each of these bodies with the reason why it is refused. */
static void malformed_bodies_are_refused_with_the_reason(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *why;
        int status;
    } table[] = {
        {"", "does not begin with the boundary", 400},
        {"\r\n\r\n" PART "--B--", "does not begin with the boundary", 400},
        {"preamble\r\n" PART "--B--", "does not begin with the boundary", 400},
        {"--C\r\n" HEAD "\r\n\r\nabc\r\n--C--", "does not begin with the boundary", 400},
        {"--B", "ends within a boundary line", 400},
        {"--B\n" HEAD "\n\nabc\n--B--", "begins with the boundary but goes on", 400},
        {"--B--\r\n", "has no parts", 400},
        {PART "--B--\r\nepilogue", "goes on after the last boundary", 400},
        {PART "--B--x", "begins with the boundary but goes on", 400},
        {PART "--BB\r\n" HEAD "\r\n\r\nabc\r\n--B--", "begins with the boundary but goes on", 400},
        {PART "--B-\r\n", "begins with the boundary but goes on", 400},
        {PART, "no boundary behind its last part", 400},
        {PART "--B", "ends within a boundary line", 400},
        {PART "--B \t", "ends within a boundary line", 400},
        {PART "--B\r\n", "part 2 of the multipart body ends within its headers", 400},
        {"--B\r\n" HEAD, "ends within its headers", 400},
        {"--B\r\n" HEAD "\r\n", "ends within its headers", 400},
        {"--B\r\n" HEAD "\r\n\r\n", "no boundary behind its last part", 400},
        {"--B\r\n" HEAD "\r\n\r\nabc\n--B--", "no boundary behind its last part", 400},
        {"--B\r\n\r\nabc\r\n--B--", "no Content-Disposition", 400},
        {"--B\r\nContent-Type: image/png\r\n\r\nabc\r\n--B--", "no Content-Disposition", 400},
        {"--B\r\n" HEAD "\n\r\nabc\r\n--B--", "does not end with CRLF", 400},
        {"--B\r\n" HEAD "\r\r\n\r\nabc\r\n--B--", "does not end with CRLF", 400},
        {"--B\r\n" HEAD "\x01\r\n\r\nabc\r\n--B--", "has a control character", 400},
        {"--B\r\n" HEAD ";\r\n filename=a\r\n\r\nabc\r\n--B--", "must not be folded", 400},
        {"--B\r\n" HEAD "\r\nno colon\r\n\r\nabc\r\n--B--", "not NAME: VALUE", 400},
        {"--B\r\n" HEAD "\r\n: x\r\n\r\nabc\r\n--B--", "not NAME: VALUE", 400},
        {"--B\r\n" HEAD "\r\nA b: x\r\n\r\nabc\r\n--B--", "not NAME: VALUE", 400},
        {"--B\r\n" HEAD "\r\n" HEAD "\r\n\r\nabc\r\n--B--", "two headers Content-Disp", 400},
        {"--B\r\n" HEAD "; name=y\r\n\r\nabc\r\n--B--", "two names", 400},
        {"--B\r\n" HEAD "; filename=y; filename=z\r\n\r\n\r\n--B--", "two filenames", 400},
        {"--B\r\n" HEAD "; filename=\"y\r\n\r\nabc\r\n--B--", "that is not form-data; name", 400},
        {"--B\r\nContent-Disposition: form-data\r\n\r\n\r\n--B--", "has no name", 400},
        {"--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n--B--", "empty name", 400},
        {"--B\r\nContent-Disposition: file; name=x\r\n\r\n\r\n--B--", "other than form-data", 400},
        {"--B\r\n" HEAD "\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n\r\n--B--",
         "two headers Content-Type", 400},
        {"--B\r\n" HEAD "\r\nContent-Transfer-Encoding: base64\r\n\r\nabcd\r\n--B--",
         "Content-Transfer-Encoding other than", 415},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refused(TYPE, table[i].bytes, strlen(table[i].bytes), table[i].status, table[i].why);
    refused(TYPE, "--B\r\n" HEAD "\0\r\n\r\nabc\r\n--B--", 60, 400, "has a control character");
}

static void every_cut_of_a_body_is_refused(void **state) {
    (void)state;
    static const char whole[] = PART PART "--B--";
    for (size_t length = 0; length < sizeof whole - 1; length++)
        refused(TYPE, whole, length, 400, "multipart body");
}

static void headers_and_parts_are_capped(void **state) {
    (void)state;
    static char bytes[MULTIPART_HEAD + 200];
    for (int more = 0; more < 2; more++) {
        int fill = MULTIPART_HEAD - (int)strlen(HEAD "\r\nA: \r\n\r\n") + more;
        int length = snprintf(bytes, sizeof bytes, "--B\r\n" HEAD "\r\nA: %*s\r\n\r\nabc\r\n--B--",
                              fill, "");
        multipart m;
        problem p;
        unsigned char *copy;
        assert_int_equal(read_bytes(TYPE, bytes, (size_t)length, &m, &p, &copy), !more);
        assert_int_equal(p.status, more ? 413 : 0);
        multipart_free(&m);
        free(copy);
    }
    for (unsigned more = 0; more < 2; more++) {
        size_t one = strlen(PART), length = 0, count = MULTIPART_PARTS + more;
        char *all = malloc(count * one + 6);
        for (unsigned i = 0; i < count; i++, length += one)
            memcpy(all + length, PART, one);
        memcpy(all + length, "--B--", 5);
        multipart m;
        problem p;
        unsigned char *copy;
        assert_int_equal(read_bytes(TYPE, all, length + 5, &m, &p, &copy), !more);
        assert_int_equal(p.status, more ? 413 : 0);
        multipart_free(&m);
        free(copy);
        free(all);
    }
}

static void a_name_has_at_most_31_characters(void **state) {
    (void)state;
    for (int length = 31; length < 33; length++) {
        char bytes[120];
        int used = snprintf(bytes, sizeof bytes,
                            "--B\r\nContent-Disposition: form-data; name=y%0*d\r\n\r\n\r\n--B--",
                            length - 1, 0);
        multipart m;
        problem p;
        unsigned char *copy;
        assert_int_equal(read_bytes(TYPE, bytes, (size_t)used, &m, &p, &copy), length == 31);
        multipart_free(&m);
        free(copy);
    }
}

static void a_peek_finds_the_first_byte_of_the_first_part(void **state) {
    (void)state;
    static char bytes[2 * MULTIPART_HEAD] = PART;
    upload_body body = {.bytes = (unsigned char *)bytes, .length = strlen(PART)};
    assert_ptr_equal(multipart_peek(&body), strstr(bytes, "abc"));
    body.length = (size_t)(strstr(bytes, "abc") - bytes);
    assert_ptr_equal(multipart_peek(&body), strstr(bytes, "abc"));
    body.length -= 1;
    assert_null(multipart_peek(&body));
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes + MULTIPART_HEAD - 3, "\r\n\r\n", 4);
    body.length = sizeof bytes;
    assert_null(multipart_peek(&body));
}

RUN(T(parts_have_name_file_type_and_bytes), T(the_body_may_begin_and_end_with_a_line_end),
    T(the_boundary_is_that_of_content_type), T(malformed_bodies_are_refused_with_the_reason),
    T(every_cut_of_a_body_is_refused), T(headers_and_parts_are_capped),
    T(a_name_has_at_most_31_characters), T(a_peek_finds_the_first_byte_of_the_first_part))
