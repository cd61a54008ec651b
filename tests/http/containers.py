"""npz, safetensors and zip files, written as another program would and read by the rules of their formats."""

import io
import json
import struct
import zipfile
from typing import NamedTuple

import numpy as np

TYPES = {"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "I16": "<i2", "I32": "<i4",
         "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}
LABEL_TYPES = {"U16": "<u2", "U32": "<u4", "U64": "<u8"}  # read, and never written
NAMES = {np.dtype(descr).str: name for name, descr in (TYPES | LABEL_TYPES).items()}


class Held(NamedTuple):
    """What a safetensors file holds."""

    arrays: dict
    metadata: dict


def read_safetensors(body, types=None):
    """By the rules of the format; ValueError where one is broken."""
    def unique(pairs):
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    length, = struct.unpack("<Q", body[:8])
    text, data = body[8:8 + length], body[8 + length:]
    if length > min(10**8, len(body) - 8) or text[:1] != b"{":
        raise ValueError("no header")
    header = json.loads(text, object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("metadata are texts")
    arrays, reached = {}, 0
    for name, entry in sorted(header.items(),
                              key=lambda item: item[1]["data_offsets"]):
        start, end = entry["data_offsets"]
        array = np.frombuffer(data[start:end], (types or TYPES)[entry["dtype"]])
        if set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"{name} says {set(entry)}")
        if start != reached or start % array.itemsize:
            raise ValueError(f"{name} begins at {start}")
        arrays[name], reached = array.reshape(entry["shape"]), end
    if reached != len(data):
        raise ValueError("data that belong to nothing")
    return Held(arrays, metadata)


def write_safetensors(arrays, metadata=None, names=None):
    """As another program would."""
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, array in arrays.items():
        header[name] = {"dtype": (names or NAMES)[array.dtype.str],
                        "shape": array.shape,
                        "data_offsets": (len(data), len(data) + array.nbytes)}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write_npz(arrays, save=np.savez):
    """As NumPy does, stored or by savez_compressed deflated."""
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


def write_zip(members, method=zipfile.ZIP_STORED):
    """Members of any name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()
