/* An uploaded npz file. */
#include "upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return upload_fuzz(&format_npz, data, size);
}
