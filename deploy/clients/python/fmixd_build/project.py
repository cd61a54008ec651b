"""What is told of the package, and its files."""

import ast
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent.parent
# Where the sources of libfmix are: around this folder in the repository, in it in an sdist.
_PLACES = (FOLDER.parents[2] if len(FOLDER.parents) > 2 else FOLDER, FOLDER / "libfmix")


def looked_for():
    """The places where the sources are looked for, in words."""
    return " and ".join(str(place / "lib" / "fmix.h") for place in _PLACES)


def sources():
    """The folder with the Makefile and lib/; None if there is none."""
    return next((place for place in _PLACES if (place / "Makefile").exists() and (place / "lib" / "fmix.h").exists()),
                None)


def version():
    """The version that fmixd/version.py says."""
    return re.search(r'__version__ = "(.+)"', (FOLDER / "fmixd" / "version.py").read_text(encoding="utf-8"))[1]


def _told(key):
    """A value of pyproject.toml."""
    line = re.search(rf"^{key} = (.+)$", (FOLDER / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    return json.loads(line[1])


def dist_info():
    """The name of the folder of metadata."""
    return f"fmixd-{version()}.dist-info"


def _license():
    return next(path for path in (FOLDER / "LICENSE", *(place / "LICENSE" for place in _PLACES)) if path.exists())


def metadata():
    """The files of that folder by name, but for those that tell of a wheel."""
    about = ast.get_docstring(ast.parse((FOLDER / "fmixd" / "__init__.py").read_text(encoding="utf-8")))
    lines = ["Metadata-Version: 2.1", f"Name: {_told('name')}", f"Version: {version()}",
             f"Summary: {_told('description')}", f"Requires-Python: {_told('requires-python')}",
             "License: MIT", *(f"Requires-Dist: {name}" for name in _told("dependencies")), "License-File: LICENSE",
             "Description-Content-Type: text/plain", "", about, ""]
    return {"METADATA": "\n".join(lines), "LICENSE": _license().read_text(encoding="utf-8")}


def package():
    """The package's files by their paths in a wheel."""
    return _read(path for path in (FOLDER / "fmixd").glob("*") if path.suffix in (".py", ".typed"))


def files():
    """All that a wheel is built of, but for libfmix."""
    held = {**package(), **_read([*(FOLDER / "fmixd_build").glob("*.py"), FOLDER / "pyproject.toml"])}
    return {**held, "LICENSE": _license().read_bytes()}


def _read(paths):
    # Archives have slashes on every system.
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths}
