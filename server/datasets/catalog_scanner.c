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
    pthread_cond_t moved; /* asked or end was set */
    bool asked;           /* guarded by lock */
    atomic_bool end;
};

/* Waits. True: a scan was asked for, or the thread shall end. */
static bool is_asked_within(catalog_scanner *s, unsigned seconds) {
    const struct timespec until = clock_after(CLOCK_SECOND * seconds);
    int late = 0;
    pthread_mutex_lock(&s->lock);
    while (!s->asked && !atomic_load(&s->end) && late == 0)
        late = pthread_cond_timedwait(&s->moved, &s->lock, &until);
    bool asked = s->asked || atomic_load(&s->end);
    s->asked = false;
    pthread_mutex_unlock(&s->lock);
    return asked;
}

static void scan(catalog_scanner *s) {
    if (!catalog_scan(s->catalog, &s->end, s->errors) && !atomic_load(&s->end))
        message_print(s->errors, "fmixd: data: the previous data sets are still served\n");
}

/* While a set stays doubtful, as where the directory cannot be read, the pauses grow. */
static void *run(void *of) {
    catalog_scanner *s = of;
    unsigned pause = 1;
    while (!atomic_load(&s->end)) {
        bool asked = is_asked_within(s, pause);
        bool doubtful = !asked && catalog_has_doubtful(s->catalog);
        if ((asked || doubtful) && !atomic_load(&s->end))
            scan(s);
        if (!doubtful)
            pause = 1;
        else if (2 * pause <= LONGEST_PAUSE)
            pause *= 2;
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
