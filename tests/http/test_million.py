"""An image set of many rows: ready at once, and its last batch costs what its first does.

Of FMIX_ROWS rows, of which `make long` has a million: nine pictures, again and again in tar shards, or by the
lines of a list with FMIX_SOURCE=list. Ten million rows of a list take some 7 GB. What is measured is printed.
"""

import io
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

import numpy as np
from PIL import Image

import harness
import image_sets
from process import SHADOW, processor_seconds, resident

ROWS = int(os.environ.get("FMIX_ROWS", "20000"))
SOURCE = os.environ.get("FMIX_SOURCE", "tar")
SHARD = 50_000 if SOURCE == "tar" else ROWS  # rows at most, of which the first has the first picture
BATCH = 250
TIMES = 9
SIDE = 48 if SOURCE == "tar" else 16
FILES = [image_sets.encoded(image_sets.photograph(np.random.default_rng(seed), SIDE + seed, SIDE + 22 - 2 * seed))
         for seed in range(9)]

# Runs a command, and prints its CPU seconds and the most KiB that it held. A process counts what its parent held
# when it was forked, and this program holds little; one that has run tests may hold hundreds of megabytes.
MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(status)
"""


def write_shard(path, rows):
    """Row i is picture i % 9 of class i % 9."""
    pieces = []
    for number, data in enumerate(FILES):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in (("00000000.jpg", data), ("00000000.cls", str(number).encode())):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            pieces.append(out.getvalue()[:archive.offset])
    with open(path, "wb") as file:
        for row in range(rows):
            file.write(named(pieces[row % len(pieces)], row))
        file.write(bytes(1024))


def named(piece, row):
    """Members of another key, with their true checksums."""
    made, at = bytearray(piece), 0
    while at < len(made):
        size = int(made[at + 124:at + 135], 8)
        made[at:at + 8] = b"%08d" % row
        made[at + 148:at + 156] = b" " * 8
        made[at + 148:at + 156] = b"%06o\0 " % sum(made[at:at + 512])
        at += 512 + -(-size // 512) * 512
    return bytes(made)


def write_shards(folder):
    """Arguments of an import, and its rows."""
    shard, shards = folder / "shard.tar", -(-ROWS // SHARD)
    write_shard(shard, ROWS // shards)
    for number in range(shards):
        os.link(shard, folder / f"shard-{number:03}.tar")
    return sorted(folder.glob("shard-*.tar")), ROWS // shards * shards


def write_list(folder):
    """The same, where row i is line i of a list."""
    for number, data in enumerate(FILES):
        (folder / f"{number}.jpg").write_bytes(data)
    lines = [f"{number}.jpg,{number}\n" for number in range(len(FILES))]
    with open(folder / "list.csv", "w", encoding="ascii") as file:
        file.write("path,y\n")
        for row in range(ROWS):
            file.write(lines[row % len(lines)])
    return [folder / "list.csv"], ROWS


def milliseconds(ask):
    """What is asked for, and how long that took."""
    start = time.perf_counter()
    answer = ask()
    return answer, 1000 * (time.perf_counter() - start)


class Million(unittest.TestCase):
    """Imported once, and served from the start and from the end."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.told = {"rows": ROWS}
        sources, cls.rows = (write_list if SOURCE == "list" else write_shards)(cls.folder)
        (cls.folder / "sets").mkdir()
        command = [harness.program(), "import", cls.folder / "sets/set", "--from", SOURCE, *sources]
        start = time.monotonic()
        with open(cls.folder / "said", "wb") as said:
            done = subprocess.run([sys.executable, "-c", MEASURED, *command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=said, check=False)
        cls.said = (cls.folder / "said").read_text(encoding="utf-8")
        if done.returncode:
            raise AssertionError(cls.said[-3000:])
        seconds, most = map(float, done.stdout.split())
        if not SHADOW and most > 128 << 10:
            raise AssertionError(f"the import held {most} KiB")
        cls.told |= {"import s": time.monotonic() - start, "import CPU s": seconds, "import MiB": most / 1024}

    @classmethod
    def tearDownClass(cls):
        print("\nmillion:", ", ".join(f"{name} {value:.4g}" for name, value in cls.told.items()), file=sys.stderr)

    def test_it_is_ready_at_once_and_its_end_is_as_near_as_its_beginning(self):
        self.assertIn(f"imported {self.rows} ", self.said)
        start = time.perf_counter()
        with harness.Server("--data", str(self.folder / "sets"), "--drain", "0", "--threads", "1") as server:
            facts = server.get("/v1/datasets/set").json()
            self.told |= {"start ms": 1000 * (time.perf_counter() - start), "start MiB": self.memory(server),
                          "start CPU ms": 1000 * processor_seconds(server.process)}
            self.assertEqual(facts["count"], self.rows)
            self.assertEqual(self.pieces(server, "good"), 0)  # nothing was read that no batch asked for
            self.assertLess(processor_seconds(server.process), 1)
            last = self.rows // BATCH - 1
            for step, name in (0, "first"), (last, "last"):
                self.check(server, step, name)
            self.told["MiB after both"] = self.memory(server)
            self.assertLess(self.pieces(server, "good"), 12)
            if not SHADOW:
                self.assertLess(self.memory(server), 64)
            self.check_shuffled(server, last)

    def memory(self, server):
        return resident(server.process, "VmHWM") / 2**20

    def pieces(self, server, state):
        return server.metric(f'fmixd_data_pieces{{state="{state}"}}')

    def check(self, server, step, name):
        """A batch, once while its pieces are unchecked, and then as often as its time needs."""
        path = f"/v1/datasets/set/batches/{step}.npy?n={BATCH}&size=32&method=none&view=stretch"
        answer, self.told[f"{name} ms"] = milliseconds(lambda: server.get(path))
        self.assertEqual(answer.status, 200, answer.body)
        for i, mixed in enumerate(answer.npy()):
            row = (step * BATCH + i) % (self.rows // -(-ROWS // SHARD))
            image = Image.open(io.BytesIO(FILES[row % len(FILES)])).resize((32, 32), Image.Resampling.BILINEAR)
            self.assertEqual(mixed.tobytes(), image.tobytes())
        path = path.replace("method=none&view=stretch", "method=fmix&flip=1")
        self.told[f"{name} again ms"] = statistics.median(
            milliseconds(lambda: server.get(f"{path}&seed={seed}"))[1] for seed in range(TIMES))

    def check_shuffled(self, server, last):
        """Rows from anywhere, each of which needs a piece of its own."""
        path = "/v1/datasets/set/batches/{}.safetensors?n=250&size=32&shuffle=1&method=fmix"
        for step in 0, last:
            answer, self.told[f"shuffled {step} ms"] = milliseconds(lambda at=step: server.get(path.format(at)))
            self.assertEqual(answer.status, 200, answer.body)
        self.told |= {"MiB after all": self.memory(server),
                      "not of files": resident(server.process, "RssAnon") / 2**20}


if __name__ == "__main__":
    unittest.main()
