#include "unit.h"

#include "tensor/tensor_source.h"

static void sizes_are_the_products_of_sides_and_type(void **state) {
    (void)state;
    static const uint64_t side[] = {3, 5, 7, 1, 2};
    static const uint64_t elements[] = {1, 3, 15, 105, 105, 210};
    for (unsigned type = 0; type < DTYPE_COUNT; type++)
        for (unsigned sides = 0; sides < TENSOR_RANK; sides++) {
            tensor_source *s = tensor_source_new(11);
            assert_true(tensor_source_add(s, "x", (dtype)type, sides, side, 2.5, NULL, NULL));
            const tensor *t = &s->tensors[0];
            assert_string_equal(t->name, "x");
            assert_int_equal(t->rank, sides + 1);
            assert_true(t->shape[0] == 11);
            assert_memory_equal(t->shape + 1, side, sides * sizeof *side);
            assert_true(t->row_bytes == elements[sides] * dtype_table[type].size);
            assert_true(tensor_bytes(t) == 11 * t->row_bytes);
            assert_true(t->row_cost == 2.5);
            tensor_source_free(s);
        }
}

static void types_have_the_sizes_their_names_say(void **state) {
    (void)state;
    assert_int_equal(dtype_table[DTYPE_F32].size, sizeof(float));
    assert_int_equal(dtype_table[DTYPE_U8].size, 1);
    assert_int_equal(dtype_table[DTYPE_I64].size, sizeof(int64_t));
    assert_int_equal(dtype_table[DTYPE_F64].size, sizeof(double));
    for (unsigned i = 0; i < DTYPE_COUNT; i++)
        if (dtype_table[i].descr)
            assert_int_equal(dtype_table[i].descr[2] - '0', dtype_table[i].size);
}

/* What passes 2^63-1 bytes is refused and leaves the source as it was. */
static void a_size_that_overflows_is_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t rows;
        dtype type;
        unsigned sides;
        uint64_t side[3];
        bool good;
    } table[] = {
        {INT64_MAX, DTYPE_U8, 0, {0}, true},
        {(uint64_t)INT64_MAX + 1, DTYPE_U8, 0, {0}, false},
        {1, DTYPE_U8, 1, {INT64_MAX}, true},
        {1, DTYPE_U8, 1, {UINT64_MAX}, false},
        {1, DTYPE_F64, 1, {INT64_MAX / 8}, true},
        {1, DTYPE_F64, 1, {INT64_MAX / 8 + 1}, false},
        {2, DTYPE_F64, 1, {INT64_MAX / 8}, false},
        {1, DTYPE_U8, 2, {UINT64_C(1) << 32, UINT64_C(1) << 32}, false},
        {1, DTYPE_U8, 3, {UINT64_C(1) << 22, UINT64_C(1) << 21, UINT64_C(1) << 21}, false},
        {UINT64_C(1) << 24, DTYPE_F32, 2, {4096, 4096}, true},
        {UINT64_MAX, DTYPE_F64, 1, {0}, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        tensor_source *s = tensor_source_new(table[i].rows);
        bool good =
            tensor_source_add(s, "x", table[i].type, table[i].sides, table[i].side, 0, NULL, NULL);
        assert_int_equal(good, table[i].good);
        assert_int_equal(s->count, good);
        tensor_source_free(s);
    }
}

static void too_many_tensors_or_sides_are_refused(void **state) {
    (void)state;
    static const uint64_t side[TENSOR_RANK] = {1, 1, 1, 1, 1, 1};
    tensor_source *s = tensor_source_new(1);
    assert_false(tensor_source_add(s, "x", DTYPE_U8, TENSOR_RANK, side, 0, NULL, NULL));
    for (unsigned i = 0; i < SOURCE_TENSORS; i++)
        assert_true(tensor_source_add(s, "x", DTYPE_U8, TENSOR_RANK - 1, side, 0, NULL, NULL));
    assert_false(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, NULL, NULL));
    assert_int_equal(s->count, SOURCE_TENSORS);
    tensor_source_free(s);
}

static void a_tensor_says_itself_how_it_is_drawn(void **state) {
    (void)state;
    static const uint64_t side[] = {2, 3, 4, 5, 6};
    static const struct {
        unsigned sides;
        channels_place channels;
        image_shape is;
    } table[] = {
        {0, CHANNELS_NOWHERE, {0}},
        {0, CHANNELS_BEFORE, {0}},
        {1, CHANNELS_NOWHERE, {1, 1, 1, 2, 1, false}},
        {1, CHANNELS_BEFORE, {0}},
        {1, CHANNELS_BEHIND, {0}},
        {2, CHANNELS_NOWHERE, {2, 1, 2, 3, 1, false}},
        {2, CHANNELS_BEFORE, {1, 1, 1, 3, 2, true}},
        {2, CHANNELS_BEHIND, {1, 1, 1, 2, 3, false}},
        {3, CHANNELS_NOWHERE, {3, 2, 3, 4, 1, false}},
        {3, CHANNELS_BEFORE, {2, 1, 3, 4, 2, true}},
        {3, CHANNELS_BEHIND, {2, 1, 2, 3, 4, false}},
        {4, CHANNELS_NOWHERE, {0}},
        {4, CHANNELS_BEFORE, {3, 3, 4, 5, 2, true}},
        {4, CHANNELS_BEHIND, {3, 2, 3, 4, 5, false}},
        {5, CHANNELS_BEFORE, {0}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        tensor_source *s = tensor_source_new(7);
        assert_true(tensor_source_add(s, "x", DTYPE_U8, table[i].sides, side, 0, NULL, NULL));
        tensor_source_draw(s, table[i].channels);
        const image_shape *is = &s->tensors[0].image, *wanted = &table[i].is;
        assert_int_equal(is->sides, wanted->sides);
        assert_true(is->slices == wanted->slices && is->height == wanted->height &&
                    is->width == wanted->width && is->channels == wanted->channels &&
                    is->apart == wanted->apart);
        tensor_source_free(s);
    }
}

static void notes_beyond_the_room_are_dropped(void **state) {
    (void)state;
    tensor_source *s = tensor_source_new(1);
    for (uint64_t i = 0; i <= SOURCE_METADATA; i++)
        tensor_source_note(s, "n", i);
    assert_int_equal(s->metas, SOURCE_METADATA);
    assert_true(s->meta[SOURCE_METADATA - 1].value == SOURCE_METADATA - 1);
    tensor_source_free(s);
}

static fmix_status write_self(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    (void)scratch;
    memset(out, *(const unsigned char *)self + (int)first, (size_t)n);
    return FMIX_OK;
}

static void each_tensor_is_filled_from_a_self_of_its_own(void **state) {
    (void)state;
    static const unsigned char selves[] = {10, 20};
    unsigned char out[3];
    tensor_source *s = tensor_source_new(6);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, write_self, &selves[0]));
    assert_true(tensor_source_add_batches(s, "y", DTYPE_U8, 2, 0, write_self, &selves[1]));
    for (unsigned i = 0; i < 2; i++) {
        const tensor *t = &s->tensors[i];
        assert_ok(t->fill(t->self, NULL, 3, sizeof out, out));
        assert_int_equal(out[2], selves[i] + 3);
    }
    tensor_source_free(s);
}

static void count_destroyed(void *self) {
    ++*(int *)self;
}

static void freeing_destroys_what_it_holds_once(void **state) {
    (void)state;
    int destroyed = 0;
    tensor_source *s = tensor_source_new(1);
    s->recipe = strdup("stream=1");
    s->self = &destroyed;
    s->destroy = count_destroyed;
    tensor_source_free(s);
    assert_int_equal(destroyed, 1);
    tensor_source_free(NULL);
}

static void the_first_fill_costs_what_it_makes(void **state) {
    (void)state;
    tensor_source *s = tensor_source_new(1);
    tensor_source_set_warm(s, false, 1 << 20);
    assert_true(!s->warm && s->first_cost > 1e7);
    tensor_source_set_warm(s, true, 1 << 20);
    assert_true(s->warm && s->first_cost == 0);
    tensor_source_free(s);
}

RUN(T(sizes_are_the_products_of_sides_and_type), T(types_have_the_sizes_their_names_say),
    T(a_size_that_overflows_is_refused), T(too_many_tensors_or_sides_are_refused),
    T(a_tensor_says_itself_how_it_is_drawn), T(notes_beyond_the_room_are_dropped),
    T(each_tensor_is_filled_from_a_self_of_its_own), T(freeing_destroys_what_it_holds_once),
    T(the_first_fill_costs_what_it_makes))
