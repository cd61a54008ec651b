#include "file.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode) {
    return S_ISFIFO(mode)   ? "a FIFO"
           : S_ISDIR(mode)  ? "a directory"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISCHR(mode)  ? "a character device"
           : S_ISBLK(mode)  ? "a block device"
                            : "something else";
}

static bool is_regular(const char *setting, const char *path, const struct stat *s, FILE *errors) {
    if (S_ISREG(s->st_mode))
        return true;
    message_print(errors, "fmixd: %s: '%s' is %s; it must be a regular file\n", setting, path,
                  kind_of(s->st_mode));
    return false;
}

static void warn_of_mode(const char *setting, const char *path, const struct stat *s,
                         FILE *errors) {
    if (s->st_mode & (S_IROTH | S_IWOTH))
        message_print(errors, "fmixd: warning: %s: others may %s '%s' (its mode is %03o)\n",
                      setting, s->st_mode & S_IWOTH ? "write" : "read", path,
                      (unsigned)(s->st_mode & 0777));
}

/* A descriptor of a regular file, or -1 after a message. Without O_NONBLOCK, opening a FIFO waits
 * for a writer; reading a FIFO or a terminal may wait for ever. */
static int open_regular(const char *setting, const char *path, bool secret, FILE *errors) {
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENXIO && stat(path, &s) == 0 && !is_regular(setting, path, &s, errors))
        return -1; /* a socket cannot be opened */
    if (fd < 0 || fstat(fd, &s) != 0) {
        message_print(errors, "fmixd: %s: '%s' cannot be read: %s\n", setting, path,
                      strerror(errno));
    } else if (is_regular(setting, path, &s, errors)) {
        if (secret)
            warn_of_mode(setting, path, &s, errors);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads the whole file, at most `most` bytes; errno is 0 on success. stdio would leave a copy of a
 * secret in its buffers. */
static size_t read_bytes(int fd, char *out, size_t most) {
    size_t length = 0;
    ssize_t n = 1;
    errno = 0;
    while (length < most && n != 0) {
        n = read(fd, out + length, most - length);
        if (n < 0 && errno != EINTR)
            return length;
        length += n > 0 ? (size_t)n : 0;
    }
    errno = 0;
    return length;
}

static char *read_all(const char *setting, const char *path, size_t most, int fd, FILE *errors) {
    char *text = malloc(most + 2);
    errno = ENOMEM;
    size_t length = text ? read_bytes(fd, text, most + 1) : 0;
    if (errno) {
        message_print(errors, "fmixd: %s: '%s' cannot be read: %s\n", setting, path,
                      strerror(errno));
    } else if (length > most) {
        message_print(errors, "fmixd: %s: '%s' has more than %zu bytes\n", setting, path, most);
    } else if (memchr(text, 0, length)) {
        message_print(errors, "fmixd: %s: '%s' holds a NUL byte\n", setting, path);
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
    int fd = open_regular(setting, path, secret, errors);
    if (fd < 0)
        return NULL;
    char *text = read_all(setting, path, most, fd, errors);
    close(fd);
    return text;
}

void file_free(char *text) {
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* A device or a FIFO must not be replaced by a file. */
static bool may_be_replaced(const char *setting, const char *path, FILE *errors) {
    struct stat s;
    return stat(path, &s) != 0 || is_regular(setting, path, &s, errors);
}

/* Overwrites a file that an earlier process with the same id left. A FIFO there is not waited for,
 * and a symbolic link is not followed. */
static FILE *create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0666);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out && fd >= 0)
        close(fd);
    return out;
}

bool file_write(const char *setting, const char *path, const char *text, FILE *errors) {
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    FILE *out = NULL;
    if (!may_be_replaced(setting, path, errors))
        return false;
    errno = ENAMETOOLONG;
    bool good = length > 0 && (size_t)length < sizeof temporary && (out = create(temporary));
    if (good) {
        good = fputs(text, out) >= 0;
        good = fclose(out) == 0 && good; /* writes the buffer: the disk may be full */
        good = good && rename(temporary, path) == 0;
        int why = errno;
        if (!good)
            unlink(temporary);
        errno = why;
    }
    if (!good)
        message_print(errors, "fmixd: %s: '%s' cannot be written: %s\n", setting, path,
                      strerror(errno));
    return good;
}
