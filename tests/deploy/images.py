"""Builds the Dockerfile with buildah, and runs what is in the image.

No registry is asked: what the Dockerfile calls debian:13-slim is made here by debootstrap (see
debian.py), and apt inside of it is set up as it is here. Whatever there is goes with the caller's
folder.
"""

import json
import os
import pathlib
import shutil
import subprocess

import debian
from debian import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = "trixie"
BASE = "localhost/debian:13-slim"

# Mounts go with the namespace. What buildah keeps beside its storage is to be lost.
FORGETFUL = ["unshare", "--mount", "sh", "-c",
             'for folder in /var/lib /var/cache; do mount -t tmpfs none $folder || exit; done;'
             'exec "$@"', "sh"]
# As a container's first process, user and read-only root would be.
CONTAINED = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
             'root=$1 user=$2; shift 2; mount --bind "$root" "$root" && '
             'mount -o remount,bind,ro "$root" && '
             'exec chroot --groups= --userspec="$user" "$root" "$@"', "sh"]


def missing():
    """Why no image can be built here, or None."""
    if not shutil.which("buildah"):
        return "no buildah here"
    why = debian.missing()
    if why:
        return why
    if subprocess.run([*FORGETFUL, "true"], check=False, capture_output=True).returncode:
        return "no mounts of our own here"
    return None


class Store:
    """Images in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        configured = debian.configuration(self.folder / "configured", RELEASE)
        container = self.buildah("from", "--pull-never", "scratch").strip()
        self.buildah("add", "-q", container, debian.base(RELEASE), "/")
        self.buildah("add", "-q", container, configured, "/")
        self.buildah("commit", "-q", "--rm", container, BASE)

    def buildah(self, *arguments):
        """What a buildah that knows this folder alone prints."""
        return run(*FORGETFUL, "buildah", "--root", self.folder / "root", "--runroot",
                   self.folder / "run", "--storage-driver", "vfs", *arguments,
                   env={**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self.folder)})

    def build(self, target):
        """The Dockerfile's image for an architecture."""
        # buildah of Debian 12 has no BUILDPLATFORM of its own, and no health check unless it is
        # Docker's format.
        name = f"fmixd:{target}"
        self.buildah("build", "--pull=never", "--layers=false", "--network=host",
                     "--format=docker", f"--platform=linux/{target}",
                     f"--build-arg=BUILDPLATFORM=linux/{debian.architecture()}", "-t", name, ROOT)
        return Image(self, name)


class Image:
    """What is in an image, and what it says."""

    def __init__(self, store, name):
        container = store.buildah("from", "--pull-never", name).strip()
        self.root = pathlib.Path(store.buildah("mount", container).strip())
        said = json.loads(store.buildah("inspect", "--type", "image", name))["Docker"]
        self.architecture = said["architecture"]
        self.config = said["config"]

    def variables(self):
        """Its environment."""
        return dict(line.split("=", 1) for line in self.config["Env"])

    def files(self):
        """Paths from its root to all that is no folder."""
        return sorted(path.relative_to(self.root) for path in self.root.rglob("*")
                      if path.is_symlink() or not path.is_dir())

    def command(self, *words):
        """Runs words inside of it, as its user; the first one's pid is 1."""
        return [*CONTAINED, str(self.root), self.config["User"], *words]
