#include "dataset_journal.h"
#include "base/fnv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBERS 7
#define FORM    "fmixd import 3:" /* another version of the import begins anew */

void dataset_journal_print(const dataset_journal *j, char out[DATASET_JOURNAL_TEXT]) {
    const uint64_t numbers[NUMBERS] = {j->source, j->items,    j->rows,  j->bytes,
                                       j->bad,    j->imported, j->warned};
    size_t used = (size_t)snprintf(out, DATASET_JOURNAL_TEXT, FORM);
    for (unsigned i = 0; i < NUMBERS; i++)
        used +=
            (size_t)snprintf(out + used, DATASET_JOURNAL_TEXT - used, " %016" PRIx64, numbers[i]);
    uint64_t sum = fnv_add(FNV_BEGIN, out, used);
    snprintf(out + used, DATASET_JOURNAL_TEXT - used, " %016" PRIx64 "\n", sum);
}

/* Reads what looks like a journal, and compares it with how that would be printed. */
bool dataset_journal_parse(const char *text, size_t length, dataset_journal *out) {
    char copy[DATASET_JOURNAL_TEXT], printed[DATASET_JOURNAL_TEXT];
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    if (sscanf(copy,
               FORM " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
                    " %" SCNx64,
               &out->source, &out->items, &out->rows, &out->bytes, &out->bad, &out->imported,
               &out->warned) != NUMBERS)
        return false;
    dataset_journal_print(out, printed);
    return strlen(printed) == length && memcmp(copy, printed, length) == 0;
}
