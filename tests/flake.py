"""Whether a suite fails sometimes: each is run again and again, while the machine has nothing else to
do, and beside busy loops; with 1, 2 and 4 threads that talk HTTP, in turn.

flake.py [--runs N] [--io-threads 1,2,4] [--loops N] [WORD ...]; a word picks suites as in suites.py; no
word: all of them, one by one. What failed is in $BUILD/flake. Exit status 1 if anything did.
"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/http")]

import harness  # noqa: E402
import programs  # noqa: E402
import suites  # noqa: E402

LOOP = ["nice", "-n", "19", "sh", "-c", "while :; do :; done"]


@contextlib.contextmanager
def busy(loops):
    """So many busy loops meanwhile, which end with us."""
    processes = [harness.spawn(LOOP) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def failed(suite, threads, log):
    """Whether it fails this time; what it says then is kept."""
    done = subprocess.run([*suites.command([suite]), "-n1"], cwd=ROOT, check=False,
                          env={**os.environ, "FMIX_IO_THREADS": threads}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        log.write_bytes(done.stdout)
    return bool(done.returncode)


def try_suite(suite, options, folder):
    """How often it failed, idle and busy."""
    counts = []
    for name, loops in ("idle", 0), ("busy", options.loops):
        lost = 0
        with busy(loops):
            for i in range(options.runs):
                threads = options.io_threads[i % len(options.io_threads)]
                lost += failed(suite, threads, folder / f"{pathlib.Path(suite).stem}-{name}-{i}-{threads}")
        counts.append(lost)
    return counts


def main():
    """A line for each suite."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--runs", type=int, default=10)
    parse.add_argument("--io-threads", type=lambda text: text.split(","), default=["1", "2", "4"])
    parse.add_argument("--loops", type=int, default=os.cpu_count())
    parse.add_argument("words", nargs="*")
    options = parse.parse_args()
    folder = programs.BUILD / "flake"
    folder.mkdir(exist_ok=True)
    total = 0
    for suite in options.words or suites.files():
        start = time.monotonic()
        idle, loaded = try_suite(suite, options, folder)
        total += idle + loaded
        print(f"{'FAIL' if idle + loaded else 'ok':4}  {suite:24} failed {idle} of {options.runs} "
              f"idle, {loaded} of {options.runs} busy  {time.monotonic() - start:6.1f} s", flush=True)
    print(f"flake: {total} failures")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
