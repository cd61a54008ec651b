"""Arrays of several libraries. What mixing needs of each is asked of its own namespace.

NumPy and PyTorch have ways of their own, which copy least. Every other library is asked by the names of the
Python array API standard (JAX, array_api_strict, …), or by those of TensorFlow, of whose tensors only eager
ones can be mixed.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # of NumPy, PyTorch, or another library


class Arrays:
    """A library whose arrays follow the Python array API standard."""

    def __init__(self, space: Any) -> None:
        self.space = space

    def put(self, array: NDArray[Any], x: Array) -> Array:
        """A copy of a NumPy array, on the device of x."""
        array = np.array(array)
        device = getattr(x, "device", None)
        if device is not None:
            try:
                return self.space.asarray(array, device=device)
            except TypeError:  # an older asarray, which has no such argument
                pass
        return self.space.asarray(array)

    def numpy(self, x: Array) -> NDArray[Any]:
        """x as a NumPy array."""
        array: NDArray[Any] = np.asarray(x)
        return np.from_dlpack(x) if array.dtype == object else array

    def cast(self, x: Array, dtype: Any) -> Array:
        """x as another type: one of the library's, or the name of one."""
        dtype = getattr(self.space, dtype) if isinstance(dtype, str) else dtype
        return self.space.astype(x, dtype) if hasattr(self.space, "astype") else x.astype(dtype)

    def rows(self, x: Array, numbers: NDArray[Any]) -> Array:
        """A copy of the rows of those numbers."""
        if hasattr(self.space, "take"):
            return self.space.take(x, self.put(numbers, x), axis=0)
        return self.space.stack([x[int(number), ...] for number in numbers])

    def choose(self, mask: NDArray[Any], x: Array, partners: Array) -> Array:
        """x where the mask is true, else partners, which may be written to."""
        return self.space.where(self.put(mask, x), x, partners)

    def interpolate(self, x: Array, partners: NDArray[Any], weights: NDArray[Any]) -> Array:
        """weight * x + (1 - weight) * x[partner], in x's own type: rounded to it once where it has 16 bits."""
        wide = "float64" if bits(x) > 32 else "float32"
        shape = -1, *[1] * (len(x.shape) - 1)
        own, rest = (self.put(part.astype(wide).reshape(shape), x) for part in (weights, 1 - weights))
        other = self.rows(x, partners)
        if bits(x) < 32:
            return self.cast(own * self.cast(x, wide) + rest * self.cast(other, wide), x.dtype)
        return own * x + rest * other

    def interpolate_some(self, x: Array, partners: NDArray[Any], weights: NDArray[Any], rows: NDArray[Any],
                         mixed: Array) -> Array:
        """The same of some rows; the others are those of `mixed`, which may be written to."""
        those = np.isin(np.arange(len(weights)), rows).reshape(-1, *[1] * (len(x.shape) - 1))
        return self.space.where(self.put(those, x), self.interpolate(x, partners, weights), mixed)

    def one_hot(self, y: Array, partners: NDArray[Any], shares: tuple[NDArray[Any], NDArray[Any]], classes: int,
                least: float) -> Array:
        """Float32 [n, classes]: `least`, and the shares of a row's class and of its partner's."""
        own = self.numpy(y).astype("i8")
        rows, labels = np.arange(len(own)), np.full((len(own), classes), least, "f4")
        labels[rows, own] += shares[0]
        labels[rows, own[partners]] += shares[1]
        return self.put(labels, y)

    def extent(self, y: Array) -> tuple[float, float, bool]:
        """The least and the greatest of some numbers (0 of none), and whether all are whole."""
        array = self.numpy(self.cast(y, "float32") if bits(y) in range(1, 32) else y)
        if not array.size:
            return 0, 0, True
        return array.min().item(), array.max().item(), bool((array == np.round(array)).all())


class NumPyArrays(Arrays):
    """NumPy itself."""

    def __init__(self) -> None:
        super().__init__(np)

    def put(self, array: NDArray[Any], x: Array) -> Array:
        return array

    def numpy(self, x: NDArray[Any]) -> NDArray[Any]:
        return x

    def cast(self, x: Array, dtype: Any) -> Array:
        return x.astype(dtype)

    def rows(self, x: Array, numbers: NDArray[Any]) -> Array:
        return x[numbers]

    def choose(self, mask: NDArray[Any], x: Array, partners: Array) -> Array:
        np.copyto(partners, x, where=mask)
        return partners

    def interpolate(self, x: Array, partners: NDArray[Any], weights: NDArray[Any]) -> Array:
        return self.interpolate_some(x, partners, weights, np.arange(len(x)), np.empty_like(x))

    def interpolate_some(self, x: Array, partners: NDArray[Any], weights: NDArray[Any], rows: NDArray[Any],
                         mixed: Array) -> Array:
        """Into those rows of `mixed`, one at a time, which stays in the caches."""
        kind = x.dtype.newbyteorder("=") if x.dtype.itemsize > 2 else np.dtype("f4")
        for i in rows:
            row = np.multiply(x[i], kind.type(weights[i]), dtype=kind)
            row += np.multiply(x[partners[i]], kind.type(1 - weights[i]), dtype=kind)
            mixed[i] = row
        return mixed


class TorchArrays(Arrays):
    """PyTorch."""

    def put(self, array: NDArray[Any], x: Array) -> Array:
        return self.space.from_numpy(array.copy()).to(x.device)

    def numpy(self, x: Array) -> NDArray[Any]:
        array: NDArray[Any] = x.detach().cpu().numpy()
        return array

    def cast(self, x: Array, dtype: Any) -> Array:
        return x.to(getattr(self.space, dtype) if isinstance(dtype, str) else dtype)

    def rows(self, x: Array, numbers: NDArray[Any]) -> Array:
        return x.index_select(0, self.put(numbers, x))

    def choose(self, mask: NDArray[Any], x: Array, partners: Array) -> Array:
        if x.requires_grad:
            return super().choose(mask, x, partners)
        return self.space.where(self.put(mask, x), x, partners, out=partners)

    def interpolate(self, x: Array, partners: NDArray[Any], weights: NDArray[Any]) -> Array:
        return self._sum(x, self.rows(x, partners), weights)

    def interpolate_some(self, x: Array, partners: NDArray[Any], weights: NDArray[Any], rows: NDArray[Any],
                         mixed: Array) -> Array:
        summed = self._sum(self.rows(x, rows), self.rows(x, partners[rows]), weights[rows])
        return mixed.index_copy_(0, self.put(rows, x), summed)

    def _sum(self, x: Array, partners: Array, weights: NDArray[Any]) -> Array:
        """May write over `partners`."""
        wide, shape = "f8" if bits(x) > 32 else "f4", (-1, *[1] * (x.ndim - 1))
        own, rest = (self.put(part.astype(wide).reshape(shape), x) for part in (weights, 1 - weights))
        # No lerp: its difference of the rows is no number where both are infinite, and infinite where it overflows.
        if bits(x) < 32:
            return partners.float().mul_(rest).add_(x.float().mul(own)).to(x.dtype)
        return own * x + rest * partners if x.requires_grad else partners.mul_(rest).add_(own * x)

    def one_hot(self, y: Array, partners: NDArray[Any], shares: tuple[NDArray[Any], NDArray[Any]], classes: int,
                least: float) -> Array:
        own = y.long()[:, None]
        labels = self.space.full((len(y), classes), least, dtype=self.space.float32, device=y.device)
        labels.scatter_add_(1, own, self.put(shares[0], y)[:, None])
        return labels.scatter_add_(1, own[self.put(partners, y)], self.put(shares[1], y)[:, None])

    def extent(self, y: Array) -> tuple[float, float, bool]:
        if not y.numel():
            return 0, 0, True
        if kind_of(y) == "f":
            y = y.double()  # in which every type can be rounded
        whole = kind_of(y) != "f" or bool((y == y.round()).all())
        return y.min().item(), y.max().item(), whole


class JaxArrays(Arrays):
    """JAX, which moves what is put beside x to its devices."""

    def put(self, array: NDArray[Any], x: Array) -> Array:
        return self.space.asarray(np.array(array))


class TensorFlowArrays(Arrays):
    """TensorFlow's eager tensors."""

    def put(self, array: NDArray[Any], x: Array) -> Array:
        with self.space.device(x.device):
            return self.space.convert_to_tensor(np.array(array))

    def numpy(self, x: Array) -> NDArray[Any]:
        array: NDArray[Any] = x.numpy()
        return array

    def cast(self, x: Array, dtype: Any) -> Array:
        return self.space.cast(x, getattr(self.space, dtype) if isinstance(dtype, str) else dtype)

    def rows(self, x: Array, numbers: NDArray[Any]) -> Array:
        return self.space.gather(x, self.put(numbers, x))


_NUMPY = NumPyArrays()


def library_of(x: Array) -> Arrays:
    """Whose x is."""
    if isinstance(x, np.ndarray):
        return _NUMPY
    torch, jax, tensorflow = (sys.modules.get(name) for name in ("torch", "jax", "tensorflow"))
    if torch and isinstance(x, torch.Tensor):
        return TorchArrays(torch)
    if jax and isinstance(x, jax.Array):
        return JaxArrays(jax.numpy)
    if tensorflow and isinstance(x, tensorflow.Tensor):
        if not hasattr(x, "numpy"):
            raise TypeError("this tensor is of a TensorFlow graph; only eager tensors can be mixed: iterate over the "
                            "tf.data.Dataset, and mix what it yields")
        return TensorFlowArrays(tensorflow)
    if hasattr(x, "__array_namespace__"):
        return Arrays(x.__array_namespace__())
    raise TypeError(f"{type(x)} has no array namespace; give a NumPy array, a torch tensor, or an array of a library "
                    "that follows the Python array API standard")


def _name(x: Array) -> str:
    """The name of x's type, such as float32."""
    return getattr(x.dtype, "name", None) or str(x.dtype).rpartition(".")[2]


def kind_of(x: Array) -> str:
    """The kind of x's type: f a float, i an integer, b a truth, ? another."""
    name = _name(x)
    return "f" if "float" in name else "b" if name.startswith("bool") else "i" if "int" in name else "?"


def bits(x: Array) -> int:
    """How many bits an element has if it is a float; else 0."""
    found = re.search(r"float(\d+)", _name(x))
    return int(found[1]) if found else 0
