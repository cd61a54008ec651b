/*
 * query.h - the parameters of a request, and the table that describes them
 */
#ifndef QUERY_H
#define QUERY_H

#include "lib/fmix.h"
#include "problem.h"

#define QUERY_RANK 5 /* dimensions of an uploaded array: rows, channels, three spatial ones */

typedef struct query_shape {
    unsigned rank;
    uint64_t side[QUERY_RANK];
} query_shape;

/* A resource takes groups of parameters. A parameter belongs to one group. */
typedef enum query_group {
    GROUP_SEED = 1 << 0,   /* seed, scope */
    GROUP_SAMPLE = 1 << 1, /* n */
    GROUP_BATCH = 1 << 2,  /* step; the default of index follows from step */
    GROUP_LAMBDA = 1 << 3, /* alpha, lambda, reformulate */
    GROUP_MASK = 1 << 4,   /* delta, soft, frequency, spectrum, box */
    GROUP_METHOD = 1 << 5,
    GROUP_PAIRING = 1 << 6,
    GROUP_SHAPE = 1 << 7,   /* shape, dtype */
    GROUP_SHEET = 1 << 8,   /* the layout of a png */
    GROUP_UPLOAD = 1 << 9,  /* shape and type of a raw body */
    GROUP_POLICY = 1 << 10, /* which method of several mixes a batch or a row, and which rows */
    GROUP_PARTS = 1 << 11,  /* parts */
    GROUP_STEPS = 1 << 12,  /* steps */
    GROUP_OUTPUT = 1 << 13, /* masks, or grey images before thresholding */
    GROUP_INDEX = 1 << 14,  /* index */
    GROUP_MIXED = 1 << 15,  /* layout, types and labels, before and after mixing */
    GROUP_EPOCH = 1 << 16,  /* which rows of a data set, and their augmentation before mixing */
    GROUP_SHARD = 1 << 17,  /* what a shard holds */
    GROUP_VIEW = 1 << 18,   /* pictures of any size as rows of one size */
    GROUP_FLIP = 1 << 19,   /* flip, of pictures and of rows */
} query_group;

typedef enum query_id {
    QUERY_SEED,
    QUERY_INDEX,
    QUERY_STEP,
    QUERY_STEPS,
    QUERY_N,
    QUERY_SHAPE,
    QUERY_METHOD,
    QUERY_POLICY,
    QUERY_WEIGHTS,
    QUERY_SWITCH,
    QUERY_PROB,
    QUERY_ALPHA,
    QUERY_DELTA,
    QUERY_LAMBDA,
    QUERY_REFORMULATE,
    QUERY_SCOPE,
    QUERY_SOFT,
    QUERY_FREQUENCY,
    QUERY_SPECTRUM,
    QUERY_BOX,
    QUERY_PAIRING,
    QUERY_OUTPUT,
    QUERY_DTYPE,
    QUERY_COLUMNS,
    QUERY_SCALE,
    QUERY_LAYOUT,
    QUERY_PARTS,
    QUERY_X_SHAPE,
    QUERY_X_DTYPE,
    QUERY_OUT_DTYPE,
    QUERY_CLASSES,
    QUERY_SMOOTHING,
    QUERY_CORRECT,
    QUERY_EPOCH,
    QUERY_SHUFFLE,
    QUERY_CROP,
    QUERY_PAD,
    QUERY_FLIP,
    QUERY_SIZE,
    QUERY_VIEW,
    QUERY_AREA,
    QUERY_RATIO,
    QUERY_SHORT,
    QUERY_FILTER,
    QUERY_MEAN,
    QUERY_STD,
    QUERY_BUCKET,
    QUERY_PAD_VALUE,
    QUERY_RANK_OF,
    QUERY_WORLD,
    QUERY_DROP_LAST,
    QUERY_DIGEST,
    QUERY_MEMBER,
    QUERY_COUNT
} query_id;

typedef enum query_layout { LAYOUT_CHANNELS_FIRST, LAYOUT_CHANNELS_LAST, LAYOUT_NONE } query_layout;
typedef enum query_scope { SCOPE_SAMPLE, SCOPE_BATCH, SCOPE_PAIR } query_scope;
typedef enum query_switch { SWITCH_BATCH, SWITCH_SAMPLE } query_switch;
typedef enum query_member { MEMBER_NPY, MEMBER_PNG } query_member;
typedef enum query_mask_type {
    MASK_TYPE_F32,
    MASK_TYPE_U8,
    MASK_TYPE_BITS,
    MASK_TYPE_F16,
    MASK_TYPE_F64
} query_mask_type;
typedef enum query_output { OUTPUT_MASK, OUTPUT_GREY } query_output;

/* Bits of `parts`, in the order of the choices in parameters.c. */
typedef enum query_part {
    PART_MIXED = 1 << 0,
    PART_PAIRING = 1 << 1,
    PART_LAMBDA = 1 << 2,
    PART_LAMBDA_EFF = 1 << 3,
    PART_MASKS = 1 << 4,
    PART_METHOD = 1 << 5,
    PART_LABELS = 1 << 6,
    PART_ROWS = 1 << 7,
    PART_LENGTHS = 1 << 8,
    PART_DENSE = 1 << 9,
} query_part;

#define QUERY_LIST 8 /* items of a list */

typedef struct query_list {
    unsigned count;
    uint32_t item[QUERY_LIST];
} query_list;

/* One value for all channels or methods, or one for each. */
typedef struct query_reals {
    unsigned count;
    double item[QUERY_LIST];
} query_reals;

#define QUERY_DIGEST_DIGITS 64

typedef struct query {
    uint64_t seed, index, step, steps, n, columns, scale;
    query_shape shape, x_shape;
    double delta, lambda, soft, prob;
    query_reals alphas; /* one for all methods, or one for each */
    query_list methods; /* fmix_method */
    query_list weights, classes;
    double smoothing;
    unsigned correct;
    unsigned policy;    /* fmix_policy_kind */
    unsigned switching; /* query_switch */
    unsigned reformulate, scope, frequency, spectrum, box;
    unsigned output;    /* query_output */
    unsigned dtype;     /* query_mask_type */
    unsigned x_dtype;   /* dtype */
    unsigned out_dtype; /* dtype; by default that of x */
    unsigned layout;    /* query_layout */
    unsigned pairing;   /* fmix_pairing_kind */
    unsigned parts;     /* bits */
    uint64_t epoch, crop, rank, world, bucket;
    double pad_value;
    unsigned shuffle, pad, flip, drop_last; /* pad: fmix_pad */
    unsigned member;                        /* query_member */
    query_reals mean, std;
    query_shape size;        /* of a view: one side for both, or height x width */
    query_reals area, ratio; /* each the least and the most */
    uint64_t shorter;
    unsigned view, filter; /* fmix_view_kind, fmix_filter */
    char digest[QUERY_DIGEST_DIGITS + 1];
    bool given[QUERY_COUNT];
} query;

typedef enum query_kind {
    KIND_INTEGER, /* uint64_t, least … most */
    KIND_REAL,    /* double, low … high */
    KIND_SHAPE,   /* query_shape, at most `most` sides */
    KIND_CHOICE,  /* unsigned, one of the choices */
    KIND_SET,     /* unsigned, bits of choices */
    KIND_LIST,    /* query_list: numbers of choices, or integers where the row has no choices */
    KIND_REALS,   /* query_reals, each low … high */
    KIND_RANGE,   /* query_reals: the least and the most, each low … high */
    KIND_DIGEST,  /* hexadecimal digits */
    QUERY_KINDS
} query_kind;

typedef struct query_parameter {
    const char *name;
    query_kind kind;
    query_group group;
    size_t offset;                          /* in query */
    uint64_t least, most;                   /* KIND_INTEGER, KIND_SHAPE */
    double low, high;                       /* KIND_REAL, KIND_REALS, KIND_RANGE */
    const char *const *choices;             /* NULL-terminated */
    const char *(*choice)(unsigned number); /* or this function; NULL past the last choice */
    const char *example;                    /* KIND_SHAPE: "32x32" */
    const char *fallback;                   /* the default as text; NULL: there is none */
    /* Recipe texts hold the parameter only where it is given, although it has a default: ETags of
     * requests without it are older than the parameter. */
    bool later;
    const char *meaning;
} query_parameter;

extern const query_parameter query_table[QUERY_COUNT];

/* Sets every parameter to its default. */
void query_init(query *q);

/* Takes one decoded name=value pair of the request target. value NULL: there is no equals sign. */
void query_take(query *q, unsigned groups, const char *name, size_t name_length, const char *value,
                size_t value_length, problem *p);

/* Appends a parameter's value in its one spelling: "3.25", "32x32", "fmix". */
void query_print(const query *q, query_id id, buffer *out);

#endif
