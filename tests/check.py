"""What a contributor runs between two edits: every unit test and the reference, on all cores.

Nothing but Python and NumPy is needed beside the build in $BUILD. `make test` runs more: all suites, and
in full those unit tests that FMIX_SHORT=1 cuts short.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import time

import programs

# The longest first, so that no core waits for the last of them.
LONG = ("test_faults_http", "test_faults_lib", "test_hypothesis", "test_daemon")


def check_program(source):
    """Runs a unit test's program; counts of what passed, failed and was skipped, and its failures."""
    found = programs.verdicts(programs.unit_tests(source),
                              programs.run([str(programs.unit_program(source))]))
    failures = [f"{source.stem}: {name}\n{verdict.text}" for name, verdict in found.items()
                if verdict.outcome == "failed"]
    outcomes = [verdict.outcome for verdict in found.values()]
    return [outcomes.count(name) for name in ("passed", "failed", "skipped")], failures


def check_reference(suite):
    """Runs a suite of the reference by unittest."""
    done = subprocess.run([sys.executable, "-B", "-m", "unittest", suite.stem], cwd=suite.parent,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    ran = re.search(r"^Ran (\d+) test", done.stdout, re.M)
    bad = sum(int(count) for count in re.findall(r"(?:failures|errors)=(\d+)", done.stdout))
    bad = bad or int(done.returncode != 0 or ran is None)
    skipped = sum(int(count) for count in re.findall(r"skipped=(\d+)", done.stdout))
    passed = max(int(ran[1]) - bad - skipped, 0) if ran else 0
    return [passed, bad, skipped], [f"{suite.stem}\n{done.stdout}"] if bad else []


def main():
    """Exit status 1 if anything failed."""
    os.environ["FMIX_SHORT"] = "1"
    start = time.monotonic()
    suites = [(check_reference, suite)
              for suite in sorted((programs.ROOT / "tests/reference").glob("test_*.py"))]
    suites += [(check_program, source) for source in
               sorted(programs.unit_sources(), key=lambda source: source.stem not in LONG)]
    totals = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for counts, failures in pool.map(lambda suite: suite[0](suite[1]), suites):
            print(*failures, sep="\n", end="\n" if failures else "")
            totals = [total + count for total, count in zip(totals, counts)]
    print(f"{time.monotonic() - start:.0f} seconds")
    print("{} passed, {} failed, {} skipped".format(*totals))
    return int(totals[1] > 0)


if __name__ == "__main__":
    sys.exit(main())
