#include "tuner.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/message.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_NANOSECONDS 100000000
#define MEASURE_SECONDS  0.3
#define FILE_BYTES       (1u << 20)

struct tuner {
    fmix_context *context;
    const char *path;
    FILE *errors;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ends;
    bool ending;
};

/* A file that is not there yet comes with the first measurement. */
static void read_wisdom(const tuner *t) {
    if (access(t->path, F_OK) != 0)
        return;
    char *text = file_read("wisdom", t->path, FILE_BYTES, false, t->errors);
    if (text && text[0] && fmix_wisdom_import(text) != FMIX_OK)
        message_print(t->errors, "fmixd: wisdom: '%s' is not of this FFTW: it is ignored\n",
                      t->path);
    file_free(text);
}

static void write_wisdom(const tuner *t) {
    char *text = NULL;
    if (fmix_wisdom_export(&text) == FMIX_OK)
        file_write("wisdom", t->path, text, t->errors);
    free(text);
}

/* Without memory to measure in, the first plan stays. */
static void tune(const tuner *t) {
    bool tuned, more;
    do {
        fmix_context_tune(t->context, MEASURE_SECONDS, &tuned, &more);
        if (tuned && t->path[0])
            write_wisdom(t);
    } while (more);
}

static bool wait_a_while(tuner *t) {
    const struct timespec until = clock_after(LOOK_NANOSECONDS);
    pthread_mutex_lock(&t->lock);
    int late = 0;
    while (!t->ending && late == 0)
        late = pthread_cond_timedwait(&t->ends, &t->lock, &until);
    bool goes_on = !t->ending;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

static void *run(void *of) {
    tuner *t = of;
    while (wait_a_while(t))
        tune(t);
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
    clock_condition(&t->ends);
    if (pthread_create(&t->thread, NULL, run, t) == 0)
        return t;
    pthread_cond_destroy(&t->ends);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return NULL;
}

void tuner_free(tuner *t) {
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->ending = true;
    pthread_cond_signal(&t->ends);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->ends);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
