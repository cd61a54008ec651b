/*
 * tar.h - headers of members of a tar archive (ustar)
 */
#ifndef TAR_H
#define TAR_H

#include <stdint.h>

#define TAR_BLOCK 512
/* The header of a member. name: at most 99 bytes; length: below 8 GiB. */
void tar_header(const char *name, uint64_t length, unsigned char out[TAR_BLOCK]);
/* A member's length, rounded up to whole blocks. */
uint64_t tar_padded(uint64_t length);

#endif
