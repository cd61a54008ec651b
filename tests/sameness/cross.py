"""The golden set on other architectures: cross-compiled, and run under qemu's user emulation.

Each has a sysroot of its own, Debian's packages unpacked by dpkg -x: installed side by side by
multiarch they would clash wherever their versions differ. Nothing is installed into the system.
"""

import os
import pathlib
import subprocess
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "build" / "sameness" / "cross"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("libfftw3-double3", "libfftw3-dev", "libsodium23", "libsodium-dev", "libmpfr6",
            "libmpfr-dev", "libgmp10", "libgmp-dev", "libc6", "libgcc-s1",
            # and what the daemon needs
            "libmicrohttpd12", "libmicrohttpd-dev", "libgnutls30", "libgnutls28-dev", "libjansson4",
            "libjansson-dev", "libpng16-16", "libpng-dev", "libdeflate0", "libdeflate-dev",
            "libjpeg62-turbo", "libjpeg62-turbo-dev", "zlib1g", "zlib1g-dev", "libnettle8", "libhogweed6",
            "libp11-kit0", "libidn2-0", "libunistring2", "libtasn1-6", "libffi8")


class Architecture(NamedTuple):
    """Debian's name of it, its compiler's, where its libraries are, its emulator."""

    name: str
    compiler: str
    libraries: str
    emulator: str
    flags: str = ""

    @property
    def sysroot(self):
        """Where its libraries are unpacked."""
        return FOLDER / self.name / "root"


ARCHITECTURES = (
    Architecture("arm64", "aarch64-linux-gnu", "aarch64-linux-gnu", "qemu-aarch64"),
    Architecture("armhf", "arm-linux-gnueabihf", "arm-linux-gnueabihf", "qemu-arm"),
    Architecture("i386", "i686-linux-gnu", "i386-linux-gnu", "qemu-i386", "-msse2 -mfpmath=sse -Wno-psabi"),
    Architecture("s390x", "s390x-linux-gnu", "s390x-linux-gnu", "qemu-s390x"),
)


def unpack(architecture):
    """Downloads its packages by an apt that knows nothing of this system, and unpacks them."""
    apt = FOLDER / architecture.name / "apt"
    done = architecture.sysroot / "complete"
    if done.exists() and done.read_text() == " ".join(PACKAGES):
        return
    for part in ("state/lists/partial", "cache/archives/partial", "debs"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} bookworm main\n")
    command = ["apt-get", "-qq"]
    for option in (f"APT::Architecture={architecture.name}",
                   f"APT::Architectures::={architecture.name}", f"Dir::State={apt}/state",
                   f"Dir::Cache={apt}/cache", "Dir::State::status=/dev/null",
                   f"Dir::Etc::sourcelist={apt}/sources.list", "Dir::Etc::sourceparts=-",
                   "APT::Sandbox::User=root"):
        command += ["-o", option]
    subprocess.run([*command, "update"], check=True)
    subprocess.run([*command, "download", *PACKAGES], cwd=apt / "debs", check=True,
                   stdout=subprocess.DEVNULL)
    for package in sorted((apt / "debs").glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, architecture.sysroot], check=True)
    done.write_text(" ".join(PACKAGES))


def build(architecture, program):
    """The command that runs the golden set or the daemon there."""
    unpack(architecture)
    folder = FOLDER / architecture.name / "build"
    target = folder / program
    root, libraries = architecture.sysroot, architecture.libraries
    environment = {
        **os.environ,
        "CFLAGS": f"-idirafter {root}/usr/include -idirafter {root}/usr/include/{libraries} "
                  + architecture.flags,
        "LDFLAGS": f"-L{root}/usr/lib/{libraries} "
                   f"-Wl,-rpath-link,{root}/usr/lib/{libraries}:{root}/lib/{libraries}"}
    for name in ("MAKEFLAGS", "BUILD"):
        environment.pop(name, None)
    subprocess.run(["make", "--no-print-directory", "-s", "-j2", f"BUILD={folder}", "WARN=",
                    f"CC={architecture.compiler}-gcc", f"AR={architecture.compiler}-ar",
                    "OPT=-O2", target], cwd=ROOT, env=environment, check=True)
    return [architecture.emulator, "-L", root, target]
