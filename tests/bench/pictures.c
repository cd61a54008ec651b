/*
 * pictures.c - views of pictures, and decoders of files, against what they are built on
 *
 *   pictures decode FILE...              decoding and a random view of 224x224, as the daemon makes
 *                                        them, against libjpeg-turbo's bare decode of the whole
 *                                        file: nanoseconds a file, a line each round
 *   pictures views FILE COUNT HEIGHT WIDTH
 *                                        random views of 224x224 of that many pictures in RGB:
 * their windows (top left height width), a line each; then nanoseconds a view, once for each line
 * that it is sent
 *
 * Time is this thread's. Rounds have other windows, and in a round the two take turns by files.
 */
#include "lib/fmix.h"
#include "server/formats/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jpeglib.h>

#define ROUNDS 11
#define SIDE   224

static const fmix_view_recipe recipe = {FMIX_VIEW_RANDOM,   SIDE, SIDE, false, {0.08, 1},
                                        {3.0 / 4, 4.0 / 3}, 0};

static unsigned char view_of[SIDE * SIDE * 3];

typedef struct file {
    unsigned char *bytes;
    size_t length;
} file;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void must(bool good, const char *what) {
    if (!good) {
        fprintf(stderr, "pictures: %s failed\n", what);
        exit(1);
    }
}

static file read_file(const char *path) {
    file f = {0};
    FILE *stream = fopen(path, "rb");
    must(stream && fseek(stream, 0, SEEK_END) == 0 && ftell(stream) > 0, path);
    f.length = (size_t)ftell(stream);
    f.bytes = malloc(f.length);
    rewind(stream);
    must(f.bytes && fread(f.bytes, 1, f.length, stream) == f.length, path);
    fclose(stream);
    return f;
}

static void make_view(fmix_scratch *scratch, const fmix_view *view, const fmix_picture *from) {
    must(fmix_resize(scratch, view, FMIX_FILTER_BILINEAR, 3, from, view_of) == FMIX_OK,
         "fmix_resize");
}

static fmix_view draw_view(uint64_t t, uint32_t height, uint32_t width) {
    fmix_view view;
    must(fmix_view_draw(&recipe, 7, t, false, height, width, &view) == FMIX_OK, "fmix_view_draw");
    return view;
}

/* ---- from files ---- */

/* As api/hosted_views does. */
static void decode_and_view(fmix_scratch *scratch, const file *f, uint64_t t) {
    image p;
    fmix_part reads;
    must(image_header(f->bytes, f->length, &p), p.message);
    const fmix_view view = draw_view(t, p.height, p.width);
    fmix_view_reads(&view, FMIX_FILTER_BILINEAR, &reads);
    const image_part part = {reads.top, reads.left, reads.height, reads.width};
    must(image_read_part(f->bytes, f->length, 3, &part, &p), p.message);
    const fmix_picture from = {
        {p.part.top, p.part.left, p.part.height, p.part.width}, p.pixels, (size_t)p.part.width * 3};
    make_view(scratch, &view, &from);
    image_free(&p);
}

/* Into memory that is kept and warm, by the shortest way there is. */
static void decode_bare(const file *f, unsigned char **pixels, size_t *room) {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, f->bytes, (unsigned long)f->length);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    size_t stride = (size_t)jpeg.output_width * 3;
    if (*room < stride * jpeg.output_height) {
        *room = stride * jpeg.output_height;
        *pixels = realloc(*pixels, *room);
        must(*pixels != NULL, "allocation");
    }
    while (jpeg.output_scanline < jpeg.output_height)
        jpeg_read_scanlines(&jpeg, &(JSAMPROW){*pixels + stride * jpeg.output_scanline}, 1);
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
}

static void decode(fmix_scratch *scratch, int count, char **paths) {
    file *files = calloc((size_t)count, sizeof *files);
    unsigned char *pixels = NULL;
    size_t room = 0;
    must(files && count > 0, "allocation");
    for (int i = 0; i < count; i++)
        files[i] = read_file(paths[i]);
    for (uint64_t round = 0; round <= ROUNDS; round++) { /* the first warms the memory */
        double ours = 0, bare = 0;
        for (int i = 0; i < count; i++) {
            double start = now();
            decode_bare(&files[i], &pixels, &room);
            double middle = now();
            decode_and_view(scratch, &files[i], round * (uint64_t)count + (uint64_t)i);
            bare += middle - start;
            ours += now() - middle;
        }
        if (round)
            printf("decode %.1f %.1f\n", ours / count, bare / count);
    }
    for (int i = 0; i < count; i++)
        free(files[i].bytes);
    free(files);
    free(pixels);
}

/* ---- from pixels ---- */

static void views(fmix_scratch *scratch, int count, char **arguments) {
    must(count == 4, "views FILE COUNT HEIGHT WIDTH");
    file all = read_file(arguments[0]);
    uint32_t pictures = (uint32_t)atoi(arguments[1]), height = (uint32_t)atoi(arguments[2]),
             width = (uint32_t)atoi(arguments[3]);
    size_t one = (size_t)height * width * 3;
    fmix_view *view = calloc(pictures, sizeof *view);
    must(view && all.length == one * pictures, "pictures of these sides");
    for (uint32_t i = 0; i < pictures; i++) {
        view[i] = draw_view(i, height, width);
        printf("%u %u %u %u\n", view[i].rows.first, view[i].columns.first, view[i].rows.length,
               view[i].columns.length);
    }
    fflush(stdout);
    while (getchar() == '\n') {
        double start = now();
        for (uint32_t i = 0; i < pictures; i++) {
            const fmix_picture from = {{0, 0, height, width}, all.bytes + one * i, width * 3};
            make_view(scratch, &view[i], &from);
        }
        printf("views %.1f\n", (now() - start) / pictures);
        fflush(stdout);
    }
    free(view);
    free(all.bytes);
}

int main(int argc, char **argv) {
    fmix_scratch *scratch;
    must(argc > 2 && fmix_scratch_new(&scratch) == FMIX_OK, "decode FILE... | views FILE ...");
    if (argv[1][0] == 'd')
        decode(scratch, argc - 2, argv + 2);
    else
        views(scratch, argc - 2, argv + 2);
    fmix_scratch_free(scratch);
    return 0;
}
