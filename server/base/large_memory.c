#include "large_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* malloc maps memory of this size by itself (ops/memory_shares.h), so the first page, which holds
 * malloc's own header, does not hold other memory. */
void large_memory_ask_huge(void *bytes, size_t length) {
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)bytes / page * page;
    if (bytes && length >= LARGE_MEMORY)
        madvise((void *)at, (uintptr_t)bytes - at + length, MADV_HUGEPAGE);
#else
    (void)bytes;
    (void)length;
#endif
}

/* Whole pages alone: malloc reads its header once more. Pieces end where huge pages do, so that the
 * kernel does not split one. What cannot be returned here is returned by free. */
static void return_pieces(uintptr_t at, uintptr_t end) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    at = (at + page - 1) / page * page;
    end = end / page * page;
    while (at < end) {
        uintptr_t next = (at / LARGE_MEMORY_PIECE + 1) * LARGE_MEMORY_PIECE;
        next = next < end ? next : end;
        madvise((void *)at, next - at, MADV_DONTNEED);
        at = next;
    }
}

void large_memory_free(void *bytes, size_t length) {
    if (bytes && length >= LARGE_MEMORY)
        return_pieces((uintptr_t)bytes, (uintptr_t)bytes + length);
    free(bytes);
}
