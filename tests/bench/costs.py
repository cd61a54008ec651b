"""What admission reckons with against what computing takes: random large requests, one after another.

costs.py [--seed N] [--seconds N]

A line for each route, format and stage that took over 5 ms: of how many requests, the median of measured by
estimated time, and the worst with its request. The scheduler learns a machine's pace by itself, so that all are 2
does not matter; that one is 20 means that such a request delays others. Figures of this machine, which should do
nothing else meanwhile.
"""

import argparse
import collections
import http.client
import math
import pathlib
import random
import re
import statistics
import sys
import tempfile
import time
from urllib.parse import urlencode

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
import hosting  # noqa: E402
from hosting import Hosted  # noqa: E402

LEAST = 5e-3    # seconds; less is noise
PATIENCE = 30   # seconds without a byte, after which an answer is given up
MOST = 1 << 24  # elements of a mask
METHODS = ("fmix", "cutmix", "mixup", "bc", "samplepairing", "none")
PAIRINGS = ("permutation", "derangement", "flip", "roll", "none")
FORMATS = ("npy", "raw", "json", "png", "npz", "safetensors")
SIZES = {"f32": 4, "u8": 1, "f16": 2, "f64": 8, "i16": 2, "bool": 1}
STAGES = ("handle", "prepare", "rows", "encode")
TIME = re.compile(r'^fmixd_compute_(estimated_)?seconds_total\{stage="(\w+)"\} (\S+)$', re.M)


def sets(folder):
    """Sets of which each is large in its own way; the most rows of a batch, by name."""
    source = np.random.default_rng(1)
    pixels = source.integers(0, 256, (20000, 28, 28), dtype=np.uint8)
    rows = 200_000
    made = [
        (Hosted("rows", source.integers(0, 256, (rows, 2), dtype=np.uint8), {"y": source.integers(0, 1000, rows)},
               {"y": 1000}, "none", None, source.integers(0, rows, (rows, 2))), rows),
        (Hosted("signals", source.normal(size=(4, 1 << 22)).astype("<f4"), {"y": np.arange(4)}, {"y": 4}, "none"), 32),
        (Hosted("volumes", source.integers(0, 256, (4, 2, 128, 128, 96), dtype=np.uint8), {"y": np.arange(4)}, {"y": 4},
               "channels_first"), 32),
        (Hosted("tags", pixels[:600], {"y": source.random((600, 21841), dtype="<f4")}, {}, "none"), 600),
        (Hosted("classes", pixels, {"y": source.integers(0, 21841, 20000)}, {"y": 21841}, "none"), 20000),
        (Hosted("texts", [source.normal(size=(int(n), 8)).astype("<f4") for n in source.integers(1, 300, 5000)],
               {"y": source.integers(0, 10, 5000)}, {"y": 10}, "none"), 5000)]
    for data, _ in made:
        hosting.write(folder, data)
    photos = folder.parent / "photos"
    for i, (height, width) in enumerate(((1500, 1000), (64, 64), (1, 6000), (6000, 2), (2400, 3200), (17, 31)) * 4):
        kind, how = (("jpg", {"quality": 95}), ("jpg", {"progressive": True}), ("png", {}))[i // 6 % 3]
        path = photos / "ab"[i % 2] / f"{i}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = source.integers(0, 256, (1 + height // 8, 1 + width // 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(path, **how)
    for store in "files", "pixels":
        hosting.importing(folder / store, "--from", "folder", photos, "--channels", "3", "--store", store)
    return {data.name: most for data, most in made} | {"files": 64, "pixels": 64}


class Draw:
    """Requests, of sizes that are spread by their logarithms."""

    def __init__(self, seed, rows):
        self.random, self.rows = random.Random(seed), rows

    def size(self, least, most):
        return round(math.exp(self.random.uniform(math.log(least), math.log(max(least, most)))))

    def one(self, *of):
        return self.random.choice(of)

    def shape(self):
        """Of one to three sides: a square, a cube, or any."""
        elements = self.size(64, 1 << 22)
        long = self.size(1, elements)
        wide = self.size(1, elements // long)
        return self.one([elements], [long, elements // long], [math.isqrt(elements)] * 2,
                        [long, wide, max(1, elements // long // wide)], [round(elements ** (1 / 3))] * 3)

    def some(self, share, **values):
        """Each of these with some probability."""
        return {name: self.one(*of) for name, of in values.items() if self.random.random() < share}

    def mixing(self, methods=METHODS):
        chosen = self.random.sample(methods, self.one(1, 1, 2))
        query = {"method": ",".join(chosen), "seed": self.random.getrandbits(32)}
        query |= self.some(0.3, prob=(0.2, 0.7), scope=("sample", "batch"), alpha=(0.2, 5))
        if "fmix" in chosen:
            query |= self.some(0.3, delta=(0, 1, 2, 6, 10), soft=(0.01, 0.2, 0.5), spectrum=("official",))
        return query

    def masks(self):
        shape = self.shape()
        query = self.mixing(("fmix", "cutmix"))
        query.pop("prob", None)
        query["method"] = query["method"].split(",", maxsplit=1)[0]
        query |= {"shape": "x".join(map(str, shape)), "n": self.size(1, MOST // math.prod(shape))}
        form = self.one(*FORMATS)
        query |= self.some(0.5, dtype=("f32", "f16", "f64") if "soft" in query else ("u8", "bits", "f64"))
        query |= self.some(0.5, scale=(2, 8, 32)) if form == "png" else {}
        return "masks", form, "/v1/masks." + form, query, None

    def plans(self):
        shape, steps = self.shape(), self.size(1, 300)
        query = self.mixing() | {"shape": "x".join(map(str, shape)), "steps": steps}
        query |= {"n": self.size(1, 2 * MOST // math.prod(shape) // steps)} | self.some(0.5, pairing=PAIRINGS)
        form = self.one("npz", "safetensors", "json")
        return "plans", form, "/v1/plans." + form, query, None

    def mix(self):
        shape, channels, form = self.shape(), self.one(1, 3), self.one(*FORMATS)
        count = self.size(1, MOST // 4 // math.prod(shape))
        kind = self.one(*SIZES)
        methods = METHODS if kind[0] in "fu" else ("fmix", "cutmix", "none")
        query = self.mixing(methods) | {"x_shape": "x".join(map(str, [count, channels, *shape])), "x_dtype": kind,
                                        "layout": "channels_first", "parts": "mixed"}
        body = np.random.default_rng(1).bytes(min(1 << 16, count * channels * math.prod(shape) * SIZES[kind]))
        body *= -(-count * channels * math.prod(shape) * SIZES[kind] // len(body))
        return "mix", form, "/v1/mix." + form, query, body[:count * channels * math.prod(shape) * SIZES[kind]]

    def batches(self):
        name = self.one(*self.rows)
        form, size = self.one(*FORMATS), self.size(1, self.rows[name])
        query = self.mixing() | {"n": size} | self.some(0.5, pairing=PAIRINGS, shuffle=(1,))
        if name not in ("files", "pixels"):
            query |= self.some(0.2, out_dtype=("f32", "f16", "f64"), mean=(0.4,), std=(0.2,))
        if name in ("volumes", "classes"):
            query |= self.some(0.3, crop=(2, 10), flip=(1,))
        if name in ("files", "pixels"):
            query |= {"size": self.one(32, 224, "224x192", "1x4096", self.size(1, 800))}
            query |= self.some(0.5, view=("random", "center", "stretch"), filter=("bilinear", "bicubic", "nearest"))
        elif name in ("rows", "classes"):
            query |= self.some(0.3, pairing=("other_class", "same_class"))
        elif name == "texts":
            query |= self.some(0.5, bucket=(1, 10, 1000))
        if form in ("raw", "png"):
            query["parts"] = "mixed"
        return name, form, f"/v1/datasets/{name}/batches/0.{form}", query, None

    def request(self):
        return self.one(self.masks, self.plans, self.mix, self.batches, self.batches)()


def times(server):
    """Measured and estimated seconds, by stage."""
    of = collections.defaultdict(lambda: [0.0, 0.0])
    for estimated, stage, seconds in TIME.findall(server.get("/metrics").body.decode()):
        of[stage][bool(estimated)] = float(seconds)
    return of


def idle(server):
    text = server.get("/metrics").body.decode()
    return "\nfmixd_queue_jobs 0\n" in text and "\nfmixd_slices_running 0\n" in text


def ask(server, target, body):
    """Its status; 0 where the answer took too long, and was given up."""
    connection = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
    try:
        kind = {"Content-Type": "application/octet-stream"} if body is not None else {}
        connection.request("GET" if body is None else "POST", target, body, kind)
        answer = connection.getresponse()
        while answer.read(1 << 20):
            pass
        return answer.status
    except TimeoutError:
        return 0
    finally:
        connection.close()


def main():
    """Prints the lines, and how many requests got which status."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--seed", type=int, default=1)
    parse.add_argument("--seconds", type=float, default=300)
    options = parse.parse_args()
    seen, statuses = collections.defaultdict(list), collections.Counter()
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root, "sets")
        draw = Draw(options.seed, sets(folder))
        with harness.Server("--data", str(folder), "--threads", "1", "--memory", "4G", "--body", "256M", "--elements",
                            str(MOST), "--drain", "0") as server:
            end = time.monotonic() + options.seconds
            while time.monotonic() < end:
                what, form, path, query, body = draw.request()
                target, before = f"{path}?{urlencode(query, safe=',')}", times(server)
                statuses[ask(server, target, body)] += 1
                harness.until(lambda: idle(server))
                for stage, now in times(server).items():
                    took, said = (now[i] - before[stage][i] for i in range(2))
                    if took > LEAST:
                        seen[what, form, stage].append((took / max(said, 1e-9), took, target))
    for (what, form, stage), rows in sorted(seen.items()):
        ratio, took, target = max(rows)
        print(f"{what:8} {form:11} {stage:8} {len(rows):4}  {statistics.median(row[0] for row in rows):6.1f}"
              f"  {ratio:7.1f} {1000 * took:8.0f} ms  {target}")
    print(f"requests by status: {dict(statuses)}")


if __name__ == "__main__":
    main()
