"""What the daemon serves, under what may differ around it: container bytes, headers and ranges too.

The requests are those of tests/golden/soak.json, whose answers are pinned: masks, plans and mixed
batches as npy, npz, safetensors, raw, png and json, of one method and of rows that choose. Of data sets
only the variants are compared, with one another; pictures are among them, with JPEG's decoder and views.
"""

import contextlib
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "http"), str(TESTS / "load"), str(TESTS / "data"),
                str(TESTS / "reference")]

import numpy as np  # noqa: E402

import catalogue  # noqa: E402
import harness  # noqa: E402
import hosting  # noqa: E402
import image_sets  # noqa: E402

SPLIT = (".npy", ".raw")


class Service(NamedTuple):
    """Replicas that share the requests, each with its options; how they are started."""

    name: str
    command: list
    options: tuple = ((),)
    environment: dict = {}
    rows: bool = False  # each row of a mask by a request of its own


def ask(server, entry):
    """The whole answer to an entry."""
    upload = entry["upload"]
    if not upload:
        return server.get(entry["target"])
    return server.post(entry["target"], catalogue.body_of(upload),
                       content_type=catalogue.TYPES[upload["format"]])


def digest(body):
    """As the catalogue has it."""
    return hashlib.blake2b(body, digest_size=32).hexdigest()


def is_as_pinned(server, entry):
    """Whether the answer, and each range of it, are what they were when they were pinned."""
    answer = ask(server, entry)
    if answer.status != 200 or digest(answer.body) != entry["blake2b"]:
        return False
    for first, last, pinned in entry["ranges"][:2] if not entry["upload"] else ():
        part = server.get(entry["target"], headers={"Range": f"bytes={first}-{last}"})
        if part.status != 206 or digest(part.body) != pinned:
            return False
    return True


def data_of(target, body):
    """What follows an npy header."""
    if ".npy?" not in target:
        return body
    return body[10 + int.from_bytes(body[8:10], "little"):]


def can_split(entry):
    """Whether it is masks whose rows can be asked for one by one."""
    path, query = urlsplit(entry["target"])[2:4]
    options = dict(parse_qsl(query))
    return (path.startswith("/v1/masks") and path.endswith(SPLIT) and int(options.get("n", 1)) > 1
            and options.get("scope") != "batch")


def rows_are_as_pinned(servers, entry):
    """Whether rows that several replicas make, a request each, are those of one answer."""
    path, query = urlsplit(entry["target"])[2:4]
    options = dict(parse_qsl(query))
    count, first = int(options["n"]), int(options.get("index", 0))
    if "step" in options and "index" not in options:
        first = int(options["step"]) * count
    parts = []
    for i in range(count):
        target = path + "?" + urlencode({**options, "n": 1, "index": first + i})
        answer = servers[i % len(servers)].get(target)
        if answer.status != 200:
            return False
        parts.append(data_of(target, answer.body))
    whole = servers[0].get(entry["target"])
    return (digest(whole.body) == entry["blake2b"]
            and data_of(entry["target"], whole.body) == b"".join(parts))


def run(service, entries):
    """How many requests were sent of what the service can be asked, and which answers were others
    than pinned."""
    wrong = []
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(harness.Server(*options, command=service.command,
                                                      environment=service.environment))
                   for options in service.options]
        if service.rows:
            entries = [entry for entry in entries if can_split(entry)]
            wrong = [entry for entry in entries if not rows_are_as_pinned(servers, entry)]
        else:
            wrong = [entry for i, entry in enumerate(entries)
                     if not is_as_pinned(servers[i % len(servers)], entry)]
        versions = [server.get("/version").json() for server in servers]
    return len(entries), [entry["target"] for entry in wrong], versions


def hosted_targets(server, name):
    """Batches of a data set in several ways, and a shard."""
    for options in ("n=5", "n=4&shuffle=1&flip=1&crop=2&seed=9", "n=6&method=cutmix&epoch=3",
                    "n=3&rank=1&world=2" if name == "tokens" else "n=3&mean=0.5&std=0.2&out_dtype=f16"):
        for suffix in ("npy", "safetensors", "json"):
            yield f"/v1/datasets/{name}/batches/1.{suffix}?{options}"
    urls = server.get(f"/v1/datasets/{name}/shards?n=4").json()["urls"]
    yield urls.partition("{")[0] + "000001.tar"


def choosing_targets(_, name):
    """Batches whose rows choose their method and their partner, some of them sequences."""
    blends = "mixup" if name in ("fields", "speech") else "cutmix"  # of floats alone
    by_class = "flip" if name == "speech" else "other_class"  # which has values alone
    for options in (f"method=fmix,{blends},none&alpha=0.2,1,4&switch=sample&prob=0.7",
                    f"method={blends},fmix&switch=sample&weights=1,3&scope=pair&pairing=flip",
                    f"method=fmix,{blends}&policy=random&prob=0.5&scope=batch&pairing={by_class}",
                    f"method={blends}&pairing=neighbour&crop=2&flip=1&shuffle=1&prob=0.8",
                    "method=fmix&pairing=neighbour&rank=1&world=2&correct=0"):
        for suffix in ("npz", "safetensors"):
            yield f"/v1/datasets/{name}/batches/1.{suffix}?n=7&seed=5&epoch=2&{options}"
    if name in ("texts", "speech"):
        for bucket in (1, 2, 50):
            yield f"/v1/datasets/{name}/batches/1.npz?n=4&shuffle=1&bucket={bucket}&pad_value=2"


def picture_files(source):
    """Files of pictures: JPEG of every subsampling, progressive, in grey and coarse; and PNG."""
    ways = ({}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 30}, {"kind": "png"})
    for i in range(18):
        height, width = source.integers(30, 90, 2)
        yield image_sets.encoded(image_sets.photograph(source, height, width, 1 if i % 5 == 4 else 3),
                                 **ways[i % len(ways)])


def picture_sets():
    """In colour and in grey, with files that are decoded when they are served."""
    files = list(picture_files(np.random.default_rng(33)))
    yield image_sets.of_files("photos", files)
    yield image_sets.of_files("scans", files[:13], 1)


def write_pictures(root, data, command):
    """One as it is; and the import of its files, which decodes them and shrinks them."""
    image_sets.write(root, data)
    with tempfile.TemporaryDirectory() as folder:
        for i, file in enumerate(data.files):
            path = pathlib.Path(folder, f"class{i % 4}", f"{i:02}.{'png' if file[1:4] == b'PNG' else 'jpg'}")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file)
        hosting.importing(pathlib.Path(root, f"{data.name}-shrunk"), "--from", "folder", folder, "--store",
                          "pixels", "--short", "25", command=command)


def views_targets(_, name):
    """Batches of views of pictures, of two sizes, mixed and not."""
    for options in ("view=random&size=32", "view=random&size=24x40&filter=bicubic&flip=1&method=cutmix",
                    "view=center&size=32&method=none", "view=center&size=24x40&filter=bicubic"):
        for suffix in ("npz", "safetensors"):
            for stored in (name, f"{name}-shrunk"):
                yield f"/v1/datasets/{stored}/batches/1.{suffix}?n=6&seed=5&shuffle=1&{options}"


def hosted(service):
    """The digests of what it serves of data sets that it imported itself: of one method, of rows that
    choose, and of views of pictures."""
    return " ".join(hosted_digest(service, list(sets()), targets, write) for sets, targets, write in (
        (hosting.some_sets, hosted_targets, hosting.write),
        (hosting.rich_sets, choosing_targets, hosting.write),
        (picture_sets, views_targets, write_pictures)))


def hosted_digest(service, sets, targets_of, write):
    """The digest of all answers to some targets of each set."""
    everything = hashlib.blake2b(digest_size=16)
    with tempfile.TemporaryDirectory() as root:
        for data in sets:
            write(root, data, service.command)
        with harness.Server("--data", root, "--drain", "0", command=service.command,
                            environment=service.environment) as server:
            for data in sets:
                for target in targets_of(server, data.name):
                    answer = server.get(target)
                    if answer.status != 200:
                        raise RuntimeError(f"{target}: {answer.body!r}")
                    everything.update(answer.body)
    return everything.hexdigest()


def selftest(service):
    """What `fmixd selftest` says of golden answers, and of the pictures that its decoder reads: the daemon
    itself starts with another decoder, too."""
    done = subprocess.run([*service.command, "selftest"], text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **service.environment})
    return done.returncode, done.stdout.strip()


def services_of(program, preloaded):
    """What may differ around one program."""
    three = (("--threads", "1"), ("--threads", "2"), ("--threads", "7"))
    for options in three:
        yield Service(f"served by {options[1]} threads", [program], (options,))
    yield Service("served by three replicas", [program], three)
    yield Service("served a row a request, by three", [program], three, rows=True)
    for plans in ("measure", "nosimd"):
        yield Service(f"served with plans {plans}", [program], ((),),
                      {"LD_PRELOAD": str(preloaded), "FMIX_PLANS": plans,
                       "ASAN_OPTIONS": "verify_asan_link_order=0"})
    yield Service("served by a glibc without FMA and AVX2", [program], ((),),
                  {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX512F"})
