"""The data sets that the daemon under test hosts: each type, layout and kind of labels there is."""

import pathlib
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "http")]

import hosting  # noqa: E402
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


ALL = [*hosting.some_sets(), *hosting.rich_sets(), *_more()]
DIGESTS = {}  # by name, once they are known


def write(root, program):
    """Imports all of them by a program."""
    for data in ALL:
        hosting.write(root, data, [program])
