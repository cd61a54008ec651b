#!/usr/bin/python3
"""Bengali.AI's handwritten graphemes: cropped to the ink, resized to 64x64, with three heads of
labels, as a set for fmixd."""

import csv

import numpy as np
from PIL import Image

import common

HEIGHT, WIDTH, SIDE = 137, 236, 64
BLOCK = 256  # pictures that are in memory; of parquet four times as many, for each block costs time
INK = 5       # a pixel is ink if it is darker than white by more
DIGITS = 9   # a class number of fewer or as many is an int64
HEADS = {"grapheme_root": 168, "vowel_diacritic": 11, "consonant_diacritic": 7}
# The files name no rows for validation: here it is each tenth.
PARTS = {"all": lambda row: True, "train": lambda row: row % 10 != 9, "val": lambda row: row % 10 == 9}


def read_labels(path):
    """The pictures' names, and the class numbers of each head."""
    names, numbers = [], {head: [] for head in HEADS}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            lacking = {"image_id", *HEADS} - set(rows.fieldnames or ())
            if lacking:
                raise common.Refused(f"'{path}' has no column {min(lacking)}")
            for row in rows:
                names.append(row["image_id"])
                for head, found in numbers.items():
                    if not (row[head] or "").isdecimal() or len(row[head]) > DIGITS:
                        raise common.Refused(f"'{path}', line {rows.line_num}: {head} is '{(row[head] or '')[:40]}', "
                                             "which is no class number")
                    found.append(int(row[head]))
    except UnicodeDecodeError:  # as of a file that is still packed
        raise common.Refused(f"'{path}' is not UTF-8; must be a CSV file, unpacked") from None
    except csv.Error as error:
        raise common.Refused(f"'{path}' is no CSV file: {error}") from None
    for head, classes in HEADS.items():
        if not names or max(numbers[head]) != classes - 1:
            raise common.Refused(f"'{path}': {head} must have the class numbers 0 to {classes - 1}")
    return names, {head: np.array(found, "i8") for head, found in numbers.items()}


def parquet_blocks(path):
    """Names and pictures: a column of names, and one for each of the 32,332 pixels."""
    try:
        import pyarrow.parquet  # pylint: disable=import-outside-toplevel
    except ImportError:
        raise common.Refused(f"'{path}' needs pyarrow, which Debian does not have: 'pip install "
                             "pyarrow', or give npy files (see bengali.md)") from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except ValueError as error:  # as ArrowInvalid is
        raise common.Refused(f"'{path}' is not a parquet file: {' '.join(str(error).split())}") from None
    for batch in file.iter_batches(4 * BLOCK):
        names, *pixels = batch.columns
        yield names.to_pylist(), np.stack([pixel.to_numpy(zero_copy_only=False) for pixel in pixels], 1)


def npy_blocks(path):
    """The same of an npy file, which holds no names."""
    with open(path, "rb") as file:
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                raise common.Refused(f"'{path}' is not of version 1.0, as numpy.save writes it")
            shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        except ValueError as error:  # as of a page that a server sent instead
            raise common.Refused(f"'{path}' is not an npy file: {' '.join(str(error).split())}") from None
        row = int(np.prod(shape[1:]))
        if by_columns or dtype.hasobject:
            raise common.Refused(f"'{path}' must hold numbers, row after row: save "
                                 "numpy.ascontiguousarray of the array")
        for at in range(0, shape[0], BLOCK):
            count = min(BLOCK, shape[0] - at)
            block = np.frombuffer(file.read(count * row * dtype.itemsize), dtype)
            if len(block) < count * row:
                raise common.Refused(f"'{path}' is cut short")
            yield None, block.reshape(count, row)


def crop(ink):
    """The smallest part of a picture that holds all ink; all of it where there is none."""
    rows, columns = (np.flatnonzero((ink > INK).any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return ink
    return ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def resize(picture):
    """A published picture, dark on white, as 64x64 with ink light on black. It is resized in
    floats, as the paper's code does, and rounded once."""
    part = Image.fromarray(crop(255 - picture).astype("f4"))
    return np.rint(np.asarray(part.resize((SIDE, SIDE), Image.BILINEAR))).clip(0, 255).astype("u1")


def pictures(paths, names, wanted):
    """The rows of the set, in the order of the files, which must be that of the labels."""
    row = 0
    for path in paths:
        for found, block in (npy_blocks if path.endswith(".npy") else parquet_blocks)(path):
            if block.dtype != np.uint8 or block.shape[1] != HEIGHT * WIDTH:
                raise common.Refused(f"'{path}' holds rows of {block.shape[1]} {block.dtype}; they must "
                                     f"be {HEIGHT * WIDTH} uint8")
            expected = names[row:row + len(block)]
            if len(expected) < len(block) or (found is not None and found != expected):
                raise common.Refused(f"'{path}': the pictures from row {row} on are not those of the "
                                     "labels; give the files in their order, each once")
            for picture in block.reshape(-1, HEIGHT, WIDTH):
                if wanted(row):
                    yield resize(picture)
                row += 1
    if row != len(names):
        raise common.Refused(f"the files hold {row} pictures; there are labels of {len(names)}")


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("labels", metavar="train.csv")
    parser.add_argument("images", nargs="+", metavar="train_image_data_N.parquet")
    parser.add_argument("set", metavar="SET", help="the new folder of the set")
    given = parser.parse_args()
    common.check_new(given.set)
    names, labels = read_labels(given.labels)
    wanted = PARTS[given.part]
    rows = [row for row in range(len(names)) if wanted(row)]
    size = len(rows) * SIDE * SIDE
    common.check_space(given.set, size, given.scratch, size + 64 * len(rows))
    with common.scratch(given.set, given.scratch) as folder:
        file = folder / "bengali.safetensors"
        common.write_safetensors(file, {
            "x": ("u1", (len(rows), SIDE, SIDE), pictures(given.images, names, wanted)),
            **{f"y.{head}": ("<i8", (len(rows),), [numbers[rows]]) for head, numbers in labels.items()}})
        common.import_set(given.set, "safetensors", file)


if __name__ == "__main__":
    common.run(main)
