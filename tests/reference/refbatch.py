"""Mixed batches: rows that are uploaded, mixed and labelled.

Part of the reference; see fmixref.py.
"""

from dataclasses import dataclass

import numpy as np

from refchoice import CLASS_PAIRINGS, class_partners, first_classes
from refdense import mix_dense
from refmixing import (FLOATING, blend_row, is_floating, mix_labels,
                       mix_values, prepare, type_name)
from refrecipe import INTERPOLATING, encode, plan_rows
from refsequence import padded
from refstream import first_index, row_indices

SPATIAL = {"channels_first": slice(2, None),
            "channels_last": slice(1, -1),
            "none": slice(1, None)}


@dataclass(frozen=True)
class Mixed:
    """The answer of the mix resource."""

    mixed: np.ndarray
    pairing: list
    lam: list
    lam_eff: list
    contested: int = 0
    masks: np.ndarray = None
    labels: object = None
    method: list = None
    dense: dict = None
    lengths: list = None


def mix(recipe, x, step, layout="none", index=None, *, x2=None,
        out_dtype=None, mean=None, std=None, mask_dtype="f32", dense=None,
        dense2=None, indices=None, partners=None, pad_value=0.0, **labels):
    """Batch number `step`, whose rows are x, mixed, with x2 if there is one.

    x is an array, or a list of arrays of several lengths. `indices` are the
    rows' own t where these are not consecutive; `partners` says what x2 is.
    `dense` holds targets by name, `labels` are those of batch_labels: y, y2,
    classes, smoothing.
    """
    if indices is None:
        indices = row_indices(first_index(step, len(x), index), len(x))
    if partners is None:
        partners = _partners(recipe, x2 is not None, indices, **labels)
    first, other = _prepared(x, x2, pad_value, (out_dtype, mean, std, layout))
    shape = first.shape[SPATIAL[layout]]
    planned = plan_rows(recipe, shape, step, len(x), indices=indices,
                        partners=partners)
    out = out_dtype or type_name(first)
    check_types(recipe, type_name(first), out)
    other = first[planned.pairing] if x2 is None else other
    mixed = [blend_row(name, row, own, partner, layout, out) for
             name, row, own, partner in zip(planned.names, planned.rows, first,
                                            other)]
    return Mixed(np.stack(mixed), planned.pairing, planned.lam,
                 planned.lam_eff, planned.contested,
                 _mask_part(recipe, planned, shape, mask_dtype),
                 batch_labels(recipe, planned, x2 is not None, **labels),
                 planned.method,
                 {name: mix_dense(recipe, planned, target, layout, shape,
                                  dense2 and dense2[name])
                  for name, target in (dense or {}).items()},
                 _lengths(x, layout) if isinstance(x, list) else None)


def _partners(recipe, foreign, indices, y=None, classes=None, **_):
    """Whom the rows are mixed with; None: the pairing alone tells."""
    if recipe.pairing in CLASS_PAIRINGS:
        if foreign:
            raise ValueError("partners that are given have no pairing")
        return class_partners(recipe.pairing, recipe.seed, indices,
                              first_classes(y, classes))
    return list(range(len(indices))) if foreign else None


def _prepared(x, x2, pad_value, how):
    """Both sides before mixing: sequences are padded behind, to one length."""
    if not isinstance(x, list):
        return prepare(x, *how), None if x2 is None else prepare(x2, *how)
    sides = [[prepare(row[np.newaxis], *how)[0] for row in side]
             for side in (x, x2 or [])]
    layout = how[-1]
    longest = max(_lengths(sides[0] + sides[1], layout))
    return [padded(side, longest, pad_value, _length_side(layout)) if side
            else None for side in sides]


def _length_side(layout):
    """The side of a row that is its length."""
    return 1 if layout == "channels_first" else 0


def _lengths(rows, layout):
    return [row.shape[_length_side(layout)] for row in rows]


def _mask_part(recipe, planned, shape, dtype):
    return encode(recipe, planned.rows, shape, dtype) if dtype else None


def check_types(recipe, name, out):
    """Refuses what has no meaning: blended token ids, BC+ of integers."""
    if "bcplus" in recipe.methods and name not in FLOATING:
        raise ValueError("bcplus wants floating x")
    blends = recipe.softens or set(recipe.methods) & set(INTERPOLATING)
    if blends and name not in FLOATING + ("u8",) and out not in FLOATING:
        raise ValueError(f"{name} is not interpolated")


def batch_labels(recipe, planned, foreign=False, y=None, y2=None,
                 classes=None, smoothing=0.0):
    """Mixed labels; several heads are dictionaries of y and of classes.

    Floats, one a row, without a number of classes, are values.
    """
    if y is None:
        return None
    if isinstance(y, dict):
        return {head: batch_labels(
            recipe, planned, foreign, y[head], y2 and y2[head],
            classes and classes.get(head), smoothing) for head in y}
    weights = [
        full if recipe.correct or name in ("samplepairing", "none") else lam
        for name, lam, full in zip(planned.names, planned.lam,
                                   planned.lam_eff)]
    other = y2 if foreign else y[planned.pairing]
    if y.ndim == 1 and is_floating(y) and not classes:
        return mix_values(y, other, weights)
    return mix_labels(y, other, weights, classes, smoothing)
