"""Draws cases: a request of values that the OpenAPI document has, sometimes one that it has not, and
what is asked beside it. A case is a function of the document, a seed and its number."""

import dataclasses
import random
import re
import urllib.parse

import bodies
import sets
import views
from bodies import ref

MANY = 2**64 - 1
ROUTES = {"/v1/masks": 20, "/v1/plans": 16, "/v1/mix": 26,
          "/v1/datasets/{name}/batches/{step}": 20, "/v1/datasets/{name}/shards": 4,
          "/v1/shards/{shard}": 6}  # the others: 1
CONTAINERS = ("npy", "raw", "json", "png", "npz", "safetensors", "tar")
OFTEN = {"shape": 0.98, "n": 0.75, "parts": 0.35, "seed": 0.4, "method": 0.5, "dtype": 0.4,
         "output": 0.25, "steps": 0.4, "out_dtype": 0.25, "soft": 0.2, "layout": 0.0, "prob": 0.2,
         "switch": 0.2, "pairing": 0.3}
RARELY = 0.12
STRANGE = ("", "-", "a b", "é", "1e999x", "nan", "0x1", "+1", "-1", "1 ", "1,", ",", "inf", "%", "1x",
           "0", "18446744073709551616", "999999999999999999999999", "1e400", "0.5.5", "a" * 300, "1;2")


@dataclasses.dataclass
class Case:
    """One request, and what is asked beside it."""

    number: int
    route: str = ""            # as the document has it
    method: str = "GET"
    path: str = "/"
    form: str = None           # of the suffix
    query: dict = dataclasses.field(default_factory=dict)
    target: str = "/"
    headers: list = dataclasses.field(default_factory=list)
    body: bodies.Body = None
    data: object = None        # the set that is named
    step: int = 0              # of its batch
    sound: bool = True         # every value is one that the document allows
    beside: list = dataclasses.field(default_factory=list)
    chunked: bool = False
    manner: str = "plain"      # or vanish, bend
    compare: bool = False      # with the reference
    rng: random.Random = None  # for what is drawn once answers are seen

    def told(self):
        """In a line."""
        return (f"{self.number}: {self.method} {self.target} {self.headers} beside {self.beside} "
                f"{self.manner} {len(self.body.data) if self.body else 0} bytes")


def chance(rng, share):
    """True that often."""
    return rng.random() < share


def whole(rng, least, most):
    """Small ones mostly, the ends sometimes."""
    turn = rng.random()
    if turn < 0.8:
        return rng.randint(least, min(most, least + 8))
    if turn < 0.93:
        return rng.randint(least, min(most, least + 300))
    return rng.choice((least, most, rng.randint(least, most)))


def real(rng, least, most):
    """Round ones mostly."""
    drawn = rng.choice((0.0, 0.5, 1.0, 0.25, 0.3, 2.0, 3.0, least, most, rng.uniform(least, most),
                        rng.uniform(0, 1), rng.uniform(0, 4)))
    text = repr(min(max(drawn, least), most))
    return text if chance(rng, 0.9) or "e" in text else rng.choice((text + "00", "0" + text if drawn >= 0 else text))


def rows(rng, least, most):
    """The ends seldom: millions of rows take seconds, even where nobody waits for them."""
    if chance(rng, 0.0001):
        return rng.choice((most, rng.randint(least, most)))
    return rng.randint(least, rng.choice((4, 9, 9, 60)))


def shape(rng, sides):
    """Of a mask, or of what a raw body says it holds."""
    count = rng.choice([s for s in (1, 2, 2, 2, 3, 4, 5) if s <= sides])
    most = {1: 120, 2: 24}.get(count, 7)
    return "x".join(str(rng.choice((1, rng.randint(1, most), rng.randint(1, most)))) for _ in range(count))


def value(schema, rng):
    """One that the schema allows, as text."""
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema["type"]
    if kind == "array":
        most = min(schema.get("maxItems", 8), len(schema["items"].get("enum", ())) or 8)
        count = rng.choice((1, 1, 1, 2, 2, 3, most))
        items = [value(schema["items"], rng) for _ in range(min(count, most))]
        return ",".join(dict.fromkeys(items) if schema.get("uniqueItems") else items)
    if kind == "integer":
        return str(whole(rng, schema["minimum"], schema.get("maximum", MANY)))
    if kind == "number":
        return real(rng, schema["minimum"], schema["maximum"])
    pattern = schema["pattern"]
    sides = re.search(r"\{0,(\d)\}\$$", pattern)
    if sides and "x[1-9]" in pattern:
        return shape(rng, int(sides[1]) + 1)
    digits = re.search(r"\[0-9a-f\]\{(\d+)\}", pattern)
    return "".join(rng.choices("0123456789abcdef", k=int(digits[1]))) if digits else "name"


# --- What makes sense together ----------------------------------------------


def _tame_law(query, rng):
    if "lambda" in query:
        query.pop("alpha", None)
        query.pop("reformulate", None)
    methods = query.get("method", "fmix").split(",")
    alphas = query.get("alpha", "").split(",")
    if len(alphas) > 1 and len(alphas) != len(methods):
        query["alpha"] = ",".join((alphas * len(methods))[:len(methods)])
    if query.get("switch") == "sample":
        query.pop("policy", None)
    if "weights" in query:
        if query.get("switch") != "sample":
            query["policy"] = "random"
        query["weights"] = ",".join(str(rng.choice((1, 1, 3, 0, 7, 2**28))) for _ in methods[:-1]) + \
            "," * (len(methods) > 1) + "1"
    if query.get("spectrum") == "official":
        query.pop("frequency", None)
        if query.get("shape", "").endswith("x1"):  # every mask is settled by MPFR
            for name in {"n", "steps"} & set(query):
                query[name] = str(min(int(query[name]), 2))
    if "delta" in query and float(query["delta"]) > 6 and float(query.get("soft", 0)) > 0:
        query["delta"] = "4"  # where all is contested, and the reference slow


def _tame_partners(case, known):
    """Pairings and scopes that the rows have."""
    query, body, data = case.query, case.body, case.data
    numbered = (body and body.plain and any(body.classes)) or (data and data.classes)
    if body and body.plain and "x2" in body.arrays:
        numbered = False
    if query.get("pairing") in ref.CLASS_PAIRINGS and not numbered:
        query["pairing"] = "roll"
    if query.get("pairing") == "neighbour" and (data is None or data.neighbours is None):
        query["pairing"] = "derangement"
    if query.get("scope") == "pair":
        query.update({"pairing": "flip"} if "pairing" in known else {"scope": "batch"})
    if not sets.is_sequences(data):
        query.pop("bucket", None)
        query.pop("pad_value", None)


def _tame_masks(query, rng):
    if query.get("output") == "grey":
        query["method"] = "fmix"
    elif query.get("method", "fmix") not in ("fmix", "cutmix"):
        query["method"] = rng.choice(("fmix", "cutmix"))
    if query.get("dtype") in ("bits", "u8") and "soft" in query:
        query.pop("soft")
    if query.get("dtype") == "bits":
        query.pop("output", None)
    if int(query.get("scale", 1)) > 6:
        query["scale"] = "6"


def _tame_parts(case, rng):
    parts = case.query.get("parts", "").split(",")
    allowed = {"/v1/plans": ("masks", "pairing", "lambda", "lambda_eff", "method")}.get(
        case.route, ("mixed", "masks", "pairing", "lambda", "lambda_eff", "method") +
        ("rows",) * (case.data is not None) + ("lengths",) * sets.is_sequences(case.data) +
        ("dense",) * bool(targets_of(case)))
    if "parts" in case.query:
        parts = [part for part in parts if part in allowed] or [rng.choice(allowed)]
        case.query["parts"] = ",".join(parts if case.form in ("json", "npz", "safetensors") else parts[:1])


def _tame_mix(case, rng):
    query, body = case.query, case.body
    for name in ("x_shape", "x_dtype", "classes", "layout"):
        query.pop(name, None)
    x = body.arrays["x"]
    for name in () if body.pictures else (*views.NAMES, "flip"):
        query.pop(name, None)
    if body.pictures:
        views.tame(query, rng)
    if body.framing == "raw":
        query["x_shape"] = "x".join(map(str, x.shape))
        query["x_dtype"] = bodies.ref.type_name(x)
    if x.ndim > 2 or body.layout != "none":
        query["layout"] = body.layout
    if any(body.classes):
        same = len(set(body.classes)) == 1 and chance(rng, 0.5)
        query["classes"] = ",".join(map(str, body.classes[:1] if same else body.classes))
    if set(query.get("method", "fmix").split(",")) - {"fmix", "cutmix", "none"} or "soft" in query:
        if x.dtype.kind in "iub" and x.dtype != np_u8() or "bcplus" in query.get("method", ""):
            query["out_dtype"] = rng.choice(("f32", "f16", "f64", "bf16"))


def targets_of(case):
    """Dense targets by name."""
    if case.data:
        return case.data.dense or {}
    return {name: array for name, array in case.body.arrays.items() if name.partition(".")[0] == "dense"
            } if case.body else {}


def _tame_dense(case, rng):
    """Methods that copy, or a lambda by which the others do."""
    query = case.query
    if all(ref_name(target) in bodies.ref.FLOATING for target in targets_of(case).values()):
        return
    if "soft" in query or not set(query.get("method", "fmix").split(",")) <= {"fmix", "cutmix", "none"}:
        if chance(rng, 0.3):
            query["lambda"] = rng.choice(("0", "1"))
            for name in ("alpha", "reformulate"):
                query.pop(name, None)
        else:
            query["method"] = rng.choice(("fmix", "cutmix", "none", "cutmix,fmix"))
            for name in ("soft", "weights", "alpha"):
                query.pop(name, None)


def ref_name(array):
    """As the daemon calls a type."""
    return bodies.ref.type_name(array[0] if isinstance(array, list) else array)


def np_u8():
    """The type of bytes."""
    return bodies.np.dtype("u1")


def _tame_hosted(case, rng):
    query, data = case.query, case.data
    for name in ("classes", "layout", "digest"):
        query.pop(name, None)
    x = data.x[0] if isinstance(data.x, list) else data.x
    channels = {"channels_first": 1, "channels_last": -1}.get(data.layout)
    for name in ("mean", "std"):
        if name in query:
            count = 1 if channels is None or chance(rng, 0.5) else min(x.shape[channels], 8)
            numbers = (query[name].split(",") * 8)[:count]
            query[name] = ",".join(n if abs(float(n)) < 1e6 and (name == "mean" or float(n) > 1e-3)
                                   else "0.5" for n in numbers)
            query["out_dtype"] = rng.choice(("f32", "f16", "f64", "bf16"))
    for name in {"sequences": ("crop", "flip", "pad", *views.NAMES), "images": ("crop", "pad"), "even": views.NAMES}[
            "sequences" if sets.is_sequences(data) else "images" if sets.is_images(data) else "even"]:
        query.pop(name, None)
    if sets.is_images(data):
        views.tame(query, rng)
    if any(sets.dtype_of(target).kind in "iub" for target in (data.dense or {}).values()) and chance(rng, 0.8):
        query["method"] = rng.choice(("fmix", "cutmix", "none", "cutmix,fmix"))
        for name in ("soft", "weights", "alpha"):
            query.pop(name, None)
    if "crop" in query:
        query["crop"] = str(min(int(query["crop"]), 9))
        if query.get("pad") == "reflect":
            query["crop"] = str(min(int(query["crop"]), min(data.x.shape[sets.SPATIAL[data.layout]]) - 1))
    if "world" in query or "rank" in query:
        query["world"] = str(max(1, min(9, int(query.get("world", 2)))))
        query["rank"] = str(min(int(query.get("rank", 0)), int(query["world"]) - 1))
    if "epoch" in query and int(query["epoch"]) > 2**58:
        query["epoch"] = "3"
    if set(query.get("method", "fmix").split(",")) - {"fmix", "cutmix", "none"} or "soft" in query:
        if x.dtype.kind in "iub" and x.dtype != np_u8() or "bcplus" in query.get("method", ""):
            query["out_dtype"] = rng.choice(("f32", "f16", "f64"))
    if chance(rng, 0.2):
        query["digest"] = sets.DIGESTS.get(data.name, "0" * 64)


class Drawer:
    """Draws from a document."""

    def __init__(self, document, seed):
        self.seed, self.document = seed, document
        self.parameters = document["components"]["parameters"]
        self.operations = {}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if not path.endswith(".{format}"):
                    self.operations[path] = method.upper(), operation, self._forms(path)
        self.routes = list(self.operations)
        self.weights = [ROUTES.get(path, 1) for path in self.routes]

    def _forms(self, path):
        """The suffixes it has."""
        for operation in self.document["paths"].get(path + ".{format}", {}).values():
            return next(p["schema"]["enum"] for p in operation["parameters"] if p.get("name") == "format")
        return []

    def known(self, operation):
        """Names and schemas of its query."""
        names = [p["$ref"].rpartition("/")[2] for p in operation["parameters"] if "$ref" in p]
        return {name: self.parameters[name]["schema"] for name in names}

    def case(self, number):
        """The case of a number."""
        rng = random.Random(f"{self.seed} {number}")
        case = Case(number, rng=rng)
        case.route = rng.choices(self.routes, self.weights)[0]
        case.method, operation, forms = self.operations[case.route]
        case.form = rng.choice(forms) if forms and chance(rng, 0.88) else None
        if "{name}" in case.route or "{shard}" in case.route:
            case.data = rng.choice(sets.DRAWN)
        if case.method == "POST":
            case.body = bodies.some_body(rng)
            case.sound = case.body.plain
        named = case.route == "/v1/shards/{shard}"
        asked = self.operations["/v1/datasets/{name}/shards"][1] if named else operation
        self._query(case, self.known(asked), rng)
        self._path(case, rng)
        self._manner(case, rng)
        self._headers(case, forms, rng)
        self._beside(case, rng)
        # The reference resizes all of a picture, and slowly.
        case.compare = chance(rng, 0.2 if case.data or case.body else 0.04) and int(case.query.get("short", 0)) < 200
        return case

    def _query(self, case, known, rng):
        for name, schema in known.items():
            if chance(rng, OFTEN.get(name, RARELY)):
                case.query[name] = value(schema, rng) if name not in ("n", "steps") else str(
                    rows(rng, schema["minimum"], schema["maximum"]))
        if chance(rng, 0.9):
            if "method" in known:
                _tame_law(case.query, rng)
                _tame_partners(case, known)
            if case.route == "/v1/masks":
                _tame_masks(case.query, rng)
            if case.body and case.body.plain:
                _tame_mix(case, rng)
            if case.data and known:
                _tame_hosted(case, rng)
            if "parts" in known and chance(rng, 0.85):
                _tame_parts(case, rng)
            if chance(rng, 0.8):
                _tame_dense(case, rng)
        case.pairs = list(case.query.items())
        rng.shuffle(case.pairs)
        if chance(rng, 0.07):
            self._spoil(case, known, rng)

    def _spoil(self, case, known, rng):
        """One parameter that is unknown, twice or not what it may be."""
        case.sound = False
        others = [name for name in self.parameters if name not in known]
        names = [*known] * 3 + others[:3] + ["nothing", "", "a" * 200, "%00", "seed%00"]
        name = rng.choice(names)
        case.pairs.insert(rng.randint(0, len(case.pairs)), (name, rng.choice(STRANGE)))

    def _path(self, case, rng):
        path, name = case.route, case.data.name if case.data else "none"
        if case.data and chance(rng, 0.02):
            name, case.sound = rng.choice(("nobody", "..", ".", "a" * 300, "colour ", "Colour")), False
        n = int(case.query.get("n", 64)) if case.data else 1
        batches = max(1, -(-len(case.data.x) // max(1, n))) if case.data else 1
        case.step = rng.randrange(batches)
        text = str(case.step)
        if case.data and chance(rng, 0.03):
            text, case.sound = rng.choice((str(batches), str(MANY), str(MANY + 1), "x", "-1", "00", "1e3")), False
        shard = "==".join((name, sets.DIGESTS.get(name, "0" * 64)[:16], *(
            f"{key}={value}" for key, value in case.pairs if key not in ("digest", "parts")),
            text.zfill(rng.choice((6, 1))))).replace(",", "+").replace(".", "~") if case.data else ""
        for key, chosen in (("{name}", name), ("{step}", text), ("{shard}", shard)):
            path = path.replace(key, urllib.parse.quote(chosen, safe="=+~"))
        case.path = path + (f".{case.form}" if case.form else "")
        if chance(rng, 0.02):
            case.sound = False
            case.path = rng.choice((case.path + "x", case.path + "/", case.path + ".npx", "/" + case.path,
                                    case.path + "%00", case.path + "%2f", case.path.upper(), "/v1",
                                    case.path + "%zz", case.path.replace("v", "%76", 1), "//", "/x"))
        pairs = [] if shard and "{shard}" in case.route else case.pairs
        safe = rng.choice((",", ",", ",", ""))
        text = "&".join(f"{key if key.startswith('%') else urllib.parse.quote(key)}="
                        f"{urllib.parse.quote(value, safe=safe)}" for key, value in pairs)
        case.target = case.path + ("?" + text if text or chance(rng, 0.01) else "")

    def _manner(self, case, rng):
        turn = rng.random()
        case.manner = "vanish" if turn < 0.02 else "bend" if turn < 0.035 else "plain"
        if chance(rng, 0.02):
            case.sound = False
            case.method = rng.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE",
                                      "get", "X"))
        case.chunked = case.body is not None and chance(rng, 0.1)

    def _headers(self, case, forms, rng):
        if case.body:
            kind = bodies.TYPES[case.body.framing]
            if chance(rng, 0.12):
                kind = rng.choice((None, "application/octet-stream", "application/x-www-form-urlencoded",
                                   *bodies.TYPES.values(), "text/plain", "image/png", "", "a/b; c=d"))
                case.sound = False
            if kind is not None:
                case.headers.append(("Content-Type", kind))
        if not case.form and forms and chance(rng, 0.7):
            kinds = ["application/x-npy", "application/octet-stream", "application/json", "image/png",
                     "application/x-npz", "application/x-safetensors", "application/x-tar"]
            case.headers.append(("Accept", rng.choice(kinds + [
                "*/*", "application/*", "image/*", "text/html", "", "application/json;q=0.5, image/png",
                "*/*;q=0", "image/png;q=0.1, */*;q=0.2", ",", ";q=1", "application/json;q=x"])))
        if chance(rng, 0.05):
            case.headers.append(rng.choice((("Connection", "close"), ("Cookie", "a=b; c=d"),
                                            ("Accept-Encoding", "gzip, br"), ("X-Request-ID", "abc"),
                                            ("Origin", "http://localhost"), ("Authorization", "Bearer x"),
                                            ("Expect", "100-continue"), ("User-Agent", "x" * 500),
                                            ("traceparent", "00-" + "1" * 32 + "-" + "2" * 16 + "-01"))))

    def _beside(self, case, rng):
        """Other requests for the same: again, its head, ranges of it, conditions."""
        if case.manner != "plain" or any(len(str(case.query.get(name, ""))) > 4 for name in ("n", "steps")):
            return
        if chance(rng, 0.25):
            case.beside.append(("again",))
        if chance(rng, 0.02):
            case.beside.append(("options",))
        if case.method != "GET":
            return
        if chance(rng, 0.15):
            case.beside.append(("head",))
        for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 3))):
            case.beside.append(("range", some_range(rng), rng.choice((None,) * 3 + ("same", "other", "weak"))))
        if chance(rng, 0.12):
            case.beside.append(("none-match", rng.choice(("same", "other", "any", "weak", "list", "junk")),
                                rng.choice(("GET", "GET", "HEAD"))))
        if chance(rng, 0.06):
            case.beside.append(("match", rng.choice(("same", "other", "any", "weak", "list")),
                                rng.choice(("GET", "GET", "HEAD"))))


def some_range(rng):
    """Of bytes: first and last, either of them missing; or text that is no single range."""
    if chance(rng, 0.1):
        return rng.choice(("bytes=", "bytes=1-2,5-9", "bytes=5-2", "items=0-5", "bytes=a-b", "bytes=-",
                           "bytes=0-4,", "bytes = 0-4", "bytes=--1", "bytes=0x1-2"))
    first = rng.choice((0, 1, rng.randint(0, 60), rng.randint(0, 600), rng.randint(0, 6000), MANY - 9, 10**30))
    last = rng.choice((first, first + rng.randint(0, 50), first + rng.randint(0, 5000), max(first, MANY)))
    return rng.choice((f"bytes={first}-{last}", f"bytes={first}-{last}", f"bytes={first}-",
                       f"bytes=-{rng.choice((0, 1, rng.randint(1, 500), MANY))}"))
