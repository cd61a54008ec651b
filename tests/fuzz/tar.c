/* A tar file, member by member: none leads out of it, and every call goes on or ends. */
#include "fuzz.h"

#include "import/tar_reader.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int file = -1;
    static tar_reader r;
    tar_result result;
    uint64_t at = 0;
    if (file < 0)
        file = memfd_create("fuzz", 0);
    FUZZ_ASSERT(file >= 0 && ftruncate(file, 0) == 0);
    FUZZ_ASSERT(pwrite(file, data, size, 0) == (ssize_t)size);
    tar_reader_start(&r, file, size);
    while ((result = tar_reader_next(&r)) == TAR_MEMBER) {
        FUZZ_ASSERT(r.offset <= size && r.size <= size - r.offset);
        FUZZ_ASSERT(r.at > at && r.at <= size && memchr(r.name, 0, sizeof r.name));
        at = r.at;
    }
    FUZZ_ASSERT(result == TAR_END || (r.reason[0] && r.header <= size));
    return 0;
}
