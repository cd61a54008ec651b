"""What programs that were linked with libfmix.so.1 rely on: names, and the layout of structures.

A release that only adds calls names them in deploy/debian/libfmix1.symbols, with its number. The layout
of 1.0.0 is libfmix1.abi.gz, by abidw; `test_abi.py layout` prints it anew, for a new soname only.
"""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / os.environ.get("BUILD", "build") / "libfmix.so"
SYMBOLS = ROOT / "deploy/debian/libfmix1.symbols"
LAYOUT = pathlib.Path(__file__).with_name("libfmix1.abi.gz")
HEADERS = [ROOT / "lib" / name for name in ("fmix.h", "fmix_rows.h", "fmix_view.h")]
# What headers do not show is not told, so that it may change.
ABIDW = ["abidw", *(word for header in HEADERS for word in ("--hf", str(header))), "--drop-private-types",
         "--exported-interfaces-only", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed"]
# Of `int fmix_shared(struct shared *);` in a library of two versions.
KNOWN = "struct shared { int a; %s int z; };\nint fmix_shared(struct shared *s) { return s->z; }\n"


def layout():
    """Of the library as it is built."""
    return subprocess.run([*ABIDW, LIBRARY], capture_output=True, check=True).stdout


def abidiff(first, second):
    """Its exit status, of which bit 2 says that something changed; and what it printed."""
    done = subprocess.run(["abidiff", "--no-added-syms", first, second], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Names(unittest.TestCase):
    def exported(self):
        """By nm."""
        said = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True)
        return {line.split()[2] for line in said.stdout.splitlines()}

    def test_the_list_of_symbols_is_what_the_library_exports(self):
        head, *lines = SYMBOLS.read_text().splitlines()
        self.assertEqual(head, "libfmix.so.1 libfmix1 #MINVER#")
        listed = [re.fullmatch(r" (fmix_\w+)@Base (\d+\.\d+\.\d+)", line) for line in lines if line[0] == " "]
        self.assertEqual([match[1] for match in listed], sorted(match[1] for match in listed))
        self.assertEqual({match[1] for match in listed}, self.exported())

    def test_the_library_has_the_name_that_the_list_has(self):
        said = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertEqual(re.search(r"\(SONAME\).*\[(.*)\]", said)[1], "libfmix.so.1")


@unittest.skipUnless(shutil.which("abidiff"), "no abidiff here")
class Layout(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def compiled(self, name, member):
        """A library whose structure has a member more."""
        path = self.folder / f"{name}.so"
        subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=KNOWN % member,
                       text=True, check=True)
        return path

    @unittest.skipIf(os.environ.get("BUILD", "build") != "build", "sanitizers rewrite what is compared")
    @unittest.skipUnless(os.uname().machine == "x86_64", "the layout is of amd64")
    def test_calls_and_structures_are_as_in_1_0_0(self):
        released, built = self.folder / "released.abi", self.folder / "built.abi"
        released.write_bytes(gzip.decompress(LAYOUT.read_bytes()))
        built.write_bytes(layout())
        status, said = abidiff(released, built)
        self.assertEqual((status, said), (0, said))

    def test_a_member_more_would_be_seen(self):
        before, after = self.compiled("before", ""), self.compiled("after", "int more;")
        self.assertEqual(abidiff(before, self.compiled("again", ""))[0], 0)
        status, said = abidiff(before, after)
        self.assertTrue(status & 4, said)
        self.assertIn("'int more'", said)


if __name__ == "__main__":
    if sys.argv[1:] == ["layout"]:
        sys.stdout.buffer.write(gzip.compress(layout(), 9, mtime=0))
    else:
        unittest.main()
