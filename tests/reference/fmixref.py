"""An independent reference of stream v1, for tests only.

Follows STREAM.md section by section and shares nothing with the C
library. Whatever is integral is done in Python integers and fractions;
whatever is real is approximated with a stated error bound and, where that
bound cannot settle a decision, computed again with more precision.

Bounds are in units of the rounding unit u = 2**-53. The elementary functions
of NumPy and of the C library are taken to be within 4 units in the last
place (8 u); the FFT is taken to be within 64 u log2(N) of the 1-norm of what
it is fed, which test_fmixref.py checks against higher precision.
"""

import functools
import hashlib
import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import numpy as np

TWO32 = 2**32
TWO64 = 2**64
CANONICAL_NAN = np.uint32(0x7fc00000).view(np.float32)
U = 2.0**-53

# --- 1. Words ---------------------------------------------------------------

LAMBDA, SPECTRUM, BOX, PAIRING = 1, 2, 3, 4

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
    drawn = _beta(w0, w1, alpha)
    return TWO32 - drawn if reformulate and w2 >= drawn else drawn


def _beta(w0, w1, alpha):
    """Beta(alpha, alpha) from two words, in units of 2**-32, rounded.

    It never lies exactly between two integers, so raising the precision ends.
    """
    if w1 in (2**30, 3 * 2**30) or w0 == TWO32 - 1:
        return 2**31
    precision = 53
    lowest, highest = _rounded_ends(*beta_float(w0, w1, alpha), precision)
    while lowest != highest:
        precision *= 2
        lowest, highest = _rounded_ends(
            *beta_exact(w0, w1, alpha, precision), precision)
    return lowest


def _rounded_ends(value, bound, precision):
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


# --- 3. FMix ----------------------------------------------------------------

TIE_BITS = 256
FIRST_EXACT_BITS = 384

# Relative error of a float64 bin of the spectrum: logarithm and root 5,
# angle and its cosine and sine 24, frequency to the power -delta 25 (the
# frequency's own 3 grow by delta/2 <= 5), products 3; doubled and rounded up.
SPECTRUM_BOUND = 128 * U
# Of a transform of N values, on top: the hypothesis on the FFT.
TRANSFORM_BOUND = 64 * U
# Of one term X (e - e') in a direct difference, |e - e'| <= 2: the bin 256,
# the two table entries 48, products 10, NumPy's pairwise sum 86; rounded up.
DIFFERENCE_BOUND = 512 * U


def ones_of(lam, size):
    """How many elements of a mask of `size` are 1, for L = `lam`."""
    return (lam * size + 2**31) // TWO32


class Geometry:
    """What a shape, delta and a frequency fix for every row."""

    def __init__(self, shape, delta, frequency):
        self.shape = tuple(shape)
        self.half = self.shape[:-1] + (self.shape[-1] // 2 + 1,)
        self.delta = delta
        self.lcm = math.lcm(*self.shape)
        self.bins = [_along(np.arange(count), axis, len(self.shape))
                     for axis, count in enumerate(self.half)]
        self.numerator, self.denominator = self._squared(frequency)
        self.mirrored = np.broadcast_to(
            2 * self.bins[-1] % self.shape[-1] == 0, self.half)
        self.amplitude = self._amplitude()
        self.tie = math.ldexp(self.amplitude.sum(), -TIE_BITS)

    @functools.cached_property
    def circle(self):
        """exp(2 pi i) of all multiples of 1/lcm."""
        return _unit(np.arange(self.lcm) / self.lcm)

    def _squared(self, frequency):
        """f**2 of every bin as integers over one common denominator."""
        common = {"pixel": self.lcm, "extent": 1}[frequency]
        numerator = np.zeros(self.half, dtype=np.int64)
        for bins, side in zip(self.bins, self.shape):
            signed = np.minimum(bins, side - bins)
            step = common // side if frequency == "pixel" else 1
            numerator = numerator + (signed * step)**2
        return numerator, common**2

    def _amplitude(self):
        """c f**-delta in float64; nothing at the zero bin."""
        squared = self.numerator / self.denominator
        squared.flat[0] = 1.0
        power = np.power(squared, -self.delta / 2)
        amplitude = np.where(self.mirrored, power, math.sqrt(2) * power)
        amplitude.flat[0] = 0.0
        return amplitude

    def phase(self, pixel):
        """Every bin's phase at a pixel, in turns of 1/lcm, reduced."""
        turns = np.zeros(self.half, dtype=np.int64)
        for bins, place, side in zip(self.bins, self.place(pixel),
                                     self.shape):
            turns = turns + bins * place % side * (self.lcm // side)
        return turns % self.lcm

    def place(self, pixel):
        """The coordinates of a flat index."""
        return [int(place) for place in np.unravel_index(pixel, self.shape)]

    @functools.lru_cache(maxsize=2)
    def amplitude_exact(self, bits):
        """c f**-delta over its sum, as a flat list with `bits` bits."""
        with mpmath.workprec(bits):
            exponent = -mpmath.mpf(self.delta) / 2
            powers = {n: (mpmath.mpf(n) / self.denominator)**exponent
                      for n in np.unique(self.numerator).tolist() if n}
            powers[0] = mpmath.mpf(0)
            factors = mpmath.sqrt(2), mpmath.mpf(1)
            amplitude = [powers[n] * factors[mirrored] for n, mirrored in
                         zip(self.numerator.ravel().tolist(),
                             self.mirrored.ravel().tolist())]
            total = mpmath.fsum(amplitude)
            return [value / total for value in amplitude]

    @functools.lru_cache(maxsize=2)
    def circles_exact(self, bits):
        """Per axis cos and sin of all multiples of 1/side, in fixed point."""
        with mpmath.workprec(bits + 32):
            return [_fixed_pairs([mpmath.expjpi(mpmath.mpf(2 * place) / side)
                                  for place in range(side)], bits)
                    for side in self.shape]


geometry = functools.lru_cache(maxsize=8)(Geometry)


class Field:
    """The image G of one row, at three levels of precision."""

    def __init__(self, seed, index, shape, delta, frequency="pixel"):
        self.geometry = geometry(tuple(shape), float(delta), frequency)
        self.size = math.prod(shape)
        bins = math.prod(self.geometry.half)
        pairs = words(seed, SPECTRUM, index, 2 * bins).reshape(-1, 2)
        self._radius_words, self._angle_words = pairs.T
        self.spectrum = self._spectrum()
        self._norms = np.abs(self.spectrum)
        self._exact_values = {}
        self.exactly_settled = 0

    def _spectrum(self):
        radius = np.sqrt(-2 * np.log((self._radius_words + 1.0) / TWO32))
        normal = radius * _unit(self._angle_words / TWO32)
        return self.geometry.amplitude * normal.reshape(self.geometry.half)

    def approximate(self):
        """All of G in float64, flat, and a bound of the error of each."""
        values = self.spectrum
        for axis, side in enumerate(self.geometry.shape):
            values = np.fft.ifft(values, n=side, axis=axis, norm="forward")
        relative = SPECTRUM_BOUND + TRANSFORM_BOUND * math.log2(self.size)
        return values.real.reshape(-1), relative * self._norms.sum()

    def difference(self, pixel, pivot):
        """G[pixel] - G[pivot] in float64, summed directly, and its bound.

        Bins of the same phase at both places cancel exactly, and with them
        their share of the bound.
        """
        here, there = self.geometry.phase(pixel), self.geometry.phase(pivot)
        differ = here != there
        circle = self.geometry.circle
        turned = circle[here[differ]] - circle[there[differ]]
        terms = (self.spectrum[differ] * turned).real
        return terms.sum(), DIFFERENCE_BOUND * self._norms[differ].sum()

    def exact(self, pixel, bits=FIRST_EXACT_BITS):
        """G[pixel] over the sum of c f**-delta, times 2**bits, an integer.

        Off by no more than exact_bound().
        """
        if (pixel, bits) not in self._exact_values:
            self._exact_values[pixel, bits] = self._sum_exact(pixel, bits)
        return self._exact_values[pixel, bits]

    def exact_bound(self):
        """A bound of the error of exact(), whatever its number of bits.

        An entry of the spectrum is cut to within 2, a table entry within 2 of
        a spectrum whose 1-norm is below 7 times one, an inner sum within 1.
        """
        return 16 * (math.prod(self.geometry.half) + 16)

    def _sum_exact(self, pixel, bits):
        real, imaginary = self._spectrum_exact(bits)
        circles = self.geometry.circles_exact(bits)
        place = self.geometry.place(pixel)
        for axis in reversed(range(len(place))):
            count, side = self.geometry.half[axis], self.geometry.shape[axis]
            turns = np.arange(count) * place[axis] % side
            cosine, sine = (part[turns] for part in circles[axis])
            real, imaginary = ((real @ cosine - imaginary @ sine) >> bits,
                               (real @ sine + imaginary @ cosine) >> bits)
        return int(real)

    @functools.lru_cache(maxsize=2)
    def _spectrum_exact(self, bits):
        """Real and imaginary parts in fixed point, normalised."""
        with mpmath.workprec(bits + 32):
            amplitudes = self.geometry.amplitude_exact(bits + 32)
            values = [amplitude * _normal_exact(w0, w1)
                      for amplitude, w0, w1 in zip(
                          amplitudes, self._radius_words.tolist(),
                          self._angle_words.tolist())]
        return [part.reshape(self.geometry.half)
                for part in _fixed_pairs(values, bits)]

    def is_larger(self, pixel, pivot):
        """Whether `pixel` ranks before `pivot`, decided."""
        difference, bound = self.difference(pixel, pivot)
        if abs(difference) > bound + 2 * self.geometry.tie:
            return difference > 0
        self.exactly_settled += 1
        return self._is_larger_exactly(pixel, pivot)

    def _is_larger_exactly(self, pixel, pivot):
        bits, order = FIRST_EXACT_BITS, None
        while order is None:
            difference = self.exact(pixel, bits) - self.exact(pivot, bits)
            order = _settle(difference, 2 * self.exact_bound(),
                            2**(bits - TIE_BITS))
            bits *= 2
        return order > 0 or (order == 0 and pixel < pivot)


def _settle(difference, bound, tie):
    """1, 0 (equal) or -1 where the bound allows to tell, else None."""
    if abs(difference) + bound < tie:
        return 0
    if abs(difference) - bound >= tie:
        return 1 if difference > 0 else -1
    return None


def _along(vector, axis, dimensions):
    return vector.reshape([-1 if axis == d else 1 for d in range(dimensions)])


def _unit(turns):
    """exp(2 pi i turns) in float64."""
    angle = 2 * np.pi * turns
    return np.cos(angle) + 1j * np.sin(angle)


def _normal_exact(w0, w1):
    radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(w0 + 1) / TWO32))
    return radius * mpmath.expjpi(mpmath.mpf(w1) / 2**31)


def _fixed_pairs(values, bits):
    """Real and imaginary parts as arrays of integers, times 2**bits."""
    with mpmath.workprec(bits + 32):
        parts = [[int(mpmath.ldexp(part, bits)) for part in pair]
                 for pair in ((value.real, value.imag) for value in values)]
    return np.array(parts, dtype=object).reshape(-1, 2).T


@dataclass(frozen=True)
class Mask:
    """One mask as 0 and 1 in uint8, and how hard it was to decide."""

    bits: np.ndarray
    contested: int = 0
    exactly_settled: int = 0

    @property
    def ones(self):
        """How many elements are 1."""
        return int(self.bits.sum(dtype=np.int64))


def fmix_mask(seed, index, shape, lam, delta, frequency="pixel"):
    """The FMix mask of sample `index` for L = `lam`."""
    size = math.prod(shape)
    count = ones_of(lam, size)
    if count in (0, size):
        return Mask(np.full(shape, count > 0, dtype=np.uint8))
    field = Field(seed, index, shape, delta, frequency)
    chosen, contested = largest(field, count)
    bits = chosen.astype(np.uint8).reshape(shape)
    return Mask(bits, contested, field.exactly_settled)


def largest(field, count):
    """The `count` largest places of a field as booleans, and the number of
    places that float64 could not tell apart.

    The true count-th value is within the bound of the approximate one, so
    whatever is further than twice the bound from that is decided.
    """
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


def cutmix_mask(seed, index, shape, lam):
    """The CutMix mask of sample `index` for L = `lam`, the box clipped."""
    mask = np.ones(shape, dtype=np.uint8)
    cuts = [cut_side(side, len(shape), lam) for side in shape]
    centres = [word * side // TWO32 for word, side in
               zip(words(seed, BOX, index, len(shape)).tolist(), shape)]
    starts = [centre - cut // 2 for centre, cut in zip(centres, cuts)]
    if all(cuts):
        mask[tuple(slice(max(start, 0), start + cut)
                   for start, cut in zip(starts, cuts))] = 0
    return Mask(mask)


# --- 5. Pairing -------------------------------------------------------------


def permutation(seed, step, count):
    """Whom each row of a batch is mixed with."""
    stream = word_stream(seed, PAIRING, step)
    partners = list(range(count))
    for i in range(count - 1, 0, -1):
        j = _draw_below(stream, i + 1)
        partners[i], partners[j] = partners[j], partners[i]
    return partners


def _draw_below(stream, limit):
    """A number below `limit`, every one as likely."""
    return next(word for word in stream
                if word < TWO32 - TWO32 % limit) % limit


# --- 6. Addressing ----------------------------------------------------------


def row_indices(index, count, scope="sample"):
    """The t of each row of an answer."""
    if index + count - 1 >= TWO64:
        raise OverflowError("a sample index passes 2**64 - 1")
    if scope == "batch":
        return [index] * count
    return list(range(index, index + count))


# --- Recipes ----------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """How rows are drawn. `lam` is a caller's lambda, None draws."""

    seed: int = 0
    method: str = "fmix"
    alpha: float = 1.0
    lam: float = None
    reformulate: bool = False
    delta: float = 3.0
    frequency: str = "pixel"
    scope: str = "sample"

    def lambda_of(self, index):
        """L of sample `index`."""
        if self.lam is not None:
            return round_lambda(self.lam)
        return draw_lambda(self.seed, index, self.alpha, self.reformulate)

    def mask_of(self, index, shape, lam):
        """The mask of sample `index` for L = `lam`."""
        if self.method == "cutmix":
            return cutmix_mask(self.seed, index, shape, lam)
        return fmix_mask(self.seed, index, shape, lam, self.delta,
                         self.frequency)


@dataclass(frozen=True)
class Masks:
    """The answer of the masks resource."""

    masks: np.ndarray
    lam: list
    lam_eff: list
    ones: list
    contested: int
    exactly_settled: int


def make_masks(recipe, shape, index, count):
    """`count` masks from sample `index` on; `contested` counts masks."""
    indices = row_indices(index, count, recipe.scope)
    lams = [recipe.lambda_of(t) for t in indices]
    rows = [recipe.mask_of(t, shape, lam) for t, lam in zip(indices, lams)]
    return Masks(masks=np.stack([row.bits for row in rows]),
                 lam=[lam / TWO32 for lam in lams],
                 lam_eff=[row.ones / row.bits.size for row in rows],
                 ones=[row.ones for row in rows],
                 contested=sum(row.contested > 0 for row in rows),
                 exactly_settled=sum(row.exactly_settled for row in rows))


def pack(masks):
    """Masks as bits, each packed by itself."""
    return np.packbits(masks.reshape(len(masks), -1), axis=1)


# --- 8. Mixing --------------------------------------------------------------

_SPATIAL = {"channels_first": slice(2, None),
            "channels_last": slice(1, -1),
            "none": slice(1, None)}
_CHANNELS = {"channels_first": 1, "channels_last": -1}


@dataclass(frozen=True)
class Mixed:
    """The answer of the mix resource."""

    mixed: np.ndarray
    pairing: list
    lam: list
    lam_eff: list
    contested: int = 0


def mix(recipe, x, step, layout="none", index=None):
    """Batch number `step`, whose rows are x, mixed."""
    count = len(x)
    index = step * count if index is None else index
    pairing = permutation(recipe.seed, step, count)
    if recipe.method == "mixup":
        indices = row_indices(index, count, recipe.scope)
        lam = [recipe.lambda_of(t) / TWO32 for t in indices]
        return Mixed(interpolate(x, x[pairing], lam), pairing, lam, lam)
    made = make_masks(recipe, x.shape[_SPATIAL[layout]], index, count)
    masks = made.masks
    if layout in _CHANNELS:
        masks = np.expand_dims(masks, _CHANNELS[layout])
    return Mixed(choose(masks, x, x[pairing]), pairing, made.lam,
                 made.lam_eff, made.contested)


def choose(masks, x1, x2):
    """x1 where a mask is 1, else x2, byte for byte."""
    patterns = np.dtype(f"u{x1.itemsize}")
    return np.where(masks, x1.view(patterns), x2.view(patterns)).view(x1.dtype)


def interpolate(x1, x2, weights):
    """m x1 + (1 - m) x2 in float64, rounded once to the type of x1."""
    m = _along(np.array(weights), 0, x1.ndim)
    exact = m * x1.astype(np.float64) + (1 - m) * x2.astype(np.float64)
    if x1.dtype.kind == "u":
        limits = np.iinfo(x1.dtype)
        exact = np.clip(np.rint(exact), limits.min, limits.max)
        return exact.astype(x1.dtype)
    # One NaN for all: which payload survives differs between CPUs.
    return np.where(np.isnan(exact), CANONICAL_NAN, exact.astype(x1.dtype))
