"""Named arrays out of a safetensors file, which is what a daemon answers with."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .connection import Refused

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
         "U8": "u1", "BOOL": "?", "BF16": "<u2"}


def tensors(body: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file by name, each with the shape and dtype that it has there; bf16 as float32. They
    cannot be written to."""
    try:
        length, = struct.unpack("<Q", body[:8])
        header = json.loads(body[8:8 + length])
    except (struct.error, ValueError) as wrong:
        raise Refused(f"this is not fmixd's answer, which begins with {body[:40]!r}") from wrong
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array: NDArray[Any] = np.frombuffer(body[start:end], TYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            array = (array.astype("<u4") << 16).view("<f4")
        arrays[name] = array.reshape(entry["shape"])
    return arrays
