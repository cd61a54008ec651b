"""What /metrics says is what happened, and the format is Prometheus'."""

import os
import re
import socket
import subprocess
import time
import unittest
from typing import NamedTuple

import harness
from harness import until

MASKS = "shape=16x16&n=3"


class Sample(NamedTuple):
    """One line of /metrics."""

    name: str
    labels: dict
    value: float


def samples_of(text):
    """Every line of /metrics that is one."""
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(
                r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            yield Sample(name, dict(re.findall(r'(\w+)="([^"]*)"',
                                               labels or "")), float(value))


class Metrics(unittest.TestCase):
    """A daemon of its own for each test, so that counts are known."""

    def start(self, *options):
        self.server = harness.Server("--drain", "0", *options)
        self.server.start()
        self.addCleanup(self.server.stop)

    def samples(self, name, **labels):
        """The samples of a name with these labels, and maybe others."""
        text = self.server.get("/metrics").body.decode()
        return [sample for sample in samples_of(text) if sample.name == name
                and labels.items() <= sample.labels.items()]

    def value(self, name, **labels):
        """The one sample's value; 0 where there is none yet."""
        found = self.samples(name, **labels)
        self.assertLessEqual(len(found), 1, found)
        return found[0].value if found else 0

    def wait_for(self, value, name, **labels):
        """A request is counted when it ends, shortly after its last byte,
        and in one number after the other."""
        until(lambda: self.value(name, **labels) == value,
              lambda: f"{name} {labels} is {self.value(name, **labels)}, "
                      f"not {value}")

    def raw(self, text):
        """What comes back for raw bytes."""
        with socket.create_connection(self.server.address) as sock:
            sock.settimeout(harness.PATIENCE)
            sock.sendall(text)
            return sock.recv(65536)

    def test_promtool_finds_nothing_to_say_of_it(self):
        self.start()
        for target in ("/v1/masks.npy?" + MASKS, "/v1/masks.json?" + MASKS,
                       "/v1/plans.npz?" + MASKS, "/v1/masks?no", "/no"):
            self.server.get(target)
        body = self.server.get("/metrics").body
        told = subprocess.run(["promtool", "check", "metrics"], input=body,
                              capture_output=True, timeout=harness.PATIENCE, check=False)
        self.assertEqual((told.returncode, told.stdout, told.stderr),
                         (0, b"", b""))

    def test_each_request_is_in_one_bucket_of_each_histogram(self):
        self.start()
        size = 0
        for _ in range(5):
            size += len(self.server.get("/v1/masks.npy?" + MASKS).body)
        labels = {"route": "/v1/masks", "code": "200", "format": "npy"}
        self.wait_for(5, "fmixd_request_duration_seconds_count", **labels)
        self.wait_for(size, "fmixd_response_size_bytes_sum", **labels)
        self.wait_for(5, "fmixd_requests_total", route="/v1/masks", code="200")
        until(lambda: self.value("fmixd_request_duration_seconds_sum",
                                 **labels) > 0, "a sum")
        for name in ("fmixd_request_duration_seconds",
                     "fmixd_response_size_bytes"):
            self.wait_for(5, name + "_count", **labels)
            buckets = [s.value for s in self.samples(name + "_bucket",
                                                     **labels)]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual(buckets[-1], 5)

    def test_a_slow_request_is_counted_as_slow(self):
        self.start()
        with socket.create_connection(self.server.address) as sock:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
            self.wait_for(2, "fmixd_requests_in_flight")  # it has begun
            time.sleep(0.6)
            sock.sendall(b"\r\n")
            sock.recv(65536)
        name = "fmixd_request_duration_seconds"
        self.wait_for(1, name + "_count", route="/livez")
        self.assertEqual(self.value(name + "_bucket", route="/livez",
                                    le="0.5"), 0)
        until(lambda: self.value(name + "_sum", route="/livez") > 0.5,
              "more than half a second")

    def test_formats_are_told_apart_and_refusals_and_plain_texts_have_none(self):
        self.start()
        name = "fmixd_request_duration_seconds_count"
        answer = self.server.get("/v1/masks.raw?" + MASKS)
        self.server.get("/v1/masks?" + MASKS, {"Accept": "application/json"})
        self.server.get("/v1/masks.raw?" + MASKS, {"Range": "bytes=0-9"})
        self.server.get("/v1/masks.raw?" + MASKS,
                        {"If-None-Match": answer.headers["ETag"]})
        self.server.get("/v1/masks.raw?shape=x")
        self.server.get("/livez")
        for route, code, form in (
                ("/v1/masks", "200", "raw"), ("/v1/masks", "200", "json"),
                ("/v1/masks", "206", "raw"), ("/v1/masks", "304", "raw"),
                ("/v1/masks", "400", "none"), ("/livez", "200", "none")):
            with self.subTest(route=route, code=code, form=form):
                self.wait_for(1, name, route=route, code=code, format=form)
        self.assertEqual(len(self.samples(name, route="/v1/masks")), 5)

    def test_a_client_that_leaves_is_499_of_its_format_and_no_refusal(self):
        self.start()
        with socket.create_connection(self.server.address) as sock:
            sock.sendall(b"GET /v1/masks.npy?shape=512x512&n=20000 HTTP/1.1"
                         b"\r\nHost: x\r\n\r\n")
            sock.recv(1000)
        self.wait_for(1, "fmixd_request_duration_seconds_count",
                      code="499", format="npy")
        for sample in self.samples("fmixd_refused_total"):
            self.assertEqual(sample.value, 0, sample)

    def test_every_refusal_is_counted_once_by_its_reason(self):
        self.start("--body", "4K", "--elements", "1000")
        head = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
        self.check_refused(
                ("request", lambda: self.server.get("/v1/masks?shape=x")),
                ("request", lambda: self.server.get("/nothing")),
                ("request", lambda: self.server.post("/livez", b"")),
                ("request", lambda: self.raw(
                    b"GET /%2F HTTP/1.1\r\nHost: x\r\n\r\n")),
                ("guard", lambda: self.raw(head + b"Host: y\r\n\r\n")),
                ("guard", lambda: self.raw(head + b"A : b\r\n\r\n")),
                ("large", lambda: self.server.get("/v1/masks?shape=999x999")),
                ("large", lambda: self.server.post("/v1/mix", b"x" * 5000,
                                                   fresh=True)),
                ("large", lambda: self.raw(
                    b"POST /v1/mix HTTP/1.1\r\nHost: x\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n"
                    b"1400\r\n" + b"x" * 0x1400)))
        self.start("--head", "1")
        self.check_refused(("late", lambda: self.raw(head)))

    def check_refused(self, *asks):
        """Each is counted under its reason, and under no other."""
        for reason, ask in asks:
            with self.subTest(reason):
                before = {s.labels["reason"]: s.value
                          for s in self.samples("fmixd_refused_total")}
                ask()
                before[reason] += 1
                self.wait_for(before[reason], "fmixd_refused_total",
                              reason=reason)
                self.assertEqual(before, {
                    s.labels["reason"]: s.value
                    for s in self.samples("fmixd_refused_total")})

    def test_an_upload_past_the_memory_is_refused_for_memory(self):
        self.start("--memory", "32M", "--threads", "1", "--body", "64M")
        with socket.create_connection(self.server.address) as sock:
            sock.sendall(b"POST /v1/mix?layout=none HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: %d\r\n\r\n" % (15 << 20))
            sock.sendall(b"\0" * (14 << 20))  # and stops
            until(lambda: self.value("fmixd_memory_bytes") >= 14 << 20)
            answer = self.server.post("/v1/mix?layout=none",
                                      b"\0" * (15 << 20), fresh=True)
            self.assertEqual(answer.status, 503)
        self.wait_for(1, "fmixd_refused_total", reason="memory")
        self.assertEqual(self.server.post(
            "/v1/mix?layout=none", b"\0" * (40 << 20), fresh=True).status, 413)

    def test_a_probe_of_what_drains_is_refused_for_draining(self):
        self.start("--drain", "3600")
        self.server.process.terminate()
        until(lambda: self.server.get("/readyz", fresh=True).status == 503)
        self.wait_for(1, "fmixd_refused_total", reason="draining")

    def test_connections_are_counted_while_they_are_open(self):
        self.start()
        self.assertEqual(self.value("fmixd_connections"), 1)
        more = [socket.create_connection(self.server.address)
                for _ in range(9)]
        self.wait_for(10, "fmixd_connections")
        for sock in more:
            sock.close()
        self.wait_for(1, "fmixd_connections")

    def test_the_process_is_what_the_kernel_says_it_is(self):
        begun = time.time()
        self.start()
        pid, ready = self.server.process.pid, time.time()
        with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
            pages = int(statm.read().split()[1])
        self.assertAlmostEqual(self.value("process_resident_memory_bytes"),
                               pages * os.sysconf("SC_PAGESIZE"), delta=8 << 20)
        started = self.value("process_start_time_seconds")
        self.assertTrue(begun - 1 <= started <= ready + 1)
        self.assertGreater(self.value("process_cpu_seconds_total"), 0)
        before = self.value("process_open_fds")
        more = [socket.create_connection(self.server.address)
                for _ in range(9)]
        self.wait_for(before + 9, "process_open_fds")
        for sock in more:
            sock.close()
        self.assertGreater(self.value("process_max_fds"), before)

    def test_build_info_has_the_digest_that_version_has(self):
        self.start()
        version = self.server.get("/version").json()
        info, = self.samples("fmixd_build_info")
        self.assertEqual(info.labels, {
            "version": version["version"], "stream": str(version["stream"]),
            "compiler": version["build"], "golden": version["golden"]})
        self.assertEqual(info.value, 1)
        self.assertRegex(version["fftw"], r"^fftw-3\.")
        self.assertRegex(version["microhttpd"], r"^\d+\.\d+\.\d+$")
        for name in "mpfr", "kernels", "architecture", "features":
            self.assertTrue(version[name], name)


if __name__ == "__main__":
    unittest.main()
