"""Builds the Dockerfile with buildah, and runs what is in the image.

No registry is asked: what the Dockerfile calls debian:13-slim is made here by debootstrap (see
debian.py), and apt inside of it is set up as it is here. Images are kept until a source changes.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import debian
import kept
from debian import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPE = ROOT / "Dockerfile"
EPOCH = 1_700_000_000  # of the commit, if it were one: the suites also run where there is no git
SBOM = "usr/share/doc/fmixd/sbom.spdx.json"
RELEASE = "trixie"
BASE = "localhost/debian:13-slim"
COPIED = ("Makefile", "lib", "server", "deploy/sbom", ".dockerignore")  # by the Dockerfile

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


@contextlib.contextmanager
def store():
    """Where images are that were built of these sources."""
    sources = [ROOT / name for name in ("Dockerfile", *COPIED, "tests/deploy/images.py", "tests/deploy/debian.py")]
    with kept.folder("images", sources) as folder:
        yield Store(folder)


class Store:
    """Images in a folder; what is there already is not built again."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not self.has(BASE):
            self._import_base()

    def _import_base(self):
        configured = debian.configuration(self.folder / "configured", RELEASE)
        container = self.buildah("from", "--pull-never", "scratch").strip()
        self.buildah("add", "-q", container, debian.base(RELEASE), "/")
        self.buildah("add", "-q", container, configured, "/")
        self.buildah("commit", "-q", "--rm", container, BASE)

    def has(self, name):
        """Whether an image of that name was built."""
        named = self.buildah("images", "--all", "--format", "{{.Name}}:{{.Tag}}").split()
        return (name if ":" in name else f"localhost/{name}:latest") in named

    def buildah(self, *arguments):
        """What a buildah that knows this folder alone prints."""
        return run(*FORGETFUL, "buildah", "--root", self.folder / "root", "--runroot",
                   self.folder / "run", "--storage-driver", "vfs", *arguments,
                   env={**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self.folder)})

    def build(self, target, tree=ROOT, name="fmixd"):
        """The image for an architecture that the Dockerfile in a tree makes."""
        packages = self.packages(target)
        first, rest = re.split(r"^(?=FROM packages AS build$)", RECIPE.read_text(), flags=re.M)
        if not self.has(packages):
            self._build(target, first, packages, ROOT)
        # All that follows is done again for each name.
        if not self.has(name):
            self._build(target, rest.replace("FROM packages ", f"FROM {packages} ", 1), name, tree)
        return Image(self, name)

    def _build(self, target, recipe, name, tree):
        # buildah of Debian 12 has no BUILDPLATFORM of its own, and no health check unless it is
        # Docker's format.
        written = self.folder / "Dockerfile"
        written.write_text(recipe)
        self.buildah("build", "--pull=never", "--layers=false", "--network=host",
                     "--format=docker", f"--platform=linux/{target}", f"--file={written}",
                     f"--build-arg=BUILDPLATFORM=linux/{debian.architecture()}",
                     f"--timestamp={EPOCH}", f"--build-arg=SOURCE_DATE_EPOCH={EPOCH}",
                     "-t", name, tree)

    @staticmethod
    def packages(target):
        """The name of the image of the stage that has a compiler and Debian's packages."""
        return f"localhost/packages:{target}"

    def digest(self, name):
        """Of the OCI manifest, which names the bytes of all there is.

        In Docker's format, buildah also writes the random names of a container and of its host.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            self.buildah("push", "-q", "--disable-compression", "--format=oci", name, f"oci:{folder}:one")
            manifest, = json.loads(pathlib.Path(folder, "index.json").read_text())["manifests"]
        return manifest["digest"]

    def root(self, name):
        """Where an image's files are."""
        container = f"root-of-{re.sub('[^a-z0-9]', '-', name)}"
        if container not in self.buildah("containers", "--format", "{{.ContainerName}}").split():
            self.buildah("from", "--pull-never", f"--name={container}", name)
        return pathlib.Path(self.buildah("mount", container).strip())


def copy_tree(folder):
    """A copy of what the Dockerfile copies, in another folder, with other times and permissions."""
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-R", ROOT / name, folder / name)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


class Image:
    """What is in an image, and what it says."""

    def __init__(self, store, name):
        self.root = store.root(name)
        said = json.loads(store.buildah("inspect", "--type", "image", name))["Docker"]
        self.layers = said["rootfs"]["diff_ids"]
        self.digest = store.digest(name)
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
