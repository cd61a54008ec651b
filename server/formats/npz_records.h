/*
 * npz_records.h - the records of a zip file
 */
#ifndef NPZ_RECORDS_H
#define NPZ_RECORDS_H

#include <stdint.h>

#define DOS_1980    0x0021
#define SUFFIX      ".npy"
#define SUFFIX_SIZE 4
#define LOCAL       UINT32_C(0x04034b50)
#define CENTRAL     UINT32_C(0x02014b50)
#define END         UINT32_C(0x06054b50)
#define END64       UINT32_C(0x06064b50)
#define LOCATOR     UINT32_C(0x07064b50)

/* Sizes of the records without their names, extras and comments. */
enum { LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22, END64_SIZE = 56, LOCATOR_SIZE = 20 };

enum { STORED = 0, DEFLATED = 8 };

#endif
