"""Wheels and sdists: the same files give the same bytes."""

import base64
import gzip
import hashlib
import io
import os
import pathlib
import tarfile
import time
import zipfile

from . import project

EPOCH = 315532800  # 1980, before which zip has no times


def _seconds():
    """The time of every file."""
    return max(EPOCH, int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH)))


def tar(files):
    """A tar.gz of files by name."""
    plain, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(files[name]), _seconds(), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=_seconds()) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()


class Wheel:
    """One, in the making."""

    def __init__(self, folder, tag):
        self._path, self._tag = pathlib.Path(folder, f"fmixd-{project.version()}-{tag}.whl"), tag
        self._files, self._executable = {}, set()

    def add(self, name, data, executable=False):
        """A file."""
        self._files[name] = data
        if executable:
            self._executable.add(name)

    def write(self):
        """Writes the wheel; its name."""
        info = project.dist_info()
        for name, text in project.metadata().items():
            self.add(f"{info}/{name}", text.encode())
        pure = str(self._tag.endswith("-any")).lower()
        self.add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: fmixd_build\nRoot-Is-Purelib: {pure}\n"
                                  f"Tag: {self._tag}\n".encode())
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(self._files):
                self._put(archive, name, self._files[name])
            self._put(archive, f"{info}/RECORD", self._record(f"{info}/RECORD"))
        return self._path.name

    def _put(self, archive, name, data):
        entry = zipfile.ZipInfo(name, time.gmtime(_seconds())[:6])
        entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
        entry.external_attr = (0o100755 if name in self._executable else 0o100644) << 16
        archive.writestr(entry, data)

    def _record(self, own):
        """A line a file, with its digest and size; of itself the name alone."""
        def digest(data):
            return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines = [f"{name},sha256={digest(data)},{len(data)}" for name, data in sorted(self._files.items())]
        return "\n".join([*lines, f"{own},,", ""]).encode()
