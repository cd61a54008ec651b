"""Folders in build/kept for what takes a minute to build of sources alone: one is emptied when a source has
changed, so whoever finds there what was built need not build it again."""

import contextlib
import hashlib
import shutil

import debian

FOLDER = debian.ROOT / "build" / "kept"


def digest(sources):
    """Of the paths and bytes of files, and of all files in folders."""
    told = hashlib.sha256()
    for source in sources:
        paths = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in paths:
            if path.is_file() and "__pycache__" not in path.parts:
                told.update(f"{path}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return told.hexdigest()


@contextlib.contextmanager
def folder(name, sources):
    """The folder of that name, for nobody else meanwhile; empty unless these were its sources before."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    place, note, wanted = FOLDER / name, FOLDER / f"{name}.sources", digest(sources)
    with debian.locked(FOLDER / f"{name}.lock"):
        if not note.exists() or note.read_text() != wanted:
            note.unlink(missing_ok=True)
            if place.exists():
                shutil.rmtree(place)
            place.mkdir()
            note.write_text(wanted)
        yield place
