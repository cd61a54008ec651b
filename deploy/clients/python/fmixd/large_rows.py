"""Batches of large rows, mixed one row at a time: what a row needs stays in the caches, and no copy of
the batch is made in between."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, bits

LEAST = 1 << 15  # bytes of a row; smaller rows are mixed faster all at once
_SIZES = 1, 2, 4, 8  # bytes of elements that have an integer type of their size


class LargeRows:
    """A new array `out` like a batch x, to be filled row by row, and the elements of both as integers."""

    x: Array
    out: Array
    _x: Array
    _out: Array

    def keep(self, i: int) -> None:
        """Row i as it is."""
        self._out[i] = self._x[i]

    def choose(self, i: int, j: int, mask: NDArray[Any]) -> None:
        """Row i where the mask is 1, row j where it is 0. It broadcasts to a row. No branch depends on it."""
        raise NotImplementedError

    def add(self, i: int, j: int, weight: np.float64) -> None:
        """weight * row i + (1 - weight) * row j, rounded to the type of x once where it has 16 bits."""
        raise NotImplementedError


class NumPyRows(LargeRows):
    """The rows of a NumPy array."""

    def __init__(self, x: NDArray[Any]) -> None:
        self.x, self.out = x, np.empty(x.shape, x.dtype)
        self._kind = np.dtype(f"i{x.itemsize}")
        self._x, self._out = x.view(self._kind), self.out.view(self._kind)

    def choose(self, i: int, j: int, mask: NDArray[Any]) -> None:
        other, out = self._x[j], self._out[i]
        np.bitwise_xor(self._x[i], other, out=out)
        out &= -mask.astype(self._kind)
        out ^= other

    def add(self, i: int, j: int, weight: np.float64) -> None:
        wide = self.x.dtype.newbyteorder("=") if self.x.itemsize > 2 else np.dtype("f4")
        out = self.out[i] if wide == self.x.dtype else np.empty(self.x.shape[1:], wide)
        np.multiply(self.x[i], wide.type(weight), out=out, dtype=wide)
        out += np.multiply(self.x[j], wide.type(1 - weight), dtype=wide)
        if wide != self.x.dtype:
            self.out[i] = out


class TorchRows(LargeRows):
    """The rows of a tensor in main memory. NumPy asks for huge pages, and PyTorch does not: a tensor of 38 MB in small
    pages costs more than all else that is done to it."""

    def __init__(self, x: Array, torch: Any) -> None:
        room = np.empty(x.numel() * x.element_size(), "u1")
        self.x, self.out = x, torch.from_numpy(room).view(x.dtype).view(x.shape)
        self._torch, self._kind = torch, f"i{x.element_size()}"
        self._spare = torch.empty(x.shape[1:], dtype=x.dtype)  # of a row's size, which stays in the caches
        kind = getattr(torch, f"int{8 * x.element_size()}")
        self._x, self._out = x.view(kind), self.out.view(kind)

    def choose(self, i: int, j: int, mask: NDArray[Any]) -> None:
        other, out = self._x[j], self._out[i]
        kept = self._torch.from_numpy(-mask.astype(self._kind))
        self._torch.bitwise_xor(self._x[i], other, out=out).bitwise_and_(kept).bitwise_xor_(other)

    def add(self, i: int, j: int, weight: np.float64) -> None:
        own, other, out = self.x[i], self.x[j], self.out[i]
        if bits(self.x) < 32:
            rest = other.float().mul_(float(np.float32(1 - weight)))
            out.copy_(own.float().mul_(float(np.float32(weight))).add_(rest))
        else:
            self._torch.mul(own, float(weight), out=out)
            self._torch.mul(other, float(1 - weight), out=self._spare)
            out.add_(self._spare)


def large_rows(x: Array) -> LargeRows | None:
    """Room for a mix of x, if its rows are to be mixed one at a time; else None."""
    if type(x) is np.ndarray:  # pylint: disable=unidiomatic-typecheck  # others have indices of their own
        if x.dtype.kind in "biuf" and x.itemsize in _SIZES and x.nbytes >= LEAST * max(len(x), 1):
            return NumPyRows(x)
    torch = sys.modules.get("torch")
    if torch and type(x) is torch.Tensor and _is_plain(x, torch):
        if x.element_size() in _SIZES and x.numel() * x.element_size() >= LEAST * max(len(x), 1):
            return TorchRows(x, torch)
    return None


def _is_plain(x: Array, torch: Any) -> bool:
    """A tensor of numbers that lie in main memory, and of which no gradient is asked."""
    return bool(x.device.type == "cpu" and x.layout == torch.strided and x.dim() and not x.requires_grad
                and not x.is_complex() and not x.is_quantized)
