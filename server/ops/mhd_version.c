#include "mhd_version.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

const char *library_version(void) {
    return MHD_get_version();
}

bool library_mends_heads(void) {
    return strcmp(library_version(), "0.9.75") == 0;
}

bool library_can_be_strict(void) {
    return strtoul(library_version(), NULL, 10) >= 1;
}
