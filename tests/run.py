"""Runs every suite and ends with one line that counts: N passed, N failed, N skipped.

Suites are the unit programs in $BUILD/tests, the fuzz targets in $BUILD/fuzz over their corpora
and crashers (tests/fuzz/corpus, tests/fuzz/crashers), and the unittest files under tests/runner,
tests/reference, tests/http, tests/deploy, tests/sameness and tests/javascript; names on the command line pick some
(run.py test_mask test_formats). As many run at once as the machine has cores,
or FMIX_SUITES of them: each has daemons and folders of its own.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build")
SUITE_SECONDS = 2400
# Not beside another: both fetch the same archive and unpack it at the same place.
ALONE = {"test_fashion", "test_train"}
# The longest first, so that no core waits for the last of them.
LONG = ("test_debian", "test_agreement", "test_preview", "test_image", "test_soak", "test_sameness",
        "test_client", "test_clients", "test_faults_http", "test_prometheus")


def suites():
    """Name, working directory and command of each suite."""
    for source in sorted((ROOT / "tests/unit").glob("*/test_*.c")):
        yield source.stem, ROOT, [str(BUILD / "tests" / source.stem)]
    for source in sorted((ROOT / "tests/fuzz").glob("*.c")):
        inputs = sorted((ROOT / "tests/fuzz").glob(f"*/{source.stem}/*"))
        if inputs:
            yield (f"fuzz_{source.stem}", ROOT,
                   [str(BUILD / "fuzz" / source.stem), *map(str, inputs)])
    for folder in ("runner", "reference", "http", "deploy", "sameness", "javascript"):
        for source in sorted((ROOT / "tests" / folder).glob("test_*.py")):
            yield (source.stem, source.parent,
                   [sys.executable, "-B", "-m", "unittest", "-v", source.stem])


def counted_tap(output, planned, status):
    """The same of what cmocka says as TAP: a plan, and a line for each test that was run."""
    tests = {number: (verdict, rest) for verdict, number, rest in
             re.findall(r"^(ok|not ok) (\d+)(.*)", output, re.M)}
    # A skipped test is not ok to cmocka 1.1.5 (Debian 12), and ok to 1.1.7 (Debian 13).
    skipped = sum(rest.startswith(" # SKIP") for _, rest in tests.values())
    passed = sum(verdict == "ok" and not rest.startswith(" # SKIP")
                 for verdict, rest in tests.values())
    # A program that died before its end has run fewer than it planned.
    return passed, planned - passed - skipped or int(status != 0), skipped


def counted(output, status):
    """Passed, failed and skipped tests of one suite's output."""
    plan = re.search(r"^1\.\.(\d+)$", output, re.M)
    if plan:
        return counted_tap(output, int(plan[1]), status)
    replayed = re.search(r"^(\d+) inputs$", output, re.M)
    if replayed:
        return int(replayed[1]), int(status != 0), 0
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    if not ran:
        return 0, 1, 0  # it ended before it could count
    tail = output[ran.start():]
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", tail))
    skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", tail))
    # What fails before a class's first test is an error, but no test that ran.
    return max(int(ran[1]) - bad - skipped, 0), bad or int(status != 0), skipped


def output_of(command, folder):
    """What one suite prints, and its exit status."""
    environment = {**os.environ, "FMIXD": str(BUILD / "fmixd"), "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False, timeout=SUITE_SECONDS)
        return done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        return f"{(late.output or b'').decode(errors='replace')}\n{late}\n", 1


def run(name, folder, command):
    """Runs one suite; its counts, and lines that say what came of it."""
    start = time.monotonic()
    output, status = output_of(command, folder)
    passed, failed, skipped = counts = counted(output, status)
    said = [f"{'FAIL' if failed else 'ok':4}  {name:24} {passed:5} passed "
            f"{failed} failed {skipped} skipped  {time.monotonic() - start:6.1f} s"]
    said += [f"      {line}" for line in re.findall(r"skipped '?.*", output)]
    if failed:
        said.append(output[-20000:])
    return counts, said


def results(chosen):
    """What run returns of each suite, as they end."""
    workers = int(os.environ.get("FMIX_SUITES", os.cpu_count()))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(run, *suite) for suite in chosen if suite[0] not in ALONE]
        for done in concurrent.futures.as_completed(running):
            yield done.result()
    for suite in chosen:
        if suite[0] in ALONE:
            yield run(*suite)


def main():
    """Runs what was asked for; exit status 1 if anything failed."""
    wanted = set(sys.argv[1:])
    chosen = [suite for suite in suites() if not wanted or suite[0] in wanted]
    chosen.sort(key=lambda suite: suite[0] not in LONG)
    totals = [0, 0, 0]
    for counts, said in results(chosen):
        print(*said, sep="\n", flush=True)
        totals = [a + b for a, b in zip(totals, counts)]
    print("{} passed, {} failed, {} skipped".format(*totals))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
