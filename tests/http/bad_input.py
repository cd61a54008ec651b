"""What the tests of bad input share: each parameter's values, and a connection that is never opened again."""

import math
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
RSS_SLACK = 8 << 20

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
