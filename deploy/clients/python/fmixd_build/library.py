"""libfmix.so for this machine, by the Makefile of its sources."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig

from . import project

NAME = "libfmix.so"
# What the compiler must find, and Debian's package of it.
HEADERS = {"stdlib.h": "libc6-dev", "fftw3.h": "libfftw3-dev", "mpfr.h": "libmpfr-dev", "gmp.h": "libgmp-dev",
           "sodium.h": "libsodium-dev"}
# A make around this one, or another build of it, says nothing of this build.
FOREIGN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "SAN", "WERROR", "V")


# What a Python of 32 bits runs on where the kernel has 64, and tells of the kernel.
NARROW = {"linux_x86_64": "linux_i686", "linux_aarch64": "linux_armv7l"}


def platform():
    """The last part of a wheel's tag."""
    name = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return NARROW.get(name, name) if sys.maxsize < 2**32 else name


def _compiler():
    return shlex.split(os.environ.get("CC") or "gcc")


def _compiles(header):
    flags = [flag for name in ("CPPFLAGS", "CFLAGS") for flag in shlex.split(os.environ.get(name, ""))]
    done = subprocess.run([*_compiler(), *flags, "-E", "-x", "c", "-"], input=f"#include <{header}>\n".encode(),
                          capture_output=True, check=False)
    return done.returncode == 0


def missing():
    """What a build would need and is not here, in words."""
    if not sys.platform.startswith("linux"):
        return [f"{NAME} is built on Linux alone"]
    if project.sources() is None:
        return [f"no sources of libfmix (looked for {project.looked_for()})"]
    found = [] if shutil.which("make") else ["no make"]
    if not shutil.which(_compiler()[0]):
        return [*found, f"no C compiler ({_compiler()[0]})"]
    return found + [f"no {header} ({package})" for header, package in HEADERS.items() if not _compiles(header)]


def build(folder):
    """The path of the library, built in a folder, and an empty text; or None and what was missing for it. A build
    that fails although all is there is an error."""
    lacks = missing()
    if lacks:
        return None, ", ".join(lacks)
    path = folder / NAME
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    # What it is linked with has all that it calls; and it is without paths of this machine.
    environment["LDFLAGS"] = f"{environment.get('LDFLAGS', '')} -Wl,-z,defs -Wl,-s".strip()
    subprocess.run(["make", "--no-print-directory", "-s", f"-j{os.cpu_count() or 1}", "-C", str(project.sources()),
                    f"BUILD={folder}", str(path)], env=environment, check=True)
    return path, ""
