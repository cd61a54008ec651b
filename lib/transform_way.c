#include "transform_way.h"
#include "row_pairs.h"

#define BATCH_BYTES    (16u << 10) /* of complex rows: half of a first cache */
#define BATCH_ELEMENTS 16          /* fewer at once, or rows of fewer than ROW_ELEMENTS: no gain */
#define ROW_ELEMENTS   4

static bool plan_whole(unsigned flags, const fmix_shape *shape, double *x, double *g,
                       fmix_way *way) {
    int n[3];
    for (unsigned d = 0; d < shape->rank; d++)
        n[d] = (int)shape->side[d];
    way->whole =
        fftw_plan_dft_c2r((int)shape->rank, n, (fftw_complex *)x, g, flags | FFTW_DESTROY_INPUT);
    return way->whole != NULL;
}

/* The largest divisor of `pairs` whose rows fit BATCH_BYTES, or 1. */
static size_t batch_of(size_t pairs, size_t side) {
    size_t most = BATCH_BYTES / sizeof(fftw_complex) / side;
    size_t batch = most < 1 ? 1 : most < pairs ? most : pairs;
    while (pairs % batch != 0)
        batch--;
    return batch;
}

/* Of all sides but the last. */
static size_t rows_of(const fmix_shape *shape) {
    size_t rows = 1;
    for (unsigned d = 0; d + 1 < shape->rank; d++)
        rows *= shape->side[d];
    return rows;
}

bool fmix_way_serves(fmix_way_kind kind, const fmix_shape *shape) {
    size_t rows = rows_of(shape), side = shape->side[shape->rank - 1];
    return kind == FMIX_WAY_WHOLE || (rows % 2 == 0 && side >= ROW_ELEMENTS &&
                                      batch_of(rows / 2, side) * side >= BATCH_ELEMENTS);
}

static bool plan_pairs(unsigned flags, const fmix_shape *shape, double *x, double *g,
                       fmix_way *way) {
    fftw_complex *bins = (fftw_complex *)x, *rows = (fftw_complex *)g;
    unsigned rank = shape->rank - 1;
    int n[2] = {0}, side = (int)shape->side[rank], half = side / 2 + 1;
    for (unsigned d = 0; d < rank; d++)
        n[d] = (int)shape->side[d];
    way->side = (size_t)side;
    way->pairs = rows_of(shape) / 2;
    way->batch = batch_of(way->pairs, way->side);
    way->columns = fftw_plan_many_dft((int)rank, n, half, bins, NULL, half, 1, bins, NULL, half, 1,
                                      FFTW_BACKWARD, flags);
    way->rows = fftw_plan_many_dft(1, &side, (int)way->batch, rows, NULL, 1, side, bins, NULL, 1,
                                   side, FFTW_BACKWARD, flags | FFTW_DESTROY_INPUT);
    return way->columns && way->rows;
}

bool fmix_way_plan(fmix_way_kind kind, unsigned flags, const fmix_shape *shape, double *x,
                   double *g, fmix_way *out) {
    *out = (fmix_way){0};
    bool made = kind == FMIX_WAY_PAIRS ? plan_pairs(flags, shape, x, g, out)
                                       : plan_whole(flags, shape, x, g, out);
    if (!made)
        fmix_way_drop(out);
    return made;
}

bool fmix_way_is_planned(const fmix_way *way) {
    return way->whole || way->rows;
}

void fmix_way_drop(fmix_way *way) {
    fftw_destroy_plan(way->whole);
    fftw_destroy_plan(way->columns);
    fftw_destroy_plan(way->rows);
    *way = (fmix_way){0};
}

/* The rows of a batch lie in x, are joined in g, transformed back to x, and split into their places
 * in g: all in a cache. FFTW wants the alignment that it planned for, which is that of a complex
 * number. */
static void run_pairs(const fmix_way *way, double *x, double *g) {
    size_t side = way->side, row = 2 * (side / 2 + 1);
    fftw_execute_dft(way->columns, (fftw_complex *)x, (fftw_complex *)x);
    for (size_t p = 0; p < way->pairs; p += way->batch) {
        double *from = x + 2 * p * row, *to = g + 2 * p * side;
        for (size_t i = 0; i < 2 * way->batch; i += 2)
            fmix_rows_join(from + i * row, from + (i + 1) * row, side, to + i * side);
        fftw_execute_dft(way->rows, (fftw_complex *)to, (fftw_complex *)from);
        for (size_t i = 0; i < 2 * way->batch; i += 2)
            fmix_rows_split(from + i * side, side, to + i * side, to + (i + 1) * side);
    }
}

void fmix_way_run(const fmix_way *way, double *x, double *g) {
    if (way->whole)
        fftw_execute_dft_c2r(way->whole, (fftw_complex *)x, g);
    else
        run_pairs(way, x, g);
}
