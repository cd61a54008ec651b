/*
 * label.h - mixed labels
 */
#ifndef FMIX_LABEL_H
#define FMIX_LABEL_H

#include "plan.h"

/* True if each number of `labels` is in its range; class numbers are not looked at. */
bool fmix_label_is_valid(const fmix_labels *labels);

/* fmix_plan_labels for the rows of a slice, which must be valid. */
fmix_status fmix_label_slice(const fmix_plan *plan, const fmix_labels *labels,
                             const fmix_slice *slice, float *out);

#endif
