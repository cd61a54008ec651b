"""Sets are ready at once at any size, and each piece of a file is checked before its first use."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
from hashlib import blake2b

import numpy as np

import harness
import hosting
from containers import read_safetensors

MIB = 1 << 20
ROW = MIB // 4


def hashed(*texts):
    """BLAKE2b-256, in bytes."""
    return blake2b(b"".join(texts), digest_size=32).digest()


def write_zeros(path, rows):
    """A set of zeros, which the disk need not hold, with its true pieces and a digest that nobody
    checks: hashing four GiB takes seconds, hashing one piece of them does not."""
    digest = "ab" * 32
    path.mkdir()
    with open(path / "data.bin", "wb") as file:
        file.truncate(rows * ROW)
    pieces = hashed(bytes(MIB)) * (rows * ROW // MIB)
    (path / "pieces.bin").write_bytes(pieces)
    facts = f"fmixd 1\n{rows} u8 none {ROW}\n"
    root = hashed(b"fmixd pieces 1\n", facts.encode(), digest.encode(), b"\n", pieces)
    (path / "manifest.json").write_text(json.dumps({
        "fmixd": 1, "count": rows, "dtype": "u8", "shape": [ROW], "layout": "none", "heads": [],
        "digest": digest, "pieces": root.hex()}))


def pieces_of(server, state):
    """How many pieces of all sets are in this state."""
    return server.metric(f'fmixd_data_pieces{{state="{state}"}}')


def bytes_in_memory(server, name):
    """What the daemon has touched of its mapping of a file."""
    maps = pathlib.Path(f"/proc/{server.process.pid}/smaps").read_text(encoding="utf-8")
    found = re.search(rf"^[^\n]*/{name}\n.*?^Rss: +(\d+) kB", maps, re.M | re.S)
    return 1024 * int(found[1])


class Size(unittest.TestCase):
    """Of a set of 4 GiB and of one of 4 MiB, as much is read."""

    def test_a_start_reads_nothing_of_the_rows(self):
        for rows in 16, 16384:
            with tempfile.TemporaryDirectory() as root:
                write_zeros(pathlib.Path(root, "zeros"), rows)
                with harness.Server("--data", root, "--drain", "0") as server:
                    self.assertEqual(bytes_in_memory(server, "data.bin"), 0)
                    self.assertEqual(pieces_of(server, "unchecked"), rows / 4)

    def test_a_batch_reads_its_own_pieces(self):
        with tempfile.TemporaryDirectory() as root:
            write_zeros(pathlib.Path(root, "zeros"), 16384)
            with harness.Server("--data", root, "--drain", "0", "--elements", str(ROW)) as server:
                target = "/v1/datasets/zeros/batches/{}.npy?n=8&method=cutmix&parts=mixed&digest=" + "ab" * 32
                for step in 2047, 0, 1000, 1000:
                    answer = server.get(target.format(step))
                    self.assertEqual((answer.status, answer.npy().any()), (200, False))
                self.assertEqual(pieces_of(server, "good"), 6)
                self.assertLess(bytes_in_memory(server, "data.bin"), 64 * MIB)

    def test_verify_start_reads_all_of_it(self):
        with tempfile.TemporaryDirectory() as root:
            write_zeros(pathlib.Path(root, "zeros"), 64)
            with harness.Server("--data", root, "--drain", "0", "--verify", "start") as server:
                self.assertEqual(server.get("/v1/datasets/zeros").status, 503)
                server.until_logged("a file was altered")


def verify(path, command="verify"):
    """The status of `fmixd verify`, and what it says."""
    done = subprocess.run([harness.program(), command, str(path)], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=harness.PATIENCE)
    return done.returncode, done.stdout


class Damage(unittest.TestCase):
    """A byte is wrong from the start: in each file in turn, and where only some batches need it."""

    @classmethod
    def setUpClass(cls):
        cls.kept = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        noise = np.random.default_rng(4)
        rows = noise.integers(0, 256, (24, 1, 512, 300), dtype=np.uint8)
        cls.large = hosting.Hosted("large", rows, {"y": noise.integers(0, 5, 24)}, {"y": 5}, "channels_first",
                                   {"dense": rows[:, 0] // 16}, noise.integers(0, 24, (24, 3)))
        hosting.write(cls.kept, cls.large)
        for data in hosting.rich_sets():
            hosting.write(cls.kept, data)

    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def damage(self, name, file, at):
        """Only this set, with one byte turned over."""
        shutil.copytree(self.kept / name, self.root / name)
        with open(self.root / name / file, "r+b") as out:
            out.seek(at)
            byte = out.read(1)[0]
            out.seek(at)
            out.write(bytes([byte ^ 0x40]))

    def batches(self, server, name, **options):
        query = "&".join(f"{key}={value}" for key, value in {"n": 4, "method": "cutmix", **options}.items())
        for step in range(6):
            yield server.get(f"/v1/datasets/{name}/batches/{step}.safetensors?{query}", fresh=True)

    def test_only_the_batches_that_need_a_wrong_piece_are_503(self):
        """Rows of 153600 bytes: piece 1 of 24 rows has bytes of rows 6 to 13."""
        with harness.Server("--data", str(self.kept), "--drain", "0") as server:
            right = [answer.body for answer in self.batches(server, "large")]
        self.damage("large", "data.bin", MIB + 5)
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            for _ in range(2):
                for step, answer in enumerate(self.batches(server, "large")):
                    if step in (1, 2, 3):
                        self.assertEqual(answer.status, 503)
                        self.assertIn("bytes 1048576 to 2097151 of data.bin (rows 6 to 13) are not what was imported",
                                      answer.json()["detail"])
                        self.assertGreater(int(answer.headers["Retry-After"]), 0)
                    else:
                        self.assertEqual((answer.status, answer.body), (200, right[step]))
            self.assertEqual(server.get("/v1/datasets/large").status, 200)
            self.assertEqual(pieces_of(server, "damaged"), 1)
            self.assertEqual(server.metric('fmixd_damaged_pieces{set="large"}'), 1)
            server.until_logged("of data.bin (rows 6 to 13)")
            self.assertEqual(server.log_tail(1 << 20).count("batches that need them are refused"), 1)
            self.repair(server, right)

    def repair(self, server, right):
        """The file is replaced by a good one, which a SIGHUP finds."""
        shutil.copy(self.kept / "large/data.bin", self.root / "large/new")
        os.replace(self.root / "large/new", self.root / "large/data.bin")
        server.process.send_signal(1)
        harness.until(lambda: pieces_of(server, "damaged") == 0)
        self.assertNotIn("fmixd_damaged_pieces", server.get("/metrics", fresh=True).body.decode())
        self.assertEqual([answer.body for answer in self.batches(server, "large")], right)

    def test_a_wrong_byte_in_any_file_is_found(self):
        for name, file, options in (
                ("streets", "data.bin", {}), ("streets", "labels.bin", {}), ("streets", "dense.bin", {}),
                ("streets", "dense.depth.bin", {}), ("streets", "neighbours.bin", {"pairing": "neighbour"}),
                ("fields", "labels.value.bin", {}), ("texts", "offsets.bin", {}), ("texts", "data.bin", {}),
                ("texts", "neighbours.bin", {"pairing": "neighbour"}), ("speech", "offsets.bin", {})):
            with self.subTest(name, file=file):
                self.damage(name, file, 9)
                with harness.Server("--data", str(self.root), "--drain", "0") as server:
                    for target in ("batches/0.npz", "batches/0.json"):
                        answer = server.get(f"/v1/datasets/{name}/{target}?n=40&method=cutmix&" + "&".join(
                            f"{key}={value}" for key, value in options.items()))
                        self.assertEqual(answer.status, 503, answer.body[:200])
                        self.assertIn(f"of {file}", answer.json()["detail"])
                status, said = verify(self.root / name)
                self.assertEqual(status, 1)
                self.assertRegex(said, rf"bytes 0 to \d+ of {file}.* are not what was imported")
                with harness.Server("--data", str(self.root), "--drain", "0", "--verify", "start") as server:
                    self.assertEqual(server.get(f"/v1/datasets/{name}").status, 503)
                    # Numbers that cannot be are named by their row.
                    server.until_logged_like(rf"a file was altered, first bytes 0 to \d+ of {file}.*; "
                                             rf"`fmixd verify SET` names all damage|'{name}': (neighbour 1 of )?row \d")
                shutil.rmtree(self.root / name)

    def test_sets_that_are_refused_whole_are_counted_and_named(self):
        """At start, by their digest; and after a file was cut, before a scan and after it."""
        self.damage("large", "data.bin", MIB + 5)
        shutil.copytree(self.kept / "streets", self.root / "streets")
        with harness.Server("--data", str(self.root), "--drain", "0", "--verify", "start") as server:
            self.assert_refused(server, ["large"], 1)
            server.until_logged("first bytes 1048576 to 2097151 of data.bin (rows 6 to 13)")
        shutil.rmtree(self.root / "large")
        shutil.copytree(self.kept / "large", self.root / "large")
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            self.assert_refused(server, [], 2)
            os.truncate(self.root / "large/data.bin", 100)
            self.assertEqual({answer.status for answer in self.batches(server, "large")}, {503})
            self.assert_refused(server, ["large"], 1)
            server.process.send_signal(1)
            server.until_logged("data.bin has 100 bytes")
            self.assert_refused(server, ["large"], 1)
            shutil.copy(self.kept / "large/data.bin", self.root / "large/data.bin")
            server.process.send_signal(1)
            harness.until(lambda: server.metric('fmixd_datasets{state="refused"}') == 0)
            self.assert_refused(server, [], 2)

    def assert_refused(self, server, names, served):
        """These sets are refused, and so many are served."""
        text = server.get("/metrics", fresh=True).body.decode()
        self.assertEqual(re.findall(r'^fmixd_dataset_refused{set="(.*)"} 1$', text, re.M), names)
        self.assertEqual(dict(re.findall(r'^fmixd_datasets{state="(.*)"} (\d+)$', text, re.M)),
                         {"served": str(served), "refused": str(len(names))})

    def test_batches_that_need_no_neighbours_are_served_where_those_are_wrong(self):
        self.damage("streets", "neighbours.bin", 9)
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            answer = server.get("/v1/datasets/streets/batches/0.safetensors?n=19&method=cutmix&parts=mixed")
            self.assertEqual(read_safetensors(answer.body)[0]["mixed"].shape, (19, 3, 8, 7))

    def test_a_set_whose_pieces_or_manifest_were_altered_is_not_served(self):
        for file, old, new in (("pieces.bin", None, None), ("manifest.json", '"pieces": "', '"pieces": "0'),
                               ("manifest.json", '"most": 12', '"most": 13'),
                               ("manifest.json", '"digest": "', '"digest": "0')):
            with self.subTest(file, old=old):
                shutil.copytree(self.kept / "texts", self.root / "texts")
                path = self.root / "texts" / file
                if old:
                    text = path.read_text()
                    at = text.index(old) + len(new)
                    path.write_text(text[:at - len(new)] + new + (text[at:] if len(new) == len(old) else text[at:]))
                else:
                    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
                with harness.Server("--data", str(self.root), "--drain", "0") as server:
                    self.assertEqual(server.get("/v1/datasets/texts").status, 503)
                    server.until_logged("was altered")
                self.assertEqual(verify(self.root / "texts")[0], 1)
                shutil.rmtree(self.root / "texts")

    def test_what_is_whole_is_verified_and_told(self):
        for path in self.kept.iterdir():
            status, said = verify(path)
            self.assertEqual((status, "is whole: " in said), (0, True), said)
            status, said = verify(path, "info")
            self.assertEqual(status, 0, said)
            digest = json.loads((path / "manifest.json").read_text())["digest"]
            self.assertIn(f"digest      {digest}\n", said)


if __name__ == "__main__":
    unittest.main()
