#!/usr/bin/python3
"""Makes hosted sets of the Toxic Comment Classification Challenge; toxic.md says what comes out."""

import csv

import common
import texts

COUNTS = {"train": 159571, "test": 63978}  # labelled comments that are published
CLASSES = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
FIELD_MOST = 1 << 24  # characters; the longest comment has 5,000


def rows_of(path, columns):
    """The records of a CSV file as (number, fields in the order of the columns); the head is not counted."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            head = next(reader, [])
            missing = [name for name in columns if head.count(name) != 1]
            if missing:
                raise common.Refused(f"'{path}': column {missing[0]} must be there once; line 1 names "
                                     f"{', '.join(head) or 'nothing'}")
            places = [head.index(name) for name in columns]
            for number, fields in enumerate(reader, 1):
                if len(fields) != len(head):
                    raise common.Refused(f"'{path}': row {number}, which ends in line {reader.line_num}, has "
                                         f"{len(fields)} fields; must have {len(head)}")
                yield number, [fields[place] for place in places]
    except csv.Error as error:
        raise common.Refused(f"'{path}': line {reader.line_num}: {error}") from None
    except UnicodeDecodeError:
        raise common.Refused(f"'{path}' is not UTF-8") from None


def flags_of(path, number, fields, allowed):
    """Six labels as numbers."""
    for name, field in zip(CLASSES, fields):
        if field not in allowed:
            raise common.Refused(f"'{path}': row {number} has {name} {field[:20]!r}; must be {' or '.join(allowed)}")
    return [int(field) for field in fields]


def train(folder):
    """Pairs (comment, six labels)."""
    path = folder / "train.csv"
    for number, (text, *fields) in rows_of(path, ("comment_text", *CLASSES)):
        yield text, flags_of(path, number, fields, ("0", "1"))


def test_labels(folder):
    """The labels of the test set's comments by id; None where they were not scored."""
    path, labels = folder / "test_labels.csv", {}
    for number, (name, *fields) in rows_of(path, ("id", *CLASSES)):
        flags = flags_of(path, number, fields, ("0", "1", "-1"))
        if -1 in flags and flags != [-1] * len(CLASSES):
            raise common.Refused(f"'{path}': row {number} has -1 in some columns; must be in all six or in none")
        if name in labels:
            raise common.Refused(f"'{path}': row {number} has id {name!r}, as a row before")
        labels[name] = None if -1 in flags else flags
    return labels


def test(folder, labels):
    """Pairs (comment, six labels) of those that were scored."""
    path, seen = folder / "test.csv", set()
    for number, (name, text) in rows_of(path, ("id", "comment_text")):
        if name not in labels or name in seen:
            raise common.Refused(f"'{path}': row {number} has id {name!r}, which "
                                 + ("a row before has" if name in seen else "test_labels.csv lacks"))
        seen.add(name)
        if labels[name]:
            yield text, labels[name]
    lost = next((name for name in labels if name not in seen), None)
    if lost is not None:
        raise common.Refused(f"'{path}' lacks id {lost!r}, which test_labels.csv has")


def main():
    csv.field_size_limit(FIELD_MOST)
    given = texts.parsed(texts.arguments(__doc__))
    targets = common.new_sets(given.sets, "toxic", COUNTS)
    flags = test_labels(given.folder)
    scored = sum(some is not None for some in flags.values())
    found = {"train": sum(1 for _ in train(given.folder)), "test": scored}
    for split, count in COUNTS.items():
        common.check_count(f"'{given.folder}', labelled comments for {split}", found[split], count, given.any_files)
    print(f"'{given.folder / 'test_labels.csv'}': {len(flags) - scored} of {len(flags)} comments have labels of -1, "
          "were not scored, and are left out", flush=True)
    texts.make(given, targets, {"train": lambda: train(given.folder), "test": lambda: test(given.folder, flags)},
               CLASSES, labels=("u1", (len(CLASSES),)))


if __name__ == "__main__":
    common.run(main)
