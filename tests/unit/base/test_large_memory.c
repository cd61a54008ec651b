#include "unit.h"

#include "base/buffer.h"
#include "base/buffer_pool.h"
#include "base/large_memory.h"
#include "ops/memory_shares.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE = LARGE_MEMORY_PIECE };

/* The bytes that were returned by madvise; this program replaces that function. */
static struct {
    size_t bytes, largest;
    uintptr_t last; /* where the next piece has to begin */
    bool gap;
} returned;

int madvise(void *at, size_t length, int advice) {
    if (advice == MADV_DONTNEED) {
        returned.gap |= returned.last && returned.last != (uintptr_t)at;
        returned.last = (uintptr_t)at + length;
        returned.bytes += length;
        returned.largest = length > returned.largest ? length : returned.largest;
    }
    return (int)syscall(SYS_madvise, at, length, advice);
}

static void forget(void) {
    memset(&returned, 0, sizeof returned);
}

static void assert_returned_in_pieces(size_t length) {
    assert_in_range(returned.bytes, length - 2 * 65536, length); /* whole pages of any size */
    assert_in_range(returned.largest, 1, PIECE);
    assert_false(returned.gap);
}

/* proc(5): a line "first-last …" begins a mapping in smaps, and "VmFlags:" ends it; `hg` there is
 * the request for huge pages. */
static bool is_huge(const void *bytes) {
    char line[512];
    uint64_t first, last, at = (uintptr_t)bytes;
    bool here = false, huge = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &first, &last) == 2)
            here = first <= at && at < last;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            huge = strstr(line, " hg") != NULL;
    }
    fclose(maps);
    return huge;
}

/* A kernel that is built without huge pages refuses the request. */
static void skip_without_huge_pages(void) {
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0)
        skip();
}

static void large_memory_is_returned_in_pieces(void **state) {
    (void)state;
    for (size_t length = LARGE_MEMORY; length < 20 * LARGE_MEMORY; length += LARGE_MEMORY + 12345) {
        unsigned char *bytes = malloc(length);
        assert_non_null(bytes);
        memset(bytes, 1, length);
        forget();
        large_memory_free(bytes, length);
        assert_returned_in_pieces(length);
    }
}

static void small_memory_is_freed_at_once(void **state) {
    (void)state;
    forget();
    large_memory_free(malloc(LARGE_MEMORY - 1), LARGE_MEMORY - 1);
    large_memory_free(NULL, 2 * LARGE_MEMORY);
    assert_int_equal(returned.bytes, 0);
}

static void bodies_and_buffers_that_are_not_kept_are_returned_in_pieces(void **state) {
    (void)state;
    const size_t length = 4 * LARGE_MEMORY;
    buffer_pool s;
    buffer_pool_init(&s, length); /* one of this size is too much of it */
    buffer b = {.cap = length, .spares = &s};
    assert_true(buffer_reserve(&b, length));
    forget();
    buffer_free(&b);
    assert_returned_in_pieces(length);
    pooled_buffer one = buffer_pool_take(&s, length);
    forget();
    buffer_pool_give(&s, one);
    assert_returned_in_pieces(length);
    buffer_pool_destroy(&s);
}

static void memory_reserved_at_once_is_huge_and_a_body_that_grows_is_not(void **state) {
    (void)state;
    skip_without_huge_pages();
    buffer reserved = buffer_of(LARGE_MEMORY), body = buffer_of(LARGE_MEMORY);
    assert_true(buffer_reserve(&reserved, LARGE_MEMORY));
    assert_true(is_huge(reserved.bytes));
    assert_true(is_huge(reserved.bytes + reserved.room - 1));
    for (size_t piece = 65536; body.length < LARGE_MEMORY;)
        assert_true(buffer_add(&body, reserved.bytes, piece));
    assert_false(is_huge(body.bytes + body.room / 2));
    buffer_free(&reserved);
    buffer_free(&body);
    pooled_buffer one = buffer_pool_take(NULL, LARGE_MEMORY);
    assert_true(is_huge(one.bytes + one.room - 1));
    buffer_pool_give(NULL, one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(large_memory_is_returned_in_pieces),
        T(small_memory_is_freed_at_once),
        T(bodies_and_buffers_that_are_not_kept_are_returned_in_pieces),
        T(memory_reserved_at_once_is_huge_and_a_body_that_grows_is_not),
    };
    memory_shares_configure_heap(); /* large memory is mapped by itself, as in the daemon */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
