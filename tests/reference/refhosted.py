"""Batches of data sets: sampled, augmented, mixed: STREAM.md 6, 9, 11, 12, 13.

Part of the reference; see fmixref.py.
"""

import dataclasses

import numpy as np

from refbatch import SPATIAL, mix
from refchoice import neighbour_partners
from refsequence import bucket_batch
from refstream import epoch_batch, light_augmentation, shuffled_sample
from refview import viewed

NEIGHBOUR = 16  # the first word of a neighbour's window


def hosted_batch(data, recipe, size, step, epoch=0, *, shuffle=False,
                 bucket=50, crop=0, pad="zero", flip=False, view=None,
                 layout=None, smoothing=0.0, **how):
    """The whole of a batch of a data set: its parts by name.

    `data` has x (an array, a list of rows of several lengths, or with `view`
    a list of pictures [height, width, channels]) and its layout, labels and
    classes by head (y or y.NAME), and perhaps dense targets by name (dense or
    dense.NAME) and neighbours. `how` is for mix: mean, std, out_dtype, pad_value.
    """
    layout = layout or data.layout
    view = view and dataclasses.replace(view, flip=flip)
    ragged = isinstance(data.x, list) and not view
    samples, indices, number = hosted_rows(data, recipe.seed, size, step, epoch,
                                           shuffle, bucket if ragged else None)
    window = view, recipe.seed, indices, crop, pad, flip
    partners, more = _partners(data, recipe, indices, samples), {}
    if data.labels:
        more = {"y": _taken(data.labels, samples), "classes": data.classes,
                "smoothing": smoothing}
    own = _moved(data, samples, layout, window)
    if partners is not None:
        other = _moved(data, partners, layout, window, NEIGHBOUR)
        more |= {"x2": other.pop("x"), "dense2": other, "partners": partners}
        more |= {"y2": _taken(data.labels, partners)} if data.labels else {}
    made = mix(recipe, own.pop("x"), number, layout, indices=indices,
               dense=own, **more, **how)
    return _parts(made, samples, recipe.varies)


def hosted_rows(data, seed, size, step, epoch, shuffle, bucket=None):
    """The samples of a batch, their t, and the batch number."""
    if bucket:
        return bucket_batch(seed, epoch, [len(row) for row in data.x], size,
                            step, bucket, shuffle)
    count = len(data.x)
    places, indices, number = epoch_batch(count, min(size, count), epoch, step)
    samples = [shuffled_sample(seed, epoch, count, place) if shuffle
               else place for place in places]
    return samples, indices, number


def _partners(data, recipe, indices, samples):
    if recipe.pairing != "neighbour":
        return None
    if getattr(data, "neighbours", None) is None:
        raise ValueError("the set has no neighbours")
    return neighbour_partners(recipe.seed, indices, samples, data.neighbours)


def _taken(heads, rows):
    return {name: y[rows] for name, y in heads.items()}


def _parts(made, samples, varies):
    parts = {"mixed": made.mixed, "pairing": np.array(made.pairing, "<i8"),
             "lambda": np.array(made.lam), "lambda_eff": np.array(made.lam_eff),
             "masks": made.masks, "rows": np.array(samples, "<i8"),
             **made.dense}
    for name, mixed in (made.labels or {}).items():
        parts["labels" + name[1:]] = mixed
    if made.lengths:
        parts["lengths"] = np.array(made.lengths, "<i8")
    if varies:
        parts["method"] = np.array(made.method, "u1")
    return parts


# --- Rows on their way ------------------------------------------------------


def _moved(data, samples, layout, window, first=0):
    """Rows of x and of dense targets, each moved by the draw of its own t."""
    sides = len(_sides(data.x[0], data.layout))
    found = {}
    for name, array in {"x": data.x, **(getattr(data, "dense", None)
                                        or {})}.items():
        bare = name != "x" and array[0].ndim == sides
        stored = "none" if bare else data.layout
        rows = prepared([array[s] for s in samples], name, stored, *window,
                        first)
        rows = [np.ascontiguousarray(relaid(row, stored, "none" if bare
                                            else layout)) for row in rows]
        ragged = isinstance(array, list) and not window[0]
        found[name] = rows if ragged else np.stack(rows)
    return found


def _sides(row, layout):
    return row[np.newaxis].shape[SPATIAL[layout]]


def prepared(rows, name, layout, view, seed, indices, *window):
    """Rows of x or of a dense target, augmented or viewed."""
    if view is None:
        return augmented(rows, layout, seed, indices, *window)
    view = view if name == "x" else dataclasses.replace(view, filter="nearest")
    return [viewed(row, view, seed, t, window[-1] == NEIGHBOUR)
            for row, t in zip(rows, indices)]


def augmented(rows, layout, seed, indices, crop, pad, flip, first=0):
    """Rows of a batch, windowed and flipped by words from `first` on."""
    moved = []
    for row, t in zip(rows, indices):
        axes = range(-1, row.ndim)[SPATIAL[layout]]
        offsets, mirrored = light_augmentation(seed, t, len(axes), crop, first)
        for axis, offset in zip(axes, offsets):
            row = windowed(row, axis, crop, offset, pad)
        moved.append(np.flip(row, axes[-1]) if flip and mirrored else row)
    return moved


def windowed(row, axis, crop, offset, pad):
    """A row, padded along an axis and cut to its old length again.

    A crop may be far larger than the row.
    """
    length = row.shape[axis]
    if pad == "reflect":
        places = np.pad(np.arange(length), crop, "reflect")
        return row.take(places[offset:offset + length], axis)
    places = np.arange(length) + offset - crop
    inside = (places >= 0) & (places < length)
    beside = tuple(d for d in range(row.ndim) if d != axis)
    return np.where(np.expand_dims(inside, beside),
                    row.take(np.clip(places, 0, length - 1), axis),
                    row.dtype.type(0))


def relaid(row, stored, layout):
    """A row of one layout in another."""
    last = {"none": lambda: row[..., np.newaxis],
            "channels_first": lambda: np.moveaxis(row, 0, -1),
            "channels_last": lambda: row}[stored]()
    if layout == "none":
        return last[..., 0]
    return np.moveaxis(last, -1, 0) if layout == "channels_first" else last
