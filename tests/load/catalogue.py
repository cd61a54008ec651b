"""What the soak asks for, and the digest that each answer must have.

tests/golden/soak.json lists requests with the digests of their answers; run as a program, this adds
those that are missing there. A digest is pinned only when every tensor of the answer is what the
reference (tests/reference) makes of the recipe; what surrounds the tensors in a container is then
the daemon's of that day. What stands in the file is never changed.
"""

import hashlib
import io
import json
import pathlib
import random
import sys
from urllib.parse import urlsplit

import numpy as np

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "http")]

import fmixref as ref  # noqa: E402
import harness  # noqa: E402
import recipes  # noqa: E402
import test_agreement as agreement  # noqa: E402
from picture import read_png  # noqa: E402
import rows  # noqa: E402
from containers import read_safetensors, write_npz, write_safetensors  # noqa: E402, F401
from uploads import TYPES, array_of, body_of, named  # noqa: E402

FILE = TESTS / "golden" / "soak.json"
COUNTS = {"masks": 230, "png": 20, "plans": 60, "raw": 70, "npy": 30, "npz": 45, "safetensors": 45,
          "rows of plans": 40, "rows as npz": 30, "rows as safetensors": 30}
MOST_BYTES = 300_000    # of an answer
STEEP, LARGE = 6, 2000  # delta and elements from which a mask may take the daemon long (MPFR)
RANGED = ("npy", "raw", "safetensors")


# --- What is asked ----------------------------------------------------------


def some_masks(source, _):
    """Masks of every method, type, law and number of sides, in every format that holds them."""
    strata = ("line", "plane", "plane", "plane", "volume", "stretched", "close", "tied", "ends",
              "grey", "large")
    make = getattr(agreement, source.choice(strata) + "_case")
    case = make(source)
    if case.recipe.delta > STEEP and case.size > LARGE:
        raise ValueError("a soak is of quick answers")
    suffix = source.choice(("npy", "npy", "raw", "raw", "json", "npz", "safetensors"))
    made = agreement.reference(case)
    return agreement.masks_target(case, suffix), None, {
        "masks": agreement.encoded(made.masks, case.dtype), "lambda": np.array(made.lam),
        "lambda_eff": np.array(made.lam_eff), "ones": np.array(made.ones, "<i8")}


def some_picture(source, _):
    """One mask, pixel for pixel."""
    case = agreement.some_case(source, (source.randint(1, 64), source.randint(1, 64)), most=1)
    case = case._replace(dtype="u8", count=1)
    case = case._replace(recipe=ref.Recipe(**{**vars(case.recipe), "soft": 0.0}))
    masks = agreement.reference(case).masks
    return agreement.masks_target(case, "png"), None, {"masks": masks[0] * np.uint8(255)}


def some_plans(source, _):
    """Some steps of plans, of one method or several."""
    shape = source.choice(((12,), (6, 7), (3, 4, 5), (16, 16)))
    more = agreement.some_methods(source) if source.random() < 0.5 else {
        "method": source.choice(ref.METHODS)}
    recipe = recipes.recipe_by(source, shape, more.pop("method"), soft=0.0,
                                   pairing=source.choice(sorted(ref.PAIRINGS)), **more)
    count, steps = source.randint(1, 9), source.randint(1, 4)
    step, dtype = source.getrandbits(20), source.choice(("f32", "f64", "f16", "u8", "bits"))
    suffix = source.choice(("npy", "raw", "json", "npz", "safetensors"))
    query = {"shape": "x".join(map(str, shape)), **ref.query_of(recipe), "n": count,
             "step": step, "steps": steps, "dtype": dtype}
    parts = ["pairing", "lambda", "lambda_eff", "masks", "method"]
    if suffix in ("npy", "raw"):
        query["parts"] = source.choice(parts)
        parts = [query["parts"]]
    plans = ref.make_plans(recipe, shape, step, steps, count, dtype=dtype)
    made = {"pairing": ("<i8", [p.pairing for p in plans]), "lambda": ("<f8", [p.lam for p in plans]),
            "lambda_eff": ("<f8", [p.lam_eff for p in plans]),
            "method": ("u1", [p.method for p in plans])}
    arrays = {name: np.array(rows, kind) for name, (kind, rows) in made.items()}
    arrays["masks"] = np.stack([p.masks for p in plans])
    return (f"/v1/plans.{suffix}?{agreement.urlencode(query)}", None,
            {name: arrays[name] for name in parts})


def some_labels(source, count):
    """Class numbers or rows of floats: how many classes and what array."""
    classes = source.choice((1, 2, 10, 100))
    if source.random() < 0.6:
        kind = source.choice(("u8", "i8", "i16", "i32", "i64"))
        return classes, {"kind": f"{kind} below {classes}", "shape": [count]}
    return classes, {"kind": "unit", "shape": [count, classes]}


def some_batch(source, how):
    """A batch to mix, as raw bytes or in a file."""
    method = source.choice((*ref.METHODS, "fmix", "cutmix", "lists"))
    batch = agreement.some_batch(source, method)
    kinds = [kind for kind in ref.TYPES if how == "raw" or kind != "bf16"]
    upload = named({"format": how, "deflated": source.random() < 0.5, "arrays": {
        "x": {"kind": source.choice(kinds), "shape": list(batch.x.shape)}}}, source)
    batch = batch._replace(x=array_of(upload["arrays"]["x"]))
    suffix = source.choice(("npy", "raw", "npz", "safetensors"))
    if (batch.out or batch.type) == "bf16":
        suffix = source.choice(("raw", "safetensors"))
    query, more, labels = {}, {}, {}
    if how in ("npz", "safetensors"):
        labels = label_the_batch(source, upload, len(batch.x))
        smoothing = source.choice((0.0, 0.1, 0.3))
        query["smoothing"] = smoothing
        if labels["numbered"]:
            query["classes"] = ",".join(map(str, labels["numbered"]))
        arrays = {name: array_of(spec) for name, spec in upload["arrays"].items()}
        heads = labels["classes"]
        more = {"x2": arrays.get("x2"), "smoothing": smoothing, "classes": heads,
                "y": {head: arrays[f"y{head}"] for head in heads},
                "y2": {head: arrays[f"y2{head}"] for head in heads} if "x2" in arrays else None}
    target = agreement.mix_target(batch, suffix, **query)
    if how != "raw":
        target = "&".join(pair for pair in target.split("&") if not pair.startswith("x_"))
    made = ref.mix(batch.recipe, batch.x, batch.step, batch.layout, batch.index,
                   out_dtype=batch.out, **more)
    expected = {"mixed": made.mixed, "pairing": np.array(made.pairing, "<i8"),
                "lambda": np.array(made.lam), "lambda_eff": np.array(made.lam_eff),
                "masks": made.masks}
    expected.update({f"labels{head}": rows for head, rows in (made.labels or {}).items()})
    return target, upload, expected


def label_the_batch(source, upload, count):
    """Adds heads of labels, and now and then a second batch to mix with."""
    heads = source.choice(([""], [".root", ".vowel"]))
    foreign = source.random() < 0.3
    classes, numbered, arrays = {}, [], upload["arrays"]
    for head in heads:
        classes[head], spec = some_labels(source, count)
        arrays[f"y{head}"] = spec
        if "below" in spec["kind"]:
            numbered.append(classes[head])
        if foreign:
            arrays[f"y2{head}"] = dict(spec)
    if foreign:
        arrays["x2"] = dict(arrays["x"])
    kept = arrays["x"]["seed"]
    named(upload, source)
    arrays["x"]["seed"] = kept
    return {"classes": classes, "numbered": numbered}


def asked(kinds):
    """Every request of these kinds in order, with what the reference makes of it."""
    for kind, count in COUNTS.items():
        if kind not in kinds:
            continue
        make = {"masks": some_masks, "png": some_picture, "plans": some_plans,
                "rows of plans": rows.some_plans, "rows as npz": rows.some_batch,
                "rows as safetensors": rows.some_batch}.get(kind, some_batch)
        source, made = random.Random(f"soak {kind}"), 0
        while made < count:
            try:
                yield make(source, kind)
            except ValueError:  # a mix that both refuse, or too slow
                continue
            made += 1


# --- Pinning ----------------------------------------------------------------


def tensors_of(target, answer):
    """The named arrays of an answer; those of json are lists."""
    suffix = urlsplit(target).path.rpartition(".")[2]
    if suffix == "json":
        return answer.json()
    if suffix == "npz":
        with np.load(io.BytesIO(answer.body), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    if suffix == "safetensors":
        return safetensors_of(answer.body)
    if suffix == "npy":
        return {"": answer.npy()}
    if suffix == "png":
        return {"": read_png(answer.body).pixels}
    shape = [int(side) for side in answer.headers["X-Fmix-Shape"].split("x")]
    kind = ref.TYPES[answer.headers["X-Fmix-Dtype"]]
    return {"": np.frombuffer(answer.body, kind).reshape(shape)}


def safetensors_of(body):
    """As read_safetensors, and bf16 as its bits."""
    return read_safetensors(body.replace(b'"dtype":"BF16"', b'"dtype":"I16" ')).arrays


def disagreement(target, answer, expected):
    """In what an answer differs from the reference; nothing if nowhere."""
    got = tensors_of(target, answer)
    if "" in got:
        got[next(iter(expected))] = got.pop("")
    names = set(got) - {"seed", "index", "step"}
    if not names or not names <= set(expected):
        return f"there are {sorted(names)}"
    for name in names:
        want = expected[name]
        if isinstance(got[name], list):
            if got[name] != want.tolist():
                return f"{name} differs"
            continue
        if got[name].dtype.str == "<i2" and want.dtype.str == "<u2":
            got[name] = got[name].view("<u2")
        if difference := agreement.first_difference(got[name], want):
            return f"{name}: {difference}"
    return ""


def digest(body):
    """BLAKE2b-256."""
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def ranges_of(target, body, upload):
    """Pieces of an answer that can be asked for: first byte, last byte, digest."""
    if upload or urlsplit(target).path.rpartition(".")[2] not in RANGED:
        return []
    source = random.Random(target)
    pairs = [(0, 0), (len(body) - 1, len(body) - 1)]
    pairs += [sorted((source.randrange(len(body)), source.randrange(len(body)))) for _ in range(2)]
    return [[first, last, digest(body[first:last + 1])] for first, last in pairs]


def ask(server, target, upload):
    """The answer."""
    if upload is None:
        return server.get(target)
    return server.post(target, body_of(upload), TYPES[upload["format"]])


def pinned(server, target, upload, expected):
    """The entry of a request, or None: the answer is too much for a soak."""
    answer = ask(server, target, upload)
    if answer.status == 200 and len(answer.body) > MOST_BYTES:
        return None
    why = disagreement(target, answer, expected) if answer.status == 200 else answer.body[:500]
    if why:
        raise SystemExit(f"{target}: {answer.status}: {why}")
    return {"target": target, "upload": upload, "length": len(answer.body),
            "blake2b": digest(answer.body), "ranges": ranges_of(target, answer.body, upload)}


def entries():
    """What is pinned."""
    return json.loads(FILE.read_text()) if FILE.exists() else []


def key_of(entry):
    return json.dumps([entry["target"], entry["upload"]], sort_keys=True)


def pin(kinds):
    """Adds what is missing of these kinds; an answer that is no longer what is pinned ends it."""
    kept = entries()
    known = {key_of(entry): entry for entry in kept}
    with harness.Server() as server:
        for target, upload, expected in asked(kinds):
            entry = pinned(server, target, upload, expected)
            if entry and known.setdefault(key_of(entry), entry) != entry:
                raise SystemExit(f"{target}: what was {known[key_of(entry)]} is now {entry}")
    lines = ",\n".join(json.dumps(entry) for entry in known.values())
    FILE.write_text(f"[\n{lines}\n]\n")
    print(f"{len(known)} requests, {len(known) - len(kept)} of them new")


if __name__ == "__main__":
    pin(sys.argv[1:] or COUNTS)
