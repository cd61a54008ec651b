#include "tuner.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/message.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK_NANOSECONDS 100000000
#define MEASURE_SECONDS   0.3
#define FILE_BYTES        (1u << 20)

struct tuner {
    fmix_context *context;
    const char *path;
    FILE *errors;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stops;
    bool stopping;
};

/* The first measurement creates a file that does not exist. */
static void read_wisdom(const tuner *t) {
    if (access(t->path, F_OK) != 0)
        return;
    char *text = file_read("wisdom", t->path, FILE_BYTES, false, t->errors);
    if (text && text[0] && fmix_wisdom_import(text) != FMIX_OK)
        message_print(t->errors,
                      "fmixd: wisdom: '%s' is ignored: this version of FFTW cannot read it\n",
                      t->path);
    file_free(text);
}

static void write_wisdom(const tuner *t) {
    char *text = NULL;
    if (fmix_wisdom_export(&text) == FMIX_OK)
        file_write("wisdom", t->path, text, t->errors);
    free(text);
}

/* One shape; true: there are more. A shape for which there is not enough memory to measure keeps
 * its first plan. */
static bool tune(const tuner *t) {
    bool tuned, more;
    fmix_context_tune(t->context, MEASURE_SECONDS, &tuned, &more);
    if (tuned && t->path[0])
        write_wisdom(t);
    return more;
}

static bool wait_for_next_check(tuner *t, bool more) {
    const struct timespec until = clock_after(more ? 0 : CHECK_NANOSECONDS);
    pthread_mutex_lock(&t->lock);
    int timed_out = 0;
    while (!t->stopping && timed_out == 0)
        timed_out = pthread_cond_timedwait(&t->stops, &t->lock, &until);
    bool runs = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return runs;
}

static void *run(void *of) {
    tuner *t = of;
    bool more = false;
    while (wait_for_next_check(t, more))
        more = tune(t);
    return NULL;
}

tuner *tuner_new(fmix_context *context, const char *path, FILE *errors) {
    tuner *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (tuner){.context = context, .path = path, .errors = errors};
    if (path[0])
        read_wisdom(t);
    pthread_mutex_init(&t->lock, NULL);
    clock_condition(&t->stops);
    if (pthread_create(&t->thread, NULL, run, t) == 0)
        return t;
    pthread_cond_destroy(&t->stops);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}

void tuner_free(tuner *t) {
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->stops);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->stops);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
