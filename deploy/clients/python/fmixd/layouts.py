"""Where x has its channels, if it has any."""

from __future__ import annotations

from .arrays import Array

LAYOUTS = ("channels_first", "channels_last", "none")


def spatial(x: Array, layout: str | None) -> tuple[int, ...]:
    """The sides of a mask of x."""
    if not hasattr(x, "shape"):
        raise TypeError(f"x is a {type(x).__name__}; give an array or a tensor")
    if 0 in tuple(x.shape):
        raise ValueError(f"x has the shape {tuple(x.shape)}, in which there is nothing to mix: a batch has a row, and "
                         "a row an element, at least")
    layout = layout or guessed(x)
    cut = {"channels_first": slice(2, None), "channels_last": slice(1, -1), "none": slice(1, None)}[layout]
    sides = tuple(int(side) for side in x.shape[cut])
    if not 1 <= len(sides) <= 3:
        raise ValueError(f"x has the shape {tuple(x.shape)}, of which layout={layout!r} leaves {len(sides)} "
                         "spatial dimensions; masks have one, two or three")
    return sides


def guessed(x: Array) -> str:
    """The layout, where the shape leaves but one."""
    shape = tuple(x.shape)
    if len(shape) == 2:
        return "none"
    if len(shape) == 3:
        raise ValueError(f"x has the shape {shape}: layout='none' says rows of {shape[1]} x {shape[2]} without "
                         f"channels, 'channels_first' rows of length {shape[2]} with {shape[1]} channels; tell "
                         "Mixer which")
    if len(shape) in (4, 5) and shape[-1] in (1, 3, 4) and shape[1] not in (1, 3, 4):
        raise ValueError(f"x has the shape {shape}, which looks like channels_last, and channels_first is what "
                         "Mixer takes by default: say layout='channels_last' or layout='channels_first'")
    return "channels_first"
