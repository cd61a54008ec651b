#!/usr/bin/python3
"""ImageNet (ILSVRC 2012): from the published tar files, which stay packed, to a set for fmixd."""

import io
import os
import pathlib
import sys
import tarfile

import numpy as np
import scipy.io

import common

PUBLISHED = {"train": ("1d675b47d978889d74fa0da5fadfb00e", 147897477120),
             "val": ("29b22e2961454d5413ddabcf34fc5622", 6744924160)}
DEVKIT = "fa75699e90414af021442c21a62c3abf"


def devkit_file(devkit, name):
    """The bytes of a file of the development kit's data folder."""
    with tarfile.open(devkit) as archive:
        for member in archive:
            if member.name.endswith(f"/data/{name}"):
                return archive.extractfile(member).read()
    raise common.Refused(f"'{devkit}' holds no data/{name}")


def synsets(devkit):
    """The WordNet id by ILSVRC2012_ID of each synset that is a class: those without children."""
    table = scipy.io.loadmat(io.BytesIO(devkit_file(devkit, "meta.mat")), squeeze_me=True)["synsets"]
    return {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in np.atleast_1d(table)
            if row["num_children"] == 0}


def check_classes(found, wnids, path):
    """The number of a class is its place among the sorted names, so none may lack."""
    differing = sorted(set(found) ^ set(wnids.values()))
    if differing:
        raise common.Refused(f"the classes of '{path}' and of the development kit differ: "
                             f"{differing[0]} is in one of them only")


def members(archive):
    """The files of a tar file by name."""
    return sorted((member for member in archive if member.isfile()), key=lambda member: member.name)


def copy_pictures(archive, pictures, labels, path):
    """Writes a tar file of pictures and their labels."""
    with common.Shard(path) as shard:
        for member, label in zip(pictures, labels):
            shard.add(pathlib.PurePath(member.name).stem, archive.extractfile(member).read(), label)


def training(path, devkit, folder):
    """A tar file for each synset's of the published file; a picture's label is its synset."""
    with tarfile.open(path, "r:") as outer:
        archives = members(outer)
        names = [pathlib.PurePath(member.name).stem for member in archives]
        check_classes(names, synsets(devkit), path)
        for done, (wnid, member) in enumerate(zip(names, archives), 1):
            with tarfile.open(fileobj=outer.extractfile(member), mode="r:") as inner:
                pictures = members(inner)
                copy_pictures(inner, pictures, [wnid] * len(pictures), folder / f"{wnid}.tar")
            print(f"imagenet.py: copied {wnid}, {done} of {len(names)} synsets", file=sys.stderr)
    return [folder / f"{wnid}.tar" for wnid in names]


def validation(path, devkit, folder):
    """One tar file; the labels are those of the development kit, by the number of the picture."""
    wnids = synsets(devkit)
    truth = devkit_file(devkit, "ILSVRC2012_validation_ground_truth.txt").split()
    labels = [wnids[int(number)] for number in truth]
    check_classes(labels, wnids, devkit)
    with tarfile.open(path, "r:") as archive:
        pictures = members(archive)
        if len(pictures) != len(labels):
            raise common.Refused(f"'{path}' holds {len(pictures)} pictures; the development kit has "
                                 f"{len(labels)} labels")
        copy_pictures(archive, pictures, labels, folder / "val.tar")
    return [folder / "val.tar"]


PARTS = {"train": training, "val": validation}


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("tar", metavar="ILSVRC2012_img_PART.tar")
    parser.add_argument("devkit", metavar="ILSVRC2012_devkit_t12.tar.gz")
    parser.add_argument("set", metavar="SET", help="the new folder of the set")
    parser.add_argument("--skip-bad", action="store_true",
                        help="leave out pictures that cannot be read, and name them")
    given = parser.parse_args()
    common.check_new(given.set)
    common.check_published(given.devkit, DEVKIT, any_files=given.any_files)
    common.check_published(given.tar, *PUBLISHED[given.part], given.any_files)
    size = os.path.getsize(given.tar)
    common.check_space(given.set, size, given.scratch, size + size // 50)
    try:
        with common.scratch(given.set, given.scratch) as folder:
            shards = PARTS[given.part](given.tar, given.devkit, folder)
            common.import_set(given.set, "tar", *shards, options=(
                "--store", "files", *(["--skip-bad"] if given.skip_bad else [])))
    except tarfile.TarError as error:
        raise common.Refused(f"'{given.tar}' or '{given.devkit}': {error}") from error


if __name__ == "__main__":
    common.run(main)
