"""Uploads that are told by their arrays, each {kind, shape, seed}: bytes of SHAKE-256 of the seed, so
that they are the same everywhere."""

import hashlib
import math
import pathlib
import sys

import numpy as np

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "http")]

import fmixref as ref  # noqa: E402
import harness  # noqa: E402
from containers import write_npz, write_safetensors  # noqa: E402

TYPES = {"raw": "application/octet-stream", "npy": harness.NPY, "npz": "application/x-npz",
         "safetensors": "application/x-safetensors"}


def array_of(spec):
    """The array that a specification tells of: its kind is a type, "below K" or "unit"."""
    kind, _, limit = spec["kind"].partition(" below ")
    count = math.prod(spec["shape"])
    wide = {"unit": "<u2"}.get(kind, "<u4" if limit else ref.TYPES.get(kind))
    wide = "u1" if kind == "bool" else wide
    data = hashlib.shake_256(spec["seed"].encode()).digest(count * np.dtype(wide).itemsize)
    array = np.frombuffer(data, wide)
    if kind == "unit":
        array = (array / 65536).astype("<f4")
    elif kind == "bool":
        array = (array & 1).astype("?")
    elif limit:
        array = (array % int(limit)).astype(ref.TYPES[kind])
    return array.reshape(spec["shape"])


def body_of(upload):
    """The bytes to post."""
    arrays = {name: array_of(spec) for name, spec in upload["arrays"].items()}
    write = {"raw": lambda: arrays["x"].tobytes(), "npy": lambda: harness.write_npy(arrays["x"]),
             "npz": lambda: write_npz(arrays, np.savez_compressed if upload["deflated"]
                                      else np.savez),
             "safetensors": lambda: write_safetensors(arrays)}
    return write[upload["format"]]()


def named(upload, source):
    """The upload, each of its arrays with a seed."""
    for spec in upload["arrays"].values():
        spec["seed"] = f"{source.getrandbits(64):016x}"
    return upload
