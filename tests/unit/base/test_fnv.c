#include "unit.h"

#include "base/fnv.h"

static void hashes_are_the_published_ones_of_fnv_1a(void **state) {
    (void)state;
    assert_true(fnv_add(FNV_BEGIN, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(fnv_add(FNV_BEGIN, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(fnv_add(FNV_BEGIN, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    assert_true(fnv_add(fnv_add(FNV_BEGIN, "foo", 3), "bar", 3) == UINT64_C(0x85944171f73967e8));
}

RUN(T(hashes_are_the_published_ones_of_fnv_1a))
