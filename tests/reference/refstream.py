"""Words, lambda, pairing, addressing and policies: STREAM.md 1, 2, 5, 6, 7.

Part of the reference; see fmixref.py. Rounding errors are in units of the
rounding unit u = 2**-53; the C library's elementary functions are taken to be
within 4 units in the last place (8 u).
"""

import functools
import hashlib
import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np

TWO32 = 2**32
TWO64 = 2**64
U = 2.0**-53

# --- 1. Words ---------------------------------------------------------------

LAMBDA, SPECTRUM, BOX, PAIRING, SHUFFLE, LIGHT, POLICY = range(1, 8)
VIEW, CHOICE, PARTNER, BUCKET = range(8, 12)

_PERSONAL = b"fmixd-stream-v1\0"
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85
_LOW32 = np.uint64(0xFFFFFFFF)
_SHIFT32 = np.uint64(32)


def _le64(number):
    return number.to_bytes(8, "little")


@functools.lru_cache(maxsize=64)
def stream_key(seed, domain):
    """The Philox key (k0, k1) of a seed in a domain."""
    digest = hashlib.blake2b(_le64(seed), digest_size=16, person=_PERSONAL,
                             salt=_le64(domain) + _le64(0)).digest()
    return (int.from_bytes(digest[0:4], "little"),
            int.from_bytes(digest[4:8], "little"))


def philox4x32(counter, key):
    """Philox4x32-10 of four counter words (numbers or arrays) and a key."""
    c0, c1, c2, c3 = np.broadcast_arrays(
        *(np.asarray(word, dtype=np.uint64) for word in counter))
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = ((p1 >> _SHIFT32) ^ c1 ^ np.uint64(k0), p1 & _LOW32,
                          (p0 >> _SHIFT32) ^ c3 ^ np.uint64(k1), p0 & _LOW32)
        k0, k1 = (k0 + _WEYL[0]) % TWO32, (k1 + _WEYL[1]) % TWO32
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def words(seed, domain, index, count, first_block=0):
    """`count` words of a stream, from the start of block `first_block` on."""
    blocks = np.arange(first_block, first_block + -(-count // 4),
                       dtype=np.uint64)
    counter = (blocks & _LOW32, blocks >> _SHIFT32,
               index % TWO32, index // TWO32)
    return philox4x32(counter, stream_key(seed, domain)).reshape(-1)[:count]


def word_stream(seed, domain, index):
    """The words of a stream one by one, without end."""
    for first_block in itertools.count(step=64):
        yield from words(seed, domain, index, 256, first_block).tolist()


# --- 2. Lambda --------------------------------------------------------------


def round_lambda(value):
    """L of a caller's lambda: value * 2**32 to the nearest, ties to even."""
    return round(Fraction(value) * TWO32)


def draw_lambda(seed, index, alpha, reformulate=False):
    """L of the lambda drawn for sample `index`."""
    w0, w1, w2 = words(seed, LAMBDA, index, 3).tolist()
    drawn = beta(w0, w1, alpha)
    return TWO32 - drawn if reformulate and w2 >= drawn else drawn


def beta(w0, w1, alpha):
    """Beta(alpha, alpha) from two words, in units of 2**-32, rounded.

    It never lies exactly between two integers, so raising the precision ends.
    """
    if w1 in (2**30, 3 * 2**30) or w0 == TWO32 - 1:
        return 2**31
    precision = 53
    lowest, highest = rounded_ends(*beta_float(w0, w1, alpha), precision)
    while lowest != highest:
        precision *= 2
        lowest, highest = rounded_ends(
            *beta_exact(w0, w1, alpha, precision), precision)
    return lowest


def rounded_ends(value, bound, precision):
    """The integers nearest to the ends of value +- bound."""
    with mpmath.workprec(precision + 64):
        ends = mpmath.mpf(value) - bound, mpmath.mpf(value) + bound
        return [int(mpmath.floor(end + 0.5)) for end in ends]


def beta_float(w0, w1, alpha):
    """2**32 times the draw in float64, and a bound of its error.

    With t = ln(U)/alpha off by a few u relatively, q = exp(t) is off by that
    times |t|, and nothing else below cancels: every step adds a few u.
    """
    t = math.log((w0 + 1) / TWO32) / alpha
    q, p = math.exp(t), -math.expm1(t)
    c = _cos_turn(w1)
    x = 0.5 + c * math.sqrt(p) / (2 * math.sqrt(q + p * c * c))
    return x * TWO32, (abs(t) + 16) * 4 * U * TWO32


def _cos_turn(w):
    """cos(2 pi w / 2**32), accurate relatively: reduced in integers."""
    angle = min(w, TWO32 - w)
    sign = -1.0 if angle > 2**30 else 1.0
    angle = min(angle, 2**31 - angle)
    if angle > 2**29:
        return sign * math.sin(2 * math.pi * ((2**30 - angle) / TWO32))
    return sign * math.cos(2 * math.pi * (angle / TWO32))


def beta_exact(w0, w1, alpha, precision):
    """As beta_float, with `precision` bits."""
    with mpmath.workprec(precision):
        t = mpmath.log(mpmath.mpf(w0 + 1) / TWO32) / alpha
        q, p = mpmath.exp(t), -mpmath.expm1(t)
        c = mpmath.cospi(mpmath.mpf(w1) / 2**31)
        x = 0.5 + c * mpmath.sqrt(p) / (2 * mpmath.sqrt(q + p * c * c))
        return x * TWO32, (abs(t) + 16) * mpmath.ldexp(TWO32, 4 - precision)


# --- 5. Pairing -------------------------------------------------------------


def permutation(seed, step, count):
    """Whom each row of a batch is mixed with."""
    return shuffled_rows(word_stream(seed, PAIRING, step), count, 1)


def derangement(seed, step, count):
    """The same where nobody but a single row meets itself."""
    return shuffled_rows(word_stream(seed, PAIRING, step), count, 0)


def shuffled_rows(stream, count, more):
    """Numbers below `count`, swapped by words of a stream."""
    partners = list(range(count))
    for i in range(count - 1, 0, -1):
        j = draw_below(stream, i + more)
        partners[i], partners[j] = partners[j], partners[i]
    return partners


def draw_below(stream, limit):
    """A number below `limit`, every one as likely."""
    return next(word for word in stream
                if word < TWO32 - TWO32 % limit) % limit


PAIRINGS = {
    "permutation": permutation,
    "derangement": derangement,
    "flip": lambda seed, step, count: list(range(count))[::-1],
    "roll": lambda seed, step, count: [(i - 1) % count for i in range(count)],
    "none": lambda seed, step, count: list(range(count)),
}


def pair(pairing, seed, step, count):
    """The partners of a batch under a named pairing."""
    return PAIRINGS[pairing](seed, step, count)


# --- 6. Addressing ----------------------------------------------------------


def row_indices(index, count, scope="sample"):
    """The t of each row of an answer."""
    if index + count - 1 >= TWO64:
        raise OverflowError("a sample index passes 2**64 - 1")
    return shared_indices(range(index, index + count), scope)


def shared_indices(indices, scope):
    """Which t each row of a whole batch draws by, of the rows' own."""
    last = len(indices) - 1
    if scope == "batch":
        return [indices[0]] * len(indices)
    if scope == "pair":
        return [indices[min(i, last - i)] for i in range(len(indices))]
    return list(indices)


def first_index(step, count, index=None):
    """The t of a batch's first row: step * count unless given."""
    first = step * count if index is None else index
    if max(step, first + count - 1) >= TWO64:
        raise OverflowError("a step or sample index passes 2**64 - 1")
    return first


def epoch_batch(samples, size, epoch, step):
    """The places, the t and the batch number of one batch of an epoch."""
    batches = -(-samples // size)
    if not 0 <= step < batches:
        raise IndexError("an epoch has fewer batches")
    places = list(range(step * size, min((step + 1) * size, samples)))
    number = epoch * batches + step
    indices = [epoch * samples + place for place in places]
    if max(number, *indices) >= TWO64:
        raise OverflowError("an epoch's numbers pass 2**64 - 1")
    return places, indices, number


def rank_rows(count, rank, world):
    """The rows of a batch of `count` that rank `rank` of `world` gets."""
    return range(rank * count // world, (rank + 1) * count // world)


@functools.lru_cache(maxsize=4096)
def shuffled_sample(seed, epoch, samples, place):
    """Which sample a place of a shuffled epoch holds."""
    if samples == 1:
        return 0
    bits = max(4, -(-(samples - 1).bit_length() // 2))
    key = stream_key(seed, SHUFFLE)
    place = _feistel(key, epoch, bits, place)
    while place >= samples:
        place = _feistel(key, epoch, bits, place)
    return place


def _feistel(key, epoch, bits, place):
    left, right = place >> bits, place % 2**bits
    for turn in range(8):
        counter = right, turn, epoch % TWO32, epoch // TWO32
        word = int(philox4x32(counter, key)[0])
        left, right = right, left ^ word % 2**bits
    return left * 2**bits + right


def light_augmentation(seed, index, dimensions, crop, first=0):
    """The window's offset along each side, and whether it is flipped.

    By words from number `first` on: 0, or 16 of a neighbour.
    """
    drawn = words(seed, LIGHT, index, first + dimensions + 1).tolist()[first:]
    offsets = [word * (2 * crop + 1) // TWO32 for word in drawn[:-1]]
    return offsets, drawn[-1] < 2**31


# --- 7. Policies ------------------------------------------------------------


def method_index(policy, seed, step, count, weights=None):
    """Which of `count` methods batch number `step` takes."""
    if policy == "alternate":
        return step % count
    word = int(words(seed, POLICY, step, 1)[0])
    return weighted_choice(word, count, weights)


def weighted_choice(word, count, weights=None):
    """The number below `count` that a word says, by weights."""
    weights = [1] * count if weights is None else list(weights)
    if len(weights) != count or min(weights) < 0 or not any(weights):
        raise ValueError("one weight per method, none negative, not all 0")
    drawn = word * sum(weights)
    return next(i for i, reached in enumerate(itertools.accumulate(weights))
                if reached * TWO32 > drawn)
