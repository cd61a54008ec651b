/*
 * tar_label.h - the label of a picture in a WebDataset shard: a number or a name
 */
#ifndef TAR_LABEL_H
#define TAR_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_LABEL_NAME 256 /* bytes of a name, with its end */

typedef enum tar_label_kind { TAR_LABEL_NONE, TAR_LABEL_NUMBER, TAR_LABEL_NAMED } tar_label_kind;

typedef struct tar_label {
    tar_label_kind kind;
    uint64_t number;
    char name[TAR_LABEL_NAME];
} tar_label;

/* Reads KEY.cls: a class number in decimal digits, between white space. False: it is none. */
bool tar_label_cls(const char *text, size_t length, tar_label *out);

/* Reads the label of KEY.json: an object's member "label", a class number or a name. Without that
 * member the kind is NONE. False: the text is not such an object. */
bool tar_label_json(const char *text, size_t length, tar_label *out);

#endif
