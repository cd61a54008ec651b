#include "importing.h"

static const unsigned char image_bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

/* A header of this type and these dimensions, and bytes. */
static void make_idx(body *b, unsigned char type, unsigned rank, const uint32_t *sides,
                     const void *bytes, size_t length) {
    const unsigned char head[4] = {0, 0, type, (unsigned char)rank};
    body_add(b, head, sizeof head);
    for (unsigned i = 0; i < rank; i++)
        for (unsigned shift = 32; shift > 0; shift -= 8)
            body_number(b, 1, sides[i] >> (shift - 8));
    body_add(b, bytes, length);
}

static void images(body *b) {
    make_idx(b, 0x08, 3, (const uint32_t[]){3, 2, 2}, image_bytes, sizeof image_bytes);
}

/* Appends a gzip member. */
static void pack(body *out, const void *bytes, size_t length) {
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    out->length += libdeflate_gzip_compress(c, bytes, length, out->bytes + out->length,
                                            sizeof out->bytes - out->length);
    libdeflate_free_compressor(c);
}

static int import_file(const body *b) {
    folder_write("x", b->bytes, b->length);
    return IMPORT("--from", "idx", folder_path("x"));
}

static void check_rows(void) {
    dataset *d = importing_open();
    assert_true(d->count == 3 && d->x.rank == 2 && d->x.side[0] == 2 && d->x.type == DTYPE_U8);
    assert_memory_equal(dataset_array_row(&d->x, 0), image_bytes, sizeof image_bytes);
    dataset_release(d);
}

static void images_and_labels_come_from_two_files(void **state) {
    (void)state;
    static const unsigned char numbers[3] = {0, 2, 1};
    body x = {.length = 0}, y = {.length = 0};
    images(&x);
    make_idx(&y, 0x08, 1, (const uint32_t[]){3}, numbers, sizeof numbers);
    folder_write("x", x.bytes, x.length);
    folder_write("y", y.bytes, y.length);
    assert_int_equal(IMPORT("--from", "idx", folder_path("x"), folder_path("y")), 0);
    check_rows();
    assert_true(folder_said("y: 3 classes; rows per class: 0: 1, 1: 1, 2: 1"));
}

static void elements_are_big_endian_in_the_file_and_little_endian_in_the_set(void **state) {
    (void)state;
    static const struct {
        unsigned char code, file[8], set[8];
        dtype type;
    } types[] = {
        {0x09, {0xff}, {0xff}, DTYPE_I8},
        {0x0b, {1, 2}, {2, 1}, DTYPE_I16},
        {0x0c, {1, 2, 3, 4}, {4, 3, 2, 1}, DTYPE_I32},
        {0x0d, {1, 2, 3, 4}, {4, 3, 2, 1}, DTYPE_F32},
        {0x0e, {1, 2, 3, 4, 5, 6, 7, 8}, {8, 7, 6, 5, 4, 3, 2, 1}, DTYPE_F64},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        body b = {.length = 0};
        char aside[8];
        size_t size = dtype_table[types[i].type].size;
        make_idx(&b, types[i].code, 2, (const uint32_t[]){1, 1}, types[i].file, size);
        assert_int_equal(import_file(&b), 0);
        dataset *d = importing_open();
        assert_int_equal(d->x.type, types[i].type);
        assert_memory_equal(dataset_array_row(&d->x, 0), types[i].set, size);
        dataset_release(d);
        snprintf(aside, sizeof aside, "set%zu", i);
        assert_int_equal(rename(folder_path("set"), folder_path(aside)), 0);
    }
}

static void gzip_is_read_in_one_member_or_several_and_with_zeros_after_them(void **state) {
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        body plain = {.length = 0}, packed = {.length = 0};
        char aside[8];
        images(&plain);
        if (way & 1) {
            pack(&packed, plain.bytes, 7);
            pack(&packed, plain.bytes + 7, plain.length - 7);
        } else {
            pack(&packed, plain.bytes, plain.length);
        }
        if (way & 2)
            body_add(&packed, "\0\0\0", 3);
        assert_int_equal(import_file(&packed), 0);
        check_rows();
        snprintf(aside, sizeof aside, "set%u", way);
        assert_int_equal(rename(folder_path("set"), folder_path(aside)), 0);
    }
}

/* The room for the output grows until the output fits. */
static void gzip_that_grows_a_thousandfold_is_read(void **state) {
    (void)state;
    size_t length = 16 + 3000000;
    unsigned char *plain = calloc(1, length);
    body packed = {.length = 0};
    memcpy(plain, (const unsigned char[]){0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 3, 0xe8, 0, 0, 3, 0xe8},
           16);
    pack(&packed, plain, length);
    free(plain);
    assert_int_equal(import_file(&packed), 0);
    dataset *d = importing_open();
    assert_int_equal(d->x.file.length, 3000000);
    dataset_release(d);
}

static void gzip_that_is_damaged_is_refused_by_its_member(void **state) {
    (void)state;
    body plain = {.length = 0}, packed = {.length = 0};
    images(&plain);
    pack(&packed, plain.bytes, plain.length);
    size_t member = packed.length;
    for (size_t length = 2; length < member; length++) {
        packed.length = length;
        assert_true(importing_refused(import_file(&packed), "x': member 1 of the gzip data is"));
    }
    packed.length = member;
    pack(&packed, plain.bytes, plain.length);
    packed.length -= 9;
    assert_true(importing_refused(import_file(&packed),
                                  "member 2 of the gzip data is corrupt or truncated"));
    packed.length = member;
    body_add(&packed, "\0\0abc", 5);
    assert_true(importing_refused(import_file(&packed),
                                  "has 5 bytes after the gzip data that are not gzip"));
    packed.length = member;
    packed.bytes[member - 8] ^= 1; /* the checksum */
    assert_true(importing_refused(import_file(&packed), "corrupt or truncated"));
}

static void a_header_that_is_not_valid_is_refused(void **state) {
    (void)state;
    body b = {.length = 0};
    images(&b);
    for (size_t length = 0; length < 16; length++) {
        const body cut = {.length = length};
        memcpy((void *)cut.bytes, b.bytes, length);
        assert_true(importing_refused(import_file(&cut), "x' is not an idx file"));
    }
    b.length--;
    assert_true(importing_refused(import_file(&b), "needs 12 bytes"));
    b.length += 2;
    assert_true(importing_refused(import_file(&b), "needs 12 bytes"));
    b.length--;
    b.bytes[2] = 0x0a;
    assert_true(importing_refused(import_file(&b), "x' is not an idx file"));
    b.bytes[2] = 0x08;
    b.bytes[0] = 1;
    assert_true(importing_refused(import_file(&b), "x' is not an idx file"));
    body deep = {.length = 0};
    make_idx(&deep, 0x08, 6, (const uint32_t[]){1, 1, 1, 1, 1, 1}, "x", 1);
    assert_true(importing_refused(import_file(&deep), "has 6 dimensions; 1 to 5 are supported"));
}

RUN(IN_FOLDER(images_and_labels_come_from_two_files),
    IN_FOLDER(elements_are_big_endian_in_the_file_and_little_endian_in_the_set),
    IN_FOLDER(gzip_is_read_in_one_member_or_several_and_with_zeros_after_them),
    IN_FOLDER(gzip_that_grows_a_thousandfold_is_read),
    IN_FOLDER(gzip_that_is_damaged_is_refused_by_its_member),
    IN_FOLDER(a_header_that_is_not_valid_is_refused))
