#include "unit.h"

#include "ops/mhd_version.h"

static void a_version_either_mends_heads_or_can_be_strict(void **state) {
    (void)state;
    const char *version = mhd_version();
    assert_true(version && version[0] >= '0' && version[0] <= '9');
    assert_int_equal(mhd_version_mends_heads(), strcmp(version, "0.9.75") == 0);
    assert_int_equal(mhd_version_can_be_strict(), version[0] != '0');
    assert_int_equal(mhd_version_knows_head_only(), version[0] != '0');
    assert_false(mhd_version_mends_heads() && mhd_version_can_be_strict());
}

RUN(T(a_version_either_mends_heads_or_can_be_strict))
