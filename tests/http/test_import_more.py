"""`fmixd import`: what stands beside rows and class numbers: dense targets, neighbours, values to
predict, and rows that have lengths of their own."""

import gzip
import struct

import numpy as np

import harness
from containers import write_safetensors
from imports import Importing
from small_pictures import png

TYPES = "|u1 |b1 |i1 <i2 <i4 <i8 <f2 <f4 <f8".split()


class More(Importing):
    """Files that NumPy wrote."""

    def held(self, name):
        """A file of the set."""
        return (self.root / "set" / name).read_bytes()

    def told(self):
        """The set as the daemon describes it, once its digest has been verified."""
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            return server.get("/v1/datasets/set").json()

    def again(self):
        """Room for another set of the same name."""
        for path in (self.root / "set").iterdir():
            path.unlink()
        (self.root / "set").rmdir()


class Dense(More):
    """A target for each pixel."""

    def test_dense_targets_of_every_type_are_stored_byte_for_byte(self):
        x = self.source.integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)
        for kind in TYPES:
            dense = self.source.integers(0, 2, (5, 2, 4, 6)).astype(kind)
            self.take("npy", self.npy("x.npy", x), "--layout", "channels_first",
                      "--dense", self.npy("dense.npy", dense))
            self.assertEqual(self.held("data.bin"), x.tobytes())
            self.assertEqual(self.held("dense.bin"), dense.tobytes(), kind)
            self.again()

    def test_what_is_imported_is_told(self):
        x = self.source.normal(size=(5, 4, 6)).astype("<f4")
        maps, depth = np.zeros((5, 4, 6), np.uint8), np.zeros((5, 4, 6, 2), "<f2")
        near = self.source.integers(0, 5, (5, 3))
        said = self.take("npy", self.npy("x.npy", x), "--neighbours", self.npy("near.npy", near),
                         "--dense", self.npy("depth.npy", depth),
                         "--dense", f"map={self.npy('map.npy', maps)}")
        for line in ("dense: rows of shape 4x6x2, type f16 and layout channels_last\n",
                     "dense.map: rows of shape 4x6, type u8 and layout none\n",
                     "neighbours: 3 of each row\n", "100 %, 5 rows of dense.map\n"):
            self.assertIn(line, said)
        facts = self.told()
        self.assertEqual(facts["dense"], [
            {"name": "dense", "dtype": "f16", "shape": [4, 6, 2], "layout": "channels_last"},
            {"name": "dense.map", "dtype": "u8", "shape": [4, 6], "layout": "none"}])
        self.assertEqual((facts["neighbours"], facts.get("lengths")), (3, None))

    def test_a_set_without_them_is_told_as_it_always_was(self):
        self.take("npy", self.npy("x.npy", np.zeros((2, 3), np.uint8)))
        self.assertEqual(list(self.told()), ["name", "count", "shape", "dtype", "layout", "heads", "digest"])

    def test_safetensors_may_hold_dense_targets_itself(self):
        x = self.source.integers(0, 256, (4, 5, 6), dtype=np.uint8)
        arrays = {"dense.a": self.source.normal(size=(4, 5, 6)), "x": x, "y": np.arange(4),
                  "dense": self.source.integers(0, 9, (4, 1, 5, 6))}
        more = self.source.integers(0, 9, (4, 5, 6)).astype("<i2")
        self.take("safetensors", self.file("a", write_safetensors(arrays)),
                  "--dense", f"b={self.npy('b.npy', more)}")
        for name, array in (("a", arrays["dense.a"]), ("b", more)):
            self.assertEqual(self.held(f"dense.{name}.bin"), array.tobytes())
        self.assertEqual([(d["name"], d["layout"]) for d in self.told()["dense"]],
                         [("dense.a", "none"), ("dense", "channels_first"), ("dense.b", "none")])
        self.again()
        self.assertIn("dense.a is given twice", self.refused(
            "safetensors", self.folder / "a", "--dense", f"a={self.folder / 'b.npy'}"))
        arrays["dense.a.b"] = arrays.pop("dense.a")
        self.assertIn("not dense.a.b", self.refused("safetensors", self.file("a", write_safetensors(arrays))))

    def test_every_kind_whose_rows_stay_in_order_takes_them(self):
        maps = self.source.integers(0, 5, (4, 32, 32), dtype=np.uint8)
        near = self.source.integers(0, 4, (4, 2)).astype("<i4")
        beside = ("--dense", self.npy("maps.npy", maps), "--neighbours", self.npy("near.npy", near))
        idx = struct.pack(">BBBBIII", 0, 0, 8, 3, 4, 32, 32) + bytes(4 * 32 * 32)
        for name in "b/2.png", "a/1.png", "b/1.png", "a/2.png":
            self.file(f"images/{name}", png(np.full((32, 32), ord(name[0]), np.uint8)))
        for source in (("idx", self.file("x.gz", gzip.compress(idx))),
                       ("cifar", self.file("a.bin", bytes(3073)), self.file("b.bin", bytes(3 * 3073))),
                       ("folder", self.folder / "images")):
            self.take(*source, *beside)
            self.assertEqual(self.held("dense.bin"), maps.tobytes(), source)
            self.assertEqual(self.held("neighbours.bin"), near.astype("<i8").tobytes(), source)
            self.assertEqual(self.told()["count"], 4)
            self.again()

    def test_a_file_that_is_left_out_is_refused_beside_them(self):
        for name, data in (("1.png", png(np.zeros((8, 8), np.uint8))), ("2.png", b"none")):
            self.file(f"images/a/{name}", data)
        self.file("c", bytes(3073))
        self.file("d", bytes(3))
        maps, near = self.npy("m.npy", np.zeros((1, 8, 8), np.uint8)), self.npy("n.npy", np.zeros((1, 1), int))
        for source in ("folder", self.folder / "images"), ("cifar", self.folder / "c", self.folder / "d"):
            for option, path in ("--dense", maps), ("--neighbours", near):
                self.assertIn("rows would not be in step with --dense and --neighbours",
                              self.refused(*source, "--skip-bad", option, path))
        said = self.refused("folder", self.folder / "images", "--dense", maps)
        self.assertIn("2.png", said)

    def test_dense_targets_that_do_not_fit_are_refused(self):
        first = self.npy("x.npy", np.zeros((2, 3, 4, 5), np.uint8))
        plain = self.npy("p.npy", np.zeros((2, 4, 4), np.uint8))
        for x, layout, dense, reason in (
                (first, "channels_first", np.zeros((2, 5, 4)), "rows of dense have shape 5x4, and rows of x have "
                 "shape 3x4x5 and layout channels_first; dense targets must have the spatial dimensions of x, as 4x5, "
                 "Cx4x5, where C is any number of channels"),
                (first, "channels_first", np.zeros((2, 4, 5, 1)), "have shape 4x5x1, and"),
                (first, "channels_last", np.zeros((2, 4, 5)), "as 3x4, 3x4xC,"),
                (first, "channels_first", np.zeros((3, 4, 5)), "dense has 3 rows, but x has 2"),
                (first, "channels_first", np.zeros(2), "rows of dense have shape (), and"),
                (first, "channels_first", np.zeros(()), "dense"),
                (plain, "none", np.zeros((2, 4, 4, 4)), "which is ambiguous: their channels may be first or last"),
                (plain, "none", np.zeros((2, 4, 4), ">f4"), "dense has dtype '>f4'"),
                (plain, "none", np.zeros((2, 4, 4), "<u2"), "save dense.astype('<i4')"),
                (plain, "none", np.asfortranarray(np.zeros((2, 4, 4))), "dense is in Fortran order")):
            self.assertIn(reason, self.refused("npy", x, "--layout", layout, "--dense", self.npy("d.npy", dense)))
        said = self.refused("npy", plain, *(a for i in range(8) for a in ("--dense", f"a{i}={plain}")),
                            "--dense", plain, status=2)
        self.assertIn("at most 8 times", said)
        self.assertIn("cannot be read", self.refused("npy", plain, "--dense", self.folder / "none.npy"))

    def test_a_path_with_an_equals_sign_is_told_by_its_slash(self):
        path = self.npy("a=b.npy", np.zeros((2, 4), np.uint8))
        self.take("npy", path, "--dense", path)
        self.assertEqual(self.told()["dense"][0]["name"], "dense")


class Neighbours(More):
    """The rows that a row may be paired with."""

    def test_neighbours_of_every_integer_type_are_stored_as_i64(self):
        x = self.npy("x.npy", np.zeros((9, 2), np.uint8))
        for kind in "|u1 |i1 <i2 <i4 <i8".split():
            near = self.source.integers(0, 9, (9, 4)).astype(kind)
            self.take("npy", x, "--neighbours", self.npy("near.npy", near))
            self.assertEqual(self.held("neighbours.bin"), near.astype("<i8").tobytes())
            self.again()

    def test_rows_that_name_themselves_are_counted(self):
        x = self.source.normal(size=(20, 3))
        near = ((x[:, None] - x[None]) ** 2).sum(2).argsort(1)[:, :5]  # as sklearn's kneighbors
        rows = self.npy("x.npy", x)
        self.assertIn("warning: rows that are among their own neighbours: 20;", self.take(
            "npy", rows, "--neighbours", self.npy("near.npy", near)))
        self.again()
        self.assertNotIn("warning", self.take("npy", rows, "--neighbours", self.npy(
            "near.npy", np.ascontiguousarray(near[:, 1:]))))

    def test_neighbours_that_are_no_rows_are_refused(self):
        x = self.npy("x.npy", np.zeros((3, 2), np.uint8))
        for near, reason in ((np.array([[0], [3], [1]]),
                              "neighbour 0 of row 1 is 3; neighbours are numbers of rows, 0 to 2"),
                             (np.array([[0], [1], [-1]]), "neighbour 0 of row 2 is -1;"),
                             (np.zeros((3, 1)), "has type f64; neighbours must be integers"),
                             (np.zeros((3, 1), bool), "has type bool; neighbours must be integers"),
                             (np.zeros(3, int), "has shape 3; for 3 rows it must have shape 3xK"),
                             (np.zeros((2, 1), int), "has shape 2x1; for 3 rows it must have shape 3xK"),
                             (np.zeros((3, 1025), int), "K, the neighbours of a row, is 1 to 1024"),
                             (np.zeros((3, 1), ">i8"), "neighbours has dtype '>i8'"),
                             (np.asfortranarray(np.zeros((3, 2), int)), "neighbours is in Fortran order")):
            self.assertIn(reason, self.refused("npy", x, "--neighbours", self.npy("near.npy", near)))


class Values(More):
    """Labels of regression."""

    def test_values_are_stored_as_f32(self):
        x = self.npy("x.npy", np.zeros((6, 2), np.uint8))
        for kind in "<f2", "<f4", "<f8":
            y = self.source.normal(size=6).astype(kind)
            said = self.take("npy", x, self.npy("y.npy", y), "--values")
            self.assertIn(f"y: values from {y.astype('f4').min():g} to {y.astype('f4').max():g}, from f{kind[2]}",
                          said.replace("f16", "f2").replace("f32", "f4").replace("f64", "f8"))
            self.assertEqual(self.held("labels.bin"), y.astype("<f4").tobytes())
            self.assertEqual(self.told()["heads"], [{"name": "y", "kind": "values", "classes": 1}])
            self.again()

    def test_floats_are_class_numbers_unless_they_are_called_values(self):
        x, y = self.npy("x.npy", np.zeros((3, 2), np.uint8)), self.npy("y.npy", np.array([0., 2, 1]))
        said = self.take("npy", x, y)
        self.assertEqual(self.told()["heads"][0]["kind"], "numbers")
        self.assertIn("y: the floats were read as class numbers; for values to predict, give --values",
                      " ".join(said.split()))

    def test_floats_that_are_not_whole_are_refused_with_both_readings(self):
        said = self.refused("npy", self.npy("x.npy", np.zeros((3, 2), np.uint8)),
                            self.npy("y.npy", np.array([0, .5, 1])))
        for words in "row 1 of y is 0.5", "--classes says how many", "give --values":
            self.assertIn(words, said)

    def test_a_column_of_floats_is_refused_with_every_reading(self):
        x, y = self.npy("x.npy", np.zeros((3, 2), np.uint8)), self.npy("y.npy", np.array([[0], [.5], [1]]))
        for options in (), ("--values",):
            said = " ".join(self.refused("npy", x, y, *options).split())
            for words in "class numbers, or rows of one class", "for values to predict, send 3 floats":
                self.assertIn(words, said)

    def test_only_heads_of_floats_are_values(self):
        arrays = {"x": np.zeros((3, 2), np.uint8), "y": np.arange(3), "y.age": np.array([.5, 2, 7]),
                  "y.soft": self.source.random((3, 2))}
        self.take("safetensors", self.file("a", write_safetensors(arrays)), "--values", "--classes", 5)
        self.assertEqual([(h["name"], h["kind"], h["classes"]) for h in self.told()["heads"]],
                         [("y", "numbers", 5), ("y.age", "values", 1), ("y.soft", "rows", 2)])
        self.again()
        del arrays["y.age"]
        self.assertIn("--values applies to labels of floats with one dimension, but y has 1 dimension and type i64",
                      self.refused("safetensors", self.file("a", write_safetensors(arrays)), "--values"))

    def test_what_says_two_things_is_refused(self):
        x = self.npy("x.npy", np.zeros((3, 2), np.uint8))
        self.assertIn("give one of the two", self.refused(
            "npy", x, self.npy("y.npy", np.zeros(3)), "--values", "--classes", 3))
        self.assertIn("--values applies to labels, but there are no labels", self.refused("npy", x, "--values"))
        self.assertIn("but y has 2 dimensions and type f64", self.refused(
            "npy", x, self.npy("y.npy", np.zeros((3, 1))), "--values", "--classes", 1))
        self.assertIn("row 1 of y is 1e+300; values are stored as f32", self.refused(
            "npy", x, self.npy("y.npy", np.array([0, 1e300, 0])), "--values"))
        self.assertIn("2 values are NaN and 1 are infinite", self.take(
            "npy", x, self.npy("y.npy", np.array([np.nan, np.inf, np.nan])), "--values"))


class Ragged(More):
    """Rows that have lengths of their own."""

    def rows(self, lengths, *sides, kind="<i8"):
        """All rows, and the offsets of each."""
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return self.source.integers(0, 100, (int(offsets[-1]), *sides)).astype(kind), offsets

    def test_token_ids_and_embeddings_are_stored_byte_for_byte(self):
        lengths = self.source.integers(1, 40, 30)
        y = self.source.integers(0, 3, 30)
        for kind in TYPES:
            for sides in (), (5,):
                x, offsets = self.rows(lengths, *sides, kind=kind)
                said = self.take("ragged", self.npy("x.npy", x), self.npy("o.npy", offsets.astype("<i4")),
                                 self.npy("y.npy", y))
                self.assertEqual(self.held("data.bin"), x.tobytes())
                self.assertEqual(self.held("offsets.bin"), offsets.astype("<i8").tobytes())
                self.assertIn(f"L, the length of a row: from {lengths.min()} to {lengths.max()}, "
                              f"median {np.median(lengths):g}, total {lengths.sum()}\n", said)
                self.assertIn("100 %, 30 rows\n", said)
                self.again()

    def test_a_ragged_set_is_told_with_its_lengths(self):
        for sides, options, layout in (((), (), "none"), ((7,), (), "channels_last"),
                                       ((7,), ("--layout", "none"), "none"),
                                       ((4, 5), ("--layout", "none"), "none"),
                                       ((4, 5, 3), ("--layout", "channels_last"), "channels_last")):
            x, offsets = self.rows([2, 9, 1], *sides)
            near = np.array([[1], [2], [0]])
            self.take("ragged", self.npy("x.npy", x), self.npy("o.npy", offsets), *options,
                      "--neighbours", self.npy("near.npy", near))
            facts = self.told()
            self.assertEqual((facts["count"], facts["shape"], facts["layout"], facts["lengths"], facts["neighbours"]),
                             (3, [None, *sides], layout, {"least": 1, "most": 9, "total": 12}, 1))
            self.again()

    def test_an_empty_row_is_refused_with_its_number(self):
        x, offsets = self.rows([2, 0, 3, 0])
        said = self.refused("ragged", self.npy("x.npy", x), self.npy("o.npy", offsets))
        self.assertIn("row 1 is empty: it begins and ends at 2 (empty rows: 2); leave such rows out, with their "
                      "labels, or give each one pad token", said)

    def test_offsets_that_do_not_fit_are_refused(self):
        x = self.npy("x.npy", np.arange(6))
        for offsets, reason in (([1, 6], "begins with 1; offsets must begin with 0"),
                                ([0, 4, 2, 6], "row 1 begins at 4 and ends at 2; offsets must rise"),
                                ([0, 4, 7], "the last row ends at 7, but "), ([0, 4, 5], "x.npy' has 6 steps"),
                                ([0], "must have one dimension, one longer than there are rows"),
                                ([[0, 6]], "must have one dimension"),
                                (np.array([0., 6]), "has type f64; offsets must be integers"),
                                (np.array([0, 6], ">i8"), "offsets has dtype '>i8'"),
                                (np.array([0, 6], "<u4"), "save offsets.astype('<i8')")):
            self.assertIn(reason, self.refused("ragged", x, self.npy("o.npy", np.array(offsets))))
        good = self.npy("o.npy", np.array([0, 2, 6]))
        for array, options, reason in ((np.zeros((6, 2, 2)), (), "--layout is required"),
                                       (np.zeros((6, 2)), ("--layout", "channels_first"), "their length; the layout"),
                                       (np.zeros(6), ("--layout", "channels_last"), "0 spatial dimensions"),
                                       (np.zeros(()), (), "has no dimensions"),
                                       (np.zeros((6, 1, 1, 1, 1)), ("--layout", "none"), "a row has 5 dimensions"),
                                       (np.zeros(6, ">i4"), (), "x has dtype '>i4'"),
                                       (np.asfortranarray(np.zeros((6, 2))), (), "x is in Fortran order")):
            self.assertIn(reason, self.refused("ragged", self.npy("x.npy", array), good, *options))
        self.assertIn("there are 3 labels in y for 2 rows", self.refused(
            "ragged", self.npy("x.npy", np.arange(6)), good, self.npy("y.npy", np.arange(3))))

    def test_dense_targets_do_not_apply_to_rows_of_any_length(self):
        said = self.refused("ragged", "x", "y", "--dense", "z", status=2)
        self.assertIn("--dense does not apply to --from ragged", said)


class Damaged(More):
    """Files that changed after they were imported, where all of a set is read at start."""

    def explained(self):
        """Why the set is not served."""
        with harness.Server("--data", str(self.root), "--drain", "0", "--verify", "start") as server:
            answer = server.get("/v1/datasets/set")
            self.assertEqual(answer.status, 503)
            return answer.json()["detail"]

    def alter(self, name, at, data):
        """Overwrites bytes, and undoes that once the daemon has said why the set is not served."""
        path = self.root / "set" / name
        before = path.read_bytes()
        path.write_bytes(before[:at] + data + before[at + len(data):])
        said = self.explained()
        path.write_bytes(before)
        return said

    def test_damaged_files_are_found_when_they_are_opened_or_by_the_digest(self):
        x = np.zeros((4, 3), np.uint8)
        self.take("npy", self.npy("x.npy", x), "--dense", self.npy("d.npy", x),
                  "--neighbours", self.npy("n.npy", np.array([[1], [2], [3], [0]])))
        self.assertIn("a file was altered", self.alter("dense.bin", 5, b"\1"))
        self.assertIn("a file was altered", self.alter("neighbours.bin", 0, b"\2"))
        self.assertIn("neighbour 0 of row 0 is row 4, but the rows are 0 to 3", self.alter("neighbours.bin", 0, b"\4"))
        self.assertIn("dense.bin has 13 bytes; by manifest.json it must have 12", self.alter("dense.bin", 12, b"\1"))
        (self.root / "set/dense.bin").unlink()
        self.assertIn("dense.bin cannot be read", self.explained())

    def test_damaged_offsets_are_found(self):
        self.take("ragged", self.npy("x.npy", np.arange(6)), self.npy("o.npy", np.array([0, 1, 4, 6])))
        self.assertIn("its rows have lengths from 2 to 2; by its manifest they have lengths from 1 to 3",
                      self.alter("offsets.bin", 8, b"\2"))
        self.assertIn("row 1 begins at 4 and ends at 4", self.alter("offsets.bin", 8, b"\4"))
        self.assertIn("its data have 48 bytes; by its offsets they must have 7 times 8",
                      self.alter("offsets.bin", 24, b"\7"))
        self.assertIn("its offsets begin with 1; they must begin with 0", self.alter("offsets.bin", 0, b"\1"))
        self.assertIn("data.bin has 49 bytes; by manifest.json it must have 48", self.alter("data.bin", 48, b"\1"))
