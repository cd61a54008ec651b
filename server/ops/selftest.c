#include "selftest.h"
#include "base/message.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Digests are BLAKE2b-128 over the masks as bits, then each row's L and ones as LE64. */
static const struct golden {
    const char *name, *method;
    fmix_recipe recipe;
    uint64_t t, n;
    const char *digest;
} table[] = {
    {"fmix 32x32",
     "fmix",
     {.seed = 7, .shape = {2, {32, 32}}, .alpha = 1, .delta = 3},
     0,
     64,
     "a65c81720a58ebc7624b39be02dee88b"},
    {"fmix 64x48 alpha 0.2 delta 1.5",
     "fmix",
     {.seed = UINT64_MAX, .shape = {2, {64, 48}}, .alpha = 0.2, .delta = 1.5},
     UINT64_MAX - 15,
     16,
     "9c7f30181dba8be37a4663f1ed587822"},
    {"fmix 1D 512 delta 2",
     "fmix",
     {.seed = 1, .shape = {1, {512}}, .alpha = 4, .delta = 2},
     0,
     16,
     "af73f2667efad5dc578a622580c72c91"},
    {"fmix 3D 13x8x21 delta 5",
     "fmix",
     {.seed = 2, .shape = {3, {13, 8, 21}}, .alpha = 1, .delta = 5},
     100,
     8,
     "993f351a118fccddc468bc5e8127b651"},
    {"fmix 8x512 delta 10 lambda 0.3: contested",
     "fmix",
     {.seed = 0, .shape = {2, {8, 512}}, .delta = 10, .lambda_given = true, .lambda = 0.3},
     0,
     2,
     "86393f0be5bcbbcaaff1bfd66109484e"},
    {"fmix of two pixels: a tie",
     "fmix",
     {.seed = 0, .shape = {1, {2}}, .delta = 3, .lambda_given = true, .lambda = 0.5},
     1166203367,
     1,
     "d134486fecba3550fde6071abe8c744e"},
    {"cutmix 33x40",
     "cutmix",
     {.seed = 9, .shape = {2, {33, 40}}, .alpha = 1},
     0,
     64,
     "b075589f56aa648171b524d135b54cfb"},
    {"fmix official 24x40",
     "fmix",
     {.seed = 3,
      .shape = {2, {24, 40}},
      .alpha = 1,
      .delta = 3,
      .spectrum = FMIX_SPECTRUM_OFFICIAL},
     0,
     16,
     "b7a54911008d2bb39d65e9e9da9eaf10"},
};
#define ROWS (sizeof table / sizeof *table)

static void add_le64(crypto_generichash_state *state, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static fmix_status digest_rows(const struct golden *g, const fmix_plan *plan,
                               crypto_generichash_state *state) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < g->n && status == FMIX_OK; i++) {
        fmix_row row;
        status = fmix_plan_row(plan, g->t + i, &row);
        add_le64(state, row.lambda);
        add_le64(state, row.ones);
    }
    return status;
}

static fmix_status digest(fmix_context *context, const struct golden *g, char hex[33]) {
    unsigned char out[16];
    crypto_generichash_state state;
    fmix_plan *plan = NULL;
    fmix_scratch *scratch = NULL;
    fmix_recipe recipe = g->recipe;
    size_t bytes =
        (size_t)(g->n * fmix_mask_bytes(fmix_shape_elements(&recipe.shape), FMIX_DTYPE_BITS));
    unsigned char *masks = malloc(bytes);
    fmix_status status = masks ? fmix_method_named(g->method, &recipe.method) : FMIX_ERROR_MEMORY;
    if (status == FMIX_OK)
        status = fmix_plan_new(context, &recipe, &plan);
    if (status == FMIX_OK)
        status = fmix_scratch_new(&scratch);
    if (status == FMIX_OK)
        status = fmix_plan_masks(plan, scratch, g->t, g->n, FMIX_DTYPE_BITS, masks);
    if (status == FMIX_OK) {
        crypto_generichash_init(&state, NULL, 0, sizeof out);
        crypto_generichash_update(&state, masks, bytes);
        status = digest_rows(g, plan, &state);
        crypto_generichash_final(&state, out, sizeof out);
        sodium_bin2hex(hex, 33, out, sizeof out);
    }
    fmix_scratch_free(scratch);
    fmix_plan_free(plan);
    free(masks);
    return status;
}

/* False: explained. */
static bool is_as_told(const char *name, const char *told, const char *hex, fmix_status status,
                       FILE *errors) {
    if (status == FMIX_OK && strcmp(hex, told) == 0)
        return true;
    message_print(errors, "fmixd: self-test '%s' gave %s instead of %s\n", name,
                  status == FMIX_OK ? hex : fmix_status_text(status), told);
    return false;
}

/* ---- rows that choose ---- */

enum { CHOOSING = 16, PAIRED = 8, SEQUENCES = 11 };

static fmix_status add_mixer(const fmix_mixer *mixer, fmix_scratch *scratch,
                             crypto_generichash_state *state) {
    const fmix_rows rows = {.batch = 5, .count = CHOOSING, .index = 100};
    unsigned char masks[CHOOSING * 8]; /* bits of 8x8 */
    fmix_status status =
        fmix_mixer_masks(mixer, scratch, &rows, 0, CHOOSING, FMIX_DTYPE_BITS, masks);
    crypto_generichash_update(state, masks, sizeof masks);
    for (uint64_t i = 0; i < CHOOSING && status == FMIX_OK; i++) {
        fmix_method method;
        fmix_row row;
        status = fmix_mixer_row(mixer, &rows, i, &method, &row);
        add_le64(state, method);
        add_le64(state, row.lambda);
        add_le64(state, row.ones);
    }
    return status;
}

static fmix_status add_choices(fmix_context *context, crypto_generichash_state *state) {
    static const fmix_method methods[] = {0, 1, 2};
    static const double alphas[] = {0.2, 1, 4};
    static const uint32_t weights[] = {2, 1, 1};
    const fmix_recipe recipe = {.seed = 7, .shape = {2, {8, 8}}, .delta = 3};
    const fmix_choice choice = {.count = 3,
                                .methods = methods,
                                .alphas = alphas,
                                .weights = weights,
                                .by_sample = true,
                                .prob_given = true,
                                .prob = 0.7,
                                .scope = FMIX_SCOPE_PAIR};
    fmix_mixer *mixer = NULL;
    fmix_scratch *scratch = NULL;
    fmix_status status = fmix_mixer_new(context, &recipe, &choice, &mixer);
    if (status == FMIX_OK)
        status = fmix_scratch_new(&scratch);
    if (status == FMIX_OK)
        status = add_mixer(mixer, scratch, state);
    fmix_scratch_free(scratch);
    fmix_mixer_free(mixer);
    return status;
}

static fmix_status add_partners(fmix_context *context, crypto_generichash_state *state) {
    static const unsigned char classes[PAIRED] = {0, 0, 1, 1, 2, 0, 1, 2};
    static const fmix_pairing_kind kinds[] = {FMIX_PAIRING_OTHER_CLASS, FMIX_PAIRING_SAME_CLASS};
    const fmix_rows rows = {.count = PAIRED};
    fmix_status status = FMIX_OK;
    (void)context;
    for (unsigned k = 0; k < 2 && status == FMIX_OK; k++) {
        int64_t pairing[PAIRED];
        status = fmix_pairing_by_class(kinds[k], 0, &rows, FMIX_DTYPE_U8, classes, 3, pairing);
        for (unsigned i = 0; i < PAIRED && status == FMIX_OK; i++)
            add_le64(state, (uint64_t)pairing[i]);
    }
    for (uint64_t t = 0; t < PAIRED && status == FMIX_OK; t++) {
        uint64_t j;
        fmix_light light;
        status = fmix_neighbour(0, t, 5, &j);
        if (status == FMIX_OK)
            status = fmix_light_draw_neighbour(0, t, 1, 4, &light);
        if (status == FMIX_OK) {
            add_le64(state, j);
            add_le64(state, light.offset[0]);
        }
    }
    return status;
}

static fmix_status add_sequences(fmix_context *context, crypto_generichash_state *state) {
    static const int64_t offsets[SEQUENCES + 1] = {0, 5, 8, 16, 17, 26, 28, 35, 39, 45, 48, 53};
    const fmix_bucket bucket = {.epoch = 1,
                                .samples = SEQUENCES,
                                .batch = 2,
                                .windows = 3,
                                .shuffles = true,
                                .offsets = offsets};
    fmix_status status = FMIX_OK;
    (void)context;
    for (uint64_t step = 0; 2 * step < SEQUENCES && status == FMIX_OK; step++) {
        uint64_t rows, sample[2], t[2];
        status = fmix_bucket_batch(&bucket, step, &rows, sample, t);
        for (uint64_t i = 0; status == FMIX_OK && i < rows; i++) {
            add_le64(state, sample[i]);
            add_le64(state, t[i]);
        }
    }
    return status;
}

/* Digests of these are compared, and are not in the digest over all recipes, which is released. */
static const struct later {
    const char *name;
    fmix_status (*add)(fmix_context *context, crypto_generichash_state *state);
    const char *digest;
} later_table[] = {
    {"choices of rows", add_choices, "67fb8735f8c38d67a2d88663be9946a7"},
    {"partners by class and neighbourhood", add_partners, "095c1260ab2fb973173804002016c5ca"},
    {"batches of sequences", add_sequences, "333a3a6bdd26b7ef21d277bdf9b516f6"},
};

static bool check_later(fmix_context *context, const struct later *l, FILE *errors) {
    unsigned char out[16];
    char hex[33];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof out);
    fmix_status status = l->add(context, &state);
    crypto_generichash_final(&state, out, sizeof out);
    sodium_bin2hex(hex, sizeof hex, out, sizeof out);
    return is_as_told(l->name, l->digest, hex, status, errors);
}

bool selftest_run(fmix_context *context, char golden[33], FILE *errors) {
    crypto_generichash_state all;
    unsigned char out[16];
    bool good = true;
    crypto_generichash_init(&all, NULL, 0, sizeof out);
    for (size_t i = 0; i < ROWS; i++) {
        char hex[33] = "";
        fmix_status status = digest(context, &table[i], hex);
        crypto_generichash_update(&all, (const unsigned char *)hex, strlen(hex));
        good &= is_as_told(table[i].name, table[i].digest, hex, status, errors);
    }
    for (size_t i = 0; i < sizeof later_table / sizeof *later_table; i++)
        good &= check_later(context, &later_table[i], errors);
    crypto_generichash_final(&all, out, sizeof out);
    sodium_bin2hex(golden, 33, out, sizeof out);
    return good;
}
