/*
 * header_field.h - header fields that are a value and parameters: form-data; name="x" (RFC 9110
 * §5.6.6)
 */
#ifndef HEADER_FIELD_H
#define HEADER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes, borrowed. */
typedef struct field_text {
    const char *at;
    size_t length;
} field_text;

bool field_is(field_text t, const char *string);     /* without regard to case */
bool field_begins(field_text t, const char *string); /* the same */

/* The rest of a field, from which one parameter after another is taken. */
typedef struct field {
    const char *at, *end;
    bool broken;
} field;

typedef struct field_parameter {
    field_text name;
    field_text value; /* if quoted: what stands between the quotes, with its backslashes */
    bool quoted;
} field_parameter;

/* The value in front of the parameters, without the white space around it. */
field_text field_value(const char *bytes, size_t length, field *rest);

/* False: there is none left, or f->broken: the rest is no list of parameters. */
bool field_next(field *f, field_parameter *out);

/* Copies the value without its backslashes, as a string. False: there is no room for it. */
bool field_copy(const field_parameter *of, char *out, size_t room);

bool field_is_token(field_text t);

#endif
