"""Labels, mixed as their rows are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, kind_of, library_of
from .plans import Plan


class Labels:
    """How labels are mixed: classes, smoothing and correct are those of a Mixer."""

    def __init__(self, classes: int | dict[Any, int] | None, smoothing: float, correct: bool) -> None:
        self.classes, self.smoothing, self.correct = classes, smoothing, correct

    def mixed(self, plan: Plan, y: Array | dict[Any, Array]) -> Array | dict[Any, Array]:
        """Those of a batch, or of each head of a dictionary."""
        if isinstance(y, dict):
            return {name: self._head(plan, head, self._classes_of(name), str(name)) for name, head in y.items()}
        if isinstance(self.classes, dict):
            raise ValueError("classes is a dictionary, so y must be one, with the same names")
        return self._head(plan, y, self.classes, "y")

    def _classes_of(self, name: Any) -> int | None:
        return self.classes.get(name) if isinstance(self.classes, dict) else self.classes

    def _head(self, plan: Plan, y: Array, classes: int | None, name: str) -> Array:
        """Float rows of one head, mixed."""
        if not hasattr(y, "shape"):
            raise TypeError(f"{name} is a {type(y).__name__}; give an array or a tensor")
        shape, kind = tuple(y.shape), kind_of(y)
        if kind == "?":
            raise TypeError(f"{name} is of {y.dtype}; give class numbers, or rows of floats")
        if len(shape) not in (1, 2) or shape[0] != len(plan.pairing):
            raise ValueError(f"{name} has the shape {shape}; it must have {len(plan.pairing)} rows, of class numbers "
                             "or of floats")
        share = plan.lam_eff if self.correct else np.where(plan.chooses, plan.lam, plan.lam_eff)
        # A column of floats or truths is rows of one value, as the daemon has it; one of integers is class numbers.
        single = len(shape) == 1 or (shape[1] == 1 and kind == "i")
        if classes is None:
            if single and kind != "f":
                raise ValueError(f"{name} holds class numbers: tell Mixer how many `classes` there are")
        elif len(shape) == 2 and shape[1] == 1 and kind == "f" and classes > 1:
            raise ValueError(f"{name} has the shape {shape} and is of {y.dtype}: class numbers, or one value a row? "
                             "Make it integers for the first, and leave out `classes` for the second")
        elif single:
            return _one_hot(y, plan.pairing, share, classes, self.smoothing, name)
        elif shape[1] != classes:
            raise ValueError(f"{name} has the shape {shape}, but there are {classes} classes")
        return _mixed_rows(y, plan.partners(), share, self._smoothing_of(y, name), name)

    def _smoothing_of(self, y: Array, name: str) -> float:
        """The smoothing of a head; values have none."""
        if len(y.shape) == 2:
            return self.smoothing
        if self.smoothing and name == "y":
            raise ValueError("y holds one value a row, and smoothing is for classes: leave it out, or tell Mixer how "
                             "many `classes` there are")
        return 0


def _one_hot(y: Array, pairing: NDArray[Any], share: NDArray[Any], classes: int, smoothing: float, name: str) -> Array:
    """Float32 [n, classes] of class numbers, mixed and smoothed, where y is."""
    library = library_of(y)
    if len(y.shape) == 2:
        y = y.reshape(-1) if hasattr(y, "reshape") else library.space.reshape(y, (-1,))
    low, high, whole = library.extent(y)
    if not whole:
        raise ValueError(f"{name} holds floats that are not whole numbers, so they are not class numbers: give rows "
                         "of floats, or leave out `classes`")
    if low < 0 or high >= classes:
        raise ValueError(f"{name} holds {int(low if low < 0 else high)}; class numbers go from 0 to {classes - 1}")
    own, partner = (share * (1 - smoothing)).astype("f4"), ((1 - share) * (1 - smoothing)).astype("f4")
    return library.one_hot(y, pairing, (own, partner), classes, smoothing / classes)


def _mixed_rows(y: Array, pairing: NDArray[Any], share: NDArray[Any], smoothing: float, name: str) -> Array:
    """Rows of values, mixed in their own floating type; integers and truths as float32."""
    library = library_of(y)
    if kind_of(y) == "i":
        low, high, _ = library.extent(y)
        if low < 0 or high > 1:
            raise ValueError(f"{name} holds integers from {low} to {high} in {y.shape[1]} columns: rows of 0 and 1, or "
                             "a column for each of several heads? Give other weights as floats, and heads as a "
                             "dictionary")
    if kind_of(y) != "f":
        y = library.cast(y, "float32")
    if smoothing:
        y = (1 - smoothing) * y + smoothing / y.shape[1]
    return library.interpolate(y, pairing, share)
