"""Weighted sums of rows and their partners, where the rows are."""

import numpy as np

from .arrays import bits, is_torch, like, namespace, rows_of


def interpolate(x, partners, weights):
    """weight * x + (1 - weight) * partner, in x's own type: rounded to it once where it has 16 bits."""
    if namespace(x) is np:
        return interpolate_by_numpy(x, partners, weights, range(len(x)), np.empty_like(x))
    return weighted_sum(x, rows_of(x, partners), weights)


def interpolate_some(x, partners, weights, rows, mixed):
    """The same of some rows; the others are those of `mixed`, which may be written to."""
    space = namespace(x)
    if space is np:
        return interpolate_by_numpy(x, partners, weights, rows, mixed)
    if is_torch(space):
        summed = weighted_sum(rows_of(x, rows), rows_of(x, partners[rows]), weights[rows])
        return mixed.index_copy_(0, like(rows, x), summed)
    those = np.isin(np.arange(len(weights)), rows).reshape(-1, *[1] * (x.ndim - 1))
    return space.where(like(those, x), interpolate(x, partners, weights), mixed)


def weighted_sum(x, partners, weights):
    """weight * x + (1 - weight) * partners; PyTorch may write it over `partners`."""
    space = namespace(x)
    weights = weights.astype("f8" if bits(x) > 32 else "f4").reshape(-1, *[1] * (x.ndim - 1))
    weight = like(weights, x)
    if not is_torch(space):
        mixed = weight * x + (1 - weight) * partners
        return mixed.astype(x.dtype) if hasattr(mixed, "astype") else mixed
    if bits(x) < 32:
        return partners.float().lerp_(x.float(), weight).to(x.dtype)
    return space.lerp(partners, x, weight) if x.requires_grad else partners.lerp_(x, weight)


def interpolate_by_numpy(x, partners, weights, rows, mixed):
    """Into those rows of `mixed`, one at a time, which stays in the caches."""
    kind = x.dtype.newbyteorder("=") if x.dtype.itemsize > 2 else np.dtype("f4")
    for i in rows:
        row = np.multiply(x[i], kind.type(weights[i]), dtype=kind)
        row += np.multiply(x[partners[i]], kind.type(1 - weights[i]), dtype=kind)
        mixed[i] = row
    return mixed
