/* Images while the nth allocation fails, for every n, also in libpng and libjpeg-turbo. */
#include "fault.h"

#include "formats/image.h"

#include <glob.h>

#if FAULTS

#define MOST 4096

static size_t load(const char *path, unsigned char *out) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(out, 1, MOST, file);
    fclose(file);
    return length;
}

#define LABELS 2 /* in place of channels: as a label map */

static bool read_as(const unsigned char *bytes, size_t length, unsigned channels, image *out) {
    return channels == LABELS ? image_labels_read(bytes, length, NULL, out)
                              : image_read(bytes, length, channels, out);
}

/* How many allocations failed. */
static unsigned long check(const char *path, const unsigned char *bytes, size_t length,
                           unsigned channels) {
    image right, got;
    unsigned long n = 0;
    assert_true(read_as(bytes, length, channels, &right));
    for (bool fired = true; fired;) {
        long live = fault_live();
        n = fault_after(n);
        fault_arm(n);
        bool read = read_as(bytes, length, channels, &got);
        fired = fault_disarm();
        size_t size = (size_t)right.width * right.height * right.channels;
        bool good = read ? memcmp(got.pixels, right.pixels, size) == 0
                         : fired && !got.pixels && got.message[0] != 0 && got.starved;
        image_free(&got);
        if (!good || fault_live() != live) {
            fault_tell(path, n);
            fail_msg("%s, allocation %lu: %s; %ld left", path, n, got.message, fault_live() - live);
        }
    }
    image_free(&right);
    return n - 1;
}

static void an_image_without_memory_is_refused_with_a_message_and_leaks_none(void **state) {
    (void)state;
    unsigned char bytes[MOST];
    unsigned maps = 0;
    glob_t found;
    assert_int_equal(glob("tests/fuzz/corpus/picture/*", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 10);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t length = load(found.gl_pathv[i], bytes);
        image map;
        for (unsigned channels = 0; channels <= 3; channels++) {
            if (channels == LABELS && !image_labels_header(bytes, length, &map))
                continue;
            assert_true(check(found.gl_pathv[i], bytes, length, channels) > 3);
            maps += channels == LABELS;
        }
    }
    assert_true(maps >= 3);
    globfree(&found);
}

#else

static void an_image_without_memory_is_refused_with_a_message_and_leaks_none(void **state) {
    (void)state;
    FAULT_OR_SKIP;
}

#endif

RUN(T(an_image_without_memory_is_refused_with_a_message_and_leaks_none))
