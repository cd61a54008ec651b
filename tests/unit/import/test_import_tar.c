/* Samples of a shard: members of one key, which lie behind each other. */
#include "importing.h"

#include "formats/tar.h"

static buffer shard;

static void begin(void) {
    shard = buffer_of(1 << 20);
}

static void put(const char *name, const void *bytes, size_t length) {
    unsigned char header[TAR_BLOCK], zeros[TAR_BLOCK] = {0};
    tar_header(name, length, header);
    buffer_add(&shard, header, sizeof header);
    buffer_add(&shard, bytes, length);
    buffer_add(&shard, zeros, (TAR_BLOCK - length % TAR_BLOCK) % TAR_BLOCK);
}

static void put_text(const char *name, const char *text) {
    put(name, text, strlen(text));
}

static void put_picture(const char *name, uint32_t width) {
    unsigned char file[400];
    importing_png("p.png", width, 2, 1, 9);
    put(name, file, folder_read("p.png", file, sizeof file));
}

static void end(const char *name) {
    unsigned char zeros[2 * TAR_BLOCK] = {0};
    buffer_add(&shard, zeros, sizeof zeros);
    folder_write(name, shard.bytes, shard.length);
    buffer_free(&shard);
}

static int import_shard(const char *option) {
    return option ? IMPORT("--from", "tar", folder_path("0.tar"), option)
                  : IMPORT("--from", "tar", folder_path("0.tar"));
}

static void pictures_have_the_labels_of_their_keys(void **state) {
    (void)state;
    dataset_picture p;
    begin();
    put_text("x/1.cls", "2\n");
    put_picture("x/1.png", 3);
    put_text("x/1.txt", "a caption");
    put_picture("x/2.seg.png", 5); /* another kind of member of key x/2 */
    put_picture("x/2.JPG", 4);     /* told by its bytes */
    put_text("x/2.json", "{\"label\": 0}");
    put_text("x/3.cls", "1");
    end("0.tar");
    assert_int_equal(import_shard(NULL), 0);
    dataset *d = importing_open();
    assert_true(d->count == 2 && d->images && d->head[0].classes == 3);
    assert_true(dataset_picture_of(d, 0, &p) && p.width == 3);
    assert_true(dataset_picture_of(d, 1, &p) && p.width == 4);
    assert_true(d->head[0].file.bytes[0] == 2 && d->head[0].file.bytes[4] == 0);
    dataset_release(d);
    assert_true(folder_said("skipped 1 file: members .txt are not read (first: 'x/1.txt')"));
    assert_true(folder_said("skipped 1 file: members .seg.png are not read"));
    assert_true(folder_said("skipped 1 file: keys without a picture (first: 'x/3')"));
}

static void names_are_classes_in_the_order_of_their_bytes(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.json", "{\"label\": \"dog\"}");
    put_picture("2.png", 3);
    put_text("2.json", "{\"label\": \"cat\"}");
    end("0.tar");
    assert_int_equal(import_shard(NULL), 0);
    dataset *d = importing_open();
    assert_true(d->count == 2 && !d->images && d->head[0].classes == 2);
    assert_int_equal(d->head[0].file.bytes[0], 1);
    dataset_release(d);
    assert_true(folder_said("'cat': 1, 'dog': 1"));
}

static void samples_that_cannot_be_used_are_bad(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.cls", "0");
    put_picture("2.png", 3); /* without a label */
    put_picture("3.png", 3);
    put_picture("3.jpg", 3);
    put_text("3.cls", "0");
    put_picture("4.png", 3);
    put_text("4.cls", "zero");
    put_picture("5.png", 3);
    put_text("5.cls", "1");
    put_text("5.json", "{\"label\": 0}");
    end("0.tar");
    assert_true(importing_refused(import_shard(NULL), "0.tar: 2.png': it has no label"));
    assert_true(folder_said("3.jpg': the key has more than one picture"));
    assert_true(folder_said("4.png': its cls file does not hold a class number"));
    assert_true(folder_said("5.png': its cls and json files hold different labels"));
    assert_int_equal(import_shard("--skip-bad"), 0);
    assert_true(folder_said("imported 1 file\n"));
}

static void samples_that_are_refused_do_not_decide_on_classes(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.cls", "1");
    put_picture("2.png", 3);
    put_picture("2.jpg", 3);
    put_text("2.json", "{\"label\": \"a\"}");
    put_picture("3.png", 3);
    put_picture("3.jpg", 3);
    put_text("3.cls", "7");
    end("0.tar");
    assert_true(importing_refused(import_shard(NULL), "2.jpg': the key has more than one picture"));
    assert_int_equal(import_shard("--skip-bad"), 0);
    dataset *d = importing_open();
    assert_true(d->count == 1 && d->heads == 1 && d->head[0].classes == 2);
    dataset_release(d);
    assert_int_equal(rename(folder_path("set"), folder_path("numbers")), 0);
    begin();
    put_picture("1.png", 3);
    put_text("1.json", "{\"label\": \"b\"}");
    put_picture("2.png", 3);
    put_picture("2.jpg", 3);
    put_text("2.json", "{\"label\": \"a\"}");
    end("0.tar");
    assert_int_equal(import_shard("--skip-bad"), 0);
    d = importing_open();
    assert_true(d->count == 1 && d->head[0].classes == 1 && d->head[0].file.bytes[0] == 0);
    dataset_release(d);
    assert_true(folder_said("y: 1 class; rows per class: 'b': 1"));
}

static void shards_without_labels_are_a_set_without(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.json", "{\"caption\": \"x\"}");
    end("0.tar");
    assert_int_equal(import_shard(NULL), 0);
    assert_true(folder_said("there are no labels"));
}

static void classes_that_names_do_not_have_are_refused(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.json", "{\"label\": \"a\"}");
    end("0.tar");
    assert_true(importing_refused(IMPORT("--from", "tar", folder_path("0.tar"), "--classes", "3"),
                                  "--classes is 3, but the labels are names, of 1 classes; leave"));
    assert_int_equal(IMPORT("--from", "tar", folder_path("0.tar"), "--classes", "1"), 0);
}

static void damaged_shards_and_mixed_labels_are_refused(void **state) {
    (void)state;
    begin();
    put_picture("1.png", 3);
    put_text("1.cls", "0");
    put_picture("2.png", 3);
    put_text("2.json", "{\"label\": \"a\"}");
    end("0.tar");
    assert_true(importing_refused(import_shard(NULL), "1 labels are names and 1 are numbers"));
    assert_int_equal(truncate(folder_path("0.tar"), 550), 0);
    assert_true(
        importing_refused(import_shard(NULL), "0.tar', at byte 0: the file ends within a member"));
    folder_write("0.tar", "none", 4);
    assert_true(importing_refused(import_shard(NULL), "0.tar', at byte 0: the file ends within"));
    assert_true(importing_refused(IMPORT("--from", "tar", folder_path("none")), "No such file"));
    begin();
    end("0.tar");
    assert_true(importing_refused(import_shard(NULL), "holds no PNG or JPEG file"));
}

RUN(IN_FOLDER(pictures_have_the_labels_of_their_keys),
    IN_FOLDER(names_are_classes_in_the_order_of_their_bytes),
    IN_FOLDER(samples_that_cannot_be_used_are_bad),
    IN_FOLDER(samples_that_are_refused_do_not_decide_on_classes),
    IN_FOLDER(shards_without_labels_are_a_set_without),
    IN_FOLDER(classes_that_names_do_not_have_are_refused),
    IN_FOLDER(damaged_shards_and_mixed_labels_are_refused))
