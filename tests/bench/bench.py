"""Prints one table of ratios: what this costs against what it is built on. `make bench` runs it.

Ours and the baseline take turns in one run, and a row is the median of the rounds' own ratios.
Where a client shares the cores, processor time of the server is compared (user and system), not
the clock.  bench.py [ROW …] runs some rows.
"""

import contextlib
import functools
import http.client
import os
import pathlib
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from measuring import (CONNECTIONS, REQUEST_ROUNDS, ROUNDS, Bare, Daemon, Meter, Row,  # noqa: E402
                       end_load, library, note, processor_time, ratios, run_load, start_load,
                       time_a_request, warm)
import harness  # noqa: E402
import numpy as np  # noqa: E402
import mixer_rows  # noqa: E402
import picture_rows  # noqa: E402
import pipeline  # noqa: E402


MIX = (128, 3, 224, 224)


@functools.cache
def blend():
    """Its lines on blending, which are four rows."""
    return library("blend")


@functools.cache
def transpose():
    """Its lines on rows laid out anew, which are four rows."""
    return library("transpose")


# ---- rows ----

MASKS = "/v1/masks.npy?shape=32x32&n=128&dtype=bits&seed=7&index=%000"
ONE = "/v1/masks.npy?shape=32x32&dtype=bits&seed=7&index=%"


def against_numpy(sides, name):
    """How many times faster than the authors' pipeline."""
    result = []
    for _ in range(ROUNDS):
        theirs = pipeline.time_masks(sides, 1, 0.3)
        mine = statistics.median(ours for _, ours, _ in library("masks", name))
        result.append(theirs * 1e9 / mine)
    return result


def length_of(server, target):
    """Bytes of an answer."""
    return len(server.get(target).body)


def masks_request():
    """Processor time of a request for 128 masks, against its two parts."""
    result = []
    with Daemon() as ours:
        warm(ours, MASKS)
        size = length_of(ours, MASKS.replace("%", "1"))
        with Bare(size) as bare, Meter("batch") as meter:
            for _ in range(REQUEST_ROUNDS):
                computing = meter.nanoseconds()
                spent, _ = time_a_request(ours, MASKS, seconds=0.15)
                plain, _ = time_a_request(bare, "/", seconds=0.15)
                result.append(spent / (computing + plain))
                note(f"masks request: {spent / 1e3:.1f} us, library {computing / 1e3:.1f}, "
                     f"bare {plain / 1e3:.1f}")
    return result


def masks_over_loopback():
    """The same by the wall, against NumPy in process."""
    result = []
    with Daemon() as ours:
        warm(ours, MASKS)
        for _ in range(ROUNDS):
            theirs = pipeline.time_masks((32, 32), 128, 0.5)
            report = run_load(ours, MASKS, 1, 0.5)
            result.append(theirs / (report.seconds / report.requests))
    return result


def post(server, target, body):
    """Sends a body and reads the answer, without looking at it; a connection each."""
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    connection.request("POST", target, body, {"Content-Type": "application/octet-stream"})
    answer = connection.getresponse()
    length = len(answer.read())
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"POST {target}: {answer.status}")
    return length


def time_posts(server, target, body, count=2):
    """Nanoseconds of the server's processors a request."""
    before = processor_time(server.pid)
    for number in range(count):
        post(server, target.replace("%", str(time.monotonic_ns() + number)), body)
    return (processor_time(server.pid) - before) / count


def mix_request():
    """Processor time of mixing an upload of 19 MB, against its two parts."""
    shape = "x".join(map(str, MIX))
    target = (f"/v1/mix.raw?x_shape={shape}&x_dtype=u8&layout=channels_first&seed=7&index=0"
              "&step=%&parts=mixed")
    body = bytes(MIX[0] * MIX[1] * MIX[2] * MIX[3])
    result = []
    with Daemon() as ours, Bare(0) as bare, Meter("mix") as meter:
        for _ in range(3):
            time_posts(ours, target, body)
            time_posts(bare, "/", body)
        for _ in range(REQUEST_ROUNDS):
            computing = meter.nanoseconds()
            spent = time_posts(ours, target, body)
            plain = time_posts(bare, "/", body)
            result.append(spent / (computing + plain))
            note(f"mix request: {spent / 1e6:.2f} ms, library {computing / 1e6:.2f}, "
                 f"bare {plain / 1e6:.2f}")
    return result


HOSTED = {"28x28": (10240, 28, 28), "224x224": (512, 3, 224, 224)}
HOSTED_BATCH = "/v1/datasets/set/batches/0.raw?n=256&seed=7&shuffle=1&parts=mixed&epoch=%"


@contextlib.contextmanager
def hosting(name):
    """A daemon with a set of this shape, of noise."""
    with tempfile.TemporaryDirectory() as root:
        noise = np.random.default_rng(1).integers(0, 256, HOSTED[name], dtype=np.uint8)
        path = pathlib.Path(root, "x.npy")
        np.save(path, noise)
        layout = ["--layout", "channels_first"] if noise.ndim > 3 else []
        subprocess.run([harness.program(), "import", f"{root}/set", "--from", "npy", path, *layout],
                       check=True, stderr=subprocess.DEVNULL)
        path.unlink()
        with Daemon("--data", root) as server:
            yield server


def hosted_request(name, seconds):
    """Processor time of a batch of 256 hosted rows, against its two parts."""
    result = []
    with hosting(name) as ours:
        warm(ours, HOSTED_BATCH)
        size = length_of(ours, HOSTED_BATCH.replace("%", "1"))
        with Bare(size) as bare, Meter("hosted", name) as meter:
            for _ in range(REQUEST_ROUNDS):
                computing = meter.nanoseconds()
                spent, _ = time_a_request(ours, HOSTED_BATCH, seconds=seconds)
                plain, _ = time_a_request(bare, "/", seconds=seconds)
                result.append(spent / (computing + plain))
                note(f"hosted {name}: {spent / 1e6:.3f} ms, library {computing / 1e6:.3f}, "
                     f"bare {plain / 1e6:.3f}")
    return result


NGINX = """daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


class Nginx:
    """nginx with one file of so many bytes; its worker's processor time is counted."""

    def __init__(self, folder, size):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        pathlib.Path(folder, "files").mkdir()
        pathlib.Path(folder, "files", "file").write_bytes(os.urandom(size))
        config = pathlib.Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, port=self.address[1]))
        self.process = harness.spawn(["/usr/sbin/nginx", "-p", folder, "-c", str(config),
                                      "-e", f"{folder}/errors"])
        time.sleep(0.5)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pid = int(children.read_text().split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


WHOLE_ROWS = "/v1/datasets/set/batches/0.raw?n=256&seed=7&method=none&parts=mixed&epoch=%"
PLANS = "/v1/plans.safetensors?shape=224x224&n=64&steps=64&dtype=bits&seed=7&step=%000"


def plans_request():
    """Processor time of the plans of 64 batches, 26 MB, against their masks and a copy of them."""
    result = []
    with Daemon() as ours:
        warm(ours, PLANS)
        answer = np.frombuffer(ours.get(PLANS.replace("%", "1")).body, np.uint8)
        for _ in range(ROUNDS):
            mask = statistics.median(spent for _, spent, _ in library("masks", "224x224"))
            before = time.thread_time_ns()
            answer.copy()
            copying = time.thread_time_ns() - before
            spent, _ = time_a_request(ours, PLANS, seconds=1)
            result.append(spent / (64 * 64 * mask + copying))
            note(f"plans: {spent / 1e6:.0f} ms, masks {64 * 64 * mask / 1e6:.0f}, "
                 f"a copy {copying / 1e6:.1f}")
    return result


def hosted_against_nginx(target):
    """A batch of 39 MB, against a file that is sent."""
    result = []
    with hosting("224x224") as ours, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        warm(ours, target)
        with Nginx(folder, length_of(ours, target.replace("%", "1"))) as nginx:
            for _ in range(ROUNDS):
                spent, _ = time_a_request(ours, target, seconds=0.5)
                plain, _ = time_a_request(nginx, "/file", seconds=0.5)
                result.append(spent / plain)
                note(f"hosted 224x224: {spent / 1e6:.2f} ms, nginx {plain / 1e6:.2f}")
    return result


def hosted_memory():
    """What the daemon holds more at most, in MB, while epochs of 77 MB go by."""
    result = []
    for _ in range(3):
        with hosting("224x224") as server:
            warm(server, HOSTED_BATCH)
            before = most = resident(server.pid, "RssAnon")
            for epoch in range(20):
                server.get(f"/v1/datasets/set/batches/{epoch % 2}.raw?n=256&epoch={epoch}&parts=mixed")
                most = max(most, resident(server.pid, "RssAnon"))
            result.append(most - before)
    return result


def one_mask():
    """Requests a second for one mask, against a reply made once."""
    result = []
    with Daemon() as ours:
        warm(ours, ONE)
        with Bare(length_of(ours, ONE.replace("%", "1"))) as bare:
            for _ in range(REQUEST_ROUNDS):
                spent, rate = time_a_request(ours, ONE, CONNECTIONS, 0.2)
                plain, bare_rate = time_a_request(bare, "/", CONNECTIONS, 0.2)
                result.append(rate / bare_rate)
                note(f"one mask: {rate:.0f} a second of {bare_rate:.0f}; "
                     f"{spent / 1e3:.1f} us of processor time against {plain / 1e3:.1f}")
    return result


def resident(pid, field):
    """Of /proc/PID/status, in MB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(field + ":")[1].split()[0]) / 1000


@functools.cache
def million_masks():
    """The server's growth in MB and the first byte in milliseconds, for 10^6 masks in one answer."""
    grown, first = [], []
    target = "/v1/masks.raw?shape=32x32&n=1000000&dtype=bits&index={}"
    for number in range(3):
        with Daemon() as server:
            server.get("/v1/masks.npy?shape=32x32&dtype=bits")
            before = resident(server.pid, "VmRSS")
            with socket.create_connection(server.address) as connection:
                start = time.perf_counter()
                connection.sendall(f"GET {target.format(number)} HTTP/1.1\r\nHost: bench\r\n"
                                   "Connection: close\r\n\r\n".encode())
                data = connection.recv(1 << 16)
                first.append((time.perf_counter() - start) * 1e3)
                total = 0
                while data:
                    total += len(data)
                    data = connection.recv(1 << 20)
            if total < 128_000_000:
                raise RuntimeError(f"the answer ended after {total} bytes")
            grown.append(resident(server.pid, "VmHWM") - before)
    note(f"a million masks: {statistics.median(grown):.1f} MB more, "
         f"first byte after {statistics.median(first):.1f} ms")
    return grown, first


def small_amid_large():
    """The 99th percentile in milliseconds of one small mask while large ones fill every core."""
    result = []
    large = "/v1/masks.raw?shape=512x512&n=32&dtype=bits&index=%000"
    with Daemon() as server:
        warm(server, large)
        warm(server, ONE)
        quiet = run_load(server, ONE, 1, 2)
        for _ in range(3):
            busy = start_load(server, large, 4, 3.5, "127.0.0.2")
            time.sleep(0.5)
            report = run_load(server, ONE, 1, 2.5, "127.0.0.3")
            kept = end_load(busy)
            note(f"small amid large: p99 {report.p99 / 1e3:.2f} ms ({quiet.p99 / 1e3:.2f} quiet), "
                 f"{kept.requests} large answers, {kept.failed} refused")
            result.append(report.p99 / 1e3)
    return result


ROWS = [
    *(Row(f"FMix mask {name}", "FFTW's c2r, measured", lambda name=name: ratios("masks", name),
          must, reach)
      for name, must, reach in (("224x224", 1.75, 1.5), ("512x512", 1.6, 1.4),
                                ("64x64x64", 1.5, 1.35), ("32x32", 2.3, 1.9), ("64x64", 2, 1.7),
                                ("96x64", 1.8, 1.6), ("512", 2.9, 2.4))),
    Row("FMix mask 224x224, kernels of x86-64-v3", "FFTW's c2r, measured", lambda: ratios("v3"), 2.4, 2),
    Row("soft (0.1) FMix mask 224x224, f32", "the hard one", lambda: ratios("soft"), 1.6, 1.3),
    *(Row(f"FMix mask {name}", "FFTW's c2r, estimated, as ours is", lambda name=name: ratios("large", name), 2.5, 2)
      for name in ("4096x4096", "256x256x256")),
    Row("FMix mask 32x32, faster than", "the authors' NumPy",
        lambda: against_numpy((32, 32), "32x32"), 25, 40, False),
    Row("FMix mask 224x224, faster than", "the authors' NumPy",
        lambda: against_numpy((224, 224), "224x224"), 25, 40, False),
    Row("GET masks, n=128 32x32 bits, server CPU", "library + bare libmicrohttpd", masks_request,
        1.08, 1.05),
    Row("the same over loopback, faster than", "the authors' NumPy in process",
        masks_over_loopback, 20, 35, False),
    *(Row(f"blend {name}, bytes moved", "memcpy",
          lambda name=name: [theirs / ours for row, ours, theirs in blend()
                             if row == f"blend/{name}"], 0.9, 1, False)
      for name in ("mixup-f32", "mixup-u8", "cutmix-f32", "cutmix-u8")),
    *(Row(f"rows laid out anew, {name}", "memcpy",
          lambda name=name: [ours / theirs for row, ours, theirs in transpose()
                             if row == f"transpose/{name}"], 3, 1.5)
      for name in ("last-to-first-u8", "first-to-last-u8", "last-to-first-f32", "first-to-last-f32")),
    Row("POST mix of 19 MB, server CPU", "library + bare libmicrohttpd", mix_request, 1.08, 1.05),
    Row("hosted batch of 256 28x28, server CPU", "library + bare libmicrohttpd",
        lambda: hosted_request("28x28", 0.15), 1.15, 1.05),
    Row("hosted batch of 256 3x224x224, server CPU", "library + bare libmicrohttpd",
        lambda: hosted_request("224x224", 0.4), 1.08, 1.05),
    Row("the same with scope=batch, server CPU", "nginx, a file as long",
        lambda: hosted_against_nginx(HOSTED_BATCH + "&scope=batch"), 10, 3),
    Row("the same with method=none, rows in order, server CPU", "nginx, a file as long",
        lambda: hosted_against_nginx(WHOLE_ROWS), 1.5, 1.1),
    Row("plans of 64 batches of 64 224x224 bits, server CPU", "library + memcpy", plans_request,
        1.1, 1.05),
    Row("twenty such batches, memory", "idle", hosted_memory, 16, 4, unit=" MB"),
    Row("n=1 32x32 bits, requests a second", "libmicrohttpd's static reply", one_mask, 0.7, 0.8,
        False),
    Row("two compute threads", "one", lambda: ratios("threads", inverse=True),
        1.85, 2, False),
    Row("10^6 masks in one answer, memory", "idle", lambda: million_masks()[0], 64, 64,
        unit=" MB"),
    Row("10^6 masks in one answer, first byte", "", lambda: million_masks()[1], 50, 50,
        unit=" ms"),
    Row("a small request among large ones, p99", "", small_amid_large, 20, 5, unit=" ms"),
    *mixer_rows.ROWS,
    *picture_rows.ROWS,
]


def machine():
    """Its name, in a line."""
    cpu = [line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="ascii")
           if line.startswith("model name")]
    flags = "AVX-512" if "avx512dq" in open("/proc/cpuinfo", encoding="ascii").read() else "no AVX-512"
    compiler = subprocess.run(["gcc", "-dumpfullversion"], text=True, stdout=subprocess.PIPE,
                              check=True).stdout.strip()
    return (f"{cpu[0]}, {len(cpu)} cores, {flags}; Linux {platform.release()}; gcc {compiler}; "
            f"{time.strftime('%Y-%m-%d')}")


def verdict(row, value):
    """How a value stands to the row's bounds."""
    def holds(bound):
        return value <= bound if row.below else value >= bound
    return "reached" if holds(row.reach) else "met" if holds(row.must) else "missed"


def main():
    """The table, of all rows or of those whose name has one of the words given."""
    print(machine(), flush=True)
    print("\n| | against | ratio | spread | must | reach | |\n|---|---|---|---|---|---|---|")
    missed = 0
    for row in ROWS:
        if len(sys.argv) > 1 and not any(word in row.name for word in sys.argv[1:]):
            continue
        values = sorted(row.measure())
        if len(values) < 3:
            raise RuntimeError(f"{row.name}: {len(values)} rounds are too few")
        value = statistics.median(values)
        sign = "≤" if row.below else "≥"
        result = verdict(row, value)
        missed += result == "missed"
        print(f"| {row.name} | {row.against} | {value:.2f}{row.unit} | "
              f"{values[0]:.2f} … {values[-1]:.2f} | {sign} {row.must:g} | {sign} {row.reach:g} | "
              f"{result} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
