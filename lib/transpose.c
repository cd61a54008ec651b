#include "fmix.h"
#include "vector.h"

#define BLOCK 1024 /* elements of a long side moved at once, which fit a cache */
#define TILE  16

/* The compiler unrolls a short side of known length, and vectorises its loop. */
#define SHORT_SIDES(CASE)                                                                          \
    switch (count) {                                                                               \
        CASE(2)                                                                                    \
        CASE(3)                                                                                    \
        CASE(4)                                                                                    \
    default:                                                                                       \
        return false;                                                                              \
    }                                                                                              \
    return true;

/* Elements may lie at any address. */
#define TRANSPOSE(bits)                                                                            \
    typedef uint##bits##_t __attribute__((aligned(1), may_alias)) u##bits;                         \
                                                                                                   \
    static inline void split_##bits(uint64_t n, uint64_t count, const u##bits *restrict from,      \
                                    u##bits *restrict to) {                                        \
        for (uint64_t first = 0; first < n; first += BLOCK) {                                      \
            uint64_t end = n - first < BLOCK ? n : first + BLOCK;                                  \
            for (uint64_t k = 0; k < count; k++)                                                   \
                for (uint64_t i = first; i < end; i++)                                             \
                    to[k * n + i] = from[i * count + k];                                           \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static inline void join_##bits(uint64_t n, uint64_t count, const u##bits *restrict from,       \
                                   u##bits *restrict to) {                                         \
        for (uint64_t i = 0; i < n; i++)                                                           \
            for (uint64_t k = 0; k < count; k++)                                                   \
                to[i * count + k] = from[k * n + i];                                               \
    }                                                                                              \
                                                                                                   \
    FMIX_CLONES static bool split_few_##bits(uint64_t n, uint64_t count, const u##bits *from,      \
                                             u##bits *to){SHORT_SIDES(SPLIT_##bits)}               \
                                                                                                   \
    FMIX_CLONES static bool join_few_##bits(uint64_t n, uint64_t count, const u##bits *from,       \
                                            u##bits *to) {                                         \
        SHORT_SIDES(JOIN_##bits)                                                                   \
    }                                                                                              \
                                                                                                   \
    static void transpose_##bits(uint64_t rows, uint64_t columns, const u##bits *restrict from,    \
                                 u##bits *restrict to) {                                           \
        if (split_few_##bits(rows, columns, from, to) || join_few_##bits(columns, rows, from, to)) \
            return;                                                                                \
        for (uint64_t r = 0; r < rows; r += TILE)                                                  \
            for (uint64_t c = 0; c < columns; c += TILE)                                           \
                for (uint64_t j = c; j < columns && j < c + TILE; j++)                             \
                    for (uint64_t i = r; i < rows && i < r + TILE; i++)                            \
                        to[j * rows + i] = from[i * columns + j];                                  \
    }

#define ONE(bits, what, k)                                                                         \
    case k:                                                                                        \
        what##_##bits(n, k, from, to);                                                             \
        break;
#define SPLIT_8(k)  ONE(8, split, k)
#define SPLIT_16(k) ONE(16, split, k)
#define SPLIT_32(k) ONE(32, split, k)
#define SPLIT_64(k) ONE(64, split, k)
#define JOIN_8(k)   ONE(8, join, k)
#define JOIN_16(k)  ONE(16, join, k)
#define JOIN_32(k)  ONE(32, join, k)
#define JOIN_64(k)  ONE(64, join, k)

/* clang-format off */
TRANSPOSE(8)
TRANSPOSE(16)
TRANSPOSE(32)
TRANSPOSE(64)
/* clang-format on */

fmix_status fmix_transpose(size_t size, uint64_t rows, uint64_t columns, const void *from,
                           void *to) {
    switch (size) {
    case 1:
        transpose_8(rows, columns, from, to);
        return FMIX_OK;
    case 2:
        transpose_16(rows, columns, from, to);
        return FMIX_OK;
    case 4:
        transpose_32(rows, columns, from, to);
        return FMIX_OK;
    case 8:
        transpose_64(rows, columns, from, to);
        return FMIX_OK;
    default:
        return FMIX_ERROR_RANGE;
    }
}
