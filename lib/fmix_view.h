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

#ifdef __cplusplus
}
#endif
#endif
