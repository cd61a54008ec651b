"""Image sets of our own making, whose rows are pictures with sides of their own."""

import hashlib
import io
import json
import pathlib
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image


class Pictures(NamedTuple):
    """An image set, and what Pillow sees in it: hosting.Hosted with files."""

    name: str
    files: list      # bytes of each, or None where pixels are stored
    x: list          # arrays [height, width] or with channels
    labels: dict
    classes: dict
    layout: str
    dense: dict = None
    neighbours: np.ndarray = None


def photograph(source, height, width, channels=3):
    """Smooth colours with edges and some noise, as photographs have."""
    rows, columns = np.mgrid[0:height, 0:width] / 16
    waves = [np.sin(rows * source.uniform(-2, 2) + columns * source.uniform(-2, 2) + source.uniform(0, 6))
             for _ in range(channels)]
    picture = 128 + 80 * np.stack(waves, -1) + source.normal(0, 8, (height, width, channels))
    top, left = source.integers(0, height), source.integers(0, width)
    picture[top:, left:] = 255 - picture[top:, left:]
    return picture.clip(0, 255).astype(np.uint8).squeeze(-1) if channels == 1 \
        else picture.clip(0, 255).astype(np.uint8)


def encoded(pixels, kind="jpeg", **how):
    """A file of these pixels."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **how)
    return out.getvalue()


def decoded(file, channels=3):
    """What Pillow reads of a file."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB" if channels == 3 else "L"))


def of_files(name, files, channels=3, **more):
    """A set that keeps the bytes of files."""
    return Pictures(name, files, [decoded(file, channels) for file in files],
                    **_labels(len(files)), layout="channels_last" if channels == 3 else "none", **more)


def of_pixels(name, pixels, **more):
    """A set that keeps samples."""
    return Pictures(name, None, pixels, **_labels(len(pixels)),
                    layout="channels_last" if pixels[0].ndim == 3 else "none", **more)


def _labels(count):
    return {"labels": {"y": np.arange(count) % 4}, "classes": {"y": 4}}


def segmented(source, height, width, classes=21):
    """A label map: rectangles of classes, and some places that are none."""
    made = np.zeros((height, width), np.uint8)
    for number in source.integers(1, classes, 5):
        top, left = source.integers(0, height), source.integers(0, width)
        made[top:top + 1 + height // 3, left:left + 1 + width // 2] = number
    made[source.random((height, width)) < 0.05] = 255
    return made


def map_file(numbers, palette=True, **how):
    """A PNG file of class numbers: in indexed colour, or grey."""
    picture = Image.fromarray(numbers)
    if palette:
        picture.putpalette([(37 * i + 11 * c) % 256 for i in range(256) for c in range(3)])
    out = io.BytesIO()
    picture.save(out, "png", **how)
    return out.getvalue()


def indexed(stored, sides):
    """Files one behind the other, and the index of them."""
    offsets = np.cumsum([0, *map(len, stored)])
    return b"".join(stored), b"".join(struct.pack("<QQII", offset, len(file), *side)
                                      for offset, file, side in zip(offsets, stored, sides))


def write(root, data, sides=None, maps=None):
    """Writes one under a directory. sides: what the index says of a row, where that is false; maps: files of
    label maps in place of those that hold data.dense, by name and row."""
    folder = pathlib.Path(root, data.name)
    folder.mkdir()
    count, stored = len(data.x), data.files or [row.tobytes() for row in data.x]
    own = [(sides or {}).get(i, row.shape[:2]) for i, row in enumerate(data.x)]
    joined, index = indexed(stored, own)
    store, rank = "files" if data.files else "pixels", data.x[0].ndim
    shape, layout = [None, None] + [3] * (rank == 3), data.layout
    facts = f"fmixd 1\n{count} u8 {layout}{' 0 0' + ' 3' * (rank == 3)}\ny 1 4"
    parts = {"data.bin": joined, "labels.bin": data.labels["y"].astype("<i4").tobytes()}
    indices = {}
    for name, rows in (data.dense or {}).items():
        facts += f"\n{name} u8 none 0 0"
        files = [(maps or {}).get((name, i), map_file(row) if data.files else row.tobytes())
                 for i, row in enumerate(rows)]
        parts[f"{name}.bin"], indices[f"index.{name}.bin"] = indexed(files, own)
    if data.neighbours is not None:
        facts += f"\nneighbours {data.neighbours.shape[1]}"
        parts["neighbours.bin"] = data.neighbours.astype("<i8").tobytes()
    parts |= {"index.bin": index, **indices}
    digest = hashlib.blake2b(f"{facts}\nimages {store}\n".encode(), digest_size=32)
    for name, part in parts.items():
        (folder / name).write_bytes(part)
        digest.update(part)
    manifest = {"fmixd": 1, "count": count, "dtype": "u8", "shape": shape, "layout": layout,
                "heads": [{"name": "y", "kind": "numbers", "classes": 4}], "class_names": [],
                "images": {"store": store}, "digest": digest.hexdigest()}
    if data.neighbours is not None:
        manifest["neighbours"] = data.neighbours.shape[1]
    if data.dense:
        manifest["dense"] = [{"name": name, "dtype": "u8", "shape": [None, None], "layout": "none"}
                             for name in data.dense]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
