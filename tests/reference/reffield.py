"""The image G that FMix thresholds: STREAM.md 3.

Part of the reference; see fmixref.py. Values come at three levels of
precision, each with a bound of its error.

Bounds are in units of the rounding unit u = 2**-53. The elementary functions
of NumPy and of the C library are taken to be within 4 units in the last
place (8 u); the FFT is taken to be within 64 u log2(N) of the 1-norm of what
it is fed, which test_fmixref.py checks against higher precision.
"""

import functools
import math

import mpmath
import numpy as np

from refstream import SPECTRUM, TWO32, U, words

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


class Geometry:
    """What a shape, delta and a frequency fix for every row.

    A bin holds sqrt(factor) (numerator / denominator)**(-delta / 2) times the
    real part of its normal, and likewise for the imaginary part; a factor of
    0 leaves it out. `order` says which normal is whose, of `normals`.
    """

    def __init__(self, shape, delta, frequency):
        self.shape = tuple(shape)
        self.half = self.shape[:-1] + (self.shape[-1] // 2 + 1,)
        self.delta = delta
        self.lcm = math.lcm(*self.shape)
        self.bins = [_along(np.arange(count), axis, len(self.shape))
                     for axis, count in enumerate(self.half)]
        self.mirrored = np.broadcast_to(
            2 * self.bins[-1] % self.shape[-1] == 0, self.half)
        self._set_law(frequency)
        self.weights = [self._weight(part) for part in self.numerators]
        self.amplitude = np.maximum(*self.weights)
        self.tie = math.ldexp(self.amplitude.sum(), -TIE_BITS)

    @functools.cached_property
    def circle(self):
        """exp(2 pi i) of all multiples of 1/lcm."""
        return _unit(np.arange(self.lcm) / self.lcm)

    def _set_law(self, frequency):
        squared, self.denominator = self._squared(frequency)
        self.numerators = squared, squared
        self.factor = np.where(self.mirrored, 1, 2)
        self.factor.flat[0] = 0
        self.normals = squared.size
        self.order = np.arange(squared.size)

    def _squared(self, frequency):
        """f**2 of every bin as integers over one common denominator."""
        common = {"pixel": self.lcm, "extent": 1}[frequency]
        numerator = np.zeros(self.half, dtype=np.int64)
        for bins, side in zip(self.bins, self.shape):
            signed = np.minimum(bins, side - bins)
            step = common // side if frequency == "pixel" else 1
            numerator = numerator + (signed * step)**2
        return numerator, common**2

    def _weight(self, numerator):
        """What a normal's part is multiplied by, in float64."""
        squared = np.where(self.factor > 0, numerator / self.denominator, 1.0)
        return np.sqrt(self.factor) * np.power(squared, -self.delta / 2)

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
    def weights_exact(self, bits):
        """Both weights of each bin over the sum of the larger ones, flat."""
        with mpmath.workprec(bits):
            first, second = self.numerators
            real = self._weight_exact(first)
            same = first is second
            pairs = list(zip(real, real if same
                             else self._weight_exact(second)))
            total = mpmath.fsum(max(pair) for pair in pairs)
            return [(real / total, imaginary / total)
                    for real, imaginary in pairs]

    def _weight_exact(self, numerator):
        exponent = -mpmath.mpf(self.delta) / 2
        powers = {n: (mpmath.mpf(n) / self.denominator)**exponent
                  for n in np.unique(numerator).tolist() if n}
        roots = {n: mpmath.sqrt(n) for n in (1, 2, 4)}
        return [roots[factor] * powers[n] if factor else mpmath.mpf(0)
                for n, factor in zip(numerator.ravel().tolist(),
                                     self.factor.ravel().tolist())]

    @functools.lru_cache(maxsize=2)
    def circles_exact(self, bits):
        """Per axis cos and sin of all multiples of 1/side, in fixed point."""
        with mpmath.workprec(bits + 32):
            return [_fixed_pairs([mpmath.expjpi(mpmath.mpf(2 * place) / side)
                                  for place in range(side)], bits)
                    for side in self.shape]


class OfficialGeometry(Geometry):
    """The same for the law of the authors' released code."""

    def _set_law(self, frequency):
        if frequency != "pixel" or self.shape[0] == 1:
            raise ValueError("official knows neither extent nor a first "
                             "side of 1")
        self.denominator = self.lcm**2
        floor = (self.lcm // max(self.shape))**2
        self.numerators = [
            np.broadcast_to(np.maximum(self._free_squared() + part, floor),
                            self.half)
            for part in (0, (self.lcm // self.shape[0])**2)]
        limits = self._limits()
        present = math.prod(bins < limit
                            for bins, limit in zip(self.bins, limits))
        self.factor = np.where(present, np.where(self.mirrored, 1, 4), 0)
        self.factor.flat[0] = 0
        self.normals = math.prod(limits)
        self.order = self._order(limits, present)

    def _limits(self):
        """How many bins of each axis take words, the last axis 0 and 1."""
        free = []
        if len(self.shape) > 1:
            side = self.shape[1]
            free = [min(side, side // 2 + 1 + side % 2)]
        return list(self.shape[2:]) + free + [2]

    def _free_squared(self):
        """phi of every bin, over the common denominator."""
        total = np.zeros(self.half, dtype=np.int64)
        sides = self.shape[:0:-1]
        for bins, side in zip(self.bins[:-1], sides):
            signed = np.minimum(bins, abs(side - bins))
            total = total + (signed * (self.lcm // side))**2
        return total

    def _order(self, limits, present):
        order = np.zeros(self.half, dtype=np.int64)
        for bins, limit in zip(self.bins, limits):
            order = order * limit + bins
        return np.where(present, order, 0).reshape(-1)


_GEOMETRIES = {"paper": Geometry, "official": OfficialGeometry}


@functools.lru_cache(maxsize=8)
def geometry(shape, delta, frequency="pixel", spectrum="paper"):
    """The geometry of a shape, kept for the next row."""
    return _GEOMETRIES[spectrum](shape, delta, frequency)


class Field:
    """The image G of one row, at three levels of precision."""

    def __init__(self, seed, index, shape, delta, frequency="pixel",
                 spectrum="paper"):
        self.geometry = geometry(tuple(shape), float(delta), frequency,
                                 spectrum)
        self.size = math.prod(shape)
        drawn = words(seed, SPECTRUM, index, 2 * self.geometry.normals)
        pairs = drawn.reshape(-1, 2)[self.geometry.order]
        self._radius_words, self._angle_words = pairs.T
        self._norms, self.spectrum = self._spectrum()
        self._exact_values = {}
        self.exactly_settled = 0

    @property
    def is_constant(self):
        """Whether no bin at all is left."""
        return not self.geometry.amplitude.any()

    def _spectrum(self):
        """The norm that bounds each bin's error, and the bins."""
        half = self.geometry.half
        radius = np.sqrt(-2 * np.log((self._radius_words + 1.0) / TWO32))
        normal = (radius * _unit(self._angle_words / TWO32)).reshape(half)
        real, imaginary = self.geometry.weights
        return (self.geometry.amplitude * radius.reshape(half),
                real * normal.real + 1j * (imaginary * normal.imag))

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
        differ = (here != there) & (self.geometry.amplitude > 0)
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
            values = [_weighted(weights, w0, w1) for weights, w0, w1 in zip(
                self.geometry.weights_exact(bits + 32),
                self._radius_words.tolist(), self._angle_words.tolist())]
        return [part.reshape(self.geometry.half)
                for part in _fixed_pairs(values, bits)]

    def is_larger(self, pixel, pivot):
        """Whether `pixel` ranks before `pivot`, decided."""
        difference, bound = self.difference(pixel, pivot)
        if bound == 0:
            return pixel < pivot
        if abs(difference) > bound + 2 * self.geometry.tie:
            return difference > 0
        self.exactly_settled += 1
        return self._is_larger_exactly(pixel, pivot)

    def _is_larger_exactly(self, pixel, pivot):
        bits, order = FIRST_EXACT_BITS, None
        while order is None:
            difference = self.exact(pixel, bits) - self.exact(pivot, bits)
            order = settle(difference, 2 * self.exact_bound(),
                            2**(bits - TIE_BITS))
            bits *= 2
        return order > 0 or (order == 0 and pixel < pivot)


def settle(difference, bound, tie):
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


def _weighted(weights, w0, w1):
    """One bin: the parts of its normal times their weights."""
    if not weights[0]:
        return mpmath.mpc(0)
    radius = mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(w0 + 1) / TWO32))
    normal = radius * mpmath.expjpi(mpmath.mpf(w1) / 2**31)
    return mpmath.mpc(weights[0] * normal.real, weights[1] * normal.imag)


def _fixed_pairs(values, bits):
    """Real and imaginary parts as arrays of integers, times 2**bits."""
    with mpmath.workprec(bits + 32):
        parts = [[int(mpmath.ldexp(part, bits)) for part in pair]
                 for pair in ((value.real, value.imag) for value in values)]
    return np.array(parts, dtype=object).reshape(-1, 2).T
