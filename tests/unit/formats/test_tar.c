#include "unit.h"

#include "formats/format.h"
#include "formats/tar.h"

#include <stdio.h>

static void a_header_is_ustar_with_time_0_and_its_checksum(void **state) {
    (void)state;
    unsigned char h[TAR_BLOCK];
    unsigned sum = 0, told;
    tar_header("000003-000017.npy", 1234567, h);
    assert_string_equal((char *)h, "000003-000017.npy");
    assert_memory_equal(h + 124, "00004553207", 12);
    assert_memory_equal(h + 136, "00000000000", 12);
    assert_memory_equal(h + 257, "ustar\000000", 8);
    for (unsigned i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : h[i];
    assert_int_equal(sscanf((char *)h + 148, "%o", &told), 1);
    assert_int_equal(sum, told);
}

static void members_fill_whole_blocks(void **state) {
    (void)state;
    assert_int_equal(tar_padded(0), 0);
    assert_int_equal(tar_padded(1), TAR_BLOCK);
    assert_int_equal(tar_padded(TAR_BLOCK), TAR_BLOCK);
    assert_int_equal(tar_padded(TAR_BLOCK + 1), 2 * TAR_BLOCK);
}

RUN(T(a_header_is_ustar_with_time_0_and_its_checksum), T(members_fill_whole_blocks))
