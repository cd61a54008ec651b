#!/usr/bin/python3
"""Makes hosted sets of ModelNet10; modelnet10.md says what comes out."""

import pathlib

import common
import off_mesh
import voxels

COUNTS = {"train": 3991, "test": 908}  # meshes that are published
SIDE_MOST = 256


def classes_of(folder):
    """The folders that have meshes for training or testing."""
    return sorted(path.name for path in folder.iterdir() if any((path / split).is_dir() for split in COUNTS))


def files_of(folder, classes, split):
    """The meshes of a set with their class numbers, in order of classes and names."""
    return [(path, number) for number, name in enumerate(classes)
            for path in sorted((folder / name / split).glob("*.off"))]


def voxels_of(path, side, solid):
    """A file as voxels."""
    try:
        shell = voxels.surface(voxels.fitted(*off_mesh.read_off(path), side), side)
    except (off_mesh.NotMesh, voxels.NoExtent) as error:
        raise common.Refused(f"'{path}': {error}") from None
    return voxels.solid(shell) if solid else shell


def make(given, targets, files, classes):
    """Imports the sets; all meshes are read before the first."""
    size = given.side ** 3 * sum(map(len, files.values()))
    common.check_space(targets["train"], size, given.scratch, size)
    with common.scratch(targets["train"], given.scratch) as scratch:
        arrays = {split: (scratch / f"{split}-x.npy", scratch / f"{split}-y.npy") for split in files}
        for split, meshes in files.items():
            with common.Npy(arrays[split][0], "?", (given.side,) * 3) as x, common.Npy(arrays[split][1], "<i8") as y:
                for path, number in meshes:
                    x.write(voxels_of(path, given.side, given.solid)[None])
                    y.write([number])
            print(f"{targets[split]}: {len(meshes)} meshes, {'solid' if given.solid else 'their surface'}", flush=True)
        for split, target in targets.items():
            common.import_set(target, "npy", *arrays[split],
                              options=("--layout", "none", "--classes", len(classes)))
    common.write_names(f"{targets['train']}.classes.txt", classes)


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="the unpacked archive: CLASS/train and CLASS/test")
    parser.add_argument("sets", type=pathlib.Path, help="where the sets go")
    parser.add_argument("--side", type=int, default=32, help="voxels along a side of the grid (32)")
    parser.add_argument("--solid", action="store_true", help="fill what the surface encloses")
    given = parser.parse_args()
    if not 2 <= given.side <= SIDE_MOST:
        raise common.Refused(f"--side is {given.side}; must be from 2 to {SIDE_MOST}")
    targets = common.new_sets(given.sets, "modelnet10", COUNTS)
    classes = classes_of(given.folder)
    files = {split: files_of(given.folder, classes, split) for split in COUNTS}
    for split, count in COUNTS.items():
        common.check_count(f"'{given.folder}', files CLASS/{split}/NAME.off", len(files[split]), count, given.any_files)
    make(given, targets, files, classes)


if __name__ == "__main__":
    common.run(main)
