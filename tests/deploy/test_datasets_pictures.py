"""The pages of deploy/datasets for pictures: each one's commands make of published files a set whose
batches have the files' pixels and labels. Fashion-MNIST is real; the others are twins."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import numpy as np

import dataset_pages
import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "data"))
sys.path.insert(0, str(harness.ROOT / "deploy" / "datasets"))

import common  # noqa: E402
import fashion  # noqa: E402

try:
    import twins_pictures as twins
except ImportError as missing:  # SciPy or Pillow
    raise unittest.SkipTest(str(missing)) from missing

SIZE = 40  # of the views by which image sets are compared
TRAINING_OF_FASHION = 60000


class Cifar10(dataset_pages.Page, unittest.TestCase):
    page = "cifar10"

    @classmethod
    def twin(cls, folder):
        names = [f"data_batch_{i}.bin" for i in range(1, 6)]
        cls.made = twins.cifar(folder / "cifar-10-binary.tar.gz", "cifar-10-batches-bin",
                               {name: 7 + i for i, name in enumerate([*names, "test_batch.bin"])}, [10])

    def test_rows_and_labels_are_those_of_the_files(self):
        *training, test = self.made.values()
        for name, parts in (("cifar10", training), ("cifar10-test", [test])):
            rows = self.rows(name)
            np.testing.assert_array_equal(rows["mixed"], np.concatenate([x for x, _ in parts]))
            np.testing.assert_array_equal(self.numbers(rows), np.concatenate([y[:, 0] for _, y in parts]))
            self.assertEqual([head["classes"] for head in self.facts(name)["heads"]], [10])


class Cifar100(dataset_pages.Page, unittest.TestCase):
    page = "cifar100"

    @classmethod
    def twin(cls, folder):
        cls.made = twins.cifar(folder / "cifar-100-binary.tar.gz", "cifar-100-binary",
                               {"train.bin": 23, "test.bin": 9}, [20, 100])

    def test_rows_and_both_labels_are_those_of_the_files(self):
        for name, (x, y) in zip(("cifar100", "cifar100-test"), self.made.values()):
            rows = self.rows(name)
            np.testing.assert_array_equal(rows["mixed"], x)
            np.testing.assert_array_equal(self.numbers(rows, "labels.coarse"), y[:, 0])
            np.testing.assert_array_equal(self.numbers(rows, "labels.fine"), y[:, 1])


class Fashion(dataset_pages.Page, unittest.TestCase):
    """Real pictures; which of them are for training is not published by npm's package, and is made up."""

    page = "fashion"

    @classmethod
    def twin(cls, folder):
        try:
            fashion.fetch()
        except fashion.Unreachable as why:
            raise unittest.SkipTest(str(why)) from why
        cls.x, cls.y = fashion.load()
        for name, part in (("train", slice(TRAINING_OF_FASHION)), ("t10k", slice(TRAINING_OF_FASHION, None))):
            twins.idx(folder / f"{name}-images-idx3-ubyte.gz", cls.x[part])
            twins.idx(folder / f"{name}-labels-idx1-ubyte.gz", cls.y[part].astype("u1"))

    def test_rows_and_labels_are_those_of_the_files(self):
        for name, first, count in (("fashion", 0, TRAINING_OF_FASHION), ("fashion-test", TRAINING_OF_FASHION, 10000)):
            self.assertEqual(self.facts(name)["count"], count)
            rows = self.rows(name)
            np.testing.assert_array_equal(rows["mixed"], self.x[first:first + 1000])
            np.testing.assert_array_equal(self.numbers(rows), self.y[first:first + 1000])


class TinyImageNet(dataset_pages.Page, unittest.TestCase):
    page = "tinyimagenet"

    @classmethod
    def twin(cls, folder):
        cls.made = twins.tiny_imagenet(folder / "tiny-imagenet-200.zip")

    def test_rows_are_the_pictures_in_the_order_of_wnids_txt(self):
        for name, pictures in zip(("tinyimagenet", "tinyimagenet-val"), self.made):
            rows = self.rows(name)
            np.testing.assert_array_equal(rows["mixed"], [twins.decoded(file) for file, _ in pictures])
            np.testing.assert_array_equal(self.numbers(rows), [number for _, number in pictures])

    def test_the_classes_are_listed_beside_the_set(self):
        for name in ("tinyimagenet", "tinyimagenet-val"):
            listed = (self.folder / "sets" / f"{name}.classes.txt").read_text(encoding="ascii").split()
            self.assertEqual(listed, ["n02124075", "n04067472", "n01443537", "n03444034"])

    def test_another_file_than_the_published_one_is_refused_and_named(self):
        done = dataset_pages.run("deploy/datasets/tinyimagenet.py train tiny-imagenet-200.zip sets/no", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^tinyimagenet.py: 'tiny-imagenet-200.zip' has \d+ bytes; the published "
                                      r"file has 248100043: .*--any-files")

    def test_a_broken_text_file_of_the_archive_is_one_line_of_refusal(self):
        for name, data, said in (
                ("val/val_annotations.txt", b"val_0.JPEG n02124075\n", "val_annotations.txt, line 1 is 'val_0.JPEG "
                 "n02124075'; must be a file and its synset, with a tab between"),
                ("wnids.txt", "n0212407\u00e9\n".encode(), "wnids.txt is not ASCII")):
            with zipfile.ZipFile(self.folder / "tiny-imagenet-200.zip") as good, \
                 zipfile.ZipFile(self.folder / "broken.zip", "w") as broken:
                for entry in good.namelist():
                    broken.writestr(entry, data if entry.endswith(name) else good.read(entry))
            done = dataset_pages.run("deploy/datasets/tinyimagenet.py --any-files val broken.zip sets/no", self.folder)
            self.assertEqual((done.returncode, done.stderr), (1, f"tinyimagenet.py: {said}\n"))

    def test_a_set_that_exists_is_refused_before_the_work(self):
        done = dataset_pages.run("deploy/datasets/tinyimagenet.py val no.zip sets/tinyimagenet", self.folder)
        self.assertEqual((done.returncode, done.stderr), (
            1, "tinyimagenet.py: 'sets/tinyimagenet' already exists; remove it, or choose another name\n"))


class ImageNet(dataset_pages.Page, unittest.TestCase):
    page = "imagenet"
    not_run = dataset_pages.Page.not_run + "|build/fmixd import sets/imagenet-unpacked"

    @classmethod
    def twin(cls, folder):
        cls.order, cls.train, cls.val = twins.imagenet(folder)

    def check_set(self, name, pictures):
        rows = self.rows(name, f"&view=stretch&size={SIZE}")
        np.testing.assert_array_equal(rows["mixed"], [twins.decoded(file, (SIZE, SIZE)) for file, _ in pictures])
        np.testing.assert_array_equal(self.numbers(rows), [number for _, number in pictures])
        self.assertEqual(self.facts(name)["heads"][0]["class_names"], self.order)

    def test_training_rows_are_in_the_order_of_torchvision(self):
        self.check_set("imagenet", self.train)

    def test_validation_rows_are_in_the_order_of_their_numbers(self):
        self.check_set("imagenet-val", self.val)

    def test_the_set_keeps_the_bytes_of_the_files(self):
        stored = (self.folder / "sets" / "imagenet" / "data.bin").read_bytes()
        self.assertEqual(stored, b"".join(file for file, _ in self.train))

    def test_an_unpacked_folder_gives_the_same_set(self):
        command, = (line for line in self.printed() if "imagenet-unpacked" in line)
        unpack = ("mkdir -p imagenet/train && cd imagenet/train && tar -xf ../../ILSVRC2012_img_train.tar && "
                  "for t in *.tar; do mkdir ${t%.tar} && tar -xf $t -C ${t%.tar} && rm $t; done")
        self.assertEqual(dataset_pages.run(unpack, self.folder).returncode, 0)
        self.carry_out(command)
        digests = [json.loads((self.folder / "sets" / name / "manifest.json").read_text())["digest"]
                   for name in ("imagenet", "imagenet-unpacked")]
        self.assertEqual(*digests)

    def refused(self, part, tar, kit="ILSVRC2012_devkit_t12.tar.gz", more="--any-files"):
        """The message of a command that must fail; it leaves nothing behind."""
        done = dataset_pages.run(f"deploy/datasets/imagenet.py {part} {tar} {kit} sets/no {more}", self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertFalse((self.folder / "sets" / "no").exists())
        self.test_nothing_temporary_is_left()
        return done.stderr.splitlines()[-1]

    def test_a_training_file_that_lacks_a_synset_is_refused(self):
        with open(self.folder / "part.tar", "wb") as out:
            twins.tar_of([(f"{wnid}.tar", b"") for wnid in self.order[1:]], out)
        self.assertIn(f"{self.order[0]} is in one of them only", self.refused("train", "part.tar"))

    def test_labels_of_another_number_of_pictures_are_refused(self):
        with open(self.folder / "few.tar", "wb") as out:
            twins.tar_of([("ILSVRC2012_val_00000001.JPEG", b"")], out)
        self.assertIn("holds 1 pictures; the development kit has 7 labels", self.refused("val", "few.tar"))

    def test_a_damaged_tar_file_is_named(self):
        (self.folder / "cut.tar").write_bytes(b"x" * 2000)
        self.assertIn("'cut.tar'", self.refused("train", "cut.tar"))

    def test_a_picture_that_cannot_be_read_is_named_and_left_out_if_told(self):
        files = [file for file, _ in self.val]
        files[2] = b"no picture"
        with open(self.folder / "bad.tar", "wb") as out:
            twins.tar_of([(f"ILSVRC2012_val_{i:08}.JPEG", file) for i, file in enumerate(files, 1)], out)
        self.assertIn("the import of 'sets/no' ended with 1", self.refused("val", "bad.tar"))
        done = dataset_pages.run("deploy/datasets/imagenet.py val bad.tar ILSVRC2012_devkit_t12.tar.gz sets/most "
                                 "--any-files --skip-bad", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ILSVRC2012_val_00000003.jpg", done.stderr)
        self.assertIn("sets/most: 6 rows", done.stderr)

    def test_another_development_kit_than_the_published_one_is_refused(self):
        self.assertIn("fa75699e90414af021442c21a62c3abf",
                      self.refused("train", "ILSVRC2012_img_train.tar", more=""))


# What bengali.py asks of pyarrow, where there is none: the files are npz files then.
STAND_IN = '''
import numpy as np

class Column(list):
    def to_pylist(self):
        return list(self)

    def to_numpy(self, zero_copy_only=True):
        return np.array(self, "u1")

class Batch:
    def __init__(self, names, pixels):
        self.columns = [Column(names), *map(Column, pixels.T)]

class ParquetFile:
    def __init__(self, path):
        self.table = np.load(path)

    def iter_batches(self, size):
        for at in range(0, len(self.table["names"]), size):
            yield Batch(self.table["names"][at:at + size].tolist(), self.table["pixels"][at:at + size])
'''


class Bengali(dataset_pages.Page, unittest.TestCase):
    """Where Python has pyarrow, the twin is parquet by pyarrow; where it has not, as in Debian, a
    stand-in reads it, and what is tested is all but pyarrow's own reading."""

    page = "bengali"
    ROWS = 34

    @classmethod
    def twin(cls, folder):
        cls.x, cls.labels = twins.graphemes(cls.ROWS)
        twins.bengali_labels(folder / "train.csv", cls.labels)
        cls.environment = {"PYTHONPATH": str(folder / "modules")}
        for i, rows in enumerate(np.array_split(np.arange(cls.ROWS), 4)):
            path = folder / f"train_image_data_{i}"
            np.save(f"{path}.npy", cls.x[rows] if i % 2 else cls.x[rows].reshape(len(rows), -1))
            cls.parquet(folder, f"{path}.parquet", [f"Train_{row}" for row in rows], cls.x[rows])

    @staticmethod
    def parquet(folder, path, names, pictures):
        """image_id, then a column for each pixel, "0" to "32331"."""
        pixels = pictures.reshape(len(names), -1)
        if importlib.util.find_spec("pyarrow"):
            import pyarrow.parquet  # pylint: disable=import-outside-toplevel
            columns = {"image_id": names, **{str(i): column for i, column in enumerate(pixels.T)}}
            pyarrow.parquet.write_table(pyarrow.table(columns), path)
            return
        module = folder / "modules" / "pyarrow"
        module.mkdir(parents=True, exist_ok=True)
        (module / "__init__.py").touch()
        (module / "parquet.py").write_text(STAND_IN)
        with open(path, "wb") as file:
            np.savez(file, names=names, pixels=pixels)

    def check_set(self, name, wanted):
        rows = self.rows(name, "&out_dtype=f32")
        expected = np.stack([twins.as_the_authors(picture) for picture in self.x[wanted]])
        self.assertLess(np.abs(rows["mixed"] - expected).max(), 1 / 510 + 1e-6)
        for head, numbers in zip(("grapheme_root", "vowel_diacritic", "consonant_diacritic"), self.labels[wanted].T):
            np.testing.assert_array_equal(self.numbers(rows, f"labels.{head}"), numbers)

    def test_rows_are_what_the_authors_make_of_the_pictures(self):
        number = np.arange(self.ROWS)
        self.check_set("bengali", number % 10 != 9)
        self.check_set("bengali-val", number % 10 == 9)

    def prepare(self, files, name, part="all", **environment):
        return dataset_pages.run(f"deploy/datasets/bengali.py {part} train.csv {files} sets/{name}", self.folder,
                                 **environment)

    def test_npy_files_give_the_same_set(self):
        self.assertEqual(self.prepare("train_image_data_?.npy", "npy", "train").returncode, 0)
        digests = [json.loads((self.folder / "sets" / name / "manifest.json").read_text())["digest"]
                   for name in ("bengali", "npy")]
        self.assertEqual(*digests)

    def test_files_in_another_order_than_the_labels_are_refused(self):
        files = " ".join(f"train_image_data_{i}.parquet" for i in (1, 0, 2, 3))
        done = self.prepare(files, "no", **self.environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("'train_image_data_1.parquet': the pictures from row 0 on are not those of the labels",
                      done.stderr)
        self.assertFalse((self.folder / "sets" / "no").exists())

    def test_a_file_that_lacks_is_refused(self):
        done = self.prepare("train_image_data_[012].npy", "no")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the files hold 26 pictures; there are labels of 34", done.stderr)

    def test_labels_that_are_no_class_numbers_are_refused_with_their_line(self):
        labels = (self.folder / "train.csv").read_text(encoding="utf-8").splitlines()
        for line, row, reason in ((3, "Train_2,x,1,1,k", "line 4: grapheme_root is 'x'"),
                                  (1, "Train_0,1,1,1,k", "grapheme_root must have the class numbers 0 to 167"),
                                  (0, "image_id,grapheme_root,vowel_diacritic", "has no column consonant_diacritic")):
            changed = [row if i == line else kept for i, kept in enumerate(labels)]
            changed = [kept.replace(",167,", ",3,") for kept in changed] if line == 1 else changed
            (self.folder / "other.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")
            done = dataset_pages.run("deploy/datasets/bengali.py all other.csv train_image_data_?.npy sets/no",
                                     self.folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn(reason, done.stderr)

    def test_labels_that_are_still_packed_are_one_line_of_refusal(self):
        (self.folder / "packed.csv").write_bytes(b"PK\x03\x04\x14\x00\x00\x00\x08\x00\xff\xfe\x9a")
        done = dataset_pages.run("deploy/datasets/bengali.py all packed.csv train_image_data_?.npy sets/no",
                                 self.folder)
        self.assertEqual((done.returncode, done.stderr), (
            1, "bengali.py: 'packed.csv' is not UTF-8; must be a CSV file, unpacked\n"))

    def test_a_page_in_place_of_pictures_is_one_line_of_refusal(self):
        for name, environment in ("page.npy", {}), ("page.parquet", self.environment):
            (self.folder / name).write_bytes(b"<!DOCTYPE html>\n<html>" * 9)
            done = self.prepare(name, "no", **environment)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"^bengali.py: '{name}' is not an? (npy|parquet) file: .*\n$")

    def test_npy_files_of_another_form_are_refused(self):
        for name, array, reason in (
                ("columns", np.asfortranarray(self.x.reshape(self.ROWS, -1)), "must hold numbers, row after row"),
                ("floats", self.x.astype("f4"), "holds rows of 32332 float32; they must be 32332 uint8"),
                ("small", self.x[:, :9], "holds rows of 2124 uint8")):
            np.save(self.folder / f"{name}.npy", array)
            done = self.prepare(f"{name}.npy", "no")
            self.assertIn(f"'{name}.npy' {reason}", done.stderr)
        whole = (self.folder / "train_image_data_0.npy").read_bytes()
        (self.folder / "cut.npy").write_bytes(whole[:-1])
        self.assertIn("'cut.npy' is cut short", self.prepare("cut.npy", "no").stderr)

    @unittest.skipIf(importlib.util.find_spec("pyarrow"), "there is pyarrow here")
    def test_parquet_without_pyarrow_is_refused_and_says_what_to_do(self):
        done = self.prepare("train_image_data_?.parquet", "no")
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs pyarrow, which Debian does not have", done.stderr)


class Helpers(unittest.TestCase):
    def test_every_data_set_of_the_table_has_its_page_and_its_script(self):
        folder = harness.ROOT / "deploy" / "datasets"
        table = (folder / "README.md").read_text(encoding="utf-8")
        for page in folder.glob("*.md"):
            self.assertTrue(page.name == "README.md" or f"({page.name})" in table, page)
        for script in folder.glob("*.py"):
            self.assertEqual(os.access(script, os.X_OK), f"`{script.name}`" in table, script)

    def test_a_file_with_another_sum_is_refused_with_both_sums(self):
        path = harness.ROOT / "tests" / "data" / "garments.npy"
        with self.assertRaisesRegex(common.Refused, "has MD5 [0-9a-f]{32}; the published file has 00ff"):
            common.check_published(path, "00ff")
        common.check_published(path, "00ff", any_files=True)

    def test_a_disk_without_room_is_refused_before_the_work(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        common.check_space(f"{folder}/set", 1, None, 1)
        most = shutil.disk_usage(folder).free * 2 // 3
        with self.assertRaisesRegex(common.Refused, "GB free"):  # both are on one disk
            common.check_space(f"{folder}/set", most, None, most)

    def test_temporary_files_are_removed_after_a_sigterm(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        script = ("import os, sys; import common\n"
                  "def main():\n"
                  f"    with common.scratch({folder + '/set'!r}) as at:\n"
                  "        open(at / 'file', 'w').close(); os.kill(os.getpid(), 15); sys.stdin.read()\n"
                  "common.run(main)")
        done = subprocess.run([sys.executable, "-c", script], check=False, stdin=subprocess.PIPE,
                              cwd=harness.ROOT / "deploy" / "datasets", timeout=harness.PATIENCE)
        self.assertEqual((done.returncode, os.listdir(folder)), (143, []))

    def test_an_npy_file_that_grows_is_what_numpy_reads(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "x.npy")
        blocks = [np.arange(12).reshape(2, 3, 2), np.ones((0, 3, 2)), np.full((1, 3, 2), 7)]
        with common.Npy(path, "<i4", (3, 2)) as out:
            for block in blocks:
                out.write(block)
        found = np.load(path)
        self.assertEqual(found.dtype, np.int32)
        np.testing.assert_array_equal(found, np.concatenate(blocks))


if __name__ == "__main__":
    unittest.main()
