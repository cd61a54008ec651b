"""Large answers flow through bounded memory, and end with their client."""

import contextlib
import os
import re
import socket
import threading
import time
import unittest

import numpy as np

import harness
from harness import until
from process import resident

MEBI = 1 << 20
ROWS = int(os.environ.get("FMIX_STREAM_ROWS", "1000000"))  # 4 GB; fewer for slow builds


class Download:
    """A GET whose body is read as it comes."""

    def __init__(self, server, target):
        self.socket = socket.create_connection(server.address, timeout=harness.PATIENCE)
        self.started = time.monotonic()
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: test\r\n"
                            "Connection: close\r\n\r\n".encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            self.pending += self.socket.recv(65536)
        self.first_byte = time.monotonic() - self.started
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        self.length = int(re.search(rb"Content-Length: (\d+)", head)[1])

    def blocks(self, size=4 * MEBI):
        """Offset and bytes of one piece after the other, to the end."""
        offset = 0
        room = bytearray(size)
        if self.pending:
            yield 0, self.pending
            offset = len(self.pending)
        while count := self.socket.recv_into(room):
            yield offset, memoryview(room)[:count]
            offset += count

    def close(self):
        self.socket.close()


def pieces_of(download, wanted):
    """Reads all of a download; the bytes of each range (start, end) wanted."""
    found = {span: bytearray(span[1] - span[0]) for span in wanted}
    total = 0
    for offset, block in download.blocks():
        total = offset + len(block)
        for start, end in wanted:
            low, high = max(start, offset), min(end, total)
            if low < high:
                found[start, end][low - start:high - start] = \
                    block[low - offset:high - offset]
    return total, found


class LargeAnswers(harness.ServerTest):
    @property
    def metric(self):
        return self.server.metric

    @property
    def wait_for(self):
        return self.server.until_metric

    def rest(self):
        """Waits until no slice is or will be computed, and returns how many were."""
        return until(lambda: (found := self.metric(
            "fmixd_slices_running", "fmixd_queue_waiting", "fmixd_slices_total"))[:2] == [0, 0]
            and found[2:])[0]

    def test_four_gigabytes_take_less_than_64_mib_and_are_right_anywhere(self):
        recipe = "shape=32x32&seed=5&alpha=0.7"
        self.get(f"/v1/masks.npy?{recipe}&n=1000")
        before = resident(self.server.process)
        download = Download(self.server, f"/v1/masks.npy?{recipe}&n={ROWS}")
        self.assertEqual(download.status, 200)
        self.assertEqual(download.length, 128 + ROWS * 4096)
        chosen = [int(row) for row in np.random.default_rng(1).integers(ROWS, size=10)]
        spans = [(128 + row * 4096, 132 + (row + 1) * 4096 - 4) for row in chosen]
        total, found = pieces_of(download, spans)
        download.close()
        grown = resident(self.server.process, "VmHWM") - before
        print(f"\n{total / 1e9:.1f} GB: first byte after {1000 * download.first_byte:.1f} ms, "
              f"{grown / MEBI:.1f} MiB more, {time.monotonic() - download.started:.1f} s")
        self.assertEqual(total, download.length)
        self.assertLess(grown, 64 * MEBI)
        for row, span in zip(chosen, spans):
            alone = self.get(f"/v1/masks.raw?{recipe}&index={row}",
                             fresh=True)
            self.assertEqual(bytes(found[span]), alone.body, f"row {row}")

    def test_a_client_that_leaves_mid_body_frees_its_slices(self):
        cancelled = self.metric("fmixd_cancelled_total")
        download = Download(self.server, "/v1/masks.npy?shape=64x64&n=1000000")
        next(download.blocks())
        self.wait_for("fmixd_queue_jobs", 1)
        download.close()
        self.wait_for("fmixd_queue_jobs", 0)
        self.wait_for("fmixd_cancelled_total", cancelled + 1)
        slices = self.rest()
        for _ in range(20):
            self.assertEqual(self.metric("fmixd_slices_total"), slices)

    def test_a_reader_that_pauses_holds_a_few_windows_only(self):
        """Beside what the kernel buffers: of sixteen gigabytes a hundredth at most is computed, however
        long the pause."""
        before = self.metric("fmixd_masks_total")
        download = Download(self.server, "/v1/masks.npy?shape=64x64&n=1000000")
        self.wait_for("fmixd_queue_jobs", 1)
        slices = None
        while slices != (slices := self.rest()):
            self.assertLess(self.metric("fmixd_masks_total") - before, 10000)
        self.assertLess(self.metric("fmixd_masks_total") - before, 10000)
        self.wait_for("fmixd_queue_jobs", 1)
        download.close()
        self.wait_for("fmixd_queue_jobs", 0)

    def test_small_requests_are_served_between_the_slices_of_a_large_one(self):
        download = Download(self.server, "/v1/masks.npy?shape=256x256&n=1000000")

        def read():
            with contextlib.suppress(ConnectionResetError):  # once the socket is shut down, below
                for _ in download.blocks():
                    pass
        reader = threading.Thread(target=read)
        reader.start()
        for index in range(20):
            self.assertEqual(self.get(f"/v1/masks.json?shape=8x8&index={index}").status, 200)
        self.assertTrue(reader.is_alive())
        download.socket.shutdown(socket.SHUT_RDWR)
        reader.join()
        download.close()
        self.wait_for("fmixd_queue_jobs", 0)

    def test_upload_and_answer_of_a_large_batch_come_back_whole(self):
        x = np.arange(64 * 3 * 128 * 128, dtype=np.uint32).view(np.uint8)
        x = x.reshape(256, 3, 128, 128)
        answer = self.post("/v1/mix.npy?layout=channels_first&lambda=1",
                           harness.write_npy(x))
        self.assertTrue(np.array_equal(answer.npy(), x))


if __name__ == "__main__":
    unittest.main()
