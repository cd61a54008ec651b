"""Recipes, and the masks and plans of their rows.

Part of the reference; see fmixref.py.
"""

from dataclasses import dataclass

import numpy as np

from refchoice import is_mixed, switched_method
from refmask import Mask, cutmix_mask, fmix_grey, fmix_mask, ones_of
from refmixing import round_to
from refstream import (TWO32, draw_lambda, first_index, method_index, pair,
                       round_lambda, row_indices, shared_indices)

# --- Recipes ----------------------------------------------------------------

# A method's place here is its code.
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
MASKED = ("fmix", "cutmix")
INTERPOLATING = ("mixup", "bc", "bcplus", "samplepairing")


@dataclass(frozen=True)
class Recipe:
    """How rows are drawn. `lam` is a caller's lambda, None draws.

    `method` is one name, or several with commas between, of which `policy`
    gives each batch one, or `switch`="sample" each row. `alpha` is one
    number, or one for each of them.
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
    prob: float = 1.0
    switch: str = "batch"

    def __post_init__(self):
        if self.lam is not None and self.reformulate:
            raise ValueError("a caller's lambda stands alone")
        if not set(self.methods) <= set(METHODS):
            raise ValueError(f"no method {self.method}")
        if isinstance(self.alpha, tuple) and (
                len(self.alpha) != len(self.methods)):
            raise ValueError("an alpha for each method, or one for all")
        if self.scope == "pair" and self.pairing != "flip":
            raise ValueError("pairs are those of the pairing flip")

    @property
    def methods(self):
        """Every method of the list."""
        return tuple(self.method.split(","))

    @property
    def softens(self):
        """Whether masks may hold weights between 0 and 1."""
        return self.soft > 0 and "fmix" in self.methods

    @property
    def varies(self):
        """Whether the rows of one batch can differ in their method."""
        return self.prob < 1 or (self.switch == "sample"
                                 and len(self.methods) > 1)

    def method_of(self, step):
        """The method of batch number `step`."""
        return self.methods[method_index(self.policy, self.seed, step,
                                         len(self.methods), self.weights)]

    def place_of(self, step, index):
        """Which method of the list a row has; None: it is not mixed."""
        if not is_mixed(self.seed, index, self.prob):
            return None
        count = len(self.methods)
        if self.switch == "sample":
            return switched_method(self.seed, index, count, self.weights)
        return method_index(self.policy, self.seed, step, count, self.weights)

    def lambda_of(self, index, place=0):
        """L of sample `index`, for the method at a place of the list."""
        if self.lam is not None:
            return round_lambda(self.lam)
        alpha = self.alpha[place] if isinstance(self.alpha, tuple) else (
            self.alpha)
        return draw_lambda(self.seed, index, alpha, self.reformulate)

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

    `rows` holds each row's mask, or the weight it has everywhere. An unmixed
    row has the method "none".
    """

    names: list
    pairing: list
    lam: list
    lam_eff: list
    rows: list
    masks: np.ndarray = None

    @property
    def name(self):
        """The method of all the rows; None where they differ."""
        return self.names[0] if len(set(self.names)) == 1 else None

    @property
    def method(self):
        """The method's code, once a row."""
        return [METHODS.index(name) for name in self.names]

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


def plan_rows(recipe, shape, step, count, index=None, *, indices=None,
              partners=None):
    """The same before its masks are encoded.

    `indices` are the rows' own t where these are not consecutive, and
    `partners` those that the pairing alone does not tell.
    """
    if indices is None:
        indices = row_indices(first_index(step, count, index), count)
    rows = [_plan_row(recipe, shape, step, t)
            for t in shared_indices(indices, recipe.scope)]
    if partners is None:
        partners = pair(recipe.pairing, recipe.seed, step, count)
    names, lam, lam_eff, masks = map(list, zip(*rows))
    return Plan(names, partners, lam, lam_eff, masks)


def _plan_row(recipe, shape, step, index):
    """Method, lambda, lambda_eff, and the mask or the weight of a row."""
    place = recipe.place_of(step, index)
    if place is None:
        return "none", 1.0, 1.0, 1.0
    name, number = recipe.methods[place], recipe.lambda_of(index, place)
    lam = number / TWO32
    if name in MASKED:
        mask = recipe.mask_of(index, shape, number, name)
        return name, lam, mask.ones / mask.bits.size, mask
    if name in ("samplepairing", "none"):
        return name, lam, 1.0, 0.5 if name == "samplepairing" else 1.0
    return name, lam, lam, lam
