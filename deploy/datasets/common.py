"""What the preparations share: they check published files, write files that `fmixd import` reads in
bounded memory, and run the import.

A preparation is a script with a function that takes its arguments:

    if __name__ == "__main__":
        common.run(main)
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHUNK = 1 << 20


class Refused(Exception):
    """What is wrong with the files or the arguments; the message names which."""


def run(main):
    """Runs a preparation. Errors are one line, and a SIGTERM removes temporary files too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except (Refused, OSError) as error:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def arguments(description):
    """A parser with the options of every preparation."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--any-files", action="store_true",
                        help="take files that are not the published ones")
    parser.add_argument("--scratch", metavar="DIR",
                        help="where temporary files go; by default beside SET")
    return parser


# ---- before ----

def check_new(path):
    """Refuses a set that exists, before hours are spent on its preparation."""
    if os.path.lexists(path):
        raise Refused(f"'{path}' already exists; remove it, or choose another name")


def check_published(path, md5, size=None, any_files=False):
    """Refuses a file that is not the published one, unless any will do. The size is compared
    first, because reading a large file takes minutes."""
    if any_files:
        return
    advice = "download it again, or give --any-files to take it as it is"
    found = os.path.getsize(path)
    if size is not None and found != size:
        raise Refused(f"'{path}' has {found} bytes; the published file has {size}: {advice}")
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    if digest.hexdigest() != md5:
        raise Refused(f"'{path}' has MD5 {digest.hexdigest()}; the published file has {md5}: {advice}")


def check_space(target, bytes_of_set, scratch, bytes_of_scratch):
    """Refuses to begin what the disks have no room for. Both may be on one disk."""
    parent = _parent(target)
    needs = {}
    for folder, size in ((parent, bytes_of_set), (pathlib.Path(scratch or parent), bytes_of_scratch)):
        disk = os.stat(folder).st_dev
        needs[disk] = (folder, needs.get(disk, (folder, 0))[1] + size)
    for folder, size in needs.values():
        free = shutil.disk_usage(folder).free
        if free < size:
            raise Refused(f"'{folder}' has {free / 1e9:.1f} GB free; {size / 1e9:.1f} GB are needed")


@contextlib.contextmanager
def scratch(target, folder=None):
    """A folder for temporary files beside the set to be, or in another folder."""
    if folder is None:
        folder = _parent(target)
    with tempfile.TemporaryDirectory(prefix=".fmixd-", dir=folder) as path:
        yield pathlib.Path(path)


def _parent(target):
    parent = pathlib.Path(target).absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    return parent


# ---- files that import reads ----

class Npy:
    """An npy file that grows by rows, of which only those just written are in memory."""

    ROOM = 128  # bytes of the header, which is written again when the number of rows is known

    def __init__(self, path, dtype, row=()):
        self.dtype, self.row, self.rows = np.dtype(dtype), tuple(row), 0
        self._file = open(path, "wb")  # pylint: disable=consider-using-with
        self._file.write(self._header())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()

    def _header(self):
        text = repr({"descr": self.dtype.str, "fortran_order": False, "shape": (self.rows, *self.row)})
        text = text.ljust(self.ROOM - 11) + "\n"
        return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii")

    def write(self, rows):
        """Appends rows, an array [any number, *row]."""
        rows = np.ascontiguousarray(rows, self.dtype)
        if rows.shape[1:] != self.row:
            raise ValueError(f"rows of {rows.shape[1:]} in a file of rows of {self.row}")
        self._file.write(rows.data)
        self.rows += len(rows)


_SAFETENSORS = {"|u1": "U8", "<i4": "I32", "<i8": "I64", "<f2": "F16", "<f4": "F32"}


def write_safetensors(path, arrays):
    """Writes arrays by name, each as (dtype, shape, parts): the parts may be a generator."""
    head, at = {}, 0
    for name, (dtype, shape, _) in arrays.items():
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        head[name] = {"dtype": _SAFETENSORS[np.dtype(dtype).str], "shape": list(shape),
                      "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(head).encode("ascii")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, (dtype, _, parts) in arrays.items():
            for part in parts:
                file.write(np.ascontiguousarray(part, dtype).data)
            if file.tell() != 8 + len(text) + head[name]["data_offsets"][1]:
                raise ValueError(f"{name} does not have the shape that was said")


class Shard:
    """A tar file of WebDataset: pictures with their labels."""

    def __init__(self, path):
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tar.close()

    def add(self, key, picture, label):
        """Appends a file's bytes. The label is a class number, or the name of a class."""
        self._member(f"{key}.jpg", picture)
        if isinstance(label, str):
            self._member(f"{key}.json", json.dumps({"label": label}).encode())
        else:
            self._member(f"{key}.cls", str(label).encode())

    def _member(self, name, data):
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))


# ---- import ----

def program():
    """fmixd: that of FMIXD, of this tree's build, or of PATH."""
    built = ROOT / "build" / "fmixd"
    return os.environ.get("FMIXD") or (str(built) if os.access(built, os.X_OK) else "fmixd")


def import_set(target, kind, *files, options=()):
    """Runs `fmixd import`, which says what it made of the files."""
    command = [program(), "import", str(target), "--from", kind, *map(str, files), *map(str, options)]
    try:
        status = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
    except FileNotFoundError:
        raise Refused(f"there is no program '{command[0]}'; build it by make, or name it by FMIXD") \
            from None
    if status:
        raise Refused(f"the import of '{target}' ended with {status}")


# ---- for sets that are published as folders ----

def new_sets(folder, title, splits):
    """Paths of the sets by split: TITLE for training, TITLE-val, TITLE-test. Refuses those that exist."""
    targets = {split: pathlib.Path(folder, title if split == "train" else f"{title}-{split}") for split in splits}
    for target in targets.values():
        check_new(target)
    return targets


def check_count(what, found, published, any_files=False):
    """Refuses another number of files or records than was published, as of a folder that was unpacked in part."""
    if found != published and not any_files:
        raise Refused(f"{what}: there are {found}; {published} are published: unpack the archive again, or give "
                      "--any-files to take what is there")


def write_names(path, names):
    """A file of names, a line each; line 1 is that of number 0."""
    pathlib.Path(path).write_text("".join(f"{name}\n" for name in names), "utf-8")
    print(f"{path}: {len(names)} names, the first is that of number 0", flush=True)
