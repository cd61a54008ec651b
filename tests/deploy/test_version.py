"""One number of the version: the Makefile's. Whatever else says it is compared here, and nothing that
is released depends on it."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402

ROOT = harness.ROOT
VERSION = re.search(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.M)[1]
# Where the number is written, and how.
WRITTEN = {
    "deploy/clients/python/fmixd/version.py": r'^__version__ = "(.+)"$',
    "deploy/clients/r/DESCRIPTION": r"^Version: (.+)$",
    "deploy/kubernetes/base/deployment.yaml": r"image: fmixd:(\S+)$",
    "deploy/CHANGELOG.md": r"\A(?:.*\n)*?## \[([\d.]+)\] - \d{4}-\d\d-\d\d$",
}
SAME = ("/v1/masks.npy?shape=32x32&n=8&seed=7", "/v1/plans.npz?shape=4x6&n=3&steps=2&method=fmix,mixup&seed=7",
        "/v1/masks.png?shape=33x40&n=4&method=cutmix", "/v1/datasets/garments/batches/0.npz?n=8&seed=7")


class Number(unittest.TestCase):
    def test_it_is_three_numbers(self):
        self.assertRegex(VERSION, r"^\d+\.\d+\.\d+$")

    def test_every_place_that_says_it_says_the_same(self):
        for name, pattern in WRITTEN.items():
            with self.subTest(name):
                said = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.M)
                self.assertEqual(said[1], VERSION)
        package = json.loads((ROOT / "deploy/clients/javascript/package.json").read_text())
        self.assertEqual(package["version"], VERSION)
        project = tomllib.loads((ROOT / "deploy/clients/python/pyproject.toml").read_text())
        self.assertEqual(project["project"]["dynamic"], ["version"])

    def test_the_header_has_it_in_three_macros(self):
        header = (ROOT / "lib/fmix.h").read_text()
        macros = dict(re.findall(r"^#define FMIX_VERSION_(\w+) +(\d+)$", header, re.M))
        self.assertEqual(f"{macros['MAJOR']}.{macros['MINOR']}.{macros['PATCH']}", VERSION)

    def test_the_library_is_called_after_its_major_number(self):
        named = re.search(r"-soname,libfmix\.so\.(\d+) ", (ROOT / "Makefile").read_text())
        self.assertEqual(named[1], VERSION.split(".", maxsplit=1)[0])

    def test_packages_name_one_maintainer(self):
        control, description = ((ROOT / name).read_text() for name in ("deploy/debian/control",
                                                                       "deploy/clients/r/DESCRIPTION"))
        named = [re.findall("^Maintainer: (.+)$", text, re.M) for text in (control, description)]
        self.assertEqual(named[0], named[1])
        address = re.search("<(.+)>", named[0][0])[1]
        self.assertIn(f"`{address}`", (ROOT / "deploy/README.md").read_text())

    def test_releases_in_the_changelog_go_down_and_have_what_the_form_has(self):
        text = (ROOT / "deploy/CHANGELOG.md").read_text()
        found = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (\S+)$", text, re.M)
        self.assertEqual(found, sorted(found, key=lambda row: tuple(map(int, row[:3])), reverse=True))
        self.assertEqual(sorted({row[3] for row in found}, reverse=True), [row[3] for row in found])
        kinds = set(re.findall(r"^### (.*)$", text, re.M))
        self.assertLessEqual(kinds, {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"})


@unittest.skipIf(os.environ.get("BUILD", "build") != "build", "a build of its own is tested there")
class AnotherNumber(unittest.TestCase):
    """The daemon of this tree, built with another number: the objects that hold the number, again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        build = pathlib.Path(folder, "build")
        data = ROOT / "tests/data"
        subprocess.run([harness.program(), "import", f"{folder}/sets/garments", "--from", "npy",
                        data / "garments.npy", data / "garments-labels.npy"], check=True, capture_output=True)
        build.mkdir()
        ours = pathlib.Path(harness.program()).parent
        subprocess.run(["cp", "-a", *(ours / name for name in ("lib", "server", "libfmix.a")), build], check=True)
        named = subprocess.run(["grep", "-rl", "FMIXD_VERSION", "server"], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout.split()
        for name in named:
            (build / name).with_suffix(".o").unlink()
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
        subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={build}", "VERSION=9.8.7", f"{build}/fmixd"], check=True,
                       env=environment)
        cls.ours = cls.enterClassContext(harness.Server("--data", f"{folder}/sets"))
        cls.other = cls.enterClassContext(harness.Server("--data", f"{folder}/sets", command=[str(build / "fmixd")]))

    def test_it_says_its_own_number(self):
        self.assertEqual(self.ours.get("/version").json()["version"], VERSION)
        self.assertEqual(self.other.get("/version").json()["version"], "9.8.7")
        self.assertEqual(self.ours.get("/openapi.json").json()["info"]["version"], VERSION)
        self.assertEqual(self.other.get("/openapi.json").json()["info"]["version"], "9.8.7")
        self.assertIn('version="9.8.7"', self.other.get("/metrics").body.decode())

    def test_nothing_else_of_version_is_different(self):
        ours, other = (server.get("/version").json() for server in (self.ours, self.other))
        self.assertEqual({**ours, "version": ""}, {**other, "version": ""})

    def test_bytes_and_etags_are_the_same(self):
        for target in SAME:
            with self.subTest(target):
                ours, other = self.ours.get(target), self.other.get(target)
                self.assertEqual((ours.status, ours.body), (200, other.body))
                self.assertTrue(ours.headers["ETag"])
                self.assertEqual(ours.headers["ETag"], other.headers["ETag"])


if __name__ == "__main__":
    unittest.main()
