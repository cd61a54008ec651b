"""Arrays of several libraries, each by the namespace of its own."""

import sys

import numpy as np


def namespace(x):
    """What has x's `where`: NumPy, PyTorch, or what x says itself."""
    if isinstance(x, np.ndarray):
        return np
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    torch = sys.modules.get("torch")
    if torch and isinstance(x, torch.Tensor):
        return torch
    raise TypeError(f"{type(x)} has no array namespace; give a NumPy array or a torch tensor")


def is_torch(space):
    return getattr(space, "__name__", "") == "torch"


def like(array, x):
    """A NumPy array where x is."""
    space = namespace(x)
    if space is np:
        return array
    made = space.from_numpy(array.copy()) if is_torch(space) else space.asarray(np.array(array))
    return made.to(x.device) if hasattr(made, "to") else made


def kind(x):
    """Of x's type: f a float, i an integer, b a truth."""
    if isinstance(x, np.ndarray):
        return {"u": "i"}.get(x.dtype.kind, x.dtype.kind)
    name = str(x.dtype).rpartition(".")[2]
    return "f" if "float" in name else "b" if name == "bool" else "i" if "int" in name else "?"


def bits(x):
    """Of an element."""
    size = getattr(x.dtype, "itemsize", None)
    return 8 * (x.element_size() if size is None else size)


def rows_of(x, numbers):
    """A copy of the rows of those numbers."""
    space = namespace(x)
    if space is np:
        return x[numbers]
    numbers = like(numbers, x)
    return x.index_select(0, numbers) if is_torch(space) else x[numbers]
