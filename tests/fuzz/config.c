/* A settings file. What is taken prints as a file that is taken as the same. */
#include "fuzz.h"

#include "ops/config.h"

static void print(const config *c, char *out, size_t room) {
    FILE *file = fmemopen(out, room, "w");
    FUZZ_ASSERT(file);
    config_print(c, file);
    fclose(file);
}

/* The numbers and the address, without what each came from. */
static void same(const config *a, const config *b) {
    config x = *a, y = *b;
    memset(x.origin, 0, sizeof x.origin);
    memset(y.origin, 0, sizeof y.origin);
    static char left[4096], right[4096];
    print(&x, left, sizeof left);
    print(&y, right, sizeof right);
    FUZZ_ASSERT(strcmp(left, right) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char printed[4096];
    char *argv[] = {(char[]){"fmixd"}};
    char *text = malloc(size + 1);
    FILE *errors = fopen("/dev/null", "w");
    config c, again;
    FUZZ_ASSERT(text && errors && config_load(1, argv, 1, &c, errors) == CONFIG_OK);
    again = c;
    memcpy(text, data, size);
    text[size] = 0;
    if (config_read_text(text, &c, errors)) {
        print(&c, printed, sizeof printed);
        FUZZ_ASSERT(config_read_text(printed, &again, errors));
        same(&c, &again);
    }
    fclose(errors);
    free(text);
    return 0;
}
