"""Batches of sequences: STREAM.md 12.

Part of the reference; see fmixref.py.
"""

import numpy as np

from refmixing import round_to, type_name
from refstream import (BUCKET, TWO64, epoch_batch, shuffled_rows,
                       shuffled_sample, word_stream)


def bucket_window(seed, epoch, lengths, size, bucket, shuffle, window):
    """The batches of a window, as served: lists of (sample, t)."""
    samples = len(lengths)
    windows = -(-samples // (bucket * size))
    places = range(window * bucket * size,
                   min((window + 1) * bucket * size, samples))
    rows = [(shuffled_sample(seed, epoch, samples, place) if shuffle
             else place, epoch * samples + place) for place in places]
    rows.sort(key=lambda row: (lengths[row[0]], row[1]))
    cut = [rows[at:at + size] for at in range(0, len(rows), size)]
    whole = len(rows) // size
    stream = word_stream(seed, BUCKET, epoch * windows + window)
    return [cut[turn] for turn in shuffled_rows(stream, whole, 1)] + cut[whole:]


def bucket_batch(seed, epoch, lengths, size, step, bucket=50, shuffle=False):
    """The samples, the t and the batch number of one batch."""
    size = min(size, len(lengths))
    number = epoch_batch(len(lengths), size, epoch, step)[2]
    if (epoch + 1) * len(lengths) > TWO64:
        raise OverflowError("an epoch's numbers pass 2**64 - 1")
    rows = bucket_window(seed, epoch, lengths, size, bucket, shuffle,
                         step // bucket)[step % bucket]
    return [sample for sample, _ in rows], [t for _, t in rows], number


def padded(rows, longest, pad_value=0.0, along=0):
    """Rows of several lengths as one array, values appended to each.

    The value is one of the rows' own type, which they have when they come.
    `along` is the side of a row that is its length.
    """
    sides = list(rows[0].shape)
    sides[along] = longest
    fill = round_to(np.float64(pad_value), type_name(rows[0]))
    out = np.full((len(rows), *sides), fill, rows[0].dtype)
    for place, row in zip(out, rows):
        np.moveaxis(place, along, 0)[:row.shape[along]] = np.moveaxis(
            row, along, 0)
    return out
