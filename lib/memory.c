#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Where a page fault costs microseconds, the ten thousand page faults of a large mask cost more
 * than its arithmetic. Large arrays therefore ask for huge pages. */
#define HUGE_PAGE  ((size_t)2 << 20)
#define LARGE_FROM (2 * HUGE_PAGE)

double *fmix_aligned_new(size_t doubles) {
    size_t bytes;
    if (!fmix_multiply(doubles, sizeof(double), &bytes) || bytes > SIZE_MAX - 64)
        return NULL;
    bool large = bytes >= LARGE_FROM && bytes <= SIZE_MAX - HUGE_PAGE;
    size_t alignment = large ? HUGE_PAGE : 64;
    void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
#ifdef MADV_HUGEPAGE
    if (memory && large) /* a kernel that refuses gives small pages */
        madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void fmix_aligned_free(double *memory) {
    free(memory);
}
