"""Data sets of our own making, imported by the daemon's program, and what the contract makes of
their batches."""

import pathlib
import subprocess
import sys
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

import fmixref as ref  # noqa: E402
import harness  # noqa: E402
import tensors  # noqa: E402

SPATIAL = {"channels_first": slice(2, None), "channels_last": slice(1, -1), "none": slice(1, None)}


class Hosted(NamedTuple):
    """A data set as it was before it was imported."""

    name: str
    x: np.ndarray
    labels: dict     # by head, "y" or "y.NAME"
    classes: dict    # how many, where they are numbers
    layout: str


def some_sets():
    """Of several types, layouts and kinds of labels; small ones, that have every corner."""
    source = np.random.default_rng(7)
    pixels = source.integers(0, 256, (23, 3, 9, 7), dtype=np.uint8)
    yield Hosted("colour", pixels, {"y": source.integers(0, 5, 23)}, {"y": 5}, "channels_first")
    yield Hosted("signal", source.normal(size=(17, 40)).astype("<f4"),
                 {"y": source.random((17, 3), dtype="<f4")}, {}, "none")
    yield Hosted("heads", source.integers(0, 256, (40, 8, 6, 3), dtype=np.uint8),
                 {"y.a": source.integers(0, 4, 40), "y.b": source.integers(0, 7, 40)},
                 {"y.a": 4, "y.b": 7}, "channels_last")
    yield Hosted("voxels", source.normal(size=(12, 4, 5, 6)).astype("<f2"), {}, {}, "none")
    yield Hosted("tokens", source.integers(0, 30000, (11, 16)).astype("<i4"), {}, {}, "none")


def importing(*arguments, status=0, command=None):
    """Runs `fmixd import`; what it said."""
    done = subprocess.run([*(command or [harness.program()]), "import", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL, timeout=120)
    if done.returncode != status:
        raise AssertionError(f"import ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def write(root, data, command=None):
    """Imports one under a directory."""
    path = pathlib.Path(root, f"{data.name}.safetensors")
    path.write_bytes(tensors.write_safetensors({"x": data.x, **{
        name: y if y.ndim == 2 else y.astype("<i8") for name, y in data.labels.items()}}))
    importing(pathlib.Path(root, data.name), "--from", "safetensors", path,
              "--layout", data.layout, command=command)
    path.unlink()


def windowed(row, axis, crop, offset, pad):
    """A row, padded along an axis and cut to its old length again; a crop may be far larger."""
    length = row.shape[axis]
    if pad == "reflect":
        places = np.pad(np.arange(length), crop, "reflect")[offset:offset + length]
        return row.take(places, axis)
    places = np.arange(length) + offset - crop
    inside = (places >= 0) & (places < length)
    beside = tuple(d for d in range(row.ndim) if d != axis)
    return np.where(np.expand_dims(inside, beside), row.take(np.clip(places, 0, length - 1), axis), row.dtype.type(0))


def augmented(x, layout, seed, indices, crop, pad, flip):
    """Rows of a batch, each moved by the draw of its own t."""
    axes = range(x.ndim)[SPATIAL[layout]]
    moved = []
    for row, t in zip(x, indices):
        offsets, mirrored = ref.light_augmentation(seed, t, len(axes), crop)
        for axis, offset in zip(axes, offsets):
            row = windowed(row, axis - 1, crop, offset, pad)
        moved.append(np.flip(row, axes[-1] - 1) if flip and mirrored else row)
    return np.stack(moved)


def relaid(x, stored, layout):
    """Rows of one layout in another."""
    last = x[..., np.newaxis] if stored == "none" else np.moveaxis(x, 1, -1) if stored == "channels_first" else x
    return last[..., 0] if layout == "none" else np.moveaxis(last, -1, 1) if layout == "channels_first" else last


def batch(data, recipe, size, step, epoch=0, *, shuffle=False, crop=0, pad="zero", flip=False,
          mean=None, std=None, out_dtype=None, smoothing=0.0, layout=None):
    """The whole of a batch by the reference: its parts by name."""
    layout = layout or data.layout
    places, indices, number = ref.epoch_batch(len(data.x), size, epoch, step)
    rows = [ref.shuffled_sample(recipe.seed, epoch, len(data.x), p) if shuffle else p
            for p in places]
    x = np.ascontiguousarray(relaid(augmented(
        data.x[rows], data.layout, recipe.seed, indices, crop, pad, flip), data.layout, layout))
    labels = {}
    if data.labels:
        labels = {"y": {name: y[rows] for name, y in data.labels.items()},
                  "classes": data.classes, "smoothing": smoothing}
    made = ref.mix(recipe, x, number, layout, indices[0], out_dtype=out_dtype, mean=mean,
                   std=std, **labels)
    parts = {"mixed": made.mixed, "pairing": np.array(made.pairing, "<i8"),
             "lambda": np.array(made.lam), "lambda_eff": np.array(made.lam_eff),
             "masks": made.masks, "rows": np.array(rows, "<i8")}
    for name, mixed in (made.labels or {}).items():
        parts["labels" + name[1:]] = mixed
    return parts
