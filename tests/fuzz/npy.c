/* An uploaded npy file. */
#include "upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return upload_fuzz(&format_npy, data, size);
}
