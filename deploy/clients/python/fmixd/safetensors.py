"""Named arrays out of a safetensors file, which is what a daemon answers with."""

import json
import struct

import numpy as np

from .connection import Refused

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
         "U8": "u1", "BOOL": "?", "BF16": "<u2"}


def tensors(body):
    """The arrays of a safetensors file by name; bf16 as float32."""
    try:
        length, = struct.unpack("<Q", body[:8])
        header = json.loads(body[8:8 + length])
    except (struct.error, ValueError) as wrong:
        raise Refused(f"this is not fmixd's answer, which begins with {body[:40]!r}") from wrong
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(body[start:end], TYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            array = (array.astype("<u4") << 16).view("<f4")
        arrays[name] = array.reshape(entry["shape"])
    return arrays
