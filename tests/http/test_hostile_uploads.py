"""Uploads that are made to take long: what they cost is not paid by those who ask for little.

FMIX_LATENCY measures it, and the same beside large volumes: for ten seconds 64 clients send the
worst of each kind, or ask for volumes of which one takes half a second, while health and what a modest
client asks for are requested; it prints their percentiles and what the crowd gets, asserts the
promised percentiles, and that four of five of the modest client's requests are not refused.
"""

import collections
import http.client
import io
import itertools
import os
import pathlib
import random
import re
import select
import struct
import threading
import time
import unittest
import zipfile
import zlib

import numpy as np

import harness

NPZ = "application/x-npz"
SAFETENSORS = "application/x-safetensors"
MIB = 1 << 20
CLIENTS = 64
SECONDS = 10
REFUSED = {413, 429, 503}
GREEDY, MODEST = "127.0.0.2", "127.0.0.3"
HEALTH = (("GET", "/livez", None), ("GET", "/readyz", None))
# What a modest client asks for: I/O threads compute the first, compute threads the others.
SMALL = (("GET", "/v1/masks.npy?shape=32x32&seed=%d", None),
         ("GET", "/v1/masks.npy?shape=224x224&n=8&seed=%d", None),
         ("POST", "/v1/mix.npy?layout=channels_first&seed=%d",
          harness.write_npy(np.zeros((64, 3, 32, 32), np.uint8))))
VOLUMES = ("GET", "/v1/masks.npy?shape=192x192x192&n=4&dtype=bits", None)
# A row of each takes a minute or so, of the second less.
LENGTHY = [f"/v1/masks.npy?shape=5x{side}x2&spectrum=official&soft=0.42&delta=10" for side in (2000, 1500)]
PROMISED = 0.020  # seconds, of health at the 99th percentile
PATIENCE = 0.100  # seconds that what is taken on may wait, the small mask as well


def npz(**arrays):
    """As numpy.savez_compressed, at zlib's best."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            archive.writestr(name + ".npy", harness.write_npy(array))
    return stream.getvalue()


def header(text):
    """A safetensors body that is nothing but this header."""
    return struct.pack("<Q", len(text)) + text


def damaged(body):
    """With another checksum in the last member's headers than it has: refused once all is unpacked."""
    at = body.rfind(b"PK\3\4") + 14
    central = body.rfind(b"PK\1\2") + 16
    other = bytes(byte ^ 255 for byte in body[at:at + 4])
    body = body[:at] + other + body[at + 4:]
    return body[:central] + other + body[central + 4:]


def kinds():
    """Name, content type, target, body and the statuses that it may get, beside 429 and 503."""
    zeros = np.zeros((16, 15 * MIB), np.uint8)
    labels = np.zeros(16 * 1000 * 1000, np.uint8)
    many = {f"y.h{i}": np.zeros(1, np.uint8) for i in range(15)}
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    wide = b"{" + b",".join(b'"a%06d":0' % i for i in range(80000)) + b"}"
    spaces = b"\x93NUMPY\2\0" + struct.pack("<I", 64 * MIB) + b" " * (64 * MIB)
    mix = "/v1/mix.npy?layout=none&method=none"
    return [
        ("inflates by a thousand and is refused late", NPZ, mix, damaged(npz(x=zeros)), {400}),
        ("sixteen million labels in few bytes", NPZ, mix + "&classes=2",
         npz(x=np.zeros((16 * 1000 * 1000, 1), np.uint8), y=labels), {200}),
        ("many tiny arrays", NPZ, mix + "&classes=2", npz(x=np.zeros((1, 8), np.uint8), **many),
         {200, 400}),
        ("a deep header", SAFETENSORS, mix, header(deep), {400}),
        ("a wide header", SAFETENSORS, mix, header(wide), {400}),
        ("a header of blanks", harness.NPY, mix, spaces, {400}),
    ]


class Hostile(harness.ServerTest):
    environment = {"FMIXD_PATIENCE": str(int(1000 * PATIENCE))}
    arguments = ("--threads", "2", "--memory", "1G")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kinds = kinds()

    def connect_from(self, source):
        """A connection of this client: a share is an address's."""
        connection = http.client.HTTPConnection(*self.server.address, timeout=harness.PATIENCE,
                                                source_address=(source, 0))
        self.addCleanup(connection.close)
        return connection

    @staticmethod
    def ask(connection, method, target, body, seed):
        target = target % seed if "%" in target else target
        return harness.exchange(connection, method, target, body, {"Content-Type": harness.NPY} if body else {})

    def send(self, content_type, target, body):
        """Its status; 0 where the connection was ended amid the body."""
        connection = self.connect_from(GREEDY)
        try:
            return harness.exchange(connection, "POST", target, body, {"Content-Type": content_type}).status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def take(self, method, target, body):
        """Its answer, of a client like those that send."""
        connection = self.connect_from(GREEDY)
        harness.exchange(connection, method, target, body)
        connection.close()

    def hang_up(self, content_type, target, body):
        """Does not wait for the answer."""
        connection = self.connect_from(GREEDY)
        try:
            connection.request("POST", target, body, {"Content-Type": content_type})
        except OSError:
            pass  # it was refused amid the body
        finally:
            connection.close()

    def test_each_gets_what_it_deserves(self):
        for name, content_type, target, body, statuses in self.kinds:
            with self.subTest(name):
                self.assertIn(self.send(content_type, target, body), statuses)
        self.assertEqual(self.server.get("/livez", fresh=True).status, 200)

    def test_each_is_counted_as_handled_by_compute_threads(self):
        for name, content_type, target, body, statuses in self.kinds:
            with self.subTest(name):
                before = self.handled()
                self.assertIn(self.send(content_type, target, body), statuses)
                harness.until(lambda: self.handled() > before)

    def test_what_inflates_to_much_is_held_in_huge_pages(self):
        """Memory in small pages is returned in tens of milliseconds, and I/O threads wait for that
        whenever they map memory themselves."""
        setting = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
        if not setting.exists() or "[never]" in setting.read_text():
            self.skipTest("the kernel does not have huge pages")
        if harness.has_sanitizer(harness.program(), "asan|tsan"):
            self.skipTest("the sanitizer's own memory has page faults, too")
        _, content_type, target, body, _ = self.kinds[0]
        before, lacked = self.page_faults(), self.huge_pages_lacked()
        self.assertEqual(self.send(content_type, target, body), 400)
        small_pages = 16 * 15 * MIB // 4096
        # Memory may be in such pieces that the kernel has no huge page to give.
        lacked = self.huge_pages_lacked() - lacked
        self.assertLess(self.page_faults() - before, small_pages / 4 + 512 * lacked)

    def huge_pages_lacked(self):
        """How often the kernel has given small pages to whoever was to have a huge one."""
        counts = pathlib.Path("/proc/vmstat").read_text(encoding="ascii")
        return int(re.search(r"^thp_fault_fallback (\d+)$", counts, re.M)[1])

    def page_faults(self):
        """Of all threads so far: the tenth field of proc(5)'s stat, the third follows the name."""
        text = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text()
        return int(text.rpartition(")")[2].split()[7])

    def handled(self):
        """Seconds that compute threads spent on handlers."""
        return self.count('fmixd_compute_seconds_total{stage="handle"}')

    def test_a_crowd_of_them_is_refused_while_a_modest_client_and_health_are_served(self):
        end = threading.Event()
        statuses = [set() for _ in self.kinds]

        def client(number):
            _, content_type, target, body, _ = self.kinds[number % len(self.kinds)]
            while not end.is_set():
                statuses[number % len(self.kinds)].add(self.send(content_type, target, body))
        threads = [threading.Thread(target=client, args=(i,)) for i in range(24)]
        for thread in threads:
            thread.start()
        try:
            modest = self.connect_from(MODEST)
            got = {target: collections.deque(maxlen=40) for _, target, _ in SMALL}

            def served():
                """Four of five of the last requests of each kind, while the crowd has more than its
                share."""
                self.assertEqual(self.server.get("/livez").status, 200)
                self.assertEqual(self.server.get("/readyz", fresh=True).status, 200)
                for method, target, body in SMALL:
                    last = got[target]
                    last.append(self.ask(modest, method, target, body, len(last)).status)
                return (min(last.count(200) for last in got.values()) >= 32
                        and 429 in set().union(*statuses))
            harness.until(served, lambda: (got, statuses))
        finally:
            end.set()
            for thread in threads:
                thread.join()
        for (name, _, _, _, allowed), got in zip(self.kinds, statuses):
            self.assertLessEqual(got, allowed | REFUSED | {0}, name)

    def test_masks_that_take_minutes_do_not_hold_what_takes_less(self):
        lengthy = [self.connect_from(source) for source in ("127.0.0.4", "127.0.0.5")]
        for connection, target in zip(lengthy, LENGTHY):
            connection.request("GET", target)
        harness.until(lambda: (self.count("fmixd_queue_jobs"), self.count("fmixd_slices_running")) == (2, 1))
        modest = self.connect_from(MODEST)
        for method, target, body in (*SMALL, ("GET", "/v1/masks.npy?shape=96x96x96&n=2&seed=%d", None)):
            self.assertEqual(self.ask(modest, method, target, body, 1).status, 200, target)
        self.assertEqual(select.select([c.sock for c in lengthy], [], [], 0)[0], [], "one is answered")
        for connection in lengthy:
            connection.close()
        harness.until(lambda: self.held() == 0)

    def test_a_stream_of_empty_blocks_is_refused_before_it_is_unpacked(self):
        plain = harness.write_npy(np.zeros((2, 8), np.uint8))
        stored = b"\1" + struct.pack("<HH", len(plain), 65535 - len(plain)) + plain
        empty = b"\0\0\0\xff\xff"
        for blocks, status in (0, 200), (700, 200), (1000, 400), (100_000, 400):
            packed, crc = empty * blocks + stored, zlib.crc32(plain)
            fields = struct.pack("<HHHHIIIHH", 0, 8, 0, 0x21, crc, len(packed), len(plain), 5, 0)
            local = b"PK\3\4" + struct.pack("<H", 20) + fields + b"x.npy" + packed
            central = (b"PK\1\2" + struct.pack("<HH", 20, 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0)
                       + b"x.npy")
            end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
            answer = self.server.post("/v1/mix.npy?layout=none", local + central + end, content_type=NPZ)
            self.assertEqual(answer.status, status, (blocks, answer.body[:300]))
            if status == 400:
                self.assertIn("longer compressed than uncompressed", answer.json()["detail"])

    def test_clients_that_leave_leave_nothing(self):
        for i in range(40):
            _, content_type, target, body, _ = self.kinds[i % 2]
            self.hang_up(content_type, target, body)
        harness.until(lambda: self.held() == 0)

    def held(self):
        """Bytes that requests hold."""
        return self.count("fmixd_memory_bytes")

    def count(self, metric):
        text = self.get("/metrics", fresh=True).body.decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(metric + " "))

    @unittest.skipUnless(os.environ.get("FMIX_LATENCY"), "FMIX_LATENCY is not set")
    def test_latencies(self):
        """Each kind alone, all together, and all of clients that hang up; by 64 clients of another
        process."""
        uploads = [upload for _, *upload, _ in self.kinds]
        crowds = [(name, [upload], self.send) for name, *upload, _ in self.kinds]
        crowds += [("all of them", uploads, self.send),
                   ("all of them, of clients that hang up", uploads, self.hang_up),
                   ("large volumes", [VOLUMES], self.take)]
        results = {}
        for name, uploads, send in crowds:
            refused = self.refused()
            crowd = os.fork()
            if crowd == 0:
                self.storm(uploads, send)
                os._exit(0)
            time.sleep(1)
            results[name] = self.probe(SECONDS - 2)
            os.waitpid(crowd, 0)
            refused = self.refused() - refused
            print(f"\n{name}", *(f"  {target} {row}" for target, row in results[name].items()),
                  f"  refused, of all: {dict(refused)}", sep="\n")
            self.assertEqual(refused["large"], 0, "the crowd costs the daemon nothing")
        for name, seen in results.items():
            self.assertLess(seen["/livez"][1], 1000 * PROMISED, name)
            self.assertLess(seen["/readyz"][1], 1000 * PROMISED, name)
            for _, target, _ in SMALL:
                _, late, _, served, refused = seen[target]
                self.assertLess(late, 1000 * (PATIENCE + PROMISED), (name, target))
                self.assertLess(4 * refused, served, (name, target))

    def refused(self):
        """How many requests the daemon has refused, by reason."""
        text = self.get("/metrics", fresh=True).body.decode()
        found = re.findall(r'^fmixd_refused_total{reason="(.*)"} (\d+)$', text, re.M)
        return collections.Counter({reason: int(count) for reason, count in found})

    def storm(self, uploads, send):
        """In a process of its own, which leaves the cores to the daemon as another machine would."""
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        end = time.monotonic() + SECONDS

        def client(number):
            for upload in itertools.islice(itertools.cycle(uploads), number % len(uploads), None):
                if time.monotonic() > end:
                    break
                send(*upload)
        threads = [threading.Thread(target=client, args=(i,), daemon=True) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS + 5)

    def probe(self, seconds):
        """Milliseconds of what is not refused: median, 99th percentile, worst, how many; and how many
        are refused."""
        times, refused = collections.defaultdict(list), collections.Counter()
        end = time.monotonic() + seconds
        connection = self.connect_from(MODEST)
        for number in itertools.count():
            if time.monotonic() > end:
                break
            for method, target, body in random.sample(HEALTH + SMALL, len(HEALTH + SMALL)):
                begun = time.perf_counter()
                if self.ask(connection, method, target, body, number).status == 200:
                    times[target].append(1000 * (time.perf_counter() - begun))
                else:
                    refused[target] += 1
            time.sleep(0.005)
        connection.close()
        return {target: [round(float(v), 2) for v in
                         (np.percentile(t, 50), np.percentile(t, 99), max(t))]
                + [len(t), refused[target]] for target, t in times.items()}


if __name__ == "__main__":
    unittest.main()
