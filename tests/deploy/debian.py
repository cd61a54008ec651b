"""Roots of Debian's releases, made by debootstrap from where this machine's apt gets its own.

    debian.py RELEASE [SUITE...]

builds this tree in such a root, compares golden digests, and runs suites there: all that need no
browser, unless some are named as for tests/suites.py. Roots and their tars are kept in build/roots.
"""

import contextlib
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "roots"
RELEASES = {"bookworm": "12", "trixie": "13"}
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
# A command that takes longer has hung. On a busy machine the build of all tests took more than 900.
COMMAND_SECONDS = 7200
FOLDERS = ("unit", "fuzz", "runner", "reference", "library", "http")
# What needs a browser, or a build that sanitizers watch.
NOT_THERE = "not test_preview and not test_storm"

# Whatever was mounted and started ends with the first process.
ENTERED = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
           'root=$1; shift; mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && '
           'mount --rbind /sys "$root/sys" && exec chroot "$root" "$@"', "sh"]


def run(*command, **options):
    """What a command prints, if all is well."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False, timeout=COMMAND_SECONDS, **options)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout[-4000:]}"
                           f"{done.stderr[-4000:]}")
    return done.stdout


def here():
    """The code name of this machine's Debian."""
    found = re.search(r"^VERSION_CODENAME=\"?(\w+)", pathlib.Path("/etc/os-release").read_text(),
                      re.M)
    return found[1] if found else ""


def other():
    """A release that this machine does not have."""
    return next(release for release in reversed(RELEASES) if release != here())


def architecture():
    """This machine's, in Debian's and Docker's word."""
    return run("dpkg", "--print-architecture").strip()


def sources(release):
    """Where a release comes from, as lines of sources.list: from where this one does."""
    listed = run("apt-get", "indextargets", "--no-release-info", "--format",
                 "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    wanted = re.compile(rf"(deb \S+ ){here()}((?:-updates|-security)? main)")
    found = {wanted.fullmatch(line) for line in listed.splitlines()} - {None}
    return sorted(f"{line[1]}{release}{line[2]}" for line in found)


@functools.cache
def missing():
    """Why no root can be made here, or None."""
    if here() not in RELEASES:
        return "this is neither Debian 12 nor 13"
    for program in ("debootstrap", "apt-get", "unshare"):
        if not shutil.which(program):
            return f"no {program} here"
    if os.geteuid() != 0:
        return "only root can make a file system"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False,
                      capture_output=True).returncode:
        return "no mounts of our own here"
    return None if sources(here()) else "apt has no Debian here"


@contextlib.contextmanager
def locked(path):
    """For nobody else meanwhile."""
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def base(release):
    """The tar of a minimal Debian, made now if it is not there."""
    kept = CACHE / f"{release}-{architecture()}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / f"{release}-base.lock"):
        if not kept.exists():
            make_base(release, kept)
    return kept


def make_base(release, kept):
    """Writes that tar."""
    mirror = next(line.split()[1] for line in sources(release) if f" {release} " in line)
    begun = kept.with_suffix(".begun")
    with tempfile.TemporaryDirectory() as folder:
        run("unshare", "--mount", "debootstrap", "--variant=minbase", "--include=ca-certificates",
            release, folder, mirror)
        for package in pathlib.Path(folder, "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        run("tar", "-C", folder, "--numeric-owner", "-cf", begun, ".")
    begun.rename(kept)


def configuration(folder, release):
    """apt's sources, settings of transport and authorities, laid out as in a root."""
    apt = folder / "etc/apt"
    (apt / "apt.conf.d").mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text("\n".join(sources(release)) + "\n")
    settings = [line for line in run("apt-config", "dump").splitlines()
                if line.startswith("Acquire::")]
    (apt / "apt.conf.d" / "90acquire").write_text("\n".join(settings) + "\n")
    if pathlib.Path("/", AUTHORITIES).exists():
        (folder / AUTHORITIES).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pathlib.Path("/", AUTHORITIES), folder / AUTHORITIES)
    return folder


class Root:
    """A Debian with what the suites need, and a copy of this tree in /src."""

    def __init__(self, release, packages="packages-root"):
        """`packages`: the target of make that lists what is to be installed there."""
        self.folder = CACHE / f"{release}-{architecture()}"
        self.release = release
        self.packages = packages

    @contextlib.contextmanager
    def held(self):
        """The root, complete, for nobody else meanwhile."""
        CACHE.mkdir(parents=True, exist_ok=True)
        with locked(self.folder.with_suffix(".lock")):
            self._make()
            self._copy()
            yield self

    def _make(self):
        packages = run("make", "-s", "-C", ROOT, self.packages).split()
        made = self.folder / "packages"
        if not made.exists():
            self._unpack()
            made.write_text("")
        self.folder.chmod(0o755)  # programs there give up being root
        installed = made.read_text().split()
        missing_there = [package for package in packages if package not in installed]
        if missing_there:
            self.run("apt-get", "update", "-qq")
            self.run("dpkg", "--configure", "-a")  # where an earlier run was ended
            self.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing_there)
            self.run("apt-get", "clean")
            made.write_text(" ".join(installed + missing_there) + "\n")

    def _unpack(self):
        """A minimal Debian that installs packages from where this one does."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "src").mkdir(parents=True)
        run("tar", "-C", self.folder, "--numeric-owner", "-xpf", base(self.release))
        configuration(self.folder, self.release)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.folder / "etc" / name)
        policy = self.folder / "usr/sbin/policy-rc.d"  # no service starts
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        (self.folder / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")

    def _copy(self):
        """This tree as it lies here; what was built there stays, as make sees by times."""
        source = self.folder / "src"
        for entry in source.iterdir():
            if entry.name != "build":
                run("rm", "-rf", entry)
        with subprocess.Popen(["tar", "-C", ROOT, "--exclude=./build", "--exclude=./.git", "-cf",
                               "-", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(["tar", "-C", source, "--no-same-owner", "-xf", "-"],
                           stdin=packed.stdout, check=True)

    def command(self, *words):
        """A command in /src of the root, with the settings of the tests but for those that name files outside it."""
        named = [f"{name}={value}" for name, value in os.environ.items()
                 if (name.startswith("FMIX_") or name.lower().endswith("_proxy")) and str(ROOT) not in value]
        return [*ENTERED, str(self.folder), "env", "-i", "-C", "/src", "HOME=/root",
                "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND=noninteractive", *named, *words]

    def run(self, *words):
        """What it prints, if all is well."""
        return run(*self.command(*words))

    def build(self, *targets):
        """Builds all that suites need, or such targets; a warning is an error."""
        self.run("make", "-s", f"-j{os.cpu_count()}", "WERROR=1", *(targets or ["programs"]))

    def golden(self):
        """The digest of the golden answers as that build makes them."""
        return digest(self.run("build/fmixd", "selftest"))


def digest(said):
    """The golden digest in what `fmixd selftest` says."""
    return re.search(r"golden ([0-9a-f]{32})", said)[1]


def main(release, *named):
    """Exit status 1 if anything failed."""
    why = missing()
    if why:
        print(f"no root can be made: {why}\n0 passed, 0 failed, 1 skipped")
        return 0
    with Root(release).held() as root:
        root.build()
        ours = digest(run(os.environ.get("FMIXD", ROOT / "build/fmixd"), "selftest"))
        golden = root.golden()
        print(json.dumps({"release": release, "golden": golden, "here": ours}), flush=True)
        words = named or (*(f"tests/{folder}" for folder in FOLDERS), NOT_THERE)
        done = subprocess.run(root.command("/usr/bin/python3", "tests/suites.py", *words), check=False)
    return int(done.returncode != 0 or golden != ours)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
