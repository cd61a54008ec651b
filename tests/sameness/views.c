/*
 * views.c - the golden set of views: windows that are drawn, and pictures that are resized
 */
#include "golden.h"

enum { SIDE_MOST = 90, PIXELS_MOST = SIDE_MOST * SIDE_MOST, DRAWS = 8 };

static uint32_t side(uint64_t *random, uint64_t most) {
    return (uint32_t)(1 + below(random, 1 + below(random, most)));
}

static void choose_recipe(fmix_view_recipe *r, uint64_t *random) {
    r->kind = (fmix_view_kind)below(random, 3);
    r->height = side(random, SIDE_MOST);
    r->width = side(random, SIDE_MOST);
    r->flips = below(random, 2);
    r->area[0] = (double)(1 + below(random, 1000)) / 1000;
    r->area[1] = r->area[0] + (1 - r->area[0]) * (double)below(random, 9) / 8;
    r->ratio[0] = (double)(1 + below(random, 64)) / 16;
    r->ratio[1] = r->ratio[0] * (double)(4 + below(random, 9)) / 4;
    r->shorter = (uint32_t)below(random, 2 * SIDE_MOST);
}

static void add_side(hash *h, const fmix_view_side *s) {
    add_number(h, s->first);
    add_number(h, s->length);
    add_number(h, s->resized);
    add_number(h, (uint64_t)s->begin);
    add_number(h, s->size);
}

/* Drawn again for pictures of large sides, which are not resized. */
static void add_windows(hash *h, const fmix_view_recipe *recipe, uint64_t number,
                        uint64_t *random) {
    uint64_t seed = next(random), t = next(random) >> 1;
    for (uint64_t i = 0; i < DRAWS; i++) {
        fmix_view view;
        uint32_t height = side(random, FMIX_MAX_PICTURE_SIDE), width = side(random, 5000);
        must(fmix_view_draw(recipe, seed, t + i, i % 2, height, width, &view) == FMIX_OK, "window",
             number);
        add_side(h, &view.rows);
        add_side(h, &view.columns);
        add_number(h, view.flip);
    }
}

void view_answer(bench *b, uint64_t number, unsigned char digest[16]) {
    uint64_t random = (number + 1) * UINT64_C(0x94d049bb133111eb);
    fmix_view_recipe recipe;
    fmix_view view;
    hash h;
    choose_recipe(&recipe, &random);
    uint32_t height = side(&random, SIDE_MOST), width = side(&random, SIDE_MOST);
    unsigned channels = 1 + (unsigned)below(&random, 4);
    make_values(b->x, FMIX_DTYPE_U8, (uint64_t)height * width * channels, number);
    const fmix_picture picture = {{0, 0, height, width}, b->x, (size_t)width * channels};
    crypto_generichash_init(&h, NULL, 0, 16);
    must(fmix_view_draw(&recipe, number, 7, false, height, width, &view) == FMIX_OK, "view",
         number);
    for (unsigned filter = 0; filter < 3; filter++) {
        must(fmix_resize(b->scratch, &view, (fmix_filter)filter, channels, &picture, b->out) ==
                 FMIX_OK,
             "resizing", number);
        add_elements(&h, FMIX_DTYPE_U8, b->out, (uint64_t)recipe.height * recipe.width * channels);
    }
    add_windows(&h, &recipe, number, &random);
    crypto_generichash_final(&h, digest, 16);
}

_Static_assert(PIXELS_MOST * 4 <= VALUES_MOST * 8, "a picture fits in x, and a view in out");
