/*
 * format.h - how tensors become bytes, and bytes an upload: one file a format, one row each
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "outline.h"
#include "upload.h"

/* What a format can hold. A resource lists the kinds that its answers fit. */
typedef enum format_kind {
    FORMAT_ARRAYS = 1 << 0,  /* tensors of any shape and type */
    FORMAT_IMAGES = 1 << 1,  /* a main tensor that can be looked at */
    FORMAT_RECORDS = 1 << 2, /* a main tensor of members of an archive */
} format_kind;

/* What reading an upload takes: by estimate, and by a bound. */
typedef struct weight {
    double cost;     /* nanoseconds */
    double worst;    /* the most that a body of this length can take, if that is more */
    uint64_t memory; /* bytes, beside what is unpacked */
} weight;

typedef struct format {
    const char *name; /* and suffix */
    const char *media_type;
    format_kind kind;
    unsigned version; /* of the encoder: part of the ETag */
    bool all;         /* holds every tensor of the source; else the main one */
    uint64_t most;    /* whole: elements in all that it takes; else 0 */
    /* Refuses, in p, what it cannot hold. NULL: `most` says it all. */
    bool (*check)(const tensor_source *s, problem *p);
    /* Either segments, of a length known ahead … */
    bool (*lay_out)(const tensor_source *s, outline *out);
    /* … or whole: data[i] holds all of tensor i, little-endian. */
    bool (*encode)(const tensor_source *s, const unsigned char *const *data, buffer *out);
    uint64_t (*least)(
        const tensor_source *s); /* whole: bytes that it has at least; NULL: none in particular */
    double cost;                 /* whole: estimated nanoseconds of encoding an element */
    /* Bytes that encoding works with beside its input and output. NULL: next to none. */
    uint64_t (*working)(const tensor_source *s);
    /* NULL: not taken as an upload. *out is empty when called, but for the cap of `inflated`. */
    bool (*read)(const unsigned char *body, size_t length, const query *q, upload *out, problem *p);
    /* Of `read`, of which `most` bytes may be unpacked, found out in next to no time. NULL: next to
     * none. */
    weight (*weigh)(const unsigned char *body, size_t length, uint64_t most);
    bool several; /* it may hold arrays beside x */
    /* Whether a body looks like it. NULL: it looks like nothing. */
    bool (*begins)(const unsigned char *body, size_t length);
} format;

/* Every format there is: formats/NAME.c defines format_NAME, and a row here enters it. The first
 * whose kind a resource takes is its default. */
#define FORMAT_TABLE(ROW)                                                                          \
    ROW(npy)                                                                                       \
    ROW(raw)                                                                                       \
    ROW(json)                                                                                      \
    ROW(png)                                                                                       \
    ROW(npz)                                                                                       \
    ROW(safetensors)                                                                               \
    ROW(tar)

#define FORMAT_DECLARE(name) extern const format format_##name;
FORMAT_TABLE(FORMAT_DECLARE)
#undef FORMAT_DECLARE

/* The same in order, NULL at the end. */
extern const format *const format_table[];
#define FORMAT_ONE(name) +1
#define FORMAT_COUNT     (0 FORMAT_TABLE(FORMAT_ONE))

/* For metrics: the row, from 1 on; 0 and "none" where there is no format. */
unsigned format_number(const format *f);
const char *format_name(unsigned number);

/* npy and raw hold one tensor, so `parts` may name one: else refused in p. */
bool format_holds_parts(const format *f, const query *q, problem *p);
/* The same once it is known how many tensors the one part is: labels of several heads are several.
 */
bool format_holds_tensors(const format *f, const query *q, const tensor_source *s, problem *p);

/* What a resource takes: kinds. */
typedef unsigned format_set;

const format *format_by_name(const char *name, size_t length, format_set set);

/* The best of the set for an Accept header (NULL: none sent), or NULL: 406. */
const format *format_accepted(const char *accept, format_set set);

/* "npy, raw, json" */
void format_list(format_set set, char *out, size_t room);

/* How to read a body: by its declared type, else by its first bytes. NULL: 415, explained in p. */
const format *format_of_upload(const char *content_type, const unsigned char *body, size_t length,
                               problem *p);

#endif
