#include "small_set.h"

#include "datasets/dataset_part.h"

static void files_are_numbered_in_the_order_of_the_digest(void **state) {
    (void)state;
    static const struct {
        dataset_part part;
        unsigned index;
    } right[] = {{DATASET_PART_X, 0},      {DATASET_PART_HEAD, 0},  {DATASET_PART_HEAD, 1},
                 {DATASET_PART_DENSE, 0},  {DATASET_PART_DENSE, 1}, {DATASET_PART_NEIGHBOURS, 0},
                 {DATASET_PART_OFFSETS, 0}};
    dataset d = {.heads = 2, .denses = 2, .neighbours = {.k = 5}, .ragged = true};
    const mapped_file *const files[] = {&d.x.file,        &d.head[0].file,  &d.head[1].file,
                                        &d.dense[0].file, &d.dense[1].file, &d.neighbours.file,
                                        &d.offsets};
    assert_int_equal(dataset_files(&d), 7);
    for (unsigned i = 0; i < 7; i++) {
        unsigned index = 99;
        assert_int_equal(dataset_part_of(&d, i, &index), right[i].part);
        assert_int_equal(index, right[i].index);
        assert_ptr_equal(dataset_file(&d, i), files[i]);
        assert_ptr_equal(dataset_part_file(&d, i), files[i]);
    }
}

static void label_maps_of_an_image_set_have_an_index_each(void **state) {
    (void)state;
    static const struct {
        dataset_part part;
        unsigned index;
    } right[] = {{DATASET_PART_X, 0},     {DATASET_PART_HEAD, 0},       {DATASET_PART_DENSE, 0},
                 {DATASET_PART_DENSE, 1}, {DATASET_PART_NEIGHBOURS, 0}, {DATASET_PART_INDEX, 0},
                 {DATASET_PART_MAPS, 0},  {DATASET_PART_MAPS, 1}};
    for (unsigned near = 0; near < 2; near++) {
        dataset d = {.heads = 1, .denses = 2, .neighbours = {.k = near}, .images = true};
        assert_int_equal(dataset_files(&d), 7 + near);
        for (unsigned i = 0, number = 0; i < 8; i++) {
            unsigned index = 99;
            if (right[i].part == DATASET_PART_NEIGHBOURS && !near)
                continue;
            assert_int_equal(dataset_part_of(&d, number, &index), right[i].part);
            assert_int_equal(index, right[i].index);
            assert_int_equal(dataset_part_number(&d, right[i].part, index), number++);
        }
        assert_ptr_equal(dataset_file(&d, 5 + near), &d.dense[0].index);
        assert_ptr_equal(dataset_file(&d, 6 + near), &d.dense[1].index);
    }
}

static void what_a_set_lacks_has_no_number(void **state) {
    (void)state;
    unsigned index;
    dataset d = {.heads = 0};
    assert_int_equal(dataset_files(&d), 1);
    d.neighbours.k = 1;
    assert_int_equal(dataset_files(&d), 2);
    assert_int_equal(dataset_part_of(&d, 1, &index), DATASET_PART_NEIGHBOURS);
    d = (dataset){.ragged = true};
    assert_int_equal(dataset_files(&d), 2);
    assert_int_equal(dataset_part_of(&d, 1, &index), DATASET_PART_OFFSETS);
    d = (dataset){.images = true};
    assert_int_equal(dataset_files(&d), 2);
    assert_int_equal(dataset_part_of(&d, 1, &index), DATASET_PART_INDEX);
    assert_ptr_equal(dataset_file(&d, 1), &d.x.index);
}

static void all_files_are_closed(void **state) {
    (void)state;
    small_write_dense("a");
    dataset *d = small_open("a", true);
    assert_non_null(d);
    assert_int_equal(dataset_files(d), 6);
    for (unsigned i = 0; i < 6; i++)
        assert_non_null(dataset_file(d, i)->bytes);
    dataset_part_close(d);
    for (unsigned i = 0; i < 6; i++)
        assert_null(dataset_file(d, i)->bytes);
    dataset_release(d);
}

RUN(T(files_are_numbered_in_the_order_of_the_digest),
    T(label_maps_of_an_image_set_have_an_index_each), T(what_a_set_lacks_has_no_number),
    IN_FOLDER(all_files_are_closed))
