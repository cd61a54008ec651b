#include "unit.h"

#include "bodies.h"
#include "uploaded.h"

#define TYPE  "multipart/form-data; boundary=B"
#define NOTED "Content-Disposition: form-data; name="

typedef struct form_body {
    unsigned char bytes[8192];
    size_t length;
} form_body;

static void add(form_body *f, const void *bytes, size_t length) {
    assert_true(length <= sizeof f->bytes - f->length);
    memcpy(f->bytes + f->length, bytes, length);
    f->length += length;
}

/* A part: what is behind NOTED, and its bytes. */
static void part(form_body *f, const char *head, const void *bytes, size_t length) {
    add(f, "--B\r\n" NOTED, 5 + strlen(NOTED));
    add(f, head, strlen(head));
    add(f, "\r\n\r\n", 4);
    add(f, bytes, length);
    add(f, "\r\n", 2);
}

static void number(form_body *f, const char *name, const char *value) {
    part(f, name, value, strlen(value));
}

static void picture(form_body *f, const char *head, unsigned from) {
    png_file file = png_of(3, 3, 3, from);
    part(f, head, file.bytes, file.length);
}

static bool read_form(const form_body *f, upload *out, problem *p) {
    query q = QUERY("size", "2x2", "view", "stretch", "filter", "nearest");
    form_body whole = *f;
    add(&whole, "--B--\r\n", 7);
    unsigned char *copy = malloc(whole.length);
    memcpy(copy, whole.bytes, whole.length);
    const upload_body sent = {.bytes = copy,
                              .length = whole.length,
                              .content_type = TYPE,
                              .query = &q,
                              .elements = UPLOADED_ELEMENTS};
    *out = (upload){.inflated = buffer_of(4096)};
    *p = (problem){0};
    format_form.weigh(&sent, 4096);
    bool good = format_form.read(&sent, out, p);
    assert_int_equal(good, p->status == 0);
    free(copy);
    return good;
}

static void refused(const form_body *f, int status, const char *parameter, const char *why) {
    upload all;
    problem p;
    assert_false(read_form(f, &all, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
    if (!strstr(p.errors[0].detail, why))
        fail_msg("%s\nis not '%s'", p.errors[0].detail, why);
    buffer_free(&all.inflated);
}

static void pictures_and_class_numbers_become_rows(void **state) {
    (void)state;
    form_body f = {.length = 0};
    upload all;
    problem p;
    number(&f, "y", "3");
    picture(&f, "x2; filename=c.png", 30);
    picture(&f, "x; filename=a.png", 10);
    number(&f, "y.kind", "0");
    picture(&f, "x; filename=b.png", 20);
    picture(&f, "x2; filename=d.png\r\nContent-Type: image/jpeg", 40);
    number(&f, "y", "999999999999999999");
    number(&f, "y.kind", "7");
    assert_true(read_form(&f, &all, &p));
    const array *x = upload_find(&all, "x"), *x2 = upload_find(&all, "x2"),
                *y = upload_find(&all, "y"), *kind = upload_find(&all, "y.kind");
    assert_true(all.count == 4 && all.views && x->shape[0] == 2 && x2->shape[0] == 2);
    assert_true(x->bytes[0] == 10 && x->bytes[12] == 20);
    assert_true(x2->bytes[0] == 30 && x2->bytes[12] == 40);
    assert_true(y->type == DTYPE_I64 && y->rank == 1 && y->shape[0] == 2);
    assert_memory_equal(y->bytes, "\3\0\0\0\0\0\0\0\xff\xff\x63\xa7\xb3\xb6\xe0\x0d", 16);
    assert_memory_equal(kind->bytes, "\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0", 16);
    assert_true((size_t)(y->bytes - all.inflated.bytes) % 8 == 0);
    buffer_free(&all.inflated);
}

static void as_many_of_each_are_required(void **state) {
    (void)state;
    form_body f = {.length = 0};
    number(&f, "y", "3");
    refused(&f, 400, "x", "curl -F x=@cat.jpg");
    picture(&f, "x; filename=a.png", 10);
    picture(&f, "x; filename=b.png", 10);
    refused(&f, 400, "y", "has y 1 times, but x 2 times");
    number(&f, "y", "4");
    picture(&f, "x2; filename=c.png", 10);
    refused(&f, 400, "x2", "has x 2 times, but x2 1 times");
    picture(&f, "x2; filename=d.png", 10);
    number(&f, "y2.a", "4");
    refused(&f, 400, "y2.a", "has y2.a 1 times, but x2 2 times");
}

static void unknown_parts_are_refused_with_those_that_may_be(void **state) {
    (void)state;
    static const char *const names[] = {"z", "X", "yy", "seed", "dense", "x3", "_charset_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        form_body f = {.length = 0};
        picture(&f, "x; filename=a.png", 10);
        number(&f, names[i], "4");
        refused(&f, 400, names[i], "may hold pictures named x and x2, and class numbers");
    }
}

static void class_numbers_are_digits_alone(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "-1", "1.0", " 1", "1\r\n", "1e3", "0x1", "cat", "1,2", "9999999999999999999", "+1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        form_body f = {.length = 0};
        number(&f, "y", bad[i]);
        refused(&f, 400, "y", "part 1 of the form, y, is not a class number");
    }
    form_body f = {.length = 0};
    part(&f, "y; filename=\"\"", "1", 1);
    refused(&f, 400, "y", "is a file; the labels of pictures are");
}

static void the_bytes_of_a_picture_decide_and_its_type_must_agree(void **state) {
    (void)state;
    static const struct {
        const char *type, *bytes, *why;
        int status;
    } table[] = {
        {"", "", "part 1 of the form, x (a.png), is empty", 400},
        {"\r\nContent-Type: image/webp", "RIFF", "(its Content-Type is image/webp)", 415},
        {"", "RIFF", "is not a file that can be mixed; send PNG, JPEG, npy", 415},
        {"\r\nContent-Type: multipart/mixed; boundary=C", "\xff\xd8\xff",
         "has Content-Type 'multipart/mixed', but its bytes begin as JPEG", 415},
        {"\r\nContent-Type: application/x-npy", "\xff\xd8\xff", "begin as JPEG", 415},
        {"\r\nContent-Type: application/x-npz", "\x89PNG\r\n\x1a\n", "begin as PNG", 415},
        {"\r\nContent-Type: image/png", "\xff\xd8\xff", "cannot be read: the file is trunc", 400},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        form_body f = {.length = 0};
        char head[120];
        snprintf(head, sizeof head, "x; filename=a.png%s", table[i].type);
        part(&f, head, table[i].bytes, strlen(table[i].bytes));
        refused(&f, table[i].status, "x", table[i].why);
    }
}

static void one_file_of_arrays_is_read_as_its_format(void **state) {
    (void)state;
    static const unsigned char numbers[] = {1, 2, 3, 4};
    const piece x = {"x", "|u1", "U8", "2, 2", numbers, 4};
    body npy = {.length = 0};
    form_body f = {.length = 0};
    upload all;
    problem p;
    body_npy(&npy, &x);
    part(&f, "x; filename=a.npy", npy.bytes, npy.length);
    assert_true(read_form(&f, &all, &p));
    assert_true(all.count == 1 && !all.views && all.arrays[0].rank == 2);
    form_body typed = {.length = 0};
    part(&typed, "x; filename=a.npy\r\nContent-Type: image/png", npy.bytes, npy.length);
    refused(&typed, 415, "x", "has Content-Type 'image/png', but its bytes begin as npy");
    number(&f, "y", "1");
    refused(&f, 400, "x", "must be the only part: labels and x2 belong into the file");
    form_body second = {.length = 0};
    picture(&second, "x; filename=a.png", 1);
    part(&second, "x; filename=a.npy", npy.bytes, npy.length);
    refused(&second, 400, "x", "part 2 of the form, x (a.npy), is a file of arrays");
    form_body other = {.length = 0};
    part(&other, "x2; filename=a.npy", npy.bytes, npy.length);
    refused(&other, 400, "x2", "is a file of arrays");
}

static void a_form_is_weighed_by_its_first_part(void **state) {
    (void)state;
    form_body pictures = {.length = 0}, numbers = {.length = 0};
    picture(&pictures, "x", 1);
    number(&numbers, "y", "1");
    upload_body sent = {.bytes = pictures.bytes, .length = pictures.length, .content_type = TYPE};
    weight heavy = format_form.weigh(&sent, 0);
    sent.bytes = numbers.bytes;
    weight light = format_form.weigh(&sent, 0);
    assert_true(heavy.cost > 10 * light.cost && heavy.worst > light.worst);
    assert_true(heavy.memory > 0 && heavy.memory == light.memory);
    sent.length = 0;
    assert_true(format_form.weigh(&sent, 0).cost == 0);
}

RUN(T(pictures_and_class_numbers_become_rows), T(as_many_of_each_are_required),
    T(unknown_parts_are_refused_with_those_that_may_be), T(class_numbers_are_digits_alone),
    T(the_bytes_of_a_picture_decide_and_its_type_must_agree),
    T(one_file_of_arrays_is_read_as_its_format), T(a_form_is_weighed_by_its_first_part))
