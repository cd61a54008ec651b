"""Plans that libfmix.so draws in this process: the same bits as a daemon's."""

from __future__ import annotations

import hashlib
import math
import threading
from ctypes import c_double, c_uint, c_uint32
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import shared_library
from .connection import api_names
from .parameters import DTYPES, PLAN_PARTS, SCOPES, mask_values, plan_values, weighed
from .shared_library import LibraryError
from .sources import PlanSource

__all__ = ["LibraryError", "LocalPlans", "library", "masks", "plans"]

_TYPES = {"f32": "<f4", "u8": "u1", "bits": "u1", "f16": "<f2", "f64": "<f8"}
_ROW = np.dtype(shared_library.Row)

# Plans, and the BLAKE2b-128 over their arrays: a library that is another version's, or not what this file takes it
# for, draws others.
KNOWN = (
    ({"shape": "6x5", "n": 8, "seed": 7, "step": 3, "steps": 2, "method": "fmix,cutmix,mixup", "switch": "sample",
      "weights": "2,1,1", "alpha": "0.2,1,4", "prob": 0.7, "scope": "pair", "pairing": "flip", "delta": 2, "soft": 0.25,
      "frequency": "extent", "box": "inside", "reformulate": 1, "dtype": "f64"}, "89b161581d0749b7f574a7f22f59ab65"),
    ({"shape": "8x8", "n": 5, "seed": 2**64 - 1, "step": 9, "index": 2**40, "steps": 3, "method": "fmix,cutmix,none",
      "policy": "random", "weights": "3,3,1", "lambda": 0.3, "scope": "batch", "pairing": "derangement",
      "spectrum": "official", "dtype": "bits"}, "54d940e304fd5f0147c9cac29ccda1df"),
)

_loading = threading.Lock()
_loaded: list[shared_library.Library] = []


def library() -> shared_library.Library:
    """The process's libfmix.so, which draws what it must. Raises LibraryError where there is none."""
    if not _loaded:
        with shared_library.CALLS, _loading:  # the lock is held by nobody where a fork happens
            if not _loaded:
                found = shared_library.load()
                _check(found)
                _loaded.append(found)
    return _loaded[0]


def _check(found: shared_library.Library) -> None:
    for options, digest in KNOWN:
        if _digest(_drawn(found, plan_values(options))) != digest:
            raise LibraryError(f"{found.path} does not draw what this package needs: it is another version, or broken. "
                               "Build the library anew, from the sources of this package")


def _digest(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in PLAN_PARTS:
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def plans(**options: Any) -> dict[str, NDArray[Any]]:
    """What /v1/plans answers: a dictionary of NumPy arrays. Options are the resource's: shape, n, step, steps, seed,
    method, lambda (as `lam`), dtype, parts, … Without `steps` arrays have no leading dimension of batches."""
    return _asked(api_names(options))


def masks(**options: Any) -> NDArray[Any]:
    """What /v1/masks answers: an array [n, *shape], or of bits [n, bytes]. Options are the resource's: shape, n, index,
    seed, method, lambda (as `lam`), dtype, …, but for grey images and sheets, which a daemon draws."""
    return _drawn(library(), {**mask_values(api_names(options)), "parts": ["masks"]})["masks"][0]


def _asked(options: dict[str, Any], stop: threading.Event | None = None) -> dict[str, NDArray[Any]]:
    values = plan_values(options)
    arrays = _drawn(library(), values, stop)
    return {name: arrays[name] if "steps" in values["given"] else arrays[name][0] for name in arrays}


class LocalPlans(PlanSource):
    """Plans of this process's own."""

    def __init__(self, url: str | None, token: str | None, law: dict[str, Any]) -> None:
        super().__init__(url, token, law)
        self._abandoned = threading.Event()

    def plans(self, shape: tuple[int, ...], rows: int, first: int, steps: int) -> dict[str, NDArray[Any]]:
        made = _asked({**self.law, "shape": "x".join(map(str, shape)), "n": rows, "dtype": "bits", "step": first,
                       "steps": steps}, self._abandoned)
        if steps > 1:  # which are drawn ahead, so that nobody waits
            library().tune()
        return made

    def abandon(self) -> None:
        self._abandoned.set()


# --- Drawing ------------------------------------------------------------------


def _recipe(values: dict[str, Any]) -> Any:
    shape = values["shape"]
    return shared_library.Recipe(**{
        "seed": values["seed"], "shape": shared_library.Shape(len(shape), (c_uint32 * 3)(*shape)),
        "method": values["method"][0], "alpha": values["alpha"][0], "delta": values["delta"],
        "lambda_given": values["lambda"] is not None, "lambda": values["lambda"] or 0.0,
        "reformulate": values["reformulate"], "scope_batch": SCOPES[values["scope"]] == "batch",
        "frequency": values["frequency"], "box": values["box"], "spectrum": values["spectrum"], "soft": values["soft"]})


def _array(kind: Any, items: Any) -> Any:
    """A C array; NULL where there are no items."""
    return (kind * len(items))(*items) if items else None


def _choice(values: dict[str, Any]) -> Any:
    methods, alphas = values["method"], values["alpha"]
    return shared_library.Choice(
        count=len(methods), methods=_array(c_uint, methods),
        alphas=_array(c_double, alphas) if len(alphas) > 1 else None, policy=values["policy"],
        weights=_array(c_uint32, weighed(values)), by_sample=bool(values["switch"]),
        prob_given=values["prob"] < 1, prob=values["prob"], scope=values["scope"])


def _mask_sides(values: dict[str, Any]) -> tuple[int, ...]:
    """Sides of a mask's array: bits are packed into bytes."""
    shape: tuple[int, ...] = values["shape"]
    return (-(-math.prod(shape) // 8),) if DTYPES[values["dtype"]] == "bits" else shape


def _drawn(found: shared_library.Library, values: dict[str, Any], stop: threading.Event | None = None) -> dict[str,
           NDArray[Any]]:
    """Arrays by name, each [steps, n, …], of the parts that are wanted. stop: an event after which they are not."""
    wanted = [name for name in PLAN_PARTS if name in (values["parts"] or PLAN_PARTS)]
    lead, dtype = (values["steps"], values["n"]), DTYPES[values["dtype"]]
    masks = np.empty((*lead, *_mask_sides(values)), _TYPES[dtype]) if "masks" in wanted else None
    pairing = np.empty(lead, "<i8") if "pairing" in wanted else None
    rows, methods = np.empty(lead, _ROW), np.empty(lead, np.uintc)
    numbered = {"lambda", "lambda_eff", "method"} & set(wanted)
    with found.mixer(_recipe(values), _choice(values)) as mixer:
        for i in range(values["steps"]):
            if stop and stop.is_set():
                raise ConnectionError(shared_library.ABANDONED)
            batch = shared_library.Rows(values["step"] + i, values["n"], values["index"] + i * values["n"], None)
            if masks is not None:
                with found.scratch(stop) as scratch:
                    found.call("fmix_mixer_masks", mixer, scratch, batch, 0, values["n"], shared_library.DTYPES[dtype],
                               masks[i].ctypes.data)
            if pairing is not None:
                found.call("fmix_pairing", values["pairing"], values["seed"], batch.batch, values["n"],
                           pairing[i].ctypes.data)
            if numbered:
                _number(found, mixer, batch, methods[i], rows[i])
    made = {"masks": masks, "pairing": pairing, "lambda": rows["lambda"] * 2.0**-32,
            "lambda_eff": rows["lambda_effective"].copy(), "method": methods.astype("u1")}
    return {name: made[name] for name in wanted}


def _number(found: shared_library.Library, mixer: Any, batch: Any, methods: NDArray[Any], rows: NDArray[Any]) -> None:
    """The method and the numbers of each row of a batch."""
    call, method, row = found.fmix_mixer_row, methods.ctypes.data, rows.ctypes.data
    for i in range(batch.count):
        status = call(mixer, batch, i, method + i * methods.itemsize, row + i * rows.itemsize)
        if status:
            found.check(status)
