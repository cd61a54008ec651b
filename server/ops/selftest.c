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

bool selftest_run(fmix_context *context, char golden[33], FILE *errors) {
    crypto_generichash_state all;
    unsigned char out[16];
    bool good = true;
    crypto_generichash_init(&all, NULL, 0, sizeof out);
    for (size_t i = 0; i < ROWS; i++) {
        char hex[33] = "";
        fmix_status status = digest(context, &table[i], hex);
        crypto_generichash_update(&all, (const unsigned char *)hex, strlen(hex));
        if (status == FMIX_OK && strcmp(hex, table[i].digest) == 0)
            continue;
        good = false;
        message_print(errors, "fmixd: self-test '%s' gave %s instead of %s\n", table[i].name,
                      status == FMIX_OK ? hex : fmix_status_text(status), table[i].digest);
    }
    crypto_generichash_final(&all, out, sizeof out);
    sodium_bin2hex(golden, 33, out, sizeof out);
    return good;
}
