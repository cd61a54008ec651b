/* The format npz: archives of npy files. */
#include "npz.h"
#include "npy.h"

static bool encode(const tensor_source *s, const unsigned char *const *data, buffer *out) {
    return npz_encode(s, data, UINT32_MAX, out);
}

static bool check(const tensor_source *s, problem *p) {
    for (unsigned i = 0; i < s->count; i++)
        if (!npy_holds(&s->tensors[i], "npz", p))
            return false;
    if (npz_bound(s) <= FORMAT_BUILT_MOST)
        return true;
    problem_add(p, 413, NULL,
                "an npz answer has at most %u bytes, and this one would have %llu; ask for fewer "
                "rows or parts, or for safetensors, npy or raw, which have no limit",
                FORMAT_BUILT_MOST, (unsigned long long)npz_bound(s));
    return false;
}

/* A copy into new pages, and its checksum. */
static double cost(const tensor_source *s, uint64_t nodes) {
    (void)nodes;
    return (double)npz_bound(s);
}

const format format_npz = {
    .name = "npz",
    .media_type = "application/x-npz",
    .kind = FORMAT_ARRAYS,
    .version = 1,
    .all = true,
    .most = UINT64_MAX, /* bytes count, not elements */
    .check = check,
    .encode = encode,
    .cost = cost,
    .least = npz_bound,
    .read = npz_read,
    .weigh = npz_weigh,
    .several = true,
    .begins = npz_begins,
};
