"""Labels, mixed as their rows are."""

import numpy as np

from .arrays import is_torch, kind, like, namespace
from .blend import interpolate


class Labels:
    """How labels are mixed: classes, smoothing and correct are those of a Mixer."""

    def __init__(self, classes, smoothing, correct):
        self.classes, self.smoothing, self.correct = classes, smoothing, correct

    def mixed(self, plan, y):
        """Those of a batch, or of each head of a dictionary."""
        if isinstance(y, dict):
            return {name: self._head(plan, head, self._classes_of(name), name) for name, head in y.items()}
        return self._head(plan, y, self.classes, "y")

    def _classes_of(self, name):
        return self.classes.get(name) if isinstance(self.classes, dict) else self.classes

    def _head(self, plan, y, classes, name):
        """Float rows of one head, mixed."""
        if isinstance(classes, dict):
            raise ValueError("classes is a dictionary, so y must be one, with the same names")
        if not hasattr(y, "shape"):
            raise TypeError(f"{name} is a {type(y).__name__}; give an array or a tensor")
        shape, letter = tuple(y.shape), kind(y)
        if len(shape) not in (1, 2) or shape[0] != len(plan.pairing):
            raise ValueError(f"{name} has the shape {shape}; it must have {len(plan.pairing)} rows, of class numbers "
                             "or of floats")
        share = plan.lam_eff if self.correct else np.where(plan.chooses, plan.lam, plan.lam_eff)
        single = len(shape) == 1 or (shape[1] == 1 and letter != "b")
        if classes is None:
            if single and letter != "f":
                raise ValueError(f"{name} holds class numbers: tell Mixer how many `classes` there are")
        elif single and letter == "f" and len(shape) == 2 and classes > 1:
            raise ValueError(f"{name} has the shape {shape} and is of {y.dtype}: class numbers, or one value a row? "
                             "Make it integers for the first, and leave out `classes` for the second")
        elif single:
            return one_hot(y.reshape(-1), plan.pairing, share, classes, self.smoothing, name)
        elif shape[1] != classes:
            raise ValueError(f"{name} has the shape {shape}, but there are {classes} classes")
        return mixed_rows(y, plan.partners(), share, self._smoothing_of(y, name), name)

    def _smoothing_of(self, y, name):
        """Of a head; values have none."""
        if len(y.shape) == 2:
            return self.smoothing
        if self.smoothing and name == "y":
            raise ValueError("y holds one value a row, and smoothing is for classes: leave it out, or tell Mixer how "
                             "many `classes` there are")
        return 0


def one_hot(y, pairing, share, classes, smoothing, name):
    """Float32 [n, classes] of class numbers, mixed and smoothed, where y is."""
    space = namespace(y)
    if is_torch(space) and kind(y) == "f":
        y = y.double()  # in which every type can be rounded
    if kind(y) == "f" and bool((y != y.round()).any()):
        raise ValueError(f"{name} holds floats that are not whole numbers, so they are not class numbers: give rows "
                         "of floats, or leave out `classes`")
    low, high = (int(y.min()), int(y.max())) if len(y) else (0, 0)
    if low < 0 or high >= classes:
        raise ValueError(f"{name} holds {low if low < 0 else high}; class numbers go from 0 to {classes - 1}")
    share = (share * (1 - smoothing)).astype("f4"), ((1 - share) * (1 - smoothing)).astype("f4")
    if is_torch(space):
        own = y.long()[:, None]
        mixed = space.full((len(y), classes), smoothing / classes, device=y.device)
        mixed.scatter_add_(1, own, like(share[0], y)[:, None])
        return mixed.scatter_add_(1, own[like(pairing, y)], like(share[1], y)[:, None])
    own = np.asarray(y).astype("i8")
    mixed, rows = np.full((len(own), classes), smoothing / classes, "f4"), np.arange(len(own))
    mixed[rows, own] += share[0]
    mixed[rows, own[pairing]] += share[1]
    return mixed if space is np else like(mixed, y)


def mixed_rows(y, pairing, share, smoothing, name):
    """Rows of values, mixed in their own floating type; integers and truths as float32."""
    space = namespace(y)
    if kind(y) == "i" and len(y) and not (0 <= int(y.min()) and int(y.max()) <= 1):
        raise ValueError(f"{name} holds integers from {int(y.min())} to {int(y.max())} in {y.shape[1]} columns: rows "
                         "of 0 and 1, or a column for each of several heads? Give other weights as floats, and heads "
                         "as a dictionary")
    if kind(y) != "f":
        y = y.float() if is_torch(space) else y.astype("f4" if space is np else space.float32)
    if smoothing:
        y = (1 - smoothing) * y + smoothing / y.shape[1]
    return interpolate(y, pairing, share)
