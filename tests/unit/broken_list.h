/*
 * broken_list.h - a program in which the nth entry of a directory's list cannot be read
 *
 * Included once in a program, it defines readdir over libc's, whose name is readdir64 where offsets
 * have 64 bits.
 */
#ifndef BROKEN_LIST_H
#define BROKEN_LIST_H

#include "unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>

static unsigned broken_list_at; /* the call from now on that fails; 0: none */

/* Takes the place of libc's. */
struct dirent *readdir(DIR *list) {
    static struct dirent *(*real)(DIR *);
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "readdir64");
        memcpy(&real, &found, sizeof real);
        assert_non_null(found);
    }
    if (broken_list_at > 0 && --broken_list_at == 0) {
        errno = EIO;
        return NULL;
    }
    return real(list);
}

#endif
