"""What a daemon holds stays within memory, cache and a tenth, whoever sends what, for as long as he likes.

FMIX_MINUTES makes of the seconds of uploads so many minutes.
"""

import io
import os
import random
import threading
import time
import unittest
import zipfile

import numpy as np

import harness
from test_memory import SHADOW, resident

SECONDS = 60 * float(os.environ.get("FMIX_MINUTES", "0")) or 20
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


class Uploads(harness.ServerTest):
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
        """Clients that upload until the time is over: how often each status came, and what the
        daemon held at most while they did."""
        statuses, lock = {}, threading.Lock()
        end = time.monotonic() + seconds

        def client(number):
            rng = random.Random(number)
            while time.monotonic() < end:
                try:
                    status = self.upload(server, rng)
                except OSError:  # refused amid a body that is sent on
                    status = 0
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1
        threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def check(self, memory, cache):
        """With so many MiB of each."""
        with harness.Server("--memory", f"{memory}M", "--cache", f"{cache}M", "--threads",
                            "2", environment={"FMIXD_PATIENCE": "1000"}) as server:
            quiet = resident(server.process)
            statuses = self.crowd(server, SECONDS)
            grown = (resident(server.process, "VmHWM") - quiet) / 2**20
            after = (resident(server.process) - quiet) / 2**20
            print(f"\n  {memory}M and {cache}M: {statuses}; {grown:.0f} MiB more at most, "
                  f"{after:.0f} after", flush=True)
            self.assertGreater(statuses.get(200, 0), 0, statuses)
            self.assertEqual(server.get("/livez", fresh=True).status, 200)
            if not SHADOW:
                self.assertLess(grown, 1.1 * (memory + cache))

    def test_uploads_of_mixed_sizes_hold_no_more_than_little_memory(self):
        self.check(96, 32)

    def test_uploads_of_mixed_sizes_hold_no_more_than_a_pod_has(self):
        self.check(512, 128)


if __name__ == "__main__":
    unittest.main()
