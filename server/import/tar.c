/* WebDataset shards: tar files of pictures beside files of the same key that hold their labels. */
#include "dictionary.h"
#include "pictures.h"
#include "tar_label.h"
#include "tar_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARDS     100000
#define LABEL_MOST (1u << 20) /* bytes of a file that holds a label */

/* The members of one key, which lie behind each other. */
typedef struct sample {
    char key[TAR_NAME], picture[TAR_NAME]; /* without and with the extension */
    uint64_t offset, size;
    picture_part map[DATASET_DENSE];
    unsigned pictures;
    tar_label label;
    const char *refused; /* NULL: the sample may be used */
} sample;

typedef struct tar {
    const import *in;
    mapped_file_stamp *stamps; /* of the shards; length 0 before the first look */
    unsigned shard;            /* the shard that is read */
    int file;                  /* of the shard; -1: not open */
    tar_reader reader;
    bool ahead; /* the reader's member belongs to the next sample */
    bool tells; /* report what is skipped */
    sample sample;
    char name[3 * TAR_NAME];
    uint64_t samples, labelled, named, most; /* as the first pass found */
    picture_maps maps;
    dictionary names;
} tar;

static const char *shard_of(const tar *t) {
    return t->in->files[t->shard];
}

/* ---- shards ---- */

static void close_shard(tar *t) {
    if (t->file >= 0)
        close(t->file);
    t->file = -1;
}

/* A shard must be what it was when it was first opened. */
static bool same_stamp(tar *t, unsigned shard, const struct stat *s) {
    mapped_file_stamp now = mapped_file_stamp_of(s);
    if (t->stamps[shard].length == 0)
        t->stamps[shard] = now;
    return mapped_file_stamp_same(&now, &t->stamps[shard]) ||
           import_fail_changed(t->in, t->in->files[shard]);
}

static bool open_shard(tar *t) {
    struct stat s;
    t->file = open(shard_of(t), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->file < 0 || fstat(t->file, &s) != 0)
        return import_fail(t->in, "'%s' cannot be read: %s", shard_of(t), strerror(errno));
    if (!S_ISREG(s.st_mode))
        return import_fail(t->in, "'%s' cannot be read: it is not a regular file", shard_of(t));
    tar_reader_start(&t->reader, t->file, (uint64_t)s.st_size);
    return same_stamp(t, t->shard, &s);
}

static bool go_to_first(void *self) {
    tar *t = self;
    close_shard(t);
    t->shard = 0;
    t->ahead = false;
    return true;
}

/* ---- samples ---- */

/* The length of the key: up to the first dot behind the last slash. 0: the member has no key. */
static size_t key_length(const char *name) {
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    const char *dot = strchr(base, '.');
    return dot && dot > base ? (size_t)(dot - name) : 0;
}

/* Reads a small member. *text is freed by the caller. False: explained. */
static bool read_member(tar *t, char **text) {
    const tar_reader *r = &t->reader;
    *text = NULL;
    if (r->size > LABEL_MOST)
        return import_fail(t->in, "'%s': %s has more than 1 MiB", shard_of(t), r->name);
    *text = malloc((size_t)r->size + 1);
    if (!*text)
        return import_fail(t->in, "out of memory");
    ssize_t got = pread(t->file, *text, (size_t)r->size, (off_t)r->offset);
    if (got >= 0 && (uint64_t)got == r->size)
        return true;
    int error = errno;
    free(*text);
    return got < 0 ? import_fail(t->in, "'%s' cannot be read: %s", shard_of(t), strerror(error))
                   : import_fail(t->in, "'%s' was cut short while it was read", shard_of(t));
}

static bool take_label(tar *t, bool (*read)(const char *text, size_t length, tar_label *out),
                       const char *refused) {
    sample *s = &t->sample;
    tar_label found;
    char *text;
    if (!read_member(t, &text))
        return false;
    bool good = read(text, (size_t)t->reader.size, &found);
    free(text);
    if (!good)
        s->refused = refused;
    else if (s->label.kind == TAR_LABEL_NONE)
        s->label = found;
    else if (found.kind != TAR_LABEL_NONE &&
             (found.kind != s->label.kind || found.number != s->label.number ||
              strcmp(found.name, s->label.name) != 0))
        s->refused = "its cls and json files hold different labels";
    return true;
}

static bool take_map(tar *t, unsigned i) {
    sample *s = &t->sample;
    if (s->map[i].there)
        s->refused = "the key has a label map twice";
    s->map[i] = (picture_part){true, t->reader.offset, t->reader.size};
    return true;
}

/* A member of the sample, by its extension. */
static bool take_member(tar *t, const char *extension) {
    static const char *const pictures[] = {"jpg", "jpeg", "png"};
    sample *s = &t->sample;
    unsigned map = picture_maps_member(&t->maps, extension);
    if (map < t->maps.count)
        return take_map(t, map);
    for (unsigned i = 0; i < 3; i++)
        if (strcasecmp(extension, pictures[i]) == 0) {
            if (s->pictures++ > 0)
                s->refused = "the key has more than one picture";
            snprintf(s->picture, sizeof s->picture, "%s", t->reader.name);
            s->offset = t->reader.offset;
            s->size = t->reader.size;
            return true;
        }
    if (strcasecmp(extension, "cls") == 0)
        return take_label(t, tar_label_cls,
                          "its cls file does not hold a class number; names of classes are "
                          "read where KEY.json calls them label");
    if (strcasecmp(extension, "json") == 0)
        return take_label(t, tar_label_json,
                          "its json file is not an object, or its label is neither a class number "
                          "nor a name of at most 255 bytes");
    char reason[REPORT_REASON];
    snprintf(reason, sizeof reason, "members .%.24s are not read", extension);
    if (t->tells)
        report_add(t->in->report, REPORT_SKIPPED, reason, t->reader.name);
    return true;
}

/* Goes to the next member that has a key, if the last one was taken. */
static picture_next find_member(tar *t) {
    while (!t->ahead) {
        tar_result result = tar_reader_next(&t->reader);
        if (result == TAR_END)
            return PICTURE_END;
        if (result == TAR_BAD) {
            import_fail(t->in, "'%s', at byte %" PRIu64 ": %s", shard_of(t), t->reader.header,
                        t->reader.reason);
            return PICTURE_FAILED;
        }
        t->ahead = t->reader.regular && key_length(t->reader.name) > 0;
        if (!t->ahead && t->tells && t->reader.name[strlen(t->reader.name) - 1] != '/')
            report_add(t->in->report, REPORT_SKIPPED,
                       t->reader.regular ? "members without a key and an extension"
                                         : "links and devices",
                       t->reader.name);
    }
    return PICTURE_ITEM;
}

/* The next sample of the shard. */
static picture_next read_sample(tar *t) {
    sample *s = &t->sample;
    picture_next found = find_member(t);
    if (found != PICTURE_ITEM)
        return found;
    size_t length = key_length(t->reader.name);
    s->pictures = 0;
    s->refused = NULL;
    s->label.kind = TAR_LABEL_NONE;
    memset(s->map, 0, sizeof s->map);
    memcpy(s->key, t->reader.name, length);
    s->key[length] = 0;
    while (found == PICTURE_ITEM && key_length(t->reader.name) == length &&
           memcmp(t->reader.name, s->key, length) == 0) {
        t->ahead = false;
        if (!take_member(t, t->reader.name + length + 1))
            return PICTURE_FAILED;
        found = find_member(t);
    }
    return found == PICTURE_FAILED ? found : PICTURE_ITEM;
}

/* The next sample that has a picture. */
static picture_next next_sample(tar *t) {
    while (t->shard < t->in->count) {
        if (t->file < 0 && !open_shard(t))
            return PICTURE_FAILED;
        picture_next found = read_sample(t);
        if (found == PICTURE_FAILED || (found == PICTURE_ITEM && t->sample.pictures > 0))
            return found;
        if (found == PICTURE_ITEM && t->tells)
            report_add(t->in->report, REPORT_SKIPPED, "keys without a picture", t->sample.key);
        if (found == PICTURE_END) {
            close_shard(t);
            t->shard++;
        }
    }
    return PICTURE_END;
}

/* ---- labels ---- */

/* A sample that is refused becomes no row, so what it says of classes counts for nothing. */
static bool count_label(tar *t) {
    const tar_label *l = &t->sample.label;
    t->samples++;
    if (t->sample.refused)
        return true;
    t->labelled += l->kind != TAR_LABEL_NONE;
    t->named += l->kind == TAR_LABEL_NAMED;
    if (l->kind == TAR_LABEL_NUMBER && l->number > t->most)
        t->most = l->number;
    if (l->kind != TAR_LABEL_NAMED)
        return true;
    if (!dictionary_add(&t->names, l->name))
        return import_fail(t->in, "out of memory");
    return t->names.count <= FMIX_MAX_CLASSES ||
           import_fail(t->in, "there are more than %u names of classes", FMIX_MAX_CLASSES);
}

/* Reads all headers and labels, which decide on what the labels are. */
static bool find_labels(tar *t) {
    picture_next found;
    uint64_t classes = t->in->classes ? t->in->classes : FMIX_MAX_CLASSES;
    t->tells = true;
    go_to_first(t);
    while ((found = next_sample(t)) == PICTURE_ITEM)
        if (!count_label(t))
            return false;
    t->tells = false;
    if (found == PICTURE_FAILED)
        return false;
    if (t->labelled == 0 && (t->in->given & IMPORT_CLASSES))
        return import_fail(t->in, "--classes applies to labels, but the shards have none");
    if (t->named > 0 && t->named < t->labelled)
        return import_fail(t->in,
                           "%" PRIu64 " labels are names and %" PRIu64
                           " are numbers; all must be names, or all class numbers",
                           t->named, t->labelled - t->named);
    if (t->named > 0 && t->in->classes && t->names.count != t->in->classes)
        return import_fail(t->in,
                           "--classes is %" PRIu64 ", but the labels are names, of %zu classes; "
                           "leave --classes out, or give class numbers",
                           t->in->classes, (size_t)t->names.count);
    if (t->most >= classes)
        return import_fail(t->in,
                           "the largest class number is %" PRIu64 "; it must be at most %" PRIu64,
                           t->most, classes - 1);
    return dictionary_sort(&t->names) || import_fail(t->in, "out of memory");
}

static picture_next next(void *self, picture_item *out) {
    tar *t = self;
    const sample *s = &t->sample;
    picture_next found = next_sample(t);
    if (found != PICTURE_ITEM)
        return found;
    snprintf(t->name, sizeof t->name, "%.4095s: %s", shard_of(t), s->picture);
    *out = (picture_item){.name = t->name,
                          .file = t->file,
                          .offset = s->offset,
                          .length = s->size,
                          .stamp = t->stamps[t->shard].written,
                          .refused = s->refused};
    memcpy(out->map, s->map, sizeof s->map);
    if (s->label.kind == TAR_LABEL_NAMED)
        dictionary_find(&t->names, s->label.name, &out->labels[0]);
    else
        out->labels[0] = (uint32_t)s->label.number;
    if (!s->refused && t->labelled > 0 && s->label.kind == TAR_LABEL_NONE)
        out->refused = "it has no label: no cls file, and no json file with a label, of its key";
    return PICTURE_ITEM;
}

static bool are_unchanged(void *self, bool read) {
    tar *t = self;
    struct stat s;
    (void)read;
    for (unsigned i = 0; i < t->in->count; i++)
        if (stat(t->in->files[i], &s) != 0)
            return import_fail(t->in, "'%s' cannot be read: %s", t->in->files[i], strerror(errno));
        else if (!same_stamp(t, i, &s))
            return false;
    return true;
}

static bool import_shards(tar *t, dataset_writer *w) {
    bool named = t->named > 0;
    picture_source source = {
        .self = t,
        .rewind = go_to_first,
        .next = next,
        .check = are_unchanged,
        .heads = t->labelled > 0,
        .head = {{.name = "y",
                  .classes = named            ? t->names.count
                             : t->in->classes ? t->in->classes
                                              : t->most + 1,
                  .class_names = named ? (const char *const *)t->names.names : NULL}}};
    return pictures_import(t->in, &source, w);
}

static bool run(const import *in) {
    tar *t = calloc(1, sizeof *t);
    if (t)
        t->stamps = calloc(in->count, sizeof *t->stamps);
    if (!t || !t->stamps) {
        free(t);
        return import_fail(in, "out of memory");
    }
    t->in = in;
    t->file = -1;
    t->maps = picture_maps_of(in);
    dataset_writer *w = find_labels(t) ? dataset_writer_open(in->path, in->errors) : NULL;
    bool good = w && import_shards(t, w);
    close_shard(t);
    dictionary_free(&t->names);
    free(t->stamps);
    free(t);
    return good;
}

const import_kind import_tar = {"tar",
                                "SHARD...",
                                "WebDataset: tar files of KEY.jpg, KEY.jpeg or KEY.png, each with "
                                "the class number in KEY.cls, or the number or name that KEY.json "
                                "calls label",
                                1,
                                SHARDS,
                                IMPORT_CLASSES | IMPORT_CHANNELS | IMPORT_SKIP_BAD | IMPORT_DENSE |
                                    IMPORT_NEIGHBOURS | IMPORT_STORE | IMPORT_SHORT,
                                run,
                                IMPORT_MAPS_MEMBERS};
