#include "small_set.h"

#include "datasets/dataset_info.h"
#include "datasets/dataset_picture.h"

/* Returns true if these lines are all that is printed of a set after its path. */
static bool prints(const char *name, const char *lines) {
    dataset *d = dataset_open(folder_root, name, DATASET_VERIFY_FACTS, NULL, folder_errors);
    assert_non_null(d);
    folder_forget();
    dataset_info_print(d, folder_errors);
    dataset_release(d);
    fflush(folder_errors);
    const char *end = strchr(folder_text, '\n');
    if (end && strcmp(end + 1, lines) == 0)
        return true;
    print_message("%s", folder_text);
    return false;
}

static void every_part_of_a_set_is_told(void **state) {
    (void)state;
    small_write_dense("a");
    assert_true(prints("a", "kind        rows of one shape\n"
                            "rows        3\n"
                            "x           2x2, type u8, layout none\n"
                            "y           numbers of 3 classes: 'red'\n"
                            "y.b         weights of 2 classes\n"
                            "dense.map   2x2, type u8, layout none\n"
                            "dense       2x2x2, type f32, layout channels_first\n"
                            "neighbours  2 of each row\n"
                            "files       12 bytes in data.bin\n"
                            "            12 bytes in labels.bin\n"
                            "            24 bytes in labels.b.bin\n"
                            "            12 bytes in dense.map.bin\n"
                            "            96 bytes in dense.bin\n"
                            "            48 bytes in neighbours.bin\n"
                            "bytes       204\n"
                            "digest      "
                            "2015502024dbd5883e5dc0d631942da11e3156a00bd8829e5ce8d2e5da9035e6\n"
                            "pieces      6, root "
                            "329530fefb1d5c2095fdb67cf67a93d9e5e93d51a0893df48bf9c5608c2d5578\n"));
}

static void a_side_that_each_row_has_of_its_own_is_a_letter(void **state) {
    (void)state;
    small_write_ragged("a");
    small_write_images("b", DATASET_FILES);
    dataset *a = small_open_lazily("a"), *b = small_open_lazily("b");
    dataset_info_print(a, folder_errors);
    assert_true(folder_said("rows with lengths of their own\n"));
    assert_true(folder_said("x           Lx2, type u8, layout channels_last\n"));
    assert_true(folder_said("lengths     L from 1 to 4, total 6\n"));
    dataset_info_print(b, folder_errors);
    assert_true(folder_said("pictures, stored as files\n") && folder_said(" HxWx3, type u8"));
    dataset_release(a);
    dataset_release(b);
}

static void a_set_without_pieces_is_told_to_be_old(void **state) {
    (void)state;
    small_write("a");
    small_make_old("a");
    dataset *d = small_open_lazily("a");
    dataset_info_print(d, folder_errors);
    assert_true(folder_said("pieces      none: an older version imported the set"));
    dataset_release(d);
}

static void a_range_has_rows_where_a_file_has_rows(void **state) {
    (void)state;
    char text[DATASET_RANGE];
    dataset d = {.count = 5, .x = {.row_bytes = 10}};
    dataset_info_range(&d, 0, 19, 40, text);
    assert_string_equal(text, "bytes 19 to 39 of data.bin (rows 1 to 3)");
    d.ragged = true;
    dataset_info_range(&d, 0, 19, 40, text);
    assert_string_equal(text, "bytes 19 to 39 of data.bin");
    dataset_info_range(&d, 1, 40, 48, text); /* the end of the last row */
    assert_string_equal(text, "bytes 40 to 47 of offsets.bin (row 4)");
}

static void a_range_of_pictures_has_the_rows_that_lie_there(void **state) {
    (void)state;
    char text[DATASET_RANGE];
    unsigned char index[4 * DATASET_PICTURE_ENTRY];
    static const uint64_t offset[] = {0, 7, 30, 31};
    for (size_t i = 0; i < 4; i++)
        dataset_picture_entry(offset[i], 1, 1, 1, index + i * DATASET_PICTURE_ENTRY);
    dataset d = {.count = 4, .images = true, .denses = 1};
    d.x.index = d.dense[0].index = (mapped_file){.bytes = index, .length = sizeof index};
    static const struct {
        uint64_t first, end;
        const char *rows;
    } cases[] = {{0, 7, "(row 0)"},
                 {0, 8, "rows 0 to 1"},
                 {6, 30, "rows 0 to 1"},
                 {29, 31, "rows 1 to 2"},
                 {31, 99, "(row 3)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dataset_info_range(&d, 0, cases[i].first, cases[i].end, text);
        assert_non_null(strstr(text, cases[i].rows));
        dataset_info_range(&d, 1, cases[i].first, cases[i].end, text);
        assert_non_null(strstr(text, cases[i].rows)); /* of label maps, too */
    }
    dataset_info_range(&d, 3, 24, 72, text);
    assert_non_null(strstr(text, "(rows 1 to 2)")); /* of their index */
}

RUN(IN_FOLDER(every_part_of_a_set_is_told),
    IN_FOLDER(a_side_that_each_row_has_of_its_own_is_a_letter),
    IN_FOLDER(a_set_without_pieces_is_told_to_be_old), T(a_range_has_rows_where_a_file_has_rows),
    T(a_range_of_pictures_has_the_rows_that_lie_there))
