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
    x: np.ndarray    # or a list of rows of several lengths
    labels: dict     # by head, "y" or "y.NAME"
    classes: dict    # how many, where they are numbers
    layout: str
    dense: dict = None                 # targets by name, "dense" or "dense.NAME"
    neighbours: np.ndarray = None


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
    path, near = (pathlib.Path(root, data.name + end) for end in (".safetensors", ".neighbours.npy"))
    values = any(y.ndim == 1 and name not in data.classes for name, y in data.labels.items())
    path.write_bytes(tensors.write_safetensors({"x": data.x, **(data.dense or {}), **{
        name: y.astype("<i8") if name in data.classes else y for name, y in data.labels.items()}}))
    more = ["--values"] if values else []
    if data.neighbours is not None:
        near.write_bytes(harness.write_npy(data.neighbours))
        more += ["--neighbours", near]
    importing(pathlib.Path(root, data.name), "--from", "safetensors", path,
              "--layout", data.layout, *more, command=command)
    path.unlink()
    near.unlink(missing_ok=True)


def relaid(x, stored, layout):
    """Rows of one layout in another."""
    return np.stack([ref.relaid(row, stored, layout) for row in x])


def batch(data, recipe, size, step, epoch=0, **how):
    """The whole of a batch by the reference: its parts by name."""
    return ref.hosted_batch(data, recipe, size, step, epoch, **how)
