"""Choices of a row, and partners by class or neighbourhood: STREAM.md 10, 11.

Part of the reference; see fmixref.py. Everything here is integral. The
candidates are searched as the text says, in O(n^2).
"""

from fractions import Fraction

from refmixing import is_floating
from refstream import (CHOICE, PARTNER, TWO32, draw_below, weighted_choice,
                       word_stream, words)

# --- 10. Choices of a row ---------------------------------------------------


def probability_of(prob):
    """P: words below it mix a row."""
    if not 0 <= prob <= 1:
        raise ValueError("a probability is from 0 to 1")
    return round(Fraction(prob) * TWO32)


def is_mixed(seed, index, prob):
    """Whether the row that draws by `index` is mixed."""
    return int(words(seed, CHOICE, index, 1)[0]) < probability_of(prob)


def switched_method(seed, index, count, weights=None):
    """Which of `count` methods the row that draws by `index` has."""
    word = int(words(seed, CHOICE, index, 2)[1])
    return weighted_choice(word, count, weights)


# --- 11. Partners by class or neighbourhood ---------------------------------

CLASS_PAIRINGS = ("other_class", "same_class")


def draw_partner(seed, index, limit):
    """A number below `limit`, for the row with t = `index`."""
    return draw_below(word_stream(seed, PARTNER, index), limit)


def class_partners(pairing, seed, indices, classes):
    """Whom each row is mixed with, of another class or of its own.

    `indices` are the rows' own t, which no scope shares.
    """
    partners = []
    for i, (index, own) in enumerate(zip(indices, classes)):
        candidates = [j for j, other in enumerate(classes) if j != i
                      and (other == own) == (pairing == "same_class")]
        partners.append(candidates[draw_partner(seed, index, len(candidates))]
                        if candidates else i)
    return partners


def neighbour_partners(seed, indices, samples, neighbours):
    """The sample that each row's sample is mixed with, of its neighbours."""
    return [int(neighbours[sample][draw_partner(seed, index,
                                                len(neighbours[sample]))])
            for index, sample in zip(indices, samples)]


def first_classes(y, classes=None):
    """The class of each row by the first head that has class numbers.

    Labels and numbers of classes as batch_labels has them.
    """
    heads = y if isinstance(y, dict) else {"": y}
    counts = classes if isinstance(y, dict) else {"": classes}
    for name, head in heads.items():
        if has_numbers(head, (counts or {}).get(name)):
            return [int(number) for number in head]
    raise ValueError("no head of labels has class numbers")


def has_numbers(y, classes):
    """Whether a head holds class numbers: values have no classes."""
    return y is not None and y.ndim == 1 and (
        bool(classes) or (y.dtype.kind in "ui" and not is_floating(y)))
