"""A storm of requests at a daemon that sanitizers watch: drawn at random from its own OpenAPI document,
sent over several connections at once, every answer judged.

storm.py [--requests N | --minutes M] [--seed S] [--only K,K …] [--fmixd PROGRAM]. A failure is told with
the number of its case, which --seed and --only play again. FMIXD names the program else.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile
import time
from collections import Counter

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "http")]

import draw  # noqa: E402
import harness  # noqa: E402
import player  # noqa: E402
import sets  # noqa: E402
import wire  # noqa: E402

CHUNK = 120      # cases that a process is given at a time
PROCESSES = 4
DEFECTS = 25     # told in full
SANITIZER = re.compile(r"(?m)^(?:==\d+==.*|.*runtime error.*|SUMMARY: .*)$")
SETTINGS = ("--drain", "0", "--body", "1M", "--elements", "65536", "--threads", "2", "--memory", "512M")
# What has been freed is kept for a while, so that it is seen if it is used. Reports go to stderr, where
# they are read, whatever file the suites name for them.
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=64:detect_leaks=1:abort_on_error=0",
               "UBSAN_OPTIONS": "", "LSAN_OPTIONS": "", "TSAN_OPTIONS": ""}

_drawer = None


def drawer():
    """What draws the cases, once a storm is prepared."""
    return _drawer


class Watched(harness.Server):
    """A daemon, and what it says on stderr."""

    def reports(self):
        """Lines that no log has: a sanitizer's."""
        self._log.flush()
        with open(self._log.name, "rb") as text:
            lines = [line for line in text if not line.startswith(b"{")]
        return b"".join(lines).decode(errors="replace")

    def _open_log(self):
        return tempfile.NamedTemporaryFile()


def play(address, seed, numbers):
    """What a process does with a chunk of cases: counts, wrong answers, and the cases that got none."""
    one, lost = player.Player(address, _drawer), []
    for batch in numbers:
        try:
            one.play(batch)
        except (wire.Lost, OSError, wire.Malformed) as error:
            lost.append((list(batch), repr(error)))
            one.leave()
            if isinstance(error, ConnectionRefusedError):
                break
    one.leave()
    return one.counts, one.wrong, lost


class Storm:
    """Cases, a daemon after the other."""

    def __init__(self, program, seed, root, say):
        self.program, self.seed, self.root, self.say = program, seed, root, say
        self.counts, self.defects = Counter(), []

    def serve(self):
        """A daemon with the sets."""
        return Watched("--data", str(self.root), *SETTINGS, command=[self.program], environment=ENVIRONMENT)

    def prepare(self):
        """The sets, and the document that cases are drawn from."""
        global _drawer  # processes that begin from here on inherit it
        sets.write(self.root, self.program)
        with self.serve() as server:
            for entry in server.get("/v1/datasets").json()["datasets"]:
                sets.DIGESTS[entry["name"]] = entry["digest"]
            _drawer = draw.Drawer(server.get("/openapi.json").json(), self.seed)

    def defect(self, numbers, what):
        """One more."""
        self.defects.append((numbers, what))
        if len(self.defects) <= DEFECTS:
            self.say(f"DEFECT --seed {self.seed} --only {','.join(map(str, numbers))}\n  {what}")

    def end(self, server):
        """Stops it: it must live, end well and have said nothing but its log."""
        died = server.process.poll()
        if died is None:
            server.process.terminate()
            died = server.process.wait(harness.PATIENCE)
        said = server.reports()
        if died or SANITIZER.search(said):
            return f"the daemon ended with {died}: {said[:6000]}"
        return None

    def alone(self, numbers):
        """These cases and no other, at a daemon of their own; what it died of, or None."""
        with self.serve() as server:
            _, wrong, lost = play(server.address, self.seed, [numbers])
            return self.end(server) or (wrong or lost or None)

    def culprit(self, suspects):
        """Which of the batches in flight ends a daemon by itself."""
        for numbers in suspects:
            for few in ([[n] for n in numbers] if len(numbers) > 1 else []) + [list(numbers)]:
                found = self.alone(few)
                if isinstance(found, str):
                    return few, found
        return None

    def run(self, first, more, until):
        """Cases from a number on, while `until` does not hold; the next number. The daemon dies at most once."""
        with self.serve() as server, concurrent.futures.ProcessPoolExecutor(
                PROCESSES, initializer=harness.die_with, initargs=(os.getpid(),)) as pool:
            flying, suspects = {}, []
            while True:
                while len(flying) < PROCESSES + 1 and more(first) and not suspects:
                    batches = list(player.batches(self.seed, first, first + CHUNK))
                    flying[pool.submit(play, server.address, self.seed, batches)] = batches
                    first += CHUNK
                if not flying:
                    break
                done, _ = concurrent.futures.wait(flying, return_when="FIRST_COMPLETED")
                for one in done:
                    del flying[one]
                    suspects += self.take(server, *one.result())
                until()
            died = self.end(server)
        if died:
            culprit = self.culprit([numbers for numbers, _ in suspects])
            self.defect(*(culprit or ([n for numbers, _ in suspects for n in numbers], died)))
        else:
            for numbers, why in suspects:
                self.defect(numbers, f"no answer, and the daemon lives: {why}")
        return first

    def take(self, server, counts, wrong, lost):
        """What a process found; the batches that got no answer."""
        self.counts += counts
        for number, why in wrong:
            self.defect([number], why)
        return lost


def storm(program, seed, requests, seconds=None, say=print, first=0):
    """So many requests, or for so long; defects and counts."""
    with tempfile.TemporaryDirectory() as root:
        one = Storm(program, seed, pathlib.Path(root), say)
        one.prepare()
        start, told = time.monotonic(), [0.0]

        def more(_):
            return one.counts["requests"] < requests and (
                not seconds or time.monotonic() - start < seconds) and len(one.defects) < 4 * DEFECTS

        def tell():
            if time.monotonic() - told[0] > 20:
                told[0] = time.monotonic()
                spent = told[0] - start
                say(f"{one.counts['requests']} requests in {spent:.0f} s, "
                    f"{one.counts['requests'] / max(spent, 1):.0f} a second, {len(one.defects)} defects")

        while more(first):
            first = one.run(first, more, tell)
        spent = time.monotonic() - start
    say(f"{one.counts['requests']} requests in {spent:.0f} s: " +
        ", ".join(f"{n} {what}" for what, n in sorted(one.counts.items(), key=str)))
    return one.defects, one.counts


def main():
    """Exit status 1 if there was a defect."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--requests", type=int, default=500_000)
    parse.add_argument("--minutes", type=float)
    parse.add_argument("--seed", default=str(int(time.time())))
    parse.add_argument("--only")
    parse.add_argument("--first", type=int, default=0)
    parse.add_argument("--fmixd", default=os.environ.get("FMIXD", harness.program()))
    options = parse.parse_args()

    def say(text):
        print(text, flush=True)

    if options.only:
        with tempfile.TemporaryDirectory() as root:
            one = Storm(options.fmixd, options.seed, pathlib.Path(root), say)
            one.prepare()
            numbers = list(map(int, options.only.split(",")))
            for number in numbers:
                say(_drawer.case(number).told())
            found = one.alone(numbers)
            say(found if isinstance(found, str) else "\n".join(map(str, found or ["nothing wrong"])))
        return 1 if found else 0
    seconds = 60 * options.minutes if options.minutes else None
    defects, _ = storm(options.fmixd, options.seed, options.requests, seconds, say, options.first)
    say(f"seed {options.seed}: {len(defects)} defects")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
