/* Parts of pictures: the same pixels as of the whole. */
#include "unit.h"

#include "formats/image.h"

#include <stdio.h>

#include <jpeglib.h>

#define HEIGHT 75
#define WIDTH  107
#define PARTS  400

typedef struct file {
    unsigned char *bytes; /* malloc's */
    unsigned long length;
} file;

/* How a file is encoded. */
typedef struct coding {
    int across, down; /* pixels for one sample of colour */
    int components;
    unsigned restart; /* blocks between restart markers; 0: none */
    bool progressive, arithmetic;
} coding;

static const coding codings[] = {
    {1, 1, 3, 0, false, false}, {2, 1, 3, 0, false, false}, {2, 2, 3, 0, false, false},
    {1, 2, 3, 0, false, false}, {4, 1, 3, 0, false, false}, {4, 2, 3, 0, false, false},
    {2, 2, 3, 3, false, false}, {2, 2, 3, 0, true, false},  {2, 2, 3, 0, false, true},
    {1, 1, 1, 0, false, false}, {2, 2, 1, 0, false, false}, {2, 2, 4, 0, false, false},
};

static uint32_t draw(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

/* Waves, edges and noise, so that each block has codes and each neighbour differs. */
static void draw_row(unsigned char *row, uint32_t y, int components, uint32_t *state) {
    for (uint32_t i = 0; i < WIDTH * (uint32_t)components; i++)
        row[i] = (unsigned char)((i * y / 7 % 2 ? 40 : 160) + draw(state, 80) + i * 3 % 16);
}

static void encode(file *f, const coding *how) {
    static const J_COLOR_SPACE spaces[] = {[1] = JCS_GRAYSCALE, [3] = JCS_RGB, [4] = JCS_CMYK};
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    unsigned char row[WIDTH * 4];
    uint32_t state = 5;
    *f = (file){NULL, 0};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &f->bytes, &f->length);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = how->components;
    jpeg.in_color_space = spaces[how->components];
    jpeg_set_defaults(&jpeg);
    jpeg.comp_info[0].h_samp_factor = how->across;
    jpeg.comp_info[0].v_samp_factor = how->down;
    jpeg.restart_interval = how->restart;
    jpeg.arith_code = how->arithmetic;
    if (how->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        draw_row(row, y, how->components, &state);
        jpeg_write_scanlines(&jpeg, &(JSAMPROW){row}, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
}

/* Edges of the picture, single rows and single columns are drawn often. */
static void draw_side(uint32_t *state, uint32_t side, uint32_t *begin, uint32_t *length) {
    *begin = draw(state, 4) ? draw(state, side) : 0;
    *length = draw(state, 3) ? 1 + draw(state, side - *begin) : draw(state, 2) ? 1 : side - *begin;
}

static image_part draw_part(uint32_t *state) {
    image_part part;
    draw_side(state, HEIGHT, &part.top, &part.height);
    draw_side(state, WIDTH, &part.left, &part.width);
    return part;
}

static bool covers(const image_part *a, const image_part *b) {
    return a->top <= b->top && a->left <= b->left && a->top + a->height >= b->top + b->height &&
           a->left + a->width >= b->left + b->width;
}

static void check_part(const file *f, const image *whole, const image_part *part) {
    image p;
    if (!image_read_part(f->bytes, f->length, 3, part, &p))
        fail_msg("%s", p.message);
    assert_true(p.height == HEIGHT && p.width == WIDTH && p.channels == 3);
    assert_true(covers(&p.part, part));
    for (uint32_t y = part->top; y < part->top + part->height; y++) {
        size_t at = (size_t)(y - p.part.top) * p.part.width + part->left - p.part.left;
        assert_memory_equal(p.pixels + 3 * at, whole->pixels + 3 * ((size_t)y * WIDTH + part->left),
                            3 * (size_t)part->width);
    }
    image_free(&p);
}

static void check_parts(const file *f) {
    image whole;
    uint32_t state = 11;
    assert_true(image_read(f->bytes, f->length, 3, &whole));
    assert_true(covers(&whole.part, &(image_part){0, 0, HEIGHT, WIDTH}));
    for (unsigned i = 0; i < PARTS; i++) {
        image_part part = draw_part(&state);
        check_part(f, &whole, &part);
    }
    image_free(&whole);
}

static void a_part_has_the_pixels_of_the_whole_however_it_is_encoded(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        file f;
        encode(&f, &codings[i]);
        check_parts(&f);
        free(f.bytes);
    }
}

/* Where the last scans are missing, libjpeg smooths across blocks. */
static void a_progressive_file_without_its_last_scans_has_the_pixels_of_the_whole(void **state) {
    (void)state;
    file f;
    encode(&f, &(coding){2, 2, 3, 0, true, false});
    for (unsigned long i = f.length / 4; i < f.length - 2; i++)
        if (f.bytes[i] == 0xff && f.bytes[i + 1] == 0xda) { /* the next scan begins */
            f.bytes[i + 1] = 0xd9;
            f.length = i + 2;
        }
    check_parts(&f);
    free(f.bytes);
}

static void no_more_rows_and_few_more_columns_are_decoded(void **state) {
    (void)state;
    const image_part part = {20, 40, 9, 13};
    file f;
    image p;
    encode(&f, &(coding){2, 2, 3, 0, false, false});
    assert_true(image_read_part(f.bytes, f.length, 0, &part, &p));
    assert_true(p.part.top == 20 && p.part.height == 9);
    assert_true(p.part.left == 32 && p.part.width == 40 + 13 + 2 - 32);
    image_free(&p);
    free(f.bytes);
}

static void a_file_is_read_if_it_is_cut_behind_the_part_and_refused_if_before(void **state) {
    (void)state;
    file f;
    image p;
    encode(&f, &codings[2]);
    assert_true(image_read_part(f.bytes, f.length / 2, 0, &(image_part){0, 5, 9, 9}, &p));
    image_free(&p);
    for (uint32_t top = 50; top < 75; top += 8) {
        assert_false(image_read_part(f.bytes, f.length / 2, 0, &(image_part){top, 5, 1, 9}, &p));
        assert_non_null(strstr(p.message, "the file is truncated after "));
        assert_null(p.pixels);
    }
    free(f.bytes);
}

static void of_a_part_outside_the_picture_all_is_read(void **state) {
    (void)state;
    static const image_part parts[] = {{0, 0, 0, 5},
                                       {0, 0, 5, 0},
                                       {HEIGHT, 0, 1, 1},
                                       {0, WIDTH, 1, 1},
                                       {5, 5, HEIGHT, 1},
                                       {5, 5, 1, WIDTH},
                                       {1, 1, UINT32_MAX, UINT32_MAX}};
    file f;
    image p;
    encode(&f, &codings[2]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        assert_true(image_read_part(f.bytes, f.length, 0, &parts[i], &p));
        assert_true(p.part.top == 0 && p.part.left == 0);
        assert_true(p.part.height == HEIGHT && p.part.width == WIDTH);
        image_free(&p);
    }
    free(f.bytes);
}

RUN(T(a_part_has_the_pixels_of_the_whole_however_it_is_encoded),
    T(a_progressive_file_without_its_last_scans_has_the_pixels_of_the_whole),
    T(no_more_rows_and_few_more_columns_are_decoded),
    T(a_file_is_read_if_it_is_cut_behind_the_part_and_refused_if_before),
    T(of_a_part_outside_the_picture_all_is_read))
