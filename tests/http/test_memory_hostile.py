"""What a daemon holds stays within memory, cache and a tenth, whoever sends what, for as long as he likes.

FMIX_MINUTES makes of the seconds of uploads so many minutes.
"""

import contextlib
import http.client
import io
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import zipfile

import numpy as np

import harness
from process import SHADOW, resident

SECONDS = 60 * float(os.environ.get("FMIX_MINUTES", "0")) or 8
CLIENTS = 24
LEAST, MOST = 100_000, 40_000_000  # bytes of an upload
SIDE = 1024
BYTES = np.random.default_rng(5).integers(0, 256, MOST, dtype=np.uint8).tobytes()


def npz(rows, compression):
    """An upload as NumPy writes it, of one row over and over."""
    stream = io.BytesIO()
    array = np.broadcast_to(np.frombuffer(BYTES[:SIDE], np.uint8), (rows, SIDE))
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("x.npy", harness.write_npy(array))
    return stream.getvalue()


CLASSES = 21841  # ImageNet-21k's


def write_set(folder):
    """One of as many classes, with long names."""
    x, y = np.zeros((64, 4, 6), np.uint8), np.arange(64) % 7
    np.save(f"{folder}/x", x)
    np.save(f"{folder}/y", y)
    subprocess.run([harness.program(), "import", f"{folder}/many", "--from", "npy",
                    f"{folder}/x.npy", f"{folder}/y.npy"], check=True, capture_output=True)
    manifest = pathlib.Path(folder, "many", "manifest.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["heads"][0]["classes"] = CLASSES
    told["class_names"] = [[f"{i:06d} {'name ' * 30}" for i in range(CLASSES)]]
    manifest.write_text(json.dumps(told), encoding="utf-8")



def bytes_of_one():
    """What the daemon counts a connection as."""
    text = "".join((harness.ROOT / "server/ops" / f"memory_shares.{end}").read_text(encoding="utf-8") for end in "ch")
    return sum(int(kib) << 10 for kib in re.findall(r"^#define (?:MEMORY_SHARES_POOL|REST_BYTES) +\((\d+)u << 10\)",
                                                    text, re.M))


HEADS = 8000
CONNECTIONS = 8192  # as many as the daemon has where memory allows
READERS = 4000
POD = 1 << 30
NOISE = 64 << 10  # bytes that memory may grow by between two looks: a sanitizer's own thread needs some each second

CGROUPS = pathlib.Path("/sys/fs/cgroup")


def pod(test):
    """How to run a daemon in a memory cgroup of a pod's limit, which kills it past that; the daemon
    alone where no cgroup can be made. Its resident memory is looked at in both."""
    if SHADOW:
        return None  # a sanitizer's own memory would count
    old = (CGROUPS / "memory" / "memory.limit_in_bytes").exists()
    folder = CGROUPS / ("memory" if old else "") / f"fmixd-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        folder.mkdir()
        test.addCleanup(folder.rmdir)  # once the daemon has ended
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(POD), encoding="ascii")
    except OSError as refused:
        print(f"\n  no memory cgroup here ({refused}): resident memory alone is looked at", flush=True)
        return None
    return ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$0" "$@"', harness.program()]


class Crowds:
    """Of clients that do not end what they began, as many as the daemon's connections allow."""

    memory, cache = 512, 128  # MiB: those of the Kubernetes base
    takes_all = False

    def command(self):
        """How the daemon is run."""
        return None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        write_set(self.folder.name)
        self.server = harness.Server("--memory", f"{self.memory}M", "--cache", f"{self.cache}M", "--threads", "2",
                                     "--head", "600", "--stall", "600", "--verify", "off",
                                     "--data", self.folder.name, command=self.command())
        self.server.start()
        self.addCleanup(self.server.stop)
        self.server.get("/v1/masks.npy?shape=224x224&n=64", fresh=True)  # threads and caches are made
        self.quiet = resident(self.server.process)
        self.limit = int(self.server.metric("fmixd_connections_limit"))
        self.assertEqual(self.limit, min(CONNECTIONS, (self.memory << 20) // 4 // bytes_of_one()))
        harness.until(lambda: self.held() == 0)

    def connect(self, count):
        """So many sockets with small windows, or fewer where the daemon has as many as it lets in."""
        harness.allow_descriptors(self, count + 200)
        sockets = []
        for _ in range(count):
            one = socket.socket()
            self.addCleanup(one.close)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.settimeout(2)
            try:
                one.connect(self.server.address)
            except TimeoutError:
                break  # the backlog is full as well
            sockets.append(one)
        expected = min(count, self.limit)
        if self.takes_all:
            self.assertEqual(expected, count)
        harness.until(lambda: self.held() >= expected, lambda: f"{self.held()} connections, not {expected}")
        return sockets

    def held(self):
        """Connections of the daemon: its sockets but for the listener."""
        count = -1
        for one in pathlib.Path(f"/proc/{self.server.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                count += os.readlink(one).startswith("socket:")
        return count

    def check(self, what, most=None):
        """Waits until it does not grow any more, which is when all have been heard that are. It grew by less
        than so many MiB and a tenth."""
        seen, still = 0, 0
        while still < 10:
            time.sleep(0.2)
            now = resident(self.server.process, "VmHWM")
            still = still + 1 if now < seen + NOISE else 0
            seen = now
        grown = (seen - self.quiet) / 2**20
        print(f"\n  {what}: {grown:.0f} MiB more at most, {seen / 2**20:.0f} in all; "
              f"{self.held()} of {self.limit} connections", flush=True)
        self.assertIsNone(self.server.process.poll())
        if not SHADOW:
            self.assertLess(grown, 1.1 * (most or self.memory + self.cache))

    def test_unfinished_heads(self):
        head = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(
            b"A%d: %s\r\n" % (i, b"x" * 1000) for i in range(28))
        # What waits in the backlog is heard where another gives up, and is not ours to count.
        for one in self.connect(HEADS):
            one.setblocking(False)
            with contextlib.suppress(OSError):
                one.send(head)
        self.check("unfinished heads", self.limit * bytes_of_one() / 2**20)

    def test_stopped_readers_of_every_kind_of_answer(self):
        targets = ("/v1/datasets", "/v1/datasets/many", "/openapi.json", "/", "/preview.js",
                   "/metrics", "/version", "/nothing",
                   "/v1/masks.npy?shape=224x224&n=999&seed=%d",
                   "/v1/masks.json?shape=64x64&n=9&seed=%d",
                   "/v1/masks.png?shape=224x224&n=9&seed=%d",
                   "/v1/masks.npz?shape=224x224&n=9&seed=%d",
                   "/v1/masks.safetensors?shape=64x64&n=9&seed=%d",
                   "/v1/plans.npz?shape=64x64&n=64&seed=%d",
                   "/v1/datasets/many/batches/0.npy?seed=%d",
                   "/v1/datasets/many/batches/0.npz?seed=%d",
                   "/v1/masks.npy?shape=8x8&seed=%d")
        for i, one in enumerate(self.connect(READERS)):
            target = targets[i % len(targets)]
            target = target % i if "%" in target else target
            one.setblocking(False)
            with contextlib.suppress(OSError):
                one.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.check(f"{READERS} readers")


class CrowdsOfAPod(Crowds, unittest.TestCase):
    """As the Kubernetes base runs it: a quarter of its memory holds fewer connections than these."""

    def command(self):
        return pod(self)

    def check(self, what, most=None):
        super().check(what, most)
        if not SHADOW:
            self.assertLess(resident(self.server.process, "VmHWM"), POD)


class CrowdsOfAMachine(Crowds, unittest.TestCase):
    """All of them are connected."""

    memory = 2560
    takes_all = True


class Uploads(unittest.TestCase):
    def upload(self, server, rng):
        """One of a size by chance, in a format by chance; its status."""
        rows = int(LEAST * (MOST / LEAST) ** rng.random()) // SIDE
        answer = rng.choice(("npy", "raw", "safetensors", "npz"))
        target = f"/v1/mix.{answer}?layout=none&seed={rng.randrange(99)}&method="
        target += rng.choice(("fmix", "cutmix", "mixup&out_dtype=f32"))
        kind = rng.choice(("raw", "raw", "stored", "deflated"))
        if kind == "raw":
            target += f"&x_shape={rows}x{SIDE}&x_dtype=u8"
            return server.post(target, memoryview(BYTES)[:rows * SIDE],
                               "application/octet-stream", fresh=True).status
        compression = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
        return server.post(target, npz(rows, compression), "application/x-npz", fresh=True).status

    def crowd(self, server, seconds):
        """Clients that upload until the time is over and one had room: how often each status came."""
        statuses, lock = {}, threading.Lock()
        end = time.monotonic() + seconds
        latest = end + harness.PATIENCE

        def client(number):
            rng = random.Random(number)
            while time.monotonic() < (end if statuses.get(200) else latest):
                try:
                    status = self.upload(server, rng)
                except (OSError, http.client.HTTPException):  # refused amid a body that is sent on
                    status = 0
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1
        threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def check(self, memory, cache, command=None):
        """With so many MiB of each."""
        with harness.Server("--memory", f"{memory}M", "--cache", f"{cache}M", "--threads",
                            "2", environment={"FMIXD_PATIENCE": "1000"}, command=command) as server:
            quiet = resident(server.process)
            statuses = self.crowd(server, SECONDS)
            grown = (resident(server.process, "VmHWM") - quiet) / 2**20
            after = (resident(server.process) - quiet) / 2**20
            print(f"\n  {memory}M and {cache}M: {statuses}; {grown:.0f} MiB more at most, "
                  f"{after:.0f} after", flush=True)
            self.assertGreater(statuses.get(200, 0), 0, statuses)
            self.assertLessEqual(set(statuses), {0, 200, 413, 429, 503}, statuses)
            self.assertEqual(server.get("/livez", fresh=True).status, 200)
            if not SHADOW:
                self.assertLess(grown, 1.1 * (memory + cache))

    def test_uploads_of_mixed_sizes_hold_no_more_than_little_memory(self):
        self.check(96, 32)

    def test_uploads_of_mixed_sizes_hold_no_more_than_a_pod_has(self):
        self.check(512, 128, pod(self))


if __name__ == "__main__":
    unittest.main()
