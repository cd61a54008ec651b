"""Meshes as voxels: bool [n, n, n], along x, y and z."""

import numpy as np

STEP = 0.5        # of a voxel: at most so far are the points of a triangle's edge that are looked at
NEAR = 1e-6       # of a voxel: so far below a border counts as on it, and so to the voxel above
AT_ONCE = 1 << 18  # points that are computed together


class NoExtent(Exception):
    """A mesh of one point."""


def fitted(vertices, triangles, side):
    """The corners of all triangles, [t, 3, 3], moved and scaled by one factor, so that the longest side of their
    bounding box is the grid's and its centre the grid's centre."""
    corners = vertices[triangles]
    low, high = corners.min((0, 1)), corners.max((0, 1))
    with np.errstate(over="ignore"):
        extent = float((high - low).max())
    if not 0 < extent < np.inf:
        raise NoExtent(f"the faces extend over {extent}; must be over more than 0, and over less than float64 holds")
    return (corners - (low + high) / 2) / extent * side + side / 2


def surface(corners, side):
    """The voxels that hold a point of the surface. Points form a triangular grid on each triangle, with edges of at
    most half a voxel; so no path from voxel to voxel through their faces leads through a closed surface."""
    grid = np.zeros((side,) * 3, dtype=bool)
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    parts = np.maximum(1, np.ceil(edges / STEP)).astype(int)
    for count in np.unique(parts):
        weights = _weights(count)
        alike = corners[parts == count]
        some = max(1, AT_ONCE // len(weights))
        for begin in range(0, len(alike), some):
            points = np.einsum("pc,tcx->tpx", weights, alike[begin:begin + some]).reshape(-1, 3)
            at = np.floor(points + NEAR).astype(int).clip(0, side - 1)
            grid[at[:, 0], at[:, 1], at[:, 2]] = True
    return grid


def _weights(count):
    """The grid of a triangle whose edges are cut into so many parts: [points, 3], each row adds up to 1."""
    i, j = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
    inside = i + j <= count
    i, j = i[inside], j[inside]
    return np.stack([count - i - j, i, j], axis=1) / count


def solid(shell):
    """A surface, and every voxel that no path through faces of empty voxels joins with the outside."""
    empty = np.pad(~shell, 1, constant_values=True)
    outside = np.zeros_like(empty)
    outside[0] = True  # the first layer, which is empty
    before = 0
    while np.count_nonzero(outside) > before:
        before = np.count_nonzero(outside)
        for axis in range(3):
            for step in (1, -1):
                _sweep(np.moveaxis(outside, axis, 0)[::step], np.moveaxis(empty, axis, 0)[::step])
    return ~outside[1:-1, 1:-1, 1:-1]


def _sweep(outside, empty):
    """Carries the outside on along the first axis, as far as voxels are empty."""
    for here in range(1, len(outside)):
        outside[here] |= outside[here - 1] & empty[here]
