/* ustar (POSIX.1-1988): a tensor of records, each of which is one or more members with their
 * headers, and the two empty blocks that end an archive. */
#include "tar.h"
#include "format.h"

#include <stdio.h>
#include <string.h>

void tar_header(const char *name, uint64_t length, unsigned char out[TAR_BLOCK]) {
    char *h = (char *)out;
    unsigned sum = 0;
    memset(h, 0, TAR_BLOCK);
    snprintf(h, 100, "%s", name);
    memcpy(h + 100, "0000644", 8);
    memcpy(h + 108, "0000000", 8); /* owner */
    memcpy(h + 116, "0000000", 8); /* group */
    snprintf(h + 124, 12, "%011llo", (unsigned long long)length);
    memcpy(h + 136, "00000000000", 12); /* the time is 0, so that answers do not depend on it */
    memcpy(h + 148, "        ", 8);     /* the checksum field counts as spaces */
    h[156] = '0';
    memcpy(h + 257, "ustar", 6);
    memcpy(h + 263, "00", 2);
    for (unsigned i = 0; i < TAR_BLOCK; i++)
        sum += out[i];
    snprintf(h + 148, 8, "%06o", sum);
    h[155] = ' ';
}

uint64_t tar_padded(uint64_t length) {
    return (length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static bool lay_out(const tensor_source *s, outline *out) {
    static const unsigned char zeros[2 * TAR_BLOCK];
    buffer end = buffer_of(sizeof zeros);
    buffer_add(&end, zeros, sizeof zeros);
    return outline_tensor(out, &s->tensors[s->main]) && outline_literal(out, &end);
}

const format format_tar = {
    .name = "tar",
    .media_type = "application/x-tar",
    .kind = FORMAT_RECORDS,
    .version = 2,
    .lay_out = lay_out,
};
