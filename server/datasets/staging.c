#include "staging.h"
#include "manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static staging_result fail(staging *s, const char *blamed) {
    s->blamed = blamed;
    return STAGING_FAILED;
}

/* errno still says what failed before. */
static void close_keeping_errno(int fd) {
    int kept = errno;
    close(fd);
    errno = kept;
}

/* The writer has the directory, and its lock, no longer. */
static void leave(staging *s) {
    if (s->directory >= 0)
        close_keeping_errno(s->directory);
    s->directory = -1;
}

static int open_parent(const staging *s) {
    return open(s->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- paths ---- */

/* "ROOT/NAME" into ROOT, NAME and ".NAME.partial". */
static staging_result split_path(const char *path, staging *out) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    out->path = strndup(path, length);
    const char *slash = out->path ? strrchr(out->path, '/') : NULL;
    const char *name = slash ? slash + 1 : out->path;
    size_t above = slash == out->path ? 1 : slash ? (size_t)(slash - out->path) : 0; /* 1: "/" */
    out->parent = !out->path ? NULL : slash ? strndup(out->path, above) : strdup(".");
    out->partial = malloc(length + 16);
    if (!out->path || !out->parent || !out->partial)
        return STAGING_NO_MEMORY;
    snprintf(out->partial, length + 16, ".%s.partial", name);
    out->blamed = name;
    return manifest_name_is_valid(name) ? STAGING_OK : STAGING_BAD_NAME;
}

/* Returns true if the path is taken, even by a link that leads nowhere. */
static bool exists(const staging *s) {
    struct stat st;
    return lstat(s->path, &st) == 0;
}

staging_result staging_check(const char *path, staging *out) {
    *out = (staging){.directory = -1};
    staging_result result = split_path(path, out);
    return result == STAGING_OK && exists(out) ? STAGING_EXISTS : result;
}

/* Makes the directory of sets and the directories above it. The path is cut at each slash for a
 * moment, so that an error names the directory that could not be made. */
static staging_result make_parents(staging *s) {
    for (char *end = strchr(s->parent + 1, '/');; end = strchr(end + 1, '/')) {
        if (end)
            *end = 0;
        if (mkdir(s->parent, 0777) != 0 && errno != EEXIST)
            return fail(s, s->parent);
        if (!end)
            return STAGING_OK;
        *end = '/';
    }
}

/* ---- the staging directory ---- */

static bool is_among(const char *name, const char *const *names, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static DIR *open_list(int directory) {
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = own >= 0 ? fdopendir(own) : NULL;
    if (!list && own >= 0)
        close_keeping_errno(own);
    return list;
}

/* Removes the files of a set, but for those of so many names. One that cannot be removed is found
 * when it is created, or stays with its directory. */
static void remove_files(int directory, const char *const *kept, unsigned count) {
    DIR *list = open_list(directory);
    for (struct dirent *e = list ? readdir(list) : NULL; e; e = readdir(list))
        if (manifest_owns_file(e->d_name) && !is_among(e->d_name, kept, count))
            unlinkat(directory, e->d_name, 0);
    if (list)
        closedir(list);
}

/* *found: whether the directory has files of a set. False: errno says why that is not known. */
static bool find_files(int directory, bool *found) {
    DIR *list = open_list(directory);
    *found = false;
    if (!list)
        return false;
    errno = 0;
    for (struct dirent *e; !*found && (e = readdir(list));)
        *found = manifest_owns_file(e->d_name);
    int error = *found ? 0 : errno;
    closedir(list);
    errno = error;
    return error == 0;
}

void staging_empty(const staging *s) {
    remove_files(s->directory, NULL, 0);
}

void staging_empty_but(const staging *s, const char *const *kept, unsigned count) {
    remove_files(s->directory, kept, count);
}

static bool is_still_named(int parent, const char *name, int directory) {
    struct stat here, there;
    return fstat(directory, &here) == 0 &&
           fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Opens the directory, made here or left by a writer that was killed, and locks it for as long as
 * it is open. Tries again if the writer that held the lock has removed or renamed it meanwhile. */
static staging_result lock_partial(staging *s, int parent) {
    for (;;) {
        bool there = mkdirat(parent, s->partial, 0777) == 0 || errno == EEXIST;
        int directory =
            there ? openat(parent, s->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                  : -1;
        if (directory < 0 && (!there || errno != ENOENT))
            return fail(s, s->partial);
        /* Where the file system has no locks, the set is written without one. */
        if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(directory);
            return STAGING_BUSY;
        }
        if (directory >= 0 && is_still_named(parent, s->partial, directory)) {
            s->directory = directory;
            return STAGING_OK;
        }
        if (directory >= 0)
            close(directory);
    }
}

staging_result staging_open(staging *s) {
    int parent = open_parent(s);
    if (parent < 0 && errno == ENOENT) {
        staging_result made = make_parents(s);
        if (made != STAGING_OK)
            return made;
        parent = open_parent(s);
    }
    if (parent < 0)
        return fail(s, s->parent);
    staging_result result = lock_partial(s, parent);
    close_keeping_errno(parent);
    if (result != STAGING_OK)
        return result;
    if (!find_files(s->directory, &s->left)) {
        leave(s); /* with the files, which may be hours of rows */
        return fail(s, s->partial);
    }
    return exists(s) ? STAGING_EXISTS : STAGING_OK; /* by the writer that held the lock */
}

FILE *staging_create(const staging *s, const char *name) {
    int fd = openat(s->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file && fd >= 0)
        close_keeping_errno(fd);
    return file;
}

FILE *staging_reopen(const staging *s, const char *name, uint64_t length) {
    int fd = openat(s->directory, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (good && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < length)) {
        errno = ENODATA;
        good = false;
    }
    good = good && ftruncate(fd, (off_t)length) == 0 && lseek(fd, 0, SEEK_END) >= 0;
    FILE *file = good ? fdopen(fd, "w") : NULL;
    if (!file && fd >= 0)
        close_keeping_errno(fd);
    return file;
}

/* Where the file system has no files without names, a name is taken for a moment; a writer that was
 * killed at that moment left it. */
FILE *staging_scratch(const staging *s) {
    int fd = openat(s->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && staging_drop(s, MANIFEST_SCRATCH))
        fd = openat(s->directory, MANIFEST_SCRATCH, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlinkat(s->directory, MANIFEST_SCRATCH, 0);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!file && fd >= 0)
        close_keeping_errno(fd);
    return file;
}

bool staging_drop(const staging *s, const char *name) {
    return unlinkat(s->directory, name, 0) == 0 || errno == ENOENT;
}

bool staging_replace(const staging *s, const char *name, const char *text) {
    FILE *file = staging_drop(s, MANIFEST_SCRATCH) ? staging_create(s, MANIFEST_SCRATCH) : NULL;
    if (!file)
        return false;
    bool good = fputs(text, file) != EOF && fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good;
    return good && renameat(s->directory, MANIFEST_SCRATCH, s->directory, name) == 0;
}

/* ---- the end ---- */

/* NFS and some other file systems cannot rename without replacement in one step. There, a set that
 * comes between the two steps is not replaced either, unless it is an empty directory. */
static bool rename_if_absent(const staging *s, int parent) {
    if (renameat2(parent, s->partial, AT_FDCWD, s->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (exists(s))
        errno = EEXIST;
    else if (errno == ENOENT)
        return renameat(parent, s->partial, AT_FDCWD, s->path) == 0;
    return false;
}

/* From the rename on the directory is the set's, also where it is not known to be on the disk: what
 * gives the writer up must not remove its files. */
staging_result staging_publish(staging *s) {
    int parent = open_parent(s);
    bool good = parent >= 0 && fsync(s->directory) == 0 && rename_if_absent(s, parent);
    if (good) {
        leave(s);
        good = fsync(parent) == 0;
    }
    if (parent >= 0)
        close_keeping_errno(parent);
    return good ? STAGING_OK : fail(s, s->path);
}

void staging_remove(staging *s) {
    int parent = s->directory >= 0 ? open_parent(s) : -1;
    if (parent < 0)
        return;
    staging_empty(s);
    unlinkat(parent, s->partial, AT_REMOVEDIR);
    close(parent);
}

void staging_free(staging *s) {
    leave(s);
    free(s->path);
    free(s->parent);
    free(s->partial);
    *s = (staging){.directory = -1};
}
