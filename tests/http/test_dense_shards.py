"""Shards of sets with dense targets: files beside the sample, label maps as indexed colour."""

import io
import itertools
import json
import random
import tempfile
import unittest

import numpy as np
from PIL import Image

import harness
import hosting
from hosting import Hosted
from test_hosted_dense import DenseTest
from shard_files import expanded, members

OPTIONS = {"n": 5, "seed": 3, "shuffle": 1, "method": "fmix,cutmix", "switch": "sample", "prob": 0.6,
           "pairing": "neighbour", "flip": 1}


def voc_palette():
    """As the development kit of PASCAL VOC makes it."""
    colours = np.zeros((256, 3), np.uint8)
    for number in range(256):
        left = number
        for place in range(7, -1, -1):
            for channel in range(3):
                colours[number, channel] |= (left >> channel & 1) << place
            left >>= 3
    return colours


def samples(body):
    """As WebDataset groups them: the key ends at the first dot of a name."""
    for key, group in itertools.groupby(members(body), lambda item: item[0].name.partition(".")[0]):
        yield key, {member.name.partition(".")[2]: data for member, data in group}


class Shards(DenseTest):
    """Of sets of our own."""

    def first(self, name, **options):
        """The samples of the first shard."""
        query = "&".join(f"{key}={value}" for key, value in options.items())
        listed = self.get(f"/v1/datasets/{name}/shards?{query}").json()
        return [files for _, files in samples(self.get(expanded(listed["urls"])[0]).body)]

    def test_targets_are_npy_files_beside_their_sample(self):
        whole = self.parts("streets", 0, **OPTIONS)
        found = self.first("streets", **OPTIONS)
        self.assertEqual(len(found), 5)
        for row, files in enumerate(found):
            self.assertEqual(list(files), ["npy", "dense.npy", "dense.depth.npy", "json"])
            for suffix, part in (("npy", "mixed"), ("dense.npy", "dense"), ("dense.depth.npy", "dense.depth")):
                got = harness.read_npy(files[suffix])
                self.assertEqual((got.dtype, got.shape), (whole[part].dtype, whole[part].shape[1:]))
                self.assertEqual(got.tobytes(), whole[part][row].tobytes())

    def test_facts_name_partners_and_methods_and_hold_no_targets(self):
        whole = self.parts("streets", 0, **OPTIONS)
        for row, files in enumerate(self.first("streets", **OPTIONS)):
            facts = json.loads(files["json"])
            self.assertEqual(set(facts), {"rows", "pairing", "lambda", "lambda_eff", "labels", "method"})
            for part in ("rows", "pairing", "lambda", "lambda_eff", "method"):
                self.assertEqual(facts[part], whole[part][row])

    def test_label_maps_are_indexed_pictures_of_the_same_numbers(self):
        source = random.Random(5)
        for _ in range(12):
            options = {**OPTIONS, "seed": source.randrange(99), "crop": source.choice((0, 2)),
                       "n": source.choice((1, 3, 8)), "layout": "channels_last"}
            plain = self.first("streets", **options, member="npy")
            drawn = self.first("streets", **options, member="png")
            for one, other in zip(plain, drawn, strict=True):
                self.assertEqual(list(other), ["png", "dense.png", "dense.depth.npy", "json"])
                picture = Image.open(io.BytesIO(other["dense.png"]))
                self.assertEqual(picture.mode, "P")
                np.testing.assert_array_equal(np.asarray(picture), harness.read_npy(one["dense.npy"]))
                np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(other["png"]))),
                                              harness.read_npy(one["npy"]))
                self.assertEqual(one["dense.depth.npy"], other["dense.depth.npy"])
                self.assertEqual(json.loads(one["json"]), json.loads(other["json"]))

    def test_viewers_see_the_colours_of_pascal_voc(self):
        for files in self.first("streets", n=4, member="png"):
            picture = Image.open(io.BytesIO(files["dense.png"]))
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")),
                                          voc_palette()[np.asarray(picture)])

    def test_what_no_indexed_picture_holds_stays_npy(self):
        files = self.first("photos", n=2, method="cutmix", member="png")[0]
        self.assertEqual(list(files), ["png", "dense.map.npy", "json"])

    def test_maps_of_every_type_of_one_byte_come_back(self):
        source = np.random.default_rng(1)
        kinds = {"u8": np.uint8, "i8": np.int8, "bool": np.bool_}
        maps = {f"dense.{name}": source.integers(0, 256, (3, 70, 50), np.uint8).astype(kind)
                for name, kind in kinds.items()}
        data = Hosted("maps", source.integers(0, 256, (3, 70, 50), np.uint8), {}, {}, "none",
                      {**maps, "dense.i16": maps["dense.u8"].astype("<i2")})
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                listed = server.get("/v1/datasets/maps/shards?n=3&method=none&member=png").json()
                found = list(samples(server.get(expanded(listed["urls"])[0]).body))
        for row, (_, files) in enumerate(found):
            self.assertIn("dense.i16.npy", files)
            for name, array in maps.items():
                numbers = np.asarray(Image.open(io.BytesIO(files[f"{name}.png"])))
                np.testing.assert_array_equal(numbers, array[row].view(np.uint8), name)

    def test_lengths_are_known_ahead_and_ranges_are_parts(self):
        listed = self.get("/v1/datasets/streets/shards?n=7&member=png").json()
        url = expanded(listed["urls"])[1]
        whole = self.get(url)
        self.assertEqual(whole.headers["Content-Length"], str(len(whole.body)))
        part = self.server.get(url, headers={"Range": "bytes=5000-9000"})
        self.assertEqual((part.status, part.body), (206, whole.body[5000:9001]))

    def test_methods_that_would_blend_a_map_are_refused_with_the_list(self):
        said = self.get("/v1/datasets/streets/shards?n=7&method=mixup", 400).json()["errors"][0]
        self.assertEqual(said["parameter"], "method")
        self.assertNotIn("parts", said["detail"])

    def test_a_type_that_numpy_lacks_is_refused_and_batches_have_it(self):
        data = Hosted("halves", np.zeros((3, 4), np.uint8), {}, {}, "none",
                      {"dense": np.arange(12, dtype=np.uint16).reshape(3, 4)})
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)  # bf16, in safetensors of ours
            with harness.Server("--data", root, "--drain", "0") as server:
                refused = server.get("/v1/datasets/halves/shards?n=3")
                self.assertEqual(refused.status, 400)
                self.assertIn("bf16", refused.json()["errors"][0]["detail"])
                self.assertEqual(server.get("/v1/datasets/halves/batches/0.safetensors?n=3").status, 200)


if __name__ == "__main__":
    unittest.main()
