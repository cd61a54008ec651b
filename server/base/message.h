/*
 * message.h - prints messages for people, on stderr or elsewhere
 *
 * Messages quote names of files, data sets and settings that other people choose. A terminal would
 * obey control characters in such a name, and a newline in it would look like a message of its own.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_MOST 4095 /* bytes; a longer message is cut and ends in "..." */

/* Prints as fprintf does, in one write and without allocating. Characters that a terminal obeys
 * (control characters, changes of writing direction, line separators) and bytes that are not UTF-8
 * are printed as \xNN. A newline at the end of `text` stays a newline. */
void message_print(FILE *to, const char *text, ...) __attribute__((format(printf, 2, 3)));
void message_vprint(FILE *to, const char *text, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
