"""Pictures of any size, uploaded by curl: views as Pillow resizes them, mixed as arrays are."""

import io
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest
import zlib

import numpy as np
from PIL import Image

import harness
import hosting  # finds the reference
import pictures
from refview import View, random_window, viewed

TARGET = "/v1/mix"
JPEG, PNG = "image/jpeg", "image/png"
BOX = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def judged(data, mode="RGB"):
    """What Pillow reads of a file."""
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


def form(*parts, boundary="B"):
    """A body of parts (name, bytes) or (name, bytes, file name)."""
    lines = []
    for name, data, *file in parts:
        head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file[0]}"' if file else "")
        lines.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def claiming(height, width):
    """A PNG of few bytes whose header claims so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + pictures.chunk(b"IHDR", head)
            + pictures.chunk(b"IDAT", zlib.compress(bytes(99))) + pictures.chunk(b"IEND", b""))


class Pictured(harness.ServerTest):
    """Files of several sizes and kinds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.files = {"cat.jpg": pictures.jpeg(pictures.photo(60, 90), quality=90),
                     "dog.png": pictures.png(pictures.photo(83, 41), 8, 2),
                     "progressive.jpg": pictures.jpeg(pictures.photo(47, 66), progressive=True),
                     "grey.png": pictures.png(pictures.photo(30, 52, 1)[..., None], 8, 0),
                     "grey.jpg": pictures.jpeg(pictures.photo(44, 33, 1)),
                     "it's \"odd\".png": pictures.png(pictures.photo(20, 20), 8, 2)}
        for name, data in cls.files.items():
            (cls.folder / name).write_bytes(data)

    def curl(self, target, *arguments, status=200):
        """Bytes of the answer to a real curl, in the folder of the files."""
        host = "http://{}:{}".format(*self.server.address)
        done = subprocess.run(["curl", "-sS", "-w", "%{stderr}%{http_code}", *arguments, host + target],
                              cwd=self.folder, capture_output=True, timeout=harness.PATIENCE, check=True)
        self.assertEqual(done.stderr.decode()[-3:], str(status), done.stdout[:2000])
        return done.stdout

    def parts(self, *names, name="x"):
        return [word for file in names for word in ("-F", f"{name}=@\"{self.escaped(file)}\"")]

    @staticmethod
    def escaped(file):
        return file.replace("\\", "\\\\").replace('"', '\\"')

    def views(self, names, view, seed=0, index=0, neighbour=False, mode="RGB"):
        """What the reference makes of files."""
        return np.stack([viewed(judged(self.files[name], mode), view, seed, index + i, neighbour)
                         for i, name in enumerate(names)])

    def refused(self, body, status, parameter, *texts, query="size=4", content_type="multipart/form-data; boundary=B"):
        answer = self.server.post(f"{TARGET}.json?{query}", body, content_type=content_type)
        self.assertEqual(answer.status, status, answer.body)
        told = answer.json()
        self.assertEqual(told["errors"][0].get("parameter"), parameter, told)
        for text in texts:
            self.assertIn(text, told["detail"])


class Views(Pictured):
    """Which pixels are mixed."""

    NAMES = "cat.jpg", "dog.png", "progressive.jpg", "grey.png", "it's \"odd\".png"

    def mixed(self, query, *arguments):
        return np.load(io.BytesIO(self.curl(f"{TARGET}.npy?method=none&parts=mixed&{query}", *arguments)))

    def test_rows_are_views_of_the_reference_bit_for_bit(self):
        source = random.Random(3)
        for kind in ("random", "center", "stretch"):
            for name in ("bilinear", "bicubic", "nearest"):
                size = source.randint(1, 40), source.randint(1, 40)
                seed, step = source.randrange(99), source.randrange(9)
                view = View(size, kind, filter=name, flip=True)
                query = f"size={size[0]}x{size[1]}&view={kind}&filter={name}&flip=1&seed={seed}&step={step}"
                with self.subTest(query):
                    got = self.mixed(query, *self.parts(*self.NAMES))
                    right = self.views(self.NAMES, view, seed, step * len(self.NAMES))
                    np.testing.assert_array_equal(got, right)

    def test_windows_have_the_areas_and_ratios_asked_for(self):
        view = View((9, 8), area=(0.3, 0.4), ratio=(0.5, 0.5))
        got = self.mixed("size=9x8&area=0.3,0.4&ratio=0.5,0.5&index=77", *self.parts("cat.jpg", "dog.png"))
        np.testing.assert_array_equal(got, self.views(("cat.jpg", "dog.png"), view, index=77))
        view = View((9, 8), "center", short=11)
        got = self.mixed("size=9x8&view=center&short=11", *self.parts("cat.jpg"))
        np.testing.assert_array_equal(got, self.views(("cat.jpg",), view))

    def test_views_are_pillow_s_crop_and_resize(self):
        for name, how in BOX.items():
            for file in ("cat.jpg", "dog.png"):
                with self.subTest(file, filter=name):
                    picture = Image.open(io.BytesIO(self.files[file])).convert("RGB")
                    top, left, height, width = random_window(5, 0, picture.size[::-1], View((24, 24)))
                    right = picture.crop((left, top, left + width, top + height)).resize((24, 24), how)
                    got = self.mixed(f"size=24&filter={name}&seed=5", *self.parts(file))
                    np.testing.assert_array_equal(got[0], np.asarray(right))

    def test_a_file_is_a_body_of_one_row(self):
        for file, content_type in (("cat.jpg", JPEG), ("dog.png", PNG)):
            right = self.views((file,), View((7, 7)), seed=4)
            for typed in ([], ["-H", f"Content-Type: {content_type}"]):
                got = self.mixed("size=7&seed=4", "--data-binary", f"@{file}", *typed)
                np.testing.assert_array_equal(got, right)

    def test_grey_pictures_are_rows_without_channels(self):
        names, view = ("grey.png", "grey.jpg"), View((5, 6))
        right = self.views(names, view, mode="L")
        np.testing.assert_array_equal(self.mixed("size=5x6", *self.parts(*names)), right)
        np.testing.assert_array_equal(
            self.mixed("size=5x6&layout=channels_first", *self.parts(*names)), right[:, None])
        np.testing.assert_array_equal(
            self.mixed("size=5x6&layout=channels_last", *self.parts(*names)), right[..., None])

    def test_channels_first_has_planes(self):
        names = "cat.jpg", "grey.jpg"
        got = self.mixed("size=5x6&layout=channels_first", *self.parts(*names))
        np.testing.assert_array_equal(got, self.views(names, View((5, 6))).transpose(0, 3, 1, 2))

    def test_every_kind_of_file_that_import_reads_is_a_row(self):
        for name, data in [*pictures.pngs(), *pictures.jpegs()]:
            with self.subTest(name):
                if Image.open(io.BytesIO(data)).mode.startswith("I"):
                    continue  # Pillow clips these
                answer = self.post(f"{TARGET}.npy?method=none&parts=mixed&size=9&view=stretch", data,
                                   content_type="application/octet-stream")
                mode = "L" if answer.npy().ndim == 3 else "RGB"
                right = viewed(judged(data, mode), View((9, 9), "stretch"))
                np.testing.assert_array_equal(answer.npy()[0], right)


class Mixing(Pictured):
    """An upload of pictures is mixed as their views are, uploaded as arrays."""

    def test_answers_are_those_to_arrays_of_the_views(self):
        names = "cat.jpg", "dog.png", "grey.png"
        views = self.views(names, View((12, 10), flip=True), seed=9, index=6)
        other = self.views(names[::-1], View((12, 10), flip=True), seed=9, index=6, neighbour=True)
        y, y2, kind = np.array([3, 0, 2]), np.array([1, 1, 4]), np.array([0, 1, 1])
        numbers = [word for name, values in (("y.a", y), ("y.b", kind))
                   for value in values for word in ("-F", f"{name}={value}")]
        more = [word for name, values in (("y2.a", y2), ("y2.b", kind))
                for value in values for word in ("-F", f"{name}={value}")]
        for method in ("fmix", "cutmix", "mixup", "fmix,mixup&switch=sample&prob=0.5"):
            for second in (False, True):
                query = f"seed=9&step=2&classes=5,2&method={method}"
                arrays = {"x": views, "y.a": y, "y.b": kind}
                arguments = [*self.parts(*names), *numbers]
                if second:
                    arrays |= {"x2": other, "y2.a": y2, "y2.b": kind}
                    arguments += [*self.parts(*names[::-1], name="x2"), *more]
                with self.subTest(query, second=second):
                    body = io.BytesIO()
                    np.savez(body, **arrays)
                    right = self.post(f"{TARGET}.safetensors?layout=channels_last&{query}", body.getvalue(),
                                      content_type="application/x-npz").body
                    got = self.curl(f"{TARGET}.safetensors?size=12x10&flip=1&{query}", *arguments)
                    self.assertEqual(got, right)

    def test_the_answer_for_a_browser_is_one_picture(self):
        got = self.curl(f"{TARGET}.png?size=32&method=fmix", *self.parts("cat.jpg", "dog.png"))
        self.assertEqual(Image.open(io.BytesIO(got)).size, (2 * 32 + 3 * 4, 32 + 2 * 4))

    def test_one_file_of_arrays_is_read_as_if_it_was_the_body(self):
        rows = np.arange(60, dtype=np.float32).reshape(3, 20)
        np.save(self.folder / "rows", rows)
        np.savez_compressed(self.folder / "rows", x=rows, y=np.arange(3))
        for file, kind, query in (("rows.npy", "x-npy", ""), ("rows.npz", "x-npz", "&classes=3")):
            target = f"{TARGET}.safetensors?seed=3{query}"
            right = self.post(target, (self.folder / file).read_bytes(), content_type=f"application/{kind}").body
            for more in ("", f";type=application/{kind}"):
                self.assertEqual(self.curl(target, "-F", f"x=@{file}{more}"), right)

    def test_the_same_form_gives_the_same_bytes(self):
        target = f"{TARGET}.npz?size=16&seed=2"
        answers = {self.curl(target, *self.parts("cat.jpg", "dog.png")) for _ in range(3)}
        self.assertEqual(len(answers), 1)


class Refusals(Pictured):
    """What is asked for, or sent, in vain."""

    def test_a_missing_size_is_named_with_an_example(self):
        told = json.loads(self.curl(f"{TARGET}.png", *self.parts("cat.jpg"), status=400))
        self.assertEqual(told["errors"][0]["parameter"], "size")
        self.assertIn("size=224", told["detail"])
        told = json.loads(self.curl(f"{TARGET}.png", "--data-binary", "@cat.jpg", status=400))
        self.assertIn("size=224", told["detail"])

    def test_parameters_of_pictures_are_refused_with_arrays(self):
        body = harness.write_npy(np.zeros((2, 3), np.uint8))
        for pair in ("size=3", "view=random", "area=0.1,1", "ratio=1,1", "short=3", "filter=bilinear", "flip=0"):
            answer = self.server.post(f"{TARGET}.npy?{pair}", body)
            self.assertEqual((answer.status, answer.json()["errors"][0]["parameter"]),
                             (400, pair.partition("=")[0]))

    def test_parameters_that_do_not_fit_are_refused_by_name(self):
        body = form(("x", self.files["cat.jpg"], "cat.jpg"))
        for query, parameter, text in (
                ("size=4&x_shape=3", "x_shape", "is for raw bodies"),
                ("size=4&layout=none", "layout", "3 channels"),
                ("size=4&view=center&area=0.1,1", "area", "is for view=random"),
                ("size=4&short=9", "short", "is for view=center"),
                ("size=4&area=0.5", "area", "the least and the most"),
                ("size=4&ratio=2,1", "ratio", "1,2"),
                ("size=4&pairing=neighbour", "pairing", "neighbour"),
                ("size=4&parts=labels", "parts", "no y"),
                ("size=4&crop=1", "crop", "not a parameter")):
            with self.subTest(query):
                self.refused(body, 400, parameter, text, query=query)

    def test_views_of_too_many_pixels_are_413(self):
        body = form(("x", self.files["cat.jpg"], "cat.jpg"))
        self.refused(body, 413, "size", "limit of", query="size=100000")

    def test_a_part_is_named_with_its_file(self):
        cat, cut = self.files["cat.jpg"], self.files["dog.png"][:-30]
        self.refused(form(("x", cat, "cat.jpg"), ("x", cut, "dog.png")), 400, "x",
                     "picture 2 of x (dog.png) cannot be read", "truncated")
        self.refused(form(("x", b"GIF89a", "a.gif")), 415, "x", "part 1 of the form, x (a.gif)", "send PNG, JPEG")
        self.refused(form(("image", cat, "cat.jpg")), 400, "image", "named x and x2", "y.NAME")
        self.refused(form(("x", cat, "a"), ("y", b"cat")), 400, "y", "digits alone")
        self.refused(form(("x", cat, "a"), ("y", b"1"), ("y", b"1")), 400, "y", "y 2 times, but x 1 times")

    def test_content_types_and_files_that_disagree_are_415(self):
        for typed, bytes_of in (("application/x-npy", "JPEG"), ("image/png", None)):
            file = "cat.jpg" if bytes_of else "rows.npy"
            np.save(self.folder / "rows", np.zeros((2, 3)))
            told = json.loads(self.curl(f"{TARGET}.json?size=4", "-F", f"x=@{file};type={typed}", status=415))
            self.assertIn(f"has Content-Type '{typed}', but its bytes begin as {bytes_of or 'npy'}", told["detail"])
        self.curl(f"{TARGET}.json?size=4", "-F", "x=@cat.jpg;type=image/gif")  # it is an image, and the bytes decide

    def test_other_multipart_bodies_are_415(self):
        self.refused(form(("x", b"")), 415, "Content-Type", "multipart/form-data", "curl -F",
                     content_type="multipart/mixed; boundary=B")


class Hostile(Pictured):
    """Bodies that are made to take long, or much."""

    def test_a_bomb_is_413_by_its_header(self):
        for data in (claiming(65535, 65535), claiming(1, 70000), claiming(8193, 8192)):
            self.assertLess(len(data), 120)
            self.refused(form(("x", data, "bomb.png")), 413, "x", "the limits are 67108864 pixels")
            self.refused(data, 413, "x", "the limits are", content_type=PNG)
        many = [("x", claiming(8192, 8192), f"{i}.png") for i in range(5)]
        self.refused(form(*many), 413, "x", "335544320 pixels; the limit of an upload is 268435456")

    def test_parts_and_headers_are_capped(self):
        tiny = pictures.png(np.zeros((1, 1, 3), np.uint8), 8, 2)
        parts = [("x", tiny, "a")] * 4096
        answer = self.post(f"{TARGET}.npy?size=1&parts=pairing", form(*parts),
                           content_type="multipart/form-data; boundary=B")
        self.assertEqual(len(answer.npy()), 4096)
        self.refused(form(*parts, parts[0]), 413, "body", "more than the 4096 parts allowed")
        self.refused(form(("x", tiny, "a" * 5000)), 413, "body", "more than the 4096 bytes allowed")
        self.refused(b"--B\r\n" + b"A: b\r\n" * 100000, 413, "body", "4096 bytes")

    def test_a_form_within_a_form_is_refused(self):
        inner = form(("x", self.files["cat.jpg"], "cat.jpg"), boundary="BB")
        self.refused(form(("x", inner, "inner")), 400, "body", "begins with the boundary but goes on")
        inner = form(("x", self.files["cat.jpg"], "cat.jpg"), boundary="C")
        self.refused(form(("x", inner, "inner")), 415, "x", "is not a file that can be mixed")

    def test_every_cut_of_a_form_is_400(self):
        body = form(("x", pictures.png(np.zeros((1, 1, 3), np.uint8), 8, 2), "a"), ("y", b"1"))
        for length in range(0, len(body) - 2, 3):
            answer = self.server.post(f"{TARGET}.json?size=1&classes=2", body[:length],
                                      content_type="multipart/form-data; boundary=B")
            self.assertEqual(answer.status, 400, body[:length])

    def test_corrupted_files_are_mixed_or_refused_and_harm_nothing(self):
        source = random.Random(11)
        for name, data in self.files.items():
            for turn in range(100):
                changed = bytearray(data)
                for _ in range(source.choice((1, 1, 3, 10))):
                    changed[source.randrange(len(data))] = source.randrange(256)
                if turn % 4 == 0:
                    del changed[source.randrange(len(data)):]
                answer = self.server.post(f"{TARGET}.npy?size=8", form(("x", bytes(changed), "a")),
                                          content_type="multipart/form-data; boundary=B")
                self.assertIn(answer.status, (200, 400, 413, 415), (name, turn))
        self.get("/readyz")

    def test_files_with_many_empty_lines_cost_what_their_length_costs(self):
        body = form(("x", b"\r\n--" * 1000000, "a"))
        self.refused(body, 415, "x", "is not a file that can be mixed")


if __name__ == "__main__":
    unittest.main()
