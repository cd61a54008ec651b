#include "view.h"
#include "double_double.h"
#include "elementary.h"
#include "words.h"

#include <math.h> /* sqrt, floor: exact or correctly rounded */

#define ATTEMPTS         10
#define FLIP_WORD        2
#define NEIGHBOUR_FLIP   (16 / 4) /* block of word 16 of domain 6 */
#define NEIGHBOUR_WINDOW (64 / 4) /* block of word 64 of domain 8 */

/*
 * The bound of the relative error of the float64 value of an extent.
 *
 * a: the difference of the areas, its product with a word (the factor 2^-32 is exact) and the sum
 * round once each, and all terms are positive: 3u. The product with the pixels, which are exact: u.
 * r: the quotient ratio[0]/ratio[1] is within u, which its power to at most 1 does not raise;
 * fmix_power is within 24u, and the product with ratio[0] adds u: 26u. Their product or quotient is
 * within 31u, and the root within 15.5u + u. What is left of 2^-48 = 32u is room for the products
 * of errors, and for the rounding of the comparison with the bound.
 */
#define EXTENT_BOUND 0x1p-48

static double extent_of(const fmix_extent *e) {
    double area = e->area[0] + (e->area[1] - e->area[0]) * (e->words[0] * 0x1p-32);
    double ratio = e->ratio[0] * fmix_power(e->ratio[0] / e->ratio[1], e->words[1] * 0x1p-32);
    double all = (double)e->pixels * area;
    return sqrt(e->upright ? all / ratio : all * ratio);
}

uint64_t fmix_extent_round(const fmix_extent *extent) {
    double x = extent_of(extent), below = floor(x), rest = x - below;
    double doubt = rest > 0.5 ? rest - 0.5 : 0.5 - rest;
    if (doubt > x * EXTENT_BOUND)
        return (uint64_t)below + (rest > 0.5);
    return fmix_exact_extent(extent, (uint64_t)below);
}

/* The sign of a*b - c, exactly: a product is its float64 value and a rest that is at most half a
 * unit in its last place, so the rest matters only where c is that float64 value. */
static int compare_product(double a, double b, double c) {
    fmix_dd product = fmix_two_product(a, b);
    double difference = product.high != c ? product.high - c : product.low;
    return (difference > 0) - (difference < 0);
}

/* Given the sign of a number minus (below + 1/2): the number to the nearest, ties to even. */
static uint32_t settle(double below, int side) {
    uint32_t whole = (uint32_t)below;
    return side > 0 || (side == 0 && whole % 2 == 1) ? whole + 1 : whole;
}

/* a / b and a * b to the nearest, ties to even, for numbers below 2^31. Where rounding has reached
 * the next integer, the exact number is less than a half below that integer. */
static uint32_t round_quotient(double a, double b) {
    double below = floor(a / b);
    return settle(below, -compare_product(2 * below + 1, b, 2 * a));
}

static uint32_t round_product(double a, double b) {
    double below = floor(a * b);
    return settle(below, compare_product(2 * a, b, 2 * below + 1));
}

static uint32_t clamp(uint32_t x, uint32_t most) {
    return x < 1 ? 1 : x > most ? most : x;
}

static fmix_view_side window(uint32_t first, uint32_t length, uint32_t size) {
    return (fmix_view_side){.first = first, .length = length, .resized = size, .size = size};
}

/* The window where no attempt serves: all of the picture, or of its middle what the ratios allow.
 */
static void fall_back(const fmix_view_recipe *recipe, uint32_t height, uint32_t width,
                      fmix_view *out) {
    uint32_t h = height, w = width;
    if (compare_product(recipe->ratio[0], height, width) > 0)
        h = clamp(round_quotient(width, recipe->ratio[0]), height);
    else if (compare_product(recipe->ratio[1], height, width) < 0)
        w = clamp(round_product(height, recipe->ratio[1]), width);
    out->rows = window((height - h) / 2, h, recipe->height);
    out->columns = window((width - w) / 2, w, recipe->width);
}

/* Every attempt takes a block of words. */
static fmix_status draw_random(const fmix_view_recipe *recipe, uint64_t seed, uint64_t t,
                               bool neighbour, uint32_t height, uint32_t width, fmix_view *out) {
    fmix_key key;
    uint32_t words[4];
    fmix_extent extent = {.pixels = (uint64_t)height * width,
                          .area = recipe->area,
                          .ratio = recipe->ratio,
                          .words = words};
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_VIEW, &key);
    if (status != FMIX_OK)
        return status;
    for (uint64_t k = 0; k < ATTEMPTS; k++) {
        fmix_words_block(&key, t, k + (neighbour ? NEIGHBOUR_WINDOW : 0), words);
        extent.upright = false;
        uint64_t w = fmix_extent_round(&extent);
        extent.upright = true;
        uint64_t h = fmix_extent_round(&extent);
        if (w < 1 || w > width || h < 1 || h > height)
            continue;
        uint32_t top = (uint32_t)(words[2] * (height - h + 1) >> 32);
        uint32_t left = (uint32_t)(words[3] * (width - w + 1) >> 32);
        out->rows = window(top, (uint32_t)h, recipe->height);
        out->columns = window(left, (uint32_t)w, recipe->width);
        return FMIX_OK;
    }
    fall_back(recipe, height, width, out);
    return FMIX_OK;
}

/* A side of n pixels, of a picture whose shorter side has `least` and becomes `shorter`. */
static fmix_view_side middle(uint32_t n, uint32_t least, uint32_t shorter, uint32_t size) {
    uint64_t resized = (uint64_t)shorter * n / least;
    int64_t over = (int64_t)resized - size, half = over / 2;
    if (over >= 0)
        half += (over & half & 1); /* ties to even */
    return (fmix_view_side){.length = n, .resized = resized, .begin = half, .size = size};
}

static void draw_center(const fmix_view_recipe *recipe, uint32_t height, uint32_t width,
                        fmix_view *out) {
    uint32_t least = height < width ? height : width, shorter = recipe->shorter;
    uint32_t size = recipe->height < recipe->width ? recipe->height : recipe->width;
    if (shorter == 0)
        shorter = (uint32_t)((uint64_t)size * 8 / 7);
    out->rows = middle(height, least, shorter, recipe->height);
    out->columns = middle(width, least, shorter, recipe->width);
}

static bool is_range(const double range[2], double least, double most) {
    return range[0] >= least && range[0] <= range[1] && range[1] <= most;
}

fmix_status fmix_view_check(const fmix_view_recipe *recipe) {
    bool is_sized = recipe->height >= 1 && recipe->width >= 1 &&
                    (uint64_t)recipe->height * recipe->width <= FMIX_MAX_ELEMENTS;
    bool is_good = false;
    switch (recipe->kind) {
    case FMIX_VIEW_RANDOM:
        is_good = is_range(recipe->area, FMIX_AREA_MIN, FMIX_AREA_MAX) &&
                  is_range(recipe->ratio, FMIX_RATIO_MIN, FMIX_RATIO_MAX);
        break;
    case FMIX_VIEW_CENTER:
        is_good = recipe->shorter <= FMIX_MAX_PICTURE_SIDE;
        break;
    case FMIX_VIEW_STRETCH:
        is_good = true;
        break;
    }
    return is_sized && is_good ? FMIX_OK : FMIX_ERROR_RANGE;
}

static bool is_side(uint32_t n) {
    return n >= 1 && n <= FMIX_MAX_PICTURE_SIDE;
}

static fmix_status draw_flip(uint64_t seed, uint64_t t, bool neighbour, bool *flip) {
    fmix_key key;
    uint32_t words[4];
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_AUGMENT, &key);
    if (status != FMIX_OK)
        return status;
    fmix_words_block(&key, t, neighbour ? NEIGHBOUR_FLIP : 0, words);
    *flip = words[FLIP_WORD] < UINT32_C(1) << 31;
    return FMIX_OK;
}

fmix_status fmix_view_draw(const fmix_view_recipe *recipe, uint64_t seed, uint64_t t,
                           bool neighbour, uint32_t height, uint32_t width, fmix_view *out) {
    fmix_status status = fmix_view_check(recipe);
    if (status != FMIX_OK || !is_side(height) || !is_side(width))
        return FMIX_ERROR_RANGE;
    out->flip = false;
    switch (recipe->kind) {
    case FMIX_VIEW_RANDOM:
        status = draw_random(recipe, seed, t, neighbour, height, width, out);
        break;
    case FMIX_VIEW_CENTER:
        draw_center(recipe, height, width, out);
        break;
    case FMIX_VIEW_STRETCH:
        out->rows = window(0, height, recipe->height);
        out->columns = window(0, width, recipe->width);
        break;
    }
    if (status == FMIX_OK && recipe->flips)
        status = draw_flip(seed, t, neighbour, &out->flip);
    return status;
}
