"""Runs the suites by pytest: all of them, or those that words pick.

    suites.py [WORD...]

A word is a part of a name (`guard`), an expression of pytest's -k (`guard and not fuzz`), a suite
(`test_guard`), a file (`test_guard.py`) or one test of it (`test_guard.py::Class::test`), or a folder (`tests/http`).
"""

import os
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent


def arguments(words):
    """pytest's arguments for such words."""
    paths = [word for word in words if "/" in word or re.search(r"\.(py|c)(::|$)", word)]
    names = [word for word in words if word not in paths]
    # Suites are found as files, so that no other need be read.
    if names and all(suites_of(name) for name in names):
        paths, names = paths + [path for name in names for path in suites_of(name)], []
    chosen = [found for word in paths for found in located(word)] or [str(TESTS)]
    expression = any(name in ("and", "or", "not") for name in names)
    picked = (" " if expression else " or ").join(names)
    return chosen + (["-k", picked] if picked else [])


def suites_of(name):
    """The files of the suites of a name such as test_guard."""
    return [path for path in files() if pathlib.Path(path).stem == name and name.startswith("test_")]


def located(word):
    """A test's name with the path of its file, which need not be told."""
    file, *rest = word.split("::")
    paths = [pathlib.Path(file)] if "/" in file else sorted(TESTS.rglob(file))
    return ["::".join([str(path), *rest]) for path in paths]


def files():
    """Every suite's file."""
    return [str(path) for pattern in ("unit/**/test_*.c", "fuzz/*.c", "*/test_*.py")
            for path in sorted(TESTS.glob(pattern)) if path.name != "replay.c"]


def command(words):
    """pytest's command line."""
    return [sys.executable, "-B", "-m", "pytest", *arguments(words)]


if __name__ == "__main__":
    os.chdir(TESTS.parent)
    line = command(" ".join(sys.argv[1:]).split())
    os.execv(line[0], line)
