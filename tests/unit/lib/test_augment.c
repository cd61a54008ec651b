#include "unit.h"

#include "words.h"

/* A window of a sample of bytes: what is padded with 0 is 0. */
static void take(const fmix_window *w, size_t step, const unsigned char *from, unsigned char *out) {
    memset(out, 0xa5, 64);
    fmix_window_take(w, step, from, out);
}

static const unsigned char digits[] = {1, 2, 3, 4, 5, 6};

static void a_window_amid_its_padding_is_the_sample(void **state) {
    (void)state;
    unsigned char out[64];
    const fmix_window w = {
        .shape = {2, {2, 3}}, .crop = 2, .light = {.offset = {2, 2}, .flip = true}};
    take(&w, 1, digits, out);
    assert_memory_equal(out, digits, 6);
    assert_int_equal(out[6], 0xa5);
}

static void zero_padding_reads_zeros(void **state) {
    (void)state;
    unsigned char out[64];
    const unsigned char wanted[] = {0, 0, 0, 0, 1, 2};
    const fmix_window w = {.shape = {2, {2, 3}}, .crop = 1, .light = {.offset = {0, 0}}};
    take(&w, 1, digits, out);
    assert_memory_equal(out, wanted, 6);
}

static void reflect_padding_mirrors_without_the_edge(void **state) {
    (void)state;
    unsigned char out[64];
    const unsigned char low[] = {3, 2, 1}, high[] = {3, 2, 1};
    fmix_window w = {
        .shape = {1, {3}}, .crop = 2, .pad = FMIX_PAD_REFLECT, .light = {.offset = {0}}};
    take(&w, 1, digits, out); /* of 3 2 1 2 3 2 1 */
    assert_memory_equal(out, low, 3);
    w.light.offset[0] = 4;
    take(&w, 1, digits, out);
    assert_memory_equal(out, high, 3);
}

static void flips_go_along_the_last_side_and_after_the_window(void **state) {
    (void)state;
    unsigned char out[64];
    const unsigned char flipped[] = {3, 2, 1, 6, 5, 4}, moved[] = {0, 3, 2, 0, 6, 5};
    fmix_window w = {.shape = {2, {2, 3}}, .flips = true, .light = {.flip = true}};
    take(&w, 1, digits, out);
    assert_memory_equal(out, flipped, 6);
    w.crop = 1;
    w.light.offset[0] = 1;
    w.light.offset[1] = 2; /* 2 3 0, mirrored */
    take(&w, 1, digits, out);
    assert_memory_equal(out, moved, 6);
    w.flips = false;
    take(&w, 1, digits, out);
    assert_int_equal(out[0], 2);
}

static void elements_of_several_bytes_stay_together(void **state) {
    (void)state;
    unsigned char out[64];
    const unsigned char wanted[] = {5, 6, 3, 4, 1, 2};
    const fmix_window w = {.shape = {1, {3}}, .flips = true, .light = {.flip = true}};
    take(&w, 2, digits, out);
    assert_memory_equal(out, wanted, 6);
}

static void volumes_move_along_each_side(void **state) {
    (void)state;
    unsigned char from[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[64];
    const unsigned char wanted[] = {0, 0, 0, 0, 4, 0, 0, 0};
    const fmix_window w = {.shape = {3, {2, 2, 2}}, .crop = 1, .light = {.offset = {0, 2, 2}}};
    take(&w, 1, from, out);
    assert_memory_equal(out, wanted, 8);
}

static void offsets_reach_from_none_to_twice_the_crop(void **state) {
    (void)state;
    unsigned seen = 0, flips = 0;
    for (uint64_t t = 0; t < 400; t++) {
        fmix_light light;
        assert_ok(fmix_light_draw(5, t, 2, 3, &light));
        assert_true(light.offset[0] <= 6 && light.offset[1] <= 6);
        seen |= 1u << light.offset[0] | 1u << (8 + light.offset[1]);
        flips += light.flip;
    }
    assert_int_equal(seen, 0x7f7f);
    assert_true(flips > 150 && flips < 250);
}

static void sides_are_one_to_three(void **state) {
    (void)state;
    fmix_light light;
    assert_int_equal(fmix_light_draw(0, 0, 0, 1, &light), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_light_draw(0, 0, 4, 1, &light), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_light_draw_neighbour(0, 0, 0, 1, &light), FMIX_ERROR_RANGE);
    assert_int_equal(fmix_light_draw_neighbour(0, 0, 4, 1, &light), FMIX_ERROR_RANGE);
}

static void a_neighbour_takes_words_sixteen_further_on(void **state) {
    (void)state;
    fmix_key key;
    assert_ok(fmix_key_derive(5, FMIX_DOMAIN_AUGMENT, &key));
    for (uint64_t t = 0; t < 400; t++)
        for (unsigned sides = 1; sides <= 3; sides++) {
            uint32_t w[4];
            fmix_light light = {.flip = false};
            fmix_words_block(&key, t, 16 / 4, w);
            assert_ok(fmix_light_draw_neighbour(5, t, sides, 3, &light));
            for (unsigned d = 0; d < sides; d++)
                assert_int_equal(light.offset[d], w[d] * UINT64_C(7) >> 32);
            assert_int_equal(light.flip, w[sides] < UINT32_C(1) << 31);
        }
}

RUN(T(a_window_amid_its_padding_is_the_sample), T(zero_padding_reads_zeros),
    T(reflect_padding_mirrors_without_the_edge),
    T(flips_go_along_the_last_side_and_after_the_window),
    T(elements_of_several_bytes_stay_together), T(volumes_move_along_each_side),
    T(offsets_reach_from_none_to_twice_the_crop), T(sides_are_one_to_three),
    T(a_neighbour_takes_words_sixteen_further_on))
