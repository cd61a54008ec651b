"""What rows of the bench are measured with: programs of ours beside a bare one, and their time."""

import os
import pathlib
import subprocess
import sys
import time
from typing import Callable, NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build") / "bench"
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "http")]

import harness  # noqa: E402

ROUNDS = 7
REQUEST_ROUNDS = 31  # where three programs are compared, and the machine's clock wanders
CONNECTIONS = 32  # that keep both cores busy, so that nobody is woken from idleness


class Row(NamedTuple):
    """A line of the table; below: a ratio that must not exceed the bounds, else reach them."""

    name: str
    against: str
    measure: Callable
    must: float
    reach: float
    below: bool = True
    unit: str = "×"


def library(*arguments):
    """Name, ours and baseline of each line that the library program prints."""
    done = subprocess.run([BUILD / "library", *arguments], check=True, text=True,
                          stdout=subprocess.PIPE)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(name, float(ours), float(theirs)) for name, ours, theirs in lines]


def ratios(*arguments, inverse=False):
    """Ours over the baseline, a round each."""
    return [(theirs / ours if inverse else ours / theirs)
            for _, ours, theirs in library(*arguments)]


class Meter:
    """The library program, which measures when it is asked: so close to what it is compared with."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([BUILD / "library", *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.nanoseconds()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def nanoseconds(self):
        """One measurement."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline().split()[1])


class Bare:
    """libmicrohttpd alone, with a reply of so many bytes."""

    def __init__(self, size):
        self.process = subprocess.Popen([BUILD / "bare", str(size)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = "127.0.0.1", int(self.process.stdout.readline())
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Daemon(harness.Server):
    """fmixd as a user starts it, its log to a file."""

    @property
    def pid(self):
        """Of the process."""
        return self.process.pid


def processor_time(pid):
    """Nanoseconds of all threads, user and system."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


class Load(NamedTuple):
    """What the client saw; latencies in microseconds."""

    requests: int
    failed: int
    seconds: float
    median: float
    p99: float
    worst: float


def start_load(server, target, connections, seconds, source="127.0.0.1"):
    """The client, running."""
    host, port = server.address
    return subprocess.Popen([BUILD / "load", host, str(port), str(connections), str(seconds),
                             target, source], stdout=subprocess.PIPE, text=True)


def end_load(process):
    """Its report."""
    output, _ = process.communicate(timeout=120)
    if process.returncode:
        raise RuntimeError(f"load ended with {process.returncode}")
    numbers = output.split()
    return Load(int(numbers[0]), int(numbers[1]), *map(float, numbers[2:]))


def run_load(server, target, connections, seconds, source="127.0.0.1"):
    """The report of one run; no request may fail."""
    report = end_load(start_load(server, target, connections, seconds, source))
    if report.failed:
        raise RuntimeError(f"{report.failed} of {report.requests} requests failed: {target}")
    return report


def time_a_request(server, target, connections=1, seconds=0.5):
    """Nanoseconds of the server's processors a request, and requests a second."""
    before = processor_time(server.pid)
    report = run_load(server, target, connections, seconds)
    spent = processor_time(server.pid) - before
    return spent / report.requests, report.requests / report.seconds


def warm(server, target):
    """Asks until the transform is measured and caches are full."""
    run_load(server, target, 1, 1.5)
    time.sleep(0.5)


def note(text):
    """What a ratio was made of, beside the table."""
    print(f"  {text}", file=sys.stderr, flush=True)
