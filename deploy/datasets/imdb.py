#!/usr/bin/python3
"""Makes hosted sets of the IMDb reviews, aclImdb; imdb.md says what comes out."""

import re

import common
import texts

COUNTS = {"train": 25000, "test": 25000}  # labelled reviews that are published
CLASSES = ("neg", "pos")
NAME = re.compile(r"(\d+)_\d+\.txt")
BREAK = re.compile(r"<br\s*/?>")  # the markup that most reviews have


def files_of(folder, split):
    """The reviews with their class numbers, in order of classes and of the numbers in their names."""
    files = []
    for number, name in enumerate(CLASSES):
        place = folder / split / name
        if not place.is_dir():
            raise common.Refused(f"'{place}' is not there; must be a folder of the unpacked archive")
        for path in place.glob("*.txt"):
            match = NAME.fullmatch(path.name)
            if not match:
                raise common.Refused(f"'{path}': must be called NUMBER_RATING.txt")
            files.append((number, int(match[1]), path))
    return [(path, number) for number, _, path in sorted(files)]


def read(files):
    """Pairs (text, class number), one after the other."""
    for path, number in files:
        try:
            yield BREAK.sub(" ", path.read_text("utf-8")), number
        except UnicodeDecodeError as error:
            raise common.Refused(f"'{path}': byte {error.start} is not UTF-8") from None


def main():
    given = texts.parsed(texts.arguments(__doc__))
    targets = common.new_sets(given.sets, "imdb", COUNTS)
    files = {split: files_of(given.folder, split) for split in COUNTS}
    for split, count in COUNTS.items():
        common.check_count(f"'{given.folder}', reviews for {split}", len(files[split]), count, given.any_files)
    texts.make(given, targets, {"train": lambda: read(files["train"]), "test": lambda: read(files["test"])}, CLASSES,
               labels=("<i8",), options=("--classes", len(CLASSES)))


if __name__ == "__main__":
    common.run(main)
