"""deploy/datasets/modelnet10: from OFF meshes to hosted voxels."""

import itertools
import unittest
import zipfile

import numpy as np

import published
import off_mesh
import voxels

CLASSES = "bathtub bed chair desk dresser monitor night_stand sofa table toilet".split()
QUADS = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]


def extent(name, number):
    """A box's sides, in units that differ between files."""
    kind = CLASSES.index(name)
    return np.array([32, 4 + 2 * kind, 6 + 4 * number]) * (0.5 + number)


def box(sides, centre=(0, 0, 0)):
    """Corners and triangles of a box."""
    corners = (np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * sides) + centre
    return corners, np.array([(a, *pair) for a, b, c, d in QUADS for pair in ((b, c), (c, d))])


def off(corners, faces, head="OFF\n"):
    """A file by its description."""
    return (f"{head}{len(corners)} {len(faces)} 0\n" + "".join("%.9g %.9g %.9g\n" % tuple(row) for row in corners) +
            "".join(f"{len(face)} {' '.join(map(str, face))}\n" for face in faces)).encode()


def sphere(rings):
    """A sphere of radius 1: corners, and triangles of which some at the poles are degenerate."""
    turns = 2 * rings
    across, around = np.linspace(0, np.pi, rings + 1), np.arange(turns) * np.pi / rings
    corners = np.array([(np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)) for a in across for b in around])
    at = np.arange(rings * turns)
    after = at // turns * turns + (at + 1) % turns
    halves = [at, after, at + turns], [after, after + turns, at + turns]
    return corners, np.concatenate([np.stack(half, axis=1) for half in halves])


def shell_of_box(sides, side=32):
    """The voxels that a box's faces are in, counted out: it spans the grid along its longest side, in the middle."""
    sides = np.array(sides) / max(sides) * side
    low, high = (side - sides) / 2, (side + sides) / 2
    first, last = np.floor(low + 1e-6), np.minimum(np.floor(high + 1e-6), side - 1)
    at = np.arange(side)
    inside = [(first[k] <= at) & (at <= last[k]) for k in range(3)]
    face = [(at == first[k]) | (at == last[k]) for k in range(3)]
    whole = inside[0][:, None, None] & inside[1][None, :, None] & inside[2][None, None, :]
    return whole & (face[0][:, None, None] | face[1][None, :, None] | face[2][None, None, :])


class Voxels(unittest.TestCase):
    """voxels.py against solids that are known."""

    def test_a_cube_is_its_outermost_layer(self):
        for side in (2, 16, 33):
            shell = voxels.surface(voxels.fitted(*box((7, 7, 7), (1e5, -3, 0.1)), side), side)
            wanted = np.ones((side,) * 3, bool)
            wanted[1:-1, 1:-1, 1:-1] = False
            np.testing.assert_array_equal(shell, wanted)
            self.assertTrue(voxels.solid(shell).all())

    def test_a_sphere_has_the_voxels_that_its_surface_crosses(self):
        side, radius = 32, 16
        corners, triangles = sphere(120)  # within 0.01 voxel of the sphere
        shell = voxels.surface(voxels.fitted(corners, triangles, side), side)
        at = np.abs(np.arange(side) + 0.5 - side / 2)
        near = np.sqrt(sum(np.meshgrid(*[(at - 0.5) ** 2] * 3, indexing="ij")))
        far = np.sqrt(sum(np.meshgrid(*[(at + 0.5) ** 2] * 3, indexing="ij")))
        self.assertFalse((shell & ((near > radius + 0.01) | (far < radius - 0.01))).any())
        middle = np.sqrt(sum(np.meshgrid(*[at ** 2] * 3, indexing="ij")))
        self.assertTrue(shell[np.abs(middle - radius) < 0.1].all())
        full = voxels.solid(shell)
        self.assertTrue(full[far < radius].all())
        self.assertFalse(full[near > radius + 0.01].any())

    def test_a_surface_lets_no_path_through(self):
        for seed in range(20):
            source = np.random.default_rng(seed)
            corners, triangles = sphere(3 + seed)
            turned = corners @ np.linalg.qr(source.normal(size=(3, 3)))[0] * source.uniform(0.3, 1, 3)
            for side in (8, 21):
                shell = voxels.surface(voxels.fitted(turned, triangles, side), side)
                self.assertTrue(voxels.solid(shell)[side // 2, side // 2, side // 2])

    def test_an_open_box_has_no_inside(self):
        corners, triangles = box((10, 10, 10))
        shell = voxels.surface(voxels.fitted(corners, triangles[2:], 16), 16)
        np.testing.assert_array_equal(voxels.solid(shell), shell)

    def test_points_of_no_face_do_not_count_for_the_size(self):
        corners, triangles = box((10, 10, 10))
        stray = np.concatenate([corners, [[1000, 0, 0]]])
        np.testing.assert_array_equal(voxels.fitted(stray, triangles, 9), voxels.fitted(corners, triangles, 9))


class ModelNet(published.Published):
    page = "modelnet10"

    @classmethod
    def twin(cls, folder):
        """By the layout that public loaders of ModelNet expect, and what they tell of its first lines."""
        with zipfile.ZipFile(folder / "ModelNet10.zip", "w") as archive:
            archive.writestr("ModelNet10/README.txt", "ModelNet10")
            archive.writestr("__MACOSX/ModelNet10/._README.txt", "")
            for name in CLASSES:
                archive.writestr(f"ModelNet10/{name}/.DS_Store", "")
                for split, number in cls.files():
                    head = "OFF" if number % 2 else "OFF\n"  # the line break is lost in many published files
                    archive.writestr(f"ModelNet10/{name}/{split}/{name}_{number:04}.off",
                                     off(*box(extent(name, number), (number, 5, -70)), head))

    @staticmethod
    def files():
        """(split, number) of each class; numbers go on in the test folder."""
        return [("train", number) for number in (1, 2, 3)] + [("test", 4)]

    def wanted(self, split):
        """Voxels and class numbers, counted out."""
        return [(shell_of_box(extent(name, number)), kind) for kind, name in enumerate(CLASSES)
                for folder, number in self.files() if folder == split]

    def test_rows_are_the_surfaces_of_the_boxes(self):
        for split in ("train", "test"):
            found, wanted = self.pairs(published.set_name("modelnet10", split)), self.wanted(split)
            self.assertEqual(len(found), len(wanted))
            for (x, y), (x_wanted, number) in zip(found, wanted):
                self.assertEqual(x.dtype, bool)
                np.testing.assert_array_equal(x, x_wanted)
                np.testing.assert_array_equal(y, np.eye(10)[number])

    def test_an_epoch_is_mixed(self):
        rows = self.pairs("modelnet10")
        self.check_mixed_epoch("modelnet10", [x for x, _ in rows], np.stack([y for _, y in rows]))

    def check_requests(self, facts, batch, check):
        self.assertEqual(facts["count"], 30)
        self.assertEqual(batch["mixed"].shape, (16, 32, 32, 32))
        self.assertEqual(batch["mixed"].dtype, np.float32)
        np.testing.assert_array_equal(check["mixed"], np.stack([x for x, _ in self.wanted("test")]))
        self.assertEqual((self.folder / "sets/modelnet10.classes.txt").read_text("utf-8").split(), CLASSES)

    def test_side_and_solid_are_options(self):
        said = self.run_line("deploy/datasets/modelnet10.py ModelNet10 solid --side 16 --solid --any-files")
        self.assertIn("modelnet10-test: 10 meshes, solid", said)
        found = np.fromfile(self.folder / "solid/modelnet10/data.bin", "?").reshape(30, 16, 16, 16)
        for x, name in zip(found[::3], CLASSES):
            np.testing.assert_array_equal(x, voxels.solid(shell_of_box(extent(name, 1), 16)))
        self.refused("ModelNet10", "--side is 1; must be from 2 to 256", options="--side 1")

    def test_fewer_files_than_published_are_refused(self):
        self.refused("ModelNet10", "files CLASS/train/NAME.off: there are 30; 3991 are published", options="")

    def test_a_broken_file_is_named(self):
        corners, faces = box((2, 2, 2))
        good = off(corners, faces)
        lines = good.splitlines(keepends=True)
        for data, text in ((good[:len(good) // 4], "it ends early"), (b"", "it ends early"),
                           (b"".join(lines[:-1]), "it ends early: 11 of 12 faces"),
                           (b"PLY\n" + good[4:], "line 1 is 'PLY'; must begin with OFF"),
                           (b"OFF\neight\n", "line 2 is 'eight'; must be the numbers of vertices"),
                           (b"OFF8 12 x\n", "line 1 is 'OFF8 12 x'; must be the numbers"),
                           (b"OFF\n0 0 0\n", "line 2 tells of 0 vertices"),
                           (b"".join([*lines[:4], b"1 nan 1\n", *lines[5:]]), "line 5 is '1 nan 1'; a vertex"),
                           (b"".join([*lines[:4], b"1 a 1\n", *lines[5:]]), "line 5 is '1 a 1'; a vertex"),
                           (b"".join([*lines[:4], b"1 1\n", *lines[5:]]), "line 5 is '1 1'; a vertex"),
                           (b"".join([*lines[:-1], b"3 0 1 8\n"]), "line 22 names vertex 8; must be from 0 to 7"),
                           (b"".join([*lines[:-1], b"3 0 -1 7\n"]), "line 22 is '3 0 -1 7'; a face"),
                           (b"".join([*lines[:-1], b"2 0 1\n"]), "line 22 is '2 0 1'; a face"),
                           (off(corners * 0, faces), "the faces extend over 0.0")):
            with self.subTest(text):
                for split in ("train", "test"):
                    place = self.folder / "broken/bed" / split
                    place.mkdir(parents=True, exist_ok=True)
                    (place / "bed_0001.off").write_bytes(data)
                self.refused("broken", "'broken/bed/train/bed_0001.off': ", text)


class Meshes(unittest.TestCase):
    """off_mesh.py, on a file that has all that the format allows."""

    def test_comments_polygons_and_colours_are_read(self):
        path = self.enterContext(published.folder()) / "x.off"
        path.write_bytes(b"OFF 4 2 5 # a square and a triangle\r\n\n# corners\n0 0 0\n1 0 0\r\n1 1 0 # far\n"
                         b"0 1 0\n4 0 1 2 3 255 0 0\n3 0 1 2\n")
        corners, triangles = off_mesh.read_off(path)
        np.testing.assert_array_equal(corners, [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
        np.testing.assert_array_equal(triangles, [[0, 1, 2], [0, 2, 3], [0, 1, 2]])

    def test_each_line_has_a_vertex_of_its_own(self):
        path = self.enterContext(published.folder()) / "x.off"
        for lines, said in ((b"1 2\n3 4 5 6\n0 0 0\n3 0 1 2\n", "line 3 is '1 2'; a vertex must be three finite"),
                            (b"0 0 0\n1 0 0 1\n0 1\n3 0 1 2\n", "line 4 is '1 0 0 1'; a vertex must be three finite"),
                            (b"0 0 0\n1 0 0\n0 1 0\n3 0 1\n3 0 1 2 2\n", "line 6 is '3 0 1'; a face must be")):
            path.write_bytes(b"OFF\n3 %d 0\n" % (lines.count(b"\n") - 3) + lines)
            with self.subTest(lines), self.assertRaises(off_mesh.NotMesh) as refused:
                off_mesh.read_off(path)
            self.assertIn(said, str(refused.exception))


if __name__ == "__main__":
    unittest.main()
