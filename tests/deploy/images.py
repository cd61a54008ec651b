"""Builds the Dockerfile with buildah, and runs what is in the image.

No registry is asked: what the Dockerfile calls debian:12-slim is made here by debootstrap, from
where this machine's apt gets Debian 12, and apt inside of it is set up as it is here. Its tar is
kept in build/image; whatever else there is goes with the caller's folder.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "image"
SUITE = "bookworm"
BASE = "localhost/debian:12-slim"
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
BUILD_SECONDS = 900

# Mounts go with the namespace. What buildah keeps beside its storage is to be lost.
FORGETFUL = ["unshare", "--mount", "sh", "-c",
             'for folder in /var/lib /var/cache; do mount -t tmpfs none $folder || exit; done;'
             'exec "$@"', "sh"]
# As a container's first process, user and read-only root would be.
CONTAINED = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
             'root=$1 user=$2; shift 2; mount --bind "$root" "$root" && '
             'mount -o remount,bind,ro "$root" && '
             'exec chroot --groups= --userspec="$user" "$root" "$@"', "sh"]


def run(*command, **options):
    """What a command prints, if all is well."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False, timeout=BUILD_SECONDS, **options)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout[-4000:]}"
                           f"{done.stderr[-4000:]}")
    return done.stdout


def missing():
    """Why no image can be built here, or None."""
    for program in ("buildah", "debootstrap", "apt-get", "unshare"):
        if not shutil.which(program):
            return f"no {program} here"
    if os.geteuid() != 0:
        return "only root can make a file system"
    if subprocess.run([*FORGETFUL, "true"], check=False, capture_output=True).returncode:
        return "no mounts of our own here"
    return None if sources() else "apt has no Debian 12 here"


def architecture():
    """This machine's, in Debian's and Docker's word."""
    return run("dpkg", "--print-architecture").strip()


def sources():
    """Where apt gets Debian 12 from, as lines of sources.list."""
    listed = run("apt-get", "indextargets", "--no-release-info", "--format",
                 "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    wanted = re.compile(rf"deb \S+ {SUITE}(-updates|-security)? main")
    return sorted({line for line in listed.splitlines() if wanted.fullmatch(line)})


def base():
    """The tar of a minimal Debian 12, made now if it is not there."""
    kept = CACHE / f"{SUITE}-{architecture()}.tar"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        mirror = next(line.split()[1] for line in sources() if f" {SUITE} " in line)
        with tempfile.TemporaryDirectory() as folder:
            run("unshare", "--mount", "debootstrap", "--variant=minbase",
                "--include=ca-certificates", SUITE, folder, mirror)
            for package in pathlib.Path(folder, "var/cache/apt/archives").glob("*.deb"):
                package.unlink()
            begun = kept.with_suffix(".begun")
            run("tar", "-C", folder, "--numeric-owner", "-cf", begun, ".")
        begun.rename(kept)
    return kept


def configuration(folder):
    """apt's sources, settings of transport and authorities, laid out as in a root."""
    apt = folder / "etc/apt"
    (apt / "apt.conf.d").mkdir(parents=True)
    (apt / "sources.list").write_text("\n".join(sources()) + "\n")
    settings = [line for line in run("apt-config", "dump").splitlines()
                if line.startswith("Acquire::")]
    (apt / "apt.conf.d" / "90acquire").write_text("\n".join(settings) + "\n")
    if pathlib.Path("/", AUTHORITIES).exists():
        (folder / AUTHORITIES).parent.mkdir(parents=True)
        shutil.copy(pathlib.Path("/", AUTHORITIES), folder / AUTHORITIES)
    return folder


class Store:
    """Images in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        configured = configuration(self.folder / "configured")
        container = self.buildah("from", "--pull-never", "scratch").strip()
        self.buildah("add", "-q", container, base(), "/")
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
                     f"--build-arg=BUILDPLATFORM=linux/{architecture()}", "-t", name, ROOT)
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
