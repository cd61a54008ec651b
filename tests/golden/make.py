"""Adds what is missing to the golden files; what stands there is never changed.

vectors.json  masks and draws of the contract, computed by tests/reference alone
stream.json   everything that the contract fixes, by section, also by tests/reference (stream.py)
answers.json  whole HTTP answers, by digest, taken from a running daemon

A released byte that changes is a broken promise, so an entry that a new build or a new reference
answers differently is an error here too, not an update.
"""

import hashlib
import json
import pathlib
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent
TESTS = GOLDEN.parent
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "http")]

import fmixref as ref  # noqa: E402
import harness  # noqa: E402
import stream  # noqa: E402

RECIPES = [
    # method, shape, seed, index, n, and what differs from the defaults
    ("fmix", (32, 32), 7, 0, 4, {}),
    ("fmix", (28, 28), 0, 60000, 2, {"alpha": 0.2}),
    ("fmix", (3, 5), 0, 0, 1, {"lam": 0.5}),
    ("fmix", (2,), 0, 1166203367, 1, {"lam": 0.5}),
    ("fmix", (4,), 0, 1166203367, 1, {"lam": 0.25}),
    ("fmix", (1,), 3, 5, 4, {}),
    ("fmix", (97,), 2**64 - 1, 2**64 - 3, 3, {"delta": 0.0}),
    ("fmix", (512,), 11, 0, 2, {"delta": 2.0, "alpha": 4.0}),
    ("fmix", (1, 64), 1, 1, 2, {"delta": 1.5}),
    ("fmix", (16, 256), 0, 0, 3, {"delta": 10.0, "lam": 0.3}),
    ("fmix", (64, 48), 12345678901234567890, 9, 2, {"alpha": 1000.0}),
    ("fmix", (31, 127), 5, 2**40, 1, {"delta": 5.0, "alpha": 0.01}),
    ("fmix", (224, 224), 7, 0, 1, {}),
    ("fmix", (8, 8, 8), 2, 0, 2, {}),
    ("fmix", (13, 1, 21), 2, 100, 2, {"delta": 7.25}),
    ("cutmix", (32, 32), 7, 0, 8, {}),
    ("cutmix", (5, 6), 0, 0, 1, {"lam": 0.5}),
    ("cutmix", (101,), 3, 7, 4, {"alpha": 0.3}),
    ("cutmix", (9, 10, 11), 4, 0, 4, {"alpha": 0.05}),
]

GARMENTS = "garments.npy"
TARGETS = [
    # target, and what is posted to it
    ("/v1/masks.npy?shape=32x32&n=16&seed=7", None),
    ("/v1/masks.npy?shape=32x32&n=16&seed=7&dtype=u8", None),
    ("/v1/masks.npy?shape=17x9x5&n=3&delta=1&dtype=bits", None),
    ("/v1/masks.raw?shape=100&n=5&method=cutmix&alpha=0.3", None),
    ("/v1/masks.json?shape=6x7&n=3&seed=18446744073709551615&index=5", None),
    ("/v1/masks.json?shape=5&n=2&lambda=0.333&method=cutmix&dtype=bits", None),
    ("/v1/mix.npy?layout=none&seed=1&step=3", GARMENTS),
    ("/v1/mix.raw?layout=none&seed=1&step=3&method=cutmix", GARMENTS),
    ("/v1/mix.npy?layout=channels_first&seed=2&method=mixup&alpha=0.2", GARMENTS),
    ("/v1/mix.npy?layout=channels_last&seed=2&delta=1", GARMENTS),
    ("/v1/mix.json?layout=none&seed=9&index=77&parts=pairing,lambda,lambda_eff", GARMENTS),
    ("/v1/masks.npy?shape=48x40&n=4&seed=3&soft=0.2", None),
    ("/v1/masks.npy?shape=9x8x7&n=4&seed=3&soft=0.5&dtype=f16&delta=1", None),
    ("/v1/masks.npy?shape=16x256&n=1&delta=10&soft=0.01&lambda=0.3&dtype=f64", None),
    ("/v1/masks.npy?shape=48x40&n=4&seed=3&output=grey&dtype=u8", None),
    ("/v1/masks.raw?shape=77&n=4&seed=3&output=grey&delta=2", None),
    ("/v1/masks.raw?shape=4&index=1166203367&output=grey&spectrum=official&dtype=u8", None),
    ("/v1/masks.npy?shape=32x32&n=16&seed=7&spectrum=official&dtype=bits", None),
    ("/v1/masks.npy?shape=10x11x12&n=4&seed=7&spectrum=official&dtype=bits&delta=1.5", None),
    ("/v1/masks.npy?shape=24x48&n=8&frequency=extent&dtype=bits&reformulate=1", None),
    ("/v1/masks.npy?shape=24x48&n=8&method=cutmix&box=inside&scope=batch&dtype=u8", None),
    ("/v1/masks.npz?shape=12x13&n=5&seed=2", None),
    ("/v1/masks.safetensors?shape=12x13&n=5&seed=2&dtype=f16", None),
    ("/v1/plans.json?shape=4x6&n=3&steps=3&method=fmix,mixup&seed=7&pairing=derangement", None),
    ("/v1/plans.safetensors?shape=8x8&n=5&step=2&steps=4&seed=7&dtype=bits&policy=random"
     "&method=fmix,cutmix,none&weights=3,1,1", None),
    ("/v1/mix.npz?layout=none&seed=1&step=3&soft=0.1", GARMENTS),
    ("/v1/mix.npy?layout=none&seed=1&step=3&method=bc&out_dtype=bf16&pairing=roll&parts=pairing",
     GARMENTS),
    ("/v1/mix.raw?layout=none&seed=1&step=3&method=bcplus&out_dtype=f32", GARMENTS),
    ("/v1/mix.raw?layout=none&seed=1&step=3&method=bc&out_dtype=bf16&pairing=roll", GARMENTS),
    ("/v1/mix.raw?layout=none&seed=1&step=3&method=samplepairing&pairing=flip", GARMENTS),
]


def recipe_of(entry):
    """An entry's recipe as the reference takes it."""
    return ref.Recipe(seed=int(entry["seed"]), method=entry["method"],
                      alpha=entry["alpha"], lam=entry["lambda"],
                      delta=entry["delta"])


def answer_of_reference(entry):
    """L of each row, and each mask's bits in hexadecimal."""
    made = ref.make_masks(recipe_of(entry), tuple(entry["shape"]),
                          int(entry["index"]), entry["n"])
    return {"L": [round(lam * 2**32) for lam in made.lam],
            "masks": [row.tobytes().hex() for row in ref.pack(made.masks)]}


def vectors():
    """Every recipe with its answer."""
    for method, shape, seed, index, count, more in RECIPES:
        entry = {"method": method, "shape": list(shape), "seed": str(seed),
                 "index": str(index), "n": count, "alpha": 1.0,
                 "lambda": None, "delta": 3.0}
        entry |= {{"lam": "lambda"}.get(k, k): v for k, v in more.items()}
        yield entry | answer_of_reference(entry)


def digest_of(server, target, posted):
    """BLAKE2b-256 of a whole body."""
    if posted is None:
        answer = server.get(target)
    else:
        body = (TESTS / "data" / posted).read_bytes()
        if "layout=channels" in target:
            images = harness.read_npy(body)
            axis = 1 if "first" in target else 3
            body = harness.write_npy(images.reshape(
                (64, 1, 28, 28) if axis == 1 else (64, 28, 28, 1)))
        answer = server.post(target, body)
    if answer.status != 200:
        raise RuntimeError(f"{target}: {answer.status} {answer.body!r}")
    return hashlib.blake2b(answer.body, digest_size=32).hexdigest()


def answers():
    """Every target with its digest."""
    with harness.Server() as server:
        for target, posted in TARGETS:
            yield {"target": target, "post": posted,
                   "blake2b": digest_of(server, target, posted)}


def update(name, entries):
    """Writes entries behind those that stand in a file."""
    path = GOLDEN / name
    old = json.loads(path.read_text()) if path.exists() else []
    new = list(entries)
    for before, now in zip(old, new):
        if before != now:
            raise SystemExit(f"{name}: what was {before} is now {now}")
    if len(new) < len(old):
        raise SystemExit(f"{name}: {len(old) - len(new)} entries would be lost")
    lines = ",\n".join(json.dumps(entry) for entry in new)
    path.write_text(f"[\n{lines}\n]\n")


def update_stream():
    """The same for sections, in which entries are only added behind the others."""
    path = GOLDEN / "stream.json"
    old = json.loads(path.read_text()) if path.exists() else {}
    new = stream.sections()
    for name, entries in old.items():
        if new.get(name, [])[:len(entries)] != entries:
            raise SystemExit(f"stream.json: {name} would change")
    parts = (f'"{name}": [\n' + ",\n".join(map(json.dumps, entries)) + "\n]"
             for name, entries in new.items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    update("vectors.json", vectors())
    update_stream()
    update("answers.json", answers())
