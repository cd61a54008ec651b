"""Debian packages of this tree and of one with an older version's number, and fresh roots to install
them in."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile

import debian
import kept

ROOT = debian.ROOT
COPIED = ("Makefile", "LICENSE", "lib", "server", "deploy")  # by deploy/deb
PACKAGES = ("fmixd", "libfmix1", "libfmix-dev", "python3-fmixd")
LINTIAN = ("lintian", "--display-info", "--allow-root", "--tag-display-limit", "0")
# Nothing is overridden. Debian 12's lintian notes that there is a unit and no script for another init,
# and 13's does not know this tag: such a script would start a daemon that systemd does not confine.
JUSTIFIED = "I: fmixd: package-supports-alternative-init-but-no-init.d-script "
UID = 61234  # of those that systemd gives dynamic users

# As the unit asks: nothing that can be written but its state and a private /tmp. $1 is the root, $2 the
# descriptor of the socket.
CONFINED = """
root=$1 socket=$2; shift 2
mount --bind "$root" "$root" && mount --bind "$root/var/lib/private/fmixd" "$root/var/lib/private/fmixd" &&
mount -o remount,bind,ro "$root" && mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" &&
mount -t tmpfs tmpfs "$root/tmp" || exit 1
[ "$socket" = 3 ] || { exec 3<&"$socket"; eval "exec $socket<&-"; }
exec chroot "$root" "$@"
"""
# What a systemd that runs would be asked.
SYSTEMCTL = '#!/bin/sh\necho "$@" >> /systemctl.asked\n'


def versions():
    """Of the releases in the changelog, the newest first."""
    return re.findall(r"^## \[([\d.]+)\]", (ROOT / "deploy/CHANGELOG.md").read_text(), re.M)


def numbered(folder, version):
    """A copy of what packages are built of, in a folder, with another version's number: the code of this one,
    for older versions had no packaging (old_version.py builds their programs)."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in COPIED:
        source, copy = ROOT / name, folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy)
    for name, pattern in (("Makefile", r"^(VERSION := ).*"),
                          ("deploy/clients/python/fmixd/version.py", r'^(__version__ = ").*(?=")')):
        path = folder / name
        path.write_text(re.sub(pattern, rf"\g<1>{version}", path.read_text(), flags=re.M))


def build(folder, root=ROOT):
    """Packages of a tree in a folder; the paths by their names."""
    debian.run(root / "deploy/deb", folder)
    return found(folder)


@contextlib.contextmanager
def built():
    """The folder of the packages of this tree, which are kept until a source changes."""
    sources = [ROOT / name for name in (*COPIED, "tests/deploy/debs.py")]
    with kept.folder("packages", sources) as folder:
        if not (folder / "done").exists():
            build(folder / "begun")
            (folder / "begun").rename(folder / "done")
        yield folder / "done"


def found(folder):
    """The packages in a folder by name, without those of debugging symbols."""
    paths = {path.name.split("_")[0]: path for path in pathlib.Path(folder).glob("*.deb")}
    return {name: path for name, path in paths.items() if not name.endswith("-dbgsym")}


def complaints(said):
    """Of what lintian said."""
    return [line for line in said.splitlines() if not line.startswith(JUSTIFIED)]


@contextlib.contextmanager
def releases(release):
    """Packages of the older version and of this one, built on that Debian: two dictionaries."""
    old, new = versions()[1], versions()[0]
    if release == debian.here():
        with tempfile.TemporaryDirectory() as folder:
            numbered(pathlib.Path(folder, "tree"), old)
            yield build(f"{folder}/old", pathlib.Path(folder, "tree")), build(f"{folder}/new")
        return
    with debian.Root(release, "packages-deb").held() as root:
        inside = root.folder / "src/build/debs"
        shutil.rmtree(inside, ignore_errors=True)
        numbered(inside / "tree", old)
        root.run("build/debs/tree/deploy/deb", "build/debs/old")
        root.run("deploy/deb", "build/debs/new")
        said = root.run(*LINTIAN, *(f"build/debs/new/{path.name}" for path in (inside / "new").glob("*.changes")))
        if complaints(said):
            raise AssertionError(said)
        yield found(inside / "old"), found(inside / "new")


class Fresh(debian.Root):
    """A minimal Debian, with nothing of ours but what is installed there; and a systemctl that only
    writes down what it is asked."""

    def __init__(self, release, folder):
        super().__init__(release)
        self.folder = pathlib.Path(folder)
        self._unpack()
        self.folder.chmod(0o755)  # for others than root, too
        (self.folder / "usr/sbin/policy-rc.d").unlink()  # services may start, as on any host
        (self.folder / "run/systemd/system").mkdir(parents=True)
        (self.folder / "usr/bin/systemctl").write_text(SYSTEMCTL)
        (self.folder / "usr/bin/systemctl").chmod(0o755)
        self.run("apt-get", "update", "-qq")

    def install(self, packages):
        """By apt, with what they need."""
        folder = self.folder / "src"
        for path in packages.values():
            shutil.copy(path, folder)
        return self.run("apt-get", "install", "-y", *(f"./{path.name}" for path in packages.values()))

    def asked(self):
        """What systemctl was asked since the last call: the lines."""
        path = self.folder / "systemctl.asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def files(self):
        """Every path but those of what apt and dpkg note, and of programs while they run."""
        noted = ("/proc", "/sys", "/dev", "/src", "/tmp", "/var/cache", "/var/log", "/var/lib/dpkg",
                 "/var/lib/apt", "/run", "/etc/ld.so.cache")
        paths = self.run("find", "/", "-xdev").splitlines()
        return {path for path in paths if not path.startswith(noted)}

    def state(self, package):
        """What dpkg says of it."""
        done = subprocess.run(self.command("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package),
                              capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def unit(self):
        """The settings of the unit that is installed: name to list of values."""
        path = next(folder / "fmixd.service" for folder in
                    (self.folder / "usr/lib/systemd/system", self.folder / "lib/systemd/system")
                    if (folder / "fmixd.service").exists())
        settings = {}
        for line in path.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                settings.setdefault(name, []).append(value)
        return settings

    def start(self, listener):
        """The unit's daemon on a socket, under those of the unit's settings that need no systemd: a user of its
        own without capabilities or new privileges, its umask, LimitNOFILE, environment and credential, a
        root that only its state can be written in, a private /tmp and no network but the socket. What systemd
        does by filters of system calls, by devices and by namespaces of users and of IPC is not applied:
        test_systemd.py compares the calls of a daemon that is traced with the filter."""
        unit = self.unit()
        credentials = self.folder / "run/credentials/fmixd.service"
        state = self.folder / "var/lib/private" / unit["StateDirectory"][0]
        for folder in (credentials, state):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, UID, UID)
        link = self.folder / "var/lib/fmixd"
        if not link.is_symlink():
            link.symlink_to("private/fmixd")
        name, source = unit["LoadCredential"][0].split(":")
        shutil.copy(f"{self.folder}{source}", credentials / name)
        os.chown(credentials / name, UID, UID)
        os.chmod(credentials / name, 0o400)
        environment = [value.replace("%d", "/run/credentials/fmixd.service").replace("%S", "/var/lib")
                       for value in unit["Environment"]]
        files = unit["LimitNOFILE"][0]
        command = ["unshare", "--mount", "--net", "bash", "-c", CONFINED, "sh", self.folder,
                   listener.fileno(), "prlimit", f"--nofile={files}:{files}", "setpriv",
                   f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs",
                   "--bounding-set=-all", "--inh-caps=-all", "env", "-i", *environment, "sh", "-c",
                   f'umask {unit["UMask"][0]}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh",
                   *shlex.split(unit["ExecStart"][0])]
        with open(self.folder / "src/stderr", "wb") as errors:
            return subprocess.Popen([str(word) for word in command], pass_fds=[listener.fileno()],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                    text=True)

    def said(self):
        """What the daemon has said on stderr."""
        return (self.folder / "src/stderr").read_text(errors="replace")


@contextlib.contextmanager
def fresh(release):
    """Such a root, for as long as it is needed."""
    debian.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=debian.CACHE, prefix="fresh-") as folder:
        yield Fresh(release, f"{folder}/root")


def listener():
    """A socket as fmixd.socket has one."""
    return socket.create_server(("127.0.0.1", 0), backlog=4096)
