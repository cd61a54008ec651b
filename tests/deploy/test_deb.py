"""Debian packages: what they hold, and a host's life with them: installed, asked, upgraded while
clients ask, removed and purged. `make test-deb` does the latter in a fresh Debian 12 and 13.

What is upgraded from is this tree with the older version's number: 0.1.0 had no packaging. It shows what
dpkg, the unit and clients see of an upgrade; `make old-version` compares the programs themselves.
"""

import gzip
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "http"),
                str(pathlib.Path(__file__).resolve().parent)]

import debian  # noqa: E402
import debs  # noqa: E402
import harness  # noqa: E402
import numpy as np  # noqa: E402

ROOT = debian.ROOT
TARGET = "/v1/masks.npy?shape=32x32&n=8&seed=7"
BATCH = "/v1/datasets/flowers/batches/0.npz?n=8&seed=7"
LACKING = next((f"no {program} here" for program in ("dpkg-buildpackage", "dh", "dh_python3", "lintian")
                if not shutil.which(program)), None)
# What a trainer asks, by the daemon and in its own process.
MIXES = """
import sys, hashlib, numpy as np, fmixd
x = np.arange(8 * 3 * 16 * 16, dtype="f4").reshape(8, 3, 16, 16)
for url in (sys.argv[1], None):
    with fmixd.Mixer(url, token=sys.argv[2] if url else None, seed=7, classes=10) as mix:
        print(hashlib.sha256(b"".join(part.tobytes() for part in mix(x, np.arange(8), 4))).hexdigest())
"""
OTHER_BUILD = os.environ.get("BUILD", "build") != "build"


def listed(package):
    """Paths of the files of a package, with their modes."""
    lines = debian.run("dpkg-deb", "--contents", package).splitlines()
    entries = (re.match(r"(\S+) \S+ +\d+ \S+ \S+ \.(\S+)", line) for line in lines)
    return {entry[2]: entry[1] for entry in entries if not entry[1].startswith("d")}


def field(package, name):
    """Of its control file."""
    return debian.run("dpkg-deb", "--field", package, name).strip()


@unittest.skipIf(LACKING, LACKING)
@unittest.skipIf(OTHER_BUILD, "packages are built without sanitizers")
class Packages(unittest.TestCase):
    """As they are built on this machine's Debian."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.built = cls.enterClassContext(debs.built())
        cls.packages = debs.found(cls.built)
        for path in cls.packages.values():
            debian.run("dpkg-deb", "--extract", path, cls.folder / "root")

    def test_there_are_four_of_this_version_for_this_debian(self):
        self.assertEqual(sorted(self.packages), sorted(debs.PACKAGES))
        release = debian.RELEASES[debian.here()]
        for path in self.packages.values():
            self.assertEqual(field(path, "Version"), f"{debs.versions()[0]}~deb{release}")

    def test_lintian_finds_nothing(self):
        done = subprocess.run([*debs.LINTIAN, *self.built.glob("*.changes")], capture_output=True, text=True,
                              check=False)
        self.assertEqual((debs.complaints(done.stdout), done.returncode), ([], 0), done.stderr)

    def test_the_daemon_has_its_manual_settings_and_units(self):
        files = listed(self.packages["fmixd"])
        self.assertEqual(files["/usr/bin/fmixd"], "-rwxr-xr-x")
        self.assertEqual(field(self.packages["fmixd"], "Multi-Arch"), "foreign")
        units = {path for path in files if "/systemd/system/" in path}
        self.assertEqual({path.rpartition("/")[2] for path in units}, {"fmixd.service", "fmixd.socket"})
        for path in ("/usr/share/man/man1/fmixd.1.gz", "/etc/fmixd/fmixd.conf",
                     "/usr/share/doc/fmixd/README.Debian", "/usr/share/doc/fmixd/copyright"):
            self.assertIn(path, files)
        self.assertEqual({path.split("/")[1] for path in files} - {"lib"}, {"usr", "etc"})
        service = next(path for path in units if path.endswith(".service"))
        self.assertIn("\nExecStart=/usr/bin/fmixd --config /etc/fmixd/fmixd.conf\n",
                      (self.folder / f"root{service}").read_text())

    def test_the_settings_file_shows_every_default_and_sets_none(self):
        path = self.folder / "root/etc/fmixd/fmixd.conf"
        program = self.folder / "root/usr/bin/fmixd"
        rows = [[cell.strip(" `") for cell in row.strip("|").split("|")]
                for row in debian.run(program, "settings").splitlines()[2:]]
        shown = re.findall(r"^# (\w+) = ?(.*)$", path.read_text(), re.M)
        elsewhere = {"config", "listen", "tokens", "wisdom"}
        self.assertEqual(shown, [(name, "" if default == "none" else default)
                                 for name, _, default, _ in rows if name not in elsewhere])
        self.assertEqual([line for line in path.read_text().splitlines() if line and line[0] != "#"], [])
        words = " ".join(path.read_text().replace("\n#", " ").split())
        for name, meaning, _, limits in rows:
            if name not in elsewhere:
                self.assertIn(f"{meaning[1:]}; {limits}." if limits else f"{meaning[1:]}.", words)
        uncommented = self.folder / "all.conf"
        uncommented.write_text(re.sub(r"^# (?=\w+ =)", "", path.read_text(), flags=re.M))
        lines = debian.run(program, "config", "--config", uncommented).splitlines()
        named = {line.split(" = ")[0] for line in lines if line.endswith("# file")}
        self.assertEqual(named, {name for name, _ in shown})

    def test_a_program_is_built_by_pkg_config_as_the_manual_page_shows(self):
        root = self.folder / "root"
        page = gzip.decompress((root / "usr/share/man/man3/libfmix.3.gz").read_bytes()).decode()
        program = page.split(".Bd -literal -offset indent\n")[1].split(".Ed")[0]
        (self.folder / "program.c").write_text(program)
        pc = next(root.rglob("fmix.pc"))
        environment = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(root), "PKG_CONFIG_PATH": str(pc.parent),
                       "LD_LIBRARY_PATH": str(pc.parent.parent)}
        flags = debian.run("pkg-config", "--cflags", "--libs", "fmix", env=environment).split()
        debian.run("gcc", "-Wall", "-Werror", self.folder / "program.c", "-o", self.folder / "program", *flags)
        needs = debian.run("ldd", self.folder / "program", env=environment)
        self.assertIn(f"libfmix.so.1 => {root}", needs)
        debian.run(self.folder / "program", env=environment)
        version = debian.run("pkg-config", "--modversion", "fmix", env=environment).strip()
        self.assertEqual(version, debs.versions()[0])

    def test_the_python_package_has_its_metadata_and_no_library(self):
        files = listed(self.packages["python3-fmixd"])
        folder = "/usr/lib/python3/dist-packages"
        sources = {f"{folder}/fmixd/{path.name}" for path in (ROOT / "deploy/clients/python/fmixd").glob("*.py")}
        self.assertEqual({path for path in files if path.startswith(folder) and path.endswith(".py")}, sources)
        self.assertIn(f"{folder}/fmixd-{debs.versions()[0]}.dist-info/METADATA", files)
        self.assertFalse([path for path in files if "libfmix" in path])
        self.assertIn("libfmix1", field(self.packages["python3-fmixd"], "Recommends"))
        self.assertEqual(field(self.packages["python3-fmixd"], "Architecture"), "all")

    def test_what_a_build_needs_is_what_the_makefile_installs(self):
        control = (ROOT / "deploy/debian/control").read_text()
        needed = re.sub(r"\s|\(.*?\)|:any", "", control.split("Build-Depends:")[1].split("Standards")[0])
        listed_there = debian.run("make", "-s", "-C", ROOT, "packages-deb").split()
        self.assertEqual({name for name in needed.split(",") if name.endswith("-dev")},
                         {name for name in listed_there if name.endswith("-dev")} - {"libc6-dev"})

    def test_no_path_of_the_build_is_in_them(self):
        for path in (self.folder / "root").rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                data = gzip.decompress(data) if path.suffix == ".gz" else data
                self.assertNotIn(str(ROOT).encode(), data, path)  # where they were built, too

    @unittest.skipUnless(os.environ.get("FMIX_DEBS"), "built twice by make test-deb")
    def test_another_folder_at_another_time_gives_the_same_bytes(self):
        with tempfile.TemporaryDirectory(prefix="elsewhere-") as folder:
            copy = pathlib.Path(folder, "of", "another", "name")
            debs.numbered(copy, debs.versions()[0])
            for path in copy.rglob("*"):
                os.utime(path, (1, 1), follow_symlinks=False)
            debs.build(f"{folder}/packages", copy)
            digests = [{path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                        for path in pathlib.Path(place).glob("*.deb")} for place in (self.built, f"{folder}/packages")]
        self.assertEqual(digests[0], digests[1])
        self.assertGreaterEqual(len(digests[0]), 4)


class Clients:
    """Threads that ask for the same thing, each time by a new connection."""

    def __init__(self, address, token):
        self.address, self.token = address, token
        self.answers, self.wrong = [], []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(2)]

    def get(self, target=TARGET):
        """Status and body."""
        connection = http.client.HTTPConnection(*self.address, timeout=harness.PATIENCE)
        try:
            connection.request("GET", target, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self):
        """Until the end; a short rest between, for the machine has other work."""
        while not self.ending.wait(0.02):
            try:
                self.answers.append(self.get())
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(harness.PATIENCE)


class Life:
    """What a host sees of the packages, in the order in which it happens."""

    release = None

    def setUp(self):
        self.old, self.new = self.enterContext(debs.releases(self.release))
        self.root = self.enterContext(debs.fresh(self.release))
        self.listener = self.enterContext(debs.listener())
        self.daemon = None
        self.addCleanup(self.end)

    def end(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon.stdout.close()

    def start(self):
        """A daemon that says where it listens."""
        self.daemon = self.root.start(self.listener)
        self.assertIn("listening on", self.daemon.stdout.readline(), self.root.said())

    def stop(self):
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(harness.PATIENCE), 0)
        self.daemon.stdout.close()
        self.daemon = None

    def version(self, clients):
        return json.loads(clients.get("/version")[1])

    def test_installed_asked_upgraded_removed_and_purged(self):
        # Their dependencies first, so that what the packages themselves leave can be seen.
        needs = {need for path in self.new.values() for name in ("Depends", "Pre-Depends", "Recommends")
                 for need in field(path, name).split(", ") if need and not need.startswith("libfmix1")}
        self.root.run("apt-get", "satisfy", "-y", "-qq", ", ".join(sorted(needs)))
        before = self.root.files()
        self.root.asked()
        self.install_the_old()
        clients = self.configure()
        self.start()
        answer, batch = clients.get(), clients.get(BATCH)
        self.assertEqual((answer[0], batch[0]), (200, 200))
        told = self.version(clients)
        self.assertEqual(told["version"], debs.versions()[1])
        with clients:
            harness.until(lambda: len(clients.answers) > 4)
            self.upgrade()
            self.stop()
            self.start()  # what try-restart does; the socket was open meanwhile
            count = len(clients.answers)
            harness.until(lambda: len(clients.answers) > count + 8)
        self.assertEqual(clients.wrong, [])
        self.assertEqual(set(clients.answers), {answer})
        self.assertEqual(clients.get(BATCH), batch)
        self.assertEqual(self.version(clients), {**told, "version": debs.versions()[0]})
        self.mix(clients)
        self.stop()
        self.remove(before)

    def install_the_old(self):
        """Nothing is started or enabled."""
        self.root.install(self.old)
        self.assertEqual([self.root.state(name) for name in debs.PACKAGES], ["ii"] * 4)
        self.assertEqual([line for line in self.root.asked() if "daemon-reload" not in line], [])
        self.assertEqual(self.root.run("find", "/etc/systemd/system", "-name", "*fmix*"), "")

    def configure(self):
        """A token, a data set, and the setting that names its folder; clients."""
        said = self.root.run("fmixd", "token", "trainer").splitlines()
        tokens = self.root.folder / "etc/fmixd/tokens"
        tokens.write_text(said[-1] + "\n")
        tokens.chmod(0o600)
        x = np.random.default_rng(1).integers(0, 256, (20, 3, 8, 8), np.uint8)
        np.save(self.root.folder / "src/x.npy", x)
        np.save(self.root.folder / "src/y.npy", np.arange(20))
        self.root.run("fmixd", "import", "/srv/fmixd/flowers", "--from", "npy", "x.npy", "y.npy", "--layout",
                      "channels_first")
        settings = self.root.folder / "etc/fmixd/fmixd.conf"
        settings.write_text(re.sub(r"^# data =.*", "data = /srv/fmixd", settings.read_text(), flags=re.M))
        return Clients(self.listener.getsockname(), said[0])

    def upgrade(self):
        """By apt, which keeps the settings and has systemd replace the daemon, but not its socket."""
        settings = self.root.folder / "etc/fmixd/fmixd.conf"
        ours = settings.read_text()
        self.root.install(self.new)
        self.assertEqual(settings.read_text(), ours)
        asked = [line for line in self.root.asked() if "daemon-reload" not in line]
        self.assertEqual([line for line in asked if "fmixd.socket" in line], [])
        self.assertEqual([line.split()[-2:] for line in asked if " fmixd" in line and "is-" not in line],
                         [["try-restart", "fmixd.service"]])

    def mix(self, clients):
        """By the client's package: the same from a daemon and in its own process."""
        url = "http://{}:{}".format(*clients.address)
        served, drawn = self.root.run("python3", "-c", MIXES, url, clients.token).split()
        self.assertEqual(served, drawn)

    def remove(self, before):
        """Removed, only settings, tokens and data are left; purged, only data."""
        self.root.run("apt-get", "remove", "-y", *debs.PACKAGES)
        stopped = [line for line in self.root.asked() if "stop" in line.split()]
        self.assertEqual([line.split()[-2:] for line in stopped], [["fmixd.socket", "fmixd.service"]])
        data = {path for path in self.root.files() if path.startswith("/srv/fmixd")}
        self.assertIn("/srv/fmixd/flowers/data.bin", data)
        kept = {"/etc/fmixd", "/etc/fmixd/fmixd.conf", "/etc/fmixd/tokens", "/var/lib/fmixd", "/var/lib/private",
                "/var/lib/private/fmixd"}
        noted = "/var/lib/systemd/deb-systemd-helper-"  # what was enabled, until the purge
        left = {path for path in self.root.files() - before - data if not path.startswith(noted)}
        self.assertEqual(left - {"/var/lib/private/fmixd/wisdom"}, kept)
        self.root.run("apt-get", "purge", "-y", "fmixd")  # of the others nothing is left to purge
        # systemd's own folder of states of dynamic users, which here the test made.
        self.assertEqual(self.root.files() - before - data, {"/var/lib/private"})
        self.assertEqual(before - self.root.files(), set())
        self.assertEqual([self.root.state(name) for name in debs.PACKAGES], [""] * 4)


SKIPPED = (debian.missing() or LACKING or (OTHER_BUILD and "packages are built without sanitizers")
           or (not os.environ.get("FMIX_DEBS") and "fresh roots are for make test-deb"))


@unittest.skipIf(SKIPPED, SKIPPED)
class InstalledPackagesOnDebian12(Life, unittest.TestCase):
    release = "bookworm"


@unittest.skipIf(SKIPPED, SKIPPED)
class InstalledPackagesOnDebian13(Life, unittest.TestCase):
    release = "trixie"


if __name__ == "__main__":
    unittest.main()
