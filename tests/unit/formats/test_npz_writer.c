#include "unit.h"

#include "formats/npz.h"

#include <stdio.h>
#include <unistd.h>

/* A file of exactly its own size, so that a sanitizer sees a read past its end. */
typedef struct zip {
    unsigned char *bytes;
    size_t length;
} zip;

static uint64_t get(const unsigned char *at, unsigned bytes) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* Three tensors with data of their own: x f32 [5, 3, 2], pairs u8 [5], y.root f32 [5]. */
typedef struct batch {
    tensor_source *source;
    unsigned char *data[SOURCE_TENSORS];
} batch;

static batch batch_new(void) {
    static const uint64_t sides[] = {3, 2};
    uint64_t seed = 7;
    batch b = {.source = tensor_source_new(5)};
    assert_true(tensor_source_add(b.source, "x", DTYPE_F32, 2, sides, 0, NULL, NULL));
    assert_true(tensor_source_add(b.source, "pairs", DTYPE_U8, 0, NULL, 0, NULL, NULL));
    assert_true(tensor_source_add(b.source, "y.root", DTYPE_F32, 0, NULL, 0, NULL, NULL));
    for (unsigned i = 0; i < b.source->count; i++) {
        size_t bytes = (size_t)tensor_bytes(&b.source->tensors[i]);
        b.data[i] = malloc(bytes);
        for (size_t k = 0; k < bytes; k++)
            b.data[i][k] = (unsigned char)unit_random(&seed);
    }
    return b;
}

static void batch_free(batch *b) {
    for (unsigned i = 0; i < b->source->count; i++)
        free(b->data[i]);
    tensor_source_free(b->source);
}

static zip written(const batch *b, uint64_t wide) {
    buffer out = buffer_of(1 << 20);
    assert_true(npz_encode(b->source, (const unsigned char *const *)b->data, wide, &out));
    zip z = {.bytes = malloc(out.length), .length = out.length};
    memcpy(z.bytes, out.bytes, out.length);
    buffer_free(&out);
    return z;
}

static void assert_same(const batch *b, const zip *z) {
    upload u = {.count = 0};
    problem p = {0};
    const upload_body body = {.bytes = z->bytes, .length = z->length};
    if (!npz_read(&body, &u, &p))
        fail_msg("%s", p.errors[0].detail);
    assert_int_equal(u.count, b->source->count);
    for (unsigned i = 0; i < u.count; i++) {
        const tensor *t = &b->source->tensors[i];
        const array *a = &u.arrays[i];
        assert_string_equal(a->name, t->name);
        assert_true(a->type == t->type && a->rank == t->rank);
        assert_memory_equal(a->shape, t->shape, t->rank * sizeof *t->shape);
        assert_memory_equal(a->bytes, b->data[i], (size_t)tensor_bytes(t));
    }
}

/* The other program that knows. */
static void assert_unzips(const zip *z) {
    char path[] = "/tmp/test_npz_XXXXXX", command[80];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, z->bytes, z->length) == (ssize_t)z->length);
    close(fd);
    snprintf(command, sizeof command, "unzip -tqq %s", path);
    assert_int_equal(system(command), 0);
    unlink(path);
}

static void written_archives_are_read_back_by_the_reader_and_by_unzip(void **state) {
    (void)state;
    batch b = batch_new();
    zip z = written(&b, UINT32_MAX);
    assert_same(&b, &z);
    assert_unzips(&z);
    assert_int_equal(get(z.bytes + 4, 2), 20);
    assert_int_equal(get(z.bytes + 10, 4), 0x00210000);
    assert_int_equal(get(z.bytes + 28, 2), 0);
    assert_int_equal(get(z.bytes + z.length - 22, 4), 0x06054b50);
    free(z.bytes);
    batch_free(&b);
}

/* Member sizes are 248, 133 and 148; members begin at 0, 283, 455; the directory at 643. */
static void sizes_and_offsets_too_large_stand_in_zip64_records(void **state) {
    (void)state;
    batch b = batch_new();
    zip narrow = written(&b, UINT32_MAX);
    for (uint64_t wide = 0; wide < 700; wide++) {
        zip z = written(&b, wide);
        const unsigned char *end = z.bytes + z.length - 22;
        bool locator = get(end - 20, 4) == 0x07064b50;
        assert_same(&b, &z);
        if (wide % 40 == 0)
            assert_unzips(&z);
        assert_int_equal(get(z.bytes + 18, 4) == UINT32_MAX, wide <= 248);
        assert_int_equal(get(z.bytes + 4, 2), wide <= 248 ? 45 : 20);
        assert_int_equal(get(z.bytes + 28, 2), wide <= 248 ? 20 : 0);
        assert_int_equal(get(end + 16, 4) == UINT32_MAX, locator);
        if (wide <= 600)
            assert_true(locator);
        if (wide == 699)
            assert_true(!locator && z.length == narrow.length &&
                        memcmp(z.bytes, narrow.bytes, z.length) == 0);
        free(z.bytes);
    }
    free(narrow.bytes);
    batch_free(&b);
}

static void a_full_buffer_is_a_failure(void **state) {
    (void)state;
    batch b = batch_new();
    buffer out = buffer_of(600);
    assert_false(npz_encode(b.source, (const unsigned char *const *)b.data, UINT32_MAX, &out));
    buffer_free(&out);
    batch_free(&b);
}

RUN(T(written_archives_are_read_back_by_the_reader_and_by_unzip),
    T(sizes_and_offsets_too_large_stand_in_zip64_records), T(a_full_buffer_is_a_failure))
