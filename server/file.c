#include "file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void look_at_mode(const char *setting, const char *path, FILE *in, FILE *errors) {
    struct stat s;
    if (fstat(fileno(in), &s) == 0 && S_ISREG(s.st_mode) && (s.st_mode & (S_IROTH | S_IWOTH)))
        fprintf(errors, "fmixd: warning: %s: others may %s '%s' (its mode is %03o)\n", setting,
                s.st_mode & S_IWOTH ? "write" : "read", path, (unsigned)(s.st_mode & 0777));
}

/* Unbuffered, so that no copy of a secret is left in a buffer of stdio's. */
static char *read_all(const char *setting, const char *path, size_t most, FILE *in, FILE *errors) {
    char *text = malloc(most + 2);
    setvbuf(in, NULL, _IONBF, 0);
    errno = ENOMEM;
    size_t length = text ? fread(text, 1, most + 1, in) : 0;
    if (!text || ferror(in)) {
        fprintf(errors, "fmixd: %s: '%s' cannot be read: %s\n", setting, path, strerror(errno));
    } else if (length > most) {
        fprintf(errors, "fmixd: %s: '%s' has more than %zu bytes\n", setting, path, most);
    } else if (memchr(text, 0, length)) {
        fprintf(errors, "fmixd: %s: '%s' holds a NUL\n", setting, path);
    } else {
        text[length] = 0;
        return text;
    }
    if (text)
        explicit_bzero(text, most + 2);
    free(text);
    return NULL;
}

char *file_read(const char *setting, const char *path, size_t most, bool secret, FILE *errors) {
    FILE *in = fopen(path, "re");
    if (!in) {
        fprintf(errors, "fmixd: %s: '%s' cannot be read: %s\n", setting, path, strerror(errno));
        return NULL;
    }
    if (secret)
        look_at_mode(setting, path, in, errors);
    char *text = read_all(setting, path, most, in, errors);
    fclose(in);
    return text;
}

void file_free(char *text) {
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

bool file_write(const char *setting, const char *path, const char *text, FILE *errors) {
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
    FILE *out = NULL;
    errno = ENAMETOOLONG;
    bool good = length > 0 && (size_t)length < sizeof beside && (out = fopen(beside, "we"));
    if (good) {
        good = fputs(text, out) >= 0;
        good = fclose(out) == 0 && good; /* which may find the disk full */
        good = good && rename(beside, path) == 0;
        int why = errno;
        if (!good)
            unlink(beside);
        errno = why;
    }
    if (!good)
        fprintf(errors, "fmixd: %s: '%s' cannot be written: %s\n", setting, path, strerror(errno));
    return good;
}
