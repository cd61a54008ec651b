"""The image that the Dockerfile makes: built, looked through, and run."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import debian  # noqa: E402
import harness  # noqa: E402
import images  # noqa: E402
import sboms  # noqa: E402

BOUND = 16_000_000  # bytes of all files; measured on Debian 13: 15_800_000 for amd64
PATIENCE = harness.PATIENCE
MISSING = images.missing()
TARGETS = ("/v1/masks.npy?shape=32x32&n=16&seed=7", "/v1/masks.raw?shape=224x224&n=3&seed=1&dtype=bits",
           "/v1/masks.npy?shape=8x8x8&n=4&method=cutmix&lambda=0.3")


class Recipe(unittest.TestCase):
    def test_it_is_built_of_what_make_installs(self):
        def libraries(text):
            return set(re.findall(r"\blib[\w.-]+-dev\b", text))
        made = (images.ROOT / "Makefile").read_text()
        wanted = re.search(r"^PACKAGES_BUILD .*?[^\\]$", made, re.M | re.S)[0]
        self.assertEqual(libraries((images.ROOT / "Dockerfile").read_text()), libraries(wanted))


@unittest.skipIf(MISSING, MISSING)
class Built(unittest.TestCase):
    """Tests that share one store."""

    target = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = cls.enterClassContext(images.store())
        cls.architecture = cls.target or debian.architecture()
        cls.image = cls.store.build(cls.architecture, name=cls.architecture)
        cls.sbom = json.loads((cls.image.root / images.SBOM).read_text())
        cls.size = sum((cls.image.root / path).lstat().st_size for path in cls.image.files())

    def give_the_same(self, server):
        with harness.Server() as local:
            for target in TARGETS:
                wanted = local.get(target)
                self.assertEqual(wanted.status, 200)
                self.assertEqual(server.get(target).body, wanted.body, target)
            golden = [one.get("/version").json()["golden"] for one in (server, local)]
            self.assertEqual(*golden)


    def sbom_is_right(self):
        """Every file and package is there, as the disk and dpkg's data have them."""
        self.assertEqual(sboms.problems(self.sbom), [])
        names = {file["SPDXID"]: file["fileName"][2:] for file in self.sbom["files"]}
        self.assertEqual({*names.values(), images.SBOM}, {str(path) for path in self.image.files()})
        for file in self.sbom["files"]:
            content = (self.image.root / file["fileName"]).read_bytes()
            wanted = [{"algorithm": kind, "checksumValue": hashlib.new(kind, content).hexdigest()}
                      for kind in ("SHA1", "SHA256")]
            self.assertEqual(file["checksums"], wanted)
        there = self.store.root(self.store.packages(self.architecture))
        owners, versions = sboms.owners(there), sboms.versions(there)
        packages = {package["SPDXID"]: package for package in self.sbom["packages"]}
        sources, linked = {}, set()
        for relation in self.sbom["relationships"]:
            file, package = relation["spdxElementId"], packages.get(relation["relatedSpdxElement"])
            if relation["relationshipType"] == "EXPANDED_FROM_ARCHIVE":
                sources[names[file]] = package["name"]
            elif relation["relationshipType"] == "STATIC_LINK":
                self.assertEqual(names[file], "usr/bin/fmixd")
                linked.add(package["name"])
        self.assertEqual(linked, {"libmpfr-dev", "libsodium-dev"})
        self.assertEqual({*sources, "usr/bin/fmixd"}, {*names.values()})
        for path, package in sources.items():
            real = os.path.realpath(f"{there}/{path}").removeprefix(str(there))
            self.assertEqual(owners[real], package, path)
        listed = {package["name"]: package["versionInfo"] for package in packages.values()
                  if package.get("supplier") == "Organization: Debian"}
        self.assertEqual(listed, {name: versions[name, self.architecture] for name in listed})
        self.assertEqual({*listed}, {*sources.values(), *linked})


class Native(Built):
    def test_it_holds_fmixd_and_what_that_loads_and_nothing_else(self):
        files = {f"/{path}" for path in self.image.files()}
        loader, = [path for path in files if "/ld-linux" in path]
        listed = debian.run(*self.image.command(loader, "--list", "/usr/bin/fmixd"))
        loaded = set(re.findall(r"(/\S+) \(0x", listed))
        self.assertEqual(files, {"/usr/bin/fmixd", f"/{images.SBOM}", *loaded})

    def test_its_sbom_has_every_file_and_package_as_dpkg_does(self):
        self.sbom_is_right()

    def test_its_sbom_tells_licences_where_debian_does(self):
        told = {package["name"]: package["licenseDeclared"] for package in self.sbom["packages"]}
        self.assertEqual(told["fmixd"], "MIT")
        self.assertEqual(told["libfftw3-double3"], "GPL-2.0-or-later")
        self.assertEqual(told["libjansson4"], "MIT")  # Debian calls it Expat
        self.assertIn("LGPL-2.1-or-later", told["libc6"].split(" AND "))
        self.assertEqual(told["libtasn1-6"], "NOASSERTION")  # its copyright file is prose

    def test_it_has_the_same_bytes_from_another_folder_at_another_time(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = images.copy_tree(pathlib.Path(folder) / "elsewhere")
            again = self.store.build(self.architecture, tree, "again")
        self.assertEqual(again.layers, self.image.layers)
        self.assertEqual(again.digest, self.image.digest)

    def test_it_tells_no_time_but_the_commits_and_no_folder_of_the_build(self):
        times = {path.lstat().st_mtime for path in self.image.root.rglob("*")}
        self.assertEqual(times, {images.EPOCH})
        self.assertEqual(self.sbom["creationInfo"]["created"], "2023-11-14T22:13:20Z")
        program = (self.image.root / "usr/bin/fmixd").read_bytes()
        folders = rb"(?<![\w.])(?:/src/|%s)[ -~]*" % re.escape(bytes(images.ROOT))
        self.assertEqual(re.findall(folders, program), [])

    def test_it_has_no_shell(self):
        for shell in ("/bin/sh", "/bin/bash", "/usr/bin/sh", "/bin/busybox"):
            found = subprocess.run(self.image.command(shell, "-c", "exit 0"), check=False,
                                   capture_output=True)
            self.assertEqual(found.returncode, 127, shell)  # chroot's word for: not there

    def test_nobody_may_change_it_or_become_somebody_by_it(self):
        for path in self.image.root.rglob("*"):
            status = path.lstat()
            self.assertEqual((status.st_uid, status.st_gid), (0, 0), path)
            self.assertEqual(status.st_mode & (stat.S_ISUID | stat.S_ISGID | 0o022), 0, path)

    def test_it_is_small(self):
        self.assertLess(self.size, BOUND)
        self.assertGreater(self.size, BOUND // 2)  # or it lacks something

    def test_it_says_how_it_is_run(self):
        said = self.image.config
        self.assertEqual(self.image.architecture, debian.architecture())
        self.assertEqual(said["User"], "65532:65532")
        self.assertEqual(said["Entrypoint"], ["/usr/bin/fmixd"])
        self.assertEqual(list(said["ExposedPorts"]), ["8080/tcp"])
        self.assertEqual(self.image.variables()["FMIXD_LISTEN"], "0.0.0.0:8080")
        self.assertEqual(said["Healthcheck"]["Test"], ["CMD", "/usr/bin/fmixd", "healthcheck"])

    def test_it_runs_read_only_as_nobody_is_healthy_and_ends_when_told(self):
        server = harness.Server("--drain", "0", environment=self.image.variables(),
                                command=self.image.command(*self.image.config["Entrypoint"]))
        with server:
            parent = server.process.pid
            first = int(pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text())
            status = pathlib.Path(f"/proc/{first}/status").read_text()
            self.assertRegex(status, r"Uid:(\s65532){4}\nGid:(\s65532){4}\n")
            self.assertRegex(status, r"\nNSpid:\s\d+\s1\n")
            self.assertRegex(status, r"\nCapEff:\s0+\n")
            self.give_the_same(server)
            # It has two seconds, in which a busy machine need not come to it.
            harness.until(lambda: self.health(server) == 0)
            os.kill(first, signal.SIGTERM)
            self.assertEqual(server.process.wait(PATIENCE), 0)
            self.assertNotEqual(self.health(server), 0)

    def health(self, server):
        checked = self.image.config["Healthcheck"]["Test"][1:]
        return subprocess.run(
            self.image.command(*checked), check=False, timeout=PATIENCE, capture_output=True,
            env={**self.image.variables(), "FMIXD_LISTEN": "{}:{}".format(*server.address)}).returncode


@unittest.skipUnless(os.environ.get("FMIX_IMAGE_ARM64") == "1", "FMIX_IMAGE_ARM64=1 builds for arm64")
@unittest.skipUnless(shutil.which("qemu-aarch64"), "no qemu-aarch64 here")
class Arm64(Built):
    target = "arm64"

    def test_it_is_built_across_and_gives_the_same(self):
        self.assertEqual(self.image.architecture, "arm64")
        self.assertLess(self.size, BOUND)
        self.sbom_is_right()
        emulated = ["qemu-aarch64", "-L", str(self.image.root), f"{self.image.root}/usr/bin/fmixd"]
        with open(emulated[-1], "rb") as program:
            self.assertEqual(program.read(20)[18:], b"\xb7\0")  # the ELF's machine
        self.assertEqual(subprocess.run([*emulated, "selftest"], check=False, timeout=600,
                                        stdout=subprocess.DEVNULL).returncode, 0)
        with harness.Server(command=emulated) as server:
            self.give_the_same(server)


if __name__ == "__main__":
    unittest.main()
