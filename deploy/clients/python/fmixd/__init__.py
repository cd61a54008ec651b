"""Batches mixed by fmixd, for trainers in Python. Needs the standard library and NumPy.

A batch that you have, on the device where it is:

    mix = fmixd.Mixer("http://localhost:8080", seed=7, method="fmix,mixup", classes=10)
    for epoch in range(90):
        for x, y in mix.epoch(loader, epoch):
            ...

Only masks travel, bit-packed, fetched ahead in the background. x and y are NumPy's or PyTorch's, or any
library's whose arrays have an array namespace. With None for the URL, libfmix.so draws the same plans in this
process: fmixd.Mixer(None, …) needs no daemon.

Batches of a data set that fmixd hosts:

    for x, y in fmixd.epoch("http://localhost:8080", "garments", epoch=3, batch=64, shuffle=True):
        ...

Either can begin at any step, on any rank of any world: the same arguments give the same bits.
"""

import importlib.util

from .ahead import Ahead
from .connection import Connection, Refused
from .epochs import describe, epoch, steps_of
from .mixer import Mixer
from .plans import METHODS, Plan
from .safetensors import tensors
from .version import __version__

_TORCH = ("Collate", "Epochs")  # of loaders, which imports PyTorch: only when one of them is used
_HAS_TORCH = importlib.util.find_spec("torch") is not None

__all__ = ["METHODS", "Ahead", "Connection", "Mixer", "Plan", "Refused", "__version__", "describe", "epoch", "steps_of",
           "tensors", *_TORCH * _HAS_TORCH]


def __getattr__(name):
    if name not in _TORCH:
        raise AttributeError(f"module 'fmixd' has no {name!r}")
    if not _HAS_TORCH:
        raise AttributeError(f"fmixd.{name} needs PyTorch, which is not installed")
    from . import loaders  # pylint: disable=import-outside-toplevel
    return getattr(loaders, name)


def __dir__():
    return sorted({*globals(), *__all__})
