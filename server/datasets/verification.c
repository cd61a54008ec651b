#include "verification.h"
#include "dataset_part.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef enum piece_state { PIECE_UNKNOWN, PIECE_TRUE, PIECE_WRONG } piece_state;

typedef struct checked_file {
    const mapped_file *map;  /* borrowed */
    uint64_t first, count;   /* pieces */
    mapped_file_stamp stamp; /* when its pieces were forgotten last; guarded by the lock */
    _Atomic uint64_t compared, wrong;
} checked_file;

struct verification {
    unsigned files;
    checked_file file[DATASET_FILES_MOST];
    unsigned char *hashes;
    _Atomic unsigned char *states; /* piece_state; changed with the lock held, read without */
    pthread_mutex_t lock;
    _Atomic uint64_t generation; /* changed with the lock held */
};

verification *verification_new(const dataset *d, unsigned char *hashes) {
    verification *v = calloc(1, sizeof *v);
    size_t count = pieces_count(d);
    if (v && !(v->states = calloc(count + 1, sizeof *v->states))) {
        free(v);
        v = NULL;
    }
    if (!v)
        return NULL;
    uint64_t first = 0;
    v->files = dataset_files(d);
    for (unsigned i = 0; i < v->files; i++) {
        const mapped_file *map = dataset_file(d, i);
        v->file[i] = (checked_file){
            .map = map, .first = first, .count = pieces_of_file(map), .stamp = map->stamp};
        first += v->file[i].count;
    }
    v->hashes = hashes;
    pthread_mutex_init(&v->lock, NULL);
    return v;
}

void verification_free(verification *v) {
    if (!v)
        return;
    pthread_mutex_destroy(&v->lock);
    free(v->hashes);
    free(v->states);
    free(v);
}

/* ---- with the lock held ---- */

/* A piece that is wrong stays wrong until it is forgotten. Returns true if it was not wrong. */
static bool set_state(verification *v, checked_file *f, uint64_t piece, piece_state state) {
    _Atomic unsigned char *at = &v->states[f->first + piece];
    piece_state before = (piece_state)atomic_load(at);
    if (before == PIECE_WRONG || before == state)
        return before != PIECE_WRONG;
    f->compared += before == PIECE_UNKNOWN;
    f->wrong += state == PIECE_WRONG;
    atomic_store(at, (unsigned char)state);
    return true;
}

static void forget(verification *v, checked_file *f, const mapped_file_stamp *now) {
    for (uint64_t i = 0; i < f->count; i++)
        atomic_store(&v->states[f->first + i], PIECE_UNKNOWN);
    f->compared = f->wrong = 0;
    f->stamp = *now;
    atomic_fetch_add(&v->generation, 1);
}

/* ---- */

static verification_result note(verification *v, checked_file *f, uint64_t piece, piece_state state,
                                uint64_t generation) {
    bool fresh = false;
    pthread_mutex_lock(&v->lock);
    if (generation == atomic_load(&v->generation))
        fresh = set_state(v, f, piece, state);
    pthread_mutex_unlock(&v->lock);
    return state == PIECE_TRUE ? VERIFICATION_TRUE
           : fresh             ? VERIFICATION_FOUND
                               : VERIFICATION_WRONG;
}

/* The generation is read first: what is found out of bytes that were forgotten meanwhile is not
 * noted. Pages that cannot be read are zeros, of which the file's state tells. */
static verification_result compare(verification *v, checked_file *f, uint64_t piece) {
    unsigned char hash[DIGEST_BYTES];
    uint64_t generation = atomic_load(&v->generation);
    size_t at = (size_t)piece * PIECE_BYTES, rest = f->map->length - at;
    digest_bytes(f->map->bytes + at, rest < PIECE_BYTES ? rest : PIECE_BYTES, hash);
    const unsigned char *wanted = v->hashes + (f->first + piece) * DIGEST_BYTES;
    bool same = memcmp(hash, wanted, sizeof hash) == 0;
    if (!same && mapped_file_state_of(f->map) == MAPPED_FILE_BROKEN)
        return VERIFICATION_WRONG;
    return note(v, f, piece, same ? PIECE_TRUE : PIECE_WRONG, generation);
}

verification_result verification_need(verification *v, unsigned file, uint64_t from,
                                      uint64_t length, uint64_t *piece) {
    checked_file *f = &v->file[file];
    uint64_t last = (from + length - 1) / PIECE_BYTES;
    verification_result result = VERIFICATION_TRUE;
    for (uint64_t i = from / PIECE_BYTES; i <= last && result == VERIFICATION_TRUE; i++) {
        piece_state state = (piece_state)atomic_load(&v->states[f->first + i]);
        if (state == PIECE_UNKNOWN)
            result = compare(v, f, i);
        else if (state == PIECE_WRONG)
            result = VERIFICATION_WRONG;
        *piece = i;
    }
    return result;
}

verification_result verification_condemn(verification *v, unsigned file, uint64_t piece) {
    return note(v, &v->file[file], piece, PIECE_WRONG, atomic_load(&v->generation));
}

void verification_accept(verification *v) {
    pthread_mutex_lock(&v->lock);
    for (unsigned i = 0; i < v->files; i++)
        for (uint64_t p = 0; p < v->file[i].count; p++)
            set_state(v, &v->file[i], p, PIECE_TRUE);
    pthread_mutex_unlock(&v->lock);
}

bool verification_look(verification *v, unsigned file, const char *path) {
    checked_file *f = &v->file[file];
    mapped_file_stamp now;
    if (f->count == 0)
        return true;
    pthread_mutex_lock(&v->lock);
    const mapped_file_stamp before = f->stamp;
    pthread_mutex_unlock(&v->lock);
    if (mapped_file_compare(&before, path, &now) == MAPPED_FILE_WHOLE)
        return true;
    if (now.length != before.length) {
        mapped_file_mark(f->map, MAPPED_FILE_BROKEN);
        return false;
    }
    pthread_mutex_lock(&v->lock);
    if (mapped_file_stamp_same(&before, &f->stamp))
        forget(v, f, &now);
    pthread_mutex_unlock(&v->lock);
    return true;
}

uint64_t verification_generation(const verification *v) {
    return atomic_load(&v->generation);
}

verification_counts verification_count_file(const verification *v, unsigned file) {
    const checked_file *f = &v->file[file];
    return (verification_counts){f->count, f->compared, f->wrong};
}

verification_counts verification_count(const verification *v) {
    verification_counts all = {0};
    for (unsigned i = 0; i < v->files; i++) {
        verification_counts one = verification_count_file(v, i);
        all.pieces += one.pieces;
        all.compared += one.compared;
        all.wrong += one.wrong;
    }
    return all;
}
