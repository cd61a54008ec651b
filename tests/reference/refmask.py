"""Masks and grey images: STREAM.md 3 and 4.

Part of the reference; see fmixref.py. Every rank that shows in an answer is
decided: in float64 where the bound of its error allows, else exactly.
"""

import functools
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reffield import FIRST_EXACT_BITS, TIE_BITS, Field, settle
from refstream import BOX, TWO32, U, round_lambda, words

# --- Ranks ------------------------------------------------------------------


def largest(field, count):
    """The `count` largest places of a field as booleans, and the number of
    places that float64 could not tell apart.

    The true count-th value is within the bound of the approximate one, so
    whatever is further than twice the bound from that is decided.
    """
    if count in (0, field.size):
        return np.full(field.size, count > 0), 0
    values, bound = field.approximate()
    margin = 2 * (bound + field.geometry.tie)
    cut = np.partition(values, field.size - count)[field.size - count]
    chosen = values - cut > margin
    near = np.flatnonzero(abs(values - cut) <= margin)
    missing = count - int(chosen.sum())
    if missing == near.size:
        chosen[near] = True
        return chosen, 0
    by_value = near[np.argsort(values[near], kind="stable")].tolist()
    chosen[_select(field, by_value, missing)] = True
    return chosen, near.size


def _select(field, pixels, count):
    """The `count` largest of `pixels`, each comparison decided."""
    chosen = []
    while 0 < count < len(pixels):
        pivot = pixels[len(pixels) // 2]
        others = [pixel for pixel in pixels if pixel != pivot]
        sides = {True: [], False: []}
        for pixel in others:
            sides[bool(field.is_larger(pixel, pivot))].append(pixel)
        if len(sides[True]) >= count:
            pixels = sides[True]
        else:
            chosen += sides[True] + [pivot]
            count -= len(sides[True]) + 1
            pixels = sides[False]
    return chosen + pixels[:count]


def ordered(field, pixels):
    """`pixels` from the largest on, and how many float64 could not place.

    Neighbours further apart than twice the bound are decided; what lies
    closer together is a run, sorted by decided comparisons.
    """
    values, bound = field.approximate()
    margin = 2 * (bound + field.geometry.tie)
    pixels = pixels[np.argsort(-values[pixels], kind="stable")]
    gaps = np.flatnonzero(-np.diff(values[pixels]) > margin) + 1
    order, contested = [], 0
    for run in np.split(pixels, gaps):
        contested += run.size if run.size > 1 else 0
        order += sorted(run.tolist(), key=_decided(field))
    return order, contested


def _decided(field):
    """Larger first, as a key for sorting."""
    def compare(pixel, pivot):
        if pixel == pivot:
            return 0
        return -1 if field.is_larger(pixel, pivot) else 1
    return functools.cmp_to_key(compare)


# --- 3. FMix ----------------------------------------------------------------


@dataclass(frozen=True)
class Mask:
    """One mask, and how hard it was to decide.

    A hard one is 0 and 1 in uint8; a soft one holds multiples of 1/base.
    """

    bits: np.ndarray
    contested: int = 0
    exactly_settled: int = 0
    base: int = 1

    @property
    def ones(self):
        """How many elements are 1; of a soft mask, what they add up to."""
        return int(self.bits.sum(dtype=np.int64)) // self.base

    def as_type(self, name):
        """The weights, each rounded once to f16, f32 or f64."""
        if self.base == 1:
            return self.bits.astype(FLOATS[name])
        table = {n: round_fraction(Fraction(n, self.base), name)
                 for n in np.unique(self.bits).tolist()}
        weights = [table[n] for n in self.bits.ravel().tolist()]
        return np.array(weights, FLOATS[name]).reshape(self.bits.shape)


FLOATS = {"f16": "<f2", "f32": "<f4", "f64": "<f8"}
_PRECISIONS = {"f16": (11, 24), "f32": (24, 149), "f64": (53, 1074)}


def round_fraction(value, name):
    """A fraction in [0, 1] to the nearest number of a type, ties to even."""
    digits, finest = _PRECISIONS[name]
    places = digits
    if value:
        magnitude = value.denominator.bit_length()
        magnitude -= value.numerator.bit_length()
        places += magnitude - (value * 2**magnitude >= 1)
    places = min(places, finest)
    return math.ldexp(round(value * 2**places), -places)


def ones_of(lam, size):
    """How many elements of a mask of `size` are 1, for L = `lam`."""
    return (lam * size + 2**31) // TWO32


def soft_half(lam, size, soft):
    """h: half the number of ranks between 1 and 0."""
    count = ones_of(lam, size)
    return min(ones_of(round_lambda(soft), size), count, size - count)


def fmix_mask(seed, index, shape, lam, delta, frequency="pixel",
              spectrum="paper", soft=0.0):
    """The FMix mask of sample `index` for L = `lam`."""
    size = math.prod(shape)
    count = ones_of(lam, size)
    if count in (0, size):
        return Mask(np.full(shape, count > 0, dtype=np.uint8))
    field = Field(seed, index, shape, delta, frequency, spectrum)
    half = soft_half(lam, size, soft)
    if half >= 2:
        return _soft_mask(field, shape, count, half)
    chosen, contested = largest(field, count)
    bits = chosen.astype(np.uint8).reshape(shape)
    return Mask(bits, contested, field.exactly_settled)


def _soft_mask(field, shape, count, half):
    """Ranks count - half .. count + half - 1 fall evenly from 1 to 0."""
    outer, unsure_outer = largest(field, count + half)
    inner, unsure_inner = largest(field, count - half)
    band, unsure = ordered(field, np.flatnonzero(outer & ~inner))
    base = 2 * half - 1
    grades = inner * np.int64(base)
    grades[band] = base - np.arange(2 * half)
    return Mask(grades.reshape(shape), unsure_outer + unsure_inner + unsure,
                field.exactly_settled, base)


@dataclass(frozen=True)
class Grey:
    """One grey image in uint8, and how many pixels float64 left open."""

    levels: np.ndarray
    contested: int = 0


def fmix_grey(seed, index, shape, delta, frequency="pixel",
              spectrum="paper"):
    """G of sample `index` stretched over 0 .. 255."""
    field = Field(seed, index, shape, delta, frequency, spectrum)
    levels, contested = grey_levels(field)
    return Grey(levels.reshape(shape), contested)


def grey_levels(field):
    """Every level, flat, and how many were not settled in float64."""
    if field.is_constant or field.size == 1:
        return np.zeros(field.size, dtype=np.uint8), 0
    values, bound = field.approximate()
    lowest, highest = values.min(), values.max()
    lows = np.flatnonzero(values <= lowest + 2 * bound)
    highs = np.flatnonzero(values >= highest - 2 * bound)
    quotients, error = grey_float(values, bound)
    levels = np.clip(np.rint(quotients), 0, 255).astype(np.uint8)
    from_half = abs(quotients - np.floor(quotients) - 0.5)
    open_pixels = np.flatnonzero(from_half <= error)
    if open_pixels.size:
        levels[open_pixels] = grey_exact(field, open_pixels.tolist(),
                                         lows.tolist(), highs.tolist())
    return levels, open_pixels.size


def grey_float(values, bound):
    """255 (G - min) / (max - min) in float64, and a bound of its error.

    Numerator and denominator are each off by two bounds and the quotient is
    at most 1, so it is off by four bounds over the true denominator.
    """
    spread = values.max() - values.min()
    if spread <= 4 * bound:
        return np.zeros_like(values), 1.0
    error = 255 * (4 * bound / (spread - 2 * bound) + 16 * U)
    return 255 * ((values - values.min()) / spread), error


def grey_exact(field, pixels, lows, highs):
    """The levels of `pixels`; the extremes are among lows and highs."""
    bits, levels = FIRST_EXACT_BITS, None
    while levels is None:
        lowest = min(field.exact(pixel, bits) for pixel in lows)
        highest = max(field.exact(pixel, bits) for pixel in highs)
        levels = _levels([field.exact(pixel, bits) - lowest
                          for pixel in pixels], highest - lowest,
                         2 * field.exact_bound(), 2**(bits - TIE_BITS))
        bits *= 2
    return levels


def _levels(heights, spread, bound, tie):
    """The levels of heights over their spread, None unless all are sure."""
    apart = settle(spread, bound, tie)
    if apart == 0:
        return [0] * len(heights)
    if apart is None:
        return None
    error = Fraction(255 * 2 * bound, spread - bound)
    levels = [level(Fraction(255 * height, spread), error)
              for height in heights]
    return None if None in levels else levels


def level(quotient, error):
    """The nearest integer; what is too near a half is that half, to even."""
    below = math.floor(quotient)
    side = settle(quotient - below - Fraction(1, 2), error,
                  Fraction(1, 2**TIE_BITS))
    if side is None:
        return None
    return {1: below + 1, 0: below + below % 2, -1: below}[side]


# --- 4. CutMix --------------------------------------------------------------


def cut_side(side, dimensions, lam):
    """The largest r with r**D 2**32 <= side**D (2**32 - L)."""
    area = side**dimensions * (TWO32 - lam)
    low, high = 0, side
    while low < high:
        middle = (low + high + 1) // 2
        if middle**dimensions * TWO32 <= area:
            low = middle
        else:
            high = middle - 1
    return low


def cutmix_mask(seed, index, shape, lam, box="clipped"):
    """The CutMix mask of sample `index` for L = `lam`."""
    mask = np.ones(shape, dtype=np.uint8)
    cuts = [cut_side(side, len(shape), lam) for side in shape]
    drawn = words(seed, BOX, index, len(shape)).tolist()
    starts = [_BOXES[box](word, side, cut)
              for word, side, cut in zip(drawn, shape, cuts)]
    if all(cuts):
        mask[tuple(slice(max(start, 0), start + cut)
                   for start, cut in zip(starts, cuts))] = 0
    return Mask(mask)


def _clipped_start(word, side, cut):
    return word * side // TWO32 - cut // 2


def _inside_start(word, side, cut):
    return word * (side - cut + 1) // TWO32


_BOXES = {"clipped": _clipped_start, "inside": _inside_start}
