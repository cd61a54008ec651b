"""Bad input gets a clear refusal, and the connection serves on.

Every refusal here goes over a connection that is never reopened, and is
followed by a request that must succeed on it.
"""

import io
import math
import random
import re
import struct
import unittest
from typing import NamedTuple, Optional
from urllib.parse import unquote_plus

import numpy as np

from harness import NPY, ServerTest, exchange, write_npy

LAST = 2**64 - 1
MOST_ROWS = 2**24
MOST_ELEMENTS = 2**24
DIGITS = "9" * 400
SHOWN = 40
RAW = "application/octet-stream"
PROBLEM = "application/problem+json"
MUTATIONS = 2000
RSS_SLACK_KIB = 8 << 10

X = np.arange(12, dtype=np.uint8).reshape(2, 6)
DATA = X.tobytes()
BODY = write_npy(X)
CUBES = write_npy(np.arange(48, dtype=np.float32).reshape(2, 2, 3, 4))

NOT_NUMBERS = ("-1", "-7", str(2**64), f"-{2**64}", DIGITS, f"-{DIGITS}",
               "ten", "1O", "NaN", "nan", "-nan", "nan(1)", "inf", "-inf",
               "Infinity", "0x1", "0X1", "%201", "1%20", "1%0A", "%091", "+1",
               "%2B1", "1+", "1_0", "1'0", "1,0", "1%2F2", "%EF%BC%91", "%25",
               "%25zz", "--1", "-")
NOT_INTEGERS = (*NOT_NUMBERS, "1.0", "1.", "1e3", ".5", "-0", "0b1", "1u")
NOT_REALS = (*NOT_NUMBERS, ".", "e5", "1e", "1e%2B", "1e+2", "1.2.3", "1e400",
             "0x1p3", "1f", "1d", "1e5x", "1%2E%2E5")
NOT_SHAPES = ("0", "0x10", "32x0", "0x32", "32x", "x32", "x", "32xx32",
              "32X32", "32*32", "32,32", "32x32%20", "%2032x32", "32+x32",
              "+32", "%2B32", "-32", "32x-32", "3.5", "3e1", "NaN", "inf",
              "square", "(32x32)", DIGITS, str(2**64), f"1x{2**64}",
              f"1x{DIGITS}")
NOT_WORDS = ("-1", "0", "1", DIGITS, "NaN", "inf", "none%20such", "%2B")

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing",
           "none")
DTYPES = ("f32", "u8", "i64", "f64", "bool", "i8", "i16", "i32", "f16",
          "bf16")
LISTS = "fmix,mixup", "fmix,fmix", ",".join(("cutmix",) * 8)
LAYOUTS = "channels_first", "channels_last", "none"
PARTS = "mixed", "pairing", "lambda", "lambda_eff", "masks"


class Parameter(NamedTuple):
    """A parameter, with what must be taken and what must be refused."""

    name: str
    good: tuple
    bad: tuple
    allowed: tuple  # what a refusal says


def integer(name, least, most):
    """A whole number: its ends are good, the next ones are not."""
    beyond = str(least - 1), str(most + 1)
    return Parameter(name, (str(least), str(most)), NOT_INTEGERS + beyond,
                     (f"{least} to {most}",))


def real(name, low, high):
    """A decimal number: its ends are good, the next binary64 are not."""
    beyond = (repr(math.nextafter(low, -math.inf)),
              repr(math.nextafter(high, math.inf)))
    return Parameter(name, (repr(low), repr(high)), NOT_REALS + beyond,
                     (f"{low:g} to {high:g}",))


def sides(name, most):
    """From one side to the most."""
    full = "x".join("1" * most)
    return Parameter(name, ("1", full), (*NOT_SHAPES, f"{full}x1"),
                     (f"one to {most} dimensions", "32x32"))


def choice(name, *words, joined=False):
    """One of some words, spelt exactly so."""
    first = words[0]
    misspelt = (f"%20{first}", f"{first}%20", f"{first}x", first[:-1],
                first.upper(), first.capitalize(), f"{first};{words[-1]}",
                f",{first}", f"{first},", f"{first},{first}", f"{first},no")
    some = (",".join(words),) if joined else ()
    return Parameter(name, words + some, NOT_WORDS + misspelt, words)


def methods(*good):
    """One or several methods; not all are good everywhere."""
    plain = choice("method", *METHODS)
    long = ",".join(("fmix",) * 9)
    return plain._replace(good=good, bad=(*(
        text for text in plain.bad if text not in LISTS), long))


def switch(name):
    """0 or 1."""
    words = tuple(text for text in NOT_WORDS if text not in ("0", "1"))
    return Parameter(name, ("0", "1"), (*words, "00", "2", "true", "on"),
                     ("0, 1",))


RECIPE = (integer("seed", 0, LAST), integer("index", 0, LAST),
          real("alpha", 0.01, 1000.0), real("delta", 0.0, 10.0),
          real("lambda", 0.0, 1.0), switch("reformulate"),
          choice("scope", "sample", "batch")._replace(allowed=("sample, batch, pair",)),
          choice("frequency", "pixel", "extent"),
          choice("box", "clipped", "inside"), real("soft", 0.0, 0.5))
SHEET = (integer("columns", 1, 4096), integer("scale", 1, 64))
SPECTRUM = choice("spectrum", "paper", "official")
MASKS = (*RECIPE, *SHEET, SPECTRUM, methods("fmix", "cutmix"),
         choice("output", "mask", "grey"),
         integer("n", 1, MOST_ROWS), sides("shape", 3),
         choice("dtype", "f32", "u8", "bits", "f16", "f64"))
WEIGHTS = Parameter("weights", ("1", "4294967295", "0"),
                    ("-1", "4294967296", "1.5", ",1", "1,", "1,,1", "a", "NaN",
                     ",".join("1" * 9), DIGITS), ("whole numbers from 0",))
MIX = (*RECIPE, *SHEET, SPECTRUM._replace(good=("paper",)),
       methods("fmix", "mixup", "bc", "samplepairing", "none", *LISTS),
       integer("step", 0, LAST),
       choice("policy", "alternate", "random"), WEIGHTS,
       choice("pairing", "permutation", "derangement", "flip", "roll", "none")._replace(
           allowed=("roll", "none", "other_class, same_class, neighbour")),
       choice("layout", *LAYOUTS),
       choice("parts", *PARTS, joined=True), sides("x_shape", 5),
       choice("x_dtype", *DTYPES)._replace(good=("u8", "i8", "bool")),
       choice("out_dtype", *DTYPES), WEIGHTS._replace(name="classes"),
       real("smoothing", 0.0, 1.0), switch("correct"),
       real("prob", 0.0, 1.0), choice("switch", "batch", "sample"))


class Resource(NamedTuple):
    """What a parameter is tried on."""

    path: str
    parameters: tuple
    base: tuple = ()
    body: Optional[bytes] = None

    @property
    def names(self):
        """Of all its parameters."""
        return [parameter.name for parameter in self.parameters]

    @property
    def method(self):
        """The one that computes."""
        return "GET" if self.body is None else "POST"

    def target(self, *pairs):
        """The base request, with these pairs in place of its own."""
        given = {pair.partition("=")[0] for pair in pairs}
        kept = [pair for pair in self.base
                if pair.partition("=")[0] not in given]
        return f"{self.path}?{'&'.join((*kept, *pairs))}"


# One row: so that every index and step has its sample numbers.
ONE_ROW = write_npy(X[:1, :, None, None])
RESOURCES = (Resource("/v1/masks.npy", MASKS, ("shape=3x4",)),
             Resource("/v1/mix.json", MIX, ("layout=channels_first",),
                      ONE_ROW))
MASKS_NPY = RESOURCES[0]


def each_parameter():
    """Every parameter of every resource."""
    return [(resource, parameter) for resource in RESOURCES
            for parameter in resource.parameters]


def shown(value):
    """A value as a refusal quotes it: decoded, printable, cut."""
    encoded = unquote_plus(value).encode()
    printable = bytes(c if 0x20 <= c <= 0x7e else ord("?") for c in encoded)
    return f"'{printable[:SHOWN].decode()}'"


class OneConnection(ServerTest):
    """Each test has one connection, which is never opened again."""

    arguments = "--drain", "0"

    def setUp(self):
        self.connect()

    def connect(self):
        """Go over to a fresh connection."""
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)
        self.connection.connect()
        self.connection.auto_open = False

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), self.server.log_tail())
        self.assertEqual(self.server.get("/livez").status, 200)

    def ask(self, method, target, body=None, headers=None):
        """One request on that connection."""
        answer = exchange(self.connection, method, target, body, headers)
        self.assertEqual(answer.headers.get_all("X-Fmix-Stream"), ["1"])
        return answer

    def ask_resource(self, resource, *pairs):
        headers = {"Content-Type": NPY} if resource.body else {}
        return self.ask(resource.method, resource.target(*pairs),
                        resource.body, headers)

    def mix(self, body, query="", content_type=NPY, suffix="npy"):
        return self.ask("POST", f"/v1/mix.{suffix}?{query}", body,
                        {"Content-Type": content_type})

    def check_served(self):
        """The connection serves the next request."""
        self.assertEqual(self.ask("GET", "/livez").status, 200)

    def check_problem(self, answer, status):
        """A well-formed RFC 9457 problem; returns its errors."""
        self.assertEqual(answer.status, status, answer.body[:500])
        self.assertEqual(answer.headers["Content-Type"], PROBLEM)
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["type"] and problem["title"])
        self.assertEqual(problem["detail"], problem["errors"][0]["detail"])
        return problem["errors"]

    def check_refused(self, answer, name, *words, status=400):
        """A problem about the named thing whose detail has the words."""
        errors = self.check_problem(answer, status)
        named = [error for error in errors if error.get("parameter") == name]
        self.assertTrue(named, errors)
        for word in words:
            self.assertIn(word, named[0]["detail"])
        self.check_served()

    def check_explained(self, answer, status, *words):
        """A problem about no parameter whose detail has the words."""
        errors = self.check_problem(answer, status)
        for word in words:
            self.assertIn(word, errors[0]["detail"])
        self.check_served()


class Parameters(OneConnection):
    def test_a_request_that_lacks_nothing_is_answered(self):
        for resource in RESOURCES:
            with self.subTest(path=resource.path):
                self.assertEqual(self.ask_resource(resource).status, 200)

    def test_each_end_of_a_range_and_each_choice_is_taken(self):
        for resource, parameter in each_parameter():
            for value in parameter.good:
                pair = f"{parameter.name}={value}"
                with self.subTest(path=resource.path, pair=pair):
                    self.check_taken(resource, pair)

    def check_taken(self, resource, pair):
        """The most rows are only asked about: HEAD computes nothing."""
        if pair == f"n={MOST_ROWS}":
            answer = self.ask("HEAD", resource.target(pair))
        else:
            answer = self.ask_resource(resource, *needed_with(pair), pair)
        self.assertEqual(answer.status, 200, answer.body[:500])

    def test_a_bad_value_is_400_with_the_value_and_what_is_allowed(self):
        for resource, parameter in each_parameter():
            for value in parameter.bad:
                pair = f"{parameter.name}={value}"
                with self.subTest(path=resource.path, pair=pair[:60]):
                    self.check_refused(self.ask_resource(resource, pair),
                                       parameter.name, shown(value),
                                       *parameter.allowed)

    def test_an_empty_parameter_is_400_and_named(self):
        for resource, parameter in each_parameter():
            for pair in f"{parameter.name}=", parameter.name:
                with self.subTest(path=resource.path, pair=pair):
                    self.check_refused(self.ask_resource(resource, pair),
                                       parameter.name, "empty")

    def test_a_repeated_parameter_is_400_and_named(self):
        for resource, parameter in each_parameter():
            first, other = parameter.good[0], parameter.good[-1]
            for values in (first, first), (first, other), (other, "junk"):
                pairs = [f"{parameter.name}={value}" for value in values]
                with self.subTest(path=resource.path, pairs=pairs):
                    self.check_refused(self.ask_resource(resource, *pairs),
                                       parameter.name, "more than once")

    def test_an_unknown_parameter_is_400_and_told_what_there_is(self):
        for resource in RESOURCES:
            for name in "sed", "Seed", "SEED", "seed2", "delta_", "a" * 39:
                with self.subTest(path=resource.path, name=name):
                    answer = self.ask_resource(resource, f"{name}=1")
                    self.check_refused(answer, name, f"'{name}'",
                                       *resource.names)

    def test_the_other_resources_parameter_is_400_and_named(self):
        for resource, other in (RESOURCES, RESOURCES[::-1]):
            for name in set(other.names) - set(resource.names):
                with self.subTest(path=resource.path, name=name):
                    self.check_refused(
                        self.ask_resource(resource, f"{name}=1"), name,
                        "this resource", *resource.names)

    def test_a_parameter_of_a_resource_without_any_is_400_and_named(self):
        for path in "/livez", "/readyz", "/metrics", "/version":
            with self.subTest(path=path):
                self.check_refused(self.ask("GET", f"{path}?seed=1"), "seed")

    def test_masks_without_a_shape_are_400_and_told_how(self):
        for query in "", "?", "?seed=1":
            with self.subTest(query=query):
                self.check_refused(self.ask("GET", f"/v1/masks{query}"),
                                   "shape", "required", "shape=32x32")

    def test_everything_that_is_wrong_is_named_at_once(self):
        answer = self.ask("GET", "/v1/masks?shape=0&seed=x&n=0&what=1")
        errors = self.check_problem(answer, 400)
        self.assertEqual([error["parameter"] for error in errors],
                         ["shape", "seed", "n", "what"])
        self.check_served()

    def test_many_errors_make_a_valid_problem(self):
        query = "&".join(f"name{i}={i}" for i in range(500))
        self.check_problem(self.ask("GET", f"/v1/masks?{query}"), 400)
        self.check_served()

    def test_any_byte_in_a_name_or_a_value_makes_a_valid_problem(self):
        for code in range(1, 256):
            for query in f"seed=%{code:02x}A", f"%{code:02x}A=1":
                with self.subTest(query=query):
                    answer = self.ask("GET", f"/v1/masks?shape=3&{query}")
                    self.check_problem(answer, 400)
        self.check_served()


def needed_with(pair):
    """What an otherwise good request needs beside a parameter."""
    return {"layout=none": ("parts=pairing",)}.get(pair, ())


class Combinations(OneConnection):
    def test_lambda_with_alpha_is_400_and_named(self):
        for resource in RESOURCES:
            for pairs in (("lambda=0.5", "alpha=1"), ("alpha=2", "lambda=1")):
                with self.subTest(path=resource.path, pairs=pairs):
                    self.check_refused(self.ask_resource(resource, *pairs),
                                       "lambda", "alpha")

    def test_a_list_of_alpha_has_a_number_for_each_method_or_one_for_all(self):
        for resource in RESOURCES:
            self.check_refused(self.ask_resource(resource, "alpha=1,2"), "alpha", "1 method",
                               "one for each")
            for alpha in ",1", "1,", "1,,1", "1,0.001", ",".join("1" * 9):
                self.check_refused(self.ask_resource(resource, f"alpha={alpha}"), "alpha",
                                   shown(alpha), "one to 8", "0.01 to 1000")
        self.assertEqual(self.ask_resource(RESOURCES[1], "alpha=1,2", "method=fmix,mixup").status, 200)

    def test_masks_of_mixup_are_400_and_told_what_has_masks(self):
        self.check_refused(self.ask_resource(MASKS_NPY, "method=mixup"),
                           "method", "'mixup'", "fmix", "cutmix")

    def test_a_last_index_past_64_bits_is_400_and_named(self):
        for index, n in (LAST, 2), (LAST - 1, 3), (LAST - 9, MOST_ROWS):
            with self.subTest(index=index, n=n):
                answer = self.ask_resource(MASKS_NPY, f"index={index}",
                                           f"n={n}")
                self.check_refused(answer, "index", "2^64-1")

    def test_a_mixed_batch_past_the_last_index_is_400_and_named(self):
        self.check_refused(self.mix(BODY, f"index={LAST}"), "index", "2^64-1")
        self.check_refused(self.mix(BODY, f"index={LAST}&step=1"), "index",
                           "2^64-1")

    def test_the_last_index_itself_is_served(self):
        target = MASKS_NPY.target(f"index={LAST - 2}", "n=3")
        self.assertEqual(self.ask("GET", target).status, 200)
        self.assertEqual(self.mix(BODY, f"index={LAST - 1}").status, 200)

    def test_a_step_whose_rows_pass_64_bits_is_400_and_named(self):
        three = write_npy(np.zeros((3, 2), np.uint8))
        for body, step in ((BODY, 2**63), (BODY, LAST), (three, LAST // 3),
                           (three, LAST // 3 + 1)):
            with self.subTest(step=step):
                self.check_refused(self.mix(body, f"step={step}"), "step",
                                   "2^64-1")

    def test_the_last_step_itself_is_served(self):
        self.assertEqual(self.mix(BODY, f"step={2**63 - 1}").status, 200)
        self.assertEqual(self.mix(BODY, f"step={LAST}&index=0").status, 200)

    def test_too_many_elements_are_413_and_named(self):
        for shape in (str(MOST_ELEMENTS + 1), "4096x4097", "65536x65536",
                      f"{2**32}x{2**32}", f"{LAST}x{LAST}x{LAST}", str(LAST),
                      f"1x{2**32 + 1}x1", "2097152x2097152x2097152"):
            with self.subTest(shape=shape):
                answer = self.ask_resource(MASKS_NPY, f"shape={shape}")
                self.check_refused(answer, "shape", str(MOST_ELEMENTS),
                                   status=413)

    def test_exactly_the_most_elements_are_offered(self):
        for shape in str(MOST_ELEMENTS), "4096x4096", "256x256x256":
            with self.subTest(shape=shape):
                target = MASKS_NPY.target(f"shape={shape}")
                self.assertEqual(self.ask("HEAD", target).status, 200)

    def test_two_parts_in_a_format_of_one_are_400_and_named(self):
        for suffix in "npy", "raw":
            for parts in "mixed,masks", ",".join(PARTS):
                with self.subTest(suffix=suffix, parts=parts):
                    answer = self.mix(BODY, f"parts={parts}", suffix=suffix)
                    self.check_refused(answer, "parts", suffix, "json")


class Targets(OneConnection):
    def test_an_unknown_path_is_404_and_told_what_there_is(self):
        for path in ("/v1", "/v1/", "/v1/mask", "/v1/masksx", "/v1/masks/",
                     "/v1/masks/npy", "/V1/masks", "//v1/masks", "/v2/masks",
                     "/v1/./masks", "/v1/x/../masks", "/livez/", "/livez.npy",
                     "/Livez", "/favicon.ico", "/v1/masks%20", "/v1/%6dasks2",
                     "/" + "a" * 3000):
            with self.subTest(path=path[:40]):
                self.check_explained(self.ask("GET", f"{path}?shape=3"), 404,
                                     "/v1/masks", "/v1/mix", "/livez")

    def test_an_encoded_slash_is_no_slash(self):
        for path in "/v1%2Fmasks", "/v1%2fmasks.npy", "/%2Fv1/masks":
            with self.subTest(path=path):
                self.check_explained(self.ask("GET", f"{path}?shape=3"), 404)

    def test_an_unknown_suffix_is_404_and_told_the_formats(self):
        formats = {"/v1/masks": ("npy", "raw", "json", "png"),
                   "/v1/mix": ("npy", "raw", "json", "png")}
        for path, names in formats.items():
            for suffix in "bmp", "", "npy.gz", "NPY", "np", "npyx":
                with self.subTest(path=path, suffix=suffix):
                    answer = self.ask("GET", f"{path}.{suffix}?shape=3")
                    self.check_explained(answer, 404, f"'{suffix}'", *names)

    def test_a_picture_of_a_plan_is_404_and_told_the_formats(self):
        answer = self.ask("GET", "/v1/plans.png?shape=3")
        errors = self.check_problem(answer, 404)
        self.assertNotIn("image/png", errors[0]["detail"])
        self.check_served()

    def test_an_encoded_nul_is_400_wherever_it_stands(self):
        for target in ("/v1/masks%00?shape=3", "/v1/masks%00.npy?shape=3",
                       "/v1/masks.npy%00?shape=3", "/%00", "/livez%00",
                       "/v1/masks?shape=3&se%00ed=1", "/v1/masks?%00=1",
                       "/v1/masks?shape=3%00", "/v1/masks?shape=%003",
                       "/v1/masks?shape=3&seed=1%002", "/livez?%00"):
            with self.subTest(target=target):
                self.check_explained(self.ask("GET", target), 400, "NUL")

    def test_a_value_with_an_encoded_nul_is_named(self):
        for resource, parameter in each_parameter():
            pair = f"{parameter.name}={parameter.good[0]}%00"
            with self.subTest(path=resource.path, pair=pair):
                self.check_refused(self.ask_resource(resource, pair),
                                   parameter.name, "NUL")

    def test_a_nul_encoded_twice_is_text(self):
        self.check_refused(self.ask_resource(MASKS_NPY, "seed=%2500"), "seed",
                           "'%00'")


class Methods(OneConnection):
    allowed = {"/v1/masks": {"GET", "HEAD", "OPTIONS"}, "/v1/masks.npy": {"GET", "HEAD", "OPTIONS"},
               "/v1/mix": {"POST", "OPTIONS"}, "/v1/mix.json": {"POST", "OPTIONS"},
               "/livez": {"GET", "HEAD", "OPTIONS"}, "/readyz": {"GET", "HEAD", "OPTIONS"},
               "/startupz": {"GET", "HEAD", "OPTIONS"}, "/metrics": {"GET", "HEAD", "OPTIONS"},
               "/version": {"GET", "HEAD", "OPTIONS"}}

    def check_not_allowed(self, method, path):
        body = BODY if method in ("POST", "PUT", "PATCH") else None
        answer = self.ask(method, f"{path}?shape=3", body)
        self.assertEqual(answer.status, 405)
        self.assertEqual(set(answer.headers["Allow"].split(", ")),
                         self.allowed[path])
        if method != "HEAD":
            self.check_problem(answer, 405)
        self.check_served()

    def test_a_wrong_method_is_405_with_those_allowed(self):
        for path, allowed in self.allowed.items():
            for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH",
                           "OPTIONS", "FMIX", "get"} - allowed:
                with self.subTest(path=path, method=method):
                    self.check_not_allowed(method, path)

    def test_head_is_allowed_wherever_get_is(self):
        for path, allowed in self.allowed.items():
            if "HEAD" in allowed:
                query = "?shape=3" if path.startswith("/v1/masks") else ""
                with self.subTest(path=path):
                    answer = self.ask("HEAD", path + query)
                    self.assertEqual((answer.status, answer.body), (200, b""))
                    self.check_served()


class MediaTypes(OneConnection):
    def test_an_accept_that_cannot_be_met_is_406_and_told_the_formats(self):
        for accept in ("text/html", "image/jpeg", "application/x-tar",
                       "text/*", "*/*;q=0", "application/x-npyx",
                       "text/html, image/webp",
                       "image/png;q=0", "application/json;q=0.000"):
            with self.subTest(accept=accept):
                answer = self.ask("GET", "/v1/masks?shape=3", None,
                                  {"Accept": accept})
                self.check_refused(answer, "Accept", "application/x-npy",
                                   "application/octet-stream",
                                   "application/json", "image/png", status=406)

    def test_a_plan_cannot_be_a_picture(self):
        answer = self.ask("GET", "/v1/plans?shape=3", None,
                          {"Accept": "image/png"})
        self.check_refused(answer, "Accept", "application/x-npy", status=406)

    def test_a_content_type_that_is_not_read_is_415_and_told_what_is(self):
        for content_type in ("text/plain", "image/webp", "application/json", "npy", "*/*",
                             "application/x-tar", "application/x-npyx"):
            with self.subTest(content_type=content_type):
                answer = self.mix(BODY, content_type=content_type)
                self.check_refused(answer, "Content-Type", content_type,
                                   "application/x-npy",
                                   "application/octet-stream", status=415)

    def test_raw_elements_that_begin_as_a_picture_does_are_mixed(self):
        for body in (b"\xff\xd8\xff\xe0" + bytes(44), b"\x89PNG\r\n\x1a\n" + bytes(40)):
            answer = self.ask("POST", "/v1/mix.raw?layout=none&x_shape=1x48&x_dtype=u8", body,
                              {"Content-Type": "application/octet-stream"})
            self.assertEqual((answer.status, answer.body), (200, body))


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

    def rss(self):
        """Resident KiB of the daemon."""
        with open(f"/proc/{self.server.process.pid}/status",
                  encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])

    def check_claim(self, answer):
        self.assertIn(answer.status, (400, 413))
        self.check_refused(answer, "x", status=answer.status)

    def check_claims(self, ask):
        self.mix(CUBES, "layout=none")
        before = self.rss()
        for claim in self.claims:
            for dtype in "u8", "f32":
                with self.subTest(claim=claim, dtype=dtype):
                    self.check_claim(ask(claim, dtype))
        self.assertLess(self.rss() - before, RSS_SLACK_KIB)

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
        for target in "/v1/mix.npy?what=1", "/nowhere":
            with self.subTest(target=target):
                self.connect()
                pieces = [bytes(self.cap // 4)] * 256
                answer = self.ask("POST", target, iter(pieces))
                self.assertIn(answer.status, (400, 404))
                self.assertEqual(answer.headers["Connection"], "close")

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
