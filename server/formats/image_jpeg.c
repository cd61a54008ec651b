/* JPEG by libjpeg-turbo with its defaults: the accurate integer DCT, and fancy upsampling. */
#include "image_codec.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

/* The most scans: a small file of many short scans would take hours. Encoders write about ten. */
#define SCANS_MOST 500

typedef struct reader {
    const image_request *order;
    image *out;
    struct jpeg_decompress_struct jpeg; /* its client_data is the reader */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    bool ended; /* libjpeg asked for more bytes than there are */
    jmp_buf failed;
} reader;

static bool fail_truncated(reader *r) {
    snprintf(r->out->message, IMAGE_MESSAGE, "the file is truncated after %zu bytes",
             r->order->length);
    return false;
}

static _Noreturn void on_error(j_common_ptr jpeg) {
    reader *r = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    r->out->starved = jpeg->err->msg_code == JERR_OUT_OF_MEMORY;
    if (r->ended && jpeg->err->msg_code == JERR_CANT_SUSPEND)
        fail_truncated(r);
    else
        snprintf(r->out->message, IMAGE_MESSAGE, "libjpeg-turbo: %s", text);
    longjmp(r->failed, 1);
}

/* Level -1 is a warning; other levels trace. */
static void on_message(j_common_ptr jpeg, int level) {
    reader *r = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    if (level >= 0 || jpeg->err->num_warnings++ > 0)
        return;
    jpeg->err->format_message(jpeg, text);
    snprintf(r->out->message, IMAGE_MESSAGE, "libjpeg-turbo warning: %s", text);
}

static void on_progress(j_common_ptr jpeg) {
    reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= SCANS_MOST)
        return;
    snprintf(r->out->message, IMAGE_MESSAGE, "the file has more than the %d scans allowed",
             SCANS_MOST);
    longjmp(r->failed, 1);
}

static void do_nothing(j_decompress_ptr jpeg) {
    (void)jpeg;
}

/* The source is the whole file at once. A request for more suspends the decoder, which tells
 * truncated files from others: libjpeg's own memory source would insert an end of its own. */
static boolean suspend(j_decompress_ptr jpeg) {
    ((reader *)jpeg->client_data)->ended = true;
    return FALSE;
}

static void skip_bytes(j_decompress_ptr jpeg, long count) {
    struct jpeg_source_mgr *source = jpeg->src;
    size_t step = count > 0 ? (size_t)count : 0;
    if (step > source->bytes_in_buffer)
        step = source->bytes_in_buffer;
    source->next_input_byte += step;
    source->bytes_in_buffer -= step;
}

static void set_up(reader *r) {
    r->jpeg.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->jpeg.client_data = r;
    r->progress.progress_monitor = on_progress;
    r->source = (struct jpeg_source_mgr){.next_input_byte = r->order->bytes,
                                         .bytes_in_buffer = r->order->length,
                                         .init_source = do_nothing,
                                         .fill_input_buffer = suspend,
                                         .skip_input_data = skip_bytes,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = do_nothing};
}

static bool take_header(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    int components = jpeg->num_components;
    if (components != 1 && components != 3 && components != 4) {
        snprintf(r->out->message, IMAGE_MESSAGE,
                 "the image has %d components; 1, 3 and 4 are supported", components);
        return false;
    }
    jpeg->out_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
    r->out->width = jpeg->image_width;
    r->out->height = jpeg->image_height;
    r->out->stored = components == 1 ? 1 : 3;
    r->out->traits = components == 4 ? IMAGE_CMYK : 0;
    return image_take_sides(r->out);
}

/* Decodes no other columns than those of the part and some around it. libjpeg smooths the colours
 * of the outermost columns as if there were no others, so those of one sample of colour more, at
 * most four, are decoded on either side. It widens the part to the left to whole blocks. */
static void choose_columns(reader *r, image_part *part) {
    JDIMENSION more = (JDIMENSION)r->jpeg.max_h_samp_factor;
    JDIMENSION left = part->left > more ? part->left - more : 0;
    JDIMENSION end = part->left + part->width, width = r->out->width;
    JDIMENSION across = (width - end > more ? end + more : width) - left;
    jpeg_crop_scanline(&r->jpeg, &left, &across);
    part->left = left;
    part->width = across;
}

/* Of the rows above the part only the codes are read, and nothing of those below. A progressive
 * file that lacks scans is smoothed across blocks, otherwise where it is cropped. */
static bool choose_part(reader *r) {
    image_take_rows(r->order, r->out);
    if (r->jpeg.progressive_mode || !image_is_part(r->order->part, r->out))
        return true;
    image_part part = *r->order->part;
    choose_columns(r, &part);
    r->out->part = part;
    return part.top == 0 || jpeg_skip_scanlines(&r->jpeg, part.top) == part.top;
}

/* One ink over black: k - c * k / 255, rounded as Pillow rounds. */
static unsigned char ink_over_black(unsigned c, unsigned k) {
    unsigned p = c * k + 128, less = ((p >> 8) + p) >> 8;
    return (unsigned char)(k > less ? k - less : 0);
}

/* Adobe's programs store inverted inks, and so do others, whether or not a marker says so. */
static void convert_cmyk(const unsigned char *cmyk, uint32_t width, unsigned char *rgb) {
    for (uint32_t x = 0; x < width; x++)
        for (unsigned c = 0; c < 3; c++)
            rgb[3 * x + c] = ink_over_black(255u - cmyk[4 * x + c], cmyk[4 * x + 3]);
}

static bool read_rows(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    const image_part *part = &r->out->part;
    size_t stride = (size_t)part->width * r->out->stored;
    bool inks = jpeg->out_color_space == JCS_CMYK;
    JSAMPARRAY own =
        inks ? jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, jpeg->output_width * 4, 1)
             : NULL;
    while (jpeg->output_scanline < part->top + part->height) {
        JSAMPROW row = r->out->pixels + (jpeg->output_scanline - part->top) * stride;
        if (jpeg_read_scanlines(jpeg, inks ? own : &row, 1) != 1)
            return fail_truncated(r);
        if (inks)
            convert_cmyk(own[0], part->width, row);
    }
    return true;
}

static bool decode(reader *r) {
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    int found;
    jpeg_create_decompress(jpeg);
    jpeg->src = &r->source;
    jpeg->progress = &r->progress;
    do
        found = jpeg_read_header(jpeg, FALSE);
    while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED)
        return fail_truncated(r);
    if (!take_header(r))
        return false;
    if (!r->order->pixels)
        return true;
    if (!jpeg_start_decompress(jpeg))
        return fail_truncated(r);
    if (!choose_part(r))
        return fail_truncated(r);
    if (!image_allocate(r->order, r->out) || !read_rows(r))
        return false;
    if (jpeg->output_scanline < jpeg->output_height)
        return true;
    if (!jpeg_finish_decompress(jpeg) && !r->out->message[0])
        snprintf(r->out->message, IMAGE_MESSAGE,
                 "the EOI marker at the end of the file is missing; all pixels were decoded");
    return true;
}

bool image_jpeg(const image_request *order, image *out) {
    reader r = {.order = order, .out = out};
    bool good = false;
    set_up(&r);
    if (setjmp(r.failed) == 0)
        good = decode(&r);
    else
        good = false;
    jpeg_destroy_decompress(&r.jpeg);
    return good;
}
