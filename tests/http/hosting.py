"""Data sets of our own making, imported by the daemon's program, and what the contract makes of
their batches."""

import json
import pathlib
import subprocess
import sys
import tempfile
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


def rich_sets():
    """With dense targets, neighbours and values, of one length or of many."""
    noise = np.random.default_rng(20)
    near = [noise.integers(0, n, (n, k)) for n, k in ((19, 3), (14, 5), (23, 2), (17, 1))]
    pixels = noise.integers(0, 256, (19, 3, 8, 7), dtype=np.uint8)
    yield Hosted("streets", pixels, {"y": noise.integers(0, 5, 19)}, {"y": 5}, "channels_first",
                 {"dense": pixels[:, 0] // 16, "dense.depth": noise.normal(size=(19, 2, 8, 7)).astype("<f4")},
                 near[0])
    yield Hosted("fields", noise.normal(size=(14, 9, 10)).astype("<f4"),
                 {"y.value": noise.normal(size=14).astype("<f4"), "y.class": noise.integers(0, 3, 14)},
                 {"y.class": 3}, "none", {"dense.height": noise.normal(size=(14, 9, 10)).astype("<f8")}, near[1])
    lengths = noise.integers(1, 13, 23)
    yield Hosted("texts", [noise.integers(0, 3000, n).astype("<i4") for n in lengths],
                 {"y": noise.integers(0, 4, 23)}, {"y": 4}, "none", None, near[2])
    yield Hosted("speech", [noise.normal(size=(n, 3)).astype("<f4") for n in noise.integers(1, 9, 17)],
                 {"y": noise.normal(size=17).astype("<f4")}, {}, "channels_last", None, near[3])


def importing(*arguments, status=0, command=None):
    """Runs `fmixd import`; what it said."""
    done = subprocess.run([*(command or [harness.program()]), "import", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL, timeout=harness.PATIENCE)
    if done.returncode != status:
        raise AssertionError(f"import ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def write(root, data, command=None):
    """Imports one under a directory."""
    with tempfile.TemporaryDirectory() as folder:
        files, options = _sources(pathlib.Path(folder), data)
        importing(pathlib.Path(root, data.name), "--from", *files, "--layout", data.layout, *options,
                  command=command)


def await_tick(folder):
    """Until the clock of the folder's file system has moved on: what is written from then on is newer."""
    probe = pathlib.Path(folder, ".probe")

    def now():
        probe.write_bytes(b"x")
        return probe.stat().st_mtime_ns
    begun = now()
    harness.until(lambda: now() > begun)
    probe.unlink()


def forget_pieces(path):
    """Makes a set one of those that were written before there were pieces."""
    manifest = json.loads((path / "manifest.json").read_text())
    for key in ("pieces", "lengths"):
        manifest.pop(key, None)
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "pieces.bin").unlink()


def _sources(folder, data):
    """The kind and the files of a set, and the options that say the rest."""
    options = []
    if any(y.ndim == 1 and y.dtype.kind == "f" for y in data.labels.values()):
        options += ["--values"]
    if data.neighbours is not None:
        options += ["--neighbours", _npy(folder, "neighbours", data.neighbours.astype("<i8"))]
    if isinstance(data.x, list):
        offsets = np.cumsum([0, *map(len, data.x)]).astype("<i8")
        return ["ragged", _npy(folder, "x", np.concatenate(data.x)), _npy(folder, "offsets", offsets),
                *(_npy(folder, name, y) for name, y in data.labels.items())], options
    path = folder / f"{data.name}.safetensors"
    path.write_bytes(tensors.write_safetensors({"x": data.x, **(data.dense or {}), **{
        name: y.astype("<i8") if y.dtype.kind in "iu" and y.ndim == 1 else y
        for name, y in data.labels.items()}}))
    return ["safetensors", path], options


def _npy(folder, name, array):
    path = folder / f"{name}.npy"
    np.save(path, array)
    return path


def relaid(x, stored, layout):
    """Rows of one layout in another."""
    return np.stack([ref.relaid(row, stored, layout) for row in x])


def batch(data, recipe, size, step, epoch=0, **how):
    """The whole of a batch by the reference: its parts by name."""
    return ref.hosted_batch(data, recipe, size, step, epoch, **how)
