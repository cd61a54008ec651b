/* A line that is a Content-Type, and the body behind it: parts lie within the body and apart, and
 * what is read of them within what there is. */
#include "fuzz.h"

#include "formats/format.h"
#include "formats/multipart.h"

#define CAP    (1u << 16) /* bytes of views */
#define BUDGET (16u << 20)

/* Each part ends before the next begins, with a boundary line between them. */
static void check_parts(const multipart *m, const uint8_t *from, const uint8_t *end) {
    for (unsigned i = 0; i < m->count; i++) {
        const multipart_part *part = &m->parts[i];
        FUZZ_ASSERT(part->bytes > from && part->bytes <= end);
        FUZZ_ASSERT(part->length <= (size_t)(end - part->bytes));
        FUZZ_ASSERT(part->name[0] && strlen(part->name) < sizeof part->name);
        from = part->bytes + part->length;
    }
}

static void check_array(const array *a, const upload *all, const uint8_t *from, size_t length) {
    uint64_t bytes = dtype_table[a->type].size;
    for (unsigned d = 0; d < a->rank; d++)
        bytes *= a->shape[d];
    const buffer *made = &all->inflated;
    bool inside = a->bytes >= from && a->bytes + bytes <= from + length;
    FUZZ_ASSERT(inside || (a->bytes >= made->bytes && bytes <= made->room &&
                           (size_t)(a->bytes - made->bytes) <= made->length - bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *stop = memchr(data, '\n', size);
    if (!stop)
        return 0;
    query q;
    problem p = {0}, again = {0};
    multipart m;
    static budget payer;
    char *type = strndup((const char *)data, (size_t)(stop - data));
    size_t length = size - (size_t)(stop + 1 - data);
    query_init(&q);
    query_take(&q, GROUP_VIEW, "size", 4, "4", 1, &p);
    budget_init(&payer, BUDGET, 1);
    const upload_body body = {
        .bytes = stop + 1, .length = length, .content_type = type, .query = &q, .elements = 1024};
    upload all = {.inflated = buffer_paid(CAP, (budget_payer){.from = &payer})};
    bool split = multipart_read(&body, &m, &p);
    FUZZ_ASSERT(split == (p.status == 0));
    if (split)
        check_parts(&m, stop, data + size);
    multipart_free(&m);
    format_form.weigh(&body, CAP);
    bool good = format_form.read(&body, &all, &again);
    FUZZ_ASSERT(good == (again.status == 0) && (split || !good));
    FUZZ_ASSERT(good || again.status < 500 || all.inflated.starved);
    for (unsigned i = 0; good && i < all.count; i++)
        check_array(&all.arrays[i], &all, body.bytes, length);
    buffer_free(&all.inflated);
    FUZZ_ASSERT(budget_held(&payer) == 0);
    budget_destroy(&payer);
    free(type);
    return 0;
}
