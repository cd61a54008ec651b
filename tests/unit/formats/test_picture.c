#include "unit.h"

#include "uploaded.h"

#include <libdeflate.h>

static png_file files[4];

static picture_file file_of(unsigned i) {
    return (picture_file){
        .bytes = files[i].bytes, .length = files[i].length, .name = {"dog.png", 7}};
}

/* The first `rows` files as x, and with partners as many as x2. */
static bool read_list(const query *q, uint64_t rows, bool partners, size_t cap, budget *payer,
                      upload *out, problem *p) {
    picture_file list[4];
    for (unsigned i = 0; i < 4; i++)
        list[i] = file_of(i);
    const picture_list all = {.files = list, .rows = rows, .partners = partners, .beside = 8};
    const upload_body body = {.query = q, .elements = UPLOADED_ELEMENTS};
    *out = (upload){.inflated = {.cap = cap, .payer = {.from = payer}}};
    *p = (problem){0};
    bool good = picture_read(&all, &body, out, p);
    assert_int_equal(good, p->status == 0);
    return good;
}

static void refused(const query *q, int status, const char *parameter, const char *why) {
    upload all;
    problem p;
    assert_false(read_list(q, 2, false, 4096, NULL, &all, &p));
    assert_int_equal(p.status, status);
    assert_string_equal(p.errors[0].parameter, parameter);
    if (!strstr(p.errors[0].detail, why))
        fail_msg("%s\nis not '%s'", p.errors[0].detail, why);
    buffer_free(&all.inflated);
}

/* What fmix_view.h makes of samples from, from+1 … of height x width pixels. */
static void view_of(const query *q, uint64_t t, bool neighbour, uint32_t height, uint32_t width,
                    unsigned channels, unsigned from, unsigned char *out) {
    unsigned char pixels[512];
    const fmix_view_recipe recipe = {.kind = (fmix_view_kind)q->view,
                                     .height = (uint32_t)q->size.side[0],
                                     .width = (uint32_t)q->size.side[1],
                                     .flips = q->flip,
                                     .area = {0.08, 1},
                                     .ratio = {0.75, 4.0 / 3}};
    fmix_view view;
    fmix_scratch *scratch;
    for (unsigned i = 0; i < height * width * channels; i++)
        pixels[i] = (unsigned char)(from + i);
    const fmix_picture picture = {
        .part = {.height = height, .width = width}, .pixels = pixels, .stride = width * channels};
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_view_draw(&recipe, q->seed, t, neighbour, height, width, &view));
    assert_ok(fmix_resize(scratch, &view, (fmix_filter)q->filter, channels, &picture, out));
    fmix_scratch_free(scratch);
}

static void rows_are_views_of_their_own_samples(void **state) {
    (void)state;
    query q = QUERY("size", "3x4", "seed", "7", "step", "5", "flip", "1", "filter", "bicubic");
    upload all;
    problem p;
    unsigned char right[36];
    files[0] = png_of(5, 9, 3, 1);
    files[1] = png_of(8, 6, 3, 2);
    files[2] = png_of(7, 7, 3, 3);
    files[3] = png_of(4, 4, 3, 4);
    assert_true(read_list(&q, 2, true, 4096, NULL, &all, &p));
    assert_true(all.views && all.layout == LAYOUT_CHANNELS_LAST && all.count == 2);
    const array *x = upload_find(&all, "x"), *x2 = upload_find(&all, "x2");
    assert_true(x->type == DTYPE_U8 && x->rank == 4 && x->shape[0] == 2 && x->shape[1] == 3);
    assert_true(x->shape[2] == 4 && x->shape[3] == 3);
    view_of(&q, 10, false, 5, 9, 3, 1, right);
    assert_memory_equal(x->bytes, right, 36);
    view_of(&q, 11, false, 8, 6, 3, 2, right);
    assert_memory_equal(x->bytes + 36, right, 36);
    view_of(&q, 10, true, 7, 7, 3, 3, right);
    assert_memory_equal(x2->bytes, right, 36);
    view_of(&q, 11, true, 4, 4, 3, 4, right);
    assert_memory_equal(x2->bytes + 36, right, 36);
    buffer_free(&all.inflated);
}

static void grey_pictures_have_one_channel_unless_one_has_colours(void **state) {
    (void)state;
    query q = QUERY("size", "2x2", "view", "stretch");
    upload all;
    problem p;
    files[0] = png_of(2, 2, 1, 10);
    files[1] = png_of(2, 2, 1, 20);
    assert_true(read_list(&q, 2, false, 4096, NULL, &all, &p));
    assert_true(all.layout == LAYOUT_NONE && all.arrays[0].rank == 3);
    assert_memory_equal(all.arrays[0].bytes, "\12\13\14\15\24\25\26\27", 8);
    buffer_free(&all.inflated);
    files[1] = png_of(2, 2, 3, 20);
    assert_true(read_list(&q, 2, false, 4096, NULL, &all, &p));
    assert_true(all.layout == LAYOUT_CHANNELS_LAST && all.arrays[0].shape[3] == 3);
    assert_memory_equal(all.arrays[0].bytes, "\12\12\12\13\13\13", 6);
    buffer_free(&all.inflated);
}

static void channels_first_has_a_plane_for_each_channel(void **state) {
    (void)state;
    query q = QUERY("size", "1x2", "view", "stretch", "layout", "channels_first");
    upload all;
    problem p;
    files[0] = png_of(1, 2, 3, 1);
    assert_true(read_list(&q, 1, false, 4096, NULL, &all, &p));
    const array *x = &all.arrays[0];
    assert_true(x->rank == 4 && x->shape[1] == 3 && x->shape[2] == 1 && x->shape[3] == 2);
    assert_memory_equal(x->bytes, "\1\4\2\5\3\6", 6);
    buffer_free(&all.inflated);
    files[0] = png_of(1, 2, 1, 1);
    assert_true(read_list(&q, 1, false, 4096, NULL, &all, &p));
    assert_true(all.arrays[0].rank == 4 && all.arrays[0].shape[1] == 1);
    assert_memory_equal(all.arrays[0].bytes, "\1\2", 2);
    buffer_free(&all.inflated);
}

static void what_cannot_be_read_is_named(void **state) {
    (void)state;
    query q = QUERY("size", "2x2"), none = QUERY("layout", "none", "size", "2x2"),
          large = QUERY("size", "64x64"), larger = QUERY("size", "65x64"),
          far = QUERY("size", "2x2", "index", "18446744073709551615"), nothing = QUERY("seed", "1");
    files[0] = files[1] = png_of(2, 2, 3, 1);
    refused(&nothing, 400, "size", "size=224");
    refused(&larger, 413, "size", "limit of 4096 pixels");
    refused(&large, 413, "size", "2 views of 64x64 pixels take more than the limit of 4096 bytes");
    refused(&none, 400, "layout", "the pictures have 3 channels");
    refused(&far, 400, "index", "exceeds 2^64-1");
    files[1].length -= 20;
    refused(&q, 400, "x", "picture 2 of x (dog.png) cannot be read: the file is truncated");
    files[1].bytes[0] = 'G';
    refused(&q, 400, "x", "neither PNG nor JPEG");
}

/* A file of fifty bytes that claims so many pixels. */
static png_file claiming(uint32_t height, uint32_t width) {
    png_file f = png_of(1, 1, 3, 0);
    for (unsigned b = 0; b < 4; b++) {
        f.bytes[16 + b] = (unsigned char)(width >> (24 - 8 * b));
        f.bytes[20 + b] = (unsigned char)(height >> (24 - 8 * b));
    }
    uint32_t sum = libdeflate_crc32(0, f.bytes + 12, 17);
    for (unsigned b = 0; b < 4; b++)
        f.bytes[29 + b] = (unsigned char)(sum >> (24 - 8 * b));
    return f;
}

static void bombs_are_413_by_their_headers(void **state) {
    (void)state;
    query q = QUERY("size", "2x2");
    files[0] = png_of(2, 2, 3, 1);
    files[1] = claiming(65535, 65535);
    refused(&q, 413, "x", "65535 x 65535 pixels; the limits are");
}

static void pixels_of_all_pictures_are_capped(void **state) {
    (void)state;
    query q = QUERY("size", "1x1");
    picture_file list[5];
    for (unsigned i = 0; i < 4; i++)
        files[i] = claiming(8192, 8192);
    const png_file one = png_of(1, 1, 3, 0);
    for (unsigned i = 0; i < 4; i++)
        list[i] = file_of(i);
    list[4] = (picture_file){.bytes = one.bytes, .length = one.length};
    const upload_body body = {.query = &q, .elements = UPLOADED_ELEMENTS};
    upload all = {.inflated = buffer_of(4096)};
    problem p = {0};
    assert_false(picture_read(&(picture_list){.files = list, .rows = 5}, &body, &all, &p));
    assert_int_equal(p.status, 413);
    assert_non_null(strstr(p.errors[0].detail, "268435457 pixels; the limit of an upload"));
    assert_null(all.inflated.bytes);
}

static void a_cap_below_what_stands_beside_the_views_is_413(void **state) {
    (void)state;
    query q = QUERY("size", "2x2");
    upload all;
    problem p;
    files[0] = png_of(2, 2, 3, 1);
    assert_false(read_list(&q, 1, false, 7, NULL, &all, &p)); /* 8 bytes are beside */
    assert_int_equal(p.status, 413);
    assert_string_equal(p.errors[0].parameter, "size");
    assert_non_null(strstr(p.errors[0].detail, "take more than the limit of 7 bytes"));
    buffer_free(&all.inflated);
}

static void decoding_is_paid_from_the_budget_and_given_back(void **state) {
    (void)state;
    query q = QUERY("size", "2x2");
    budget b;
    upload all;
    problem p;
    files[0] = files[1] = png_of(9, 9, 3, 1);
    budget_init(&b, 1u << 20, 1);
    assert_true(read_list(&q, 2, false, 4096, &b, &all, &p));
    assert_int_equal(budget_held(&b), all.inflated.room);
    assert_true(b.peak > all.inflated.room + 12 * 81);
    buffer_free(&all.inflated);
    assert_true(budget_take((budget_payer){.from = &b}, (1u << 20) - 1000));
    assert_false(read_list(&q, 2, false, 4096, &b, &all, &p));
    assert_true(all.inflated.starved);
    buffer_free(&all.inflated);
    budget_give((budget_payer){.from = &b}, (1u << 20) - 1000);
    assert_int_equal(budget_held(&b), 0);
    files[1] = claiming(4096, 4096);
    assert_false(read_list(&q, 2, false, 4096, &b, &all, &p));
    assert_true(p.status == 413 && !all.inflated.starved);
    assert_non_null(strstr(p.errors[0].detail, "decoding takes up to 201326592 bytes"));
    buffer_free(&all.inflated);
    assert_int_equal(budget_held(&b), 0);
    budget_destroy(&b);
}

static bool after_one(void *of) {
    return ++*(unsigned *)of > 1;
}

static void an_abandoned_request_decodes_no_further(void **state) {
    (void)state;
    query q = QUERY("size", "2x2");
    unsigned asked = 0;
    files[0] = files[1] = png_of(2, 2, 3, 1);
    const picture_file list[] = {file_of(0), file_of(1), file_of(1)};
    const upload_body body = {
        .query = &q, .elements = UPLOADED_ELEMENTS, .cancelled = after_one, .of = &asked};
    upload all = {.inflated = buffer_of(4096)};
    problem p = {0};
    assert_false(picture_read(&(picture_list){.files = list, .rows = 3}, &body, &all, &p));
    assert_int_equal(asked, 2);
    assert_non_null(strstr(p.errors[0].detail, "abandoned"));
    buffer_free(&all.inflated);
}

static void a_picture_may_be_the_body(void **state) {
    (void)state;
    query q = QUERY("size", "2x2");
    upload all = {.inflated = buffer_of(4096)};
    problem p = {0};
    files[0] = png_of(5, 4, 3, 1);
    upload_body body = {.bytes = files[0].bytes,
                        .length = files[0].length,
                        .content_type = "image/jpeg",
                        .query = &q,
                        .elements = UPLOADED_ELEMENTS};
    assert_true(picture_read_body(&body, &all, &p));
    assert_true(all.count == 1 && all.arrays[0].shape[0] == 1);
    buffer_free(&all.inflated);
    assert_true(picture_weigh_body(&body, 0).cost > 0);
    body.bytes++;
    body.length--;
    assert_false(picture_read_body(&body, &all, &p));
    assert_int_equal(p.status, 415);
    assert_non_null(strstr(p.errors[0].detail, "Content-Type is 'image/jpeg', but the body"));
}

RUN(T(rows_are_views_of_their_own_samples),
    T(grey_pictures_have_one_channel_unless_one_has_colours),
    T(channels_first_has_a_plane_for_each_channel), T(what_cannot_be_read_is_named),
    T(bombs_are_413_by_their_headers), T(pixels_of_all_pictures_are_capped),
    T(a_cap_below_what_stands_beside_the_views_is_413),
    T(decoding_is_paid_from_the_budget_and_given_back), T(an_abandoned_request_decodes_no_further),
    T(a_picture_may_be_the_body))
