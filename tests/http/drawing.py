"""Draws tensors as the README says that png shows them, in NumPy and without the daemon's code."""

import math

import numpy as np

GROUND, GAP, STRIP = 128, 4, 16
CHANNELS = {"channels_first": 1, "channels_last": -1}


def levels(tensor):
    """0 to 255, as imshow shows it; uint16 holds the patterns of bf16."""
    if tensor.dtype == np.uint8:
        return tensor
    if tensor.dtype == bool:
        return tensor * np.uint8(255)
    if tensor.dtype == np.uint16:
        tensor = (tensor.astype("u4") << 16).view("f4")
    with np.errstate(over="ignore", invalid="ignore"):
        wide = np.nan_to_num(tensor.astype("f8") * 255, nan=0.0)
    return np.rint(np.clip(wide, 0, 255)).astype("u1")


def sheet(tiles, columns, gap):
    """Tiles left to right and down, a gap around each."""
    rows = -(-len(tiles) // columns)
    height, width, *depth = tiles[0].shape
    whole = np.full((rows * (height + gap) + gap,
                     columns * (width + gap) + gap, *depth), GROUND, "u1")
    for i, tile in enumerate(tiles):
        top = gap + i // columns * (height + gap)
        left = gap + i % columns * (width + gap)
        whole[top:top + height, left:left + width] = tile
    return whole


def _square(count):
    """The columns of a sheet that is about a square."""
    return math.isqrt(count - 1) + 1 if count else 1


def _tile(pixels, sides, alone):
    """One sample: a strip, a plane, or its slices."""
    if sides == 1:
        return pixels[np.newaxis] if alone else np.stack([pixels] * STRIP)
    return pixels if sides == 2 else sheet(list(pixels), _square(len(pixels)), 0)


def drawn(tensor, layout="none", columns=0, scale=1):
    """The sheet of a tensor whose rows are samples: masks have layout none, a mixed batch its own."""
    pixels = levels(tensor)
    sides = pixels.ndim - 1 - (layout in CHANNELS)
    if layout in CHANNELS:
        pixels = np.moveaxis(pixels, CHANNELS[layout], -1)
        pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    alone = len(pixels) == 1
    tiles = [_tile(row, sides, alone).repeat(scale, 0).repeat(scale, 1) for row in pixels]
    columns = columns or (1 if sides == 1 else _square(len(tiles)))
    return sheet(tiles, min(columns, len(tiles)), 0 if alone else GAP)
