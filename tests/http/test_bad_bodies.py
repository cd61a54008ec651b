"""Bad bodies get a clear refusal, and the connection serves on; so do bodies that claim too much, or are too large."""

import io
import random
import struct
import unittest

import numpy as np

from bad_input import (BODY, CUBES, DATA, DIGITS, LAST, LAYOUTS, MUTATIONS,
                       OneConnection, RAW, RSS_SLACK)
from harness import NPY, write_npy
from process import resident


def npy(header, data=DATA, version=(1, 0), claimed=None):
    """An npy file by hand, as wrong as one likes."""
    length = len(header) if claimed is None else claimed
    width = "<H" if version[0] == 1 else "<I"
    return (b"\x93NUMPY" + bytes(version) + struct.pack(width, length)
            + header.encode() + data)


def header(descr="'|u1'", order="False", shape="(2, 6)"):
    """The text of an npy header."""
    return (f"{{'descr': {descr}, 'fortran_order': {order}, "
            f"'shape': {shape}, }}\n")


GOOD = npy(header())
BROKEN_FILES = {
    "empty": b"",
    "not npy": b"what is this? " * 9,
    "wrong magic": b"\x93NUMPX" + GOOD[6:],
    "magic alone": GOOD[:6],
    "no header length": GOOD[:8],
    "half a header length": GOOD[:9],
    "no header": GOOD[:10],
    "header cut off": GOOD[:40],
    "header length past the end": npy(header(), claimed=60000),
    "header length 1 past the end": npy(header(), b"", (1, 0),
                                        len(header()) + 1),
    "header length 0": npy(header(), claimed=0),
    "header length 1 short": npy(header()[:-1], claimed=len(header()) - 3),
    "2.0 header length past the end": npy(header(), b"", (2, 0), 2**32 - 1),
    "version 0.0": npy(header(), version=(0, 0)),
    "version 3.0": npy(header(), version=(3, 0)),
    "version 255.0": npy(header(), version=(255, 0)),
}
BROKEN_HEADERS = {
    "no dict": "", "spaces": " " * 70, "empty dict": "{}",
    "garbage": "\x00\x7f{[(" * 9, "a list": "['|u1', False, (2, 6)]",
    "code": "__import__('os').abort()", "not ended": header()[:-3],
    "text after it": header() + "x", "two dicts": header() * 2,
    "no descr": "{'fortran_order': False, 'shape': (2, 6), }",
    "no fortran_order": "{'descr': '|u1', 'shape': (2, 6), }",
    "no shape": "{'descr': '|u1', 'fortran_order': False, }",
    "unknown key": header().replace("{", "{'more': 1, "),
    "repeated descr": header().replace("{", "{'descr': '|u1', "),
    "repeated shape": header().replace("{", "{'shape': (2, 6), "),
    "repeated fortran_order": header().replace("{",
                                               "{'fortran_order': False, "),
    "no comma": header().replace(", 'shape'", " 'shape'"),
    "no colon": header().replace("':", "'"),
    "unquoted key": header().replace("'shape'", "shape"),
    "quote not ended": header(descr="'|u1"),
    "long descr": header(descr=f"'{'u' * 500}'"),
    "order is 0": header(order="0"),
    "order is lower case": header(order="false"),
    "order is text": header(order="'False'"),
    "shape is a number": header(shape="12"),
    "shape is a list": header(shape="[2, 6]"),
    "shape not ended": header(shape="(2, 6"),
    "negative side": header(shape="(-2, 6)"),
    "side with a point": header(shape="(2.0, 6)"),
    "sides without a comma": header(shape="(2 6)"),
    "only a comma": header(shape="(,)"), "two commas": header(shape="(2,, 6)"),
    "hex side": header(shape="(0x2, 6)"),
    "side beyond 64 bits": header(shape=f"({2**64}, 6)"),
    "side of 400 digits": header(shape=f"({DIGITS}, 6)"),
    "nested sides": header(shape="((2, 6),)"),
    "deep": header(shape="(" * 500),
}


class Bodies(OneConnection):
    def test_the_bodies_that_the_broken_ones_are_made_of_are_read(self):
        for body in GOOD, npy(header(), version=(2, 0)), BODY:
            self.assertEqual(self.mix(body).status, 200)

    def test_a_broken_npy_file_is_400_and_named(self):
        for case, body in BROKEN_FILES.items():
            with self.subTest(case=case):
                self.check_refused(self.mix(body), "x", "npy")

    def test_a_broken_npy_header_is_400_and_named(self):
        for case, text in BROKEN_HEADERS.items():
            with self.subTest(case=case):
                self.check_refused(self.mix(npy(text)), "x", "npy header")

    def test_a_version_that_is_not_read_is_400_and_told_which_are(self):
        for version in (0, 0), (3, 0), (4, 1), (1, 1), (2, 3):
            with self.subTest(version=version):
                answer = self.mix(npy(header(), version=version))
                said = "version {}.{}".format(*version)
                self.check_refused(answer, "x", said, "1.0 and 2.0")

    def test_a_cut_2_0_header_is_not_blamed_on_its_version(self):
        for length in 10, 11, 12, 40:
            with self.subTest(length=length):
                answer = self.mix(npy(header(), version=(2, 0))[:length])
                errors = self.check_problem(answer, 400)
                self.assertNotIn("version", errors[0]["detail"])

    def test_a_body_of_another_length_is_400_and_told_both(self):
        for data in b"", DATA[:1], DATA[:-1], DATA + b"!", DATA * 9:
            for content_type in NPY, RAW:
                with self.subTest(length=len(data), type=content_type):
                    answer = self.mix_as(content_type, data)
                    self.check_refused(answer, "x", f"{len(DATA)} bytes",
                                       f" {len(data)}")

    def mix_as(self, content_type, data):
        """The same claim about the data in either type."""
        if content_type == NPY:
            return self.mix(npy(header(), data))
        return self.mix(data, "x_shape=2x6&x_dtype=u8", RAW)

    def test_an_unsupported_dtype_is_400_and_told_which_are_not(self):
        for name in ("u2", "u4", "u8", ">f4", ">i2", ">u2", ">f8", "f16",
                     "c8", "S3", "U2", "M8[s]", "V4"):
            dtype = np.dtype(name)
            with self.subTest(dtype=name):
                body = write_npy(np.zeros((2, 6), dtype))
                self.check_refused(self.mix(body), "x", f"'{dtype.str}'",
                                   "<f4", "|u1")

    def test_token_ids_between_two_others_are_400_with_the_reason(self):
        for name in ("i1", "i2", "i4", "i8", "?"):
            for method in ("mixup", "bc", "samplepairing"):
                with self.subTest(dtype=name, method=method):
                    body = write_npy(np.zeros((2, 6), name))
                    answer = self.mix(body, query=f"method={method}")
                    self.check_refused(answer, "method", method, "token",
                                       "out_dtype")

    def test_an_array_of_objects_is_400_and_not_unpickled(self):
        stream = io.BytesIO()
        np.save(stream, np.array([[{}, {}]], object), allow_pickle=True)
        self.check_refused(self.mix(stream.getvalue()), "x", "'|O'", "<f4")

    def test_a_structured_array_is_400_and_told_that_it_is_the_dtype(self):
        structured = np.zeros((2, 6), [("a", "<f4"), ("b", "|u1")])
        self.check_refused(self.mix(write_npy(structured)), "x", "dtype",
                           "<f4")

    def test_fortran_order_is_400_and_told_what_to_do(self):
        for x in (np.zeros((2, 6), np.float32), np.zeros((2, 6), np.uint8)):
            body = write_npy(np.asfortranarray(x))
            self.check_refused(self.mix(body), "x", "Fortran",
                               "ascontiguousarray")

    def test_a_side_of_0_is_400_and_named(self):
        for shape in (0, 6), (2, 0), (0, 0), (2, 0, 3), (0,):
            with self.subTest(shape=shape):
                body = write_npy(np.zeros(shape, np.uint8))
                self.check_refused(self.mix(body, "layout=none"), "x", "is 0")

    def test_too_few_or_many_sides_are_400_and_named(self):
        for rank, words in ((0, ("0 dimensions",)), (1, ("1 dimensions",)),
                            (6, ("more than 5",)), (32, ("more than 5",))):
            with self.subTest(rank=rank):
                body = write_npy(np.zeros((1,) * rank, np.uint8))
                self.check_refused(self.mix(body, "layout=channels_first"),
                                   "x", *words)

    def test_three_sides_or_more_without_layout_are_400_and_named(self):
        for rank in 3, 4, 5:
            with self.subTest(rank=rank):
                body = write_npy(np.zeros((2,) * rank, np.uint8))
                self.check_refused(self.mix(body), "layout", f"{rank} dimensions",
                                   *LAYOUTS)

    def test_a_layout_that_leaves_0_or_4_mask_sides_is_400_and_named(self):
        for rank, layout, left in ((2, "channels_first", 0),
                                   (2, "channels_last", 0), (5, "none", 4)):
            with self.subTest(rank=rank, layout=layout):
                body = write_npy(np.zeros((2,) * rank, np.uint8))
                self.check_refused(self.mix(body, f"layout={layout}"),
                                   "layout", f"{left} spatial")

    def test_a_raw_body_without_shape_or_dtype_is_400_and_names_both(self):
        for query, missing in (("", {"x_shape", "x_dtype"}),
                               ("x_shape=2x6", {"x_dtype"}),
                               ("x_dtype=u8", {"x_shape"})):
            with self.subTest(query=query):
                errors = self.check_problem(self.mix(DATA, query, RAW), 400)
                self.assertEqual({error["parameter"] for error in errors},
                                 missing)
                self.check_served()

    def test_a_body_sent_in_chunks_is_read(self):
        pieces = [CUBES[i:i + 7] for i in range(0, len(CUBES), 7)]
        whole = self.mix(CUBES, "layout=channels_first")
        chunked = self.mix(iter(pieces), "layout=channels_first")
        self.assertEqual((whole.status, chunked.status), (200, 200))
        self.assertEqual(whole.body, chunked.body)
        self.assertEqual(chunked.headers["Connection"], "close")


class Claims(OneConnection):
    claims = ("16777216x16777216", "1048576x1048576", f"1x{2**40}",
              f"{2**32}x{2**32}", f"{2**63}x2", f"{LAST}x{LAST}",
              f"2x{2**62}", f"{2**16}x{2**16}x{2**16}x{2**16}",
              f"{2**13}x{2**13}x{2**13}x{2**13}x{2**13}")

    def check_claim(self, answer):
        self.assertIn(answer.status, (400, 413))
        self.check_refused(answer, "x", status=answer.status)

    def check_claims(self, ask):
        self.mix(CUBES, "layout=none")
        before = resident(self.server.process)
        for claim in self.claims:
            for dtype in "u8", "f32":
                with self.subTest(claim=claim, dtype=dtype):
                    self.check_claim(ask(claim, dtype))
        self.assertLess(resident(self.server.process) - before, RSS_SLACK)

    def test_a_raw_claim_of_much_is_refused_without_memory_for_it(self):
        self.check_claims(lambda claim, dtype: self.mix(
            DATA, f"x_shape={claim}&x_dtype={dtype}", RAW))

    def test_an_npy_claim_of_much_is_refused_without_memory_for_it(self):
        descr = {"u8": "'|u1'", "f32": "'<f4'"}
        self.check_claims(lambda claim, dtype: self.mix(npy(header(
            descr[dtype], shape=f"({claim.replace('x', ', ')})"))))


class Limits(OneConnection):
    cap = 1 << 20
    elements = 4096
    arguments = "--drain", "0", "--body", "1M", "--elements", "4096"

    def announce(self, length):
        """The headers of an upload, and none of it."""
        self.connection.putrequest("POST", "/v1/mix.npy")
        self.connection.putheader("Content-Type", NPY)
        self.connection.putheader("Content-Length", str(length))
        self.connection.endheaders()
        response = self.connection.getresponse()
        return response, response.read()

    def test_a_body_announced_as_too_long_is_413_before_it_is_sent(self):
        for length in self.cap + 1, 2**30, 2**40, 2**63 - 1:
            with self.subTest(length=length):
                self.connect()
                response, body = self.announce(length)
                self.assertEqual(response.status, 413)
                self.assertEqual(response.headers["X-Fmix-Stream"], "1")
                self.assertIn(str(length).encode(), body)
                self.assertIn(str(self.cap).encode(), body)

    def test_who_sends_a_body_too_long_to_the_end_sees_the_413(self):
        for length in self.cap + 1, self.cap + 4096, 64 * self.cap:
            with self.subTest(length=length):
                self.connect()
                errors = self.check_problem(self.mix(bytes(length)), 413)
                self.assertEqual(errors[0]["parameter"], "body")

    def test_a_chunked_body_too_long_is_413_and_named(self):
        for count in 5, 256:
            with self.subTest(count=count):
                self.connect()
                pieces = [bytes(self.cap // 4)] * count
                errors = self.check_problem(self.mix(iter(pieces)), 413)
                self.assertEqual(errors[0]["parameter"], "body")
                self.assertIn(str(self.cap), errors[0]["detail"])

    def test_no_more_than_the_most_is_read_for_a_refusal_either(self):
        for method, target in (("POST", "/v1/mix.npy?what=1"), ("POST", "/nowhere"), ("PUT", "/v1/masks")):
            with self.subTest(target=target):
                self.connect()
                pieces = [bytes(self.cap // 4)] * 256
                errors = self.check_problem(self.ask(method, target, iter(pieces)), 413)
                self.assertEqual([error["parameter"] for error in errors], ["body"])

    def test_a_body_of_exactly_the_most_is_taken(self):
        rows = self.cap // self.elements
        answer = self.mix(bytes(self.cap),
                          f"x_shape={rows}x{self.elements}&x_dtype=u8", RAW)
        self.assertEqual((answer.status, answer.npy().shape),
                         (200, (rows, self.elements)))

    def test_mask_sides_with_too_many_elements_are_413_and_named(self):
        for shape, layout in (((1, 4097), "none"), ((1, 64, 65), "none"),
                              ((1, 3, 64, 65), "channels_first"),
                              ((1, 64, 65, 3), "channels_last")):
            with self.subTest(shape=shape):
                body = write_npy(np.zeros(shape, np.uint8))
                self.check_refused(self.mix(body, f"layout={layout}"), "x",
                                   str(self.elements), status=413)

    def test_channels_do_not_count_as_mask_elements(self):
        body = write_npy(np.zeros((2, 3, 64, 64), np.uint8))
        answer = self.mix(body, "layout=channels_first")
        self.assertEqual(answer.status, 200)

    def test_the_setting_bounds_masks_too(self):
        self.assertEqual(self.ask("GET", "/v1/masks?shape=64x64").status, 200)
        self.check_refused(self.ask("GET", "/v1/masks?shape=64x65"), "shape",
                           str(self.elements), status=413)


def flip(source, body):
    """One byte becomes another, in the header more often than not."""
    end = len(body) if source.random() < 0.3 else min(len(body), 128)
    if end:
        body[source.randrange(end)] = source.randrange(256)


def digit(source, body):
    """One digit of the header becomes another."""
    places = [i for i, c in enumerate(body[:128]) if chr(c).isdigit()]
    if places:
        body[source.choice(places)] = source.choice(b"0123456789")


def cut(source, body):
    """The end is lost."""
    del body[source.randrange(len(body) + 1):]


def drop(source, body):
    """Some bytes are lost."""
    start = source.randrange(len(body) + 1)
    del body[start:start + source.randrange(9)]


def insert(source, body):
    """Some bytes are new."""
    start = source.randrange(len(body) + 1)
    body[start:start] = source.randbytes(source.randrange(9))


def repeat(source, body):
    """Some bytes come twice."""
    start = source.randrange(len(body) + 1)
    piece = body[start:start + source.randrange(40)]
    body[start:start] = piece


def mutated(source):
    """A body that was a good one."""
    body = bytearray(source.choice((BODY, CUBES, GOOD)))
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        change = source.choice((flip, flip, digit, cut, drop, insert, repeat))
        change(source, body)
    return bytes(body)


class Mutations(OneConnection):
    queries = "", "layout=none", "layout=channels_first", "method=mixup"

    def check_outcome(self, answer):
        """Mixed, or a clean 4xx; tells which."""
        if answer.status == 200:
            self.assertTrue(answer.npy().size)
        else:
            self.assertIn(answer.status, (400, 413))
            self.check_problem(answer, answer.status)
        return answer.status

    def test_mutated_bodies_are_mixed_or_refused_cleanly(self):
        source = random.Random("mutations")
        seen = set()
        for number in range(MUTATIONS):
            body, query = mutated(source), source.choice(self.queries)
            content_type = source.choice((NPY, RAW))
            with self.subTest(number=number, query=query, body=body[:200]):
                seen.add(self.check_outcome(
                    self.mix(body, query, content_type)))
        self.assertLessEqual({200, 400}, seen)
        self.check_served()


if __name__ == "__main__":
    unittest.main()
