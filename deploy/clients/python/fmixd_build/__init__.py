"""Builds the Python package fmixd, and nothing else: the hooks of PEP 517 and PEP 660.

A wheel carries libfmix.so where it can be built, by the Makefile of the sources around this folder; else
the wheel is pure, says why, and its package draws by a daemon alone. `--config-settings library=yes` makes
what is missing an error; `library=no` builds nothing.
"""

import pathlib
import tempfile

from . import library, project
from .archive import Wheel, tar

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable",
           "get_requires_for_build_sdist", "get_requires_for_build_wheel", "prepare_metadata_for_build_editable",
           "prepare_metadata_for_build_wheel"]

PURE = "py3-none-any"


def get_requires_for_build_wheel(config_settings=None):  # pylint: disable=unused-argument
    """Nothing: this builds offline."""
    return []


get_requires_for_build_sdist = get_requires_for_build_editable = get_requires_for_build_wheel


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):  # pylint: disable=unused-argument
    """The folder of what is told of the package, without a library."""
    folder = pathlib.Path(metadata_directory, project.dist_info())
    folder.mkdir()
    for name, text in project.metadata().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder.name


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):  # pylint: disable=unused-argument
    """The package, and its library if it may be had."""
    wanted = (config_settings or {}).get("library", "auto")
    if wanted not in ("auto", "yes", "no"):
        raise ValueError(f"library is {wanted!r}; it must be auto, yes or no")
    with tempfile.TemporaryDirectory() as folder:
        built, why_not = None, "library=no was asked for"
        if wanted != "no":
            built, why_not = library.build(pathlib.Path(folder))
        if wanted == "yes" and not built:
            raise RuntimeError(f"libfmix.so was not built: {why_not}")
        print(f"fmixd: this wheel carries {library.NAME}" if built else
              f"fmixd: this wheel is without {library.NAME}, so it needs a daemon: {why_not}", flush=True)
        wheel = Wheel(wheel_directory, f"py3-none-{library.platform()}" if built else PURE)
        for name, data in project.package().items():
            wheel.add(name, data)
        if built:
            wheel.add(f"fmixd/{library.NAME}", built.read_bytes(), executable=True)
        else:
            wheel.add("fmixd/libfmix.txt", why_not.encode() + b"\n")
        return wheel.write()


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):  # pylint: disable=unused-argument
    """A path to the sources; their library is that of `make lib`."""
    wheel = Wheel(wheel_directory, PURE)
    wheel.add("__editable__.fmixd.pth", f"{project.FOLDER}\n".encode())
    return wheel.write()


def build_sdist(sdist_directory, config_settings=None):  # pylint: disable=unused-argument
    """The package with the sources of its library, so that a wheel can be built of it anywhere."""
    root = project.sources()
    if root is None:
        raise RuntimeError("there are no sources of libfmix beside this package, so what is built of an sdist would "
                           f"need a daemon: build it in fmixd's repository; looked for {project.looked_for()}")
    name = f"fmixd-{project.version()}"
    held = {"PKG-INFO": project.metadata()["METADATA"].encode(), **project.files()}
    held.update({f"libfmix/{path.relative_to(root).as_posix()}": path.read_bytes()
                 for path in (root / "Makefile", root / "LICENSE", *root.glob("lib/*.[ch]"))})
    path = pathlib.Path(sdist_directory, f"{name}.tar.gz")
    path.write_bytes(tar({f"{name}/{entry}": data for entry, data in held.items()}))
    return path.name
