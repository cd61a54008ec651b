"""The client's package with the library of this build, and none of the system's."""

import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = (ROOT / os.environ.get("BUILD", "build") / "libfmix.so").resolve()
sys.path.insert(0, str(ROOT / "deploy/clients/python"))
os.environ["FMIX_LIBRARY"] = str(LIBRARY)

import fmixd  # noqa: E402,F401
from fmixd import local  # noqa: E402,F401


def require():
    """Skips what a library with sanitizers cannot do in a program without them."""
    built = LIBRARY.read_bytes()
    if b"__asan_init" in built or b"__tsan_init" in built:
        raise unittest.SkipTest("a sanitized libfmix.so needs a program that is sanitized, too")
