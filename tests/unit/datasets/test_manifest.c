/* Names on disk, which stay what they are: whatever is stored must stay readable. */
#include "small_set.h"

#include "datasets/manifest.h"

/* As fmixd 0.1.0 imported them: 36 bytes 0 … 35 with two heads, and planes of f32. */
static const char colour[] =
    "{\n \"fmixd\": 1,\n \"count\": 3,\n \"dtype\": \"u8\",\n \"shape\": [\n  2,\n"
    "  2,\n  3\n ],\n \"layout\": \"channels_last\",\n \"heads\": [\n  {\n"
    "   \"name\": \"y\",\n   \"kind\": \"numbers\",\n   \"classes\": 3\n  },\n"
    "  {\n   \"name\": \"y.soft\",\n   \"kind\": \"rows\",\n   \"classes\": 2\n"
    "  }\n ],\n \"class_names\": [\n  [],\n  []\n ],\n \"digest\": \""
    "77b729e5d6bebdaa612b643168e4915d131ffd8284e4cd38f5db1d4cb13a996b"
    "\"\n}\n";
/* What follows where there are pieces. */
static const char colour_pieces[] =
    ",\n \"pieces\": \""
    "9c756d604ae0ac17fff2f43263783d7d22d1677b0318deec08a9631e42905f6a"
    "\"\n}\n";
static const char planes[] =
    "{\n \"fmixd\": 1,\n \"count\": 3,\n \"dtype\": \"f32\",\n \"shape\": [\n"
    "  2,\n  2,\n  3\n ],\n \"layout\": \"channels_first\",\n \"heads\": [\n"
    "  {\n   \"name\": \"y.a\",\n   \"kind\": \"numbers\",\n"
    "   \"classes\": 7\n  }\n ],\n \"class_names\": [\n  []\n ],\n"
    " \"digest\": \""
    "e7f6ff6f3878ca3aea12c7201c075417d2ee14d53f3d1095d24db1137f393444"
    "\"\n}\n";
static const unsigned char numbers[] = {0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0};
static const unsigned char numbers_a[] = {4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
/* 0.25 0.75, 1 0, 0.5 0.5 */
static const unsigned char soft[] = {0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x3f, 0, 0, 0x80, 0x3f,
                                     0, 0, 0,    0,    0, 0, 0,    0x3f, 0, 0, 0,    0x3f};

static void fill_pixels(unsigned char bytes[36], float reals[36]) {
    for (unsigned i = 0; i < 36; i++) {
        bytes[i] = (unsigned char)i;
        reals[i] = (float)i;
    }
    dtype_swap(DTYPE_F32, reals, 36 * sizeof *reals);
}

static void a_stored_set_is_read_and_its_digest_holds(void **state) {
    (void)state;
    unsigned char bytes[36];
    float reals[36];
    fill_pixels(bytes, reals);
    folder_make("colour");
    folder_write("colour/manifest.json", colour, strlen(colour));
    folder_write("colour/data.bin", bytes, sizeof bytes);
    folder_write("colour/labels.bin", numbers, sizeof numbers);
    folder_write("colour/labels.soft.bin", soft, sizeof soft);
    folder_make("planes");
    folder_write("planes/manifest.json", planes, strlen(planes));
    folder_write("planes/data.bin", reals, sizeof reals);
    folder_write("planes/labels.a.bin", numbers_a, sizeof numbers_a);
    dataset *a = dataset_open(folder_root, "colour", DATASET_VERIFY_START, NULL, folder_errors);
    dataset *b = dataset_open(folder_root, "planes", DATASET_VERIFY_START, NULL, folder_errors);
    assert_true(a && b);
    assert_true(a->x.type == DTYPE_U8 && a->x.layout == LAYOUT_CHANNELS_LAST && a->heads == 2);
    assert_true(b->x.type == DTYPE_F32 && b->x.layout == LAYOUT_CHANNELS_FIRST && b->heads == 1);
    assert_string_equal(a->head[1].name, "y.soft");
    assert_true(b->head[0].kind == DATASET_NUMBERS && b->head[0].classes == 7);
    dataset_release(a);
    dataset_release(b);
}

static void a_set_is_written_byte_for_byte_as_it_always_was(void **state) {
    (void)state;
    unsigned char bytes[36], written[2000];
    float reals[36];
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 3, .side = {2, 2, 3}, .layout = LAYOUT_CHANNELS_LAST};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_I32, .rank = 1, .shape = {3}};
    const array s = {
        .name = "y.soft", .bytes = soft, .type = DTYPE_F32, .rank = 2, .shape = {3, 2}};
    const label first = {.from = &y, .numbers = true, .rows = 3, .classes = 3};
    const label second = {.from = &s, .rows = 3, .classes = 2};
    fill_pixels(bytes, reals);
    dataset_writer *w = dataset_writer_new(folder_path("set"), &facts, folder_errors);
    assert_true(w && dataset_writer_rows(w, bytes, 3) && dataset_writer_head(w, "y", &first) &&
                dataset_writer_head(w, "y.soft", &second) && dataset_writer_finish(w));
    size_t length = folder_read("set/manifest.json", written, sizeof written);
    size_t before = strlen(colour) - strlen("\n}\n"); /* of what sets without pieces have */
    assert_true(length > before && length < sizeof written);
    assert_memory_equal(written, colour, before);
    written[length] = 0;
    assert_string_equal((char *)written + before, colour_pieces);
    assert_int_equal(folder_read("set/labels.bin", written, sizeof written), sizeof numbers);
    assert_memory_equal(written, numbers, sizeof numbers);
    assert_int_equal(folder_read("set/labels.soft.bin", written, sizeof written), sizeof soft);
    assert_memory_equal(written, soft, sizeof soft);
    assert_int_equal(folder_count("set"), 5);
}

/* The digests of two rows of three zeros, by fmixd 0.1.0: the name of the type is part of them. */
static void the_digest_of_every_element_type_is_what_it_always_was(void **state) {
    (void)state;
    static const struct {
        dtype type;
        const char *name, *digest;
    } old[] = {
        {DTYPE_F32, "f32", "5fb1022c44be48bc4f0e66c7936698a7618b4772e0625d325b888ac04eb1f125"},
        {DTYPE_U8, "u8", "5ff2c84beec51c67b40efb540e684edf2e027688a674a09014ae1f2f62c38098"},
        {DTYPE_I64, "i64", "8ddcbff9f5ec988772f123f82421a48e7755c7bb166265acd38a48cda83f7507"},
        {DTYPE_F64, "f64", "bdb395fd28a147975ed7bd1799b60b7a03343a591bd02985ded4761ad687f3d1"},
        {DTYPE_BOOL, "bool", "4c0094e6039814f73fc5ab681a95d07cefec2a0eae08d75d7222b59d76429012"},
        {DTYPE_I8, "i8", "3b2970cc92c9ef02f47f64c7989461d9091b1763cde834bb9598877c0bfab232"},
        {DTYPE_I16, "i16", "b32e67a8fac26fc9f252d1f0cd5a71e30f36554ca0c23ec2c476f0faa0a7c15b"},
        {DTYPE_I32, "i32", "bb59bb8e6fe020b29f5041dd301ec4e23cd119c49054661b4b380715fb15129b"},
        {DTYPE_F16, "f16", "06d9f1b0abac4e3567ac08361a98cc65c05c35c88909575420c29d58fc204de9"},
        {DTYPE_BF16, "bf16", "3b6481f3ada2c53530b72b72cf9be996f41a0df3e824c8bb34e08c732174af76"},
    };
    static const unsigned char zeros[2 * 3 * 8];
    assert_int_equal(sizeof old / sizeof *old, DTYPE_COUNT);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        const dataset_writer_facts facts = {
            .type = old[i].type, .rank = 1, .side = {3}, .layout = LAYOUT_NONE};
        dataset_writer *w = dataset_writer_new(folder_path(old[i].name), &facts, folder_errors);
        assert_true(w && dataset_writer_rows(w, zeros, 2) && dataset_writer_finish(w));
        dataset *d =
            dataset_open(folder_root, old[i].name, DATASET_VERIFY_START, NULL, folder_errors);
        assert_non_null(d);
        assert_string_equal(d->digest, old[i].digest);
        assert_string_equal(manifest_type_name(d->x.type), old[i].name);
        dataset_release(d);
    }
}

static void small_write_mapped_files(const char *name) {
    small_write_maps(name, DATASET_FILES);
}

static void small_write_files(const char *name) {
    small_write_images(name, DATASET_FILES);
}

/* The digests and the roots of the pieces are those that Python's hashlib finds over these facts
 * and the files. */
static void sets_of_every_part_are_written_byte_for_byte(void **state) {
    (void)state;
    static const struct {
        void (*write)(const char *name);
        const char *facts, *digest, *pieces;
        unsigned files;
    } sets[] = {
        {small_write_dense,
         "fmixd 1\n3 u8 none 2 2\ny 1 3\ny.b 0 2\ndense.map u8 none 2 2\n"
         "dense f32 channels_first 2 2 2\nneighbours 2\n",
         "2015502024dbd5883e5dc0d631942da11e3156a00bd8829e5ce8d2e5da9035e6",
         "329530fefb1d5c2095fdb67cf67a93d9e5e93d51a0893df48bf9c5608c2d5578", 8},
        {small_write_ragged, "fmixd 1\n3 u8 channels_last 0 2\ny 1 3\ny.b 0 2\nragged\n",
         "d8daf209ecbb77184b5063788c1a0756cecda411ec2031b57318f7254b87c693",
         "30ddeee52825b87a0a9c5916610afc5d1831c72829b940386c92c0768e2810c4", 6},
        {small_write_files, "fmixd 1\n3 u8 channels_last 0 0 3\ny 1 3\ny.b 0 2\nimages files\n",
         "6f94d4a09c1b4115b01ba7ef0d17a255b8fa9fbe9ee8f768332c2b072ed9c2f5",
         "7bb4f5cfc703b3720145e73a15be72c460464c7b67e8f24562083084064a4b21", 6},
        {small_write_mapped_files,
         "fmixd 1\n3 u8 channels_last 0 0 3\ny 1 3\ny.b 0 2\ndense.map u8 none 0 0\n"
         "images files\n",
         "1bde9b1275abfd2a226777f759b33889e4a599a9cc1c442ea65f6325e2b4eb73",
         "ffd120035721493b45d244b0bfd3484c7e2b890f7c895cff9fa17d6a58412427", 8},
    };
    static const char *const names[] = {"dense", "ragged", "images", "maps"};
    for (size_t i = 0; i < 4; i++) {
        buffer facts = buffer_of(1000);
        sets[i].write(names[i]);
        dataset *d = small_open(names[i], true);
        assert_non_null(d);
        manifest_print_facts(d, &facts);
        buffer_add(&facts, "", 1);
        assert_string_equal((char *)facts.bytes, sets[i].facts);
        assert_string_equal(d->digest, sets[i].digest);
        assert_string_equal(d->pieces, sets[i].pieces);
        assert_int_equal(folder_count(names[i]), sets[i].files);
        buffer_free(&facts);
        dataset_release(d);
    }
    assert_true(folder_exists("dense/dense.bin") && folder_exists("dense/dense.map.bin"));
    assert_true(folder_exists("dense/neighbours.bin") && folder_exists("ragged/offsets.bin"));
    assert_true(folder_exists("images/index.bin") && folder_exists("maps/index.dense.map.bin"));
}

#define DIGEST "\"digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"
#define BEFORE                                                                                     \
    "{\"fmixd\":1,\"count\":2,\"dtype\":\"u8\",\"shape\":[4],\"layout\":\"none\",\"heads\":"

#define MAP(name, shape)                                                                           \
    "{\"name\":\"" name "\",\"dtype\":\"u8\",\"shape\":" shape ",\"layout\":\"none\"}"
#define IMAGES(type, shape, layout, images)                                                        \
    "{\"fmixd\":1,\"count\":2,\"dtype\":\"" type "\",\"shape\":" shape ",\"layout\":\"" layout     \
    "\",\"heads\":[],\"images\":" images
#define RAGGED(shape, layout)                                                                      \
    "{\"fmixd\":1,\"count\":2,\"dtype\":\"i64\",\"ragged\":true,\"shape\":" shape                  \
    ",\"layout\":\"" layout "\",\"heads\":[]"

/* What is read from a text; the reason in `reason`. */
static bool reads(const char *text, dataset *out, char reason[MANIFEST_REASON]) {
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    memset(out, 0, sizeof *out);
    bool good = manifest_read(root, out, reason);
    json_decref(root);
    return good;
}

static void a_manifest_that_is_wrong_is_refused_by_the_key_that_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"[]", "it must say \"fmixd\": 1"},
        {"{\"fmixd\":2}", "it must say \"fmixd\": 1"},
        {"{\"fmixd\":1,\"count\":0}", "count must be"},
        {"{\"fmixd\":1,\"count\":1.5}", "count must be"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"u16\"}",
         "dtype must be one of f32, u8, i64, f64, bool, i8, i16, i32, f16, bf16"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"u8\",\"shape\":[]}", "shape must hold"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"u8\",\"shape\":[1,1,1,1,1]}", "shape must hold"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"u8\",\"shape\":[4294967296]}", "shape must hold"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"f64\",\"shape\":[4294967295,4294967295]}",
         "shape must hold"},
        {"{\"fmixd\":1,\"count\":1,\"dtype\":\"u8\",\"shape\":[1],\"layout\":\"up\"}",
         "layout must be one of channels_first, channels_last, none"},
        {BEFORE "{}," DIGEST, "heads must be"},
        {BEFORE "[{\"name\":\"x\",\"kind\":\"numbers\",\"classes\":2}]," DIGEST, "heads must be"},
        {BEFORE "[{\"name\":\"y.\",\"kind\":\"numbers\",\"classes\":2}]," DIGEST, "heads must be"},
        {BEFORE "[{\"name\":\"y\",\"kind\":\"words\",\"classes\":2}]," DIGEST, "heads must be"},
        {BEFORE "[{\"name\":\"y\",\"kind\":\"rows\",\"classes\":0}]," DIGEST, "heads must be"},
        {BEFORE "[{\"name\":\"y\",\"kind\":\"rows\",\"classes\":1},"
                "{\"name\":\"y\",\"kind\":\"rows\",\"classes\":1}]," DIGEST,
         "each once"},
        {BEFORE "[{\"name\":\"y\",\"kind\":\"values\",\"classes\":2}]," DIGEST, "of values 1"},
        {BEFORE "[],\"dense\":[]," DIGEST, "dense must be"},
        {BEFORE "[],\"dense\":[" MAP("mask", "[4]") "]," DIGEST, "dense must be"},
        {BEFORE "[],\"dense\":[" MAP("dense", "[5]") "]," DIGEST, "the spatial dimensions"},
        {BEFORE "[],\"dense\":[" MAP("dense", "[4,1]") "]," DIGEST, "the spatial dimensions"},
        {BEFORE "[],\"dense\":[" MAP("dense", "[null]") "]," DIGEST, "dense must be"},
        {BEFORE "[],\"dense\":[" MAP("dense", "[4]") "," MAP("dense", "[4]") "]," DIGEST,
         "each once"},
        {BEFORE "[],\"neighbours\":0," DIGEST, "neighbours must be an integer from 1 to 1024"},
        {BEFORE "[],\"neighbours\":1025," DIGEST, "neighbours must be an integer from 1 to 1024"},
        {BEFORE "[],\"neighbours\":true," DIGEST, "neighbours must be an integer from 1 to 1024"},
        {BEFORE "[],\"ragged\":true," DIGEST, "the first is null if ragged is true"},
        {BEFORE "[],\"ragged\":false," DIGEST, "ragged must be true, or missing"},
        {RAGGED("[null, null]", "none") "}", "the first is null if ragged is true"},
        {RAGGED("[null, 2]", "channels_first") "}",
         "layout must be channels_last or none if ragged"},
        {RAGGED("[null]", "none") ",\"dense\":[" MAP("dense", "[4]") "]}", "dense must be"},
        {IMAGES("u8", "[null, null]", "none", "true") "}", "images must be an object"},
        {IMAGES("u8", "[null, null]", "none", "{\"store\":\"bmp\"}") "}",
         "store is files or pixels"},
        {IMAGES("u8", "[null, null]", "none", "{\"store\":\"files\"},\"ragged\":true") "}",
         "or missing, as where ragged is true"},
        {IMAGES("u8", "[5, null]", "none", "{\"store\":\"files\"}") "}",
         "the first two are with images"},
        {IMAGES("u8", "[null]", "none", "{\"store\":\"files\"}") "}",
         "the first two are with images"},
        {IMAGES("u8", "[null, null, 4]", "channels_last", "{\"store\":\"files\"}") "}",
         "the rows of an image set must be u8"},
        {IMAGES("u8", "[null, null, 3]", "none", "{\"store\":\"files\"}") "}",
         "the rows of an image set must be u8"},
        {IMAGES("i8", "[null, null]", "none", "{\"store\":\"files\"}") "}",
         "the rows of an image set must be u8"},
        {IMAGES("u8", "[null, null]", "none",
                "{\"store\":\"files\"},\"dense\":[" MAP("dense", "[4]") "]") "}",
         "of an image set u8, [null, null] and none"},
        {IMAGES("u8", "[null, null]", "none",
                "{\"store\":\"files\"},\"dense\":[" MAP("dense", "[4, 4]") "]") "}",
         "dense must be"},
        {IMAGES("u8", "[null, null]", "none",
                "{\"store\":\"files\"},\"dense\":[{\"name\":\"dense\",\"dtype\":\"i8\","
                "\"shape\":[null,null],\"layout\":\"none\"}]") "}",
         "dense must be"},
        {BEFORE
         "[],\"digest\":\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"}",
         "digest must be 64 hexadecimal digits"},
        {BEFORE "[],\"digest\":\"01\"}", "digest must be 64 hexadecimal digits"},
        {BEFORE "[]}", "digest must be 64 hexadecimal digits"},
    };
    char reason[MANIFEST_REASON];
    dataset d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(reads(bad[i].text, &d, reason));
        if (!strstr(reason, bad[i].reason))
            fail_msg("%s: %s", bad[i].text, reason);
        assert_memory_equal(reason, "manifest.json", 13);
    }
    assert_true(reads(BEFORE "[]," DIGEST, &d, reason));
    assert_true(d.count == 2 && d.x.row_bytes == 4 && d.heads == 0);
}

static void what_is_written_reads_back_as_the_same_facts(void **state) {
    (void)state;
    char reason[MANIFEST_REASON];
    dataset d, again;
    memset(&again, 0, sizeof again);
    assert_true(reads(colour, &d, reason));
    json_t *names = json_pack("[[s], []]", "red"), *root = manifest_write(&d, names);
    assert_true(root && manifest_read(root, &again, reason));
    assert_memory_equal(&d, &again, sizeof d);
    assert_string_equal(json_string_value(json_array_get(
                            json_array_get(json_object_get(root, "class_names"), 0), 0)),
                        "red");
    json_decref(root);
    json_decref(names);
}

static void every_key_that_may_stand_reads_back(void **state) {
    (void)state;
    static const char *const texts[] = {
        BEFORE "[{\"name\":\"y\",\"kind\":\"values\",\"classes\":1}],\"dense\":[" MAP(
            "dense", "[4]") "," MAP("dense.b", "[4]") "],\"neighbours\":1024," DIGEST,
        RAGGED("[null]", "none") "," DIGEST,
        RAGGED("[null, 3, 5]", "channels_last") ",\"neighbours\":1," DIGEST,
        IMAGES("u8", "[null, null, 3]", "channels_last", "{\"store\":\"files\"}") "," DIGEST,
        IMAGES("u8", "[null, null]", "none", "{\"store\":\"pixels\"}") ",\"neighbours\":1," DIGEST,
    };
    char reason[MANIFEST_REASON];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        dataset d, again;
        memset(&again, 0, sizeof again);
        assert_true(reads(texts[i], &d, reason));
        json_t *names = json_array(), *root = manifest_write(&d, names);
        assert_true(root && manifest_read(root, &again, reason));
        assert_memory_equal(&d, &again, sizeof d);
        json_decref(root);
        json_decref(names);
    }
}

static void names_are_letters_digits_and_two_signs(void **state) {
    (void)state;
    char long_name[80];
    memset(long_name, 'a', sizeof long_name);
    long_name[DATASET_NAME] = 0;
    assert_true(manifest_name_is_valid("a") && manifest_name_is_valid("Train_2-x") &&
                manifest_name_is_valid(long_name));
    long_name[DATASET_NAME] = 'a';
    long_name[DATASET_NAME + 1] = 0;
    static const char *const bad[] = {"", ".", "..", "a/b", "a.b", " ", "a b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(manifest_name_is_valid(bad[i]));
    assert_false(manifest_name_is_valid(long_name));
    assert_true(manifest_head_is_valid("y") && manifest_head_is_valid("y.fine"));
    assert_false(manifest_head_is_valid("y.") || manifest_head_is_valid("x") ||
                 manifest_head_is_valid("y2") || manifest_head_is_valid("y.a.b"));
    long_name[0] = 'y';
    long_name[1] = '.';
    long_name[ARRAY_NAME] = 0; /* a byte too many with its end */
    assert_false(manifest_head_is_valid(long_name));
    long_name[ARRAY_NAME - 1] = 0;
    assert_true(manifest_head_is_valid(long_name));
}

RUN(IN_FOLDER(a_stored_set_is_read_and_its_digest_holds),
    IN_FOLDER(a_set_is_written_byte_for_byte_as_it_always_was),
    IN_FOLDER(the_digest_of_every_element_type_is_what_it_always_was),
    IN_FOLDER(sets_of_every_part_are_written_byte_for_byte),
    T(a_manifest_that_is_wrong_is_refused_by_the_key_that_is_wrong),
    T(what_is_written_reads_back_as_the_same_facts), T(every_key_that_may_stand_reads_back),
    T(names_are_letters_digits_and_two_signs))
