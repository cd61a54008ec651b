#include "dataset_part.h"

unsigned dataset_files(const dataset *d) {
    return 1 + d->heads + d->denses + (d->neighbours.k > 0) + (d->ragged || d->images) +
           (d->images ? d->denses : 0);
}

dataset_part dataset_part_of(const dataset *d, unsigned number, unsigned *index) {
    *index = 0;
    if (number == 0)
        return DATASET_PART_X;
    *index = number - 1;
    if (*index < d->heads)
        return DATASET_PART_HEAD;
    *index -= d->heads;
    if (*index < d->denses)
        return DATASET_PART_DENSE;
    *index -= d->denses;
    if (*index == 0 && d->neighbours.k > 0)
        return DATASET_PART_NEIGHBOURS;
    *index -= d->neighbours.k > 0;
    if (*index == 0)
        return d->images ? DATASET_PART_INDEX : DATASET_PART_OFFSETS;
    *index -= 1;
    return DATASET_PART_MAPS;
}

unsigned dataset_part_number(const dataset *d, dataset_part part, unsigned index) {
    switch (part) {
    case DATASET_PART_X:
        return 0;
    case DATASET_PART_HEAD:
        return 1 + index;
    case DATASET_PART_DENSE:
        return 1 + d->heads + index;
    case DATASET_PART_NEIGHBOURS:
        return 1 + d->heads + d->denses;
    case DATASET_PART_MAPS:
        return 2 + d->heads + d->denses + (d->neighbours.k > 0) + index;
    default:
        return 1 + d->heads + d->denses + (d->neighbours.k > 0);
    }
}

const mapped_file *dataset_file(const dataset *d, unsigned number) {
    unsigned i;
    switch (dataset_part_of(d, number, &i)) {
    case DATASET_PART_X:
        return &d->x.file;
    case DATASET_PART_HEAD:
        return &d->head[i].file;
    case DATASET_PART_DENSE:
        return &d->dense[i].file;
    case DATASET_PART_NEIGHBOURS:
        return &d->neighbours.file;
    case DATASET_PART_INDEX:
        return &d->x.index;
    case DATASET_PART_MAPS:
        return &d->dense[i].index;
    default:
        return &d->offsets;
    }
}

mapped_file *dataset_part_file(dataset *d, unsigned number) {
    return (mapped_file *)dataset_file(d, number); /* *d may be changed, so its file may be */
}

void dataset_part_close(dataset *d) {
    for (unsigned i = 0; i < dataset_files(d); i++)
        mapped_file_close(dataset_part_file(d, i));
}
