"""The C test programs: which tests they hold, and what came of each.

A unit test is $BUILD/tests/NAME, of tests/unit/NAME.c or tests/unit/ROOM/NAME.c, and reports by cmocka's
TAP. A fuzz target is $BUILD/fuzz/NAME, of tests/fuzz/NAME.c, and reads the files that it is given.
"""

import os
import pathlib
import re
import signal
import subprocess
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("BUILD", "build")
# A suite that takes longer has hung. A program is ended first, so that its output is shown.
SUITE_SECONDS = int(os.environ.get("FMIX_SUITE_SECONDS", "2400"))
PROGRAM_SECONDS = SUITE_SECONDS * 0.9


class Output(NamedTuple):
    """What a program printed, and how it ended."""

    text: str
    status: int


class Verdict(NamedTuple):
    """One test's result, and what its program printed about the test."""

    outcome: str  # passed, failed or skipped
    text: str


def unit_sources():
    """The sources of unit tests, in rooms or not."""
    unit = ROOT / "tests/unit"
    return sorted([*unit.glob("test_*.c"), *unit.glob("*/test_*.c")])


def unit_program(source):
    """The program of a unit test's source."""
    return BUILD / "tests" / source.stem


def unit_tests(source):
    """The names of a source's tests, in the order in which they run. A list for builds without a
    feature has the same names."""
    text = source.read_text()
    functions = set(re.findall(r"^static void\s+(\w+)\(void \*\*\w+\)", text, re.M))
    start = re.search(r"^RUN\(|\btests\[\] = \{", text, re.M)
    listed = re.findall(r"(?<=\()\w+", text[start.start():]) if start else []
    return list(dict.fromkeys(name for name in listed if name in functions))


def fuzz_inputs(source):
    """The files that a fuzz target is replayed over: its corpora and what once crashed it."""
    return sorted(path for path in source.parent.glob(f"*/{source.stem}/*") if path.is_file())


def run(command, seconds=PROGRAM_SECONDS):
    """Runs a program in a process group of its own, which ends with it or after so many seconds."""
    environment = {**os.environ, "FMIXD": str(BUILD / "fmixd"), "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
            status, late = process.returncode, ""
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            output, _ = process.communicate()
            status, late = 1, f"\nended after {seconds} seconds\n"
    return Output(output.decode(errors="replace") + late, status)


def verdicts(names, output):
    """A verdict for each test that a program was to run.

    The program lost a test that has no line of its own: the program crashed or ended early. A failing
    exit status that no test explains (of a sanitizer, or a group's teardown) fails all of them.
    """
    told = [(int(number), (verdict, text)) for verdict, number, text in
            re.findall(r"^(ok|not ok) (\d+)\b(.*(?:\n#.*)*)", output.text, re.M)]
    # Of two lines of one number, such as of a test and of its teardown, the failing one counts.
    lines = dict(sorted(told, key=lambda line: line[1][0] == "not ok"))
    plan = re.search(r"^1\.\.(\d+)$", output.text, re.M)
    found = [_verdict(lines.get(number), output) for number in range(1, len(names) + 1)]
    unplanned = plan and int(plan[1]) != len(names)
    unexplained = output.status and not any(verdict.outcome == "failed" for verdict in found)
    if unplanned or unexplained:
        said = f"{len(names)} tests are listed\n" if unplanned else f"exit status {output.status}\n"
        found = [Verdict("failed", said + last_lines(output.text)) for _ in names]
    return dict(zip(names, found))


def last_lines(text, most=100):
    """The end of a program's output: a daemon under test may have logged every request before."""
    lines = text.splitlines(keepends=True)
    return "".join(([f"({len(lines) - most} lines before)\n"] if len(lines) > most else []) + lines[-most:])


def _verdict(line, output):
    """What a line of TAP says; a skipped test is not ok to cmocka 1.1.5, and ok to 1.1.7."""
    if line is None:
        return Verdict("failed", f"did not run, exit status {output.status}\n{last_lines(output.text)}")
    if re.match(r" +# SKIP", line[1]):
        return Verdict("skipped", line[1])
    return Verdict("passed" if line[0] == "ok" else "failed",
                   f"{line[0]}{line[1]}\n{last_lines(output.text)}")
