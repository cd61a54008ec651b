"""Resizing, and what the samples of a file mean: STREAM.md 9.

Part of the reference; see fmixref.py. A side is resized by one matrix of
integer weights. NumPy rounds every operation and contracts none; sums of
weights run in order by numpy.add.accumulate.
"""

import numpy as np

PRECISION = 22  # bits of a weight behind the point


def _bilinear(z):
    return np.where(z < 1, 1 - z, 0.0)


def _bicubic(z):
    inner = ((1.5 * z - 2.5) * z) * z + 1
    outer = (((z - 5) * z + 8) * z - 4) * -0.5
    return np.where(z < 1, inner, np.where(z < 2, outer, 0.0))


FILTERS = {"bilinear": (_bilinear, 1.0), "bicubic": (_bicubic, 2.0)}


def side_weights(length, wanted, name):
    """The integer weights by which each of `wanted` outputs adds elements."""
    function, support = FILTERS[name]
    scale = length / wanted
    stretch = max(scale, 1.0)
    reach, inverse = support * stretch, 1.0 / stretch
    centre = (np.arange(wanted)[:, np.newaxis] + 0.5) * scale
    lowest = np.maximum(np.trunc((centre - reach) + 0.5), 0)
    highest = np.minimum(np.trunc((centre + reach) + 0.5), length)
    x = np.arange(length)[np.newaxis]
    weight = function(np.abs(((x - centre) + 0.5) * inverse))
    weight = np.where((lowest <= x) & (x < highest), weight, 0.0)
    weight /= np.add.accumulate(weight, axis=1)[:, -1:]
    half = np.where(weight < 0, -0.5, 0.5)
    return np.trunc(weight * 2.0**PRECISION + half).astype(np.int64)


def nearest_places(length, wanted):
    """The element that each output takes."""
    return [(2 * i + 1) * length // (2 * wanted) for i in range(wanted)]


def resized_side(image, axis, wanted, name):
    """An array, resized along one axis."""
    length = image.shape[axis]
    if length == wanted:
        return image
    if name == "nearest":
        return image.take(nearest_places(length, wanted), axis)
    weights = side_weights(length, wanted, name)
    summed = np.tensordot(weights, image.astype(np.int64), (1, axis))
    value = (summed + (1 << (PRECISION - 1))) >> PRECISION
    return np.moveaxis(np.clip(value, 0, 255).astype(np.uint8), 0, axis)


def resized(image, size, name="bilinear"):
    """An image [height, width] or [height, width, channels]: columns first."""
    return resized_side(resized_side(image, 1, size[1], name), 0, size[0], name)


# --- Pixels -----------------------------------------------------------------


def grey_of(rgb):
    """One channel of three; the last axis is that of channels."""
    red, green, blue = np.moveaxis(rgb.astype(np.int64), -1, 0)
    return ((19595 * red + 38470 * green + 7471 * blue + 2**15)
            >> 16).astype(np.uint8)


def rgb_of(grey):
    """Three equal channels."""
    return np.repeat(grey[..., np.newaxis], 3, -1)


def rgb_of_inks(stored):
    """RGB of C, M, Y and K as a JPEG stores them."""
    inks = 255 - stored.astype(np.int64)
    left = 255 - inks[..., 3:]
    product = inks[..., :3] * left + 128
    less = (product // 256 + product) // 256
    return np.maximum(left - less, 0).astype(np.uint8)


def looked_up(places, palette):
    """RGB of places in a palette, of which entries may be missing."""
    whole = np.zeros((256, 3), np.uint8)
    whole[:len(palette)] = palette
    return whole[places]


def grey_of_bits(levels, depth):
    """Grey of 1, 2, 4 or 16 bits as 8."""
    if depth == 16:
        return (levels >> 8).astype(np.uint8)
    return (levels * {1: 255, 2: 85, 4: 17}[depth]).astype(np.uint8)
