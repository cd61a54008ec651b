"""The tensors of an answer in any format by name, bf16 among them: NumPy's uint16 holds its patterns."""

import io
import json
import zipfile

import numpy as np

import containers
import harness
from containers import NAMES, TYPES

_TYPES = {**TYPES, "BF16": "<u2"}
_NAMES = {**NAMES, np.dtype("<u2").str: "BF16"}
# As the daemon calls them, and as headers of raw answers do.
CODES = {name.lower(): code for name, code in _TYPES.items()}


def write_safetensors(arrays):
    """A file of these arrays, uint16 as BF16."""
    return containers.write_safetensors(arrays, names=_NAMES)


def read_safetensors(body):
    """Its arrays, by the rules of the format."""
    return containers.read_safetensors(body, _TYPES).arrays


def read_npz(body):
    """Its arrays; each member's checksum holds."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name.removesuffix(".npy"): harness.read_npy(archive.read(name))
                for name in archive.namelist()}


def read_raw(headers, body):
    """The array that headers describe."""
    shape = [int(side) for side in headers["X-Fmix-Shape"].split("x")]
    return np.frombuffer(body, CODES[headers["X-Fmix-Dtype"]]).reshape(shape)


def _no_json(constant):
    raise ValueError(f"{constant} is no JSON")


def read_json(body):
    """Its values as they are: lists, and numbers past 2^53 as text."""
    return json.loads(body, parse_constant=_no_json)


def listed(tensor):
    """A tensor as JSON has it: no NaN and no infinity, but null."""
    if tensor.dtype == np.uint16:
        tensor = (tensor.astype("u4") << 16).view("f4")
    if tensor.dtype.kind != "f":
        return tensor.tolist()
    with np.errstate(invalid="ignore"):  # as signalling NaNs are
        values = tensor.astype("f8")
    return np.where(np.isfinite(values), values.astype(object), None).tolist()
