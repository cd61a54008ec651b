"""An independent reference of stream v1, for tests only.

Follows STREAM.md section by section and shares nothing with the C
library. Whatever is integral is done in Python integers and fractions;
whatever is real is approximated with a stated error bound and, where that
bound cannot settle a decision, computed again with more precision.

    refstream   words, lambda, pairing, addressing, policies: 1, 2, 5, 6, 7
    reffield    the image G and its bounds: 3
    refmask     ranks, masks hard and soft, grey images, boxes: 3, 4
    refmixing   the arithmetic of mixing and labels, types: 8
    fmixref     recipes and whole answers: masks, plans, mixed batches
"""

from dataclasses import dataclass

import numpy as np

from reffield import *  # noqa: F401,F403
from refmask import *  # noqa: F401,F403
from refmask import Mask, cutmix_mask, fmix_grey, fmix_mask, ones_of
from refmixing import *  # noqa: F401,F403
from refmixing import (FLOATING, TYPES, average, blend_bcplus, blend_soft,
                       choose, convert, interpolate, mix_labels, prepare,
                       round_to, type_name)
from refstream import *  # noqa: F401,F403
from refstream import (TWO32, draw_lambda, first_index, method_index, pair,
                       round_lambda, row_indices)

# --- Recipes ----------------------------------------------------------------

# A method's place here is its code.
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
MASKED = ("fmix", "cutmix")
INTERPOLATING = ("mixup", "bc", "bcplus", "samplepairing")


@dataclass(frozen=True)
class Recipe:
    """How rows are drawn. `lam` is a caller's lambda, None draws.

    `method` is one name, or several with commas between, of which `policy`
    gives each batch one.
    """

    seed: int = 0
    method: str = "fmix"
    alpha: float = 1.0
    lam: float = None
    reformulate: bool = False
    delta: float = 3.0
    frequency: str = "pixel"
    scope: str = "sample"
    soft: float = 0.0
    spectrum: str = "paper"
    box: str = "clipped"
    pairing: str = "permutation"
    policy: str = "alternate"
    weights: tuple = None
    correct: bool = True

    def __post_init__(self):
        if self.lam is not None and self.reformulate:
            raise ValueError("a caller's lambda stands alone")
        if not set(self.methods) <= set(METHODS):
            raise ValueError(f"no method {self.method}")

    @property
    def methods(self):
        """Every method of the list."""
        return tuple(self.method.split(","))

    @property
    def softens(self):
        """Whether masks may hold weights between 0 and 1."""
        return self.soft > 0 and "fmix" in self.methods

    def method_of(self, step):
        """The method of batch number `step`."""
        return self.methods[method_index(self.policy, self.seed, step,
                                         len(self.methods), self.weights)]

    def lambda_of(self, index):
        """L of sample `index`."""
        if self.lam is not None:
            return round_lambda(self.lam)
        return draw_lambda(self.seed, index, self.alpha, self.reformulate)

    def mask_of(self, index, shape, lam, method=None):
        """The mask of sample `index` for L = `lam`."""
        if (method or self.method) == "cutmix":
            return cutmix_mask(self.seed, index, shape, lam, self.box)
        return fmix_mask(self.seed, index, shape, lam, self.delta,
                         self.frequency, self.spectrum, self.soft)


# --- Masks ------------------------------------------------------------------


@dataclass(frozen=True)
class Masks:
    """The answer of the masks resource."""

    masks: np.ndarray
    lam: list
    lam_eff: list
    ones: list
    contested: int
    exactly_settled: int


def make_masks(recipe, shape, index, count, dtype=None):
    """`count` masks from sample `index` on; `contested` counts masks.

    Without a dtype 0 and 1 in uint8, or float32 where masks are soft.
    """
    indices = row_indices(index, count, recipe.scope)
    lams = [recipe.lambda_of(t) for t in indices]
    rows = [recipe.mask_of(t, shape, lam) for t, lam in zip(indices, lams)]
    return Masks(masks=encode(recipe, rows, shape, dtype),
                 lam=[lam / TWO32 for lam in lams],
                 lam_eff=[row.ones / row.bits.size for row in rows],
                 ones=[row.ones for row in rows],
                 contested=sum(row.contested > 0 for row in rows),
                 exactly_settled=sum(row.exactly_settled for row in rows))


def make_greys(recipe, shape, index, count, dtype="u8"):
    """The images before the threshold instead, which needs no lambda."""
    indices = row_indices(index, count, recipe.scope)
    lams = [recipe.lambda_of(t) for t in indices]
    rows = [fmix_grey(recipe.seed, t, shape, recipe.delta, recipe.frequency,
                      recipe.spectrum) for t in indices]
    levels = np.stack([row.levels for row in rows])
    if dtype != "u8":
        levels = round_to(levels / 255.0, dtype)
    ones = [ones_of(lam, levels[0].size) for lam in lams]
    return Masks(masks=levels, lam=[lam / TWO32 for lam in lams],
                 lam_eff=[number / levels[0].size for number in ones],
                 ones=ones, contested=sum(row.contested > 0 for row in rows),
                 exactly_settled=sum(row.contested for row in rows))


def pack(masks):
    """Masks as bits, each packed by itself."""
    return np.packbits(masks.reshape(len(masks), -1), axis=1)


def encode(recipe, rows, shape, dtype=None):
    """Rows, each a mask or one weight for everywhere, in a dtype of masks."""
    dtype = dtype or ("f32" if recipe.softens else "u8")
    if dtype not in ("u8", "bits"):
        return np.stack([_as_floats(row, shape, dtype) for row in rows])
    if recipe.softens:
        raise ValueError("u8 and bits hold no soft masks")
    masks = np.stack([row.bits if isinstance(row, Mask)
                      else np.ones(shape, dtype=np.uint8) for row in rows])
    return pack(masks) if dtype == "bits" else masks


def _as_floats(row, shape, dtype):
    if isinstance(row, Mask):
        return row.as_type(dtype)
    return np.broadcast_to(round_to(np.float64(row), dtype), shape)


# --- Plans ------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """One batch: every row's partner, lambda, mask and method.

    `rows` holds each row's mask, or the weight it has everywhere.
    """

    name: str
    pairing: list
    lam: list
    lam_eff: list
    rows: list
    masks: np.ndarray = None

    @property
    def method(self):
        """The method's code, once a row."""
        return [METHODS.index(self.name)] * len(self.pairing)

    @property
    def contested(self):
        """How many masks float64 could not decide."""
        return sum(row.contested > 0 for row in self.rows
                   if isinstance(row, Mask))


def make_plan(recipe, shape, step, count, index=None, dtype="f32"):
    """The plan of batch number `step` of `count` rows."""
    planned = plan_rows(recipe, shape, step, count, index)
    masks = encode(recipe, planned.rows, shape, dtype)
    return Plan(**{**vars(planned), "masks": masks})


def make_plans(recipe, shape, step, steps, count, index=None, dtype="f32"):
    """The plans of `steps` batches from number `step` on."""
    first = first_index(step, count, index)
    return [make_plan(recipe, shape, step + i, count, first + i * count,
                      dtype) for i in range(steps)]


def plan_rows(recipe, shape, step, count, index=None):
    """The same before its masks are encoded."""
    first = first_index(step, count, index)
    indices = row_indices(first, count, recipe.scope)
    name = recipe.method_of(step)
    lams = [recipe.lambda_of(t) for t in indices]
    lam = [lam / TWO32 for lam in lams]
    partners = pair(recipe.pairing, recipe.seed, step, count)
    if name in MASKED:
        rows = [recipe.mask_of(t, shape, lam, name)
                for t, lam in zip(indices, lams)]
        return Plan(name, partners, lam,
                    [row.ones / row.bits.size for row in rows], rows)
    everywhere = {"samplepairing": [0.5] * count, "none": [1.0] * count}
    own = [1.0] * count if name in everywhere else lam
    return Plan(name, partners, lam, own, everywhere.get(name, lam))


# --- Mixed batches ----------------------------------------------------------

_SPATIAL = {"channels_first": slice(2, None),
            "channels_last": slice(1, -1),
            "none": slice(1, None)}
_CHANNELS = {"channels_first": 0, "channels_last": -1}


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


def mix(recipe, x, step, layout="none", index=None, *, x2=None,
        out_dtype=None, mean=None, std=None, mask_dtype="f32", **labels):
    """Batch number `step`, whose rows are x, mixed, with x2 if there is one.

    `labels` are those of batch_labels: y, y2, classes, smoothing.
    """
    shape = x.shape[_SPATIAL[layout]]
    planned = plan_rows(recipe, shape, step, len(x), index)
    if x2 is not None:
        planned = Plan(**{**vars(planned), "pairing": list(range(len(x)))})
    first = prepare(x, out_dtype, mean, std, layout)
    other = first[planned.pairing] if x2 is None else prepare(
        x2, out_dtype, mean, std, layout)
    out = out_dtype or type_name(first)
    check_types(recipe, type_name(first), out)
    mixed = [blend_row(planned.name, row, own, partner, layout, out)
             for row, own, partner in zip(planned.rows, first, other)]
    return Mixed(np.stack(mixed), planned.pairing, planned.lam,
                 planned.lam_eff, planned.contested,
                 _mask_part(recipe, planned, shape, mask_dtype),
                 batch_labels(recipe, planned, x2 is not None, **labels),
                 planned.method)


def _mask_part(recipe, planned, shape, dtype):
    return encode(recipe, planned.rows, shape, dtype) if dtype else None


def check_types(recipe, name, out):
    """Refuses what has no meaning: blended token ids, BC+ of integers."""
    if "bcplus" in recipe.methods and name not in FLOATING:
        raise ValueError("bcplus wants floating x")
    blends = recipe.softens or set(recipe.methods) & set(INTERPOLATING)
    if blends and name not in FLOATING + ("u8",) and out not in FLOATING:
        raise ValueError(f"{name} is not interpolated")


def blend_row(name, row, x1, x2, layout, out):
    """One row and its partner, mixed by a named method."""
    if name in MASKED:
        return _blend_masked(row, x1, x2, layout, out)
    if name == "none":
        return convert(x1, out)
    if name == "samplepairing":
        return average(x1, x2, out)
    if name == "bcplus":
        return blend_bcplus(x1, x2, row, out)
    return interpolate(x1[np.newaxis], x2[np.newaxis], [row], out)[0]


def _blend_masked(mask, x1, x2, layout, out):
    weights = mask.bits if mask.base == 1 else mask.as_type("f64")
    if layout in _CHANNELS:
        weights = np.expand_dims(weights, _CHANNELS[layout])
    if mask.base == 1:
        return convert(choose(weights, x1, x2), out)
    return blend_soft(x1, x2, weights, out)


def batch_labels(recipe, planned, foreign=False, y=None, y2=None,
                 classes=None, smoothing=0.0):
    """Mixed labels; several heads are dictionaries of y and of classes."""
    if y is None:
        return None
    if isinstance(y, dict):
        return {head: batch_labels(
            recipe, planned, foreign, y[head], y2 and y2[head],
            classes and classes.get(head), smoothing) for head in y}
    weights = planned.lam_eff
    if not recipe.correct and planned.name not in ("samplepairing", "none"):
        weights = planned.lam
    other = y2 if foreign else y[planned.pairing]
    return mix_labels(y, other, weights, classes, smoothing)
