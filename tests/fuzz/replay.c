/* Runs a target over files, one after the other: fuzz-NAME FILE … */
#include "fuzz.h"

#include <stdio.h>

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 1;
        }
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        uint8_t *copy = malloc(size + 1); /* so that a sanitizer sees where it ends */
        if (!copy)
            return 1;
        memcpy(copy, bytes, size);
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
