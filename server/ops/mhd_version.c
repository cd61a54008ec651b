#include "mhd_version.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

const char *mhd_version(void) {
    return MHD_get_version();
}

bool mhd_version_mends_heads(void) {
    return strcmp(mhd_version(), "0.9.75") == 0;
}

static bool is_from_1_0(void) {
    return strtoul(mhd_version(), NULL, 10) >= 1;
}

bool mhd_version_can_be_strict(void) {
    return is_from_1_0();
}

bool mhd_version_knows_head_only(void) {
    return is_from_1_0();
}
