/*
 * message.h - a message to people, on stderr or wherever they look
 *
 * Messages quote names of files, of sets and of settings, which others choose: printed as they are,
 * a terminal would obey the control characters in them, and a newline would make a line of its own.
 */
#ifndef SAY_H
#define SAY_H

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_MOST 4095 /* bytes of a message; what is longer ends in "..." */

/* As fprintf, in one piece and without memory of its own, but that characters which a terminal
 * obeys (control characters, changes of writing direction, line separators) and bytes that are no
 * UTF-8 are written as \xNN. A newline at the end stays one. */
void message_print(FILE *to, const char *text, ...) __attribute__((format(printf, 2, 3)));
void message_vprint(FILE *to, const char *text, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
