"""Views of pictures, which window and where: STREAM.md 9.

Part of the reference; see fmixref.py. Sides are decided by fractions where
they can be half way between integers, and by interval bounds elsewhere.
"""

import dataclasses
import math
from fractions import Fraction

import mpmath
import numpy as np

from refresize import resized
from refstream import LIGHT, TWO32, U, VIEW, words

ATTEMPTS = 10
OTHER_WORDS = {"view": 64, "flip": 16}  # the first words that a neighbour takes


@dataclasses.dataclass(frozen=True)
class View:
    """How a data set's pictures become samples of one size."""

    size: tuple
    kind: str = "random"
    area: tuple = (0.08, 1.0)
    ratio: tuple = (3 / 4, 4 / 3)
    short: int | None = None
    filter: str = "bilinear"
    flip: bool = False


# --- view=random ------------------------------------------------------------


def random_window(seed, index, sides, view, neighbour=False):
    """The window (top, left, height, width) of a picture of `sides`."""
    first = OTHER_WORDS["view"] if neighbour else 0
    drawn = words(seed, VIEW, index, first + 4 * ATTEMPTS).tolist()[first:]
    for k in range(ATTEMPTS):
        share, power, *places = drawn[4 * k:4 * k + 4]
        window = drawn_sides(sides, view, share, power)
        if all(1 <= wanted <= side for wanted, side in zip(window, sides)):
            return (*(word * (side - wanted + 1) // TWO32 for word, wanted, side
                      in zip(places, window, sides)), *window)
    window = fallback_sides(sides, view.ratio)
    return (*((side - wanted) // 2 for wanted, side in zip(window, sides)),
            *window)


def drawn_sides(sides, view, share, power):
    """Height and width by two words: the roots of A/r and A*r, rounded."""
    low, high = map(Fraction, view.area)
    area = sides[0] * sides[1] * (low + (high - low) * Fraction(share, TWO32))
    return (rounded_root(area, view.ratio, power, -1),
            rounded_root(area, view.ratio, power, 1))


def rounded_root(area, ratio, power, sign):
    """sqrt(area * r**sign) to the nearest integer, ties to even.

    r = ratio[0] * (ratio[1] / ratio[0]) ** (power / 2**32).
    """
    guess, bound = _root_float(area, ratio, power, sign)
    if _settled(guess, bound):
        return math.floor(guess + 0.5)
    exact = rational_ratio(ratio, power)
    if exact is not None:
        return nearest_root(area * exact**sign)
    precision = 128
    while True:
        with mpmath.workprec(precision):
            guess = _root_exact(area, ratio, power, sign)
            bound = mpmath.ldexp(guess + 1, 12 - precision)
            if _settled(guess, bound):
                return int(mpmath.floor(guess + 0.5))
        precision *= 2


def _settled(guess, bound):
    """Whether all numbers within `bound` have the same nearest integer."""
    return abs(guess - math.floor(guess) - 0.5) > bound


def _root_float(area, ratio, power, sign):
    """In float64, with a bound of its error.

    The exponent is off by a few u times its size plus 1, which the root of
    the exponential takes on relatively; every other step adds a few u.
    """
    exponent = math.log(ratio[1] / ratio[0]) * (power / TWO32)
    root = math.sqrt(float(area) * (ratio[0] * math.exp(exponent))**sign)
    return root, root * (abs(exponent) + 16) * 8 * U


def _root_exact(area, ratio, power, sign):
    """The same with mpmath's digits."""
    low, high = map(mpmath.mpf, ratio)
    r = low * (high / low)**(mpmath.mpf(power) / TWO32)
    return mpmath.sqrt(mpmath.mpf(area.numerator) / area.denominator * r**sign)


def rational_ratio(ratio, power):
    """r as a fraction, or None where it is irrational.

    The exponent is odd over 2**j in lowest terms, so r is rational only if
    (ratio[1] / ratio[0]) has a rational root of degree 2**j.
    """
    low, high = map(Fraction, ratio)
    exponent, root = Fraction(power, TWO32), high / low
    if root == 1:
        return low
    for _ in range(exponent.denominator.bit_length() - 1):
        parts = math.isqrt(root.numerator), math.isqrt(root.denominator)
        if Fraction(*parts)**2 != root:
            return None
        root = Fraction(*parts)
    return low * root**exponent.numerator


def nearest_root(square):
    """The root of a fraction to the nearest integer, ties to even."""
    below = math.isqrt(math.floor(square))
    half = Fraction(2 * below + 1, 2)**2
    up = square > half or (square == half and below % 2)
    return below + 1 if up else below


def fallback_sides(sides, ratio):
    """Height and width where no draw gave a window."""
    height, width = sides
    low, high = map(Fraction, ratio)
    if Fraction(width, height) < low:
        height = round(width / low)
    elif Fraction(width, height) > high:
        width = round(height * high)
    return tuple(min(max(wanted, 1), side)
                 for wanted, side in zip((height, width), sides))


# --- view=center ------------------------------------------------------------


def center_sides(sides, size, short=None):
    """The sides of the resized picture."""
    short = short or 8 * min(size) // 7
    return tuple(short if side == min(sides) else short * side // min(sides)
                 for side in sides)


def center_place(side, wanted):
    """Zeros before and behind a side, and where the view begins then."""
    missing = max(wanted - side, 0)
    return (missing // 2, missing - missing // 2,
            round(Fraction(side + missing - wanted, 2)))


# --- Views ------------------------------------------------------------------


def is_flipped(seed, index, neighbour=False):
    """Whether columns are reversed, if flipping is asked for."""
    word = 2 + (OTHER_WORDS["flip"] if neighbour else 0)
    return int(words(seed, LIGHT, index, word + 1)[word]) < 2**31


def viewed(picture, view, seed=0, index=0, neighbour=False):
    """The view of a picture: an array [height, width] or with channels."""
    made = _VIEWS[view.kind](picture, view, seed, index, neighbour)
    mirrored = view.flip and is_flipped(seed, index, neighbour)
    return made[:, ::-1] if mirrored else made


def _random(picture, view, seed, index, neighbour):
    top, left, height, width = random_window(seed, index, picture.shape[:2],
                                             view, neighbour)
    cut = picture[top:top + height, left:left + width]
    return resized(cut, view.size, view.filter)


def _center(picture, view, *_):
    sides = center_sides(picture.shape[:2], view.size, view.short)
    made = resized(picture, sides, view.filter)
    for axis, wanted in enumerate(view.size):
        before, behind, start = center_place(sides[axis], wanted)
        room = [(0, 0)] * made.ndim
        room[axis] = before, behind
        made = np.pad(made, room)
        made = made.take(range(start, start + wanted), axis)
    return made


def _stretch(picture, view, *_):
    return resized(picture, view.size, view.filter)


_VIEWS = {"random": _random, "center": _center, "stretch": _stretch}
