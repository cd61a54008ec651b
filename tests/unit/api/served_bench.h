/*
 * served_bench.h - one bench for each test of a program: handler_bench.h's, made before, freed
 * after
 */
#ifndef SERVED_BENCH_H
#define SERVED_BENCH_H

#include "handler_bench.h"

static served *bench;

static int begin(void **state) {
    (void)state;
    bench = served_new();
    return 0;
}

static int end(void **state) {
    (void)state;
    served_free(bench);
    return 0;
}

#endif
