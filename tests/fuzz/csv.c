/* A file of comma-separated values, row by row. */
#include "fuzz.h"

#include "import/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static csv c;
    csv_result result;
    uint64_t line = 0;
    if (size == 0)
        return 0;
    FILE *file = fmemopen((void *)data, size, "r");
    FUZZ_ASSERT(file);
    csv_start(&c, file);
    while ((result = csv_next(&c)) == CSV_FOUND) {
        FUZZ_ASSERT(c.line > line && c.next > line && c.count > 0 && c.used <= sizeof c.text);
        line = c.line;
        for (unsigned i = 0; i < c.count && i < CSV_FIELDS; i++)
            FUZZ_ASSERT(c.field[i] + strlen(c.field[i]) < c.text + c.used);
    }
    FUZZ_ASSERT(result == CSV_END || (c.reason[0] && c.line > 0));
    fclose(file);
    return 0;
}
