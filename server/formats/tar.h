/*
 * tar.h - headers of members of a tar archive (ustar)
 */
#ifndef TAR_H
#define TAR_H

#include <stdint.h>

#define TAR_BLOCK 512
/* The header of a member: a file of this name, at most 99 bytes, and length, below 8 GiB. */
void tar_header(const char *name, uint64_t length, unsigned char out[TAR_BLOCK]);
/* What a member takes with what fills its last block. */
uint64_t tar_padded(uint64_t length);

#endif
