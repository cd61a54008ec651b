#!/usr/bin/python3
"""Tiny ImageNet: from tiny-imagenet-200.zip, which stays packed, to a set for fmixd."""

import collections
import re
import zipfile

import common

MD5, SIZE = "90528d7ca1a48142e341f4ef8d21d0de", 248100043
ROOT = "tiny-imagenet-200/"
PIXELS = 64 * 64 * 3
TRAINING = re.compile(ROOT + r"train/(n\d+)/images/(n\d+_(\d+))\.JPEG")


def text_lines(archive, name):
    """The lines of a text file of the archive."""
    try:
        return archive.read(ROOT + name).decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise common.Refused(f"{name} is not ASCII") from None


def class_numbers(archive):
    """The class number of each synset: its place in wnids.txt, as the paper's code has it."""
    return {wnid: number for number, wnid in enumerate(text_lines(archive, "wnids.txt"))}


def training(archive, classes):
    """(key, member, class number) of each picture: by class, then by the picture's number."""
    members = collections.defaultdict(list)
    for name in archive.namelist():
        match = TRAINING.fullmatch(name)
        if match:
            members[match[1]].append((int(match[3]), match[2], name))
    differing = sorted(members.keys() ^ classes.keys())
    if differing:
        raise common.Refused(f"train/ and wnids.txt differ: {differing[0]} is in one of them only")
    for wnid, number in classes.items():
        for _, key, name in sorted(members[wnid]):
            yield key, name, number


def validation(archive, classes):
    """The same, in the order of val_annotations.txt: file, synset and a box that is not used."""
    for at, line in enumerate(text_lines(archive, "val/val_annotations.txt"), 1):
        file, tab, rest = line.partition("\t")
        wnid = rest.partition("\t")[0]
        if not tab:
            raise common.Refused(f"val_annotations.txt, line {at} is {line[:40]!r}; must be a file and its synset, "
                                 "with a tab between")
        if wnid not in classes:
            raise common.Refused(f"val_annotations.txt, line {at}: {wnid} is not in wnids.txt")
        yield file.rsplit(".", 1)[0], f"{ROOT}val/images/{file}", classes[wnid]


PARTS = {"train": training, "val": validation}


def prepare(archive, part, target, scratch):
    """Copies the pictures with their labels into a tar file, and imports it."""
    classes = class_numbers(archive)
    pictures = list(PARTS[part](archive, classes))
    packed = sum(archive.getinfo(name).file_size + 2048 for _, name, _ in pictures)
    common.check_space(target, PIXELS * len(pictures), scratch, packed)
    with common.scratch(target, scratch) as folder:
        shard = folder / f"{part}.tar"
        with common.Shard(shard) as out:
            for key, name, number in pictures:
                out.add(key, archive.read(name), number)
        common.import_set(target, "tar", shard, options=("--classes", len(classes)))
    common.write_names(f"{target}.classes.txt", classes)


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("zip", metavar="tiny-imagenet-200.zip")
    parser.add_argument("set", metavar="SET", help="the new folder of the set")
    given = parser.parse_args()
    common.check_new(given.set)
    common.check_published(given.zip, MD5, SIZE, given.any_files)
    try:
        with zipfile.ZipFile(given.zip) as archive:
            prepare(archive, given.part, given.set, given.scratch)
    except (KeyError, zipfile.BadZipFile) as error:
        raise common.Refused(f"'{given.zip}': {error.args[0]}") from error


if __name__ == "__main__":
    common.run(main)
