#include "digest.h"
#include "dataset_part.h"
#include "manifest.h"
#include "pieces.h"

#include <pthread.h>
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

/* Goes through a file piece by piece, with `use`; between two looks at `stop` are a few
 * milliseconds. */
static bool read_file(const mapped_file *file, const atomic_bool *stop,
                      void (*use)(void *self, const unsigned char *piece, size_t length),
                      void *self) {
    for (size_t at = 0, n; at < file->length; at += n) {
        n = file->length - at < PIECE_BYTES ? file->length - at : PIECE_BYTES;
        if (dataset_must_stop(stop) || mapped_file_state_of(file) == MAPPED_FILE_BROKEN)
            return false;
        use(self, file->bytes + at, n);
        mapped_file_forget(file, at, n);
    }
    return true;
}

static void add_piece(void *state, const unsigned char *piece, size_t length) {
    crypto_generichash_update(state, piece, length);
}

static void hash_piece(void *self, const unsigned char *piece, size_t length) {
    unsigned char **out = self;
    digest_bytes(piece, length, *out);
    *out += DIGEST_BYTES;
}

/* The hashes of all pieces, which another thread finds meanwhile: each hash takes as long. */
typedef struct hashing {
    const dataset *set;
    const atomic_bool *stop;
    unsigned char *out;
    pthread_t thread;
    bool started, good;
} hashing;

static void *hash_pieces(void *of) {
    hashing *h = of;
    unsigned char *out = h->out;
    h->good = true;
    for (unsigned i = 0; i < dataset_files(h->set) && h->good; i++)
        h->good = read_file(dataset_file(h->set, i), h->stop, hash_piece, &out);
    return NULL;
}

static void start_hashing(hashing *h) {
    h->started = h->out && pthread_create(&h->thread, NULL, hash_pieces, h) == 0;
}

static bool finish_hashing(hashing *h) {
    if (h->started)
        pthread_join(h->thread, NULL);
    else if (h->out)
        hash_pieces(h);
    return !h->out || h->good;
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
    hashing h = {.set = d, .stop = stop, .out = pieces};
    start_hashing(&h);
    bool good = add_facts(&state, d);
    for (unsigned i = 0; i < dataset_files(d) && good; i++)
        good = read_file(dataset_file(d, i), stop, add_piece, &state);
    good = finish_hashing(&h) && good;
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, DATASET_DIGEST + 1, digest, sizeof digest);
    return good && dataset_state(d) != MAPPED_FILE_BROKEN;
}
