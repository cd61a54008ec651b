#include "catalog_scanner.h"
#include "base/clock.h"
#include "base/message.h"

#include <pthread.h>
#include <stdlib.h>

#define LONGEST_PAUSE 60 /* seconds */

struct catalog_scanner {
    catalog *catalog;
    FILE *errors;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* asked, or end */
    bool asked;           /* guarded by lock */
    atomic_bool end;
};

/* True: it was asked or told to end. */
static bool is_asked_within(catalog_scanner *s, unsigned seconds) {
    const struct timespec until = clock_after(CLOCK_SECOND * seconds);
    int late = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->asked && !atomic_load(&s->end) && late == 0)
        late = pthread_cond_timedwait(&s->moved, &s->lock, &until);
    bool called = s->asked || atomic_load(&s->end);
    s->asked = false;
    pthread_mutex_unlock(&s->lock);
    return called;
}

static void scan(catalog_scanner *s) {
    if (!catalog_scan(s->catalog, &s->end, s->errors) && !atomic_load(&s->end))
        message_print(s->errors, "fmixd: data: the sets there were are served on\n");
}

/* What stays doubtful, as where the directory cannot be read, is looked at ever more seldom. */
static void *run(void *of) {
    catalog_scanner *s = of;
    unsigned pause = 1;
    while (!atomic_load(&s->end)) {
        bool called = is_asked_within(s, pause), doubts = !called && catalog_doubts(s->catalog);
        if ((called || doubts) && !atomic_load(&s->end))
            scan(s);
        pause = doubts && 2 * pause <= LONGEST_PAUSE ? 2 * pause : doubts ? pause : 1;
    }
    return NULL;
}

catalog_scanner *catalog_scanner_new(catalog *of, FILE *errors) {
    catalog_scanner *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->catalog = of;
    s->errors = errors;
    pthread_mutex_init(&s->lock, NULL);
    clock_condition(&s->moved);
    if (pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

void catalog_scanner_ask(catalog_scanner *s) {
    pthread_mutex_lock(&s->lock);
    s->asked = true;
    pthread_cond_signal(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

void catalog_scanner_end(catalog_scanner *s) {
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->end, true);
    pthread_cond_signal(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

void catalog_scanner_free(catalog_scanner *s) {
    if (!s)
        return;
    catalog_scanner_end(s);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->moved);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
