"""One FMix mask as the paper's authors compute it with NumPy: a baseline, in our own words.

Normals over the half plane are damped by frequency, transformed, scaled to 0 … 1, ranked by a full
sort, and the share of the largest that lambda asks for becomes 1.
"""

import time

import numpy as np


def decay(sides, delta):
    """f^-delta over the half plane; the zero frequency counts as the lowest of the others."""
    axes = [np.fft.fftfreq(n) for n in sides[:-1]]
    axes.append(np.fft.rfftfreq(sides[-1]))
    frequency = np.sqrt(sum(a * a for a in np.meshgrid(*axes, indexing="ij")))
    return np.maximum(frequency, 1 / max(sides)) ** -delta


def grey(sides, delta, random):
    """The image before the threshold."""
    scale = decay(sides, delta)
    normals = random.standard_normal((*scale.shape, 2))
    spectrum = (normals[..., 0] + 1j * normals[..., 1]) * scale
    image = np.fft.irfftn(spectrum, sides)
    image -= image.min()
    return image / image.max()


def mask(sides, delta, alpha, random):
    """One mask of 0 and 1, float32."""
    image = grey(sides, delta, random).reshape(-1)
    ones = round(random.beta(alpha, alpha) * image.size)
    order = np.argsort(image)[::-1]
    image[order[:ones]] = 1
    image[order[ones:]] = 0
    return image.reshape(sides).astype(np.float32)


def time_masks(sides, count, seconds):
    """Seconds that `count` masks take, over and over for about so long."""
    random = np.random.default_rng(7)
    mask(sides, 3, 1, random)
    start = time.perf_counter()
    rounds = 0
    while time.perf_counter() - start < seconds:
        for _ in range(count):
            mask(sides, 3, 1, random)
        rounds += 1
    return (time.perf_counter() - start) / rounds
