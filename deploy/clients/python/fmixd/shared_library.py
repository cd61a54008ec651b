"""libfmix.so in this process, by ctypes: what of lib/fmix.h and lib/fmix_rows.h plans need."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import threading
from collections.abc import Iterator
from ctypes import POINTER, c_bool, c_char_p, c_double, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
NAME, SYSTEM_NAME = "libfmix.so", "libfmix.so.1"
VARIABLE = "FMIX_LIBRARY"
WHY_NOT = HERE / "libfmix.txt"  # in a wheel without the library: what was missing where it was built
CACHE = 64 << 20                # bytes that a context keeps of weights and of transform plans
ERROR_MEMORY, ERROR_CANCELLED = 2, 4  # of fmix_status
ABANDONED = "nobody waits for these plans any more"
WATCH: Any = ctypes.CFUNCTYPE(c_bool, c_void_p)
# fmix_dtype by the names that requests have for types of masks
DTYPES = {"f32": 0, "u8": 1, "bits": 2, "f16": 3, "f64": 5}


class LibraryError(OSError):
    """There is no libfmix.so that can be used; says what is missing, and how to get it."""


class Shape(ctypes.Structure):
    """fmix_shape"""
    _fields_ = [("rank", c_uint), ("side", c_uint32 * 3)]


class Recipe(ctypes.Structure):
    """fmix_recipe"""
    _fields_ = [("seed", c_uint64), ("method", c_uint), ("shape", Shape), ("alpha", c_double), ("delta", c_double),
                ("lambda_given", c_bool), ("lambda", c_double), ("reformulate", c_bool), ("scope_batch", c_bool),
                ("frequency", c_int), ("box", c_int), ("spectrum", c_int), ("soft", c_double)]


class Choice(ctypes.Structure):
    """fmix_choice"""
    _fields_ = [("count", c_uint), ("methods", POINTER(c_uint)), ("alphas", POINTER(c_double)), ("policy", c_int),
                ("weights", POINTER(c_uint32)), ("by_sample", c_bool), ("prob_given", c_bool), ("prob", c_double),
                ("scope", c_int)]


class Rows(ctypes.Structure):
    """fmix_rows"""
    _fields_ = [("batch", c_uint64), ("count", c_uint64), ("index", c_uint64), ("t", c_void_p)]


class Row(ctypes.Structure):
    """fmix_row"""
    _fields_ = [("lambda", c_uint64), ("ones", c_uint64), ("lambda_effective", c_double), ("weight", c_double),
                ("box_start", c_uint32 * 3), ("box_size", c_uint32 * 3)]


# Of calls that can take long, or hold a lock meanwhile: other threads run on.
_LONG = {
    "fmix_context_new": (c_int, c_size_t, POINTER(c_void_p)),
    "fmix_mixer_new": (c_int, c_void_p, POINTER(Recipe), POINTER(Choice), POINTER(c_void_p)),
    "fmix_mixer_masks": (c_int, c_void_p, c_void_p, POINTER(Rows), c_uint64, c_uint64, c_int, c_void_p),
    "fmix_pairing": (c_int, c_int, c_uint64, c_uint64, c_uint32, c_void_p),
    "fmix_context_tune": (c_int, c_void_p, c_double, POINTER(c_bool), POINTER(c_bool)),
}
# Of calls that are over at once: to let other threads run would take longer.
_SHORT = {
    "fmix_status_text": (c_char_p, c_int),
    "fmix_scratch_new": (c_int, POINTER(c_void_p)),
    "fmix_scratch_trim": (None, c_void_p),
    "fmix_scratch_watch": (None, c_void_p, WATCH, c_void_p),
    "fmix_mixer_row": (c_int, c_void_p, POINTER(Rows), c_uint64, c_void_p, c_void_p),
    "fmix_mixer_free": (None, c_void_p),
}


class _Calls:
    """The calls that are in progress. A fork waits for their end: in the child, which has no other threads, a lock
    that one of them held would be held for ever."""

    def __init__(self) -> None:
        self._begin()
        if hasattr(os, "register_at_fork"):  # where there are forks
            os.register_at_fork(before=self._settle, after_in_parent=self._go_on, after_in_child=self._begin)

    def _begin(self) -> None:
        self._changed, self._count = threading.Condition(), 0

    def _settle(self) -> None:
        self._changed.acquire()
        self._changed.wait_for(lambda: self._count == 0)

    def _go_on(self) -> None:
        self._changed.release()

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()


CALLS = _Calls()


class Library:
    """The calls of a library file, with a context of their own. Threads may share it, and forks inherit it."""

    fmix_status_text: Any
    fmix_scratch_new: Any
    fmix_scratch_trim: Any
    fmix_scratch_watch: Any
    fmix_mixer_row: Any
    fmix_mixer_free: Any

    def __init__(self, path: Any) -> None:
        self.path = str(path)
        try:
            files = ctypes.CDLL(self.path), ctypes.PyDLL(self.path)
        except OSError as wrong:
            raise LibraryError(f"{wrong}; libfmix.so needs the libraries of FFTW, MPFR and libsodium (Debian: "
                               "libfftw3-double3, libmpfr6, libsodium23)") from wrong
        for file, calls in zip(files, (_LONG, _SHORT)):
            for name, (result, *arguments) in calls.items():
                self._bind(file, name, result, arguments)
        self._scratches: list[Any] = []  # that no thread uses now
        context = c_void_p()
        self.call("fmix_context_new", CACHE, context)
        self._context = context

    def _bind(self, file: Any, name: str, result: Any, arguments: Any) -> None:
        function = getattr(file, name, None)
        if function is None:
            raise LibraryError(f"{self.path} has no {name}: it is not the libfmix.so of this version")
        function.restype, function.argtypes = result, arguments
        setattr(self, name, function)

    def call(self, name: str, *arguments: Any) -> None:
        """A call that returns a fmix_status; other threads run meanwhile."""
        with CALLS:
            status = getattr(self, name)(*arguments)
        self.check(status)

    def check(self, status: int) -> None:
        """Raises what a status means, if it is not FMIX_OK."""
        if status == ERROR_MEMORY:
            raise MemoryError(self.fmix_status_text(status).decode())
        if status == ERROR_CANCELLED:
            raise ConnectionError(ABANDONED)
        if status:
            raise RuntimeError(f"libfmix: {self.fmix_status_text(status).decode()}")

    def tune(self) -> None:
        """Measures faster transforms for a shape that is drawn often: in up to two thirds of a second."""
        self.call("fmix_context_tune", self._context, 0.3, c_bool(), c_bool())

    @contextlib.contextmanager
    def mixer(self, recipe: Any, choice: Any) -> Iterator[Any]:
        """A fmix_mixer."""
        mixer = c_void_p()
        self.call("fmix_mixer_new", self._context, recipe, choice, mixer)
        try:
            yield mixer
        finally:
            self.fmix_mixer_free(mixer)

    @contextlib.contextmanager
    def scratch(self, stop: threading.Event | None = None) -> Iterator[Any]:
        """A fmix_scratch, which is kept for whoever needs one next. stop: an event that ends a call with it, even
        while a close call is decided."""
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = c_void_p()
            self.check(self.fmix_scratch_new(scratch))
        watch = WATCH() if stop is None else WATCH(lambda _, asked=stop: asked.is_set())
        self.fmix_scratch_watch(scratch, watch, None)
        try:
            yield scratch
        finally:
            self.fmix_scratch_watch(scratch, WATCH(), None)
            self.fmix_scratch_trim(scratch)
            self._scratches.append(scratch)


def _candidates() -> Iterator[pathlib.Path]:
    """Files that can be the library, the first that is there being it."""
    yield HERE / NAME
    for root in list(HERE.parents)[3:4]:  # of a checkout, where `make lib` leaves it
        if (root / "lib" / "fmix.h").exists():
            yield root / "build" / NAME


def load() -> Library:
    """The library: the one that FMIX_LIBRARY names, else the package's own, the checkout's or the system's."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.path.exists(named):
            raise LibraryError(f"{VARIABLE} is {named!r}, and there is no such file")
        return Library(os.path.abspath(named))
    for path in _candidates():
        if path.exists():
            return Library(path)
    try:
        ctypes.CDLL(SYSTEM_NAME)
    except OSError as wrong:
        raise LibraryError(_missing()) from wrong
    return Library(SYSTEM_NAME)


def _missing() -> str:
    told = f" This package was built without it: {WHY_NOT.read_text().strip()}." if WHY_NOT.exists() else ""
    return (f"there is no libfmix.so here, which draws masks where no daemon does.{told} Install a C compiler, make "
            "and the headers of FFTW, MPFR and libsodium (Debian: gcc libc6-dev make libfftw3-dev libmpfr-dev "
            "libsodium-dev), then this package again; or install the library by `make install-lib` in fmixd's sources; "
            f"or set {VARIABLE} to the path of a libfmix.so; or give the URL of a daemon. Looked for: "
            f"{', '.join(map(str, _candidates()))}, {SYSTEM_NAME}")
