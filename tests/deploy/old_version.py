"""What version 0.1.0 and this one make of each other's data sets, and of the same requests. `make old-version`.

0.1.0 has no tag and is no package: it is the last commit of the day that deploy/CHANGELOG.md gives it. It is
built of the repository's history, in build/old-version. Each version imports the same sources; both serve
both imports; every answer must have the bytes and the ETag that 0.1.0 gives to its own import.
"""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "http"), str(TESTS / "reference"), str(TESTS / "deploy")]

import numpy as np  # noqa: E402

import harness  # noqa: E402
import hosting  # noqa: E402
import image_sets  # noqa: E402
import tensors  # noqa: E402

ROOT = TESTS.parent
COMMIT = "c8cc73ea"  # 2026-11-26, as deploy/CHANGELOG.md says of 0.1.0
FOLDER = ROOT / "build" / "old-version"
BATCHES = ("n=8", "n=8&seed=3&shuffle=1&epoch=2", "n=7&seed=5&method=mixup&crop=2&flip=1",
           "n=6&seed=9&method=cutmix,fmix&policy=random&scope=batch&rank=1&world=2",
           "n=5&shuffle=1&mean=0.5&std=0.25&out_dtype=f16&pairing=derangement&smoothing=0.1")
SUFFIXES = ("npy", "npz", "safetensors")
RECIPES = ("shape=32x32&n=16&seed=7", "shape=31x20&n=5&seed=1&alpha=0.2&delta=2", "shape=100&n=4&lambda=0.3",
           "shape=8x9x10&n=3&index=12&soft=0.1", "shape=24x24&n=6&method=cutmix&box=inside&index=100",
           "shape=16x16&n=4&seed=9&spectrum=official&scope=batch", "shape=12x12&n=4&seed=2&output=grey")
PLANS = ("shape=16x16&n=4&steps=3&seed=7&method=fmix,mixup",
         "shape=9&n=5&steps=2&method=cutmix,fmix&policy=random&weights=1,2&pairing=roll")
MIXES = ("layout=none&seed=7&step=12", "layout=none&method=mixup&reformulate=1&out_dtype=f32",
         "layout=none&method=bcplus&pairing=flip")


def find():
    """The commit's tree in a folder; ends where the history is not there."""
    known = subprocess.run(["git", "-C", ROOT, "cat-file", "-e", f"{COMMIT}^{{commit}}"], check=False,
                           capture_output=True)
    if known.returncode:
        sys.exit(f"version 0.1.0 is commit {COMMIT}, which is not here: this needs a clone with the whole "
                 "history, as `git fetch --unshallow` gets it")
    tree = FOLDER / COMMIT
    if not (tree / "Makefile").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        tree.mkdir(parents=True)
        packed = subprocess.run(["git", "-C", ROOT, "archive", COMMIT], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x", "-C", tree], input=packed, check=True)
    return tree


def build():
    """The old program."""
    tree = find()
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "BUILD")}
    subprocess.run(["make", "--no-print-directory", "-s", "-C", tree, "-j2", "WARN=", "build/fmixd"], check=True,
                   env=environment)
    return str(tree / "build" / "fmixd")


def sources(folder):
    """The sources of six sets, by name: what an import is told."""
    noise = np.random.default_rng(26)

    def put(name, body):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def idx(array):
        return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
    y = noise.integers(0, 5, 20)
    pixels = noise.integers(0, 256, (20, 8, 6, 3), np.uint8)
    yield "bytes", ["npy", put("b.npy", harness.write_npy(pixels)), put("y.npy", harness.write_npy(y)),
                    "--layout", "channels_last"]
    yield "floats", ["npy", put("f.npy", harness.write_npy(noise.normal(size=(20, 4, 7)).astype("<f4"))),
                     folder / "y.npy", "--layout", "none"]
    yield "digits", ["idx", put("images", idx(pixels[..., 0])), put("labels", idx(y.astype("u1"))),
                     "--layout", "none"]
    rows = np.concatenate([y.astype("u1")[:, None], noise.integers(0, 256, (20, 3072), np.uint8)], 1)
    yield "cifar", ["cifar", put("batch.bin", rows.tobytes())]
    yield "heads", ["safetensors", put("h.safetensors", tensors.write_safetensors(
        {"x": pixels.transpose(0, 3, 1, 2).copy(), "y.a": y, "y.b": noise.random((20, 3), dtype="<f4")})),
        "--layout", "channels_first"]
    for i in range(20):
        kind = "jpeg" if i % 2 else "png"
        put(f"photos/class{i % 3}/{i:02}.{kind}",
            image_sets.encoded(image_sets.photograph(noise, 20, 24), kind))
    yield "photos", ["folder", folder / "photos"]


def newer(root, command):
    """Sets of kinds that 0.1.0 does not know, imported beside the others: their names."""
    for data in hosting.rich_sets():
        hosting.write(root, data, command)
        yield data.name
    noise = np.random.default_rng(1)
    image_sets.write(root, image_sets.of_files("pictures", [
        image_sets.encoded(image_sets.photograph(noise, *noise.integers(20, 40, 2))) for _ in range(8)]))
    yield "pictures"


def targets(names):
    """What is asked of both: a target, and what is posted to it."""
    for name in names:
        for options in BATCHES:
            for suffix in SUFFIXES if "out_dtype" not in options else SUFFIXES[1:]:
                yield f"/v1/datasets/{name}/batches/1.{suffix}?{options}", None
    for options in RECIPES:
        for suffix in ("npy", "raw", "safetensors", "json"):
            yield f"/v1/masks.{suffix}?{options}", None
    for options in PLANS:
        for suffix in ("npz", "safetensors", "json"):
            yield f"/v1/plans.{suffix}?{options}", None
    x = harness.write_npy(np.random.default_rng(3).random((8, 20, 12), dtype="<f4"))
    for options in MIXES:
        for suffix in ("npy", "npz", "json"):
            yield f"/v1/mix.{suffix}?{options}", x


def answers(command, root, asked):
    """Status, body and ETag of each answer, and what the daemon said of sets that it does not serve."""
    with harness.Server("--data", root, "--drain", "0", command=[command]) as server:
        found = [server.get(target) if body is None else server.post(target, body) for target, body in asked]
        digests = {name: server.get(f"/v1/datasets/{name}").json()["digest"] for name in sorted(
            {target.split("/")[3] for target, _ in asked if "/datasets/" in target})}
        said = server.log_tail(harness.LOG_MOST)
    return [(one.status, one.body, one.headers["ETag"]) for one in found], digests, said


def compare(asked, wanted, given):
    """How many answers are as 0.1.0's; names the first of the others."""
    wrong = [target for (target, _), one, other in zip(asked, wanted, given) if one != other or one[0] != 200]
    for target in wrong[:5]:
        print(f"  other: {target}")
    return len(asked) - len(wrong)


def main():
    """Imports and serves by both; the sums."""
    old, new = build(), harness.program()
    with tempfile.TemporaryDirectory() as folder:
        places = {old: pathlib.Path(folder, "old"), new: pathlib.Path(folder, "new")}
        told = dict(sources(pathlib.Path(folder, "sources")))
        for command, place in places.items():
            place.mkdir()
            for name, arguments in told.items():
                hosting.importing(place / name, "--from", *arguments, command=[command])
        unknown = list(newer(places[new], [new]))
        asked = list(targets(told))
        wanted, digests, _ = answers(old, places[old], asked)
        good = True
        for what, command, place in (("this version, sets of 0.1.0", new, places[old]),
                                     ("0.1.0, sets of this version", old, places[new]),
                                     ("this version, its own sets", new, places[new])):
            given, others, said = answers(command, place, asked)
            equal = compare(asked, wanted, given)
            print(f"{what}: {equal} of {len(asked)} answers equal, "
                  f"{sum(digests[name] == others[name] for name in digests)} of {len(digests)} digests")
            good &= equal == len(asked) and others == digests
            if command == old:
                named = [name for name in unknown if f"data set '{name}': " in said]
                print(f"{what}: {len(named)} of {len(unknown)} sets of kinds that it does not know are named")
                good &= named == unknown
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
