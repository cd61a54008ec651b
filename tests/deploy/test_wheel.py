"""deploy/clients/python as pip builds and installs it: offline, of nothing but Python, with libfmix.so where a
compiler is."""

import ast
import base64
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/http")]

import harness  # noqa: E402

PACKAGE = ROOT / "deploy/clients/python"
LIBRARY = "fmixd/libfmix.so"
# One step by a daemon and one in process; what it prints is the same of both.
MIXES = """
import hashlib, sys
import numpy as np
import fmixd
x, y = np.arange(8 * 3 * 16 * 16, dtype="f4").reshape(8, 3, 16, 16), np.arange(8)
for url in sys.argv[1:]:
    with fmixd.Mixer(url or None, seed=7, method="fmix", classes=10) as mix:
        print(hashlib.sha256(b"".join(part.tobytes() for part in mix(x, y, 4))).hexdigest())
"""


def version():
    """Of all that is built here."""
    return re.search(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.M)[1]


def hook(name, folder, source=PACKAGE, expect=0, settings=None, **environment):
    """Runs a hook of the backend as a frontend does; what it printed, and the path that it returned."""
    code = ("import sys; sys.path.insert(0, '.'); import fmixd_build; "
            f"print(fmixd_build.{name}(sys.argv[1], {settings!r}), end='')")
    done = subprocess.run([sys.executable, "-B", "-I", "-S", "-c", code, str(folder)], cwd=source, text=True,
                          check=False, capture_output=True, env={**os.environ, "OPT": "-O1", **environment})
    if done.returncode != expect:
        raise AssertionError(f"{name}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr, None if expect else pathlib.Path(folder, done.stdout.splitlines()[-1])


def within(text, **environment):
    """What lines say that run beside the backend."""
    done = subprocess.run([sys.executable, "-B", "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.')\n{text}"],
                          cwd=PACKAGE, text=True, check=False, capture_output=True, env={**os.environ, **environment})
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


class Systems(unittest.TestCase):
    """Other ones than this, as far as they can be told here."""

    def test_a_python_of_32_bits_on_a_kernel_of_64_has_a_tag_of_its_own(self):
        narrow, wide = 2**31 - 1, 2**63 - 1
        for kernel, most, tag in (("linux-x86_64", narrow, "linux_i686"), ("linux-aarch64", narrow, "linux_armv7l"),
                                  ("linux-armv7l", narrow, "linux_armv7l"), ("linux-x86_64", wide, "linux_x86_64"),
                                  ("linux-aarch64", wide, "linux_aarch64")):
            self.assertEqual(within(
                "import sysconfig; from unittest import mock; from fmixd_build import library\n"
                f"with mock.patch.object(sys, 'maxsize', {most}), \\\n"
                f"     mock.patch.object(sysconfig, 'get_platform', lambda: {kernel!r}):\n"
                "    print(library.platform(), end='')"), tag)

    def test_names_in_archives_have_slashes_where_paths_have_not(self):
        self.assertEqual(within(
            "import pathlib; from fmixd_build import project\n"
            "class Windows(pathlib.PureWindowsPath):\n"
            "    def read_bytes(self): return b''\n"
            "project.FOLDER = Windows('C:/a')\n"
            "print(*project._read([Windows('C:/a/fmixd/mixer.py')]), end='')"), "fmixd/mixer.py")

    def test_the_package_works_where_there_are_no_forks(self):
        self.assertEqual(within(
            "import os; del os.register_at_fork\n"
            "import importlib.util\n"
            "spec = importlib.util.spec_from_file_location('shared_library', 'fmixd/shared_library.py')\n"
            "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
            "with module.CALLS: print('works', end='')"), "works")


class Building(unittest.TestCase):
    """With a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def python(self, code, path, *arguments, **environment):
        """A program that has the package from there alone."""
        kept = {name: value for name, value in os.environ.items() if name not in ("FMIX_LIBRARY", "PYTHONPATH")}
        done = subprocess.run([sys.executable, "-B", "-c", code, *arguments], text=True, check=False, cwd="/",
                              capture_output=True, env={**kept, "PYTHONPATH": str(path), **environment})
        return done.stdout + done.stderr

    def unpacked(self, wheel):
        """A folder of what a wheel holds."""
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.folder / "unpacked")
        return self.folder / "unpacked"

    def alone(self):
        """The sources of the package, and none of the library."""
        shutil.copytree(PACKAGE, self.folder / "alone", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "LICENSE", self.folder / "alone")
        return self.folder / "alone"


@unittest.skipUnless(importlib.util.find_spec("ensurepip"), "there is no python3-venv here")
class Installed(harness.ServerTest):
    """By pip, in an environment that sees Debian's NumPy and nothing of this tree."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", cls.folder], check=True)
        cls.pip("install", "-v", str(PACKAGE))

    @classmethod
    def pip(cls, *arguments):
        """Offline."""
        done = cls.run_python("-m", "pip", "--disable-pip-version-check", "--no-cache-dir", *arguments[:1],
                              "--no-index", *arguments[1:], OPT="-O1")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout

    @classmethod
    def run_python(cls, *arguments, **environment):
        """The environment's."""
        kept = {name: value for name, value in os.environ.items() if name not in ("FMIX_LIBRARY", "PYTHONPATH")}
        return subprocess.run([cls.folder / "bin/python", "-B", *arguments], text=True, check=False, cwd="/",
                              capture_output=True, env={**kept, **environment})

    def test_it_is_imported_from_there_with_the_version_of_the_daemon(self):
        done = self.run_python("-c", "import importlib.metadata as m, fmixd; from fmixd import local; "
                               "print(m.version('fmixd'), fmixd.__file__, local.library().path)")
        told, *paths = done.stdout.split()
        self.assertEqual(told, version(), done.stderr)
        self.assertEqual([path.startswith(f"{self.folder.resolve()}/lib/") for path in paths], [True, True])
        self.assertEqual(pathlib.Path(paths[1]).name, "libfmix.so")

    def test_it_mixes_in_process_as_by_a_daemon(self):
        done = self.run_python("-c", MIXES, "http://{}:{}".format(*self.server.address), "")
        served, drawn = done.stdout.split()
        self.assertEqual(drawn, served, done.stderr)

    def test_an_editable_one_is_the_sources_with_the_library_of_their_build(self):
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", self.folder / "other"],
                       check=True)
        built = hook("build_editable", self.folder)[1]
        site = self.run_python("-c", "import sysconfig; print(sysconfig.get_path('purelib', vars={'base': %r}))"
                               % str(self.folder / "other")).stdout.strip()
        with zipfile.ZipFile(built) as archive:
            archive.extractall(site)
        done = subprocess.run([self.folder / "other/bin/python", "-B", "-c", "import fmixd; print(fmixd.__file__)"],
                              text=True, check=True, cwd="/", capture_output=True)
        self.assertEqual(done.stdout.strip(), str(PACKAGE / "fmixd/__init__.py"))


class Wheels(Building):
    """What they hold."""

    @classmethod
    def setUpClass(cls):
        cls.said, cls.built = hook("build_wheel", cls.enterClassContext(tempfile.TemporaryDirectory()))

    def test_a_wheel_says_of_each_file_what_it_is(self):
        built = self.built
        self.assertIn("this wheel carries libfmix.so\n", self.said)
        self.assertRegex(built.name, rf"^fmixd-{re.escape(version())}-py3-none-linux_\w+\.whl$")
        with zipfile.ZipFile(built) as archive:
            names = archive.namelist()
            info = f"fmixd-{version()}.dist-info"
            self.assertEqual(names, sorted(names[:-1]) + [f"{info}/RECORD"])
            self.assertEqual({name for name in names if name.endswith(".py")},
                             {f"fmixd/{path.name}" for path in (PACKAGE / "fmixd").glob("*.py")})
            self.assertTrue({LIBRARY, "fmixd/py.typed", f"{info}/LICENSE", f"{info}/METADATA"} <= set(names))
            self.assertNotIn(str(ROOT).encode(), archive.read(LIBRARY))
            self.assertEqual(archive.getinfo(LIBRARY).external_attr >> 16, 0o100755)
            lines = dict(line.split(",", 1) for line in archive.read(f"{info}/RECORD").decode().splitlines())
            self.assertEqual(lines.pop(f"{info}/RECORD"), ",")
            self.assertEqual(lines, {name: self.told_of(archive.read(name)) for name in names[:-1]})
            wheel = archive.read(f"{info}/WHEEL").decode()
            self.assertIn("Root-Is-Purelib: false\n", wheel)
            self.assertIn(f"Tag: {built.stem.split('-', 2)[2]}\n", wheel)
            told = archive.read(f"{info}/METADATA").decode()
            for line in (f"Version: {version()}", "Requires-Dist: numpy", "Requires-Python: >=3.9"):
                self.assertIn(f"\n{line}\n", told)

    @staticmethod
    def told_of(data):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        return f"sha256={digest},{len(data)}"

    def test_the_same_sources_give_the_same_bytes(self):
        again = hook("build_wheel", self.folder)[1]
        self.assertEqual((again.name, again.read_bytes()), (self.built.name, self.built.read_bytes()))

    def test_files_have_the_time_that_is_asked_for(self):
        built = hook("build_wheel", self.folder, settings={"library": "no"}, SOURCE_DATE_EPOCH="1700000000")[1]
        with zipfile.ZipFile(built) as archive:
            self.assertEqual({entry.date_time for entry in archive.infolist()}, {(2023, 11, 14, 22, 13, 20)})

    def test_without_a_compiler_a_wheel_is_pure_and_says_so(self):
        nothing = self.folder / "nothing"
        nothing.mkdir()
        said, built = hook("build_wheel", self.folder, PATH=str(nothing), CC="")
        self.assertEqual(built.name, f"fmixd-{version()}-py3-none-any.whl")
        self.assertIn("this wheel is without libfmix.so, so it needs a daemon: no make, no C compiler (gcc)", said)
        package = self.unpacked(built)
        self.assertFalse((package / LIBRARY).exists())
        self.assertIn("was built without it: no make, no C compiler (gcc).",
                      self.python("import fmixd; fmixd.Mixer(None)", package, LD_LIBRARY_PATH=""))
        with harness.Server() as server:
            said = self.python(MIXES, package, "http://{}:{}".format(*server.address))
        self.assertRegex(said, "^[0-9a-f]{64}\n$")

    def test_headers_that_are_not_there_are_named_with_their_packages(self):
        compiler = self.folder / "cc"
        compiler.write_text('#!/bin/sh\ntext=$(cat)\ncase $text in *fftw3.h*|*mpfr.h*) exit 1;; esac\n'
                            'printf "%s\\n" "$text" | exec gcc "$@"\n')
        compiler.chmod(0o755)
        said, built = hook("build_wheel", self.folder, CC=str(compiler))
        self.assertIn("needs a daemon: no fftw3.h (libfftw3-dev), no mpfr.h (libmpfr-dev)\n", said)
        self.assertTrue(built.name.endswith("-any.whl"))

    def test_a_library_that_must_be_is_an_error_where_it_cannot_and_one_that_must_not_be_is_none(self):
        said, _ = hook("build_wheel", self.folder, expect=1, settings={"library": "yes"}, CC="/nowhere/cc")
        self.assertIn("libfmix.so was not built: no C compiler (/nowhere/cc)", said)
        self.assertTrue(hook("build_wheel", self.folder, settings={"library": "no"})[1].name.endswith("-any.whl"))
        self.assertIn("it must be auto, yes or no",
                      hook("build_wheel", self.folder, expect=1, settings={"library": "maybe"})[0])

    def test_a_build_that_fails_is_an_error_and_no_pure_wheel(self):
        said, _ = hook("build_wheel", self.folder, expect=1, CPPFLAGS="-DFMIX_H")
        self.assertIn("error:", said)
        self.assertEqual(list(self.folder.glob("*.whl")), [])


class Sources(Building):
    """What is built of an sdist, and what is told of the package."""

    def test_a_wheel_of_an_sdist_carries_the_library_too(self):
        built = hook("build_sdist", self.folder)[1]
        self.assertEqual(built.name, f"fmixd-{version()}.tar.gz")
        with tarfile.open(built) as archive:
            archive.extractall(self.folder, filter="data") if hasattr(tarfile, "data_filter") else (
                archive.extractall(self.folder))
        source = self.folder / f"fmixd-{version()}"
        self.assertEqual({path.name for path in (source / "libfmix/lib").glob("*")},
                         {path.name for path in (ROOT / "lib").glob("*.[ch]")})
        self.assertIn(f"\nVersion: {version()}\n", (source / "PKG-INFO").read_text())
        package = self.unpacked(hook("build_wheel", self.folder, source)[1])
        self.assertRegex(self.python(MIXES, package, ""), "^[0-9a-f]{64}\n$")
        self.assertEqual(built.read_bytes(), hook("build_sdist", self.folder)[1].read_bytes())

    def test_an_sdist_without_the_library_s_sources_is_refused_and_a_wheel_is_pure(self):
        said, _ = hook("build_sdist", self.folder, self.alone(), expect=1)
        self.assertIn("there are no sources of libfmix beside this package", said)
        said, built = hook("build_wheel", self.folder, self.folder / "alone")
        self.assertIn("no sources of libfmix (looked for", said)
        self.assertTrue(built.name.endswith("-any.whl"))

    def test_the_version_is_that_of_the_makefile(self):
        self.assertIn(f'__version__ = "{version()}"', (PACKAGE / "fmixd/version.py").read_text())

    def test_metadata_is_what_pyproject_says(self):
        told = tomllib.loads((PACKAGE / "pyproject.toml").read_text())
        self.assertEqual((told["build-system"]["requires"], told["project"]["dynamic"]), ([], ["version"]))
        folder = hook("prepare_metadata_for_build_wheel", self.folder)[1]
        text = (folder / "METADATA").read_text()
        for line in (f"Name: {told['project']['name']}", f"Summary: {told['project']['description']}",
                     f"Requires-Python: {told['project']['requires-python']}",
                     *(f"Requires-Dist: {name}" for name in told["project"]["dependencies"])):
            self.assertIn(f"\n{line}\n", text)

    def test_every_file_is_of_the_oldest_python_that_is_promised(self):
        for path in (*PACKAGE.glob("fmixd/*.py"), *PACKAGE.glob("fmixd_build/*.py")):
            ast.parse(path.read_text(), str(path), feature_version=(3, 9))


if __name__ == "__main__":
    unittest.main()
