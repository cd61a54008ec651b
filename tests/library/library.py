"""libfmix.so's views by ctypes, as lib/fmix_view.h declares them."""

import ctypes
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = ROOT / os.environ.get("BUILD", "build") / "libfmix.so"

RANDOM, CENTER, STRETCH = range(3)
BILINEAR, BICUBIC, NEAREST = range(3)


class Recipe(ctypes.Structure):
    """fmix_view_recipe"""
    _fields_ = [("kind", ctypes.c_int), ("height", ctypes.c_uint32), ("width", ctypes.c_uint32),
                ("flips", ctypes.c_bool), ("area", ctypes.c_double * 2),
                ("ratio", ctypes.c_double * 2), ("shorter", ctypes.c_uint32)]


class Side(ctypes.Structure):
    """fmix_view_side"""
    _fields_ = [("first", ctypes.c_uint32), ("length", ctypes.c_uint32),
                ("resized", ctypes.c_uint64), ("begin", ctypes.c_int64), ("size", ctypes.c_uint32)]


class View(ctypes.Structure):
    """fmix_view"""
    _fields_ = [("rows", Side), ("columns", Side), ("flip", ctypes.c_bool)]


class Picture(ctypes.Structure):
    """fmix_picture; top, left, height and width are its fmix_part"""
    _fields_ = [("top", ctypes.c_uint32), ("left", ctypes.c_uint32), ("height", ctypes.c_uint32),
                ("width", ctypes.c_uint32), ("pixels", ctypes.c_void_p),
                ("stride", ctypes.c_size_t)]


def is_sanitized():
    """A library with these needs a program that has them too."""
    built = PATH.read_bytes()
    return b"__asan_init" in built or b"__tsan_init" in built


class Library:
    """The calls, which raise ValueError for any status but FMIX_OK."""

    def __init__(self):
        self.so = ctypes.CDLL(str(PATH))
        self.so.fmix_resize.argtypes = [ctypes.c_void_p, ctypes.POINTER(View), ctypes.c_int,
                                        ctypes.c_uint, ctypes.POINTER(Picture), ctypes.c_void_p]
        self.so.fmix_view_draw.argtypes = [ctypes.POINTER(Recipe), ctypes.c_uint64,
                                           ctypes.c_uint64, ctypes.c_bool, ctypes.c_uint32,
                                           ctypes.c_uint32, ctypes.POINTER(View)]
        self.so.fmix_scratch_free.argtypes = [ctypes.c_void_p]
        self.scratch = ctypes.c_void_p()
        self.so.fmix_scratch_new(ctypes.byref(self.scratch))

    def close(self):
        """Frees the scratch."""
        self.so.fmix_scratch_free(self.scratch)

    def draw(self, recipe, seed, index, sides, neighbour=False):
        """The view of a picture with sides (height, width)."""
        view = View()
        if self.so.fmix_view_draw(recipe, seed, index, neighbour, *sides, view):
            raise ValueError("fmix_view_draw")
        return view

    def resize(self, view, kind, pixels):
        """What a view shows of pixels [height, width] or [height, width, channels]."""
        pixels = np.ascontiguousarray(pixels)
        channels = pixels.shape[2] if pixels.ndim == 3 else 1
        picture = Picture(0, 0, *pixels.shape[:2], pixels.ctypes.data, pixels.strides[0])
        out = np.full((view.rows.size, view.columns.size, *pixels.shape[2:]), 77, np.uint8)
        if self.so.fmix_resize(self.scratch, view, kind, channels, picture, out.ctypes.data):
            raise ValueError("fmix_resize")
        return out
