"""Bodies for mixing, drawn at random: every type, shape, framing and kind of labels, and broken ones."""

import io
import math
import struct
import zlib
from typing import NamedTuple

import numpy as np

import image_sets
import tensors
from hosting import ref

TYPES = {"npy": "application/x-npy", "npz": "application/x-npz",
         "safetensors": "application/x-safetensors", "raw": "application/octet-stream",
         "jpeg": "image/jpeg", "png": "image/png", "form": "multipart/form-data; boundary=--ab"}
MOST = 3000  # elements of x


class Body(NamedTuple):
    """What is uploaded."""

    arrays: dict          # by name; not what a broken body holds
    framing: str
    data: bytes
    layout: str           # by which the shape was drawn
    classes: tuple        # of the arrays of one number a row, in order: how many, 0 for values
    plain: bool           # labels are of the kinds that never were in doubt, nothing is broken
    pictures: tuple = ()  # of each row that is one; x then holds zeros


def some_array(rng, dtype, shape):
    """Random bytes of a type: NaNs, infinities and all."""
    count = math.prod(shape)
    if dtype == "bool":
        data = bytes(rng.randrange(2) for _ in range(count))
    elif dtype in ref.FLOATING and rng.random() < 0.6:
        values = np.frombuffer(rng.randbytes(count), "u1").astype("f8") / 170 - 0.2
        return ref.round_to(values, dtype).reshape(shape)
    else:
        data = rng.randbytes(count * np.dtype(ref.TYPES[dtype]).itemsize)
    return np.frombuffer(data, ref.TYPES[dtype]).reshape(shape)


def some_shape(rng, layout):
    """Of one row."""
    sides = rng.choice((1, 2, 2, 2, 3))
    most = {1: 40, 2: 12, 3: 6}[sides]
    spatial = [rng.randint(1, most) for _ in range(sides)]
    channels = rng.choice((1, 2, 3, 3, 3, 4, 4, 5))
    if layout == "none":
        return spatial
    return [channels, *spatial] if layout == "channels_first" else [*spatial, channels]


def some_labels(rng, rows, odd):
    """One array of them, how many classes it numbers (0: values, None: neither), whether it is plain."""
    classes = rng.randint(1, 9)
    kind = rng.choice(("numbers", "numbers", "rows", "values"))
    if not odd:
        if kind == "values":
            return some_array(rng, rng.choice(ref.FLOATING), (rows,)), 0, True
        if kind == "rows":
            return some_array(rng, rng.choice(ref.FLOATING), (rows, classes)), None, True
        dtype = rng.choice(("i8", "u8", "i16", "i32", "i64"))
        return np.array([rng.randrange(classes) for _ in range(rows)], ref.TYPES[dtype]), classes, True
    numbers = np.array([rng.randrange(classes) for _ in range(rows)], "<i8")
    return rng.choice((
        numbers[:, None], numbers[None], numbers + 9, -1 - numbers, numbers[1:], numbers.astype("<f8"),
        numbers > 0, np.eye(classes, dtype="<i8")[numbers], np.eye(classes, dtype="?")[numbers],
        numbers.astype("<u4"), numbers.astype("<u8"), np.zeros((rows, 2, 2), "<f4"), np.zeros((), "<i8"),
        np.zeros(0, "<i8"))), classes, False


def some_dense(rng, rows, row, layout):
    """Targets for each place of a row, by name; whether all are plain."""
    sides = {"none": row, "channels_first": row[1:], "channels_last": row[:-1]}[layout]
    found, plain = {}, True
    for name in rng.choice((("dense",), ("dense",), ("dense.map", "dense.depth"),
                            tuple(f"dense.{c}" for c in "abcdefghi"))):
        depth = [rng.randint(1, 3)] * (layout != "none" and rng.random() < 0.5)
        shape = [rows, *depth, *sides] if layout == "channels_first" else [rows, *sides, *depth]
        if rng.random() < 0.05:
            shape, plain = rng.choice((shape[:-1], [*shape, 2], [rows + 1, *shape[1:]], shape[::-1])), False
        found[name] = some_array(rng, rng.choice(("u8", "f32", *ref.TYPES)), shape)
    return found, plain and len(found) <= 8


def arrays_of(rng):
    """x, perhaps its partners, labels and dense targets; the layout, the classes, and whether all is plain."""
    layout = rng.choice(("channels_first", "channels_last", "none"))
    row = some_shape(rng, layout)
    dtype = rng.choice(("u8", "u8", "f32", *ref.TYPES))
    rows = min(rng.randint(1, 8), max(1, MOST // math.prod(row)))
    arrays, classes, plain = {"x": some_array(rng, dtype, (rows, *row))}, [], True
    foreign = rng.random() < 0.2
    if foreign:
        arrays["x2"] = some_array(rng, dtype, (rows, *row))
        if rng.random() < 0.1:
            arrays["x2"], plain = arrays["x2"][..., :1].copy(), False
    names = rng.choice(((), (), ("y",), ("y",), ("y.a", "y.b"), tuple(f"y.{c}" for c in "abcdefghi")))
    for name in names:
        arrays[name], number, good = some_labels(rng, rows, rng.random() < 0.15)
        plain &= good
        classes += [number] if number is not None else []
        if foreign and rng.random() < 0.95:
            arrays[name.replace("y", "y2", 1)] = np.flip(arrays[name]).copy()
    targets, good = some_dense(rng, rows, row, layout) if rng.random() < 0.25 else ({}, True)
    plain &= good
    arrays |= targets
    if foreign and rng.random() < 0.95:
        arrays |= {name.replace("dense", "dense2", 1): array[::-1].copy() for name, array in targets.items()}
    if rng.random() < 0.03:
        name = rng.choice(("z", "y2", "x.a", "y.", "dense2", "dense.", "é", "a" * 40, ".."))
        arrays[name], plain = np.zeros(2, "<f4"), False
    if len(arrays) > 1 and rng.random() < 0.2:
        arrays = dict(rng.sample(sorted(arrays.items()), len(arrays)))
    return arrays, layout, classes, plain and len(names) <= 8


def npy(array, rng):
    """As NumPy writes it, or as it may: Fortran's order, the other byte order, other versions."""
    if array.dtype == np.uint16:
        array = array.view("<f2")
    stream = io.BytesIO()
    odd = rng.random()
    if odd < 0.03 and array.ndim:
        array = np.asfortranarray(array)
    elif odd < 0.05:
        array = array.astype(array.dtype.newbyteorder(">"))
    version = (2, 0) if rng.random() < 0.05 else (1, 0)
    np.lib.format.write_array(stream, array, version, allow_pickle=False)
    return stream.getvalue()


def zipped(members, deflated):
    """A zip archive by hand: zipfile takes a millisecond."""
    out, central, method = b"", b"", 8 if deflated else 0
    for name, data in members:
        packed = zlib.compress(data, 1, wbits=-15) if deflated else data
        facts = struct.pack("<HHHHHIII", 20, 0, method, 0, 33, zlib.crc32(data), len(packed), len(data))
        text = name.encode()
        central += (b"PK\1\2" + struct.pack("<H", 20) + facts +
                    struct.pack("<HHHHHII", len(text), 0, 0, 0, 0, 0, len(out)) + text)
        out += b"PK\3\4" + facts + struct.pack("<HH", len(text), 0) + text + packed
    return out + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members),
                                                   len(central), len(out), 0)


def framed(arrays, framing, rng):
    """A body of a kind."""
    if framing == "raw":
        return arrays["x"].tobytes()
    if framing == "npy":
        return npy(arrays["x"], rng)
    if framing == "npz":
        return zipped([(f"{name}.npy", npy(array, rng)) for name, array in arrays.items()],
                      rng.random() < 0.5)
    known = {name: array for name, array in arrays.items() if array.dtype.str[1:] not in ("u4", "u8")}
    return tensors.write_safetensors(known)


def spoiled(data, rng):
    """Cut, longer, or with some bytes that are others."""
    kind = rng.randrange(4)
    if kind == 0:
        return data[:rng.randrange(len(data) + 1)]
    if kind == 1:
        return data + rng.randbytes(rng.randint(1, 40))
    if kind == 2:
        return rng.randbytes(rng.randrange(200))
    bent = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        bent[rng.randrange(min(len(bent), 300))] = rng.randrange(256)
    return bytes(bent)


def _form(parts):
    """A body of (name, content), as curl and browsers send it."""
    lines = (f'----ab\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content + b"\r\n"
             for name, content in parts)
    return b"".join(lines) + b"----ab--\r\n"


def some_pictures(rng):
    """Pictures of any size, by themselves or in a form."""
    framing = rng.choice(("jpeg", "png", "form", "form", "form"))
    source, rows = np.random.default_rng(rng.randrange(2**32)), rng.randint(1, 5) if framing == "form" else 1
    files = [image_sets.encoded(image_sets.photograph(source, rng.randint(1, 40), rng.randint(1, 40)),
                                framing if framing != "form" else rng.choice(("jpeg", "png"))) for _ in range(rows)]
    arrays, data = {"x": np.zeros((rows, 1, 1, 3), "u1")}, files[0]
    if framing == "form":
        if rng.random() < 0.5:
            arrays["y"] = np.array([rng.randrange(4) for _ in range(rows)])
        data = _form([("x", file) for file in files] + [("y", str(y).encode()) for y in arrays.get("y", ())])
    broken = rng.random() < 0.1
    return Body(arrays, framing, spoiled(data, rng) if broken else data, "channels_last",
                (4,) * (len(arrays) - 1), not broken, tuple(image_sets.decoded(file) for file in files))


def some_body(rng):
    """One body."""
    if rng.random() < 0.15:
        return some_pictures(rng)
    arrays, layout, classes, plain = arrays_of(rng)
    framing = rng.choice(("raw", "npy", "npz", "npz", "safetensors", "safetensors"))
    if framing in ("raw", "npy"):
        arrays, classes = {"x": arrays["x"]}, ()
        plain = True
    if framing in ("npy", "npz") and any(a.dtype == np.uint16 for a in arrays.values()):
        arrays = {name: a.view("<f2") if a.dtype == np.uint16 else a for name, a in arrays.items()}
    if framing == "safetensors" and any(a.dtype.str[1:] in ("u4", "u8") for a in arrays.values()):
        arrays, plain = {n: a for n, a in arrays.items() if a.dtype.str[1:] not in ("u4", "u8")}, False
    data = framed(arrays, framing, rng)
    if rng.random() < 0.08:
        return Body(arrays, framing, spoiled(data, rng), layout, tuple(classes), False)
    return Body(arrays, framing, data, layout, tuple(classes), plain)
