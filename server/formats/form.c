/* The format form: multipart/form-data with pictures and their class numbers, or with one file of
 * arrays. */
#include "image.h"
#include "label_array.h"
#include "multipart.h"
#include "picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS 16 /* of labels, with those of partners */

/* The class numbers of a head, a part each. */
typedef struct head {
    const char *name; /* in a part */
    uint64_t count;
} head;

typedef struct form {
    multipart parts;
    picture_file *files; /* room for one of each part */
    uint64_t x, x2;      /* pictures of each; all of x stand before those of x2 */
    head heads[HEADS];
    unsigned head_count;
    const upload_body *body;
    problem *p;
} form;

static bool refuse(const form *f, unsigned i, int status, const char *why) {
    const multipart_part *part = &f->parts.parts[i];
    int length = part->file.length < 60 ? (int)part->file.length : 60;
    problem_add(f->p, status, part->name, "part %u of the form, %s%s%.*s%s, %s", i + 1, part->name,
                length ? " (" : "", length, length ? part->file.at : "", length ? ")" : "", why);
    return false;
}

/* ---- what a part is ---- */

static bool is_x(const multipart_part *part) {
    return strcmp(part->name, "x") == 0;
}

static bool is_picture_name(const multipart_part *part) {
    return is_x(part) || strcmp(part->name, "x2") == 0;
}

/* The format of arrays that a part begins as. NULL: none. */
static const format *arrays_of(const multipart_part *part) {
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->begins && !format_table[i]->pictures &&
            format_table[i]->begins(part->bytes, part->length))
            return format_table[i];
    return NULL;
}

/* Types that say nothing of what a file holds. */
static bool is_unspecific(field_text type) {
    return type.length == 0 || field_is(type, "application/octet-stream") ||
           field_is(type, "text/plain");
}

/* The bytes decide what a file is. A declared type must be of the same kind. */
static bool check_type(const form *f, unsigned i, const char *kind, const format *arrays) {
    const multipart_part *part = &f->parts.parts[i];
    char why[200];
    bool agrees = is_unspecific(part->type) || (kind && field_begins(part->type, "image/")) ||
                  (arrays && (field_is(part->type, arrays->media_type) ||
                              field_is(part->type, "application/zip")));
    if (part->length == 0)
        return refuse(f, i, 400, "is empty; choose a file, or leave the part out");
    if ((kind || arrays) && agrees)
        return true;
    int shown = part->type.length < 60 ? (int)part->type.length : 60;
    if (kind || arrays)
        snprintf(why, sizeof why, "has Content-Type '%.*s', but its bytes begin as %s", shown,
                 part->type.at, kind ? kind : arrays->name);
    else
        snprintf(why, sizeof why,
                 "is not a file that can be mixed; send PNG, JPEG, npy, npz or safetensors%s%.*s%s",
                 part->type.length ? " (its Content-Type is " : "", shown,
                 part->type.length ? part->type.at : "", part->type.length ? ")" : "");
    return refuse(f, i, 415, why);
}

/* ---- one file of arrays ---- */

static bool read_arrays(const form *f, const format *arrays, upload *out) {
    const multipart_part *part = &f->parts.parts[0];
    const upload_body inner = {
        .bytes = part->bytes, .length = part->length, .query = f->body->query};
    if (f->parts.count > 1)
        return refuse(f, 0, 400,
                      "is a file of arrays, and must be the only part: labels and x2 belong into "
                      "the file, as arrays y and x2; pictures cannot stand beside it");
    return check_type(f, 0, NULL, arrays) && arrays->read(&inner, out, f->p);
}

/* ---- pictures and class numbers ---- */

static bool take_picture(form *f, unsigned i) {
    const multipart_part *part = &f->parts.parts[i];
    const char *kind = image_kind(part->bytes, part->length);
    if (!kind && arrays_of(part))
        return refuse(f, i, 400, "is a file of arrays, and must be the only part");
    if (!check_type(f, i, kind, NULL))
        return false;
    *(is_x(part) ? &f->x : &f->x2) += 1;
    return true;
}

static head *find_head(form *f, const char *name) {
    for (unsigned i = 0; i < f->head_count; i++)
        if (strcmp(f->heads[i].name, name) == 0)
            return &f->heads[i];
    if (f->head_count == HEADS)
        return NULL;
    f->heads[f->head_count] = (head){.name = name};
    return &f->heads[f->head_count++];
}

/* At most 18 digits, which fit an i64. */
static bool read_number(const multipart_part *part, uint64_t *out) {
    *out = 0;
    for (size_t i = 0; i < part->length && i < 19; i++) {
        if (part->bytes[i] < '0' || part->bytes[i] > '9')
            return false;
        *out = 10 * *out + (part->bytes[i] - '0');
    }
    return part->length > 0 && part->length < 19;
}

static bool take_number(form *f, unsigned i) {
    const multipart_part *part = &f->parts.parts[i];
    uint64_t number;
    if (part->is_file)
        return refuse(f, i, 400,
                      "is a file; the labels of pictures are class numbers, a part each, such as "
                      "curl -F y=3 -F y=5");
    if (!read_number(part, &number))
        return refuse(f, i, 400,
                      "is not a class number: digits alone, a part for each picture, such as "
                      "curl -F y=3 -F y=5");
    head *of = find_head(f, part->name);
    if (!of)
        return refuse(f, i, 400, "is one head of labels too many");
    of->count++;
    return true;
}

static bool take_part(form *f, unsigned i) {
    const multipart_part *part = &f->parts.parts[i];
    if (is_picture_name(part))
        return take_picture(f, i);
    return label_named(part->name)
               ? take_number(f, i)
               : refuse(f, i, 400,
                        "has an unknown name; a form may hold pictures named x and x2, and class "
                        "numbers named y, y.NAME, y2 and y2.NAME; parameters belong into the URL");
}

/* ---- as many of each ---- */

static bool is_of_partners(const char *name) {
    return name[1] == '2';
}

static bool check_counts(const form *f) {
    if (f->x == 0)
        problem_add(f->p, 400, "x",
                    "the form has no part named x; send each picture as one, such as curl -F "
                    "x=@cat.jpg -F x=@dog.png");
    else if (f->x2 && f->x2 != f->x)
        problem_add(f->p, 400, "x2",
                    "the form has x %" PRIu64 " times, but x2 %" PRIu64
                    " times; row i of x is mixed with row i of x2, so send as many",
                    f->x, f->x2);
    for (unsigned i = 0; i < f->head_count && f->p->status == 0; i++) {
        const head *h = &f->heads[i];
        uint64_t rows = is_of_partners(h->name) ? f->x2 : f->x;
        if (h->count != rows)
            problem_add(f->p, 400, h->name,
                        "the form has %s %" PRIu64 " times, but %s %" PRIu64
                        " times; send a class number for each picture, in the same order",
                        h->name, h->count, is_of_partners(h->name) ? "x2" : "x", rows);
    }
    return f->p->status == 0;
}

static void list_files(form *f) {
    uint64_t x = 0, x2 = f->x;
    for (unsigned i = 0; i < f->parts.count; i++) {
        const multipart_part *part = &f->parts.parts[i];
        if (is_picture_name(part))
            f->files[is_x(part) ? x++ : x2++] =
                (picture_file){.bytes = part->bytes, .length = part->length, .name = part->file};
    }
}

/* Appends the numbers of a head, little-endian, to the room that is reserved for them. */
static bool add_head(const form *f, const head *h, upload *out) {
    array *a = upload_add(out, h->name, strlen(h->name), f->p);
    uint64_t number;
    if (!a)
        return false;
    a->type = DTYPE_I64;
    a->rank = 1;
    a->shape[0] = h->count;
    a->bytes = out->inflated.bytes + out->inflated.length;
    for (unsigned i = 0; i < f->parts.count; i++) {
        const multipart_part *part = &f->parts.parts[i];
        if (strcmp(part->name, h->name) != 0 || !read_number(part, &number))
            continue;
        for (unsigned b = 0; b < 8; b++)
            out->inflated.bytes[out->inflated.length++] = (unsigned char)(number >> 8 * b);
    }
    return true;
}

/* Labels of 8 bytes stand at multiples of 8 behind the views. */
static void align(buffer *b) {
    while (b->length % 8)
        b->bytes[b->length++] = 0;
}

static bool read_pictures(form *f, upload *out) {
    uint64_t labels = 8;
    for (unsigned i = 0; i < f->head_count; i++)
        labels += 8 * f->heads[i].count;
    list_files(f);
    const picture_list list = {
        .files = f->files, .rows = f->x, .partners = f->x2 > 0, .beside = labels};
    if (!picture_read(&list, f->body, out, f->p))
        return false;
    align(&out->inflated);
    bool good = true;
    for (unsigned i = 0; i < f->head_count && good; i++)
        good = add_head(f, &f->heads[i], out);
    return good;
}

static bool read_parts(form *f, upload *out) {
    const multipart_part *first = &f->parts.parts[0];
    const format *arrays = is_x(first) ? arrays_of(first) : NULL;
    if (arrays)
        return read_arrays(f, arrays, out);
    for (unsigned i = 0; i < f->parts.count; i++)
        if (!take_part(f, i))
            return false;
    f->files = malloc(f->parts.count * sizeof *f->files);
    if (!f->files)
        problem_add(f->p, 500, NULL, "out of memory");
    return f->files && check_counts(f) && read_pictures(f, out);
}

static bool read_form(const upload_body *body, upload *out, problem *p) {
    form f = {.body = body, .p = p};
    bool good = multipart_read(body, &f.parts, p) && read_parts(&f, out);
    free(f.files);
    multipart_free(&f.parts);
    return good;
}

#define SCAN_COST   1.0   /* nanoseconds to find the end of a part, a byte */
#define PART_LEAST  44    /* bytes of a part with its boundary */
#define UNPACK_COST 200.0 /* nanoseconds a byte of a compressed array at most */

/* By the first part, since the ends of parts are not known before the body is scanned. */
static weight weigh(const upload_body *body, uint64_t most) {
    const unsigned char *first = multipart_peek(body);
    (void)most;
    size_t left = first ? (size_t)(body->bytes + body->length - first) : 0;
    weight w = first && image_kind(first, left)
                   ? picture_weight(body->length)
                   : (weight){.worst = UNPACK_COST * (double)body->length};
    w.cost += SCAN_COST * (double)body->length;
    w.worst += SCAN_COST * (double)body->length;
    size_t parts =
        body->length / PART_LEAST < MULTIPART_PARTS ? body->length / PART_LEAST : MULTIPART_PARTS;
    w.memory = 2 * parts * (sizeof(multipart_part) + sizeof(picture_file));
    return w;
}

const format format_form = {
    .name = "form",
    .media_type = "multipart/form-data",
    .version = 1,
    .read = read_form,
    .weigh = weigh,
    .several = true,
};
