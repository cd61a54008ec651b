"""Dense targets: STREAM.md 13.

Part of the reference; see fmixref.py.
"""

import numpy as np

from refmixing import FLOATING, blend_row, type_name
from refrecipe import INTERPOLATING

_COPYING = ("mixup", "bc")  # where lambda is given as 0 or 1


def check_dense(recipe, name):
    """Refuses to blend what is a label at every place."""
    if name in FLOATING:
        return
    copies = recipe.lam in (0.0, 1.0)
    for method in set(recipe.methods) & set(INTERPOLATING):
        if not (copies and method in _COPYING):
            raise ValueError(f"{method} would blend dense {name}")
    if recipe.softens and not copies:
        raise ValueError(f"a soft mask would blend dense {name}")


def dense_layout(target, shape, layout):
    """Where a target has its channels, if any. Its sides are checked."""
    layout = "none" if target.ndim == 1 + len(shape) else layout
    spatial = {"none": target.shape[1:],
               "channels_first": target.shape[2:],
               "channels_last": target.shape[1:-1]}[layout]
    if spatial != tuple(shape):
        raise ValueError(f"rows of {target.shape[1:]} beside {shape} of x")
    return layout


def mix_dense(recipe, planned, target, layout, shape, target2=None):
    """A target as its rows are mixed, with target2 if there is one."""
    name = type_name(target)
    check_dense(recipe, name)
    layout = dense_layout(target, shape, layout)
    other = target[planned.pairing] if target2 is None else target2
    return np.stack([
        blend_dense(method, row, own, partner, layout, name)
        for method, row, own, partner in zip(planned.names, planned.rows,
                                             target, other)])


def blend_dense(method, row, own, partner, layout, name):
    """One row of a target and its partner's: a lambda of 0 or 1 copies."""
    if name not in FLOATING and method in _COPYING:
        return own if row == 1 else partner
    return blend_row(method, row, own, partner, layout, name)
