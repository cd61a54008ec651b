/*
 * fmix_view.h - views of pictures: which window, resized to which size; a part of fmix.h
 *
 * Pictures of any size become samples of one size. The draws are those of STREAM §9, and the pixels
 * are, bit for bit, those of Pillow's Image.resize. Units, ownership, threads and errors are those
 * that fmix.h states.
 */
#ifndef FMIX_VIEW_H
#define FMIX_VIEW_H

#ifndef FMIX_H
#error "include fmix.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FMIX_MAX_PICTURE_SIDE (UINT32_C(1) << 20) /* pixels; a side has at least 1 */

#define FMIX_AREA_MIN  1e-9
#define FMIX_AREA_MAX  1.0
#define FMIX_RATIO_MIN 0.001
#define FMIX_RATIO_MAX 1000.0

typedef enum fmix_view_kind {
    FMIX_VIEW_RANDOM,  /* a window of drawn area and ratio, as torchvision's RandomResizedCrop */
    FMIX_VIEW_CENTER,  /* the middle of the resized picture, as Resize and CenterCrop */
    FMIX_VIEW_STRETCH, /* the whole picture */
} fmix_view_kind;

/* How views of a data set are made. Numbers of other kinds of view are ignored. */
typedef struct fmix_view_recipe {
    fmix_view_kind kind;
    uint32_t height, width; /* of the view, which has at most FMIX_MAX_ELEMENTS pixels */
    bool flips;             /* mirror every other view, drawn at random, left to right */
    double area[2];         /* RANDOM: least and most, as shares of the picture's area */
    double ratio[2];        /* RANDOM: least and most width / height */
    uint32_t shorter; /* CENTER: the shorter side of the resized picture, at most 2^20; 0: 8/7 of
                         the view's shorter side */
} fmix_view_recipe;

/* One direction of a view. Pixels first … first+length-1 of the picture are resized to `resized`
 * pixels. The view has `size` of these, from number `begin` on. Pixels that do not exist, before
 * number 0 and from number `resized` on, are zeros. */
typedef struct fmix_view_side {
    uint32_t first, length;
    uint64_t resized;
    int64_t begin;
    uint32_t size;
} fmix_view_side;

typedef struct fmix_view {
    fmix_view_side rows, columns;
    bool flip; /* the view is mirrored left to right */
} fmix_view;

/* FMIX_OK, or FMIX_ERROR_RANGE: a number of the recipe is outside its range, or a least area or
 * ratio is above the most. */
FMIX_API fmix_status fmix_view_check(const fmix_view_recipe *recipe);

/* Draws the view of sample t, a picture of height x width pixels. With `neighbour`, the view of the
 * neighbour that is the partner of sample t (STREAM §11). Sides of windows are decided in real
 * arithmetic: float64 with a bound (BOUND.md), and in about one of 10^11 draws MPFR, which
 * allocates. FMIX_ERROR_RANGE: as fmix_view_check, or a side of the picture is outside its range.
 */
FMIX_API fmix_status fmix_view_draw(const fmix_view_recipe *recipe, uint64_t seed, uint64_t t,
                                    bool neighbour, uint32_t height, uint32_t width,
                                    fmix_view *out);

typedef enum fmix_filter {
    FMIX_FILTER_BILINEAR, /* both as Pillow's, bit for bit: reaching further where it shrinks */
    FMIX_FILTER_BICUBIC,
    FMIX_FILTER_NEAREST, /* the pixel at the middle of each resized pixel */
} fmix_filter;

/* A part of a picture. */
typedef struct fmix_part {
    uint32_t top, left, height, width;
} fmix_part;

/* The pixels of a part of a picture, borrowed: rows are `stride` bytes apart. */
typedef struct fmix_picture {
    fmix_part part;
    const void *pixels;
    size_t stride;
} fmix_picture;

/* Which pixels a view reads, for decoders that can skip others. Empty for a view of zeros alone. */
FMIX_API void fmix_view_reads(const fmix_view *view, fmix_filter filter, fmix_part *out);

/* Resizes what a view shows of a picture of u8, with 1 to 4 channels in each pixel, and mirrors it
 * if view->flip is set. Writes size of rows * size of columns * channels bytes. FMIX_ERROR_RANGE:
 * channels, the view or the filter are outside their range, or the view reads pixels outside the
 * part. `out` overlaps neither. STREAM §9. */
FMIX_API fmix_status fmix_resize(fmix_scratch *scratch, const fmix_view *view, fmix_filter filter,
                                 unsigned channels, const fmix_picture *picture, void *out);

/* fmix_resize with the filter NEAREST for pixels of `step` bytes, at least 1, of any type. */
FMIX_API fmix_status fmix_view_take(fmix_scratch *scratch, const fmix_view *view, size_t step,
                                    const fmix_picture *picture, void *out);

/* Bytes that these calls need in a scratch. */
FMIX_API uint64_t fmix_resize_memory(const fmix_view *view, fmix_filter filter, unsigned channels);

#ifdef __cplusplus
}
#endif
#endif
