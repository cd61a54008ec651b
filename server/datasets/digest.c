#include "digest.h"
#include "dataset_part.h"
#include "manifest.h"
#include "pieces.h"

#include <sodium.h>

void digest_bytes(const void *bytes, size_t length, unsigned char out[DIGEST_BYTES]) {
    crypto_generichash(out, DIGEST_BYTES, bytes, length, NULL, 0);
}

void digest_pair(const void *first, size_t first_length, const void *second, size_t second_length,
                 char out[DATASET_DIGEST + 1]) {
    crypto_generichash_state state;
    unsigned char digest[DIGEST_BYTES];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, first, first_length);
    crypto_generichash_update(&state, second, second_length);
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, DATASET_DIGEST + 1, digest, sizeof digest);
}

/* A piece, between two looks at `stop`, takes a few milliseconds. */
static bool add_file(crypto_generichash_state *state, const mapped_file *file,
                     const atomic_bool *stop, unsigned char **pieces) {
    for (size_t at = 0, n; at < file->length; at += n) {
        n = file->length - at < PIECE_BYTES ? file->length - at : PIECE_BYTES;
        if (dataset_must_stop(stop) || mapped_file_state_of(file) == MAPPED_FILE_BROKEN)
            return false;
        crypto_generichash_update(state, file->bytes + at, n);
        if (!*pieces)
            continue;
        digest_bytes(file->bytes + at, n, *pieces);
        *pieces += DIGEST_BYTES;
    }
    return true;
}

static bool add_facts(crypto_generichash_state *state, const dataset *d) {
    buffer facts = buffer_of(4096);
    manifest_print_facts(d, &facts);
    bool good = !facts.failed;
    if (good)
        crypto_generichash_update(state, facts.bytes, facts.length);
    buffer_free(&facts);
    return good;
}

bool digest_compute(const dataset *d, const atomic_bool *stop, unsigned char *pieces,
                    char out[DATASET_DIGEST + 1]) {
    crypto_generichash_state state;
    unsigned char digest[DIGEST_BYTES];
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    bool good = add_facts(&state, d);
    for (unsigned i = 0; i < dataset_files(d) && good; i++)
        good = add_file(&state, dataset_file(d, i), stop, &pieces);
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, DATASET_DIGEST + 1, digest, sizeof digest);
    return good && dataset_state(d) != MAPPED_FILE_BROKEN;
}
