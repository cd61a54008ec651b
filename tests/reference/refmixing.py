"""Mixing arithmetic: STREAM.md 8.

Part of the reference; see fmixref.py. Every operation is one of float64,
rounded by itself: NumPy does not contract. An array's type is told by its
dtype; bf16, which NumPy lacks, is uint16 holding the bit patterns.
"""

import numpy as np

TYPES = {"bool": "?", "u8": "u1", "i8": "i1", "i16": "<i2", "i32": "<i4",
         "i64": "<i8", "f16": "<f2", "bf16": "<u2", "f32": "<f4",
         "f64": "<f8"}
FLOATING = ("f16", "bf16", "f32", "f64")
CANONICAL_NANS = {"f16": 0x7e00, "bf16": 0x7fc0, "f32": 0x7fc00000,
                  "f64": 0x7ff8000000000000}
CANONICAL_NAN = np.uint32(CANONICAL_NANS["f32"]).view(np.float32)
# Of each floating type: significant digits, lowest and highest exponent of
# a number 1.xxx times a power of two.
_FORMATS = {"f16": (11, -14, 15), "bf16": (8, -126, 127),
            "f32": (24, -126, 127)}


def _silent():
    """A new one each time: NumPy 2 enters none twice."""
    return np.errstate(invalid="ignore", over="ignore", divide="ignore", under="ignore")


# --- Types ------------------------------------------------------------------


def type_name(array):
    """What an array holds, as the daemon calls it."""
    return next(name for name, code in TYPES.items()
                if np.dtype(code) == array.dtype)


def is_floating(array):
    """Whether it holds floats: uint16 are the patterns of bf16."""
    return array.dtype.kind == "f" or array.dtype == np.uint16


def to_float(array):
    """The values in float64."""
    with _silent():
        if type_name(array) == "bf16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float64)


def round_to(values, name):
    """Float64 rounded once to a type: half to even, integers saturated.

    One NaN for all: which payload survives differs between CPUs.
    """
    if name in FLOATING:
        return _round_to_float(values, name)
    if name == "i64":
        return _saturated(values, -2.0**63, 2.0**63, np.iinfo("<i8"))
    if name == "bool":
        return np.clip(_whole(values), 0, 1).astype("?")
    limits = np.iinfo(TYPES[name])
    return _saturated(values, limits.min, limits.max, limits)


def _whole(values):
    return np.rint(np.where(np.isnan(values), 0.0, values))


def _saturated(values, lowest, highest, limits):
    whole = _whole(values)
    inside = (whole > lowest) & (whole < highest)
    moved = np.where(inside, whole, 0.0).astype(limits.dtype)
    ends = np.where(whole <= lowest, limits.min, limits.max)
    return np.where(inside, moved, ends.astype(limits.dtype))


def _round_to_float(values, name):
    pattern = np.dtype(f"u{np.dtype(TYPES[name]).itemsize}")
    with _silent():
        bits = _pattern(_nearest(values, name), name).astype(pattern)
    nan = pattern.type(CANONICAL_NANS[name])
    return np.where(np.isnan(values), nan, bits).view(TYPES[name])


def _nearest(values, name):
    """Float64 cut to the digits and range of a type, half to even."""
    if name == "f64":
        return values
    digits, low, high = _FORMATS[name]
    finite = np.where(np.isfinite(values), values, 0.0)
    exponent = np.maximum(np.frexp(finite)[1] - 1, low) - (digits - 1)
    nearest = np.ldexp(np.rint(np.ldexp(finite, -exponent)), exponent)
    over = (abs(nearest) >= 2.0**(high + 1)) | np.isinf(values)
    return np.where(over, np.copysign(np.inf, values), nearest)


def _pattern(values, name):
    """The bits of float64 values that a type can hold."""
    if name == "bf16":
        return values.astype("<f4").view("<u4") >> 16
    return values.astype(TYPES[name]).view(
        f"u{np.dtype(TYPES[name]).itemsize}")


def convert(array, name):
    """An array in another type; bytes stay as they are where it is its own."""
    if type_name(array) == name:
        return array
    return round_to(to_float(array), name)


# --- Before mixing ----------------------------------------------------------

_CHANNELS = {"channels_first": 1, "channels_last": -1}


def prepare(x, out=None, mean=None, std=None, layout="none"):
    """What is rounded to the output type before mixing, the rest as it is.

    `mean` and `std` are numbers, or one a channel.
    """
    scale = 255.0 if type_name(x) == "u8" else 1.0
    if mean is None and std is None:
        if type_name(x) != "u8" or out not in FLOATING:
            return x
        return round_to(to_float(x) / scale, out)
    mean, std = (_channelled(value, x.ndim, layout)
                 for value in (0.0 if mean is None else mean,
                               1.0 if std is None else std))
    with _silent():
        return round_to((to_float(x) / scale - mean) / std, out or "f32")


def _channelled(value, dimensions, layout):
    value = np.atleast_1d(np.asarray(value, dtype=np.float64))
    if value.size == 1:
        return value[0]
    shape = [1] * dimensions
    shape[_CHANNELS[layout]] = value.size
    return value.reshape(shape)


# --- Mixing -----------------------------------------------------------------


def choose(masks, x1, x2):
    """x1 where a mask is 1, else x2, byte for byte."""
    patterns = np.dtype(f"u{x1.itemsize}")
    return np.where(masks, x1.view(patterns), x2.view(patterns)).view(x1.dtype)


def interpolate(x1, x2, weights, out=None):
    """m x1 + (1 - m) x2 in float64, rounded once to `out` or x1's type.

    One weight for each row.
    """
    m = np.array(weights, dtype=np.float64)
    m = m.reshape([-1] + [1] * (x1.ndim - 1))
    return round_to(weighted(to_float(x1), to_float(x2), m),
                    out or type_name(x1))


def weighted(x1, x2, m):
    """m x1 + (1 - m) x2 of float64."""
    with _silent():
        return m * x1 + (1 - m) * x2


def blend_soft(x1, x2, m, out):
    """The same for a mask of weights, where 0 and 1 copy bytes."""
    copied = convert(choose(m == 1, x1, x2), out)
    blended = round_to(weighted(to_float(x1), to_float(x2), m), out)
    return choose((m == 0) | (m == 1), copied, blended)


def average(x1, x2, out):
    """(x1 + x2) / 2."""
    with _silent():
        return round_to((to_float(x1) + to_float(x2)) / 2, out)


def eight_lane_sum(values):
    """Element i is added to lane i mod 8, then lanes 0 .. 7 are added."""
    flat = values.reshape(-1)
    rows = np.zeros((1 + -(-flat.size // 8), 8))
    rows[1:].reshape(-1)[:flat.size] = flat
    with _silent():
        lanes = np.add.accumulate(rows, axis=0)[-1]
        return np.add.accumulate(lanes)[-1]


def centred(sample):
    """A sample in float64 less its mean, and its deviation: two passes."""
    values = to_float(sample)
    with _silent():
        values = values - eight_lane_sum(values) / values.size
        variance = eight_lane_sum(values * values) / values.size
        return values, np.sqrt(variance)


def bcplus_share(g1, g2, r):
    """q, the weight of the first of two sounds of unequal loudness."""
    with _silent():
        first, second = g2 * r, g1 * (1 - r)
        if first + second == 0:
            return np.float64(0.5)
        return first / (first + second)


def blend_bcplus(x1, x2, r, out):
    """BC+ of two samples."""
    values1, g1 = centred(x1)
    values2, g2 = centred(x2)
    q = bcplus_share(g1, g2, np.float64(r))
    with _silent():
        norm = np.sqrt(q * q + (1 - q) * (1 - q))
        return round_to(weighted(values1, values2, q) / norm, out)


_ROW_CHANNELS = {"channels_first": 0, "channels_last": -1}


def blend_row(name, row, x1, x2, layout, out):
    """One row and its partner, mixed by a named method."""
    if name in ("fmix", "cutmix"):
        return _blend_masked(row, x1, x2, layout, out)
    if name == "none":
        return convert(x1, out)
    if name == "samplepairing":
        return average(x1, x2, out)
    if name == "bcplus":
        return blend_bcplus(x1, x2, row, out)
    return interpolate(x1[np.newaxis], x2[np.newaxis], [row], out)[0]


def _blend_masked(mask, x1, x2, layout, out):
    weights = mask.bits if mask.base == 1 else mask.as_type("f64")
    if layout in _ROW_CHANNELS:
        weights = np.expand_dims(weights, _ROW_CHANNELS[layout])
    if mask.base == 1:
        return convert(choose(weights, x1, x2), out)
    return blend_soft(x1, x2, weights, out)


# --- Labels -----------------------------------------------------------------


def label_rows(y, classes=None, smoothing=0.0):
    """Class numbers or rows of floats as float64, smoothed."""
    if y.ndim == 1:
        if classes is None or y.dtype.kind not in "ui":
            raise ValueError("class numbers are integers and need classes")
        if y.size and not 0 <= int(y.min()) <= int(y.max()) < classes:
            raise ValueError("a class number is out of range")
        rows = np.zeros((y.size, classes))
        rows[np.arange(y.size), y.astype(np.int64)] = 1.0
    else:
        rows = to_float(y)
    if not smoothing:
        return rows
    with _silent():
        return (1 - smoothing) * rows + smoothing / rows.shape[1]


def mix_labels(y1, y2, weights, classes=None, smoothing=0.0):
    """w y1 + (1 - w) y2 in float64, rounded to float32."""
    rows1, rows2 = (label_rows(y, classes, smoothing) for y in (y1, y2))
    w = np.array(weights, dtype=np.float64).reshape(-1, 1)
    return round_to(weighted(rows1, rows2, w), "f32")


def mix_values(y1, y2, weights):
    """The same of one number a row, which smoothing leaves alone."""
    w = np.array(weights, dtype=np.float64)
    return round_to(weighted(to_float(y1), to_float(y2), w), "f32")
