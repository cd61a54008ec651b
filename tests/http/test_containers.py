"""npz and safetensors, as answers and as uploads; ranges of answers."""

import io
import struct
import subprocess
import tempfile
import unittest
import zipfile
import zlib

import numpy as np

from containers import TYPES, read_safetensors, write_npz, write_safetensors, write_zip
from harness import ServerTest, write_npy
from process import resident

NPZ = "application/x-npz"
SAFETENSORS = "application/x-safetensors"
RAW = "application/octet-stream"
RSS_SLACK = 8 << 20
ALIGN = 64

SHAPES = ((13,), (1,), (5, 7), (2, 3, 4), (1, 1, 1), (32, 32))
RECIPES = ({"seed": 7, "n": 3}, {"seed": 2**64 - 1, "index": 2**63, "n": 2},
           {"method": "cutmix", "n": 5}, {"dtype": "u8", "n": 4},
           {"dtype": "bits", "n": 4, "lambda": 0.25})


class Unseekable(io.RawIOBase):
    """Makes zipfile write data descriptors."""

    def __init__(self):
        super().__init__()
        self.pieces = []

    def writable(self):
        return True

    def write(self, data):
        self.pieces.append(bytes(data))
        return len(data)


def write_streamed(arrays):
    """Sizes follow the data, in zip64 width."""
    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(write_npy(array))
    return b"".join(stream.pieces)


def unzips(body):
    """Whether unzip finds the archive whole."""
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        file.write(body)
        file.flush()
        return subprocess.run(["unzip", "-tqq", file.name], check=False,
                              stdin=subprocess.DEVNULL).returncode == 0


class ContainersTest(ServerTest):
    """With a daemon that stops at once."""

    arguments = "--drain", "0"

    def masks(self, suffix, shape=(5, 7), status=200, **query):
        pairs = {"shape": "x".join(map(str, shape)), **query}
        text = "&".join(f"{name}={value}" for name, value in pairs.items())
        return self.get(f"/v1/masks.{suffix}?{text}", status)

    def mix(self, body, suffix="npy", query="", content_type="", status=200):
        return self.post(f"/v1/mix.{suffix}?layout=none&{query}", body, status,
                         content_type=content_type)

    def load(self, body):
        """Every array of an npz answer."""
        self.assertTrue(unzips(body))
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def check_same(self, arrays, expected):
        """The same names, types, shapes and values."""
        self.assertEqual(set(arrays), set(expected))
        for name, array in expected.items():
            self.assertEqual(arrays[name].dtype, array.dtype, name)
            np.testing.assert_array_equal(arrays[name], array)

    def check_refused(self, answer, *words):
        detail = answer.json()["errors"][0]["detail"]
        for word in words:
            self.assertIn(word, detail)


class Answers(ContainersTest):
    def test_both_hold_every_tensor_of_json(self):
        for shape in SHAPES:
            for recipe in RECIPES:
                with self.subTest(shape=shape, recipe=recipe):
                    self.check_masks(shape, recipe)

    def check_masks(self, shape, recipe):
        said = self.masks("json", shape, **recipe).json()
        held = read_safetensors(self.masks("safetensors", shape,
                                           **recipe).body)
        arrays = self.load(self.masks("npz", shape, **recipe).body)
        self.check_same(arrays, held.arrays)
        masks = self.masks("npy", shape, **recipe).npy()
        np.testing.assert_array_equal(arrays["masks"], masks)
        self.assertEqual(arrays["masks"].dtype, masks.dtype)
        for name in "masks", "lambda", "lambda_eff", "ones":
            self.assertEqual(arrays[name].tolist(), said[name])
        for name in "seed", "index":
            self.assertEqual(held.metadata[name], said[name])
        self.assertIn(f" seed={said['seed']} ", held.metadata["recipe"])

    def test_npz_members_are_stored_in_order_and_of_one_date(self):
        body = self.masks("npz", n=9).body
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
        self.assertEqual([member.filename for member in members],
                         ["masks.npy", "lambda.npy", "lambda_eff.npy",
                          "ones.npy"])
        for member in members:
            self.assertEqual(member.compress_type, zipfile.ZIP_STORED)
            self.assertEqual(member.date_time, (1980, 1, 1, 0, 0, 0))
            self.assertEqual((member.extra, member.flag_bits), (b"", 0))

    def test_safetensors_data_begin_at_a_multiple_of_64_widest_first(self):
        for n in range(1, 40):
            body = self.masks("safetensors", n=n, seed=10**n % 2**64).body
            length, = struct.unpack("<Q", body[:8])
            self.assertEqual((8 + length) % ALIGN, 0)
            sizes = [array.itemsize
                     for array in read_safetensors(body).arrays.values()]
            self.assertEqual(sizes, sorted(sizes, reverse=True))

    def test_a_large_safetensors_answer_is_its_parts(self):
        answer = self.masks("safetensors", (64, 64), n=3000, delta=2)
        self.assertEqual(int(answer.headers["Content-Length"]),
                         len(answer.body))
        masks = self.masks("npy", (64, 64), n=3000, delta=2).npy()
        np.testing.assert_array_equal(
            read_safetensors(answer.body).arrays["masks"], masks)

    def test_head_knows_the_length_of_safetensors(self):
        target = "/v1/masks.safetensors?shape=64x64&n=65536"
        head = self.expect(200, target, self.server.request("HEAD", target))
        self.assertGreater(int(head.headers["Content-Length"]), 2**30)

    def test_an_answer_too_large_for_npz_is_413_and_told_what_to_do(self):
        answer = self.masks("npz", (64, 64), 413, n=65536)
        self.check_refused(answer, "npz", "safetensors")

    def test_they_are_negotiated_and_tagged(self):
        tags = set()
        for media_type in NPZ, SAFETENSORS:
            answer = self.get("/v1/masks?shape=4", headers={"Accept":
                                                            media_type})
            self.assertEqual(answer.headers["Content-Type"], media_type)
            tags.add(answer.headers["ETag"])
        self.assertEqual(len(tags), 2)

    def test_a_mixed_batch_has_every_part(self):
        x = np.arange(60, dtype=np.float32).reshape(5, 12)
        said = self.mix(write_npy(x), "json", "step=3").json()
        held = read_safetensors(self.mix(write_npy(x), "safetensors",
                                         "step=3").body)
        arrays = self.load(self.mix(write_npy(x), "npz", "step=3").body)
        self.check_same(arrays, held.arrays)
        self.assertEqual(set(arrays), {"mixed", "pairing", "lambda",
                                       "lambda_eff", "masks"})
        for name, array in arrays.items():
            self.assertEqual(array.tolist(), said[name])
        self.assertEqual(held.metadata["step"], "3")

    def test_parts_picks(self):
        x = write_npy(np.zeros((5, 12), np.uint8))
        query = "parts=lambda,pairing"
        arrays = self.load(self.mix(x, "npz", query).body)
        self.assertEqual(set(arrays), {"lambda", "pairing"})
        held = read_safetensors(self.mix(x, "safetensors", query).body)
        self.check_same(arrays, held.arrays)


class Uploads(ContainersTest):
    batches = (np.arange(60, dtype=np.float32).reshape(5, 12),
               np.arange(84, dtype=np.uint8).reshape(7, 3, 4),
               np.random.default_rng(3).normal(size=(4, 9)).astype("<f4"))

    def test_every_framing_gives_the_same_however_declared(self):
        for x in self.batches:
            expected = self.mix(write_npy(x)).body
            for body, media_type in self.framings(x):
                for declared in "", RAW, media_type:
                    got = self.mix(body, content_type=declared).body
                    self.assertEqual(got, expected)

    def framings(self, x):
        arrays = {"x": x}
        yield write_npz(arrays), NPZ
        yield write_npz(arrays, np.savez_compressed), NPZ
        yield write_streamed(arrays), NPZ
        yield write_zip([("x.npy", write_npy(x))]), NPZ
        yield write_zip([("x.npy", write_npy(x))], zipfile.ZIP_DEFLATED), NPZ
        yield write_safetensors(arrays), SAFETENSORS
        yield write_safetensors(arrays, {"odd": "x" * 17}), SAFETENSORS

    def test_a_body_without_x_is_400_and_told_so(self):
        for suffix in "npz", "safetensors":
            body = self.mix(write_npy(self.batches[0]), suffix,
                            "parts=mixed").body
            self.check_refused(self.mix(body, status=400), "no array named x")

    def test_other_arrays_than_x_are_400_and_named(self):
        arrays = {"x": self.batches[0], "z.root": np.zeros(5, np.float32)}
        for body in write_npz(arrays), write_safetensors(arrays):
            answer = self.mix(body, status=400)
            self.check_refused(answer, "z.root", "y.NAME")
            self.assertEqual(answer.json()["errors"][0]["parameter"],
                             "z.root")

    def test_every_type_is_taken_and_comes_back_byte_for_byte(self):
        source = np.random.default_rng(8)
        for descr in TYPES.values():
            width = np.dtype(descr).itemsize
            x = source.integers(0, 2, (4, 6 * width), np.uint8).view(descr)
            for body in write_npz({"x": x}), write_safetensors({"x": x}):
                answer = self.mix(body, query="lambda=1")
                self.assertEqual(answer.npy().tobytes(), x.tobytes())

    def test_a_partner_batch_is_mixed_row_by_row(self):
        x = np.arange(24, dtype=np.float32).reshape(4, 6)
        for body in (write_npz({"x": x, "x2": -x}),
                     write_safetensors({"x2": -x, "x": x})):
            answer = self.mix(body, query="method=mixup&lambda=0.75")
            self.assertTrue(np.array_equal(answer.npy(), x / 2))

    def test_a_partner_batch_of_another_shape_or_type_is_400(self):
        x = np.zeros((4, 6), np.float32)
        for other in (x[:3], x.T.copy(), x.astype(np.float64)):
            answer = self.mix(write_npz({"x": x, "x2": other}), status=400)
            self.check_refused(answer, "x2")

    def test_broken_containers_are_400(self):
        good = write_npz({"x": self.batches[0]})
        for case, body in {
                "cut": good[:-1], "empty": b"", "no zip": b"PK\3\4" * 20,
                "no safetensors": b"\2\0\0\0\0\0\0\0{",
                "suffix": write_zip([("x", write_npy(self.batches[0]))]),
                "folder": write_zip([("x/", b"")]),
                "absolute": write_zip([("/x.npy", b"")]),
                "up": write_zip([("../x.npy", b"")]),
                "bzip2": write_zip([("x.npy", write_npy(self.batches[0]))],
                                   zipfile.ZIP_BZIP2),
                "lzma": write_zip([("x.npy", write_npy(self.batches[0]))],
                                  zipfile.ZIP_LZMA)}.items():
            for media_type in NPZ, SAFETENSORS:
                with self.subTest(case=case, type=media_type):
                    self.mix(body, content_type=media_type, status=400)

    def test_objects_are_400_and_not_unpickled(self):
        stream = io.BytesIO()
        np.savez(stream, x=np.array([[{}, {}]], object))
        self.check_refused(self.mix(stream.getvalue(), status=400), "'|O'")


class Bombs(ContainersTest):
    arguments = "--drain", "0", "--body", "64M"

    def test_what_is_claimed_takes_no_memory(self):
        self.mix(write_npz({"x": np.zeros((2, 6), np.uint8)}))
        zeros = write_zip([("x.npy", bytes(1 << 27))], zipfile.ZIP_DEFLATED)
        before = resident(self.server.process, "VmHWM")
        for body in (zeros, *map(self.claiming, (2**31, 2**32 - 2, 2**26))):
            answer = self.server.post("/v1/mix?layout=none", body,
                                      content_type=NPZ)
            self.assertIn(answer.status, (400, 413))
        self.assertLess(resident(self.server.process, "VmHWM") - before, RSS_SLACK)

    @staticmethod
    def claiming(size):
        """A small deflated member that says that it is large."""
        data = zlib.compress(b"x" * 100)[2:-4]
        sizes = struct.pack("<LLLHH", 0, len(data), size, 5, 0)
        local = b"PK\3\4\x14\0\0\0\x08\0\0\0\0\0" + sizes + b"x.npy"
        entry = (b"PK\1\2\x14\0\x14\0\0\0\x08\0\0\0\0\0" + sizes + bytes(14)
                 + b"x.npy")
        start = len(local + data)
        return local + data + entry + b"PK\5\6\0\0\0\0\1\0\1\0" + \
            struct.pack("<LLH", len(entry), start, 0)


if __name__ == "__main__":
    unittest.main()
