"""Sets that cannot be served are refused, by name."""

import pathlib
import shutil
import tempfile
import unittest

import harness
import hosting


class BadSets(unittest.TestCase):
    """Sets that are not served, each with a reason; the others are."""

    def setUp(self):
        self.root = self.enterContext(tempfile.TemporaryDirectory())
        for data in list(hosting.some_sets())[:2]:
            hosting.write(self.root, data)
        self.set = pathlib.Path(self.root, "colour")

    def assert_refused(self, said, *options):
        """The daemon does not serve `colour`, and says this of it."""
        with harness.Server("--data", self.root, "--drain", "0", *options) as server:
            names = [entry["name"] for entry in server.get("/v1/datasets").json()["datasets"]]
            self.assertEqual(names, ["signal"])
            server.until_logged(said)

    def edit(self, old, new):
        """Changes the manifest."""
        path = self.set / "manifest.json"
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def test_an_altered_byte_is_found(self):
        path = self.set / "data.bin"
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        self.assert_refused("a file was altered", "--verify", "start")
        self.assert_refused("a file was altered", "--verify", "on")
        with harness.Server("--data", self.root, "--verify", "off") as server:
            self.assertEqual(server.get("/v1/datasets/colour").status, 200)

    def test_a_short_file_is_found(self):
        path = self.set / "data.bin"
        path.write_bytes(path.read_bytes()[:-1])
        self.assert_refused("data.bin has 4346 bytes; by manifest.json it must have 4347")

    def test_a_missing_file_is_found(self):
        (self.set / "labels.bin").unlink()
        self.assert_refused("labels.bin cannot be read")

    def test_a_label_out_of_range_is_found(self):
        path = self.set / "labels.bin"
        data = bytearray(path.read_bytes())
        data[8] = 9
        path.write_bytes(data)
        for verify in "off", "start":
            self.assert_refused("row 2 of y is class 9 of 5", "--verify", verify)

    def test_sizes_that_do_not_multiply_out_are_found(self):
        self.edit('"count": 23', '"count": 24')
        self.assert_refused("data.bin has 4347 bytes")

    def test_manifests_that_make_no_sense_are_found(self):
        before = (self.set / "manifest.json").read_text()
        for old, new in (('"fmixd": 1', '"fmixd": 2'), ('"count": 23', '"count": -1'),
                         ('"u8"', '"u9"'), ('"channels_first"', '"sideways"'),
                         ('"name": "y"', '"name": "../y"'), ('"classes": 5', '"classes": 0'),
                         ('"count": 23', '"count": 4611686018427387904'), ("{", "[")):
            self.edit(old, new)
            self.assert_refused("manifest.json", "--verify", "off")
            (self.set / "manifest.json").write_text(before)

    def test_a_set_may_be_a_link_to_its_directory(self):
        elsewhere = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "colour")
        shutil.move(self.set, elsewhere)
        self.set.symlink_to(elsewhere)
        with harness.Server("--data", self.root, "--drain", "0") as server:
            self.assertEqual(server.get("/v1/datasets/colour/batches/0.npy?n=4").status, 200)

    def test_a_file_of_a_set_is_no_link(self):
        (self.set / "data.bin").rename(self.set / "elsewhere")
        (self.set / "data.bin").symlink_to("elsewhere")
        self.assert_refused("data.bin cannot be read")

    def test_a_root_that_is_not_there_is_told_at_start(self):
        with self.assertRaises(RuntimeError) as caught:
            with harness.Server("--data", self.root + "/nothing"):
                pass
        self.assertIn("cannot be read", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
