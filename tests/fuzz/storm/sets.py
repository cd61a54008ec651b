"""The data sets that the daemon under test hosts: each type, layout and kind of labels there is."""

import io
import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "http")]

import hosting  # noqa: E402
import image_sets  # noqa: E402
from hosting import SPATIAL, Hosted, ref  # noqa: E402,F401


def _more():
    source = np.random.default_rng(11)
    numbers = source.integers(0, 3, 9)
    yield Hosted("brains", ref.round_to(source.normal(size=(9, 2, 3, 4, 5)), "bf16"), {"y": numbers},
                 {"y": 3}, "channels_first")
    yield Hosted("truths", source.random((9, 6, 6)) < 0.4, {"y": numbers}, {"y": 3}, "none")
    yield Hosted("doubles", source.normal(size=(9, 7, 2)), {"y": source.random((9, 4), dtype="<f4")}, {},
                 "channels_last")
    yield Hosted("bytes", source.integers(-128, 128, (9, 5, 4, 5), dtype=np.int8), {}, {}, "channels_last")
    yield Hosted("shorts", source.integers(-2**15, 2**15, (9, 4, 6)).astype("<i2"), {}, {}, "channels_first")
    yield Hosted("longs", source.integers(-2**63, 2**63 - 1, (9, 3, 3)).astype("<i8"), {"y": numbers},
                 {"y": 3}, "none")
    yield Hosted("alone", source.integers(0, 256, (1, 8, 8, 4), dtype=np.uint8), {"y": numbers[:1] * 0},
                 {"y": 1}, "channels_last")
    yield Hosted("grey", source.integers(0, 256, (65, 1, 7, 9), dtype=np.uint8), {"y": np.arange(65)},
                 {"y": 65}, "channels_first")
    yield Hosted("dots", source.integers(0, 256, (5, 1), dtype=np.uint8), {}, {}, "none")


def _photographs(source, count, grey):
    """Files of the kinds that cameras, scanners and programs write, by their path in a folder."""
    for i in range(count):
        height, width = source.integers(1, 9, 2) if i % 7 == 6 else source.integers(20, 90, 2)
        image = Image.fromarray(image_sets.photograph(source, height, width, 1 if i in grey else 3))
        kind, how = (("jpg", {"quality": 80}), ("png", {}), ("jpg", {"progressive": True}), ("jpg", {"subsampling": 0})
                     )[i % 4]
        out = io.BytesIO()
        (image.convert("CMYK") if i == 8 else image).save(out, "jpeg" if kind == "jpg" else kind, **how)
        yield f"{'abc'[3 * i // count]}/{i:03}.{kind}", out.getvalue()


def _images():
    """Pictures of any size: as files in colour, and as pixels in grey; and of each one with label maps."""
    source = np.random.default_rng(21)
    for name, count, grey, channels, store, targets in (
            ("albums", 27, (4, 13), 3, "files", ()), ("glyphs", 15, range(15), 1, "pixels", ()),
            ("scenes", 19, (2,), 3, "files", ("dense", "dense.part")), ("organs", 12, (), 3, "pixels", ("dense.map",))):
        paths, files = zip(*_photographs(source, count, grey))
        near = source.integers(0, count, (count, 2))
        data = image_sets.of_files(name, files, channels, neighbours=near)
        dense = {target: [image_sets.segmented(source, *row.shape[:2]) for row in data.x] for target in targets}
        yield data._replace(labels={"y": np.array(["abc".index(path[0]) for path in paths])}, classes={"y": 3},
                            dense=dense or None), ["--store", store, "--channels", channels], paths


def is_images(data):
    """Whether the rows of a set are pictures of sides of their own."""
    return isinstance(data, image_sets.Pictures)


def is_sequences(data):
    """Whether they have lengths of their own."""
    return data is not None and isinstance(data.x, list) and not is_images(data)


IMAGES = list(_images())
ALL = [*hosting.some_sets(), *hosting.rich_sets(), *_more(), *(data for data, _, _ in IMAGES)]
DIGESTS = {}  # by name, once they are known
DRAWN = [*ALL, *(data for data, _, _ in IMAGES for _ in range(3))]  # views have many parameters


def dtype_of(target):
    """Of a dense target, in one array or in maps of their own sizes."""
    return (target[0] if isinstance(target, list) else target).dtype


def _write(place, data):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def write(root, program):
    """Imports all of them by a program."""
    for data in ALL:
        if not is_images(data):
            hosting.write(root, data, [program])
    for data, options, paths in IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            near = pathlib.Path(folder, "near.npy")
            np.save(near, data.neighbours)
            for path, file in zip(paths, data.files):
                _write(pathlib.Path(folder, "images", path), file)
            for target, maps in (data.dense or {}).items():
                for i, (path, numbers) in enumerate(zip(paths, maps)):
                    _write(pathlib.Path(folder, target, path).with_suffix(".png"), image_sets.map_file(numbers, i % 2))
                options = [*options, "--dense",
                           f"{target[6:]}={folder}/{target}" if target[6:] else f"{folder}/{target}"]
            hosting.importing(root / data.name, "--from", "folder", pathlib.Path(folder, "images"), *options,
                              "--neighbours", near, command=[program])
