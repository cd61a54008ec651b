"""Batches mixed by fmixd, for trainers in Python. Needs the standard library and NumPy.

A batch that you have, on the device where it is:

    mix = fmixd.Mixer("http://localhost:8080", seed=7, method="fmix,mixup", classes=10)
    for epoch in range(90):
        for x, y in mix.epoch(loader, epoch):
            ...

Only masks travel, bit-packed, fetched ahead in the background. With None for the URL, libfmix.so draws the same plans
in this process: fmixd.Mixer(None, …) needs no daemon. Arrays are NumPy's or PyTorch's, JAX's, eager tensors of
TensorFlow, or of any library that follows the Python array API standard. Batches are pairs, or tuples and
dictionaries of which `inputs` and `labels_getter` name x and y. Mixer.like_timm takes the arguments of timm's Mixup.

Batches of a data set that fmixd hosts:

    for x, y in fmixd.epoch("http://localhost:8080", "garments", epoch=3, batch=64, shuffle=True):
        ...

For PyTorch, Epochs is a data set of such batches for a DataLoader, and Collate a collate_fn that mixes.

Either can begin at any step, on any rank of any world: the same arguments give the same bits. state_dict and
load_state_dict keep the place in an epoch, as torch's stateful loaders ask.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

from .ahead import Ahead
from .connection import Connection, Refused
from .epochs import describe, epoch, steps_of
from .mixer import Mixer
from .plans import METHODS, Plan
from .safetensors import tensors
from .version import __version__

if TYPE_CHECKING:
    from .loaders import Collate, Epochs

_TORCH = ("Collate", "Epochs")  # of loaders, which imports PyTorch: only when one of them is used
_HAS_TORCH = importlib.util.find_spec("torch") is not None

__all__ = ["METHODS", "Ahead", "Connection", "Mixer", "Plan", "Refused", "__version__", "describe", "epoch", "steps_of",
           "tensors"]
if TYPE_CHECKING or _HAS_TORCH:
    __all__ += ["Collate", "Epochs"]


def __getattr__(name: str) -> Any:
    if name not in _TORCH:
        raise AttributeError(f"module 'fmixd' has no {name!r}")
    if not _HAS_TORCH:
        raise AttributeError(f"fmixd.{name} needs PyTorch, which is not installed")
    from . import loaders  # pylint: disable=import-outside-toplevel
    return getattr(loaders, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
