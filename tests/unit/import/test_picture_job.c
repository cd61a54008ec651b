#include "importing.h"

#include "import/picture_job.h"

/* Runs a job as the only one. */
static void run(picture_job *j, const picture_item *item, const picture_order *order) {
    workers *w = workers_new(0, picture_job_run);
    assert_true(w && picture_job_begin(j, item, order));
    workers_give(w, j);
    workers_free(w);
}

static void a_header_alone_is_read(void **state) {
    (void)state;
    picture_job j;
    importing_png("a.png", 5, 3, 1, 9);
    run(&j, &(picture_item){.name = folder_path("a.png"), .file = -1}, &(picture_order){0});
    assert_true(j.read && !j.changed && j.picture.width == 5 && j.picture.height == 3);
    assert_null(j.picture.pixels);
    uint64_t stamp = j.file.stamp;
    picture_job_end(&j);
    folder_write("b.png", "GIF89a", 6);
    run(&j, &(picture_item){.name = folder_path("b.png"), .file = -1}, &(picture_order){0});
    assert_true(!j.read && j.file.stamp != stamp);
    assert_string_equal(j.why, "the file is neither PNG nor JPEG");
    picture_job_end(&j);
    run(&j, &(picture_item){.name = folder_path("c.png"), .file = -1}, &(picture_order){0});
    assert_true(!j.read && strstr(j.why, "No such file"));
    picture_job_end(&j);
}

static void pixels_are_converted_and_shrunk(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height, shorter, to_width, to_height;
    } sizes[] = {{500, 375, 256, 341, 256}, {375, 500, 256, 256, 341}, {40, 30, 256, 40, 30},
                 {30, 30, 30, 30, 30},      {65535, 2, 1, 32767, 1},   {7, 5, 0, 7, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        picture_job j;
        importing_png("a.png", sizes[i].width, sizes[i].height, 1, 9);
        run(&j, &(picture_item){.name = folder_path("a.png"), .file = -1},
            &(picture_order){.pixels = true, .channels = 3, .shorter = sizes[i].shorter});
        dataset_picture p = picture_job_bytes(&j);
        assert_true(j.read && p.width == sizes[i].to_width && p.height == sizes[i].to_height);
        assert_int_equal(p.length, 3ull * p.width * p.height);
        assert_int_equal(j.shrunk, sizes[i].to_width != sizes[i].width);
        assert_true(p.bytes[0] == 9 && p.bytes[p.length - 1] == 9);
        picture_job_end(&j);
    }
}

static void a_file_that_is_kept_is_decoded_first(void **state) {
    (void)state;
    const picture_order order = {.pixels = true, .keeps_file = true, .channels = 3};
    unsigned char file[400];
    picture_job j;
    importing_png("a.png", 5, 3, 1, 9);
    size_t length = folder_read("a.png", file, sizeof file);
    run(&j, &(picture_item){.name = folder_path("a.png"), .file = -1}, &order);
    dataset_picture p = picture_job_bytes(&j);
    assert_true(j.read && p.length == length && p.width == 5 && p.height == 3);
    assert_memory_equal(p.bytes, file, length);
    picture_job_end(&j);
    assert_int_equal(truncate(folder_path("a.png"), 60), 0); /* past the header */
    run(&j, &(picture_item){.name = folder_path("a.png"), .file = -1}, &order);
    assert_false(j.read);
    assert_string_equal(j.why, "the file is truncated after 60 bytes");
    picture_job_end(&j);
}

static void a_part_of_a_file_is_copied(void **state) {
    (void)state;
    unsigned char file[500] = "before";
    picture_job j;
    importing_png("a.png", 5, 3, 3, 9);
    size_t length = folder_read("a.png", file + 6, 400);
    folder_write("all", file, 6 + length);
    int fd = open(folder_path("all"), O_RDONLY);
    const picture_order order = {.pixels = true, .keeps_file = true};
    run(&j, &(picture_item){.name = "in", .file = fd, .offset = 6, .length = length}, &order);
    dataset_picture p = picture_job_bytes(&j);
    assert_true(j.read && p.length == length && memcmp(p.bytes, file + 6, length) == 0);
    picture_job_end(&j);
    run(&j, &(picture_item){.name = "in", .file = fd, .offset = 6, .length = length + 1}, &order);
    assert_true(!j.read && j.changed && strstr(j.why, "cut short"));
    picture_job_end(&j);
    run(&j, &(picture_item){.name = "in", .file = fd, .length = DATASET_PICTURE_BYTES + 1ull},
        &order);
    assert_true(!j.read && strstr(j.why, "the limit is 1073741824"));
    picture_job_end(&j);
    close(fd);
}

static void an_item_that_is_refused_is_not_read(void **state) {
    (void)state;
    picture_job j;
    run(&j, &(picture_item){.name = "x", .file = -1, .refused = "no label"}, &(picture_order){0});
    assert_false(j.read);
    assert_string_equal(j.why, "no label");
    picture_job_end(&j);
}

/* ---- label maps ---- */

/* A picture a.png of 40 x 30 beside a map of these sides, all of whose numbers are 9. */
static picture_job run_with_map(uint32_t width, uint32_t height, picture_order order) {
    static char folder[400];
    static picture_maps maps;
    picture_job j;
    snprintf(folder, sizeof folder, "%s", folder_path("maps"));
    maps = (picture_maps){.count = 1, .name = {"dense"}, .folder = {folder}};
    order.maps = &maps;
    importing_png("a.png", 40, 30, 3, 7);
    if (!folder_exists("maps"))
        folder_make("maps");
    if (width)
        importing_png("maps/a.png", width, height, 1, 9);
    run(&j,
        &(picture_item){
            .name = folder_path("a.png"), .file = -1, .within = strlen(folder_path("a.png")) - 5},
        &order);
    return j;
}

static void a_map_has_the_sides_of_its_picture_and_is_shrunk_with_it(void **state) {
    (void)state;
    picture_job j = run_with_map(40, 30, (picture_order){0});
    assert_true(j.read && !j.map[0].picture.pixels);
    picture_job_end(&j);
    j = run_with_map(40, 30, (picture_order){.pixels = true, .channels = 3, .shorter = 15});
    dataset_picture p = picture_job_map(&j, 0);
    assert_true(j.read && p.height == 15 && p.width == 20 && p.length == 300);
    assert_true(p.bytes[0] == 9 && p.bytes[299] == 9);
    picture_job_end(&j);
    j = run_with_map(40, 30, (picture_order){.pixels = true, .keeps_file = true});
    p = picture_job_map(&j, 0);
    assert_true(j.read && p.height == 30 && p.length == png_plain_length(40, 30, 1));
    picture_job_end(&j);
}

static void a_map_that_is_none_is_blamed(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        const char *why;
    } bad[] = {{0, 0, "the label map of the picture is missing: No such file or directory"},
               {30, 40,
                "the label map has 30 x 40 pixels (width x height); it must have the 40 x 30 of "
                "its picture"}};
    for (size_t i = 0; i < 2; i++) {
        picture_job j = run_with_map(bad[i].width, bad[i].height, (picture_order){0});
        assert_false(j.read || j.changed);
        assert_string_equal(j.why, bad[i].why);
        assert_non_null(strstr(j.blamed, "/maps/a.png"));
        picture_job_end(&j);
    }
}

static void a_picture_of_an_absolute_path_has_no_map(void **state) {
    (void)state;
    static const picture_maps maps = {.count = 1, .name = {"dense"}, .folder = {"maps"}};
    picture_job j;
    importing_png("a.png", 4, 3, 1, 7);
    run(&j, &(picture_item){.name = folder_path("a.png"), .file = -1, .within = PICTURE_NOWHERE},
        &(picture_order){.maps = &maps});
    assert_true(!j.read && j.blamed == j.name && strstr(j.why, "the path is absolute"));
    picture_job_end(&j);
}

static void a_member_that_is_missing_is_named(void **state) {
    (void)state;
    static const picture_maps maps = {
        .count = 1, .members = true, .name = {"dense"}, .folder = {"seg"}, .end = {"seg.png"}};
    picture_job j;
    unsigned char file[500];
    importing_png("a.png", 5, 3, 3, 9);
    size_t length = folder_read("a.png", file, sizeof file);
    int fd = open(folder_path("a.png"), O_RDONLY);
    run(&j, &(picture_item){.name = "t.tar: 1.png", .file = fd, .length = length},
        &(picture_order){.maps = &maps});
    assert_false(j.read);
    assert_string_equal(j.blamed, "t.tar: 1.seg.png");
    assert_non_null(strstr(j.why, "no member has this name"));
    picture_job_end(&j);
    close(fd);
}

RUN(IN_FOLDER(a_map_has_the_sides_of_its_picture_and_is_shrunk_with_it),
    IN_FOLDER(a_map_that_is_none_is_blamed), IN_FOLDER(a_picture_of_an_absolute_path_has_no_map),
    IN_FOLDER(a_member_that_is_missing_is_named), IN_FOLDER(a_header_alone_is_read),
    IN_FOLDER(pixels_are_converted_and_shrunk), IN_FOLDER(a_file_that_is_kept_is_decoded_first),
    IN_FOLDER(a_part_of_a_file_is_copied), T(an_item_that_is_refused_is_not_read))
