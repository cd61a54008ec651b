/*
 * method.h - the table of methods
 */
#ifndef FMIX_METHOD_H
#define FMIX_METHOD_H

#include "method_row.h"

/* The row of a method; NULL past the last. */
const fmix_method_row *fmix_method_row_of(fmix_method method);

#endif
