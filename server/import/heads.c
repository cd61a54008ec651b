#include "heads.h"
#include "datasets/manifest.h"

#include <inttypes.h>
#include <math.h>

static bool is_of_floats(const array *y) {
    return y->rank == 1 && dtype_floats(y->type);
}

/* Returns true if --classes applies to any head. */
static bool classes_fit(const import *in, const label *heads, unsigned count) {
    bool applies = !(in->given & IMPORT_CLASSES);
    for (unsigned i = 0; i < count; i++)
        applies =
            applies || heads[i].numbers || (!heads[i].values && heads[i].classes == in->classes);
    if (applies)
        return true;
    if (count == 0)
        return import_fail(in, "--classes applies to labels, but there are no labels");
    if (heads[0].values)
        return import_fail(in,
                           "--classes says that the labels %s are class numbers, and --values that "
                           "they are values to predict; give one of the two",
                           heads[0].from->name);
    return import_fail(
        in, "--classes is %" PRIu64 ", but the labels %s are rows of %" PRIu64 " weights",
        in->classes, heads[0].from->name, heads[0].classes);
}

/* Returns true if --values applies to any head. */
static bool values_fit(const import *in, const label *heads, unsigned count) {
    bool applies = !(in->given & IMPORT_VALUES);
    for (unsigned i = 0; i < count; i++)
        applies = applies || heads[i].values;
    if (applies)
        return true;
    if (count == 0)
        return import_fail(in, "--values applies to labels, but there are no labels");
    const array *y = heads[0].from;
    return import_fail(
        in,
        "--values applies to labels of floats with one dimension, but %s has %u "
        "dimension%s and type %s; save values to predict as an array of %" PRIu64 " floats",
        y->name, y->rank, y->rank == 1 ? "" : "s", dtype_table[y->type].name, y->shape[0]);
}

/* A finite value or weight that f32 cannot hold would become infinite. */
static bool fits_f32(const import *in, const label *l) {
    size_t size = dtype_table[l->from->type].size;
    uint64_t count = l->from->type == DTYPE_F64 && !l->numbers ? l->rows * l->classes : 0;
    for (uint64_t i = 0; i < count; i++) {
        double value = dtype_real(l->from->type, l->from->bytes + i * size);
        if (isfinite(value) && isinf((float)value))
            return import_fail(in,
                               "row %" PRIu64 " of %s %s %g; %s are stored as f32, which goes to "
                               "3.4e38: scale them",
                               i / l->classes, l->from->name, l->values ? "is" : "holds", value,
                               l->values ? "values" : "weights");
    }
    return true;
}

static bool read_values(const import *in, const array *y, uint64_t rows, label *out) {
    *out = (label){.from = y, .values = true, .rows = rows, .classes = 1};
    if (y->shape[0] != rows)
        return import_fail(in, "there are %" PRIu64 " labels in %s for %" PRIu64 " rows",
                           y->shape[0], y->name, rows);
    return fits_f32(in, out);
}

/* Floats that are not whole may be meant as class numbers or as values. */
static bool read_classes(const import *in, const array *y, uint64_t rows, label *out) {
    problem p = {0};
    if (!label_kind(y, rows, in->classes, out, &p))
        return import_fail(in, "%s", p.errors[0].detail);
    if (label_check(out, &p))
        return fits_f32(in, out);
    return is_of_floats(y) ? import_fail(in,
                                         "%s; if %s holds class numbers, --classes says how many "
                                         "classes there are, and if it holds values to predict, "
                                         "give --values",
                                         p.errors[0].detail, y->name)
                           : import_fail(in, "%s", p.errors[0].detail);
}

bool heads_read(const import *in, const array *const *y, unsigned count, uint64_t rows,
                label *heads, const char **names) {
    for (unsigned i = 0; i < count; i++) {
        bool values = (in->given & IMPORT_VALUES) && is_of_floats(y[i]);
        names[i] = y[i]->name;
        if (!manifest_head_is_valid(names[i]))
            return import_fail(
                in, "labels must be named y or y.NAME (letters, digits, _ and -), not %s",
                names[i]);
        if (!(values ? read_values : read_classes)(in, y[i], rows, &heads[i]))
            return false;
    }
    return classes_fit(in, heads, count) && values_fit(in, heads, count);
}
