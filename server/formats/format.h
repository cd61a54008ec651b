/*
 * format.h - the table of formats: how tensors become bytes, and how a body becomes an upload
 */
#ifndef FORMAT_H
#define FORMAT_H

#include "outline.h"
#include "upload.h"

/* What a format can hold. A resource takes a set of kinds. */
typedef enum format_kind {
    FORMAT_ARRAYS = 1 << 0,  /* tensors of any shape and type */
    FORMAT_IMAGES = 1 << 1,  /* a main tensor that is an image */
    FORMAT_RECORDS = 1 << 2, /* a main tensor whose rows are members of an archive */
} format_kind;

/* Bytes of an answer that a format builds whole. */
#define FORMAT_BUILT_MOST (256u << 20)

/* What reading an upload costs. */
typedef struct weight {
    double cost;     /* estimated nanoseconds */
    double worst;    /* nanoseconds that a body of this length takes at most, if more than cost */
    uint64_t memory; /* bytes, without the inflated arrays */
} weight;

typedef struct format {
    const char *name; /* and suffix */
    const char *media_type;
    format_kind kind;
    unsigned version; /* of the encoder, part of the ETag */
    bool all;         /* the format holds every tensor of the source, else the main tensor */
    uint64_t most;    /* with encode: elements in all that the format takes, else 0 */
    /* Refuses, in p, a source that the format cannot hold. NULL: `most` is the only limit. */
    bool (*check)(const tensor_source *s, problem *p);
    /* A format has either lay_out, which appends segments of known lengths … */
    bool (*lay_out)(const tensor_source *s, outline *out);
    /* … or encode, which builds the answer whole: data[i] is tensor i, little-endian. */
    bool (*encode)(const tensor_source *s, const unsigned char *const *data, buffer *out);
    /* With encode: a lower bound of the answer's bytes. NULL: 0. */
    uint64_t (*least)(const tensor_source *s);
    /* With encode: estimated nanoseconds for so many elements and lists in all. */
    double (*cost)(const tensor_source *s, uint64_t nodes);
    /* Bytes that encode allocates beside its input and output. NULL: next to none. */
    uint64_t (*working)(const tensor_source *s);
    /* Reads a body. *out is empty, but for the cap of `inflated`. NULL: uploads do not have the
     * format. */
    bool (*read)(const upload_body *body, upload *out, problem *p);
    /* The cost of `read`, which may inflate `most` bytes; takes next to no time. NULL: next to
     * none. */
    weight (*weigh)(const upload_body *body, uint64_t most);
    bool several;  /* a body may hold arrays beside x */
    bool pictures; /* a body is a picture */
    /* Returns true if a body begins as the format does. NULL: the format has no mark. */
    bool (*begins)(const unsigned char *body, size_t length);
} format;

/* Every format: formats/NAME.c defines format_NAME, and a row here enters the format. The first
 * format whose kind a resource takes is the resource's default. */
#define FORMAT_ANSWERS(ROW)                                                                        \
    ROW(npy)                                                                                       \
    ROW(raw)                                                                                       \
    ROW(json)                                                                                      \
    ROW(png)                                                                                       \
    ROW(npz)                                                                                       \
    ROW(safetensors)                                                                               \
    ROW(tar)
/* Of uploads alone: they have no kind. */
#define FORMAT_UPLOADS(ROW)                                                                        \
    ROW(jpeg)                                                                                      \
    ROW(form)
#define FORMAT_TABLE(ROW) FORMAT_ANSWERS(ROW) FORMAT_UPLOADS(ROW)

#define FORMAT_DECLARE(name) extern const format format_##name;
FORMAT_TABLE(FORMAT_DECLARE)
#undef FORMAT_DECLARE

/* The formats in this order, NULL at the end. */
extern const format *const format_table[];
#define FORMAT_ONE(name) +1
#define FORMAT_COUNT     (0 FORMAT_TABLE(FORMAT_ONE))
#define FORMAT_ANSWERED  (0 FORMAT_ANSWERS(FORMAT_ONE))

/* For metrics: the row, counted from 1. NULL has the number 0 and the name "none". */
unsigned format_number(const format *f);
const char *format_name(unsigned number);

/* Returns true if the format holds as many tensors as `parts` names; refused in p. */
bool format_holds_parts(const format *f, const query *q, problem *p);
/* The same for the tensors of a source: the part "labels" has a tensor for each head. */
bool format_holds_tensors(const format *f, const query *q, const tensor_source *s, problem *p);

/* The kinds that a resource takes. */
typedef unsigned format_set;

const format *format_by_name(const char *name, size_t length, format_set set);

/* The best format of the set for an Accept header. accept NULL: the client sent none. NULL: 406. */
const format *format_accepted(const char *accept, format_set set);

/* "npy (application/x-npy), raw (application/octet-stream)" */
void format_list(format_set set, char *out, size_t room);

/* The format of a body: by its declared type, else by its first bytes. NULL: 415, explained in p.
 */
const format *format_of_upload(const upload_body *body, problem *p);

#endif
